"""Chapter 09a's records: what the page may say of them, and a cheap slice of each made again."""

from itertools import pairwise, product

import pytest

from course_lib import experiments
from course_lib.experiments import chapter_09a as page
from course_lib.experiments import chapter_09a_packed as packed
from course_lib.experiments import chapter_09a_training as training
from course_lib.experiments import chapter_09a_windows as windows


def short_run(name, **wanted):
    """What a record keeps of a short run: these rows of it, and how many steps it had."""
    rows = [row for row in experiments.load(name).short if wanted.items() <= row.items()]
    return rows, experiments.find(name).short_steps


GAP_KINDS = (*page.KINDS, "other")
WARM_UP_GRID = tuple(product(training.WARM_UPS, training.RATES))


def test_what_the_gap_buys():
    record = experiments.load("gap-buys")
    assert len(record.rows) == 3 * len(page.BUDGETS) * len(page.TEMPERATURES)
    for row in record.rows:
        assert row["consistent"] + sum(row[kind] for kind in GAP_KINDS) == pytest.approx(1, abs=1e-3)
        assert row["valid"] == pytest.approx(1 - row["no sentence"] - row["how many sentences"], abs=1e-3)
    for seed in record.seeds:
        rows = {(row["step"], row["at"]): row for row in record.at(seed=seed)}
        for fewer, more in zip(page.BUDGETS, page.BUDGETS[1:], strict=False):
            for at in ("temperature 1", "temperature 0.7"):
                before, after = rows[fewer, at], rows[more, at]
                assert after["gap"] < before["gap"] and after["consistent"] > before["consistent"]
                assert after["valid"] > before["valid"]
        for step in page.BUDGETS:  # colder draws make fewer mistakes
            warm, cold = rows[step, "temperature 1"], rows[step, "temperature 0.7"]
            assert cold["valid"] > warm["valid"] and cold["consistent"] > warm["consistent"]


def test_a_short_training_of_the_page_s_recipe_is_made_again(monkeypatch):
    monkeypatch.setattr(page, "TOLD", 20)
    recorded, steps = short_run("gap-buys")
    live = experiments.run("gap-buys", seed=0, steps=steps)
    assert [row.keys() for row in live] == [row.keys() for row in recorded]
    for now, then in zip(live, recorded, strict=True):
        assert now["gap"] == pytest.approx(then["gap"], abs=0.02)
        for share in ("consistent", "no sentence"):
            assert now[share] == pytest.approx(then[share], abs=0.2)  # 20 stories


def test_what_the_document_mask_changes():
    record = experiments.load("document-mask")
    for seed in record.seeds:
        [open_], [kept_apart] = (record.at(seed=seed, way=way) for way in packed.WAYS)
        assert kept_apart["gap"] < open_["gap"] - 0.03
        for length in packed.TIMED:
            assert open_[f"times_as_long_{length}"] == 1
        assert 0.8 < kept_apart["times_as_long_192"] < 1.3 < kept_apart["times_as_long_1024"]


def test_one_way_of_packing_is_made_again(monkeypatch):
    monkeypatch.setattr(packed, "TIMED", ())
    [then], steps = short_run("document-mask", way="document mask")
    now = packed.mask_row("document mask", 0, steps)
    assert now["gap"] == pytest.approx(then["gap"], abs=0.02)


def gaps(record, **wanted):
    """One gap a seed."""
    return [row["gap"] for row in sorted(record.at(**wanted), key=lambda row: row["seed"])]


def test_a_longer_rise_makes_a_larger_peak_rate_safe():
    record = experiments.load("warm-up")
    found = {(name, rate): gaps(record, warm_up=name, rate=rate) for name, rate in WARM_UP_GRID}
    assert len(record.rows) == 3 * len(found)
    for seed in record.seeds:
        none, ten, forty = ([found[name, r][seed] for r in training.RATES] for name in training.WARM_UPS)
        assert none[0] < ten[0] < forty[0]  # at the smallest rate a rise only costs
        assert none[-2] > ten[-2] + 0.2 > forty[-2] + 0.2
        assert none.index(min(none)) == training.RATES.index(8e-3)
        assert min(forty) < min(ten) and min(forty) < min(none) - 0.03
        assert forty.index(min(forty)) in (3, 4)  # 0.016 or 0.032
    none, ten, forty = (found[name, 6.4e-2] for name in training.WARM_UPS)
    assert max(forty) < 0.9 < 1.2 < min(none + ten)


def test_one_rise_to_one_rate_is_made_again():
    [then], steps = short_run("warm-up", warm_up="40 steps", rate=2e-3)
    now = training.warm_up_row("40 steps", 2e-3, 0, steps)
    assert now.keys() == then.keys()
    assert now["gap"] == pytest.approx(then["gap"], abs=0.03)


def test_sorted_stories_teach_less_than_shuffled_ones():
    record, half = experiments.load("data-order"), training.EPOCH
    assert len(record.rows) == 3 * len(training.ORDERS) * training.ORDER_STEPS // training.MEASURED_EVERY
    for step in range(training.MEASURED_EVERY, training.ORDER_STEPS + 1, training.MEASURED_EVERY):
        shuffled, repeated, long, first = (gaps(record, step=step, order=order) for order in training.ORDERS)
        assert (shuffled == repeated) == (step <= half)
        assert max(shuffled + repeated) < min(long + first)
    anew, repeated, *ranked = (gaps(record, step=2 * half, order=order) for order in training.ORDERS)
    assert max(anew) < min(repeated) and max(repeated) < min(anew) + 0.03
    assert all(seed > other + 0.05 for one in ranked for seed, other in zip(one, anew, strict=True))


def test_a_longer_window_is_nearer_to_the_floor():
    record = experiments.load("context-length")
    assert len(record.rows) == 3 * len(windows.WINDOWS)
    found = [gaps(record, window=window) for window in windows.WINDOWS]
    for shorter, longer in pairwise(found):
        assert min(shorter) > max(longer)
    assert min(found[0]) > max(found[-1]) + 0.1
    for seed in record.seeds:
        told = [row["consistent"] for row in record.at(seed=seed)]
        assert told == sorted(told) and told[-1] > 2 * told[0]  # in the order of WINDOWS


def test_one_window_is_made_again(monkeypatch):
    monkeypatch.setattr(windows, "JUDGED", 4)
    [then], steps = short_run("context-length", window=windows.WINDOWS[-1])
    now = windows.window_row(windows.WINDOWS[-1], 0, steps)
    assert now.keys() == then.keys()
    assert now["gap"] == pytest.approx(then["gap"], abs=0.02)
