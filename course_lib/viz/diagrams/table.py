"""The round table: who sits where, and how a quarter turn makes a query that asks for a neighbour."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle, FancyArrowPatch

from course_lib.viz import colours
from course_lib.viz.sheet import arrow, box, heading_room, number, room_for, sheet, wrapped, write
from course_lib.viz.still import FONT_SIZE, SMALL, Still, as_array, as_named, in_style, sentence, shown

SEAT = 0.44  # inches, height of a guest's box
RADIUS = 1.5  # inches from the middle of the table to the middle of a guest


@in_style
def seating(guests: Sequence[str], *, title: str, asked: int = 1) -> Still:
    """The guests seen from above, seat 0 at the top and on to the right; one is asked for both neighbours.

    guests: at least 3 names, in the order of their seats. asked: the seat of the guest who is asked. Returns
    a Still. Raises ValueError for fewer guests, or a seat that is not there.
    """
    names = [shown(guest) for guest in guests]
    if len(names) < 3 or not 0 <= asked < len(names):
        raise ValueError(
            f"guests has {len(names)} names and asked is {asked}; expected at least 3 guests, and one of "
            "their seats"
        )
    left, right = names[asked - 1], names[(asked + 1) % len(names)]
    wide = room_for(names) + 0.3
    width = max(5.8, 2 * RADIUS + wide + 0.6)
    heading = wrapped(title, width)
    height = 2 * RADIUS + SEAT + 0.75 + heading_room(heading)
    order = ", ".join(names)
    alt = (
        f"{sentence(title)} {len(names)} guests around a table, backs to it, in this order: {order}. "
        f"{names[asked]} is asked: on the left sits {left}, on the right {right}. The circle closes."
    )
    note = "blue: who is asked     gold: the true answers"
    still, ax = sheet(width, height, heading, alt, note)
    middle = np.array([width / 2, RADIUS + SEAT / 2 + 0.5])
    ax.add_patch(Circle(middle, 0.8, facecolor=colours.PANEL, edgecolor=colours.LINE, lw=1.4))
    places = [middle + RADIUS * around(seat, len(names)) for seat in range(len(names))]
    for seat, (name, (x, y)) in enumerate(zip(names, places, strict=True)):
        true = seat in ((asked - 1) % len(names), (asked + 1) % len(names))
        edge = colours.QUERY if seat == asked else colours.GOLD if true else colours.LINE
        line = 2.6 if true or seat == asked else 1.3
        box(
            ax,
            x - wide / 2,
            y - SEAT / 2,
            wide,
            SEAT,
            name,
            edge=edge,
            line=line,
            bold=seat == asked,
            zorder=3,
        )
        write(ax, *(middle + 0.56 * around(seat, len(names))), str(seat), colours.SOFT_INK)
    for step, word in ((-1, "left?"), (1, "right?")):
        start, end = (middle + (RADIUS + 0.02) * around(asked + by * step, len(names)) for by in (0.38, 0.66))
        arrow(ax, start, end, colours.QUERY, 2)
        write(ax, *(middle + (RADIUS + 0.5) * around(asked + 0.5 * step, len(names))), word, colours.QUERY)
    return still


@in_style
def quarter_turn(
    seats, turns: Mapping[str, object], names: Sequence[str], *, title: str, asked: int = 1
) -> Still:
    """One panel for each W_q: a guest's own direction, turned to a query, and the key that it meets.

    seats: (T, 2), directions, which are the keys as well. turns: name -> W_q (2, 2); a query: `seat @ W_q`.
    names: T guests. asked: whose query is drawn. Returns a Still. Raises ValueError for other sizes, and
    for a W_q that is no quarter turn.
    """
    seats, names = as_array(seats, "seats", 2), [shown(name) for name in names]
    if seats.shape != (len(names), 2) or not 0 <= asked < len(names):
        raise ValueError(
            f"seats has shape {seats.shape} and asked is {asked}; expected ({len(names)}, 2), a direction "
            "for each name, and the seat of one of them"
        )
    queries = {}
    for name, turn in as_named(turns, "turns").items():
        turn = as_array(turn, f"turns[{name!r}]", 2)
        if turn.shape != (2, 2):
            raise ValueError(f"turns[{name!r}] has shape {turn.shape}; expected (2, 2)")
        if not any(np.allclose(turn, quarter) for quarter in ([[0, 1], [-1, 0]], [[0, -1], [1, 0]])):
            raise ValueError(
                f"turns[{name!r}] is {turn.tolist()}; expected a quarter turn, to the left or right"
            )
        queries[name] = seats[asked] @ turn
    panel = 2 * 1.15 + room_for([f"{name} (−1, 0)" for name in names]) + 0.3
    width = max(5.8, panel * len(queries))
    heading = wrapped(title, width)
    height = 4.0 + heading_room(heading)
    own = _pair(seats[asked])
    found = {name: names[int((seats @ query).argmax())] for name, query in queries.items()}
    alt = f"{sentence(title)} The keys are the seats: " + ", ".join(
        f"{name} {_pair(seat)}" for name, seat in zip(names, seats, strict=True)
    )
    for name, query in queries.items():
        alt += f". {shown(name)}: {names[asked]}’s direction {own} becomes the query {_pair(query)}"
        alt += f", {found[name]}’s key"
    note = f"orange: keys     dashed: {names[asked]}’s own direction     blue: {names[asked]}’s query"
    still, ax = sheet(width, height, heading, f"{alt}.", note)
    for place, (name, query) in enumerate(queries.items()):
        middle = np.array([(place + 0.5) * width / len(queries), 2.0])
        write(ax, middle[0], 3.82, shown(name), size=SMALL + 1, bold=True)
        _turned(ax, middle, seats, names, seats[asked], query)
    return still


# The pieces.


def around(seat: float, n_seats: int) -> np.ndarray:
    """The direction of a seat: 0 is up, and the numbers go round to the right."""
    angle = 2 * np.pi * seat / n_seats
    return np.array([np.sin(angle), np.cos(angle)])


def _turned(ax: Axes, middle, seats, names, own, query) -> None:
    """One panel of `quarter_turn`, its unit 1.15 inches."""
    unit = 1.15
    for seat, name in zip(seats, names, strict=True):
        x, y = middle + unit * seat
        ax.scatter(x, y, s=60, color=colours.KEY, zorder=4)
        up = -0.24 if seat[1] < -0.5 else 0.24
        write(ax, x, y + up, f"{name} {_pair(seat)}", colours.KEY, FONT_SIZE)
    more = {"mutation_scale": 13, "shrinkA": 0, "shrinkB": 0}
    ends = middle + 0.86 * unit * own, middle + 0.86 * unit * query
    dashed = {"arrowstyle": "-|>", "color": colours.SOFT_INK, "lw": 1.6, "ls": (0, (4, 3))}
    ax.add_patch(FancyArrowPatch(middle, ends[0], **dashed, **more))
    arrow(ax, middle, ends[1], colours.QUERY, 2.6)
    turn = np.sign(own[0] * query[1] - own[1] * query[0])  # +1 is against the clock
    curve = {"arrowstyle": "-|>", "connectionstyle": f"arc3,rad={0.42 * turn}", "color": colours.SOFT_INK}
    start, end = middle + 0.5 * unit * own, middle + 0.5 * unit * query
    ax.add_patch(FancyArrowPatch(start, end, lw=1.4, **curve, **more))
    write(ax, *(middle + 0.62 * unit * (own + query)), "¼ turn", colours.SOFT_INK)


def _pair(values) -> str:
    return f"({', '.join(number(value, short=True) for value in values)})"
