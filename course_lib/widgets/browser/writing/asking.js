// What NextToken and StoryWriter share: a text that goes on token by token, and Python, which is asked for each.

const PAUSE_WHILE_TYPING = 150; // milliseconds
const named = (name) => `“${isolated(labelOf(name))}”`;
const decimals = (x) => `${Number(x.toPrecision(3))}`;

function askingFor({ model, cleanups }) {
  let typing = null;
  cleanups.push(() => clearTimeout(typing));
  return {
    isAnswered: () => sameState({ text: model.get("text"), drawn: model.get("drawn"), draws: model.get("draws") }, model.get("answered")),
    later() { clearTimeout(typing); typing = setTimeout(() => model.tell(), PAUSE_WHILE_TYPING); },
    draw(many) {
      clearTimeout(typing);
      model.set({ draws: model.get("draws") + 1, how_many: many });
      model.tell();
    },
    // What was drawn last; "" where the text does not end with it.
    lastDraw() {
      const { id, chance, rank, seed } = model.get("last");
      if (id === undefined || model.get("drawn").at(-1) !== id) return "";
      return `Drawn: ${named(model.get("names")[id])}, chance ${exact(chance, 2)}, ${rank === 1 ? "the likeliest" : `in place ${rank}`} (seed ${seed}).`;
    },
  };
}

// A button that does nothing while `aria-disabled`: it keeps the focus.
function button(label, kind, act) {
  const node = element("button", kind, label);
  node.type = "button";
  node.addEventListener("click", () => { if (node.getAttribute("aria-disabled") !== "true") act(); });
  return node;
}

// A slider for one trait. value(position): what it is set to.
function settingSlider({ model, state, name, label, min, max, value }) {
  return slider({
    label, min, max,
    onInput: (position) => { state.remember(true); model.set(name, value(position)); model.tellSoon(); },
    onRelease: () => { state.settle(); model.tellSoon(); },
  });
}
