"""The tokens of a text drawn as coloured pieces with their ids, one block for each tokenizer."""

from collections.abc import Mapping, Sequence

from matplotlib.patches import Rectangle

from course_lib.viz import colours
from course_lib.viz.sheet import heading_room, room_for, sheet, wrapped, write
from course_lib.viz.still import FONT_SIZE, SMALL, Still, as_named, in_style, label, sentence
from course_lib.viz.tokens import TONES, TokenCell

WIDTH, LINE, PIECE = 9.6, 0.62, 0.32  # inches: of the page, from line to line, height of a token
MOST_LINES, MOST_SAID = 6, 80  # lines of a block in the picture; tokens of a block in the alt text


@in_style
def token_rows(rows: Mapping[str, Sequence[TokenCell]], *, title: str = "A text and its tokens") -> Still:
    """Coloured tokens with their ids under them.

    Args:
        rows: name of a tokenizer → the cells of the same text, as `course_lib.viz.tokens` makes them.
        title: of the picture.

    Returns:
        a Still; of a long text the first lines.

    Raises:
        ValueError: no rows.
    """
    as_named(rows, "rows")
    blocks = {name: _lines(cells) for name, cells in rows.items()}
    heading = wrapped(title, WIDTH)
    height = heading_room(heading) + 0.5 + sum(0.45 + LINE * max(1, len(lines)) for lines in blocks.values())
    note = "· is a space, ⏎ a line break, ⟨…⟩ bytes that are no whole letter · under each token its id"
    still, ax = sheet(WIDTH, height, heading, _alt(rows, title), note)
    top = height - heading_room(heading) - 0.1
    for name, lines in blocks.items():
        write(ax, 0.12, top - 0.2, _count(name, rows[name]), ha="left", bold=True)
        top -= 0.45
        for line in lines or [[]]:
            _draw(ax, line, top - PIECE)
            top -= LINE
        shown = sum(map(len, lines))
        if shown < len(rows[name]):
            write(
                ax, WIDTH - 0.1, top + LINE + 0.2, f"and {len(rows[name]) - shown:,} more tokens", ha="right"
            )
    return still


def _count(name: str, cells: Sequence[TokenCell]) -> str:
    n_bytes = sum(len(bytes.fromhex(cell.hex)) for cell in cells)
    each = f", {len(cells) / n_bytes:.2f} a byte" if n_bytes else ""
    return f"{name}: {len(cells):,} {'token' if len(cells) == 1 else 'tokens'} for {n_bytes:,} bytes{each}"


def _width(cell: TokenCell) -> float:
    return max(room_for([cell.shown]), room_for([str(cell.id)], whole=True)) + 0.1


def _lines(cells: Sequence[TokenCell]) -> list[list[tuple[float, float, int, TokenCell]]]:
    """Tokens in lines that fit: each with its left edge, its width and its number."""
    lines, left = [[]], 0.12
    for n, cell in enumerate(cells):
        width = _width(cell)
        if lines[-1] and (left + width > WIDTH - 0.1 or cells[n - 1].breaks):
            lines.append([])
            left = 0.12
        if len(lines) > MOST_LINES:
            break
        lines[-1].append((left, width, n, cell))
        left += width + 0.03
    return [line for line in lines[:MOST_LINES] if line]


def _draw(ax, line, low: float) -> None:
    for left, width, n, cell in line:
        ax.add_patch(
            Rectangle((left, low), width, PIECE, facecolor=TONES[n % 2], edgecolor=colours.LINE, lw=0.8)
        )
        ink = colours.INK if cell.whole else colours.SOFT_INK
        write(ax, left + width / 2, low + PIECE / 2, label(cell.shown), ink, FONT_SIZE)
        write(ax, left + width / 2, low - 0.12, str(cell.id), colours.SOFT_INK, SMALL)


def _alt(rows: Mapping[str, Sequence[TokenCell]], title: str) -> str:
    said = []
    for name, cells in rows.items():
        tokens = " ".join(f"“{cell.shown}” {cell.id}" for cell in cells[:MOST_SAID])
        rest = f" and {len(cells) - MOST_SAID} more" if len(cells) > MOST_SAID else ""
        said.append(f"{_count(name, cells)}: {tokens}{rest}." if cells else f"{_count(name, cells)}.")
    return f"{sentence(title)} {' '.join(said)}"
