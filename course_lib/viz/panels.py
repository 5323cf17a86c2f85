"""Small multiples over seeds: one panel a group, so that bands never lie over one another."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.ticker import FuncFormatter

from course_lib.viz import colours
from course_lib.viz.curves import measured_rows
from course_lib.viz.sheet import add_heading, heading_room, wrapped
from course_lib.viz.still import SMALL, Still, in_style, sentence, shown

PANEL, TALL, MOST = 1.9, 2.3, 5  # inches, width and height of a panel; panels side by side


@in_style
def seed_panels(
    rows: Sequence[Mapping],
    x: str,
    y: str,
    group: str,
    *,
    title: str,
    x_label: str | None = None,
    y_label: str | None = None,
    labels: Mapping | None = None,
    y_range: tuple[float, float] = (0, 1.03),
) -> Still:
    """One panel for each group: the mean over seeds as a line, lowest to highest seed as a band.

    rows: dicts, one per measurement. x, y, group: names of their columns; rows with equal group and x are the
    seeds. labels: group value -> name of its panel; else a number is named after its column, "2 heads". The
    means of the other groups stand behind, in grey. Returns a Still. Raises ValueError as `plot_seeds`.
    """
    rows = measured_rows(rows, [x, y], [group])
    names = {value: _name(value, group, labels or {}) for value in dict.fromkeys(row[group] for row in rows)}
    seeds = {}  # group -> x -> one value a seed
    for row in rows:
        seeds.setdefault(row[group], {}).setdefault(row[x], []).append(row[y])
    bands = {
        value: np.array(
            [(at, np.mean(found), min(found), max(found)) for at, found in sorted(places.items())]
        )
        for value, places in seeds.items()
    }
    columns = min(len(bands), MOST)
    lines = math.ceil(len(bands) / columns)
    width = max(5.6, PANEL * columns + 0.8)
    heading = wrapped(title, width)
    x_label, y_label = x_label or x.replace("_", " "), y_label or y.replace("_", " ")
    said = "; ".join(
        f"{names[value]} goes from {band[0, 1]:.3g} at {band[0, 0]:,g} to {band[-1, 1]:.3g} at "
        f"{band[-1, 0]:,g} (lowest seed {band[-1, 2]:.3g}, highest {band[-1, 3]:.3g})"
        for value, band in bands.items()
    )
    counts = {len(found) for places in seeds.values() for found in places.values()}
    count = "–".join(map(str, sorted({min(counts), max(counts)})))
    alt = f"{sentence(title)} {y_label} against {x_label}, one panel each: {said}. {count} seeds."
    still = Still(width, TALL * lines + 0.75 + heading_room(heading), alt)
    last = max(band[-1, 0] for band in bands.values())
    axes = still.subplots(lines, columns, squeeze=False, sharex=True, sharey=True)
    for ax in axes.flat[len(bands) :]:
        ax.set_axis_off()
    for place, (ax, (value, band)) in enumerate(zip(axes.flat, bands.items(), strict=False)):
        for other in bands.values():
            ax.plot(other[:, 0], other[:, 1], color=colours.LINE, lw=1.2, zorder=1)
        ax.fill_between(band[:, 0], band[:, 2], band[:, 3], color=colours.INK, alpha=0.2, lw=0, zorder=2)
        ax.plot(band[:, 0], band[:, 1], color=colours.INK, lw=2.2, zorder=3)
        ax.set_title(shown(names[value]), fontsize=SMALL + 1, pad=8)
        ax.set_ylim(y_range)
        ax.set_xticks([0, last / 2, last])
        ax.xaxis.set_major_formatter(FuncFormatter(lambda at, _: f"{at:,g}"))
        ax.grid(axis="y", color=colours.PANEL, lw=1.2)
        ax.tick_params(length=0, labelbottom=place + columns >= len(bands))  # where no panel stands below
        ax.spines["left"].set_visible(False)
    still.supylabel(y_label, fontsize=SMALL + 1, color=colours.SOFT_INK)
    note = f"across: {x_label}     line: mean of {count} seeds     band: lowest to highest"
    others = "grey: the other panels"
    gap = "     " if width > 8 else "\n"
    add_heading(still, heading, note + gap + others if len(bands) > 1 else note)
    return still


def _name(value, group: str, labels: Mapping) -> str:
    if value in labels or isinstance(value, str):
        return str(labels.get(value, value))
    return f"{value:g} {group[:-1] if value == 1 and group.endswith('s') else group}"
