"""The small character model of Python source: its text, what it learns, how it is looked at."""

import pytest
import torch

from course_lib import faults
from course_lib.interpret import weight_on
from course_lib.tasks import python_lm
from course_lib.training.recipe import new_model, train, vary

TINY = vary(python_lm.RECIPE, steps=60, d_model=32, n_layers=1, batch_size=16)


@pytest.fixture(scope="module")
def trained():
    model = new_model(TINY)
    train(model, TINY, python_lm.task(n_characters=100_000))
    return model


def test_the_text_is_python_and_the_splits_are_apart():
    train_ids, test_ids = python_lm.text_ids("train", 5_000), python_lm.text_ids("validation", 5_000)
    train_text = python_lm.CHARACTERS.decode(train_ids.tolist())
    assert len(train_ids) == len(test_ids) == 5_000 and not torch.equal(train_ids, test_ids)
    assert "\n" in train_text and "    " in train_text and len(set(train_text)) > 30


def test_batches_are_windows_of_the_text_and_repeat_with_their_seed():
    text = python_lm.CHARACTERS.decode(python_lm.text_ids("train", 20_000).tolist())
    first, again = (next(python_lm.batches(TINY, 20_000)) for _ in range(2))
    other = next(python_lm.batches(vary(TINY, seed=1), 20_000))
    assert first.shape == (16, python_lm.WINDOW + 1)
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert all(python_lm.CHARACTERS.decode(row) in text for row in first.tolist())
    with pytest.raises(ValueError, match="n_characters is 20, expected at least one window of 65"):
        next(python_lm.batches(TINY, 20))


def test_counting_pairs_beats_counting_characters_and_training_goes_on_from_there(trained):
    counted = python_lm.baselines(200_000)
    untrained = python_lm.loss(new_model(TINY))
    assert 2 < counted.bigram < counted.unigram < 4.2 < untrained < 6
    assert python_lm.loss(trained) < counted.unigram - 0.2


def test_a_leak_is_another_reader(trained):
    assert abs(python_lm.loss(trained, faults.one_too_far) - python_lm.loss(trained)) > 1e-3


def test_reading_a_line_shows_every_head_and_the_chance_of_each_character(trained):
    line = "for x in y:"
    tokens, weights, chances = python_lm.read(line, trained)
    assert tokens == list(line) and weights.shape == (1, 4, 11, 11) and chances.shape == (11,)
    torch.testing.assert_close(weights.sum(-1), torch.ones(1, 4, 11))
    assert weights.triu(1).eq(0).all()  # nothing from the right
    ids = torch.tensor([python_lm.CHARACTERS.encode(line)])
    loss = python_lm.next_character_loss(trained, ids)
    assert chances[0].isnan() and -chances[1:].log().mean().item() == pytest.approx(loss.item(), abs=1e-5)
    before = torch.eye(11, dtype=torch.bool).roll(-1, dims=1)
    before[0] = False  # nothing stands before the first
    share = weight_on(weights, before[None])[:, 0]  # (H,)
    torch.testing.assert_close(share, weights[0].diagonal(-1, 1, 2).mean(-1))


@pytest.mark.parametrize("line", ["", "x" * 65])
def test_a_line_of_no_or_too_many_characters_is_refused(trained, line):
    with pytest.raises(ValueError, match=f"line has {len(line)} characters, expected 1 to 64"):
        python_lm.read(line, trained)


def test_foreign_characters_are_read_as_unknown(trained):
    tokens, weights, chances = python_lm.read("x = 'é猫'", trained)
    assert tokens[5] == "é" and weights.isfinite().all() and chances[1:].isfinite().all()


def test_writing_goes_on_and_repeats_with_its_seed(trained):
    text = python_lm.write(trained, "def f(", 80, seed=1)
    assert text.startswith("def f(") and text == python_lm.write(trained, "def f(", 80, seed=1)
    assert text != python_lm.write(trained, "def f(", 80, seed=2)
    with pytest.raises(ValueError, match="start is empty"):
        python_lm.write(trained, "")


def test_kinds_of_places_by_hand():
    text = "a_b (x\nab a"
    ids = torch.tensor([python_lm.CHARACTERS.encode(text)])
    found = {name: place[0] for name, place in python_lm.places(ids).items()}

    def keys(name, query):
        return [s for s in range(len(text)) if found[name][query, s]]

    last = len(text) - 1  # the last "a", after a space
    assert keys("just before", last) == [last - 1] and keys("just before", 0) == []
    assert keys("word so far", 2) == [0, 1] and keys("word so far", 8) == [7]
    assert keys("word so far", last) == []
    assert keys("line break", last) == [6] and keys("line break", 6) == keys("line break", 5) == []
    assert keys("bracket or quote", last) == [4] and keys("bracket or quote", 3) == []
    assert keys("same character", last) == [0, 7] and keys("same character", 8) == [2]


def test_heads_are_measured_beside_even_weights(trained):
    shares, even, kinds = python_lm.looks(trained, n_windows=20)
    assert shares.shape == (4, len(kinds)) and even.shape == (len(kinds),)
    at = kinds.index("just before")
    length = python_lm.WINDOW
    assert even[at] == pytest.approx(sum(1 / t for t in range(2, length + 1)) / (length - 1), abs=1e-5)
    assert ((shares >= 0) & (shares <= 1.0001)).all() and shares[:, at].max() > even[at]
