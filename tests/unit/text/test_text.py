"""Tokenizers and batching."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_lib.text.batching import batches_by_length, endless, pad
from course_lib.text.tokenizers import (
    BOS_ID,
    EOS_ID,
    PAD_ID,
    SPECIAL_TOKENS,
    UNK_ID,
    CharacterTokenizer,
    WordTokenizer,
)


def test_words_round_trip_with_marks():
    words = WordTokenizer(["the", "cat", "sleeps"])
    ids = words.encode("the cat sleeps", bos=True, eos=True)
    assert ids == [BOS_ID, 4, 5, 6, EOS_ID] and len(words) == 7
    assert words.decode([*ids, PAD_ID, PAD_ID]) == "the cat sleeps"
    assert words.decode([4, EOS_ID, 5]) == "the"  # nothing behind the end


def test_four_ids_are_apart():
    assert len({PAD_ID, BOS_ID, EOS_ID, UNK_ID}) == 4


@pytest.mark.parametrize("special", SPECIAL_TOKENS)
def test_a_user_cannot_spell_a_special_token(special):
    assert WordTokenizer(["a"]).encode(f"a {special}") == [4, UNK_ID]


@given(st.text(alphabet="abcdef'", max_size=30))
def test_characters_round_trip(text):
    letters = CharacterTokenizer("abcdef'")
    assert letters.decode(letters.encode(text, bos=True, eos=True)) == text


def test_unknown_characters_become_unknown():
    assert CharacterTokenizer("ab").encode("aéb") == [4, UNK_ID, 5]


@pytest.mark.parametrize(
    ("tokens", "message"), [(["a", "a"], "'a' twice"), (["a", ""], "empty string"), (["[PAD]"], "twice")]
)
def test_bad_vocabularies_are_named(tokens, message):
    with pytest.raises(ValueError, match=message):
        WordTokenizer(tokens)


def test_pad_fills_on_the_right():
    assert pad([[5], [6, 7, 8]]).tolist() == [[5, PAD_ID, PAD_ID], [6, 7, 8]]
    with pytest.raises(ValueError, match="sequences is empty"):
        pad([])


def lengths(n=500):
    return torch.randint(1, 40, (n,), generator=torch.Generator().manual_seed(0)).tolist()


@pytest.mark.parametrize("seed", [None, 0, 1])
def test_an_epoch_holds_each_item_once_in_batches_of_like_length(seed):
    generator = None if seed is None else torch.Generator().manual_seed(seed)
    batches = list(batches_by_length(lengths(), 16, generator))
    assert sorted(i for batch in batches for i in batch) == list(range(500))
    padded = sum(len(batch) * max(lengths()[i] for i in batch) for batch in batches)
    assert padded < 1.15 * sum(lengths())  # at most 15 % of the work is padding


def test_order_depends_on_the_seed_alone():
    def order(seed):
        return list(batches_by_length(lengths(), 16, torch.Generator().manual_seed(seed)))

    assert order(0) == order(0) and order(0) != order(1)
    longest = [max(lengths()[i] for i in batch) for batch in order(0)]
    assert longest != sorted(longest)  # long batches are not kept for the end


def test_endless_goes_round_and_refuses_nothing():
    stream = endless(lambda: iter([1, 2]))
    assert [next(stream) for _ in range(5)] == [1, 2, 1, 2, 1]
    with pytest.raises(ValueError, match="without a single batch"):
        next(endless(lambda: iter([])))
    with pytest.raises(ValueError, match="batch_size is 0"):
        list(batches_by_length([1], 0))
