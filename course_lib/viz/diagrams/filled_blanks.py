"""The blanks of a row and what a model would fill in: bars of the likeliest words beside the truth."""

from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.patches import Rectangle

from course_lib.viz import colours
from course_lib.viz.sheet import CHARACTER, heading_room, number, sheet, wrapped, write
from course_lib.viz.still import FONT_SIZE, SMALL, Still, in_style, label, sentence, shown

BARS, MOST_BLANKS, ACROSS = 6, 6, 3  # words of a blank; blanks; side by side
PANEL, BAR, WORD = 3.2, 1.2, 1.15  # inches: a blank's width, its longest bar, its words
LINE, HEAD = 0.3, 0.4  # inches: from bar to bar, above the first
PALE = colours.tint(colours.SOFT_INK, 0.6)


class Blank(NamedTuple):
    """One blank and what is said there."""

    place: int  # in the row
    words: Sequence[str]  # likeliest first
    probabilities: Sequence[float]
    truth: str | None = None  # the word that was there; None: nobody knows
    probability: float = 0.0  # of the truth
    rank: int = 0  # of the truth, from 1
    beside: Sequence[float] = ()  # another guess's probabilities of the same words, then of the truth

    def bars(self) -> list[tuple[int, str, float, float | None]]:
        """Rank, word, probability, the other guess's: six bars, the truth among them."""
        found = zip(self.words, self.probabilities, strict=True)
        rows = [
            (n + 1, word, p, self.beside[n] if self.beside else None) for n, (word, p) in enumerate(found)
        ]
        rows = rows[:BARS]
        if self.truth is not None and self.rank > len(rows):
            rows[BARS - 1 :] = [
                (self.rank, self.truth, self.probability, self.beside[-1] if self.beside else None)
            ]
        return rows


@in_style
def filled_blanks(
    tokens: Sequence[str],
    blanks: Sequence[Blank],
    *,
    beside: str = "another guess",
    title: str = "What stood there?",
) -> Still:
    """A row with blanks, and bars for each of them.

    Args:
        tokens: T tokens of the row as it is read, `[MASK]` where a blank is.
        blanks: what is said at each; of many the first six.
        beside: what the thin grey bars are.
        title: of the picture.

    Returns:
        a Still.

    Raises:
        ValueError: no tokens, or a blank outside of the row.
    """
    if not tokens:
        raise ValueError("tokens is empty, expected the tokens of a row")
    for blank in blanks:
        if not 0 <= blank.place < len(tokens):
            raise ValueError(f"a blank is at place {blank.place}, expected 0 to {len(tokens) - 1}")
    drawn = blanks[:MOST_BLANKS]
    width = max(7.0, 0.2 + PANEL * min(ACROSS, len(drawn)))
    heading, lines = wrapped(title, width), _lines(tokens, width - 0.3)
    deep = -(-len(drawn) // ACROSS)
    height = heading_room(heading) + 0.45 + LINE * len(lines) + deep * (HEAD + LINE * BARS + 0.2)
    two = any(blank.beside for blank in drawn)
    note = "bar: chance of the word · gold: what stood there" + f" · thin and grey: {beside}" * two
    if len(blanks) > len(drawn):
        note += f" · and {len(blanks) - len(drawn)} more blanks"
    still, ax = sheet(width, height, heading, _alt(tokens, blanks, beside, title), note)
    top = height - heading_room(heading) - 0.2
    for line in lines:
        write(ax, 0.12, top, line, size=FONT_SIZE, ha="left")
        top -= LINE
    for n, blank in enumerate(drawn):
        low = top - (n // ACROSS) * (HEAD + LINE * BARS + 0.2)
        _panel(ax, blank, 0.12 + PANEL * (n % ACROSS), low)
    return still


def _panel(ax, blank: Blank, left: float, top: float) -> None:
    write(ax, left, top - 0.1, f"blank at place {blank.place}", bold=True, ha="left")
    for n, (rank, word, p, other) in enumerate(blank.bars()):
        y, start = top - HEAD - LINE * n - 0.05, left + WORD
        text = label(word) if rank == n + 1 else f"{rank}. {label(word)}"
        write(ax, start - 0.08, y, text, ha="right")
        _bar(ax, start, y, BAR, colours.PANEL)
        _bar(ax, start, y, BAR * p, colours.GENERATED)
        if other is not None:
            _bar(ax, start, y - 0.07, BAR * other, PALE, 0.07)
        if word == blank.truth:
            frame = (start - 0.03, y - 0.13), BAR + 0.06, 0.26
            ax.add_patch(Rectangle(*frame, fill=False, edgecolor=colours.GOLD, lw=2.2, zorder=5))
        write(ax, start + BAR + 0.12, y, number(p), size=SMALL, ha="left")


def _bar(ax, left: float, y: float, width: float, colour, height: float = 0.2) -> None:
    ax.add_patch(Rectangle((left, y - height / 2), width, height, facecolor=colour, lw=0))


def _lines(tokens: Sequence[str], width: float) -> list[str]:
    """The row in lines that fit."""
    lines = [""]
    for token in map(label, tokens):
        if lines[-1] and CHARACTER * 1.1 * (len(lines[-1]) + 1 + len(token)) > width:
            lines.append("")
        lines[-1] += f" {token}" if lines[-1] else token
    return lines


def _alt(tokens, blanks: Sequence[Blank], beside: str, title: str) -> str:
    told = []
    for blank in blanks:
        guesses = ", ".join(f"“{shown(word)}” {number(p)}" for _, word, p, _ in blank.bars()[:3])
        truth = f"; the truth is “{shown(blank.truth)}” {number(blank.probability)}" if blank.truth else ""
        other = f" ({beside}: {number(blank.beside[-1])})" if blank.truth and blank.beside else ""
        told.append(f" At place {blank.place}: {guesses}{truth}{other}.")
    return f"{sentence(title)} {' '.join(map(shown, tokens))}.{''.join(told) or ' No blank.'}"
