"""Coloured tokens: nothing of the text is lost or run, every byte can be seen."""

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib.text.bpe import train_bpe
from course_lib.viz import colours
from course_lib.viz.tokens import TONES, TokenCell, token_cells, tokens_html

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
    page = tokens_html({"ours": cells})
    titles = re.findall(r'title="id (\d+) · bytes ([0-9a-f ]*)"', page)
    assert titles == [(str(cell.id), cell.hex) for cell in cells]
    assert [html.unescape(one) for one in re.findall(r"<span[^>]*>(.*?)</span>", page)] == [
        c.shown for c in cells
    ]


def test_two_tokenizers_side_by_side_and_nothing_runs():
    text = "<script>alert('&')</script> the"
    small = train_bpe("", 256)
    page = tokens_html(
        {
            name: token_cells(bpe.encode(text), bpe.tokens)
            for name, bpe in {"bytes <b>": small, "learned": BPE}.items()
        }
    )
    assert "<script" not in page and "<b>" not in page and "bytes &lt;b&gt;: 31 tokens, 1.00 a byte" in page
    assert f"learned: {len(BPE.encode(text))} tokens" in page and page.count("<figure") == 2
    assert "learned: 0 tokens<" in tokens_html({"learned": []})


def test_ink_reads_on_every_tone():
    assert len(set(TONES)) == 2
    for tone in TONES:
        assert colours.contrast(colours.INK, tone) >= 4.5 and colours.contrast(colours.SOFT_INK, tone) >= 4.5
