"""The Transformer with its parameters and shapes; what a family does not have is pale."""

from collections.abc import Mapping
from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from course_lib.families import FAMILIES, Description, describe, may_look
from course_lib.viz import colours
from course_lib.viz.diagrams.blueprint import Plan, X, plan
from course_lib.viz.sheet import arrow, box, sheet, write
from course_lib.viz.still import FONT_SIZE, SMALL, Still, in_style, sentence

WIDTH = 960  # pixels
NAMES = {
    "tokens": "Tokens",
    "embedding": "Embedding",
    "positions": "Positions",
    "self_attention": "Self-attention",
    "cross_attention": "Cross-attention",
    "feed_forward": "Feed-forward",
    "self_norm": "Norm",
    "cross_norm": "Norm",
    "feed_norm": "Norm",
    "final_norm": "Final norm",
    "scores": "Scores",
    "softmax": "Softmax",
}
INKS = {
    "main": colours.INK,
    "residual": colours.SOFT_INK,
    "query": colours.QUERY,
    "key": colours.KEY,
    "value": colours.VALUE,
    "plus": colours.INK,
}
ICON = 5  # rows and columns of the small picture of a mask
ICON_PREFIX = 3


def name_of(key: str, family: str) -> str:
    """What is written on a box."""
    side, _, part = key.partition(".")
    kind = FAMILIES[family]
    if part == "tokens":
        if side == "encoder":
            return "Source tokens"
        return "Target, shifted right" if kind.reads == "source" else "Source, then target"
    if part == "self_attention" and kind.masks.get(side, "full") != "full":
        return "Masked attention"
    return NAMES[part]


def counted(description: Description) -> dict[str, tuple[int, int]]:
    """For each box its parameters in one layer, and how many layers have it (1 outside of the layers)."""
    found: dict[str, tuple[int, int]] = {}
    for row in description.rows:
        parameters, times = found.get(row.box, (row.parameters, 0))
        found[row.box] = (parameters, times + 1)
    return found


def count_text(parameters: int, times: int) -> str:
    """A count as it is written on a box: "1,050,624 × 6"; only a matrix that is another one's counts as 0."""
    if not parameters:
        return "0: a shared matrix"
    return f"{parameters:,}" + (f" × {times}" if times > 1 else "")


@in_style
def architecture(description: Description | None = None, *, title: str = "") -> Still:
    """The whole Transformer as Vaswani et al. 2017 draw it in figure 1, from below, in our own drawing.

    description: from `course_lib.families.describe`, or of a real model from
    `course_lib.interpret.trace_shapes`; None: the paper's base model.
    Returns a Still: each box with its parameters in one layer, times the layers; some with their shape.
    """
    description = description or describe()
    counts = counted(description)
    title = title or f"The Transformer, {description.family}: {description.total:,} parameters"
    picture = plan(description.sizes.norm_first)
    head = 46
    still, ax = sheet(
        WIDTH / 100, (picture.height + head + 34) / 100, title, _alt(title, description, counts)
    )
    ax.set(xlim=(0, WIDTH), ylim=(-24, picture.height + head + 10))
    _frames(ax, picture, description, counts)
    _roads(ax, picture, description, counts)
    for each in picture.boxes:
        if not each.key.startswith(("encoder.scores", "encoder.softmax")) or each.key in counts:
            _box(ax, each, description, counts)
    where = "after the addition (post)" if not description.sizes.norm_first else "before each sub-layer (pre)"
    write(ax, 2, -14, f"Norm {where}. {_batch(description)}", colours.SOFT_INK, ha="left")
    return still


def _batch(description: Description) -> str:
    """What the letters of the shapes stand for."""
    (b, s, t), kind = description.batch, FAMILIES[description.family]
    if not kind.cross and kind.reads == "source":
        return f"The batch: B={b} texts, S={s} positions."
    row = "" if kind.cross else f", one row of N = S + T = {s + t}"
    return f"The batch: B={b} texts, S={s} source and T={t} target positions{row}."


def at(x: X) -> float:
    """A place on the still, in pixels from the left."""
    return x[0] * WIDTH + x[1]


def _frames(ax: Axes, picture: Plan, description: Description, counts: Mapping) -> None:
    for frame in picture.frames:
        left, right, top = at(frame.left), at(frame.right), frame.y + frame.height
        box(ax, left, frame.y, right - left, frame.height, face=colours.PANEL, line=0, zorder=-3)
        rows = [row for row in description.rows if row.layer == 1 and row.box.startswith(frame.side)]
        if not rows:
            write(ax, left + 12, top - 14, "not in this family", colours.SOFT_INK, ha="left")
            continue
        layers = counts[f"{frame.side}.self_attention"][1]
        write(
            ax,
            left + 12,
            top - 14,
            f"{frame.side.capitalize()} × {layers}",
            size=FONT_SIZE,
            bold=True,
            ha="left",
        )
        each = sum(row.parameters for row in rows)
        write(ax, right - 12, top - 14, f"{each:,} each", size=SMALL, ha="right")


def _roads(ax: Axes, picture: Plan, description: Description, counts: Mapping) -> None:
    residual = description.sizes.residual
    there = {road: road.needs in counts and (residual or road.kind != "residual") for road in picture.roads}
    for road, here in sorted(there.items(), key=lambda each: each[1]):  # what is missing lies below
        if not here and (road.needs.startswith("encoder.s") or "encoder.scores" in counts):
            continue  # a place that another family uses otherwise
        colour = INKS[road.kind] if here else colours.LINE
        points = [(at(x), y) for x, y in road.points]
        for start, end in pairwise(points):
            line = "-" if here else (0, (3, 2))
            ax.plot(*zip(start, end, strict=True), color=colour, lw=1.6, ls=line, zorder=-1)
        if road.arrow and here:
            (x, y), (end_x, end_y) = points[-2:]
            length = max(abs(end_x - x), abs(end_y - y))
            near = (end_x - 9 * (end_x - x) / length, end_y - 9 * (end_y - y) / length)
            arrow(ax, near, (end_x, end_y), colour, 1.2, zorder=0)
    for sign in picture.signs:
        if sign.needs not in counts or (sign.kind == "plus" and not residual):
            continue
        if sign.kind == "plus":
            style = {"facecolor": colours.PAPER, "edgecolor": colours.INK, "boxstyle": "circle,pad=0.08"}
            write(ax, at(sign.x), sign.y, "+", size=FONT_SIZE, bbox=style)
        else:
            write(ax, at(sign.x), sign.y, sign.text, INKS[sign.kind], bold=True)


def _box(ax: Axes, each, description: Description, counts: Mapping) -> None:
    """A box with its name on the left, its parameters (or the shape of its ids) on the right."""
    left, right, middle = at(each.left), at(each.right), each.y + each.height / 2
    here, part = each.key in counts, each.key.partition(".")[2]
    ink, edge = (colours.INK, colours.INK) if here else (colours.SOFT_INK, colours.LINE)
    box(ax, left, each.y, right - left, each.height, edge=edge, line=1.3 if here else 1.0, dashed=not here)
    x, name = left + 10, name_of(each.key, description.family)
    if part == "self_attention" and here:
        _icon(ax, x, middle, FAMILIES[description.family].masks[each.key.partition(".")[0]])
        x += 34
    write(ax, x, middle, name, ink, SMALL + 0.5, bold=here and "norm" not in part, ha="left")
    [row] = [row for row in description.rows if row.box == each.key][:1] or [None]
    if row is None:
        text = "—"
    elif part in ("tokens", "softmax") or (part == "positions" and not row.parameters):
        text = str(row.output)
    else:
        text = count_text(*counts[each.key])
    write(ax, right - 10, middle, text, ink, ha="right")


def _icon(ax: Axes, x: float, y: float, mask: str) -> None:
    """The mask of a self-attention: queries down, keys across; forbidden cells are hatched."""
    cell = 5
    for query in range(ICON):
        for key in range(ICON):
            allowed = may_look(mask, query, key, ICON_PREFIX)
            style = {"lw": 0.4, "edgecolor": colours.PAPER, "facecolor": colours.SOFT_INK}
            hidden = {"lw": 0, "edgecolor": colours.MASKED, "facecolor": colours.PANEL, "hatch": "//////"}
            place = (x + key * cell, y + (ICON / 2 - 1 - query) * cell)
            ax.add_patch(Rectangle(place, cell, cell, zorder=3, **(style if allowed else hidden)))


def _alt(title: str, description: Description, counts: Mapping) -> str:
    """The picture in words, from the data."""
    parts = []
    for side in FAMILIES[description.family].masks:
        rows = [row for row in description.rows if row.layer == 1 and row.box.startswith(side)]
        inner = ", ".join(
            f"{name_of(row.box, description.family).lower()} {count_text(*counts[row.box])}" for row in rows
        )
        layers, each = counts[f"{side}.self_attention"][1], sum(row.parameters for row in rows)
        parts.append(
            f"{side.capitalize()}: {layers} layers with {each:,} parameters each, from below {inner}."
        )
    pale = "" if len(parts) == 2 else " What this family does not have is pale."
    last = description.rows[-1].output
    where = "before each sub-layer" if description.sizes.norm_first else "after each addition"
    return (
        f"{sentence(title)} {' '.join(parts)} The norm stands {where}. Probabilities come out: {last}.{pale}"
    )
