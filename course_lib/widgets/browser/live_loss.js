// LiveLoss: the curve grows while Python trains. The y axis only ever grows, so the curve does not jump.

const HEIGHT = 250, LEFT = 52, RIGHT = 16, TOP = 12, BOTTOM = 40, LABEL_GAP = 16;

function render({ model, el }) {
  const cleanups = [];
  const box = viewBox(el, model.get("title"));
  const total = model.get("total_steps"), floor = model.get("floor");
  const few = (loss) => Number(loss.toPrecision(3));
  const baselines = [...(model.get("baselines") ?? [])].sort(([, a], [, b]) => b - a); // the highest first
  let top = Math.max(floor === null ? 0.1 : floor * 1.2, ...baselines.map(([, loss]) => loss * 1.05)), width = 700, right = RIGHT;

  const svg = drawn("svg", { width: "100%", height: HEIGHT, role: "img", tabindex: 0 });
  const rulers = drawn("g"), curve = drawn("polyline", { class: "curve" });
  const floorLine = drawn("line", { class: "floor", x1: LEFT });
  const floorText = drawn("text", { x: LEFT + 6 });
  svg.append(rulers);
  if (floor !== null) svg.append(floorLine, floorText);
  const lines = baselines.map(() => drawn("line", { class: "baseline", x1: LEFT }));
  const names = baselines.map(([name, loss]) => drawn("text", { class: "baseline-name" }, labelOf(name) + ` ${few(loss)}`));
  svg.append(...lines, ...names, curve);
  const status = element("div", "readout");
  box.append(svg, status);

  // Drawn as wide as the window lets it be: its words keep their size.
  let measured = !baselines.length; // names have a length only where they are seen
  const sizes = new ResizeObserver(() => {
    const now = Math.max(220, svg.getBoundingClientRect().width);
    if (now !== width || !measured) { width = now; measured = true; paint(); }
  });
  sizes.observe(svg);
  cleanups.push(() => sizes.disconnect());

  const x = (step) => LEFT + ((width - LEFT - right) * step) / total;
  const y = (loss) => HEIGHT - BOTTOM - ((HEIGHT - TOP - BOTTOM) * loss) / top;

  // Names stand at the right ends, outside of the picture: it ends where the longest one needs room.
  function nameLines() {
    if (!names.length) return;
    right = Math.min(width / 2, 12 + Math.max(...names.map((node) => node.getComputedTextLength())));
    const places = apart(baselines.map(([, loss]) => y(loss) + 4), LABEL_GAP);
    lines.forEach((line, i) => {
      const height = y(baselines[i][1]);
      for (const [name, value] of [["x2", width - right], ["y1", height], ["y2", height]]) line.setAttribute(name, value);
      names[i].setAttribute("x", width - right + 6);
      names[i].setAttribute("y", places[i]);
    });
  }
  function paint() {
    const points = model.get("points"), state = model.get("state");
    for (const [, loss] of points) if (loss > top) top = loss * 1.05;
    svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    nameLines();
    rulers.replaceChildren();
    for (const loss of ticks(top, 4)) {
      rulers.append(drawn("line", { class: "ruler", x1: LEFT, x2: width - right, y1: y(loss), y2: y(loss) }));
      rulers.append(drawn("text", { x: LEFT - 8, y: y(loss) + 4, "text-anchor": "end" }, `${loss}`));
    }
    for (const step of ticks(total, Math.max(2, Math.min(6, width / 100)))) {
      rulers.append(drawn("text", { x: x(step), y: HEIGHT - BOTTOM + 18, "text-anchor": "middle" }, `${step}`));
    }
    rulers.append(drawn("text", { x: (LEFT + width - right) / 2, y: HEIGHT - 4, "text-anchor": "middle" }, "step"));
    if (floor !== null) {
      floorLine.setAttribute("x2", width - right);
      floorLine.setAttribute("y1", y(floor));
      floorLine.setAttribute("y2", y(floor));
      floorText.setAttribute("y", y(floor) + 16);
      floorText.textContent = `the lowest possible: ${few(floor)}`;
    }
    curve.setAttribute("points", points.map(([step, loss]) => `${x(step).toFixed(1)},${y(Math.max(0, loss)).toFixed(1)}`).join(" "));

    const [step, loss] = points.length ? points[points.length - 1] : [0, null];
    const text = standing(state, step, total);
    status.textContent = text + (loss === null ? "" : ` · loss ${loss.toFixed(3)}`) + (model.get("note") ? ` · ${model.get("note")}` : "");
    const beside = baselines.map(([name, loss]) => ` · ${name} ${few(loss)}`).join("");
    svg.setAttribute("aria-label", `${model.get("title")}: ${status.textContent}${beside}`);
    // a screen reader hears the end, not ten numbers a second
    status.setAttribute("aria-live", state === "training" ? "off" : "polite");
  }
  listen(model, cleanups, ["points", "state", "note"], paint);
  paint();
  return () => cleanups.forEach((undo) => undo());
}

export default viewOf(render);
