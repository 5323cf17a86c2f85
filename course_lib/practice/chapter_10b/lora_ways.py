"""10b.lora: other scales, other orders of A and B, and what a tutor says."""

from course_lib.practice.two_slips import as_tuple, of_outputs
from course_lib.practice.words import entries

SCALES = {  # of (α, r, D, M)
    "scale-missing": lambda alpha, r, D, M: 1.0,
    "alpha-alone": lambda alpha, r, D, M: alpha,
    "rank-alone": lambda alpha, r, D, M: 1 / r,
    "scale-turned-round": lambda alpha, r, D, M: r / alpha,
    "alpha-times-rank": lambda alpha, r, D, M: alpha * r,
    "root-of-the-rank": lambda alpha, r, D, M: alpha / r**0.5,
    "another-size": (lambda alpha, r, D, M: alpha / D, lambda alpha, r, D, M: alpha / M),
    "scale-twice": lambda alpha, r, D, M: (alpha / r) ** 2,
    "added-twice": lambda alpha, r, D, M: 2 * alpha / r,
    "subtracted": lambda alpha, r, D, M: -alpha / r,
    "not-added": lambda alpha, r, D, M: 0.0,
}


def right(alpha, r, D, M):
    return alpha / r


def numbers(x, W, A, B, alpha):
    return alpha, A.shape[0], W.shape[1], W.shape[0]


def y_of(scale=right, base=1):
    def y(*args):
        x, W, A, B, _ = args
        return base * (x @ W.T) + scale(*numbers(*args)) * (x @ A.T @ B.T)

    return y


def merged_of(scale=right, base=1):
    def merged(*args):
        _, W, A, B, _ = args
        return base * W + scale(*numbers(*args)) * (B @ A)

    return merged


def scaled_all_y(*args):
    return right(*numbers(*args)) * y_of(lambda *n: 1.0)(*args)


def scaled_all_merged(*args):
    return right(*numbers(*args)) * merged_of(lambda *n: 1.0)(*args)


def with_columns(x, W, A, B, alpha):
    return x @ W + alpha / len(A) * (x @ A.T @ B.T)


def adapter_with_columns(x, W, A, B, alpha):
    return x @ W.T + alpha / len(A) * (x @ (B @ A))


def a_after_b(x, W, A, B, alpha):
    return x @ W.T + alpha / len(A) * (x @ B @ A)


def b_before_a(x, W, A, B, alpha):
    return x @ W.T + alpha / len(A) * (x @ B.T @ A.T)


ALONE = {
    "y": {
        "base-missing": y_of(base=0),
        "all-scaled": scaled_all_y,
        "W-not-transposed": with_columns,
        "product-not-transposed": (adapter_with_columns, a_after_b),
        "other-order-of-A-and-B": b_before_a,
    },
    "merged": {
        "base-missing": merged_of(base=0),
        "all-scaled": scaled_all_merged,
        "transposed": lambda *args: merged_of()(*args).T,
        "product-transposed": lambda x, W, A, B, alpha: W + alpha / len(A) * (A.T @ B.T),
        "other-order-of-A-and-B": lambda x, W, A, B, alpha: W + alpha / len(A) * (A @ B),
    },
}


def both(y=None, merged=None):
    y, merged = y or y_of(), merged or merged_of()
    return lambda *args: (y(*args), merged(*args))


WAYS = {
    **{
        name: tuple(both(y_of(way), merged_of(way)) for way in as_tuple(some))
        for name, some in SCALES.items()
    },
    **{f"y-{name}": tuple(both(y_of(way)) for way in as_tuple(some)) for name, some in SCALES.items()},
    **{
        f"merged-{name}": tuple(both(None, merged_of(way)) for way in as_tuple(some))
        for name, some in SCALES.items()
    },
    **{f"y-{name}": tuple(map(both, as_tuple(some))) for name, some in ALONE["y"].items()},
    **{
        f"merged-{name}": tuple(both(None, way) for way in as_tuple(some))
        for name, some in ALONE["merged"].items()
    },
}

SAID = entries("""
scale-missing
    α / r is missing: what goes by way of A and B is multiplied by it. r is the number of rows of A.
alpha-alone
    the adapter's part is multiplied by α alone. The factor is α / r, and r is the number of rows of A.
rank-alone
    the adapter's part is divided by r, and α is missing. The factor is α / r.
scale-turned-round
    the adapter's part has r / α for its factor. It is α / r: a larger α adds more.
alpha-times-rank
    the adapter's part has α · r for its factor. It is α / r: divided by the rank.
root-of-the-rank
    the adapter's part has α / √r for its factor (a later variant, rsLoRA, does that). Here it is α / r.
another-size
    the adapter's part has α divided by another size. It is divided by r, the number of rows of A:
    `A.shape[0]`.
scale-twice
    the adapter's part has α / r in it twice. It stands there once.
added-twice
    the adapter's part counts twice. It is added once: either by way of A and B, or by a matrix in which it is
    merged already.
subtracted
    the adapter's part is subtracted. It is added to what the base gives.
not-added
    the base stands alone: A and B have no effect. What they make, times α / r, is added.
""")
MORE = entries("""
y-base-missing
    In `y` the base's part is missing: x Wᵀ plus what the adapter adds.
y-all-scaled
    In `y` the factor α / r stands before everything. It belongs to the adapter's part alone: W stays as it
    is.
y-W-not-transposed
    In `y` the base's part is x W; with a square matrix no error warns you. `W` is (M, D): x Wᵀ.
y-product-not-transposed
    In `y` the adapter's part is x B A; with a square matrix no error warns you. x passes A first:
    x Aᵀ Bᵀ, which is x (B A)ᵀ.
y-other-order-of-A-and-B
    In `y` x passes B first, and then A. It is A first, from D features to r, then B, from r to M: x Aᵀ Bᵀ.
    Where all sizes are equal no error warns you.
merged-base-missing
    `merged` is the adapter's part alone. Asked for is the matrix that does all of it: W plus that.
merged-all-scaled
    In `merged` the factor α / r stands before W as well. It belongs to the adapter's part alone.
merged-transposed
    `merged` comes back transposed, (D, M). It takes the place of W: (M, D).
merged-product-transposed
    In `merged` the product is Aᵀ Bᵀ, (D, M), the transpose of what fits. With a square matrix no error warns
    you. W is (M, D), and so is B A.
merged-other-order-of-A-and-B
    In `merged` you multiply A B. It is B A, (M, R) times (R, D): the shape of W. Where all sizes are equal no
    error warns you.
""")


WORDS = {
    **{name: f"In both answers {words}" for name, words in SAID.items()},
    **{f"y-{name}": f"In `y` {words}" for name, words in SAID.items()},
    **{f"merged-{name}": f"In `merged` {words}" for name, words in SAID.items()},
    **MORE,
}


def beside(place, begin):
    """For ``of_outputs``: the ways of one output, whatever the other one is."""
    return {
        name: tuple(lambda *args, way=way: way(*args[:5])[place] for way in as_tuple(some))
        for name, some in WAYS.items()
        if name.startswith(begin)
    }


PAIRS = of_outputs((beside(0, "y-"), beside(1, "merged-")), WORDS)
