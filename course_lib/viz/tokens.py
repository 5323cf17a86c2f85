"""Tokens of a text made visible: spaces and line breaks drawn, halves of letters as bytes.

Ids and bytes in, plain cells out; no tokenizer is known here.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from matplotlib.colors import to_hex

from course_lib.viz import colours

MARKS = {" ": "·", "\n": "⏎", "\t": "⇥", "\r": "␍"}
TONES = tuple(to_hex(colours.tint(tone, 0.12)) for tone in colours.SERIES[:2])  # neighbours differ, no more


class TokenCell(NamedTuple):
    """One token as it is drawn."""

    id: int
    shown: str  # white space drawn as MARKS; bytes that are no whole letters as `⟨e4 bd⟩`
    hex: str  # its bytes
    whole: bool  # whole letters only
    breaks: int  # line breaks in it: the next token stands on a new line


def token_cells(ids: Iterable[int], tokens: Sequence[bytes]) -> list[TokenCell]:
    """Each token of a text, ready to be drawn.

    Args:
        ids: of the text.
        tokens: id -> bytes.

    Raises:
        ValueError: an id that `tokens` does not have.
    """
    cells = []
    for i in ids:
        if not 0 <= i < len(tokens):
            raise ValueError(
                f"ids holds {i}, expected 0 to {len(tokens) - 1}: were they made by another tokenizer?"
            )
        token = tokens[i]
        text = token.decode("utf-8", "surrogateescape")  # what is no letter becomes a sign of its own
        shown = "".join(map(_mark, text)).replace("⟩⟨", " ")
        whole = not any(map(_is_byte, text))
        cells.append(TokenCell(i, shown, token.hex(" "), whole, token.count(b"\n")))
    return cells


def _mark(character: str) -> str:
    if _is_byte(character):
        return f"⟨{ord(character) - 0xDC00:02x}⟩"
    if character in MARKS:
        return MARKS[character]
    return character if character.isprintable() else f"⟨{character.encode().hex(' ')}⟩"


def _is_byte(character: str) -> bool:
    """A byte that belongs to no whole letter."""
    return "\udc80" <= character <= "\udcff"
