"""08.input-triple: two texts as one row: ids, segments, and who may be looked at."""

from functools import partial

import torch

from course_lib.practice.chapter_08.input_triple_slips import PAIRS
from course_lib.practice.chapter_08.input_triple_ways import WAYS
from course_lib.practice.chapter_08.input_triple_words import TOLD
from course_lib.practice.inputs import seeded
from course_lib.practice.kinds import Case, Exercise, Output
from course_lib.practice.words import advice, lines, misconceptions, prose


def input_triple(first, second, length, cls_id, sep_id, pad_id):
    ids, segments = [cls_id, *first, sep_id], [0] * (len(first) + 2)
    if second is not None:
        ids, segments = [*ids, *second, sep_id], segments + [1] * (len(second) + 1)
    rest = length - len(ids)  # places without a token
    allowed = [True] * len(ids) + [False] * rest
    return torch.tensor(ids + [pad_id] * rest), torch.tensor(segments + [0] * rest), torch.tensor(allowed)


def pair(g, name: str, n: int, m: int | None, spare: int, special=(5, 6, 0), low: int = 8) -> Case:
    """``n``, ``m``: words of the two texts; ``spare``: places for padding."""
    length = n + 2 + (0 if m is None else m + 1) + spare
    first, second = (
        None if words is None else torch.randint(low, low + 9, (words,), generator=g).tolist()
        for words in (n, m)
    )
    return Case(name, (first, second, length, *special), {"T": length})


def further() -> list[Case]:
    g = seeded(811)
    some = ((2, 5, 3), (5, 1, 0), (3, None, 1), (1, None, 4), (4, 4, 2), (6, 2, 7))
    return [pair(g, "other texts", *sizes, special=(17, 18, 19), low=20) for sizes in some]


def cases() -> list[Case]:
    case = partial(pair, seeded(801))
    word_0 = ([0, 21, 22], [20, 0], 11, 101, 102, 7)
    return [
        case("two texts and padding", 3, 2, 2),
        case("two texts and no padding", 2, 4, 0),
        Case("other ids, and a word with the id 0", word_0, {"T": 11}),
        case("one text and padding", 4, None, 3),
        case("one text and no padding", 2, None, 0),
        case("texts of one word", 1, 1, 5, special=(101, 102, 99)),
        case("a long second text", 1, 7, 1, special=(40, 41, 7)),
        case("more padding than text", 2, 1, 14, special=(2, 1, 3), low=30),
    ]


TRIPLE = (Output("ids", ("T",)), Output("segments", ("T",)), Output("allowed", ("T",)))

INPUT_TRIPLE = Exercise(
    id="08.input-triple",
    title="Two texts in one row",
    minutes=8,
    difficulty=1,
    statement=prose("""
        Write `input_triple(first, second, length, cls_id, sep_id, pad_id)`. `first` and `second` are lists of
        ids: two texts, neither of them empty; `second` is None where there is one text only. Return three
        tensors with T = `length` places each, `ids, segments, allowed`. `length` is large enough.

        `ids`: `[CLS]`, the first text, `[SEP]`, the second text, `[SEP]`, then padding up to the end; with
        one text: `[CLS]`, the text, `[SEP]`, padding. The ids of the special tokens are `cls_id`, `sep_id`
        and `pad_id`. `segments`: 0 for the first text, for `[CLS]` and for the `[SEP]` that ends the first
        text; 1 for the second text and the `[SEP]` that ends it; 0 on padding. `allowed`: boolean, True where
        others may look: on every token but padding. `ids` and `segments` are whole numbers (int64), as
        `torch.tensor` makes them of a list of ids.
    """),
    inputs={
        "first": "a list of ids",
        "second": "a list of ids, or None",
        "length": "how many places",
        "cls_id": "one id",
        "sep_id": "one id",
        "pad_id": "one id",
    },
    outputs=TRIPLE,
    reference=input_triple,
    cases=cases,
    further=further,
    hints=(
        prose("""
            Write the row of 7, 8 and of 9 on paper, with two places of padding, and below each token its
            segment. To which text does the middle [SEP] belong? And which of the three rows would you change
            if one more place of padding came?
        """),
        lines("""
            ids      = [CLS], first, [SEP]
            segments = a 0 for each of them
            if there is a second text:
                ids      grows by second, [SEP]
                segments grows by a 1 for each of them
            allowed  = a True for each id
            fill up to length: ids with padding, segments with 0, allowed with False
            make three tensors
        """),
    ),
    misconceptions=misconceptions(TOLD, WAYS),
    pairs=PAIRS,
    insight=prose("""
        Segments say which text a token belongs to, the mask says whether it is a token at all. Both are rows
        of two values, and nothing but their names keeps them apart.
    """),
    advice=advice(r"""
NoneType
    `second` is None where there is one text only: ask for that before you use it.
can only concatenate list
    One id is no list: `[sep_id]` makes a list of it.
sequence item|too many dimensions|not a sequence|must be real number
    `append` puts a whole list in as one thing; `+=` and `extend` put in what it holds.
"""),
)
