"""`python3 -m course_lib train NAME`: make a shipped checkpoint again, on a CPU.

With `torchrun --nproc_per_node 2 -m course_lib train town-gpt` several processes train it together.
"""

import os

from course_lib.tools import ROOT, check_names, environment, parser, versions

ALL_CORES = os.cpu_count() or 1
# name -> (how long it takes, threads: a small model gains nothing from a second one)
CHECKPOINTS = {
    "pronouncer": ("about an hour on 2 cores", ALL_CORES),
    "pronunciation-transformer": ("two to three hours on 2 cores", ALL_CORES),
    "family-decoder-only": ("about a minute on 1 core", 1),
    "family-prefix-LM": ("about a minute on 1 core", 1),
    "family-encoder-only": ("about a minute on 1 core", 1),
    "family-encoder-decoder": ("about a minute on 1 core", 1),
    "python-gpt": ("about half an hour on 1 core", 1),
    "bert": ("about half an hour on 1 core", 1),
    "assistant-sft": ("about half an hour on 1 core, after town-gpt", 1),
    "assistant-dpo": ("about a minute on 1 core, after assistant-sft", 1),
    "assistant-grpo": ("about ten minutes on 1 core, after assistant-dpo", 1),
    "town-gpt": ("two to three hours on 2 cores", ALL_CORES),
}
WORK = ROOT / "build" / "train"


def main(arguments: list[str]) -> int:
    """Train, store and measure the named checkpoints; a run that was stopped goes on."""
    asked = parser("train", {name: how_long for name, (how_long, _) in CHECKPOINTS.items()})
    asked.add_argument("names", nargs="*", metavar="NAME", help="one of the list above, or several")
    asked.add_argument(
        "--fresh", action="store_true", help="start anew instead of going on where a run stopped"
    )
    options = asked.parse_args(arguments)
    check_names("train", "checkpoint", options.names, CHECKPOINTS)
    if not options.names:
        asked.print_help()
        return 0
    environment.ensure(versions.pins(), ["train", *arguments])
    import torch

    from course_lib.tools.making import made
    from course_lib.training import distributed

    with distributed.together():
        for name in options.names:
            torch.set_num_threads(CHECKPOINTS[name][1])
            if options.fresh and distributed.is_first():
                for state in WORK.glob(f"{name}*.state"):
                    state.unlink()
            distributed.wait()
            card = made(name, WORK, options.fresh)
            if distributed.is_first():
                print(f"{name}: " + " · ".join(f"{key} {value}" for key, value in card["metrics"].items()))
    return 0
