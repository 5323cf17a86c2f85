// ScheduleExplorer: the learning rate at each step of a run, under two schedules with the same peak.

const HEIGHT = 280, LEFT = 52, RIGHT = 20, TOP = 24, BOTTOM = 42;
const AHEAD = 1e-3; // as in viz/rates.py

// ---- The two schedules (viz/rates.py computes the same) -----------------------------------------------------
const peakRate = ({ d_model, warmup }) => (d_model * warmup) ** -0.5;
const paperRate = (step, { d_model, warmup }) => d_model ** -0.5 * Math.min(step ** -0.5, step * warmup ** -1.5);
function cosineRate(step, run) {
  const last = Math.max(1, run.steps - 1), progress = (step - 1) / last, share = (run.warmup - 1) / last;
  if (progress < share) return (peakRate(run) * (progress + AHEAD)) / (share + AHEAD);
  const along = Math.min(1, (progress - share) / Math.max(1 - share, 1e-9));
  return (peakRate(run) * (1 + Math.cos(Math.PI * along))) / 2;
}
const LINES = [["paper", "the paper’s schedule", paperRate], ["cosine", "warm-up, then cosine", cosineRate]];

// ---- Numbers as words: none that is not 0 is written as 0 --------------------------------------------------
const rateText = (rate) => (rate === 0 ? "0" : rate.toExponential(1));
const withCommas = (n) => Math.round(n).toString().replace(/\B(?=(\d{3})+$)/g, ",");
function countText(count) {
  for (const [size, word] of [[1e12, "trillion"], [1e9, "billion"], [1e6, "million"]]) {
    if (count >= size) return `${Number((count / size).toPrecision(3))} ${word}`;
  }
  return withCommas(count);
}
const digits = (x) => (x === 0 ? "0" : x < 1e-6 ? rateText(x) : x.toFixed(Math.max(0, 1 - Math.floor(Math.log10(x)))));
const percentText = (share) => `${digits(100 * share)} %`;

// Round numbers from `low` to `high`, for sliders whose steps grow with the number.
function roundNumbers(low, high) {
  const all = [];
  for (let power = 1; power <= high; power *= 10) all.push(...[1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8].map((m) => m * power));
  return all.filter((n) => n >= low && n <= high && Number.isInteger(n));
}
const SIZES = {
  d_model: [64, 128, 256, 512, 1024, 2048, 4096], warmup: roundNumbers(10, 100_000), steps: roundNumbers(1000, 1_000_000),
};
function nearest(list, value) {
  const distance = (n) => Math.abs(Math.log(n / value));
  return list.reduce((best, n, i) => (distance(n) < distance(list[best]) ? i : best), 0);
}

function render({ model, el }) {
  const cleanups = [];
  const box = viewBox(el, model.get("title"));
  box.classList.add("schedule");
  const first = model.get("start"), batchTokens = model.get("batch_tokens");
  const run = () => ({ d_model: model.get("d_model"), warmup: model.get("warmup"), steps: model.get("steps") });

  // ---- Controls ----
  const state = stateBar({ model, cleanups, names: ["d_model", "warmup", "steps", "log"], code, start: () => first });
  undoByKey(box, state);
  const sliders = [["d_model", "d_model"], ["warmup", "warm-up steps"], ["steps", "steps of the run"]].map(([name, label]) => {
    const list = SIZES[name];
    const control = slider({
      label, min: 0, max: list.length - 1,
      onInput: (position) => { state.remember(true); model.set(name, list[position]); },
      onRelease: () => { state.settle(); model.tellSoon(); },
    });
    return { root: control.root, show: () => control.show(nearest(list, model.get(name)), withCommas(model.get(name))) };
  });
  const axis = choice({
    label: "axis", options: [[false, "steps"], [true, "log-steps"]],
    onChoose: (log) => { state.remember(); model.set("log", log); model.tellSoon(); },
  });
  const controls = element("div", "row sliders");
  controls.append(...sliders.map((each) => each.root), axis.root);

  // ---- The picture, and what is read from it ----
  const legend = element("div", "row legend");
  for (const [name, text] of [...LINES, ["before", "the paper’s, as it was at the start"]]) {
    const item = element("span", `row of-${name}`), sample = drawn("svg", { width: 34, height: 10, "aria-hidden": "true" });
    sample.append(drawn("line", { class: `line ${name}`, x1: 1, x2: 33, y1: 5, y2: 5 }));
    item.append(sample, element("span", "", text));
    legend.append(item);
  }
  const svg = drawn("svg", { class: "chart", width: "100%", height: HEIGHT, role: "slider", tabindex: 0, "aria-valuemin": 1 });
  svg.setAttribute("aria-label", "step that is read: left and right arrow keys move, Home and End go to the ends");
  const back = drawn("g"), lines = Object.fromEntries(["before", ...LINES.map(([name]) => name)].map((name) =>
    [name, drawn("polyline", { class: `line ${name}` })]));
  const front = drawn("g");
  svg.append(back, ...Object.values(lines), front);
  const readout = element("div", "readout"), facts = element("table", "facts"), rows = {};
  for (const name of ["peak", "from d_model", "from a rate", "warm-up", "run", "last step"]) {
    const row = element("tr"), head = element("th", "", name);
    head.scope = "row";
    rows[name] = element("td");
    row.append(head, rows[name]);
    facts.append(row);
  }
  rows.peak.setAttribute("role", "status");
  const picture = element("div"), both = element("div", "both");
  picture.append(legend, svg, readout);
  both.append(picture, facts);
  box.append(controls, both, state.root);

  let width = 700, looked = null; // looked: the step under the pointer
  onWidth(cleanups, picture, (now) => { width = now; paint(); });
  const steps = () => model.get("steps");
  const at = () => Math.min(steps(), looked ?? model.get("step"));
  const span = () => width - LEFT - RIGHT;
  function shareOf(step) {
    return model.get("log") ? Math.log(step) / Math.log(Math.max(2, steps())) : (step - 1) / Math.max(1, steps() - 1);
  }
  function stepAt(share) {
    const inside = Math.max(0, Math.min(1, share));
    return Math.round(model.get("log") ? Math.max(2, steps()) ** inside : 1 + inside * (steps() - 1));
  }

  function paint() {
    const now = run(), log = model.get("log"), peak = peakRate(now), reached = now.warmup <= now.steps;
    sliders.forEach((each) => each.show());
    axis.show(log);
    state.show();

    // the peak of the start keeps its place on the axis, so that a lower one is seen to be lower
    const most = Math.max(peak, peakRate(first)), power = 10 ** Math.floor(Math.log10(most));
    const top = [1.25, 2, 3, 4, 5, 8, 10, 12.5].map((m) => m * power).find((each) => each >= most * 1.05);
    const x = (step) => LEFT + span() * shareOf(step);
    const y = (rate) => HEIGHT - BOTTOM - ((HEIGHT - TOP - BOTTOM) * rate) / top;
    svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    back.replaceChildren();
    for (const rate of ticks(top, 4)) {
      back.append(drawn("line", { class: "ruler", x1: LEFT, x2: width - RIGHT, y1: y(rate), y2: y(rate) }));
      back.append(drawn("text", { x: LEFT - 7, y: y(rate) + 4, "text-anchor": "end" }, rateText(rate)));
    }
    const marks = log ? Array.from({ length: 8 }, (_, i) => 10 ** i).filter((step) => step <= now.steps)
      : ticks(now.steps, Math.max(2, Math.min(5, span() / 110)));
    for (const step of marks) {
      const place = { x: x(Math.max(1, step)), y: HEIGHT - BOTTOM + 19 };
      const anchor = place.x > width - RIGHT - 24 ? "end" : "middle";
      back.append(drawn("text", { ...place, "text-anchor": anchor }, withCommas(step)));
    }
    back.append(drawn("text", { x: LEFT + span() / 2, y: HEIGHT - 4, "text-anchor": "middle" }, log ? "step, logarithmic" : "step"));
    if (reached) back.append(drawn("line", { class: "warm", x1: x(now.warmup), x2: x(now.warmup), y1: y(0), y2: y(peak) }));

    const places = [...Array.from({ length: Math.ceil(span()) + 1 }, (_, i) => i / span()).map((share) =>
      (log ? Math.max(2, now.steps) ** share : 1 + share * (now.steps - 1))), now.warmup, first.warmup]
      .filter((step) => step <= now.steps).sort((a, b) => a - b);
    const drawLine = (line, rate) => line.setAttribute("points", places.map((step) => `${x(step).toFixed(1)},${y(rate(step)).toFixed(1)}`).join(" "));
    for (const [name, , rate] of LINES) drawLine(lines[name], (step) => rate(step, now));
    const changed = now.d_model !== first.d_model || now.warmup !== first.warmup;
    drawLine(lines.before, (step) => paperRate(step, first));
    lines.before.style.visibility = changed ? "visible" : "hidden";
    legend.querySelector(".of-before").style.visibility = lines.before.style.visibility;

    const ofPeak = (rate) => (rate === 0 ? "" : ` = ${digits(rate / peak)} of the peak`);
    const line = (...parts) => { const node = element("div"); node.append(...parts); return node; };
    const code = (text) => element("code", "", text), number = (text) => element("span", "number", text);
    rows.peak.replaceChildren(reached ? line(number(rateText(peak)), ` at step ${withCommas(now.warmup)}, in both schedules`)
      : line(number(rateText(peak)), ` is not reached: the run ends during the warm-up, at ${rateText(paperRate(now.steps, now))}`));
    rows["from d_model"].replaceChildren(line(code("d_model^−0.5 · warmup^−0.5")), line(`= ${now.d_model}^−0.5 · ${now.warmup}^−0.5`));
    rows["from a rate"].replaceChildren(line(code("init_rate · warmup^0.5 · min(step^−0.5, step · warmup^−1.5)")),
      line("the same curve, with init_rate = ", number(rateText(peak))));
    rows["warm-up"].replaceChildren(
      line(number(`${withCommas(now.warmup)} steps`), ` = ${countText(now.warmup * batchTokens)} tokens`),
      line(number(percentText(now.warmup / now.steps)), " of the run"));
    rows.run.replaceChildren(line(`${withCommas(now.steps)} steps = ${countText(now.steps * batchTokens)} tokens`),
      line(`${withCommas(batchTokens)} tokens in a step`));
    rows["last step"].replaceChildren(...LINES.map(([name, , rate]) => line(
      { paper: "the paper’s ", cosine: "cosine " }[name], number(rateText(rate(now.steps, now))), ofPeak(rate(now.steps, now)))));
    read(x, y, ofPeak);
  }

  // The step that is pointed at, or was chosen.
  function read(x, y, ofPeak) {
    const now = run(), step = at();
    front.replaceChildren(drawn("line", { class: "reading", x1: x(step), x2: x(step), y1: TOP - 8, y2: y(0) }));
    for (const [name, , rate] of LINES) front.append(drawn("circle", { class: `point ${name}`, r: 5, cx: x(step), cy: y(rate(step, now)) }));
    const right = x(step) > width / 2;
    front.append(drawn("text", { class: "now", x: x(step) + (right ? -6 : 6), y: 12, "text-anchor": right ? "end" : "start" }, `step ${withCommas(step)}`));
    const rising = step < now.warmup, equal = step === now.warmup;
    const words = [
      [`At step ${withCommas(step)} of ${withCommas(now.steps)}: `, `${percentText(step / now.steps)} of the run, ${countText(step * batchTokens)} tokens read.`],
      ["The paper’s rate: ", element("span", "number", rateText(paperRate(step, now))), `${ofPeak(paperRate(step, now))}. `,
        equal ? "The two parts of the min are equal: the peak." : rising ? "step · warmup^−1.5 is the smaller part: it rises." : "step^−0.5 is the smaller part: it falls."],
      ["With the cosine: ", element("span", "number", rateText(cosineRate(step, now))), `${ofPeak(cosineRate(step, now))}.`],
    ];
    readout.replaceChildren(...words.map((parts) => { const node = element("div"); node.append(...parts); return node; }));
    svg.setAttribute("aria-valuemax", now.steps);
    svg.setAttribute("aria-valuenow", step);
    svg.setAttribute("aria-valuetext", readout.textContent.replaceAll(".W", ". W").replaceAll(".T", ". T"));
  }

  // ---- Mouse, finger, keys ----
  const under = (event) => stepAt((event.clientX - svg.getBoundingClientRect().left - LEFT) / span());
  const pin = (step) => {
    looked = null;
    model.set("step", Math.max(1, Math.min(steps(), step)));
    model.tellSoon();
  };
  svg.addEventListener("pointermove", (event) => {
    if (event.pointerType === "touch") pin(under(event));
    else { looked = under(event); paint(); }
  });
  svg.addEventListener("pointerdown", (event) => pin(under(event)));
  svg.addEventListener("pointerleave", () => { looked = null; paint(); });
  svg.addEventListener("keydown", (event) => {
    const by = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 10, PageDown: -10 }[event.key];
    if (event.key === "Home") pin(1);
    else if (event.key === "End") pin(steps());
    else if (by) { // a hundredth of the axis, and at least one step
      const here = at(), there = stepAt(shareOf(here) + by / 100);
      pin(there === here ? here + Math.sign(by) : there);
    } else return;
    event.preventDefault();
  });

  function code() {
    const { d_model, warmup, steps: all } = run(), fits = warmup <= all;
    const cosine = fits ? "\ncosine = WarmupThenCosine((warmup - 1) / (steps - 1))" : "\n# no cosine: the warm-up is longer than the run";
    return `from course_lib.training.optim import PaperSchedule${fits ? ", WarmupThenCosine" : ""}

d_model, warmup, steps = ${d_model}, ${warmup}, ${all}
paper = PaperSchedule(warmup, steps)${cosine}
peak = paper.peak(d_model)  # ${rateText(peakRate(run()))}
for step in (1, ${fits ? "warmup" : "steps // 2"}, steps):
    progress = (step - 1) / (steps - 1)
    print(f"step {step:,}: {peak * paper(progress):.1e}"${fits ? ', f"with the cosine {peak * cosine(progress):.1e}"' : ""})
`;
  }

  listen(model, cleanups, ["d_model", "warmup", "steps", "log", "step"], soon(paint));
  paint();
  box.numbers = (step) => LINES.map(([, , rate]) => rate(step, run())); // for tests, and the browser's console
  return () => cleanups.forEach((undo) => undo());
}

export default viewOf(render);
