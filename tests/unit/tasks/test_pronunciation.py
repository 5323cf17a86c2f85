"""Spelling to sound: the shipped pronouncer against its card."""

import json

import pytest
import torch

from course_lib.data import cmudict
from course_lib.generation import beam
from course_lib.metrics import phoneme_error_rate, word_error_rate
from course_lib.tasks import pronunciation
from course_lib.training import checkpoints
from course_lib.training.recipe import new_model, vary

SHIPPED = (checkpoints.FOLDER / "pronouncer.safetensors").exists()


def test_pronounce_gives_letters_sounds_and_a_row_of_weights_for_each_sound():
    model = new_model(vary(pronunciation.RECIPE, d_hidden=16, d_embed=8, d_attn=8))
    letters, sounds, weights = pronunciation.pronounce(model, "Attention")
    assert letters == list("attention") and weights.shape == (len(sounds), 9)
    torch.testing.assert_close(weights.sum(-1), torch.ones(len(sounds)))


def test_the_live_transformer_is_small_and_its_schedule_fits_its_steps():
    recipe = pronunciation.LIVE_TRANSFORMER
    assert recipe.schedule.steps == recipe.steps and recipe.model.dropout == 0
    assert sum(p.numel() for p in new_model(recipe).parameters()) < 240_000
    letters, sounds, weights = pronunciation.pronounce(new_model(recipe), "Attention")
    assert weights.shape == (len(sounds), len(letters)) == (len(sounds), 9)


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


def test_a_beam_reaches_every_measure(monkeypatch):
    """Both kinds of model, on a few words: the same numbers as from what the beam says."""
    few = [entry for entry in cmudict.entries("test") if len(entry.word) < 6][:12]
    monkeypatch.setattr(pronunciation.cmudict, "entries", lambda split: few)
    monkeypatch.setattr(pronunciation, "MAX_SOUNDS", 6)
    for model in (
        new_model(vary(pronunciation.RECIPE, d_hidden=12, d_embed=8, d_attn=8)),
        new_model(vary(pronunciation.TRANSFORMER, d_model=16, n_heads=2, d_ff=16)),
    ):
        said = {size: pronunciation.say(model, few, size) for size in (1, 3)}
        assert said[1] == pronunciation.say(model, few) != said[3]
        sources = [pronunciation.LETTERS.encode(entry.word) for entry in few]
        alone = [beam(model, torch.tensor([s]), pronunciation.MAX_SOUNDS, beam_size=3)[0][0] for s in sources]
        assert said[3] == [pronunciation.SOUNDS.decode_tokens(row.tolist()) for row in alone]
        ways = [entry.pronunciations for entry in few]
        for size in (1, 3):
            rates = phoneme_error_rate(said[size], ways), word_error_rate(said[size], ways)
            assert pronunciation.error_rates(model, few, size) == rates
            measured = pronunciation.measure(model, size)
            assert (measured["phoneme_error_rate"], measured["word_error_rate"]) == rates


@pytest.mark.parametrize("name", pronunciation.SHIPPED)
def test_the_card_s_metrics_come_from_the_weights(name):
    card = checkpoints.load_card(name)
    measured = pronunciation.measure(pronunciation.load(name))
    assert measured.keys() == card["metrics"].keys()
    for kind in ("", "disjoint_"):
        assert measured[f"{kind}test_words"] == card["metrics"][f"{kind}test_words"]
        for rate, near in ((f"{kind}word_error_rate", 0.002), (f"{kind}phoneme_error_rate", 0.0005)):
            assert measured[rate] == pytest.approx(card["metrics"][rate], abs=near)
    assert measured["disjoint_word_error_rate"] > measured["word_error_rate"]  # relatives help
    assert measured["test_words"] == len(cmudict.entries("test"))
    assert measured["word_error_rate"] <= 0.34
    assert (checkpoints.FOLDER / f"{name}.safetensors").stat().st_size <= 12 * 2**20


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


@pytest.mark.skipif(not SHIPPED, reason="no shipped pronouncer: python -m course_lib train pronouncer")
def test_the_page_quotes_the_card():
    said, card = pronunciation.shipped_rates(), checkpoints.load_card("pronouncer")["metrics"]
    assert list(said) == ["test words", "test words with no relative in training"]
    assert said["test words"] == tuple(
        card[name] for name in ("test_words", "phoneme_error_rate", "word_error_rate")
    )
    assert said["test words with no relative in training"][2] == card["disjoint_word_error_rate"]


@pytest.mark.parametrize("name", pronunciation.SHIPPED)
def test_the_card_says_how_the_shipped_model_was_made(name):
    card = checkpoints.load_card(name)
    recipe = pronunciation.SHIPPED[name].recipe
    known = json.loads(json.dumps(pronunciation.about(name, recipe)))
    assert {key: card[key] for key in known} == known
    assert card["config"] == known["recipe"]["model"] and card["steps"] == recipe.steps
