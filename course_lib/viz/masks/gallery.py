"""Masks side by side, and weights with what their rows sum to."""

from collections.abc import Mapping, Sequence

import numpy as np

from course_lib.viz import colours
from course_lib.viz.attention import draw_cells
from course_lib.viz.masks.panels import HATCHED, MOST_NUMBERS, as_mask, grid_of, say_mask
from course_lib.viz.sheet import number, write
from course_lib.viz.still import SMALL, Still, as_named, as_weights, in_style, sentence

OPEN = 0.42  # where in the weights' colours an open cell lies: clearly blue, no number stands on it
CELL = 0.44  # inches, of a mask


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
    masks = {name: as_mask(mask, queries, keys, name) for name, mask in as_named(masks, "masks").items()}
    alt = f"{sentence(title)} " + " ".join(
        say_mask(name, mask, queries, keys) for name, mask in masks.items()
    )
    still, axes = grid_of(masks, queries, keys, title, alt, HATCHED, columns, cell=CELL)
    for ax, mask in zip(axes, masks.values(), strict=True):
        draw_cells(ax, np.full(mask.shape, OPEN), queries, keys, mask, [], False, CELL)
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
    allowed = as_mask(allowed, queries, keys, "allowed")
    alt = f"{sentence(title)} " + " ".join(
        f"{name}: the rows sum to {', '.join(number(total) for total in w.sum(1))}."
        for name, w in panels.items()
    )
    still, axes = grid_of(panels, queries, keys, title, alt, f"{HATCHED} · Σ: sum of the row", beside=0.75)
    numbers = len(keys) <= MOST_NUMBERS
    for ax, weights in zip(axes, panels.values(), strict=True):
        draw_cells(ax, weights, queries, keys, allowed, [], numbers, 0.56 if numbers else 0.3)
        edge = len(keys) - 0.35
        write(ax, edge + 0.3, -0.75, "Σ", colours.SOFT_INK, va="baseline", size=SMALL + 1.5)
        for row, total in enumerate(weights.sum(1)):
            colour = colours.LEAK if abs(total - 1) > 0.005 else colours.INK
            write(ax, edge, row, f" {number(total)}", colour, SMALL + 0.5, bold=True, ha="left")
    return still
