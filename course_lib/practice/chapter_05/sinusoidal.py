"""05.sinusoidal: a fixed vector for each position, made of clocks."""

import math

import torch

from course_lib.practice import ideas
from course_lib.practice.chapter_05.sinusoidal_words import WORDS
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


def turning(got, step, far):
    """Whether each clock that is slow enough stands where it must; the others turn too fast for 32 bits.

    Args:
        step: (D / 2,) by how many radians each clock turns at a position, in float64.
        far: radians up to which an angle is looked at.
    """
    angle = torch.arange(len(got), dtype=torch.float64)[:, None] * step
    slow = angle[-1] < far
    hands = torch.stack([angle.sin(), angle.cos()], dim=-1)[:, slow]
    mine = got.double().unflatten(1, (-1, 2))
    known = bool((got.abs() <= 1.00001).all()) and int(slow.sum()) > 1
    return known and torch.allclose(mine[:, slow], hands, atol=5e-3)


def multiplied(expected, got, args):
    T, D = args
    if T < 3 or D < 4:
        return None
    step = 10000 ** (even(D).double() / D)
    return any(turning(one, step, 1000) for one in (got, from_halves(got)))


def from_halves(got):
    """Sines and cosines side by side that stood in two halves."""
    half = got.shape[1] // 2
    return side_by_side(got[:, :half], got[:, half:])


def base_of(expected, got, args):
    """The number in the place of 10000, told by how far clock 1 turns at position 1; None if it is not so."""
    T, D = args
    if T < 2 or D < 4:
        return None
    step = torch.atan2(got[1, 2].double(), got[1, 3].double())
    base = float(step ** (-D / 2)) if step > 0 else 0.0
    return base if 1.5 < base < 1e9 and turning(got, base ** (-even(D).double() / D), 1000) else 0.0


def another_base(expected, got, args):
    base = base_of(expected, got, args)
    return None if base is None else base > 0


def measured_base(expected, got, args):
    base = base_of(expected, got, args)
    return {"base": f"{base:,.0f}" if base > 20 else f"{base:.3g}"}


def rounded_angles(T, D, put=side_by_side):
    angle = torch.arange(T)[:, None] // 10000 ** (even(D) / D)
    return put(angle.sin(), angle.cos())


def angles_only(T, D):
    angle = torch.arange(T)[:, None] / 10000 ** (even(D) / D)
    return side_by_side(angle, angle)


def power_of_the_whole(T, D):
    angle = (torch.arange(T)[:, None] / 10000) ** (even(D) / D)
    return angle.sin(), angle.cos()


def further() -> list[Case]:
    """Other numbers of positions and of clocks."""
    return [Case(f"T = {T} and D = {D}", (T, D)) for T in (1, 2, 7, 23) for D in (2, 4, 12, 16)]


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
    "clocks-reversed": (
        *both_orders(exponent=lambda D: 1 - even(D) / D),
        *both_orders(exponent=lambda D: even(D).flip(0) / D),
    ),
    "angles-rounded": (rounded_angles, lambda T, D: rounded_angles(T, D, halves)),
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
MEASURES["another-base"] = measured_base
SIGNS = {"position-multiplied": multiplied, "another-base": another_base}

SHARED = (
    *ideas.view_for_transpose(
        "joined-by-view",
        "You stack sines and cosines one behind the other and join them with `view` or `reshape`.",
        "So numbers of one position land in the row of another. Stack them along a new last axis, "
        "`dim=-1`, (T, D / 2, 2); then joining the last two axes puts sine and cosine side by side.",
        lambda T, D: wrong(put=lambda *both: torch.stack(both).reshape(T, D))(T, D),
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
