"""What every picture is made of, told once: heading, words, box, arrow, token, number, cells of a matrix.

The unit of a sheet is the inch: a size in the code is a size on the page. In a matrix the unit is the cell.
"""

import textwrap
import unicodedata
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Rectangle

from course_lib.viz import colours
from course_lib.viz.still import FONT_SIZE, SMALL, Still, label, shown

CHARACTER = 0.105  # inches that one character of a token takes, about
LINE = 0.3  # inches that one line of the heading takes
CELL_HEIGHT = 0.42  # inches, of a cell with a number


# The sheet and its words.


def sheet(width: float, height: float, heading: str, alt: str, note: str = "") -> tuple[Still, Axes]:
    """A still with one empty axes over all of it, in inches; heading at the top, note at the bottom."""
    still = Still(width, height, alt)
    still.set_layout_engine("none")
    ax = still.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, width), ylim=(0, height))
    ax.set_axis_off()
    add_heading(still, heading, note)
    return still, ax


def add_heading(still: Still, heading: str, note: str = "") -> None:
    """Title at the top left, a small note at the bottom left."""
    size = still.get_size_inches()[0]
    still.suptitle(heading, x=0.08 / size, ha="left", fontsize=13.5, fontweight="bold")
    if note:
        still.supxlabel(note, x=0.08 / size, ha="left", fontsize=SMALL, color=colours.SOFT_INK)


def wrapped(title: str, width: float) -> str:
    """The title in lines that fit `width` inches."""
    return "\n".join(textwrap.wrap(title, max(20, int(width / 0.123)))) or title


def heading_room(heading: str) -> float:
    """Inches that a wrapped heading takes."""
    return LINE * (heading.count("\n") + 1)


def room_for(tokens: Sequence[object], whole: bool = False) -> float:
    """Inches that the longest of these tokens takes as `label` writes it; a wide character counts twice.

    whole: they are names, which are not cut.
    """
    texts = map(shown if whole else label, tokens)
    return CHARACTER * max(
        sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text) for text in texts
    )


def write(
    ax: Axes, x, y, text, colour=colours.INK, size=SMALL, bold=False, ha="center", va="center", **more
) -> None:
    """Words at (x, y), small and centred unless something else is said."""
    weight = "bold" if bold else "normal"
    ax.text(x, y, text, color=colour, fontsize=size, fontweight=weight, ha=ha, va=va, **more)


def token(ax: Axes, x, y, text: object, colour=colours.INK, ha="center") -> None:
    """A token, in the size of the page's text."""
    write(ax, x, y, label(text), colour, FONT_SIZE, ha=ha)


# Boxes, arrows, numbers.


def box(
    ax: Axes, x, y, width, height, text="", *, edge=colours.LINE, face=colours.PAPER, ink=colours.INK,
    math=False, line=1.6, dashed=False, size=FONT_SIZE, bold=False, shift=0.0, zorder=1,
) -> None:  # fmt: skip
    """A box with round corners and words in its middle; (x, y) is its lower left corner.

    math: the words are TeX. line: width of the edge in points, 0 for none. shift: inches that the words move
    to the right.
    """
    shape = f"round,pad=0,rounding_size={min(0.09, height / 3)}"
    style = {"lw": line, "ls": (0, (4, 3)) if dashed else "-", "zorder": zorder}
    ax.add_patch(
        FancyBboxPatch((x, y), width, height, boxstyle=shape, facecolor=face, edgecolor=edge, **style)
    )
    if text:
        x, y = x + width / 2 + shift, y + height / 2
        more = {"linespacing": 1.1} if "\n" in text else {}
        write(ax, x, y, text, ink, size, bold, parse_math=math, zorder=zorder + 2, **more)


def arrow(ax: Axes, start, end, colour=colours.SOFT_INK, width=1.4, zorder=2) -> None:
    """A straight arrow from one point to another."""
    style = {"mutation_scale": 11 + 1.5 * width, "lw": width, "shrinkA": 0, "shrinkB": 0, "zorder": zorder}
    ax.add_patch(FancyArrowPatch(start, end, arrowstyle="-|>", color=colour, **style))


def number(value: float, short: bool = False) -> str:
    """A number in five characters with a real minus sign; `short`: a whole one without decimals.

    Only what is exactly 0 is written "0"; what is not 0 and rounds to it is "≈0". Live views write the same.
    """
    if not np.isfinite(value):
        return "−∞" if value < 0 else "∞"
    if value == 0 or (short and float(value).is_integer()):
        return f"{value + 0:g}".replace("-", "−")
    text = f"{value:.2f}" if abs(value) < 99.5 else f"{value:.0f}"
    return text.replace("-", "−") if text.strip("-0.") else "≈0"


def numbers(ax: Axes, x, y, values, cell: float, edge: str, face=colours.PAPER, short=False) -> None:
    """A vector as a row of cells with its numbers; (x, y) is the lower left corner, cell the width of one.

    short: whole numbers without decimals.
    """
    for place, value in enumerate(values):
        left = x + place * cell
        ax.add_patch(Rectangle((left, y), cell, CELL_HEIGHT, facecolor=face, edgecolor=edge, lw=1.3))
        write(ax, left + cell / 2, y + CELL_HEIGHT / 2, number(value, short), size=SMALL + 0.5)


# The cells of a matrix: row i, column j has its middle at (j, i).


def ruled(ax: Axes, shape: tuple[int, int], colour=colours.PAPER, width=1.2) -> None:
    """Thin lines between all cells of a matrix of this shape."""
    rows, columns = shape
    ax.hlines(np.arange(rows + 1) - 0.5, -0.5, columns - 0.5, color=colour, linewidth=width)
    ax.vlines(np.arange(columns + 1) - 0.5, -0.5, rows - 0.5, color=colour, linewidth=width)


def hatched(ax: Axes, x, y, width=1.0, height=1.0) -> None:
    """What is not allowed: grey and hatched; (x, y) is a corner."""
    style = {"facecolor": colours.PANEL, "edgecolor": colours.MASKED, "hatch": "////", "lw": 0}
    ax.add_patch(Rectangle((x, y), width, height, **style))


def outlined(ax: Axes, row: int, column: int, colour: str, width=2.4, zorder=3) -> None:
    """An outline just inside one cell."""
    place = (column - 0.45, row - 0.45)
    ax.add_patch(Rectangle(place, 0.9, 0.9, fill=False, edgecolor=colour, linewidth=width, zorder=zorder))
