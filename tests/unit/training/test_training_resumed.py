"""A run that stops and goes on is the unbroken run, loss for loss: at any step, after a kill."""

import pytest
import torch
import warm_helpers
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from course_lib.training.loop import train
from course_lib.training.optim import WarmupThenCosine
from course_lib.training.randomness import seeded

STEPS = 14


def dropout_net():
    with seeded(0):
        return nn.Sequential(nn.Linear(6, 16), nn.Dropout(0.4), nn.Linear(16, 1))


def squared_error(model, batch):
    return (model(batch[0]) - batch[0].sum(1, keepdim=True)).square().mean()


def own_generator():
    """Batches that draw from a generator of their own, as the course's do."""
    generator = torch.Generator().manual_seed(1)
    while True:
        yield [torch.randn(8, 6, generator=generator)]


def torch_generator():
    """Batches that draw from torch's own generator, from which dropout draws as well."""
    while True:
        yield [torch.randn(8, 6)]


def shuffled_loader():
    """torch's DataLoader, epoch after epoch, shuffled by torch's own generator."""
    data = TensorDataset(torch.arange(30.0).reshape(5, 6) / 30)
    loader = DataLoader(data, batch_size=2, shuffle=True)
    while True:
        yield from loader


def run(batches, save_to=None, stop_at=None, **options):
    """Train with dropout and a schedule; `stop_at`: as if interrupted after that step."""

    def on_step(step, loss):
        if step == stop_at:
            raise KeyboardInterrupt

    model = dropout_net()
    with seeded(3):
        history = train(
            model,
            batches(),
            squared_error,
            steps=STEPS,
            lr=0.02,
            weight_decay=0.1,
            schedule=WarmupThenCosine(0.2, 0.1),
            on_step=on_step,
            save_to=save_to,
            **options,
        )
    return history.losses, model.state_dict()


def same(one, other):
    assert one[0] == other[0]
    assert all(torch.equal(a, b) for a, b in zip(one[1].values(), other[1].values(), strict=True))


@pytest.mark.parametrize("batches", [own_generator, torch_generator, shuffled_loader])
@pytest.mark.parametrize("stops", [(1,), (5,), (13,), (3, 4, 11), (14,)])
def test_stopped_and_resumed_is_unbroken(tmp_path, batches, stops):
    whole = run(batches, tmp_path / "whole.state")
    for stop in stops:
        torch.rand(7)  # what happens elsewhere in between changes nothing
        losses, _ = run(batches, tmp_path / "run.state", stop_at=stop)
        assert losses == whole[0][:stop]
    same(run(batches, tmp_path / "run.state"), whole)


def test_a_saved_run_is_the_run_without_a_file(tmp_path):
    same(run(own_generator, tmp_path / "run.state"), run(own_generator))


def test_after_a_kill_the_last_save_is_gone_on_with(tmp_path):
    """A run that dies between two saves has lost the steps since the last one, and takes them again."""
    whole = run(own_generator)

    class Killed(Exception):
        pass

    def die(step, loss):
        if step == 10:
            raise Killed

    with pytest.raises(Killed), seeded(3):
        train(
            dropout_net(), own_generator(), squared_error, steps=STEPS, lr=0.02, weight_decay=0.1,
            schedule=WarmupThenCosine(0.2, 0.1), on_step=die, save_to=tmp_path / "run.state", save_every=4,
        )  # fmt: skip
    assert len(torch.load(tmp_path / "run.state", weights_only=True)["losses"]) == 8
    same(run(own_generator, tmp_path / "run.state"), whole)


def test_a_step_that_was_broken_off_is_not_saved(tmp_path):
    """An interrupt in the middle of a step leaves the file as the last whole step left it."""
    seen = []

    def breaks(model, batch):
        seen.append(0)
        if len(seen) == 6:
            model(batch[0])  # dropout has drawn already
            raise KeyboardInterrupt
        return squared_error(model, batch)

    file = tmp_path / "run.state"
    with seeded(3):
        history = train(
            dropout_net(), own_generator(), breaks, steps=STEPS, lr=0.02, weight_decay=0.1,
            schedule=WarmupThenCosine(0.2, 0.1), save_to=file, save_every=1,
        )  # fmt: skip
    assert history.interrupted and history.steps == 5
    same(run(own_generator, file), run(own_generator))


def test_a_budget_in_seconds_goes_on(tmp_path):
    file = tmp_path / "run.state"
    first = run(own_generator, file, stop_at=6)
    saved = torch.load(file, weights_only=True)
    torch.save(saved | {"seconds": 7.0}, file)
    history = train(dropout_net(), own_generator(), squared_error, seconds=7.2, lr=0.02, save_to=file)
    assert history.losses[:6] == first[0] and history.steps > 6 and 7.2 <= history.seconds < 9
    after = train(dropout_net(), own_generator(), squared_error, seconds=7.2, lr=0.02, save_to=file)
    assert after.losses == history.losses  # all of it is spent


def test_other_batches_than_in_the_saved_run_are_refused(tmp_path):
    run(own_generator, tmp_path / "run.state", stop_at=6)
    short = [next(own_generator()) for _ in range(3)]
    with pytest.raises(ValueError, match=r"batches ended after 3, but .* has seen 6: expected the same"):
        run(lambda: short, tmp_path / "run.state")


@pytest.mark.parametrize("change", ["another layer", "other groups"])
def test_a_refused_run_leaves_the_model_as_it_is(tmp_path, change):
    """What fits is not taken either: not the first layer, nor all of it where the optimizer does not fit."""
    run(own_generator, tmp_path / "run.state")
    model, options = dropout_net(), {}
    if change == "another layer":
        model[2] = nn.Linear(16, 2)
    else:
        groups = [{"params": layer.parameters()} for layer in (model[0], model[2])]
        options["optimizer"] = torch.optim.AdamW(groups)
    before = [p.clone() for p in model.parameters()]
    with pytest.raises(ValueError, match="which does not hold a saved run of this model and optimizer"):
        train(model, own_generator(), squared_error, steps=2, save_to=tmp_path / "run.state", **options)
    assert all(torch.equal(p, q) for p, q in zip(model.parameters(), before, strict=True))


ANOTHER_PROCESS = """
import sys
from pathlib import Path
sys.path[:0] = ["tests/unit/training", "tests/unit"]
import torch
import test_training_resumed as here
losses, weights = here.run(here.torch_generator, Path(sys.argv[1]), stop_at=int(sys.argv[2]) or None)
torch.save({"losses": losses, "weights": weights}, sys.argv[1] + ".result")
"""


def test_another_process_goes_on_with_the_same_run(tmp_path):
    whole = run(torch_generator, tmp_path / "whole.state")
    file = tmp_path / "run.state"
    run(torch_generator, file, stop_at=6)
    assert warm_helpers.start(ANOTHER_PROCESS, str(file), "0").wait() == 0
    result = torch.load(f"{file}.result", weights_only=True)
    assert result["losses"] == whole[0]
    assert all(torch.equal(a, b) for a, b in zip(result["weights"].values(), whole[1].values(), strict=True))
