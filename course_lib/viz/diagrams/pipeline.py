"""The five steps of scaled dot-product attention, with every number: MatMul, Scale, Mask, Softmax, MatMul."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap

from course_lib.viz import colours
from course_lib.viz.arithmetic import Steps, five_steps
from course_lib.viz.attention import is_upright, name_cells
from course_lib.viz.sheet import (
    add_heading,
    hatched,
    heading_room,
    number,
    room_for,
    ruled,
    wrapped,
    write,
)  # fmt: skip
from course_lib.viz.still import SMALL, Still, as_allowed, as_array, in_style, sentence, shown

MOST_NUMBERS = 12  # rows or columns; beyond, numbers could not be read
CELL_WIDTH, CELL_HEIGHT = 0.56, 0.4  # inches
WIDEST = 9.8  # inches; wider pictures go into two lines


@in_style
def pipeline(
    queries,
    keys,
    values,
    query_tokens: Sequence[str],
    key_tokens: Sequence[str],
    *,
    allowed=None,
    scaled: bool = True,
    temperature: float = 1.0,
    value_names: Sequence[str] = (),
    title: str | None = None,
) -> Still:
    """The five steps side by side, a matrix with its numbers each.

    queries: (T, K); keys: (S, K); values: (S, V). query_tokens, key_tokens: T and S tokens.
    allowed: (T, S) booleans, True = may attend. scaled: whether step 2 divides by √K.
    temperature: what the softmax divides its scores by. value_names: what the V numbers of a value stand for.
    Returns a Still. Raises ValueError when sizes do not fit, or are too large for numbers.
    """
    q, k, v, mask = checked(queries, keys, values, query_tokens, key_tokens, allowed)
    steps = five_steps(q, k, v, mask, scaled, temperature)
    title = title or "Scaled dot-product attention, step by step"
    root = f"√{q.shape[1]}"
    tempered = "" if temperature == 1 else f", τ = {temperature:.3g}"
    names = [
        ("1  MatMul", "query · key"),
        ("2  Scale", f"divided by {root}" if scaled else "left out"),
        ("3  Mask", "nothing masked" if mask is None else "forbidden: −∞"),
        ("4  Softmax", f"rows sum to 1{tempered}"),
        ("5  MatMul", "weights · values"),
    ]
    panels = [steps.scores, steps.scaled, steps.masked, steps.weights, steps.output]

    left = room_for(query_tokens) + 0.45
    span = max(panel.shape[1] for panel in panels)  # all are as wide as the widest: cells have one size
    panel_width = max(1.45, CELL_WIDTH * span) + 0.3
    n_columns, n_lines = (5, 1) if left + 5 * panel_width <= WIDEST else (3, 2)
    width = max(6.0, left + n_columns * panel_width)
    heading = wrapped(title, width)
    features = value_features(value_names, v)
    heads = [*key_tokens, *features]
    above = 0.28 if is_upright(heads, CELL_WIDTH) else room_for(heads) * 0.75 + 0.1
    height = n_lines * (CELL_HEIGHT * len(q) + above + 0.85) + heading_room(heading) + 0.35

    still = Still(width, height, _describe(title, steps, query_tokens, key_tokens, mask, scaled))
    still.get_layout_engine().set(hspace=0.06)
    axes = list(still.subplots(n_lines, n_columns, squeeze=False).flat)
    most = np.abs(steps.scores).max() or 1.0  # of all three: dividing makes scores paler
    tones = [(colours.SIGNED, -most, most)] * 3 + [(colours.WEIGHTS, 0, 1), (colours.OUTPUTS, None, None)]
    for p, (ax, panel, (over, under)) in enumerate(zip(axes, panels, names, strict=False)):
        _matrix(ax, panel, *tones[p])
        name_cells(ax, query_tokens, features if p == 4 else key_tokens, CELL_WIDTH)
        ax.tick_params(axis="x", labelcolor=colours.VALUE if p == 4 else colours.KEY)
        ax.tick_params(axis="y", labelcolor=colours.QUERY)
        if p % n_columns:
            ax.set_yticks([])
        ax.set_title(over, fontsize=SMALL + 1, y=1, pad=above * 72 + 4)
        ax.xaxis.set_label_position("bottom")
        ax.set_xlabel(under, loc="left", fontsize=SMALL, labelpad=6)
        ax.set_xlim(-0.5, span - 0.5)
    for ax in axes[5:]:
        ax.set_axis_off()
    add_heading(still, heading, "scores: blue above 0, olive below, pale near 0")
    return still


def checked(queries, keys, values, query_tokens, key_tokens, allowed) -> tuple:
    """The three arrays in double precision and the mask (or None), held against each other and the tokens.

    Raises ValueError naming the argument that does not fit.
    """
    q, k, v = (
        as_array(_double(array), name, 2)
        for array, name in ((queries, "queries"), (keys, "keys"), (values, "values"))
    )
    if q.shape[1] != k.shape[1]:
        raise ValueError(
            f"queries has {q.shape[1]} features and keys has {k.shape[1]}; expected equal numbers: "
            "a raw score is a dot product of the two"
        )
    if len(k) != len(v):
        raise ValueError(f"keys has {len(k)} rows and values has {len(v)}; expected one value for each key")
    for name, tokens, array, rows in (
        ("query_tokens", query_tokens, q, "queries"),
        ("key_tokens", key_tokens, k, "keys"),
    ):
        if isinstance(tokens, str):
            raise ValueError(f"{name} is the text {tokens!r:.40}; expected a list of tokens: text.split()?")
        if len(tokens) != len(array):
            raise ValueError(f"{name} has {len(tokens)} tokens; expected {len(array)}, one a row of {rows}")
    largest = max(*q.shape, *v.shape)
    if largest > MOST_NUMBERS:
        raise ValueError(
            f"queries {q.shape}, keys {k.shape} or values {v.shape} are too large for numbers in cells; "
            f"expected at most {MOST_NUMBERS} tokens and features: take a slice, such as queries[:6, :4]"
        )
    return q, k, v, as_allowed(allowed, (len(q), len(k)))


def value_features(names: Sequence[str], values: np.ndarray) -> list[str]:
    """The names of the columns of `values` (S, V): those given, else 1, 2, … V."""
    if names and len(names) != values.shape[1]:
        raise ValueError(
            f"value_names has {len(names)} names; expected {values.shape[1]}, one a column of values"
        )
    return list(names) or [str(place + 1) for place in range(values.shape[1])]


def _double(values):
    """A torch tensor as float64; everything else as it is."""
    return values.detach().cpu().double().numpy() if hasattr(values, "detach") else values


def _matrix(ax: Axes, panel: np.ndarray, cmap: Colormap, low: float | None, high: float | None) -> None:
    """One matrix with its numbers, in tones from `low` to `high` (None: the smallest and the largest)."""
    finite = np.isfinite(panel)
    if low is None:
        low, high = panel.min(), panel.max()
    high = high if high > low else low + 1
    seen = np.where(finite, panel, np.nan)
    ax.imshow(seen, cmap=cmap, vmin=low, vmax=high, aspect="auto", interpolation="nearest")
    ruled(ax, panel.shape, colours.LINE, 0.8)
    for (row, column), value in np.ndenumerate(panel):
        if not finite[row, column]:
            hatched(ax, column - 0.5, row - 0.5)
        more = {} if finite[row, column] else {"bbox": {"facecolor": colours.PANEL, "lw": 0, "pad": 1}}
        ink = colours.ink_on(cmap((value - low) / (high - low))) if finite[row, column] else colours.INK
        write(ax, column, row, number(value), ink, **more)


def _describe(title: str, steps: Steps, query_tokens, key_tokens, mask, scaled: bool) -> str:
    rows = []
    for i, token in enumerate(query_tokens[:4]):
        best = int(steps.weights[i].argmax())
        if steps.weights[i].any():
            rows.append(
                f"{shown(token)} looks most at {shown(key_tokens[best])} ({number(steps.weights[i, best])})"
            )
        else:
            rows.append(f"{shown(token)} may look at nothing: all 0")
    masked = 0 if mask is None else int((~mask).sum())
    return (
        f"{sentence(title)} Five matrices: raw scores query · key; "
        f"{'divided by √d_k' if scaled else 'not scaled'}; {masked} of {steps.scores.size} cells masked with "
        f"−∞; softmax weights; outputs. {'; '.join(rows)}."
    )
