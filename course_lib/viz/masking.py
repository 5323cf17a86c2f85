"""Masks as pictures: which cells are open, who sees whom, what the weights of a row sum to, what leaks.

Open cells are blue, closed ones grey and hatched, in every picture; what gets through a closed cell is
outlined in crimson.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from course_lib.viz import colours
from course_lib.viz.attention import CHARACTER, add_heading, draw_cells, wrapped
from course_lib.viz.leaks import draw_leak
from course_lib.viz.still import SMALL, Still, as_allowed, as_array, as_weights, in_style, shown

OPEN = 0.42  # where in the weights' colours an open cell lies: clearly blue, no number stands on it
WIDEST = 9.4  # inches
MOST_NUMBERS = 8  # tokens; beyond, cells carry no numbers


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
    masks = {name: _mask(mask, queries, keys, name) for name, mask in _named(masks, "masks").items()}
    alt = f"{_sentence(title)} " + " ".join(
        _say_mask(name, mask, queries, keys) for name, mask in masks.items()
    )
    still, axes = _grid(len(masks), queries, keys, title, alt, "hatched: not allowed", columns, cell=0.36)
    for ax, (name, mask) in zip(axes, masks.items(), strict=True):
        draw_cells(ax, np.full(mask.shape, OPEN), queries, keys, mask, [], False, 0.36)
        ax.set_title(shown(name), fontsize=SMALL + 1)
    return still


@in_style
def row_sums(
    panels: Mapping[str, object], queries: Sequence[str], keys: Sequence[str], *, allowed, title: str
) -> Still:
    """Weights with what each row sums to, written behind it; a sum that is not 1 is crimson.

    panels: name -> (T, S) weights. allowed: (T, S) booleans, True = may attend.
    Returns a Still. Raises ValueError when sizes do not fit or values are no weights.
    """
    panels = {
        name: as_weights(w, queries, keys, f"panels[{name!r}]")
        for name, w in _named(panels, "panels").items()
    }
    allowed = _mask(allowed, queries, keys, "allowed")
    alt = f"{_sentence(title)} " + " ".join(
        f"{name}: the rows sum to {', '.join(_two(total) for total in w.sum(1))}."
        for name, w in panels.items()
    )
    still, axes = _grid(
        len(panels), queries, keys, title, alt, "hatched: not allowed · Σ: sum of the row", beside=0.75
    )
    numbers = len(keys) <= MOST_NUMBERS
    for ax, (name, weights) in zip(axes, panels.items(), strict=True):
        draw_cells(ax, weights, queries, keys, allowed, [], numbers, 0.56 if numbers else 0.3)
        ax.set_title(shown(name), fontsize=SMALL + 1)
        edge = len(keys) - 0.35
        ax.text(edge + 0.3, -0.75, "Σ", ha="center", color=colours.SOFT_INK)
        for row, total in enumerate(weights.sum(1)):
            wrong = abs(total - 1) > 0.005
            ax.text(
                edge,
                row,
                f" {_two(total)}",
                va="center",
                fontweight="bold",
                fontsize=SMALL + 0.5,
                color=colours.LEAK if wrong else colours.INK,
            )
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
    found = {name: as_array(p, f"panels[{name!r}]", 2) for name, p in _named(panels, "panels").items()}
    own = allowed if isinstance(allowed, Mapping) else dict.fromkeys(found, allowed)
    if set(own) != set(found):
        raise ValueError(f"allowed has masks for {list(own)}; expected one for each of {list(found)}")
    masks = {name: _mask(own[name], queries, keys, f"allowed[{name!r}]") for name in found}
    for name, leak in found.items():
        if leak.shape != masks[name].shape or leak.min() < 0:
            raise ValueError(
                f"panels[{name!r}] has shape {leak.shape} and starts at {leak.min():.3g}; expected "
                f"{masks[name].shape} with numbers from 0 up: queries in rows, inputs in columns"
            )
    alt = f"{_sentence(title)} " + " ".join(_say_leak(name, found[name], masks[name]) for name in found)
    note = "hatched: not allowed"
    if any((leak[~masks[name]] > 0).any() for name, leak in found.items()):
        note += " · outlined: arrives all the same"
    still, axes = _grid(len(found), queries, keys, title, alt, note, columns)
    for ax, (name, leak) in zip(axes, found.items(), strict=True):
        draw_leak(ax, leak, masks[name], queries, keys, numbers=len(keys) <= MOST_NUMBERS)
        ax.set_title(shown(name), fontsize=SMALL + 1)
    return still


@in_style
def who_sees_whom(panels: Mapping[str, tuple[object, Sequence[str], Sequence[str]]], *, title: str) -> Still:
    """Below the tokens that are looked at, above those that look; a line wherever looking is allowed.

    panels: name -> (allowed (T, S), queries, keys).
    Returns a Still. Raises ValueError when a mask is not boolean or does not fit its tokens.
    """
    drawn = {}
    for name, (mask, queries, keys) in _named(panels, "panels").items():
        drawn[name] = (_mask(mask, queries, keys, f"panels[{name!r}]"), queries, keys)
    alt = f"{_sentence(title)} " + " ".join(_say_mask(name, *rest) for name, rest in drawn.items())

    steps = {name: max(0.5, _longest([*q, *k]) * CHARACTER + 0.16) for name, (_, q, k) in drawn.items()}
    widths = {name: steps[name] * max(len(q), len(k)) for name, (_, q, k) in drawn.items()}
    gap, tall = 0.45, 2.35
    width = max(5.0, sum(widths.values()) + gap * (len(drawn) - 1) + 1.25)
    heading = wrapped(title, width)
    height = tall + 0.3 * heading.count("\n") + 0.62
    still = Still(width, height, alt)
    still.set_layout_engine("none")
    ax = still.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, width), ylim=(0, height))
    ax.set_axis_off()
    add_heading(still, heading)
    ax.text(0.1, 1.72, "query", color=colours.QUERY, va="center", fontsize=SMALL)
    ax.text(0.1, 0.45, "key", color=colours.KEY, va="center", fontsize=SMALL)
    left = 0.9
    for name, (mask, queries, keys) in drawn.items():
        step, middle = steps[name], left + widths[name] / 2
        ax.text(middle, 2.3, shown(name), ha="center", fontweight="bold", fontsize=SMALL + 0.5)
        upper = _row_of_tokens(ax, middle, 1.72, step, queries, colours.QUERY)
        lower = _row_of_tokens(ax, middle, 0.45, step, keys, colours.KEY)
        for row, column in zip(*np.nonzero(mask), strict=True):
            ax.plot(
                [lower[column], upper[row]], [0.64, 1.53], color=colours.ACCENT, lw=1.7, alpha=0.75,
                solid_capstyle="round", zorder=1,
            )  # fmt: skip
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
        f"{_sentence(title)} {n_layers} layers over {len(tokens)} tokens; the output at “"
        f"{shown(tokens[position])}” depends on {int(used[-1].sum())} inputs, up to {back} positions back. "
        f"From the top layer down it rests on {', '.join(str(int(level.sum())) for level in used)} nodes."
    )
    step = max(0.58, _longest(tokens) * CHARACTER + 0.14)
    width = max(5.5, step * len(tokens) + 1.35)
    heading = wrapped(title, width)
    rise = 0.78
    height = rise * n_layers + 1.15 + 0.3 * (heading.count("\n") + 1)
    still = Still(width, height, alt)
    still.set_layout_engine("none")
    ax = still.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, width), ylim=(0, height))
    ax.set_axis_off()
    add_heading(still, heading)
    x = 1.15 + step * (np.arange(len(tokens)) + 0.5)
    for level, nodes in enumerate(used):
        y = 0.75 + rise * (n_layers - level)
        name = "inputs" if level == n_layers else f"layer {n_layers - level}"
        ax.text(0.1, y, name, va="center", fontsize=SMALL, color=colours.SOFT_INK)
        if level < n_layers:
            for row, column in zip(*np.nonzero(mask), strict=True):
                on = nodes[row]
                ax.plot(
                    [x[column], x[row]], [y - rise, y], zorder=1 + on, solid_capstyle="round",
                    color=colours.ACCENT if on else colours.LINE, lw=1.8 if on else 0.8,
                )  # fmt: skip
        for place, node in zip(x, nodes, strict=True):
            ax.plot(
                place, y, "o", markersize=11, zorder=4, markeredgewidth=1.5,
                color=colours.ACCENT if node else colours.PAPER,
                markeredgecolor=colours.ACCENT if node else colours.MASKED,
            )  # fmt: skip
    for place, token, node in zip(x, tokens, used[-1], strict=True):
        ax.text(
            place, 0.36, shown(token), ha="center", va="center", fontsize=SMALL,
            color=colours.INK if node else colours.SOFT_INK, fontweight="bold" if node else "normal",
        )  # fmt: skip
    return still


# The pieces.


def _named(panels, name: str) -> Mapping:
    if not isinstance(panels, Mapping) or not panels:
        raise ValueError(f"{name} must be a dict with at least one entry, name -> matrix; got {panels!r:.80}")
    return panels


def _mask(mask, queries: Sequence[str], keys: Sequence[str], name: str) -> np.ndarray:
    """`mask` as booleans (T, S); axes of size 1 in front, as masks of a batch have them, are taken off."""
    if mask is None:
        raise ValueError(f"{name} is None; expected booleans (T, S), True = may attend")
    while getattr(mask, "ndim", 2) > 2 and mask.shape[0] == 1:
        mask = mask[0]
    return as_allowed(mask, (len(queries), len(keys)))


def _longest(tokens: Sequence[str]) -> int:
    return max(len(shown(token)) for token in tokens)


def _sentence(title: str) -> str:
    """The title with one mark at its end."""
    return title if title.endswith(("?", "!")) else f"{title.rstrip('.')}."


def _two(number: float) -> str:
    return f"{number:.2f}"


def _grid(
    n_panels: int,
    queries: Sequence[str],
    keys: Sequence[str],
    title: str,
    alt: str,
    note: str,
    columns: int | None = None,
    beside: float = 0.0,
    cell: float = 0.5,
) -> tuple[Still, list[Axes]]:
    """A still with equal panels; `cell`: size of a cell, `beside`: room to its right, both in inches."""
    if columns is not None and columns < 1:
        raise ValueError(f"columns is {columns}; expected at least 1 panel in a row")
    cell = cell if len(keys) <= MOST_NUMBERS else 0.3
    left = _longest(queries) * CHARACTER + 0.3
    panel = max(cell * len(keys) + 0.25 + beside, 1.6)
    fits = max(1, int((WIDEST - 0.5) // (panel + left)))
    columns = min(n_panels, columns or fits)
    rows = math.ceil(n_panels / columns)
    upright = _longest(keys) * CHARACTER + 0.06 <= cell
    top = 0.75 if upright else _longest(keys) * CHARACTER * 0.75 + 0.7
    width = max(5.0, 0.55 + columns * (panel + left))
    heading = wrapped(title, width)
    height = rows * (0.84 * cell * len(queries) + top) + 0.3 * (heading.count("\n") + 1) + 0.55
    still = Still(width, height, alt)
    axes = still.subplots(rows, columns, squeeze=False)
    for ax in axes.flat[n_panels:]:
        ax.set_axis_off()
    still.supylabel("query (row)", color=colours.QUERY, fontsize=SMALL + 0.5)
    add_heading(still, heading, f"columns: keys · {note}")
    return still, list(axes.flat[:n_panels])


def _row_of_tokens(ax: Axes, middle: float, y: float, step: float, tokens, colour: str) -> np.ndarray:
    """Tokens in boxes, centred; returns the x of each."""
    x = middle + step * (np.arange(len(tokens)) - (len(tokens) - 1) / 2)
    for place, token in zip(x, tokens, strict=True):
        ax.add_patch(
            FancyBboxPatch(
                (place - step / 2 + 0.06, y - 0.19),
                step - 0.12,
                0.38,
                facecolor=colours.PAPER,
                edgecolor=colour,
                lw=1.5,
                boxstyle="round,pad=0,rounding_size=0.07",
                zorder=2,
            )
        )
        ax.text(place, y, shown(token), ha="center", va="center", fontsize=SMALL, zorder=3)
    return x


def _say_mask(name: str, mask: np.ndarray, queries, keys) -> str:
    rows = []
    for query, row in list(zip(queries, mask, strict=True))[:8]:
        seen = [shown(keys[j]) for j in np.flatnonzero(row)]
        rows.append(f"“{shown(query)}” sees {', '.join(seen) if seen else 'nothing'}")
    more = "; and so on" if len(queries) > 8 else ""
    return f"{name}: {'; '.join(rows)}{more}."


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
