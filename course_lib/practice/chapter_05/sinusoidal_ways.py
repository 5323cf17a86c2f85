"""05.sinusoidal: wrong clocks."""

import math

import torch


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
    if abs(base / 10000 - 1) < 0.01:  # what few digits make of 10000
        return 0.0
    return base if 1.5 < base < 1e9 and turning(got, base ** (-even(D).double() / D), 1000) else 0.0


def another_base(expected, got, args):
    base = base_of(expected, got, args)
    return None if base is None else base > 0


SMALLER = "With a smaller number the slow clocks come round sooner, and far-away positions look alike."
LARGER = (
    "With a larger number the slow clocks turn more slowly, and positions that are near look alike on them."
)


def measured_base(expected, got, args):
    base = base_of(expected, got, args)
    effect = SMALLER if base < 10000 else LARGER
    return {"base": f"{base:,.0f}" if base > 20 else f"{base:.3g}", "effect": effect}


def rounded_angles(T, D, put=side_by_side):
    angle = torch.arange(T)[:, None] // 10000 ** (even(D) / D)
    return put(angle.sin(), angle.cos())


def joined_in_rows(order=lambda sines, cosines: (sines, cosines)):
    """Two tables one behind the other, read row by row into (T, D)."""
    return lambda T, D: wrong(put=lambda *both: torch.stack(order(*both)).reshape(T, D))(T, D)


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
        lambda T, D: wrong()(T, D).T,
        lambda T, D: wrong(put=halves)(T, D).T,
    ),
    "angles-only": angles_only,
    "joined-in-rows-cosine-first": joined_in_rows(lambda sines, cosines: (cosines, sines)),
    "one-above-the-other": (
        wrong(put=lambda *both: torch.cat(both)),
        wrong(put=lambda *both: torch.cat(both[::-1])),
    ),
}

MEASURES = dict.fromkeys(("half-the-exponent", "double-the-exponent", "last-clock-of-10000"), measure)
MEASURES["another-base"] = measured_base
SIGNS = {"position-multiplied": multiplied, "another-base": another_base}
