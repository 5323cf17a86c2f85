"""What 04.leak says of each mistake."""

WORDS = """
still-leaks
    These are the numbers of the leaky function: output 0 still depends on token {last} (‖∂o/∂x‖ = {leak:.2f},
    and it must be 0). The mask is right, so the future gets in before it. Where do positions meet without a
    mask? (A `detach()` hides a leak from the gradient; the numbers still have it.)
stricter-mask
    You have closed the diagonal as well. The mask was right before; now the first row has nothing allowed and
    is NaN. Put the mask back as it was. {rest}
looser-mask
    You have changed the mask: `triu(diagonal=2)` leaves the next token open, a new leak. The mask was
    right before, `diagonal=1`. {rest}
scaling-lost
    The scores are no longer divided by √d_k. The scaling was right before: it keeps the softmax from
    becoming too sharp. {rest}
scaled-by-root-d
    You divide the scores by √D. The line was right before: a score is a sum over the K features of a key,
    √d_k, `k.shape[-1] ** 0.5`. {rest}
mask-removed
    The causal mask is gone, so every position sees the future in the attention itself. The mask was right
    before. {rest}
softmax-over-queries
    Your softmax runs over the queries (`dim=1`). It was right before, over the keys, `dim=-1`. {rest}
half-repaired
    Half of it: mean and std stand in one line, and one of the two still runs over the positions. Output 0
    depends on token {last} (‖∂o/∂x‖ = {leak:.2f}, and it must be 0). Both must run over the features,
    `dim=-1`.
other-statistics
    A mean or a std over the positions is still there: output 0 depends on token {last} (‖∂o/∂x‖ =
    {leak:.2f}, and it must be 0). Nothing before the mask may run over `dim=1`.
over-everything
    You take mean and std over positions and features. The positions are still among them: output 0 depends on
    token {last} (‖∂o/∂x‖ = {leak:.2f}). Over the features alone, `dim=-1`.
batch-norm
    You take mean and std over batch and positions, as batch norm does. So all positions of all sentences
    meet: output 0 depends on token {last} (‖∂o/∂x‖ = {leak:.2f}). Each token by itself: over its features,
    `dim=-1`.
over-the-batch
    You take mean and std over the batch. The positions no longer meet, but the sentences do: what is computed
    for one depends on which others are in its batch, and a single sentence becomes 0/0. Over the features of
    each token, `dim=-1`.
normalisation-removed
    The leak is gone, and with it the line that did it. It had a purpose: it keeps the scores in a range where
    the softmax can choose. Keep it, along an axis where no position meets another: each token over its own
    features.
running-statistics
    You use the mean and std of the positions so far. That does not leak. It is another function, though, and
    at position 0 the std is 0: there is one token, and nothing to compare it with. Each token is to be taken
    by itself, over its D features.
statistics-of-all-so-far
    No leak any more. Your mean and std run over the features of all tokens so far. Each token is to be taken
    by itself, over its own D features.
mask-moved-behind
    You mask after the softmax: the weights of the future are 0, but its scores still stand in the
    denominator. Output 0 depends on token {last} (‖∂o/∂x‖ = {leak:.2f}). The mask was right where it was.
    {rest}
variance-for-std
    No leak any more: the axis is right. You divide by the variance; the given line divides by its root, the
    standard deviation, `.std`.
unit-length
    No leak any more: the axis is right. You bring each token to length 1. The given line takes the mean off
    and divides by the standard deviation, which leaves a length of √D.
projections-normalised
    No leak any more. You normalise what the matrices give, queries and keys or all three. The given function
    normalises `x`, before them: keep the place, and change the axis.
projections-normalised-unscaled
    No leak any more. You normalise what the matrices give; the given function normalises `x`, before them:
    keep the place, and change the axis. And the scores are no longer divided by √d_k.
values-from-raw-x
    Your values are made of the raw `x`. In the given function queries, keys and values are all made of the
    normalised one.
mean-or-std-left-out
    No leak any more, and half of the line is lost: it takes the mean off and divides by the std. Both, over
    the features.
other-std
    No leak any more: the axis is right. Your std divides by D - 1, and the given one by D; the rest was to
    stay as it is: `correction=0`.
"""
