"""The small language model of Town sentences: its masks, right and wrong, its losses, and its writing."""

import math
from functools import partial

import pytest
import torch

from course_lib.data import town
from course_lib.generation import sample
from course_lib.masks import causal_mask, masked_softmax
from course_lib.tasks import town_lm
from course_lib.text.tokenizers import BOS_ID, EOS_ID, PAD_ID
from course_lib.training.recipe import new_model, train, train_in_stages, vary

TINY = vary(town_lm.RECIPE, steps=2, d_model=16, n_heads=2, batch_size=8)
READERS = (town_lm.causal, town_lm.one_too_far, town_lm.one_too_strict, town_lm.multiplied_after)


@pytest.fixture
def model():
    return new_model(TINY).eval()


@pytest.fixture
def ids():
    return torch.randint(4, 100, (2, 7), generator=torch.Generator().manual_seed(0))


def test_written_out_and_library_read_alike(model, ids):
    ours = town_lm.forward_with(model, ids, lambda scores: masked_softmax(scores, causal_mask(7)))
    assert torch.allclose(ours, town_lm.causal(model, ids), atol=1e-5)


@pytest.mark.parametrize(("reader", "leaks"), list(zip(READERS, (False, True, False, True), strict=True)))
def test_only_the_faulty_masks_let_the_future_move_the_past(model, ids, reader, leaks):
    changed = ids.clone()
    changed[:, -1] += 1
    moved = (reader(model, ids) - reader(model, changed))[:, :-1].abs().max()
    assert (moved > 1e-5) if leaks else (moved == 0)
    assert reader(model, ids).isfinite().all()


def test_the_masks_of_the_readers():
    assert town_lm.sees_next(3).tolist() == [[True, True, False], [True] * 3, [True] * 3]
    assert not town_lm.sees_only_before(3)[0].any() and town_lm.sees_only_before(3)[2, :2].all()


@pytest.mark.parametrize("reader", (town_lm.drop_before, town_lm.drop_after))
def test_dropout_acts_in_training_only(model, ids, reader):
    torch.manual_seed(0)
    assert torch.allclose(reader(model, ids, 0.5), town_lm.causal(model, ids), atol=1e-5)
    model.train()
    assert not torch.allclose(reader(model, ids, 0.5), reader(model, ids, 0.5), atol=1e-3)
    assert torch.allclose(reader(model, ids, 0.0), town_lm.causal(model, ids), atol=1e-5)
    assert reader(model, ids, 0.95).isfinite().all()  # rows that lose every key


def test_where_dropout_stands_decides_whether_rows_sum_to_1(model, ids):
    """Before the softmax what is left shares the whole 1; no key of the future ever comes in."""
    torch.manual_seed(0)
    scores = torch.randn(4, 2, 6, 6)
    kept = town_lm.kept_keys(model.train(), scores, 0.5)
    assert not (kept & ~causal_mask(6)).any()
    sums = masked_softmax(scores, kept).sum(-1)
    assert torch.allclose(sums, kept.any(-1).float())
    share = kept[..., causal_mask(6)].float().mean()
    assert 0.4 < share < 0.6
    assert torch.equal(town_lm.kept_keys(model.eval(), scores, 0.5), causal_mask(6))


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
    faulty = [f(model, stories, town_lm.one_too_far) for f in (town_lm.reading_loss, town_lm.writing_loss)]
    assert abs(faulty[0] - faulty[1]) > 1e-3


def test_stages_do_not_change_a_run():
    """Stopping to measure leaves weights, batches and dropout as they would have been."""
    reader = partial(town_lm.drop_after, p=0.5)
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


# ---------------------------------------------------------------- sampling from any decoder-only model


def counting(ids):
    """A model that says the token after the last one, and `[EOS]` after 8."""
    last = ids[:, -1]
    following = torch.where(last >= 8, EOS_ID, last + 1)
    logits = torch.full((*ids.shape, 12), -30.0)
    logits[torch.arange(len(ids)), -1, following] = 30.0
    return logits


def test_sampling_goes_on_to_the_end_and_pads_behind_it():
    ids = sample(counting, torch.tensor([[BOS_ID, 5], [BOS_ID, 7]]), 10, temperature=0)
    assert ids.tolist() == [[1, 5, 6, 7, 8, EOS_ID], [1, 7, 8, EOS_ID, PAD_ID, PAD_ID]]
    assert sample(counting, torch.tensor([[5]]), 2).tolist() == [[5, 6, 7]]
    assert sample(counting, torch.tensor([[5, EOS_ID]]), 4).tolist() == [[5, EOS_ID]]


def test_sampling_shows_the_model_at_most_max_len_tokens():
    lengths = []

    def watching(ids):
        lengths.append(ids.shape[1])
        return counting(ids)

    sample(watching, torch.tensor([[3, 4, 5]]), 3, max_len=4)
    assert lengths == [3, 4, 4]


def test_temperature_divides_the_logits():
    logits = torch.tensor([0.0, 1.0, 2.0, 3.0]).expand(2000, 1, 4)
    for temperature in (0.5, 1.0, 4.0):
        drawn = sample(
            lambda ids, t=temperature: logits, torch.full((2000, 1), 9), 1, temperature=temperature,
            generator=torch.Generator().manual_seed(0),
        )[:, 1]  # fmt: skip
        expected = (logits[0, 0] / temperature).softmax(-1)
        assert torch.allclose(drawn.bincount(minlength=4) / 2000, expected, atol=0.04)


def test_bad_input_of_sampling_is_named():
    prompt = torch.tensor([[1]])
    for arguments, words in (
        ((torch.tensor([1]), 3), "prompt has shape"),
        ((torch.empty(1, 0, dtype=torch.long), 3), "prompt has shape"),
        ((prompt, 0), "max_new_tokens is 0"),
    ):
        with pytest.raises(ValueError, match=words):
            sample(counting, *arguments)
    for temperature in (-1.0, math.nan):
        with pytest.raises(ValueError, match="temperature is"):
            sample(counting, prompt, 1, temperature=temperature)
