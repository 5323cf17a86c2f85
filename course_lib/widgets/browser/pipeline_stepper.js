// PipelineStepper: MatMul, Scale, Mask, Softmax, MatMul as one picture that moves: a slider goes through it, a button
// goes one step. Every number can be pointed at. All of it happens in the browser.

function render({ model, el }) {
  const cleanups = [];
  const box = viewBox(el, model.get("title"));
  box.classList.add("stepper");
  const queries = model.get("query_tokens"), keys = model.get("key_tokens");
  const [q, k, v] = ["q", "k", "v"].map((name) => matrixOf(model.get(name)));
  const T = q.rows, S = k.rows, rootName = `√${q.columns}`;
  let steps = null, pointed = null; // pointed: [row, column] of the result
  const words = stepperWords({ model, queries, keys, q, k, v, steps: () => steps });

  // The strip: a small picture of every step's result is the step selector; a slider under it goes between the steps.
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
  next.addEventListener("click", () => go(at < model.get("step") ? model.get("step") : model.get("step") + 1));
  const steer = element("span", "steer");
  steer.append(back, next);
  strip.root.append(steer);
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const scrub = slider({
    label: "through the steps", min: calm ? 1 : 0, max: NAMES.length, step: calm ? 1 : 0.05,
    onInput: (position) => moveTo(position), onRelease: () => model.tellSoon(),
  });
  scrub.root.classList.add("scrub");
  scrub.root.querySelector("input").setAttribute("aria-label", "through the steps");

  const first = { // what a page of an earlier course does not say is taken as it stands
    scale: model.get("start_scale") ?? model.get("scale"), mask: true, temperature: 1, allowed: model.get("start") ?? model.get("allowed"),
  };
  const state = stateBar({
    model, cleanups, names: ["scale", "mask", "temperature", "allowed"], code: words.code,
    start: () => first,
  });
  undoByKey(box, state);
  const set = (change, remember = true) => {
    if (remember) state.remember();
    model.set(change);
    model.tellSoon();
  };
  const scale = toggle({ label: `divide by ${rootName}`, onChange: (on) => set({ scale: on }) });
  const mask = toggle({ label: "mask", onChange: (on) => set({ mask: on }) });
  const temperature = temperatureSlider(model, () => state.remember(true), state.settle);
  const bar = element("div", "row");
  bar.append(scale.root, mask.root, temperature.root);
  const says = element("div", "hint"), formula = element("div", "formula"), stage = element("div", "pipeline");
  const legend = element("div", "row legend");
  const readout = element("div", "readout arithmetic");
  readout.setAttribute("aria-live", "polite");
  box.append(strip.root, scrub.root, bar, says, formula, stage, legend, readout, state.root);
  box.addEventListener("keydown", (event) => {
    const by = { PageUp: -1, PageDown: 1 }[event.key];
    if (by) { go(model.get("step") + by); event.preventDefault(); }
  });

  function go(step) {
    if (step < 1 || step > NAMES.length) return;
    if (step === model.get("step")) play(step);
    else set({ step }, false);
  }

  // ---- The stage ----
  const features = (n) => Array.from({ length: n }, (_, i) => `${i + 1}`);
  const gives = model.get("value_names")?.length ? model.get("value_names") : features(v.columns);
  const id = ownId("pipeline");
  const block = (name, caption, kind, rows, columns, rowKind, columnKind) =>
    [name, matrixBlock({ id: `${id}-${name}`, caption, kind, rows, columns, rowKind, columnKind })];
  const blocks = Object.fromEntries([
    block("q", "queries Q", "query", queries, features(q.columns), "query", "soft"),
    block("k", "keys, turned: Kᵀ", "key", features(q.columns), keys, "soft", "key"),
    block("scores", "raw scores", "score", queries, keys, "query", "key"),
    block("scaled", "scores", "score", queries, keys, "query", "key"),
    block("masked", "masked scores", "score", queries, keys, "query", "key"),
    block("weights", "weights", "weight", queries, keys, "query", "key"),
    block("v", "values V", "value", keys, gives, "key", "soft"),
    block("output", "outputs", "output", queries, gives, "query", "soft"),
  ]);
  const sizeOf = Object.fromEntries(Object.entries(blocks).map(([name, { nodes, columns }]) => [name, { rows: nodes.length / columns, columns }]));
  const sign = element("div", "sign");
  stage.append(...Object.values(blocks).map((each) => each.root), sign);
  const ghosts = ghostCells(stage);

  const longest = Math.max(...[...queries, ...keys].map((token) => [...labelOf(token)].length));
  let sizes = null, layout = null;
  onWidth(cleanups, stage, fit);
  function fit() {
    sizes = sizesFor(stage.clientWidth || 680, { S, K: q.columns, C: v.columns, longest });
    layout = layoutOf(sizes, sizeOf);
    stage.style.height = `${layout.height + 4}px`;
    stage.style.setProperty("--cell-width", `${sizes.cell}px`);
    stage.style.setProperty("--cell-height", `${sizes.line}px`);
    stage.classList.toggle("small", sizes.cell < 42);
    stage.classList.toggle("large", sizes.cell >= 52);
    const most = 15 * Math.max(S, q.columns) + 2 * longest + 24; // characters of the longest arithmetic
    readout.style.minHeight = `${1.45 * Math.max(2, Math.ceil((most * 7.4) / (stage.clientWidth || 680)))}em`;
    for (const each of Object.values(blocks)) each.size(sizes);
    written.clear();
    if (steps) show();
  }

  // What is written into a matrix.
  function look(name) {
    const { kind } = blocks[name], m = { q, k: kT, v, ...steps }[name];
    const toned = ["score", "weight", "output"].includes(kind);
    return { m, tone: toned ? tonesOf(m, kind, steps.most) : null, palette: paletteOf("weight-0", HIGH[kind]) };
  }
  const kT = transposed(k);
  const written = new Set(); // the matrices whose cells hold what they should
  function write(name) {
    if (written.has(name)) return;
    written.add(name);
    const { m, ...tones } = look(name);
    blocks[name].write(m, tones);
  }

  // The picture at a moment: `at` goes from 0 to 5; at whole numbers it stands still, a step is done.
  let at = model.get("step"), playing = null;
  const stepAt = () => Math.max(1, Math.ceil(at - 1e-9));
  function show() {
    const step = stepAt(), t = at - (step - 1), scene = SCENES[step - 1], here = layout.scenes[step - 1];
    const past = step > 1 ? layout.scenes[step - 2] : null;
    const move = past ? eased(t / MOVE) : 1, made = past ? clamp((t - MOVE) / (1 - MOVE)) : t;
    for (const [name, each] of Object.entries(blocks)) {
      const to = here.places[name], from = past?.places[name];
      if (name === scene.result) each.stand(to, made > 0 ? 1 : 0);
      else if (to && from) each.stand({ ...(move < 1 ? from : to), x: from.x + move * (to.x - from.x), y: from.y + move * (to.y - from.y) });
      else if (to) each.stand(to, move);
      else if (from && move < 1) each.stand(from, 1 - move);
      else each.hide();
      if (each.place && !(name === scene.result && made < 1 && scene.before)) write(name);
    }
    const result = blocks[scene.result];
    ghosts.clear();
    if (made < 1) {
      if (!result.flying || !steps.flown) Object.assign(result, { flying: true, turned: [] });
      steps.flown = true; // with these numbers
      result.label(made);
      if (scene.left) flyProduct(result, blocks[scene.left], blocks[scene.above], made, sizes, ghosts);
      else {
        const old = look(scene.before), now = look(scene.result);
        written.delete(scene.result);
        flyCells(result, blocks[scene.before], made, step === 4, (node, place, changed) => {
          if (result.turned[place] === changed) return;
          result.turned[place] = changed;
          const { m, tone, palette } = changed ? now : old;
          dress(node, m.data[place], tone(place), palette, sizes.numbers);
        });
      }
    } else result.rest();
    for (const each of Object.values(blocks)) if (each !== result) each.rest();
    showSign(here, step, move);
    stage.classList.toggle("moving", at !== step);
    scrub.show(at, `step ${step} of ${NAMES.length}: ${NAMES[step - 1]}`);
    if (at === step) point(pointed);
    else point(null);
  }
  function showSign({ sign: place }, step, opacity) {
    sign.style.visibility = place ? "visible" : "hidden";
    if (!place) return;
    const t = model.get("temperature");
    const words = { 2: model.get("scale") ? `÷ ${rootName}` : "=", 3: model.get("mask") ? "+ M" : "=", 4: t === 1 ? "softmax" : `÷ ${plain(t)}\nsoftmax` }[step];
    sign.textContent = sizes.stacked ? `${words.replace("\n", ", ")} ↓` : `${words}\n⟶`;
    Object.assign(sign.style, { left: `${place.x}px`, top: `${place.y}px`, width: `${place.width}px`, height: `${place.height}px`, opacity });
  }

  function play(step) {
    cancelAnimationFrame(playing);
    const from = at, began = performance.now();
    if (calm || document.hidden || Math.abs(step - from) > 1) { at = step; show(); return; }
    const frame = (time) => {
      const share = clamp((time - began) / (LASTS * Math.abs(step - from) || 1));
      at = share < 1 ? from + share * (step - from) : step;
      show();
      if (share < 1) playing = requestAnimationFrame(frame);
    };
    playing = requestAnimationFrame(frame);
  }
  cleanups.push(() => cancelAnimationFrame(playing));
  function moveTo(position) { // by the slider
    cancelAnimationFrame(playing);
    at = position;
    if (stepAt() !== model.get("step")) model.set({ step: stepAt() });
    else show();
  }

  // ---- Painting, pointing, masking ----
  let shown = 0; // the step whose result answers
  function paint() {
    steps = fiveSteps(model, q, k, v);
    written.clear();
    const step = model.get("step"), hadFocus = stage.contains(document.activeElement);
    if (shown !== step) {
      pointed = null;
      for (const [name, each] of Object.entries(blocks)) {
        const yes = name === SCENES[step - 1].result;
        each.answers(yes, yes ? `${each.caption}: arrow keys move and read out how each number was made`
          + (step === 3 ? ", Space forbids or allows" : "") + ", Page Up and Page Down change the step" : each.caption);
      }
      if (hadFocus) grid().focus();
    }
    shown = step;
    says.textContent = words.saying(step);
    formula.replaceChildren(...words.formula(step));
    legend.replaceChildren(...words.legend(step));
    strip.show(step);
    scale.show(model.get("scale"));
    mask.show(model.get("mask"));
    temperature.show();
    state.show();
    back.disabled = step === 1;
    next.disabled = step === NAMES.length;
    [steps.scores, steps.scaled, steps.masked, steps.weights, steps.output].forEach((m, i) => {
      const kind = i < 3 ? "score" : i === 3 ? "weight" : "output";
      paintThumbnail(pictures[i], paletteOf("weight-0", HIGH[kind]), {
        rows: m.rows, columns: m.columns, share: tonesOf(m, kind, steps.most),
        blocked: (place) => (i === 2 || i === 3) && steps.masked.data[place] === -Infinity,
      });
    });
    if (stepAt() !== step) play(step);
    else show();
  }
  const result = () => blocks[SCENES[model.get("step") - 1].result], grid = () => result().cells;

  const cellOf = (node) => {
    if (!node?.classList?.contains("result")) return null;
    const place = Number(node.dataset.place);
    return [Math.floor(place / result().columns), place % result().columns];
  };
  let finger = false, brush = null, dragged = false; // brush: what a drag sets
  stage.addEventListener("pointerdown", (event) => {
    const cell = cellOf(event.target), again = cell && `${cell}` === `${pointed}`;
    finger = event.pointerType === "touch";
    dragged = false;
    brush = cell && shown === 3 && (!finger || again) ? { cell, last: `${cell}`, on: 1 - steps.allowed[cell[0] * S + cell[1]] } : null;
  });
  function stroke(cell) {
    if (!brush || !cell || `${cell}` === brush.last) return;
    forbid(dragged ? [cell] : [brush.cell, cell], brush.on, !dragged);
    brush.last = `${cell}`;
    dragged = true;
  }
  stage.addEventListener("pointermove", (event) => {
    if (!finger || !brush) return;
    const cell = cellOf(stage.getRootNode().elementFromPoint(event.clientX, event.clientY));
    stroke(cell);
    if (cell) point(cell);
  });
  for (const end of ["pointerup", "pointercancel"]) stage.addEventListener(end, () => { brush = null; });
  stage.addEventListener("mouseover", (event) => {
    const cell = cellOf(event.target);
    if (!cell || finger) return;
    if (event.buttons === 1) stroke(cell);
    point(cell);
  });
  stage.addEventListener("click", (event) => {
    const cell = cellOf(event.target), again = !finger || `${cell}` === `${pointed}`;
    if (!cell || dragged) return;
    point(cell);
    if (again) flip();
  });
  stage.addEventListener("focusin", () => { if (!pointed && grid().matches(":focus-visible")) point([0, 0]); });
  stage.addEventListener("keydown", (event) => {
    const [row, column] = pointed ?? [0, 0], last = result().columns - 1;
    const move = {
      ArrowUp: [row - 1, column], ArrowDown: [row + 1, column], ArrowLeft: [row, column - 1], ArrowRight: [row, column + 1],
      Home: [row, 0], End: [row, last],
    }[event.key];
    if (at !== stepAt()) play(stepAt());
    if (event.key === "Escape") point(null);
    else if (event.key === " ") flip();
    else if (move) point([Math.max(0, Math.min(T - 1, move[0])), Math.max(0, Math.min(last, move[1]))]);
    else return;
    event.preventDefault();
  });
  function flip() {
    if (shown === 3 && pointed) forbid([pointed], 1 - steps.allowed[pointed[0] * S + pointed[1]]);
  }
  function forbid(cells, on, remember = true) {
    const allowed = steps.allowed;
    for (const [i, j] of cells) allowed[i * S + j] = on;
    set({ allowed: traitOf(allowed, [T, S]), mask: true }, remember);
  }

  // Point at a result: light what it was made from, and write the arithmetic out.
  function point(cell) {
    pointed = cell;
    stage.querySelectorAll(".on, .part").forEach((node) => node.classList.remove("on", "part"));
    grid().removeAttribute("aria-activedescendant");
    if (!cell) {
      readout.replaceChildren(element("span", "soft", touched() ? "Tap a number of the result to see how it was made."
        : "Point at a number of the result to see how it was made. By keyboard: Tab and arrow keys."));
      return;
    }
    const [i, j] = cell, node = result().nodes[i * result().columns + j], scene = SCENES[shown - 1];
    const part = (name, rule) => blocks[name]?.nodes.forEach((x, place) => {
      if (rule(Math.floor(place / blocks[name].columns), place % blocks[name].columns)) x.classList.add("part");
    });
    node.classList.add("on");
    grid().setAttribute("aria-activedescendant", node.id);
    part(scene.left, (row) => row === i);
    part(scene.above, (_, column) => column === j);
    part(scene.before, (row, column) => row === i && (column === j || shown === 4));
    readout.replaceChildren(...words.arithmetic(shown, i, j));
    node.setAttribute("aria-label", readout.textContent);
  }

  listen(model, cleanups, ["step", "scale", "mask", "temperature", "allowed"], soon(paint));
  onTheme(cleanups, paint);
  fit();
  paint();
  Object.assign(box, { numbers: () => steps, moment: () => at }); // for tests, and the browser's console
  return () => cleanups.forEach((undo) => undo());
}

const HIGH = { score: "signed", weight: "weight-1", output: "value" }; // the ramp of each kind of number

export default viewOf(render);
