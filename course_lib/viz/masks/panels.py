"""What all pictures of masks share: a mask as an array, panels side by side, a mask in words."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from course_lib.viz import colours
from course_lib.viz.attention import is_upright
from course_lib.viz.sheet import add_heading, heading_room, room_for, wrapped
from course_lib.viz.still import SMALL, Still, as_allowed, shown

WIDEST = 9.4  # inches
MOST_NUMBERS = 8  # tokens; beyond, cells carry no numbers
HATCHED = "hatched: not allowed"


def as_mask(mask, queries: Sequence[str], keys: Sequence[str], name: str) -> np.ndarray:
    """`mask` as booleans (T, S); axes of size 1 in front, as masks of a batch have them, are taken off."""
    if mask is None:
        raise ValueError(f"{name} is None; expected booleans (T, S), True = may attend")
    while getattr(mask, "ndim", 2) > 2 and mask.shape[0] == 1:
        mask = mask[0]
    return as_allowed(mask, (len(queries), len(keys)))


def grid_of(
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


def say_mask(name: str, mask: np.ndarray, queries, keys) -> str:
    rows = []
    for query, row in list(zip(queries, mask, strict=True))[:8]:
        seen = [shown(keys[j]) for j in np.flatnonzero(row)]
        rows.append(f"“{shown(query)}” sees {', '.join(seen) if seen else 'nothing'}")
    more = "; and so on" if len(queries) > 8 else ""
    return f"{name}: {'; '.join(rows)}{more}." if name else f"{'; '.join(rows)}{more}."
