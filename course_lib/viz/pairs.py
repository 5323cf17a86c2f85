"""Two systems beside each other, name by name: two dots on a line, and how far they are apart."""

from collections.abc import Mapping, Sequence

from course_lib.viz import colours
from course_lib.viz.sheet import add_heading, heading_room, wrapped
from course_lib.viz.still import SMALL, Still, as_array, as_named, in_style, sentence, shown

WIDTH = 7.6  # inches


@in_style
def pairs(
    values: Mapping[str, tuple[float, float]],
    systems: Sequence[str],
    *,
    x_label: str,
    title: str,
    number_format: str = "{:.1f}",
) -> Still:
    """One row a name; a ring for the first system, a dot for the second.

    values: name -> (first, second). systems: the two names. number_format: of the numbers beside them.
    Returns a Still. Raises ValueError for other than two values or two systems.
    """
    if len(systems) != 2:
        raise ValueError(f"systems has {len(systems)} names, expected two")
    rows = {name: as_array(v, f"values[{name!r}]", 1) for name, v in as_named(values, "values").items()}
    for name, row in rows.items():
        if len(row) != 2:
            raise ValueError(f"values[{name!r}] has {len(row)} numbers, expected one for each of {systems}")
    heading = wrapped(title, WIDTH)
    said = "; ".join(
        f"{name} {number_format.format(a)} and {number_format.format(b)}" for name, (a, b) in rows.items()
    )
    alt = f"{sentence(title)} {x_label}, {systems[0]} and {systems[1]}: {said}."
    still = Still(WIDTH, 1.25 + 0.46 * len(rows) + heading_room(heading), alt)
    ax = still.subplots()
    most = max(max(row) for row in rows.values())
    for place, (first, second) in enumerate(rows.values()):
        ax.plot([first, second], [place, place], color=colours.LINE, lw=3, zorder=1)
        ring = {"facecolors": colours.PAPER, "edgecolors": colours.SOFT_INK, "lw": 2}
        ax.scatter([first], [place], s=130, zorder=2, **ring)
        ax.scatter([second], [place], s=40, color=colours.SERIES[0], zorder=3)  # seen inside the ring, too
        for value, other, ink in ((first, second, colours.SOFT_INK), (second, first, colours.SERIES[0])):
            right = value > other or (value == other and ink == colours.SOFT_INK)
            ax.annotate(
                number_format.format(value), (value, place), (10 if right else -10, 0), va="center",
                textcoords="offset points", ha="left" if right else "right", fontsize=SMALL, color=ink,
            )  # fmt: skip
    ax.set_yticks(range(len(rows)), [shown(name) for name in rows])
    ax.set(ylim=(len(rows) - 0.5, -0.6), xlim=(-0.12 * most, 1.16 * most), xlabel=x_label)
    ax.grid(axis="x", color=colours.PANEL, lw=1)
    ax.tick_params(length=0)
    ax.spines["left"].set_visible(False)
    add_heading(still, heading, f"ring: {systems[0]} · dot: {systems[1]}")
    return still
