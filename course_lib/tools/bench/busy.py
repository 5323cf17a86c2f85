"""`bench busy`: the same training alone and beside two busy processes, without and with the course's setting.

torch's threads share out each operation and wait for one another at its end. They wait awake ("spinning"):
fine on an idle machine; beside busy processes a waiting thread holds the core that the awaited one needs.
`environment.kernel_variables` gives a small model one thread, and tells others to give the core back soon.
What that costs alone and what it saves
beside others stands here side by side; runs of the settings take turns, so that all meet the same minute.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from course_lib.tools import ROOT, parser
from course_lib.tools.environment import kernel_variables

NEIGHBOURS = 2  # busy processes
MOST = 5.0  # times as long as alone, at most
THREADS = ("OMP_NUM_THREADS", "OMP_WAIT_POLICY", "GOMP_SPINCOUNT")  # what a setting may say
OTHERS = {
    "GOMP_SPINCOUNT=100": {"GOMP_SPINCOUNT": "100"},
    "GOMP_SPINCOUNT=1000": {"GOMP_SPINCOUNT": "1000"},
    "GOMP_SPINCOUNT=10000": {"GOMP_SPINCOUNT": "10000"},
    "GOMP_SPINCOUNT=100000": {"GOMP_SPINCOUNT": "100000"},
    "OMP_WAIT_POLICY=passive": {"OMP_WAIT_POLICY": "passive"},
    "one thread": {"OMP_NUM_THREADS": "1"},
}


def main(arguments: list[str]) -> int:
    """Print the table; the exit code is 1 when a training with the course's setting is slowed too much."""
    asked = parser("bench")
    asked.add_argument("--rounds", type=int, default=3, help="times that each is run; the medians are shown")
    asked.add_argument("--all", action="store_true", help="other settings too")
    options = asked.parse_args(arguments)
    ours = {name: value for name, value in kernel_variables().items() if name in THREADS}
    settings = {"torch's own": {}, "the course's": ours} | (OTHERS if options.all else {})
    seconds = _measure(settings, options.rounds)
    print("the course's setting: " + (" ".join(f"{k}={v}" for k, v in ours.items()) or "none, as you asked"))
    print(f"{'training':14} {'setting':24} {'alone':>8} {f'beside {NEIGHBOURS}':>9} {'times':>6}")
    slowest = 0.0
    for (training, setting), (alone, beside) in seconds.items():
        print(f"{training:14} {setting:24} {alone:6.2f} s {beside:7.2f} s {beside / alone:6.1f}")
        if setting == "the course's":
            slowest = max(slowest, beside / alone)
    verdict = "✓" if slowest <= MOST else "✗"
    print(f"with the course's setting at most {slowest:.1f} times as long (at most {MOST:g} {verdict})")
    return 0 if slowest <= MOST else 1


def _measure(settings: dict[str, dict], rounds: int) -> dict[tuple[str, str], tuple[float, float]]:
    """(training, setting) → median seconds alone, and beside the neighbours."""
    alone: dict[tuple[str, str], list[float]] = {}
    beside: dict[tuple[str, str], list[float]] = {}
    for number in range(rounds):
        print(f"round {number + 1} of {rounds} …", flush=True)
        for name, variables in settings.items():
            for training, seconds in _run(variables).items():
                alone.setdefault((training, name), []).append(seconds)
        with neighbours(NEIGHBOURS):
            for name, variables in settings.items():
                for training, seconds in _run(variables).items():
                    beside.setdefault((training, name), []).append(seconds)
    return {key: (statistics.median(alone[key]), statistics.median(beside[key])) for key in sorted(alone)}


def _run(variables: dict[str, str]) -> dict[str, float]:
    """All trainings once in a process of their own: libgomp reads its settings when it is loaded."""
    clean = {name: value for name, value in os.environ.items() if name not in THREADS}
    command = [sys.executable, "-c", "from course_lib.tools.bench import busy; busy.train_all()"]
    done = subprocess.run(
        command, cwd=ROOT, env=clean | variables, capture_output=True, text=True, encoding="utf-8"
    )
    if done.returncode:
        raise SystemExit(f"the training ended with an error:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


@contextmanager
def neighbours(n: int) -> Iterator[None]:
    """So many processes that do nothing but keep a core busy, while the block lasts."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(n)]
    try:
        time.sleep(0.2)
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


def train_all() -> None:
    """Train a few steps of each model and print the seconds, as JSON."""
    from course_lib.tasks import card_game, round_table, town_lm, translation
    from course_lib.training.recipe import new_model, train, vary

    trainings = {
        "translator": (translation.RECIPE, translation.task(), 20),
        "card game": (card_game.RECIPE, card_game.task(), 100),
        "round table": (round_table.RECIPE, round_table.task(), 200),
        "town LM": (town_lm.RECIPE, town_lm.task(n_sentences=2000), 30),
    }
    seconds = {}
    for name, (recipe, task, steps) in trainings.items():
        model = new_model(recipe)
        train(model, vary(recipe, steps=2), task)  # the first steps load and lay out
        start = time.perf_counter()
        train(model, vary(recipe, steps=steps), task)
        seconds[name] = round(time.perf_counter() - start, 3)
    print(json.dumps(seconds))
