"""08.choose: which words of a batch are chosen to be hidden, from throws that are given."""

import torch

from course_lib.practice import ideas
from course_lib.practice.chapter_08.choose_ways import PAIRS, WAYS, WORDS
from course_lib.practice.inputs import not_contiguous, seeded
from course_lib.practice.kinds import Case, Exercise, Output
from course_lib.practice.words import advice, lines, misconceptions, prose


def choose_words(ids, special, throw):
    is_word = ~torch.isin(ids, torch.tensor(special))  # (B, T)
    return is_word & (throw < 0.15)


def rows(g: torch.Generator, sizes: tuple[tuple[int, int], ...], special: list[int], low: int, spare: int):
    """Rows `[CLS] a [SEP] b [SEP]` and padding; ``special`` begins with the ids of padding, CLS and SEP."""
    pad_id, cls_id, sep_id, *_ = special
    ids = torch.full((len(sizes), max(a + b for a, b in sizes) + 3 + spare), pad_id)
    for row, (a, b) in zip(ids, sizes, strict=True):
        words = torch.randint(low, low + 8, (a + b,), generator=g).tolist()
        some = [cls_id, *words[:a], sep_id, *words[a:], sep_id]
        row[: len(some)] = torch.tensor(some)
    return ids


def cases() -> list[Case]:
    g = seeded(802)

    def case(name: str, sizes, special: list[int], low: int = 8, spare: int = 0, top: float = 0.4) -> Case:
        """Throws from 0 to ``top``: small ones are frequent, so that there is something to see."""
        ids = rows(g, sizes, special, low, spare)
        throw = top * torch.rand(ids.shape, generator=g)
        return Case(name, (ids, special, throw), {"B": len(ids), "T": ids.shape[1]})

    all_four = case("three rows, two of them padded", ((4, 3), (2, 2), (3, 1)), [0, 5, 6, 7])
    all_four.args[0][0, 2] = all_four.args[0][2, 3] = 7  # a blank that stands in a text
    all_four.args[2][0, 2] = all_four.args[2][2, 3] = 0.05
    turned = case("rows that are not contiguous", ((2, 2), (1, 3)), [0, 5, 6])
    one = torch.randint(8, 16, (5, 1), generator=g)
    mixed = torch.tensor([[0, 9, 41, 2, 1], [41, 0, 55, 90, 3]])
    edges = [[0.15, 0.1, 0.15, 0.15, 0.0], [0.1, 0.15, 0.2, 0.15, 0.1]]
    return [
        all_four,
        Case(
            "special ids among those of words",
            (mixed, [3, 90, 41], torch.tensor([[0.14, 0.01, 0.05, 0.3, 0.1], [0.02, 0.2, 0.11, 0.0, 0.03]])),
            {"B": 2, "T": 5},
        ),
        case("throws from 0 to 1", ((6, 5), (7, 4), (3, 8), (2, 2)), [0, 5, 6, 7], top=1.0),
        case("another id for padding", ((2, 3), (4, 4)), [9, 30, 31], low=10, spare=2),
        case("throws that are all small", ((3, 2), (1, 1)), [0, 5, 6, 7], top=0.1),
        Case(
            "throws that are all large",
            (mixed, [41, 3], 0.5 + torch.rand(2, 5, generator=g) / 2),
            {"B": 2, "T": 5},
        ),
        Case(
            "a throw of exactly 0.15",
            (mixed, [41, 3], torch.tensor(edges, dtype=torch.float64)),
            {"B": 2, "T": 5},
        ),
        case("one row", ((5, 4),), [0, 5, 6]),
        Case("rows of one word", (one, [0, 5, 6], 0.4 * torch.rand(5, 1, generator=g)), {"B": 5, "T": 1}),
        case("as many rows as tokens", ((1, 1),) * 5, [0, 5, 6]),
        Case(
            turned.name,
            (not_contiguous(turned.args[0]), turned.args[1], not_contiguous(turned.args[2])),
            turned.sizes,
        ),
    ]


CHOOSE = Exercise(
    id="08.choose",
    title="Which words are chosen",
    minutes=6,
    difficulty=1,
    statement=prose("""
        Write `choose_words(ids, special, throw)`. `ids` (B, T) are the tokens of a batch, `[CLS]`, `[SEP]`
        and padding among them. `special` is a list of ids (two or more): of padding and of all special
        tokens. `throw` (B, T) holds a random number from 0 to 1 for each token, thrown for this question
        alone. Return a boolean tensor (B, T): True on the tokens that are chosen to be predicted. A word is
        chosen if its own throw is below 0.15; what is in `special` is never chosen.
    """),
    inputs={"ids": "B, T", "special": "a list of ids", "throw": "B, T"},
    outputs=(Output("chosen", ("B", "T")),),
    reference=choose_words,
    cases=cases,
    hints=(
        prose("""
            Two questions about each token: is it a word, and is its throw small? `torch.isin(a, b)` says for
            each number of a whether it stands anywhere in b (both must be tensors).
        """),
        lines("""
            is_word = the id is none of the special ones    (B, T)
            is_low  = throw below 0.15                      (B, T)
            return both at once
        """),
    ),
    misconceptions=(*misconceptions(WORDS, WAYS), *ideas.squeezed(choose_words)),
    pairs=PAIRS,
    insight=prose("""
        About 15 of 100 words, whatever the length of a row; a short row may have none. To ask for [SEP] or
        for padding would teach nothing, and would be right nearly every time.
    """),
    advice=advice(r"""
Boolean value|ambiguous
    `and`, `or`, `not` and `in` ask for one truth value; for tensors, element by element, write `&`, `|`, `~`
    and `torch.isin`, with each comparison in brackets.
isin
    `torch.isin(ids, torch.tensor(special))`: the list must become a tensor.
must match the size|broadcast
    `ids` is (B, T), and `special` has another length. Each token is compared with each special id:
    `torch.isin`, or a loop over `special`.
"""),
)
