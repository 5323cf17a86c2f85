"""`python3 -m course_lib train NAME`: make a shipped checkpoint again, on a CPU."""

import os
from functools import partial

import torch

from course_lib.tasks import pronunciation
from course_lib.tools import ROOT, parser

# name -> (what makes it, how long it takes on two cores)
CHECKPOINTS = {
    "pronouncer": (partial(pronunciation.ship, name="pronouncer"), "about an hour"),
    "pronunciation-transformer": (
        partial(pronunciation.ship, name="pronunciation-transformer"),
        "about two hours",
    ),
}
WORK = ROOT / "build" / "train"


def main(arguments: list[str]) -> int:
    """Train, store and measure the named checkpoints; a run that was stopped goes on."""
    asked = parser("train", {name: f"{minutes} on 2 cores" for name, (_, minutes) in CHECKPOINTS.items()})
    asked.add_argument("name", nargs="+", choices=sorted(CHECKPOINTS))
    asked.add_argument(
        "--fresh", action="store_true", help="start anew instead of going on where a run stopped"
    )
    options = asked.parse_args(arguments)
    torch.set_num_threads(os.cpu_count() or 1)  # shipped models are large enough for all cores
    for name in options.name:
        make, _ = CHECKPOINTS[name]
        if options.fresh:
            for state in WORK.glob(f"{name}*.state"):
                state.unlink()
        card = make(WORK)
        print(f"{name}: " + " · ".join(f"{key} {value}" for key, value in card["metrics"].items()))
    return 0
