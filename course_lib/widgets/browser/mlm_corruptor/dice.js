// The dice of torch's generator on a CPU, a Mersenne Twister (MT19937), and what they decide: as `viz/masking.py`.
// Source of the generator: Matsumoto and Nishimura 1998.

function mersenneTwister(seed) {
  const N = 624, M = 397, state = new Uint32Array(N);
  let at = N;
  state[0] = seed;
  for (let i = 1; i < N; i++) state[i] = Math.imul(1812433253, state[i - 1] ^ (state[i - 1] >>> 30)) + i;
  function twist() {
    for (let i = 0; i < N; i++) {
      const y = (state[i] & 0x80000000) | (state[(i + 1) % N] & 0x7fffffff);
      state[i] = state[(i + M) % N] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    at = 0;
  }
  return () => {
    if (at === N) twist();
    let y = state[at++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  };
}

// Three throws for each place: all first ones, all second ones, all words drawn from `nWords`.
function throwFor(seed, nPlaces, nWords) {
  const next = mersenneTwister(seed), list = (made) => Array.from({ length: nPlaces }, made);
  const share = () => (next() % 2 ** 24) / 2 ** 24;
  return { first: list(share), second: list(share), drawn: list(() => next() % nWords) };
}

const DONE = ["untouched", "masked", "replaced", "kept"];
const UNTOUCHED = 0, IS_MASKED = 1, IS_REPLACED = 2, IS_KEPT = 3;

// What is done at each place: its place in DONE. isWord: only words are chosen. torch compares in 32 bits.
function decide({ first, second }, isWord, { chosen, masked, replaced }) {
  const limit = Math.fround(chosen), below = [Math.fround(masked), Math.fround(masked + replaced)];
  return first.map((one, i) => (!isWord[i] || one >= limit ? UNTOUCHED : second[i] < below[0] ? IS_MASKED : second[i] < below[1] ? IS_REPLACED : IS_KEPT));
}

// How many places had what done to them, over the throws of the seeds from `from` to `to`.
function countThrows(from, to, isWord, nWords, shares, counts = { word: [0, 0, 0, 0], special: [0, 0, 0, 0] }) {
  for (let seed = from; seed <= to; seed++) {
    decide(throwFor(seed, isWord.length, nWords), isWord, shares).forEach((done, i) => { counts[isWord[i] ? "word" : "special"][done] += 1; });
  }
  return counts;
}

// Three shares in whole per cent that stay 100 together: `name` becomes `value`. The rest goes to the other two: the
// second one keeps what it had as long as there is room.
function balanced(before, name, value) {
  const [first, second] = { masked: ["kept", "replaced"], replaced: ["kept", "masked"], kept: ["masked", "replaced"] }[name];
  const left = 100 - value, other = Math.min(before[second], left);
  return { [name]: value, [second]: other, [first]: left - other };
}
