"""05.encoder-layer: what a tutor says."""

WORDS = """
mask-forgotten
    `allowed` does not reach `attend`, so words look at padding. The same sentence would come out differently
    beside a longer one. Pass it as the fourth argument.
mask-inverted
    `allowed` reaches `attend` turned round. `attend` takes it as it is: True = may attend.
mask-on-the-queries
    Your mask lies along the queries: the rows of padding are closed, and padding as a key is open. (A row
    with nothing allowed is 0/0, NaN.) `allowed` (B, 1, 1, T) lies along the keys as it is: pass it unchanged.
weights-for-output
    You add the weights, (B, H, T, T), where the output belongs. `attend` gives two things, the output first:
    `output, weights = attend(…)`. The output has the shape of x, so it can be added to x.
pre-norm
    This is pre-norm, x + f(norm(x)), the frame of most models today. Asked is the frame of 2017: each norm
    comes after the sum, norm(x + f(x)).
both-norms
    You normalise before a sub-layer and after its sum. One norm is enough, after the sum: norm(x + f(x)).
norm-before-the-sum
    In a sub-layer you normalise one of the two that are added. The norm gets their sum: norm(x + f(x)).
norms-exchanged
    `norm_1` and `norm_2` have changed places. Each has parameters of its own: the first belongs to attention.
one-norm-twice
    One norm serves both sub-layers, and the other is not used. Each sub-layer has its own, with parameters of
    its own.
norm-missing
    A norm is missing. Each of the two sub-layers ends with one: `norm_1` after the first sum, `norm_2` after
    the second.
attention-unused
    What attention found is lost: the second sub-layer begins with the layer's input again. It must read what
    the first one returned, `norm_1(x + …)`, and add to that.
feed-forward-reads-the-input
    The feed-forward network reads the layer's input, so it works on tokens that have not looked at each other
    yet. It gets what the first sub-layer returned.
residual-from-the-input
    In the second sub-layer you add the layer's input. The residual connection goes round one sub-layer, not
    round both: add what the first one returned, the same thing that the feed-forward network reads.
no-residual
    A residual connection is missing: in at least one sub-layer only what the sub-layer makes goes into the
    norm. Both have the form norm(x + f(x)).
feed-forward-first
    The order is turned round: feed-forward first, then attention. In an encoder layer tokens look at each
    other first; then each is worked on by itself.
side-by-side
    Your two sub-layers stand side by side: both begin with the layer's input, and neither reads what the
    other made. (Some models do it so, to save time.) Here they stand one behind the other: the feed-forward
    network reads what the first one returned.
feed-forward-missing
    You stop after the first sub-layer. The feed-forward network follows, in a frame of its own:
    norm_2(x + feed_forward(x)).
attention-in-the-second-sum
    You add what attention returned, without x and without the norm, in the second sub-layer. What is added
    there is what the first sub-layer returned, `norm_1(x + …)`.
"""
