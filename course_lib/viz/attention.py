"""Attention weights as pictures: one matrix, an alignment between two languages, several side by side.

Each row is one query and sums to 1; each column is one key. White is 0, dark is 1, in every picture.
"""

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.image import AxesImage

from course_lib.viz import colours
from course_lib.viz.sheet import (
    add_heading,
    hatched,
    heading_room,
    number,
    outlined,
    room_for,
    ruled,
    wrapped,
    write,
)  # fmt: skip
from course_lib.viz.still import (
    SMALL,
    Still,
    as_allowed,
    as_links,
    as_named,
    as_weights,
    in_style,
    label,
    sentence,
    shown,
)  # fmt: skip

Links = Iterable[tuple[int, int]]

MOST_VALUES = 100  # more cells than this carry no numbers
READABLE = 0.2  # inches between two labels, at least


@in_style
def heatmap(
    weights,
    queries: Sequence[str],
    keys: Sequence[str],
    *,
    title: str,
    allowed=None,
    links: Links | None = None,
    row_name: str = "query (row)",
    column_name: str = "key (column)",
) -> Still:
    """One matrix of attention weights with its tokens.

    weights: (T, S) between 0 and 1, rows are queries. queries, keys: T and S tokens.
    allowed: (T, S) booleans, True = may attend; other cells are grey and hatched.
    links: gold (query, key) index pairs, outlined in gold.
    Returns a Still. Raises ValueError when sizes do not fit or values are no weights.
    """
    weights = as_weights(weights, queries, keys)
    allowed = as_allowed(allowed, weights.shape)
    links = as_links(links, len(queries), len(keys))

    with_values = weights.size <= MOST_VALUES and len(keys) <= 12
    cell_width, cell_height = _cell(len(queries), len(keys), with_values)
    left, top = _margins(queries, keys, cell_width)
    note = _note(links, allowed)
    width = max(5.0, left + cell_width * len(keys) + (0.3 if with_values else 1.1))
    heading = wrapped(title, width)
    height = cell_height * len(queries) + top + heading_room(heading) + (0.5 if note else 0.25)

    still = Still(width, height, _describe(title, weights, queries, keys, links, allowed))
    ax = still.subplots()
    image = draw_cells(ax, weights, queries, keys, allowed, links, with_values, cell_width)
    ax.set_xlabel(column_name, color=colours.KEY, labelpad=9)
    ax.set_ylabel(row_name, color=colours.QUERY, labelpad=8)
    if not with_values:
        _scale(still, image, ax, min(1, 2.2 / height), 0.03)
    add_heading(still, heading, note)
    return still


@in_style
def alignment(
    weights, source: Sequence[str], target: Sequence[str], *, title: str, links: Links | None = None
) -> Still:
    """Attention of a translator: rows are target words (queries), columns are source words (keys).

    weights: (T, S), T target and S source tokens. links: gold (target, source) index pairs.
    The order of the pairs is (row, column), as everywhere here. Raises ValueError as `heatmap` does.
    """
    return heatmap(
        weights,
        target,
        source,
        title=title,
        links=links,
        row_name="target: query (row)",
        column_name="source: key (column)",
    )


@in_style
def compare(
    panels: Mapping[str, object],
    queries: Sequence[str],
    keys: Sequence[str],
    *,
    title: str,
    allowed=None,
    links: Links | None = None,
    columns: int | None = None,
) -> Still:
    """Small multiples: several matrices over the same tokens, one name each.

    panels: name -> weights (T, S). columns: panels in a row (default: what fits).
    Other arguments and errors as in `heatmap`.
    """
    if columns is not None and columns < 1:
        raise ValueError(f"columns is {columns}; expected at least 1 panel in a row")
    panels = as_named(panels, "panels")
    weights = {name: as_weights(w, queries, keys, f"panels[{name!r}]") for name, w in panels.items()}
    allowed = as_allowed(allowed, (len(queries), len(keys)))
    links = as_links(links, len(queries), len(keys))

    left = room_for(queries) + 0.75
    columns = columns or min(len(panels), 4 if len(keys) <= 9 else 3 if len(keys) <= 18 else 2)
    cell = max(0.14, min(0.32, (9.2 - left) / columns / len(keys), 4 / len(queries)))
    top = _margins(queries, keys, cell)[1] - 0.1
    panel_width = cell * len(keys) + 0.2
    rows = math.ceil(len(panels) / columns)
    width = max(5.0, left + columns * panel_width + 0.9)
    heading = wrapped(title, width)
    note = _note(links, allowed)
    height = rows * (cell * len(queries) + top + 0.2) + heading_room(heading) + (0.45 if note else 0.2)

    alt = f"{sentence(title)} {len(panels)} matrices side by side. " + " ".join(
        _describe(name, w, queries, keys, links, allowed, rows=3) for name, w in weights.items()
    )
    still = Still(width, height, alt)
    axes = still.subplots(rows, columns, squeeze=False)
    for ax in axes.flat[len(panels) :]:
        ax.set_axis_off()
    for place, (ax, (name, w)) in enumerate(zip(axes.flat, weights.items(), strict=False)):
        image = draw_cells(ax, w, queries, keys, allowed, links, False, cell)
        ax.set_title(shown(name), fontsize=SMALL + 1)
        if place % columns:
            ax.set_yticks([])
        else:
            ax.set_ylabel("query (row)", color=colours.QUERY, labelpad=8)
        if place // columns == 0:
            ax.set_xlabel("key (column)", color=colours.KEY, labelpad=7)
    _scale(still, image, axes, min(1, 2 / height), 0.02)
    add_heading(still, heading, note)
    return still


# The pieces of the three pictures.


def draw_cells(
    ax: Axes, weights: np.ndarray, queries, keys, allowed, links, with_values: bool, cell_width: float
) -> AxesImage:
    """The matrix itself on `ax`: cells, tokens, hatching of what is not allowed, outlines of gold links."""
    blocked = np.zeros(weights.shape, bool) if allowed is None else ~allowed
    image = ax.imshow(
        np.where(blocked, np.nan, weights), cmap=colours.WEIGHTS, vmin=0, vmax=1,
        aspect="auto", interpolation="nearest",
    )  # fmt: skip
    ruled(ax, weights.shape, width=1.2 if cell_width > 0.25 else 0.5)
    for row, start, stop in _runs(blocked):
        hatched(ax, start - 0.5, row - 0.5, stop - start)
    for row, column in links:
        outlined(ax, row, column, colours.GOLD, 2.6 if cell_width > 0.25 else 1.8)
    if with_values:
        for row, column in zip(*np.nonzero(~blocked), strict=True):
            weight = weights[row, column]
            write(ax, column, row, number(weight), colours.text_on(weight))
    name_cells(ax, queries, keys, cell_width)
    return image


def name_cells(ax: Axes, queries: Sequence[str], keys: Sequence[str], cell_width: float) -> None:
    """Tokens on both axes; where cells are too small for all of them, every second, third, …"""
    every = max(1, math.ceil(READABLE / cell_width - 0.2))
    ax.set_yticks(range(0, len(queries), every), [label(query) for query in queries[::every]])
    ax.xaxis.set_ticks_position("top")
    ax.xaxis.set_label_position("top")
    if is_upright(keys, cell_width):
        turn = {"rotation": 0}
    elif cell_width > 0.3:
        turn = {"rotation": 45, "ha": "left", "rotation_mode": "anchor"}
    else:
        turn = {"rotation": 90}
    ax.set_xticks(range(0, len(keys), every), [label(key) for key in keys[::every]], **turn)
    ax.tick_params(length=0, pad=5)
    ax.spines[:].set_visible(False)


def is_upright(keys: Sequence[str], cell_width: float) -> bool:
    """Whether every key has room over its own column."""
    return room_for(keys) + 0.06 <= cell_width


def _scale(still: Still, image: AxesImage, axes, shrink: float, pad: float) -> None:
    """The colours from 0 to 1 beside the picture."""
    bar = still.colorbar(image, ax=axes, shrink=shrink, pad=pad, aspect=14, ticks=[0, 0.5, 1], anchor=(0, 1))
    bar.outline.set_visible(False)
    bar.set_label("weight", fontsize=SMALL)


def _cell(n_rows: int, n_columns: int, with_values: bool) -> tuple[float, float]:
    """Width and height of a cell in inches."""
    if with_values:
        return max(0.56, min(0.8, 4.0 / n_columns)), 0.42
    size = max(0.13, min(0.36, 7.6 / n_columns, 7.6 / n_rows))
    return size, size


def _margins(queries: Sequence[str], keys: Sequence[str], cell_width: float) -> tuple[float, float]:
    """Inches that the tokens take: left of the matrix, and above it."""
    above = room_for(keys) * (0.72 if cell_width > 0.3 else 1) + 0.6
    return room_for(queries) + 0.55, 0.65 if is_upright(keys, cell_width) else above


def _runs(blocked: np.ndarray) -> Iterable[tuple[int, int, int]]:
    """Neighbouring blocked cells of each row, as (row, first column, column after the last)."""
    for row, cells in enumerate(blocked):
        edges = np.flatnonzero(np.diff(np.concatenate([[False], cells, [False]]).astype(int)))
        for start, stop in zip(edges[::2], edges[1::2], strict=True):
            yield row, int(start), int(stop)


def _note(links: list, allowed) -> str:
    notes = ["gold outline: the known link"] if links else []
    if allowed is not None and not allowed.all():
        notes.append("hatched: not allowed")
    return " · ".join(notes)


def _describe(title: str, weights: np.ndarray, queries, keys, links, allowed, rows: int = 12) -> str:
    """Alt text: what each query looks at most, and how that agrees with the gold links."""
    best = weights.argmax(axis=1)
    seen = [
        f"“{shown(query)}” looks most at “{shown(keys[best[row]])}” ({number(weights[row, best[row]])})"
        if weights[row].any()
        else f"“{shown(query)}” looks at nothing"
        for row, query in enumerate(queries[:rows])
    ]
    text = f"{sentence(title)} Attention weights of {len(queries)} queries (rows) over "
    text += f"{len(keys)} keys (columns): "
    text += "; ".join(seen) + ("; and so on." if len(queries) > rows else ".")
    if links:
        hits = sum(best[row] == column for row, column in links)
        text += f" {hits} of {len(links)} gold links carry the largest weight of their row."
    if allowed is not None and not allowed.all():
        text += f" {int((~allowed).sum())} of {allowed.size} cells are not allowed."
    return text
