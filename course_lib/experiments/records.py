"""What an experiment is, what its record holds, and how a live run is compared with a record."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from course_lib.training.budget import is_fast, measured

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
        about: what a record must say of data that do not come with the course, such as a text's checksum.
        short_steps: training steps of a short run of the first seed, which a record keeps beside its rows, so
            that it can be made again in seconds. None: the first recorded step is early enough.
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
    about: Callable[[], str] | None = None
    short_steps: int | None = None


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
    tolerance: float
    versions: dict[str, str]
    machine: str
    seconds: float
    about: str = ""  # of data that do not come with the course
    short: list[Row] = field(default_factory=list)  # rows of a short run of the first seed, to be made again

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


def rounded(row: Row) -> Row:
    """Four decimals: enough to plot and to compare, and a record one can read."""
    return {key: round(value, 4) for key, value in row.items()}


def read(path: Path) -> Record:
    """A record from its file.

    Raises:
        FileNotFoundError: it has not been recorded yet; names the command.
        ValueError: the file is damaged.
    """
    again = f"`python -m course_lib experiment {path.stem}`"
    if not path.exists():
        raise FileNotFoundError(f"no record of {path.stem!r}: make it with {again}")
    try:
        return Record(**json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:  # no JSON or UTF-8; other fields
        raise ValueError(
            f"{path.name} is no record ({error}): get the file again, or make it with {again}"
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
        inside = low - record.tolerance <= value <= high + record.tolerance
        ok &= inside
        lines.append(
            f"{group}: {record.measure.replace('_', ' ')} at step {last}: {measured(value)} "
            f"(recorded {low:.2f} to {high:.2f}, tolerance {record.tolerance:g} {'✓' if inside else '✗'})"
        )
    return Comparison(tuple(lines), ok)
