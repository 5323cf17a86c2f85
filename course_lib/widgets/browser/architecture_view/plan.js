// The drawing of ArchitectureView: boxes are buttons over lines. The plan comes from viz/diagrams/blueprint.py.

const HEAD = 7, MARGIN = 4; // length of an arrow's head; room above the topmost line

// A small picture of a mask: queries down, keys across. Forbidden cells are hatched.
function maskPicture(mask, n, prefix, cell) {
  const size = n * cell, id = ownId("hatch"), svg = drawn("svg", { width: size, height: size, viewBox: `0 0 ${size} ${size}`, class: "mask" });
  const pattern = drawn("pattern", { id, width: 4, height: 4, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" });
  pattern.append(drawn("rect", { width: 4, height: 4, class: "ground" }), drawn("rect", { width: 1.2, height: 4, class: "line" }));
  svg.append(pattern);
  for (let query = 0; query < n; query++) {
    for (let key = 0; key < n; key++) {
      const allowed = mask === "full" || key <= query || (mask === "prefix" && key < prefix);
      const place = { x: key * cell, y: query * cell, width: cell - 0.8, height: cell - 0.8 };
      svg.append(drawn("rect", { ...place, class: allowed ? "allowed" : "forbidden", ...(allowed ? {} : { fill: `url(#${id})` }) }));
    }
  }
  svg.setAttribute("aria-hidden", "true");
  return svg;
}

// Draw a plan into `stage`, `width` pixels wide.
//   table    what is said of each box; masks: of each side's self-attention
//   onRead(key)   a box is pointed at (null: none any more)
//   onChoose(key) a box is clicked
// Returns the boxes by key, and light(key, past): what is lit and what has been.
function drawPlan(stage, plan, table, { width, masks, residual, onRead, onChoose }) {
  const X = ([share, offset]) => share * width + offset, top = plan.height + MARGIN, Y = (y) => top - y;
  const alone = "encoder.scores" in table.boxes; // then the encoder has the scores, in the place of the roads to the decoder
  const box = element("div", "plan");
  box.style.height = `${top}px`;
  const has = (key) => key in table.boxes;

  for (const frame of plan.frames) {
    const panel = element("div", "frame"), layers = table.layers[frame.side];
    Object.assign(panel.style, { left: `${X(frame.left)}px`, width: `${X(frame.right) - X(frame.left)}px`, top: `${Y(frame.y + frame.height)}px`, height: `${frame.height}px` });
    const name = frame.side[0].toUpperCase() + frame.side.slice(1);
    panel.append(element("span", layers ? "stack" : "stack soft", layers ? `${name} × ${layers.times}` : "not in this family"));
    if (layers) panel.append(element("span", "", `${layers.each} each`));
    box.append(panel);
  }

  const svg = drawn("svg", { width, height: top, class: "roads", "aria-hidden": "true" });
  const roads = plan.roads.flatMap((road) => {
    const here = has(road.needs) && (residual || road.kind !== "residual");
    if (!here && (alone || road.needs.startsWith("encoder.s"))) return [];
    const points = road.points.map(([x, y]) => [X(x), Y(y)]), group = drawn("g", { class: `road ${road.kind} ${here ? "" : "absent"}` });
    const [[x0, y0], [x1, y1]] = points.slice(-2), far = Math.hypot(x1 - x0, y1 - y0) || 1;
    const [dx, dy] = [(x1 - x0) / far, (y1 - y0) / far];
    const path = points.map((point) => [...point]);
    if (road.arrow && here) path[path.length - 1] = [x1 - dx * HEAD, y1 - dy * HEAD];
    group.append(drawn("path", { d: `M${path.map((point) => point.join(" ")).join("L")}`, ...(here ? { pathLength: 1 } : {}) }));
    if (road.arrow && here) {
      const wing = (side) => `${x1 - dx * HEAD - side * dy * 4.5} ${y1 - dy * HEAD + side * dx * 4.5}`;
      group.append(drawn("path", { class: "arrow", d: `M${x1} ${y1}L${wing(1)}L${wing(-1)}Z` }));
    }
    if (here) svg.append(group);
    else svg.prepend(group);
    return [{ to: road.to, group }];
  });
  for (const sign of plan.signs) {
    if (!has(sign.needs) || (sign.kind === "plus" && !residual)) continue;
    const [x, y] = [X(sign.x), Y(sign.y)];
    if (sign.kind === "plus") {
      svg.append(drawn("circle", { cx: x, cy: y, r: 8, class: "plus" }), drawn("path", { d: `M${x - 4.5} ${y}H${x + 4.5}M${x} ${y - 4.5}V${y + 4.5}`, class: "plus" }));
    } else svg.append(drawn("text", { x, y: y + 4.5, "text-anchor": "middle", class: sign.kind }, sign.text));
  }
  box.append(svg);

  const nodes = {};
  for (const { key, left, right, y, height } of plan.boxes) {
    if (!has(key) && /^encoder\.s(cores|oftmax)$/.test(key)) continue; // only an encoder alone has them
    const words = table.boxes[key] ?? table.missing[key], [side, part] = key.split(".");
    const node = element("button", `box ${has(key) ? "" : "absent"} ${part.endsWith("norm") ? "thin" : ""}`);
    Object.assign(node.style, { left: `${X(left)}px`, width: `${X(right) - X(left)}px`, top: `${Y(y + height)}px`, height: `${height}px` });
    Object.assign(node, { type: "button", tabIndex: -1 });
    node.dataset.key = key;
    if (part === "self_attention" && has(key)) node.append(maskPicture(masks[side], 5, 3, 5));
    node.append(element("span", "of", words.name), element("span", "count", words.count ?? "—"));
    node.addEventListener("mouseenter", () => onRead(key));
    node.addEventListener("click", () => onChoose(key));
    nodes[key] = node;
    box.append(node);
  }
  box.addEventListener("mouseleave", () => onRead(null));
  stage.replaceChildren(box);

  function light(key, past) {
    for (const [name, node] of Object.entries(nodes)) {
      const on = name === key;
      node.classList.toggle("on", on);
      node.classList.toggle("past", past.includes(name));
      if (on) node.setAttribute("aria-current", "step");
      else node.removeAttribute("aria-current");
      if (has(name)) node.querySelector(".count").textContent = on ? table.boxes[name].out : table.boxes[name].count;
    }
    for (const { to, group } of roads) group.classList.toggle("on", to === key);
  }
  return { nodes, light };
}
