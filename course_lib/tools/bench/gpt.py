"""`bench gpt`: training and writing with our GPT, beside `transformers` and a plain training script's model.

Each contestant has a process of its own; they work by turns, in short bursts, and the fastest burst of each
counts: what else the machine does falls on all, and the fastest burst is the one that it disturbed least.
With one thread, what counts is how long a core worked, not what the clock on the wall says.

All have GPT-2's layers, in the same sizes, and learn with the same loss, clipping and optimizer (AdamW in one
kernel). The plain model has the exact GELU, which is cheaper than GPT-2's.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from course_lib.tools import ROOT, Problem, parser

CONFIG = {"vocab_size": 512, "d_model": 128, "n_heads": 4, "n_layers": 4, "max_len": 128}
WIDE = CONFIG | {"d_model": 256, "n_heads": 8}
BATCH, LENGTH = 32, 64  # a step of training
NEW_TOKENS = 100  # of one text
ROUNDS = 20
SQUARES = ("512", "1024")  # rows of the matrices whose product shows the machine's peak


class Best(NamedTuple):
    """The fastest burst of one contestant."""

    seconds: float  # for one time
    megabytes: float  # how far the process has grown


def main(arguments: list[str]) -> int:
    """Print the table; with `--check`, exit code 1 where a bound is missed."""
    asked = parser("bench")
    asked.prog += " gpt"
    asked.add_argument("--check", action="store_true", help="exit code 1 where a bound is missed")
    asked.add_argument("--rounds", type=int, default=ROUNDS, help=f"bursts of each (default {ROUNDS})")
    asked.add_argument("--threads", type=int, default=1, help="of each process (default 1)")
    options = asked.parse_args(arguments)
    found = measure(options.rounds, options.threads)
    clock = "core" if options.threads == 1 else "clock"
    print(
        f"4 layers, d_model 128, {options.threads} thread(s); tokens a second of the {clock}, memory beside"
    )
    for (what, who), best in found.items():
        if what == "product":
            continue
        print(f"  {what:16} {who:14}{tokens(what) / best.seconds:12,.0f}{best.megabytes:9,.0f} MB")
    missed = 0
    for name, value, bound, aim in verdicts(found):
        kept = bound is None or value >= bound
        missed += not kept
        said = "" if bound is None else f"   at least {bound:g} {'✓' if kept else '✗'}"
        print(f"{name:62}{value:6.2f}{said}{aim and f'   ({aim})'}")
    return 1 if missed and options.check else 0


def verdicts(found: dict[tuple[str, str], Best]) -> Iterator[tuple[str, float, float | None, str]]:
    """What is said of the figures: name, value, its bound or None, and what we aim at."""

    def times(what: str, who: str) -> float:
        return found[what, who].seconds / found[what, "ours"].seconds

    yield "training, times as fast as transformers", times("training", "transformers"), 1.25, ""
    yield "training, times as fast as a plain script", times("training", "plain"), None, ""
    peak = max(2 * int(rows) ** 3 / found["product", rows].seconds for rows in SQUARES)
    share = operations(WIDE, BATCH, LENGTH) / found["training, wide", "ours"].seconds / peak
    yield "training at d_model 256, share of the matrix products' peak", share, None, "aim 0.70"
    yield (
        "writing with a cache, times as fast as transformers",
        times("writing", "transformers"),
        2.5,
        "",
    )
    yield "writing with a cache, times as fast as without", times("writing", "uncached"), None, ""


def tokens(what: str) -> int:
    """How many tokens one time is."""
    return NEW_TOKENS if what == "writing" else BATCH * LENGTH


def operations(config: dict[str, int], batch: int, length: int) -> float:
    """Multiplications and additions in the matrix products of one training step.

        6 · tokens · (12 N D² + V D)  +  6 · tokens · N · T · D

    Twice as many parameters as operations forward, twice as many again backward; in attention, queries with
    keys and weights with values, of which the causal mask leaves half.
    """
    d, n = config["d_model"], config["n_layers"]
    return 6.0 * batch * length * (12 * n * d * d + config["vocab_size"] * d + n * length * d)


def measure(rounds: int, threads: int) -> dict[tuple[str, str], Best]:
    """(what, who) to its fastest burst: one kind of work after the other, its contestants by turns."""
    train, write = {"batch": BATCH, "length": LENGTH}, {"batch": 1, "length": NEW_TOKENS}
    kinds = (  # what, job, who, sizes, times in a burst
        ("training", "training", ("ours", "transformers", "plain"), CONFIG, train, 2),
        ("writing", "writing", ("ours", "transformers", "uncached"), CONFIG, write, 2),
        ("training, wide", "training", ("ours",), WIDE, train, 1),
        ("product", "product", SQUARES, WIDE, train, 4),
    )
    found = {}
    together = kinds[2:]  # the peak is measured in the same minute as what is held against it
    for group in ((kinds[0],), (kinds[1],), together):
        with _workers(group, threads) as workers:
            for _ in range(rounds):
                for (what, who, n), worker in workers.items():
                    seconds, megabytes = _ask(worker, n)
                    before = found.get((what, who), Best(float("inf"), 0.0))
                    found[what, who] = Best(min(before.seconds, seconds / n), megabytes)
    return found


@contextmanager
def _workers(group: Sequence[tuple], threads: int) -> Iterator[dict[tuple, Any]]:
    """A process for each contestant, ended with the block."""
    running = {}
    try:
        for what, job, everybody, config, sizes, n in group:
            for who in everybody:
                told = {"what": job, "who": who, "config": config, "threads": threads, **sizes}
                code = "from course_lib.tools.bench import gpt_worker; gpt_worker.main()"
                command = [sys.executable, "-c", code, json.dumps(told)]
                pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
                running[what, who, n] = subprocess.Popen(command, cwd=ROOT, **pipes)
        yield running
    finally:
        for worker in running.values():
            worker.stdin.close()
            worker.kill()
            worker.wait()
            worker.stdout.close()


def _ask(worker: Any, n: int) -> tuple[float, float]:
    """Let a worker do its work n times: seconds, and megabytes."""
    try:
        worker.stdin.write(json.dumps({"n": n}) + "\n")
        worker.stdin.flush()
        said = json.loads(worker.stdout.readline())
    except (OSError, ValueError) as error:  # it has ended, and its own words stand above
        raise Problem(
            "a contestant of `bench gpt` ended with an error",
            "read what it said above; `pip install -r requirements.txt` brings what may be missing",
        ) from error
    return said["seconds"], said["megabytes"]
