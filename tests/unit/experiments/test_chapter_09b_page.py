"""Chapter 09b: the numbers that its page says are those of the records and the formulas.

(What it says of the law of loss: test_chapter_09b_scaling.py, where the law is fitted.)
"""

import json
from itertools import islice
from pathlib import Path

import pytest
import torch

from course_lib import experiments, faults
from course_lib.experiments import chapter_09b_speed as speed
from course_lib.tasks import characters_gpt, town_gpt
from course_lib.training import distributed, muon
from course_lib.training.recipe import new_model, vary

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
    assert f"{span(times('plain'), '{:.1f}')} times as fast" in read and min(times("plain")) > 6.5
    assert max(column("fast")) < min(column("plain"))
    large = "plain's size"
    assert (
        max(column(large)) < min(column("fast")) and f"in {span(times(large), '{:.1f}')} times fast's" in read
    )


def test_what_the_parts_are_said_to_be(page):
    counts = [column(name, "parameters")[0] for name in ("fast", "plain")]
    assert "{:,} parameters in place of {:,}".format(*counts) in page["parts-text"]
    assert f"each of its {characters_gpt.BLOCK} places" in page["rotary-text"]
    text = page["step-read"]
    assert f"two rates: {characters_gpt.MUON.muon_lr} and {characters_gpt.MUON.lr}." in text


# ---------------------------------------------------------------- positions and rounds


def test_a_gpt_that_begins_at_0_again_is_as_the_page_says(page):
    model, begin = town_gpt.load(), "leo has a small red ball . he puts the small red"
    assert begin in page["repeats"]
    (right,) = town_gpt.write(model, 1, start=begin, temperature=0)
    with faults.positions_begin_at_0_again():
        (wrong,) = town_gpt.write(model, 1, start=begin, temperature=0)
        told = town_gpt.write(model, 20, temperature=0.7)
    assert wrong[:13] == right[:13] and wrong[:30] != right[:30]  # "the first new word is right"
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
    assert f"Half-way Muon led by {span(behind(best, 50))}." in text
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
    assert f"the rates {characters_gpt.MUON.lr} and {characters_gpt.MUON.muon_lr};" in text
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
        dark == {PLAINS_BATCH, "learned positions"}
        and 'title="Batch, rotary, Muon lower the loss;' in page["bars"]
    )


PLAINS_BATCH = "plain's batch"


# ---------------------------------------------------------------- several processes


def test_the_late_flag_learns_less(page):
    tiny = vary(town_gpt.RECIPE, d_model=16, n_heads=2, n_layers=1, batch_size=8)
    ends, first = {}, 0.0
    for flags in ((False, False, False, True), (True, False, False, False)):
        copies, losses = [new_model(tiny) for _ in range(2)], []
        for ids in islice(town_gpt.batches(tiny), 40):
            pieces = ids.tensor_split(8)
            shares = pieces[0::2], pieces[1::2]
            losses.append(distributed.rehearse(copies, shares, town_gpt.next_word_loss, flags))
            with torch.no_grad():
                for p in [p for model in copies for p in model.parameters()]:
                    p -= 0.3 * p.grad
        first, ends[flags] = losses[0], sum(losses[-10:]) / 10
    in_time, late = ends.values()
    text = page["late-read"]
    assert f"(from {first:.1f})" in text and in_time < late < first - 2
    # WilsonCWu, karpathy/build-nanogpt pull request 30
    assert "was 4.88 nats with the late flag, 4.15 without" in text
