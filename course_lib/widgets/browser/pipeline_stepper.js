// PipelineStepper: MatMul, Scale, Mask, Softmax, MatMul, one at a time, with every number. All in the browser.

const NAMES = ["MatMul", "Scale", "Mask", "Softmax", "MatMul"];

function render({ model, el }) {
  const cleanups = [];
  const box = viewBox(el, model.get("title"));
  const queries = model.get("query_tokens"), keys = model.get("key_tokens");
  const [q, k, v] = ["q", "k", "v"].map((name) => matrixOf(model.get(name)));
  const T = q.rows, S = k.rows, root = Math.sqrt(q.columns);
  let steps = null, pointed = null; // pointed: [row, column] of the result

  // The strip: a small picture of every step's result is the step selector.
  const pictures = NAMES.map(() => element("canvas", "thumbnail"));
  const strip = choice({
    label: "step", className: "heads strip",
    options: NAMES.map((name, i) => {
      const option = element("span", "head"), result = i === 4 ? [T, v.columns] : [T, S];
      const unit = 52 / Math.max(T, S, v.columns);
      Object.assign(pictures[i].style, { width: `${unit * result[1]}px`, height: `${unit * result[0]}px` });
      option.append(pictures[i], element("span", "", `${i + 1} ${name}`));
      return [i + 1, option];
    }),
    onChoose: go,
  });
  const back = element("button", "", "‹ Back"), next = element("button", "main", "Next ›");
  back.addEventListener("click", () => go(model.get("step") - 1));
  next.addEventListener("click", () => go(model.get("step") + 1));
  strip.root.append(back, next);

  const set = (state) => { model.set(state); model.tellSoon(); };
  const scale = toggle({ label: `divide by √${q.columns}`, onChange: (on) => set({ scale: on }) });
  const mask = toggle({ label: "mask", onChange: (on) => set({ mask: on }) });
  const temperature = temperatureSlider(model);
  const bar = element("div", "row");
  bar.append(scale.root, mask.root, temperature.root);
  const says = element("div", "hint");
  const stage = element("div", "pipeline");
  const readout = element("div", "readout arithmetic");
  readout.setAttribute("aria-live", "polite");
  box.append(strip.root, bar, says, stage, readout);
  box.addEventListener("keydown", (event) => {
    const by = { PageUp: -1, PageDown: 1 }[event.key];
    if (by) { go(model.get("step") + by); event.preventDefault(); }
  });

  function go(step) {
    if (step >= 1 && step <= NAMES.length) set({ step });
  }

  function compute() {
    const allowed = arrayOf(model.get("allowed")), masking = model.get("mask"), t = model.get("temperature");
    const scores = fill(T, S, (i, j) => sum(q.columns, (a) => q.at(i, a) * k.at(j, a)));
    const scaled = fill(T, S, (i, j) => (model.get("scale") ? scores.at(i, j) / root : scores.at(i, j)));
    const masked = fill(T, S, (i, j) => (masking && !allowed[i * S + j] ? -Infinity : scaled.at(i, j)));
    const weights = fill(T, S, (i, j) => masked.at(i, j) / t);
    for (let i = 0; i < T; i++) softmaxRow(weights.data.subarray(i * S, (i + 1) * S));
    const output = fill(T, v.columns, (i, c) => sum(S, (j) => weights.at(i, j) * v.at(j, c)));
    return { scores, scaled, masked, weights, output, allowed };
  }

  // What each step shows: matrices at places of one grid, and the sentence above it.
  function scene(step) {
    const { scores, scaled, masked, weights, output } = steps;
    const features = (n) => Array.from({ length: n }, (_, i) => `${i + 1}`);
    const light = { kind: "score" };
    return [
      {
        says: "Every query meets every key: a score is their dot product.",
        left: { matrix: q, kind: "query", rows: queries, columns: features(q.columns), name: "queries Q" },
        above: { matrix: transposed(k), kind: "key", rows: features(k.columns), columns: keys, name: "keys, turned: Kᵀ" },
        result: { matrix: scores, ...light, name: "scores" },
      },
      {
        says: model.get("scale")
          ? `Every score is divided by √${q.columns} = ${String(+root.toFixed(2))}: so scores do not grow with the number of features.`
          : "The division is switched off: scores go on as they are.",
        before: { matrix: scores, ...light, name: "scores" }, sign: model.get("scale") ? `÷ √${q.columns}` : "=",
        result: { matrix: scaled, ...light, name: "scaled scores" },
      },
      {
        says: model.get("mask")
          ? "M adds −∞ to every forbidden score. Click a cell on the right, or press Space, to forbid or allow it."
          : "The mask is switched off: every key may be looked at.",
        before: { matrix: scaled, ...light, name: "scaled scores" }, sign: "mask",
        result: { matrix: masked, ...light, name: "masked scores", editable: true },
      },
      {
        says: "Each row becomes weights between 0 and 1 that sum to 1; −∞ becomes exactly 0.",
        before: { matrix: masked, ...light, name: "masked scores" }, sign: "softmax",
        result: { matrix: weights, kind: "weight", name: "weights", sums: true },
      },
      {
        says: "Each output row mixes the values: as much of each as its weight says.",
        left: { matrix: weights, kind: "weight", rows: queries, columns: keys, name: "weights" },
        above: { matrix: v, kind: "value", rows: keys, columns: features(v.columns), name: "values V" },
        result: { matrix: output, kind: "output", name: "outputs" },
      },
    ][step - 1];
  }

  // The grid of a scene. A product has its left factor to the left and its right factor above the result, so that
  // a row and a column cross in their cell.
  const longest = Math.max(...[...queries, ...keys].map((token) => [...token].length));
  const wide = Math.max(q.columns + S, 2 * S + 1, S + v.columns);
  const cell = { width: Math.max(40, Math.min(54, Math.floor((700 - Math.min(120, 8 * longest)) / wide))), height: 30 };
  stage.style.height = `${(cell.height + 1) * (T + Math.max(q.columns, S)) + 104}px`;
  stage.style.setProperty("--cell-width", `${cell.width}px`);
  stage.style.setProperty("--cell-height", `${cell.height}px`);

  // The whole of it in one line; the part that the step is about is marked.
  const formula = element("div", "formula");
  const terms = [[4, "softmax("], [1, "Q Kᵀ"], [2, `÷ √${q.columns}`], [3, "+ M"], [4, ")"], [5, "V"]].map(([step, text]) => {
    const term = element("span", "", text);
    term.dataset.step = step;
    formula.append(term, " ");
    return term;
  });

  let parts = null; // the cells of the scene: {left, above, before, result}, each an array of nodes
  function build(shown) {
    const grid = element("div", "numbers"), put = (node, row, column) => {
      node.style.gridRow = row;
      node.style.gridColumn = column;
      grid.append(node);
      return node;
    };
    const names = (tokens, kind, row, column, across) => tokens.forEach((token, i) => {
      const node = element("span", `name ${kind} ${across ? "across" : "down"}`, token);
      node.title = token;
      put(node, across ? row : row + i, across ? column + i : column);
    });
    const block = (part, row, column, captionRow = row - 2) => {
      put(element("span", "caption", part.name), captionRow, `${column} / span ${part.matrix.columns}`);
      return Array.from(part.matrix.data, (_, place) => put(
        element("div", `n ${part.kind}`), row + Math.floor(place / part.matrix.columns), column + (place % part.matrix.columns)));
    };
    parts = {};
    let top = 3, left = 2; // lines 1 and 2 hold captions and names; column 1 holds names
    if (shown.left) {
      const { matrix: a } = shown.left, { matrix: b } = shown.above;
      const below = 3 + b.rows + 2, right = 2 + a.columns + 2;
      names(shown.above.columns, shown.above.kind === "key" ? "key" : "soft", 2, right, true);
      names(shown.above.rows, shown.above.kind === "key" ? "soft" : "key", 3, right - 1, false);
      parts.above = block(shown.above, 3, right);
      names(shown.left.columns, shown.left.kind === "query" ? "soft" : "key", below - 1, 2, true);
      names(queries, "query", below, 1, false);
      parts.left = block(shown.left, below, 2);
      top = below;
      left = right;
    } else {
      names(keys, "key", 2, 2, true);
      names(queries, "query", 3, 1, false);
      parts.before = block(shown.before, 3, 2);
      put(element("span", "sign", `${shown.sign}\n⟶`), `3 / span ${T}`, 2 + S);
      left = 2 + S + 1;
      names(keys, "key", 2, left, true);
    }
    parts.result = block(shown.result, top, left, shown.left ? top - 1 : top - 2);
    parts.result.forEach((node, place) => {
      node.dataset.place = place;
      node.id = `${id}-${place}`;
      node.setAttribute("role", "gridcell");
      node.classList.add("result");
    });
    if (shown.result.sums) {
      put(element("span", "name soft", "sum"), top - 1, left + S);
      parts.sums = queries.map((_, i) => put(element("span", "name number"), top + i, left + S));
    }
    grid.tabIndex = 0;
    grid.setAttribute("role", "grid");
    grid.setAttribute("aria-label", `${shown.result.name}: arrow keys move and read out how each number was made`
      + (shown.result.editable ? ", Space forbids or allows" : "") + ", Page Up and Page Down change the step");
    formula.style.maxWidth = `${Math.min(q.columns, S) * cell.width + Math.min(110, 8 * longest) + 60}px`;
    stage.replaceChildren(formula, grid);
    return grid;
  }
  const id = `pipeline-${Math.random().toString(36).slice(2)}`;

  // Queries, keys and values have the colours of the style sheet; what is computed gets a tone by its size.
  function write(nodes, { matrix, kind }) {
    const tone = tonesOf(matrix, kind), palette = paletteOf("weight-0", kind === "output" ? "value" : "weight-1");
    nodes.forEach((node, place) => {
      const x = matrix.data[place], masked = x === -Infinity;
      node.textContent = short(x);
      node.classList.toggle("blocked", masked);
      if (!["score", "weight", "output"].includes(kind)) return;
      node.style.background = masked ? "" : palette.css[toneOf(tone(place))];
      node.style.color = masked ? "" : palette.on[toneOf(tone(place))];
    });
  }

  let built = 0, grid = null, shown = null;
  function paint() {
    steps = compute();
    const step = model.get("step");
    const hadFocus = stage.contains(document.activeElement);
    shown = scene(step);
    if (built !== step) {
      pointed = null;
      grid = build(shown);
      wire(grid);
      if (hadFocus) grid.focus();
    }
    built = step;
    for (const name of ["left", "above", "before", "result"]) if (parts[name]) write(parts[name], shown[name]);
    parts.sums?.forEach((node, i) => {
      const total = sum(S, (j) => steps.weights.at(i, j));
      node.textContent = total === 0 ? "0" : total.toFixed(2);
    });
    says.textContent = shown.says;
    const off = { 2: !model.get("scale"), 3: !model.get("mask") };
    for (const term of terms) {
      term.classList.toggle("now", Number(term.dataset.step) === step);
      term.classList.toggle("off", Boolean(off[term.dataset.step]));
    }
    strip.show(step);
    scale.show(model.get("scale"));
    mask.show(model.get("mask"));
    temperature.show();
    back.disabled = step === 1;
    next.disabled = step === NAMES.length;
    [steps.scores, steps.scaled, steps.masked, steps.weights, steps.output].forEach((matrix, i) => {
      paintThumbnail(pictures[i], paletteOf("weight-0", i === 4 ? "value" : "weight-1"), {
        rows: matrix.rows, columns: matrix.columns, share: tonesOf(matrix, i === 3 ? "weight" : "score"),
        blocked: (place) => (i === 2 || i === 3) && steps.masked.data[place] === -Infinity,
      });
    });
    point(pointed);
  }

  function wire(grid) {
    const columns = shown.result.matrix.columns;
    const cellOf = (event) => {
      const place = event.target.dataset?.place;
      return place === undefined ? null : [Math.floor(place / columns), place % columns];
    };
    grid.addEventListener("mouseover", (event) => { if (cellOf(event)) point(cellOf(event)); });
    grid.addEventListener("click", (event) => { if (cellOf(event)) { point(cellOf(event)); flip(); } });
    grid.addEventListener("focus", () => { if (!pointed && grid.matches(":focus-visible")) point([0, 0]); });
    grid.addEventListener("keydown", (event) => {
      const [row, column] = pointed ?? [0, 0];
      const move = {
        ArrowUp: [row - 1, column], ArrowDown: [row + 1, column], ArrowLeft: [row, column - 1], ArrowRight: [row, column + 1],
        Home: [row, 0], End: [row, columns - 1],
      }[event.key];
      if (event.key === "Escape") point(null);
      else if (event.key === " ") flip();
      else if (move) point([Math.max(0, Math.min(T - 1, move[0])), Math.max(0, Math.min(columns - 1, move[1]))]);
      else return;
      event.preventDefault();
    });
  }
  function flip() {
    if (!shown.result.editable || !pointed) return;
    const place = pointed[0] * S + pointed[1], allowed = steps.allowed;
    allowed[place] = 1 - allowed[place];
    set({ allowed: traitOf(allowed, [T, S]), mask: true });
  }

  // Point at a result: light what it was made from, and write the arithmetic out.
  function point(cell) {
    pointed = cell;
    stage.querySelectorAll(".on, .part").forEach((node) => node.classList.remove("on", "part"));
    grid.removeAttribute("aria-activedescendant");
    if (!cell) {
      readout.replaceChildren(element("span", "soft", "Point at a number of the result to see how it was made. By keyboard: Tab and arrow keys."));
      return;
    }
    const [i, j] = cell, place = i * shown.result.matrix.columns + j, node = parts.result[place];
    const part = (nodes, n, rule) => nodes?.forEach((x, at) => { if (rule(Math.floor(at / n), at % n)) x.classList.add("part"); });
    node.classList.add("on");
    grid.setAttribute("aria-activedescendant", node.id);
    part(parts.left, shown.left?.matrix.columns, (row) => row === i);
    part(parts.above, shown.above?.matrix.columns, (_, column) => column === j);
    part(parts.before, S, (row, column) => row === i && (column === j || built === 4));
    readout.replaceChildren(...arithmetic(i, j));
    node.setAttribute("aria-label", readout.textContent);
  }

  function arithmetic(i, j) {
    const { scores, scaled, masked, weights, output } = steps, t = model.get("temperature");
    const query = element("span", "query", queries[i]), key = () => element("span", "key", keys[j]);
    const number = (x) => element("span", "number", short(x));
    const products = (n, a, b) => Array.from({ length: n }, (_, at) => `${bracketed(a(at))}·${bracketed(b(at))}`).join(" + ");
    if (built === 1) return [query, " · ", key(), ` = ${products(q.columns, (a) => q.at(i, a), (a) => k.at(j, a))} = `, number(scores.at(i, j))];
    if (built === 2) {
      return model.get("scale")
        ? [query, ", ", key(), `: ${short(scores.at(i, j))} ÷ ${String(+root.toFixed(2))} = `, number(scaled.at(i, j))]
        : [query, ", ", key(), ": ", number(scaled.at(i, j)), " stays as it is"];
    }
    if (built === 3) {
      return masked.at(i, j) === -Infinity
        ? [query, " may not look at ", key(), `: ${short(scaled.at(i, j))} becomes `, number(-Infinity)]
        : [query, " may look at ", key(), ": ", number(scaled.at(i, j)), " stays"];
    }
    if (built === 4) {
      const power = (at) => (masked.at(i, at) === -Infinity ? "0" : `exp(${short(masked.at(i, at))}${t === 1 ? "" : ` ÷ ${String(+t.toFixed(2))}`})`);
      if (!weights.data.subarray(i * S, i * S + S).some(Boolean)) return [query, " may look at nothing: all its weights are ", number(0)];
      return [query, " looks at ", key(), `: ${power(j)} ÷ (${keys.map((_, at) => power(at)).join(" + ")}) = `, number(weights.at(i, j))];
    }
    return [query, `, feature ${j + 1}: ${products(S, (at) => weights.at(i, at), (at) => v.at(at, j))} = `, number(output.at(i, j))];
  }

  listen(model, cleanups, ["step", "scale", "mask", "temperature", "allowed"], soon(paint));
  onTheme(cleanups, paint);
  paint();
  box.numbers = () => steps; // for the browser's console
  return () => cleanups.forEach((undo) => undo());
}

// A matrix: its numbers row by row.
function matrix(rows, columns, data) {
  return { rows, columns, data, at: (i, j) => data[i * columns + j] };
}
// The tone of each cell: a weight is its own tone; other numbers go from the smallest to the largest.
function tonesOf({ data }, kind) {
  if (kind === "weight") return (place) => data[place];
  const finite = data.filter(Number.isFinite), low = Math.min(...finite), span = Math.max(...finite) - low || 1;
  return (place) => 0.05 + (0.5 * (data[place] - low)) / span;
}
const matrixOf = (trait) => matrix(...trait.shape, arrayOf(trait));
const fill = (rows, columns, rule) => matrix(rows, columns, Float64Array.from({ length: rows * columns }, (_, at) => rule(Math.floor(at / columns), at % columns)));
const transposed = (m) => fill(m.columns, m.rows, (i, j) => m.at(j, i));
function sum(n, term) {
  let total = 0;
  for (let i = 0; i < n; i++) total += term(i);
  return total;
}
const bracketed = (x) => (x < 0 ? `(${short(x)})` : short(x));

export default viewOf(render);
