"""The small language model of Town sentences: its masks, right and wrong, its losses, and its writing."""

from functools import partial

import pytest
import torch

from course_lib import faults
from course_lib.data import town
from course_lib.tasks import town_lm
from course_lib.training.recipe import new_model, train, train_in_stages, vary

TINY = vary(town_lm.RECIPE, steps=2, d_model=16, n_heads=2, batch_size=8)


@pytest.fixture
def model():
    return new_model(TINY).eval()


def test_the_floor_is_the_towns_own_probability():
    stories = town_lm.sentences(50)
    assert all(len(story.sentences) == 1 for story in stories)
    nats = -sum(town.score(story.english_tokens, grammar=town_lm.GRAMMAR).log_prob for story in stories)
    tokens = sum(len(story.english_tokens) + 1 for story in stories)
    assert town_lm.floor(stories) == pytest.approx(nats / tokens)
    assert max(len(story.english_tokens) for story in town_lm.sentences(2000)) <= town_lm.MAX_WORDS


@pytest.mark.parametrize("mode", [True, False])
def test_looking_at_a_model_leaves_its_mode(model, mode):
    model.train(mode)
    town_lm.reading_loss(model, town_lm.sentences(5))
    town_lm.writing_loss(model, town_lm.sentences(5))
    town_lm.write(model, 2)
    assert model.training is mode


def test_reading_and_writing_cost_the_same_without_a_leak(model):
    stories = town_lm.sentences(20)
    honest = town_lm.reading_loss(model, stories), town_lm.writing_loss(model, stories)
    assert honest[0] == pytest.approx(honest[1], abs=1e-4)
    assert honest[0] > town_lm.floor(stories)
    faulty = [f(model, stories, faults.one_too_far) for f in (town_lm.reading_loss, town_lm.writing_loss)]
    assert abs(faulty[0] - faulty[1]) > 1e-3


def test_stages_do_not_change_a_run():
    """Stopping to measure leaves weights, batches and dropout as they would have been."""
    reader = partial(faults.drop_after, p=0.5)
    task = town_lm.task(reader, n_sentences=100)
    once, stopped = new_model(TINY), new_model(TINY)
    [(step, history)] = train_in_stages(once, TINY, task, (4,))
    steps = []
    for stage, part in train_in_stages(stopped, TINY, task, (1, 4)):
        steps.append((stage, part.steps))
        town_lm.write(stopped, 2, seed=3)
        torch.rand(5)
    assert (step, history.steps) == (4, 4) and steps == [(1, 1), (4, 3)]
    for a, b in zip(once.parameters(), stopped.parameters(), strict=True):
        assert torch.equal(a, b)
    with pytest.raises(ValueError, match="rising numbers of steps"):
        next(train_in_stages(once, TINY, task, (4, 2)))


def test_training_lowers_the_loss_and_tells_the_steps():
    model, seen = new_model(TINY), []
    before = town_lm.reading_loss(model, town_lm.sentences(20))
    recipe = vary(TINY, steps=30, lr=1e-2)
    history = train(
        model, recipe, town_lm.task(n_sentences=100), on_step=lambda step, loss: seen.append(step)
    )
    assert history.steps == 30 and seen == list(range(1, 31))
    assert town_lm.reading_loss(model, town_lm.sentences(20)) < before - 0.5


def test_writing_starts_as_asked_and_repeats_with_its_seed(model):
    texts = town_lm.write(model, 3, start="the ball", seed=1)
    assert all(tokens[:2] == ["the", "ball"] for tokens in texts) and len(texts) == 3
    assert (
        texts
        == town_lm.write(model, 3, start="the ball", seed=1)
        != town_lm.write(model, 3, start="the ball", seed=2)
    )
    greedy = town_lm.write(model, 2, temperature=0, seed=0)
    assert greedy[0] == greedy[1]
    with pytest.raises(ValueError, match="'unicorn', a word that Tiny Town does not know"):
        town_lm.write(model, 1, start="the unicorn")


def test_the_judge_counts_valid_consistent_and_different():
    valid = ["anna", "is", "at", "the", "school", "."]
    impossible = ["tom", "and", "tom", "go", "to", "the", "fields", "."]
    assert town_lm.judge([valid, valid, impossible, ["park", "."]]) == (0.75, 0.5, 0.25)
    with pytest.raises(ValueError, match="texts is empty"):
        town_lm.judge([])


def test_wrong_texts_are_counted_by_length():
    right = ["anna", "is", "at", "the", "school", "."]
    named_twice = ["tom", "has", "a", "black", "book", ",", "then", "tom", "goes", "to", "the", "beach", "."]
    said = ["tom", "has", "a", "black", "book", ",", "then", "he", "goes", "to", "the", "beach", "."]
    counted = town_lm.wrong_by_length([right, ["park", "."], named_twice, said])
    assert counted == {"1 to 6 words": (1, 2, 8), "11 to 45 words": (1, 2, 26)}


def test_a_second_clause_never_begins_with_a_name_that_was_said():
    """The page says so of a sentence that looks like good English."""
    seen = 0
    for story in town_lm.sentences(5000):
        words = story.english_tokens
        for place, word in enumerate(words[1:], 1):
            if words[place - 1] in ("then", "while", "but", "because") and word in town.TOWN.names:
                seen += 1
                assert word not in words[: place - 1]
    assert seen > 100


def test_a_reader_with_a_window_sees_no_further_back(model):
    ids = torch.randint(4, 100, (2, 7), generator=torch.Generator().manual_seed(0))
    changed = ids.clone()
    changed[:, 0] += 1
    moved = town_lm.windowed(2)(model, ids) != town_lm.windowed(2)(model, changed)
    # two layers, each one step back; TINY has two layers
    assert moved.any(-1).any(0).tolist() == [True, True, True, False, False, False, False]
    assert torch.equal(town_lm.windowed(7)(model, ids), town_lm.causal(model, ids))


def test_a_model_under_any_mask_reads_as_its_readers_do(model):
    tokens = list(town_lm.sentences(1)[0].english_tokens)
    ids, n = torch.tensor([town_lm.WORDS.encode(tokens, bos=True)]), len(tokens) + 1
    read, everything = town_lm.under_masks(model), torch.ones(n, n, dtype=torch.bool)
    for mask, where, reader in (
        (everything.tril(), "before", town_lm.causal),
        (everything.tril(1).numpy(), "before", faults.one_too_far),
        (everything.tril(), "after", faults.multiplied_after),
        (everything.tril(), "none", lambda model, ids: model(ids)[0]),
    ):
        said = read(["[BOS]", *tokens], mask, where)
        with torch.no_grad():
            expected = reader(model, ids)[0].softmax(-1)
        torch.testing.assert_close(said.probabilities, expected, atol=1e-6, rtol=1e-5)
        assert said.words == town_lm.WORDS.tokens and said.weights.shape == (2, 2, n, n)
        assert where == "none" or (said.weights[:, :, ~torch.as_tensor(mask)] == 0).all()
    assert read(["[BOS]", "tom", "[PAD]"], everything[:3, :3]).probabilities.shape == (3, len(town_lm.WORDS))


@pytest.mark.parametrize(
    ("word", "advice"),
    [("bal", "did you mean “ball”"), ("Ball", "did you mean “ball”"), ("xyzzy", "one of its")],
)
def test_a_word_that_the_town_does_not_know_is_answered_kindly(model, word, advice):
    with pytest.raises(ValueError, match=f"“{word}” is a word that Tiny Town does not know; {advice}"):
        town_lm.under_masks(model)(["[BOS]", "tom", word], torch.ones(3, 3, dtype=torch.bool))
