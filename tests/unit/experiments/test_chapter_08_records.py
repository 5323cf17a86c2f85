"""Chapter 08's records: a cheap slice of each is made again."""

import pytest

from course_lib import experiments
from course_lib.experiments import chapter_08

NAMES = [one.name for one in chapter_08.EXPERIMENTS]


@pytest.mark.parametrize("name", NAMES)
def test_no_seed_is_measured_twice(name):
    record = experiments.load(name)
    columns = (record.group, "step", "seed", "labels", "vector")
    measured = [tuple(row.get(column) for column in columns) for row in record.rows]
    assert len(measured) == len(set(measured)) and {row["seed"] for row in record.rows} == {0, 1, 2}


def test_one_way_of_hiding_is_made_again():
    [live] = chapter_08.variant_rows("40 % chosen", 0, chapter_08.LIVE_STEPS)
    record = experiments.load("hidden-words")
    [recorded] = record.at(seed=0, step=chapter_08.LIVE_STEPS, variant="40 % chosen")
    assert live.keys() == recorded.keys() and live["blanks"] == recorded["blanks"]
    assert live["accuracy"] == pytest.approx(recorded["accuracy"], abs=record.tolerance)
    assert live["loss"] == pytest.approx(recorded["loss"], abs=0.1)


@pytest.mark.parametrize(
    ("name", "part", "compared"),
    [
        ("reference-labels", "WAYS", ("frozen",)),
        ("entailment-labels", "COMPARED", [(64, "frozen", "C")]),
    ],
)
def test_a_head_on_an_early_bert_is_made_again(monkeypatch, name, part, compared):
    monkeypatch.setattr(chapter_08, part, compared)
    [live] = experiments.run(name, seed=0)
    record = experiments.load(name)
    [recorded] = record.at(
        seed=0, step=live["step"], labels=live["labels"], **{record.group: live[record.group]}
    )
    assert live.keys() == recorded.keys()
    # nearer than the record's tolerance, in which a random start would lie, too
    assert live[record.measure] == pytest.approx(recorded[record.measure], abs=0.05)


def test_what_the_shipped_one_writes_is_told_again(monkeypatch):
    """With the same draws. (What the page's own model writes is held against the record by the page.)"""
    monkeypatch.setattr(chapter_08, "WRITTEN", ("left to right", "most certain first"))
    record, live = experiments.load("bert-writes"), chapter_08.bert_rows(0, 3)
    assert [row["way"].split(",")[0] for row in live] == ["this recipe"] * 2 + ["shipped"] * 2
    assert all(row["consistent"] < 0.05 for row in live[:2])  # after three steps
    for now in live[2:]:
        for then in record.at(seed=0, way=now["way"]):
            assert now.keys() == then.keys() and then["consistent"] > 0.5
            for share in ("valid", "consistent", "different"):
                assert now[share] == pytest.approx(then[share], abs=0.05)
