"""The stills of chapter 07: a moment of BPE training, and coloured tokens with their ids."""

import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import FancyBboxPatch, Rectangle

from course_lib.viz import colours
from course_lib.viz.diagrams import merge_table, token_rows
from course_lib.viz.diagrams.merge_table import MERGED
from course_lib.viz.merging import PairCount, merge_states
from course_lib.viz.tokens import TONES, token_cells


def words_of(still) -> list[str]:
    return [text.get_text() for text in still.axes[0].texts]


def frames(still) -> int:
    """How many frames say "merged next": one round the pair in the table, one wherever it is taken."""
    patches = still.axes[0].patches
    return sum(
        isinstance(patch, Rectangle)
        and not patch.get_fill()
        and to_hex(patch.get_edgecolor()).upper() == colours.ACCENT
        for patch in patches
    )


def test_a_moment_of_training_shows_words_ties_and_the_next_merge():
    first, second, *_ = merge_states(["aaabdaaabac"], [1], "abcd", 4)
    still = merge_table(first.words, [1], first.pairs, first.learned)
    assert frames(still) == 1 + 2, "in `aaa` the pair `aa` is taken once"
    assert "tie" not in words_of(still) and "4" in words_of(still)
    still = merge_table(second.words, [1], second.pairs, second.learned, title="One merge")
    assert words_of(still).count("tie") == 2 and frames(still) == 1 + 2
    tinted = [
        p
        for p in still.axes[0].patches
        if isinstance(p, FancyBboxPatch) and to_hex(p.get_facecolor()) == MERGED
    ]
    assert len(tinted) == 2
    assert still.alt == (
        "One merge. Words as tokens: aa | a | b | d | aa | a | b | a | c × 1. Learned so far: 256 “aa”. "
        "Pairs: “a” + “b” 2, “aa” + “a” 2, “a” + “c” 1, “b” + “a” 1, “b” + “d” 1, “d” + “aa” 1. "
        "2 pairs tie. Next merge: “a” + “b”."
    )
    assert merge_table(second.words, [1], second.pairs, second.learned, chosen=1).alt.endswith("“aa” + “a”.")


def test_tokens_that_are_drawn_alike_are_told_apart():
    pairs = [PairCount("Ġ", "a", 2, (0,), True)]
    still = merge_table([["Ġ", "a"], ["·", "a"]], [2, 1], pairs, [], drawn={"Ġ": "·", "·": "·", "a": "a"}.get)
    assert frames(still) == 2 and still.alt.count("· | a") == 2


def test_the_end_and_what_is_too_much():
    still = merge_table([], [], [], [])
    assert "no merge follows" in words_of(still) and "Words as tokens: none." in still.alt
    assert still.alt.endswith("Learned so far: nothing. No merge follows.")
    pairs = [PairCount("a", str(n), 1, (0,), True) for n in range(9)]
    still = merge_table([["a"] * 40] * 14, [1] * 14, pairs, ["ab"] * 200)
    said = words_of(still)
    assert "and 2 more words" in said and "and 1 more pair" in said and said.count("…") == 12
    assert 12 * 10 < said.count("a") < 12 * 30 and any("455 ab" in line for line in said)
    long = merge_table([["a" * 12, "b"]], [1], [PairCount("a" * 12, "b", 1, (0,), True)], [])
    assert "aaaaaaaa…  +  b" in words_of(long) and f"“{'a' * 12}” + “b” 1" in long.alt
    with pytest.raises(ValueError, match="times has 1 numbers, expected one for each of the 2 words"):
        merge_table(["a", "b"], [1], [], [])


def test_coloured_tokens_have_their_ids_and_a_line_ends_where_the_text_says():
    cells = token_cells([1, 0, 2, 1], [b"\n", b"the", b"\xe7\x8c"])
    still = token_rows({"ours": cells, "none": []}, title="Two")
    said = words_of(still)
    for one in (
        "ours: 4 tokens for 9 bytes, 0.44 a byte",
        "the",
        "⏎",
        "⟨e7 8c⟩",
        "none: 0 tokens for 0 bytes",
    ):
        assert one in said, one
    assert [one for one in said if one.isdigit()] == ["1", "0", "2", "1"]
    boxes = [patch for patch in still.axes[0].patches if isinstance(patch, Rectangle)]
    assert [to_hex(one.get_facecolor()) for one in boxes] == [TONES[0], TONES[1]] * 2
    assert boxes[0].get_y() == boxes[1].get_y() > boxes[2].get_y() == boxes[3].get_y()
    assert still.alt == (
        "Two. ours: 4 tokens for 9 bytes, 0.44 a byte: “the” 1 “⏎” 0 “⟨e7 8c⟩” 2 “the” 1. "
        "none: 0 tokens for 0 bytes."
    )


def test_of_a_long_text_the_first_lines():
    still = token_rows({"ours": token_cells([0] * 400, [b"word"])})
    n = words_of(still).count("word")
    assert 60 < n < 200 and f"and {400 - n} more tokens" in words_of(still)
    assert still.alt.endswith("“word” 0 and 320 more.")
    with pytest.raises(ValueError, match="rows must be a dict with at least one entry"):
        token_rows({})
