// Two text boxes for the traits `first` and `second`, and the words that may be used.

// change(texts): what else of the state changes with the texts; say(): tells Python, by `tellSoon` when not given.
function townBoxes({ model, cleanups, state, change = () => ({}), say = () => model.tellSoon() }) {
  const root = element("div", "row texts"), boxes = {};
  for (const [name, label] of [["first", "text"], ["second", "second text, or none"]]) {
    const box = element("label", "row"), input = element("input");
    Object.assign(input, { type: "text", value: model.get(name), maxLength: model.get("most"), spellcheck: false, autocomplete: "off", autocapitalize: "off" });
    input.dir = "auto";
    box.append(element("span", "soft", label), input);
    root.append(box);
    boxes[name] = input;
    input.addEventListener("input", () => {
      state.remember(true);
      const texts = { first: model.get("first"), second: model.get("second"), [name]: wholeLine(input.value) };
      model.set({ ...texts, ...change(texts) });
      say();
    });
    input.addEventListener("change", () => state.settle());
    listen(model, cleanups, [name], () => { if (wholeLine(input.value) !== model.get(name)) input.value = model.get(name); });
  }
  return { root };
}

function townWordList(words, title = `the Town’s ${words.length} words`) {
  const root = element("details", "word-list"), list = element("div", "soft");
  list.textContent = words.join(" · ");
  root.append(element("summary", "", title), list);
  return root;
}
