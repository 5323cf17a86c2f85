"""Chapter 03: its records, and what the page says of them."""

import json
from pathlib import Path

from course_lib import experiments
from course_lib.experiments.chapter_03 import EXPERIMENTS, HEADS

PAGE = Path(__file__).parents[3] / "notebooks" / "03_multi_head_attention.ipynb"


def text_of(cell_id):
    cells = json.loads(PAGE.read_text(encoding="utf-8"))["cells"]
    return {cell["id"]: "".join(cell["source"]) for cell in cells}[cell_id]


def of_100(value):
    return int(100 * value + 0.5)


def test_five_seeds_at_least():
    assert all(len(experiments.load(experiment.name).seeds) >= 5 for experiment in EXPERIMENTS)


def test_a_removed_head_is_measured_as_recorded():
    record, live = experiments.load("remove"), experiments.run("remove", seed=0)
    assert len(live) == len(record.at(seed=0)) == 2 + 4 + 8
    assert experiments.compare(live, record).ok


def test_what_the_page_says_of_the_number_of_heads():
    record, caption = experiments.load("heads"), text_of("heads-caption")
    assert len({row["parameters"] for row in record.rows}) == 1  # equal parameters
    final = {n: [row["accuracy"] for row in record.final() if row["heads"] == n] for n in HEADS}
    assert "eight seeds" in caption and len(record.seeds) == 8
    assert all(0.5 < accuracy < 0.56 for accuracy in final[1]) and "a little over a half" in caption
    assert min(final[2] + final[4] + final[8]) >= 0.99 and "at least 99 of 100 in every run" in caption
    assert f"have {of_100(min(final[16]))} to {of_100(max(final[16]))} of 100" in caption
    for seed in record.seeds:  # "and are still rising"
        at_500, at_600 = (record.at(seed=seed, heads=16, step=step)[0]["accuracy"] for step in (500, 600))
        assert at_600 > at_500


def test_what_the_page_says_of_the_one_head():
    rows = experiments.load("heads").at(step=600, heads=1)
    *others, mixed = rows  # the last row of the picture
    text = text_of("one-head-why")
    for row in others:
        assert min(row["left"], row["right"]) < 0.06 and max(row["left"], row["right"]) > 0.99
        assert max(row["looks_left"], row["looks_right"]) > 0.97
    assert len(rows) == 8 and "eight recorded trainings" in text and "Seven ended" in text
    assert f"{mixed['looks_left']:.2f} left, {mixed['looks_right']:.2f} right" in text
    more, less = of_100(mixed["right"]), of_100(mixed["left"])
    assert f"{more} of 100 right on one side, {less} on the other" in text
    early, late = (experiments.load("heads").at(seed=0, step=step, heads=1)[0] for step in (25, 100))
    assert f"{early['looks_left']:.2f} (left) and {early['looks_right']:.2f} after 25 steps" in text
    assert f"{late['looks_left']:.2f} and {late['looks_right']:.2f} after 100" in text
    sums = [of_100(row["left"] + row["right"]) for row in others]
    assert f"Together {more + less}, where the seven have about {round(sum(sums) / 7)}" in text
    left = sum(row["left"] > row["right"] for row in rows)
    assert 0 < left < 8  # "some on the left, some on the right", says the prediction


def test_what_the_page_says_of_the_size_of_heads():
    record, caption = experiments.load("head-size"), text_of("heads-caption")
    names = ("16 heads of 1", "32 heads of 1", "16 heads of 2")
    final = {name: [r["accuracy"] for r in record.final() if r["heads"] == name] for name in names}
    parameters = {name: {r["parameters"] for r in record.at(heads=name)} for name in names}
    assert parameters["16 heads of 2"] == parameters["32 heads of 1"] != parameters["16 heads of 1"]
    assert min(final["16 heads of 2"]) > 0.999 and "five seeds" in caption and len(record.seeds) == 5
    low, high = min(final["32 heads of 1"]), max(final["32 heads of 1"])
    assert f"end at {of_100(low)} to {of_100(high)} of 100" in caption


def test_what_the_page_says_of_the_wrong_split():
    record, text = experiments.load("split"), text_of("view-why")
    right, wrong = ([row["accuracy"] for row in record.at(split=name)] for name in ("right", "view alone"))
    assert len(record.seeds) == 5 and "(five recorded seeds)" in text
    assert min(right) > 0.999 and f"{of_100(min(wrong))} to {of_100(max(wrong))} of 100" in text


def test_what_the_page_says_of_removed_heads():
    rows, caption = experiments.load("remove").rows, text_of("s9")
    weight = {id(row): max(row["looks_left"], row["looks_right"]) for row in rows}
    elsewhere = [row["lost"] for row in rows if weight[id(row)] < 0.6]
    assert max(elsewhere) < 0.105 and "less than 0.6 on the neighbour are worth 10 of 100 at most" in caption
    trained = {(row["heads"], row["seed"]) for row in rows}
    assert len(trained) == 3 * 5 and "five recorded trainings for each number of heads" in caption
    sharp = [row["lost"] for row in rows if weight[id(row)] > 0.9 and row["heads"] == 4]
    assert of_100(min(sharp)) == 5 and max(sharp) > 0.95
    assert "with 4 heads, above a weight of 0.9, everything occurs, from 5 of 100 to nearly all" in caption
    for row in rows:  # "only its own question suffers"
        other = "right" if row["looks_left"] > row["looks_right"] else "left"
        if weight[id(row)] > 0.6:
            assert row[f"lost_{other}"] < 0.03
