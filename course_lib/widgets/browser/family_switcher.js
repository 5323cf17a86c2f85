// FamilySwitcher: one row of tokens in four families. Mask, flow, who sees whom, and the next word change together.

function render({ model, el }) {
  const cleanups = [];
  const box = viewBox(el, model.get("title"));
  box.classList.add("switcher");
  const families = model.get("families"), scenes = model.get("scenes");
  const scene = () => scenes[Math.min(scenes.length - 1, model.get("example"))];
  const family = () => model.get("family"), now = () => scene().families[family()];
  const about = () => families.find(({ name }) => name === family());
  const place = () => Math.min(scene().tokens.length - 1, model.get("token"));

  // ---- Controls ----
  const state = stateBar({ model, cleanups, names: ["family", "example", "token"], code, start: () => model.get("start") });
  undoByKey(box, state);
  const change = (what) => { state.remember(); model.set(what); model.tellSoon(); };
  const examples = choice({
    label: "example", options: scenes.map(({ name }, i) => [String(i), name]),
    onChoose: (i) => change({ example: Number(i), token: scenes[i].n_input }),
  });
  const cards = families.map(({ name, known }) => {
    const card = element("span", "card"), words = element("span", "words"), thumbnail = element("canvas", "thumbnail");
    thumbnail.setAttribute("aria-hidden", "true");
    words.append(element("span", "of", name), element("span", "known", known));
    card.append(thumbnail, words);
    return [name, card];
  });
  const buttons = choice({ label: "family", className: "families", options: cards, onChoose: (name) => change({ family: name }) });
  const caption = element("div", "caption-line");

  // ---- The mask beside the flow and the row ----
  const pick = (at) => { pointed = -1; if (at !== place()) change({ token: at }); else point(); };
  const look = (at) => { if (at !== pointed) { pointed = at; point(); } };
  let pointed = -1;
  const most = Math.max(...scenes.map(({ tokens }) => tokens.length));
  const mask = maskPicture({ cleanups, most, onPoint: look, onPick: pick });
  const flow = flowPicture({ cleanups, onPick: pick });
  const line = element("div", "tokens");
  line.tabIndex = 0;
  line.setAttribute("role", "listbox");
  line.setAttribute("aria-label", "tokens of the row: arrow keys pick one");
  const readout = element("div", "readout");
  readout.setAttribute("aria-live", "polite");
  const legend = element("div", "row legend");
  for (const [kind, text] of [["kind given", "given: read, need not be said"], ["kind predicted", "predicted: counts in the loss"],
    ["kind ignored", "ignored: neither"], ["one open", "may look"], ["one closed", "may not"]]) {
    const item = element("span", "row"), sample = element("span", kind);
    if (kind.startsWith("one")) sample.append(element("i"));
    item.append(sample, element("span", "", text));
    legend.append(item);
  }
  const both = element("div", "both"), right = element("div", "side");
  right.append(flow.root, line, readout, legend);
  both.append(mask.root, right);
  const heading = element("div", "next-of"), panels = element("div", "panels");
  const bars = families.map(() => wordBars());
  panels.append(...bars.map(({ root }) => root));
  box.append(examples.root, buttons.root, caption, both, heading, panels, state.root);

  const id = ownId("token");
  let options = [], built = null;
  function build() {
    built = scene();
    mask.build(built);
    const group = (from, to, name) => {
      const root = element("div", "group"), title = element("span", "soft", name);
      root.setAttribute("role", "group");
      root.setAttribute("aria-label", name);
      title.setAttribute("aria-hidden", "true");
      root.append(title);
      for (let i = from; i < to; i++) {
        const token = element("span", "token-of", built.tokens[i]);
        token.id = `${id}-${i}`;
        token.dataset.place = i;
        token.setAttribute("role", "option");
        root.append(token);
      }
      return root;
    };
    line.replaceChildren(group(0, built.n_input, "input"), group(built.n_input, built.tokens.length, "output"));
    options = [...line.querySelectorAll("[data-place]")];
    families.forEach(({ name }, i) => {
      const one = built.families[name], n = built.tokens.length, read = one.reads.map((word) => word !== null);
      const canvas = cards[i][1].querySelector("canvas"), at = (k) => [Math.floor(k / n), k % n];
      paintThumbnail(canvas, paletteOf(), {
        rows: n, columns: n, share: (k) => { const [r, c] = at(k); return read[r] && read[c] ? 0.42 : 0; },
        blocked: (k) => { const [r, c] = at(k); return read[r] && read[c] && one.open[r][c] !== "1"; },
      });
    });
  }

  // One family's next words, the true one among them.
  function barsFor(found) {
    const bars = found ? found.words.map((word, i) => ({ word, probability: found.probabilities[i], rank: i + 1, truth: word === found.truth })).slice(0, BARS) : [];
    if (found && found.rank > bars.length) bars.splice(BARS - 1, 1, { word: found.truth, probability: found.probability, rank: found.rank, truth: true });
    return bars;
  }

  function paint() {
    if (built !== scene()) build();
    examples.show(String(scenes.indexOf(scene())));
    buttons.show(family());
    caption.textContent = `${family()}: ${about().caption}.`;
    mask.paint(family(), about());
    state.show();
    point();
  }

  // Whom the token sees that is pointed at, or was picked; and what comes after it.
  function point() {
    if (built !== scene()) return;
    const at = pointed >= 0 ? pointed : place(), one = now(), read = (i) => one.reads[i] !== null;
    mask.mark(at, family());
    flow.paint(scene(), family(), about().cross, at);
    options.forEach((node, i) => {
      const seen = read(at) && read(i) && one.open[at][i] === "1";
      node.textContent = one.reads[i] ?? built.tokens[i];
      node.className = `token-of ${i === at ? "query" : !read(i) ? "unread" : !read(at) ? "alone" : seen ? "seen" : "closed"} ${one.kinds[i]}`;
      node.setAttribute("aria-selected", String(i === place()));
      node.setAttribute("aria-label", `${built.tokens[i]}, ${i === at ? "picked" : !read(i) ? "not read" : seen ? "seen" : "not seen"}, ${one.kinds[i]}`);
    });
    line.setAttribute("aria-activedescendant", `${id}-${place()}`);
    const sight = element("div"), task = element("div", "soft", taskOf(built, one, at));
    sight.textContent = sightOf(built, one, about().cross, at);
    readout.replaceChildren(sight, task);
    const written = Math.max(0, Math.min(at, built.tokens.length - 2) - built.n_input), truth = built.tokens[built.n_input + 1 + written];
    const beginning = built.tokens.slice(built.n_input, built.n_input + 1 + written).join(" ");
    heading.replaceChildren("The next word after ", element("span", "said", beginning), ": the truth is ", element("span", "true-word", truth));
    families.forEach(({ name, writes }, i) => {
      const found = built.families[name].expected[written];
      bars[i].paint(name, writes ? "says the next word" : !found ? "has no blank here" : built.blank ? "fills the input’s blank" : "fills [MASK] there", barsFor(found), name === family());
    });
  }

  line.addEventListener("keydown", (event) => {
    const lastPlace = scene().tokens.length - 1;
    const goal = {
      ArrowRight: place() + 1, ArrowDown: place() + 1, ArrowLeft: place() - 1, ArrowUp: place() - 1, Home: 0, End: lastPlace,
    }[event.key];
    if (goal === undefined) return;
    event.preventDefault();
    pick(Math.max(0, Math.min(lastPlace, goal)));
  });
  const placeOf = (event) => Number(event.target.closest?.("[data-place]")?.dataset.place ?? -1);
  line.addEventListener("mouseover", (event) => { if (!touched()) look(placeOf(event)); });
  line.addEventListener("mouseleave", () => look(-1));
  line.addEventListener("click", (event) => { const at = placeOf(event); if (at >= 0) pick(at); });

  function code() {
    const one = scene(), written = Math.max(0, Math.min(place(), one.tokens.length - 2) - one.n_input);
    const read = now().reads.filter((word) => word !== null).length, row = Math.min(place(), read - 1);
    return `from course_lib.families import reach
from course_lib.tasks import families

family, given = ${JSON.stringify(family())}, ${pythonList(one.tokens.slice(0, one.n_input))}
written = ${pythonList(one.tokens.slice(one.n_input + 1, one.n_input + 1 + written))}
sees = reach(family, ${Math.min(one.n_input, read)}, ${read})[${row}]  # the row of ${JSON.stringify(one.tokens[row])}
print(sum(sees), "of", len(sees))
model = families.load(f"family-{family}")  # the shipped one, or yours
found = families.under_family(model, family, given, written)
for place in found.probabilities.argsort()[:-${BARS + 1}:-1]:
    print(f"{found.probabilities[place]:.3f}  {found.words[place]}")
`;
  }

  listen(model, cleanups, ["family", "example", "token"], soon(paint));
  onTheme(cleanups, () => { built = null; paint(); });
  paint();
  box.numbers = () => ({ open: now().open, expected: families.map(({ name }) => scene().families[name].expected) });
  return () => cleanups.forEach((undo) => undo());
}

export default viewOf(render);
