// NextToken: the chances of the token that comes next; what temperature, top-k and top-p make of them; and the draw.

const SHOWN = 12, MOST_IN_LIST = 300; // bars; names that can be listed

function render({ model, el }) {
  const cleanups = [];
  const box = viewBox(el, model.get("title"));
  box.classList.add("next-token");
  const settings = () => ({ temperature: model.get("temperature"), top_k: model.get("top_k"), top_p: model.get("top_p") });

  // ---- Controls ----
  const names = ["text", "drawn", "seed", "temperature", "top_k", "top_p"];
  const state = stateBar({ model, cleanups, names, code, start: () => model.get("start") });
  undoByKey(box, state);
  const asking = askingFor({ model, cleanups });
  const text = ownText({
    model, cleanups, state, label: "your beginning", rows: model.get("rows"), most: model.get("most"),
    change: () => ({ drawn: [] }), say: asking.later,
  });
  const draw = (many) => { state.remember(); asking.draw(many); };
  const one = button("Draw a token", "main", () => draw(1)), ten = button("Draw 10", "", () => draw(10)), which = element("span", "soft");
  const bar = element("div", "row");
  bar.append(one, ten, which);

  const sliders = element("div", "row sliders");
  const of = (name, label, min, max, value) => settingSlider({ model, state, name, label, min, max, value });
  const size = () => model.get("names").length;
  const sizes = [1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 30, 40, 50, 75, 100, 150, 200, 300, 500, 1000, 2000, 5000, 10000].filter((n) => n < size());
  const temperature = of("temperature", "temperature", 0, 40, (position) => position / 20);
  const topK = of("top_k", "top-k", 0, sizes.length, (position) => sizes[position] ?? null);
  const topP = of("top_p", "top-p", 1, 100, (position) => (position === 100 ? null : position / 100));
  sliders.append(temperature.root, topK.root, topP.root);

  const line = element("div", "pieces"), hint = element("div", "hint-line");
  line.tabIndex = 0;
  line.style.setProperty("--rows", model.get("rows"));
  onWidth(cleanups, line, () => { line.scrollTop = line.scrollHeight; }); // the newest token is seen
  line.setAttribute("role", "group");
  line.setAttribute("aria-label", "the text as the model reads it, token by token");
  hint.setAttribute("aria-live", "polite");
  const both = element("div", "both"), panel = wordBars(SHOWN + 1), list = element("ol", "stages");
  list.setAttribute("aria-label", "in this order");
  const steps = Array.from({ length: 4 }, () => {
    const item = element("li"), heading = element("div", "of"), words = element("div", "soft");
    item.append(heading, words);
    list.append(item);
    return { heading, words };
  });
  both.append(panel.root, list);
  const legend = element("div", "row legend");
  for (const [kind, words] of [["fill", "chance when it is drawn"], ["beside", "the model’s own chance"], ["removed", "removed by this stage"]]) {
    const item = element("span", "row");
    item.append(kind === "removed" ? element("s", "", "token") : element("span", `swatch ${kind}`), element("span", "", words));
    legend.append(item);
  }
  const words = size() <= MOST_IN_LIST ? [townWordList(model.get("names"), `the model’s ${size()} tokens`)] : [];
  box.append(text.root, line, bar, hint, sliders, both, legend, ...words, state.root);

  // ---- The text as tokens; what was drawn is coloured ----
  let shownIds = "";
  function paint() {
    const ids = model.get("ids"), all = model.get("names"), n = ids.length - model.get("n_drawn");
    const key = `${ids} ${n}`;
    if (key !== shownIds) {
      shownIds = key;
      line.replaceChildren(...ids.flatMap((id, i) => {
        const node = element("span", `piece${i < n ? "" : " drawn"}${i === ids.length - 1 && i >= n ? " newest" : ""}`, all[id]);
        return all[id].includes("⏎") ? [node, element("br")] : [node];
      }));
      line.scrollTop = line.scrollHeight;
    }
    point();
  }

  // ---- Chances and stages: computed here, whenever a slider moves ----
  let logits = new Float32Array(), order = [], kept = null;
  function point() {
    if (kept !== model.get("logits")) {
      kept = model.get("logits");
      logits = floats(kept);
      order = ranked(logits);
    }
    const now = settings(), all = model.get("names"), message = model.get("message"), waits = !asking.isAnswered();
    temperature.show(Math.round(20 * now.temperature), decimals(now.temperature));
    const stop = sizes.findIndex((n) => n >= (now.top_k ?? Infinity));
    topK.show(stop < 0 ? sizes.length : stop, now.top_k === null ? "off" : `${now.top_k}`);
    topP.show(Math.round(100 * (now.top_p ?? 1)), now.top_p === null ? "off" : decimals(now.top_p));
    const over = model.get("over"), none = over || !logits.length;
    for (const node of [one, ten]) node.setAttribute("aria-disabled", String(waits || none || Boolean(message)));
    which.textContent = `seed ${model.get("seed")}`;
    hint.classList.toggle("refusal", Boolean(message) && !waits);
    if (!waits) hint.textContent = message || (over ? "The text is over. Take the last draw back (Undo), or type another beginning." : asking.lastDraw() || "“Draw a token” takes one by these chances, and the text goes on.");
    box.classList.toggle("waiting", waits || Boolean(message));
    if (!none) show(now, all);
    panel.root.classList.toggle("ended", none);
    state.show();
  }
  function show(now, all) {
    const stages = stagesOf(logits, now, order), out = new Map(stages.flatMap(({ name, removed }) => removed.map((id) => [id, name])));
    const first = Array.from(order.slice(0, SHOWN)), rest = Array.from(order.slice(SHOWN)), sum = (stage) => rest.reduce((total, id) => total + stages[stage].chances[id], 0);
    const bars = first.map((id) => ({ word: all[id], probability: stages[3].chances[id], beside: stages[0].chances[id], said: out.has(id) ? out.get(id) : undefined }));
    if (rest.length) bars.push({ word: "all others", probability: sum(3), beside: sum(0), said: rest.every((id) => out.has(id)) ? [...new Set(rest.map((id) => out.get(id)))].join(", ") : undefined });
    const left = Array.from(order).filter((id) => stages[3].chances[id] > 0), own = left.reduce((total, id) => total + stages[0].chances[id], 0);
    panel.paint("the token that comes next", `${plural(left.length, "token")} left; the model gave ${left.length === 1 ? "it" : "them"} ${exact(own, 2)}${left.length === 1 ? "" : " together"}`, bars);
    storyOfStages(stages, order, all, now).forEach(([heading, sentence], i) => { steps[i].heading.textContent = heading; steps[i].words.textContent = sentence; });
  }

  function code() {
    const { temperature: t, top_k, top_p } = settings(), none = (x) => (x === null ? "None" : `${x}`);
    return `from course_lib.generation import trace_draw

# read: the function that this view was made with
ids, logits, names, *_ = read(${JSON.stringify(model.get("text"))}, [${model.get("drawn").join(", ")}])
trace = trace_draw(logits, temperature=${t}, top_k=${none(top_k)}, top_p=${none(top_p)}, generator=${model.get("seed")})
for stage in trace.stages:
    print(f"{stage.name:12} removes {len(stage.removed)}")
for i in trace.kept()[:${SHOWN}]:
    print(names[i], f"{trace.stages[-1].probabilities[i]:.3f}")
print("drawn:", names[trace.drawn])
`;
  }

  listen(model, cleanups, ["ids", "n_drawn", "names"], soon(paint));
  listen(model, cleanups, [...names, "draws", "answered", "logits", "over", "message", "last"], soon(point));
  paint();
  box.numbers = () => ({ tokens: model.get("ids").map((id) => model.get("names")[id]), answered: asking.isAnswered(),
    stages: stagesOf(logits, settings(), order).map(({ name, chances, removed }) => ({ name, removed, chances: [...chances] })) });
  return () => cleanups.forEach((undo) => undo());
}

export default viewOf(render);
