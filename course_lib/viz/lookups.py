"""Looking things up: what goes from a query to an answer, and tables of scores side by side."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import FancyBboxPatch, Rectangle

from course_lib.viz import colours
from course_lib.viz.attention import add_heading, wrapped
from course_lib.viz.still import SMALL, Still, as_allowed, as_array, as_links, as_weights, in_style, shown

CHARACTER = 0.112  # inches that one character takes, about
ROW, BOX = 0.62, 0.42  # inches from box to box, and height of a box
FAINT = 0.004  # lines below this weight are left out
WRITTEN = 0.2  # with several queries, only weights from here on are written on their lines
SCORES = LinearSegmentedColormap.from_list("course_score_table", (colours.PAPER, "#8FC1E3"))


@in_style
def fetch(
    weights,
    queries: Sequence[str],
    keys: Sequence[str],
    values: Sequence[str],
    results: Sequence[str],
    *,
    title: str,
) -> Still:
    """Which query finds which key, and what each key's value brings to the answer: lines as thick as weights.

    weights: (T, S) between 0 and 1, rows are queries. queries, results: T texts; keys, values: S texts.
    The weights are written on the lines to the keys, small ones only when there is a single query.
    Returns a Still. Raises ValueError when sizes do not fit or values are no weights.
    """
    weights = as_weights(weights, queries, keys)
    for name, texts, wanted in (("values", values, len(keys)), ("results", results, len(queries))):
        if len(texts) != wanted:
            raise ValueError(f"{name} has {len(texts)} texts, expected {wanted}")
    width_of = [max(0.9, max(len(shown(t)) for t in texts) * CHARACTER + 0.3) for texts in
                (queries, keys, values, results)]  # fmt: skip
    gap = 1.7
    x_query = 0.25
    x_key = x_query + width_of[0] + gap
    x_value = x_key + width_of[1]
    x_result = x_value + width_of[2] + gap
    width = x_result + width_of[3] + 0.25
    rows = max(len(queries), len(keys))
    heading = wrapped(title, width)
    height = 0.95 + 0.3 * heading.count("\n") + ROW * rows + 0.1

    still = Still(width, height, _fetch_alt(title, weights, queries, keys, values, results))
    still.set_layout_engine("none")
    ax = still.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, width), ylim=(0, height))
    ax.set_axis_off()
    add_heading(still, heading)

    top = height - 0.95 - 0.3 * heading.count("\n")
    query_y = _spread(len(queries), rows, top)
    key_y = _spread(len(keys), rows, top)
    heads = (
        ("query", colours.QUERY),
        ("key", colours.KEY),
        ("value", colours.VALUE),
        ("answer", colours.INK),
    )
    for (name, colour), x, w in zip(heads, (x_query, x_key, x_value, x_result), width_of, strict=True):
        ax.text(x + w / 2, top + 0.12, name, ha="center", va="bottom", color=colour, fontweight="bold",
                fontsize=SMALL + 0.5)  # fmt: skip
    for t, s in zip(*np.nonzero(weights >= FAINT), strict=True):
        pen = {"lw": 0.8 + 6 * weights[t, s], "alpha": 0.3 + 0.6 * weights[t, s], "solid_capstyle": "round"}
        ax.plot([x_query + width_of[0], x_key], [query_y[t], key_y[s]], color=colours.QUERY, zorder=0, **pen)
        ax.plot(
            [x_value + width_of[2], x_result], [key_y[s], query_y[t]], color=colours.VALUE, zorder=0, **pen
        )
    left, right = x_query + width_of[0], x_key
    for (x, y), number in _numbers_on_lines(weights, left, right, query_y, key_y):
        ax.text(x, y, number, ha="center", va="center", fontsize=SMALL,
                bbox={"facecolor": colours.PAPER, "edgecolor": "none", "pad": 1.2})  # fmt: skip
    for y, query, result in zip(query_y, queries, results, strict=True):
        _text_box(ax, x_query, y, width_of[0], query, colours.QUERY, "#E5F0F8")
        _text_box(ax, x_result, y, width_of[3], result, colours.INK, colours.PAPER)
    for y, key, value in zip(key_y, keys, values, strict=True):
        _text_box(ax, x_key, y, width_of[1], key, colours.KEY, colours.PAPER)
        _text_box(ax, x_value, y, width_of[2], value, colours.VALUE, "#E6F3EF")
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
    number_format: str = "{:.1f}",
) -> Still:
    """Tables of scores with their numbers, side by side; the darker, the higher in its own table.

    tables: name -> scores (T, S), any numbers. allowed: (T, S) booleans; other cells are hatched, without a
    number. links: (query, key) index pairs, outlined in gold; links_name says what they are.
    Returns a Still. Raises ValueError when sizes do not fit.
    """
    if not isinstance(tables, Mapping) or not tables:
        raise ValueError(
            f"tables must be a dict from name to scores with at least one entry; got {tables!r:.80}"
        )
    shape = (len(queries), len(keys))
    scores = {name: as_array(table, f"tables[{name!r}]", 2) for name, table in tables.items()}
    for name, table in scores.items():
        if table.shape != shape:
            raise ValueError(f"tables[{name!r}] has shape {table.shape}; expected {shape}, queries by keys")
    mask = as_allowed(allowed, shape)
    blocked = np.zeros(shape, bool) if mask is None else ~mask
    pairs = as_links(links, *shape)

    longest = max(len(shown(key)) for key in keys) * CHARACTER
    cell_width, cell_height = max(0.62, min(longest + 0.1, 1.0)), 0.44
    turned = longest > cell_width
    left = max(len(shown(query)) for query in queries) * CHARACTER + 0.55
    width = max(5.0, left + len(scores) * (cell_width * shape[1] + 0.35))
    heading = wrapped(title, width)
    note = "hatched: not allowed" if blocked.any() else ""
    note = " · ".join(filter(None, (f"gold: {links_name}" if pairs else "", note)))
    above = 1.05 + (longest * 0.7 if turned else 0)
    height = cell_height * shape[0] + above + 0.3 * (heading.count("\n") + 1) + (0.3 if note else 0.05)

    still = Still(width, height, _tables_alt(title, scores, queries, keys, blocked, pairs))
    axes = still.subplots(1, len(scores), squeeze=False)[0]
    for place, (ax, (name, table)) in enumerate(zip(axes, scores.items(), strict=True)):
        seen = np.where(blocked, np.nan, table)
        low, high = np.nanmin(seen), np.nanmax(seen)
        ax.imshow(seen, cmap=SCORES, vmin=low, vmax=high if high > low else low + 1, aspect="auto")
        ax.hlines(np.arange(shape[0] + 1) - 0.5, -0.5, shape[1] - 0.5, color=colours.PAPER, lw=1.2)
        ax.vlines(np.arange(shape[1] + 1) - 0.5, -0.5, shape[0] - 0.5, color=colours.PAPER, lw=1.2)
        for row, column in np.ndindex(*shape):
            if blocked[row, column]:
                ax.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, facecolor=colours.PANEL, hatch="////",
                                       edgecolor=colours.MASKED, lw=0))  # fmt: skip
            else:
                text = number_format.format(table[row, column]).replace("-", "−")
                text = text if text.strip("−0.") else text.lstrip("−")  # no minus before 0.0
                ax.text(column, row, text, ha="center", va="center", fontsize=SMALL)
        for row, column in pairs:
            ax.add_patch(Rectangle((column - 0.46, row - 0.45), 0.92, 0.9, fill=False, edgecolor=colours.GOLD,
                                   lw=2.4, zorder=3))  # fmt: skip
        ax.set_title(shown(name), fontsize=SMALL + 1)
        ax.xaxis.set_ticks_position("top")
        ax.xaxis.set_label_position("top")
        turn = {"rotation": 40, "ha": "left", "rotation_mode": "anchor"} if turned else {}
        ax.set_xticks(range(shape[1]), [shown(key) for key in keys], **turn)
        ax.set_yticks(range(shape[0]), [] if place else [shown(query) for query in queries])
        ax.set_xlabel("key (column)", color=colours.KEY, labelpad=7)
        if not place:
            ax.set_ylabel("query (row)", color=colours.QUERY, labelpad=8)
        ax.tick_params(length=0, pad=5)
        ax.spines[:].set_visible(False)
    add_heading(still, heading, note)
    return still


# The pieces.


def _spread(n: int, rows: int, top: float) -> list[float]:
    """Heights of the middles of n boxes, centred beside the longer column."""
    first = top - 0.05 - ROW * ((rows - n) / 2 + 0.5)
    return [first - ROW * place for place in range(n)]


def _numbers_on_lines(weights, left: float, right: float, query_y, key_y) -> list:
    """Where each weight is written on its line from query to key: far from other lines and other numbers.

    Returns pairs ((x, y), text). A single query has all its weights written, several only the large ones.
    """
    if len(query_y) == 1:
        part = 1 - 0.55 / (right - left)  # beside each other, where the lines lie far apart
        return [
            ((right - 0.55, query_y[0] + (y - query_y[0]) * part), f"{weight:.2f}")
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

        part = max(np.linspace(0.18, 0.82, 17), key=room)
        written.append(
            ((left + part * (right - left), own[0] + (own[1] - own[0]) * part), f"{weights[t, s]:.2f}")
        )
    return written


def _text_box(ax: Axes, x: float, y: float, width: float, text: str, edge: str, face: str) -> None:
    style = "round,pad=0,rounding_size=0.09"
    ax.add_patch(FancyBboxPatch((x, y - BOX / 2), width, BOX, boxstyle=style, facecolor=face, edgecolor=edge,
                                lw=1.6, zorder=1))  # fmt: skip
    ax.text(x + width / 2, y, shown(text), ha="center", va="center", zorder=3)


def _fetch_alt(title: str, weights: np.ndarray, queries, keys, values, results) -> str:
    rows = (
        f"query “{shown(query)}” gives "
        + ", ".join(
            f"key “{shown(key)}” {weight:.2f}"
            for key, weight in zip(keys, row, strict=True)
            if weight >= FAINT
        )
        + f", and its answer is “{shown(result)}”"
        for query, row, result in zip(queries, weights, results, strict=True)
    )
    carried = ", ".join(f"{shown(key)}: {shown(value)}" for key, value in zip(keys, values, strict=True))
    return f"{title.rstrip('.')}. Each key carries a value ({carried}). Weights: {'; '.join(rows)}."


def _tables_alt(title: str, scores: Mapping[str, np.ndarray], queries, keys, blocked, pairs) -> str:
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
    return f"{title.rstrip('.')}. " + " ".join(parts)
