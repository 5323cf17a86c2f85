// MaskLab: the mask is drawn, the weights and the leak are computed here, in double precision. Only a new text
// needs Python: it answers with the vectors of the new words.

const PAUSE_WHILE_TYPING = 20; // milliseconds
const HEIGHT = 440; // pixels for the two grids, whatever the text
const KINDS = {
  self: "Every token may look at every token.",
  cross: "Rows come from the text, columns from the second text. Everything is allowed.",
  causal: "Nobody may look at what comes later.",
  padding: "Nobody may look at [PAD]: it fills the row up, it says nothing.",
  prefix: "All may look at the first tokens; the rest is causal.",
  window: "Causal, and only the nearest tokens, the own one included.",
  hand: "Your own mask. Click a cell, drag over several, or click a token for its whole row or column.",
};
const OFF = {
  over: "Off by one, or more: a token sees what comes after it. A next-word model would copy its answer.",
  under: "Too strict: a token does not see itself, and the first one sees nothing.",
};
const SIZES = { // the number that a kind has: its trait, its name, its range
  causal: { trait: "diagonal", label: "diagonal", min: -2, max: 2 }, // as in torch.tril; anything but 0 is off by some
  prefix: { trait: "n_prefix", label: "tokens", min: 0, max: 16 },
  window: { trait: "window", label: "tokens", min: 1, max: 16 }, // the own token at least
};
const WHERES = [["before", "before softmax"], ["after", "after softmax (wrong)"], ["none", "not at all"]];

function render({ model, el }) {
  const cleanups = [];
  const box = viewBox(el, model.get("title"));
  box.classList.add("wide");

  // The controls: texts, kind, how many tokens, where the mask acts.
  const texts = element("div", "row texts");
  const text = textBox("text"), other = textBox("other");
  texts.append(text.root, other.root);
  const note = element("div", "note soft");
  note.setAttribute("aria-live", "polite");
  const kinds = choice({
    label: "mask", options: Object.keys(KINDS).map((kind) => [kind, kind]),
    onChoose: (kind) => change({ kind }),
  });
  const count = slider({
    label: "", min: 0, max: 16, onInput: (n) => change({ [SIZES[model.get("kind")].trait]: n }, false),
    onRelease: () => model.tellSoon(),
  });
  const where = choice({ label: "applied", options: WHERES, onChoose: (where) => change({ where }) });
  const bar = element("div", "row");
  bar.append(where.root, count.root);
  const hint = element("div", "hint");
  const stages = element("div", "labs");
  stages.style.height = `${HEIGHT}px`;
  const readout = element("div", "readout");
  readout.setAttribute("aria-live", "polite");
  box.append(texts, note, kinds.root, bar, hint, stages, readout);

  function textBox(name) {
    const root = element("label", "row"), input = element("input");
    Object.assign(input, { type: "text", value: model.get(name), spellcheck: false, autocomplete: "off", maxLength: 400 });
    root.append(element("span", "soft", name === "text" ? "text" : "second text"), input);
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
    return { root, input };
  }

  // Who looks at whom: the words of the text, with or without pads, and for cross attention the second text.
  const words = () => model.get("padded").slice(0, model.get("n_words"));
  function tokens() {
    const rows = model.get("sides") === "padding" ? model.get("padded") : words();
    return { rows, columns: model.get("sides") === "cross" ? model.get("other_words") : rows };
  }
  function maskOf(kind, rows, columns) {
    const real = model.get("n_words"), n = model.get(SIZES[kind]?.trait ?? "window");
    const rule = {
      causal: (i, j) => j <= i + n, padding: (i, j) => j < real,
      prefix: (i, j) => j <= i || j < n, window: (i, j) => j <= i && j > i - n,
    }[kind] ?? (() => true);
    return rows.flatMap((_, i) => columns.map((_, j) => (rule(i, j) ? 1 : 0)));
  }

  // A change made here: kind and mask go to Python together, so that the two never disagree.
  function change(state, save = true) {
    model.set(state);
    const kind = model.get("kind");
    if (kind !== "hand" && !("where" in state)) {
      model.set("sides", kind === "cross" || kind === "padding" ? kind : "self");
      const { rows, columns } = tokens();
      model.set("allowed", traitOf(maskOf(kind, rows, columns), [rows.length, columns.length]));
    }
    if (save) model.tellSoon();
  }
  function toggleCells(places, on) {
    const { rows, columns } = tokens();
    const allowed = found.allowed.slice();
    for (const place of places) allowed[place] = on ? 1 : 0;
    model.set({ kind: "hand", allowed: traitOf(allowed, [rows.length, columns.length]) });
    model.tellSoon();
  }

  function compute(rows, columns) {
    const d = model.get("w_q").shape[0], [wq, wk, wv] = ["w_q", "w_k", "w_v"].map((name) => arrayOf(model.get(name)));
    const inputs = arrayOf(model.get("inputs")).subarray(0, rows.length * d);
    const lookedAt = model.get("sides") === "cross" ? arrayOf(model.get("other_inputs")) : inputs;
    const allowed = arrayOf(model.get("allowed"));
    const [q, k, v] = [product(inputs, wq, d), product(lookedAt, wk, d), product(lookedAt, wv, d)];
    return { allowed, ...attend(q, k, v, wk, wv, d, columns.length, allowed, model.get("where")) };
  }

  // Two grids over the same cells: pointing at one lights the other.
  let grids = null, shape = "", found = null;
  function build(rows, columns) {
    const longest = Math.max(...columns.map((token) => [...token].length));
    const room = HEIGHT - 70 - Math.min(92, Math.max(20, 8 * longest)); // for titles, and for tokens that stand upright
    const same = {
      rows, columns, room, width: 340, largest: 44, onToggle: toggleCells, hint: "", sentence: () => [],
      rowName: "query (row)", columnName: "key (column)",
    };
    const weights = weightGrid({ ...same, sums: true, onLook: (place) => { leak.look(place); say(place); } });
    const leak = weightGrid({
      ...same, rowName: "", columnName: "input looked at (column)", low: "weight-0", high: "value", caption: "leak",
      onLook: (place) => { weights.look(place); say(place); },
    });
    const [left, right] = [weights, leak].map((grid, i) => {
      const side = element("div", "lab");
      const title = element("div", "lab-title", i ? "Leak: what arrives" : "Weights: who looks at whom");
      const verdict = element("span", "verdict");
      title.append(verdict);
      side.append(title, grid.root);
      grid.readout.remove();
      return { side, verdict };
    });
    stages.replaceChildren(left.side, right.side);
    grids = { weights, leak, verdict: right.verdict, sums: left.verdict };
  }

  function paint() {
    const { rows, columns } = tokens(), kind = model.get("kind");
    if (model.get("allowed").data.byteLength !== rows.length * columns.length) return; // the rest is on its way
    const now = JSON.stringify([rows, columns]);
    if (now !== shape) build(rows, columns);
    shape = now;
    found = compute(rows, columns);
    const { weights, leak, allowed } = found;
    const highest = Math.max(...leak), worst = leak.reduce((most, x, i) => (allowed[i] ? most : Math.max(most, x)), 0);
    const shown = (values) => ({ // forbidden, and yet not 0: no hatching, but an outline
      hollow: (place) => values[place] === 0, text: (place) => (values[place] ? short(values[place]) : ""),
      mark: (place) => (!allowed[place] && values[place] ? "leak" : ""),
    });
    grids.weights.paint(weights, 0, allowed, shown(weights));
    grids.leak.paint(leak, 0, allowed, { ...shown(leak), top: highest || 1, most: short(highest) });
    const forbidden = allowed.some((on) => !on);
    const future = kind === "causal" && leak.some((x, i) => i % columns.length > Math.floor(i / columns.length) && x > 0);
    grids.verdict.textContent = worst ? `✗ ${exact(worst, 2)} where forbidden` : future ? "✗ the future arrives"
      : forbidden ? "✓ 0 where forbidden" : "nothing is forbidden";
    grids.verdict.classList.toggle("bad", worst > 0 || future);

    kinds.show(kind);
    where.show(model.get("where"));
    const sized = SIZES[kind], n = sized && model.get(sized.trait);
    count.root.style.visibility = sized ? "visible" : "hidden";
    if (sized) {
      count.root.firstChild.textContent = sized.label;
      Object.assign(count.root.querySelector("input"), { min: sized.min, max: sized.max });
      count.show(n, sized.min < 0 && n > 0 ? `+${n}` : `${n}`.replace("-", "−"));
    }
    other.root.style.display = model.get("sides") === "cross" ? "" : "none";
    hint.textContent = kind === "causal" && n ? (n > 0 ? OFF.over : OFF.under) : KINDS[kind];
    const full = kind === "padding" && rows.length === words().length;
    note.textContent = model.get("message") || (full ? `${rows.length} tokens fill the lab: take a word away to see padding` : "");
    say(grids.weights.pinned());
  }

  // What the pointed cell means, in words.
  function say(place) {
    if (place < 0) {
      const keys = "By keyboard: Tab, arrow keys, Space; R and C mask a row or a column.";
      readout.replaceChildren(element("span", "soft", `Point at a cell to read it; click to allow or forbid it. ${keys}`));
      return;
    }
    const { rows, columns } = tokens(), row = Math.floor(place / columns.length), column = place % columns.length;
    const { weights, leak, allowed } = found, [w, l] = [weights[place], leak[place]];
    const empty = !allowed.subarray(row * columns.length, (row + 1) * columns.length).some(Boolean);
    const why = {
      after: "its score was counted in the softmax before the mask came: it takes weight away from the others",
      none: "the mask is not applied",
    }[model.get("where")];
    readout.replaceChildren(
      "“", element("span", "query", rows[row]), allowed[place] ? "” may look at “" : "” may not look at “",
      element("span", "key", columns[column]), "”: weight ", element("span", "number", exact(w)),
      ", leak ", element("span", "number", exact(l)), !allowed[place] && l > 0 ? `. Something leaks: ${why}` : "",
      empty && model.get("where") === "before" ? `. Nothing is allowed in this row: its weights and its output are 0` : "", ".",
    );
  }

  const names = ["allowed", "kind", "sides", "where", "n_prefix", "window", "diagonal", "message", "answered"];
  const material = ["padded", "n_words", "other_words", "inputs", "other_inputs", "w_q", "w_k", "w_v"];
  listen(model, cleanups, [...names, ...material], soon(paint));
  onTheme(cleanups, paint);
  paint();
  box.numbers = () => found; // for the browser's console
  return () => cleanups.forEach((undo) => undo());
}

// (n, d) · (d, d), both row by row
function product(x, w, d) {
  const out = new Float64Array(x.length);
  for (let i = 0; i < x.length / d; i++) {
    for (let a = 0; a < d; a++) {
      for (let b = 0; b < d; b++) out[i * d + b] += x[i * d + a] * w[a * d + b];
    }
  }
  return out;
}

// Attention, and the size of ∂o_i/∂x_j = w_ij W_vᵀ + p_ij (m_ij v_j − o_i) (W_k q_i)ᵀ / √d, entry by entry.
// p is the softmax, m a mask that is multiplied on after it, w = p·m. See viz/arithmetic.py.
function attend(q, k, v, wk, wv, d, n, allowed, where) {
  const rows = q.length / d, weights = new Float64Array(rows * n), leak = new Float64Array(rows * n);
  const output = new Float64Array(rows * d), alongKey = new Float64Array(d), root = Math.sqrt(d);
  for (let i = 0; i < rows; i++) {
    const start = i * n, p = new Float64Array(n), may = allowed.subarray(start, start + n);
    for (let j = 0; j < n; j++) {
      for (let a = 0; a < d; a++) p[j] += q[i * d + a] * k[j * d + a];
      p[j] /= root;
    }
    softmaxRow(p, where === "before" ? may : null);
    const m = (j) => (where === "after" && !may[j] ? 0 : 1);
    for (let j = 0; j < n; j++) {
      weights[start + j] = p[j] * m(j);
      for (let b = 0; b < d; b++) output[i * d + b] += weights[start + j] * v[j * d + b];
    }
    for (let a = 0; a < d; a++) {
      alongKey[a] = 0;
      for (let c = 0; c < d; c++) alongKey[a] += (wk[a * d + c] * q[i * d + c]) / root;
    }
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let b = 0; b < d; b++) {
        const pull = p[j] * (m(j) * v[j * d + b] - output[i * d + b]);
        for (let a = 0; a < d; a++) sum += (weights[start + j] * wv[a * d + b] + pull * alongKey[a]) ** 2;
      }
      leak[start + j] = Math.sqrt(sum);
    }
  }
  return { weights, output, leak };
}

export default viewOf(render);
