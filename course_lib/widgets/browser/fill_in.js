// FillIn: press a word of your own text; it is hidden, and bars show what the model in Python would put there.

const PAUSE_WHILE_TYPING = 150, PANEL_WIDTH = 250, MOST_PANELS = 4; // milliseconds; pixels; side by side

function render({ model, el }) {
  const cleanups = [];
  const box = viewBox(el, model.get("title"));
  box.classList.add("fill-in");
  const known = new Set(model.get("vocabulary"));
  const rowOf = ({ first, second }) => townRow(first, second, known, true);
  const row = () => rowOf({ first: model.get("first"), second: model.get("second") });
  const hidden = () => model.get("hidden");

  // ---- Controls ----
  const state = stateBar({ model, cleanups, names: ["first", "second", "hidden"], code, start: () => model.get("start") });
  undoByKey(box, state);
  let typing = null;
  const boxes = townBoxes({
    model, cleanups, state,
    change: (texts) => ({ hidden: movedPlaces(hidden(), row(), rowOf(texts)) }),
    say: () => { clearTimeout(typing); typing = setTimeout(() => model.tell(), PAUSE_WHILE_TYPING); },
  });
  cleanups.push(() => clearTimeout(typing));
  const line = element("div", "tokens"), hint = element("div", "hint-line"), pager = element("div", "row pager"), panels = element("div", "panels");
  line.setAttribute("role", "group");
  line.setAttribute("aria-label", "words of the row: arrow keys go from one to the next, Enter hides a word or shows it again");
  hint.setAttribute("aria-live", "polite");
  const where = element("span", "");
  const turn = (label, title, by) => {
    const node = element("button", "", label);
    Object.assign(node, { type: "button", title });
    node.setAttribute("aria-label", title);
    node.addEventListener("click", () => { if (node.getAttribute("aria-disabled") !== "true") { wanted = from + by; point(); } });
    return node;
  };
  const back = turn("◀", "the blank before", -1), on = turn("▶", "the next blank", 1);
  pager.append(where, back, on);
  const under = element("div", "row under");
  under.append(hint, pager);
  const bars = Array.from({ length: MOST_PANELS }, () => wordBars());
  panels.append(...bars.map(({ root }) => root));
  const legend = element("div", "row legend");
  const beside = model.get("beside");
  for (const [kind, text] of [["fill", "the model’s chance of the word"], ["beside", beside], ["truth", "the word that was there"]]) {
    const item = element("span", "row"), sample = element("span", `swatch ${kind}`);
    item.append(sample, element("span", "", text));
    if (text) legend.append(item);
  }
  box.append(boxes.root, line, under, panels, legend, townWordList(model.get("vocabulary")), state.root);

  // ---- The row: words are buttons; one of them is in the order of Tab ----
  let nodes = [], at = 1, from = 0, wanted = 0, shown = 1; // of the blanks: the first that is seen, or shall be
  const blanksOf = (all) => all.map((_, i) => i).filter((i) => all[i].isBlank || hidden().includes(i));
  function press(place) {
    const now = hidden().includes(place) ? hidden().filter((each) => each !== place) : [...hidden(), place].sort((a, b) => a - b);
    state.remember();
    at = place;
    model.set("hidden", now);
    const blank = blanksOf(row()).indexOf(place);
    if (blank >= 0) wanted = Math.max(blank - shown + 1, Math.min(from, blank));
    model.tellSoon();
  }
  function paint() {
    const all = row(), blanks = blanksOf(all), focused = nodes.includes(document.activeElement);
    const places = all.map((_, i) => i).filter((i) => all[i].isWord);
    if (!places.includes(at)) at = places.find((place) => place > at) ?? places.at(-1) ?? 1;
    nodes = all.map((place, i) => {
      const node = element(place.isWord ? "button" : "span", "token-of");
      // a word and its blank stand in one place: the row keeps its width, whatever is hidden
      if (place.isWord) node.append(element("span", "word", place.typed), element("span", "mask", MASK));
      else node.textContent = seenToken(place.typed);
      node.dataset.place = i;
      if (place.special) node.classList.add("special");
      else if (blanks.includes(i)) node.classList.add("blank");
      else if (!place.isWord) node.classList.add("refused");
      if (!place.isWord) return node;
      node.type = "button";
      node.tabIndex = i === at ? 0 : -1;
      node.setAttribute("aria-pressed", String(hidden().includes(i)));
      node.setAttribute("aria-label", hidden().includes(i) ? `${place.typed}, hidden` : place.typed);
      return node;
    });
    const seconds = all.findIndex(({ special, token }, i) => special && token === SEP && i < all.length - 1) + 1;
    line.replaceChildren(...nodes.flatMap((node, i) => (i && i === seconds ? [element("span", "break"), node] : [node])));
    if (focused) nodes[at]?.focus();
    state.show();
    point();
  }
  line.addEventListener("click", (event) => {
    const node = event.target.closest?.("button");
    if (node) press(Number(node.dataset.place));
  });
  line.addEventListener("keydown", (event) => {
    const places = row().map((_, i) => i).filter((i) => nodes[i]?.type === "button"), now = places.indexOf(at), end = places.length - 1;
    const goal = { ArrowRight: now + 1, ArrowDown: now + 1, ArrowLeft: now - 1, ArrowUp: now - 1, Home: 0, End: end }[event.key];
    if (goal === undefined || end < 0) return;
    event.preventDefault();
    at = places[Math.max(0, Math.min(end, goal))];
    nodes.forEach((node, i) => { if (node.type === "button") node.tabIndex = i === at ? 0 : -1; });
    nodes[at].focus();
  });
  line.addEventListener("focusin", (event) => { if (event.target.dataset.place) at = Number(event.target.dataset.place); });

  // ---- The bars ----
  const isAnswered = () => sameState({ first: model.get("first"), second: model.get("second"), hidden: hidden() }, model.get("answered"));
  let said = []; // of the last answer that has blanks, to stand there while Python thinks
  function point() {
    const all = row(), refused = refusedIn(all), blanks = blanksOf(all), now = isAnswered(), message = now ? model.get("message") : "";
    if (now && !message && blanks.length) said = model.get("said");
    const seen = blanks.length && !refused.length ? said : [];
    from = Math.max(0, Math.min(wanted, seen.length - shown)); // the answer with a new blank may not be here yet
    box.classList.toggle("waiting", !now || Boolean(message));
    const press = touched() ? "Tap a word" : "Press a word";
    hint.classList.toggle("refusal", Boolean(refused.length || message));
    if (refused.length) hint.textContent = `${refusal(refused)}. The model cannot read it: write another word.`;
    else if (message || !blanks.length) hint.textContent = message || `${press}: it is hidden, and the model says what it would put there.`;
    else if (now) hint.textContent = storyOf(seen, all);
    const last = Math.min(from + shown, seen.length);
    where.textContent = seen.length > shown ? `${last > from + 1 ? "blanks" : "blank"} ${from + 1}${last > from + 1 ? `–${last}` : ""} of ${seen.length}` : "";
    for (const [node, off] of [[back, from === 0], [on, last >= seen.length]]) {
      node.style.visibility = seen.length > shown ? "visible" : "hidden";
      node.setAttribute("aria-disabled", String(off));
    }
    bars.forEach(({ root, paint: show }, i) => {
      const blank = i < shown ? seen[from + i] : undefined;
      root.hidden = i >= shown;
      root.classList.toggle("empty", !blank);
      show(blank ? `place ${blank.place}: ${MASK}` : "no blank", blank ? truthOf(blank) : "", blank ? blank.bars : []);
    });
  }
  const truthOf = ({ truth, rank, probability }) => (truth === null ? "nobody knows what was there" : `was: ${truth}, ${exact(probability, 2)}${rank > 1 ? `, in place ${rank}` : ""}`);
  function storyOf(seen, all) {
    const asked = seen.filter(({ truth }) => truth !== null), right = asked.filter(({ rank }) => rank === 1).length;
    const ofBlanks = `${seen.length} ${seen.length === 1 ? "blank" : "blanks"} among ${all.length} tokens`;
    return asked.length ? `${ofBlanks}: the likeliest word is the true one ${right === 1 && asked.length === 1 ? "there" : `at ${right} of ${asked.length}`}.` : `${ofBlanks}.`;
  }
  onWidth(cleanups, panels, (width) => { shown = Math.max(1, Math.min(MOST_PANELS, Math.floor((width + 14) / (PANEL_WIDTH + 14)))); panels.style.setProperty("--across", shown); point(); });

  function code() {
    const reads = row().map(({ typed }, i) => (hidden().includes(i) ? MASK : typed));
    const split = row().findIndex(({ special, token }) => special && token === SEP);
    const texts = [reads.slice(1, split), reads.slice(split + 1, -1)].filter((text, i) => !i || text.length).map((text) => JSON.stringify(text.join(" ")));
    return `from course_lib.tasks.fill_in import WORDS, fill, load

model = load()  # the shipped one, or yours
blanks = fill(model, ${texts.join(", ")})
for place, chances in zip(blanks.places, blanks.probabilities):
    best = chances.argsort(descending=True)[:${BARS}]
    print(place, ", ".join(f"{WORDS.tokens[i]} {chances[i]:.3f}" for i in best.tolist()))
`;
  }

  listen(model, cleanups, ["first", "second", "hidden"], soon(paint));
  listen(model, cleanups, ["answered", "said", "message"], soon(point));
  paint();
  box.numbers = () => ({ reads: row().map(({ token }, i) => (hidden().includes(i) ? MASK : token)), answered: isAnswered(), said: model.get("said") });
  return () => cleanups.forEach((undo) => undo());
}

export default viewOf(render);
