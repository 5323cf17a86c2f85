"""Masks as pictures: which cells are open, who sees whom, what the weights of a row sum to, what leaks.

A mask is right when nothing arrives where it forbids. What arrives is the derivative ∂output_i/∂input_j.
Open cells are blue, closed ones grey and hatched, in every picture; what gets through a closed cell is
outlined in crimson.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from course_lib.viz import colours
from course_lib.viz.attention import draw_cells, is_upright
from course_lib.viz.sheet import (
    add_heading,
    box,
    heading_room,
    number,
    outlined,
    room_for,
    sheet,
    wrapped,
    write,
)  # fmt: skip
from course_lib.viz.still import (
    SMALL,
    Still,
    as_allowed,
    as_array,
    as_named,
    as_weights,
    in_style,
    sentence,
    shown,
)  # fmt: skip

OPEN = 0.42  # where in the weights' colours an open cell lies: clearly blue, no number stands on it
WIDEST = 9.4  # inches
MOST_NUMBERS = 8  # tokens; beyond, cells carry no numbers
HATCHED = "hatched: not allowed"


@in_style
def mask_gallery(
    masks: Mapping[str, object],
    queries: Sequence[str],
    keys: Sequence[str] | None = None,
    *,
    title: str,
    columns: int | None = None,
) -> Still:
    """Several masks over the same tokens, one name each: open cells blue, closed ones hatched.

    masks: name -> (T, S) booleans, True = may attend. queries: T tokens; keys: S tokens, the queries when not
    given. columns: panels in a row.
    Returns a Still. Raises ValueError when there is no mask, or one that is not boolean or does not fit.
    """
    keys = queries if keys is None else keys
    masks = {name: _mask(mask, queries, keys, name) for name, mask in as_named(masks, "masks").items()}
    alt = f"{sentence(title)} " + " ".join(
        _say_mask(name, mask, queries, keys) for name, mask in masks.items()
    )
    still, axes = _grid(masks, queries, keys, title, alt, HATCHED, columns, cell=0.36)
    for ax, mask in zip(axes, masks.values(), strict=True):
        draw_cells(ax, np.full(mask.shape, OPEN), queries, keys, mask, [], False, 0.36)
    return still


@in_style
def row_sums(
    panels: Mapping[str, object], queries: Sequence[str], keys: Sequence[str], *, allowed, title: str
) -> Still:
    """Weights with what each row sums to, written behind it; a sum that is not 1 is crimson.

    panels: name -> (T, S) weights. allowed: (T, S) booleans, True = may attend.
    Returns a Still. Raises ValueError when sizes do not fit or values are no weights.
    """
    panels = as_named(panels, "panels")
    panels = {name: as_weights(w, queries, keys, f"panels[{name!r}]") for name, w in panels.items()}
    allowed = _mask(allowed, queries, keys, "allowed")
    alt = f"{sentence(title)} " + " ".join(
        f"{name}: the rows sum to {', '.join(number(total) for total in w.sum(1))}."
        for name, w in panels.items()
    )
    still, axes = _grid(panels, queries, keys, title, alt, f"{HATCHED} · Σ: sum of the row", beside=0.75)
    numbers = len(keys) <= MOST_NUMBERS
    for ax, weights in zip(axes, panels.values(), strict=True):
        draw_cells(ax, weights, queries, keys, allowed, [], numbers, 0.56 if numbers else 0.3)
        edge = len(keys) - 0.35
        write(ax, edge + 0.3, -0.75, "Σ", colours.SOFT_INK, va="baseline", size=SMALL + 1.5)
        for row, total in enumerate(weights.sum(1)):
            colour = colours.LEAK if abs(total - 1) > 0.005 else colours.INK
            write(ax, edge, row, f" {number(total)}", colour, SMALL + 0.5, bold=True, ha="left")
    return still


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

    panels: name -> (T, S) sizes of ∂output_i/∂input_j, 0 or more; each panel has its own scale.
    allowed: (T, S) booleans for all panels, or name -> booleans; closed cells are hatched, and outlined in
    crimson where something gets through.
    Returns a Still. Raises ValueError when sizes do not fit, or a leak is below 0.
    """
    keys = queries if keys is None else keys
    panels = as_named(panels, "panels")
    own = allowed if isinstance(allowed, Mapping) else dict.fromkeys(panels, allowed)
    if set(own) != set(panels):
        raise ValueError(f"allowed has masks for {list(own)}; expected one for each of {list(panels)}")
    masks = {name: _mask(own[name], queries, keys, f"allowed[{name!r}]") for name in panels}
    found = {name: _leak(leak, masks[name].shape, f"panels[{name!r}]") for name, leak in panels.items()}
    alt = f"{sentence(title)} " + " ".join(_say_leak(name, found[name], masks[name]) for name in found)
    note = HATCHED
    if any((leak[~masks[name]] > 0).any() for name, leak in found.items()):
        note += " · outlined: arrives all the same"
    still, axes = _grid(found, queries, keys, title, alt, note, columns)
    for ax, (name, leak) in zip(axes, found.items(), strict=True):
        _draw_leak(ax, leak, masks[name], queries, keys)
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
    alt = f"{sentence(title)} Left the weights, right the measured leak. "
    still = Still(width, height, f"{alt}{_say_mask('', allowed, queries, keys)} {verdict}")
    one, two = still.subplots(1, 2)
    draw_cells(one, weights, queries, keys, allowed, [], numbers, cell)
    one.set_title("weights", fontsize=SMALL + 1)
    one.set_ylabel("query (row)", color=colours.QUERY, labelpad=8)
    one.set_xlabel("key (column)", color=colours.KEY, labelpad=7)
    _draw_leak(two, leak, allowed, queries, keys, cell)
    two.set_title("leak: what arrives", fontsize=SMALL + 1)
    two.set_yticks(two.get_yticks(), [])
    two.set_xlabel("input looked at (column)", color=colours.KEY, labelpad=7)
    add_heading(still, heading, verdict)
    return still


@in_style
def who_sees_whom(panels: Mapping[str, tuple[object, Sequence[str], Sequence[str]]], *, title: str) -> Still:
    """Below the tokens that are looked at, above those that look; a line wherever looking is allowed.

    panels: name -> (allowed (T, S), queries, keys).
    Returns a Still. Raises ValueError when a mask is not boolean or does not fit its tokens.
    """
    drawn = {}
    for name, (mask, queries, keys) in as_named(panels, "panels").items():
        drawn[name] = (_mask(mask, queries, keys, f"panels[{name!r}]"), queries, keys)
    alt = f"{sentence(title)} " + " ".join(_say_mask(name, *rest) for name, rest in drawn.items())

    steps = {name: max(0.5, room_for([*q, *k]) + 0.16) for name, (_, q, k) in drawn.items()}
    widths = {name: steps[name] * max(len(q), len(k)) for name, (_, q, k) in drawn.items()}
    gap, query_y, key_y = 0.45, 1.72, 0.45
    width = max(5.0, sum(widths.values()) + gap * (len(drawn) - 1) + 1.25)
    heading = wrapped(title, width)
    still, ax = sheet(width, heading_room(heading) + 2.67, heading, alt)
    write(ax, 0.1, query_y, "query", colours.QUERY, ha="left")
    write(ax, 0.1, key_y, "key", colours.KEY, ha="left")
    left = 0.9
    for name, (mask, queries, keys) in drawn.items():
        step, middle = steps[name], left + widths[name] / 2
        write(ax, middle, 2.3, shown(name), size=SMALL + 0.5, bold=True, va="baseline")
        upper = _row_of_tokens(ax, middle, query_y, step, queries, colours.QUERY)
        lower = _row_of_tokens(ax, middle, key_y, step, keys, colours.KEY)
        pen = {"color": colours.ACCENT, "lw": 1.7, "alpha": 0.75, "solid_capstyle": "round", "zorder": 0}
        for row, column in zip(*np.nonzero(mask), strict=True):
            ax.plot([lower[column], upper[row]], [key_y + 0.19, query_y - 0.19], **pen)
        left += widths[name] + gap
    return still


@in_style
def reach(allowed, tokens: Sequence[str], n_layers: int, *, position: int | None = None, title: str) -> Still:
    """How far back an output can depend on its inputs when a mask is applied in every layer.

    allowed: (T, T) booleans, the same in all layers. tokens: T tokens. position: whose output is followed
    down; the last one when not given.
    Returns a Still. Raises ValueError for fewer than 1 layer, or a position or mask that does not fit.
    """
    mask = _mask(allowed, tokens, tokens, "allowed")
    if n_layers < 1:
        raise ValueError(f"n_layers is {n_layers}; expected at least 1")
    position = len(tokens) - 1 if position is None else position
    if not 0 <= position < len(tokens):
        raise ValueError(f"position is {position}; expected 0 to {len(tokens) - 1}")
    used = [np.arange(len(tokens)) == position]  # from the top: which nodes the output depends on
    for _ in range(n_layers):
        used.append(mask[used[-1]].any(0))
    back = position - int(np.flatnonzero(used[-1])[0]) if used[-1].any() else 0
    alt = (
        f"{sentence(title)} {n_layers} layers over {len(tokens)} tokens; the output at “"
        f"{shown(tokens[position])}” depends on {int(used[-1].sum())} inputs, up to {back} positions back. "
        f"From the top layer down it rests on {', '.join(str(int(level.sum())) for level in used)} nodes."
    )
    step, rise = max(0.58, room_for(tokens) + 0.14), 0.78
    width = max(5.5, step * len(tokens) + 1.35)
    heading = wrapped(title, width)
    still, ax = sheet(width, rise * n_layers + 1.15 + heading_room(heading), heading, alt)
    x = 1.15 + step * (np.arange(len(tokens)) + 0.5)
    for level, nodes in enumerate(used):
        y = 0.75 + rise * (n_layers - level)
        name = "inputs" if level == n_layers else f"layer {n_layers - level}"
        write(ax, 0.1, y, name, colours.SOFT_INK, ha="left")
        for row, column in zip(*np.nonzero(mask), strict=True) if level < n_layers else ():
            on = nodes[row]
            pen = {"color": colours.ACCENT, "lw": 1.8} if on else {"color": colours.LINE, "lw": 0.8}
            ax.plot([x[column], x[row]], [y - rise, y], zorder=1 + on, solid_capstyle="round", **pen)
        for place, node in zip(x, nodes, strict=True):
            fill, edge = (colours.ACCENT, colours.ACCENT) if node else (colours.PAPER, colours.MASKED)
            ax.plot(place, y, "o", markersize=11, color=fill, mec=edge, mew=1.5, zorder=4)
    for place, token, node in zip(x, tokens, used[-1], strict=True):
        write(ax, place, 0.36, shown(token), colours.INK if node else colours.SOFT_INK, bold=bool(node))
    return still


# The pieces.


def _mask(mask, queries: Sequence[str], keys: Sequence[str], name: str) -> np.ndarray:
    """`mask` as booleans (T, S); axes of size 1 in front, as masks of a batch have them, are taken off."""
    if mask is None:
        raise ValueError(f"{name} is None; expected booleans (T, S), True = may attend")
    while getattr(mask, "ndim", 2) > 2 and mask.shape[0] == 1:
        mask = mask[0]
    return as_allowed(mask, (len(queries), len(keys)))


def _leak(values, shape: tuple[int, ...], name: str) -> np.ndarray:
    leak = as_array(values, name, 2)
    if leak.shape != shape or leak.min() < 0:
        raise ValueError(
            f"{name} has shape {leak.shape} and starts at {leak.min():.3g}; expected {shape} with numbers "
            "from 0 up: queries in rows, inputs in columns"
        )
    return leak


def _draw_leak(ax: Axes, leak: np.ndarray, allowed: np.ndarray, queries, keys, cell: float = 0.36) -> None:
    """One leak matrix (T, S): forbidden cells hatched, and outlined where something gets through."""
    leaking = (leak > 0) & ~allowed
    seen, top = allowed | leaking, leak.max() or 1
    draw_cells(ax, np.zeros_like(leak), queries, keys, seen, [], False, cell)
    ax.imshow(
        np.ma.masked_where(~seen, leak), cmap=colours.FLOW, vmin=0, vmax=top,
        aspect="auto", interpolation="nearest", zorder=1.5,
    )  # fmt: skip
    for row, column in zip(*np.nonzero(seen), strict=True):
        if leaking[row, column]:
            outlined(ax, row, column, colours.LEAK, 2.2, zorder=4)
        if len(keys) <= MOST_NUMBERS:
            dark = leak[row, column] / top > colours.DARK_FLOW
            ink = colours.PAPER if dark else colours.INK
            write(ax, column, row, number(leak[row, column]), ink, zorder=5)


def _grid(
    panels: Mapping[str, np.ndarray], queries: Sequence[str], keys: Sequence[str], title: str, alt: str,
    note: str, columns: int | None = None, beside: float = 0.0, cell: float = 0.5,
) -> tuple[Still, list[Axes]]:  # fmt: skip
    """A still with equal panels and their names; cell: its size, beside: room to its right, in inches."""
    if columns is not None and columns < 1:
        raise ValueError(f"columns is {columns}; expected at least 1 panel in a row")
    cell = cell if len(keys) <= MOST_NUMBERS else 0.3
    panel = max(cell * len(keys) + 0.25 + beside, 1.6) + room_for(queries) + 0.3
    columns = min(len(panels), columns or max(1, int((WIDEST - 0.5) // panel)))
    rows = math.ceil(len(panels) / columns)
    top = 0.75 if is_upright(keys, cell) else room_for(keys) * 0.75 + 0.7
    width = max(5.0, 0.55 + columns * panel)
    heading = wrapped(title, width)
    height = rows * (0.84 * cell * len(queries) + top) + heading_room(heading) + 0.55
    still = Still(width, height, alt)
    axes = still.subplots(rows, columns, squeeze=False)
    for ax, name in zip(axes.flat, panels, strict=False):
        ax.set_title(shown(name), fontsize=SMALL + 1)
    for ax in axes.flat[len(panels) :]:
        ax.set_axis_off()
    still.supylabel("query (row)", color=colours.QUERY, fontsize=SMALL + 0.5)
    add_heading(still, heading, f"columns: keys · {note}")
    return still, list(axes.flat[: len(panels)])


def _row_of_tokens(ax: Axes, middle: float, y: float, step: float, tokens, colour: str) -> np.ndarray:
    """Tokens in boxes, centred; returns the x of each."""
    x = middle + step * (np.arange(len(tokens)) - (len(tokens) - 1) / 2)
    for place, token in zip(x, tokens, strict=True):
        box(ax, place - step / 2 + 0.06, y - 0.19, step - 0.12, 0.38, shown(token), edge=colour, size=SMALL)
    return x


# What the pictures say in words.


def _say_mask(name: str, mask: np.ndarray, queries, keys) -> str:
    rows = []
    for query, row in list(zip(queries, mask, strict=True))[:8]:
        seen = [shown(keys[j]) for j in np.flatnonzero(row)]
        rows.append(f"“{shown(query)}” sees {', '.join(seen) if seen else 'nothing'}")
    more = "; and so on" if len(queries) > 8 else ""
    return f"{name}: {'; '.join(rows)}{more}." if name else f"{'; '.join(rows)}{more}."


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
