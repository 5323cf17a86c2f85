"""08.mean-vector: the mean of the tokens' vectors, without padding."""

import torch

from course_lib.practice import ideas
from course_lib.practice.chapter_08.mean_vector_ways import PAIRS, WAYS, WORDS
from course_lib.practice.inputs import not_contiguous, random, seeded
from course_lib.practice.kinds import Case, Exercise, Output
from course_lib.practice.words import advice, lines, misconceptions, prose


def mean_vector(vectors, ids, pad_id):
    there = (ids != pad_id)[:, :, None]  # (B, T, 1)
    return (vectors * there).sum(dim=1) / there.sum(dim=1)  # (B, D)


def cases() -> list[Case]:
    g = seeded(807)

    def case(name: str, lengths: tuple[int, ...], D: int, pad_id: int = 0, spare: int = 0) -> Case:
        B, T = len(lengths), max(lengths) + spare
        ids = torch.randint(10, 30, (B, T), generator=g)
        for row, n in zip(ids, lengths, strict=True):
            row[n:] = pad_id
        return Case(name, (1 + random(g, B, T, D), ids, pad_id), {"B": B, "T": T, "D": D})

    zero = case("another id for padding, and a word with the id 0", (3, 5), 4, pad_id=9)
    zero.args[1][:, 1] = 0
    turned = case("vectors that are not contiguous", (2, 4, 3), 5)
    return [
        case("three rows, two of them padded", (6, 3, 4), 5),
        zero,
        case("no padding", (3, 3), 4),
        case("as many rows as places and features", (2, 4, 1, 3), 4),
        case("padding at the end of every row", (2, 4, 3), 6, spare=3),
        case("one row", (3,), 4, spare=2),
        case("rows of one token", (1, 1), 3, pad_id=7, spare=1),
        case("one place", (1, 1, 1), 4),
        case("one feature", (2, 3), 1),
        Case(turned.name, (not_contiguous(turned.args[0]), *turned.args[1:]), turned.sizes),
    ]


MEAN_VECTOR = Exercise(
    id="08.mean-vector",
    title="The mean of a row, without padding",
    minutes=6,
    difficulty=2,
    statement=prose("""
        Write `mean_vector(vectors, ids, pad_id)`. `vectors` (B, T, D) is what BERT's last layer leaves at
        each place, and `ids` (B, T) the tokens that stood there, filled up at the end of the row with
        `pad_id`. Return one vector for each row, (B, D): the mean of the vectors of its tokens. Special
        tokens count like words, padding does not. Every row has a token. What stands in `vectors` at places
        of padding is not 0 (nor infinite, nor nan), and must have no effect.
    """),
    inputs={"vectors": "B, T, D", "ids": "B, T", "pad_id": "one id"},
    outputs=(Output("means", ("B", "D")),),
    reference=mean_vector,
    cases=cases,
    hints=(
        prose("""
            A mean is a sum divided by a number. What must padding be worth in the sum? And which number
            belongs to which row?
        """),
        lines("""
            there = id is not padding                            (B, T)
            total = sum over the places of vectors · there       (B, D)
            n     = how many are there, for each row             (B, 1)
            return total / n
        """),
    ),
    misconceptions=(*misconceptions(WORDS, WAYS), *ideas.squeezed(mean_vector)),
    pairs=PAIRS,
    insight=prose("""
        With padding in the mean, the vector of a sentence would depend on how long the others in its batch
        are. Encoders that are made for comparing sentences often use this mean.
    """),
    advice=advice(r"""
must match the size|broadcast
    Two shapes can be in question. Beside vectors (B, T, D) a mask must be (B, T, 1): `[:, :, None]` gives a
    mask (B, T) this axis. Beside the sum over the places, (B, D), the numbers of tokens must be a column,
    (B, 1): `[:, None]` makes one of numbers (B,).
shape of the mask|did not match|is invalid for input of size
    `vectors[there]` joins the tokens of all rows into one list, and no row is left. Multiply by the mask, or
    go through the rows one by one.
is not in list|index 0 is out of bounds for dimension 0 with size 0|list index out of range
    A row need not have padding, and then there is no first place of it to be found. Count the tokens of each
    row: `(ids != pad_id).sum(1)`.
not implemented for 'Bool'|could not infer output dtype|must be either a floating
    `mean` and products of two masks need numbers: `.float()` makes 1.0 and 0.0 of True and False.
"""),
)
