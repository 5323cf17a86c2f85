"""Hidden words: the throws are those of training, and the stills say what was thrown and filled in."""

import random

import pytest
import torch
from matplotlib.colors import to_hex
from matplotlib.patches import FancyBboxPatch, Rectangle

from course_lib.tasks.fill_in import WORDS
from course_lib.text.segments import MASK_ID
from course_lib.training import masked_words
from course_lib.viz import colours
from course_lib.viz.diagrams import filled_blanks, masked_row
from course_lib.viz.diagrams.filled_blanks import PALE, Blank
from course_lib.viz.masking import DONE, IS_MASKED, IS_REPLACED, MOST_SEED, decide, throw

IDS = torch.tensor([[4, *range(20, 32), 3, 5, *range(40, 50), 5, 0]])
IS_WORD = [int(i) in WORDS.words for i in IDS[0]]
W = len(WORDS.words)


def of_training(seed: int, **shares) -> masked_words.Corrupted:
    return masked_words.corrupt(IDS, MASK_ID, WORDS.words, torch.Generator().manual_seed(seed), **shares)


def test_the_same_seed_does_what_training_does():
    draw, seen = random.Random(0), set()
    assert DONE == masked_words.DONE
    for seed in [*range(200), MOST_SEED, 2**31]:
        masked = draw.choice([0.0, 0.7, 0.8, 1.0, draw.random()])
        shares = {"chosen": draw.choice([0.0, 0.15, 1.0, draw.random()]), "masked": masked}
        shares["replaced"] = min(draw.choice([0.0, 0.1, draw.random()]), 1 - masked)
        throws = throw(seed, IDS.shape[1], W)
        done, expected = decide(throws, IS_WORD, **shares), of_training(seed, **shares)
        assert done.tolist() == expected.done[0].tolist(), (seed, shares)
        read = [
            MASK_ID if code == IS_MASKED else WORDS.words[word] if code == IS_REPLACED else i
            for code, word, i in zip(done, throws.drawn, IDS[0].tolist(), strict=True)
        ]
        assert read == expected.ids[0].tolist(), (seed, shares)
        seen |= set(done.tolist())
    assert seen == {0, 1, 2, 3}


def test_a_throw_on_the_limit_falls_as_in_training():
    """torch compares in 32 bits: a share a hair above a throw is that throw."""
    first = throw(5, IDS.shape[1], W).first
    for place in (1, 4, 9):
        for hair in (0.0, 1e-12, -1e-12, 1e-6):
            shares = {"chosen": float(first[place]) + hair, "masked": 0.8, "replaced": 0.1}
            done = decide(throw(5, IDS.shape[1], W), IS_WORD, **shares)
            assert done.tolist() == of_training(5, **shares).done[0].tolist()
            assert bool(done[place]) == (hair == 1e-6)


def test_what_is_refused():
    with pytest.raises(ValueError, match="seed is -1, expected 0 to 4294967295"):
        throw(-1, 3, 5)
    with pytest.raises(ValueError, match="n_words is 0, expected at least 1"):
        throw(1, 3, 0)
    with pytest.raises(ValueError, match="chosen is 15, expected a share from 0 to 1"):
        decide(throw(1, 1, 1), [True], 15, 0.8, 0.1)
    with pytest.raises(ValueError, match=r"masked \+ replaced is 1\.2, expected at most 1"):
        decide(throw(1, 1, 1), [True], 0.15, 0.8, 0.4)


def words_of(still) -> list[str]:
    return [text.get_text() for text in still.axes[0].texts]


def edges(still, colour: str) -> int:
    patches = still.axes[0].patches
    return sum(to_hex(patch.get_edgecolor()).upper() == colour for patch in patches if patch.get_linewidth())


def test_a_row_says_what_is_read_and_what_must_be_said():
    tokens, reads = ["[CLS]", "tom", "is", "old", "[SEP]"], ["[CLS]", "[MASK]", "farm", "old", "[SEP]"]
    still = masked_row(tokens, reads, [0, 1, 2, 3, 0], title="Three words")
    said = words_of(still)
    assert said.count("−100") == 2 and {"masked", "replaced", "kept"} <= set(said)
    assert said.count("tom") == 2 and said.count("is") == 2 and said.count("old") == 3
    assert edges(still, colours.GOLD) == 3
    dark = [p for p in still.axes[0].patches if to_hex(p.get_facecolor()).upper() == colours.INK]
    assert len(dark) == 1 and isinstance(dark[0], FancyBboxPatch)
    assert still.alt == (
        "Three words. The model reads: [CLS] [MASK] farm old [SEP]. "
        "In the loss: “tom” masked; “is” replaced, read as “farm”; “old” kept."
    )
    assert masked_row(["a"], ["a"], [0]).alt.endswith("In the loss: nothing.")
    long = masked_row(["word"] * 90, ["word"] * 90, [0] * 90)
    assert "more tokens" in long.get_supxlabel() and long.get_size_inches()[0] < 11
    with pytest.raises(ValueError, match="tokens, reads and done have 2, 1 and 2 entries"):
        masked_row(["a", "b"], ["a"], [0, 0])
    with pytest.raises(ValueError, match="done holds 4, expected places in"):
        masked_row(["a"], ["a"], [4])


def test_bars_of_blanks_hold_the_truth_wherever_it_stands():
    words, chances = list("abcdef"), [0.4, 0.2, 0.1, 0.1, 0.05, 0.05]
    blanks = [
        Blank(1, words, chances, "b", 0.2, 2, (0.1, 0.3, 0, 0, 0, 0, 0.3)),
        Blank(3, words, chances, "z", 0.01, 31, (0.1,) * 6 + (0.5,)),
        Blank(4, words, chances),
    ]
    assert [bar[:2] for bar in blanks[1].bars()][-2:] == [(5, "e"), (31, "z")]
    assert blanks[1].bars()[-1] == (31, "z", 0.01, 0.5) and blanks[2].bars()[0] == (1, "a", 0.4, None)
    still = filled_blanks(["[CLS]", *["[MASK]"] * 4], blanks, beside="two neighbours", title="What was it?")
    said = words_of(still)
    assert "31. z" in said and said.count("a") == 3 and edges(still, colours.GOLD) == 2
    pale = [
        p
        for p in still.axes[0].patches
        if isinstance(p, Rectangle) and to_hex(p.get_facecolor()) == to_hex(PALE)
    ]
    assert len(pale) == 12 and "thin and grey: two neighbours" in still.get_supxlabel()
    assert still.alt == (
        "What was it? [CLS] [MASK] [MASK] [MASK] [MASK]. "
        "At place 1: “a” 0.40, “b” 0.20, “c” 0.10; the truth is “b” 0.20 (two neighbours: 0.30). "
        "At place 3: “a” 0.40, “b” 0.20, “c” 0.10; the truth is “z” 0.01 (two neighbours: 0.50). "
        "At place 4: “a” 0.40, “b” 0.20, “c” 0.10."
    )
    none = filled_blanks(["tom"], [])
    assert none.alt.endswith("tom. No blank.") and "grey" not in none.get_supxlabel()
    assert (
        "and 2 more blanks"
        in filled_blanks(["a"] * 9, [Blank(i, "a", [1]) for i in range(8)]).get_supxlabel()
    )
    with pytest.raises(ValueError, match="a blank is at place 3, expected 0 to 0"):
        filled_blanks(["a"], [Blank(3, "a", [1])])
    with pytest.raises(ValueError, match="tokens is empty"):
        filled_blanks([], [])
