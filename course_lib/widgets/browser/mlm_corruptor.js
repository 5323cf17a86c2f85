// MlmCorruptor: the dice of masked-language modelling over the reader's own text, throw by throw, and their counts.

const COLUMN = 84, NARROW_COLUMN = 64, NAMES_WIDE = 112, NARROW_NAMES = 62, NARROW = 480; // pixels
const KINDS = ["masked", "replaced", "kept"];
const grouped = (n) => n.toLocaleString("en-US");

function render({ model, el }) {
  const cleanups = [];
  const box = viewBox(el, model.get("title"));
  box.classList.add("corruptor");
  const words = model.get("vocabulary"), known = new Set(words), mostThrows = model.get("most_throws");
  const row = () => townRow(model.get("first"), model.get("second"), known);
  const seed = () => model.get("seed"), nThrows = () => Math.max(1, Math.min(model.get("n_throws"), seed() + 1));
  const shares = () => ({ chosen: model.get("chosen"), masked: model.get("masked"), replaced: model.get("replaced") });
  const percents = () => {
    const masked = Math.round(100 * model.get("masked")), replaced = Math.min(100 - masked, Math.round(100 * model.get("replaced")));
    return { masked, replaced, kept: 100 - masked - replaced };
  };

  // ---- Controls ----
  const names = ["first", "second", "chosen", "masked", "replaced", "seed", "n_throws", "token"];
  const state = stateBar({ model, cleanups, names, code, start: () => model.get("start") });
  undoByKey(box, state);
  const boxes = townBoxes({ model, cleanups, state, change: ({ first, second }) => ({ token: Math.min(model.get("token"), townRow(first, second, known).length - 1) }) });
  const change = (what, stroke = false) => { state.remember(stroke); model.set(what); model.tellSoon(); };
  let base = null; // the three shares when a slider was taken up
  const sliders = element("div", "row sliders");
  const chosen = slider({ label: "chosen, of all words", min: 0, max: 100, onInput: (value) => change({ chosen: value / 100 }, true), onRelease: () => state.settle() });
  const ofChosen = KINDS.map((name) => slider({
    label: `of these ${name}`, min: 0, max: 100,
    onInput: (value) => {
      base ??= percents();
      const now = balanced(base, name, value);
      change({ masked: now.masked / 100, replaced: now.replaced / 100 }, true);
    },
    onRelease: () => { base = null; state.settle(); },
  }));
  sliders.append(chosen.root, ...ofChosen.map(({ root }, i) => { root.prepend(element("span", `swatch ${KINDS[i]}`)); return root; }));
  const button = (label, kind, act) => {
    const node = element("button", kind, label);
    node.type = "button";
    node.addEventListener("click", () => { if (node.getAttribute("aria-disabled") !== "true") act(); });
    return node;
  };
  const throwMore = (n) => change({ seed: seed() + n, n_throws: nThrows() + n });
  const again = button("Throw again", "main", () => throwMore(1)), many = button("Throw 100 more", "", () => throwMore(100)), which = element("span", "soft");
  const bar = element("div", "row");
  bar.append(again, many, which);

  // ---- The row in lines that fit, a column for each token ----
  const lines = element("div", "lines"), readout = element("div", "readout"), message = element("div", "hint-line");
  lines.tabIndex = 0;
  lines.setAttribute("role", "listbox");
  lines.setAttribute("aria-label", "tokens of the row: arrow keys pick one");
  readout.setAttribute("aria-live", "polite");
  message.setAttribute("aria-live", "polite");
  const table = element("table", "facts"), head = element("tr"), top = element("thead"), body = element("tbody");
  for (const [name, kind] of [["what", ""], ["how many", "right"], ["share", "right"], ["expected", "right"], ["bar", "track-of"]]) head.append(element("th", kind, name));
  head.lastChild.setAttribute("aria-label", "bar of the share; the line is the expected one");
  top.append(head);
  table.append(top, body);
  const counted = element("div", "lab-title counted");
  box.append(boxes.root, message, sliders, bar, lines, readout, counted, table, townWordList(words), state.root);

  const id = ownId("place");
  let width = 900, columns = [];
  onWidth(cleanups, lines, (now) => { width = now; paint(); });

  const cell = (kind, ...parts) => { const node = element("div", `box-of ${kind}`); node.append(...parts); return node; };
  // A throw from 0 to 1 on a track: `limits` are where its parts end, one kind for each.
  function die(x, parts, off) {
    const track = element("span", "die"), dot = element("span", "dot");
    let start = 0;
    for (const [kind, share] of parts) {
      const part = element("span", `part ${kind}`);
      Object.assign(part.style, { left: `${100 * start}%`, width: `${100 * share}%` });
      start += share;
      track.append(part);
    }
    dot.style.left = `${100 * x}%`;
    track.append(dot);
    return cell(off ? "throw off" : "throw", track, element("span", "number", thrown(x).slice(1)));
  }
  function column(place, i, throws, done) {
    const root = element("div", "place"), { first, second, drawn } = throws, now = shares();
    const read = { [IS_MASKED]: MASK, [IS_REPLACED]: words[drawn[i]] }[done] ?? place.token;
    const typed = cell("typed", element("bdi", place.special || place.isWord ? "" : "refused", seenToken(place.typed)));
    const reads = cell(`reads ${DONE[done]}`, element("bdi", "", read));
    if (done === IS_REPLACED) reads.prepend(element("s", "was", place.token));
    const says = cell("says", element("bdi", done ? "true-word" : "soft", done ? place.token : "−100"));
    root.append(typed,
      place.isWord ? die(first[i], [["of-chosen", now.chosen]], done === UNTOUCHED) : cell("throw none", "–"),
      done ? die(second[i], [["masked", now.masked], ["replaced", now.replaced], ["kept", Math.max(0, 1 - now.masked - now.replaced)]], false) : cell("throw none", "–"),
      reads, says);
    root.id = `${id}-${i}`;
    root.dataset.place = i;
    if (done) root.classList.add("chosen");
    root.setAttribute("role", "option");
    root.setAttribute("aria-label", done ? `${place.token}, ${DONE[done]}: reads ${read}, must say ${place.token}` : `${place.typed}, ${place.special ? "special" : place.isWord ? "not chosen" : "unknown"}`);
    return root;
  }
  function paint() {
    const all = row(), isWord = all.map((place) => place.isWord), throws = throwFor(seed(), all.length, words.length), now = shares(), done = decide(throws, isWord, now);
    const narrow = width < NARROW, wide = narrow ? NARROW_COLUMN : COLUMN, across = Math.max(1, Math.floor((width - (narrow ? NARROW_NAMES : NAMES_WIDE)) / wide));
    lines.classList.toggle("narrow", narrow);
    columns = all.map((place, i) => column(place, i, throws, done[i]));
    const parts = [];
    for (let i = 0; i < columns.length; i += across) {
      const line = element("div", "line"), heads = element("div", "heads-of");
      line.setAttribute("role", "none");
      heads.setAttribute("aria-hidden", "true");
      heads.append(...[["typed", "the text"], ["throw", narrow ? "chosen?" : "1st: chosen?"], ["throw", narrow ? "what?" : "2nd: what?"], ["reads", narrow ? "reads" : "model reads"], ["says", "must say"]].map(([kind, text]) => cell(kind, text)));
      line.append(heads, ...columns.slice(i, i + across));
      parts.push(line);
    }
    lines.replaceChildren(...parts);
    const refused = refusedIn(all);
    message.textContent = refused.length ? `${refusal(refused)}: read as ${UNKNOWN}, never chosen.` : "\u00a0";
    message.classList.toggle("refusal", Boolean(refused.length));
    const three = percents();
    chosen.show(Math.round(100 * now.chosen), percentOf(now.chosen));
    ofChosen.forEach(({ show }, i) => show(three[KINDS[i]], `${three[KINDS[i]]} %`));
    which.textContent = `seed ${seed()}`;
    for (const [node, n] of [[again, 1], [many, 100]]) node.setAttribute("aria-disabled", String(nThrows() + n > mostThrows || seed() + n >= 2 ** 32));
    state.show();
    point();
    count(isWord);
  }

  // ---- One token ----
  const place = () => Math.max(0, Math.min(columns.length - 1, model.get("token")));
  let pointed = -1;
  function point() {
    const at = pointed >= 0 && pointed < columns.length ? pointed : place(), all = row(), isWord = all.map(({ isWord: one }) => one);
    const throws = throwFor(seed(), all.length, words.length), done = decide(throws, isWord, shares());
    columns.forEach((node, i) => { node.classList.toggle("on", i === at); node.setAttribute("aria-selected", String(i === place())); });
    lines.setAttribute("aria-activedescendant", `${id}-${place()}`);
    const [what, then] = storyOfToken(all[at], [throws.first[at], throws.second[at]], words[throws.drawn[at]], done[at], shares());
    readout.replaceChildren(element("div", "", what), element("div", "soft", then));
  }
  const pick = (at) => { pointed = -1; if (at !== place()) change({ token: at }); else point(); };
  const look = (at) => { if (at !== pointed) { pointed = at; point(); } };
  const placeOf = (event) => Number(event.target.closest?.("[data-place]")?.dataset.place ?? -1);
  lines.addEventListener("mouseover", (event) => { if (!touched()) look(placeOf(event)); });
  lines.addEventListener("mouseleave", () => look(-1));
  lines.addEventListener("click", (event) => { const at = placeOf(event); if (at >= 0) pick(at); });
  lines.addEventListener("keydown", (event) => {
    const end = columns.length - 1;
    const goal = { ArrowRight: place() + 1, ArrowDown: place() + 1, ArrowLeft: place() - 1, ArrowUp: place() - 1, Home: 0, End: end }[event.key];
    if (goal === undefined) return;
    event.preventDefault();
    pick(Math.max(0, Math.min(end, goal)));
  });

  // ---- The counts so far, beside what is expected ----
  let kept = null; // counts of the same text and shares, up to a seed
  function countsOf(isWord) {
    const from = seed() - nThrows() + 1, key = JSON.stringify([isWord, shares(), from]);
    if (kept?.key !== key || kept.to > seed()) kept = { key, to: from - 1, counts: undefined };
    kept.counts = countThrows(kept.to + 1, seed(), isWord, words.length, shares(), kept.counts);
    kept.to = seed();
    return kept.counts;
  }
  function count(isWord) {
    const counts = countsOf(isWord), now = shares(), sum = (list) => list.reduce((a, b) => a + b, 0);
    const all = sum(counts.word), inLoss = all - counts.word[UNTOUCHED], special = sum(counts.special);
    counted.textContent = `Counted over ${nThrows() === 1 ? "one throw" : `${grouped(nThrows())} throws`}: ${grouped(all)} ${all === 1 ? "word" : "words"}, ${grouped(special)} ${isWord.length && refusedIn(row()).length ? "special or unknown tokens" : "special tokens"}`;
    const rest = Math.max(0, 1 - now.masked - now.replaced);
    const facts = [
      ["chosen", inLoss, all, now.chosen, "of-chosen", "of the words"], ["masked", counts.word[IS_MASKED], inLoss, now.masked, "masked", "of the chosen"],
      ["replaced", counts.word[IS_REPLACED], inLoss, now.replaced, "replaced", "of the chosen"], ["kept", counts.word[IS_KEPT], inLoss, rest, "kept", "of the chosen"],
      ["special tokens chosen", special - counts.special[UNTOUCHED], special, 0, "of-chosen", "never"],
    ];
    body.replaceChildren(...facts.map(([name, n, of, expected, kind, whose]) => {
      const line = element("tr"), title = element("th", "", name), track = element("span", "track"), fill = element("span", `fill ${kind}`), mark = element("span", "mark"), last = element("td", "track-of");
      title.scope = "row";
      fill.style.width = `${of ? 100 * n / of : 0}%`;
      mark.style.left = `${100 * expected}%`;
      track.append(fill, mark);
      last.append(track);
      const expectation = whose === "never" ? "never" : `${percentOf(expected)} `;
      const wanted = element("td", "right", expectation);
      if (whose !== "never") wanted.append(element("span", "soft roomy", whose));
      line.append(title, element("td", "right number", grouped(n)), element("td", "right", of ? perCent(n / of, 1) : "–"), wanted, last);
      return line;
    }));
  }

  function code() {
    const texts = [model.get("first"), model.get("second")], pair = townTokens(texts[1]).length > 0, now = shares();
    const encoded = texts.slice(0, 1 + pair).map((text) => `WORDS.encode(tokenise(${JSON.stringify(text)}))`).join(", ");
    return `import torch
from course_lib.data.town import tokenise
from course_lib.tasks.fill_in import WORDS
from course_lib.text.segments import MASK_ID, join
from course_lib.training.masked_words import DONE, corrupt

ids = torch.tensor([join(${encoded}).ids])
generator = torch.Generator().manual_seed(${seed()})
shares = {"chosen": ${now.chosen}, "masked": ${now.masked}, "replaced": ${now.replaced}}
read, labels, done = corrupt(ids, MASK_ID, WORDS.words, generator, **shares)
for was, reads, label, what in zip(ids[0], read[0], labels[0], done[0]):
    print(f"{WORDS.tokens[was]:10} {DONE[what]:10} {WORDS.tokens[reads]:10} {label}")
`;
  }

  listen(model, cleanups, names, soon(paint));
  paint();
  box.numbers = () => {
    const all = row(), isWord = all.map((one) => one.isWord), throws = throwFor(seed(), all.length, words.length), done = decide(throws, isWord, shares());
    return { tokens: all.map(({ token }) => token), done, drawn: throws.drawn, counts: countsOf(isWord) };
  };
  return () => cleanups.forEach((undo) => undo());
}

export default viewOf(render);
