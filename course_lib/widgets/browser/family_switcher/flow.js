// The flow of FamilySwitcher: below what is read, above what comes out; a line wherever one may look. In a family of
// two stacks the decoder looks at what comes out of the encoder, so these lines go over the top.

const FLOW_HEIGHT = 214, READ_AT = 184, OUT_AT = 76, NAMES_WIDE = 74;

function flowPicture({ cleanups, onPick }) {
  const root = element("div", "flow"), svg = drawn("svg", { height: FLOW_HEIGHT, width: "100%", "aria-hidden": "true" });
  root.append(svg);
  let width = 500, last = null;

  function paint(scene, family, cross, place) {
    last = [scene, family, cross, place];
    const now = scene.families[family], n = scene.tokens.length, split = scene.n_input, apart = cross ? 26 : 0;
    const step = (width - NAMES_WIDE - apart - 6) / n, x = (i) => NAMES_WIDE + step * (i + 0.5) + (i >= split ? apart : 0), radius = Math.max(3, Math.min(7, step / 2 - 1.5));
    const read = now.reads.map((word) => word !== null), behind = drawn("g"), front = drawn("g"), nodes = drawn("g");
    svg.setAttribute("viewBox", `0 0 ${width} ${FLOW_HEIGHT}`);
    const through = (i, j) => cross && i >= split && j < split;
    const line = (i, j) => (through(i, j)
      ? `M${x(j)} ${OUT_AT - radius}C${x(j)} ${OUT_AT - 74} ${x(i)} ${OUT_AT - 74} ${x(i)} ${OUT_AT - radius}`
      : `M${x(j)} ${READ_AT - radius}L${x(i)} ${OUT_AT + radius}`);
    for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) {
      if (!read[i] || !read[j] || now.open[i][j] !== "1") continue;
      const on = i === place;
      (on ? front : behind).append(drawn("path", { class: `way${on ? " on" : ""}${through(i, j) ? " through" : ""}`, d: line(i, j) }));
    }
    const sees = (j) => read[place] && read[j] && now.open[place][j] === "1";
    const dot = (i, y, kind) => { const node = drawn("circle", { class: kind, cx: x(i), cy: y, r: radius }); node.dataset.place = i; nodes.append(node); };
    for (let i = 0; i < n; i++) {
      if (!read[i]) continue;
      const passes = cross && i < split && place >= split && read[place];
      dot(i, READ_AT, sees(i) && !passes ? "node seen" : "node");
      dot(i, OUT_AT, i === place ? "node query" : passes ? "node seen" : "node");
    }
    const ends = (from, to) => [x(from) - step / 2, x(to) - x(from) + step], stacks = drawn("g"), end = read.lastIndexOf(true);
    const stack = (from, to, name) => {
      const [left, wide] = ends(from, to);
      stacks.append(drawn("rect", { class: "stack", x: left - 2, y: OUT_AT - 13, width: wide + 4, height: READ_AT - OUT_AT + 26, rx: 8 }));
      if (name) stacks.append(drawn("text", { x: left, y: FLOW_HEIGHT - 0.5, "text-anchor": "start" }, name));
    };
    if (cross) { stack(0, split - 1, "encoder"); stack(split, end, "decoder"); } else stack(0, end, "one stack");
    const names = drawn("g");
    for (const [y, text] of [[OUT_AT, "comes out"], [READ_AT, "is read"]]) names.append(drawn("text", { x: 0, y: y + 4 }, text));
    if (cross) names.append(drawn("text", { x: x(split) - apart / 2 - step / 2, y: 11, "text-anchor": "middle" }, "cross-attention"));
    svg.replaceChildren(stacks, behind, front, nodes, names);
  }
  svg.addEventListener("click", (event) => { const { place } = event.target.dataset ?? {}; if (place !== undefined) onPick(Number(place)); });
  onWidth(cleanups, root, (now) => { width = now; if (last) paint(...last); });
  return { root, paint };
}
