"""Tokens and lines: who may look at whom, and how far that reaches through several layers."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from course_lib.viz import colours
from course_lib.viz.masks.panels import as_mask, say_mask
from course_lib.viz.sheet import box, heading_room, room_for, sheet, wrapped, write
from course_lib.viz.still import SMALL, Still, as_named, in_style, label, sentence, shown


@in_style
def who_sees_whom(panels: Mapping[str, tuple[object, Sequence[str], Sequence[str]]], *, title: str) -> Still:
    """Below the tokens that are looked at, above those that look; a line wherever looking is allowed.

    panels: name -> (allowed (T, S), queries, keys).
    Returns a Still. Raises ValueError when a mask is not boolean or does not fit its tokens.
    """
    drawn = {}
    for name, (mask, queries, keys) in as_named(panels, "panels").items():
        drawn[name] = (as_mask(mask, queries, keys, f"panels[{name!r}]"), queries, keys)
    alt = f"{sentence(title)} " + " ".join(say_mask(name, *rest) for name, rest in drawn.items())

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
    mask = as_mask(allowed, tokens, tokens, "allowed")
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
        write(ax, place, 0.36, label(token), colours.INK if node else colours.SOFT_INK, bold=bool(node))
    return still


def _row_of_tokens(ax: Axes, middle: float, y: float, step: float, tokens, colour: str) -> np.ndarray:
    """Tokens in boxes, centred; returns the x of each."""
    x = middle + step * (np.arange(len(tokens)) - (len(tokens) - 1) / 2)
    for place, token in zip(x, tokens, strict=True):
        box(ax, place - step / 2 + 0.06, y - 0.19, step - 0.12, 0.38, label(token), edge=colour, size=SMALL)
    return x
