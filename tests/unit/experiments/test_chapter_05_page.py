"""Chapter 05: the numbers that its page says are those of the records, the formulas and the cards."""

import json
from pathlib import Path

import pytest

from course_lib import costs, experiments
from course_lib.experiments.chapter_04 import HELD_OUT
from course_lib.experiments.chapter_05 import LENGTHS
from course_lib.tasks import lexicon, pronunciation, town_lm
from course_lib.training.objectives import smoothing_floor
from course_lib.training.optim import PaperSchedule

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def page():
    cells = json.loads((ROOT / "notebooks" / "05_transformer.ipynb").read_text(encoding="utf-8"))["cells"]
    return {cell["id"]: "".join(cell["source"]) for cell in cells}


def column(record, name, **wanted):
    return [row[name] for row in record.at(**wanted)]


def percent(values):
    return f"{100 * min(values):.0f} to {100 * max(values):.0f}"


def test_positions(page):
    record, text = experiments.load("positions"), page["positions-read"]
    seen, longer = (f"{low}–{high}" for low, high in LENGTHS[:2])
    kinds = ("sinusoidal", "learned", "rotary")
    at_end = {"step": record.steps}
    without = column(record, "exact_match", positions="none", length=seen, **at_end)
    with_one = [
        x for kind in kinds for x in column(record, "exact_match", positions=kind, length=seen, **at_end)
    ]
    assert max(without) < min(with_one)
    assert f"{percent(without)} of 100" in text and f"{percent(with_one)} with them" in text
    beyond = column(record, "exact_match", length=longer, **at_end)
    assert f"at most {100 * max(beyond):.0f} of 100" in text


def test_residual(page):
    record, text = experiments.load("residual"), page["residual-read"]
    thousandth, kept = 0, []
    for name in dict.fromkeys(row["residual"] for row in record.rows):
        for seed in record.seeds:
            first, *_, last = column(record, "encoder_gradient", residual=name, seed=seed, step=record.steps)
            if name.endswith("without"):
                thousandth += first / last < 2e-3
            else:
                kept.append(first / last)
    assert thousandth == 5 and "in five runs of six" in text and "about a thousandth" in text
    assert f"is {min(kept):.1f} to {max(kept):.1f} times the highest's" in text
    losses = {
        name: column(record, "loss", residual=name, layer=1, step=record.steps)
        for name in dict.fromkeys(row["residual"] for row in record.rows)
    }
    good = losses["pre-norm, with"]
    stuck = losses["pre-norm, without"] + losses["post-norm, without"]
    assert max(good) < min(stuck) - 1.5
    assert f"{min(stuck):.1f} to {max(stuck):.1f}" in text


def test_dropout(page):
    record, text = experiments.load("dropout"), page["dropout-read"]
    none, before, after = (
        column(record, "held_out_loss", dropout=name, step=record.steps)
        for name in ("none", "before the softmax", "after the softmax")
    )
    assert f"{min(none):.2f} to {max(none):.2f}" in text
    assert f"{min(before + after):.2f} to {max(before + after):.2f}" in text
    apart = max(abs(b - a) for b, a in zip(before, after, strict=True))
    assert f"at most {apart:.2f} nats apart" in text
    assert f"floor={town_lm.floor(town_lm.sentences(HELD_OUT)):.2f}" in page["dropout"]


def test_counted_and_computed_numbers(page):
    base = costs.table_3()[0]
    assert f"{base.ours / 1e6:.1f} M parameters where the paper prints {base.printed}" in page["torch-read"]
    for row in costs.table_3():
        if row.printed and "d_model" not in row.changes:
            assert abs(row.ours_more / 1e6 - row.printed_more) < 1  # two rounded numbers
    text = page["floor-read"]
    for vocab, spared in ((len(pronunciation.SOUNDS), 0), (50, 0), (50, 2)):
        assert f"{smoothing_floor(vocab, 0.1, spared):.3f}" in text
    assert f"{smoothing_floor(37_000, 0.1):.2f}" in text
    assert f"{PaperSchedule(4000).peak(512):.1e}" == "7.0e-04"
    book = lexicon.Lexicon(lexicon.TRAP)
    assert f"{book.probability('no'):.2f}" in page["beam-text"]
    assert f"{book.probability('yes please come in'):.2f}" in page["beam-text"]


def test_the_two_pronouncers_are_described_as_they_are(page):
    text = page["real-text"]
    for name, steps in (("pronouncer", "14,000"), ("pronunciation-transformer", "16,000")):
        recipe = pronunciation.SHIPPED[name].recipe
        millions = sum(p.numel() for p in recipe.model.build().parameters()) / 1e6
        assert f"{recipe.steps:,}" == steps and steps in text and f"{millions:.1f}" in text
        assert recipe.batch_size == 128
    text = page["words-read"]
    both = [pronunciation.shipped_rates(name) for name in ("pronunciation-transformer", "pronouncer")]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for kind, (n, _, ours) in both[0].items():
        theirs = both[1][kind][2]
        assert f"{100 * ours:.1f} against {100 * theirs:.1f} %" in text
        assert f"GRU has {100 * theirs:.1f} %" in readme
        assert f"{100 * ours:.1f} % of" in readme
        chance = 1.96 * (theirs * (1 - theirs) / n) ** 0.5  # of one rate, with 95 %
        assert chance < 0.01 < theirs - ours  # "better on both parts"


def test_beginners(page):
    record, text = experiments.load("beginners"), page["trained-read"]
    gru, ours = (column(record, "word_error", model=model) for model in ("GRU", "Transformer"))
    assert f"has {percent(gru)} % of the words wrong, the small Transformer {percent(ours)}:" in text
    assert max(gru) < min(ours)


def test_norm_and_warm_up(page):
    record, text = experiments.load("norm-warmup"), page["norm-warmup-read"]
    at_end = {(row["model"], row["seed"]): row["loss"] for row in record.at(step=record.steps)}
    gains = [
        loss - at_end[model.replace("without", "with"), seed]
        for (model, seed), loss in at_end.items()
        if "without" in model
    ]
    assert len(gains) == 12 and sum(gain > 0 for gain in gains) == 11 and "eleven of twelve pairs" in text
    assert f"up to {max(gains):.2f} nats" in text
    usual = [loss for (model, _), loss in at_end.items() if model.startswith("post") and "xavier" in model]
    others = [
        loss for (model, _), loss in at_end.items() if not (model.startswith("post") and "xavier" in model)
    ]
    assert min(usual) > 3.9 and max(others) < 2.2  # "little more than word frequencies (4.30)"
    early = {
        (row["model"], row["seed"]): row["loss"]
        for row in record.at(step=min(r["step"] for r in record.rows))
    }
    slower = [
        early[m.replace("without", "with"), s] - loss for (m, s), loss in early.items() if "without" in m
    ]
    assert sum(gap > 0 for gap in slower) >= 11  # "begins more slowly"


def test_equal_parameters(page):
    record, text = experiments.load("equal-parameters"), page["optional"]
    base, without = (
        column(record, "exact_match", model=model, step=record.steps)
        for model in ("base", "no feed-forward, wider")
    )
    assert f"({percent(without)} of 100; base {percent(base)})" in text and min(base) < max(without)
    for model in ("1 head", "deeper, narrower", "wide feed-forward, narrower"):
        assert max(column(record, "exact_match", model=model, step=record.steps)) < min(base)
    sizes = {row["parameters"] for row in record.rows}
    assert max(sizes) / min(sizes) < 1.02 and "within 2 %" in text


def test_choices_of_a_pronouncer(page):
    record, text = experiments.load("pronunciation-choices"), page["optional"]
    wrong = {
        name: column(record, "word_error", change=name)
        for name in dict.fromkeys(row["change"] for row in record.rows)
    }
    base = wrong["base"]
    assert f"({percent(base)} % wrong)" in text
    for name, words in (("sinusoidal", "sinusoidal positions"), ("no dropout", "no dropout")):
        assert f"{words} ({percent(wrong[name])})" in text and max(wrong[name]) < min(base)
    worse = wrong["cosine"] + wrong["inverse root"]
    assert f"cosine and inverse root ({percent(worse)})" in text and min(worse) > max(base)
    for name in wrong.keys() - {"base", "sinusoidal", "no dropout", "cosine", "inverse root"}:
        assert min(wrong[name]) < max(base) + 0.01, name
