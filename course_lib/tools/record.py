"""What `python3 -m course_lib experiment NAME` does: run every seed and write the record."""

import json
import os
import platform
import time
from dataclasses import asdict
from pathlib import Path

import torch

from course_lib.experiments.records import FOLDER, Experiment, Record, Row
from course_lib.files import write_whole
from course_lib.training.interrupts import all_or_nothing


def make_record(experiment: Experiment, folder: Path = FOLDER) -> Record:
    """Run every seed and write the record; interrupted, it writes nothing.

    Raises:
        KeyboardInterrupt: also out of a training, which on a page would return with what it has learned.
    """
    start = time.perf_counter()
    rows: list[Row] = []
    with all_or_nothing():
        for seed in experiment.seeds:
            print(f"{experiment.name}: seed {seed}, {experiment.steps} steps …", flush=True)
            rows += experiment.rows(seed, experiment.steps)
        short = experiment.rows(experiment.seeds[0], experiment.short_steps) if experiment.short_steps else []
    record = Record(
        name=experiment.name,
        question=experiment.question,
        group=experiment.group,
        measure=experiment.measure,
        rows=rows,
        command=f"python -m course_lib experiment {experiment.name}",
        seeds=list(experiment.seeds),
        steps=experiment.steps,
        tolerance=experiment.tolerance,
        versions={"python": platform.python_version(), "torch": torch.__version__.partition("+")[0]},
        machine=f"{platform.machine()}, {os.cpu_count()} cores, no GPU",
        seconds=round(time.perf_counter() - start),
        about="" if experiment.about is None else experiment.about(),
        short=short,
    )
    write_whole(folder / f"{experiment.name}.json", as_text(record).encode())
    return record


def as_text(record: Record) -> str:
    """What its file holds. One row a line: a change in the record is then a change one can read."""
    told = {name: value for name, value in asdict(record).items() if value or name not in ("about", "short")}
    tables = {name: told[name] for name in ("rows", "short") if name in told}
    text = json.dumps(told | dict.fromkeys(tables), indent=1, ensure_ascii=False)
    for name, rows in tables.items():
        listed = ",\n".join("  " + json.dumps(row, ensure_ascii=False) for row in rows)
        text = text.replace(f'"{name}": null', f'"{name}": [\n{listed}\n ]')
    return text + "\n"
