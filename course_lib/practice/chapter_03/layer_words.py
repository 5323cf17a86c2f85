"""03.layer: what a tutor says."""

WORDS = """
no-w-o
    W_o is missing: the heads stand side by side, and nobody mixes them. Features 0 to K-1 would always come
    from head 0. Multiply the merged heads by W_o transposed, and add b_o.
not-merged
    You return the heads, each on its own. Merge the heads to (B, T, D), as in exercise 3.2; then multiply by
    W_o transposed, and add b_o.
mask-without-heads
    Your mask has lost the axis of the heads: it is (B, T, S), and broadcasting lines shapes up from the
    right, so it meets (B, H, T, S) with B at the heads. Where B = H it even runs. Scores (B, H, T, S) take
    `allowed` whole.
biases-forgotten
    A bias is missing. Each of the four projections is `x @ W.T + b`: add b_q, b_k and b_v before the split,
    and b_o at the very end.
no-biases-no-scale
    Two slips. Biases are missing: each of the four projections is `x @ W.T + b`. And the scale is: divide the
    scores by √d_k, the root of the features of one head.
not-transposed-mask-after
    Two slips. A matrix is not transposed: with tokens as rows of `x` it is `x @ W.T`. And you mask after the
    softmax, so the rows of weights no longer sum to 1: set the forbidden scores to -inf before it.
split-before-projecting
    You split x before you project it, so each head sees its own K features of a token only, and a large part
    of W_q, W_k and W_v is never used. Each head reads all D features: project first, `x @ W.T + b`, then
    split.
values-from-keys
    W_v is multiplied with keys that W_k has made already. All three projections read the inputs: the values
    are `x_kv @ W_v.T + b_v`.
heads-summed
    You add up the heads, so none of them is left as it was. Put them side by side, (B, T, H · K), before W_o.
no-biases-mask-after
    Two slips. Biases are missing: each of the four projections is `x @ W.T + b`. And you mask after the
    softmax, so the rows of weights no longer sum to 1: set the forbidden scores to -inf before it.
b-o-for-each-head
    You add b_o once for each head, so it is there H times. Add it once, after the heads are joined and
    multiplied by W_o.
bias-too-early
    You add a bias before the matrix. It comes after: `x @ W.T + b`. (Both have D numbers, so no shape warns
    you.)
not-transposed
    A matrix is not transposed. Its rows belong to the outputs (as in torch.nn.Linear), so with tokens as rows
    of `x` it is `x @ W.T`. All matrices here are square, so no shape warns you.
heads-interleaved
    Your features are cut or joined as (K, H), so the heads are interleaved. Head 0 owns the first K features:
    cut and join as (H, K). The rows of W_q and the columns of W_o count on it.
one-head
    This is one head with all D features: `n_heads` has no effect. Split q, k and v first; then each head has
    a row of weights of its own.
one-matrix-for-two
    One matrix does the work of two or of three: look at which `W_` and `b_` makes the queries, which the keys
    and which the values. Each has its own.
queries-from-the-wrong-sentence
    Of queries, keys and values at least one comes from the wrong input. The queries come from `x_q`; the keys
    and the values both come from `x_kv`. In self-attention the two are the same, so nobody notices.
no-projections
    The inputs go into the heads as they are: W_q, W_k and W_v have no effect. Then a token's query equals its
    key, and head 0 sees the first features only. Project first, then split.
projection-missing
    Of queries, keys and values at least one goes into the heads as it is. Each of the three has a projection
    of its own, `x @ W.T + b`, before the split.
keys-and-values-swapped
    Keys and values have changed places: W_k and b_k make the keys, which meet the queries; W_v and b_v make
    the values, which are mixed. All matrices have one size, so no shape warns you.
residual-added
    You add the input to the output. This residual connection comes with the Transformer block (chapter 05);
    the layer itself returns what W_o gives.
"""

# Slips of which a layer may hold two at once: what part each concerns, and what is said of it.
SLIPS = {
    "not-transposed": ("projections", "the matrices of the projections are not transposed, `x @ W.T`."),
    "no-biases": ("projections", "the biases of the projections are missing, `x @ W.T + b`."),
    "no-w-o": ("out", "W_o is missing: multiply the merged heads by W_o transposed, and add b_o."),
    "no-scale": (
        "scores",
        "the scale is missing: divide the scores by √d_k, the root of one head's features.",
    ),
    "scaled-by-d-model": ("scores", "the scale is √d_k, the root of one head's features, and not √d_model."),
    "mask-unused": ("mask", "`allowed` has no effect: set the forbidden scores to -inf before the softmax."),
    "mask-after": ("mask", "you mask after the softmax: set the forbidden scores to -inf before it."),
    "mask-inverted": ("mask", "your mask is inverted: `masked_fill` needs the forbidden cells, `~allowed`."),
    "split-by-view": (
        "split",
        "you split without a `transpose`: cut to (B, T, H, K), then exchange T and H.",
    ),
    "merge-by-view": (
        "merge",
        "you merge without a `transpose`: exchange the tokens and the heads before you join.",
    ),
}
