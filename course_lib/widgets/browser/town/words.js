// The reader's texts as one row of the Town's words, as `town_rows.py` has it: [CLS] a [SEP], or [CLS] a [SEP] b [SEP].

const CLS = "[CLS]", SEP = "[SEP]", MASK = "[MASK]", UNKNOWN = "[UNK]";
// Words in lower case, l' and d' of their own, and every other sign alone; white space as Python's \s.
const TOKEN = /aujourd'hui|[\p{L}\p{Nl}\p{No}]+'(?=[\p{White_Space}\x1c-\x1f]*[\p{L}\p{Nl}\p{No}])|[\p{L}\p{Nl}\p{No}]+|[^\p{White_Space}\x1c-\x1f]/gu;
const wholeLine = (text) => text.replace(/\p{Cs}/gu, "\ufffd"); // no halves of characters

const townTokens = (text) => wholeLine(text).toLowerCase().replaceAll("’", "'").match(TOKEN) ?? [];
const tokensWithBlanks = (text) => text.split(/\[mask\]/i).flatMap((part, i) => (i ? [MASK, ...townTokens(part)] : townTokens(part)));

// known: the Town's words. A place: what was typed, what it is read as, and whether it is a word.
function townRow(first, second, known, blanks = false) {
  const place = (typed) => {
    const isBlank = blanks && typed === MASK;
    return { typed, token: known.has(typed) || isBlank ? typed : UNKNOWN, isWord: known.has(typed), isBlank, special: false };
  };
  const special = (token) => ({ typed: token, token, isWord: false, isBlank: false, special: true });
  const [a, b] = [first, second].map((text) => (blanks ? tokensWithBlanks(text) : townTokens(text)).map(place));
  return [special(CLS), ...a, special(SEP), ...(b.length ? [...b, special(SEP)] : [])];
}
const refusedIn = (row) => row.filter(({ token, special }) => token === UNKNOWN && !special).map(({ typed }) => typed);

// A token as it can be drawn: what would not be seen gets a sign.
const seenToken = (token) => labelOf(token.replace(/^\p{M}/u, "◌$&").replace(/[\p{Cc}\p{Cf}\p{Cn}\p{Co}]/gu, "·"));
const inQuotes = (token) => `“${isolated(seenToken(token))}”`;

const MOST_NAMED = 4; // refused words
function refusal(refused) {
  const names = [...new Set(refused)], more = names.length - MOST_NAMED;
  const list = names.slice(0, MOST_NAMED).map(inQuotes).join(", ");
  return `Not among the Town’s words: ${list}${more > 0 ? ` and ${more} more` : ""}`;
}
