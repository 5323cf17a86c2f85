"""The stepper's states are the library's training, one merge after another; ties are told."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib.text.bpe import train_bpe
from course_lib.text.presplit import LETTERS, printable, split
from course_lib.viz.merging import merge_states, picked


def states_of(text: str, n_merges: int):
    counted = Counter(split(text))
    return merge_states(
        [printable(word.encode()) for word in counted], list(counted.values()), LETTERS, n_merges
    )


@given(st.text("abc 'é\n", max_size=40), st.integers(0, 12))
def test_the_merges_are_those_of_the_library(text, n_merges):
    states = states_of(text, n_merges)
    bpe = train_bpe(text, 256 + n_merges)
    assert states[-1].learned == tuple(printable(token) for token in bpe.tokens[256:])
    assert len(states) == len(bpe.merges) + 1
    encoded = [tuple(printable(bpe.tokens[i]) for i in bpe.encode(word)) for word in Counter(split(text))]
    assert states[-1].words == tuple(encoded)


def test_a_tie_is_seen_and_the_smaller_ids_win():
    first, second, *_ = states_of("aaabdaaabac", 4)
    assert [(pair.left, pair.right, pair.count, pair.tied) for pair in first.pairs] == [
        ("a", "a", 4, True),
        ("a", "b", 2, False),
        ("a", "c", 1, False),
        ("b", "a", 1, False),
        ("b", "d", 1, False),
        ("d", "a", 1, False),
    ]
    assert first.ties == 1 and second.learned == ("aa",) and second.ties == 2
    assert [(pair.left, pair.right) for pair in second.pairs[:2]] == [("a", "b"), ("aa", "a")]
    assert second.words == (("aa", "a", "b", "d", "aa", "a", "b", "a", "c"),)
    assert first.pairs[0].words == (0,)


def test_a_tie_can_be_decided_by_hand_and_only_a_tie():
    words, times = ["aaabdaaabac"], [1]
    by_hand = merge_states(words, times, LETTERS, 3, picks=[0, 1])
    assert by_hand[-1].learned[:2] == ("aa", "aaa")
    assert by_hand[2].words == (("aaa", "b", "d", "aaa", "b", "a", "c"),)
    rule = merge_states(words, times, LETTERS, 3)
    for wrong in ([1], [0, 2], [0, -1], [0, 99], [0, 0, 0, 0, 1]):
        assert merge_states(words, times, LETTERS, 3, wrong) == rule
    assert picked(rule[1].pairs, [0, 1], 1) == 1 and picked(rule[0].pairs, [0, 1], 0) == 0
    assert picked((), [3], 0) == 0


def test_it_ends_when_no_pair_is_left():
    states = merge_states([["a", "b"], ["b"]], [2, 5], "ab", 10)
    assert [state.learned for state in states] == [(), ("ab",)]
    assert states[0].pairs[0].count == 2 and states[1].pairs == () and states[1].ties == 0


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="times has 1 numbers, expected one for each of the 2 words"):
        merge_states(["ab", "b"], [1], "ab")
    with pytest.raises(ValueError, match="words holds 'z', expected tokens of the alphabet"):
        merge_states(["az"], [1], "ab")
