// What the pictures of a training share: names that do not overlap, and where the training stands, in words.

// Rising places, neighbours pushed apart until every gap is kept.
function apart(places, gap) {
  const moved = [...places];
  for (let round = 0; round < 50; round++) {
    for (let i = 0; i + 1 < moved.length; i++) {
      const missing = gap - (moved[i + 1] - moved[i]);
      if (missing > 0.01) { moved[i] -= missing / 2; moved[i + 1] += missing / 2; }
    }
  }
  return moved;
}

const standing = (state, step, total) => ({
  waiting: "training has not started",
  training: `step ${Math.round(step)} of ${total}`,
  done: `done: ${total} steps`,
  stopped: `stopped at step ${Math.round(step)} of ${total}: the model keeps what it has learned so far`,
}[state]);

const signedNumber = (x) => `${x}`.replace("-", "−");
const signed = (x) => `${x < -0.005 ? "−" : "+"}${Math.abs(x).toFixed(2)}`;

// Round numbers from `low` to `high`, about `count` of them; 0 is one of them where it lies between.
function marksBetween(low, high, count) {
  const step = ticks(high - low, count)[1], marks = [];
  for (let i = Math.ceil(low / step - 1e-4); i * step <= high + 1e-4 * step; i++) marks.push(Number((i * step).toPrecision(6)) || 0);
  return marks;
}
