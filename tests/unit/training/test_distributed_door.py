"""`torchrun --nproc_per_node 2 -m course_lib train town-gpt`: the command itself, with a tiny recipe.

Nothing in the course knows of the stand-in: Python imports a file `sitecustomize.py` that it finds on its
path before it runs anything, and that one exchanges the recipe, the folders and how often a run is saved.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from course_lib.tasks import town_gpt
from course_lib.tools.versions import misfits, pins
from course_lib.training import checkpoints
from course_lib.training.optim import WarmupStableDecay
from course_lib.training.recipe import new_model, train, vary

ROOT = Path(__file__).parents[3]
STEPS, SAVE_EVERY, KILLED_AT = 12, 4, 6
PATIENCE = 400  # seconds; a busy machine takes long to start two processes
TINY = vary(
    town_gpt.RECIPE,
    steps=STEPS,
    schedule=WarmupStableDecay(1, 6, STEPS),
    d_model=16,
    n_heads=2,
    n_layers=2,
    batch_size=8,
)
N_STORIES = 105  # its last batch has one row: a process without rows of its own
STAND_IN = f"""
import os, time
from pathlib import Path

if "STAND_IN" in os.environ:
    from course_lib.tasks import town_gpt
    from course_lib.tasks.town_gpt import shipping
    from course_lib.tools import train
    from course_lib.training import checkpoints, loop, saved_run
    from course_lib.training.optim import WarmupStableDecay
    from course_lib.training.recipe import vary

    folder, rank = Path(os.environ["STAND_IN"]), os.environ.get("RANK", "none")
    tiny = vary(
        town_gpt.RECIPE, steps={STEPS}, schedule=WarmupStableDecay(1, 6, {STEPS}), d_model=16, n_heads=2,
        n_layers=2, batch_size=8,
    )
    measure, plain, whole = shipping.measure, loop.train, saved_run.write_whole

    def saved_often(*arguments, on_step, **options):
        def step(n, loss):
            on_step(n, loss)
            if "HANGS" in os.environ and n == {KILLED_AT}:
                (folder / f"hangs.{{rank}}.part").write_text(str(os.getpid()))
                os.replace(folder / f"hangs.{{rank}}.part", folder / f"hangs.{{rank}}")
                time.sleep(1_000)
        return plain(*arguments, on_step=step, save_every={SAVE_EVERY}, **options)

    def noted(path, content):
        with open(folder / f"written.{{rank}}", "a") as file:
            file.write(path.name + "\\n")
        whole(path, content)

    loop.train, saved_run.write_whole, checkpoints.write_whole = saved_often, noted, noted
    shipping.measure = lambda model: measure(model, 30, 3)
    train.WORK = folder
    train.CHECKPOINTS["town-gpt"] = ("", 1)
    ship = town_gpt.ship
    town_gpt.ship = lambda work: ship(work, folder, tiny, {N_STORIES})
"""


def torchrun(folder, **more):
    (folder / "sitecustomize.py").write_text(STAND_IN, encoding="utf-8")
    path = os.pathsep.join([str(folder), str(ROOT)])
    return subprocess.Popen(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2",
         "-m", "course_lib", "train", "town-gpt"],
        env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "STAND_IN": str(folder), **more},
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip


def hanging(folder):
    """The ids of the processes that have come to the step at which they hang."""
    return [int(file.read_text()) for file in folder.glob("hangs.?")]


def kill(run, folder):
    """The processes at once, as a power cut would: those that train, and the one that watches them."""
    for pid in (run.pid, *hanging(folder)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    run.communicate()
    for file in folder.glob("hangs.?"):
        file.unlink()


def saved(folder):
    return torch.load(folder / "town-gpt.state", weights_only=True)


@pytest.mark.skipif(os.name == "nt", reason="a group of processes is killed, as Linux and macOS do it")
@pytest.mark.skipif(bool(misfits(pins())), reason="without the pinned packages the door makes an environment")
def test_two_processes_through_the_door_are_one_and_a_killed_run_ends_the_same(tmp_path):
    alone = new_model(TINY)
    losses = train(alone, TINY, town_gpt.task(N_STORIES)).losses

    run = torchrun(tmp_path, HANGS="yes")  # both processes wait after a step that was not saved
    try:
        waited = time.monotonic() + PATIENCE
        while len(hanging(tmp_path)) < 2 and run.poll() is None and time.monotonic() < waited:
            time.sleep(0.1)
        assert len(hanging(tmp_path)) == 2
    finally:
        kill(run, tmp_path)
    assert saved(tmp_path)["losses"].tolist() == pytest.approx(losses[:SAVE_EVERY], abs=1e-4)
    assert not (tmp_path / "town-gpt.json").exists()

    run = torchrun(tmp_path)
    try:
        said, _ = run.communicate(timeout=PATIENCE)
    finally:
        kill(run, tmp_path)
    assert run.returncode == 0, said
    assert said.count("town-gpt: floor ") == 1  # the first process alone speaks
    assert saved(tmp_path)["losses"].tolist() == pytest.approx(losses, abs=1e-4)
    for name, p in alone.named_parameters():
        torch.testing.assert_close(saved(tmp_path)["model"][name], p.detach(), atol=1e-4, rtol=0)

    card = checkpoints.load_card("town-gpt", tmp_path)
    assert card["steps"] == STEPS and card["metrics"]["gap"] > 0
    written = (tmp_path / "written.0").read_text(encoding="utf-8").split()
    assert written.count("town-gpt.state") == 1 + 3  # after step 4; then after 8, 12, and at the end
    assert not (tmp_path / "written.1").exists()  # one process writes
    assert town_gpt.load(tmp_path).config == TINY.model
