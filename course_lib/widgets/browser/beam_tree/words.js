// What BeamTree says: numbers, the order of the finished texts, why a hypothesis was dropped, where greedy went.

const raw = (x) => (x < 0 ? `−${exact(-x, 2)}` : exact(x, 2)); // a log-probability, in nats
const nth = (n) => `${n}${n % 100 > 10 && n % 100 < 14 ? "th" : { 1: "st", 2: "nd", 3: "rd" }[n % 10] ?? "th"}`;
const penaltyOf = (length, alpha) => ((5 + length) / 6) ** alpha; // Wu et al. 2016, eq. 14
const scoreOf = (node, alpha) => node.log_prob / penaltyOf(node.length, alpha);

function pathOf(nodes, node) {
  const path = [];
  for (let at = node; at; at = nodes[at.parent]) path.unshift(at);
  return path;
}
const textOf = (nodes, node) => pathOf(nodes, node).map(({ token }) => token).join(" ");

// The finished hypotheses up to a step, the best first.
function rankedEnds(nodes, step, alpha) {
  return nodes.filter((node) => node.status === "finished" && node.step <= step)
    .sort((a, b) => scoreOf(b, alpha) - scoreOf(a, alpha) || a.id - b.id);
}

// What became of a hypothesis, in one sentence.
function fateOf(nodes, node, ends, lastStep) {
  const same = nodes.filter(({ step }) => step === node.step), kept = same.filter(({ status }) => status !== "dropped");
  const place = `${nth(node.rank)} by its raw sum at step ${node.step}`;
  if (node.status === "dropped") {
    return `Dropped: it is ${place}, where ${kept.length} ${kept.length === 1 ? "was" : "were"} kept; the last of them has ${raw(kept.at(-1).log_prob)}.`;
  }
  if (node.status === "finished") return `Finished: it is ${place}, and ${nth(ends.indexOf(node) + 1)} of ${ends.length} in the list.`;
  const next = nodes.filter(({ parent }) => parent === node.id);
  if (next.some(({ status }) => status !== "dropped")) return `Kept: it is ${place}. The search goes on from it.`;
  if (node.step === lastStep) return `Kept: it is ${place}. The search ended before this text did.`;
  return `Kept: it is ${place}. But none of its continuations was kept at step ${node.step + 1}.`;
}

// Where greedy decoding and the first of the finished texts part, and what became of the truth.
function storyOf(nodes, ends, greedy, hasTruth) {
  const says = [], best = ends[0], mine = nodes.filter((node) => node.greedy);
  if (best && greedy.length) {
    const apart = pathOf(nodes, best).find((node) => !node.greedy), here = mine.filter(({ step }) => step < apart?.step).length;
    const other = apart && mine.find(({ step }) => step === apart.step);
    if (!apart) says.push("Greedy writes the first text of the list.");
    else {
      const took = other ? `“${isolated(other.token)}” (${exact(Math.exp(other.own), 2)})` : greedy[here] ? `“${isolated(greedy[here])}”` : "the end";
      says.push(`Greedy leaves the first text of the list at step ${apart.step}: it takes ${took}, not “${isolated(apart.token)}” (${exact(Math.exp(apart.own), 2)}).`);
    }
    const end = mine.at(-1);
    if (apart && end?.status === "finished") says.push(`In the end greedy’s text has the raw sum ${raw(end.log_prob)}, the other ${raw(best.log_prob)}.`);
    else if (apart && end?.status === "dropped") says.push(`This beam drops greedy’s path at step ${end.step}.`);
  }
  if (hasTruth && best) {
    const place = ends.findIndex((node) => node.truth), last = nodes.filter((node) => node.truth).at(-1);
    if (place >= 0) says.push(`The truth is ${nth(place + 1)} in the list.`);
    else if (last?.status === "dropped") says.push(`The truth was dropped at step ${last.step}: it was ${nth(last.rank)} there.`);
    else says.push(last ? `The truth is followed up to step ${last.step}, and not finished.` : "The truth is not in this tree.");
  }
  return says.join(" ");
}
