"""Masks held to what they promise: attention weights beside what really gets from each input to each output.

A mask is right when nothing arrives where it forbids. What arrives is the derivative ∂output_i/∂input_j.
"""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Rectangle

from course_lib.viz import colours
from course_lib.viz.attention import CHARACTER, add_heading, draw_cells, wrapped
from course_lib.viz.still import SMALL, Still, as_allowed, as_array, as_weights, in_style, shown

DARK = 0.78  # of the scale below: from here on, white numbers are easier to read than dark ones
FLOW = LinearSegmentedColormap.from_list("course_flow", ("#F7FAFC", "#BFE0D4", "#5FAE93", colours.VALUE))


@in_style
def weights_and_leak(
    weights,
    leak,
    queries: Sequence[str],
    keys: Sequence[str],
    *,
    allowed,
    title: str,
) -> Still:
    """Two matrices over the same tokens: who looks at whom, and what arrives.

    weights: (T, S) between 0 and 1. leak: (T, S), sizes of ∂output_i/∂input_j, 0 or more.
    allowed: (T, S) booleans, True = may attend; forbidden cells are hatched, and outlined where something
    leaks through all the same.
    Returns a Still. Raises ValueError when sizes do not fit, or a leak is below 0.
    """
    weights = as_weights(weights, queries, keys)
    leak = as_array(leak, "leak", 2)
    allowed = as_allowed(allowed, weights.shape)
    if allowed is None:
        allowed = np.ones(weights.shape, bool)
    if leak.shape != weights.shape or leak.min() < 0:
        raise ValueError(
            f"leak has shape {leak.shape} and starts at {leak.min():.3g}; "
            f"expected {weights.shape} with numbers from 0 up"
        )
    n_rows, n_columns = weights.shape
    numbers = n_columns <= 8
    cell = 0.5 if numbers else max(0.19, min(0.36, 3.6 / n_columns))
    left = max(len(shown(query)) for query in queries) * CHARACTER + 0.5
    top = min(1.4, max(len(shown(key)) for key in keys) * CHARACTER * 0.75) + 0.75
    width = max(6.0, 2 * left + 2 * cell * n_columns + 1.1)
    heading = wrapped(title, width)
    height = cell * n_rows * (0.84 if numbers else 1) + top + 0.3 * (heading.count("\n") + 1) + 0.5

    still = Still(width, height, _describe(title, weights, leak, queries, keys, allowed))
    one, two = still.subplots(1, 2)
    draw_cells(one, weights, queries, keys, allowed, [], numbers, cell)
    one.set_title("weights", fontsize=SMALL + 1)
    draw_leak(two, leak, allowed, queries, keys, numbers=numbers, cell=cell)
    two.set_title("leak: what arrives", fontsize=SMALL + 1)
    two.set_yticks(two.get_yticks(), [])
    one.set_ylabel("query (row)", color=colours.QUERY, labelpad=8)
    one.set_xlabel("key (column)", color=colours.KEY, labelpad=7)
    two.set_xlabel("input looked at (column)", color=colours.KEY, labelpad=7)
    add_heading(still, heading, _verdict(leak, allowed))
    return still


def draw_leak(
    ax: Axes,
    leak: np.ndarray,
    allowed: np.ndarray,
    queries: Sequence[str],
    keys: Sequence[str],
    *,
    numbers: bool,
    cell: float = 0.36,
) -> None:
    """One leak matrix (T, S): forbidden cells hatched, and outlined where something gets through.

    numbers: write the sizes into the cells. cell: size of a cell in inches, which decides how tokens stand.
    """
    leaking = (leak > 0) & ~allowed
    top = leak.max() or 1
    draw_cells(ax, np.zeros_like(leak), queries, keys, allowed | leaking, [], False, cell)
    ax.imshow(
        np.where(allowed | leaking, leak, np.nan),
        cmap=FLOW.with_extremes(bad=(0, 0, 0, 0)),
        vmin=0,
        vmax=top,
        aspect="auto",
        interpolation="nearest",
        zorder=1.5,
    )
    for row, column in zip(*np.nonzero(allowed | leaking), strict=True):
        if leaking[row, column]:
            corner = (column - 0.45, row - 0.45)
            outline = Rectangle(corner, 0.9, 0.9, fill=False, edgecolor=colours.LEAK, linewidth=2.2, zorder=4)
            ax.add_patch(outline)
        if numbers:
            value = leak[row, column]
            colour = colours.PAPER if value / top > DARK else colours.INK
            ax.text(
                column, row, _short(value), ha="center", va="center", fontsize=SMALL, color=colour, zorder=5
            )


def _short(value: float) -> str:
    """Two decimals; what is not 0 never looks like 0."""
    return "0" if value == 0 else "<.01" if value < 0.005 else f"{value:.2f}"


def _verdict(leak: np.ndarray, allowed: np.ndarray) -> str:
    if allowed.all():
        return "Nothing is forbidden."
    worst = leak[~allowed].max()
    if worst == 0:
        return "Hatched: forbidden. Leak where forbidden: exactly 0."
    return f"Hatched: forbidden. Outlined: something leaks through all the same, up to {worst:.2g}."


def _describe(title: str, weights, leak, queries, keys, allowed) -> str:
    lines = []
    for i, query in enumerate(queries[:6]):
        seen = [shown(keys[j]) for j in np.nonzero(allowed[i])[0]]
        lines.append(f"{shown(query)} may look at {', '.join(seen) if seen else 'nothing'}")
    more = f"; and {len(queries) - 6} more rows" if len(queries) > 6 else ""
    rows = "; ".join(lines) + more
    return f"{title}. Left the weights, right the measured leak. {rows}. {_verdict(leak, allowed)}"
