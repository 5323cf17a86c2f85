// AlignmentMovie: a slider over the frames of training, and a play button. Everything happens in the browser.

const MILLISECONDS_A_FRAME = 180;

function render({ model, el }) {
  const cleanups = [];
  const box = viewBox(el, model.get("title"));
  const source = model.get("source"), target = model.get("target"), steps = model.get("steps");
  const frames = floats(model.get("frames")), rates = model.get("error_rates");
  const size = source.length * target.length, last = steps.length - 1;

  const bar = element("div", "row");
  const button = element("button", "", "▶ Play");
  const slider = element("input");
  Object.assign(slider, { type: "range", min: 0, max: last, step: 1 });
  slider.setAttribute("aria-label", "training step");
  const step = element("span", "step");
  step.setAttribute("aria-live", "polite");
  bar.append(button, slider, step);
  const spark = rates.length > 1 ? sparkline(rates) : null;
  if (spark) bar.append(spark.root);
  box.append(bar);

  const grid = weightGrid({
    rows: target, columns: source, rowName: "target: query (row)", columnName: "source: key (column)",
    rowWord: "writing", columnWord: "", links: model.get("links"), room: 400, cleanups, fits: true,
    onPin: (cell) => { model.set("selected", cell); model.tell(); },
  });
  box.append(grid.root);
  if (model.get("links").length) box.append(element("div", "soft", "Gold outline: the known link"));

  function paint() {
    const f = Math.max(0, Math.min(last, model.get("frame")));
    grid.paint(frames, f * size);
    slider.value = f;
    slider.setAttribute("aria-valuetext", `step ${steps[f]}`);
    step.textContent = `step ${steps[f]} of ${steps[last]}` + (rates.length ? ` · error rate ${rates[f].toFixed(2)}` : "");
    if (spark) spark.mark(f);
  }
  const go = (frame) => model.set("frame", frame);

  let timer = null;
  function stop() {
    clearInterval(timer);
    timer = null;
    button.textContent = "▶ Play";
    model.tell();
  }
  function play() {
    if (timer !== null) return stop();
    if (model.get("frame") >= last) go(0);
    button.textContent = "⏸ Pause";
    timer = setInterval(() => {
      go(Math.min(last, model.get("frame") + 1));
      if (model.get("frame") >= last) stop();
    }, MILLISECONDS_A_FRAME);
  }
  button.addEventListener("click", play);
  slider.addEventListener("input", () => { if (timer !== null) stop(); go(Number(slider.value)); });
  slider.addEventListener("change", () => model.tell());
  box.addEventListener("keydown", (event) => {
    if (event.key === " " && event.target !== button) { event.preventDefault(); play(); }
  });

  listen(model, cleanups, ["frame"], paint);
  onTheme(cleanups, paint);
  listen(model, cleanups, ["selected"], () => grid.show(model.get("selected")));
  paint();
  grid.show(model.get("selected"));
  return () => { clearInterval(timer); cleanups.forEach((undo) => undo()); };
}

// A small curve of the error rate, with a dot at the frame that is shown.
function sparkline(rates) {
  const root = drawn("svg", { class: "spark", viewBox: "0 0 120 30", "aria-hidden": "true" });
  const top = Math.max(...rates, 0.01);
  const point = (f) => [5 + (110 * f) / (rates.length - 1), 25 - (20 * rates[f]) / top];
  const line = drawn("polyline", { class: "curve", points: rates.map((_, f) => point(f).join(",")).join(" ") });
  const dot = drawn("circle", { class: "dot", r: 4.5 });
  root.append(line, dot);
  return { root, mark: (f) => { const [x, y] = point(f); dot.setAttribute("cx", x); dot.setAttribute("cy", y); } };
}

export default viewOf(render);
