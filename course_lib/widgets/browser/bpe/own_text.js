// The reader's own text in a box of several lines: the view answers to each letter.

// most: characters. change(text): what else of the state changes with the text. say(): tells Python, by `tellSoon` when
// not given.
function ownText({ model, cleanups, state, label, rows, most, change = () => ({}), say = () => model.tellSoon() }) {
  const root = element("label", "own-text"), area = element("textarea");
  Object.assign(area, { value: model.get("text"), rows, maxLength: most, spellcheck: false, autocomplete: "off", autocapitalize: "off" });
  area.dir = "auto";
  root.append(element("span", "soft", label), area);
  area.addEventListener("input", () => {
    state.remember(true);
    model.set({ text: wholeText(area.value), ...change(area.value) });
    say();
  });
  area.addEventListener("change", () => state.settle());
  listen(model, cleanups, ["text"], () => { if (wholeText(area.value) !== model.get("text")) area.value = model.get("text"); });
  return { root };
}
