"""A GPT of the Town: data, loss beside the floor, verdicts, and the way of the shipped model."""

import pytest
import torch

from course_lib.data import town
from course_lib.models.gpt import GPTConfig
from course_lib.tasks import town_gpt
from course_lib.text.tokenizers import BOS_ID, EOS_ID, WordTokenizer
from course_lib.training import checkpoints
from course_lib.training.muon import Muon
from course_lib.training.optim import WarmupStableDecay
from course_lib.training.recipe import new_model, train, vary

TINY = vary(
    town_gpt.RECIPE,
    steps=6,
    schedule=WarmupStableDecay(1, 2, 6),
    d_model=16,
    n_heads=2,
    n_layers=2,
    batch_size=8,
)


@pytest.fixture
def model():
    return new_model(TINY).eval()


def test_whole_stories_from_begin_to_end():
    ids = town_gpt.encoded(200, 0)
    assert all(row[0] == BOS_ID and row[-1] == EOS_ID for row in ids)
    told = town_gpt.stories(2_000)
    assert {len(story.sentences) for story in told} == {4, 5, 6, 7, 8}
    assert max(len(story.english_tokens) for story in told) + 1 <= town_gpt.RECIPE.model.max_len
    assert town_gpt.encoded(200, 0) != town_gpt.encoded(200, 1)


def test_the_floor_is_the_towns_own_loss():
    told = town_gpt.stories(500)
    nats = -sum(town.score(story.english_tokens).log_prob for story in told)
    assert town_gpt.floor(told) == pytest.approx(nats / sum(len(s.english_tokens) + 1 for s in told))
    assert 1.00 < town_gpt.floor(told) < 1.06


def test_the_loss_counts_every_word_once(model):
    """In batches of like length or story by story: the same sum."""
    told = town_gpt.stories(30)
    rows = [torch.tensor([town_gpt.WORDS.encode(story.english_tokens, bos=True, eos=True)]) for story in told]
    with torch.no_grad():
        nats = sum(town_gpt.next_word_loss(model, row).item() * (row.shape[1] - 1) for row in rows)
    tokens = sum(row.shape[1] - 1 for row in rows)
    assert town_gpt.loss(model, told) == pytest.approx(nats / tokens, abs=1e-4)
    assert town_gpt.gap(model, 30) == pytest.approx(nats / tokens - town_gpt.floor(told), abs=1e-4)


def test_counts_come_nearer_the_more_words_they_see_up_to_four():
    """What the page draws beside its curve; above the floor, all of them."""
    one, two, four, eight = (town_gpt.baseline(order) for order in (1, 2, 4, 8))
    assert 4.0 < one < 4.3 and 1.9 < two < 2.1 and 1.5 < four < 1.65 < eight + 0.05
    assert four < eight and four > town_gpt.floor(town_gpt.stories(1_000)) + 0.5


def test_a_little_training_comes_nearer_to_the_floor():
    recipe = vary(TINY, steps=60, schedule=WarmupStableDecay(5, 30, 60))
    model = new_model(recipe)
    before = town_gpt.gap(model, 100)
    train(model, recipe, town_gpt.task(200))
    assert 0 < town_gpt.gap(model, 100) < before - 2


def test_each_parameter_is_stepped_by_exactly_one():
    model = new_model(TINY)
    muon, adamw = TINY.optimizer(model).optimizers
    assert isinstance(muon, Muon)
    stepped = [id(p) for one in (muon, adamw) for group in one.param_groups for p in group["params"]]
    assert sorted(stepped) == sorted(id(p) for p in model.parameters())
    names = {id(p): name for name, p in model.named_parameters()}
    inside = [names[id(p)] for group in muon.param_groups for p in group["params"]]
    assert len(inside) == 2 * 6 and all(name.endswith(".weight") and ".W_" in name for name in inside)


def test_a_stopped_run_goes_on_as_the_unbroken_one(tmp_path):
    once = new_model(TINY)
    whole = train(once, TINY, town_gpt.task(100))
    for steps in (3, 6):  # a plateau of 4 steps: both begin alike
        stopped = new_model(TINY)
        part = vary(TINY, steps=steps, schedule=WarmupStableDecay(1, 2, steps))
        if steps == 3:
            part = vary(part, schedule=WarmupStableDecay(1, 1, 4))
        history = train(stopped, part, town_gpt.task(100), save_to=tmp_path / "run.state")
    assert history.losses[:3] == whole.losses[:3]
    assert history.losses[3:] == pytest.approx(whole.losses[3:], abs=1e-5)
    for a, b in zip(once.parameters(), stopped.parameters(), strict=True):
        torch.testing.assert_close(a, b, atol=1e-5, rtol=0)


# ---------------------------------------------------------------- what it writes


def test_the_town_judges_what_is_written():
    told = [story.english_tokens for story in town_gpt.stories(20)]
    assert town_gpt.judge(told) == (1.0, 1.0)
    broken = [*told[:3], told[3][:-1], (*told[4][::-1],)]
    shares = town_gpt.judge(broken)
    assert shares.valid == 0.6 and shares.consistent == 0.6
    assert sum(town_gpt.mistakes(broken).values()) == 2
    impossible = next(
        text
        for text in (one.sentences for one in town_gpt.stories(300))
        if len(text) == 5 and not town.score(tuple(w for s in text[::-1] for w in s.english)).consistent
    )
    words = [word for sentence in impossible[::-1] for word in sentence.english]
    assert town_gpt.judge([words]).consistent == 0
    with pytest.raises(ValueError, match="texts is empty"):
        town_gpt.judge([])


def test_writing_begins_as_asked_and_is_the_same_from_a_seed(model):
    texts = town_gpt.write(model, 5, start="Anna is at the park.", batch_size=2)
    assert len(texts) == 5
    assert all(text[:6] == ["anna", "is", "at", "the", "park", "."] for text in texts)
    assert texts == town_gpt.write(model, 5, start="Anna is at the park.", batch_size=2)
    assert texts != town_gpt.write(model, 5, start="Anna is at the park.", batch_size=2, seed=1)
    with pytest.raises(ValueError, match="start holds 'zebra', a word that Tiny Town does not know"):
        town_gpt.write(model, 1, start="the zebra")


# ---------------------------------------------------------------- the shipped model


def test_the_shipped_recipe_is_small_enough_and_ships(tmp_path, monkeypatch):
    """The way of the shipped model with a tiny recipe; the real one fits into 12 MB in half precision."""
    assert sum(p.numel() for p in new_model(town_gpt.SHIPPED).parameters()) * 2 < 12 * 2**20
    monkeypatch.setattr(
        "course_lib.tasks.town_gpt.shipping.measure", lambda model: town_gpt.measure(model, 30, 3)
    )
    card = town_gpt.ship(tmp_path, tmp_path, TINY, 100)
    loaded = town_gpt.load(tmp_path)
    assert isinstance(loaded.config, GPTConfig) and card["steps"] == 6
    again = town_gpt.measure(loaded, 30, 3)
    assert {name: round(value, 4) for name, value in again.items()} == card["metrics"]
    assert checkpoints.load_card("town-gpt", tmp_path)["metrics"] == card["metrics"]


def test_the_card_says_what_the_shipped_parameters_do():
    """Loss and verdicts once more, on fewer stories; and what the course promises of this model."""
    model, card = town_gpt.load(), checkpoints.load_card("town-gpt")["metrics"]
    assert card["gap"] <= 0.035 and card["valid_at_1.0"] >= 0.93
    assert 0.55 <= card["consistent_at_1.0"] < card["consistent_at_0.7"]
    assert town_gpt.gap(model, 300) == pytest.approx(card["gap"], abs=0.006)
    for temperature in (1.0, 0.7):  # of 120 texts, four standard deviations of a share
        shares = town_gpt.judge(town_gpt.write(model, 120, temperature=temperature, seed=5))
        for name, share in shares._asdict().items():
            expected = card[f"{name}_at_{temperature}"]
            assert abs(share - expected) < 4 * (expected * (1 - expected) / 120) ** 0.5 + 0.01


def test_a_checkpoint_of_other_words_is_refused(tmp_path, monkeypatch):
    checkpoints.save_checkpoint(
        "town-gpt", new_model(TINY), {}, tmp_path, tokenizers=[WordTokenizer(["a", "b"])]
    )
    with pytest.raises(ValueError, match="those on the card of town-gpt"):
        town_gpt.load(tmp_path)
