// AttentionView: one matrix a head. Masking, softmax and temperature happen in the browser; Python hears of them.

function render({ model, el }) {
  const cleanups = [];
  const box = viewBox(el, model.get("title"));
  const rows = model.get("query_tokens"), columns = model.get("key_tokens");
  const nHeads = model.get("n_heads"), editable = model.get("editable"), size = rows.length * columns.length;
  let weights = null, allowed = null;

  // weights = softmax(log(given) / temperature) over what is allowed; a head that is only looked at stays as given
  function compute() {
    allowed = arrayOf(model.get("allowed"));
    weights = arrayOf(model.get("given"));
    if (!editable) return;
    const temperature = model.get("temperature");
    for (let i = 0; i < weights.length; i++) weights[i] = Math.log(weights[i]) / temperature;
    for (let i = 0; i < weights.length; i += columns.length) {
      softmaxRow(weights.subarray(i, i + columns.length), allowed.subarray(i, i + columns.length));
    }
  }

  // Every head is a small picture, and the pictures are the head selector.
  const pictures = Array.from({ length: nHeads }, () => element("canvas", "thumbnail"));
  const side = nHeads > 8 ? 44 : 60, longer = Math.max(rows.length, columns.length);
  const heads = choice({
    label: "head", className: "heads",
    options: pictures.map((canvas, h) => {
      canvas.style.width = `${(side * columns.length) / longer}px`;
      canvas.style.height = `${(side * rows.length) / longer}px`;
      const option = element("span", "head");
      option.append(canvas, element("span", "", `${h + 1}`));
      return [h, option];
    }),
    onChoose: (h) => { model.set("head", h); model.tellSoon(); },
  });
  if (nHeads > 1) box.append(heads.root);
  const head = () => Math.max(0, Math.min(nHeads - 1, model.get("head")));

  function toggleCells(places, on) {
    for (const place of places) allowed[head() * size + place] = on ? 1 : 0;
    model.set("allowed", traitOf(allowed, [nHeads, rows.length, columns.length]));
    model.tellSoon();
  }
  function sentence(row, column) {
    const first = head() * size + row * columns.length, place = first + column;
    const rowIsEmpty = !weights.subarray(first, first + columns.length).some((w) => w > 0);
    return [
      "query ", element("span", "query", rows[row]), " looks at key ", element("span", "key", columns[column]),
      ": weight ", element("span", "number", allowed[place] ? weights[place].toFixed(2) : "not allowed"),
      rowIsEmpty ? " · nothing is left in this row: all its weights are 0" : "",
    ];
  }
  const grid = weightGrid({
    rows, columns, rowName: "query (row)", columnName: "key (column)", sentence, onToggle: editable ? toggleCells : null,
    onPin: (cell) => {
      model.set("selected", cell.length ? [head(), ...cell] : []);
      model.tellSoon();
    },
  });
  box.append(grid.root);

  const temperature = temperatureSlider(model);
  if (editable) {
    const bar = element("div", "row");
    const reset = element("button", "", "Reset");
    reset.addEventListener("click", () => {
      model.set({ allowed: model.get("start"), temperature: 1 });
      model.tellSoon();
    });
    bar.append(temperature.root, reset);
    box.append(bar);
  }

  function paint() {
    compute();
    const palette = paletteOf(), h = head();
    pictures.forEach((canvas, i) => paintThumbnail(canvas, palette, {
      rows: rows.length, columns: columns.length,
      share: (place) => weights[i * size + place], blocked: (place) => !allowed[i * size + place],
    }));
    heads.show(h);
    temperature.show();
    grid.paint(weights, h * size, allowed);
  }
  function showSelected() {
    const cell = model.get("selected");
    grid.show(cell.length === 3 ? cell.slice(1) : []);
  }
  listen(model, cleanups, ["head", "given", "allowed", "temperature"], soon(paint));
  listen(model, cleanups, ["selected"], showSelected);
  onTheme(cleanups, paint);
  paint();
  showSelected();
  box.numbers = () => ({ weights, allowed }); // for the browser's console
  return () => cleanups.forEach((undo) => undo());
}

export default viewOf(render);
