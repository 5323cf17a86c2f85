"""09a.top-p: the smallest set of likeliest tokens whose probability reaches p."""

import torch

from course_lib.practice import ideas
from course_lib.practice.chapter_09a.top_p_ways import PAIRS, WAYS, WORDS
from course_lib.practice.inputs import not_contiguous, random, seeded
from course_lib.practice.kinds import Case, Exercise, Output
from course_lib.practice.words import advice, lines, misconceptions, prose


def top_p(probabilities, p):
    largest, order = probabilities.sort(dim=-1, descending=True)  # (B, V): and the ids that they had
    before = largest.cumsum(dim=-1) - largest  # what the likelier tokens have together
    stays = torch.zeros_like(before < p).scatter(-1, order, before < p)  # in the order of the ids again
    kept = probabilities.masked_fill(~stays, 0.0)
    return kept / kept.sum(dim=-1, keepdim=True)


def clear(probabilities: torch.Tensor, p: float) -> bool:
    """No two are equal, and no sum of the largest comes near p."""
    some = probabilities.sort(dim=-1, descending=True).values
    apart = probabilities.shape[-1] == 1 or bool((some.diff(dim=-1) < -1e-3).all())
    return apart and bool(((some.cumsum(-1) - p).abs() > 4e-3).all())


def drawn(g: torch.Generator, B: int, V: int, p: float, spread: float = 1.5) -> torch.Tensor:
    for _ in range(10_000):
        some = (spread * random(g, B, V)).softmax(-1)
        if clear(some, p):
            return some
    raise ValueError(f"no table of {B} rows with {V} probabilities apart from each other and from {p}")


def cases() -> list[Case]:
    g = seeded(907)

    def case(name: str, B: int, V: int, p: float, spread: float = 1.5) -> Case:
        return Case(name, (drawn(g, B, V, p, spread), p), {"B": B, "V": V})

    turned = case("probabilities that are not contiguous", 3, 5, 0.7)
    three = (torch.tensor([[0.09, 0.5, 0.41], [0.41, 0.09, 0.5]]), 0.9)
    return [
        case("four rows, p = 0.8", 4, 7, 0.8),
        Case("0.5, 0.41 and 0.09, p = 0.9", three, {"B": 2, "V": 3}),
        case("p = 0.5", 3, 6, 0.5, spread=1.0),
        case("a first token that alone exceeds p", 3, 4, 0.2, spread=1.0),
        case("p = 0.97: nearly all stay", 2, 5, 0.97, spread=0.7),
        case("one row", 1, 8, 0.75, spread=1.0),
        case("a vocabulary of one token", 3, 1, 0.6),
        case("as many rows as tokens", 4, 4, 0.6),
        Case(turned.name, (not_contiguous(turned.args[0]), 0.7), turned.sizes),
    ]


TOP_P = Exercise(
    id="09a.top-p",
    title="Top-p",
    minutes=10,
    difficulty=3,
    statement=prose("""
        Write `top_p(probabilities, p)`. `probabilities` (B, V) holds in each row the probabilities of V
        tokens for the next place of a text; a row sums to 1, and the column of a token is its id. `p` is a
        number above 0 and below 1. Return a table of the same shape: in each row only the likeliest tokens
        stay, as few as possible such that their probabilities sum to p or more. All other tokens get exactly
        0, those that stay are divided by their sum, so that each row sums to 1 again, and every token keeps
        its column.

        So the token with which the sum reaches p stays: of 0.5, 0.41 and 0.09 two stay with p = 0.9, since
        0.5 alone is not enough. No two probabilities of a row are equal, and no sum in question is within
        0.001 of p.
    """),
    inputs={"probabilities": "B, V", "p": "a number"},
    outputs=(Output("nucleus", ("B", "V"), rows_sum_to_one=True),),
    reference=top_p,
    cases=cases,
    hints=(
        prose("""
            Sort each row, the largest first, and remember the ids. A token stays as long as what stands
            *before* it has not reached p. Then the answer must go back to the order of the ids.
        """),
        lines("""
            largest, order = each row sorted, largest first, and the ids  (B, V)
            before = running sum, without the token itself                (B, V)
            stays  = before is below p, carried back to the ids by order  (B, V)
            kept   = probabilities, 0 where it does not stay
            return kept, each row divided by its sum
        """),
    ),
    misconceptions=(*misconceptions(WORDS, WAYS), *ideas.squeezed(top_p)),
    pairs=PAIRS,
    insight=prose("""
        How many tokens stay depends on the row: one where the model is sure, hundreds where anything can come
        next. Top-k keeps the same number everywhere.
    """),
    forbidden=lambda probabilities, p: top_p(probabilities, p) == 0,
    advice=advice(r"""
must match the size|broadcast
    A sum over an axis takes the axis away: `keepdim=True` leaves it with length 1. And a running sum is
    `cumsum(dim=-1)`, which keeps all V.
Boolean value|ambiguous
    A row is a table of numbers; `if` and `while` want one truth value. Compare the whole table, or go through
    the rows and their tokens one by one.
Expected self.dtype to be equal|expected scalar type|scatter
    `scatter(-1, order, stays)` writes `stays` to the columns `order`: into a table of the same kind,
    `torch.zeros_like(stays)`.
"""),
)
