"""A chat as strips of tokens: which of them a model is trained to write, which are only given."""

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from course_lib.viz import colours
from course_lib.viz.sheet import CHARACTER, box, heading_room, room_for, sheet, wrapped, write
from course_lib.viz.still import SMALL, Still, in_style, label, sentence, shown

WIDTH, NAMES, HIGH, STEP, GAP = (
    9.6,
    1.15,
    0.3,
    0.38,
    0.05,
)  # inches: names at the left, a box, from line to line
MOST_LINES = 16  # lines of boxes in the picture; the alt text has all


class StripToken(NamedTuple):
    """One token of a row of chats."""

    token: str  # as the model reads it
    id: int
    typed: str  # what stood in the text; another one where the token is unknown
    chat: int  # which chat of the row
    turn: int  # which turn of its chat; -1: before all turns
    role: str  # whose turn
    marker: bool  # a special token, put in by id
    trained: bool  # the model is trained to write it

    @property
    def kind(self) -> str:
        """How it is drawn: "trained", "tool" (given by a tool) or "given"."""
        return "trained" if self.trained else "tool" if self.role == "tool" and not self.marker else "given"


@in_style
def loss_strip(tokens: Sequence[StripToken], *, title: str = "What is trained") -> Still:
    """Boxes of tokens, a line or more for each turn, the trained ones filled.

    Args:
        tokens: of one row, in order; several chats stand one behind the other.
        title: of the picture.

    Returns:
        a Still; of a long row the first lines.

    Raises:
        ValueError: no tokens.
    """
    if not tokens:
        raise ValueError("tokens is empty, expected at least one: an empty chat has its [BOS]")
    lines = _lines(tokens)
    drawn, n_chats = lines[:MOST_LINES], tokens[-1].chat + 1
    heading = wrapped(title, WIDTH)
    said = wrapped(counted(tokens), WIDTH)
    height = heading_room(heading) + STEP * len(drawn) + 0.6 + heading_room(said)
    height += 0.3 * (drawn[-1][0].chat + 1 if n_chats > 1 else 0)
    note = "filled: the model is trained to write it · pale: given · green: given by a tool"
    if len(lines) > MOST_LINES:
        note += f" · and {sum(map(len, lines[MOST_LINES:]))} more tokens"
    still, ax = sheet(WIDTH, height, heading, _alt(tokens, title), note)
    y, before = height - heading_room(heading) - 0.1, None
    for line in drawn:
        first = line[0]
        if n_chats > 1 and (before is None or before.chat != first.chat):
            write(ax, 0.1, y - 0.15, f"chat {first.chat + 1}", bold=True, ha="left")
            if before is not None:
                ax.plot([0.1, WIDTH - 0.1], [y, y], color=colours.SOFT_INK, lw=1.2, ls=(0, (5, 3)))
            y -= 0.3
        if before is None or _turn(before) != _turn(first):
            write(ax, 0.1, y - STEP / 2, line[-1].role, ha="left", bold=True)
        x = NAMES
        for token in line:
            _box(ax, x, y - STEP / 2 - HIGH / 2, token)
            x += _wide(token) + GAP
        y, before = y - STEP, line[-1]
    write(ax, 0.1, y - heading_room(said) / 2 - 0.02, said, ha="left")
    return still


def counted(tokens: Sequence[StripToken]) -> str:
    """How many tokens are trained, as a sentence."""
    trained, ends = sum(t.trained for t in tokens), sum(t.trained and t.token == "<|end|>" for t in tokens)
    turns = len({(t.chat, t.turn) for t in tokens if t.role in ("assistant", "call")})
    return (
        f"{len(tokens)} tokens, {trained} of them trained. Ends trained: {ends}; "
        f"turns that the assistant writes: {turns}."
    )


def _turn(token: StripToken) -> tuple[int, int]:
    return token.chat, max(0, token.turn)  # what stands before all turns is drawn with the first


def _lines(tokens: Sequence[StripToken]) -> list[list[StripToken]]:
    lines = []
    for _, turn in groupby(tokens, _turn):
        lines.append([])
        x = NAMES
        for token in turn:
            if lines[-1] and x + _wide(token) > WIDTH - 0.1:
                lines.append([])
                x = NAMES
            lines[-1].append(token)
            x += _wide(token) + GAP
    return lines


def _wide(token: StripToken) -> float:
    return max(0.28, room_for([token.token]) + CHARACTER)


def _box(ax, x: float, y: float, token: StripToken) -> None:
    face, edge, ink = {
        "trained": (colours.GENERATED, colours.GENERATED, colours.PAPER),
        "tool": (colours.VALUE_TINT, colours.VALUE, colours.INK),
        "given": (colours.PANEL, colours.LINE, colours.SOFT_INK if token.marker else colours.INK),
    }[token.kind]
    unknown = token.typed != token.token and not token.marker
    style = {"face": face, "edge": colours.INK if unknown else edge, "ink": ink, "dashed": unknown, "line": 1}
    box(ax, x, y, _wide(token), HIGH, label(token.token), size=SMALL, bold=token.trained, **style)


def _alt(tokens: Sequence[StripToken], title: str) -> str:
    parts, n_chats = [], tokens[-1].chat + 1
    for (chat, turn), group in groupby(tokens, _turn):
        said = []
        for trained, some in groupby(group, lambda token: token.trained):
            words = " ".join(shown(token.token) for token in some)
            said.append(f"[trained: {words}]" if trained else words)
        start = f"Chat {chat + 1}: " if n_chats > 1 and turn == 0 else ""
        parts.append(f"{start}{' '.join(said)}")
    return f"{sentence(title)} {' / '.join(parts)}. {counted(tokens)}"
