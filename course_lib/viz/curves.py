"""Numbers over time and between groups: curves, bands over seeds, bars, dots, counts.

Lines carry their name at their end, so no legend has to be searched; the spread over seeds is always drawn.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from course_lib.viz import colours
from course_lib.viz.sheet import LINE, add_heading, wrapped, write
from course_lib.viz.still import SMALL, Still, as_array, as_named, in_style, sentence, shown

WIDTH, HEIGHT = 7.6, 4.3  # inches
LABEL_GAP = 0.2  # inches between two names at the lines' ends


@in_style
def curves(
    lines: Mapping[str, object],
    *,
    x_label: str,
    y_label: str,
    title: str,
    floor: float | None = None,
    floor_label: str = "the lowest possible",
    x_log: bool = False,
    y_log: bool = False,
    y_range: tuple[float, float] | None = None,
    dots: bool = False,
) -> Still:
    """Lines over one x axis, named at their ends.

    lines: name -> y values, or (x values, y values). floor: a value nobody can beat, drawn as a dashed line.
    dots: also mark the measured points. Raises ValueError when x and y differ in length.
    """
    series = {name: _points(name, line) for name, line in as_named(lines, "lines").items()}
    still, ax = _chart(title, _describe_lines(title, series, x_label, y_label, floor))
    for number, (x, y) in enumerate(series.values()):
        ax.plot(x, y, **_pen(number), marker="o" if dots or len(x) == 1 else None, markersize=5)
    _frame(ax, x_label, y_label, x_log, y_log, y_range, floor, floor_label)
    _name_ends(ax, {name: (x[-1], y[-1]) for name, (x, y) in series.items()})
    return still


@in_style
def plot_seeds(
    rows,
    x: str,
    y: str,
    group: str | None = None,
    *,
    title: str,
    x_label: str | None = None,
    y_label: str | None = None,
    labels: Mapping | None = None,
    floor: float | None = None,
    floor_label: str = "the lowest possible",
    x_log: bool = False,
    y_log: bool = False,
    y_range: tuple[float, float] | None = None,
) -> Still:
    """Mean over seeds as a line, lowest to highest seed as a band, for each group.

    rows: dicts, one per measurement (or a record with them under "rows"). x, y, group: names of their
    columns; rows with equal group and x are the seeds. labels: group value -> name at the line.
    Returns a Still. Raises ValueError naming a missing column, or one that holds other things than numbers.
    """
    rows = measured_rows(rows, [x, y], [group] if group else [])
    labels = labels or {}
    bands = {}
    for value in dict.fromkeys(row[group] if group else y for row in rows):
        mine = [row for row in rows if not group or row[group] == value]
        places = sorted({row[x] for row in mine})
        seeds = [[row[y] for row in mine if row[x] == place] for place in places]
        bands[str(labels.get(value, value))] = (places, seeds)

    x_label, y_label = x_label or x.replace("_", " "), y_label or y.replace("_", " ")
    means = {
        name: (np.array(px, float), np.array([np.mean(s) for s in seeds]))
        for name, (px, seeds) in bands.items()
    }
    n_seeds = sorted({len(s) for _, seeds in bands.values() for s in seeds})
    count = f"{n_seeds[0]}" if len(n_seeds) == 1 else f"{n_seeds[0]}–{n_seeds[-1]}"
    widest = max(max(s) - min(s) for _, seeds in bands.values() for s in seeds)
    alt = _describe_lines(title, means, x_label, y_label, floor)
    alt = f"{alt} Mean of {count} seeds; the widest band spans {widest:.3g}."
    still, ax = _chart(title, alt, note=f"line: mean of {count} seeds · band: lowest to highest seed")
    for number, (name, (px, seeds)) in enumerate(bands.items()):
        pen = _pen(number)
        low, high = [min(s) for s in seeds], [max(s) for s in seeds]
        ax.fill_between(px, low, high, color=pen["color"], alpha=0.17, lw=0)
        ax.plot(*means[name], **pen, marker="o" if len(px) <= 12 else None, markersize=5)
    _frame(ax, x_label, y_label, x_log, y_log, y_range, floor, floor_label)
    _name_ends(ax, {name: (mx[-1], my[-1]) for name, (mx, my) in means.items()})
    return still


@in_style
def bars(
    values: Mapping[str, float | Sequence[float]],
    *,
    x_label: str,
    title: str,
    highlight: str | Collection[str] | None = None,
    reference: Mapping[str, float] | None = None,
    number_format: str = "{:.3g}",
    share: bool = False,
) -> Still:
    """Horizontal bars with their numbers; several values of one name are seeds: mean and spread.

    highlight: the bar, or bars, in colour (the others are grey). reference: name -> published value,
    drawn as a dashed line. share: the values are shares, so the axis ends at 1 and numbers have two decimals.
    """
    seeds = {
        name: np.atleast_1d(as_array(v, f"values[{name!r}]", (0, 1)))
        for name, v in as_named(values, "values").items()
    }
    reference = dict(reference or {})
    chosen = seeds if highlight is None else {highlight} if isinstance(highlight, str) else set(highlight)
    if set(chosen) - set(seeds):
        raise ValueError(f"highlight is {highlight!r}; expected one of {list(seeds)}")
    form = "{:.2f}" if share else number_format

    def said(number: float) -> str:
        return form.format(number).replace("-", "−")

    to = " to " if any((v < 0).any() for v in seeds.values()) else "–"  # a dash beside a sign is misread
    numbers = {
        name: said(v.mean()) + (f"  ({said(v.min())}{to}{said(v.max())})" if len(v) > 1 else "")
        for name, v in seeds.items()
    }
    alt = f"{sentence(title)} {x_label}: {'; '.join(f'{name} {text}' for name, text in numbers.items())}."
    if reference:
        alt += f" For comparison: {'; '.join(f'{name} {said(v)}' for name, v in reference.items())}."
    still, ax = _chart(title, alt, 1.25 + 0.44 * len(seeds) + 0.26 * len(reference))
    behind = {"facecolor": colours.PAPER, "edgecolor": "none", "pad": 1.5}
    for place, (name, v) in enumerate(seeds.items()):
        ax.barh(place, v.mean(), height=0.66, color=colours.SERIES[0] if name in chosen else colours.MASKED)
        if len(v) > 1:
            spread = {"lw": 1.6, "solid_capstyle": "butt", "marker": "|", "markersize": 9}
            ax.plot([v.min(), v.max()], [place, place], color=colours.INK, **spread)
        _beside(ax, numbers[name], (max(float(v.max()), 0), place), (8, 0), bbox=behind, zorder=4)
    ax.set_yticks(range(len(seeds)), [shown(name) for name in seeds])
    top = 1.0 if share else max([*(float(v.max()) for v in seeds.values()), *reference.values()])
    ax.set_xlim(min(0, *(float(v.min()) for v in seeds.values())), top * 1.22 if top > 0 else None)
    ax.set_ylim(len(seeds) - 0.5, -0.6 - 0.55 * len(reference))
    # names all stand on one side of their lines, the highest line farthest out, so no name is crossed
    on_the_left = max(reference.values(), default=0) > 0.6 * top
    side = {"ha": "right", "by": (-5, 0)} if on_the_left else {"ha": "left", "by": (5, 0)}
    for place, name in enumerate(sorted(reference, key=reference.get, reverse=not on_the_left)):
        value, height = reference[name], -0.62 - 0.55 * place
        ax.plot([value, value], [len(seeds) - 0.5, height], color=colours.SOFT_INK, lw=1.3, ls=(0, (4, 3)))
        _beside(ax, f"{name} {said(value)}", (value, height), va="top", color=colours.SOFT_INK, **side)
    ax.set_xlabel(x_label)
    if share:
        ax.set_xticks(np.linspace(0, 1, 6))
    ax.tick_params(length=0)
    ax.spines["bottom"].set_visible(False)
    ax.grid(axis="x", color=colours.PANEL, lw=1)
    return still


@in_style
def scatter(
    groups: Mapping[str, tuple],
    *,
    x_label: str,
    y_label: str,
    title: str,
    x_log: bool = False,
    y_log: bool = False,
    line: tuple[Sequence[float], Sequence[float]] | None = None,
    line_label: str = "theory",
) -> Still:
    """Dots, name -> (x values, y values), and optionally one line that theory predicts.

    A group of one dot has its name beside it; in a legend, its mark would look like a second dot.
    """
    points = {name: _points(name, xy) for name, xy in as_named(groups, "groups").items()}
    said = "; ".join(
        f"{name}, {len(x)} dots, {y_label} {y.min():.3g} to {y.max():.3g}" for name, (x, y) in points.items()
    )
    still, ax = _chart(title, f"{sentence(title)} {y_label} against {x_label}: {said}.")
    if line is not None:
        ax.plot(*_points("line", line), color=colours.SOFT_INK, lw=1.5, ls=(0, (4, 3)), label=line_label)
    for number, ((name, (x, y)), marker) in enumerate(zip(points.items(), "osD^vP" * 9, strict=False)):
        pen = {"color": _pen(number)["color"], "edgecolors": colours.PAPER, "lw": 0.6}
        ax.scatter(x, y, s=34, marker=marker, label=name if len(x) > 1 else None, **pen)
    _frame(ax, x_label, y_label, x_log, y_log)
    for number, (name, (x, y)) in enumerate(points.items()):
        if len(x) == 1:
            on_the_right = (ax.transScale + ax.transLimits).transform((x[0], y[0]))[0] > 0.5
            by, side = ((-8, 0), "right") if on_the_right else ((8, 0), "left")
            _beside(ax, shown(name), (x[0], y[0]), by, side, color=_pen(number)["color"], fontweight="bold")
    if ax.get_legend_handles_labels()[0] and (len(points) > 1 or line is not None):
        ax.legend()
    return still


@in_style
def histogram(
    groups: Mapping[str, Sequence[float]], *, x_label: str, title: str, bins=20, y_label: str = "how many"
) -> Still:
    """How often each value comes, name -> values; the groups share their bins."""
    values = {name: as_array(v, f"groups[{name!r}]", 1) for name, v in as_named(groups, "groups").items()}
    edges = np.histogram_bin_edges(np.concatenate(list(values.values())), bins)
    said = "; ".join(
        f"{name}, {len(v)} values, median {np.median(v):.3g}, {v.min():.3g} to {v.max():.3g}"
        for name, v in values.items()
    )
    still, ax = _chart(title, f"{sentence(title)} Histogram of {x_label}: {said}.")
    for number, (name, v) in enumerate(values.items()):
        colour, dashes = _pen(number).values()
        pen = {"facecolor": (colour, 0.22), "edgecolor": colour, "ls": dashes, "lw": 1.8}
        ax.hist(v, edges, histtype="stepfilled", label=name, **pen)
    _frame(ax, x_label, y_label)
    if len(values) > 1:
        ax.legend()
    return still


# The pieces.


def _pen(number: int) -> dict:
    return {
        "color": colours.SERIES[number % len(colours.SERIES)],
        "linestyle": colours.DASHES[number % len(colours.DASHES)],
    }


def _chart(title: str, alt: str, height: float = HEIGHT, note: str = "") -> tuple[Still, Axes]:
    """A still with one axes under its heading."""
    heading = wrapped(title, WIDTH)
    still = Still(WIDTH, height + LINE * heading.count("\n"), alt)
    add_heading(still, heading, note)
    return still, still.subplots()


def _beside(ax: Axes, text: str, place, by, ha="left", va="center", **more) -> None:
    """Small words, some points beside a place in the data."""
    ax.annotate(text, place, by, textcoords="offset points", ha=ha, va=va, fontsize=SMALL, **more)


def _points(name: str, line) -> tuple[np.ndarray, np.ndarray]:
    """(x values, y values) of a line given as y values or as a pair."""
    if isinstance(line, tuple) and len(line) == 2 and np.ndim(line[0]) == 1:
        x, y = as_array(line[0], f"x values of {name!r}", 1), as_array(line[1], f"y values of {name!r}", 1)
    else:
        y = as_array(line, f"line {name!r}", 1)
        x = np.arange(1, len(y) + 1, dtype=float)
    if len(x) != len(y):
        raise ValueError(f"line {name!r} has {len(x)} x values and {len(y)} y values")
    return x, y


def measured_rows(rows, numbers: Sequence[str], others: Sequence[str] = ()) -> list[dict]:
    """Rows of a record, or dicts; ValueError where a column is missing or one of `numbers` holds none."""
    if isinstance(rows, Mapping):
        rows = rows.get("rows", ())
    try:
        rows = [dict(row) for row in rows]
    except (TypeError, ValueError):
        raise ValueError(f"rows must be dicts, one per measurement; got {type(rows).__name__}") from None
    if not rows:
        raise ValueError("rows is empty: there is nothing to draw; was the experiment recorded?")
    for column in (*numbers, *others):
        for row in rows:
            if column not in row:
                raise ValueError(f"rows have no column {column!r}; they have {sorted(row)}")
    for column in numbers:
        as_array([row[column] for row in rows], f"column {column!r} of rows", 1)
    return rows


def _frame(
    ax: Axes, x_label, y_label, x_log=False, y_log=False, y_range=None, floor=None, floor_label=""
) -> None:
    """Axes, grid and the floor line."""
    for axis, log in ((ax.xaxis, x_log), (ax.yaxis, y_log)):
        if log:
            (ax.set_xscale if axis is ax.xaxis else ax.set_yscale)("log")
            axis.set_minor_formatter(NullFormatter())
            low, high = axis.get_view_interval()
            if axis is ax.yaxis and high < 2_000 * low:  # few powers of ten: 2 and 5 times each as well
                axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            measured = sorted({x for line in ax.lines for x in line.get_xdata()})
            if axis is ax.xaxis and 2 <= len(measured) <= 8:  # a few sizes: each is named
                axis.set_major_locator(FixedLocator(measured))
                axis.set_minor_locator(FixedLocator([]))
        else:
            whole = all((line.get_xdata() % 1 == 0).all() for line in ax.lines) and axis is ax.xaxis
            axis.set_major_locator(MaxNLocator(7, integer=whole, steps=[1, 2, 2.5, 5, 10]))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}".replace("-", "−")))
    if floor is not None:
        ax.axhline(floor, color=colours.INK, lw=1.4, ls=(0, (4, 3)), zorder=1)
        words = {"va": "top", "color": colours.SOFT_INK, "xycoords": ("axes fraction", "data")}
        _beside(ax, f"{floor_label}: {floor:.3g}", (0, floor), (4, -4), **words)
        if not y_log and y_range is None:
            low, high = ax.get_ylim()
            ax.set_ylim(min(low, floor - 0.13 * (high - floor)), high)
    if y_range is not None:
        ax.set_ylim(y_range)
    ax.set_xlabel(x_label)
    ax.set_ylabel(y_label)
    ax.grid(axis="y", color=colours.PANEL, lw=1.2)
    ax.tick_params(length=0)
    ax.spines["left"].set_visible(False)


def _name_ends(ax: Axes, ends: Mapping[str, tuple[float, float]]) -> None:
    """The name of each line at its end, moved apart where lines end close to each other."""
    if len(ends) == 1:
        return  # the y axis already says what it is
    names = {
        name: ax.annotate(
            shown(name), end, (8, 0), textcoords="offset points", va="center", color=_pen(number)["color"],
            fontsize=SMALL + 0.5, fontweight="bold", annotation_clip=False,
        )
        for number, (name, end) in enumerate(ends.items())
    }  # fmt: skip
    still = ax.figure
    for _ in range(2):  # names above the axes make them lower, and so their lines' ends come closer
        still.get_layout_engine().execute(still)
        heights = {name: ax.transData.transform(end)[1] for name, end in ends.items()}
        order = sorted(ends, key=heights.get)
        natural = np.array([heights[name] for name in order])
        moves = _apart(natural, LABEL_GAP * still.dpi) - natural
        for name, move in zip(order, moves, strict=True):
            names[name].xyann = (8, move * 72 / still.dpi)


def _apart(natural: np.ndarray, gap: float) -> np.ndarray:
    """Rising places, neighbours pushed apart until every gap is kept."""
    places = natural.copy()
    for _ in range(50):
        for low in range(len(places) - 1):
            missing = gap - (places[low + 1] - places[low])
            if missing > 0.01:
                places[low] -= missing / 2
                places[low + 1] += missing / 2
    return places


def _describe_lines(title: str, series: Mapping[str, tuple], x_label: str, y_label: str, floor) -> str:
    lines = "; ".join(
        f"{name} goes from {y[0]:.3g} at {x[0]:,g} to {y[-1]:.3g} at {x[-1]:,g}"
        for name, (x, y) in series.items()
    )
    text = f"{sentence(title)} {y_label} against {x_label}: {lines}."
    return text if floor is None else f"{text} The dashed floor is at {floor:.3g}."


@in_style
def live_curve(
    steps: Iterable[float],
    losses: Iterable[float],
    *,
    title: str,
    total_steps: int,
    floor: float | None = None,
    baselines: Mapping[str, float] | None = None,
    state: str = "",
) -> Still:
    """The training curve as `LiveLoss` shows it when it stops; before the first step, an empty frame.

    baselines: name -> loss of a guess to compare with, drawn as a dotted line and named at its right end.
    """
    steps, losses = list(steps), list(losses)
    if steps:
        still = curves({"loss": (steps, losses)}, x_label="step", y_label="loss", title=title, floor=floor)
        ax = still.axes[0]
    else:
        still, ax = _chart(title, f"{sentence(title)} Nothing trained yet: 0 of {total_steps} steps.")
        ax.set(xlabel="step", ylabel="loss", yticks=[])
        place = {"size": SMALL + 1.5, "va": "baseline", "transform": ax.transAxes}
        write(ax, 0.5, 0.5, "training has not started", colours.SOFT_INK, **place)
    ax.set_xlim(0, total_steps)
    if losses and floor is None and min(losses) >= 0:
        ax.set_ylim(0)  # a loss is read against 0
    if baselines:
        still.alt += f" For comparison: {'; '.join(f'{shown(k)} {v:.3g}' for k, v in baselines.items())}."
        if steps:
            _draw_baselines(ax, baselines, floor)
    if state:
        still.alt += f" {state}." if steps else ""
        words = {"ha": "right", "va": "top", "color": colours.SOFT_INK, "xycoords": "axes fraction"}
        _beside(ax, state, (1, 1), (0, -2), **words)
    return still


def _draw_baselines(ax: Axes, baselines: Mapping[str, float], floor: float | None) -> None:
    """A dotted line for each, the whole of it in the picture, and its name at the right end."""
    low, high = ax.get_ylim()
    span = max(high, *baselines.values()) - min(low, *baselines.values())
    high = max(high, max(baselines.values()) + 0.08 * span)  # words stand above it
    low = min(low, min(baselines.values()) - 0.05 * span)
    ax.set_ylim(low if floor is None else min(low, floor - 0.13 * (high - floor)), high)
    for value in baselines.values():
        ax.axhline(value, color=colours.SOFT_INK, lw=1.4, ls=(0, (1, 2)), zorder=1)
    names = sorted(baselines, key=baselines.get)
    still = ax.figure
    still.get_layout_engine().execute(still)  # how high the axes will be
    natural = ax.transData.transform([(0, baselines[name]) for name in names])[:, 1]
    for name, by in zip(names, _apart(natural, LABEL_GAP * still.dpi) - natural, strict=True):
        place = {"xycoords": ("axes fraction", "data"), "annotation_clip": False, "color": colours.SOFT_INK}
        at = (1, baselines[name]), (8, by * 72 / still.dpi)
        _beside(ax, f"{shown(name)} {baselines[name]:.3g}", *at, **place)
