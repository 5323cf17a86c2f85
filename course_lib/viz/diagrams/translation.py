"""Translation drawn: words that cross, the bottleneck without attention, and looking back with it."""

from collections.abc import Sequence

import numpy as np
from matplotlib.patches import Rectangle

from course_lib.viz import colours
from course_lib.viz.sheet import CELL_HEIGHT, arrow, box, number, room_for, sheet, token, write
from course_lib.viz.still import SMALL, Still, as_array, as_weights, in_style, sentence, shown

Links = Sequence[tuple[int, int]]
TOWN_SOURCE = ("the", "red", "ball", "is", "here")
TOWN_TARGET = ("le", "ballon", "rouge", "est", "ici")


@in_style
def bottleneck(
    source: Sequence[str] = TOWN_SOURCE,
    target: Sequence[str] = TOWN_TARGET,
    *,
    title: str = "Without attention, one fixed vector carries the whole sentence",
) -> Still:
    """Sequence to sequence as it was before attention: encoder, one vector, decoder.

    source, target: the words that are read and written, at least one each, or a ValueError says so.
    """
    for name, tokens in (("source", source), ("target", target)):
        if not len(tokens):
            raise ValueError(f"{name} is empty; expected at least one token")
    pitch = min(0.92, 7.8 / (len(source) + len(target)))
    width = pitch * (len(source) + len(target)) + 1.75
    alt = (
        f"{sentence(title)} An encoder reads {_listed(source)} in both directions, one word at a time; its "
        "two last states together are one fixed vector. It is all that the decoder gets, at every step, to "
        f"write {_listed(target)}."
    )
    still, ax = sheet(width, 3.5, title, alt)
    left, y, size, tall = 0.3, 1.3, pitch - 0.2, 0.72
    forward, backward = y + 0.22, y + tall - 0.22  # heights of the two directions
    for j, word in enumerate(source):
        x = left + j * pitch
        box(ax, x, y, size, tall, f"$h_{{{j + 1}}}$", edge=colours.KEY, math=True)
        token(ax, x + size / 2, y - 0.42, word)
        arrow(ax, (x + size / 2, y - 0.28), (x + size / 2, y - 0.02))
        arrow(ax, (x + size, forward), (x + pitch, forward))
        if j:
            arrow(ax, (x, backward), (x - pitch + size, backward))
    write(ax, left + len(source) * pitch / 2, 0.38, "encoder reads, both ways", colours.KEY)

    x, green = left + len(source) * pitch + 0.08, colours.VALUE
    over = y + tall + 0.32  # the road of the direction that ends at the first word
    ax.plot([left + size / 2] * 2 + [x + 0.39], [y + tall, over, over], color=colours.SOFT_INK, lw=1.4)
    arrow(ax, (x + 0.39, over), (x + 0.39, y + tall + 0.14))
    box(ax, x, y - 0.14, 0.78, 1.0, face=green, edge=green)
    for dot, share in enumerate((0.95, 0.45, 0.75, 0.3)):
        place = (x + 0.27, y - 0.03 + 0.2 * dot)
        ax.add_patch(Rectangle(place, 0.24, 0.15, color=colours.PAPER, lw=0, alpha=share))
    write(ax, x + 0.39, 0.38, "one vector", green, bold=True)

    middle, left = y + tall / 2, x + 1.2
    last = left + (len(target) - 1) * pitch + size / 2
    ax.plot([x + 0.39, x + 0.39, last], [y - 0.14, y - 0.42, y - 0.42], color=green, lw=1.8)
    for i, word in enumerate(target):
        x = left + i * pitch
        box(ax, x, y, size, tall, f"$s_{{{i + 1}}}$", edge=colours.QUERY, math=True)
        arrow(ax, (x + size / 2, y - 0.42), (x + size / 2, y - 0.02), green)
        arrow(ax, (x + size / 2, y + tall), (x + size / 2, y + tall + 0.3))
        token(ax, x + size / 2, y + tall + 0.44, word, colours.GENERATED)
        if i:
            arrow(ax, (x - pitch + size, middle), (x, middle))
    write(ax, left + len(target) * pitch / 2, 0.38, "decoder writes", colours.QUERY)
    return still


@in_style
def look_back(
    source: Sequence[str] = TOWN_SOURCE,
    weights: Sequence[float] | None = None,
    written: str = "ballon",
    output: str = "rouge",
    *,
    step: int = 3,
    title: str = "With attention, the decoder looks back at every encoder state",
) -> Still:
    """One decoder step with Bahdanau attention: state, scores, weights, context, GRU, next word.

    weights: (S,) attention of this step over `source` (default: most on one word). written: the word before,
    output: the word that comes out, step: its number i (from 1).
    Raises ValueError for an empty source, or weights that do not fit it.
    """
    if not len(source):
        raise ValueError("source is empty; expected at least one token")
    if weights is None:
        weights = np.full(len(source), 0.16 / max(1, len(source) - 1))
        weights[min(1, len(source) - 1)] = 1 - weights[: len(source) - 1].sum()
    weights = as_weights([as_array(weights, "weights", 1)], ["query"], source)[0]
    pitch = min(1.05, 5.6 / len(source))
    left, size = 0.95, min(0.78, pitch - 0.12)
    width = left + pitch * len(source) + 3.3
    said = ", ".join(f"{shown(word)} {number(weight)}" for word, weight in zip(source, weights, strict=True))
    alt = (
        f"{sentence(title)} The decoder state s{step - 1} asks: it is scored against each encoder state of "
        f"{_listed(source)}; softmax turns the scores into weights ({said}); their weighted sum is the "
        f"context. From it, s{step - 1} and the word before, “{shown(written)}”, the GRU cell makes s{step}, "
        f"and the readout writes “{shown(output)}”."
    )
    still, ax = sheet(width, 5.75, title, alt)
    y_state, y_score, y_softmax, y_weight, y_context = 0.72, 1.75, 2.45, 2.98, 4.15
    context, last = left + pitch * len(source) / 2 - 0.75, left + (len(source) - 1) * pitch + size
    for j, (word, weight) in enumerate(zip(source, weights, strict=True)):
        x = left + j * pitch
        middle = x + size / 2
        token(ax, middle, 0.3, word)
        box(ax, x, y_state, size, 0.5, f"$h_{{{j + 1}}}$", edge=colours.KEY, math=True)
        arrow(ax, (middle, 0.45), (middle, y_state))
        arrow(ax, (middle, y_state + 0.5), (middle, y_score), colours.KEY)
        box(ax, x, y_score, size, CELL_HEIGHT, f"$e_{{{step}{j + 1}}}$", math=True)
        arrow(ax, (middle, y_score + CELL_HEIGHT), (middle, y_softmax))
        arrow(ax, (middle, y_softmax + 0.3), (middle, y_weight))
        if j:  # the encoder reads in both directions
            arrow(ax, (x - pitch + size, y_state + 0.17), (x, y_state + 0.17), width=1)
            arrow(ax, (x, y_state + 0.33), (x - pitch + size, y_state + 0.33), width=1)
        face, ink = colours.WEIGHTS(weight), colours.text_on(weight)
        box(ax, x, y_weight, size, CELL_HEIGHT, number(weight), face=face, ink=ink)
        end = context + 0.75 + 0.12 * (j - (len(source) - 1) / 2)
        pen = {"lw": 0.8 + 6 * weight, "alpha": 0.35 + 0.65 * weight, "solid_capstyle": "round", "zorder": 0}
        ax.plot([middle, end], [y_weight + CELL_HEIGHT, y_context], color=colours.VALUE, **pen)
    around = {"edge": colours.QUERY_TINT, "face": colours.QUERY_TINT, "line": 0, "zorder": 0}
    box(ax, left - 0.06, y_score - 0.08, last - left + 0.12, 0.58, **around)
    for y, name in ((y_state + 0.25, "states"), (y_score + 0.21, "scores"), (y_weight + 0.21, "weights")):
        write(ax, left - 0.14, y, name, colours.SOFT_INK, ha="right")
    bar = (left, y_softmax, last - left, 0.3)
    box(ax, *bar, "softmax", face=colours.PANEL, ink=colours.SOFT_INK, size=SMALL)
    words = f"context $c_{{{step}}}$"
    box(ax, context, y_context, 1.5, 0.52, words, edge=colours.VALUE, face=colours.VALUE_TINT, math=True)

    right, blue = width - 2.05, {"edge": colours.QUERY, "math": True}
    asks = f"state $s_{{{step - 1}}}$ asks"
    box(ax, right, y_score - 0.06, 1.6, 0.54, asks, face=colours.QUERY_TINT, **blue)
    arrow(ax, (right, y_score + 0.21), (last + 0.06, y_score + 0.21), colours.QUERY, 2)
    box(ax, right, y_context - 0.04, 1.6, 0.6, f"GRU cell → $s_{{{step}}}$", **blue)
    arrow(ax, (right + 0.55, y_score + 0.48), (right + 0.55, y_context - 0.04), colours.QUERY, 2)
    arrow(ax, (context + 1.5, y_context + 0.26), (right, y_context + 0.26), colours.VALUE, 2)
    token(ax, right + 1.18, y_context - 0.72, written, colours.GENERATED)
    write(ax, right + 1.18, y_context - 0.96, "word before", colours.SOFT_INK)
    arrow(ax, (right + 1.18, y_context - 0.55), (right + 1.18, y_context - 0.04), colours.GENERATED)
    arrow(ax, (right + 0.8, y_context + 0.56), (right + 0.8, y_context + 0.86), colours.GENERATED)
    token(ax, right + 0.8, y_context + 1.02, output, colours.GENERATED)
    read = f"readout of $s_{{{step}}}$, $c_{{{step}}}$ and the word before"
    write(ax, right + 0.72, y_context + 0.72, read, colours.SOFT_INK, ha="right", parse_math=True)
    write(ax, context - 0.14, y_context + 0.26, "weighted sum\nof the states", colours.SOFT_INK, ha="right")
    return still


@in_style
def crossings(source: Sequence[str], target: Sequence[str], links: Links, *, title: str) -> Still:
    """Two sentences, one above the other, and a line for each pair of words that translate each other.

    links: (source, target) index pairs. Raises ValueError for a link outside the sentences.
    """
    for e, f in links:
        if not (0 <= e < len(source) and 0 <= f < len(target)):
            raise ValueError(
                f"links has ({e}, {f}), outside {len(source)} source and {len(target)} target words; "
                "pairs are (source, target)"
            )
    places, width = [], 0.0
    for tokens in (source, target):
        rooms = [room_for([word]) + 0.28 for word in tokens]
        middles = [sum(rooms[:i]) + rooms[i] / 2 for i in range(len(rooms))]
        places.append(middles)
        width = max(width, sum(rooms))
    shift = [(width - row[-1] - row[0]) / 2 + 0.25 for row in places]  # both rows in the middle
    crossed = {pair for pair in links for other in links if (pair[0] - other[0]) * (pair[1] - other[1]) < 0}
    said = ", ".join(f"{shown(source[e])} – {shown(target[f])}" for e, f in links)
    still, ax = sheet(width + 0.5, 2.35, title, f"{sentence(title)} Lines between words: {said}.")
    for row, y, tokens in ((0, 1.5, source), (1, 0.35, target)):
        for i, word in enumerate(tokens):
            token(ax, shift[row] + places[row][i], y, word)
    for e, f in links:
        bold = (e, f) in crossed
        ends = ([shift[0] + places[0][e], shift[1] + places[1][f]], [1.32, 0.55])
        ax.plot(*ends, color=colours.GOLD if bold else colours.SOFT_INK, lw=3 if bold else 1.2)
    return still


def _listed(tokens: Sequence[str]) -> str:
    return "“" + " ".join(shown(word) for word in tokens) + "”"
