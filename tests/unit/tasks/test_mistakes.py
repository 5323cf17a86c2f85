"""Two pronouncers side by side: who is wrong, and how."""

import pytest

from course_lib.data.cmudict import Entry
from course_lib.tasks import mistakes, pronunciation

ENTRIES = [
    Entry(word, (tuple(way.split()),)) for word, way in (("cat", "K AE T"), ("knee", "N IY"), ("to", "T UW"))
]
SAID = {"a": ["K AH T", "K N IY", "T UW"], "b": ["K AE T", "N IH", "T UW"]}


@pytest.fixture
def seen(monkeypatch):
    def say(model, entries, beam_size):
        assert entries is ENTRIES and beam_size == 3
        return [said.split() for said in SAID[model]]

    monkeypatch.setattr(pronunciation, "say", say)
    return mistakes.compare({"a": "a", "b": "b"}, ENTRIES, beam_size=3)


def test_words_that_one_or_both_get_wrong(seen):
    assert seen.wrong == {"a": 1, "b": 0, "both": 1}


def test_kinds_in_percent_of_all_words_the_commonest_first(seen):
    third = pytest.approx(100 / 3)
    assert list(seen.kinds.items()) == [
        ("one vowel for another", (third, third)),
        ("one sound too many", (third, 0)),
    ]


def test_a_share_is_one_of_wrong_words(seen):
    assert seen.share("a", "one vowel for another") == 0.5
    assert seen.share("b", "one sound too many") == 0


def test_examples_are_wrong_words_with_what_was_said(seen):
    assert [(entry.word, " ".join(guess)) for entry, guess in seen.examples("a", 8)] == [
        ("cat", "K AH T"),
        ("knee", "K N IY"),
    ]


def test_two_models_are_needed():
    with pytest.raises(ValueError, match="expected two"):
        mistakes.compare({"a": "a"}, ENTRIES)
