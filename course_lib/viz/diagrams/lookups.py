"""Looking things up: what goes from a query to an output, and tables of scores side by side."""

from collections.abc import Mapping, Sequence

import numpy as np

from course_lib.viz import colours
from course_lib.viz.attention import is_upright, name_cells
from course_lib.viz.sheet import (
    add_heading,
    box,
    hatched,
    heading_room,
    number,
    outlined,
    room_for,
    ruled,
    sheet,
    wrapped,
    write,
)  # fmt: skip
from course_lib.viz.still import (
    SMALL,
    Still,
    as_allowed,
    as_array,
    as_links,
    as_named,
    as_weights,
    in_style,
    label,
    sentence,
    shown,
)  # fmt: skip

ROW, BOX = 0.62, 0.42  # inches from box to box, and height of a box
FAINT = 0.004  # lines below this weight are left out
WRITTEN = 0.2  # with several queries, only weights from here on are written on their lines


@in_style
def fetch(
    weights,
    queries: Sequence[str],
    keys: Sequence[str],
    values: Sequence[str],
    results: Sequence[str],
    *,
    title: str,
    results_name: str = "output",
) -> Still:
    """Which query finds which key, and what each key's value brings to the answer: lines as thick as weights.

    weights: (T, S) between 0 and 1, rows are queries. queries, results: T texts; keys, values: S texts.
    results_name: what the results are, above their boxes.
    The weights are written on the lines to the keys, near their query; small ones only with a single query.
    Returns a Still. Raises ValueError when sizes do not fit or values are no weights.
    """
    weights = as_weights(weights, queries, keys)
    for name, texts, wanted in (("values", values, len(keys)), ("results", results, len(queries))):
        if len(texts) != wanted:
            raise ValueError(f"{name} has {len(texts)} texts, expected {wanted}")
    columns = (queries, keys, values, results)
    wide = [max(0.9, 1.07 * room_for(texts) + 0.3) for texts in columns]
    gap = 1.7
    x_query = 0.25
    x_key = x_query + wide[0] + gap
    x_value = x_key + wide[1]
    x_result = x_value + wide[2] + gap
    width = x_result + wide[3] + 0.25
    rows = max(len(queries), len(keys))
    top = ROW * rows + 0.1
    heading = wrapped(title, width)
    height = top + heading_room(heading) + 0.65
    still, ax = sheet(
        width, height, heading, _fetch_alt(title, weights, queries, keys, values, results, results_name)
    )

    query_y, key_y = _spread(len(queries), rows, top), _spread(len(keys), rows, top)
    drawn = (
        ("query", colours.QUERY, colours.QUERY_TINT, x_query, query_y),
        ("key", colours.KEY, colours.PAPER, x_key, key_y),
        ("value", colours.VALUE, colours.VALUE_TINT, x_value, key_y),
        (results_name, colours.INK, colours.PAPER, x_result, query_y),
    )
    for texts, w, (name, colour, face, x, places) in zip(columns, wide, drawn, strict=True):
        write(ax, x + w / 2, top + 0.12, name, colour, SMALL + 0.5, bold=True, va="bottom")
        for text, y in zip(texts, places, strict=True):
            box(ax, x, y - BOX / 2, w, BOX, label(text), edge=colour, face=face)
    left, right = x_query + wide[0], x_key
    for t, s in zip(*np.nonzero(weights >= FAINT), strict=True):
        weight = weights[t, s]
        pen = {"lw": 0.8 + 6 * weight, "alpha": 0.3 + 0.6 * weight, "solid_capstyle": "round", "zorder": 0}
        ax.plot([left, right], [query_y[t], key_y[s]], color=colours.QUERY, **pen)
        ax.plot([x_value + wide[2], x_result], [key_y[s], query_y[t]], color=colours.VALUE, **pen)
    behind = {"facecolor": colours.PAPER, "edgecolor": "none", "pad": 1.2}
    for (x, y), text in _numbers_on_lines(weights, left, right, query_y, key_y):
        write(ax, x, y, text, bbox=behind)
    return still


@in_style
def score_tables(
    tables: Mapping[str, object],
    queries: Sequence[str],
    keys: Sequence[str],
    *,
    title: str,
    allowed=None,
    links=None,
    links_name: str = "the key it needs",
    mirror=None,
    number_format: str = "{:.1f}",
) -> Still:
    """Tables of scores with their numbers, side by side; the darker, the higher in its own table.

    tables: name -> scores (T, S), any numbers. allowed: (T, S) booleans; other cells are hatched, without a
    number. links: (query, key) index pairs, outlined in gold; links_name says what they are. mirror: one such
    pair (i, j); cells (i, j) and (j, i) of each table are joined, and the sign between them says whether they
    are equal. Returns a Still. Raises ValueError when sizes do not fit.
    """
    shape = (len(queries), len(keys))
    tables = as_named(tables, "tables")
    scores = {name: as_array(table, f"tables[{name!r}]", 2) for name, table in tables.items()}
    for name, table in scores.items():
        if table.shape != shape:
            raise ValueError(f"tables[{name!r}] has shape {table.shape}; expected {shape}, queries by keys")
    mask = as_allowed(allowed, shape)
    blocked = np.zeros(shape, bool) if mask is None else ~mask
    pairs = as_links(links, *shape)
    twin = as_links([mirror], *sorted(shape)[:1] * 2, "mirror")[0] if mirror else None

    cell = max(0.62, min(room_for(keys) + 0.1, 1.0))
    width = max(5.0, room_for(queries) + 0.55 + len(scores) * (cell * shape[1] + 0.35))
    heading = wrapped(title, width)
    said = [f"gold: {links_name}"] * bool(pairs) + ["hatched: not allowed"] * bool(blocked.any())
    said += ["each table has a scale of its own"] * (len(scores) > 1)
    note = " · ".join(said)
    above = 1.05 + (0 if is_upright(keys, cell) else room_for(keys) * 0.75)
    height = 0.44 * shape[0] + above + heading_room(heading) + (0.3 if note else 0.05)
    still = Still(width, height, _tables_alt(title, scores, queries, keys, blocked, pairs, twin))
    axes = still.subplots(1, len(scores), squeeze=False)[0]
    for place, (ax, (name, table)) in enumerate(zip(axes, scores.items(), strict=True)):
        seen = np.where(blocked, np.nan, table)
        low, high = np.nanmin(seen), np.nanmax(seen)
        high = high if high > low else low + 1
        ax.imshow(seen, cmap=colours.SCORES, vmin=low, vmax=high, aspect="auto")
        ruled(ax, shape)
        for row, column in np.ndindex(*shape):
            if blocked[row, column]:
                hatched(ax, column - 0.5, row - 0.5)
            else:
                write(ax, column, row, _written(table[row, column], number_format))
        for row, column in pairs:
            outlined(ax, row, column, colours.GOLD)
        if twin:
            _joined(ax, table, *twin, number_format)
        ax.set_title(shown(name), fontsize=SMALL + 1)
        name_cells(ax, queries, keys, cell)
        ax.set_xlabel("key (column)", color=colours.KEY, labelpad=7)
        if place:
            ax.set_yticks(ax.get_yticks(), [])
        else:
            ax.set_ylabel("query (row)", color=colours.QUERY, labelpad=8)
    add_heading(still, heading, note)
    return still


# The pieces.


def _joined(ax, table: np.ndarray, row: int, column: int, number_format: str) -> None:
    """A line between a cell and its mirror image, with = or ≠ in its middle."""
    ax.plot([column, row], [row, column], color=colours.INK, lw=1.6, zorder=2, clip_on=False)
    behind = {"boxstyle": "round,pad=0.25", "facecolor": colours.PAPER, "edgecolor": colours.INK}
    for y, x in ((row, column), (column, row)):
        text = _written(table[y, x], number_format)
        write(ax, x, y, text, bold=True, zorder=4, bbox={**behind, "lw": 1.2})
    sign = "=" if np.isclose(table[row, column], table[column, row], atol=1e-4) else "≠"
    middle = (row + column) / 2
    write(ax, middle, middle, sign, size=SMALL + 4, bold=True, zorder=4, bbox={**behind, "edgecolor": "none"})


def _written(score: float, number_format: str) -> str:
    """A score with a real minus sign; what is not 0 never looks like 0."""
    text = number_format.format(score).replace("-", "−")
    return text if text.strip("−0.") else "≈0" if score else text.lstrip("−")


def _spread(n: int, rows: int, top: float) -> list[float]:
    """Heights of the middles of n boxes, centred beside the longer column."""
    first = top - 0.05 - ROW * ((rows - n) / 2 + 0.5)
    return [first - ROW * place for place in range(n)]


def _numbers_on_lines(weights, left: float, right: float, query_y, key_y) -> list:
    """Where each weight is written on its line: near its query, far from other lines and other numbers.

    Returns pairs ((x, y), text). A single query has all its weights written, several only the large ones.
    """
    if len(query_y) == 1:
        part = 1 - 0.55 / (right - left)  # beside each other, where the lines lie far apart
        return [
            ((right - 0.55, query_y[0] + (y - query_y[0]) * part), number(weight))
            for weight, y in zip(weights[0], key_y, strict=True)
            if weight >= FAINT
        ]
    lines = [(query_y[t], key_y[s]) for t, s in zip(*np.nonzero(weights >= FAINT), strict=True)]
    written: list = []
    for t, s in zip(*np.nonzero(weights >= WRITTEN), strict=True):
        own = query_y[t], key_y[s]

        def room(part, own=own):
            y = own[0] + (own[1] - own[0]) * part
            to_lines = (abs(a + (b - a) * part - y) for a, b in lines if (a, b) != own)
            to_numbers = (
                max(abs(x - left - part * (right - left)) / 2.5, abs(other - y)) for (x, other), _ in written
            )
            return min((*to_lines, *to_numbers), default=1.0)

        part = max(np.linspace(0.14, 0.24, 6), key=room)  # near its query: whose number it is must be plain
        written.append(
            ((left + part * (right - left), own[0] + (own[1] - own[0]) * part), number(weights[t, s]))
        )
    return written


def _fetch_alt(title: str, weights: np.ndarray, queries, keys, values, results, results_name) -> str:
    rows = (
        f"query “{shown(query)}” gives "
        + ", ".join(
            f"key “{shown(key)}” {weight:.2f}"
            for key, weight in zip(keys, row, strict=True)
            if weight >= FAINT
        )
        + f"; {results_name}: “{shown(result)}”"
        for query, row, result in zip(queries, weights, results, strict=True)
    )
    carried = ", ".join(f"{shown(key)}: {shown(value)}" for key, value in zip(keys, values, strict=True))
    return f"{sentence(title)} Each key carries a value ({carried}). Weights: {'; '.join(rows)}."


def _tables_alt(title: str, scores: Mapping[str, np.ndarray], queries, keys, blocked, pairs, twin) -> str:
    def best(table: np.ndarray) -> str:
        columns = np.where(blocked, -np.inf, table).argmax(1)
        return "; ".join(
            f"“{shown(query)}” scores highest with “{shown(keys[column])}”"
            for query, column in zip(queries, columns, strict=True)
        )

    def mirror(table: np.ndarray) -> str:
        square = table.shape[0] == table.shape[1]
        return "symmetric" if square and np.allclose(table, table.T, atol=1e-4) else "not symmetric"

    parts = [f"{name} ({mirror(table)}): {best(table)}." for name, table in scores.items()]
    if pairs:
        hits = ", ".join(
            f"{sum(np.where(blocked, -np.inf, t)[r].argmax() == c for r, c in pairs)} in “{name}”"
            for name, t in scores.items()
        )
        parts.append(f"Of {len(pairs)} outlined cells, the highest of their row: {hits}.")
    if twin:
        i, j = twin
        both = "; ".join(f"{number(t[i, j])} and {number(t[j, i])} in “{name}”" for name, t in scores.items())
        parts.append(
            f"Joined: the cell “{shown(queries[i])}”, “{shown(keys[j])}” and its mirror image, {both}."
        )
    return f"{sentence(title)} {' '.join(parts)}"
