// What is trained in a row of chats: flags, counts, and what each input has to say.

const WRITTEN = ["assistant", "call"], END_OF_TURN = "<|end|>";

// token: of Python's row, with the loss on answers only.
const isTrained = (token, loss) => (loss === "everything" ? token.turn >= 0 : token.trained);
const turnOf = ({ chat, turn }) => `${chat} ${Math.max(0, turn)}`; // what stands before all turns is drawn with the first

function countRow(tokens, loss) {
  const trained = tokens.filter((token) => isTrained(token, loss));
  const turns = new Set(tokens.filter(({ role }) => WRITTEN.includes(role)).map(turnOf));
  const others = new Set(tokens.filter(({ role }) => role && !WRITTEN.includes(role)).map(turnOf));
  return { tokens: tokens.length, trained: trained.length, ends: trained.filter(({ token, marker }) => marker && token === END_OF_TURN).length, turns: turns.size, others: others.size };
}

const many = (n, what) => `${n.toLocaleString("en-US")} ${what}${n === 1 ? "" : "s"}`;
function sayCounts(tokens, loss) {
  const { tokens: all, trained, ends, turns, others } = countRow(tokens, loss);
  const share = all ? Math.round(100 * trained / all) : 0;
  const first = `${many(all, "token")}: ${trained.toLocaleString("en-US")} trained (${share} %), ${(all - trained).toLocaleString("en-US")} given.`;
  if (loss === "everything") {
    const rest = others ? ` The other ${others === 1 ? "one teaches" : `${others} teach`} it to write what others say.` : "";
    return `${first} Ends trained: ${ends}, but the assistant writes only ${many(turns, "turn")}.${rest}`;
  }
  return `${first} Ends trained: ${ends}, one for each of the ${many(turns, "turn")} that the assistant writes.`;
}

// The label of the input at place i: null where the row ends.
function labelAt(tokens, i, loss) {
  const next = tokens[i + 1];
  return next === undefined ? null : { next, trained: isTrained(next, loss), other: next.chat !== tokens[i].chat };
}

// Two sentences on the token at place i: what it is, and what has to be said there.
function sayPlace(tokens, i, loss) {
  const token = tokens[i], name = inQuotes(token.token), label = labelAt(tokens, i, loss);
  const whose = token.turn < 0 ? "it begins the chat" : token.marker ? `a marker of the ${token.role} turn` : `said in the ${token.role} turn`;
  const unknown = !token.marker && token.typed !== token.token ? ` Typed was ${inQuotes(token.typed)}: no word that has an id.` : "";
  const own = isTrained(token, loss) ? `trained: it is the label at place ${i - 1}` : token.kind === "tool" ? "given by the tool, never trained" : "given";
  const first = `Place ${i}: ${name}, id ${token.id}, ${whose}; ${own}.${unknown}`;
  if (!label) return [first, `It is the last token: nothing comes next, so it is no input. ${many(tokens.length, "token")} make ${many(tokens.length - 1, "input")} and as many labels.`];
  const next = inQuotes(label.next.token);
  if (label.trained) return [first, `Reading it, the model must say the next token: ${next}, id ${label.next.id}. This counts in the loss.`];
  const why = label.other ? "The next token begins another chat, and nothing here says which" : `The next token, ${next}, is given`;
  return [first, `${why}: the label is −100 (·), and nothing counts here.`];
}
