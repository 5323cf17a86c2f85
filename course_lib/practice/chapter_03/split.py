"""03.split: (B, T, D) → (B, H, T, K)."""

import torch

from course_lib.practice import ideas
from course_lib.practice.chapter_03.split_words import WORDS, batch_and_heads, heads_first, order_of_axes
from course_lib.practice.inputs import random, seeded
from course_lib.practice.kinds import Case, Exercise, Output
from course_lib.practice.words import advice, lines, misconceptions, prose


def my_split_heads(x, n_heads):
    b, t, d = x.shape
    x = x.reshape(b, t, n_heads, d // n_heads)  # (B, T, H, K): cut each token's features into H pieces
    return x.transpose(1, 2)  # (B, H, T, K): then exchange the tokens and the heads


def cut(order, axes=None):
    """Split by one reshape to ``order``, a text such as "bthk", and a permutation to ``axes``."""

    def wrong(x, n_heads):
        b, t, d = x.shape
        size = {"b": b, "t": t, "h": n_heads, "k": d // n_heads}
        x = x.reshape(*(size[axis] for axis in order))
        return x if axes is None else x.permute(*(order.index(axis) for axis in axes))

    return wrong


def pieces(piece):
    """Head h as ``piece(x, h, K, H)``, stacked."""
    return lambda x, n_heads: torch.stack(
        [piece(x, h, x.shape[-1] // n_heads, n_heads) for h in range(n_heads)], dim=1
    )


def found_at(number: torch.Tensor, tensor: torch.Tensor) -> tuple[int, ...] | None:
    """Where this number stands in ``tensor``, or None. The inputs of split and merge hold none twice."""
    places = (tensor == number).nonzero().tolist()
    return tuple(places[0]) if len(places) == 1 else None


def moved(expected, got, args):
    """A sign: every number of the input is there once, and some at the wrong place."""
    return torch.equal(got.flatten().sort().values, expected.flatten().sort().values)


def measure(expected, got, args):
    """Where a number comes from that stands at a wrong place: one of another sentence if there is one."""
    places = (expected != got).nonzero().tolist()
    found = [(place, found_at(got[tuple(place)], args[0])) for place in places]
    (b, h, t, k), origin = next((pair for pair in found if pair[1][0] != pair[0][0]), found[0])
    right = found_at(expected[b, h, t, k], args[0])
    foreign = "" if origin[0] == b else f" of sentence {origin[0]}"
    where = (
        f"In sentence {b}, feature {k} of token {t} in head {h} should be feature {right[2]} of that token; "
        f"you have put feature {origin[2]} of token {origin[1]}{foreign} there."
    )
    return {"where": where, "h": args[1], "twice_h": 2 * args[1]}


def tokens_of_head_0(expected, got, args):
    tokens = sorted({place[1] for n in got[0, 0].flatten() if (place := found_at(n, args[0]))})
    return {"tokens": ", ".join(map(str, tokens)), "t": args[0].shape[1]}


def cases() -> list[Case]:
    g = seeded(301)

    def case(name: str, b: int, t: int, h: int, k: int) -> Case:
        sizes = {"B": b, "T": t, "D": h * k, "H": h, "K": k}
        return Case(name, (random(g, b, t, h * k), h), sizes)

    turned = random(g, 5, 3, 8).transpose(0, 1)  # (3, 5, 8)
    return [
        case("five different sizes", 2, 5, 3, 7),
        case("as many tokens as heads", 2, 4, 4, 4),
        Case(
            "tokens and sentences exchanged in memory", (turned, 2), {"B": 3, "T": 5, "D": 8, "H": 2, "K": 4}
        ),
        case("one head", 2, 3, 1, 5),
        case("one sentence", 1, 4, 2, 3),
        case("one token", 3, 1, 2, 5),
        case("heads of one feature", 2, 3, 4, 1),
        case("one head of one feature", 2, 3, 1, 1),
    ]


WAYS = {
    "axes-not-moved": cut("bthk"),
    "heads-interleaved": (cut("btkh", "bhtk"), pieces(lambda x, h, k, n: x[..., h::n])),
    "heads-and-features-exchanged": (
        *(cut("btkh", axes) for axes in ("bkth", None)),
        *(cut("bthk", axes) for axes in ("bkth", "btkh", "bkht")),
        cut("bkth"),
    ),
    "features-before-words": (cut("bthk", "bhkt"), cut("bhkt")),
    "heads-before-batch": (cut("bthk", "hbtk"), cut("hbtk"), cut("bthk", "htbk")),
    "batch-mixed": tuple(cut(order, "bhtk") for order in ("hbtk", "tbhk", "thbk", "htbk")),
    "transposed-before-cutting": (
        lambda x, n_heads: x.transpose(1, 2).reshape(len(x), n_heads, x.shape[1], -1),
        cut("bhkt", "bhtk"),
    ),
    "words-cut": lambda x, n_heads: torch.stack(x.tensor_split(n_heads, dim=1), dim=1),
    "not-cut": pieces(lambda x, h, k, n: x),
    "same-piece-for-all": pieces(lambda x, h, k, n: x[..., :k]),
    "pieces-overlap": pieces(lambda x, h, k, n: x[..., h : h + k]),
    "cat-for-stack": tuple(
        lambda x, n_heads, dim=dim: torch.cat(x.chunk(n_heads, dim=-1), dim=dim) for dim in (1, 0)
    ),
    "batch-and-heads-joined": (
        lambda x, n_heads: my_split_heads(x, n_heads).flatten(0, 1),
        lambda x, n_heads: x.reshape(-1, x.shape[1], x.shape[2] // n_heads),
    ),
    "batch-and-tokens-joined": (
        lambda x, n_heads: x.reshape(-1, n_heads, x.shape[2] // n_heads).transpose(0, 1),
        lambda x, n_heads: x.reshape(-1, n_heads, x.shape[2] // n_heads),
    ),
    "heads-reversed": lambda x, n_heads: my_split_heads(x, n_heads).flip(1),
    "scrambled": (cut("bkht", "bhtk"), cut("bkth", "bhtk")),
    "pieces-behind-one-another": lambda x, n: torch.cat(x.chunk(n, dim=-1)).reshape(
        len(x), n, x.shape[1], -1
    ),
}

MEASURES = dict.fromkeys(
    (
        "heads-interleaved",
        "batch-mixed",
        "transposed-before-cutting",
        "scrambled",
        "pieces-behind-one-another",
    ),
    measure,
) | {"heads-before-batch": heads_first}
MEASURES |= {"batch-and-heads-joined": batch_and_heads}
MEASURES |= dict.fromkeys(("heads-and-features-exchanged", "features-before-words"), order_of_axes)

SHARED = (
    *ideas.view_for_transpose(
        "view-without-transpose",
        "You cut with one `view` or `reshape`, without a transpose.",
        "So head 0 got one stretch of the sentence, from tokens {tokens} of {t}, and never sees the others. "
        "Cut only the features, (B, T, H, K); then exchange T and H with `.transpose(1, 2)`.",
        cut("bhtk"),
        lambda x, n_heads: x.view(len(x), n_heads, x.shape[1], -1),
        measure=tokens_of_head_0,
    ),
    *ideas.squeezed(my_split_heads),
)

SPLIT = Exercise(
    id="03.split",
    title="Split into heads",
    minutes=12,
    difficulty=2,
    statement=prose("""
        Write `my_split_heads(x, n_heads)`. Here x is the result of a projection: the queries, the keys or the
        values. Cut the D features of each token into H pieces of K = D / H features: head 0 gets the first K
        features of every token, head 1 the next K, and so on. Return the pieces as (B, H, T, K).
    """),
    inputs={"x": "B, T, D", "n_heads": "the number of heads, H; it divides D"},
    outputs=(Output("heads", ("B", "H", "T", "K")),),
    reference=my_split_heads,
    cases=cases,
    hints=(
        prose("""
            Two steps, and each does what the other cannot: cutting one axis into two moves no number, and
            exchanging two axes cuts nothing. Which axis is cut, and into what?
        """),
        lines("""
            b, t, d = shape of x
            cut the last axis in two:   (B, T, D) to (B, T, H, K), with K = D // H
            exchange the axes 1 and 2:  (B, T, H, K) to (B, H, T, K)
        """),
    ),
    misconceptions=(*SHARED, *misconceptions(WORDS, WAYS, MEASURES, {"scrambled": moved})),
    insight="Cut the features, then move the axis: no number is changed, and each head sees every token.",
    advice=(
        (ideas.VIEW_AFTER_TRANSPOSE[0], ideas.VIEW_AFTER_TRANSPOSE[1] + " Cut first, and transpose last."),
        *advice(r"""
is invalid for input of size|shape '\[
    The new sizes must multiply to as many numbers as before: T · D for each sentence. One head has K = D // H
    features; take all sizes from `x.shape`, since every input has others.
('float' object|must be tuple of ints|float) with [^/]/[^/]
    `/` gives a float, and a size must be a whole number: write `d // n_heads`.
"""),
    ),
)
