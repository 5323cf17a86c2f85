// StoryWriter: the model tells a story token by token; where it looks; what the Town says of each sentence.

const CANDIDATES = 8, SLOW = 350; // the likeliest tokens; milliseconds between two tokens

function render({ model, el }) {
  const cleanups = [];
  const box = viewBox(el, model.get("title"));
  box.classList.add("story");

  // ---- Controls ----
  const names = ["text", "drawn", "seed", "temperature"];
  const state = stateBar({ model, cleanups, names, code, start: () => model.get("start"), onStep: () => pause() });
  undoByKey(box, state);
  const asking = askingFor({ model, cleanups });
  const text = ownText({
    model, cleanups, state, label: "your beginning (or none)", rows: model.get("rows"), most: model.get("most"),
    change: () => ({ drawn: [] }), say: asking.later,
  });
  let playing = null, timer = null; // milliseconds between two tokens
  function pause() {
    clearTimeout(timer);
    playing = timer = null;
    label();
    point();
  }
  function play(pace) {
    if (playing !== null) return pause();
    state.remember(); // the whole run is one step
    playing = pace;
    label();
    asking.draw(1); // this paints, too
  }
  const on = soon(() => {
    if (playing === null || !asking.isAnswered() || timer !== null) return;
    if (model.get("over") || model.get("message")) return pause();
    timer = setTimeout(() => { timer = null; asking.draw(1); }, playing);
  });
  cleanups.push(() => clearTimeout(timer));
  const step = button("Write a token", "main", () => { state.remember(); asking.draw(1); });
  const slow = button("Play", "", () => play(SLOW)), fast = button("To the end", "", () => play(0));
  const back = button("Take a token back", "", () => { state.remember(); model.set({ drawn: model.get("drawn").slice(0, -1) }); model.tell(); });
  const which = element("span", "soft"), bar = element("div", "row"), hint = element("div", "hint-line");
  const temperature = settingSlider({ model, state, name: "temperature", label: "temperature", min: 0, max: 40, value: (position) => position / 20 });
  hint.setAttribute("aria-live", "polite");
  bar.append(step, slow, fast, back, which, temperature.root);
  function label() {
    slow.textContent = playing === SLOW ? "Pause" : "Play";
    fast.textContent = playing === 0 ? "Pause" : "To the end";
  }

  // ---- The likeliest tokens: any of them can be taken ----
  const next = element("div", "next-of"), choices = element("div", "candidates");
  choices.setAttribute("role", "group");
  choices.setAttribute("aria-label", "the likeliest next tokens: press one to take it");
  const candidates = Array.from({ length: CANDIDATES }, () => {
    const node = button("", "candidate", () => { state.remember(); model.set({ drawn: [...model.get("drawn"), Number(node.dataset.token)] }); model.tell(); });
    const word = element("span", "word"), number = element("span", "number"), track = element("span", "track"), fill = element("span", "fill");
    track.append(fill);
    node.append(word, number, track);
    choices.append(node);
    return { node, word, number, fill };
  });

  // ---- The story: a line for each sentence, its verdict below; tokens are buttons, one of them in the order of Tab ----
  const story = element("div", "told"), whole = element("div", "whole"), looks = element("div", "row looks"), readout = element("div", "readout");
  story.setAttribute("role", "group");
  story.setAttribute("aria-label", "the story: arrow keys go from token to token, and show where each looks");
  whole.setAttribute("aria-live", "polite");
  readout.setAttribute("aria-live", "polite");
  const L = model.get("n_layers"), H = model.get("n_heads"), upTo = (n) => Array.from({ length: n }, (_, i) => [i + 1, `${i + 1}`]);
  const set = (what) => { model.set(what); model.tellSoon(); };
  const layers = choice({ label: "layer", options: upTo(L), onChoose: (layer) => set({ layer }) });
  const heads = choice({ label: "head", options: [[0, "mean"], ...upTo(H)], onChoose: (head) => set({ head }) });
  looks.append(layers.root, heads.root);
  const known = townWordList(model.get("names").slice(4), `the ${model.get("names").length - 4} words that the model knows`);
  box.append(text.root, bar, hint, next, choices, story, whole, looks, readout, known, state.root);

  let nodes = [], tokens = [], key = "", focused = -1, hovered = -1;
  const newest = () => nodes.length - 1;
  function paint() {
    const ids = model.get("ids"), all = model.get("names"), first = ids.length - model.get("n_drawn"), now = JSON.stringify([ids, model.get("sentences"), first]);
    if (now !== key) {
      key = now;
      tokens = ids.map((id) => all[id]);
      const held = nodes.includes(document.activeElement) ? focused : -1;
      nodes = tokens.map((token, i) => {
        const node = element("button", `token-of${i < first ? "" : " drawn"}`, token);
        node.type = "button";
        node.dataset.place = i;
        node.setAttribute("aria-label", `${token}, token ${i + 1}`);
        return node;
      });
      const lines = model.get("sentences").map((sentence, n) => {
        const root = element("div", "sentence-of"), line = element("div", "tokens"), words = element("div", "verdict-of"), [sign, said] = verdictOf(sentence);
        line.append(...nodes.slice(n ? sentence.start : 0, sentence.stop));
        words.append(element("span", "sign-of", sign), element("span", "", said));
        root.append(line, words);
        return root;
      });
      const rest = nodes.filter((node) => !node.parentElement);
      if (rest.length) (lines.at(-1)?.firstChild ?? lines[lines.push(element("div", "tokens")) - 1]).append(...rest);
      story.replaceChildren(...lines);
      focused = held >= 0 ? Math.min(held, newest()) : -1;
      if (focused >= 0) nodes[focused].focus();
      else story.scrollTop = story.scrollHeight;
      hovered = -1;
    }
    whole.textContent = wholeVerdict(model.get("verdict"), model.get("over"));
    point();
  }

  function point() {
    const now = model.get("temperature"), message = model.get("message"), over = model.get("over"), waits = !asking.isAnswered(), stops = waits || over || Boolean(message);
    temperature.show(Math.round(20 * now), decimals(now));
    which.textContent = `seed ${model.get("seed")}`;
    for (const node of [step, ...candidates.map((one) => one.node)]) node.setAttribute("aria-disabled", String(stops || playing !== null));
    for (const node of [slow, fast]) node.setAttribute("aria-disabled", String(stops && playing === null));
    back.setAttribute("aria-disabled", String(!model.get("drawn").length || playing !== null));
    hint.classList.toggle("refusal", Boolean(message) && !waits);
    if (!waits) hint.textContent = message || (over ? "The story is over. Take a token back, or type another beginning." : asking.lastDraw() || "“Write a token” draws one; or take one of the likeliest below.");
    box.classList.toggle("waiting", Boolean(message));
    const chances = over || message ? [] : likeliest(now);
    next.textContent = over || message ? "nothing comes next" : "the next token: press one to take it";
    candidates.forEach(({ node, word, number, fill }, i) => {
      const [id, chance] = chances[i] ?? [];
      node.style.visibility = id === undefined ? "hidden" : "visible";
      if (id === undefined) return;
      node.dataset.token = id;
      word.textContent = model.get("names")[id];
      number.textContent = exact(chance, 2);
      fill.style.width = `${100 * chance}%`;
    });
    state.show();
    look();
  }
  let kept = null, logits = null, order = null;
  function likeliest(now) {
    if (kept !== model.get("logits")) {
      kept = model.get("logits");
      logits = floats(kept);
      order = ranked(logits);
    }
    const chances = logits.length ? stagesOf(logits, { temperature: now, top_k: model.get("top_k"), top_p: model.get("top_p") }, order)[3].chances : [];
    return Array.from(order.slice(0, CANDIDATES)).filter((id) => chances[id] > 0).map((id) => [id, chances[id]]);
  }

  // ---- Where one token looks ----
  let packed = null, triangle = null;
  function look() {
    if (packed !== model.get("weights")) {
      packed = model.get("weights");
      triangle = new Uint16Array(packed.buffer.slice(packed.byteOffset, packed.byteOffset + packed.byteLength));
    }
    const wanted = hovered >= 0 ? hovered : focused >= 0 ? focused : model.get("place"), place = wanted >= 0 && wanted < nodes.length ? wanted : newest();
    const layer = model.get("layer") || L, head = model.get("head");
    layers.show(layer);
    heads.show(head);
    if (place < 0) return;
    const row = rowOfWeights(triangle, { layers: L, heads: H, layer, head }, place), top = Math.max(...row), palette = paletteOf();
    nodes.forEach((node, i) => {
      const tone = i <= place && top > 0 ? toneOf(row[i] / top) : null;
      node.classList.toggle("query", i === place);
      node.style.background = tone === null ? "" : palette.css[tone];
      node.style.color = tone === null ? "" : palette.on[tone] ?? palette.paper;
      node.tabIndex = i === (focused >= 0 ? focused : newest()) ? 0 : -1;
    });
    readout.textContent = looksAt(row, tokens, place, head ? `head ${head} of layer ${layer}` : `mean of the ${H} heads of layer ${layer}`) + ` Darkest: ${exact(top, 2)}.`;
  }
  const placeOf = (event) => Number(event.target.closest?.("[data-place]")?.dataset.place ?? -1);
  const hover = (place) => { if (place !== hovered) { hovered = place; look(); } };
  story.addEventListener("mouseover", (event) => { if (!touched()) hover(placeOf(event)); });
  story.addEventListener("mouseleave", () => hover(-1));
  story.addEventListener("focusin", (event) => { const place = placeOf(event); if (place >= 0 && place !== focused) { focused = place; look(); } });
  story.addEventListener("focusout", (event) => { if (!story.contains(event.relatedTarget) && event.relatedTarget) { focused = -1; look(); } });
  story.addEventListener("click", (event) => { const place = placeOf(event); if (place >= 0) { hovered = -1; nodes[place].focus(); } });
  story.addEventListener("keydown", (event) => {
    const at = focused >= 0 ? focused : newest(), end = newest();
    const goal = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: end }[event.key];
    if (goal === undefined) return;
    event.preventDefault();
    hovered = -1;
    nodes[Math.max(0, Math.min(end, goal))].focus();
  });
  onTheme(cleanups, look);

  function code() {
    const head = model.get("head"), layer = (model.get("layer") || L) - 1;
    return `from course_lib.data import town

# read: the function that this view was made with
ids, logits, names, weights = read(${JSON.stringify(model.get("text"))}, [${model.get("drawn").join(", ")}])
story = [names[i] for i in ids[1:] if names[i] != "[EOS]"]
print(town.detokenise(tuple(story)))
for sentence in town.by_sentence(story):
    print(*story[sentence.start : sentence.stop], "| valid:", sentence.valid, "| consistent:", sentence.consistent)
looks = weights[${layer}]${head ? `[${head - 1}]` : ".mean(0)"}[-1]  # of the newest token
for i in looks.argsort(descending=True)[:${MOST_SEEN}].tolist():
    print(names[ids[i]], f"{looks[i]:.3f}")
`;
  }

  // one painting for all: tokens and weights of one answer belong together
  listen(model, cleanups, [...names, "ids", "n_drawn", "sentences", "verdict", "over", "draws", "answered", "logits", "weights", "message", "last", "layer", "head", "place"], soon(paint));
  listen(model, cleanups, ["answered", "over", "message"], on);
  paint();
  box.numbers = () => ({ tokens, answered: asking.isAnswered(), playing: playing !== null, shown: nodes.findIndex((node) => node.classList.contains("query")),
    row: [...rowOfWeights(triangle, { layers: L, heads: H, layer: model.get("layer") || L, head: model.get("head") }, Math.max(0, nodes.findIndex((node) => node.classList.contains("query"))))] });
  return () => cleanups.forEach((undo) => undo());
}

export default viewOf(render);
