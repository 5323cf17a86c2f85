"""The "why?" experiments: one function each, recorded over several seeds, repeatable by anybody.

    record = experiments.load("length")                 every seed, as recorded
    live = experiments.run("length", seed=0)            one small seed, here and now
    experiments.compare(live, record)                   does it land where the record says?

A record is a JSON file in assets/experiments: the raw rows, and the command, seeds, versions and kind of
machine that made them. The learning rate of an experiment is constant, so a short run is the beginning of
a long one: its rows can be compared with the record's rows of the same step.
"""

from pathlib import Path

from course_lib.experiments import (
    chapter_01,
    chapter_02,
    chapter_03,
    chapter_04,
    chapter_05,
    chapter_05_words,
    chapter_06,
    chapter_06_words,
    chapter_08,
    chapter_09a,
    chapter_09a_packed,
    chapter_09a_python,
    chapter_09a_training,
    chapter_09a_windows,
    chapter_09b_scaling,
    chapter_09b_speed,
    chapter_10a,
    chapter_10a_injection,
    chapter_10b,
)
from course_lib.experiments.records import FOLDER, Comparison, Experiment, Record, Row, compare, read
from course_lib.training.budget import budget

__all__ = ["EXPERIMENTS", "Comparison", "Experiment", "Record", "compare", "find", "load", "run"]

CHAPTERS = (
    chapter_01,
    chapter_02,
    chapter_03,
    chapter_04,
    chapter_05,
    chapter_05_words,
    chapter_06,
    chapter_06_words,
    chapter_08,
    chapter_09a,
    chapter_09a_packed,
    chapter_09a_python,
    chapter_09a_training,
    chapter_09a_windows,
    chapter_09b_scaling,
    chapter_09b_speed,
    chapter_10a,
    chapter_10a_injection,
    chapter_10b,
)
EXPERIMENTS: tuple[Experiment, ...] = tuple(e for chapter in CHAPTERS for e in chapter.EXPERIMENTS)


def find(name: str) -> Experiment:
    """An experiment by name.

    Raises:
        ValueError: no such experiment; names those that exist.
    """
    known = {experiment.name: experiment for experiment in EXPERIMENTS}
    if name not in known:
        raise ValueError(f"no experiment {name!r}, expected one of {', '.join(sorted(known))}")
    return known[name]


def run(name: str, seed: int = 0, steps: int | None = None) -> list[Row]:
    """Run one seed of an experiment now.

    Args:
        name: which experiment.
        seed: of the weights and of the order of the data.
        steps: training steps; the experiment's small live size when not given.

    Returns:
        its rows.

    Raises:
        ValueError: no such experiment, or fewer than 1 step.
    """
    experiment = find(name)
    steps = experiment.live_steps if steps is None else steps
    if steps < 1:
        raise ValueError(f"steps is {steps}, expected at least 1")
    return experiment.rows(seed, budget(steps))


def load(name: str, folder: Path = FOLDER) -> Record:
    """The record of an experiment.

    Raises:
        ValueError: no such experiment, or the file is damaged.
        FileNotFoundError: it has not been recorded yet; names the command.
    """
    return read(folder / f"{find(name).name}.json")
