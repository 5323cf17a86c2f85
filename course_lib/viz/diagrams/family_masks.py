"""Who sees whom in the four families, side by side: one sentence, one set of cells, four masks."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from course_lib.families import FAMILIES, Family, family_of, reach
from course_lib.viz import colours
from course_lib.viz.sheet import hatched, heading_room, room_for, sheet, wrapped, write
from course_lib.viz.still import SMALL, Still, in_style, label, sentence, shown

START, END, BLANK = "[BOS]", "[EOS]", "[MASK]"
WIDEST, SMALLEST, LARGEST, GAP, BETWEEN = 10.9, 0.172, 0.23, 0.1, 0.18  # inches
OPEN = colours.WEIGHTS(0.42)  # as in a gallery of masks
CAPTIONS = {
    "encoder-decoder": "two stacks: full and causal,\njoined by cross-attention",
    "encoder-only": "one stack, full:\neverybody sees everybody",
    "decoder-only": "one stack, causal:\nnobody sees the future",
    "prefix-LM": "one stack: the input is full,\nthe rest is causal",
}


class Scene(NamedTuple):
    """One row of tokens as one family has it. Places count in the whole row."""

    family: str
    n_input: int
    tokens: tuple[str, ...]  # input [BOS] output [EOS]
    reads: tuple[str | None, ...]  # what stands there when it is read; None: not read there
    counted: tuple[int, ...]  # places whose token counts in the loss

    @property
    def open(self) -> list[list[bool]]:
        """A row for each query: which keys it may look at. What is not read sees and is seen by nobody."""
        cells = reach(self.family, self.n_input, len(self.tokens))
        read = [word is not None for word in self.reads]
        return [[cell and here and there for cell, there in zip(row, read, strict=True)]
                for row, here in zip(cells, read, strict=True)]  # fmt: skip

    @property
    def kinds(self) -> list[str]:
        """Of each token: "given" (read, need not be said), "predicted" (counts in the loss) or "ignored"."""
        return [
            "predicted" if place in self.counted else "given" if word is not None else "ignored"
            for place, word in enumerate(self.reads)
        ]


def scene(family: str, given: Sequence[str], written: Sequence[str], blanks: Sequence[int] = ()) -> Scene:
    """A row as a family has it in training.

    Args:
        family: one of FAMILIES. One that reads by an encoder alone reads all of the row, with blanks in it.
        given, written: tokens of the input and of the output.
        blanks: places of the row that an encoder-only model must fill.

    Raises:
        ValueError: another family, no input, or a blank outside of the row.
    """
    tokens = (*given, START, *written, END)
    if not given:
        raise ValueError("given is empty, expected the tokens of an input")
    if any(not 0 <= place < len(tokens) for place in blanks):
        raise ValueError(f"blanks is {list(blanks)}, expected places from 0 to {len(tokens) - 1}")
    if family_of(family).masks == {"encoder": "full"}:
        reads = tuple(BLANK if place in blanks else token for place, token in enumerate(tokens))
        return Scene(family, len(given), tokens, reads, tuple(sorted(blanks)))
    reads = (*tokens[:-1], None)  # the end is said, and nothing comes after it
    return Scene(family, len(given), tokens, reads, tuple(range(len(given) + 1, len(tokens))))


@in_style
def family_masks(
    given: Sequence[str],
    written: Sequence[str],
    *,
    blanks: Sequence[int] | None = None,
    token: int | None = None,
    scenes: Mapping[str, Scene] | None = None,
    title: str = "Who sees whom",
) -> Still:
    """The masks of the four families over the same row of tokens, with what counts in the loss.

    given, written: tokens of the input and of the output; between them stands `[BOS]`, behind them `[EOS]`.
    blanks: places of this row that an encoder-only model must fill (the last word but one when not given).
    token: a place whose row is marked. scenes: family -> how it has the row, where it is something else.
    Returns a Still. Raises ValueError as `scene`, or for a token outside of the row.
    """
    n = len(given) + len(written) + 2
    if blanks is None:
        blanks = (max(0, n - 3),)
    if token is not None and not 0 <= token < n:
        raise ValueError(f"token is {token}, expected a place from 0 to {n - 1}")
    scenes = scenes or {name: scene(name, given, written, blanks) for name in FAMILIES}
    tokens = next(iter(scenes.values())).tokens
    longest = room_for([*tokens, BLANK])  # a name beside its row, or upright over its column
    names, heads, between = max(1.05, longest + 0.1), longest * 0.86 + 0.12, longest + BETWEEN
    columns, cell = _columns(n, names, between)
    lines = -(-len(scenes) // columns)
    side, top, caption = cell * n + GAP, heads + cell + 0.5, 0.58
    panel = top + side + caption
    width = max(8.2, names + columns * side + (columns - 1) * between + 0.55)
    heading = wrapped(title, width)
    above = heading_room(heading) + 0.16 + 0.02 * lines * panel
    height = lines * panel + above + 0.52
    still, ax = sheet(width, height, heading, _alt(title, scenes, token))
    left = 0.36 + names
    for place, one in enumerate(scenes.values()):
        x = left + (place % columns) * (side + between)
        y = height - above - (place // columns) * panel
        _panel(ax, one, x, y, cell, heads, token)
    for line in range(lines):
        y = height - above - line * panel
        write(ax, 0.16, y - top - side / 2, "query (row)", colours.QUERY, rotation=90)
        write(ax, left - 0.1, y - top + heads / 2, "key (column)", colours.KEY, ha="right")
        write(ax, left - 0.1, y - 0.38 - cell / 2, "in training", colours.SOFT_INK, ha="right")
    _legend(ax, 0.1, 0.24)
    return still


def _columns(n: int, names: float, between: float) -> tuple[int, float]:
    """Panels in a row, and inches of a cell."""
    for columns in (2, 1):
        cell = ((WIDEST - names - 0.55 - (columns - 1) * between) / columns - GAP) / n
        if cell >= SMALLEST:
            break
    return columns, max(SMALLEST, min(LARGEST, cell))


def _panel(ax: Axes, one: Scene, x, y, cell, heads, token: int | None) -> None:
    """One family; (x, y) is the upper left corner, over its name."""
    kind, n = family_of(one.family), len(one.tokens)

    def at(place: int) -> float:
        """Inches from the first cell to this one."""
        return place * cell + (GAP if kind.cross and place >= one.n_input else 0)

    side = at(n)
    write(ax, x, y - 0.14, one.family, size=SMALL + 2, bold=True, ha="left")
    if at(n) > 2.9:
        write(ax, x + side, y - 0.14, kind.known.removeprefix("the "), colours.SOFT_INK, ha="right")
    strip, low, high = y - 0.38 - cell, y - 0.5 - cell - heads - n * cell - GAP, y - 0.5 - cell - heads
    seen = one.open[token] if token is not None else [False] * n
    for place, (word, what) in enumerate(zip(one.reads, one.kinds, strict=True)):
        _mark(ax, x + at(place), strip, cell, what)
        ink = colours.KEY if seen[place] else colours.SOFT_INK if word is None else colours.INK
        text = label(one.tokens[place] if word is None else word)
        write(
            ax, x + at(place) + cell / 2, high + 0.05, text, ink, rotation=90, va="bottom", bold=seen[place]
        )
    for place, row in enumerate(one.open):
        y_row = high - at(place) - cell
        word, picked = one.reads[place], place == token
        ink = colours.QUERY if picked else colours.SOFT_INK if word is None else colours.INK
        text = label(one.tokens[place] if word is None else word)
        write(ax, x - 0.07, y_row + cell / 2, text, ink, ha="right", bold=picked)
        for start, stop, is_open in _runs(row, one):
            left, wide = x + at(start), at(stop - 1) + cell - at(start)
            if is_open is None:
                continue
            if is_open:
                ax.add_patch(Rectangle((left, y_row), wide, cell, facecolor=OPEN, lw=0))
            else:
                hatched(ax, left, y_row, wide, cell)
    _lines(ax, one, x, high, cell, at)
    _frames(ax, one, x, high, cell, at)
    if token is not None and one.reads[token] is not None:
        read = sum(word is not None for word in one.reads)
        band = (x - 0.02, high - at(token) - cell - 0.02), at(read - 1) + cell + 0.04, cell + 0.04
        ax.add_patch(Rectangle(*band, fill=False, edgecolor=colours.QUERY, lw=2.4, zorder=5))
    write(ax, x, low - 0.12, CAPTIONS[one.family], colours.SOFT_INK, ha="left", va="top", linespacing=1.15)


def _runs(row: Sequence[bool], one: Scene):
    """Neighbouring cells of one kind, on one side of the gap: (first, end, open; None: no cells)."""
    row = [None if word is None else cell for cell, word in zip(row, one.reads, strict=True)]
    if not any(row):
        return
    edges = [i for i in range(1, len(row)) if row[i] != row[i - 1] or i == one.n_input]
    for start, stop in pairwise([0, *edges, len(row)]):
        yield start, stop, row[start]


def _lines(ax: Axes, one: Scene, x, high, cell, at) -> None:
    """Thin lines between the cells."""
    read = sum(word is not None for word in one.reads)
    ends = at(read - 1) + cell
    pen = {"color": colours.PAPER, "lw": 1.0, "zorder": 2}
    for place in range(read + 1):
        for edge in {at(place), at(place - 1) + cell} if place else {0.0}:
            ax.plot([x, x + ends], [high - edge] * 2, **pen)
            ax.plot([x + edge] * 2, [high, high - ends], **pen)


def _frames(ax: Axes, one: Scene, x, high, cell, at) -> None:
    """What belongs to one attention: three blocks in a family of two stacks, else all of it."""
    read, split = sum(word is not None for word in one.reads), one.n_input
    end, middle = at(read - 1) + cell, at(split - 1) + cell
    if not family_of(one.family).cross:
        blocks = {"": (0.0, 0.0, end, end)}
    else:
        rest = at(split)
        blocks = {
            "encoder": (0.0, 0.0, middle, middle),
            "cross": (0.0, rest, middle, end),
            "decoder": (rest, rest, end, end),
        }
    for name, (left, top, right, bottom) in blocks.items():
        size = right - left, top - bottom
        pen = {"fill": False, "edgecolor": colours.INK, "lw": 1.5, "zorder": 4}
        ax.add_patch(Rectangle((x + left, high - top), *size, **pen))
        if name:
            behind = {"facecolor": colours.PAPER, "edgecolor": "none", "pad": 1.5}
            place = x + (left + right) / 2, high - (top + bottom) / 2
            write(ax, *place, name, bold=True, bbox=behind, zorder=6)


def _mark(ax: Axes, x, y, size, what: str) -> None:
    """What a token is in training, as a small square; (x, y) is its lower left corner."""
    inner = (x + 0.02, y + 0.02), size - 0.04, size - 0.04
    look = {
        "given": {"facecolor": colours.PAPER, "edgecolor": colours.SOFT_INK, "lw": 1.2},
        "predicted": {"facecolor": colours.GENERATED, "edgecolor": colours.GENERATED, "lw": 1.2},
        "ignored": {"facecolor": colours.PAPER, "edgecolor": colours.MASKED, "lw": 1.2, "ls": (0, (2, 2))},
    }[what]
    ax.add_patch(Rectangle(*inner, **look))


def _legend(ax: Axes, x, y) -> None:
    for what, text in (
        ("given", "given: read, need not be said"),
        ("predicted", "predicted: counts in the loss"),
    ):
        _mark(ax, x, y - 0.1, 0.2, what)
        write(ax, x + 0.28, y, text, colours.SOFT_INK, ha="left")
        x += 0.45 + 0.083 * len(text)
    ax.add_patch(Rectangle((x, y - 0.08), 0.17, 0.17, facecolor=OPEN, lw=0))
    write(ax, x + 0.26, y, "may look", colours.SOFT_INK, ha="left")
    hatched(ax, x + 1.2, y - 0.08, 0.17, 0.17)
    write(ax, x + 1.46, y, "may not", colours.SOFT_INK, ha="left")


def _alt(title: str, scenes: Mapping[str, Scene], token: int | None) -> str:
    first = next(iter(scenes.values()))
    text = f"{sentence(title)} Four masks over the row {' '.join(map(shown, first.tokens))}. "
    return text + " ".join(_say(FAMILIES[name], one, token) for name, one in scenes.items())


def _say(kind: Family, one: Scene, token: int | None) -> str:
    """A family in words: who sees how many, and what counts."""
    count = [sum(row) for row in one.open]
    inner = sorted({count[i] for i in range(one.n_input)})
    after = [f"“{shown(one.tokens[i])}” {count[i]}" for i in range(one.n_input, len(count)) if count[i]]
    sees = str(inner[0]) if len(inner) == 1 else f"{inner[0]} to {inner[-1]}"
    sees = f"a token of the input sees {', '.join([sees, *after])}"
    if min(count) == max(count):
        sees = f"each token sees {count[0]}"
    counted = ", ".join(f"“{shown(one.tokens[i])}”" for i in one.counted)
    marked = (
        f" Marked: “{shown(one.tokens[token])}” sees {count[token]}."
        if token is not None and one.reads[token] is not None
        else ""
    )
    return f"{kind.name}: {CAPTIONS[kind.name].replace(chr(10), ' ')}; {sees}; predicted: {counted}.{marked}"
