// The kinds of mask: what each allows, in words, in cells and in Python.

const KINDS = {
  self: "Every token may look at every token.",
  cross: "Rows are the text, columns the second text. Everything is allowed.",
  causal: "Nobody may look at what comes later.",
  padding: "Nobody may look at [PAD]: it fills the row up, it says nothing.",
  prefix: "All may look at the first tokens; the rest is causal.",
  window: "Causal, and only the nearest tokens, the own one included.",
  hand: "Your own mask. Click a cell, drag over several, or click a token for its whole row or column.",
};
const OFF = {
  over: "Off by one, or more: a token sees what comes after it. A next-word model would copy its answer.",
  under: "Too strict: a token does not see itself, and the first one sees nothing.",
};
const SIZES = { // the number that a kind has: its trait, its name, its range
  causal: { trait: "diagonal", label: "diagonal", min: -2, max: 2 }, // as in torch.tril; anything but 0 is off by some
  prefix: { trait: "n_prefix", label: "tokens", min: 0, max: 16 },
  window: { trait: "window", label: "tokens", min: 1, max: 16 }, // the own token at least
};

// A mask of `rows` × `columns` cells, row by row, 1 = may attend. n: the number that the kind has; real: how many keys
// are words, not pads. `course_lib.masks` has the same.
function maskOf(kind, n, real, rows, columns) {
  const rule = {
    causal: (i, j) => j <= i + n, padding: (i, j) => j < real,
    prefix: (i, j) => j <= i || j < n, window: (i, j) => j <= i && j > i - n,
  }[kind] ?? (() => true);
  return Array.from({ length: rows * columns }, (_, at) => (rule(Math.floor(at / columns), at % columns) ? 1 : 0));
}

// The same `allowed` for a cell of the page: the library's function where there is one.
function pythonOf(kind, n, real, allowed, rows, columns) {
  const [t, s] = [rows.length, columns.length], all = `torch.ones(${t}, ${s}, dtype=torch.bool)`;
  if (kind === "hand") return maskCode(allowed, [t, s], rows);
  const [module, call] = {
    causal: n ? ["torch", `${all}.tril(${n})`] : ["causal_mask", `causal_mask(${t})`],
    padding: ["torch", `(torch.arange(${s}) < ${real}).expand(${t}, ${s})`],
    prefix: ["prefix_mask", `prefix_mask(n_positions=${t}, n_prefix=${n})`],
    window: ["sliding_window_mask", `sliding_window_mask(n_positions=${t}, window=${n})`],
  }[kind] ?? ["torch", all];
  const line = module === "torch" ? "import torch" : `from course_lib.masks import ${module}`;
  return `${line}\n\nallowed = ${call}  # (${t}, ${s}), True = may attend\n`;
}
