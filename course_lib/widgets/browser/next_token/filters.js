// From logits to chances: temperature, then top-k, then top-p, as `course_lib/generation/filters.py` has it.

const COLDEST = 1e-5, ROUNDING = 1e-6; // as there
const STAGES = ["temperature", "top-k", "top-p"];

// Ids, the likeliest first; of equals the lower one.
function ranked(logits, order = Uint32Array.from(logits.keys())) {
  const behind = (a, b) => logits[a] < logits[b] || (logits[a] === logits[b] && a > b);
  for (let i = 1; i < order.length; i++) {
    if (behind(order[i - 1], order[i])) return [...order].sort((a, b) => (behind(a, b) ? 1 : -1));
  }
  return order;
}

function chancesOf(logits, stays) {
  const row = Float64Array.from(logits);
  softmaxRow(row, stays);
  return row;
}

// "model" and the three stages: the chances after each, V of them, and the ids that it removes, likeliest first.
// settings: {temperature, top_k, top_p}; null: no such filter. order: `ranked(logits)`.
function stagesOf(logits, settings, order = ranked(logits)) {
  const { temperature, top_k, top_p } = settings, size = logits.length;
  let stays = Uint8Array.from(logits, (logit) => logit > -Infinity);
  const stages = [{ name: "model", chances: chancesOf(logits, stays), removed: [] }];
  const cooled = temperature >= COLDEST ? Float32Array.from(logits, (logit) => logit / temperature) : logits;
  const places = ranked(cooled, order);
  const stage = (name, keeps) => {
    const before = stays;
    stays = before.map((stayed, id) => stayed && keeps[id]);
    stages.push({ name, chances: chancesOf(cooled, stays), removed: [...order].filter((id) => before[id] && !stays[id]) });
  };
  const all = new Uint8Array(size).fill(1);
  const first = (n) => { const keeps = new Uint8Array(size); for (let i = 0; i < Math.min(n, size); i++) keeps[places[i]] = 1; return keeps; };
  stage("temperature", temperature < COLDEST ? first(1) : all);
  stage("top-k", top_k === null ? all : first(top_k));
  let reached = 0, count = 0;
  if (top_p !== null && top_p < 1) {
    const chances = stages.at(-1).chances;
    while (count < size && reached < top_p * (1 - ROUNDING)) reached += chances[places[count++]];
  }
  stage("top-p", count ? first(count) : all);
  return stages;
}
