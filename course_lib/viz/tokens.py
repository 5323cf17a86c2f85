"""Tokens of a text made visible: spaces and line breaks drawn, halves of letters as bytes, ids on pointing.

Ids and bytes in, plain cells or one piece of HTML out; no tokenizer is known here.
"""

import html
from collections.abc import Iterable, Mapping, Sequence
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


def tokens_html(rows: Mapping[str, Iterable[TokenCell]]) -> str:
    """Coloured tokens as HTML, one block a tokenizer, so that two can be compared.

    Args:
        rows: name of a tokenizer → the cells of the same text.

    Returns:
        HTML that holds no script; pointing at a token shows its id and its bytes, and a screen reader reads
        how many tokens there are, then the tokens.
    """
    return "\n".join(_block(name, list(cells)) for name, cells in rows.items())


def _block(name: str, cells: list[TokenCell]) -> str:
    n_bytes = sum(len(bytes.fromhex(cell.hex)) for cell in cells)
    per_byte = f", {len(cells) / n_bytes:.2f} a byte" if n_bytes else ""
    head = f"{html.escape(name)}: {len(cells):,} tokens{per_byte}"
    parts = []
    for n, cell in enumerate(cells):
        style = f"background:{TONES[n % 2]};border-right:1px solid {colours.LINE}"
        if not cell.whole:
            style += f";color:{colours.SOFT_INK}"
        said = f"id {cell.id} · bytes {cell.hex}"
        parts.append(f'<span style="{style}" title="{said}">{html.escape(cell.shown)}</span>')
        parts.append("<br>" * cell.breaks + "<wbr>" * (not cell.breaks))
    box = f"color:{colours.INK};background:{colours.PAPER};font-family:monospace;line-height:1.7"
    caption = f"<figcaption>{head}</figcaption>"
    return f'<figure style="margin:0 0 1em">{caption}<div style="{box}">{"".join(parts)}</div></figure>'


def _mark(character: str) -> str:
    if _is_byte(character):
        return f"⟨{ord(character) - 0xDC00:02x}⟩"
    if character in MARKS:
        return MARKS[character]
    return character if character.isprintable() else f"⟨{character.encode().hex(' ')}⟩"


def _is_byte(character: str) -> bool:
    """A byte that belongs to no whole letter."""
    return "\udc80" <= character <= "\udcff"
