"""`python3 -m course_lib train NAME`: make a shipped checkpoint again, on a CPU.

With `torchrun --nproc_per_node 2 -m course_lib train town-gpt` several processes train it together.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import torch

from course_lib.files import write_whole
from course_lib.tasks import assistant, families, fill_in, pronunciation, python_gpt, town_gpt
from course_lib.tools import ROOT, Stopped, parser
from course_lib.training import distributed, interrupts
from course_lib.training.checkpoints import FOLDER

ALL_CORES = os.cpu_count() or 1
# name -> (what makes it, how long that takes, threads: a small model gains nothing from a second one)
CHECKPOINTS = {
    "pronouncer": (partial(pronunciation.ship, name="pronouncer"), "about an hour on 2 cores", ALL_CORES),
    "pronunciation-transformer": (
        partial(pronunciation.ship, name="pronunciation-transformer"),
        "two to three hours on 2 cores",
        ALL_CORES,
    ),
    **{name: (partial(families.ship, name), "about a minute on 1 core", 1) for name in families.SHIPPED},
    "python-gpt": (python_gpt.ship, "about half an hour on 1 core", 1),
    "bert": (fill_in.ship, "about half an hour on 1 core", 1),
    "assistant-sft": (assistant.ship_sft, "about half an hour on 1 core, after town-gpt", 1),
    "assistant-dpo": (assistant.ship_dpo, "about a minute on 1 core, after assistant-sft", 1),
    "assistant-grpo": (assistant.ship_grpo, "about ten minutes on 1 core, after assistant-dpo", 1),
    "town-gpt": (town_gpt.ship, "two to three hours on 2 cores", ALL_CORES),
}
WORK = ROOT / "build" / "train"


def main(arguments: list[str]) -> int:
    """Train, store and measure the named checkpoints; a run that was stopped goes on."""
    asked = parser("train", {name: how_long for name, (_, how_long, _) in CHECKPOINTS.items()})
    asked.add_argument("name", nargs="+", choices=sorted(CHECKPOINTS))
    asked.add_argument(
        "--fresh", action="store_true", help="start anew instead of going on where a run stopped"
    )
    options = asked.parse_args(arguments)
    with distributed.together():
        for name in options.name:
            make, _, threads = CHECKPOINTS[name]
            torch.set_num_threads(threads)
            if options.fresh and distributed.is_first():
                for state in WORK.glob(f"{name}*.state"):
                    state.unlink()
            distributed.wait()
            try:
                with interrupts.all_or_nothing(), whole_or_as_it_was(name):
                    card = make(WORK)
            except KeyboardInterrupt as stopped:
                raise left(name, stopped, options.fresh) from None
            if distributed.is_first():
                print(f"{name}: " + " · ".join(f"{key} {value}" for key, value in card["metrics"].items()))
    return 0


@contextmanager
def whole_or_as_it_was(name: str) -> Iterator[None]:
    """When the block does not come to its end, the files of the checkpoint are again what they were before.

    A checkpoint is stored before it is measured: so it would stand there with a card that lacks the measures.
    """
    before = {path: path.read_bytes() for path in FOLDER.glob(f"{name}.*")}
    try:
        yield
    except BaseException:
        if distributed.is_first():
            for path in FOLDER.glob(f"{name}.*"):
                if path not in before:
                    path.unlink()
            for path, content in before.items():
                if not path.exists() or path.read_bytes() != content:
                    write_whole(path, content)
        raise


def left(name: str, stopped: KeyboardInterrupt, fresh: bool = False) -> Stopped:
    """What an interrupt leaves: the checkpoint as it was, and of most trainings a run that can go on."""
    after = ""
    if isinstance(stopped, interrupts.Stopped):
        after = f" after {stopped.steps} step" + "s" * (stopped.steps != 1)
    again = "type the same command again"
    if not (WORK / f"{name}.state").exists():
        again += ", and it starts anew."
    else:
        again += (" without --fresh" if fresh else "") + ", and it goes on."
    return Stopped(f"Stopped{after}. The shipped checkpoint is as it was.", again)
