// BpeStepper: the words of a text, cut into tokens; the pairs that they hold; and a merge after the other.

const PAIR_ROWS = 8, WORD_ROWS = 9, A_MERGE = 900; // rows that are seen; milliseconds

function render({ model, el }) {
  const cleanups = [];
  const box = viewBox(el, model.get("title"));
  box.classList.add("bpe");
  const most = model.get("n_merges");
  let made = null; // the training of this text with these picks
  function training() {
    const key = JSON.stringify([model.get("text"), model.get("picks")]);
    if (made?.key !== key) made = { key, ...mergeStates(model.get("text"), most, model.get("picks")) };
    return made;
  }
  const last = () => training().states.length - 1;
  const step = () => Math.max(0, Math.min(last(), model.get("step")));
  const now = () => training().states[step()];
  const drawnOf = (id) => cellOf(training().tokens[id]).shown;

  // ---- Controls ----
  const state = stateBar({
    model, cleanups, names: ["text", "step", "picks"], code, start: () => model.get("start"), onStep: () => stop(),
  });
  undoByKey(box, state);
  const text = ownText({
    model, cleanups, state, label: "text", rows: 2, most: model.get("most"),
    change: () => { stop(); pointed = null; return { step: 0, picks: [] }; },
  });
  const button = (label, kind, act) => {
    const node = element("button", kind, label);
    node.type = "button";
    node.addEventListener("click", () => { if (node.getAttribute("aria-disabled") !== "true") act(); });
    return node;
  };
  const goTo = (goal, stroke = false) => {
    if (goal < 0 || goal > last() || goal === step()) return;
    state.remember(stroke);
    pointed = null;
    model.set("step", goal);
    model.tellSoon();
  };
  const back = button("◀ Back", "", () => goTo(step() - 1)), merge = button("Merge ▶", "main", () => goTo(step() + 1));
  const play = button("▶ Play", "", () => (timer === null ? start() : stop()));
  const through = slider({
    label: "merges", min: 0, max: most,
    onInput: (position) => { stop(); goTo(Math.min(position, last()), true); paint(); },
    onRelease: () => state.settle(),
  });
  const bar = element("div", "row sliders");
  bar.append(back, merge, play, through.root);

  // ---- Words, pairs, what was learned ----
  const region = (kind, name) => {
    const root = element("div", kind), heading = element("div", "lab-title", name), body = element("div", "scrolled");
    body.tabIndex = 0; // what is longer than its box can be read by keys
    body.setAttribute("role", "group");
    body.setAttribute("aria-label", name);
    root.append(heading, body);
    return { root, heading, body };
  };
  const words = region("words", "the words and their tokens"), learned = region("learned", "learned so far");
  const pairs = element("div", "pairs"), table = element("table", "facts"), head = element("tr"), body = element("tbody"), top = element("thead");
  for (const [name, kind] of [["pair", ""], ["ids", "roomy"], ["count", "right"], ["", ""]]) {
    const cell = element("th", kind, name);
    if (name) cell.scope = "col";
    head.append(cell);
  }
  head.lastChild.setAttribute("aria-label", "how often, and tied or not");
  top.append(head);
  table.append(top, body);
  const more = element("div", "soft note");
  pairs.append(element("div", "lab-title", "neighbouring pairs inside the words"), table, more);
  const story = element("div", "story"), readout = element("div", "readout soft"), size = element("div", "size");
  story.setAttribute("aria-live", "polite");
  const track = element("span", "track"), fill = element("span", "fill"), counts = element("span", "");
  track.append(fill);
  size.append(track, counts);
  const both = element("div", "both");
  both.append(words.root, pairs);
  box.append(text.root, bar, story, both, readout, size, learned.root, state.root);

  const chip = (id, kind = "") => {
    const cell = cellOf(training().tokens[id]);
    const node = element("span", `piece ${id >= BYTES.length ? "merged" : "byte"} ${kind}`, cell.shown);
    node.title = `id ${id} · bytes ${cell.hex}`;
    return node;
  };

  let pointed = null, before = 0; // the pair that is looked at; the step that was painted last
  const looked = () => pointed ?? (step() < last() ? now().pairs[now().pick] : null);
  function paint() {
    const { states, times } = training(), here = now(), n = step(), fresh = n === before + 1 ? BYTES.length + n - 1 : -1;
    before = n;
    back.setAttribute("aria-disabled", String(n === 0));
    merge.setAttribute("aria-disabled", String(n === last()));
    play.setAttribute("aria-disabled", String(last() === 0));
    through.show(n, `${n} of ${last()}`);
    state.show();
    story.textContent = nextMerge(here, drawnOf, n + 1, n === last());
    words.body.style.height = `${Math.max(2, Math.min(WORD_ROWS, here.words.length)) * 34 + 16}px`;
    words.body.replaceChildren(...here.words.map((word, w) => {
      const row = element("div", "word");
      row.append(element("span", "times soft", `${grouped(times[w])} ×`), ...word.map((id) => chip(id, id === fresh ? "fresh" : "")));
      return row;
    }));
    const rows = here.pairs.slice(0, PAIR_ROWS).map(pairRow);
    while (rows.length < PAIR_ROWS) rows.push(blankRow());
    rebuild(body, rows);
    const hidden = here.pairs.length - PAIR_ROWS;
    more.textContent = hidden > 0 ? `and ${grouped(hidden)} more ${hidden === 1 ? "pair" : "pairs"}` : "\u00a0";
    const first = states[0].size;
    fill.style.width = first ? `${100 * here.size / first}%` : "0";
    counts.textContent = `${grouped(first)} bytes, now ${grouped(here.size)} ${here.size === 1 ? "token" : "tokens"} · vocabulary: 256 bytes + ${n} learned = ${256 + n}`;
    rebuild(learned.body, n ? range(1, n).map((k) => {
      const id = BYTES.length + k - 1, node = button("", "learned-token", () => goTo(k));
      node.append(element("span", "soft", `${id}`), chip(id));
      node.title = `back to where merge ${k} has made it`;
      return node;
    }) : [element("span", "soft", "nothing yet: the tokens are the 256 bytes")]);
    learned.body.scrollTop = learned.body.scrollHeight;
    point();
  }

  // New nodes, and the focus stays at its place among their buttons.
  function rebuild(root, nodes) {
    const place = [...root.querySelectorAll("button")].indexOf(document.activeElement);
    root.replaceChildren(...nodes);
    const buttons = [...root.querySelectorAll("button")];
    if (place >= 0) buttons[Math.min(place, buttons.length - 1)]?.focus({ preventScroll: true });
  }
  function blankRow() {
    const row = element("tr", "blank");
    row.setAttribute("aria-hidden", "true");
    row.append(element("td"), element("td", "roomy"), element("td"), element("td"));
    return row;
  }
  function pairRow(pair, place) {
    const here = now(), row = element("tr", `${pair.tied ? "tied" : ""} ${place === here.pick && step() < last() ? "next" : ""}`);
    const name = button("", "plain", () => pickPair(pair, place)), cell = element("td", "text"), tie = pair.tied && here.ties > 1;
    name.append(chip(pair.left), " ", chip(pair.right));
    name.setAttribute("aria-label", `${drawnOf(pair.left)} and ${drawnOf(pair.right)}, ${timesOf(pair.count)}${tie ? ", tied: press to merge this one" : ""}`);
    if (tie) name.setAttribute("aria-pressed", String(place === here.pick));
    name.addEventListener("focus", () => { if (name.matches(":focus-visible")) look(pair); });
    row.addEventListener("mouseenter", () => { if (!touched()) look(pair); });
    row.addEventListener("mouseleave", () => { if (!touched()) look(null); });
    cell.append(name);
    const bars = element("td", "count-of"), line = element("span", "track"), part = element("span", "fill");
    part.style.width = `${100 * pair.count / here.pairs[0].count}%`;
    line.append(part);
    bars.append(line, element("span", "tie", tie ? "tie" : ""));
    row.append(cell, element("td", "soft roomy", `${pair.left}, ${pair.right}`), element("td", "right number", grouped(pair.count)), bars);
    return row;
  }
  // A tied pair is taken instead of the rule's; any other is looked at.
  function pickPair(pair, place) {
    if (pair.tied && now().ties > 1 && step() < last() && place !== now().pick) {
      state.remember();
      const picks = range(1, step()).map((n) => training().states[n - 1].pick);
      model.set("picks", place ? [...picks, place] : picks.some(Boolean) ? picks : []);
      model.tellSoon();
    }
    look(pair);
  }
  function look(pair) {
    pointed = pair;
    point();
  }
  // Where the pair stands in the words that is looked at, or merged next.
  function point() {
    const pair = looked(), here = now();
    [...words.body.children].forEach((row, w) => {
      const chips = [...row.querySelectorAll(".piece")], places = pair ? takenAt(here.words[w], pair) : [];
      chips.forEach((node, i) => {
        node.classList.toggle("hit", places.includes(i));
        node.classList.toggle("hit-end", places.includes(i - 1));
      });
    });
    readout.textContent = pair ? pairStory(here, pair, training().times, drawnOf) : "";
  }

  box.addEventListener("keydown", (event) => {
    const by = { PageUp: -1, PageDown: 1 }[event.key];
    if (!by || event.target.type === "range" || event.target.matches("textarea")) return;
    event.preventDefault();
    stop();
    goTo(step() + by, true);
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
  function start() {
    state.remember();
    if (step() >= last()) model.set("step", 0);
    play.textContent = "⏸ Pause";
    timer = setInterval(() => {
      pointed = null;
      model.set("step", Math.min(last(), step() + 1));
      if (step() >= last()) stop();
    }, A_MERGE);
  }
  cleanups.push(() => clearInterval(timer));

  function code() {
    const { states } = training(), n = step(), rule = states.slice(0, n).every(({ pick }) => pick === 0);
    const merges = states.slice(0, n).map(({ pairs: all, pick }) => `(${all[pick].left}, ${all[pick].right})`).join(", ");
    const tokenizer = rule ? `from course_lib.text.bpe import train_bpe\n\ntext = ${JSON.stringify(model.get("text"))}\nbpe = train_bpe(text, vocab_size=${256 + n})`
      : `from course_lib.text.bpe import BPETokenizer\n\ntext = ${JSON.stringify(model.get("text"))}\nbpe = BPETokenizer([${merges}])  # some ties were decided by hand`;
    return `${tokenizer}\nprint(bpe.merges)\nprint([bpe.decode([i]) for i in bpe.encode(text)])\n`;
  }

  listen(model, cleanups, ["text", "step", "picks"], soon(paint));
  paint();
  box.numbers = () => ({
    merges: training().states.slice(0, step()).map(({ pairs: all, pick }) => [all[pick].left, all[pick].right]),
    words: now().words, pairs: now().pairs.map(({ left, right, count, tied }) => [left, right, count, tied]),
  });
  return () => cleanups.forEach((undo) => undo());
}

export default viewOf(render);
