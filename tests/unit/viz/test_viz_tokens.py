"""Tokens to be drawn: nothing of the text is lost, every byte can be seen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib.text.bpe import train_bpe
from course_lib.viz import colours
from course_lib.viz.tokens import TONES, TokenCell, token_cells

BPE = train_bpe("the cat, the hat\n\n  the 猫猫 été été", 290)


def test_spaces_breaks_and_halves_of_letters_are_drawn():
    tokens = [b" the", b"\n\n\t", "猫".encode(), "猫".encode()[:2], b"\xabx", b"\x00", b"\r\n"]
    cells = token_cells(range(7), tokens)
    assert [cell.shown for cell in cells] == ["·the", "⏎⏎⇥", "猫", "⟨e7 8c⟩", "⟨ab⟩x", "⟨00⟩", "␍⏎"]
    assert [cell.whole for cell in cells] == [True, True, True, False, False, True, True]
    assert [cell.breaks for cell in cells] == [0, 2, 0, 0, 0, 0, 1]
    assert cells[0] == TokenCell(0, "·the", "20 74 68 65", True, 0)
    with pytest.raises(ValueError, match="ids holds 300, expected 0 to "):
        token_cells([300], BPE.tokens)


@given(st.text(max_size=20) | st.binary(max_size=20))
def test_the_bytes_of_all_cells_are_the_text(text):
    cells = token_cells(BPE.encode(text), BPE.tokens)
    content = text if isinstance(text, bytes) else text.encode()
    assert bytes.fromhex("".join(cell.hex for cell in cells)) == content


def test_ink_reads_on_every_tone():
    assert len(set(TONES)) == 2
    for tone in TONES:
        assert colours.contrast(colours.INK, tone) >= 4.5 and colours.contrast(colours.SOFT_INK, tone) >= 4.5
