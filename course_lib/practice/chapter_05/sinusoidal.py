"""05.sinusoidal: a fixed vector for each position, made of clocks."""

import torch

from course_lib.practice import ideas
from course_lib.practice.chapter_05.sinusoidal_ways import (
    MEASURES,
    SIGNS,
    WAYS,
    halves,
    joined_in_rows,
    wrong,
)
from course_lib.practice.chapter_05.sinusoidal_words import WORDS
from course_lib.practice.kinds import Case, Exercise, Output
from course_lib.practice.words import advice, lines, misconceptions, prose


def my_positions(T, D):
    position = torch.arange(T)[:, None]  # (T, 1): 0, 1, 2, …
    even = torch.arange(0, D, 2)  # (D / 2,): 2i for each clock i
    angle = position / 10000 ** (even / D)  # (T, D / 2), in radians
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1)  # (T, D / 2, 2) -> (T, D)


def cases() -> list[Case]:
    def case(name: str, T: int, D: int) -> Case:
        return Case(name, (T, D), {"T": T, "D": D})

    return [
        case("five positions and four clocks", 5, 8),
        case("more positions than features", 9, 6),
        case("as many positions as features", 4, 4),
        case("one position", 1, 6),
        case("one clock", 6, 2),
        case("forty positions", 40, 10),
    ]


def further() -> list[Case]:
    """Other numbers of positions and of clocks."""
    return [Case(f"T = {T} and D = {D}", (T, D)) for T in (1, 2, 7, 23) for D in (2, 4, 12, 16)]


SHARED = (
    *ideas.view_for_transpose(
        "joined-by-view",
        "You stack sines and cosines one behind the other and join them with `view` or `reshape`.",
        "So numbers of one position land in the row of another. Stack them along a new last axis, "
        "`dim=-1`, (T, D / 2, 2); then joining the last two axes puts sine and cosine side by side.",
        joined_in_rows(),
    ),
    *ideas.squeezed(my_positions),
    *ideas.whole_numbers(my_positions, wrong(put=halves)),
)

SINUSOIDAL = Exercise(
    id="05.sinusoidal",
    title="Sinusoidal positions",
    minutes=10,
    difficulty=2,
    statement=prose("""
        Write `my_positions(T, D)`: a fixed vector for each of the positions 0 … T - 1. D is even, and the
        vector holds D / 2 clocks, i = 0 … D / 2 - 1. At position p, clock i has turned by p divided by
        10000^(2i / D), in radians. Column 2i holds the sine of this angle, column 2i + 1 its cosine. Return
        the table of floats, one position in each row: (T, D).
    """),
    inputs={"T": "number of positions", "D": "number of features, even"},
    outputs=(Output("positions", ("T", "D")),),
    reference=my_positions,
    cases=cases,
    further=further,
    hints=(
        prose("""
            First make the angles alone: a table with one row for each position and one column for each clock.
            A column of positions meets a row of divisors. Only then sine and cosine: how do two tables of D /
            2 columns become one in which they alternate?
        """),
        lines("""
            position = 0 … T - 1, as a column                    (T, 1)
            even     = 0, 2, 4 … D - 2                           (D / 2,)
            angle    = position divided by 10000 to the power even / D     (T, D / 2)
            return   the sines in columns 0, 2, 4 …, the cosines in 1, 3, 5 …     (T, D)
        """),
    ),
    misconceptions=(*misconceptions(WORDS, WAYS, MEASURES, SIGNS), *SHARED),
    insight="Fast clocks tell neighbours apart, slow ones tell how far a text has come: a number in hands.",
    tolerance=1e-4,
    advice=advice(r"""
must match the size|broadcast
    Positions go down and clocks go across: a column (T, 1) and a row (D / 2,) give a table (T, D / 2).
sin\(\): argument|cos\(\): argument|must be Tensor|must be real number|only one element
    `math.sin` takes one number, `torch.sin` a tensor: make the angles a tensor first.
"""),
)
