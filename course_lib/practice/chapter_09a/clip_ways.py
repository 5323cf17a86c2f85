"""09a.clip: other lengths, other factors, and what a tutor says."""

import torch

from course_lib.practice.two_slips import listed, of_parts, single
from course_lib.practice.words import entries


def global_norm(W, b):
    return torch.sqrt((W**2).sum() + (b**2).sum())


def only_if_larger(norm, limit):
    return norm > limit


def made(
    norm=global_norm,
    when=only_if_larger,
    factor=lambda norm, limit: limit / norm,
    change=lambda W, b, factor: (W * factor, b * factor),
):
    """Another length, another condition, another factor, or other gradients that are changed by it."""

    def clip(grad_W, grad_b, limit):
        length = norm(grad_W, grad_b)
        by = torch.where(when(length, limit), factor(length, limit), torch.ones(()))
        return change(grad_W, grad_b, by)

    return clip


def apart(length=lambda x: x.norm()):
    """Each gradient has a length of its own."""

    def one(x, limit):
        return x * torch.where(length(x) > limit, limit / length(x), torch.ones(()))

    return lambda W, b, limit: (one(W, limit), one(b, limit))


def always_apart(W, b, limit):
    return W * limit / W.norm(), b * limit / b.norm()


def each_row(W, b, limit):
    """Each row of the matrix, and each number of the bias, has a length of its own."""
    rows = W.norm(dim=1, keepdim=True)
    return W * (limit / rows.clamp(min=1e-9)).clamp(max=1), b.clamp(-limit, limit)


def columns(W, b, limit):
    lengths = W.norm(dim=0, keepdim=True)
    return W * (limit / lengths.clamp(min=1e-9)).clamp(max=1), b * (limit / b.norm()).clamp(max=1)


def all_numbers(W, b):
    return torch.cat([W.flatten(), b])


PARTS = {
    "norm": {
        "no-root": lambda W, b: (W**2).sum() + (b**2).sum(),
        "norms-added": lambda W, b: W.norm() + b.norm(),
        "norms-averaged": lambda W, b: (W.norm() + b.norm()) / 2,
        "larger-norm": lambda W, b: torch.maximum(W.norm(), b.norm()),
        "matrix-alone": lambda W, b: W.norm(),
        "bias-alone": lambda W, b: b.norm(),
        "largest-number": lambda W, b: all_numbers(W, b).abs().max(),
        "sizes-added": lambda W, b: all_numbers(W, b).abs().sum(),
        "mean-square": (
            lambda W, b: all_numbers(W, b).square().mean().sqrt(),
            lambda W, b: (W.square().mean() + b.square().mean()).sqrt(),
        ),
        "spectral-norm": lambda W, b: (torch.linalg.matrix_norm(W, 2) ** 2 + b.norm() ** 2).sqrt(),
        "signs-lost": lambda W, b: all_numbers(W, b).sum().abs(),
    },
    "when": {
        "always-scaled": lambda norm, limit: norm > 0,
        "only-if-smaller": lambda norm, limit: norm < limit,
        "against-1": lambda norm, limit: norm > 1,
    },
    "factor": {
        "factor-turned-round": lambda norm, limit: norm / limit,
        "made-1-long": lambda norm, limit: 1 / norm,
        "limit-times": lambda norm, limit: torch.as_tensor(limit),
        "limit-squared": lambda norm, limit: limit / norm**2,
        "root-of-the-factor": lambda norm, limit: (limit / norm) ** 0.5,
        "set-to-0": lambda norm, limit: torch.zeros(()),
    },
    "change": {
        "bias-left": lambda W, b, factor: (W * factor, b),
        "matrix-left": lambda W, b, factor: (W, b * factor),
    },
}

WAYS = {
    **single(PARTS, made),
    "each-alone": apart(),
    "each-alone-always": (
        always_apart,
        lambda W, b, limit: tuple(torch.nan_to_num(x) for x in always_apart(W, b, limit)),
        lambda W, b, limit: (W * limit / (W.norm() + 1e-6), b * limit / (b.norm() + 1e-6)),
    ),
    "each-number": (
        lambda W, b, limit: (W.clamp(-limit, limit), b.clamp(-limit, limit)),
        lambda W, b, limit: (W.clamp(max=limit), b.clamp(max=limit)),
    ),
    "each-row": (each_row, columns),
    "nan-for-0": lambda W, b, limit: tuple(x * limit / global_norm(W, b) for x in (W, b)),
    "all-0": lambda W, b, limit: (W * 0, b * 0),
    "never": lambda W, b, limit: (W, b),
    "limit-forgotten": lambda W, b, limit: tuple(x / global_norm(W, b).clamp(min=limit) for x in (W, b)),
}

WORDS = entries("""
no-root
    You compare and divide by the sum of squares. The length is its root.
norms-added
    You add the two lengths. Lengths of parts do not add up (3 and 4 make 5): add the squares, and take the
    root of the sum.
norms-averaged
    You take the mean of the two lengths. Lengths of parts do not add up (3 and 4 make 5): add the squares,
    and take the root of the sum.
larger-norm
    You take the longer of the two. One length belongs to both together: the root of the sum of all squares.
matrix-alone
    The length is that of the matrix alone. The bias belongs to the long vector, too: add its squares before
    the root.
bias-alone
    The length is that of the bias alone. The matrix belongs to the long vector, too: add its squares before
    the root.
largest-number
    You take the largest number of all for the length. The length is the root of the sum of all squares.
sizes-added
    You add the sizes of the numbers. The length is the root of the sum of their squares.
mean-square
    You take a mean of squares. The length is the root of their sum: it grows with the number of parameters.
spectral-norm
    For the matrix you take its largest singular value. As part of the long vector it counts with the squares
    of all its numbers: `(grad_W**2).sum()`.
signs-lost
    You add the numbers themselves, so that their signs cancel. Square them first: the length is the root of
    the sum of squares.
always-scaled
    Short gradients are made longer in your answer: always, they come out with the length `limit`. Only what
    is longer than `limit` is changed.
only-if-smaller
    The wrong way round: you change the gradients that are short enough, and leave the long ones.
against-1
    You ask whether the length is above 1. Ask whether it is above `limit`.
factor-turned-round
    Your factor is upside down: long gradients become longer still. It is limit / length.
made-1-long
    The length comes out as 1, whatever the limit. The factor is limit / length.
limit-times
    You multiply by the limit alone. The length must come out as `limit`: the factor is limit / length.
limit-squared
    You divide by the length twice (is it squared?). The factor is limit / length.
root-of-the-factor
    Your factor has a root too much. The factor is limit / length, and the root belongs to the length.
set-to-0
    Gradients that are too long become 0, so such a step is lost. They are made shorter: by limit / length.
bias-left
    `b` is not changed. One factor makes both shorter; else the direction of the step would turn.
matrix-left
    `W` is not changed. One factor makes both shorter; else the direction of the step would turn.
each-alone
    Each gradient is clipped by a length of its own, so two of them can still be too long together, and the
    direction turns. One length belongs to all numbers of both.
each-alone-always
    Two slips. Each gradient is scaled by a length of its own: one length belongs to all numbers of both. And
    the second one: short gradients are made longer; only what is longer than `limit` is changed.
each-number
    You clip each number by itself. Then the large numbers become alike and the direction of the step turns.
    Clipping by the norm multiplies all of them by one factor.
each-row
    Each row or column has a length of its own in your answer. One length belongs to all numbers of both
    gradients: sum over everything, without `dim`.
nan-for-0
    Short gradients are made longer in your answer (and 0/0 is NaN where all are 0). Only what is longer than
    `limit` is changed.
all-0
    Every gradient becomes 0, so nothing is ever learned. What is longer than `limit` is multiplied by limit /
    length, and what is shorter stays as it is.
never
    Nothing is changed. Where the length is larger than `limit`, both are multiplied by limit / length. (Is a
    product computed and not kept?)
limit-forgotten
    You divide by the length, or by `limit` where that is larger, and do not multiply by `limit`. The factor
    is limit / length where the length is larger than `limit`, and 1 elsewhere.
""")
SKIP = {  # of these the length shows in nothing but the condition
    ("always-scaled", "limit-times"),
    ("always-scaled", "set-to-0"),  # everything is 0, and nothing made longer
    ("larger-norm", "bias-left"),
    *((name, factor) for name in PARTS["norm"] for factor in ("limit-times", "set-to-0")),
}
PAIRS = of_parts(listed(PARTS, made, SKIP), WORDS)
