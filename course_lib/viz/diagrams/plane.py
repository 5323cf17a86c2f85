"""One look-up in the plane: keys and a query as arrows, and the way of the weighted sum from cold to hot."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from course_lib.viz import colours
from course_lib.viz.arithmetic import masked_softmax
from course_lib.viz.sheet import add_heading, arrow, heading_room, number, wrapped, write
from course_lib.viz.still import SMALL, Still, as_array, in_style, sentence, shown

WIDTH, HEIGHT = 9.6, 4.7  # inches
SMOOTH = np.geomspace(0.02, 5_000, 200)  # temperatures along the path


@in_style
def lookup_plane(
    query,
    keys,
    values,
    names: Sequence[str],
    *,
    title: str,
    asks: str = "query",
    features: Sequence[str] = ("feature 1", "feature 2"),
    brings: Sequence[str] = ("value 1", "value 2"),
    temperatures: Sequence[float] = (0.1, 1.0, 10.0, 1000.0),
) -> Still:
    """Keys and a query as arrows, and the way of the weighted sum as the softmax warms.

    Left: each key with its angle to the query and its score. Right: the values, and the path of their
    weighted sum from the best key's value (cold) to the mean of all (hot).
    query: (2,); keys and values: (S, 2). names: of the S keys. asks: what the query stands for. features and
    brings: what the two numbers of a key and of a value mean. temperatures: marked on the path.
    Returns a Still. Raises ValueError for other sizes, or a key of length 0, which points nowhere.
    """
    q, k, v = as_array(query, "query", 1), as_array(keys, "keys", 2), as_array(values, "values", 2)
    if q.shape != (2,) or k.shape != (len(names), 2) or v.shape != k.shape:
        raise ValueError(
            f"query {q.shape}, keys {k.shape} and values {v.shape}; expected (2,) and twice "
            f"({len(names)}, 2): a plane has two directions, and each name one key and one value"
        )
    if not (k.any(axis=1).all() and q.any()):
        raise ValueError("a query or key has length 0 and points nowhere; expected arrows with a length")
    scores = k @ q  # (S,)
    cosines = scores / np.linalg.norm(k, axis=1) / np.linalg.norm(q)
    angles = np.degrees(np.arccos(cosines.clip(-1, 1)))
    sums = {t: _weights(scores, t) @ v for t in temperatures}  # (2,) each
    heading = wrapped(title, WIDTH)
    alt = _describe(title, asks, names, angles, scores, brings, sums, v)
    still = Still(WIDTH, HEIGHT + heading_room(heading), alt)
    left, right = still.subplots(1, 2)
    _draw_arrows(left, q, k, names, asks, angles, scores, features)
    _draw_sums(right, scores, v, names, sums, brings)
    note = "blue: query · orange: keys, with angle and score · green: values, and the sum that comes back"
    add_heading(still, heading, note)
    return still


def _weights(scores: np.ndarray, temperature: float) -> np.ndarray:
    return masked_softmax(scores / temperature, np.ones(len(scores), bool))


def _draw_arrows(ax: Axes, q, k, names, asks, angles, scores, features) -> None:
    """Keys and query from one origin; beside each key its angle to the query and its score."""
    ends = np.abs(np.vstack([k, q]))
    wide, high = 1.3 * ends[:, 0].max(), 1.85 * ends[:, 1].max()
    ax.set(xlim=(-wide, wide), ylim=(-high, high), aspect="equal", xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    for line in (ax.axhline, ax.axvline):
        line(0, color=colours.LINE, lw=1.0, zorder=0)
    write(ax, wide, -0.04 * high, f"{features[0]} →", colours.SOFT_INK, ha="right", va="top")
    write(ax, 0.03 * wide, high, f"↑ {features[1]}", colours.SOFT_INK, ha="left", va="top")
    for (x, y), name, angle, score in zip(k, names, angles, scores, strict=True):
        arrow(ax, (0, 0), (x, y), colours.KEY, 2.2)
        words = f"{shown(name)}\n{angle:.0f}°, score {number(score, short=True)}"
        up, side = (0.06 * high, "bottom") if y >= 0 else (-0.06 * high, "top")
        write(ax, 1.1 * x, y + up, words, colours.KEY, bold=True, va=side)
    arrow(ax, (0, 0), tuple(q), colours.QUERY, 3.2, zorder=3)
    up, side = (-0.05 * high, "top") if q[1] < 0 else (0.05 * high, "bottom")
    write(ax, q[0], q[1] + up, shown(asks), colours.QUERY, SMALL + 1, bold=True, va=side)
    ax.set_title("the smaller the angle, the higher the score", fontsize=SMALL + 1)


def _draw_sums(ax: Axes, scores, v, names, sums, brings) -> None:
    """The values as dots, and the path of the weighted sum between them."""
    span = np.maximum(np.ptp(v, axis=0), 1e-6)
    low, high = v.min(axis=0) - 0.24 * span, v.max(axis=0) + 0.18 * span
    ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
    path = np.array([_weights(scores, t) @ v for t in SMOOTH])
    ax.plot(*path.T, color=colours.VALUE, lw=2.4, zorder=2)
    ax.scatter(*v.T, s=64, color=colours.VALUE_TINT, edgecolors=colours.VALUE, lw=1.6, zorder=3)
    order = path[:, 0].argsort()
    for (x, y), name in zip(v, names, strict=True):  # each name on the side away from the path
        above = y > np.interp(x, path[order, 0], path[order, 1]) + 0.01 * span[1]
        up, side = (0.035 * span[1], "bottom") if above else (-0.035 * span[1], "top")
        write(ax, x, y + up, shown(name), colours.VALUE, SMALL + 1, bold=True, va=side)
    for place, (temperature, (x, y)) in enumerate(sums.items()):
        ax.scatter([x], [y], s=46, color=colours.VALUE, zorder=4)
        by, side = ((14, 9 if place == len(sums) - 1 else -9), "left") if place else ((-12, 9), "right")
        thread = {"arrowstyle": "-", "color": colours.SOFT_INK, "lw": 0.8, "shrinkB": 4}
        ax.annotate(
            f"τ = {temperature:,g}", (x, y), by, textcoords="offset points", fontsize=SMALL,
            ha=side, va="center", arrowprops=thread,
        )  # fmt: skip
    ax.set(xlabel=brings[0], ylabel=brings[1])
    ax.set_title("what comes back, from cold to hot", fontsize=SMALL + 1)
    ax.grid(color=colours.PANEL, lw=1)
    ax.tick_params(length=0)


def _describe(title, asks, names, angles, scores, brings, sums, v) -> str:
    arrows = "; ".join(
        f"“{shown(name)}” at {angle:.0f}°, score {number(score, short=True)}"
        for name, angle, score in zip(names, angles, scores, strict=True)
    )
    places = "; ".join(f"({x:.3g}, {y:.3g}) at τ = {t:,g}" for t, (x, y) in sums.items())
    mean = ", ".join(f"{x:.3g}" for x in v.mean(axis=0))
    return (
        f"{sentence(title)} Keys as arrows, seen from the query “{shown(asks)}”: {arrows}. The weighted sum "
        f"({brings[0]}, {brings[1]}) is {places}; the mean of all values is ({mean})."
    )
