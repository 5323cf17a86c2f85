"""`python -m course_lib train NAME`: make a shipped checkpoint again, on a CPU."""

import argparse
from pathlib import Path

from course_lib.training import pronouncing

# name -> (what makes it, how long it takes on two cores)
CHECKPOINTS = {"pronouncer": (pronouncing.ship, "about an hour")}
WORK = Path(__file__).resolve().parents[2] / "build" / "train"


def main(arguments: list[str] | None = None) -> int:
    """Train, store and measure the named checkpoints; a run that was stopped goes on."""
    listing = "\n".join(f"  {name}: {minutes} on 2 cores" for name, (_, minutes) in CHECKPOINTS.items())
    parser = argparse.ArgumentParser(
        prog="python -m course_lib train",
        description=f"Make shipped checkpoints again.\n\n{listing}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("name", nargs="+", choices=sorted(CHECKPOINTS))
    parser.add_argument(
        "--fresh", action="store_true", help="start anew instead of going on where a run stopped"
    )
    options = parser.parse_args(arguments)
    for name in options.name:
        make, _ = CHECKPOINTS[name]
        if options.fresh:
            for state in WORK.glob(f"{name}*.state"):
                state.unlink()
        card = make(WORK)
        print(f"{name}: " + " · ".join(f"{key} {value}" for key, value in card["metrics"].items()))
    return 0
