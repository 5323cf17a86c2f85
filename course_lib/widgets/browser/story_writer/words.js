// What StoryWriter says: of each sentence, of the whole story, and of where a token looks.

function verdictOf({ finished, valid, consistent, error }) {
  if (!finished) return ["…", "is being told"];
  if (!valid) return ["✗", `not valid: ${error}`];
  if (consistent === null) return ["?", "valid; after a wrong sentence the facts are no longer known"];
  return consistent ? ["✓", "valid and consistent"] : ["✗", `valid, not consistent: ${error}`];
}
function wholeVerdict(verdict, over) {
  if (!over) return "The Town judges each sentence when its full stop comes, and the story when it ends.";
  if (verdict.consistent) return "✓ The whole story is valid and consistent.";
  const where = /^(sentence \d+)[:,]/.exec(verdict.error)?.[1] ?? verdict.error; // what is wrong stands at its sentence
  return `✗ The story is ${verdict.valid ? "valid, not consistent" : "not valid"}: ${where}.`;
}

const MOST_SEEN = 4; // tokens that are named
// row: the weights of a query over the tokens up to it.
function looksAt(row, tokens, place, whose) {
  const best = [...row.keys()].sort((a, b) => row[b] - row[a] || a - b).slice(0, MOST_SEEN);
  return `${named(tokens[place])} (token ${place + 1}) looks most at ${best.map((i) => `${named(tokens[i])} ${exact(row[i], 2)}`).join(", ")}: ${whose}.`;
}

// The weights of query `place` over what stands up to it: of one head, or the mean of a layer's heads (head 0).
// triangle: for each query its rows, one a head, layer after layer, as 16-bit shares.
function rowOfWeights(triangle, { layers, heads, layer, head }, place) {
  const length = place + 1, row = new Float64Array(length);
  const from = (layers * heads * place * length) / 2 + (layer - 1) * heads * length;
  const chosen = head ? [head - 1] : Array.from({ length: heads }, (_, i) => i);
  for (const h of chosen) for (let k = 0; k < length; k++) row[k] += triangle[from + h * length + k] / 65535 / chosen.length;
  return row;
}
