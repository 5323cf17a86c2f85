// ArchitectureView: a batch on its way through the Transformer. A slider lights one box after the other; buttons change
// the family. Every box can be pointed at, tapped, or reached by Tab and arrow keys.

const ROOM_FOR_TWO = 720; // pixels that encoder and decoder need side by side
const SECOND = 1000; // milliseconds a step of Play

function render({ model, el }) {
  const cleanups = [];
  const box = viewBox(el, model.get("title"));
  box.classList.add("architecture");
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const kinds = Object.fromEntries(model.get("families").map((kind) => [kind.name, kind]));
  const norm = () => (model.get("norm_first") ? "pre" : "post");
  const table = () => model.get("tables")[`${norm()} ${model.get("family")}`];
  const kind = () => kinds[model.get("family")];
  const order = () => table().order;
  const step = () => Math.max(1, Math.min(order().length, model.get("step")));
  const lit = () => order()[step() - 1];

  const families = choice({
    label: "family", className: "families", options: Object.keys(kinds).map((name) => [name, name]),
    onChoose: (family) => set({ family, step: sameBox(family, norm()) }),
  });
  const about = element("div", "about");
  const scrub = slider({ label: "step", min: 1, max: 2, onInput: (to) => { pause(); go(to); }, onRelease: () => model.tellSoon() });
  const button = (text, act, className = "") => {
    const node = element("button", className, text);
    node.type = "button";
    node.addEventListener("click", act);
    return node;
  };
  const back = button("‹ Back", () => { pause(); go(step() - 1); });
  const next = button("Next ›", () => { pause(); go(step() + 1); });
  const play = button("Play", () => (timer === null ? start() : pause()), "main");
  const bar = element("div", "row steps");
  const moves = toggle({
    label: "norm first (pre-norm)",
    onChange: (norm_first) => set({ norm_first, step: sameBox(model.get("family"), norm_first ? "pre" : "post") }),
  });
  const steer = element("span", "steer");
  steer.append(back, play, next);
  bar.append(steer, scrub.root);
  const norms = element("span", "soft", model.get("norm_first") ? "pre-norm, as this model has it" : "post-norm, as this model has it");
  const top = element("div", "row top");
  top.append(families.root, model.get("switchable") ? moves.root : norms);

  const stage = element("div", "drawing"), side = element("div", "side");
  const readout = element("div", "readout"), sum = element("div", "sum-of");
  readout.setAttribute("aria-live", "polite");
  side.append(readout, sum);
  const whole = element("div", "whole");
  whole.append(stage, side);
  box.append(top, about, bar, whole);

  function set(change) {
    model.set(change);
    model.tellSoon();
  }
  // The step at which another table lights the box that is lit now, or the first.
  function sameBox(family, place) {
    const [from, part] = lit().split("."), there = model.get("tables")[`${place} ${family}`].order;
    const places = [`${from}.${part}`, `encoder.${part}`, `decoder.${part}`].map((key) => there.indexOf(key));
    return 1 + Math.max(0, places.find((at) => at >= 0) ?? 0);
  }
  function go(to) {
    if (to >= 1 && to <= order().length && to !== model.get("step")) set({ step: to });
  }

  // ---- Play: a second a step ----
  let timer = null;
  function start() {
    if (step() === order().length) go(1);
    timer = setInterval(() => {
      go(step() + 1);
      if (step() >= order().length) pause();
    }, SECOND);
    showSteer();
  }
  function pause() {
    clearInterval(timer);
    timer = null;
    showSteer();
  }
  cleanups.push(() => clearInterval(timer));
  function showSteer() {
    play.textContent = timer === null ? "Play" : "Pause";
    back.disabled = step() === 1;
    next.disabled = step() === order().length;
  }

  // ---- The drawing ----
  let width = 0, now = null, pointed = null; // pointed: a box that is only looked at
  const narrow = () => box.clientWidth < ROOM_FOR_TWO + 30;
  function draw() {
    const hadFocus = stage.contains(document.activeElement) && document.activeElement.dataset.key;
    box.classList.toggle("narrow", narrow());
    now = drawPlan(stage, model.get("plans")[norm()][narrow() ? "narrow" : "wide"], table(), {
      width: stage.clientWidth, masks: kind().masks, residual: table().residual,
      onRead: (key) => { pointed = key; read(); }, onChoose: choose,
    });
    if (hadFocus) (now.nodes[hadFocus] ?? now.nodes[lit()]).focus({ preventScroll: true });
  }
  onWidth(cleanups, box, (wide) => {
    width = wide;
    box.classList.toggle("narrow", narrow());
    hold();
    paint();
  });
  // What is said is longer here and shorter there: the view keeps the height of the longest.
  function hold() {
    const tallest = (node, fills) => {
      node.style.minHeight = "";
      const heights = fills.map((fill) => { node.replaceChildren(...fill()); return node.getBoundingClientRect().height; });
      node.style.minHeight = `${Math.ceil(Math.max(...heights))}px`;
    };
    const all = Object.entries(model.get("tables")).map(([name, each]) => [each, kinds[name.split(" ")[1]]]);
    tallest(about, Object.values(kinds).map((each) => () => aboutOf(each)));
    tallest(sum, all.map(([each]) => () => sumOf(each)));
    tallest(readout, all.flatMap(([each, { masks }]) => each.order.map((key) => () => readingOf(key, each, masks, each.prefix))));
  }
  const aboutOf = ({ about: text, known }) => [text, " ", element("span", "soft", `For example: ${known}.`)];
  function read() {
    readout.replaceChildren(...readingOf(pointed ?? lit(), table(), kind().masks, table().prefix));
  }

  // ---- Painting ----
  let drawnFor = "";
  function paint() {
    if (!width) return;
    const needs = `${norm()} ${model.get("family")} ${width}`;
    if (needs !== drawnFor) {
      drawnFor = needs;
      pointed = null;
      draw();
      about.replaceChildren(...aboutOf(kind()));
      sum.replaceChildren(...sumOf(table()));
      scrub.root.querySelector("input").max = order().length;
    }
    now.light(lit(), order().slice(0, step() - 1));
    families.show(model.get("family"));
    moves.show(model.get("norm_first"));
    const { name } = table().boxes[lit()];
    scrub.show(step(), `${step()} of ${order().length}`);
    scrub.root.querySelector("input").setAttribute("aria-valuetext", `step ${step()} of ${order().length}: ${name}`);
    showSteer();
    if (!now.nodes[pointed]?.matches(":hover, :focus")) pointed = null;
    read();
    for (const node of Object.values(now.nodes)) node.tabIndex = -1;
    (now.nodes[pointed] ?? now.nodes[lit()]).tabIndex = 0;
    bringIntoSight(now.nodes[lit()]);
  }
  // In a small window the drawing scrolls in a window of its own.
  function bringIntoSight(node) {
    if (!narrow()) return;
    const to = node.offsetTop - (stage.clientHeight - node.offsetHeight) / 2;
    stage.scrollTo({ top: to, behavior: calm ? "auto" : "smooth" });
  }

  // ---- Boxes: chosen by click, tap, arrow keys ----
  function choose(key) {
    pause();
    pointed = key;
    const place = order().indexOf(key);
    if (place >= 0) {
      pointed = null;
      if (place + 1 === model.get("step")) paint();
      else go(place + 1);
    } else read();
    for (const node of Object.values(now.nodes)) node.tabIndex = -1;
    now.nodes[key].tabIndex = 0;
    now.nodes[key].focus({ preventScroll: true });
  }
  stage.addEventListener("keydown", (event) => {
    const key = document.activeElement?.dataset?.key ?? stage.getRootNode().activeElement?.dataset?.key;
    if (!key) return;
    const keys = Object.keys(now.nodes), at = keys.indexOf(key), other = key.startsWith("encoder") ? "decoder" : "encoder";
    const middle = (name) => now.nodes[name].offsetTop + now.nodes[name].offsetHeight / 2;
    const across = keys.filter((name) => name.startsWith(other)).sort((a, b) => Math.abs(middle(a) - middle(key)) - Math.abs(middle(b) - middle(key)))[0];
    const to = {
      ArrowUp: keys[at + 1], ArrowDown: keys[at - 1], Home: keys[0], End: keys.at(-1),
      ArrowRight: narrow() ? keys[at + 1] : other === "decoder" ? across : key, ArrowLeft: narrow() ? keys[at - 1] : other === "encoder" ? across : key,
    }[event.key];
    if (!(event.key.startsWith("Arrow") || event.key === "Home" || event.key === "End")) return;
    event.preventDefault();
    if (to) choose(to);
  });
  box.addEventListener("keydown", (event) => {
    const by = { PageUp: -1, PageDown: 1 }[event.key];
    if (!by) return;
    event.preventDefault();
    pause();
    go(step() + by);
  });

  listen(model, cleanups, ["family", "norm_first", "step"], soon(paint));
  box.shown = () => ({ lit: lit(), total: table().total }); // for the browser's console
  return () => cleanups.forEach((undo) => undo());
}

export default viewOf(render);
