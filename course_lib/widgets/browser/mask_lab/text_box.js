// A text that Python cuts into tokens: it is asked while the reader types.

const PAUSE_WHILE_TYPING = 20; // milliseconds

// name: the trait that holds the text.
function textBox({ model, cleanups, name, label }) {
  const root = element("label", "row"), input = element("input");
  Object.assign(input, { type: "text", value: model.get(name), spellcheck: false, autocomplete: "off", maxLength: 400 });
  root.append(element("span", "soft", label), input);
  let typing = null;
  const ask = () => {
    clearTimeout(typing);
    if (input.value === model.get(name)) return;
    model.set(name, input.value);
    model.tell();
  };
  input.addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(ask, PAUSE_WHILE_TYPING); });
  input.addEventListener("keydown", (event) => { if (event.key === "Enter") ask(); });
  listen(model, cleanups, [name], () => { if (document.activeElement !== input) input.value = model.get(name); });
  cleanups.push(() => clearTimeout(typing));
  return { root };
}
