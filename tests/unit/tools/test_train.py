"""`train`: a run that was stopped leaves the shipped checkpoint alone, and goes on where it was."""

import shutil
import signal
from functools import partial

import pytest
import torch

from course_lib.data import cmudict
from course_lib.tasks import assistant, families, fill_in, pronunciation, python_gpt, town_gpt
from course_lib.tasks.assistant import aligning, training
from course_lib.tasks.assistant.stages import load
from course_lib.tasks.families import shipping
from course_lib.tasks.python_gpt import library
from course_lib.tools import Stopped, commands, environment, making, train
from course_lib.training import checkpoints, loop, post_training
from course_lib.training.recipe import vary

STEPS = 4
TINY = {"steps": STEPS, "batch_size": 4}
SMALL = {"d_model": 16, "n_heads": 2, "n_layers": 1, **TINY}
FAMILY = "family-encoder-only"


def tiny_family(**changes):
    return families.recipe_of(families.VARIANTS[shipping.SHIPPED[FAMILY]], **TINY | changes)


MADE = {
    "pronouncer": partial(
        pronunciation.ship, recipe=vary(pronunciation.RECIPE, d_hidden=8, d_embed=8, d_attn=8, **TINY)
    ),
    FAMILY: partial(families.ship, FAMILY, recipe=tiny_family()),
    "python-gpt": partial(python_gpt.ship, recipe=vary(python_gpt.RECIPE, **SMALL)),
    "bert": partial(fill_in.ship, recipe=vary(fill_in.RECIPE, **SMALL), n_stories=50),
    "town-gpt": partial(town_gpt.ship, recipe=vary(town_gpt.RECIPE, **SMALL), n_stories=50),
    "assistant-sft": partial(
        assistant.ship_sft, recipe=vary(training.SHIPPED, **TINY, schedule=None), n_questions=50
    ),
    "assistant-dpo": partial(assistant.ship_dpo, how=aligning.Preferring(steps=STEPS, batch_size=2)),
    "assistant-grpo": partial(
        assistant.ship_grpo, how=aligning.Rewarding(steps=STEPS, questions=1, group=2, mix=0)
    ),
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The command works in here, with tiny recipes: the folder of the checkpoints, filled."""
    out = tmp_path / "checkpoints"
    shutil.copytree(checkpoints.FOLDER, out)
    monkeypatch.setattr(making, "make", lambda name, work: MADE[name](work, folder=out))
    monkeypatch.setattr(making, "FOLDER", out)
    monkeypatch.setattr(train, "WORK", tmp_path / "work")
    monkeypatch.setattr(environment, "ensure", lambda *arguments: None)
    return out


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def press_in_step(monkeypatch, number):
    """Ctrl-C comes while this training takes its step of that number, whatever trains."""
    taken = []

    def pressing(step):
        def pressed(*arguments, **options):
            taken.append(step)
            if len(taken) == number:
                signal.raise_signal(signal.SIGINT)
            return step(*arguments, **options)

        return pressed

    monkeypatch.setattr(loop, "_gradients", pressing(loop._gradients))
    monkeypatch.setattr(post_training, "_update", pressing(post_training._update))


@pytest.mark.parametrize("name", MADE)
def test_a_stopped_training_leaves_the_shipped_checkpoint_alone(name, folder, monkeypatch):
    few = pronunciation.pairs(
        [(entry.word, entry.pronunciations[0]) for entry in cmudict.entries("test")[:20]]
    )
    monkeypatch.setattr(pronunciation, "training_pairs", lambda: few)
    monkeypatch.setattr(
        library, "stream", lambda side: torch.arange(2_000)
    )  # in place of Python's own library
    before = contents(folder)
    press_in_step(monkeypatch, 2)
    with pytest.raises(Stopped) as stopped:
        train.main([name])
    assert contents(folder) == before
    goes_on = name not in ("assistant-dpo", "assistant-grpo")
    assert str(stopped.value).splitlines() == [
        "Stopped after 2 steps. The shipped checkpoint is as it was.",
        "Next: type the same command again, and it " + ("goes on." if goes_on else "starts anew."),
    ]
    assert (train.WORK / f"{name}.state").exists() == goes_on


def test_the_command_says_so_and_goes_on_where_it_was(folder, monkeypatch, capsys):
    """Stopped, typed again, and in the end the files that an unbroken run makes."""
    monkeypatch.setattr(shipping, "measure", lambda model, family: {"fill": 0.5})
    assert commands.main(["train", FAMILY]) == 0
    unbroken = contents(folder)
    capsys.readouterr()
    with monkeypatch.context() as patch:
        press_in_step(patch, 2)
        assert commands.main(["train", FAMILY, "--fresh"]) == 130
    said = capsys.readouterr()
    assert said.out == "" and "Traceback" not in said.err
    assert said.err.strip().splitlines()[1:] == [
        "Next: type the same command again without --fresh, and it goes on."
    ]
    taken = []
    with monkeypatch.context() as patch:
        step = loop._gradients
        patch.setattr(loop, "_gradients", lambda *given: taken.append(1) or step(*given))
        assert commands.main(["train", FAMILY]) == 0
    assert len(taken) == STEPS - 2 and contents(folder) == unbroken


def test_an_interrupt_while_it_is_measured_leaves_the_checkpoint_alone_too(folder, monkeypatch):
    """It is stored before it is measured, and comes with a file that was not there."""

    def interrupted(model, family):
        (folder / f"{FAMILY}.bpe").write_text("new")
        raise KeyboardInterrupt

    before = contents(folder)
    monkeypatch.setattr(shipping, "measure", interrupted)
    with pytest.raises(
        Stopped, match=r"Stopped\. The shipped checkpoint is as it was\.\nNext: .* it goes on"
    ):
        train.main([FAMILY])
    assert contents(folder) == before


def test_on_a_page_the_model_keeps_what_it_has_learned(monkeypatch, capsys):
    model = load("sft")
    press_in_step(monkeypatch, 2)
    steps = aligning.learn_preferences(model, aligning.Preferring(steps=STEPS, batch_size=2))
    assert len(steps) == 2
    assert "stopped by you after 2 steps: the model keeps what it has learned" in capsys.readouterr().out
