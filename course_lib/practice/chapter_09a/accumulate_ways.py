"""09a.accumulate: other shares of the pieces, and what a tutor says."""

import torch

from course_lib.practice.two_slips import as_tuple, of_outputs
from course_lib.practice.words import entries


def first(counts):
    return torch.arange(len(counts)) == 0


def last(counts):
    return torch.arange(len(counts)) == len(counts) - 1


SHARES = {  # what each piece is multiplied by
    "mean-of-means": lambda counts: torch.ones(len(counts)) / len(counts),
    "sum-of-means": lambda counts: torch.ones(len(counts)),
    "not-divided": lambda counts: counts,
    "divided-by-pieces": lambda counts: counts / len(counts),
    "divided-twice": (
        lambda counts: torch.ones(len(counts)) / counts.sum(),
        lambda counts: counts / counts.sum() / len(counts),
    ),
    "by-the-longest": lambda counts: counts / counts.max(),
    "short-counts-more": (
        lambda counts: (1 / counts) / (1 / counts).sum(),
        lambda counts: 1 / counts,
        lambda counts: 1 / counts / len(counts),
    ),
    "last-piece-alone": (
        lambda counts: last(counts),
        lambda counts: last(counts) * counts / counts.sum(),
        lambda counts: last(counts) / len(counts),
        lambda counts: last(counts) * counts,
    ),
    "first-piece-alone": (
        lambda counts: first(counts),
        lambda counts: first(counts) * counts / counts.sum(),
    ),
    "one-piece-short": (
        lambda counts: counts * ~last(counts) / counts.sum(),
        lambda counts: counts * ~first(counts) / counts.sum(),
        lambda counts: counts * ~last(counts) / (counts * ~last(counts)).sum(),
        lambda counts: counts * ~first(counts) / (counts * ~first(counts)).sum(),
    ),
    "softmax-of-counts": lambda counts: counts.float().softmax(0),
}
ALONE = {
    "loss": {
        "squared": lambda losses, gradients, counts: (right(counts) * losses**2).sum(),
        "perplexity": lambda losses, gradients, counts: (right(counts) * losses).sum().exp(),
        "exp-first": lambda losses, gradients, counts: (right(counts) * losses.exp()).sum().log(),
    },
    "gradient": {
        "made-1-long": lambda losses, gradients, counts: (
            of_rows(right(counts), gradients) / of_rows(right(counts), gradients).norm()
        ),
        "mean-over-parameters": lambda losses, gradients, counts: (
            of_rows(right(counts), gradients) / gradients.shape[1]
        ),
        "times-the-loss": lambda losses, gradients, counts: of_rows(right(counts) * losses, gradients),
        "signs-reversed": lambda losses, gradients, counts: -of_rows(right(counts), gradients),
    },
}


def right(counts):
    return counts / counts.sum()


def of_rows(share, gradients):
    return (share[:, None] * gradients).sum(0)


def made(loss=right, gradient=right):
    return lambda losses, gradients, counts: (
        (loss(counts) * losses).sum(),
        of_rows(gradient(counts), gradients),
    )


def changed(loss=None, gradient=None):
    """One of the two in another way, the other as it should be."""
    return lambda *args: (
        loss(*args) if loss else made()(*args)[0],
        gradient(*args) if gradient else made()(*args)[1],
    )


def spread(losses, gradients, counts):
    """The loss of the right gradient: one number for each parameter."""
    return (right(counts) * losses).sum(), right(counts)[:, None] * gradients


WAYS = {
    **{name: tuple(made(way, way) for way in as_tuple(some)) for name, some in SHARES.items()},
    **{f"loss-{name}": tuple(made(loss=way) for way in as_tuple(some)) for name, some in SHARES.items()},
    **{
        f"gradient-{name}": tuple(made(gradient=way) for way in as_tuple(some))
        for name, some in SHARES.items()
    },
    **{f"loss-{name}": changed(loss=way) for name, way in ALONE["loss"].items()},
    **{f"gradient-{name}": changed(gradient=way) for name, way in ALONE["gradient"].items()},
    "not-summed": spread,
}

SAID = entries("""
mean-of-means
    is the plain mean of the pieces, so a token of a short piece counts more than one of a long piece. Each
    piece weighs as much as its share of all tokens: `counts / counts.sum()`.
sum-of-means
    is the sum over the pieces: it grows with their number, and the lengths have no effect. Each piece weighs
    as much as its share of all tokens: `counts / counts.sum()`.
not-divided
    is a sum over all tokens, not yet a mean: divide it by the number of all tokens, `counts.sum()`.
divided-by-pieces
    is a sum over all tokens that is divided by the number of pieces. Divide it by the number of all tokens,
    `counts.sum()`.
divided-twice
    is divided twice. What came in is a mean over each piece already: multiply it by the tokens of the piece,
    and divide once, by the number of all tokens.
by-the-longest
    has the right proportions and is divided by the longest piece. The shares must sum to 1: divide by
    `counts.sum()`.
short-counts-more
    lets short pieces count more: their number of tokens stands below the line. It stands above: a piece of 40
    tokens weighs four times as much as one of 10.
last-piece-alone
    knows the last piece only: each piece writes over what the earlier ones gave. Add them up. (In a training
    loop that is a `zero_grad()` between the pieces, or `=` for `+=`.)
first-piece-alone
    knows the first piece only. Is there a `return` inside the loop?
one-piece-short
    leaves a piece out, the first or the last: does a loop run one short?
softmax-of-counts
    is weighed with a softmax of the lengths. A share is a plain quotient: `counts / counts.sum()`.
""")
MORE = entries("""
loss-squared
    `loss` is a mean of squares. The losses themselves are averaged.
loss-perplexity
    `loss` is the perplexity. Asked for is the mean loss, without `exp`.
loss-exp-first
    In `loss` an `exp` is taken of each loss before the mean. The losses themselves are averaged.
gradient-made-1-long
    `gradient` has been brought to length 1. Its length is part of the answer: leave it.
gradient-mean-over-parameters
    `gradient` is divided by the number of parameters, D. The mean runs over tokens; each parameter keeps its
    own number.
gradient-times-the-loss
    In `gradient` each piece is multiplied by its loss as well. Its share of the tokens is all that weighs it.
gradient-signs-reversed
    `gradient` has all its signs reversed. The step goes against the gradient; the gradient itself stays.
not-summed
    `gradient` still has a row for each piece: add up over the pieces, `.sum(dim=0)`.
""")
WORDS = {
    **{name: f"Each of your two answers {words}" for name, words in SAID.items()},
    **{f"loss-{name}": f"`loss` {words}" for name, words in SAID.items()},
    **{f"gradient-{name}": f"`gradient` {words}" for name, words in SAID.items()},
    **MORE,
}


def beside(ways, place):
    """For ``of_outputs``: ways of one part, for any way of the other one."""
    return {
        name: tuple(lambda *args, way=way: way(*args[:3])[place] for way in as_tuple(some))
        for name, some in ways.items()
    }


PAIRS = of_outputs(
    (
        beside({name: way for name, way in WAYS.items() if name.startswith("loss-")}, 0),
        beside({name: way for name, way in WAYS.items() if name.startswith("gradient-")}, 1),
    ),
    WORDS,
)
