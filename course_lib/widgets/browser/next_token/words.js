// What NextToken says of each stage.

const MOST_LISTED = 3; // removed tokens that are named
const plural = (n, what) => `${n.toLocaleString("en-US")} ${what}${n === 1 ? "" : "s"}`;

// stages: of `stagesOf`; order: ids, the likeliest first; names: id → token. Four [heading, sentence] pairs.
function storyOfStages(stages, order, names, { temperature, top_k, top_p }) {
  const best = order[0], removes = (i) => removal(stages[i].removed, stages[i - 1].chances, names);
  const cold = temperature < COLDEST, left = [...order].filter((id) => stages[3].chances[id] > 0);
  const change = `${named(names[best])} goes from ${exact(stages[0].chances[best], 2)} to ${exact(stages[1].chances[best], 2)}`;
  return [
    [`temperature ${decimals(temperature)}`, cold ? `Only the likeliest token stays. ${removes(1)}` : temperature === 1 ? "The logits stay as they are. Nothing is removed." : `Every logit is divided by ${decimals(temperature)}: ${change}. Nothing is removed.`],
    [top_k === null ? "top-k: off" : `top-k ${top_k}`, top_k === null ? "Nothing is removed." : `The ${top_k === 1 ? "likeliest token stays" : `${top_k} likeliest tokens stay`}. ${removes(2)}`],
    [top_p === null || top_p === 1 ? "top-p: off" : `top-p ${decimals(top_p)}`, top_p === null || top_p === 1 ? "Nothing is removed." : `The likeliest tokens stay until they reach ${decimals(top_p)} together. ${removes(3)}`],
    ["draw", left.length === 1 ? `One token is left: ${named(names[left[0]])} comes for certain.` : `One of ${plural(left.length, "token")}: the likeliest has ${exact(stages[3].chances[left[0]], 2)}, the last ${exact(stages[3].chances[left.at(-1)], 2)}.`],
  ];
}
function removal(ids, before, names) {
  if (!ids.length) return "Nothing is removed.";
  const share = ids.reduce((sum, id) => sum + before[id], 0), rest = ids.length - MOST_LISTED;
  const list = ids.slice(0, MOST_LISTED).map((id) => `${named(names[id])} ${exact(before[id], 2)}`).join(", ");
  return `Removed: ${plural(ids.length, "token")} with ${exact(share, 2)} together: ${list}${rest > 0 ? ` and ${rest.toLocaleString("en-US")} more` : ""}.`;
}
