"""A GPT on the characters of your own text: what is read, what is kept away, what a loss counts."""

from itertools import islice

import pytest
import torch
from torch.nn import functional as F

from course_lib.models import evaluating
from course_lib.models.gpt import parameter_count
from course_lib.tasks import characters_gpt
from course_lib.text.tokenizers import UNK_ID
from course_lib.training.recipe import new_model, train, vary

WORDS = "the cat saw a dog\nand the dog saw the cat: who saw whom?\n"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text(WORDS * 40 + "Zebra" * 40, encoding="utf-8", newline="")
    return path


@pytest.fixture
def text(file):
    return characters_gpt.text_of(file)


def small(recipe, **changes):
    return vary(recipe, d_model=16, n_heads=2, n_layers=1, steps=3, batch_size=2, **changes)


def test_the_last_tenth_is_kept_away_and_its_new_characters_are_unknown(text):
    assert len(text.training) + len(text.validation) == text.size == len(WORDS) * 40 + 200
    assert len(text.validation) == round(text.size / 10)
    learned = text.characters.decode(text.training.tolist())
    assert (WORDS * 40).startswith(learned) and len(learned) == len(text.training)
    assert "Z" not in text.characters.ids and (text.validation == UNK_ID).any()


def test_line_ends_and_a_mark_at_the_front_change_nothing(text, tmp_path):
    windows = tmp_path / "windows.txt"
    same = "\ufeff" + (WORDS * 40 + "Zebra" * 40).replace("\n", "\r\n")
    windows.write_text(same, encoding="utf-8", newline="")
    other = characters_gpt.text_of(windows)
    assert (other.sha256, other.size) == (text.sha256, text.size)
    assert torch.equal(other.training, text.training)


def write_large(path):
    with path.open("wb") as file:
        file.truncate(200_000_000)  # takes no room


@pytest.mark.parametrize(
    ("write", "error", "words"),
    [
        (lambda path: None, FileNotFoundError, "there is none"),
        (lambda path: path.write_bytes(b""), ValueError, "is empty"),
        (lambda path: path.write_bytes(b"abc\0\1" * 999), ValueError, "bytes of 0"),
        (write_large, ValueError, "200 MB, expected at most 50"),
        (lambda path: path.write_text("one line of a few words"), ValueError, "take a longer text"),
    ],
    ids=["missing", "empty", "binary", "200 MB", "one short line"],
)
def test_what_cannot_be_learned_from_is_refused(tmp_path, write, error, words):
    path = tmp_path / "odd.txt"
    write(path)
    with pytest.raises(error, match=words):
        characters_gpt.text_of(path)


def test_one_long_line_is_a_text(tmp_path):
    path = tmp_path / "line.txt"
    path.write_text("all on one line, " * 60)
    assert characters_gpt.text_of(path).size == 17 * 60


@pytest.mark.parametrize("recipe", [characters_gpt.plain, characters_gpt.fast])
def test_blocks_come_from_the_training_part_as_the_seed_says(text, recipe):
    recipe = recipe(text)
    found = list(islice(characters_gpt.blocks(recipe, text), 3))
    again = list(islice(characters_gpt.blocks(recipe, text), 3))
    other = next(characters_gpt.blocks(vary(recipe, seed=1), text))
    assert found[0].shape == (recipe.batch_size, 65)
    assert all(torch.equal(a, b) for a, b in zip(found, again, strict=True))
    assert not torch.equal(found[0], other)
    learned = text.characters.decode(text.training.tolist())
    assert all(text.characters.decode(row) in learned for row in found[0].tolist())


@pytest.mark.parametrize("recipe", [characters_gpt.plain, characters_gpt.fast])
def test_recipes_are_small_and_learn(text, recipe):
    assert sum(parameter_count(recipe(text).model).values()) <= 850_000
    recipe = small(recipe(text))
    model = new_model(recipe)
    before = characters_gpt.validation_loss(model, text)
    history = train(model, vary(recipe, steps=40, lr=1e-2), characters_gpt.task(text))
    assert history.steps == 40 and characters_gpt.validation_loss(model, text) != before
    assert history.last(5) < history.losses[0] - 0.2


def test_validation_counts_every_character_of_whole_blocks_once(text):
    model = new_model(small(characters_gpt.plain(text)))
    n = (len(text.validation) - 1) // 64
    assert n >= 3
    losses = []
    with evaluating(model):
        for i in range(n):
            ids = text.validation[64 * i : 64 * i + 65]
            losses.append(F.cross_entropy(model(ids[None, :-1])[0][0], ids[1:]).item())
    assert characters_gpt.validation_loss(model, text) == pytest.approx(sum(losses) / n, abs=1e-6)


def test_the_text_at_hand_is_yours_or_the_librarys(file, monkeypatch):
    monkeypatch.setenv("COURSE_TEXT", str(file))
    name, text = characters_gpt.at_hand()
    assert (name, text.sha256) == ("text.txt", characters_gpt.text_of(file).sha256)
    monkeypatch.delenv("COURSE_TEXT")
    monkeypatch.setattr(characters_gpt, "MEGABYTE", 20_000)
    name, text = characters_gpt.at_hand()
    assert name == "the Python library's source" and text.size == 20_000


@pytest.mark.parametrize("recipe", [characters_gpt.plain, characters_gpt.fast])
def test_a_recipe_pressed_into_seconds_runs_its_whole_schedule(text, recipe):
    recipe, seen = small(recipe(text)), []
    usual = recipe.schedule

    def schedule(progress):
        seen.append(progress)
        return usual(progress)

    model = new_model(recipe)
    history = characters_gpt.train_for(0.3, model, vary(recipe, schedule=schedule), text)
    assert history.steps > recipe.steps and 0.3 <= history.seconds < 3
    assert seen == sorted(seen) and seen[0] < 0.5 < seen[-1] < 1
