"""Where the norm stands: on the residual road (2017), or on the way into each sub-layer (today)."""

from matplotlib.axes import Axes

from course_lib.viz import colours
from course_lib.viz.sheet import arrow, box, sheet, write
from course_lib.viz.still import FONT_SIZE, SMALL, Still, in_style, sentence

ROAD, SIDE = 3.2, 0.45  # points wide: the residual road; inches: from the road to a sub-layer
PARTS = ("attention", "feed-forward")


@in_style
def norm_places(*, title: str = "Post: norms stand on the road. Pre: the road is free") -> Still:
    """One encoder layer twice, from below: post-norm as in 2017, pre-norm as today."""
    alt = (
        f"{sentence(title)} Left, post: x goes up a road; attention reads x and its output is added, then a "
        "norm stands on the road; the same with feed-forward. Right, pre: a norm stands before attention and "
        "before feed-forward, beside the road; only additions are on the road, and one final norm stands at "
        "the end of the stack."
    )
    still, ax = sheet(8.6, 5.25, title, alt, "thick: the residual road from x to the layer's output")
    _post(ax, 1.0)
    _pre(ax, 5.4)
    return still


def _post(ax: Axes, road: float) -> None:
    write(ax, road, 0.62, "x", size=FONT_SIZE, bold=True)
    write(ax, road + 1.6, 4.62, "post: norm(x + f(x))", bold=True, size=FONT_SIZE)
    ax.plot([road, road], [0.8, 4.25], color=colours.INK, lw=ROAD, zorder=0)
    for name, low in zip(PARTS, (1.0, 2.6), strict=True):
        _detour(ax, road, low, low + 0.8, name, None)
        _norm(ax, road - 0.42, low + 1.0)
    arrow(ax, (road, 4.1), (road, 4.45), colours.INK, 2.4)


def _pre(ax: Axes, road: float) -> None:
    write(ax, road, 0.62, "x", size=FONT_SIZE, bold=True)
    write(ax, road + 1.6, 4.62, "pre: x + f(norm(x))", bold=True, size=FONT_SIZE)
    ax.plot([road, road], [0.8, 4.1], color=colours.INK, lw=ROAD, zorder=0)
    for name, low in zip(PARTS, (1.0, 2.45), strict=True):
        _detour(ax, road, low, low + 1.0, name, "norm")
    _norm(ax, road - 0.42, 3.8)
    write(ax, road + 0.55, 3.95, "once, after the last layer", colours.SOFT_INK, ha="left")
    arrow(ax, (road, 4.1), (road, 4.5), colours.INK, 2.4)


def _detour(ax: Axes, road: float, low: float, high: float, name: str, before: str | None) -> None:
    """Off the road, through a sub-layer, back to a plus on the road."""
    left, wide = road + SIDE + 0.35, 1.45
    middle = left + wide / 2
    pen = {"color": colours.SOFT_INK, "lw": 1.4}
    ax.plot([road, middle], [low, low], **pen)
    foot = low
    if before:
        _norm(ax, middle - 0.42, low + 0.14)
        foot = low + 0.44
        arrow(ax, (middle, low), (middle, low + 0.14))
    y = foot + 0.16
    arrow(ax, (middle, foot), (middle, y), colours.SOFT_INK)
    box(ax, left, y, wide, 0.34, name, edge=colours.SOFT_INK, size=SMALL + 0.5)
    ax.plot([middle, middle, road + 0.16], [y + 0.34, high, high], **pen)
    arrow(ax, (road + 0.5, high), (road + 0.13, high), colours.SOFT_INK)
    box(ax, road - 0.13, high - 0.13, 0.26, 0.26, "+", edge=colours.INK, line=1.6, bold=True, size=SMALL + 1)


def _norm(ax: Axes, x: float, y: float) -> None:
    box(ax, x, y, 0.84, 0.3, "norm", edge=colours.INK, face=colours.PANEL, size=SMALL, bold=True, line=2)
