"""Inputs above shifted targets: what is said, and what is drawn."""

import pytest

from course_lib.viz.diagrams import next_words

READ, SAID = ["the", "red", "ball"], ["red", "ball", "is"]


def test_each_input_stands_above_the_word_that_comes_next():
    still = next_words(READ, SAID, title="Three guesses")
    assert still.alt == "Three guesses. at “the” say “red”; at “red” say “ball”; at “ball” say “is”."
    columns = [
        [t.get_position()[0] for t in still.axes[0].texts if t.get_text() == word]
        for word in ("the", "red", "ball", "is")
    ]
    (the,), reds, balls, (is_,) = columns
    assert sorted(reds) == sorted([the, balls[0]]) or sorted(reds) == sorted([the, balls[1]])
    assert sorted(balls) == [max(reds), is_]
    assert still.png()[:4] == b"\x89PNG"


def test_a_line_joins_only_what_is_the_same_word():
    lines = [len(next_words(READ, targets, title="x").axes[0].lines) for targets in (SAID, ["a", "b", "c"])]
    assert lines == [2, 0]


def test_rows_of_different_length_are_named():
    for inputs, targets in (([], []), (READ, SAID[:2])):
        with pytest.raises(ValueError, match="one target below each input"):
            next_words(inputs, targets, title="x")
