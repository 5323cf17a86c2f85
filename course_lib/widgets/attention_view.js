// AttentionView: one matrix a head. Everything happens in the browser; the pinned cell and the head go to Python.

function render({ model, el }) {
  const cleanups = [];
  const box = viewBox(el, model.get("title"));
  const rows = model.get("query_tokens"), columns = model.get("key_tokens"), nHeads = model.get("n_heads");

  const heads = element("div", "chips");
  if (nHeads > 1) {
    heads.setAttribute("role", "radiogroup");
    heads.setAttribute("aria-label", "head");
    heads.append(element("span", "soft", "head"));
    const group = `heads-${Math.random()}`;
    for (let h = 0; h < nHeads; h++) {
      const label = element("label", "", `${h + 1}`);
      const input = element("input");
      Object.assign(input, { type: "radio", name: group, value: h });
      input.addEventListener("change", () => { model.set("head", h); model.save_changes(); });
      label.append(input);
      heads.append(label);
    }
    box.append(heads);
  }

  const grid = weightGrid({
    rows, columns, rowName: "query (row)", columnName: "key (column)", rowWord: "query", columnWord: "key",
    onPin: (cell) => {
      model.set("selected", cell.length ? [model.get("head"), ...cell] : []);
      model.save_changes();
    },
  });
  box.append(grid.root);

  function paint() {
    const h = Math.max(0, Math.min(nHeads - 1, model.get("head")));
    heads.querySelectorAll("input").forEach((input, i) => { input.checked = i === h; });
    grid.paint(floats(model.get("weights")), h * rows.length * columns.length, flagsOf(model.get("allowed")));
  }
  function showSelected() {
    const cell = model.get("selected");
    grid.show(cell.length === 3 ? cell.slice(1) : []);
  }
  listen(model, cleanups, ["head", "weights", "allowed"], paint);
  listen(model, cleanups, ["selected"], showSelected);
  paint();
  showSelected();
  return () => cleanups.forEach((undo) => undo());
}

export default { render };
