"""The 'why?' experiments: their records, and a cheap slice run again."""

import dataclasses
import json
import re
import signal
from functools import partial
from pathlib import Path

import pytest
import torch
from nbval.plugin import get_sanitize_patterns

from course_lib import experiments
from course_lib.experiments import records
from course_lib.experiments.chapter_01 import EXPERIMENTS
from course_lib.practice import chapter_01 as chapter_01_practice
from course_lib.tasks import round_table
from course_lib.tools import commands, environment
from course_lib.tools import record as recording
from course_lib.training import loop
from course_lib.training.budget import at_least, at_most
from course_lib.training.recipe import new_model, train, train_in_stages, vary

ROOT = Path(__file__).parents[3]
NAMES = [experiment.name for experiment in EXPERIMENTS]


@pytest.mark.parametrize("experiment", experiments.EXPERIMENTS, ids=lambda experiment: experiment.name)
def test_a_record_says_where_it_comes_from(experiment):
    record = experiments.load(experiment.name)
    assert experiments.find(experiment.name) is experiment
    assert record.command == f"python -m course_lib experiment {experiment.name}"
    assert len(record.seeds) >= 3 and tuple(record.seeds) == experiment.seeds
    assert record.seeds == sorted({row["seed"] for row in record.rows})
    assert record.tolerance == experiment.tolerance
    assert record.steps == experiment.steps == max(row["step"] for row in record.rows)
    assert (record.group, record.measure, record.question) == (
        experiment.group,
        experiment.measure,
        experiment.question,
    )
    assert {"python", "torch"} <= set(record.versions) and "cores" in record.machine and record.seconds > 0
    groups = {row[record.group] for row in record.rows}
    assert len(groups) >= 2
    for group in groups:  # each group has every seed at every step, and at the step that pages run live
        steps = {row["step"] for row in record.at(**{record.group: group})}
        assert experiment.live_steps in steps and record.steps in steps
        for step in steps:
            rows = record.at(**{record.group: group, "step": step})
            assert {row["seed"] for row in rows} == set(record.seeds)
    if experiment.short_steps is None:
        assert not record.short
    else:  # every group once more, in a run that ends before the first recorded step
        assert {row[record.group] for row in record.short} == groups
        assert {(row["seed"], row["step"]) for row in record.short} == {(0, experiment.short_steps)}
        assert experiment.short_steps < min(row["step"] for row in record.rows)
        assert {tuple(row) for row in record.short} == {tuple(row) for row in record.rows}


@pytest.mark.parametrize("name", NAMES)
def test_what_chapter_01_measures_is_a_share(name):
    record = experiments.load(name)
    assert all(0 <= row[record.measure] <= 1 for row in record.rows)


def test_what_the_chapter_says_of_length_is_in_the_record():
    """The twin without attention is clearly worse on long sentences: every seed, last step, longest group."""
    record = experiments.load("length")
    longest = record.at(step=record.steps, length="18–30")
    with_attention = [row["exact_match"] for row in longest if row["model"] == "with attention"]
    without = [row["exact_match"] for row in longest if row["model"] == "without attention"]
    assert min(with_attention) > 0.7 and max(without) < 0.1


def said(measured):
    """Shares as the page says them: "81 to 90" of 100."""
    low, high = (int(100 * share + 0.5) for share in (min(measured), max(measured)))
    return f"{low} to {high}"


def test_numbers_in_the_captions_come_from_the_records():
    page = json.loads((ROOT / "notebooks" / "01_bahdanau_attention.ipynb").read_text(encoding="utf-8"))
    text = {cell["id"]: "".join(cell["source"]) for cell in page["cells"]}

    length = [row for row in experiments.load("length").final() if row["model"] == "with attention"]
    short = said([row["exact_match"] for row in length if row["length"] != "18–30"])
    long = said([row["exact_match"] for row in length if row["length"] == "18–30"])
    assert f"{short} of 100 are right up to 17 words, and {long} of 100 beyond" in text["length-caption"]

    memory = experiments.load("memory")
    without, with_words = (
        said([row["exact_match"] for row in memory.final() if row["memory"] == group])
        for group in ("states", "states and words")
    )
    assert f"without the embedding {without} of 100 sentences" in text["memory-caption"]
    assert f"with it {with_words}" in text["memory-caption"]
    at_200 = {
        group: [row["alignment_error"] for row in memory.at(step=200, memory=group)]
        for group in ("states", "states and words")
    }
    assert max(at_200["states and words"]) < min(at_200["states"])  # "at step 200 every seed is better"

    score = experiments.load("score")
    for step in {row["step"] for row in score.rows}:  # "at every step and for every seed"
        bilinear, additive = (
            [row["alignment_error"] for row in score.at(step=step, score=name)]
            for name in ("bilinear", "additive")
        )
        assert max(bilinear) < min(additive)
    right = said([row["exact_match"] for row in score.final()])
    [scale] = [p for p in chapter_01_practice.PREDICTIONS if p.id == "01.scale"]
    assert f"{right} of 100" in scale.options[scale.right].explanation


def made_up(rows):
    return records.Record(
        name="query", question="", group="query", measure="alignment_error", rows=rows, command="",
        seeds=[0, 1], steps=100, tolerance=0.05, versions={}, machine="", seconds=1,
    )  # fmt: skip


ROWS = [
    {"seed": seed, "step": 100, "query": query, "alignment_error": value}
    for seed, query, value in ((0, "s_i", 0.30), (1, "s_i", 0.40), (0, "s_{i-1}", 0.5), (1, "s_{i-1}", 0.6))
]


def test_a_live_run_inside_and_outside_the_record(monkeypatch):
    monkeypatch.delenv("COURSE_FAST", raising=False)
    record = made_up(ROWS)
    inside = [{"seed": 0, "step": 100, "query": "s_i", "alignment_error": 0.42}]
    outside = [{"seed": 0, "step": 100, "query": "s_i", "alignment_error": 0.55}]
    good, bad = experiments.compare(inside, record), experiments.compare(outside, record)
    assert good.ok and repr(good).endswith("at step 100: 0.42 (recorded 0.30 to 0.40, tolerance 0.05 ✓)")
    assert not bad.ok and repr(bad).endswith(": 0.55 (recorded 0.30 to 0.40, tolerance 0.05 ✗)")
    assert not experiments.compare([inside[0] | {"alignment_error": 0.15}], record).ok
    with pytest.raises(ValueError, match="no row for 's_i' at step 7"):
        experiments.compare([inside[0] | {"step": 7}], record)
    monkeypatch.setenv("COURSE_FAST", "1")
    assert experiments.compare(outside, record).ok and "not compared" in repr(
        experiments.compare(outside, record)
    )


def test_unknown_and_unrecorded_are_named(tmp_path):
    with pytest.raises(
        ValueError, match=r"no experiment 'lenght', expected one of .*, length, lora-rank, memory, "
    ):
        experiments.run("lenght")
    with pytest.raises(FileNotFoundError, match="python -m course_lib experiment query"):
        experiments.load("query", tmp_path)


def test_recording_writes_every_seed_and_can_be_read_again(tmp_path, capsys):
    tiny = dataclasses.replace(
        experiments.find("query"),
        rows=lambda seed, steps: [row for row in ROWS if row["seed"] == seed],
        seeds=(0, 1),
        steps=100,
    )
    made = recording.make_record(tiny, tmp_path)
    assert experiments.load("query", tmp_path) == made and made.rows == sorted(ROWS, key=lambda r: r["seed"])
    assert "seed 1" in capsys.readouterr().out
    text = (tmp_path / "query.json").read_text(encoding="utf-8")
    assert json.loads(text)["rows"] == made.rows and text.count("\n") < 40 and "short" not in text
    with_short = dataclasses.replace(tiny, rows=lambda seed, steps: [{"seed": seed, "step": steps}])
    with_short = recording.make_record(dataclasses.replace(with_short, short_steps=7), tmp_path)
    assert experiments.load("query", tmp_path) == with_short
    assert with_short.short == [{"seed": 0, "step": 7}] and len(with_short.rows) == 2


@pytest.mark.parametrize("press_at", [2, 5])
@pytest.mark.parametrize("in_stages", [False, True])
def test_an_interrupt_stops_the_whole_record(press_at, in_stages, tmp_path, monkeypatch, capsys):
    """The first one, in the training of whichever model: no other model and no other seed is trained."""
    begun = []

    def rows(seed, steps):
        for kind in ("one", "another"):
            begun.append((seed, kind))
            recipe = vary(round_table.RECIPE, steps=steps, seed=seed, batch_size=2)
            model = new_model(recipe)
            if in_stages:
                list(train_in_stages(model, recipe, round_table.task(), (1, steps)))
            else:
                train(model, recipe, round_table.task())
        return [{"seed": seed, "step": steps, "query": "s_i", "alignment_error": 0.5}]

    tiny = dataclasses.replace(experiments.find("query"), rows=rows, seeds=(0, 1), steps=3)
    taken, step = [], loop._gradients

    def pressed(*arguments):
        taken.append(step)
        if len(taken) == press_at:
            signal.raise_signal(signal.SIGINT)
        return step(*arguments)

    monkeypatch.setattr(loop, "_gradients", pressed)
    monkeypatch.setattr(experiments, "EXPERIMENTS", (tiny,))
    monkeypatch.setattr(recording, "make_record", partial(recording.make_record, folder=tmp_path))
    monkeypatch.setattr(environment, "ensure", lambda *arguments: None)
    assert commands.main(["experiment", "query"]) == 130
    assert len(taken) == press_at and begun == [(0, "one"), (0, "another")][: 1 + (press_at > 3)]
    assert not list(tmp_path.iterdir())
    assert capsys.readouterr().err.strip().splitlines() == [
        "Stopped. The record is as it was.",
        "Next: type the same command again, and it starts anew.",
    ]


def test_promises_are_printed_with_the_value_that_keeps_or_breaks_them(capsys, monkeypatch):
    monkeypatch.delenv("COURSE_FAST", raising=False)
    at_most("loss", 0.0712, 0.1)
    at_least("words × 16: memory ×", torch.tensor(112.04), 64)
    at_least("share", 0.89996, 0.9)
    monkeypatch.setenv("COURSE_FAST", "1")
    at_most("loss", 9, 0.1)
    assert capsys.readouterr().out.splitlines() == [
        "loss: 0.0712 (at most 0.1 ✓)",
        "words × 16: memory ×: 112 (at least 64 ✓)",
        "share: 0.89996 (expected at least 0.9 ✗)",
        "loss: short run (COURSE_FAST=1), not checked",
    ]


def sanitised(text):
    """Text as nbval compares it, with the project's own list of what is overlooked."""
    listed = (ROOT / "tests" / "nbval_sanitize.cfg").read_text(encoding="utf-8")
    for pattern, instead in get_sanitize_patterns(listed):
        text = re.sub(pattern, instead, text)
    return text


@pytest.mark.filterwarnings("error")
def test_a_promise_takes_a_tensor_that_carries_gradients(capsys):
    at_most("loss", torch.tensor(2.0, requires_grad=True) * 2, 5)
    assert capsys.readouterr().out == "loss: 4 (at most 5 ✓)\n"


def test_a_page_may_show_its_builders_number_but_never_lose_a_promise():
    mine, yours = "loss: 0.0712 (at most 0.1 ✓)", "loss: 1.2e-05 (at most 0.1 ✓)"
    assert sanitised(mine) == sanitised(yours) == "loss: NUMBER (at most 0.1 ✓)"
    recorded = "s_i: error at step 100: {} (recorded 0.30 to 0.40, tolerance 0.05 {})"
    assert sanitised(recorded.format("0.42", "✓")) == sanitised(recorded.format("0.33", "✓"))
    assert sanitised(recorded.format("0.55", "✗")) != sanitised(recorded.format("0.42", "✓"))
    assert sanitised("loss: 0.2 (expected at most 0.1 ✗)") != sanitised(mine)
    assert sanitised("loss: 0.07 (at most 0.2 ✓)") != sanitised(mine)  # another promise
    assert sanitised("loss: 0.07 (at most 0.1 ✓)\nsteps: 3") != sanitised(
        "loss: 0.07 (at most 0.1 ✓)\nsteps: 4"
    )
