// Missions: tasks that rise in difficulty, each judged by the state that the lab has computed.

// state: { n, allowed (n × n), where, worst: the largest leak where the mask forbids }
const may = (s, i, j) => Boolean(s.allowed[i * s.n + j]);
const differences = (s, rule) => s.allowed.reduce((count, on, at) => count + (Boolean(on) !== rule(Math.floor(at / s.n), at % s.n)), 0);
const range = (n) => Array.from({ length: n }, (_, i) => i);
const causalRule = (i, j) => j <= i;

const MISSIONS = [
  {
    name: "empty row", text: "Close one whole row, and only one: its weights and its output become exactly 0.",
    done: (s) => s.where === "before" && range(s.n).filter((i) => range(s.n).every((j) => !may(s, i, j))).length === 1,
  },
  {
    name: "one look ahead", text: "Let one token see one later token; everything else stays causal.",
    done: (s) => s.where === "before" && differences(s, causalRule) === 1 && range(s.n).every((i) => range(i + 1).every((j) => may(s, i, j))),
  },
  {
    name: "perfect triangle", text: "Make a leak with a perfect triangle: exactly causal, and yet the future arrives.",
    done: (s) => s.n > 1 && differences(s, causalRule) === 0 && s.worst > 0,
  },
  {
    name: "relay", text: "Two layers: the first token reaches the last through exactly one token between, never directly.",
    done: (s) => s.where === "before" && s.n > 2 && !may(s, s.n - 1, 0)
      && range(s.n).filter((k) => may(s, s.n - 1, k) && may(s, k, 0)).length === 1,
  },
  {
    name: "two texts", text: "Pack two texts of two tokens or more into one row: causal, and neither sees the other.",
    done: (s) => s.where === "before" && range(s.n - 1).some((cut) => cut >= 2 && s.n - cut >= 2
      && differences(s, (i, j) => j <= i && i < cut === j < cut) === 0),
  },
  {
    name: "too late, no leak", text: "Choose “after softmax”, forbid at least one cell, and leak exactly nothing.",
    done: (s) => s.where === "after" && s.allowed.some((on) => !on) && s.worst === 0,
  },
];

// The list of missions; its first line says which is next. `judge(state)` after each change of the reader.
function missionList(model) {
  const root = element("details", "missions"), summary = element("summary"), list = element("ol");
  summary.setAttribute("aria-live", "polite");
  const lines = MISSIONS.map(({ text }) => element("li", "", text));
  list.append(...lines);
  root.append(summary, list);
  const held = new Set(); // true from the start, or since it was counted: only becoming true counts
  let first = true, last = "";

  function judge(state) {
    const done = new Set(model.get("done")), before = done.size;
    last = "";
    for (const mission of MISSIONS) {
      const now = state !== null && mission.done(state);
      if (now && !first && !held.has(mission.name) && !done.has(mission.name)) {
        done.add(mission.name);
        last = mission.text;
      }
      if (now) held.add(mission.name);
      else held.delete(mission.name);
    }
    first = false;
    if (done.size > before) {
      model.set("done", [...done]);
      model.tellSoon();
    }
    show();
  }
  let said = "";
  function show() {
    const done = new Set(model.get("done")), next = MISSIONS.find(({ name }) => !done.has(name));
    const now = `${last} ${[...done]}`;
    if (now === said) return; // heard once
    said = now;
    summary.replaceChildren(
      last ? element("b", "won", "✓ Done! ") : "", element("b", "", `Missions ${done.size} of ${MISSIONS.length}`),
      next ? ` · next: ${next.text}` : " · all done",
    );
    lines.forEach((line, i) => {
      const ticked = done.has(MISSIONS[i].name);
      line.classList.toggle("done", ticked);
      line.textContent = `${ticked ? "✓ " : ""}${MISSIONS[i].text}`;
    });
  }
  return { root, judge, show };
}
