"""The still of bertviz's neuron view: for one query, the way from its numbers to its scores and weights.

All keys at a glance, as the live view shows them; below, the products of the two best keys one by one, large
enough to count.
"""

import itertools
import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.patches import Rectangle

from course_lib.viz import colours
from course_lib.viz.bertviz.stills import CLOSEST, TALLEST, WIDEST, width_of
from course_lib.viz.sheet import hatched, heading_room, number, sheet, wrapped, write
from course_lib.viz.still import SMALL, Still, in_style, label, sentence, shown

BARS = 0.95  # inches that the products of one key take, one by one


@in_style
def neuron_still(
    queries: np.ndarray,
    keys: np.ndarray,
    scores: np.ndarray,
    weights: np.ndarray,
    allowed: np.ndarray,
    query: int,
    tokens: Sequence[str],
    key_tokens: Sequence[str],
    scale: bool,
    most: float,
    title: str,
) -> Still:
    """For one query: its numbers, those of each key, their products, the scores, the weights.

    queries (T, K), keys (S, K); scores, weights and allowed (S,) are of the query at position `query`.
    most: the number that has full colour.
    """
    d_k = queries.shape[1]
    left, right = width_of(tokens), width_of(key_tokens)
    score_width, bar = 0.62, 1.0
    vector = min(2.0, max(1.1, 0.16 * d_k), max(0.7, (WIDEST - left - right - 4.15) / 3))
    x_q = left + 0.25
    x_k = x_q + vector + 0.75
    x_p = x_k + vector + 0.3
    x_s = x_p + vector + 0.3
    x_w = x_s + score_width + 0.3
    x_t = x_w + bar + 0.55
    width = max(5.0, x_t + right + 0.15)
    rows = max(len(queries), len(keys))
    row = max(CLOSEST + 0.04, min(0.3, TALLEST / rows))
    heading = wrapped(title, width)
    best = [int(j) for j in np.argsort(-np.where(allowed, weights, -1))[:2] if allowed[j]]
    below = BARS * len(best) + 0.35
    height = below + rows * row + 1.15 + 0.9 * heading_room(heading)
    note = f"violet: positive · olive: negative · full colour: ±{most:.2g} or more"
    note += "" if allowed.all() else " · hatched: not allowed"
    alt = _describe_neuron(title, queries, keys, scores, weights, allowed, query, tokens, key_tokens, scale)
    still, ax = sheet(width, height, heading, alt, note)
    top = 0.5 + below + rows * row

    def middle(i: int) -> float:
        return top - (i + 0.5) * row

    def cells(x: float, i: int, values: np.ndarray, edge: str = colours.LINE) -> None:
        low, high = middle(i) - 0.1, middle(i) + 0.1
        edges = x + vector * np.arange(d_k + 1) / d_k
        boxes = [[(a, low), (b, low), (b, high), (a, high)] for a, b in itertools.pairwise(edges)]
        ax.add_collection(PolyCollection(boxes, facecolors=signed(values, most), antialiaseds=False))
        line = 0.7 if edge == colours.LINE else 1.8
        ax.add_patch(Rectangle((x, low), vector, 0.2, fill=False, lw=line, edgecolor=edge))

    for x, size, text, colour in (
        (x_q, vector, "query q", colours.QUERY),
        (x_k, vector, "key k", colours.KEY),
        (x_p, vector, "q × k", colours.INK),
        (x_s, score_width, "q·k / √dₖ" if scale else "q · k", colours.INK),
        (x_w, bar, "softmax", colours.INK),
    ):
        write(ax, x + size / 2, top + 0.12, text, colour, SMALL + 1, va="bottom")
    for i, token in enumerate(tokens):
        mine = i == query
        ink, edge = (colours.QUERY, colours.QUERY) if mine else (colours.INK, colours.LINE)
        write(ax, left, middle(i), label(token), ink, bold=mine, ha="right")
        cells(x_q, i, queries[i], edge)
    for j, token in enumerate(key_tokens):
        y = middle(j)
        cells(x_k, j, keys[j])
        write(ax, x_t, y, label(token), colours.INK if allowed[j] else colours.SOFT_INK, ha="left")
        if not allowed[j]:
            hatched(ax, x_p, y - 0.1, x_w + bar - x_p, 0.2)
            continue
        bend = (x_q + vector + x_k) / 2
        pen = {"alpha": max(0.12, math.tanh(1.8 * weights[j])), "lw": 1.8}  # as bertviz draws its connectors
        road = [x_q + vector, bend, bend, x_k], [middle(query), middle(query), y, y]
        ax.plot(*road, color=colours.QUERY, solid_joinstyle="round", **pen)
        cells(x_p, j, queries[query] * keys[j])
        write(ax, x_s + score_width, y, number(scores[j]), ha="right")
        for size, colour in ((bar, colours.PANEL), (bar * weights[j], colours.QUERY)):
            ax.add_patch(Rectangle((x_w, y - 0.09), size, 0.18, facecolor=colour, lw=0))
        write(ax, x_w + bar + 0.07, y, number(weights[j]), ha="left")
    products = [queries[query] * keys[j] for j in best]
    tallest = max((np.abs(each).max() for each in products), default=0.0) or 1.0
    for place, (j, each) in enumerate(zip(best, products, strict=True)):
        y = 0.5 + below - 0.2 - BARS * (place + 0.5)
        words = f"q × k with {label(key_tokens[j])}, one by one: {(each > 0).sum()} of {d_k} positive"
        _one_by_one(ax, x_q, y, width - x_q - 0.3, each / tallest, words)
    return still


def _one_by_one(ax: Axes, x: float, y: float, width: float, products: np.ndarray, words: str) -> None:
    """A bar for each product, up or down from the line at height y; products within ±1."""
    step = min(0.3, width / len(products))
    faces = np.where(products >= 0, colours.POSITIVE, colours.NEGATIVE)
    places = x + step * (np.arange(len(products)) + 0.5)
    ax.bar(places, 0.3 * products, 0.72 * step, y - 0.08, color=faces, lw=0)
    ax.plot([x, x + step * len(products)], [y - 0.08] * 2, color=colours.LINE, lw=1)
    write(ax, x, y + 0.36, words, size=SMALL, ha="left")


def signed(values: np.ndarray, most: float) -> np.ndarray:
    """Colours (n, 3): paper for 0, violet for positive, olive for negative, by the live view's rule."""
    hues = (colours.POSITIVE if value >= 0 else colours.NEGATIVE for value in values)
    strength = np.round(np.tanh(2 * np.abs(values) / most) * 16) / 16  # few tones: a small file, true colours
    return np.array([colours.tint(hue, share) for hue, share in zip(hues, strength, strict=True)])


def _describe_neuron(title, queries, keys, scores, weights, allowed, query, tokens, key_tokens, scale) -> str:
    text = (
        f"{sentence(title)} The query “{shown(tokens[query])}” and {len(key_tokens)} keys, "
        f"{queries.shape[1]} numbers each; {'scaled ' if scale else ''}score and weight: "
    )
    parts = [
        f"“{shown(token)}” {number(scores[j])} → {number(weights[j])}"
        if allowed[j]
        else f"“{shown(token)}” not allowed"
        for j, token in enumerate(key_tokens[:12])
    ]
    text += "; ".join(parts) + ("; and so on." if len(key_tokens) > 12 else ".")
    best = int(np.where(allowed, weights, -1).argmax())
    positive = int((queries[query] * keys[best] > 0).sum())
    return f"{text} With “{shown(key_tokens[best])}”, {positive} of {queries.shape[1]} products are positive."
