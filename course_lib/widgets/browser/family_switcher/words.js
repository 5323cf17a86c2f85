// What FamilySwitcher says: whom a token sees, what is asked of it in training, and how likely a word is.

const quoted = (token) => `“${isolated(token)}”`;
const ordinal = (n) => `${n}${n % 100 > 10 && n % 100 < 14 ? "th" : { 1: "st", 2: "nd", 3: "rd" }[n % 10] ?? "th"}`;
const tokensOf = (n) => `${n} ${n === 1 ? "token" : "tokens"}`;

// Whom a token sees, in one sentence; `cross`: the family has two stacks.
function sightOf(scene, now, cross, place) {
  const read = now.reads.map((word) => word !== null), all = read.filter(Boolean).length, name = quoted(scene.tokens[place]);
  if (!read[place]) return `${name} is not read${now.kinds[place] === "predicted" ? ": it is only said" : ""}. It sees nobody, and nobody sees it.`;
  const seen = scene.tokens.map((_, j) => j).filter((j) => read[j] && now.open[place][j] === "1");
  const by = scene.tokens.map((_, i) => i).filter((i) => read[i] && now.open[i][place] === "1").length;
  const inside = seen.filter((j) => j < scene.n_input).length, readInput = read.slice(0, scene.n_input).filter(Boolean).length, outside = seen.length - inside;
  const whole = inside === readInput, later = place >= scene.n_input, readOutput = all - readInput;
  const parts = [];
  if (inside) parts.push(whole ? `the whole input${later && cross ? ", through cross-attention," : ""}` : "the input up to itself");
  if (outside) parts.push(outside < readOutput || place === all - 1 && seen.length < all ? "the output up to itself" : "the whole output");
  if (!outside && readOutput) parts.push("nothing of the output");
  const list = parts.join(" and ").replace(",  and", ", and");
  return `${name} sees ${seen.length === all ? `all ${tokensOf(all)}` : `${seen.length} of ${tokensOf(all)}`}: ${list}. ${by === all ? "All" : by} ${by === 1 ? "sees" : "see"} it.`;
}

// What training asks at this place.
function taskOf(scene, now, place) {
  const name = quoted(scene.tokens[place]), next = scene.tokens[place + 1], kind = now.kinds[place];
  const writes = now.kinds.at(-1) === "predicted"; // the end is said, so each word is said at the place before
  const here = writes && now.reads[place] !== null && now.kinds[place + 1] === "predicted" ? ` At its place the model must say the next token, ${quoted(next)}.` : "";
  if (kind === "ignored") return `In training ${name} is ignored: neither read nor counted.`;
  if (kind === "given") return `In training ${name} is given: it need not be said.${here}`;
  if (!writes) return `In training ${quoted(now.reads[place] ?? "")} stands in its place, and the model must say ${name}: predicted, it counts in the loss.`;
  return `In training ${name} is predicted: said at the place before, it counts in the loss.${here}`;
}
