"""Chapter 04: its records, a cheap slice run again, and the numbers that the page says."""

import json
import math
from pathlib import Path

import pytest

from course_lib import experiments
from course_lib.experiments.chapter_04 import EXPERIMENTS, HELD_OUT
from course_lib.tasks import town_lm

ROOT = Path(__file__).parents[3]
NAMES = [experiment.name for experiment in EXPERIMENTS]


@pytest.fixture(scope="module")
def page():
    cells = json.loads((ROOT / "notebooks" / "04_masking.ipynb").read_text(encoding="utf-8"))["cells"]
    return {cell["id"]: "".join(cell["source"]) for cell in cells}


@pytest.fixture(scope="module")
def floor():
    return town_lm.floor(town_lm.sentences(HELD_OUT))


@pytest.mark.parametrize("name", NAMES)
def test_no_seed_is_measured_twice(name):
    record = experiments.load(name)
    measured = [(row[record.group], row["step"], row["seed"]) for row in record.rows]
    assert len(measured) == len(set(measured))


def column(record, name, **wanted):
    return [row[name] for row in record.at(**wanted)]


def said(values, digits=2):
    return f"{min(values):.{digits}f} to {max(values):.{digits}f}"


def test_two_leaks_go_through_the_floor_and_cannot_write(floor):
    record = experiments.load("off-by-one")
    for mask, leaks in (
        ("causal", False),
        ("one too strict", False),
        ("one too far", True),
        ("multiplied after", True),
    ):
        at_end = {"mask": mask, "step": record.steps}
        reading, writing = (column(record, f"{kind}_loss", **at_end) for kind in ("held_out", "writing"))
        right = column(record, "different", **at_end)
        if leaks:
            assert max(reading) < floor - 0.4 and min(writing) > 4.87 and max(right) < 0.1
        else:
            assert floor < min(reading) and max(reading) < floor + 0.2
            assert reading == pytest.approx(writing, abs=1e-3) and min(right) > 0.35
    strict, causal = (column(record, "held_out_loss", mask=m, step=600) for m in ("one too strict", "causal"))
    assert min(strict) < max(causal) and min(causal) < max(strict)  # the bands overlap: a null result


def test_dropout_helps_and_its_place_does_not_matter(floor):
    record = experiments.load("dropout")
    none, before, after = (
        column(record, "held_out_loss", dropout=name, step=record.steps)
        for name in ("none", "before the softmax", "after the softmax")
    )
    assert min(none) > max(before + after) + 0.2 and min(before + after) > floor
    apart = [b - a for b, a in zip(before, after, strict=True)]
    assert min(apart) < 0 < max(apart) and max(map(abs, apart)) < 0.05


def test_numbers_on_the_page_come_from_the_records(page, floor):
    record = experiments.load("off-by-one")
    at_end = {"step": record.steps}
    text = page["writing-loss"]  # what is said of the curves, and of what was written
    assert f"floor of {floor:.2f}" in text
    for mask in ("causal", "one too far", "multiplied after"):
        assert said(column(record, "held_out_loss", mask=mask, **at_end)) in text

    causal = column(record, "different", mask="causal", **at_end)
    assert f"{100 * min(causal):.0f} to {100 * max(causal):.0f} %" in text
    leaky = [
        x for m in ("one too far", "multiplied after") for x in column(record, "different", mask=m, **at_end)
    ]
    assert f"at most {100 * max(leaky):.0f} %" in text
    blind = math.log(len(town_lm.WORDS))
    assert f"{blind:.2f}" in text
    for mask in ("one too far", "multiplied after"):  # "confidently wrong"
        assert min(column(record, "writing_loss", mask=mask, **at_end)) > blind
    town_itself = town_lm.judge([s.english_tokens for s in town_lm.sentences(300)]).different
    assert f"about {10 * round(10 * town_itself)} %" in text
    repeating = [row for row in record.at(mask="multiplied after", **at_end) if row["consistent"] > 0.3]
    assert "Two of the five *multiplied after* models" in text and (len(repeating), len(record.seeds)) == (
        2,
        5,
    )
    assert all(round(100 * row["consistent"]) >= 40 for row in repeating) and "40 % right" in text
    assert sorted(round(300 * row["different"]) for row in repeating) == [3, 4]  # "only 3 or 4 different"


def test_dropout_delays_learning_by_heart_and_does_not_stop_it():
    record = experiments.load("dropout")
    for name in ("none", "before the softmax", "after the softmax"):
        for seed in record.seeds:
            curve = {row["step"]: row["held_out_loss"] for row in record.at(dropout=name, seed=seed)}
            assert curve[record.steps] > min(curve.values())
