"""What is new in the additive score: where query and key meet, and how a batch of them is added."""

import numpy as np

from course_lib.viz import colours
from course_lib.viz.sheet import CELL_HEIGHT, add_heading, arrow, numbers, sheet, write
from course_lib.viz.still import FONT_SIZE, SMALL, Still, as_array, in_style, sentence

CELL, ROW = 0.62, 0.5  # inches: width of a number's cell, from row to row


@in_style
def tanh_meets(
    keys=(0.0, 2.0),
    queries=(-1.0, 1.0),
    *,
    title: str = "Inside tanh, the query decides whether two keys differ",
) -> Still:
    """Two keys on the curve of tanh, moved by two queries: near 0 they are told apart, far away they are not.

    keys: two numbers, one feature of U_a h each. queries: two numbers, the same feature of W_a s.
    Raises ValueError for other than two of each.
    """
    keys, queries = as_array(keys, "keys", 1), as_array(queries, "queries", 1)
    for name, values in (("keys", keys), ("queries", queries)):
        if len(values) != 2:
            raise ValueError(f"{name} has {len(values)} numbers, expected two")
    apart = [abs(float(np.diff(np.tanh(query + keys))[0])) for query in queries]
    said = "; ".join(
        f"with query {query:g} they stand at {query + keys[0]:g} and {query + keys[1]:g}, {gap:.2f} apart"
        for query, gap in zip(queries, apart, strict=True)
    )
    between = abs(keys[1] - keys[0])
    alt = f"{sentence(title)} The curve of tanh, straight near 0 and flat far away, with two keys: {said}."
    still = Still(8.4, 3.7, alt)
    line = np.linspace(-3.5, 4.5, 200)
    moved = {"arrowstyle": "-|>", "color": colours.QUERY, "lw": 2, "shrinkA": 4, "shrinkB": 0}
    for ax, query, gap in zip(still.subplots(1, 2, sharey=True), queries, apart, strict=True):
        ax.plot(line, np.tanh(line), color=colours.SOFT_INK, lw=1.8)
        ax.scatter(
            keys, [-1.25] * 2, s=46, facecolors=colours.PAPER, edgecolors=colours.KEY, lw=1.6, zorder=3
        )
        for key in keys:
            place = query + key
            ax.annotate("", (place, -1.25), (key, -1.25), arrowprops=moved)
            ax.plot([place, 4.5], [np.tanh(place)] * 2, color=colours.KEY, lw=1, ls=(0, (3, 2)))
            ax.plot(place, np.tanh(place), "o", color=colours.KEY, markersize=9)
        said = f"query {query:+g}".replace("-", "−")
        write(ax, (keys.sum() + query) / 2, -1.12, said, colours.QUERY, va="bottom")
        ax.set_title(f"{between:g} apart becomes {gap:.2f} apart", fontsize=SMALL + 1, color=colours.KEY)
        ax.set(xlim=(-3.5, 4.5), ylim=(-1.45, 1.2), xlabel="query + key", yticks=(-1, 0, 1))
        ax.grid(axis="y", color=colours.PANEL, lw=1.2)
        ax.tick_params(length=0)
    add_heading(still, title, "rings: the two keys · dots: the same keys, moved by the query")
    return still


@in_style
def new_axis(query, keys, *, title: str = "Each sentence adds its own query to all its words") -> Still:
    """Broadcasting as a picture: one query a sentence, repeated for each word, plus the keys.

    query (B, A), keys (B, S, A), small whole numbers read best. Raises ValueError when sizes do not fit.
    """
    query, keys = as_array(query, "query", 2), as_array(keys, "keys", 3)
    if query.shape != (keys.shape[0], keys.shape[2]):
        raise ValueError(f"query has shape {query.shape}, expected (B, A) of the keys' {keys.shape}")
    n_sentences, n_words, size = keys.shape
    block = n_words * ROW + 0.35
    x_keys = 1.25 + size * CELL + 0.75
    x_sum = x_keys + size * CELL + 0.75
    total = query[:, None, :] + keys
    said = "; ".join(
        f"sentence {b + 1}: query {_row(query[b])}, keys {', '.join(map(_row, keys[b]))}, "
        f"sums {', '.join(map(_row, total[b]))}"
        for b in range(n_sentences)
    )
    width, height = x_sum + size * CELL + 0.6, 1.35 + n_sentences * block
    still, ax = sheet(width, height, title, f"{sentence(title)} {said}.")
    top = 0.2 + n_sentences * block
    for x, text, colour in (
        (1.25, f"query[:, None, :]\n({n_sentences}, 1, {size})", colours.QUERY),
        (x_keys, f"keys\n({n_sentences}, {n_words}, {size})", colours.KEY),
        (x_sum, f"sum\n({n_sentences}, {n_words}, {size})", colours.INK),
    ):
        write(ax, x + size * CELL / 2, top + 0.06, text, colour, bold=True, va="bottom")
    for b in range(n_sentences):
        first = top - b * block - ROW
        write(ax, 0.1, first + CELL_HEIGHT / 2, f"sentence {b + 1}", colours.SOFT_INK, ha="left")
        for j in range(n_words):
            y = first - j * ROW
            middle = y + CELL_HEIGHT / 2
            if j:  # the same row again: nothing is copied, torch reads it once more
                write(ax, 1.25 + size * CELL / 2, middle, "the same row", colours.QUERY, SMALL)
            else:
                numbers(ax, 1.25, y, query[b], CELL, colours.QUERY, face=colours.QUERY_TINT, short=True)
            write(ax, x_keys - 0.375, middle, "+", size=FONT_SIZE + 1)
            numbers(ax, x_keys, y, keys[b, j], CELL, colours.KEY, short=True)
            arrow(ax, (x_sum - 0.6, middle), (x_sum - 0.12, middle))
            numbers(ax, x_sum, y, total[b, j], CELL, colours.LINE, short=True)
    return still


def _row(values: np.ndarray) -> str:
    return "(" + ", ".join(f"{value:g}" for value in values) + ")"
