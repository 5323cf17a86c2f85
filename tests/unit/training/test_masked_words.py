"""Which words are hidden, how, and what counts in the loss."""

import pytest
import torch

from course_lib.text.segments import CLS_ID, MASK_ID, SEP_ID, SegmentTokenizer, join, stack
from course_lib.text.tokenizers import PAD_ID, SPECIAL_TOKENS
from course_lib.training.masked_words import (
    DONE,
    IS_KEPT,
    IS_MASKED,
    IS_REPLACED,
    UNTOUCHED,
    corrupt,
    count,
    expected,
)
from course_lib.training.objectives import IGNORE, token_loss

WORDS = SegmentTokenizer([f"w{i}" for i in range(400)])
SPECIAL = {i: token for i, token in enumerate(WORDS.tokens) if i not in WORDS.words}


def dice(seed=0):
    return torch.Generator().manual_seed(seed)


def rows(n, longest=60, seed=1):
    """Pairs of texts of many lengths, padded."""
    g = dice(seed)

    def text():
        length = int(torch.randint(2, longest, (), generator=g))
        return torch.randint(WORDS.words[0], len(WORDS), (length,), generator=g).tolist()

    return stack([join(text(), text()) for _ in range(n)]).ids


def test_shares_over_many_tokens():
    """15 ± 0.2 % of the words; of these 80, 10 and 10 % within half a percent point."""
    ids = rows(4_000)
    found = corrupt(ids, MASK_ID, WORDS.words, dice())
    table = count(ids, found.done, SPECIAL)
    words = table.pop("word")
    n_words, n_chosen = sum(words.values()), sum(words.values()) - words["untouched"]
    assert n_words > 200_000
    assert abs(n_chosen / n_words - 0.15) < 0.002
    for name, share in (("masked", 0.8), ("replaced", 0.1), ("kept", 0.1)):
        assert abs(words[name] / n_chosen - share) < 0.005
        assert expected(n_words)[name] == pytest.approx(n_words * 0.15 * share)
    assert set(table) == {"[CLS]", "[SEP]", "[PAD]"}  # and nothing is ever done to them
    for counts in table.values():
        assert counts["untouched"] == sum(counts.values()) > 0


def test_what_is_read_and_what_must_be_said():
    ids = rows(300)
    before = ids.clone()
    read, labels, done = corrupt(ids, MASK_ID, WORDS.words, dice())
    assert torch.equal(ids, before)
    assert torch.equal(labels == IGNORE, done == UNTOUCHED)
    assert torch.equal(labels[done != UNTOUCHED], ids[done != UNTOUCHED])
    assert (read[done == IS_MASKED] == MASK_ID).all() and not (read[done != IS_MASKED] == MASK_ID).any()
    same = (done == UNTOUCHED) | (done == IS_KEPT)
    assert torch.equal(read[same], ids[same])
    drawn = read[done == IS_REPLACED]
    assert (drawn >= WORDS.words[0]).all() and len(drawn.unique()) > 200  # many words, none of them special
    assert len(DONE) == 4


def test_the_seed_decides_and_rows_differ():
    ids = rows(1).expand(50, -1)
    once, again, other = (corrupt(ids, MASK_ID, WORDS.words, dice(s)) for s in (3, 3, 4))
    assert all(torch.equal(a, b) for a, b in zip(once, again, strict=True))
    assert not torch.equal(once.done, other.done)
    assert len(once.done.unique(dim=0)) > 40  # a row that comes again is hidden anew


def test_target_id_0_is_a_target():
    """In a vocabulary whose word 0 is a word, it is chosen and counted as any other."""
    ids = torch.arange(0, 4).repeat(64, 8)  # (64, 32)
    read, labels, _ = corrupt(ids, 9, range(4), dice(), chosen=0.5, replaced=0.0, masked=1.0)
    zero = labels == 0
    assert 150 < int(zero.sum()) < 350 and (read[zero] == 9).all()
    logits = torch.zeros(64, 32, 10)
    logits[..., 0] = 5.0
    only_zero = labels.masked_fill(~zero, IGNORE)
    assert token_loss(logits, only_zero) < 0.1 < token_loss(logits, labels)


def test_the_loss_does_not_move_with_what_was_not_chosen():
    ids = rows(20)
    _, labels, done = corrupt(ids, MASK_ID, WORDS.words, dice())
    logits = torch.randn(*ids.shape, len(WORDS), generator=dice(2), requires_grad=True)
    loss = token_loss(logits, labels)
    loss.backward()
    assert (logits.grad[done == UNTOUCHED] == 0).all() and (logits.grad[done != UNTOUCHED] != 0).any(-1).all()
    elsewhere = torch.where((done == UNTOUCHED)[..., None], logits + 7 * torch.randn_like(logits), logits)
    assert token_loss(elsewhere, labels) == loss
    changed = torch.where(done == UNTOUCHED, (ids + 1) % len(WORDS), ids)  # other words where none is chosen
    assert torch.equal(changed.masked_fill(done == UNTOUCHED, IGNORE), labels)


@pytest.mark.parametrize(
    ("shares", "kinds"),
    [
        ({"masked": 1.0, "replaced": 0.0}, {UNTOUCHED, IS_MASKED}),
        ({"masked": 0.0, "replaced": 1.0}, {UNTOUCHED, IS_REPLACED}),
        ({"masked": 0.0, "replaced": 0.0}, {UNTOUCHED, IS_KEPT}),
        ({"chosen": 1.0}, {UNTOUCHED, IS_MASKED, IS_REPLACED, IS_KEPT}),
        ({"chosen": 0.0}, {UNTOUCHED}),
    ],
)
def test_other_shares(shares, kinds):
    ids = rows(100)
    done = corrupt(ids, MASK_ID, WORDS.words, dice(), **shares).done
    assert set(done.unique().tolist()) == kinds
    if shares == {"chosen": 1.0}:
        assert torch.equal(done != UNTOUCHED, ids > MASK_ID)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"words": range(len(WORDS))}, r"the id of \[MASK\], expected ordinary words only"),
        ({"words": []}, r"words has shape \(0,\), expected \(W,\)"),
        ({"chosen": 15}, "chosen is 15, expected a share from 0 to 1"),
        ({"masked": 0.8, "replaced": 0.3}, "masked \\+ replaced is 1.1, expected at most 1"),
        ({"ids": torch.arange(9)}, r"ids has shape \(9,\)"),
    ],
)
def test_bad_input(changes, message):
    good = {"ids": rows(2), "mask_id": MASK_ID, "words": WORDS.words, "generator": dice()}
    with pytest.raises(ValueError, match=message):
        corrupt(**good | changes)


def test_special_tokens_have_ids_of_their_own():
    assert list(SPECIAL.items()) == list(enumerate((*SPECIAL_TOKENS, "[CLS]", "[SEP]", "[MASK]")))
    assert (PAD_ID, CLS_ID, SEP_ID, MASK_ID) == (0, 4, 5, 6)
