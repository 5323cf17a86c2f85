// What MlmCorruptor says: of one token, what was thrown and what came of it.

const perCent = (share, digits = 0) => `${(100 * share).toFixed(digits)} %`;
const percentOf = (share) => (Math.abs(100 * share - Math.round(100 * share)) < 1e-6 ? perCent(share) : perCent(share, 1));
// A throw, cut and not rounded: what is below a limit must look so.
const thrown = (x) => (Math.floor(x * 1000) / 1000).toFixed(3);

// place: of townRow; throws: its [first, second]; drawn: the word that would stand there.
function storyOfToken(place, [first, second], drawn, done, { chosen, masked, replaced }) {
  const name = inQuotes(place.token), limit = masked + replaced;
  if (place.special) return [`${name} is a special token: it is never chosen.`, "It is read as it is, and does not count in the loss."];
  if (!place.isWord) return [`${inQuotes(place.typed)} is not among the Town’s words: it is read as ${UNKNOWN}.`, "What is no word is never chosen, and does not count in the loss."];
  if (done === UNTOUCHED) return [`${name}: first throw ${thrown(first)}, not below ${thrown(chosen)}: not chosen.`, "It is read as it is, and does not count in the loss: its label is −100."];
  const why = { [IS_MASKED]: `below ${thrown(masked)}: masked`, [IS_REPLACED]: `from ${thrown(masked)} up to ${thrown(limit)}: replaced`, [IS_KEPT]: `${thrown(limit)} or more: kept` }[done];
  const same = drawn === place.token ? ", by chance the word that was there" : "";
  const reads = { [IS_MASKED]: `The model reads ${MASK}`, [IS_REPLACED]: `The model reads ${inQuotes(drawn)}, drawn from all words${same},`, [IS_KEPT]: `The model reads ${name}, as it is,` }[done];
  return [`${name}: first throw ${thrown(first)}, below ${thrown(chosen)}: chosen. Second throw ${thrown(second)}, ${why}.`, `${reads} and must say ${name}.`];
}
