"""The training loop, its files, and what survives a kill."""

import itertools
import math
import os
import subprocess
import time
from contextlib import contextmanager

import pytest
import torch
import warm_helpers
from torch import nn

from course_lib.files import write_whole
from course_lib.training.budget import budget
from course_lib.training.loop import History, train
from course_lib.training.objectives import IGNORE, pair_loss, shift, smoothing_floor, token_loss
from course_lib.training.optim import PaperSchedule, WarmupStableDecay, WarmupThenCosine, decay_groups
from course_lib.training.randomness import seeded

X = torch.randn(64, 3, generator=torch.Generator().manual_seed(0))
Y = X @ torch.tensor([[1.0], [-2.0], [0.5]])


def problem(seed=0):
    """A line to fit, and batches of it."""
    with seeded(seed):
        return nn.Linear(3, 1), [(X, Y)] * 400


def squared_error(model, batch):
    return (model(batch[0]) - batch[1]).square().mean()


def test_it_learns_and_counts_steps():
    model, batches = problem()
    seen = []
    history = train(
        model,
        batches,
        squared_error,
        steps=200,
        lr=0.05,
        on_step=lambda step, loss: seen.append((step, loss)),
    )
    assert history.steps == 200 and history.last(10) < 1e-3 < history.losses[0]
    assert [step for step, _ in seen] == list(range(1, 201)) and seen[-1][1] == history.losses[-1]
    assert not model.training


def test_same_seed_same_losses():
    first, second = (train(*problem(), squared_error, steps=20).losses for _ in range(2))
    assert first == second
    assert first != train(*problem(1), squared_error, steps=20).losses


def test_budget_in_seconds_ends():
    model, batches = problem()
    history = train(model, iter(lambda: batches[0], None), squared_error, seconds=0.2)
    assert 0.2 <= history.seconds < 2 and history.steps > 1


def test_bad_budgets_and_losses_are_named():
    model, batches = problem()
    with pytest.raises(ValueError, match="no budget"):
        train(model, batches, squared_error)
    with pytest.raises(ValueError, match="batches ended after 400 steps"):
        train(model, batches, squared_error, steps=401)
    with pytest.raises(FloatingPointError, match="the loss is nan at step 1"):
        train(model, batches, lambda m, b: squared_error(m, b) * torch.nan, steps=5)


def test_interrupt_keeps_the_model_trained_so_far(capsys):
    model, batches = problem()

    def stop(step, loss):
        if step == 30:
            raise KeyboardInterrupt

    history = train(model, batches, squared_error, steps=200, lr=0.05, on_step=stop)
    assert history.interrupted and history.steps == 30 and not model.training
    assert squared_error(model, (X, Y)).item() < history.losses[0]
    assert "after 30 steps" in capsys.readouterr().out


def test_a_stopped_run_goes_on_where_it_was(tmp_path):
    whole_model, batches = problem()
    whole = train(whole_model, batches, squared_error, steps=40, lr=0.02)
    model, batches = problem()
    file = tmp_path / "run.state"
    train(model, batches, squared_error, steps=25, lr=0.02, save_to=file)
    model, batches = problem(seed=5)  # other weights: they must come from the file
    resumed = train(model, batches, squared_error, steps=40, lr=0.02, save_to=file)
    assert resumed.losses == pytest.approx(whole.losses, abs=1e-6)
    torch.testing.assert_close(model.weight, whole_model.weight)
    spent = torch.load(file, weights_only=True) | {"seconds": 7.0}
    torch.save(spent, file)
    assert 7 <= train(*problem(), squared_error, steps=40, save_to=file).seconds < 9  # time goes on too


def test_schedule_rises_then_falls_and_rates_come_back():
    factor = WarmupThenCosine(0.1, 0.01)
    rising = [factor(p / 100) for p in range(11)]
    falling = [factor(p / 100) for p in range(10, 101)]
    assert rising == sorted(rising) and falling == sorted(falling, reverse=True)
    assert factor(0.1) == pytest.approx(1) and factor(1.0) == pytest.approx(0.01) and 0 < factor(0) < 0.02
    model, batches = problem()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
    train(model, batches, squared_error, steps=10, optimizer=optimizer, schedule=factor)
    assert optimizer.param_groups[0]["lr"] == 0.3


@pytest.mark.parametrize(
    ("d_model", "warmup", "peak"), [(512, 4000, "7.0e-04"), (512, 8000, "4.9e-04"), (256, 4000, "9.9e-04")]
)
def test_the_paper_s_schedule_is_its_equation(d_model, warmup, peak):
    schedule = PaperSchedule(warmup, 100_000)
    assert f"{schedule.peak(d_model):.1e}" == peak
    for step in (1, 2, 100, warmup - 1, warmup, warmup + 1, 4 * warmup, 100_000):
        rate = schedule.peak(d_model) * schedule((step - 1) / 99_999)
        assert rate == pytest.approx(d_model**-0.5 * min(step**-0.5, step * warmup**-1.5), rel=1e-9)
    assert schedule(4 * warmup / 100_000) == pytest.approx(0.5, rel=1e-3)  # four times as far, half the rate
    assert PaperSchedule().peak(512) == PaperSchedule(4000).peak(512)


@pytest.mark.parametrize(
    ("schedule", "largest_jump"),
    [
        (WarmupThenCosine(0.05), 0.0201),
        (WarmupThenCosine(0.0), 0.0016),
        (WarmupThenCosine(1.0), 0.0011),
        (PaperSchedule(50, 1000), 0.0201),
        (PaperSchedule(4000, 1000), 0.0003),
        (WarmupStableDecay(50, 200, 1000), 0.0201),
        (WarmupStableDecay(50, 950, 1000), 0.0201),
    ],
    ids=str,
)
def test_every_schedule_begins_above_0_has_no_jump_and_stays_within_its_peak(schedule, largest_jump):
    factors = [schedule(step / 1000) for step in range(1000)]  # as the loop asks
    assert all(0 < factor <= 1 + 1e-12 for factor in factors)
    assert max(abs(b - a) for a, b in itertools.pairwise(factors)) <= largest_jump
    top = factors.index(max(factors))
    assert factors[: top + 1] == sorted(factors[: top + 1])
    assert factors[top:] == sorted(factors[top:], reverse=True)


def test_the_plateau_of_a_short_run_is_the_beginning_of_a_longer_one():
    short, long = WarmupStableDecay(10, 20, 100), WarmupStableDecay(10, 20, 300)
    assert [short(i / 100) for i in range(80)] == pytest.approx([long(i / 300) for i in range(80)])
    assert [round(short(i / 100), 6) for i in (0, 4, 9, 50, 80, 90, 99)] == [0.1, 0.5, 1, 1, 1, 0.5, 0.05]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: PaperSchedule(0), "warmup is 0, expected at least 1"),
        (lambda: PaperSchedule(10, 0), "steps is 0"),
        (lambda: WarmupStableDecay(60, 50, 100), r"are 110 steps, expected at most steps \(100\)"),
        (lambda: WarmupStableDecay(1, 0, 10), "decay is 0"),
        (lambda: WarmupThenCosine(4000), "warmup is 4000, expected a share of the run"),
    ],
)
def test_schedules_that_cannot_be_are_named(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_a_step_is_clipped_scheduled_and_decays():
    """With plain gradient descent a step moves the weights by rate × clipped gradient."""

    def moved(**options):
        model, batches = problem()
        before = torch.cat([p.detach().flatten().clone() for p in model.parameters()])
        optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
        train(model, batches, squared_error, **{"steps": 1, "optimizer": optimizer} | options)
        return (torch.cat([p.detach().flatten() for p in model.parameters()]) - before).norm().item()

    assert moved(clip=math.inf) > 1
    assert moved(clip=0.25) == pytest.approx(0.25, rel=1e-3)
    assert moved(clip=0.25, schedule=lambda progress: 0.5) == pytest.approx(0.125, rel=1e-3)
    seen = []
    moved(steps=4, schedule=lambda progress: seen.append(progress) or 0.1)
    assert seen == [0, 0.25, 0.5, 0.75]
    shrunk = [nn.Linear(3, 1, bias=False) for _ in range(2)]
    for model, decay in zip(shrunk, (0.0, 0.5), strict=True):
        nn.init.ones_(model.weight)
        still = [torch.zeros(1, 3)] * 10
        train(model, still, lambda m, b: m(b).sum(), steps=10, lr=0.1, weight_decay=decay)
    assert (shrunk[0].weight == 1).all() and (shrunk[1].weight < 0.7).all()


def test_fast_mode_shortens_budgets(monkeypatch):
    monkeypatch.setenv("COURSE_FAST", "1")
    assert budget(1000) == 50 and budget(3) == 2
    monkeypatch.setenv("COURSE_FAST", "0")
    assert budget(1000) == 1000


def test_seeding_leaves_torch_s_own_generator_alone():
    state = torch.get_rng_state()
    with seeded(1):
        torch.rand(3)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("initialized", [True, False])
def test_seeding_puts_back_the_generators_of_gpus_that_are_in_use(initialized, monkeypatch):
    """It seeds them, too. One that was never used has no state yet, and to ask for it would start it."""
    forked = []

    @contextmanager
    def fork_rng(devices):
        forked.append(list(devices))
        yield

    monkeypatch.setattr(torch.random, "fork_rng", fork_rng)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: initialized)
    state = torch.get_rng_state()
    with monkeypatch.context() as inside:
        inside.setattr(torch, "manual_seed", lambda seed: None)
        with seeded(1):
            pass
    torch.set_rng_state(state)
    assert forked == [[0, 1] if initialized else []]


def test_labels_are_shifted_once_and_padding_is_not_counted():
    inputs, labels = shift(torch.tensor([[1, 7, 8, 2], [1, 9, 2, 0]]))
    assert inputs.tolist() == [[1, 7, 8], [1, 9, 2]]
    assert labels.tolist() == [[7, 8, 2], [9, 2, IGNORE]]
    with pytest.raises(ValueError, match=r"ids has shape \(2, 1\)"):
        shift(torch.ones(2, 1, dtype=torch.long))


def test_loss_is_the_sum_over_counted_tokens_divided_by_their_number():
    logits = torch.randn(2, 3, 5, generator=torch.Generator().manual_seed(0))
    labels = torch.tensor([[1, 2, 3], [4, IGNORE, IGNORE]])
    each = -logits.log_softmax(-1)
    expected = (each[0, 0, 1] + each[0, 1, 2] + each[0, 2, 3] + each[1, 0, 4]) / 4
    torch.testing.assert_close(token_loss(logits, labels), expected)
    counted = torch.stack([each[0, 0], each[0, 1], each[0, 2], each[1, 0]])  # (4, V)
    smooth = token_loss(logits, labels, label_smoothing=0.2)
    torch.testing.assert_close(smooth, 0.8 * expected + 0.2 * counted.mean())
    batch = (torch.tensor([[4, 5]]), torch.tensor([[1, 4, 2]]))
    plain, smooth = (
        pair_loss(lambda *_: (logits[:1, :2], None), batch, label_smoothing=share) for share in (0.0, 0.2)
    )
    torch.testing.assert_close(smooth, 0.8 * plain + 0.2 * each[0, :2].mean())


@pytest.mark.parametrize("label_smoothing", [0.0, 0.1])
def test_a_position_that_is_not_counted_has_no_part_in_the_loss(label_smoothing):
    """Smoothing too spreads mass at counted positions only, whatever stands at the others."""
    logits = torch.randn(2, 3, 7, generator=torch.Generator().manual_seed(0)).requires_grad_()
    labels = torch.tensor([[4, 5, 2], [6, IGNORE, IGNORE]])
    loss = token_loss(logits, labels, label_smoothing=label_smoothing)
    loss.backward()
    ignored = labels == IGNORE
    assert (logits.grad[ignored] == 0).all() and (logits.grad[~ignored] != 0).all()
    other = logits.detach().masked_fill(ignored[..., None], 1e4)
    assert token_loss(other, labels, label_smoothing=label_smoothing) == loss
    only = token_loss(logits[~ignored][None], labels[~ignored][None], label_smoothing=label_smoothing)
    torch.testing.assert_close(only, loss)


@pytest.mark.parametrize(
    ("vocab_size", "epsilon", "spared", "floor"),
    [
        (50, 0.1, 0, 0.702),
        (50, 0.1, 1, 0.714),
        (50, 0.1, 2, 0.712),
        (37_000, 0.1, 0, 1.377),
        (50, 0.0, 0, 0.0),
        (2, 0.5, 0, 0.562),
        (3, 0.1, 2, 0.325),
    ],
)
def test_the_floor_of_smoothing_in_numbers(vocab_size, epsilon, spared, floor):
    assert smoothing_floor(vocab_size, epsilon, spared) == pytest.approx(floor, abs=6e-4)


@pytest.mark.parametrize("spared", [0, 1, 2])
def test_no_prediction_is_below_the_floor_and_the_best_one_reaches_it(spared):
    """Found by descent, without the formula: token 2 is right, token 0 is [PAD]."""
    V, epsilon = 6, 0.2
    target = torch.full((V,), epsilon / (V - spared))
    target[[2, 0][:spared]] = 0
    target[2] += 1 - epsilon
    assert target.sum().item() == pytest.approx(1)
    logits = torch.zeros(V, requires_grad=True)
    optimizer, losses = torch.optim.LBFGS([logits], max_iter=200), []

    def loss():
        optimizer.zero_grad()
        value = -(target * logits.log_softmax(-1)).sum()
        value.backward()
        losses.append(value.item())
        return value

    optimizer.step(loss)
    floor = smoothing_floor(V, epsilon, spared)
    assert min(losses) >= floor - 1e-5 and min(losses) == pytest.approx(floor, abs=2e-3)
    if spared == 0:  # this is the target of our loss
        smoothed = token_loss(logits[None, None], torch.tensor([[2]]), label_smoothing=epsilon)
        assert smoothed.item() == pytest.approx(floor, abs=2e-3)


def test_floors_that_cannot_be_are_named():
    for arguments, words in (((50, 1.0), "epsilon is 1.0"), ((2, 0.1, 2), "vocab_size is 2 with 2 spared"),
                             ((1, 0.1), "vocab_size is 1"), ((9, 0.1, -1), "-1 spared")):  # fmt: skip
        with pytest.raises(ValueError, match=words):
            smoothing_floor(*arguments)


def test_history_of_nothing():
    assert History().steps == 0 and str(History().last()) == "nan"


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    file = tmp_path / "card.json"
    write_whole(file, b"old")

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(file, b"the new content")
    assert file.read_bytes() == b"old" and list(tmp_path.iterdir()) == [file]


WRITES = """
import sys, torch
from pathlib import Path
from torch import nn
from course_lib.training.loop import train
model, batch, seen = nn.Linear(300, 300), torch.zeros(1, 300), []
def on_step(step, loss):
    seen.append(step)
    if len(seen) == 3: print("go", flush=True)
train(model, iter(lambda: batch, None), lambda m, b: m(b).square().mean(), steps=10**9, on_step=on_step,
      save_to=Path(sys.argv[1]), save_every=1)
"""


@pytest.mark.skipif(
    not hasattr(os, "fork"), reason="this system has no fork: one process a kill takes too long"
)
def test_a_kill_while_a_checkpoint_is_written_loses_nothing(tmp_path):
    """Eight processes that save at every step, each killed at another moment: the file always loads."""
    file, steps = tmp_path / "run.state", 0
    for round_ in range(8):
        with warm_helpers.start(WRITES, str(file), stdout=subprocess.PIPE) as process:
            assert process.stdout.readline() == "go\n"
            time.sleep(0.0085 * round_)
            process.kill()
        state = torch.load(file, weights_only=True)
        assert len(state["losses"]) >= steps + 2  # what was acknowledged before is still there, and more
        assert state["model"]["weight"].shape == (300, 300)
        steps = len(state["losses"])


@pytest.mark.parametrize("tied", [True, False])
def test_the_matrices_of_layers_decay_and_nothing_else(tied):
    """Each parameter is in exactly one group; without gradients a matrix shrinks, and nothing else moves."""
    from course_lib.models.gpt import GPTConfig

    model = GPTConfig(20, d_model=16, n_heads=2, n_layers=2, max_len=8, tied=tied).build()
    groups = decay_groups(model, 0.1)
    ids = [id(p) for group in groups for p in group["params"]]
    assert sorted(ids) == sorted(id(p) for p in model.parameters())
    before = {name: p.detach().clone() + 1 for name, p in model.named_parameters()}
    for name, p in model.named_parameters():
        p.data, p.grad = before[name].clone(), torch.zeros_like(p)
    torch.optim.AdamW(groups, lr=0.5).step()
    for name, p in model.named_parameters():
        kept = name.endswith("bias") or "norm" in name or "embedding" in name
        torch.testing.assert_close(p.data, before[name] * (1 if kept else 0.95))
