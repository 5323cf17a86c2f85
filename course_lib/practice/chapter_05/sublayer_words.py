"""05.sublayer: what a tutor says."""

WORDS = """
pre-norm
    This is the other frame, pre-norm: x + f(norm(x)), as most models of today have it. Asked is the frame of
    2017: f gets x as it is, and the norm comes after the sum, norm(x + f(x)).
both-norms
    You normalise twice: before f and after the sum. That is neither of the two frames. Here f gets x as it
    is, and one norm comes after the sum.
input-normalised
    You normalise x, and then you add. The norm comes last: it gets the sum x + f(x), so that what leaves has
    mean 0 and variance 1 before `gain` and `bias`.
branch-normalised
    You normalise what f returns, and add x to it afterwards. The norm gets the whole sum: add first.
each-normalised
    You normalise x and f(x) apart and add the two. One norm is enough, and it gets their sum.
no-residual
    The residual connection is missing: x itself is not added. What f does not keep is lost then, and on the
    way back the gradient has no road past f. Normalise x + f(x).
no-norm
    The sum is right, and nothing normalises it. After many such layers the numbers would grow and grow: bring
    the features of each token to mean 0 and variance 1.
f-unused
    You normalise x alone: what f makes of it is nowhere in your answer. Normalise x + f(x).
added-again
    x is added a second time, after the norm. It belongs into the sum that the norm gets, and nothing is added
    to the norm's result but `bias`.
multiplied
    You multiply x by f(x). A residual connection is a sum: x + f(x).
over-the-positions
    Your mean and variance run over the positions, axis 1: tokens of one sentence are mixed, and later ones
    reach earlier ones past every mask. Each token is normalised alone, over its D features, the last axis.
over-the-batch
    Your mean and variance run over axis 0, the batch: sentences that know nothing of each other are mixed.
    Each token is normalised by itself, over its D features: the last axis.
batch-norm
    Mean and variance run over all tokens of all sentences, for each feature: this is batch norm. Layer norm
    takes each token by itself, over its D features: the last axis.
over-everything
    You take one mean and one variance for many tokens at once. Each token has its own, over its D features:
    the last axis alone.
unbiased
    Your variance divides by D - 1: torch's `var` and `std` do so unless told otherwise. Layer norm divides by
    D: `correction=0`. (The 1e-5 is added to the variance, under the root.)
std-plus-eps
    You add 1e-5 (or less) to the standard deviation. It belongs under the root: √(variance + 1e-5). Where the
    features hardly differ, the two are not the same.
other-eps
    Nearly: it shows where the features of a token hardly differ. What stands under the root is the variance
    plus 1e-5; yours has another small number there, or none.
root-missing
    You divide by the variance. The standard deviation is its root: divide by √(variance + 1e-5).
root-missing-and-gain-or-bias
    Two slips. You divide by the variance: the standard deviation is its root, √(variance + 1e-5). And `gain`
    and `bias` must both act after the norm, feature by feature: times `gain`, plus `bias`.
mean-kept
    You divide by the root of the mean square and leave the mean in: this is RMS norm. Layer norm takes the
    mean off first.
mean-or-spread-kept
    One of two steps is missing. Take the mean off the features of each token, then divide by
    √(variance + 1e-5).
gain-or-bias-unused
    The norm is right; `gain` and `bias` must both act after it, feature by feature: times `gain`, plus
    `bias`.
gain-and-bias-exchanged
    `gain` and `bias` have changed places: you multiply by `bias` and add `gain`.
squares-not-centred
    Under your root stands the mean of the squares as they are. A variance is the mean of the squared
    distances from the mean: take the mean off first, then square.
statistics-of-x
    Your mean or your variance is that of x. Both must be those of the sum, x + f(x), which is what you
    normalise.
divided-by-its-length
    You divide by the length of the vector, the root of a sum of squares. The variance is a mean: divide the
    sum by D before you take the root, or your numbers are √D ≈ {root:.2f} times too small before `gain`.
bias-before-gain
    You add `bias` first, so `gain` multiplies it too. First times `gain`, then plus `bias`.
gain-inside
    `gain` acts before the norm, and the norm takes away a good part of what it did. Both come last: times
    `gain`, plus `bias`.
"""
