// ColouredTokens: the reader's own text as one tokenizer, or several, cut it; what a token is, and who cuts otherwise.

function render({ model, el }) {
  const cleanups = [];
  const box = viewBox(el, model.get("title"));
  box.classList.add("coloured");
  const names = model.get("names"), examples = model.get("examples");
  const tokenizers = model.get("packed").map((bytes) => tokenizerOf(unpackedMerges(bytes)));

  // ---- Controls ----
  const state = stateBar({ model, cleanups, names: ["text", "ids"], code, start: () => model.get("start") });
  undoByKey(box, state);
  const text = ownText({ model, cleanups, state, label: "text", rows: 3, most: model.get("most") });
  const chosen = choice({
    label: "for example", options: examples.map(([name]) => [name, name]),
    onChoose: (name) => { state.remember(); model.set("text", examples.find(([each]) => each === name)[1]); model.tellSoon(); },
  });
  const ids = toggle({ label: "show ids: what a model reads", onChange: (on) => { state.remember(); model.set("ids", on); model.tellSoon(); } });
  const bar = element("div", "row");
  bar.append(...(examples.length ? [chosen.root] : []), ids.root);

  // ---- A box of tokens for each tokenizer ----
  const panels = names.map((name, p) => {
    const root = element("div", "cut"), heading = element("div", "lab-title"), line = element("div", "pieces");
    const id = ownId("pieces"), count = element("span", "soft");
    heading.append(element("span", "name", name), count);
    line.tabIndex = 0;
    root.append(heading, line);
    const panel = { name, root, count, line, id, ids: [], cells: [], starts: [], nodes: [], place: 0 };
    const placeOf = (event) => Number(event.target.closest?.(".piece")?.dataset.place ?? -1);
    line.addEventListener("mouseover", (event) => { if (!touched()) look(p, placeOf(event)); });
    line.addEventListener("mouseleave", () => { if (!touched()) look(-1, -1); });
    line.addEventListener("click", (event) => { const place = placeOf(event); if (place >= 0) keep(p, place); });
    line.addEventListener("focus", () => { if (line.matches(":focus-visible") && panel.ids.length) keep(p, panel.place); });
    line.addEventListener("keydown", (event) => {
      const end = panel.ids.length - 1, at = kept.panel === p ? kept.place : panel.place;
      if (event.key === "Escape") { event.preventDefault(); return keep(-1, -1); }
      const goal = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: end }[event.key];
      if (goal === undefined || end < 0) return;
      event.preventDefault();
      keep(p, Math.max(0, Math.min(end, goal)));
      panel.nodes[panel.place].scrollIntoView({ block: "nearest" });
    });
    return panel;
  });
  const cuts = element("div", `cuts of-${names.length}`), readout = element("div", "readout");
  cuts.append(...panels.map(({ root }) => root));
  readout.setAttribute("aria-live", "polite");
  readout.style.setProperty("--lines", 2 + names.length);
  const legend = element("div", "row legend");
  for (const [sign, words] of [["·", "space"], ["⏎", "line break"], ["⇥", "tab"], ["⟨e4 bd⟩", "bytes: no whole letter, or one that cannot be seen"]]) {
    const item = element("span", "row");
    item.append(element("code", "", sign), element("span", "", words));
    legend.append(item);
  }
  box.append(text.root, bar, cuts, readout, legend, state.root);

  let kept = NOTHING, seen = NOTHING;
  let letters = []; // of the text: [letter, its first byte, the byte behind it]
  function cut() {
    let at = 0;
    letters = [...model.get("text")].map((letter) => {
      const from = at;
      at += bytesOf(letter).length;
      return [letter, from, at];
    });
    for (const [p, panel] of panels.entries()) {
      panel.ids = tokenizers[p].encode(model.get("text"));
      panel.cells = panel.ids.map((id) => cellOf(tokenizers[p].tokens[id]));
      let start = 0;
      panel.starts = panel.ids.map((id) => { const from = start; start += tokenizers[p].tokens[id].length; return from; });
      panel.starts.push(start);
      panel.place = Math.min(panel.place, Math.max(0, panel.ids.length - 1));
      const each = start ? (panel.ids.length / start).toFixed(2) : "";
      panel.count.textContent = start ? `${panel.ids.length.toLocaleString("en-US")} ${panel.ids.length === 1 ? "token" : "tokens"} for ${start.toLocaleString("en-US")} ${start === 1 ? "byte" : "bytes"}, ${each} a byte` : "no token: type a text";
    }
  }
  function paint() {
    if (kept.panel >= 0 || seen.panel >= 0) kept = seen = NOTHING;
    cut();
    chosen.show(examples.find(([, content]) => content === model.get("text"))?.[0] ?? "");
    ids.show(model.get("ids"));
    state.show();
    for (const panel of panels) {
      const parts = [];
      panel.nodes = panel.cells.map((cell, i) => {
        const node = element("span", `piece tone-${i % 2}${cell.whole ? "" : " part"}`, model.get("ids") ? `${panel.ids[i]}` : cell.shown);
        node.id = `${panel.id}-${i}`;
        node.dataset.place = i;
        node.setAttribute("role", "option");
        node.setAttribute("aria-selected", "false");
        node.setAttribute("aria-label", `${cell.shown}, id ${panel.ids[i]}`);
        parts.push(node);
        for (let n = 0; n < cell.breaks; n++) parts.push(element("br"));
        return node;
      });
      panel.line.classList.toggle("as-ids", model.get("ids"));
      panel.line.replaceChildren(...parts);
      panel.line.setAttribute("role", panel.ids.length ? "listbox" : "group");
      panel.line.setAttribute("aria-label", `${panel.name}: tokens; arrow keys go from one to the next, Escape lets go`);
    }
    point();
  }

  // ---- One token: pointed at by the mouse, or kept by a click, a tap or the keys ----
  function look(panel, place) {
    if (place < 0) panel = -1;
    if (seen.panel === panel && seen.place === place) return;
    seen = { panel, place };
    point();
  }
  function keep(panel, place) {
    seen = NOTHING;
    kept = { panel, place };
    if (panel >= 0) panels[panel].place = place;
    point();
  }
  let marked = [];
  function point() {
    const at = seen.panel >= 0 ? seen : kept;
    for (const node of marked) {
      node.classList.remove("on", "same");
      node.setAttribute("aria-selected", "false");
    }
    marked = [];
    const mark = (node, kind) => { node.classList.add(kind); marked.push(node); };
    for (const panel of panels) panel.line.removeAttribute("aria-activedescendant");
    if (at.panel < 0) {
      readout.replaceChildren(element("div", "soft", touched() ? "Tap a token to see its id and its bytes." : "Point at a token to see its id and its bytes. By keyboard: Tab and arrow keys."));
      return;
    }
    const own = panels[at.panel], node = own.nodes[at.place], from = own.starts[at.place], to = own.starts[at.place + 1];
    mark(node, "on");
    if (kept.panel >= 0) {
      const keptNode = panels[kept.panel].nodes[kept.place];
      keptNode.setAttribute("aria-selected", "true");
      marked.push(keptNode);
      panels[kept.panel].line.setAttribute("aria-activedescendant", keptNode.id);
    }
    const lines = [tokenLine(own, at), madeLine(tokenizers[at.panel], own.ids[at.place], partOf(from, to))];
    panels.forEach((panel, p) => {
      if (p === at.panel) return;
      const same = range(1, panel.ids.length).map((i) => i - 1).filter((i) => panel.starts[i] < to && panel.starts[i + 1] > from);
      same.forEach((i) => mark(panel.nodes[i], "same"));
      lines.push(otherLine(panel, same, from, to));
    });
    readout.replaceChildren(...lines);
  }
  // Which letters a token holds only in part.
  const partOf = (from, to) => letters.filter(([, a, b]) => a < to && b > from && (a < from || b > to))
    .map(([letter, a, b]) => ({ letter, first: Math.max(from, a) - a + 1, last: Math.min(to, b) - a, all: b - a }));

  function code() {
    return `text = ${JSON.stringify(model.get("text"))}
for name, tokenizer in tokenizers.items():  # those that this view was made with: ${names.join(", ").replace(/\s+/g, " ")}
    ids = tokenizer.encode(text)
    print(f"{name}: {len(ids)} tokens for {len(text.encode())} bytes")
    print([(i, tokenizer.tokens[i]) for i in ids])
`;
  }

  listen(model, cleanups, ["text", "ids"], soon(paint));
  paint();
  box.numbers = () => panels.map((panel) => panel.ids);
  return () => cleanups.forEach((undo) => undo());
}

export default viewOf(render);
