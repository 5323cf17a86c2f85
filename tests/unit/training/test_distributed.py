"""One batch in pieces or in several processes: the same training; and a run that is killed ends the same."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from course_lib.tasks import town_gpt
from course_lib.text.tokenizers import PAD_ID
from course_lib.training import distributed
from course_lib.training.optim import WarmupStableDecay
from course_lib.training.recipe import Task, new_model, train, vary

ROOT = Path(__file__).parents[3]
N_STORIES, STEPS = 105, 12  # 13 batches of 8, and one of a single row: a process without rows of its own
TINY = vary(
    town_gpt.RECIPE,
    steps=STEPS,
    schedule=WarmupStableDecay(1, 6, STEPS),
    d_model=16,
    n_heads=2,
    n_layers=2,
    batch_size=8,
)
SCRIPT = """
import json, sys
from pathlib import Path

import torch
from torch import distributed as dist

from course_lib.faults import flag_set_late
from course_lib.tasks import town_gpt
from course_lib.training import distributed
from course_lib.training.optim import WarmupStableDecay
from course_lib.training.recipe import new_model, train, vary

what, out, steps, pieces = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
schedule = WarmupStableDecay(1, 6, 12) if steps == 12 else WarmupStableDecay(1, 1, 1000)  # the plateau alone
recipe = vary(
    town_gpt.RECIPE, steps=steps, schedule=schedule, d_model=16, n_heads=2, n_layers=2,
    batch_size=8, pieces=pieces,
)
torch.set_num_threads(1)
with distributed.together():
    model = new_model(recipe)
    if what == "train":
        def on_step(step, loss):
            if distributed.is_first():
                print(step, flush=True)
        history = train(model, recipe, town_gpt.task(105), on_step=on_step, save_to=out / "run.state")
        losses = history.losses
    else:  # three steps of plain descent, with the flag set late or in time, or rows of padding
        spread, losses = distributed.spread(model), []
        ids = next(town_gpt.batches(recipe, 105))
        if what == "padded":  # one piece of the first process, and two of the second, the last ones
            ids[[4, 5, 7], 1:] = 0
        parts = ids.tensor_split(8)[distributed.rank() :: 2]
        right = distributed.Gradients(town_gpt.next_word_loss, town_gpt.counted, pieces=4)
        for _ in range(3):
            model.zero_grad()
            if what == "late":
                flag_set_late(spread, parts, town_gpt.next_word_loss)
            else:
                right(spread, ids)
            with torch.no_grad():
                for p in model.parameters():
                    p -= 0.1 * p.grad
    flat = torch.cat([p.detach().flatten() for p in model.parameters()])
    every = [torch.empty_like(flat) for _ in range(dist.get_world_size())]
    dist.all_gather(every, flat)
    apart = max((flat - other).abs().max().item() for other in every)
    found = {"losses": losses, "parameters": flat.tolist(), "apart": apart}
    (out / f"rank{dist.get_rank()}.json").write_text(json.dumps(found))
"""


def torchrun(folder, what, steps=STEPS, pieces=1, **options):
    script = folder / "script.py"
    script.write_text(SCRIPT, encoding="utf-8")
    command = [
        sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2",
        str(script), what, str(folder), str(steps), str(pieces),
    ]  # fmt: skip
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        command,
        env=environ,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **options,
    )


def finished(run, folder):
    said, _ = run.communicate(timeout=180)
    assert run.returncode == 0, said
    return [json.loads((folder / f"rank{rank}.json").read_text()) for rank in range(2)]


@pytest.fixture(scope="module")
def alone():
    """One process, each batch at once."""
    model = new_model(TINY)
    history = train(model, TINY, town_gpt.task(N_STORIES))
    return history.losses, torch.cat([p.detach().flatten() for p in model.parameters()])


@pytest.mark.parametrize("pieces", [2, 3, 8])
def test_pieces_change_nothing(alone, pieces):
    model = new_model(TINY)
    history = train(model, vary(TINY, pieces=pieces), town_gpt.task(N_STORIES))
    assert history.losses == pytest.approx(alone[0], abs=1e-4)
    found = torch.cat([p.detach().flatten() for p in model.parameters()])
    torch.testing.assert_close(found, alone[1], atol=1e-4, rtol=0)


@pytest.mark.parametrize("without", [[0], [0, 1], [1, 2, 3]])
def test_rows_without_a_token_that_counts_have_no_share(without):
    """Such a piece has no loss of its own: the gradients are those of the other rows."""
    ids = next(town_gpt.batches(TINY, N_STORIES))[:4].clone()
    ids[without, 1:] = PAD_ID
    others = ids[[row for row in range(4) if row not in without]]
    one, other = new_model(TINY), new_model(TINY)
    loss = town_gpt.next_word_loss(other, others)
    loss.backward()
    found = distributed.Gradients(town_gpt.next_word_loss, town_gpt.counted, pieces=4)(one, ids)
    assert found == pytest.approx(loss.item(), abs=1e-5)
    for p, q in zip(one.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(p.grad, q.grad, atol=1e-5, rtol=0)
    ids[:, 1:] = PAD_ID
    with pytest.raises(ValueError, match="batch has no token that counts"):
        distributed.Gradients(town_gpt.next_word_loss, town_gpt.counted, pieces=2)(one, ids)


def test_a_mean_of_means_is_another_loss():
    """What `count` is there for: pieces of unequal length."""
    ids = next(town_gpt.batches(TINY, N_STORIES))
    parts = ids.tensor_split(8)
    model = new_model(TINY).eval()
    with torch.no_grad():
        means = [town_gpt.next_word_loss(model, part).item() for part in parts]
        whole = town_gpt.next_word_loss(model, ids).item()
    counts = [town_gpt.counted(part) for part in parts]
    assert len(set(counts)) > 1
    weighted = sum(mean * n for mean, n in zip(means, counts, strict=True)) / sum(counts)
    assert weighted == pytest.approx(whole, abs=1e-5)
    assert abs(sum(means) / len(means) - whole) > 1e-4


def test_two_processes_are_one_and_a_killed_run_ends_the_same(alone, tmp_path):
    """Two processes of two pieces each; killed after some steps, then started again."""
    run = torchrun(tmp_path, "train", steps=5, pieces=2)  # a run on the plateau, saved at its end
    for one in finished(run, tmp_path):
        assert one["losses"] == pytest.approx(alone[0][:5], abs=1e-4)
    state = tmp_path / "run.state"
    before = state.read_bytes()
    run = torchrun(tmp_path, "train", pieces=2, start_new_session=True)
    for line in run.stdout:
        if line.strip() == "8":  # three steps on from where it was saved
            break
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    run.stdout.close()
    assert state.read_bytes() == before
    first, second = finished(torchrun(tmp_path, "train", pieces=2), tmp_path)
    assert first["losses"] == second["losses"] == pytest.approx(alone[0], abs=1e-4)
    assert first["apart"] == 0
    torch.testing.assert_close(torch.tensor(first["parameters"]), alone[1], atol=1e-4, rtol=0)


def test_rows_without_a_token_that_counts_have_no_share_in_two_processes_either(tmp_path):
    """Each has to take part in every exchange, also with nothing to say."""
    first, _ = finished(torchrun(tmp_path, "padded"), tmp_path)
    assert first["apart"] == 0
    model = new_model(TINY)
    ids = next(town_gpt.batches(TINY, N_STORIES))[[0, 1, 2, 3, 6]]
    for _ in range(3):
        model.zero_grad()
        town_gpt.next_word_loss(model, ids).backward()
        with torch.no_grad():
            for p in model.parameters():
                p -= 0.1 * p.grad
    found = torch.cat([p.detach().flatten() for p in model.parameters()])
    torch.testing.assert_close(torch.tensor(first["parameters"]), found, atol=1e-4, rtol=0)


def test_a_flag_that_is_set_late_parts_the_processes(tmp_path):
    """The invariant that finds it: after a step all processes have the same parameters."""
    late, right = (finished(torchrun(tmp_path, what), tmp_path)[0] for what in ("late", "in time"))
    assert right["apart"] == 0
    assert late["apart"] > 1e-3
    copies = rehearsed([True, False, False, False])  # the flags as they are read: each one a piece late
    torch.testing.assert_close(flat(copies[0]), torch.tensor(late["parameters"]), atol=1e-5, rtol=0)
    assert apart(copies) == pytest.approx(late["apart"], abs=1e-5)


def flat(model):
    return torch.cat([p.detach().flatten() for p in model.parameters()])


def apart(copies):
    return (flat(copies[0]) - flat(copies[1])).abs().max().item()


def rehearsed(flags, steps=3):
    """The same steps of two processes with four pieces each, in one."""
    copies = [new_model(TINY) for _ in range(2)]
    parts = next(town_gpt.batches(TINY, N_STORIES)).tensor_split(8)
    for _ in range(steps):
        distributed.rehearse(copies, [parts[0::2], parts[1::2]], town_gpt.next_word_loss, flags)
        with torch.no_grad():
            for p in [p for model in copies for p in model.parameters()]:
                p -= 0.1 * p.grad
    return copies


def test_rehearsed_exchanges_are_means_of_what_is_held():
    last, each = rehearsed([False, False, False, True], 1), rehearsed([True] * 4, 1)
    assert apart(last) == apart(each) == 0
    torch.testing.assert_close(flat(last[0]), flat(each[0]), atol=1e-6, rtol=0)
    never = rehearsed([False] * 4, 1)
    assert apart(never) > 1e-3
    mean = (flat(never[0]) + flat(never[1])) / 2
    torch.testing.assert_close(mean, flat(last[0]), atol=1e-6, rtol=0)
    copies = [new_model(TINY)]
    ids = next(town_gpt.batches(TINY, N_STORIES))
    loss = distributed.rehearse(copies, [[ids]], town_gpt.next_word_loss, [True])
    assert loss == pytest.approx(town_gpt.next_word_loss(copies[0], ids).item(), abs=1e-5)


def test_who_cannot_count_cannot_be_cut():
    task = Task(town_gpt.task(10).batches, town_gpt.next_word_loss)
    with pytest.raises(ValueError, match=r"the task has no `count`, and pieces is 2 in 1 processes"):
        train(new_model(TINY), vary(TINY, pieces=2), task)
    with pytest.raises(ValueError, match="pieces is 0"):
        train(new_model(TINY), vary(TINY, pieces=0), task)
