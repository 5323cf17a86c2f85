"""Recipes: one way to make and to train every model; a recipe decides all of it."""

from dataclasses import FrozenInstanceError, asdict
from functools import partial

import pytest
import torch

from course_lib import faults
from course_lib.models.gpt import GPTConfig
from course_lib.tasks import card_game, pronunciation, round_table, town_lm, translation
from course_lib.training.optim import WarmupThenCosine
from course_lib.training.recipe import Recipe, differences, new_model, train, train_in_stages, vary

TASKS = [card_game, pronunciation, round_table, town_lm, translation]
SCHEDULE = WarmupThenCosine(0.2, 0.1)
SMALL = {"d_embed": 8, "d_hidden": 12, "d_attn": 6, "dropout": 0.4}
DROPPING = town_lm.task(partial(faults.drop_before, p=0.4), n_sentences=60)
RUNS = {  # small, with a schedule, and with dropout where the model or its reader has some
    "translation": (vary(translation.RECIPE, **SMALL), translation.task()),
    "pronunciation": (vary(pronunciation.RECIPE, **SMALL), pronunciation.task(0.1)),
    "card game": (vary(card_game.RECIPE, d_model=16), card_game.task(6, mutual=True)),
    "round table": (round_table.RECIPE, round_table.task()),
    "town LM": (vary(town_lm.RECIPE, d_model=16, n_heads=2), DROPPING),
}
RUNS = {
    name: (vary(recipe, steps=7, batch_size=4, schedule=SCHEDULE, seed=3), task)
    for name, (recipe, task) in RUNS.items()
}


@pytest.mark.parametrize("task", TASKS)
def test_every_task_has_a_recipe_that_builds_its_model(task):
    first, second = new_model(task.RECIPE), new_model(task.RECIPE)
    assert first.config == task.RECIPE.model
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))
    other = new_model(vary(task.RECIPE, seed=1))
    assert not all(torch.equal(a, b) for a, b in zip(first.parameters(), other.parameters(), strict=True))
    with pytest.raises(FrozenInstanceError):
        task.RECIPE.steps = 3


def test_vary_changes_the_recipe_or_its_model_and_nothing_else():
    before = asdict(round_table.RECIPE)
    varied = vary(round_table.RECIPE, steps=7, n_heads=4)
    assert isinstance(varied, Recipe) and asdict(round_table.RECIPE) == before
    assert asdict(varied) == before | {"steps": 7, "model": before["model"] | {"n_heads": 4}}
    inside = vary(round_table.RECIPE, model=varied.model, d_model=32)
    assert (inside.model.n_heads, inside.model.d_model) == (4, 32)
    with pytest.raises(ValueError, match=r"no setting 'heads', expected one of the recipe \(model, steps"):
        vary(round_table.RECIPE, heads=4)


@pytest.mark.parametrize("name", RUNS)
def test_a_run_is_the_same_in_one_go_in_stages_and_resumed(name, tmp_path):
    """Loss for loss and weight for weight, with dropout, schedule and the order of the data."""
    recipe, task = RUNS[name]
    whole = new_model(recipe)
    losses = train(whole, recipe, task).losses
    staged = new_model(recipe)
    parts = [history.losses for _, history in train_in_stages(staged, recipe, task, (2, 3, 7))]
    assert [len(part) for part in parts] == [2, 1, 4]
    assert [loss for part in parts for loss in part] == losses

    for stop in (2, 5):  # interrupted twice

        def on_step(step, loss, stop=stop):
            if step == stop:
                raise KeyboardInterrupt

        stopped = train(new_model(recipe), recipe, task, on_step=on_step, save_to=tmp_path / "run.state")
        assert stopped.losses == losses[:stop]
    resumed = new_model(vary(recipe, seed=4))  # its weights come from the file
    assert len(train(resumed, recipe, task, save_to=tmp_path / "run.state").losses) == 7
    for model in (staged, resumed):
        for a, b in zip(whole.parameters(), model.parameters(), strict=True):
            assert torch.equal(a, b)


def test_a_recipe_s_rate_decay_and_schedule_reach_the_optimizer():
    recipe = vary(round_table.RECIPE, steps=3, batch_size=4)
    losses = {}
    for name, changes in (
        ("as it is", {}),
        ("rate", {"lr": 0.1}),
        ("decay", {"weight_decay": 5.0}),
        ("schedule", {"schedule": SCHEDULE}),
    ):
        varied = vary(recipe, **changes)
        losses[name] = tuple(train(new_model(varied), varied, round_table.task()).losses)
    assert len(set(losses.values())) == 4 and len({each[0] for each in losses.values()}) == 1


def test_stages_must_rise():
    with pytest.raises(ValueError, match=r"stages is \[4, 2\], expected rising numbers of steps"):
        next(train_in_stages(new_model(round_table.RECIPE), round_table.RECIPE, round_table.task(), [4, 2]))


def test_a_recipe_shows_what_is_not_usual():
    usual = Recipe(town_lm.RECIPE.model, 3, 4, 0.1)
    assert repr(
        usual
    ) == f"Recipe(model={town_lm.RECIPE.model!r}, steps=3, batch_size=4, lr=0.1, schedule=None, " + (
        "weight_decay=0.0, seed=0)"
    )
    assert repr(vary(usual, pieces=2)).endswith("seed=0, pieces=2)")


def test_differences_name_what_two_recipes_set_differently():
    assert differences(round_table.RECIPE, vary(round_table.RECIPE, n_heads=1, seed=3)) == {
        "n_heads": (round_table.RECIPE.model.n_heads, 1),
        "seed": (round_table.RECIPE.seed, 3),
    }
    assert differences(round_table.RECIPE, round_table.RECIPE) == {}


def test_models_of_two_classes_are_one_difference():
    one, other = vary(town_lm.RECIPE, steps=5), vary(town_lm.RECIPE, model=GPTConfig(9), steps=7)
    assert differences(one, other) == {"model": (one.model, other.model), "steps": (5, 7)}
    assert vary(one, model=GPTConfig(9), tied=False).model == GPTConfig(9, tied=False)
    with pytest.raises(ValueError, match="no setting 'window'"):
        vary(one, model=GPTConfig(9), window=3)
