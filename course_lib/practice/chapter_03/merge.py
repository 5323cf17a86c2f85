"""03.merge: (B, H, T, K) → (B, T, D)."""

import torch

from course_lib.practice import ideas
from course_lib.practice.chapter_03.split import found_at, moved
from course_lib.practice.inputs import random, seeded
from course_lib.practice.kinds import Case, Exercise, Output
from course_lib.practice.words import advice, lines, misconceptions, prose


def my_merge_heads(x):
    b, h, t, k = x.shape
    return x.transpose(1, 2).reshape(b, t, h * k)  # (B, T, H, K), then H and K are joined to D


def join(order):
    """Bring (B, H, T, K) into ``order``, a text such as "btkh", and join the last two axes."""
    return lambda x: x.permute(*("bhtk".index(axis) for axis in order)).flatten(2)


def as_merged(order):
    """The same, and the numbers read into the right shape (B, T, D)."""
    return lambda x: join(order)(x).reshape(len(x), x.shape[2], -1)


def overlapping(x):
    """Head h written to the features from h on: what comes later stands over what was there."""
    b, h, t, k = x.shape
    merged = torch.zeros(b, t, h * k)
    for head in range(h):
        merged[..., head : head + k] = x[:, head]
    return merged


def join_by_reshape(x):
    return x.reshape(len(x), x.shape[2], -1)


def measure(expected, got, args):
    """A number at a wrong place, of another sentence if there is one, and what the first row is made of."""
    places = (expected != got).nonzero().tolist()
    moves = [(place, found_at(got[tuple(place)], args[0])) for place in places]
    (b, t, d), mine = next((move for move in moves if move[1][0] != move[0][0]), moves[0])
    right = found_at(expected[b, t, d], args[0])
    foreign = "" if mine[0] == b else f" of sentence {mine[0]}"
    where = (
        f"In sentence {b}, feature {d} of token {t} should be feature {right[3]} of token {right[2]} in head "
        f"{right[1]}; you have put feature {mine[3]} of token {mine[2]} in head {mine[1]}{foreign} there."
    )
    if foreign:
        where += " So the sentences are mixed: the batch must stay axis 0 (`.T` turns all axes round, B too)."
    found = [place for n in got[0, 0] if (place := found_at(n, args[0]))]
    heads, tokens = (", ".join(map(str, sorted({place[axis] for place in found}))) for axis in (1, 2))
    return {"where": where, "heads": heads, "tokens": tokens}


def words_joined(expected, got, args):
    """Whether the tokens are joined, or only the sizes of the answer are wrong."""
    if torch.equal(got, join("bhtk")(*args)):
        return {"what": "You return (B, H, T·K): the tokens are joined and the heads are not"}
    return {"what": "Your answer has the shape (B, H, T·K), one row for each head"}


def cases() -> list[Case]:
    g = seeded(302)

    def case(name: str, b: int, h: int, t: int, k: int, x: torch.Tensor | None = None) -> Case:
        sizes = {"B": b, "T": t, "D": h * k, "H": h, "K": k}
        return Case(name, (random(g, b, h, t, k) if x is None else x,), sizes)

    split = random(g, 3, 4, 10).unflatten(-1, (2, 5)).transpose(1, 2)  # (3, 2, 4, 5), as a split leaves it
    return [
        case("five different sizes", 2, 3, 5, 4),
        case("as many tokens as heads", 2, 4, 4, 4),
        case("heads that come straight from a split", 3, 2, 4, 5, split),
        case("one head", 2, 1, 3, 5),
        case("one sentence", 1, 2, 4, 3),
        case("one token", 3, 2, 1, 5),
        case("one head of one feature", 2, 1, 3, 1),
    ]


WORDS = """
heads-averaged
    You take the mean or the maximum of the heads. They have looked for different things; afterwards nobody
    can tell them apart. Put them side by side: H · K features for each token.
heads-added
    You add the heads up. They have looked for different things; in a sum nobody can tell them apart any more.
    Put them side by side: H · K features for each token.
heads-interleaved
    You join as (K, H): feature 0 of every head, then feature 1 of every head. Each head must stay in one
    piece, so join as (H, K): `.transpose(1, 2)` alone, with K still last.
not-joined
    The axes are in the right order, (B, T, H, K), and the join is missing: the last two become one axis of H
    · K features.
joined-along-words
    You join the heads along the tokens, so the sentence becomes H times as long. Join them along the
    features: the number of tokens stays, and each token gets H · K features.
words-joined
    {what}, and each token must get one row: (B, T, H·K). Did you read the sizes as `b, t, h, k`? The input is
    (B, H, T, K), so it is `b, h, t, k = x.shape`.
batch-joined
    You join the sentences, which stand along axis 0. (`for part in x` and `list(x)` go along that axis.) The
    heads are axis 1: `x[:, h]`.
batch-and-heads-joined
    Batch and heads have become one axis, (B·H, T, K), all heads of sentence 0 first. Each token must get one
    row with all its heads: (B, T, H·K). (Where you join the parts of a loop: `for part in x` goes along axis
    0, the sentences; the heads are axis 1, `x[:, h]`.)
pieces-overlap
    Your pieces overlap: where head h begins, you write over most of head h - 1. Head h begins behind those
    before it, at feature h · K: `[..., h * K : (h + 1) * K]`.
one-head-only
    You return one head and throw the others away. Put all H heads of a token side by side.
batch-exchanged
    Batch and tokens have changed places: you return (T, B, D). The batch stays axis 0; exchange the tokens
    and the heads, axes 1 and 2.
features-before-words
    The numbers are right and two axes are exchanged: you return (B, D, T). Each token gets a row of features:
    (B, T, D).
heads-reversed
    The heads stand in reversed order. Head 0 comes first: W_o counts on it.
scrambled
    The shape is right and no number is lost, but they stand at wrong places. {where} First bring the axes
    into the order (B, T, H, K), then join the last two.
"""

WAYS = {
    "heads-averaged": (lambda x: x.mean(dim=1), lambda x: x.max(dim=1).values),
    "heads-added": lambda x: x.sum(dim=1),
    "heads-interleaved": join("btkh"),
    "not-joined": lambda x: x.transpose(1, 2),
    "joined-along-words": (lambda x: x.flatten(1, 2), lambda x: x.transpose(1, 2).flatten(1, 2)),
    "words-joined": (join("bhtk"), lambda x: x.transpose(1, 2).reshape(*x.shape[:2], -1)),
    "batch-joined": lambda x: torch.cat(list(x), dim=-1),
    "batch-and-heads-joined": lambda x: torch.cat(list(x), dim=0),
    "pieces-overlap": overlapping,
    "one-head-only": (lambda x: x[:, 0], lambda x: x[:, -1]),
    "batch-exchanged": join("tbhk"),
    "features-before-words": (
        lambda x: my_merge_heads(x).transpose(1, 2),
        lambda x: x.transpose(2, 3).flatten(1, 2),
    ),
    "heads-reversed": lambda x: my_merge_heads(x.flip(1)),
    "scrambled": (as_merged("bkht"), as_merged("bhkt")),
}

MEASURES = {"scrambled": measure, "words-joined": words_joined}

SHARED = (
    *ideas.squeezed(my_merge_heads),
    *ideas.view_for_transpose(
        "view-without-transpose",
        "You join with one `view` or `reshape`, without a transpose.",
        "So your first row holds tokens {tokens} of head {heads}, and it should hold token 0 of every head. "
        "Exchange the axes first, `.transpose(1, 2)`; then join H and K.",
        join_by_reshape,
        lambda x: x.view(len(x), x.shape[2], -1),
        measure=measure,
    ),
)

MERGE = Exercise(
    id="03.merge",
    title="Merge the heads",
    minutes=8,
    difficulty=2,
    statement=prose("""
        Write `my_merge_heads(x)`, the way back: put the H heads of each token side by side, head 0 first, so
        that (B, H, T, K) becomes (B, T, D) with D = H · K. Merging what was split gives the input back.
    """),
    inputs={"x": "B, H, T, K"},
    outputs=(Output("merged", ("B", "T", "D")),),
    reference=my_merge_heads,
    cases=cases,
    hints=(
        prose("""
            Do the two steps of the split backwards, and in the opposite order. Which axes must stand side by
            side before they can be joined?
        """),
        lines("""
            b, h, t, k = shape of x
            exchange the axes 1 and 2:  (B, H, T, K) to (B, T, H, K)
            join the last two:          (B, T, H, K) to (B, T, H * K), with reshape
        """),
    ),
    misconceptions=(*SHARED, *misconceptions(WORDS, WAYS, MEASURES, {"scrambled": moved})),
    insight="Concatenating the heads is the split backwards: transpose first, then join H and K.",
    advice=(
        ideas.VIEW_AFTER_TRANSPOSE,
        *advice(r"""
is invalid for input of size|shape '\[
    The new sizes must multiply to as many numbers as before: for each sentence T · H · K.
torch\.cat\(x\b|must be tuple of Tensors
    `torch.cat` takes a list of tensors; with `x[:, h]` for each head and `dim=-1` it would join them. One
    `transpose` and one `reshape` do the same.
"""),
    ),
)
