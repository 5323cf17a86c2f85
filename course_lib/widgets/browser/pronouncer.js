// Pronouncer: the word goes to Python while you type; the sounds and their alignment come back.

const PAUSE_WHILE_TYPING = 150; // milliseconds

function render({ model, el }) {
  const cleanups = [];
  const box = viewBox(el, model.get("title"));
  const bar = element("div", "row");
  const label = element("label", "row");
  const input = element("input");
  Object.assign(input, { type: "text", value: model.get("word"), spellcheck: false, autocomplete: "off", maxLength: 60 });
  const button = element("button", "main", "Pronounce");
  label.append(element("span", "", "word"), input);
  bar.append(label, button);
  const sounds = element("div", "sounds");
  sounds.setAttribute("aria-live", "polite");
  const stage = element("div", "fixed-stage");
  box.append(bar, sounds, stage);

  let typing = null;
  function ask() {
    clearTimeout(typing);
    if (input.value === model.get("word") && input.value === model.get("answered")) return;
    model.set("word", input.value);
    model.tell();
  }
  model.onHearing((hearing) => (hearing === "silent" ? tell(UNHEARD, true) : hearing === "heard" && paint()));
  input.addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(ask, PAUSE_WHILE_TYPING); });
  input.addEventListener("keydown", (event) => { if (event.key === "Enter") ask(); });
  button.addEventListener("click", ask);

  function tell(text, isMessage) {
    sounds.textContent = text;
    sounds.classList.toggle("message", isMessage);
    stage.classList.toggle("old", isMessage);
  }

  function paint() {
    if (model.get("answered") !== model.get("word")) return; // an answer to an earlier word
    const message = model.get("message");
    if (message) return tell(message, true);
    const rows = model.get("sounds"), columns = model.get("letters");
    tell(rows.join(" "), false);
    if (!rows.length) return;
    const grid = weightGrid({
      rows, columns, rowName: "sound: query (row)", columnName: "letter: key (column)",
      rowWord: "sound", columnWord: "letter", room: 300, width: 560, cleanups, fits: true,
    });
    grid.paint(floats(model.get("weights")));
    stage.replaceChildren(grid.root);
  }
  listen(model, cleanups, ["answered", "sounds", "letters", "weights", "message"], soon(paint));
  onTheme(cleanups, paint);
  listen(model, cleanups, ["word"], () => { if (document.activeElement !== input) input.value = model.get("word"); });
  paint();
  return () => { clearTimeout(typing); cleanups.forEach((undo) => undo()); };
}

export default viewOf(render);
