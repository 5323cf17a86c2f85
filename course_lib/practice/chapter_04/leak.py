"""04.leak: the mask is right, and the future still gets in."""

import torch

from course_lib.metrics import leak_matrix
from course_lib.practice import ideas
from course_lib.practice.chapter_04.leak_words import WORDS
from course_lib.practice.chapter_04.repairs import (
    both,
    by_all_so_far,
    centred,
    half,
    normalised,
    repair,
    running,
    to_length_one,
    to_size_one,
)
from course_lib.practice.inputs import random, seeded
from course_lib.practice.kinds import Case, Exercise, Output
from course_lib.practice.words import lines, misconceptions, prose


def leaky_attention(x, W_q, W_k, W_v):
    x = (x - x.mean(dim=1, keepdim=True)) / x.std(dim=1, correction=0, keepdim=True)  # to one size
    q, k, v = x @ W_q.T, x @ W_k.T, x @ W_v.T  # (B, T, K)
    scores = q @ k.transpose(1, 2) / k.shape[-1] ** 0.5  # (B, T, T)
    future = torch.ones_like(scores[0]).triu(diagonal=1).bool()  # (T, T)
    weights = torch.softmax(scores.masked_fill(future, float("-inf")), dim=-1)
    return weights @ v  # (B, T, K)


def causal_attention(x, W_q, W_k, W_v):
    x = (x - x.mean(dim=-1, keepdim=True)) / x.std(dim=-1, correction=0, keepdim=True)  # each token alone
    q, k, v = x @ W_q.T, x @ W_k.T, x @ W_v.T  # (B, T, K)
    scores = q @ k.transpose(1, 2) / k.shape[-1] ** 0.5  # (B, T, T)
    future = torch.ones_like(scores[0]).triu(diagonal=1).bool()  # (T, T)
    weights = torch.softmax(scores.masked_fill(future, float("-inf")), dim=-1)
    return weights @ v  # (B, T, K)


def growing(x, W_q, W_k, W_v):
    ends = range(1, x.shape[1] + 1)
    return torch.stack([leaky_attention(x[:, :end], W_q, W_k, W_v)[:, -1] for end in ends], dim=1)


def leak_of(ways):
    """Measures ‖∂o₀/∂x_last‖: how much the first output of the first sentence depends on its last token."""

    def measured(expected, got, args):
        way = next(way for way in ways if torch.allclose(way(*args), got, atol=1e-3, equal_nan=True))
        x, *matrices = args
        leak = leak_matrix(lambda sentence: way(sentence[None], *matrices)[0], x[0])[0, -1].item()
        return {"leak": leak, "last": x.shape[1] - 1}

    return measured


def cases() -> list[Case]:
    g = seeded(406)

    def case(name: str, sizes: dict[str, int]) -> Case:
        B, T, D, K = (sizes[axis] for axis in ("B", "T", "D", "K"))
        x = 2 * random(g, B, T, D) + random(g, D)
        x[0, T - 1] = x[0, 0]  # a repeated word
        return Case(name, (x, *(random(g, K, D) for _ in range(3))), sizes)

    plain = case("four different sizes", {"B": 2, "T": 5, "D": 4, "K": 3})
    square = case("all sizes equal", {"B": 4, "T": 4, "D": 4, "K": 4})
    return [
        plain,
        square,
        case("one long sentence", {"B": 1, "T": 9, "D": 6, "K": 2}),
        case("one token", {"B": 3, "T": 1, "D": 5, "K": 4}),
        case("one feature", {"B": 2, "T": 4, "D": 3, "K": 1}),
    ]


WAYS = {
    "still-leaks": (leaky_attention,),
    "stricter-mask": both(diagonal=0),
    "looser-mask": both(diagonal=2),
    "scaling-lost": both(scale=lambda x, k: 1.0),
    "scaled-by-root-d": both(scale=lambda x, k: x.shape[-1] ** 0.5),
    "mask-removed": both(diagonal=99),
    "softmax-over-queries": both(axis=1),
    "half-repaired": (*half(1), *half((1, 2))),
    "other-statistics": (
        repair(normalised(1, 1, correction=1)),
        repair(centred(1)),
        repair(normalised(1, 1), normalised(-1, -1)),
        repair(normalised(-1, -1), normalised(1, 1)),
    ),
    "over-everything": tuple(
        repair(normalised(axes, axes, correction=n)) for axes in ((1, 2), (0, 1, 2)) for n in (0, 1)
    ),
    "batch-norm": (repair(normalised((0, 1), (0, 1))),),
    "over-the-batch": repair(normalised(0, 0)),
    "normalisation-removed": repair(),
    "running-statistics": (repair(running), growing),
    "statistics-of-all-so-far": repair(by_all_so_far),
    "mask-moved-behind": both(late=True),
    "variance-for-std": tuple(
        repair(lambda x, n=n: centred(-1)(x) / x.var(dim=-1, correction=n, keepdim=True)) for n in (0, 1)
    ),
    "unit-length": (repair(to_length_one), repair(centred(-1), to_length_one)),
    "projections-normalised": tuple(
        repair(made=normalised(-1, -1), made_values=made) for made in (None, lambda x: x)
    ),
    "projections-normalised-unscaled": tuple(
        repair(made=normalised(-1, -1), made_values=v, scale=lambda x, k: 1.0) for v in (None, lambda x: x)
    ),
    "values-from-raw-x": tuple(
        repair(normalised(axis, axis), values=lambda first, x: first) for axis in (-1, 1)
    ),
    "mean-or-std-left-out": (repair(centred(-1)), repair(to_size_one(-1))),
    "other-std": repair(normalised(-1, -1, correction=1)),
}

LEAKING = (
    "still-leaks",
    "half-repaired",
    "other-statistics",
    "over-everything",
    "batch-norm",
    "mask-moved-behind",
)

SPOILED = (  # another line was changed; the first way of each has the first line mended
    "stricter-mask",
    "looser-mask",
    "scaling-lost",
    "scaled-by-root-d",
    "mask-removed",
    "softmax-over-queries",
    "mask-moved-behind",
)


def rest_of(ways):
    """Says whether the line with the leak is mended in this answer."""

    def measured(expected, got, args):
        mended = torch.allclose(ways[0](*args), got, atol=1e-3, equal_nan=True)
        return {
            "rest": "Your line for mean and std is mended: leave it as it is."
            if mended
            else "What must change is the line that takes mean and std, and nothing else."
        }

    return measured


def together(one, other):
    return lambda *seen: one(*seen) | other(*seen)


MEASURES = {name: leak_of(WAYS[name]) for name in LEAKING}
MEASURES |= {name: rest_of(WAYS[name]) for name in SPOILED if name not in LEAKING}
MEASURES["mask-moved-behind"] = together(MEASURES["mask-moved-behind"], rest_of(WAYS["mask-moved-behind"]))

LEAK = Exercise(
    id="04.leak",
    title="Debug a leak",
    minutes=8,
    difficulty=2,
    statement=prose("""
        `leaky_attention` in the cell above brings its inputs to mean 0 and standard deviation 1, then attends
        with a causal mask. Its attention map is a perfect triangle, and yet its leak matrix is full: the
        future gets in. Find the line, and write the repaired `causal_attention(x, W_q, W_k, W_v)`. Each token
        still gets mean 0 and standard deviation 1, now from nothing but itself; all else stays as it is,
        `correction=0` too.
    """),
    inputs={"x": "B, T, D", "W_q": "K, D", "W_k": "K, D", "W_v": "K, D"},
    outputs=(Output("output", ("B", "T", "K")),),
    reference=causal_attention,
    cases=cases,
    hints=(
        prose("""
            The mask guards one door. Go through the function line by line and ask: may position 0 learn
            something about position 4 here? A matrix on the features cannot tell it. A mean can, if it is
            taken along the wrong axis: each token has D features of its own.
        """),
        lines("""
            x      = x - mean over the features, divided by the std over the features    (B, T, D)
            all other lines as in leaky_attention
        """),
    ),
    misconceptions=(*misconceptions(WORDS, WAYS, MEASURES), *ideas.squeezed(causal_attention)),
    insight="A mask guards attention only. A mean over positions is a look at all of them.",
    tolerance=1e-4,
    advice=(
        ideas.SUM_KEEPS_ITS_AXIS,
        (
            r"@\s*W_[qkv]\b(?!\.(T|mT|t\(|transpose))",
            "`W_q`, `W_k` and `W_v` are (K, D): with tokens as rows it is `x @ W_q.T`, as given.",
        ),
    ),
)
