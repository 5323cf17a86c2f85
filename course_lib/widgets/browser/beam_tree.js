// BeamTree: a search as a tree of hypotheses, one column a step, and the list of those that have ended.

const ROW = 46, HIGH = 36, ABOVE = 26, MILLISECONDS_A_STEP = 900;

function render({ model, el }) {
  const cleanups = [];
  const box = viewBox(el, model.get("title"));
  box.classList.add("beam-tree");
  const beams = model.get("beams"), trees = model.get("trees"), greedy = model.get("greedy"), hasTruth = model.get("has_truth");
  const nodes = () => trees[Math.max(0, beams.indexOf(model.get("beam")))];
  const lastOf = (tree) => tree.at(-1).step, last = () => lastOf(nodes());
  const step = () => Math.max(1, Math.min(last(), model.get("step")));
  const alpha = () => model.get("length_penalty");

  // ---- Controls ----
  const state = stateBar({
    model, cleanups, names: ["beam", "step", "length_penalty"], code, start: () => model.get("start"), onStep: () => stop(),
  });
  undoByKey(box, state);
  const sizes = choice({
    label: "beam size", options: beams.map((name) => [name, name]),
    onChoose: (beam) => { state.remember(); model.set({ beam, selected: -1 }); model.tellSoon(); },
  });
  const play = element("button", "", "▶ Play");
  play.type = "button";
  const through = slider({
    label: "step", min: 1, max: Math.max(2, ...trees.map(lastOf)),
    onInput: (position) => { stop(); state.remember(true); model.set("step", Math.min(position, last())); },
    onRelease: () => { state.settle(); model.tellSoon(); },
  });
  const penalty = slider({
    label: "length penalty α", min: 0, max: 40,
    onInput: (position) => { state.remember(true); model.set("length_penalty", position / 20); },
    onRelease: () => { state.settle(); model.tellSoon(); },
  });
  const bar = element("div", "row sliders");
  bar.append(...(beams.length > 1 ? [sizes.root] : []), play, through.root, penalty.root);

  // ---- The tree and the list ----
  const stage = element("div", "stage"), tree = element("div", "tree"), edges = drawn("svg", { "aria-hidden": "true" });
  tree.tabIndex = 0;
  tree.setAttribute("role", "tree");
  tree.setAttribute("aria-label", "hypotheses of the search: right goes on to the best continuation, left goes back, "
    + "up and down stay at the step, Page Up and Page Down show fewer and more steps, Escape lets go");
  stage.append(tree);
  const list = element("div", "ends"), table = element("table", "facts"), head = element("tr"), body = element("tbody");
  for (const [name, kind] of [["", ""], ["finished", ""], ["raw sum", "right"], ["÷ penalty", "right roomy"], ["normalised", "right"]]) {
    const cell = element("th", kind, name);
    cell.scope = "col";
    if (!name) cell.setAttribute("aria-label", "place");
    head.append(cell);
  }
  const top = element("thead");
  top.append(head);
  table.append(top, body);
  list.append(table, element("div", "soft note", "α ranks what this search has finished. With another α a search may also stop earlier or later."));
  const legend = element("div", "row legend");
  for (const [kind, text] of [["bar", "bar: probability of the token"], ["dropped", "dropped"], ["ended", "finished, with its place"],
    ...(greedy.length ? [["greedy", "greedy’s path"]] : []), ...(hasTruth ? [["truth", "the truth"]] : [])]) {
    const item = element("span", "row");
    item.append(element("span", `sample ${kind}`), element("span", "", text));
    legend.append(item);
  }
  const both = element("div", "both"), left = element("div"), story = element("div", "story"), readout = element("div", "readout");
  readout.setAttribute("aria-live", "polite");
  left.append(legend, stage);
  both.append(left, list);
  box.append(bar, both, story, readout, state.root);
  tree.style.height = `${ABOVE + ROW * Math.max(...trees.flat().map(({ rank }) => rank))}px`;
  const mostRows = Math.max(1, ...trees.map((one) => one.filter(({ status }) => status === "finished").length));

  const id = ownId("hypothesis");
  let made = null, items = [], lines = [], wide = 0; // made: the tree whose nodes stand in the page
  onWidth(cleanups, left, (now) => { wide = now; made = null; paint(); });
  function build() {
    made = nodes();
    const columns = last(), start = 44, space = ((wide || 640) - start - 8) / columns;
    const longest = Math.max(...made.map(({ token }) => [...labelOf(token)].length));
    const width = Math.max(44, Math.min(22 + 9.4 * longest, 130)), pitch = Math.max(width + 26, Math.min(space, width + 60));
    const x = (node) => start + pitch * (node.step - 1), y = (node) => ABOVE + ROW * (node.rank - 1);
    const whole = start + pitch * (columns - 1) + width + 30;
    tree.style.width = `${whole}px`;
    edges.setAttribute("viewBox", `0 0 ${whole} ${tree.clientHeight || 400}`);
    Object.assign(edges.style, { width: `${whole}px`, height: tree.style.height });
    edges.replaceChildren();
    tree.replaceChildren(edges, named("start", 0, ABOVE + 8, start - 6));
    for (let s = 1; s <= columns; s++) tree.append(named(wide < 480 ? `${s}` : `step ${s}`, start + pitch * (s - 1), 2, width));
    lines = made.map((node) => {
      const from = made[node.parent], x0 = from ? x(from) + width : start - 8, y0 = (from ? y(from) : ABOVE) + HIGH / 2, x1 = x(node), y1 = y(node) + HIGH / 2;
      const bend = (x1 - x0) / 2;
      const line = drawn("path", { class: `edge ${node.status}${node.greedy ? " greedy" : ""}`, d: `M${x0} ${y0}C${x0 + bend} ${y0} ${x1 - bend} ${y1} ${x1} ${y1}` });
      edges.append(line);
      return line;
    });
    items = made.map((node) => {
      const item = element("div", `hypothesis ${node.status}${node.greedy ? " greedy" : ""}${node.truth ? " truth" : ""}`);
      Object.assign(item.style, { left: `${x(node)}px`, top: `${y(node)}px`, width: `${width}px`, height: `${HIGH}px` });
      item.id = `${id}-${node.id}`;
      item.setAttribute("role", "treeitem");
      item.setAttribute("aria-level", node.step);
      const track = element("span", "track"), fill = element("span", "fill");
      fill.style.width = `${100 * Math.min(1, Math.exp(node.own))}%`;
      track.append(fill);
      item.append(element("span", "name", labelOf(node.token)), track);
      if (node.status === "finished") item.append(element("span", "place"));
      tree.append(item);
      return item;
    });
  }
  function named(text, x, y, width) {
    const node = element("span", "column-name", text);
    node.setAttribute("aria-hidden", "true");
    Object.assign(node.style, { left: `${x}px`, top: `${y}px`, width: `${width}px` });
    return node;
  }

  let pointed = -1; // under the mouse
  function paint() {
    if (made !== nodes()) build();
    const now = step(), ends = rankedEnds(made, now, alpha());
    sizes.show(model.get("beam"));
    through.show(now, `${now} of ${last()}`);
    penalty.show(Math.round(20 * alpha()), `${Number(alpha().toFixed(2))}`);
    state.show();
    made.forEach((node, i) => {
      const seen = node.step <= now, place = ends.indexOf(node) + 1;
      items[i].style.visibility = lines[i].style.visibility = seen ? "visible" : "hidden";
      if (place) items[i].querySelector(".place").textContent = place;
      items[i].setAttribute("aria-label", `${textOf(made, node)}, step ${node.step}, ${nth(node.rank)}, ${node.status}`
        + `${node.greedy ? ", greedy’s path" : ""}${node.truth ? ", the truth" : ""}`);
    });
    const rows = ends.length ? ends.map(rowOf) : [messageRow(`nothing has ended up to step ${now}`)];
    while (rows.length < mostRows) rows.push(messageRow("")); // the list keeps its height
    body.replaceChildren(...rows);
    story.textContent = storyOf(made.filter((node) => node.step <= now), ends, greedy, hasTruth);
    point();
  }
  function messageRow(text) {
    const row = element("tr", text ? "" : "blank");
    if (!text) row.setAttribute("aria-hidden", "true");
    row.append(element("td"), element("td", "message soft", text), element("td"), element("td", "roomy"), element("td"));
    return row;
  }
  function rowOf(node, place) {
    const row = element("tr", node.truth ? "truth" : ""), button = element("button", "plain", textOf(made, node));
    button.type = "button";
    button.title = button.textContent;
    button.addEventListener("click", () => choose(node.id));
    const words = element("td", "text");
    words.append(button);
    row.dataset.id = node.id;
    row.append(element("td", "number", `${place + 1}`), words, element("td", "right", raw(node.log_prob)),
      element("td", "right roomy", exact(penaltyOf(node.length, alpha()), 2)), element("td", "right number", raw(scoreOf(node, alpha()))));
    return row;
  }

  // The hypothesis that is selected, or pointed at: its path in the tree, and what there is to say about it.
  const at = () => {
    const node = made[pointed] ?? made[model.get("selected")];
    return node && node.step <= step() ? node : null;
  };
  function point() {
    const node = at(), path = new Set(node ? pathOf(made, node) : []), chosen = made[model.get("selected")];
    made.forEach((each, i) => {
      items[i].classList.toggle("on", each === node);
      items[i].setAttribute("aria-selected", String(each === chosen));
      lines[i].classList.toggle("on", path.has(each));
    });
    body.querySelectorAll("tr").forEach((row) => row.classList.toggle("on", node !== null && Number(row.dataset.id) === node.id));
    if (chosen && chosen.step <= step()) tree.setAttribute("aria-activedescendant", items[chosen.id].id);
    else tree.removeAttribute("aria-activedescendant");
    if (!node) {
      readout.replaceChildren(element("span", "soft", touched() ? "Tap a hypothesis to see its numbers."
        : "Point at a hypothesis to see its numbers. By keyboard: Tab and arrow keys."));
      return;
    }
    const line = (...parts) => { const each = element("div"); each.append(...parts); return each; }, number = (text) => element("span", "number", text);
    const own = exact(Math.exp(node.own), 2), all = exact(Math.exp(node.log_prob), 3);
    readout.replaceChildren(
      line(element("span", "token", textOf(made, node)), ` · “${isolated(node.token)}” has the probability ${own} here`),
      line("raw sum ", number(raw(node.log_prob)), ` · probability of the whole ${all} · normalised ${raw(node.log_prob)} ÷ ((5 + ${node.length}) ÷ 6)^${Number(alpha().toFixed(2))} = `,
        number(raw(scoreOf(node, alpha()))), node.status === "finished" ? "" : " (counts when it has ended)"),
      line(fateOf(made, node, rankedEnds(made, step(), alpha()), last())));
  }
  function choose(place) {
    pointed = -1;
    model.set("selected", place);
    model.tellSoon();
    const item = items[place];
    if (!item) return;
    const hidden = item.offsetLeft + item.offsetWidth + 30 - stage.clientWidth; // never the page, only the tree
    stage.scrollLeft = Math.min(Math.max(stage.scrollLeft, hidden), Math.max(0, item.offsetLeft - 46));
  }

  // ---- Mouse, finger, keys ----
  const placeOf = (event) => items.indexOf(event.target.closest?.(".hypothesis"));
  tree.addEventListener("mouseover", (event) => { if (!touched()) { pointed = placeOf(event); point(); } });
  tree.addEventListener("mouseleave", () => { pointed = -1; point(); });
  tree.addEventListener("click", (event) => { const place = placeOf(event); if (place >= 0) choose(place); });
  tree.addEventListener("focus", () => { if (tree.matches(":focus-visible") && !made[model.get("selected")]) choose(0); });
  tree.addEventListener("keydown", (event) => {
    const node = made[model.get("selected")] ?? made[0], seen = made.filter((each) => each.step <= step());
    const beside = (by) => seen.find((each) => each.step === node.step && each.rank === node.rank + by);
    const goal = {
      ArrowRight: seen.find(({ parent }) => parent === node.id), ArrowLeft: made[node.parent], ArrowUp: beside(-1), ArrowDown: beside(1),
      Home: made[0], End: rankedEnds(made, step(), alpha())[0],
    };
    if (event.key === "Escape") choose(-1);
    else if (event.key in goal) { if (goal[event.key]) choose(goal[event.key].id); }
    else return;
    event.preventDefault();
  });
  box.addEventListener("keydown", (event) => {
    const by = { PageUp: -1, PageDown: 1 }[event.key];
    if (!by || event.target.type === "range") return;
    event.preventDefault();
    const goal = Math.max(1, Math.min(last(), step() + by));
    if (goal === step()) return;
    state.remember(true);
    model.set("step", goal);
    model.tellSoon();
  });

  // ---- Playing ----
  let timer = null;
  function stop() {
    if (timer === null) return;
    clearInterval(timer);
    timer = null;
    play.textContent = "▶ Play";
    model.tellSoon();
  }
  play.addEventListener("click", () => {
    if (timer !== null) return stop();
    state.remember();
    if (step() >= last()) model.set("step", 1);
    play.textContent = "⏸ Pause";
    timer = setInterval(() => {
      model.set("step", Math.min(last(), step() + 1));
      if (step() >= last()) stop();
    }, MILLISECONDS_A_STEP);
  });
  cleanups.push(() => clearInterval(timer));

  function code() {
    const ends = rankedEnds(made, step(), alpha());
    const rows = ends.map((node) => `    (${JSON.stringify(textOf(made, node))}, ${Number(node.log_prob.toPrecision(8))}, ${node.length}),`);
    return `# ${model.get("title").replace(/\s+/g, " ")}: the finished texts${beams.length > 1 ? ` of beam size ${model.get("beam")}` : ""}, raw sums and lengths
finished = [\n${rows.join("\n")}\n]
alpha = ${Number(alpha().toFixed(2))}


def normalised(log_prob, length):
    return log_prob / ((5 + length) / 6) ** alpha


ranking = sorted(finished, key=lambda one: -normalised(*one[1:]))
for text, log_prob, length in ranking:
    print(f"{normalised(log_prob, length):7.3f}  raw {log_prob:7.3f}  {text}")
`;
  }

  listen(model, cleanups, ["beam", "step", "length_penalty", "selected"], soon(paint));
  paint();
  box.numbers = () => rankedEnds(made, step(), alpha()).map((node) => [textOf(made, node), node.log_prob, scoreOf(node, alpha())]);
  return () => cleanups.forEach((undo) => undo());
}

export default viewOf(render);
