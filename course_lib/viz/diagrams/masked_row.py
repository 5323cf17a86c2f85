"""A row with hidden words: the text, what a model reads of it, what it must say."""

from collections.abc import Sequence

from course_lib.viz import colours
from course_lib.viz.masking import DONE, IS_MASKED, IS_REPLACED, UNTOUCHED
from course_lib.viz.sheet import box, heading_room, room_for, sheet, wrapped, write
from course_lib.viz.still import FONT_SIZE, SMALL, Still, in_style, label, sentence, shown

WIDTH, NAMES, BOX, APART = 10.4, 1.35, 0.34, 0.3  # inches
ROWS = (0.2, 0.5, 0.84, 1.3)  # inches below a line's top: the text, what is done, what is read, what is said
LEAST, MOST_LINES = 0.85, 4  # inches of a token's column; lines of tokens
IGNORE = "−100"  # the label of what does not count in the loss


@in_style
def masked_row(
    tokens: Sequence[str], reads: Sequence[str], done: Sequence[int], *, title: str = "Hidden words"
) -> Still:
    """What was in a row, what the model reads of it, what it must say.

    Args:
        tokens: T tokens, special ones included.
        reads: T tokens: what stands in their places.
        done: T codes, places in `course_lib.viz.masking.DONE`.
        title: of the picture.

    Returns:
        a Still; of a long row the first lines.

    Raises:
        ValueError: no tokens, other lengths, or another code.
    """
    if not tokens or not len(tokens) == len(reads) == len(done):
        raise ValueError(
            f"tokens, reads and done have {len(tokens)}, {len(reads)} and {len(done)} entries, "
            "expected as many of each, at least 1"
        )
    if any(not 0 <= code < len(DONE) for code in done):
        raise ValueError(f"done holds {max(done, key=abs)}, expected places in {DONE}")
    step = max(LEAST, room_for([*tokens, *reads]) + 0.16)
    across = int((WIDTH - NAMES) / step)
    lines = [range(n, min(n + across, len(tokens))) for n in range(0, len(tokens), across)][:MOST_LINES]
    width = max(7.0, NAMES + step * min(across, len(tokens)) + 0.1)
    heading = wrapped(title, width)
    height = heading_room(heading) + 0.5 + len(lines) * (ROWS[-1] + BOX / 2 + APART)
    note = f"gold frame: what must be said · {IGNORE}: does not count in the loss"
    left_over = len(tokens) - lines[-1].stop
    if left_over:
        note += f" · and {left_over} more tokens"
    still, ax = sheet(width, height, heading, _alt(tokens, reads, done, title), note)
    top = height - heading_room(heading) - 0.1
    for line in lines:
        rows = [top - row for row in ROWS]
        for y, name in zip(rows, ("the text", "", "model reads", "must say"), strict=True):
            write(ax, 0.1, y, name, colours.INK, ha="left", bold=name == "model reads")
        for place, t in enumerate(line):
            middle = NAMES + step * (place + 0.5)
            _column(ax, middle, step - 0.1, rows, tokens[t], reads[t], done[t])
        top -= ROWS[-1] + BOX / 2 + APART
    return still


def _column(ax, x: float, wide: float, rows: Sequence[float], token: str, read: str, done: int) -> None:
    text, what, reads, says = rows
    write(ax, x, text, label(token), colours.INK if done else colours.SOFT_INK, FONT_SIZE)
    size = x - wide / 2, reads - BOX / 2, wide, BOX
    hidden = done == IS_MASKED
    face, ink = (colours.INK, colours.PAPER) if hidden else (colours.PAPER, colours.INK)
    edge = colours.SOFT_INK if done else colours.LINE
    style = {"face": face, "ink": ink, "edge": edge, "line": 1.6 if done else 0.9}
    box(ax, *size, label(read), size=SMALL + 0.5, bold=done in (IS_MASKED, IS_REPLACED), **style)
    if done == UNTOUCHED:
        return write(ax, x, says, IGNORE, colours.SOFT_INK)
    write(ax, x, what, DONE[done])
    box(ax, size[0], says - BOX / 2, wide, BOX, label(token), edge=colours.GOLD, line=2.2)


def _alt(tokens, reads, done: Sequence[int], title: str) -> str:
    told = [
        f"“{shown(token)}” {DONE[code]}{f', read as “{shown(read)}”' if code == IS_REPLACED else ''}"
        for token, read, code in zip(tokens, reads, done, strict=True)
        if code
    ]
    read = " ".join(map(shown, reads))
    return f"{sentence(title)} The model reads: {read}. In the loss: {'; '.join(told) or 'nothing'}."
