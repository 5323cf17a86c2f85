"""Keys as places and queries as directions: which key can a head of one or two features ask for?"""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from course_lib.viz import colours
from course_lib.viz.sheet import add_heading, arrow, heading_room, room_for, wrapped, write
from course_lib.viz.still import SMALL, Still, as_array, as_named, in_style, sentence, shown


@in_style
def directions(panels: Mapping[str, tuple], *, title: str, names: Sequence[str] | None = None) -> Still:
    """Keys as dots and queries as arrows, for heads of one or two features: which key can a query ask for?

    panels: name -> (queries, keys), (T, K) each with K = 1 or 2. names: of the T positions, else their
    numbers. Only the direction of a query is drawn: its length makes a row sharper and changes no order.
    Raises ValueError for other sizes.
    """
    heads = {}
    for name, (queries, keys) in as_named(panels, "panels").items():
        q, k = as_array(queries, f"queries of {name!r}", 2), as_array(keys, f"keys of {name!r}", 2)
        if q.shape != k.shape or k.shape[1] not in (1, 2):
            raise ValueError(
                f"panels[{name!r}] has queries {q.shape} and keys {k.shape}; expected both (T, 1) or (T, 2)"
            )
        heads[name] = q, k
    count = max(len(k) for _, k in heads.values())
    names = [str(t) for t in range(count)] if names is None else [shown(name) for name in names]
    said = []
    for name, (q, k) in heads.items():
        best = (q @ k.T).argmax(1)
        wins = [f"query {names[t]} points most at key {names[s]}" for t, s in enumerate(best)]
        said.append(f"{name}: {'; '.join(wins)}.")
    heading = wrapped(title, 4.4 * len(heads))
    width = max(5.6, max(4.3, room_for(heads, whole=True) + 0.4) * len(heads))
    still = Still(width, 4.3 + heading_room(heading), f"{sentence(title)} {' '.join(said)}")
    axes = still.subplots(1, len(heads), squeeze=False)[0]
    for ax, (name, (q, k)) in zip(axes, heads.items(), strict=True):
        ax.set_title(shown(name), fontsize=SMALL + 1)
        ax.set(xlim=(-1.3, 1.3), ylim=(-1.3, 1.3), aspect="equal", xticks=[], yticks=[])
        ax.spines[:].set_visible(False)
        k = k / np.abs(np.linalg.norm(k, axis=1)).max()
        (_on_a_plane if k.shape[1] == 2 else _on_a_line)(ax, q, k, names)
    add_heading(still, heading, "dot: the key of a position     arrow: the direction of its query")
    return still


def _on_a_plane(ax: Axes, q: np.ndarray, k: np.ndarray, names: Sequence[str]) -> None:
    for line in (ax.axhline, ax.axvline):
        line(0, color=colours.PANEL, lw=1.2, zorder=0)
    ax.scatter(*k.T, s=46, color=colours.KEY, zorder=3)
    for (x, y), name in zip(k, names, strict=False):
        far = 1 + 0.15 / max(np.hypot(x, y), 0.2)
        write(ax, x * far, y * far, name, colours.KEY, SMALL + 1.5, bold=True)
    for (x, y), name in zip(q / np.linalg.norm(q, axis=1, keepdims=True), names, strict=False):
        arrow(ax, (0, 0), (0.5 * x, 0.5 * y), colours.QUERY, zorder=0)
        write(ax, 0.6 * x, 0.6 * y, name, colours.QUERY)


def _on_a_line(ax: Axes, q: np.ndarray, k: np.ndarray, names: Sequence[str]) -> None:
    line = 0.85
    ax.axhline(line, color=colours.LINE, lw=1.4, zorder=0)
    ax.scatter(k[:, 0], np.full(len(k), line), s=46, color=colours.KEY, zorder=3)
    order = k[:, 0].argsort()
    for place, t in zip(_apart(k[order, 0], 0.2), order, strict=True):  # all names at one height
        ax.plot([k[t, 0], place], [line + 0.06, line + 0.2], color=colours.KEY, lw=0.9)
        write(ax, place, line + 0.3, names[t], colours.KEY, SMALL + 1.5, bold=True)
    step = min(0.24, 1.85 / len(q))
    for t, side in enumerate(np.sign(q[:, 0])):
        y = 0.6 - t * step
        arrow(ax, (0, y), (0.5 * side, y), colours.QUERY, zorder=0)
        write(ax, -0.12 * side, y, names[t], colours.QUERY)


def _apart(places: np.ndarray, gap: float) -> np.ndarray:
    """Rising places, moved until each is `gap` from the next: where the names of close keys stand."""
    places = places.copy()
    for _ in range(200):
        for low in range(len(places) - 1):
            missing = gap - (places[low + 1] - places[low])
            if missing > 0.001:
                places[low : low + 2] += (-missing / 2, missing / 2)
    return places
