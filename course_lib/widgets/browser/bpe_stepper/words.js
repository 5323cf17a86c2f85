// What BpeStepper says: the next merge and why it is this one, what a pair's count means, how far it has come.

const named = (token) => `“${isolated(token)}”`;
const timesOf = (n) => `${n} ${n === 1 ? "time" : "times"}`;
const grouped = (n) => n.toLocaleString("en-US");

// The next merge, in words. drawn(id): a token as it is drawn; number: of the merge, from 1; last: the view ends here.
function nextMerge(state, drawn, number, last) {
  if (!state.pairs.length) return state.size ? "No pair is left: each word is one token." : "Type a text with a word of two letters or more.";
  if (last) return `The view stops after ${number - 1} merges; training goes on as long as you ask for tokens.`;
  const first = state.pairs[0], taken = state.pairs[state.pick];
  const both = ({ left, right }) => `${named(drawn(left))} + ${named(drawn(right))}`;
  if (state.ties === 1) return `Merge ${number} takes ${both(first)}: the most frequent pair, ${timesOf(first.count)}.`;
  const tie = `${state.ties} pairs tie, ${timesOf(first.count)} each`;
  if (state.pick) return `Merge ${number}: ${tie}. You take ${both(taken)}; by the rule it would be ${both(first)}.`;
  return `Merge ${number}: ${tie}. By the rule, ${both(first)} is merged: its ids (${first.left}, ${first.right}) are the smallest.`;
}

// One pair: where it stands, and why a merge may take it fewer times than it was counted.
function pairStory(state, pair, times, drawn) {
  const taken = state.words.reduce((sum, word, w) => sum + times[w] * takenAt(word, pair).length, 0), n = pair.words.size;
  const where = `${named(drawn(pair.left))} + ${named(drawn(pair.right))}: ${timesOf(pair.count)}, in ${n} different ${n === 1 ? "word" : "words"}.`;
  return taken === pair.count ? where : `${where} Some overlap, as in “aaa”: a merge takes it only ${timesOf(taken)}.`;
}
