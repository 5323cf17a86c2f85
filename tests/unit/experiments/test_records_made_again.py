"""Records are made again: a page runs a part and nbval compares, or a part is run here."""

import json
from dataclasses import replace

import pytest

from course_lib import experiments
from course_lib.tools import guards, pages

# Their smallest recorded part is a whole training for each of ten settings; for "third", two of the ten are
# made again by chapter 02's own test, and for those of chapters 05, 06, 08, 09 and 10 one of each by its own.
# "speed" needs a text that does not come with the course.
TOO_LONG = {
    *("rates", "third", "width"),
    *("positions", "norm-warmup", "equal-parameters", "pronunciation-choices", "beginners"),
    *("families", "encoder-writes", "prefix-or-causal-words"),
    *("hidden-words", "reference-labels", "entailment-labels", "bert-writes"),
    *("gap-buys", "document-mask", "warm-up", "context-length", "python-bits"),
    *("sft", "answers-only", "tools", "injection", "dpo-beta", "grpo", "flawed-reward", "lora-rank"),
    *("speed", "adamw-rates"),  # of a text that does not come with the course
}


def cells_that_run(name: str) -> list[dict]:
    """The cells of all pages that run this experiment and compare it with its record."""
    return [
        cell
        for page in pages.originals()
        for cell in json.loads(page.read_text(encoding="utf-8"))["cells"]
        if cell["cell_type"] == "code"
        and f'experiments.run("{name}"' in guards.text_of(cell)
        and "experiments.compare(" in guards.text_of(cell)
    ]


ON_PAGES = [one.name for one in experiments.EXPERIMENTS if cells_that_run(one.name)]
HERE = [one for one in experiments.EXPERIMENTS if one.name not in {*ON_PAGES, *TOO_LONG}]


@pytest.mark.parametrize("name", ON_PAGES)
def test_nbval_compares_what_a_page_runs(name):
    for cell in cells_that_run(name):
        assert guards.CHECK in cell["metadata"].get("tags", [])
        shown = json.dumps(cell["outputs"], ensure_ascii=False)
        groups = {row[experiments.find(name).group] for row in experiments.load(name).rows}
        assert shown.count("(recorded ") >= len(groups) and "✗" not in shown


@pytest.mark.parametrize("experiment", HERE, ids=lambda experiment: experiment.name)
def test_the_first_steps_of_a_record_are_made_again(experiment):
    """The short run, or the first recorded step, of seed 0 gives its numbers up to rounding of sums."""
    record = experiments.load(experiment.name)
    if record.short:
        record = replace(record, rows=record.short, seeds=record.seeds[:1])
    steps = min(row["step"] for row in record.rows)
    live = experiments.run(experiment.name, seed=0, steps=steps)
    recorded = [row for step in sorted({row["step"] for row in live}) for row in record.at(seed=0, step=step)]
    assert len(live) == len(recorded) > 1
    for now, then in zip(sorted(live, key=lambda row: row["step"]), recorded, strict=True):
        assert now.keys() == then.keys() and now[record.group] == then[record.group]
        assert [now[name] for name in then if isinstance(then[name], int)] == [
            value for value in then.values() if isinstance(value, int)
        ]
        assert now[record.measure] == pytest.approx(then[record.measure], abs=record.tolerance)
    assert experiments.compare(live, record).ok


def test_too_long_ones_exist():
    assert {one.name for one in experiments.EXPERIMENTS} >= TOO_LONG
