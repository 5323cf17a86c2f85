"""`python3 -m course_lib train NAME`: make a shipped checkpoint again, on a CPU.

With `torchrun --nproc_per_node 2 -m course_lib train town-gpt` several processes train it together.
"""

import os
from functools import partial

import torch

from course_lib.tasks import assistant, families, fill_in, pronunciation, python_gpt, town_gpt
from course_lib.tools import ROOT, parser
from course_lib.training import distributed

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
            card = make(WORK)
            if distributed.is_first():
                print(f"{name}: " + " · ".join(f"{key} {value}" for key, value in card["metrics"].items()))
    return 0
