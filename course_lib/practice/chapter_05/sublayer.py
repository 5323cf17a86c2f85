"""05.sublayer: norm(x + f(x)), the frame around each sub-layer of 2017."""

import torch

from course_lib.practice import ideas
from course_lib.practice.chapter_05.sublayer_words import WORDS
from course_lib.practice.inputs import not_contiguous, random, seeded
from course_lib.practice.kinds import Case, Exercise, Output
from course_lib.practice.words import advice, lines, misconceptions, prose


def sub_layer(x, f, gain, bias):
    y = x + f(x)  # (B, T, D): the residual connection
    mean = y.mean(dim=-1, keepdim=True)  # (B, T, 1): of each token by itself
    variance = y.var(dim=-1, correction=0, keepdim=True)
    return (y - mean) / (variance + 1e-5).sqrt() * gain + bias


def scaled(y, gain, bias):
    return y * gain + bias


def standard(axes=-1, correction=0, eps=1e-5, outside=0.0, centred=True):
    """Features to mean 0 and variance 1, with what can go wrong in it; ``outside`` is added to the root."""

    def norm(y):
        variance = y.var(dim=axes, correction=correction, keepdim=True)
        y = y - y.mean(dim=axes, keepdim=True) if centred else y
        return y / ((variance + eps).sqrt() + outside)

    return norm


def wrong(frame=lambda norm, x, f: norm(x + f(x)), norm=None, last=scaled):
    """The sub-layer with another frame, another norm, or another use of gain and bias."""
    norm = norm or standard()
    return lambda x, f, gain, bias: frame(lambda y: last(norm(y), gain, bias), x, f)


def scaled_first(x, f, gain, bias):
    return standard()(scaled(x + f(x), gain, bias))


def gained_first(x, f, gain, bias):
    return standard()((x + f(x)) * gain) + bias


def root_mean_square(y):
    return y / (y.square().mean(dim=-1, keepdim=True) + 1e-5).sqrt()


def make_function(generator: torch.Generator, d: int, size: float = 1.0):
    """A function from (B, T, D) to (B, T, D), in the kind of float that it gets."""
    W, b = random(generator, d, d), random(generator, d)
    return lambda x: size * torch.tanh(x / size @ W.to(x.dtype) + b.to(x.dtype))


def cases() -> list[Case]:
    g = seeded(502)

    def case(name: str, b: int, t: int, d: int, size: float = 1.0, middle: float = 0.5) -> Case:
        x = size * (random(g, b, t, d) + middle)
        args = (x, make_function(g, d, size), 1.0 + 0.5 * random(g, d), random(g, d))
        return Case(name, args, {"B": b, "T": t, "D": d})

    turned = case("an x that is not contiguous", 3, 4, 5)
    x, *rest = turned.args
    return [
        case("three different sizes", 2, 5, 6),
        case("as many sentences as tokens and features", 4, 4, 4),
        Case(turned.name, (not_contiguous(x), *rest), turned.sizes),
        case("one sentence", 1, 3, 5),
        case("one token", 3, 1, 4),
        case("one feature", 2, 3, 1),
        case("features that hardly differ", 2, 3, 7, size=0.003),
        case("features far from 0", 2, 4, 6, middle=8.0),
    ]


FRAMES = {
    "pre-norm": lambda norm, x, f: x + f(norm(x)),
    "both-norms": (lambda norm, x, f: norm(x + f(norm(x))), lambda norm, x, f: norm(norm(x) + f(norm(x)))),
    "input-normalised": (lambda norm, x, f: norm(x) + f(x), lambda norm, x, f: norm(x) + f(norm(x))),
    "branch-normalised": (lambda norm, x, f: x + norm(f(x)), lambda norm, x, f: x + norm(f(norm(x)))),
    "each-normalised": lambda norm, x, f: norm(x) + norm(f(x)),
    "no-residual": (lambda norm, x, f: norm(f(x)), lambda norm, x, f: f(norm(x)), lambda norm, x, f: f(x)),
    "no-norm": lambda norm, x, f: x + f(x),
    "f-unused": lambda norm, x, f: norm(x),
    "added-again": lambda norm, x, f: x + norm(x + f(x)),
    "multiplied": lambda norm, x, f: norm(x * f(x)),
}

NORMS = {
    "over-the-positions": standard(1),
    "over-the-batch": standard(0),
    "batch-norm": standard((0, 1)),
    "over-everything": (standard((1, 2)), standard((0, 1, 2)), standard((1, 2), 1), standard((0, 1, 2), 1)),
    "unbiased": (
        *(standard(correction=1, eps=eps) for eps in (1e-5, 1e-6, 1e-8, 1e-12, 0.0)),
        *(standard(correction=1, eps=0.0, outside=eps) for eps in (1e-5, 1e-6)),
    ),
    "std-plus-eps": tuple(standard(eps=0.0, outside=eps) for eps in (1e-5, 1e-6)),
    "other-eps": tuple(standard(eps=eps) for eps in (0.0, 1e-12, 1e-8, 1e-7, 1e-6, 1e-4, 1e-3)),
    "root-missing": (
        lambda y: standard()(y) / (y.var(dim=-1, correction=0, keepdim=True) + 1e-5).sqrt(),
        lambda y: standard()(y) / (y.var(dim=-1, correction=1, keepdim=True) + 1e-5).sqrt(),
    ),
    "squares-not-centred": tuple(
        lambda y, eps=eps: (
            (y - y.mean(dim=-1, keepdim=True)) / (y.square().mean(dim=-1, keepdim=True) + eps).sqrt()
        )
        for eps in (1e-5, 0.0)
    ),
    "divided-by-its-length": tuple(
        lambda y, eps=eps: (z := y - y.mean(dim=-1, keepdim=True)) / (z.norm(dim=-1, keepdim=True) + eps)
        for eps in (0.0, 1e-5)
    ),
    "mean-kept": root_mean_square,
    "mean-or-spread-kept": (standard(centred=False), lambda y: y - y.mean(dim=-1, keepdim=True)),
}

LASTS = {
    "gain-or-bias-unused": (
        lambda y, gain, bias: y,
        lambda y, gain, bias: y * gain,
        lambda y, gain, bias: y + bias,
        lambda y, gain, bias: y + gain,
    ),
    "gain-and-bias-exchanged": lambda y, gain, bias: y * bias + gain,
    "bias-before-gain": lambda y, gain, bias: (y + bias) * gain,
}


def each(of, key):
    many = {name: way if isinstance(way, tuple) else (way,) for name, way in of.items()}
    return {name: tuple(wrong(**{key: one}) for one in ways) for name, ways in many.items()}


WAYS = {**each(FRAMES, "frame"), **each(NORMS, "norm"), **each(LASTS, "last")}
WAYS["statistics-of-x"] = tuple(
    lambda x, f, gain, bias, mean=mean, std=std, of=of: scaled(
        (x + f(x) - (x if mean else x + f(x)).mean(dim=-1, keepdim=True))
        / (of(x if std else x + f(x)) + 1e-5).sqrt(),
        gain,
        bias,
    )
    for mean, std in ((False, True), (True, False), (True, True))
    for of in (
        lambda y: y.var(dim=-1, correction=0, keepdim=True),
        lambda y: y.square().mean(dim=-1, keepdim=True),
    )
)
WAYS["root-missing-and-gain-or-bias"] = tuple(
    wrong(norm=NORMS["root-missing"][0], last=last) for last in LASTS["gain-or-bias-unused"]
)
WAYS["gain-inside"] = (scaled_first, gained_first)
WAYS["no-norm"] += (lambda x, f, gain, bias: scaled(x + f(x), gain, bias),)

SUBLAYER = Exercise(
    id="05.sublayer",
    title="A residual sub-layer",
    minutes=12,
    difficulty=2,
    statement=prose("""
        Write `sub_layer(x, f, gain, bias)`, the frame around each sub-layer as in 2017: add f(x) to x, then
        normalise the sum with layer norm. Of each token by itself, take the mean of its D features off and
        divide by √(variance + 1e-5), where the variance divides by D. Then multiply by `gain` and add `bias`.
        `f` is a function that turns (B, T, D) into (B, T, D). Return the same shape. Write the norm out, or
        use `torch.nn.functional.layer_norm`: both are right.
    """),
    inputs={"x": "B, T, D", "f": "a function, (B, T, D) -> (B, T, D)", "gain": "D", "bias": "D"},
    outputs=(Output("y", ("B", "T", "D")),),
    reference=sub_layer,
    cases=cases,
    hints=(
        prose("""
            Three moments: what f reads, what is added, what is normalised. Say them in the order of 2017
            before you write. For the norm: a token has D numbers. How many means does a batch of B sentences
            with T tokens have, and which shape must they keep to be taken off again?
        """),
        lines("""
            y        = x + f of x                                          (B, T, D)
            mean     = mean of y over the features, axis kept              (B, T, 1)
            variance = mean of (y - mean) squared, over the features       (B, T, 1)
            return (y - mean) / root of (variance + 1e-5), times gain, plus bias
        """),
    ),
    misconceptions=(
        *misconceptions(
            WORDS,
            WAYS,
            {"divided-by-its-length": lambda expected, got, args: {"root": args[0].shape[-1] ** 0.5}},
        ),
        *ideas.squeezed(sub_layer),
    ),
    insight="The sum comes first, the norm last: what leaves a sub-layer of 2017 is always normalised.",
    tolerance=2e-5,
    advice=(
        ideas.SUM_KEEPS_ITS_AXIS,
        *advice(r"""
normalized_shape
    `layer_norm` wants to know which axes belong to one token: `layer_norm(y, y.shape[-1:], gain, bias)`.
LayerNorm
    `torch.nn.LayerNorm` makes a gain and a bias of its own. `torch.nn.functional.layer_norm(y, y.shape[-1:],
    gain, bias)` takes those that you have.
'function'
    `f` is a function: call it, `f(x)`.
"""),
    ),
)
