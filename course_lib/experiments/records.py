"""Running experiments, writing their records, and comparing a live run with a record."""

import argparse
import json
import os
import platform
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from course_lib.files import write_whole
from course_lib.training.loop import budget, is_fast

FOLDER = Path(__file__).resolve().parents[2] / "assets" / "experiments"

Row = dict[str, float | int | str | bool]


@dataclass(frozen=True)
class Experiment:
    """One question, and the function that answers it.

    Args:
        name: what the command and the record's file are called.
        question: in one sentence.
        rows: `(seed, steps)` to rows; each has `seed`, `step`, its group, and what was measured.
        group: the column that tells the compared things apart.
        measure: the column that answers the question.
        seeds: the recorded seeds.
        steps: training steps of a recorded run.
        live_steps: training steps of the small run in a page; rows at this step are in the record too.
        tolerance: how far a live run may lie outside the recorded range: floating-point sums differ a little
            from machine to machine, and training makes the difference grow.
    """

    name: str
    question: str
    rows: Callable[[int, int], list[Row]]
    group: str
    measure: str
    seeds: tuple[int, ...]
    steps: int
    live_steps: int
    tolerance: float


@dataclass(frozen=True)
class Record:
    """What a recorded experiment left: its rows and where they come from."""

    name: str
    question: str
    group: str
    measure: str
    rows: list[Row]
    command: str
    seeds: list[int]
    steps: int
    versions: dict[str, str]
    machine: str
    seconds: float

    def at(self, **wanted) -> list[Row]:
        """The rows whose columns have these values: `record.at(step=400, attention="with")`.

        Raises:
            ValueError: no such column.
        """
        columns = {column for row in self.rows for column in row}
        for column in wanted.keys() - columns if self.rows else ():
            known = ", ".join(sorted(columns))
            raise ValueError(f"record {self.name!r} has no column {column!r}; it has {known}")
        return [row for row in self.rows if all(row.get(key) == value for key, value in wanted.items())]

    def final(self) -> list[Row]:
        """The rows of the last step."""
        return self.at(step=self.steps)


@dataclass(frozen=True)
class Comparison:
    """A live run beside a record; shows as one line a group."""

    lines: tuple[str, ...]
    ok: bool

    def __repr__(self) -> str:
        return "\n".join(self.lines)


def every_experiment() -> list[Experiment]:
    """All experiments, in the order of the chapters."""
    # Here and not above: the chapters' modules import this one.
    from course_lib.experiments import chapter_01, chapter_02, chapter_03, chapter_04

    chapters = (chapter_01, chapter_02, chapter_03, chapter_04)
    return [experiment for chapter in chapters for experiment in chapter.EXPERIMENTS]


def rounded(row: Row) -> Row:
    """Four decimals: enough to plot and to compare, and a record one can read."""
    return {key: round(value, 4) for key, value in row.items()}


def find(name: str) -> Experiment:
    """An experiment by name.

    Raises:
        ValueError: no such experiment; names those that exist.
    """
    known = {experiment.name: experiment for experiment in every_experiment()}
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
    find(name)
    path = folder / f"{name}.json"
    if not path.exists():
        raise FileNotFoundError(
            f"no record of {name!r}: make it with `python -m course_lib experiment {name}`"
        )
    try:
        return Record(**json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:  # no JSON or UTF-8; other fields
        raise ValueError(
            f"{path.name} is no record ({error}): get the file again, or make it with "
            f"`python -m course_lib experiment {name}`"
        ) from error


def compare(live: list[Row], record: Record) -> Comparison:
    """Does a live run land where the record says?

    Each live row's measure is held against the recorded rows of the same group and step, over all seeds.

    Args:
        live: rows from `run`.
        record: from `load`.

    Returns:
        one line a group, and `ok`. With `COURSE_FAST=1` nothing is compared.

    Raises:
        ValueError: no live rows, rows of another experiment, or steps that were not recorded.
    """
    if is_fast():
        return Comparison(("short run (COURSE_FAST=1): not compared",), True)
    experiment = find(record.name)
    columns = {record.group, record.measure, "step"}
    if not live or not all(columns <= row.keys() for row in live):
        raise ValueError(
            f"live has rows without {', '.join(sorted(columns))}, or none: "
            f"expected what experiments.run({record.name!r}) returned"
        )
    lines, ok = [], True
    groups = list(dict.fromkeys(row[record.group] for row in live))
    last = max(row["step"] for row in live)
    for group in groups:
        rows = [row for row in live if row[record.group] == group and row["step"] == last]
        recorded = record.at(**{record.group: group, "step": last})
        if not recorded:
            raise ValueError(
                f"record {record.name!r} has no row for {group!r} at step {last}: run with recorded steps"
            )
        value = sum(row[record.measure] for row in rows) / len(rows)
        means = [
            sum(r[record.measure] for r in recorded if r["seed"] == seed)
            / sum(1 for r in recorded if r["seed"] == seed)
            for seed in record.seeds
        ]
        low, high = min(means), max(means)
        inside = low - experiment.tolerance <= value <= high + experiment.tolerance
        ok &= inside
        verdict = "inside ✓" if inside else f"outside ✗ ({value:.2f})"
        lines.append(
            f"{group}: {record.measure.replace('_', ' ')} at step {last}, recorded {low:.2f} to {high:.2f}; "
            f"this run is {verdict}"
        )
    return Comparison(tuple(lines), ok)


def make_record(experiment: Experiment, folder: Path = FOLDER) -> Record:
    """Run every seed and write the record; rows of finished seeds survive an interruption."""
    start = time.perf_counter()
    rows: list[Row] = []
    for seed in experiment.seeds:
        print(f"{experiment.name}: seed {seed}, {experiment.steps} steps …", flush=True)
        rows += experiment.rows(seed, experiment.steps)
    record = Record(
        name=experiment.name,
        question=experiment.question,
        group=experiment.group,
        measure=experiment.measure,
        rows=rows,
        command=f"python -m course_lib experiment {experiment.name}",
        seeds=list(experiment.seeds),
        steps=experiment.steps,
        versions={"python": platform.python_version(), "torch": torch.__version__.partition("+")[0]},
        machine=f"{platform.machine()}, {os.cpu_count()} cores, no GPU",
        seconds=round(time.perf_counter() - start),
    )
    text = json.dumps(asdict(record) | {"rows": None}, indent=1, ensure_ascii=False)
    # One row a line: a change in the record is then a change one can read.
    listed = ",\n".join("  " + json.dumps(row, ensure_ascii=False) for row in rows)
    text = text.replace('"rows": null', f'"rows": [\n{listed}\n ]') + "\n"
    write_whole(folder / f"{experiment.name}.json", text.encode())
    return record


def main(arguments: list[str] | None = None) -> int:
    """`python -m course_lib experiment NAME …`: run every seed and write the record."""
    listing = "\n".join(f"  {e.name}: {e.question}" for e in every_experiment())
    parser = argparse.ArgumentParser(
        prog="python -m course_lib experiment",
        description=f"Run every seed again and write assets/experiments/NAME.json.\n\n{listing}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("name", nargs="+", help="experiments to run")
    options = parser.parse_args(arguments)
    try:
        experiments = [find(name) for name in options.name]
    except ValueError as error:
        parser.error(str(error))
    for experiment in experiments:
        record = make_record(experiment)
        print(f"{experiment.name}: {len(record.rows)} rows in {record.seconds:.0f} s")
    return 0
