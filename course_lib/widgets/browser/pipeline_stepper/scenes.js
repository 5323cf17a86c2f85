// Where the matrices stand in each of the five steps, for any width. A step takes one or two matrices and makes one.

const NAMES = ["MatMul", "Scale", "Mask", "Softmax", "MatMul"];
const SCENES = [
  { left: "q", above: "k", result: "scores" },
  { before: "scores", result: "scaled" },
  { before: "scaled", result: "masked" },
  { before: "masked", result: "weights" },
  { left: "weights", above: "v", result: "output" },
];
const LARGEST = 60, LEAST_WITH_NUMBERS = 34; // widths of a cell in pixels
const CAPTION = 22, HEADS = 21, GAP = 16, SIGN = { width: 84, height: 30 }, FEATURE = 32; // pixels around the cells

// How large cells are in this width, and whether matrices stand side by side or under one another.
// S, K, C: keys, features of queries and keys, features of values; longest: characters of a token.
function sizesFor(width, { S, K, C, longest }) {
  const names = Math.round(Math.min(7.8 * longest + 14, 120, 0.3 * width));
  const beside = Math.floor(Math.min(
    (width - names - GAP - FEATURE) / (K + S), (width - names - SIGN.width) / (2 * S), (width - 2 * names - GAP) / (S + C))) - 1;
  const stacked = beside < (width < 700 ? 40 : LEAST_WITH_NUMBERS);
  const room = stacked ? Math.floor((width - names) / Math.max(S, K, C)) - 1 : beside;
  const cell = Math.max(8, Math.min(LARGEST, room));
  const line = cell >= 52 ? 34 : cell >= LEAST_WITH_NUMBERS ? 30 : 22;
  return { names, stacked, cell, line, numbers: cell >= LEAST_WITH_NUMBERS };
}

// The place of each matrix of each step: {x, y} of its first cell, and whether it carries the names of its rows and
// columns. What a step makes stands at the same height in all steps.
function layoutOf({ names, stacked, cell, line }, sizeOf) {
  const across = (name) => sizeOf[name].columns * (cell + 1), down = (name) => sizeOf[name].rows * (line + 1);
  const top = CAPTION + HEADS;
  const scenes = SCENES.map(({ left, above, before, result }) => {
    const places = {}, put = (name, x, y, rows = true, columns = true) => { places[name] = { x, y, rows, columns }; };
    let sign = null, y = top;
    if (left && stacked) {
      put(left, names, y);
      y += down(left) + GAP / 2 + top;
      put(above, names, y);
      y += down(above) + GAP / 2 + top;
      put(result, names, y);
    } else if (left) {
      const x = names + across(left) + GAP + (above === "k" ? FEATURE : names);
      put(above, x, y);
      y += down(above) + GAP / 2 + top;
      put(left, names, y);
      put(result, x, y, false, false);
    } else if (stacked) {
      put(before, names, y);
      y += down(before);
      sign = { x: names, y, width: across(before), height: SIGN.height };
      y += SIGN.height + top;
      put(result, names, y);
    } else {
      const x = names + across(before);
      put(before, names, y);
      sign = { x, y, width: SIGN.width, height: down(before) };
      put(result, x + SIGN.width, y, false);
    }
    return { places, sign, height: y + down(result) };
  });
  const height = Math.max(...scenes.map((scene) => scene.height));
  for (const scene of scenes) {
    const lower = height - scene.height;
    for (const place of [...Object.values(scene.places), scene.sign ?? {}]) place.y += lower;
  }
  return { scenes, height };
}

// The five matrices that are made, the mask, and the size of the largest score: dividing makes scores paler.
function fiveSteps(model, q, k, v) {
  const T = q.rows, S = k.rows, root = Math.sqrt(q.columns);
  const allowed = arrayOf(model.get("allowed")), masking = model.get("mask"), t = model.get("temperature");
  const scores = fill(T, S, (i, j) => sum(q.columns, (a) => q.at(i, a) * k.at(j, a)));
  const scaled = fill(T, S, (i, j) => (model.get("scale") ? scores.at(i, j) / root : scores.at(i, j)));
  const masked = fill(T, S, (i, j) => (masking && !allowed[i * S + j] ? -Infinity : scaled.at(i, j)));
  const weights = fill(T, S, (i, j) => masked.at(i, j) / t);
  for (let i = 0; i < T; i++) softmaxRow(weights.data.subarray(i * S, (i + 1) * S));
  const output = fill(T, v.columns, (i, c) => sum(S, (j) => weights.at(i, j) * v.at(j, c)));
  const most = Math.max(...scores.data.map(Math.abs)) || 1;
  return { scores, scaled, masked, weights, output, allowed, most };
}

// A matrix: its numbers row by row.
function matrix(rows, columns, data) {
  return { rows, columns, data, at: (i, j) => data[i * columns + j] };
}
const matrixOf = (trait) => matrix(...trait.shape, arrayOf(trait));
const fill = (rows, columns, rule) => matrix(rows, columns, Float64Array.from({ length: rows * columns }, (_, at) => rule(Math.floor(at / columns), at % columns)));
const transposed = (m) => fill(m.columns, m.rows, (i, j) => m.at(j, i));
function sum(n, term) {
  let total = 0;
  for (let i = 0; i < n; i++) total += term(i);
  return total;
}
// The tone of each cell: a weight is its own tone; a score lies between −most and most; an output between the smallest
// and the largest.
function tonesOf({ data }, kind, most = 1) {
  if (kind === "weight") return (place) => data[place];
  if (kind === "score") return (place) => 0.5 + (0.5 * data[place]) / most;
  const finite = data.filter(Number.isFinite), low = Math.min(...finite), span = Math.max(...finite) - low || 1;
  return (place) => 0.05 + (0.5 * (data[place] - low)) / span;
}
