// AnswerGroup: answers to one question with rewards, advantages and what each token gains; drawn again by Python.

const MOST_SEEDS = 2 ** 32;

function render({ model, el }) {
  const cleanups = [];
  const box = viewBox(el, model.get("title"));
  box.classList.add("answer-group");
  const get = (name) => model.get(name), hasSecond = get("has_second");

  // ---- Controls ----
  const names = ["seed", "reward", "step", "clip", "answer", "token"];
  const state = stateBar({ model, cleanups, names, code, start: () => get("start") });
  undoByKey(box, state);
  const change = (what) => { state.remember(); model.set(what); model.tellSoon(); };
  const asked = element("div", "asked"), bar = element("div", "row"), which = element("span", "soft"), hint = element("div", "hint-line");
  asked.append(element("span", "soft", "asked"), element("bdi", "", get("question")));
  asked.hidden = !get("question");
  const again = button("Draw again", "main", () => change({ seed: (get("seed") + 1) % MOST_SEEDS }));
  const rewards = choice({ label: "reward", options: get("names").map((name) => [name, name]), onChoose: (reward) => change({ reward }) });
  const steps = choice({ label: "step", options: [[1, "1: as drawn"], [2, "2: one step later"]], onChoose: (step) => change({ step }) });
  const clip = settingSlider({ model, state, name: "clip", label: "clip ε", min: 0, max: 99, value: (position) => position / 100 });
  bar.append(again, which, rewards.root);
  const second = element("div", "row");
  second.append(steps.root, clip.root);
  second.hidden = !hasSecond;
  hint.setAttribute("aria-live", "polite");

  // ---- The answers: a line each; the tokens are options of one list ----
  const heads = element("div", "answer heads-of-answers"), list = element("div", "answers"), summary = element("div", "counted"), readout = element("div", "readout");
  heads.append(...[["nr", ""], ["said", "answer"], ["reward", "reward"], ["advantage", "advantage"]].map(([kind, text]) => element("span", kind, text)));
  heads.setAttribute("aria-hidden", "true");
  list.tabIndex = 0;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "tokens of the answers: left and right go along an answer, up and down to another");
  summary.setAttribute("aria-live", "polite");
  readout.setAttribute("aria-live", "polite");
  const legend = element("div", "row legend");
  for (const [kind, words] of [["up", "pushed up"], ["down", "pushed down"], ["held", "held back by the clip"]]) {
    if (kind === "held" && !hasSecond) continue;
    const item = element("span", "row");
    item.append(element("span", `arrow ${kind}`, ARROWS[kind]), element("span", "", words));
    legend.append(item);
  }
  legend.append(element("span", "", "0.42: chance when it was drawn"), ...(hasSecond ? [element("span", "", "×1.21: ratio, the new chance / that one")] : []));
  box.append(asked, bar, second, hint, heads, list, legend, summary, readout, state.root);

  const id = ownId("answer");
  let nodes = [], lines = []; // of tokens, (G, T); of answers
  const isAnswered = () => sameState({ seed: get("seed"), reward: get("reward"), step: get("step") }, get("answered"));
  // Answers, their comparison and the ratios that belong together: those of Python's last answer.
  const now = () => {
    const said = get("said"), step = get("answered").step ?? 1, group = get("compared")[get("reward")];
    const ratios = step === 2 && get("ratio").length === said.length ? get("ratio") : said.map(({ tokens }) => tokens.map(() => 1));
    return { said, step, group, ratios };
  };

  let built = "";
  function build(said) {
    const key = JSON.stringify(said.map(({ tokens }) => tokens));
    if (key === built) return;
    built = key;
    nodes = said.map(({ tokens }, g) => tokens.map((token, t) => {
      const node = element("span", "tok"), top = element("span", "top");
      top.append(element("bdi", "", labelOf(token)), element("span", "arrow"));
      node.append(top, element("span", "id-of"));
      node.id = `${id}-${g}-${t}`;
      Object.assign(node.dataset, { answer: g, token: t });
      node.setAttribute("role", "option");
      return node;
    }));
    lines = said.map((_, g) => {
      const root = element("div", "answer"), boxes = element("div", "said"), reward = element("span", "reward number"), advantage = element("span", "advantage"), track = element("span", "track"), fill = element("span", "fill"), number = element("span", "number");
      root.setAttribute("role", "group");
      boxes.setAttribute("role", "none");
      for (const node of [reward, advantage]) node.setAttribute("aria-hidden", "true");
      const nr = element("span", "nr soft", `${g + 1}`);
      nr.setAttribute("aria-hidden", "true");
      boxes.append(...nodes[g]);
      track.append(fill, element("span", "zero"));
      advantage.append(track, number);
      root.append(nr, boxes, reward, advantage);
      return { root, reward, fill, number };
    });
    list.replaceChildren(...lines.map(({ root }) => root));
    list.style.setProperty("--answers", Math.min(8, Math.max(2, said.length)));
  }
  function paint() {
    const { said, step, group, ratios } = now(), waits = !isAnswered(), message = waits ? "" : get("message");
    build(said);
    const top = Math.max(0, ...(group?.advantages ?? []).map(Math.abs));
    said.forEach(({ tokens, chances }, g) => {
      const advantage = group?.advantages[g] ?? 0, { root, reward, fill, number } = lines[g];
      reward.textContent = group ? wholeOr(group.rewards[g]) : "";
      number.textContent = group ? withSign(advantage) : "";
      fill.className = `fill ${advantage < 0 ? "down" : "up"}`;
      fill.style.width = `${top ? 50 * Math.abs(advantage) / top : 0}%`;
      root.setAttribute("aria-label", group ? `answer ${g + 1}: reward ${wholeOr(group.rewards[g])}, advantage ${withSign(advantage)}` : `answer ${g + 1}`);
      nodes[g].forEach((node, t) => {
        const push = group ? pushOf(ratios[g][t], advantage, get("clip")) : "none";
        node.classList.remove("up", "down", "held", "none");
        node.classList.add(push);
        node.querySelector(".arrow").textContent = ARROWS[push];
        node.querySelector(".id-of").textContent = step === 2 ? `×${short(ratios[g][t])}` : short(chances[t]);
        const goes = { up: "pushed up", down: "pushed down", held: "held back by the clip", none: "not pushed" }[push];
        node.setAttribute("aria-label", `${tokens[t]}, ${step === 2 ? `ratio ${short(ratios[g][t])}` : `chance ${short(chances[t])}`}, ${goes}`);
      });
    });
    hint.textContent = message || (waits ? "Python draws …" : `${said.length} answers of one policy to one question, drawn with seed ${get("answered").seed}.`);
    hint.classList.toggle("refusal", Boolean(message));
    box.classList.toggle("waiting", waits && (get("answered").seed !== get("seed") || get("answered").step !== get("step") || step === 2));
    summary.replaceChildren(...(group ? [element("div", group.no_signal ? "none" : "", sayGroup(group)), element("div", "soft", sayObjective(ratios, group, step, get("clip")))] : []));
    which.textContent = `seed ${get("seed")}`;
    again.setAttribute("aria-disabled", String(waits));
    rewards.show(get("reward"));
    steps.show(get("step"));
    clip.show(Math.round(100 * get("clip")), decimals(get("clip")));
    state.show();
    point();
  }

  // ---- One token ----
  const inside = (n, end) => Math.max(0, Math.min(end, n));
  function place() {
    const g = inside(get("answer"), nodes.length - 1);
    return [g, inside(get("token"), (nodes[g]?.length ?? 1) - 1)];
  }
  let pointed = null, marked = [];
  function point() {
    for (const node of marked) { node.classList.remove("on"); node.setAttribute("aria-selected", "false"); }
    marked = [];
    if (!nodes.length) { readout.textContent = ""; list.removeAttribute("aria-activedescendant"); return; }
    const [g, t] = place(), at = pointed && nodes[pointed[0]]?.[pointed[1]] ? pointed : [g, t], { said, step, group, ratios } = now();
    for (const node of nodes.flat()) if (!node.hasAttribute("aria-selected")) node.setAttribute("aria-selected", "false");
    const on = nodes[at[0]][at[1]], chosen = nodes[g][t];
    on.classList.add("on");
    chosen.setAttribute("aria-selected", "true");
    marked = [on, chosen];
    list.setAttribute("aria-activedescendant", chosen.id);
    const [what, then] = sayToken(said[at[0]].tokens[at[1]], said[at[0]].chances[at[1]], ratios[at[0]][at[1]], group?.advantages[at[0]] ?? 0, step, get("clip"));
    readout.replaceChildren(element("div", "", `Answer ${at[0] + 1}: ${what}`), element("div", "soft", group ? then : ""));
  }
  const pick = (answer, token) => {
    pointed = null;
    const [g, t] = place();
    if (answer !== g || token !== t) change({ answer, token });
    else point();
  };
  const look = (at) => { if (`${at}` !== `${pointed}`) { pointed = at; point(); } };
  const placeOf = (event) => { const node = event.target.closest?.("[data-token]"); return node ? [Number(node.dataset.answer), Number(node.dataset.token)] : null; };
  list.addEventListener("mouseover", (event) => { if (!touched()) look(placeOf(event)); });
  list.addEventListener("mouseleave", () => look(null));
  list.addEventListener("click", (event) => { const at = placeOf(event); if (at) pick(...at); });
  list.addEventListener("keydown", (event) => {
    const [g, t] = place(), end = (nodes[g]?.length ?? 1) - 1;
    const goal = { ArrowRight: [g, t + 1], ArrowLeft: [g, t - 1], ArrowDown: [g + 1, t], ArrowUp: [g - 1, t], Home: [g, 0], End: [g, end] }[event.key];
    if (goal === undefined || !nodes.length) return;
    event.preventDefault();
    const to = inside(goal[0], nodes.length - 1), next = inside(goal[1], nodes[to].length - 1);
    pick(to, next);
    nodes[to][next].scrollIntoView({ block: "nearest" });
  });

  function code() {
    return `import torch
from course_lib.training.rewards import group_advantages

# draw and rewards: what this view was made with
answers = draw(${get("seed")})
reward = rewards[${JSON.stringify(get("reward"))}]
scores = torch.tensor([[float(reward(tokens)) for tokens, _ in answers]])  # (1, G)
for (tokens, _), score, advantage in zip(answers, scores[0], group_advantages(scores)[0]):
    print(f"{score:6.2f} {advantage:+6.2f}  {' '.join(tokens)}")
`;
  }

  // one painting for all: answers, rewards and ratios of one draw belong together
  listen(model, cleanups, [...names.slice(0, 4), "answered", "said", "compared", "ratio", "message"], soon(paint));
  listen(model, cleanups, ["answer", "token"], soon(point));
  paint();
  box.numbers = () => {
    const { said, step, group, ratios } = now();
    return { answered: isAnswered(), tokens: said.map(({ tokens }) => tokens), step, group, ratios, ...(group ? objectiveOf(ratios, group.advantages, get("clip")) : {}) };
  };
  return () => cleanups.forEach((undo) => undo());
}

export default viewOf(render);
