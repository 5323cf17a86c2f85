"""Where a token stands, drawn: hands of clocks, all their sines and cosines, and pairs of turned arrows."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle

from course_lib.viz import colours
from course_lib.viz.sheet import add_heading, arrow, heading_room, number, sheet, wrapped, write
from course_lib.viz.still import SMALL, Still, as_array, in_style, sentence

FACE = 0.42  # inches: radius of a clock's face
STEP, ROW = 1.12, 1.36  # inches from clock to clock, and from row to row


@in_style
def clocks(turned, *, title: str, names: Sequence[str] | None = None) -> Still:
    """One row of faces for each clock, one face for each position, its hand turned from the top.

    turned: angles in radians, (T, clocks). names: of the clocks. Below each face stand its sine and its
    cosine, the two features that this clock gives to this position.
    Returns a Still. Raises ValueError when the names do not fit.
    """
    turned = as_array(turned, "turned", 2)
    n_positions, n_clocks = turned.shape
    names = list(names or [f"clock {i}" for i in range(n_clocks)])
    if len(names) != n_clocks:
        raise ValueError(f"names has {len(names)} entries, expected one for each of {n_clocks} clocks")
    left = 0.55 + 0.1 * max(max(map(len, name.split("\n"))) for name in names)
    width, height = left + STEP * n_positions, ROW * n_clocks + 0.3
    heading = wrapped(title, width)
    said = "; ".join(
        f"{name.replace(chr(10), ' ')}: "
        + ", ".join(f"position {t} ({number(np.sin(a))}, {number(np.cos(a))})" for t, a in enumerate(row))
        for name, row in zip(names, turned.T, strict=True)
    )
    alt = f"{sentence(title)} Sine and cosine of each clock's hand, measured from the top. {said}."
    still, ax = sheet(width, height + heading_room(heading), heading, alt)
    ax.set_aspect("equal", anchor="SW")
    for t in range(n_positions):
        write(ax, left + STEP * (t + 0.5), height - 0.12, f"position {t}", colours.SOFT_INK)
    for i, name in enumerate(names):
        middle = height - 0.76 - ROW * i
        write(ax, 0.1, middle, name, ha="left", bold=True, linespacing=1.3)
        write(ax, left - 0.12, middle - FACE - 0.17, "sine, cosine", colours.SOFT_INK, ha="right")
        for t, angle in enumerate(turned[:, i]):
            _face(ax, left + STEP * (t + 0.5), middle, angle)
    return still


def _face(ax: Axes, x: float, y: float, angle: float) -> None:
    ax.add_patch(Circle((x, y), FACE, facecolor=colours.PAPER, edgecolor=colours.LINE, lw=1.4))
    ax.plot([x, x], [y + FACE, y + FACE - 0.08], color=colours.SOFT_INK, lw=1.4)
    tip = (x + 0.86 * FACE * np.sin(angle), y + 0.86 * FACE * np.cos(angle))
    arrow(ax, (x, y), tip, colours.INK, 2)
    ax.plot(x, y, "o", color=colours.INK, markersize=4)
    write(ax, x, y - FACE - 0.17, f"{number(np.sin(angle))}  {number(np.cos(angle))}")


@in_style
def waves(vectors, *, title: str, y_label: str = "position", x_label: str = "feature") -> Still:
    """Position vectors as rows of tones, (T, D): fast waves left, slow ones right."""
    vectors = as_array(vectors, "vectors", 2)
    n_positions, n_features = vectors.shape
    heading = wrapped(title, 8.4)
    alt = (
        f"{sentence(title)} {n_positions} rows of {n_features} features between {vectors.min():.2f} and "
        f"{vectors.max():.2f}. Down column 0 the sign changes {_turns(vectors[:, 0])} times, down column "
        f"{n_features // 2} {_turns(vectors[:, n_features // 2])} times, down the last column "
        f"{_turns(vectors[:, -1])} times."
    )
    still = Still(8.4, 3.6 + heading_room(heading), alt)
    ax = still.subplots()
    image = ax.imshow(vectors, cmap=colours.SIGNED, vmin=-1, vmax=1, aspect="auto", interpolation="nearest")
    ax.set(xlabel=x_label, ylabel=y_label)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    scale = still.colorbar(image, ax=ax, shrink=0.8, pad=0.02, ticks=(-1, 0, 1))
    scale.ax.set_yticklabels(["−1", "0", "1"])
    scale.ax.tick_params(length=0)
    scale.outline.set_visible(False)
    add_heading(still, heading)
    return still


def _turns(column: np.ndarray) -> int:
    signs = np.sign(column[np.abs(column) > 1e-9])
    return int((np.diff(signs) != 0).sum())


@in_style
def turned_pairs(query, key, turn: float, pairs: Sequence[tuple[int, int]], *, title: str) -> Still:
    """Rotary positions: the same query and key at several pairs of places, each turned by its place.

    query, key: (2,). turn: radians a position. pairs: (place of the query, place of the key).
    Below each face stand the angle from key to query and their dot product.
    Returns a Still. Raises ValueError for other sizes or no pair.
    """
    q, k = as_array(query, "query", 1), as_array(key, "key", 1)
    if q.shape != (2,) or k.shape != (2,) or not pairs:
        raise ValueError(
            f"query {q.shape}, key {k.shape}, {len(pairs)} pairs; expected (2,) twice and a pair"
        )
    width = 2.45 * len(pairs)
    heading = wrapped(title, width)
    said, scores = [], []
    for i, j in pairs:
        a, b = _turn(q, i * turn), _turn(k, j * turn)
        scores.append(float(a @ b))
        said.append(f"query at {i}, key at {j}: score {number(scores[-1])}")
    still = Still(width, 2.9 + heading_room(heading), f"{sentence(title)} {'; '.join(said)}.")
    reach = 1.3 * max(np.linalg.norm(q), np.linalg.norm(k))
    for ax, (i, j), score in zip(np.atleast_1d(still.subplots(1, len(pairs))), pairs, scores, strict=True):
        ax.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", xticks=[], yticks=[])
        ax.spines[:].set_color(colours.LINE)
        ax.spines[:].set_visible(True)
        for place, vector, colour in ((i, q, colours.QUERY), (j, k, colours.KEY)):
            tip = _turn(vector, place * turn)
            arrow(ax, (0, 0), tuple(tip), colour, 2.6, zorder=3)
            name = 1.18 * tip
            write(ax, name[0], name[1], str(place), colour, SMALL + 1, bold=True)
        ax.set_title(f"query at {i}, key at {j}", fontsize=SMALL + 1)
        apart = f"{i - j}".replace("-", "−")
        ax.set_xlabel(f"i − j = {apart}   score {number(score)}", fontsize=SMALL + 1, color=colours.INK)
    add_heading(still, heading, "blue: query · orange: key")
    return still


def _turn(vector: np.ndarray, angle: float) -> np.ndarray:
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([vector[0] * cos - vector[1] * sin, vector[0] * sin + vector[1] * cos])
