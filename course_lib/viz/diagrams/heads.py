"""Pictures of heads: where each number goes when a tensor is cut into heads, and what heads do.

Labelled integers: feature f of token t is the number 100·t + f, in the colour of the head that should get it.
A wrong reshape moves numbers to places where they do not belong, and the colours show it.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from course_lib.viz import colours
from course_lib.viz.attention import draw_cells
from course_lib.viz.sheet import (
    CELL_HEIGHT,
    add_heading,
    arrow,
    box,
    heading_room,
    number,
    room_for,
    sheet,
    wrapped,
    write,
)  # fmt: skip
from course_lib.viz.still import SMALL, Still, as_array, as_named, in_style, sentence, shown

STEP = 100  # label = STEP · token + feature
CELL, ROW, GAP = 0.5, 0.38, 0.45  # inches: width and height of a cell, space between two grids
LEFT = 1.0  # inches that the tokens' names take
WIDEST = 9.8  # inches
WRONG = colours.INK  # a thick dark outline: red and orange have other meanings


@in_style
def labelled(
    panels: Mapping[str, object],
    *,
    title: str,
    n_heads: int = 2,
    d_model: int = 6,
    expected: object = None,
) -> Still:
    """Grids of labelled integers, one row a token, coloured by the head to which each feature belongs.

    panels: name -> (T, columns) of labels 100·token + feature, or (H, T, K), one grid a head. expected: what
    should stand in each of them; other numbers have a thick dark outline. Raises ValueError when a number is
    no label of d_model features, heads do not divide them, or the sizes do not fit.
    """
    if n_heads < 1 or d_model % n_heads or d_model > STEP:
        raise ValueError(
            f"d_model is {d_model} and n_heads {n_heads}; expected d_model divisible by n_heads, "
            f"at most {STEP}"
        )
    grids = _grids(as_named(panels, "panels"), d_model)
    wrong = {name: np.zeros(grid.shape, bool) for name, grid in grids.items()}
    if expected is not None:
        right = _grids(dict.fromkeys(panels, expected), d_model)
        if {name: grid.shape for name, grid in right.items()} != {n: grid.shape for n, grid in grids.items()}:
            have = ", ".join(str(np.shape(panel)) for panel in panels.values())
            raise ValueError(f"expected has shape {np.shape(expected)}; the panels have {have}")
        wrong = {name: grids[name] != grid for name, grid in right.items()}

    lines = _in_lines(grids)
    width = max(5.6, max(LEFT + sum(_wide(name, grid) for name, grid in line.items()) for line in lines))
    notes = [f"number: {STEP} · token + feature", "colour: the head that this feature belongs to"]
    if any(w.any() for w in wrong.values()):
        notes.append("dark outline: not where it belongs")
    note = "     ".join(notes)
    if len(note) * 0.088 > width:
        note = "\n".join(notes)
    y = 0.2 * note.count("\n") + 0.32
    heights = [max(len(g) for g in line.values()) * ROW + 0.45 for line in lines]
    heading = wrapped(title, width)
    height = y + sum(heights) + heading_room(heading) + 0.12
    still, ax = sheet(width, height, heading, _describe(title, grids, wrong), note)
    for line, tall in zip(lines[::-1], heights[::-1], strict=True):
        y += tall
        x, top = LEFT, y - 0.36
        for row in range(len(next(iter(line.values())))):
            write(ax, x - 0.12, top - (row + 0.5) * ROW, f"token {row}", colours.SOFT_INK, ha="right")
        for name, grid in line.items():
            write(ax, x, top + 0.09, shown(name), bold=True, ha="left", va="bottom")
            for (row, column), label in np.ndenumerate(grid):
                owner = label % STEP // (d_model // n_heads)
                corner = (x + column * CELL, top - (row + 1) * ROW)
                _cell(ax, corner, CELL, str(label), owner, wrong[name][row, column])
            x += _wide(name, grid)
    return still


@in_style
def layer(
    n_heads: int = 3, *, title: str = "Multi-head attention: one input, several attentions, one output"
) -> Still:
    """The whole layer from left to right with its shapes: project, split, attend, concatenate, W_o."""
    if not 1 <= n_heads <= 4:
        raise ValueError(f"n_heads is {n_heads}; expected 1 to 4: more would not fit the picture")
    pitch, third = 0.86, 0.72  # inches from head to head, from W_q to W_k
    height = max(2.5, n_heads * pitch) + 0.95
    alt = (
        f"{sentence(title)} x of shape (B, T, D) is projected by W_q, W_k and W_v, cut into {n_heads} heads "
        "of shape (B, H, T, K); each head attends with its own queries, keys and values; the results are "
        "laid side by side, (B, T, H·K), and multiplied by W_o, (H·K × D), to (B, T, D)."
    )
    still, ax = sheet(10.2, height, title, alt)
    middle = (height - 0.55) / 2 + 0.12
    top = middle + (n_heads - 1) * pitch / 2

    def link(start, end, colour=colours.SOFT_INK, width=1.4) -> None:
        arrow(ax, start, end, colour, width, zorder=0)

    def shape(x: float, y: float, text: str, va="center") -> None:
        write(ax, x, y, text, colours.SOFT_INK, va=va, linespacing=1.3)

    def square(x: float, width: float, text: str, below: str) -> None:
        box(ax, x, middle - 0.3, width, 0.6, text, edge=colours.INK)
        shape(x + width / 2, middle - 0.5, below)

    square(0.25, 0.75, "x", "(B, T, D)")
    matrices = (("W_q", colours.QUERY), ("W_k", colours.KEY), ("W_v", colours.VALUE))
    for place, (name, colour) in enumerate(matrices):
        y = middle + third * (1 - place)
        box(ax, 1.75, y - 0.24, 0.85, 0.48, name, edge=colour)
        link((1.0, middle), (1.75, y))
        for head in range(n_heads):
            link((2.6, y), (3.75, top - head * pitch), colours.LINE, 1.1)
    shape(2.17, middle - 1.14, "(D × D) each")
    shape(3.18, middle + 1.0, "split")
    for head in range(n_heads):
        y, part = top - head * pitch, middle + (n_heads / 2 - head - 1) * CELL_HEIGHT
        pen, face = _pen(head), colours.tint(_pen(head))
        box(ax, 3.75, y - 0.31, 2.1, 0.62, f"attention, head {head + 1}", edge=pen, face=face)
        link((5.85, y), (6.75, part + CELL_HEIGHT / 2), pen)
        ax.add_patch(Rectangle((6.75, part), 0.75, CELL_HEIGHT, facecolor=face, edgecolor=pen, lw=1.4))
        write(ax, 7.125, part + CELL_HEIGHT / 2, f"{head + 1}")
    shape(4.8, top - (n_heads - 1) * pitch - 0.52, "(B, H, T, K)")
    shape(7.12, middle - n_heads * CELL_HEIGHT / 2 - 0.2, "concatenated\n(B, T, H·K)", va="top")
    link((7.5, middle), (8.1, middle))
    square(8.1, 0.75, "W_o", "(H·K × D)")
    link((8.85, middle), (9.3, middle))
    square(9.3, 0.7, "out", "(B, T, D)")
    return still


@in_style
def concat_times_w_o(heads, w_o, *, title: str) -> Still:
    """The heads side by side, times W_o: each head meets rows of W_o that are its own.

    heads: (H, T, K). w_o: (H·K, D), as in the paper's `concat W_o`. Raises ValueError when they do not fit.
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
        f"{sentence(title)} The {n_heads} heads' outputs side by side, {n_tokens} × {n_heads * d_k}, times "
        f"W_o, {n_heads * d_k} × {d_model}, whose first {d_k} rows belong to the first head, gives "
        f"{n_tokens} × {d_model}. First row: {', '.join(number(v, short=True) for v in output[0])}."
    )
    cell, sign, left = 0.56, 0.62, 0.35  # inches: width of a cell, of a sign, left of all
    width = max(5.6, left + (n_heads * d_k + 2 * d_model) * cell + 2 * sign + 0.35)
    tall = max(len(w_o), n_tokens) * ROW
    heading = wrapped(title, width)
    still, ax = sheet(width, tall + 0.7 + heading_room(heading), heading, alt)
    x, top = left, tall + 0.15
    for grid, name, by_row, after in (
        (concat, "concat  (T, H·K)", False, "@"),
        (w_o, "W_o  (H·K, D)", True, "="),
        (output, "out  (T, D)", None, ""),
    ):
        y = top - (tall - len(grid) * ROW) / 2
        write(ax, x, y + 0.09, name, bold=True, ha="left", va="bottom")
        for (row, column), value in np.ndenumerate(grid):
            owner = None if by_row is None else (row if by_row else column) // d_k
            _cell(ax, (x + column * cell, y - (row + 1) * ROW), cell, number(value, short=True), owner)
        x += grid.shape[1] * cell + sign
        write(ax, x - sign / 2, top - tall / 2, after, size=15)
    return still


@in_style
def report(
    panels: Mapping[str, object],
    columns: Sequence[str],
    *,
    title: str,
    row_name: str = "head",
    even: object = None,
) -> Still:
    """What each head does: tables side by side, one row a head, shares from 0 to 1 in the cells.

    panels: name -> (H, Q). columns: Q names. even: (Q,), one more row of each table: what even weights would
    give. Raises ValueError for other sizes or values outside 0 to 1.
    """
    panels = as_named(panels, "panels")
    tables = {name: as_array(values, f"panels[{name!r}]", 2) for name, values in panels.items()}
    n_heads = len(next(iter(tables.values())))
    rows = [f"{row_name} {h + 1}" for h in range(n_heads)]
    if even is not None:
        if len(as_array(even, "even", 1)) != len(columns):
            raise ValueError(f"even has {len(even)} shares, expected one for each of {len(columns)} columns")
        tables = {name: np.vstack([table, as_array(even, "even", 1)]) for name, table in tables.items()}
        n_heads, rows = n_heads + 1, [*rows, "even"]
    for name, table in tables.items():
        if table.shape != (n_heads, len(columns)) or table.min() < -1e-4 or table.max() > 1 + 1e-4:
            raise ValueError(
                f"panels[{name!r}] has shape {table.shape} and values {table.min():.3g} to "
                f"{table.max():.3g}; expected {n_heads} heads × {len(columns)} columns of shares from 0 to 1"
            )
    cell = max(0.72, room_for(columns) + 0.12)
    width = max(5.6, 1.0 + (max(cell * len(columns), room_for(tables, whole=True)) + 0.45) * len(tables))
    heading = wrapped(title, width)
    said = []
    for name, table in tables.items():
        shares = [", ".join(f"{c} {number(v)}" for c, v in zip(columns, row, strict=True)) for row in table]
        said.append(f"{name}: " + "; ".join(f"{row} {text}" for row, text in zip(rows, shares, strict=True)))
    still = Still(width, 0.4 * n_heads + 1.0 + heading_room(heading), f"{sentence(title)} {'. '.join(said)}.")
    axes = still.subplots(1, len(tables), squeeze=False)[0]
    for place, (ax, (name, table)) in enumerate(zip(axes, tables.items(), strict=True)):
        draw_cells(ax, table.clip(0, 1), rows, columns, None, [], True, cell)
        ax.set_title(shown(name), fontsize=SMALL + 1, pad=10)
        if place:
            ax.set_yticks([])
    add_heading(still, heading)
    return still


# The pieces.


def _grids(panels: Mapping[str, object], d_model: int) -> dict[str, np.ndarray]:
    """Each grid of labels with its name; (H, T, K) gives H grids."""
    grids = {}
    for name, values in panels.items():
        array = as_array(values, f"panels[{name!r}]", (2, 3))
        parts = (
            {name: array} if array.ndim == 2 else {f"{name}: head {h + 1}": a for h, a in enumerate(array)}
        )
        grids |= {part: _labels(a, f"panels[{part!r}]", d_model) for part, a in parts.items()}
    return grids


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
    return f"{sentence(title)} {'. '.join(parts)}."


def _pen(head: int) -> str:
    return colours.HEADS[head % len(colours.HEADS)]


def _cell(ax: Axes, corner, width: float, text: str, head: int | None, wrong: bool = False) -> None:
    """A number in the colour of its head; a wrong one is outlined."""
    x, y = corner
    face, edge = (colours.PAPER, colours.LINE) if head is None else (colours.tint(_pen(head)), colours.PAPER)
    ax.add_patch(Rectangle(corner, width, ROW, facecolor=face, edgecolor=edge, lw=1.4))
    if wrong:
        inner = (x + 0.035, y + 0.035), width - 0.07, ROW - 0.07
        ax.add_patch(Rectangle(*inner, fill=False, edgecolor=WRONG, lw=2, zorder=3))
    write(ax, x + width / 2, y + ROW / 2, text, bold=bool(wrong), zorder=4)
