"""Pictures of chapter 03: where each number goes when a tensor is cut into heads, and what heads do.

Labelled integers: feature f of token t is the number 100·t + f, in the colour of the head that should get it.
A wrong reshape moves numbers to places where they do not belong, and the colours show it.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Rectangle

from course_lib.viz import colours
from course_lib.viz.attention import CHARACTER, add_heading, draw_cells, wrapped
from course_lib.viz.still import SMALL, Still, as_array, in_style, shown

STEP = 100  # label = STEP · token + feature
CELL, ROW, GAP = 0.5, 0.38, 0.45  # inches: width and height of a cell, space between two grids
LEFT = 1.0  # inches that the tokens' names take
WIDEST = 9.8  # inches
WRONG = colours.KEY


@in_style
def labelled(
    panels: Mapping[str, object],
    *,
    n_heads: int,
    d_model: int,
    title: str,
    expected: Mapping[str, object] | None = None,
) -> Still:
    """Grids of labelled integers, one row a token, coloured by the head to which each feature belongs.

    panels: name -> (rows, columns) of labels 100·token + feature. expected: what should stand there; other
    numbers are outlined and written in red. Raises ValueError when a number is no label of d_model features,
    heads do not divide them, or the two mappings do not fit.
    """
    if n_heads < 1 or d_model % n_heads or d_model > STEP:
        raise ValueError(
            f"d_model is {d_model} and n_heads {n_heads}; expected d_model divisible by n_heads, "
            f"at most {STEP}"
        )
    if not isinstance(panels, Mapping) or not panels:
        raise ValueError(
            f"panels must be a dict from name to labels with at least one entry; got {panels!r:.80}"
        )
    grids = {name: _labels(values, f"panels[{name!r}]", d_model) for name, values in panels.items()}
    wrong = {name: np.zeros(grid.shape, bool) for name, grid in grids.items()}
    for name, values in (expected or {}).items():
        right = _labels(values, f"expected[{name!r}]", d_model)
        if name not in grids or right.shape != grids[name].shape:
            raise ValueError(f"expected has {name!r} of shape {right.shape}; panels has no such grid")
        wrong[name] = grids[name] != right

    lines = _in_lines(grids)
    left = LEFT
    width = max(5.6, max(left + sum(_wide(name, grid) for name, grid in line.items()) for line in lines))
    notes = [f"number: {STEP} · token + feature", "colour: the head that this feature belongs to"]
    if any(w.any() for w in wrong.values()):
        notes.append("red outline: not where it belongs")
    note = "     ".join(notes)
    if len(note) * 0.088 > width:
        note = "\n".join(notes)
    heading = wrapped(title, width)
    foot, head = 0.2 * (note.count("\n") + 1) + 0.12, 0.3 * (heading.count("\n") + 1) + 0.12
    heights = [max(len(g) for g in line.values()) * ROW + 0.45 for line in lines]
    still, ax = _sheet(width, sum(heights) + head + foot, heading, note, _describe(title, grids, wrong))
    y = sum(heights) + foot
    for line, height in zip(lines, heights, strict=True):
        x = left
        for number, (name, grid) in enumerate(line.items()):
            top = y - 0.36
            ax.text(x, top + 0.09, shown(name), fontsize=SMALL, fontweight="bold", va="bottom")
            if number == 0:
                for row in range(len(grid)):
                    ax.text(
                        x - 0.12,
                        top - (row + 0.5) * ROW,
                        f"token {row}",
                        ha="right",
                        va="center",
                        fontsize=SMALL,
                        color=colours.SOFT_INK,
                    )
            for (row, column), label in np.ndenumerate(grid):
                owner = label % STEP // (d_model // n_heads)
                _cell(
                    ax,
                    x + column * CELL,
                    top - (row + 1) * ROW,
                    CELL,
                    str(label),
                    owner,
                    wrong[name][row, column],
                )
            x += _wide(name, grid)
        y -= height
    return still


@in_style
def layer(
    n_heads: int = 3, *, title: str = "Multi-head attention: one input, several attentions, one output"
) -> Still:
    """The whole layer from left to right with its shapes: project, split, attend, concatenate, W_O."""
    if not 1 <= n_heads <= 4:
        raise ValueError(f"n_heads is {n_heads}; expected 1 to 4: more would not fit the picture")
    pitch = 0.86
    height = max(2.5, n_heads * pitch) + 0.95
    still, ax = _sheet(
        10.2,
        height,
        title,
        "",
        f"{title}. x of shape (B, T, D) is projected by W_Q, W_K and W_V, cut into {n_heads} heads of shape "
        "(B, H, T, K); each head attends with its own queries, keys and values; the results are laid side by "
        "side, (B, T, H·K), and multiplied by W_O, (H·K × D), to (B, T, D).",
    )
    middle = (height - 0.55) / 2 + 0.12
    _box(ax, 0.25, middle - 0.3, 0.75, 0.6, "x", colours.INK)
    _shape(ax, 0.62, middle - 0.5, "(B, T, D)")
    for name, colour, shift in (
        ("W_Q", colours.QUERY, 0.72),
        ("W_K", colours.KEY, 0),
        ("W_V", colours.VALUE, -0.72),
    ):
        _box(ax, 1.75, middle + shift - 0.24, 0.85, 0.48, name, colour)
        _arrow(ax, (1.0, middle), (1.75, middle + shift))
    _shape(ax, 2.17, middle - 1.14, "(D × D) each")
    top = middle + (n_heads - 1) * pitch / 2
    for head in range(n_heads):
        y = top - head * pitch
        for shift in (0.72, 0, -0.72):
            _arrow(ax, (2.6, middle + shift), (3.75, y), colours.LINE, 1.1)
        _box(ax, 3.75, y - 0.31, 2.1, 0.62, f"attention, head {head + 1}", _pen(head), face=_tint(head))
        _arrow(ax, (5.85, y), (6.75, middle + (n_heads / 2 - head - 0.5) * 0.42), _pen(head))
        y_part = middle + (n_heads / 2 - head - 1) * 0.42
        ax.add_patch(
            Rectangle((6.75, y_part), 0.75, 0.42, facecolor=_tint(head), edgecolor=_pen(head), lw=1.4)
        )
        ax.text(7.125, y_part + 0.21, f"{head + 1}", ha="center", va="center", fontsize=SMALL)
    _shape(ax, 3.18, middle + 1.0, "split")
    _shape(ax, 4.8, top - (n_heads - 1) * pitch - 0.52, "(B, H, T, K)")
    _shape(ax, 7.12, middle - n_heads * 0.21 - 0.2, "concatenated\n(B, T, H·K)", va="top")
    _arrow(ax, (7.5, middle), (8.1, middle))
    _box(ax, 8.1, middle - 0.3, 0.75, 0.6, "W_O", colours.INK)
    _shape(ax, 8.47, middle - 0.5, "(H·K × D)")
    _arrow(ax, (8.85, middle), (9.3, middle))
    _box(ax, 9.3, middle - 0.3, 0.7, 0.6, "out", colours.INK)
    _shape(ax, 9.65, middle - 0.5, "(B, T, D)")
    return still


@in_style
def concat_times_w_o(heads, w_o, *, title: str) -> Still:
    """The heads side by side, times W_O: each head meets rows of W_O that are its own.

    heads: (H, T, K). w_o: (H·K, D), as in the paper's `concat W_O`. Raises ValueError when they do not fit.
    """
    heads, w_o = as_array(heads, "heads", 3), as_array(w_o, "w_o", 2)
    n_heads, n_tokens, d_k = heads.shape
    if len(w_o) != n_heads * d_k:
        raise ValueError(
            f"w_o has {len(w_o)} rows; expected {n_heads * d_k}: {n_heads} heads of {d_k} features each"
        )
    concat = np.concatenate(list(heads), axis=1)  # (T, H·K)
    output = concat @ w_o  # (T, D)
    d_model = w_o.shape[1]
    alt = (
        f"{title}. The {n_heads} heads' outputs side by side, {n_tokens} × {n_heads * d_k}, times W_O, "
        f"{n_heads * d_k} × {d_model}, whose first {d_k} rows belong to the first head, gives {n_tokens} × "
        f"{d_model}. First row: {', '.join(_number(v) for v in output[0])}."
    )
    cell = 0.56
    width = 0.35 + (n_heads * d_k + 2 * d_model) * cell + 2 * 0.62 + 0.35
    heading = wrapped(title, width)
    height = max(n_heads * d_k, n_tokens) * ROW + 0.7 + 0.3 * (heading.count("\n") + 1)
    still, ax = _sheet(max(width, 5.6), height, heading, "", alt)
    top = height - 0.3 * (heading.count("\n") + 1) - 0.55
    tall = max(len(w_o), n_tokens) * ROW
    x = 0.35
    for grid, name, by_row in (
        (concat, "concat  (T, H·K)", False),
        (w_o, "W_O  (H·K, D)", True),
        (output, "out  (T, D)", None),
    ):
        y = top - (tall - len(grid) * ROW) / 2
        ax.text(x, y + 0.09, name, fontsize=SMALL, fontweight="bold", va="bottom")
        for (row, column), value in np.ndenumerate(grid):
            owner = None if by_row is None else (row if by_row else column) // d_k
            _cell(ax, x + column * cell, y - (row + 1) * ROW, cell, _number(value), owner, False)
        x += grid.shape[1] * cell
        if by_row is not None:
            ax.text(x + 0.31, top - tall / 2, "=" if by_row else "@", ha="center", va="center", fontsize=15)
            x += 0.62
    return still


@in_style
def report(
    panels: Mapping[str, object], columns: Sequence[str], *, title: str, row_name: str = "head"
) -> Still:
    """What each head does: tables side by side, one row a head, shares from 0 to 1 in the cells.

    panels: name -> (H, Q). columns: Q names. Raises ValueError for other sizes or values outside 0 to 1.
    """
    if not isinstance(panels, Mapping) or not panels:
        raise ValueError(
            f"panels must be a dict from name to shares with at least one entry; got {panels!r:.80}"
        )
    tables = {name: as_array(values, f"panels[{name!r}]", 2) for name, values in panels.items()}
    n_heads = len(next(iter(tables.values())))
    for name, table in tables.items():
        if table.shape != (n_heads, len(columns)) or table.min() < -1e-4 or table.max() > 1 + 1e-4:
            raise ValueError(
                f"panels[{name!r}] has shape {table.shape} and values {table.min():.3g} to "
                f"{table.max():.3g}; expected {n_heads} heads × {len(columns)} columns of shares from 0 to 1"
            )
    rows = [f"{row_name} {h + 1}" for h in range(n_heads)]
    cell = max(0.72, max(len(shown(c)) for c in columns) * CHARACTER + 0.12)
    panel = max(cell * len(columns), max(len(shown(name)) for name in tables) * CHARACTER) + 0.45
    width = max(5.6, 1.0 + panel * len(tables))
    heading = wrapped(title, width)
    alt = f"{title}. " + " ".join(
        f"{name}: "
        + "; ".join(
            f"{row} " + ", ".join(f"{c} {v:.2f}" for c, v in zip(columns, table[h], strict=True))
            for h, row in enumerate(rows)
        )
        + "."
        for name, table in tables.items()
    )
    still = Still(width, 0.4 * n_heads + 1.0 + 0.3 * (heading.count("\n") + 1), alt)
    axes = still.subplots(1, len(tables), squeeze=False)[0]
    for number, (ax, (name, table)) in enumerate(zip(axes, tables.items(), strict=True)):
        draw_cells(ax, table.clip(0, 1), rows, columns, None, [], True, cell)
        ax.set_title(shown(name), fontsize=SMALL + 1, pad=10)
        if number:
            ax.set_yticks([])
    add_heading(still, heading)
    return still


@in_style
def directions(panels: Mapping[str, tuple], *, title: str, names: Sequence[str] | None = None) -> Still:
    """Keys as dots and queries as arrows, for heads of one or two features: which key can a query ask for?

    panels: name -> (queries, keys), (T, K) each with K = 1 or 2. names: of the T positions, else their
    numbers. Only the direction of a query is drawn: its length makes a row sharper and changes no order.
    """
    if not isinstance(panels, Mapping) or not panels:
        raise ValueError(f"panels must be a dict from name to (queries, keys); got {panels!r:.80}")
    heads = {}
    for name, (queries, keys) in panels.items():
        q, k = as_array(queries, f"queries of {name!r}", 2), as_array(keys, f"keys of {name!r}", 2)
        if q.shape != k.shape or k.shape[1] not in (1, 2):
            raise ValueError(
                f"panels[{name!r}] has queries {q.shape} and keys {k.shape}; expected both (T, 1) or (T, 2)"
            )
        heads[name] = q, k
    count = max(len(k) for _, k in heads.values())
    names = [str(t) for t in range(count)] if names is None else [shown(name) for name in names]
    wins = {
        name: "; ".join(
            f"query {names[t]} points most at key {names[best]}" for t, best in enumerate((q @ k.T).argmax(1))
        )
        for name, (q, k) in heads.items()
    }
    alt = f"{title.rstrip('.')}. " + " ".join(f"{name}: {text}." for name, text in wins.items())
    heading = wrapped(title, 4.4 * len(heads))
    note = "dot: the key of a position     arrow: the direction of its query"
    panel = max(4.3, max(len(shown(name)) for name in heads) * 0.1 + 0.4)
    still = Still(max(5.6, panel * len(heads)), 4.6 + 0.3 * heading.count("\n"), alt)
    axes = still.subplots(1, len(heads), squeeze=False)[0]
    for ax, (name, (q, k)) in zip(axes, heads.items(), strict=True):
        ax.set_title(shown(name), fontsize=SMALL + 1)
        ax.set(xlim=(-1.3, 1.3), ylim=(-1.3, 1.3), aspect="equal", xticks=[], yticks=[])
        ax.spines[:].set_visible(False)
        k = k / np.abs(np.linalg.norm(k, axis=1)).max()
        (_on_a_plane if k.shape[1] == 2 else _on_a_line)(ax, q, k, names)
    add_heading(still, heading, note)
    return still


def _on_a_plane(ax: Axes, q: np.ndarray, k: np.ndarray, names: Sequence[str]) -> None:
    ax.axhline(0, color=colours.PANEL, lw=1.2, zorder=0)
    ax.axvline(0, color=colours.PANEL, lw=1.2, zorder=0)
    ax.scatter(*k.T, s=46, color=colours.KEY, zorder=3)
    for (x, y), name in zip(k, names, strict=False):
        far = 1 + 0.15 / max(np.hypot(x, y), 0.2)
        ax.text(x * far, y * far, name, ha="center", va="center", color=colours.KEY, fontweight="bold")
    for (x, y), name in zip(q / np.linalg.norm(q, axis=1, keepdims=True), names, strict=False):
        _arrow(ax, (0, 0), (0.5 * x, 0.5 * y), colours.QUERY)
        ax.text(0.6 * x, 0.6 * y, name, ha="center", va="center", color=colours.QUERY, fontsize=SMALL)


def _on_a_line(ax: Axes, q: np.ndarray, k: np.ndarray, names: Sequence[str]) -> None:
    line = 0.85
    ax.axhline(line, color=colours.LINE, lw=1.4, zorder=0)
    ax.scatter(k[:, 0], np.full(len(k), line), s=46, color=colours.KEY, zorder=3)
    last, lift = -9.0, 0
    for t in k[:, 0].argsort():  # names of neighbours on two heights where they would touch
        lift = 0 if k[t, 0] - last > 0.16 else (lift + 1) % 3
        ax.text(
            k[t, 0],
            line + 0.14 + 0.15 * lift,
            names[t],
            ha="center",
            va="center",
            color=colours.KEY,
            fontweight="bold",
        )
        last = k[t, 0]
    step = min(0.24, 1.85 / len(q))
    for t, (value,) in enumerate(q):
        y = 0.6 - t * step
        _arrow(ax, (0, y), (0.5 * np.sign(value), y), colours.QUERY)
        ax.text(
            -0.12 * np.sign(value), y, names[t], ha="center", va="center", color=colours.QUERY, fontsize=SMALL
        )


# The pieces.


def _labels(values, name: str, d_model: int) -> np.ndarray:
    array = as_array(values, name, 2)
    labels = array.astype(int)
    if (labels != array).any() or (labels < 0).any() or (labels % STEP >= d_model).any():
        raise ValueError(
            f"{name} must hold labels {STEP} · token + feature with features 0 to {d_model - 1}; "
            f"got {array.flat[0]:g}, …"
        )
    return labels


def _wide(name: str, grid: np.ndarray) -> float:
    """Inches that a grid takes with its name above it."""
    return max(grid.shape[1] * CELL, len(shown(name)) * 0.1) + GAP


def _in_lines(grids: Mapping[str, np.ndarray]) -> list[dict[str, np.ndarray]]:
    """Grids side by side, in as many lines as they need."""
    lines, x = [{}], LEFT
    for name, grid in grids.items():
        wide = _wide(name, grid)
        if lines[-1] and x + wide > WIDEST:
            lines.append({})
            x = LEFT
        lines[-1][name] = grid
        x += wide
    return lines


def _describe(title: str, grids: Mapping[str, np.ndarray], wrong: Mapping[str, np.ndarray]) -> str:
    parts = []
    for name, grid in grids.items():
        marked = int(wrong[name].sum())
        rows = "; ".join(" ".join(map(str, row)) for row in grid)
        parts.append(
            f"{name}: {rows}" + (f" ({marked} of {grid.size} not where they belong)" if marked else "")
        )
    return f"{title.rstrip('.')}. " + ". ".join(parts) + "."


def _sheet(width: float, height: float, heading: str, note: str, alt: str) -> tuple[Still, Axes]:
    """A still with one empty axes over all of it, in inches."""
    still = Still(width, height, alt)
    still.set_layout_engine("none")
    ax = still.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, width), ylim=(0, height))
    ax.set_axis_off()
    add_heading(still, heading, note)
    return still, ax


def _pen(head: int) -> str:
    return colours.HEADS[head % len(colours.HEADS)]


def _tint(head: int) -> tuple[float, float, float]:
    """A head's colour, light enough for black numbers."""
    return tuple(1 - 0.28 * (1 - part) for part in to_rgb(_pen(head)))


def _cell(ax: Axes, x: float, y: float, width: float, text: str, head: int | None, wrong: bool) -> None:
    face = colours.PAPER if head is None else _tint(head)
    ax.add_patch(
        Rectangle(
            (x, y),
            width,
            ROW,
            facecolor=face,
            edgecolor=colours.PAPER if head is not None else colours.LINE,
            lw=1.4,
        )
    )
    if wrong:
        ax.add_patch(
            Rectangle(
                (x + 0.035, y + 0.035), width - 0.07, ROW - 0.07, fill=False, edgecolor=WRONG, lw=2, zorder=3
            )
        )
    ax.text(
        x + width / 2,
        y + ROW / 2,
        text,
        ha="center",
        va="center",
        fontsize=SMALL,
        color=WRONG if wrong else colours.INK,
        fontweight="bold" if wrong else "normal",
        zorder=4,
    )


def _box(ax: Axes, x, y, width, height, text: str, edge: str, face=colours.PAPER) -> None:
    shape = "round,pad=0,rounding_size=0.09"
    ax.add_patch(
        FancyBboxPatch((x, y), width, height, boxstyle=shape, facecolor=face, edgecolor=edge, lw=1.6)
    )
    ax.text(x + width / 2, y + height / 2, text, ha="center", va="center", zorder=3)


def _shape(ax: Axes, x, y, text: str, va: str = "center") -> None:
    ax.text(x, y, text, ha="center", va=va, fontsize=SMALL, color=colours.SOFT_INK, linespacing=1.3)


def _arrow(ax: Axes, start, end, colour=colours.SOFT_INK, width=1.4) -> None:
    ax.add_patch(
        FancyArrowPatch(
            start,
            end,
            arrowstyle="-|>",
            mutation_scale=11,
            color=colour,
            lw=width,
            shrinkA=0,
            shrinkB=0,
            zorder=0,
        )
    )


def _number(value: float) -> str:
    return f"{value:g}".replace("-", "−") if float(value).is_integer() else f"{value:.2f}".replace("-", "−")
