// What a trained model says next, as bars: Python computes them, and the bars before the last step stay as outlines.

const MOST_WORDS = 7;
const PADDING = "[PAD]";

// What the model said last about n tokens: its weights and its next words (null: nothing yet about so many). What was
// forbidden since is 0 at once.
function replyOf(model, n) {
  const allowed = arrayOf(model.get("allowed")), said = arrayOf(model.get("head_weights")), heads = model.get("heads").length;
  const head = model.get("head"), weights = new Float64Array(n * n), leak = new Float64Array(n * n), cells = n * n;
  if (said.length !== heads * cells) return { allowed, weights, leak, next: null };
  for (let h = 0; h < heads; h++) {
    if (head >= 0 && h !== head) continue;
    for (let i = 0; i < cells; i++) weights[i] += said[h * cells + i] / (head < 0 ? heads : 1);
  }
  if (model.get("where") !== "none") for (let i = 0; i < cells; i++) if (!allowed[i]) weights[i] = 0;
  return { allowed, weights, leak, next: arrayOf(model.get("probabilities")) };
}

// Mean of −ln p over the words of the text after its first token: what the model's guesses cost, in nats a word.
function lossOf(probabilities, tokens, vocabulary) {
  let nats = 0, counted = 0;
  for (let t = 0; t + 1 < tokens.length; t++) {
    const place = vocabulary.indexOf(tokens[t + 1]);
    if (place < 0 || tokens[t + 1] === PADDING) continue;
    nats -= Math.log(probabilities[t * vocabulary.length + place]);
    counted += 1;
  }
  return counted ? nats / counted : null;
}

function nextWordBars() {
  const root = element("div", "lab next"), title = element("div", "lab-title"), list = element("div", "bars");
  const soft = element("div", "soft", "bar: chance of the next word · outline: before the change · gold: what the text says");
  root.append(title, soft, list);
  // now, old: (T × V) chances; row: after which token; waiting: Python has not answered the last change
  function show({ tokens, vocabulary, now, old, row, waiting }) {
    const V = vocabulary.length, at = (values, word) => values[row * V + word];
    const truth = tokens[row + 1] === PADDING ? -1 : vocabulary.indexOf(tokens[row + 1] ?? "");
    title.replaceChildren("Next word after “", element("bdi", "query", tokens[row]), "”");
    root.classList.toggle("waiting", waiting);
    const best = Array.from({ length: V }, (_, word) => word).sort((a, b) => at(now, b) - at(now, a)).slice(0, MOST_WORDS);
    if (truth >= 0 && !best.includes(truth)) best.splice(MOST_WORDS - 1, 1, truth);
    list.replaceChildren(...best.map((word) => {
      const line = element("div", word === truth ? "bar truth" : "bar"), track = element("span", "track");
      const fill = element("span", "fill"), before = element("span", "before");
      fill.style.width = `${100 * at(now, word)}%`;
      before.style.width = `${100 * (old ? at(old, word) : 0)}%`;
      before.hidden = !old || Math.abs(at(old, word) - at(now, word)) < MOVED;
      track.append(fill, before);
      line.setAttribute("role", "img");
      line.append(element("bdi", "word", vocabulary[word]), track, element("span", "number", exact(at(now, word), 2)));
      line.setAttribute("aria-label", `${vocabulary[word]}: ${exact(at(now, word), 2)}${word === truth ? ", the word of the text" : ""}`);
      return line;
    }));
  }
  return { root, show };
}
