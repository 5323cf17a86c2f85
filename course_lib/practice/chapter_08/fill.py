"""08.fill: of all blanks of a row, the one of which the model is surest is filled."""

import torch

from course_lib.practice import ideas
from course_lib.practice.chapter_08.fill_ways import PAIRS, WAYS
from course_lib.practice.chapter_08.fill_words import TOLD
from course_lib.practice.inputs import not_contiguous, random, seeded
from course_lib.practice.kinds import Case, Exercise, Output
from course_lib.practice.words import advice, lines, misconceptions, prose


def fill_surest(ids, logits, mask_id):
    sure, best = torch.softmax(logits, dim=-1).max(dim=-1)  # (B, T) each
    blank = ids == mask_id
    place = sure.masked_fill(~blank, -1.0).argmax(dim=1)  # (B,)
    filled = ids.clone()
    for row in range(len(ids)):
        if blank[row].any():
            filled[row, place[row]] = best[row, place[row]]
    return filled


def cases() -> list[Case]:
    g = seeded(808)

    def case(name: str, blanks: list[list[int]], V: int, mask_id: int, T: int = 0) -> Case:
        """``blanks``: their places in each row. Scores differ in height and in spread from place to place."""
        B, T = len(blanks), T or 1 + max(place for row in blanks for place in row)
        ids = torch.randint(0, V, (B, T), generator=g)
        ids = torch.where(ids == mask_id, (mask_id + 1) % V, ids)
        for row, places in zip(ids, blanks, strict=True):
            row[places] = mask_id
        logits = random(g, B, T, V) * (0.5 + 3 * torch.rand(B, T, 1, generator=g))
        logits = logits + 6 * random(g, B, T, 1)
        logits[..., mask_id] = logits.amin(-1) - 3  # a model never learns to say [MASK]
        return Case(name, (ids, logits, mask_id), {"B": B, "T": T, "V": V})

    turned = case("scores that are not contiguous", [[0, 2, 3], [1, 2], [0, 1, 2, 3]], 6, 5)
    ids, logits, mask_id = turned.args
    return [
        case("three rows with two, three and four blanks", [[1, 4], [0, 2, 5], [1, 2, 3, 5]], 9, 6, T=7),
        case("a row without a blank", [[1, 2, 4], [], [0, 3, 4]], 8, 4, T=6),
        case("blanks at every place", [[0, 1, 2, 3, 4], [0, 1, 2, 3, 4]], 7, 6),
        case("a `[MASK]` with the id 0", [[0, 2, 3, 5], [1, 2, 4]], 10, 0),
        case("one blank in each row", [[2], [0], [4], [1]], 6, 3),
        case("one row", [[0, 1, 3, 4, 6]], 5, 4, T=8),
        case("rows of one blank", [[0], [0], [0]], 4, 2),
        case("no blank at all", [[], []], 5, 4, T=3),
        case("as many rows as places and words", [[0, 1, 2, 3], [1, 3], [0, 2], [2, 3]], 4, 3),
        Case(turned.name, (ids, not_contiguous(logits, 1, 2), mask_id), turned.sizes),
    ]


FILL = Exercise(
    id="08.fill",
    title="Fill the surest blank",
    minutes=10,
    difficulty=3,
    statement=prose("""
        Write `fill_surest(ids, logits, mask_id)`. `ids` (B, T) are rows with blanks: places at which
        `mask_id` stands. `logits` (B, T, V) are a model's scores for each of V words at each place of `ids`,
        before the softmax. Fill one blank in each row, and return the new rows, (B, T).

        At each place the model's best word is the one with the highest probability, and this probability says
        how sure the model is there. In each row the blank at which it is surest gets its best word. All other
        blanks stay, and so do all words, however sure the model is of something else at their places. A row
        without a blank stays as it is. `[MASK]` itself is nowhere the best word. Do not change `ids`. No two
        of the numbers to compare are equal.
    """),
    inputs={"ids": "B, T", "logits": "B, T, V", "mask_id": "one id"},
    outputs=(Output("filled", ("B", "T")),),
    reference=fill_surest,
    cases=cases,
    hints=(
        prose("""
            A score of 5 among scores of 4, and a score of 3 among scores of -2: at which place is the model
            surer? And what could stand for the places that must not be looked at, so that they never win?
        """),
        lines("""
            p          = softmax over the words                   (B, T, V)
            sure, best = largest p of each place, and which word  (B, T) each
            sure       = -1 where no blank stands
            place      = the surest of each row                   (B,)
            filled     = a copy of ids
            for each row that has a blank: filled at its place = best at its place
        """),
    ),
    misconceptions=(*misconceptions(TOLD, WAYS), *ideas.squeezed(fill_surest)),
    pairs=PAIRS,
    insight=prose("""
        Run it again and again, each time with new scores, and BERT writes. Each word sees those that were
        filled before, which it would not if all blanks were filled at once.
    """),
    advice=advice(r"""
Boolean value|ambiguous
    `ids == mask_id` is a mask (B, T). For one truth value ask `.any()`.
max\(\)|argmax|non-zero (size|dim)|empty
    A row without a blank has nothing to choose from: ask first whether it has one.
must match the size|broadcast|shape mismatch
    `argmax` and `max` over an axis take it away: (B, T, V) becomes (B, T), and (B, T) becomes (B,).
"""),
)
