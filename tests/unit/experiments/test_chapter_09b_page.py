"""Chapter 09b: the numbers that its page says are those of the records, the formulas and the card."""

import json
from pathlib import Path

import pytest
import torch

from course_lib import experiments, faults
from course_lib.experiments import chapter_09b_scaling as scaling
from course_lib.experiments import chapter_09b_speed as speed
from course_lib.tasks import characters_gpt, town_gpt
from course_lib.training import muon

ROOT = Path(__file__).parents[3]
SEEDS = range(3)


@pytest.fixture(scope="module")
def page():
    cells = json.loads((ROOT / "notebooks" / "09b_gpt_faster.ipynb").read_text(encoding="utf-8"))["cells"]
    return {cell["id"]: "".join(cell["source"]) for cell in cells}


def column(name, what="loss", step=100, record="speed"):
    """What was measured of one variant, one value a seed."""
    rows = experiments.load(record).at(variant=name, step=step)
    assert [row["seed"] for row in rows] == [*SEEDS]
    return [row[what] for row in rows]


def more_than_fast(name):
    """How much higher its final loss is, from the same first model."""
    return [a - b for a, b in zip(column(name), column("fast"), strict=True)]


def times(name, other="fast"):
    """Its seconds over another's."""
    return [a / b for a, b in zip(column(name, "seconds"), column(other, "seconds"), strict=True)]


def span(values, form="{:.2f}"):
    low, high = form.format(min(values)), form.format(max(values))
    return low if low == high else f"{low} to {high}"


# ---------------------------------------------------------------- the two recipes


def test_the_door(page):
    text, read = page["door-text"], page["door-read"]
    record = experiments.load("speed")
    assert record.about.startswith("1,115,394 characters") and "1.1 million characters" in text
    n = column("plain", "parameters")[0]
    assert f"{n / 1e6:.1f} million parameters" in text and n <= 850_000
    assert set(column("plain", "steps")) == {2000} and "2,000 steps" in text
    assert f"{speed.TARGET}" in text and set(row["step"] for row in record.rows) == {50, 80, 90, 100}
    assert (
        f"Plain ends at {span(column('plain'))} after {span(column('plain', 'seconds'), '{:.0f}')} sec"
        in read
    )
    assert f"Fast ends at {span(column('fast'))} after {span(column('fast', 'seconds'), '{:.0f}')}:" in read
    assert f"{span(times('plain'), '{:.1f}')} times sooner" in read and min(times("plain")) > 6.5
    assert max(column("fast")) < min(column("plain"))
    large = "plain's size"
    assert (
        max(column(large)) < min(column("fast")) and f"in {span(times(large), '{:.1f}')} times fast's" in read
    )


def test_what_the_parts_are_said_to_be(page):
    counts = [column(name, "parameters")[0] for name in ("fast", "plain")]
    assert "{:,} parameters for {:,}".format(*counts) in page["parts-text"]
    assert f"each of its {characters_gpt.BLOCK} places" in page["rotary-text"]
    text = page["step-read"]
    assert f"two rates: {characters_gpt.MUON.muon_lr} and {characters_gpt.MUON.lr}." in text


# ---------------------------------------------------------------- positions and rounds


def test_a_gpt_that_begins_at_0_again_is_as_the_page_says(page):
    model, begin = town_gpt.load(), "leo has a small red ball . he goes to the"
    assert begin in page["repeats"]
    (right,) = town_gpt.write(model, 1, start=begin, temperature=0)
    with faults.positions_begin_at_0_again():
        (wrong,) = town_gpt.write(model, 1, start=begin, temperature=0)
        told = town_gpt.write(model, 20, temperature=0.7)
    assert wrong[:12] == right[:12] and wrong[:30] != right[:30]  # "the first new word is right"
    assert town_gpt.judge(told).valid <= 0.2  # "hardly a story"
    assert "hardly a story is left" in page["repeats-read"]


def test_five_rounds_end_where_the_page_says(page):
    assert "between about 0.7 and 1.2" in page["rounds-read"]
    a, b, c = muon.COEFFICIENTS
    assert f"{a} * x - {-b:.4f} * x**3 + {c} * x**5" in page["rounds"]
    x = torch.linspace(0.01, 1, 500)
    for _ in range(5):
        x = a * x + b * x**3 + c * x**5
    assert x.min() > 0.67 and x.max() < 1.21


# ---------------------------------------------------------------- Muon and AdamW


def final(rate, step=100):
    rows = experiments.load("adamw-rates").at(rate=rate, step=step)
    return [row["loss"] for row in rows]


def behind(rate, step=100):
    """How much higher AdamW's loss is than Muon's, seed by seed."""
    return [a - b for a, b in zip(final(rate, step), final(0.0, step), strict=True)]


def test_muon_against_adamw_at_its_best_rate(page):
    text, best = page["rates-read"], min(speed.RATES, key=lambda rate: sum(final(rate)))
    assert best == 0.004 and 'variant="AdamW, 0.004"' in page["bars"] and '"AdamW, 0.004"' in page["rates"]
    assert speed.RATES[0] < best < speed.RATES[-1]  # the grid goes beyond it on both sides
    assert f"AdamW looks {span(behind(0.016))} nats worse" in text
    assert f"At its best one, {best}, it is {span(behind(best))} worse" in text
    assert f"Half-way the lead was {span(behind(best, 50))}." in text
    assert min(behind(best)) > 0.05 and all(
        b > a for a, b in zip(behind(best, 50), behind(best), strict=True)
    )
    cost = [b / a for a, b in zip(column("AdamW", "seconds"), column("fast", "seconds"), strict=True)]
    assert (
        f"takes {span(cost)} times as long" in text and f"each {span(cost)} times as long" in page["claims"]
    )
    early = final(0.0, 80)
    assert all(muons < adamw for muons, adamw in zip(early, final(best), strict=True))
    assert max(cost) * 0.8 > 0.5  # "less is gained" than half


def test_both_records_hold_the_same_runs():
    assert column("fast") == pytest.approx(final(0.0), abs=1e-3)
    assert column("AdamW") == pytest.approx(final(characters_gpt.MUON.lr), abs=1e-3)


def test_what_each_change_buys(page):
    text = page["table-read"]
    assert f"Rotary positions buy {span(more_than_fast('learned positions'))}," in text
    assert f"the larger batch {span(more_than_fast(PLAINS_BATCH))} (" in text
    assert max(times(PLAINS_BATCH)) < 1  # "its steps take longer"
    assert max(more_than_fast("plain's size")) < 0 and min(times("plain's size")) > 3
    assert min(more_than_fast("GELU")) < 0 < max(more_than_fast("GELU"))  # "the seeds disagree"
    better = [-more for more in more_than_fast("LayerNorm")]
    assert min(better) > 0 and f"LayerNorm is {span(better, '{:.3f}')} *better* here" in text
    quicker = [100 * (1 - time) for time in times("LayerNorm")]
    assert f"{span(quicker, '{:.0f}')} % quicker" in text
    small = [
        more
        for name in ("no QK-norm", "Q, K, V together", "Muon for the embedding too")
        for more in more_than_fast(name)
    ]
    assert f"at most {max(small):.3f}." in text
    dark = {
        name
        for name in speed.results(experiments.load("speed"))
        if "AdamW" not in name and name not in ("plain", "fast") and min(more_than_fast(name)) > 0.02
    }
    assert (
        dark == {PLAINS_BATCH, "learned positions"} and 'title="Batch, rotary, Muon buy loss;' in page["bars"]
    )


PLAINS_BATCH = "plain's batch"


# ---------------------------------------------------------------- the law


def test_chinchillas_constants(page):
    text = page["chinchilla-read"]
    assert "C = 5.76 · 10²³" in text and scaling.CHINCHILLA_FLOPS == 5.76e23
    for law in scaling.PUBLISHED.values():
        assert f"{law.tokens_per_parameter(scaling.CHINCHILLA_FLOPS):.1f}" in text
