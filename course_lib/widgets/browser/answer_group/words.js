// What AnswerGroup says: of the group, of the objective, of one token.

const withSign = (value) => (value > 0 ? `+${short(value)}` : short(value));
const wholeOr = (value) => (Number.isInteger(value) ? short(value, 0) : short(value));
const howMany = (n, what) => `${n} ${what}${n === 1 ? "" : "s"}`;
const ARROWS = { up: "▲", down: "▼", held: "‖", none: "·" };

// Which way a token is pushed: "up", "down", "held" (by the clip) or "none".
function pushOf(ratio, advantage, clip) {
  if (gainOf(ratio, advantage, clip).held) return "held";
  return advantage > 0 ? "up" : advantage < 0 ? "down" : "none";
}

function sayGroup({ rewards, mean, std, no_signal: none }) {
  if (none) return `All ${rewards.length} rewards are ${wholeOr(mean)}: no signal. All advantages are 0, and no token is pushed.`;
  return `Mean reward ${short(mean)}, standard deviation ${short(std)} (of a sample: G − 1). Advantage = (reward − mean) / standard deviation.`;
}
function sayObjective(ratios, { advantages, no_signal: none }, step, clip) {
  const { objective, up, down, held, all } = objectiveOf(ratios, advantages, clip);
  if (none) return "The gradient is 0: this group teaches nothing.";
  const pushed = `${howMany(up, "token")} up (▲), ${down} down (▼)`;
  if (step === 1) return `Every ratio is 1, so the objective is the mean advantage: 0. Its gradient is not 0: it pushes ${pushed}.`;
  return `One step later the objective is ${withSign(Math.abs(objective) < 1e-9 ? 0 : objective)}. It pushes ${pushed}; the clip holds back ${held} of ${all} (‖).`;
}

// Two sentences on one token.
function sayToken(token, chance, ratio, advantage, step, clip) {
  const name = named(token), { gain, held } = gainOf(ratio, advantage, clip);
  const first = step === 1 ? `${name} was drawn with chance ${exact(chance)}.` : `${name} was drawn with chance ${exact(chance)}; after one step it has ${exact(chance * ratio)}: ratio ${short(ratio, 3)}.`;
  if (advantage === 0) return [first, "Its answer has advantage 0: nothing pushes this token."];
  const goes = advantage > 0 ? "up" : "down", whole = `Its whole answer has advantage ${withSign(advantage)}`;
  if (step === 1) return [first, `${whole}, so this token is pushed ${goes}, like all the others of the answer. Ratio 1: gain 1 × ${withSign(advantage)}.`];
  const edge = advantage > 0 ? 1 + clip : 1 - clip, product = `${short(ratio, 3)} × ${withSign(advantage)}`;
  if (held) return [first, `${whole}. The ratio is past ${short(edge, 3)}: the gain stays at ${short(edge, 3)} × ${withSign(advantage)} = ${withSign(gain)}, and nothing pushes this token further.`];
  return [first, `${whole}: gain ${product} = ${withSign(gain)}; it is pushed further ${goes}.`];
}
