// Byte-level BPE as `text/bpe.py` and `text/presplit.py` have it, and tokens drawn as in `viz/tokens.py`: the same
// words, ids, merges and signs. What `\s` means differs between Python and JavaScript, so it is written out.

const range = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
const SEEN = [...range(0x21, 0x7e), ...range(0xa1, 0xac), ...range(0xae, 0xff)]; // bytes that Latin-1 can print
const BYTES = [...SEEN, ...range(0, 255).filter((byte) => !SEEN.includes(byte))]; // id -> byte
const BYTE_IDS = range(0, 255).map((byte) => BYTES.indexOf(byte)); // byte -> id
const WORDS = /'(?:[stmd]|re|ve|ll)| ?(?:\p{L}+|\p{N}+|[^\p{White_Space}\p{L}\p{N}]+)|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

const wholeText = (text) => text.replace(/\p{Cs}/gu, "\ufffd"); // no halves of characters
const splitWords = (text) => text.match(WORDS) ?? [];
const bytesOf = (text) => [...new TextEncoder().encode(text)];
const byteIds = (word) => bytesOf(word).map((byte) => BYTE_IDS[byte]);

// ---- Merging and encoding ----
// `made` in place of the pair wherever it stands, from left to right: in `aaa`, `aa` stands once.
function mergePair(ids, left, right, made) {
  const merged = [];
  for (let i = 0; i < ids.length; i++) {
    if (ids[i] === left && ids[i + 1] === right) { merged.push(made); i++; } else merged.push(ids[i]);
  }
  return merged;
}

const pairKey = (left, right) => left * 2 ** 24 + right;

// A tokenizer out of its merges ([left, right] each): id -> bytes, and a text to ids, by rank.
function tokenizerOf(merges) {
  const tokens = BYTES.map((byte) => [byte]), ranks = new Map(), known = new Map();
  for (const [left, right] of merges) {
    ranks.set(pairKey(left, right), tokens.length);
    tokens.push([...tokens[left], ...tokens[right]]);
  }
  function encodeWord(word) {
    let ids = byteIds(word);
    for (;;) {
      let first = Infinity, at = -1; // the pair that was learned first
      for (let i = 0; i + 1 < ids.length; i++) {
        const rank = ranks.get(pairKey(ids[i], ids[i + 1])) ?? Infinity;
        if (rank < first) [first, at] = [rank, i];
      }
      if (at < 0) return ids;
      ids = mergePair(ids, ids[at], ids[at + 1], first);
    }
  }
  function encode(text) {
    return splitWords(text).flatMap((word) => {
      if (!known.has(word)) {
        if (known.size > 5000) known.clear();
        known.set(word, encodeWord(word));
      }
      return known.get(word);
    });
  }
  return { tokens, merges, encode };
}

// Pairs of ids as Python packs them: little-endian, four bytes an id.
function unpackedMerges(bytes) {
  const ids = range(1, bytes.byteLength / 4).map((n) => bytes.getUint32(4 * (n - 1), true));
  return range(1, ids.length / 2).map((n) => [ids[2 * n - 2], ids[2 * n - 1]]);
}

// ---- Drawing ----
const SIGNS = { " ": "·", "\n": "⏎", "\t": "⇥", "\r": "␍" };
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const hexOf = (bytes) => bytes.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");

// Bytes as whole letters (strings) and, where they are none, as bytes (numbers).
function lettersOf(bytes) {
  const letters = [];
  for (let i = 0; i < bytes.length;) {
    const length = bytes[i] < 0x80 ? 1 : bytes[i] >> 5 === 6 ? 2 : bytes[i] >> 4 === 14 ? 3 : bytes[i] >> 3 === 30 ? 4 : 0;
    let letter = bytes[i];
    try {
      if (length && i + length <= bytes.length) letter = strict.decode(Uint8Array.from(bytes.slice(i, i + length)));
    } catch { /* no letter: a byte */ }
    letters.push(letter);
    i += typeof letter === "string" ? length : 1;
  }
  return letters;
}

// One token as it is drawn: white space as signs, bytes that are no whole letters as ⟨e4 bd⟩.
function cellOf(bytes) {
  const letters = lettersOf(bytes);
  const shown = letters.map((letter) => {
    if (typeof letter === "number") return `⟨${hexOf([letter])}⟩`;
    return SIGNS[letter] ?? (/[\p{C}\p{Z}]/u.test(letter) ? `⟨${hexOf(bytesOf(letter))}⟩` : letter);
  }).join("").replaceAll("⟩⟨", " ");
  return {
    shown, hex: hexOf(bytes), whole: letters.every((letter) => typeof letter === "string"),
    breaks: bytes.filter((byte) => byte === 10).length,
  };
}
