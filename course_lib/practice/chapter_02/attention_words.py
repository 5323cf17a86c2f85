"""What 02.attention says of each mistake."""

WORDS = """
scaled-by-d-v
    You divide by the root of the number of features of a value. A score is made of queries and keys alone;
    d_k is the number of features of a key, `k.shape[-1]`.
values-masked
    You set the values of forbidden keys to 0 and leave their scores in the softmax: they still take their
    share, and what is left of the row sums to less than 1. Set these scores to -inf before the softmax.
queries-and-keys-swapped
    Queries and keys have changed places: your rows belong to keys. Row i must belong to query i and run over
    the keys, `q @ k.transpose(-2, -1)`. It runs only where T = S.
keys-not-transposed
    The keys are not transposed. Each raw score is a query times a key, feature by feature, so the last two
    axes of `k` must change places: `k.transpose(-2, -1)`. `view` and `reshape` only cut the numbers anew;
    they exchange no axes.
mask-taken-apart
    You take `allowed` apart by sentences and heads, as if its axes were always (B, H, T, S). It comes in any
    shape that broadcasts to that: where it is (T, S), a causal mask, `allowed[b]` is a row of cells and
    `allowed[b, h]` one cell. Write it out first, `allowed.expand(B, H, T, S)`: then `allowed[b, h]` is the
    mask of sentence b in head h.
heads-merged
    The numbers are right, and you have joined the heads already. This function keeps them apart: (B, H, T,
    V). Joining is a step of its own, in chapter 03.
"""
