"""01.weights: softmax over the words, padding left out."""

import torch

from course_lib.practice import ideas, parts
from course_lib.practice.inputs import padded, random, seeded
from course_lib.practice.kinds import Case, Exercise, Output
from course_lib.practice.words import lines, misconceptions, prose


def attention_weights(scores, allowed):
    scores = scores.masked_fill(~allowed[:, None, :], float("-inf"))  # padding cannot win anything
    return torch.softmax(scores, dim=-1)  # (B, T, S)


def wrong(**exchanged):
    """The weights with some parts of ``parts.weigh`` exchanged."""
    return lambda scores, allowed: parts.weigh(scores, allowed[:, None, :], **exchanged)


def along_queries(fill):
    return lambda scores, allowed: torch.softmax(scores.masked_fill(~allowed[:, :, None], fill), dim=-1)


def cases() -> list[Case]:
    g = seeded(102)
    scores = 1.5 * random(g, 3, 4, 5)
    scores[1, 2, 3] = scores[1, 2, 0]  # a repeated word
    square = 1.5 * random(g, 2, 4, 4)
    turned = (1.5 * random(g, 2, 6, 3)).transpose(1, 2)  # (2, 3, 6), not contiguous
    front = torch.tensor([[False, True, True, True], [True, True, True, False]])
    large = torch.tensor(
        [
            [[200.0, -150.0, -151.0, -149.5], [0.0, 200.0, 199.0, -200.0], [15.0, 0.0, -1.0, -2.0]],
            [[-160.0, -160.5, -161.0, 180.0], [198.5, 200.0, -50.0, -3.0], [-199.0, -200.0, 1.0, 200.0]],
        ]
    )
    return [
        Case("three sentences, two of them padded", (scores, padded(5, 3, 4)), {"B": 3, "T": 4, "S": 5}),
        Case("as many target words as source words", (square, padded(2, 4)), {"B": 2, "T": 4, "S": 4}),
        Case("scores that are not contiguous", (turned, padded(6, 1)), {"B": 2, "T": 3, "S": 6}),
        Case("one sentence, padded in front", (random(g, 1, 3, 4), front[:1]), {"B": 1, "T": 3, "S": 4}),
        Case("one target word", (random(g, 2, 1, 4), front), {"B": 2, "T": 1, "S": 4}),
        Case("one source word", (random(g, 3, 2, 1), padded(1, 1, 1)), {"B": 3, "T": 2, "S": 1}),
        Case("scores of ±200", (large, front), {"B": 2, "T": 3, "S": 4}, large=True),
    ]


WORDS = """
masked-queries
    Your mask lies along the target words (T), not along the source words (S). The padding is in the source:
    `allowed[:, None, :]` blocks columns, `allowed[:, :, None]` blocks rows.
padding-at-the-end-only
    You count the words and give weight to as many positions from the left. That takes for granted that
    padding stands at the end; where it stands in front, padding gets weight, and the last words get none.
    `allowed` says it for each position.
moved-to-the-left
    Your numbers are right, and they stand at the beginning of each row: you take the words alone, and padding
    in front is not skipped when their weights are written. Each weight must stand at the place of its word,
    and 0 at the others.
"""

WAYS = {
    "masked-queries": (along_queries(float("-inf")), along_queries(-1e9)),
    "padding-at-the-end-only": lambda scores, allowed: attention_weights(
        scores, torch.arange(allowed.shape[1]) < allowed.sum(dim=1, keepdim=True)
    ),
    "moved-to-the-left": lambda scores, allowed: attention_weights(scores, allowed).gather(
        -1, (~allowed).long().argsort(dim=1, stable=True)[:, None].expand(scores.shape)
    ),
}

SHARED = ideas.masked_softmax(
    wrong,
    lambda scores, allowed: (scores, allowed[:, None, :]),
    {"batch": 0, "queries": 1, "table": ((1, 2), (0, 1, 2))},
    also=({}, {"after": parts.zero}),
    weights=True,
    query="target word",
    key="source word",
    forbidden="padding, which is no word",
)

WEIGHTS = Exercise(
    id="01.weights",
    title="Weights with padding",
    minutes=8,
    difficulty=2,
    statement=prose("""
        Write `attention_weights(scores, allowed)`. Turn scores into weights: each row over the S source words
        sums to 1, and padding gets exactly 0. `allowed` is True on words and False on padding, which may
        stand at the end or in front. Every sentence has at least one word, and scores may be as large as
        ±200.
    """),
    inputs={"scores": "B, T, S", "allowed": "B, S"},
    outputs=(Output("weights", ("B", "T", "S"), rows_sum_to_one=True),),
    reference=attention_weights,
    cases=cases,
    hints=(
        prose("""
            A softmax gives every finite score a share. Which score gets a share of exactly 0? Put that score
            where `allowed` is False, and only then take the softmax. `allowed` has no axis T yet.
        """),
        lines("""
            mask    = not allowed, with a new axis for T       (B, 1, S)
            scores  = scores, but -inf where mask is True      (B, T, S)
            return softmax of scores over the last axis, S     (B, T, S)
        """),
    ),
    misconceptions=(*misconceptions(WORDS, WAYS), *SHARED, *ideas.squeezed(attention_weights)),
    forbidden=lambda scores, allowed: ~allowed[:, None, :],
    insight="-inf before the softmax: the padding gets exactly 0 and the words share the whole 1.",
    advice=(
        ideas.SUM_KEEPS_ITS_AXIS,
        (
            r"must match the size|broadcast unless None|unsqueeze|view|reshape|expand|newaxis",
            "`allowed` is (B, S) and the scores are (B, T, S): where the two meet, `allowed` needs an axis "
            "for T, `allowed[:, None, :]`.",
        ),
        ideas.NOT_FOR_TENSORS,
    ),
)
