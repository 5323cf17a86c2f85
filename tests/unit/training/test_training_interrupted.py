"""Kernel → Interrupt, once and twice, at many moments: a clean line, a finished curve, a usable model."""

import json
import os
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest
import torch
import warm_helpers
from torch import nn

from course_lib.training.interrupts import Interrupts
from course_lib.training.loop import train

ROOT = Path(__file__).parents[3]
REAL = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
posix = pytest.mark.skipif(os.name == "nt", reason="sends a real SIGINT")

ROUNDS = """
import json, sys, time, torch
from pathlib import Path
from torch import nn
from course_lib.training.loop import train

class Curve:
    finished = 0
    def __call__(self, step, loss):
        if step == 3: print("go", flush=True)
        time.sleep(0.001)
    def finish(self):
        time.sleep(0.01)
        self.finished += 1

def loss_of(model, batch):
    time.sleep(0.001)
    return model(batch).square().mean()

batch = torch.ones(2, 8)
for round_ in range(int(sys.argv[2])):
    model, curve, file = nn.Linear(8, 8), Curve(), Path(sys.argv[1]) / f"{round_}.state"
    history = train(model, iter(lambda: batch, None), loss_of, steps=10**6, on_step=curve, save_to=file,
                    save_every=2)
    saved = torch.load(file, weights_only=True)
    print(json.dumps({
        "interrupted": history.interrupted, "finished": curve.finished, "training": model.training,
        "saved": len(saved["losses"]) == history.steps,
        "same": torch.equal(saved["model"]["weight"], model.weight),
    }), flush=True)
    time.sleep(0.15)  # where the rest of a cell would run
print("end", flush=True)
"""


@posix
def test_two_interrupts_at_many_moments(tmp_path):
    """The second press comes 0 to 120 ms after the first: in a step, while saving, after training."""
    gaps = [0, 0.0005, 0.001, 0.002, 0.003, 0.005, 0.008, 0.012, 0.016, 0.02, 0.03, 0.05, 0.08, 0.12]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = warm_helpers.start(ROUNDS, str(tmp_path), str(len(gaps)), **pipes)
    for gap in gaps:
        assert process.stdout.readline() == "go\n"
        process.send_signal(signal.SIGINT)
        time.sleep(gap)
        process.send_signal(signal.SIGINT)
        said = process.stdout.readline()
        assert "stopped by you after" in said and "keeps what it has learned" in said
        result = json.loads(process.stdout.readline())
        assert result == {
            "interrupted": True, "finished": 1, "training": False, "saved": True, "same": True
        }  # fmt: skip
    with process:
        assert process.stdout.readline() == "end\n"
        assert process.stderr.read() == "" and process.wait() == 0


@posix
def test_a_step_that_hangs_can_be_broken_off(monkeypatch):
    """A second press after `PATIENCE` does break in, and training still ends cleanly."""
    monkeypatch.setattr("course_lib.training.interrupts.PATIENCE", 0.2)
    monkeypatch.setattr("course_lib.training.interrupts.ONE_PRESS", 0.6)

    def hangs(model, batch):
        def press():
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.4)
            os.kill(os.getpid(), signal.SIGINT)

        threading.Thread(target=press).start()
        while True:
            time.sleep(0.01)

    before = signal.default_int_handler  # a test before this one may have left a stopped training's
    signal.signal(signal.SIGINT, before)
    history = train(nn.Linear(2, 1), [torch.ones(1, 2)] * 5, hangs, steps=5)
    assert history.interrupted and history.steps == 0
    time.sleep(0.7)  # the press is over: the next one is a new one, for whoever listened before
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(1)
    assert signal.getsignal(signal.SIGINT) == before


@posix
def test_an_interrupt_reaches_the_training_around_a_training():
    with Interrupts() as outer:
        with Interrupts() as inner:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.01)
        assert inner.wanted and outer.wanted
    with Interrupts() as later:
        assert not later.wanted  # what was pressed before does not stop the next training
    signal.signal(signal.SIGINT, signal.default_int_handler)


def test_training_in_another_thread_leaves_signals_alone():
    before, histories = signal.getsignal(signal.SIGINT), []

    def work():
        batches = [torch.ones(1, 2)] * 3
        histories.append(train(nn.Linear(2, 1), batches, lambda m, b: m(b).square().mean(), steps=3))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert histories[0].steps == 3 and signal.getsignal(signal.SIGINT) == before


CELL = """
import time, torch
from torch import nn
from course_lib.training.loop import train
from course_lib.widgets import LiveLoss

def loss_of(model, batch):
    time.sleep(0.002)
    return model(batch).square().mean()

def watch(step, loss):  # as a page does: the curve is inside another function
    live(step, loss)
    if step == 5: print("go")

model, live = nn.Linear(4, 4), LiveLoss(10**6)
history = train(model, iter(lambda: torch.ones(2, 4), None), loss_of, steps=10**6, on_step=watch)
print("then", history.interrupted, model.training)
"""
AGAIN = "history = train(model, iter(lambda: torch.ones(2, 4), None), loss_of, steps=30, on_step=live)"


@posix
def test_two_interrupts_in_a_real_kernel(tmp_path):
    """No traceback, one line, the rest of the cell runs, and the saved page holds the finished curve."""
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel(kernel_name="python3", env=REAL, cwd=str(tmp_path))
    try:
        for gap in (0.0, 0.02, 0.15):
            messages = []

            def hear(message, messages=messages, gap=gap):
                messages.append(message)
                if "go" in message["content"].get("text", ""):
                    manager.interrupt_kernel()
                    time.sleep(gap)
                    manager.interrupt_kernel()

            reply = client.execute_interactive(CELL, output_hook=hear, timeout=120)
            assert reply["content"]["status"] == "ok", reply["content"]
            said = "".join(m["content"]["text"] for m in messages if m["msg_type"] == "stream")
            assert said.count("stopped by you after") == 1 and said.endswith("then True False\n")
            assert not [m for m in messages if m["msg_type"] == "error" or "Traceback" in str(m["content"])]
            last = [m for m in messages if m["msg_type"] == "update_display_data"][-1]
            assert "stopped at step" in words_of(last)
        messages = []  # the same curve for a second training: it begins anew, where that training is
        client.execute_interactive(AGAIN, output_hook=messages.append, timeout=120)
        kinds = [m["msg_type"] for m in messages]
        assert "display_data" in kinds and "update_display_data" in kinds and "error" not in kinds
        last = [m for m in messages if m["msg_type"] == "update_display_data"][-1]
        assert "stopped at step 30 of 1000000" in words_of(last)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def words_of(message: dict) -> str:
    """The alt text of the picture in a message."""
    return message["content"]["data"]["text/html"].partition(" src=")[0]
