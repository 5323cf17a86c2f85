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

  function toggleCells(places, on, goesOn) {
    if (!goesOn) state.remember();
    for (const place of places) allowed[head() * size + place] = on ? 1 : 0;
    model.set("allowed", traitOf(allowed, [nHeads, rows.length, columns.length]));
    model.tellSoon();
  }
  function sentence(row, column) {
    const first = head() * size + row * columns.length, place = first + column;
    const rowIsEmpty = !weights.subarray(first, first + columns.length).some((w) => w > 0);
    return [
      "query ", element("span", "query", rows[row]), " looks at key ", element("span", "key", columns[column]),
      ": weight ", element("span", "number", allowed[place] ? exact(weights[place], 2) : "not allowed"),
      rowIsEmpty ? " · nothing is left in this row: all its weights are 0" : "",
    ];
  }
  const grid = weightGrid({
    rows, columns, rowName: "query (row)", columnName: "key (column)", sentence, onToggle: editable ? toggleCells : null,
    room: 520, width: 900, largest: 58, cleanups, fits: true,
    onLook: (place) => { if (place >= 0) showSentence(Math.floor(place / columns.length)); }, // it stays, for the slider
    onPin: (cell) => {
      if (!cell.length) showSentence(-1);
      model.set("selected", cell.length ? [head(), ...cell] : []);
      model.tellSoon();
    },
  });
  box.append(grid.root);

  // The same as a sentence; a word that is pointed at there lights its row here.
  const sentenceView = sentenceArcs({ cleanups, rows, columns, onWord: (row) => {
    const pinned = grid.pinned(), from = row * columns.length;
    const first = head() * size + from, own = weights.subarray(first, first + columns.length);
    grid.look(row < 0 ? pinned : pinned >= from && pinned < from + columns.length ? pinned : from + own.indexOf(Math.max(...own)));
    if (row >= 0) showSentence(row);
  } });
  let looked = -1; // the row
  function showSentence(row) {
    looked = row;
    const first = head() * size + row * columns.length, t = model.get("temperature");
    let plain = null;
    if (editable && row >= 0 && t !== 1) {
      plain = arrayOf(model.get("given")).subarray(first, first + columns.length).map(Math.log);
      softmaxRow(plain, allowed.subarray(first, first + columns.length));
    }
    sentenceView.paint(weights, head() * size, allowed, row, plain);
  }

  const state = stateBar({
    model, cleanups, names: ["allowed", "temperature"], code, start: () => ({ allowed: model.get("start"), temperature: 1 }),
  });
  const temperature = temperatureSlider(model, () => state.remember(true), state.settle);
  if (editable) {
    const bar = element("div", "row");
    bar.append(temperature.root, state.root);
    box.append(bar);
    undoByKey(box, state);
  }
  box.append(sentenceView.root);

  // The head that is shown, its mask and the temperature, as a cell of their own.
  function code() {
    const matrix = (values) => pythonMatrix(values.subarray(head() * size, (head() + 1) * size), columns.length);
    return `import torch

# ${model.get("title").replace(/\s+/g, " ")}${nHeads > 1 ? `: head ${head() + 1}` : ""}
queries = ${pythonList(rows)}
keys = ${pythonList(columns)}
weights = torch.tensor(${matrix(arrayOf(model.get("given")))}, dtype=torch.double)  # (T, S)
allowed = torch.tensor(${matrix(allowed)}, dtype=torch.bool)  # (T, S), 1 = may attend
temperature = ${model.get("temperature")}
scores = (weights.log() / temperature).masked_fill(~allowed, -torch.inf)
weights = scores.softmax(-1).nan_to_num(0.0)  # (T, S); a row in which nothing is left is all 0
weights
`;
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
    state.show();
    grid.paint(weights, h * size, allowed);
    showSentence(looked);
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
