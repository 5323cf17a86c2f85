"""A moment of BPE training drawn: the words as tokens, the pairs that they hold, what was learned so far."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle

from course_lib.viz import colours
from course_lib.viz.merging import PairCount
from course_lib.viz.sheet import box, heading_room, room_for, sheet, wrapped, write
from course_lib.viz.still import Still, in_style, label, sentence

ROW, PIECE = 0.4, 0.3  # inches: from row to row, height of a token
MOST_WORDS, MOST_PAIRS, MOST_LETTERS = 12, 8, 9  # rows; letters of a token in the table of pairs
PAIRS_WIDE, BAR, WORD_WIDE = 4.3, 0.9, 5.4  # inches: the table of pairs, its longest bar, the longest word
MERGED = to_hex(colours.tint(colours.SERIES[1], 0.22))  # behind a learned token


@in_style
def merge_table(
    words: Sequence[Sequence[str]],
    times: Sequence[int],
    pairs: Sequence[PairCount],
    learned: Sequence[str],
    *,
    chosen: int = 0,
    drawn: Callable[[str], str] = str,
    title: str = "BPE, before a merge",
) -> Still:
    """Words and pairs at one moment of BPE training.

    Args:
        words: the tokens of each different word.
        times: how often each word occurs.
        pairs: most frequent first; none when no merge follows.
        learned: the merged tokens so far, in their order; the first has id 256.
        chosen: place of the pair that is merged next.
        drawn: a token → what is written for it.
        title: of the picture.

    Returns:
        a Still.

    Raises:
        ValueError: words and times of other lengths.
    """
    if len(words) != len(times):
        raise ValueError(f"times has {len(times)} numbers, expected one for each of the {len(words)} words")
    following = pairs[chosen] if pairs else None
    known = set(learned)
    rows = [_pieces(word, known, following, drawn) for word in words[:MOST_WORDS]]
    words_wide = max([3.2, *(0.9 + row[-1].right for row in rows)])
    total = 0.3 + words_wide + PAIRS_WIDE
    heading = wrapped(title, total)
    lines = _learned_lines([drawn(token) for token in learned], total - 0.3)
    more_words, more_pairs = len(words) - MOST_WORDS, len(pairs) - MOST_PAIRS
    n_rows = max(len(rows) + (more_words > 0), min(len(pairs), MOST_PAIRS) + (more_pairs > 0), 1)
    height = heading_room(heading) + 0.45 + ROW * n_rows + 0.3 + 0.3 * len(lines) + 0.45
    note = "× : how often the word occurs · tinted: learned · framed: merged next"
    still, ax = sheet(total, height, heading, _alt(words, times, pairs, learned, chosen, drawn, title), note)
    top = height - heading_room(heading) - 0.4
    write(ax, 0.15, top + 0.1, "the words and their tokens", colours.SOFT_INK, ha="left")
    for n, (row, count) in enumerate(zip(rows, times, strict=False)):
        _word(ax, row, count, top - ROW * (n + 0.7))
    _pairs(ax, pairs, chosen, drawn, 0.3 + words_wide, top)
    for what, more, left, row in (
        ("word", more_words, 0.15, len(rows)),
        ("pair", more_pairs, 0.3 + words_wide, MOST_PAIRS),
    ):
        if more > 0:
            y = top - ROW * (row + 0.7)
            write(ax, left, y, f"and {more} more {what}{'s' * (more > 1)}", colours.SOFT_INK, ha="left")
    low = top - ROW * n_rows - 0.45
    for n, line in enumerate(lines):
        write(ax, 0.15, low - 0.3 * n, line, ha="left")
    return still


class _Piece(NamedTuple):
    """A token in the row of its word; edges in inches from the row's first token."""

    shown: str
    left: float
    right: float
    learned: bool
    taken: bool  # with the next one, by the merge that follows


def _pieces(word, known: set[str], following: PairCount | None, drawn) -> list[_Piece]:
    pieces, left, free = [], 0.0, True  # free: the token before did not take this one
    pair = following and (following.left, following.right)
    for i, token in enumerate(word):
        shown = label(drawn(token))
        right = left + max(0.26, room_for([shown]) + 0.12)
        if right > WORD_WIDE:
            pieces.append(_Piece("…", left, left + 0.3, False, False))
            break
        taken = free and tuple(word[i : i + 2]) == pair
        pieces.append(_Piece(shown, left, right, token in known, taken))
        left, free = right + 0.06, not taken
    return pieces


def _word(ax, row: Sequence[_Piece], count: int, y: float) -> None:
    """A word as a row of tokens; what the next merge takes is framed."""
    write(ax, 0.6, y, f"{count:,} ×", colours.SOFT_INK, ha="right")
    low, start = y - PIECE / 2, 0.75
    for n, piece in enumerate(row):
        face = MERGED if piece.learned else colours.PAPER
        box(ax, start + piece.left, low, piece.right - piece.left, PIECE, piece.shown, face=face, line=1.0)
        if piece.taken:
            size = row[n + 1].right - piece.left + 0.06, PIECE + 0.08
            frame = Rectangle((start + piece.left - 0.03, low - 0.04), *size, fill=False, zorder=5)
            frame.set(edgecolor=colours.ACCENT, lw=2.0)
            ax.add_patch(frame)


def _pairs(ax, pairs: Sequence[PairCount], chosen: int, drawn, left: float, top: float) -> None:
    """The most frequent pairs: tokens, count, a bar, and who ties."""
    write(ax, left, top + 0.1, "neighbouring pairs", colours.SOFT_INK, ha="left")
    write(ax, left + 2.3, top + 0.1, "count", colours.SOFT_INK, ha="right")
    ties = sum(pair.tied for pair in pairs)
    for n, pair in enumerate(pairs[:MOST_PAIRS]):
        y = top - ROW * (n + 0.7)
        if n == chosen:
            frame = (left - 0.08, y - 0.18), PAIRS_WIDE - 0.25, 0.36
            ax.add_patch(Rectangle(*frame, fill=False, edgecolor=colours.ACCENT, lw=2.0))
        both = "  +  ".join(_short(drawn(token)) for token in pair[:2])
        write(ax, left, y, both, bold=n == chosen, ha="left")
        write(ax, left + 2.3, y, f"{pair.count:,}", bold=n == chosen, ha="right")
        ax.add_patch(Rectangle((left + 2.45, y - 0.07), BAR, 0.14, facecolor=colours.PANEL, lw=0))
        share = pair.count / pairs[0].count
        ax.add_patch(Rectangle((left + 2.45, y - 0.07), BAR * share, 0.14, facecolor=colours.SOFT_INK, lw=0))
        if pair.tied and ties > 1:
            write(ax, left + 2.5 + BAR, y, "tie", bold=True, ha="left")
    if not pairs:
        write(ax, left, top - ROW * 0.7, "no merge follows", colours.SOFT_INK, ha="left")


def _short(text: str) -> str:
    return text if len(text) <= MOST_LETTERS else f"{text[: MOST_LETTERS - 1]}…"


def _learned_lines(learned: Sequence[str], width: float, most: int = 3) -> list[str]:
    """What was learned, as lines that fit; the latest stay where there are too many."""
    lines, line = [], "learned so far:"
    for n, piece in enumerate(learned):
        part = f"  {256 + n} {label(piece)}"
        if room_for([line + part], whole=True) > width:
            lines.append(line)
            line = part.strip()
        else:
            line += part
    lines.append(line if learned else "learned so far: nothing, the tokens are the 256 bytes")
    return lines if len(lines) <= most else [*lines[: most - 1], f"… {lines[-1]}"]


def _alt(words, times, pairs: Sequence[PairCount], learned, chosen: int, drawn, title: str) -> str:
    said = "; ".join(
        f"{' | '.join(map(drawn, word))} × {count}" for word, count in zip(words, times, strict=True)
    )
    names = [f"“{drawn(pair.left)}” + “{drawn(pair.right)}”" for pair in pairs]
    if pairs:
        counts = zip(names[:MOST_PAIRS], pairs, strict=False)
        table = ", ".join(f"{name} {pair.count}" for name, pair in counts)
        ties = sum(pair.tied for pair in pairs)
        last = f"Pairs: {table}.{f' {ties} pairs tie.' * (ties > 1)} Next merge: {names[chosen]}."
    else:
        last = "No merge follows."
    made = ", ".join(f"{256 + n} “{drawn(token)}”" for n, token in enumerate(learned)) or "nothing"
    return f"{sentence(title)} Words as tokens: {said or 'none'}. Learned so far: {made}. {last}"
