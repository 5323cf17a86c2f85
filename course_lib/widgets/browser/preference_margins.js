// PreferenceMargins: rewards, margin and loss while DPO trains, and a dot for each named pair.
// What was measured before step n is drawn at n − 1 steps done. Every range only ever grows, so nothing jumps.

const HEIGHT = 250, LEFT = 52, TOP = 14, BOTTOM = 40, GAP = 16, LN_2 = Math.log(2);
const CURVES = ["chosen", "rejected", "margin"]; // columns 1 to 3 of a point; the loss is the fourth
const LOSS = 4;

function render({ model, el }) {
  const cleanups = [];
  const box = viewBox(el, model.get("title"));
  box.classList.add("margins");
  const total = model.get("total_steps"), beta = model.get("beta");
  const panels = element("div", "panels"), status = element("div", "readout");
  const charts = [chart(`reward (β = ${signedNumber(beta)})`, 118, -0.1, 0.1), chart("loss (nats a pair)", 16, 0, LN_2 * 1.15)];
  const [rewards, losses] = charts;
  const curves = CURVES.map((name) => [drawn("polyline", { class: `line ${name}` }), drawn("text", { class: `name-of ${name}` })]);
  for (const [line, name] of curves) rewards.front.append(line, name);
  const start = drawn("line", { class: "baseline" }), startText = drawn("text", { class: "baseline-name", "text-anchor": "end" }, `ln 2 = ${LN_2.toFixed(3)}: nothing learned`);
  const first = drawn("circle", { class: "dot", r: 4 }), loss = drawn("polyline", { class: "line loss" });
  losses.front.append(start, startText, loss, first);
  panels.append(...charts.map(({ root }) => root));
  const strip = element("div", "strip-of");
  box.append(panels, status, strip);

  function chart(name, right, low, high) {
    const root = element("div", "panel"), svg = drawn("svg", { width: "100%", height: HEIGHT, role: "img", tabindex: 0 }), rulers = drawn("g"), front = drawn("g");
    root.append(element("div", "soft", name), svg);
    svg.append(rulers, front);
    return { root, svg, rulers, front, name, right, low, high, width: 400 };
  }
  const across = (of, step) => LEFT + ((of.width - LEFT - of.right) * step) / total;
  const up = (of, value) => HEIGHT - BOTTOM - ((HEIGHT - TOP - BOTTOM) * (value - of.low)) / (of.high - of.low);
  const line = (of, points, column) => points.map((point) => `${across(of, point[0] - 1).toFixed(1)},${up(of, point[column]).toFixed(1)}`).join(" ");
  function frame(of) {
    of.svg.setAttribute("viewBox", `0 0 ${of.width} ${HEIGHT}`);
    of.rulers.replaceChildren();
    for (const value of marksBetween(of.low, of.high, 5)) {
      const y = up(of, value);
      of.rulers.append(drawn("line", { class: value ? "ruler" : "ruler zero", x1: LEFT, x2: of.width - of.right, y1: y, y2: y }));
      of.rulers.append(drawn("text", { x: LEFT - 8, y: y + 4, "text-anchor": "end" }, signedNumber(value)));
    }
    for (const step of ticks(total, Math.max(2, Math.min(5, of.width / 110)))) {
      of.rulers.append(drawn("text", { x: across(of, step), y: HEIGHT - BOTTOM + 18, "text-anchor": "middle" }, `${step}`));
    }
    of.rulers.append(drawn("text", { x: (LEFT + of.width - of.right) / 2, y: HEIGHT - 4, "text-anchor": "middle" }, "steps done"));
  }
  function paint() {
    const points = model.get("points"), state = model.get("state"), last = points.at(-1);
    for (const point of points) {
      for (const value of point.slice(1, LOSS)) {
        if (value > rewards.high) rewards.high = value * 1.08;
        if (value < rewards.low) rewards.low = value * 1.08;
      }
      if (point[LOSS] > losses.high) losses.high = point[LOSS] * 1.05;
    }
    charts.forEach(frame);
    curves.forEach(([curve], i) => curve.setAttribute("points", line(rewards, points, i + 1)));
    loss.setAttribute("points", line(losses, points, LOSS));
    const y = up(losses, LN_2);
    for (const [name, value] of [["x1", LEFT], ["x2", losses.width - losses.right], ["y1", y], ["y2", y]]) start.setAttribute(name, value);
    startText.setAttribute("x", losses.width - losses.right);
    startText.setAttribute("y", y - 6);
    first.setAttribute("cx", across(losses, 0));
    first.setAttribute("cy", points.length ? up(losses, points[0][LOSS]) : y);
    nameEnds(last);
    const text = standing(state, last?.[0] ?? 0, total), note = model.get("note");
    const sure = last ? 100 / (1 + Math.exp(-last[3])) : 50;
    status.textContent = text + (last ? ` · loss ${last[LOSS].toFixed(3)} · mean margin ${signed(last[3])}: of a pair with this margin the chosen answer is preferred with a probability of ${sure.toFixed(0)} %` : "") + (note ? ` · ${note}` : "");
    const said = last ? CURVES.map((name, i) => `${name} ${signed(last[i + 1])}`).join(", ") : text;
    rewards.svg.setAttribute("aria-label", `${model.get("title")}: rewards: ${said}`);
    losses.svg.setAttribute("aria-label", `${model.get("title")}: loss ${last ? `from ${points[0][LOSS].toFixed(3)} to ${last[LOSS].toFixed(3)}` : text}; ln 2 is ${LN_2.toFixed(3)}`);
    // a screen reader hears the end, not ten numbers a second
    status.setAttribute("aria-live", state === "training" ? "off" : "polite");
  }
  function nameEnds(last) {
    if (!last) return curves.forEach(([, name]) => { name.textContent = ""; });
    const order = curves.map(([, node], i) => ({ node, name: CURVES[i], value: last[i + 1] })).sort((a, b) => b.value - a.value);
    const places = apart(order.map(({ value }) => up(rewards, value) + 4), GAP);
    order.forEach(({ node, name, value }, i) => {
      node.textContent = `${name} ${signed(value)}`;
      node.setAttribute("x", across(rewards, last[0] - 1) + 6);
      node.setAttribute("y", Math.max(TOP, places[i]));
    });
  }

  // ---- A dot for each named pair; the scale grows in large steps, so that a dot is seen moving within one ----
  const further = (now) => (`${now}`.startsWith("2") ? 2.5 : 2) * now; // 1, 2, 5, 10, …
  let rows = [], labels = "", reach = 1, ends = [];
  function paintPairs() {
    const pairs = model.get("pairs"), now = JSON.stringify(pairs.map(([label]) => label));
    strip.hidden = !pairs.length;
    if (now !== labels) {
      labels = now;
      const legend = element("div", "pair ends");
      ends = [element("span", "soft left"), element("span", "soft right")];
      legend.append(element("span", "soft label-of", "margin of each pair"), ...ends);
      rows = pairs.map(([label]) => {
        const root = element("div", "pair"), track = element("span", "track"), was = element("span", "was"), trail = element("span", "trail"), dot = element("span", "now"), number = element("span", "number"), name = element("span", "label-of", label);
        track.append(element("span", "middle"), trail, was, dot);
        name.title = label;
        root.append(name, track, number);
        return { root, was, trail, dot, number };
      });
      strip.replaceChildren(legend, ...rows.map(({ root }) => root));
    }
    for (const [, from, to] of pairs) while (Math.max(Math.abs(from), Math.abs(to)) > 0.97 * reach) reach = further(reach);
    ends.forEach((node, i) => { node.textContent = i ? `+${reach} chosen →` : `← rejected −${reach}`; });
    pairs.forEach(([, from, to], i) => {
      const [a, b] = [from, to].map((margin) => 50 + (50 * margin) / reach), { was, trail, dot, number } = rows[i];
      was.style.left = `${a}%`;
      dot.style.left = `${b}%`;
      trail.style.left = `${Math.min(a, b)}%`;
      trail.style.width = `${Math.abs(b - a)}%`;
      number.textContent = signed(to);
    });
  }

  // Drawn as wide as the window lets it be: its words keep their size.
  const sizes = new ResizeObserver(() => {
    let changed = false;
    for (const one of charts) {
      const now = Math.max(200, one.svg.getBoundingClientRect().width);
      if (now !== one.width) { one.width = now; changed = true; }
    }
    if (changed) paint();
  });
  for (const { svg } of charts) sizes.observe(svg);
  cleanups.push(() => sizes.disconnect());
  listen(model, cleanups, ["points", "state", "note"], paint);
  listen(model, cleanups, ["pairs"], paintPairs);
  paint();
  paintPairs();
  return () => cleanups.forEach((undo) => undo());
}

export default viewOf(render);
