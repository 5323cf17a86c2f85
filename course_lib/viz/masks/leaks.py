"""What arrives, measured, over what a mask allows: what gets through a closed cell is outlined."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from course_lib.viz import colours
from course_lib.viz.attention import draw_cells
from course_lib.viz.masks.panels import HATCHED, MOST_NUMBERS, as_mask, grid_of, say_mask
from course_lib.viz.sheet import add_heading, heading_room, number, outlined, room_for, wrapped, write
from course_lib.viz.still import (
    SMALL,
    Still,
    as_allowed,
    as_array,
    as_named,
    as_weights,
    in_style,
    sentence,
)  # fmt: skip

ALMOST = number(1e-9)  # how a number is written that is not 0 and rounds to it


@in_style
def leaks(
    panels: Mapping[str, object],
    queries: Sequence[str],
    keys: Sequence[str] | None = None,
    *,
    allowed,
    title: str,
    columns: int | None = None,
) -> Still:
    """Measured leak matrices side by side, over what each mask allows.

    panels: name -> (T, S) sizes of ∂output_i/∂input_j, 0 or more; all panels share one scale.
    allowed: (T, S) booleans for all panels, or name -> booleans; closed cells are hatched, and outlined in
    crimson where something gets through.
    Returns a Still. Raises ValueError when sizes do not fit, or a leak is below 0.
    """
    keys = queries if keys is None else keys
    panels = as_named(panels, "panels")
    own = allowed if isinstance(allowed, Mapping) else dict.fromkeys(panels, allowed)
    if set(own) != set(panels):
        raise ValueError(f"allowed has masks for {list(own)}; expected one for each of {list(panels)}")
    masks = {name: as_mask(own[name], queries, keys, f"allowed[{name!r}]") for name in panels}
    found = {name: _leak(leak, masks[name].shape, f"panels[{name!r}]") for name, leak in panels.items()}
    alt = f"{sentence(title)} " + " ".join(_say_leak(name, found[name], masks[name]) for name in found)
    note = HATCHED
    if any((leak[~masks[name]] > 0).any() for name, leak in found.items()):
        note += " · outlined: arrives all the same"
    if len(keys) <= MOST_NUMBERS and any(
        number(x) == ALMOST for name, leak in found.items() for x in leak[masks[name] | (leak > 0)]
    ):
        note += f" · {ALMOST}: not 0"
    still, axes = grid_of(found, queries, keys, title, alt, note, columns)
    top = max(float(leak.max()) for leak in found.values())
    for ax, (name, leak) in zip(axes, found.items(), strict=True):
        _draw_leak(ax, leak, masks[name], queries, keys, top)
    return still


@in_style
def weights_and_leak(
    weights, leak, queries: Sequence[str], keys: Sequence[str], *, allowed, title: str
) -> Still:
    """Two matrices over the same tokens: who looks at whom, and what arrives.

    weights: (T, S) between 0 and 1. leak: (T, S), sizes of ∂output_i/∂input_j, 0 or more.
    allowed: (T, S) booleans, True = may attend; None allows everything. Closed cells are hatched, and
    outlined where something leaks through all the same.
    Returns a Still. Raises ValueError when sizes do not fit, or a leak is below 0.
    """
    weights = as_weights(weights, queries, keys)
    leak = _leak(leak, weights.shape, "leak")
    allowed = np.ones(weights.shape, bool) if allowed is None else as_allowed(allowed, weights.shape)
    n_rows, n_columns = weights.shape
    numbers = n_columns <= MOST_NUMBERS
    cell = 0.5 if numbers else max(0.19, min(0.36, 3.6 / n_columns))
    width = max(6.0, 2 * (room_for(queries) + 0.5) + 2 * cell * n_columns + 1.1)
    heading = wrapped(title, width)
    top = min(1.4, room_for(keys) * 0.75) + 0.75
    height = cell * n_rows * (0.84 if numbers else 1) + top + heading_room(heading) + 0.5
    verdict = _verdict(leak, allowed)
    alt = f"{sentence(title)} Left the weights, right what arrives, measured. "
    still = Still(width, height, f"{alt}{say_mask('', allowed, queries, keys)} {verdict}")
    one, two = still.subplots(1, 2)
    draw_cells(one, weights, queries, keys, allowed, [], numbers, cell)
    one.set_title("weights", fontsize=SMALL + 1)
    one.set_ylabel("query (row)", color=colours.QUERY, labelpad=8)
    one.set_xlabel("key (column)", color=colours.KEY, labelpad=7)
    _draw_leak(two, leak, allowed, queries, keys, float(leak.max()), cell)
    two.set_title("what arrives, measured", fontsize=SMALL + 1)
    two.set_yticks(two.get_yticks(), [])
    two.set_xlabel("input looked at (column)", color=colours.KEY, labelpad=7)
    add_heading(still, heading, verdict)
    return still


def _leak(values, shape: tuple[int, ...], name: str) -> np.ndarray:
    leak = as_array(values, name, 2)
    if leak.shape != shape or leak.min() < 0:
        raise ValueError(
            f"{name} has shape {leak.shape} and starts at {leak.min():.3g}; expected {shape} with numbers "
            "from 0 up: queries in rows, inputs in columns"
        )
    return leak


def _draw_leak(
    ax: Axes, leak: np.ndarray, allowed: np.ndarray, queries, keys, top: float, cell: float = 0.36
) -> None:
    """One leak matrix (T, S): forbidden cells hatched, and outlined where something gets through.

    top: the number that is darkest.
    """
    leaking = (leak > 0) & ~allowed
    seen, top = allowed | leaking, top or 1
    draw_cells(ax, np.zeros_like(leak), queries, keys, seen, [], False, cell)
    ax.imshow(
        np.ma.masked_where(~seen, leak), cmap=colours.FLOW, vmin=0, vmax=top,
        aspect="auto", interpolation="nearest", zorder=1.5,
    )  # fmt: skip
    for row, column in zip(*np.nonzero(seen), strict=True):
        if leaking[row, column]:
            outlined(ax, row, column, colours.LEAK, 2.2, zorder=4)
        if len(keys) <= MOST_NUMBERS:
            ink = colours.ink_on(colours.FLOW(leak[row, column] / top))
            write(ax, column, row, number(leak[row, column]), ink, zorder=5)


def _say_leak(name: str, leak: np.ndarray, mask: np.ndarray) -> str:
    if mask.all():
        return f"{name}: nothing is forbidden, and something arrives in {int((leak > 0).sum())} cells."
    closed = leak[~mask]
    if closed.max() == 0:
        return f"{name}: exactly 0 in all {closed.size} forbidden cells."
    return (
        f"{name}: something arrives in {int((closed > 0).sum())} of {closed.size} forbidden cells, "
        f"up to {closed.max():.2g}."
    )


def _verdict(leak: np.ndarray, allowed: np.ndarray) -> str:
    if allowed.all():
        return "Nothing is forbidden."
    worst = leak[~allowed].max()
    if worst == 0:
        return "Hatched: forbidden. Leak where forbidden: exactly 0."
    return f"Hatched: forbidden. Outlined: something leaks through all the same, up to {worst:.2g}."
