"""05.sinusoidal: a fixed vector for each position, made of clocks."""

import math

import torch

from course_lib.practice import ideas
from course_lib.practice.kinds import Case, Exercise, Output
from course_lib.practice.words import advice, lines, misconceptions, prose


def my_positions(T, D):
    position = torch.arange(T)[:, None]  # (T, 1): 0, 1, 2, …
    even = torch.arange(0, D, 2)  # (D / 2,): 2i for each clock i
    angle = position / 10000 ** (even / D)  # (T, D / 2), in radians
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1)  # (T, D / 2, 2) -> (T, D)


def even(D):
    """2i for each clock."""
    return torch.arange(0, D, 2)


def side_by_side(sines, cosines):
    return torch.stack([sines, cosines], dim=-1).flatten(1)


def halves(sines, cosines):
    return torch.cat([sines, cosines], dim=1)


def wrong(exponent=lambda D: even(D) / D, base=10000, place=lambda T: torch.arange(T), turn=1.0, put=None):
    """Positions with other exponents (one a clock), another base, other positions or another turn."""

    def positions(T, D):
        angle = turn * place(T)[:, None] / base ** exponent(D)
        return (put or side_by_side)(angle.sin(), angle.cos())

    return positions


def in_each_column(exponent):
    """An exponent for each column, so that sine and cosine of a pair belong to two clocks."""

    def positions(T, D, put=None):
        angle = torch.arange(T)[:, None] / 10000.0 ** exponent(torch.arange(D), D)  # (T, D)
        return (put or side_by_side)(angle[:, 0::2].sin(), angle[:, 1::2].cos())

    return positions, lambda T, D: positions(T, D, halves)


def both_orders(**more):
    return wrong(**more), wrong(**more, put=halves)


def measure(expected, got, args):
    D = args[1]
    clocks = {"D": D, "clocks": D // 2, "slowest": 10000 ** ((D - 2) / D)}
    return {**clocks, "last": D - 2, "half": clocks["slowest"] ** 0.5}


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


WORDS = """
concatenated
    Right numbers in another order: all sines stand first, then all cosines. Many programs do it so, and
    nothing is lost: the dot product of any two positions is the same in both orders. Here the two hands of a
    clock stand side by side, sine in column 2i and cosine in column 2i + 1.
cosine-first
    Sine and cosine have changed places. The sine stands first, in the even columns: position 0 begins
    0, 1, 0, 1.
two-clocks-in-a-pair
    Your exponent changes from column to column, so the sine of a pair belongs to one clock and its cosine to
    another, slower one. Both columns of a pair, 2i and 2i + 1, show the same angle: the exponent has the
    even number 2i in both.
half-the-exponent
    Your divisors are the roots of the right ones, as with the exponent i / D. It is 2i / D: i counts clocks,
    from 0 to D / 2 - 1. As it is, the last of your {clocks} clocks turns {half:.0f} times too fast.
double-the-exponent
    Your divisors are the squares of the right ones: the exponent is twice as large as asked. The even number
    2i runs 0, 2 … {last} for D = {D}, and it is divided by D, once.
first-clock-missing
    Your clocks begin with i = 1. The first one is i = 0: it turns one radian a position, and it tells
    neighbours apart best.
power-of-the-whole
    You take the power of the whole fraction, (p / 10000) to the 2i / D. The power belongs to 10000 alone:
    first `10000 ** (2 * i / D)`, then p divided by it.
last-clock-of-10000
    You spread the clocks so that the last one has the divisor 10000 itself: you divide by the number of
    clocks minus 1. Some programs do (tensor2tensor, by authors of the paper, is one). The paper's formula
    divides 2i by D, so the last divisor is {slowest:.0f} here.
one-speed
    All your clocks turn at the same speed, one radian a position: every exponent is 0. `//` cuts a fraction
    off, and 2i is smaller than D: write `/`.
positions-from-1
    Your first row is position 1. Positions begin with 0: at position 0 all clocks stand at their start, sine
    0 and cosine 1.
position-multiplied
    Your clocks turn faster and faster: you multiply the position by 10000^(2i / D). Divide by it: clock 0 is
    the fastest, with one radian a position, and the later ones hardly move.
full-turns
    There is a 2π too many: one position is one radian here, not one full turn. Your clock 0 comes back to its
    start at every position, so it says nothing.
turn-divided
    You divide the angle by 2π. It is right as it stands: the position divided by 10000^(2i / D), in radians.
degrees
    Degrees and radians are mixed: your angles are too small or too large by π / 180. `torch.sin` expects
    radians, and the position divided by 10000^(2i / D) is in radians already.
another-base
    Another number stands where 10000 belongs. With a smaller one the slow clocks come round sooner, and
    far-away positions look alike.
position-as-share
    You divide the positions by T or by T - 1, so a vector depends on how long the text is. The same position
    must have the same vector in every text: take 0, 1, 2 … as they are.
sines-only
    Both columns of a pair hold the sine. One hand is not enough: the same height is reached on the way up and
    on the way down. The odd columns hold the cosine.
cosines-only
    Both columns of a pair hold the cosine. The even columns, 2i, hold the sine of the same angle.
features-as-rows
    Your table lies on its side: (D, T). Each position is a row, so that it can be added to the vector of the
    token that stands there: (T, D).
angles-only
    These are the angles themselves, without sine and cosine: numbers that grow with the position. A sine and
    a cosine stay between -1 and 1.
"""


def angles_only(T, D):
    angle = torch.arange(T)[:, None] / 10000 ** (even(D) / D)
    return side_by_side(angle, angle)


def power_of_the_whole(T, D):
    angle = (torch.arange(T)[:, None] / 10000) ** (even(D) / D)
    return angle.sin(), angle.cos()


WAYS = {
    "concatenated": wrong(put=halves),
    "cosine-first": (
        wrong(put=lambda sines, cosines: side_by_side(cosines, sines)),
        wrong(put=lambda sines, cosines: halves(cosines, sines)),
    ),
    "two-clocks-in-a-pair": (
        *in_each_column(lambda column, D: column / D),
        *in_each_column(lambda column, D: 2 * column / D),
        *in_each_column(lambda column, D: (column + 1) / D),
    ),
    "half-the-exponent": both_orders(exponent=lambda D: even(D) / 2 / D),
    "double-the-exponent": (
        *both_orders(exponent=lambda D: 2 * even(D) / D),
        *both_orders(exponent=lambda D: 4 * even(D) / D),
    ),
    "first-clock-missing": both_orders(exponent=lambda D: (even(D) + 2) / D),
    "power-of-the-whole": tuple(
        lambda T, D, put=put: put(*power_of_the_whole(T, D)) for put in (side_by_side, halves)
    ),
    "last-clock-of-10000": (
        *both_orders(exponent=lambda D: even(D) / 2 / max(D // 2 - 1, 1)),
        *both_orders(exponent=lambda D: even(D) / 2 / (D // 2 - 1)),
        *both_orders(exponent=lambda D: torch.linspace(0, 1, D // 2)),
    ),
    "one-speed": (*both_orders(exponent=lambda D: even(D) // D), *both_orders(base=1)),
    "positions-from-1": both_orders(place=lambda T: torch.arange(1, T + 1)),
    "position-multiplied": both_orders(exponent=lambda D: -even(D) / D),
    "full-turns": both_orders(turn=2 * math.pi),
    "turn-divided": both_orders(turn=1 / (2 * math.pi)),
    "degrees": (*both_orders(turn=math.pi / 180), *both_orders(turn=180 / math.pi)),
    "another-base": tuple(wrong(base=base) for base in (1000, 100_000, 1_000_000, 10, math.e)),
    "position-as-share": (
        *both_orders(place=lambda T: torch.arange(T) / T),
        *both_orders(place=lambda T: torch.linspace(0, 1, T)),
    ),
    "sines-only": wrong(put=lambda sines, cosines: side_by_side(sines, sines)),
    "cosines-only": wrong(put=lambda sines, cosines: side_by_side(cosines, cosines)),
    "features-as-rows": (
        lambda T, D: my_positions(T, D).T,
        lambda T, D: wrong(put=halves)(T, D).T,
    ),
    "angles-only": angles_only,
}

MEASURES = dict.fromkeys(("half-the-exponent", "double-the-exponent", "last-clock-of-10000"), measure)

SHARED = (
    *ideas.view_for_transpose(
        "joined-by-view",
        "You stack sines and cosines one behind the other and join them with `view` or `reshape`.",
        "So numbers of one position land in the row of another. Stack them along a new last axis, "
        "`dim=-1`, (T, D / 2, 2); then joining the last two axes puts sine and cosine side by side.",
        lambda T, D: wrong(put=lambda *both: torch.stack(both).reshape(T, D))(T, D),
    ),
    *ideas.squeezed(my_positions),
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
    misconceptions=(*misconceptions(WORDS, WAYS, MEASURES), *SHARED),
    insight="Fast clocks tell neighbours apart, slow ones tell how far a text has come: a number in hands.",
    tolerance=1e-4,
    advice=advice(r"""
must match the size|broadcast
    Positions go down and clocks go across: a column (T, 1) and a row (D / 2,) give a table (T, D / 2).
sin\(\): argument|cos\(\): argument|must be Tensor|must be real number|only one element
    `math.sin` takes one number, `torch.sin` a tensor: make the angles a tensor first.
"""),
)
