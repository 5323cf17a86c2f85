"""The stills of bertviz's three views: what stands where nothing is live.

They show what the live views show first, in the same colours: lines from queries (left) to keys (right), and
for one query the way from its numbers to its weights.
"""

import math
import textwrap
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb

from course_lib.viz import colours
from course_lib.viz.sheet import add_heading, heading_room, room_for, wrapped, write
from course_lib.viz.still import SMALL, Still, in_style, label, sentence, shown

MOST_HEADS = 8  # on the still of one layer
WIDEST = 10.6  # inches
TALLEST = 9.0
ROW, CLOSEST = 0.25, 0.18  # inches between two tokens, and where they are many
FAINTEST = 0.03  # weights below are not drawn: they would hardly be seen
MOST_LINES = 700  # drawn on one still, the strongest ones: more make a large file and a grey picture
NOTE = "left: queries · right: keys · a line is as strong as its weight (below {faintest:.2g}: not drawn)"


@in_style
def head_still(
    weights: np.ndarray, tokens: Sequence[str], keys: Sequence[str], heads: Sequence[int], title: str
) -> Still:
    """One small line drawing for each head of one layer; weights (H, T, S), heads their numbers from 0."""
    rows = max(len(tokens), len(keys))
    row = max(CLOSEST, min(ROW, TALLEST / rows))
    left, right = width_of(tokens), width_of(keys)
    tightest = left + right + 0.8
    in_a_row = max(1, min(4, int(WIDEST / tightest)))
    some = in_a_row * max(1, int(TALLEST / (rows * row + 0.55)))  # what fits on a page
    shown_heads = list(heads)[: min(MOST_HEADS, some)]
    faintest = _faintest(weights[: len(shown_heads)])
    lines = math.ceil(len(shown_heads) / in_a_row)
    columns = math.ceil(len(shown_heads) / lines)
    panel = min(tightest + 0.7, max(tightest, WIDEST / columns))
    width = max(5.0, columns * panel + 0.2)
    heading = wrapped(title, width)
    left_out = len(heads) - len(shown_heads)
    note = NOTE.format(faintest=faintest) + (f" · {left_out} more heads in the live view" if left_out else "")
    note = _wrapped_note(note, width)
    height = 0.2 * note.count("\n") + lines * (rows * row + 0.55) + heading_room(heading) + 0.45
    still = Still(width, height, _describe_heads(title, weights, tokens, keys, heads))
    axes = still.subplots(lines, columns, squeeze=False)
    for ax in axes.flat[len(shown_heads) :]:
        ax.set_axis_off()
    for place, (ax, head) in enumerate(zip(axes.flat, shown_heads, strict=False)):
        colour = colours.SERIES[place % len(colours.SERIES)]  # as the live view, by place
        draw_lines(ax, weights[place], colour, faintest)
        write_tokens(ax, tokens, keys)
        ax.set_title(f"head {head + 1}", fontsize=SMALL + 1, color=colour, loc="center", pad=6)
    add_heading(still, heading, note)
    return still


@in_style
def model_still(
    weights: np.ndarray,
    tokens: Sequence[str],
    keys: Sequence[str],
    layers: Sequence[int],
    heads: Sequence[int],
    title: str,
) -> Still:
    """A grid of small line drawings: layers are rows, heads are columns; weights (L, H, T, S)."""
    rows = max(len(tokens), len(keys))
    with_tokens = len(layers) * rows * 0.19 <= 9
    left, right = (width_of(tokens), width_of(keys)) if with_tokens else (0, 0)
    thumbnail = min(1.7, (WIDEST - left - right - 0.7) / len(heads))
    tall = rows * 0.19 if with_tokens else max(0.35, min(0.9, 9 / len(layers)))
    width = max(5.0, left + right + len(heads) * thumbnail + 0.9)
    heading = wrapped(title, width)
    faintest = _faintest(weights)
    note = _wrapped_note(NOTE.format(faintest=faintest), width)
    height = 0.2 * note.count("\n") + len(layers) * (tall + 0.14) + heading_room(heading) + 0.85
    still = Still(width, height, _describe_model(title, weights, tokens, keys, layers, heads))
    axes = still.subplots(len(layers), len(heads), squeeze=False)
    for i, layer in enumerate(layers):
        for j, head in enumerate(heads):
            ax = axes[i, j]
            draw_lines(ax, weights[i, j], colours.SERIES[layer % len(colours.SERIES)], faintest, thin=True)
            if i == 0:
                ax.set_title(
                    f"head {head + 1}" if thumbnail > 0.7 else head + 1, fontsize=SMALL, loc="center", pad=5
                )
            if with_tokens:
                write_tokens(ax, tokens if j == 0 else (), keys if j == len(heads) - 1 else ())
            if j == 0:
                name = f"layer {layer + 1}" if tall > 0.6 else str(layer + 1)
                pad = 8 + left * 72 if with_tokens else 6  # points
                ax.set_ylabel(name, fontsize=SMALL, fontweight="bold", color=colours.INK, labelpad=pad)
    add_heading(still, heading, note)
    return still


# The pieces.


def draw_lines(ax: Axes, weights: np.ndarray, colour: str, faintest: float, thin: bool = False) -> None:
    """Lines from row i on the left to row j on the right of `ax`, as strong as weights (T, S)."""
    order = np.argsort(weights, axis=None, kind="stable")  # strong lines over weak ones
    order = order[weights.ravel()[order] >= faintest]
    i, j = np.unravel_index(order, weights.shape)
    ends = np.stack([np.stack([np.zeros(len(i)), i], 1), np.stack([np.ones(len(j)), j], 1)], 1)  # (n, 2, 2)
    # Opaque, in 20 steps, with hard edges: where thin lines cross there are no mixed colours, so a line's
    # colour is its weight's, and the file is a third as large.
    paper = np.array(to_rgb(colours.PANEL if thin else colours.PAPER))
    strength = np.ceil(weights[i, j] * 20)[:, None] / 20
    shades = paper + (np.array(to_rgb(colour)) - paper) * strength
    ax.add_collection(LineCollection(ends, colors=shades, linewidths=1.6 if thin else 2, antialiaseds=False))
    ax.set_xlim(0, 1)
    ax.set_ylim(max(weights.shape) - 0.5, -0.5)
    ax.set_xticks([])
    ax.set_yticks([])
    ax.spines[:].set_visible(False)
    if thin:
        ax.set_facecolor(colours.PANEL)


def write_tokens(ax: Axes, left: Sequence[str], right: Sequence[str]) -> None:
    """Tokens beside the ends of the lines."""
    beside = ax.get_yaxis_transform()
    for x, side, those in ((-0.05, "right", left), (1.05, "left", right)):
        for row, token in enumerate(those):
            write(ax, x, row, label(token), ha=side, transform=beside)


def _faintest(weights: np.ndarray) -> float:
    """The weight from which on lines are drawn."""
    lines = np.sort(weights[weights >= FAINTEST])
    return FAINTEST if len(lines) <= MOST_LINES else float(lines[-MOST_LINES])


def _wrapped_note(note: str, width: float) -> str:
    return "\n".join(textwrap.wrap(note, int(width / 0.085)))


def width_of(tokens: Sequence[str]) -> float:
    return room_for(tokens) + 0.1


def _describe_heads(title: str, weights: np.ndarray, tokens, keys, heads) -> str:
    """Alt text: for each head its strongest line, and how concentrated its rows are."""
    text = f"{sentence(title)} Lines from {len(tokens)} queries on the left to {len(keys)} keys on the "
    text += f"right, for {len(heads)} {'head' if len(heads) == 1 else 'heads'}. "
    return text + " ".join(
        _strongest(w, tokens, keys, f"Head {head + 1}") for w, head in zip(weights, heads, strict=True)
    )


def _strongest(weights: np.ndarray, tokens, keys, name: str) -> str:
    i, j = np.unravel_index(weights.argmax(), weights.shape)
    return (
        f"{name}: strongest is “{shown(tokens[i])}” → “{shown(keys[j])}” ({weights[i, j]:.2f}); a query’s "
        f"largest weight is {weights.max(axis=1).mean():.2f} on average."
    )


def _describe_model(title: str, weights: np.ndarray, tokens, keys, layers, heads) -> str:
    text = (
        f"{sentence(title)} A grid of {len(layers)} × {len(heads)} small line drawings, layers × heads, "
        f"over {len(tokens)} queries and {len(keys)} keys. "
    )
    mean = weights.max(axis=-1).mean(axis=-1)  # (L, H): a query's largest weight, on average
    for pick, word in ((mean.argmax(), "most concentrated"), (mean.argmin(), "most even")):
        i, j = np.unravel_index(pick, mean.shape)
        name = f"The {word} is layer {layers[i] + 1}, head {heads[j] + 1}"
        text += _strongest(weights[i, j], tokens, keys, name) + " "
        if mean.size == 1:
            break
    return text.strip()
