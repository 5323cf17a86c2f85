// BPE training step by step, as `viz/merging.py` has it: what stands where, which pairs there are, who tied.

// The pairs of all words: most frequent first, then smallest ids.
function pairTable(words, times) {
  const pairs = new Map();
  words.forEach((word, w) => {
    for (let i = 0; i + 1 < word.length; i++) {
      const key = pairKey(word[i], word[i + 1]);
      if (!pairs.has(key)) pairs.set(key, { left: word[i], right: word[i + 1], count: 0, words: new Set() });
      const pair = pairs.get(key);
      pair.count += times[w];
      pair.words.add(w);
    }
  });
  const table = [...pairs.values()].sort((a, b) => b.count - a.count || a.left - b.left || a.right - b.right);
  for (const pair of table) pair.tied = pair.count === table[0].count;
  return table;
}

// All states of a training, up to `most` merges; picks: the place in the table for each merge (0: by the rule).
function mergeStates(text, most, picks) {
  const counted = new Map();
  for (const word of splitWords(text)) counted.set(word, (counted.get(word) ?? 0) + 1);
  const times = [...counted.values()], tokens = BYTES.map((byte) => [byte]), states = [];
  let words = [...counted.keys()].map(byteIds);
  for (;;) {
    const pairs = pairTable(words, times), wanted = picks[states.length] ?? 0;
    const pick = pairs[wanted]?.tied ? wanted : 0;
    const size = words.reduce((sum, word, w) => sum + times[w] * word.length, 0);
    states.push({ words, pairs, pick, size, ties: pairs.filter(({ tied }) => tied).length });
    if (!pairs.length || states.length > most) return { states, tokens, times };
    const { left, right } = pairs[pick], made = tokens.length;
    tokens.push([...tokens[left], ...tokens[right]]);
    words = words.map((word) => mergePair(word, left, right, made));
  }
}

// The places in a word where a merge takes the pair: in `aaa` the pair `aa` is taken once.
function takenAt(word, { left, right }) {
  const places = [];
  for (let i = 0; i + 1 < word.length; i++) if (word[i] === left && word[i + 1] === right) places.push(i++);
  return places;
}
