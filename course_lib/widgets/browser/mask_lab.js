// MaskLab: the mask is drawn, the weights and the leak are computed here, in double precision. Only a new text
// needs Python: it answers with the vectors of the new words. With a trained model behind the lab it answers every
// change, with the model's weights and what it says next.

const HEIGHT = 440; // pixels for a grid with its title, whatever the text; less where the window is narrow
const LARGEST = 58; // pixels of a cell
const STATE = ["kind", "sides", "allowed", "where", "n_prefix", "window", "diagonal", "drawn", "drawn_sides"];
const WHERES = [["before", "before softmax"], ["after", "after softmax (wrong)"], ["none", "not at all"]];

function render({ model, el }) {
  const cleanups = [];
  const box = viewBox(el, model.get("title"));
  box.classList.add("mask-lab");

  // The controls: texts, kind, how many tokens, where the mask acts.
  const trained = model.get("vocabulary").length > 0;
  const texts = element("div", "row texts"), note = element("div", "note soft");
  note.setAttribute("aria-live", "polite");
  const [text, other] = [["text", "text"], ["other", "second text"]].map(([name, label]) => textBox({ model, cleanups, name, label }));
  texts.append(text.root, other.root);
  const kinds = choice({
    label: "mask", options: Object.keys(KINDS).filter((kind) => !(trained && kind === "cross")).map((kind) => [kind, kind]),
    onChoose: (kind) => change({ kind }),
  });
  const count = slider({
    label: "", min: 0, max: 16, onInput: (n) => change({ [SIZES[model.get("kind")].trait]: n }, true),
    onRelease: () => { steps.settle(); model.tellSoon(); },
  });
  const where = choice({ label: "applied", options: WHERES, onChoose: (where) => change({ where }) });
  const steps = stateBar({ model, cleanups, names: STATE, start: startState, code, onStep: compareFromHere });
  const heads = choice({
    label: "head", options: [[-1, "mean"], ...model.get("heads").map((name, i) => [i, name])],
    onChoose: (head) => { model.set("head", head); model.tellSoon(); },
  });
  const bar = element("div", "row");
  bar.append(where.root, count.root, steps.root);
  const hint = element("div", "hint"), verdict = element("div", "verdict");
  const stages = element("div", trained ? "labs trained" : "labs"), answer = element("div", "answer"), readout = element("div", "readout");
  const path = pathList(), missions = missionList(model), next = nextWordBars();
  answer.append(readout, path.root);
  for (const live of [verdict, readout]) live.setAttribute("aria-live", "polite");
  box.append(texts, note, kinds.root, bar, ...(trained ? [heads.root, hint] : [hint, missions.root]), verdict, stages);
  undoByKey(box, steps);

  // Who looks at whom: the words of the text, with or without pads, and for cross attention the second text.
  function words() {
    return model.get("padded").slice(0, model.get("n_words"));
  }
  function tokens(sides = model.get("sides")) {
    const rows = sides === "padding" ? model.get("padded") : words();
    return { rows, columns: sides === "cross" ? model.get("other_words") : rows };
  }
  // The state in which a kind of mask is chosen; `now` holds its sizes.
  function stateOf(kind, now = {}) {
    const sides = kind === "cross" || kind === "padding" ? kind : "self", { rows, columns } = tokens(sides);
    const real = model.get("n_words"), size = SIZES[kind]?.trait ?? "window", n = now[size] ?? model.get(size);
    const mask = maskOf(kind, n, real, rows.length, columns.length);
    return { kind, sides, allowed: traitOf(mask, [rows.length, columns.length]) };
  }
  function startState() {
    return { ...model.get("start"), ...stateOf(model.get("start").kind, model.get("start")) };
  }
  const drawing = (state) => ({ ...state, kind: "hand", drawn: state.allowed, drawn_sides: state.sides });

  // The mask that was drawn before another kind was chosen, where the text still has its shape; else nothing.
  function kept() {
    const drawn = model.get("drawn"), sides = model.get("drawn_sides");
    if (!drawn) return null;
    const { rows, columns } = tokens(sides);
    return rows.length === drawn.shape[0] && columns.length === drawn.shape[1] ? { sides, allowed: drawn } : null;
  }

  // A change made here: kind and mask go to Python together, so that the two never disagree.
  function change(state, stroke = false) {
    steps.remember(stroke);
    const kind = state.kind ?? model.get("kind");
    if (kind === "hand" && "kind" in state) {
      Object.assign(state, drawing(kept() ?? { sides: model.get("sides"), allowed: model.get("allowed") }));
    } else if (kind !== "hand" && !("where" in state)) Object.assign(state, stateOf(kind, state));
    model.set(state);
    told();
    if (!stroke) model.tellSoon();
    steps.show();
  }
  function toggleCells(places, on) {
    const { rows, columns } = tokens(), allowed = found.allowed.slice();
    for (const place of places) allowed[place] = on ? 1 : 0;
    steps.remember(true);
    model.set(drawing({ sides: model.get("sides"), allowed: traitOf(allowed, [rows.length, columns.length]) }));
    told();
    model.tellSoon();
    steps.show();
  }
  stages.addEventListener("pointerdown", steps.settle, true); // from here on, one drag is one step back
  stages.addEventListener("keydown", steps.settle, true);

  function code() {
    const { rows, columns } = tokens(), kind = model.get("kind");
    return pythonOf(kind, model.get(SIZES[kind]?.trait ?? "window"), model.get("n_words"), found.allowed, rows, columns);
  }

  // After each change made here, not from Python: a trained model is asked, and the weights before it stay in sight.
  function told() {
    changed = true;
    if (!trained) return;
    model.set("asked", model.get("asked") + 1);
    model.tellSoon();
  }
  function compute(rows, columns) {
    if (trained) return replyOf(model, rows.length);
    const d = model.get("w_q").shape[0], [wq, wk, wv] = ["w_q", "w_k", "w_v"].map((name) => arrayOf(model.get(name)));
    const inputs = arrayOf(model.get("inputs")).subarray(0, rows.length * d);
    const lookedAt = model.get("sides") === "cross" ? arrayOf(model.get("other_inputs")) : inputs;
    const allowed = arrayOf(model.get("allowed"));
    const [q, k, v] = [product(inputs, wq, d), product(lookedAt, wk, d), product(lookedAt, wv, d)];
    return { allowed, ...attend(q, k, v, wk, wv, d, columns.length, allowed, model.get("where")) };
  }

  // Two grids over the same cells: pointing at one lights the other. Side by side, or one under the other: the style
  // sheet decides by the width of the view; cells are as large as that leaves them.
  let grids = null, shape = "", found = null;
  const isWide = () => getComputedStyle(stages).gridTemplateColumns.split(" ").length > 1;
  function build(rows, columns, beside = 0) {
    const wide = isWide(), full = stages.clientWidth || 760, longest = Math.max(...columns.map((token) => [...token].length));
    const names = beside || 110, height = wide ? HEIGHT : Math.min(HEIGHT, Math.round(0.8 * full) + 60);
    const room = height - 66 - Math.min(92, Math.max(20, 8 * longest)); // for titles, and for tokens that stand upright
    const same = {
      rows, columns, room, width: wide ? (full - names - 34) / 2 : full - names, largest: LARGEST, onToggle: toggleCells,
      hint: "", sentence: () => [], rowName: "query (row)", columnName: "key (column)",
    };
    const weights = weightGrid({
      ...same, sums: true, onPin: (cell) => leak.show(cell), onLook: (place) => { leak.look(place); say(place); },
    });
    const leak = weightGrid({
      ...same, rowName: wide ? "" : "query (row)", columnName: "input (column)", low: "weight-0", high: "value",
      caption: "leak", onPin: (cell) => weights.show(cell), onLook: (place) => { weights.look(place); say(place); },
    });
    const sides = [weights, leak].map((grid, i) => {
      const side = element("div", `lab ${i ? "leak" : "weights"}`);
      side.append(element("div", "lab-title", i ? "Leak: what arrives" : "Weights: who looks at whom"), grid.root);
      grid.readout.remove();
      return side;
    });
    if (trained) sides[1] = next.root;
    for (const side of sides) side.style.height = `${height}px`;
    stages.replaceChildren(sides[0], answer, sides[1]);
    pointed = -1;
    grids = { weights, leak, moved: movedColumn(weights, rows, columns) };
    const taken = weights.grid.offsetWidth - weights.grid.querySelector(".body").offsetWidth; // tokens and sums
    if (!beside && taken) build(rows, columns, Math.ceil(taken) + 8);
  }
  function rebuild() {
    const pinned = grids?.weights.pinned() ?? -1, n = tokens().columns.length, held = stages.contains(document.activeElement);
    shape = "";
    paint();
    if (pinned >= 0) grids.weights.show([Math.floor(pinned / n), pinned % n]);
    if (held) grids.weights.grid.focus();
  }
  let width = 0;
  const watcher = new ResizeObserver(() => {
    const now = stages.clientWidth;
    if (!now || Math.abs(now - width) < 8) return;
    width = now;
    rebuild();
  });
  watcher.observe(stages);
  cleanups.push(() => watcher.disconnect());

  // The weights before the last step stay as outlines.
  let old = null, changed = false, heard = model.get("replied");
  function compareFromHere() {
    old = found;
    told();
  }
  const sameNumbers = (a, b) => a.length === b.length && a.every((x, i) => x === b[i]);

  function paint() {
    const { rows, columns } = tokens(), kind = model.get("kind");
    if (model.get("allowed").data.byteLength !== rows.length * columns.length) return; // the rest is on its way
    const now = JSON.stringify([rows, columns]);
    if (now !== shape) build(rows, columns);
    shape = now;
    const last = found;
    found = compute(rows, columns);
    const { weights, leak, allowed } = found, waiting = trained && model.get("asked") !== model.get("replied");
    changed ||= model.get("replied") !== heard || (trained && last?.next === null);
    if (!changed && !(last && sameNumbers(last.weights, weights))) old = null; // another text, or a change from Python
    [changed, heard] = [false, model.get("replied")];
    if (old?.weights.length !== weights.length) old = null;
    const highest = Math.max(...leak);
    const shown = (values) => ({ // forbidden, and yet not 0: no hatching, but an outline
      hollow: (place) => values[place] === 0, text: (place) => (values[place] ? short(values[place]) : ""),
      mark: (place) => (!allowed[place] && values[place] ? "leak" : ""),
    });
    grids.weights.paint(weights, 0, allowed, shown(weights));
    const moved = old && movedOf(weights, old.weights, columns.length);
    if (old) paintOld(grids.weights.canvas, paletteOf(), columns.length, grids.weights.size(), weights, old.weights);
    grids.moved.show(moved);
    grids.leak.paint(leak, 0, allowed, { ...shown(leak), top: highest || 1, most: short(highest) });
    if (!waiting && found.next !== null) judge(rows, columns);

    kinds.show(kind);
    heads.show(model.get("head"));
    where.show(model.get("where"));
    const sized = SIZES[kind], n = sized && model.get(sized.trait);
    count.root.style.visibility = sized ? "visible" : "hidden";
    if (sized) {
      count.root.firstChild.textContent = sized.label;
      Object.assign(count.root.querySelector("input"), { min: sized.min, max: sized.max });
      count.show(n, sized.min < 0 && n > 0 ? `+${n}` : `${n}`.replace("-", "−"));
    }
    other.root.style.display = model.get("sides") === "cross" ? "" : "none";
    const own = kind !== "hand" && kept() ? " “hand” brings your own mask back." : "";
    hint.textContent = (kind === "causal" && n ? (n > 0 ? OFF.over : OFF.under) : KINDS[kind]) + own;
    const full = kind === "padding" && rows.length === words().length;
    note.textContent = model.get("message") || (full ? `${rows.length} tokens fill the lab: take a word away to see padding` : "");
    say(pointed);
  }

  // One line that says whether the mask holds; missions are judged by the same numbers.
  function judge(rows, columns) {
    const state = { ...found, where: model.get("where"), kind: model.get("kind"), rows, columns, old };
    const { text: line, bad, worst } = trained ? lossVerdict(state, model.get("vocabulary")) : leakVerdict(state);
    verdict.textContent = line;
    verdict.classList.toggle("bad", bad);
    if (!trained) missions.judge(model.get("sides") === "self" ? { n: rows.length, allowed: found.allowed, where: state.where, worst } : null);
  }

  // What the pointed cell means, in words, and how its number came about.
  let pointed = -1;
  function say(place) {
    pointed = place;
    const { rows, columns } = tokens(), row = Math.floor(place / columns.length), column = place % columns.length;
    if (trained && found.next) {
      next.show({
        tokens: rows, vocabulary: model.get("vocabulary"), now: found.next, row: place < 0 ? words().length - 1 : row,
        old: old?.next?.length === found.next.length ? old.next : null, waiting: model.get("asked") !== model.get("replied"),
      });
    }
    if (place < 0) {
      const how = touched() ? "Tap a cell to read it; tap it again to allow or forbid it; drag from there to paint."
        : "Point at a cell to read it; click to allow or forbid it. By keyboard: Tab, arrow keys, Space; R and C mask a row or a column.";
      readout.replaceChildren(element("span", "soft", how));
      path.show([]);
      return;
    }
    path.show(trained ? [] : pathOf(found, model.get("where"), columns, row, column));
    readout.replaceChildren(...sentenceOf(found, model.get("where"), rows, columns, row, column));
  }

  const names = ["allowed", "kind", "sides", "drawn", "where", "n_prefix", "window", "diagonal", "message", "answered"];
  listen(model, cleanups, ["done"], missions.show);
  listen(model, cleanups, ["head"], () => { [old, changed] = [null, true]; });
  listen(model, cleanups, ["answered"], steps.forget); // what was drawn on another text cannot come back
  const material = ["padded", "n_words", "other_words", "inputs", "other_inputs", "w_q", "w_k", "w_v", "head", "replied"];
  listen(model, cleanups, [...names, ...material], soon(paint));
  onTheme(cleanups, paint);
  paint();
  box.numbers = () => found; // for the browser's console
  return () => cleanups.forEach((undo) => undo());
}

export default viewOf(render);
