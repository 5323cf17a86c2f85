"""The five steps of scaled dot-product attention, with every number: MatMul, Scale, Mask, Softmax, MatMul."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, LinearSegmentedColormap
from matplotlib.patches import Rectangle

from course_lib.viz import colours
from course_lib.viz.attention import add_heading, wrapped
from course_lib.viz.numbers import Steps, five_steps
from course_lib.viz.still import SMALL, Still, as_allowed, as_array, in_style, shown

MOST_NUMBERS = 12  # rows or columns; beyond, numbers could not be read
SCORES = LinearSegmentedColormap.from_list("course_scores", (colours.PAPER, "#CFE3F2"))
OUTPUTS = LinearSegmentedColormap.from_list("course_outputs", (colours.PAPER, "#BFE0D4"))
CELL_WIDTH, CELL_HEIGHT = 0.56, 0.4  # inches
CHARACTER = 0.105  # inches that one character of a token takes, about
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
    title: str | None = None,
) -> Still:
    """The five steps side by side, a matrix with its numbers each.

    queries: (T, K); keys: (S, K); values: (S, V). query_tokens, key_tokens: T and S tokens.
    allowed: (T, S) booleans, True = may attend. scaled: whether step 2 divides by √K.
    temperature: what the softmax divides its scores by.
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

    left = max(len(shown(token)) for token in query_tokens) * CHARACTER + 0.45
    span = max(
        panel.shape[1] for panel in panels
    )  # every panel is as wide as the widest: cells have one size
    panel_width = max(1.45, CELL_WIDTH * span) + 0.3
    n_columns = 5 if left + 5 * panel_width <= WIDEST else 3
    n_lines = 1 if n_columns == 5 else 2
    width = max(6.0, left + n_columns * panel_width)
    heading = wrapped(title, width)
    longest = max(len(shown(token)) for token in key_tokens) * CHARACTER
    turned = longest > CELL_WIDTH - 0.06
    above = longest * 0.75 + 0.1 if turned else 0.28
    height = n_lines * (CELL_HEIGHT * len(q) + above + 0.85) + 0.3 * (heading.count("\n") + 1) + 0.1

    still = Still(width, height, _describe(title, steps, query_tokens, key_tokens, mask, scaled))
    still.get_layout_engine().set(hspace=0.06)
    axes = list(still.subplots(n_lines, n_columns, squeeze=False).flat)
    for p, (ax, panel, (over, under)) in enumerate(zip(axes, panels, names, strict=False)):
        _numbers(ax, panel, colours.WEIGHTS if p == 3 else OUTPUTS if p == 4 else SCORES, whole=p == 3)
        ax.set_title(over, fontsize=SMALL + 1, y=1, pad=above * 72 + 4)
        ax.set_xlabel(under, loc="left", fontsize=SMALL, labelpad=6)
        columns = [f"{c + 1}" for c in range(v.shape[1])] if p == 4 else [shown(t) for t in key_tokens]
        _label(ax, columns, query_tokens if p % n_columns == 0 else None, turned and p != 4, p == 4)
        ax.set_xlim(-0.5, span - 0.5)
    for ax in axes[5:]:
        ax.set_axis_off()
    add_heading(still, heading)
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
            "a score is a dot product of the two"
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


def _double(values):
    """A torch tensor as float64; everything else as it is."""
    return values.detach().cpu().double().numpy() if hasattr(values, "detach") else values


def _numbers(ax: Axes, panel: np.ndarray, cmap: Colormap, whole: bool) -> None:
    """One matrix with its numbers; `whole`: the colour scale goes from 0 to 1."""
    finite = np.isfinite(panel)
    low, high = (0, 1) if whole else (panel[finite].min(), panel[finite].max()) if finite.any() else (0, 1)
    ax.imshow(
        np.where(finite, panel, np.nan),
        cmap=cmap.with_extremes(bad=colours.PANEL),
        vmin=low,
        vmax=high if high > low else low + 1,
        aspect="auto",
        interpolation="nearest",
    )
    n_rows, n_columns = panel.shape
    ax.hlines(np.arange(n_rows + 1) - 0.5, -0.5, n_columns - 0.5, color=colours.LINE, linewidth=0.8)
    ax.vlines(np.arange(n_columns + 1) - 0.5, -0.5, n_rows - 0.5, color=colours.LINE, linewidth=0.8)
    for row, column in np.ndindex(*panel.shape):
        value = panel[row, column]
        if not finite[row, column]:
            ax.add_patch(
                Rectangle(
                    (column - 0.5, row - 0.5),
                    1,
                    1,
                    facecolor=colours.PANEL,
                    hatch="////",
                    edgecolor=colours.MASKED,
                    linewidth=0,
                )
            )
        box = {} if finite[row, column] else {"bbox": {"facecolor": colours.PANEL, "lw": 0, "pad": 1}}
        colour = colours.text_on(value) if whole else colours.INK
        ax.text(column, row, written(value), ha="center", va="center", fontsize=SMALL, color=colour, **box)


def written(value: float) -> str:
    """A number in five characters, with a real minus sign."""
    if not np.isfinite(value):
        return "−∞"
    text = f"{value:.2f}" if abs(value) < 99.5 else f"{value:.0f}"
    return "0.00" if text == "-0.00" else text.replace("-", "−")


def _label(ax: Axes, columns, query_tokens, turned: bool, features: bool) -> None:
    ax.set_xticks(range(len(columns)), columns)
    ax.xaxis.set_ticks_position("top")
    if turned:
        for label in ax.get_xticklabels():
            label.set(rotation=45, ha="left", rotation_mode="anchor")
    ax.set_yticks(range(len(query_tokens or ())), [shown(token) for token in query_tokens or ()])
    ax.tick_params(length=0)
    ax.tick_params(axis="x", labelcolor=colours.VALUE if features else colours.KEY)
    ax.tick_params(axis="y", labelcolor=colours.QUERY)
    for spine in ax.spines.values():
        spine.set_visible(False)


def _describe(title: str, steps: Steps, query_tokens, key_tokens, mask, scaled: bool) -> str:
    rows = []
    for i, token in enumerate(query_tokens[:4]):
        best = int(steps.weights[i].argmax())
        if steps.weights[i].any():
            rows.append(
                f"{shown(token)} looks most at {shown(key_tokens[best])} ({steps.weights[i, best]:.2f})"
            )
        else:
            rows.append(f"{shown(token)} may look at nothing: all 0")
    masked = 0 if mask is None else int((~mask).sum())
    return (
        f"{title}. Five matrices: scores query · key; {'divided by √d_k' if scaled else 'not scaled'}; "
        f"{masked} of {steps.scores.size} cells masked with −∞; softmax weights; outputs. {'; '.join(rows)}."
    )
