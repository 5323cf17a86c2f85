"""Chapter 02: its records, what the page says of them, and the card game that made them."""

import json
from pathlib import Path

import pytest
import torch

from course_lib import experiments
from course_lib.experiments.chapter_02 import RATES, WIDTHS
from course_lib.tasks import card_game
from course_lib.training.recipe import new_model, train, train_in_stages, vary

PAGE = Path(__file__).parents[3] / "notebooks" / "02_qkv_attention.ipynb"
DIVIDED, PLAIN, SMALL = "divided by √d_k", "not divided", "not divided, small start"


def text_of(cell_id):
    cells = json.loads(PAGE.read_text(encoding="utf-8"))["cells"]
    return {cell["id"]: "".join(cell["source"]) for cell in cells}[cell_id]


def shares(rows, measure="accuracy"):
    """As the page says them: "29 to 44" of 100."""
    low, high = (int(100 * pick(row[measure] for row in rows) + 0.5) for pick in (min, max))
    return f"{low} to {high}"


@pytest.mark.parametrize("name", ["scale", "tied"])
def test_a_slice_of_the_record_can_be_made_again(name):
    record, live = experiments.load(name), experiments.run(name, seed=0, steps=25)
    assert len(live) == 2 * len({row[record.group] for row in record.rows})  # steps 10 and 25
    for now in live:
        (then,) = record.at(seed=0, step=now["step"], **{record.group: now[record.group]})
        assert now["accuracy"] == pytest.approx(then["accuracy"], abs=0.05)
        assert now["training_loss"] == pytest.approx(then["training_loss"], abs=0.1)
    assert experiments.compare(live, record).ok


def test_what_the_page_says_of_the_scale():
    record, caption = experiments.load("scale"), text_of("scale-caption")
    early = {name: record.at(step=50, scores=name) for name in (DIVIDED, PLAIN, SMALL)}
    assert shares(early[DIVIDED]) == "100 to 100" and "100 of 100 gifts (rounded)" in caption
    assert f"{shares(early[PLAIN])} without" in caption
    assert f"after 300 steps it is at {shares(record.at(step=300, scores=PLAIN))}" in caption
    assert min(row["accuracy"] for row in early[SMALL]) >= 0.99  # "nothing needs to be divided"
    sharp = [row["right_weight"] for row in record.at(step=300, scores=DIVIDED)]
    assert round(sum(sharp) / len(sharp), 2) == 0.99 and "has 0.99 of its weight" in text_of("tied")
    # "the training loss itself is lower by far"
    assert max(row["training_loss"] for row in early[DIVIDED]) < 0.1
    assert min(row["training_loss"] for row in early[PLAIN]) > 2


def test_what_the_page_says_of_learning_rates():
    record = experiments.load("rates")
    assert {row["rate"] for row in record.rows} == set(RATES)
    reached = {
        (name, rate): min(row["accuracy"] for row in record.at(scores=name, rate=rate)) >= 0.99
        for name in (DIVIDED, PLAIN)
        for rate in RATES
    }
    assert sum(reached[DIVIDED, rate] for rate in RATES) == 3
    assert not any(row["accuracy"] >= 0.99 for row in record.at(scores=PLAIN))
    best = max(row["accuracy"] for row in record.at(scores=PLAIN))
    assert f"99 of 100 within 100 steps, without it none (best: {best:.2f})" in text_of("not-regularization")


def test_what_the_page_says_of_the_size_of_keys():
    record = experiments.load("width")
    assert all(row["steps_needed"] < record.steps for row in record.rows)  # all got there
    times = {}
    for d_k in WIDTHS:
        with_it, without = ({r["seed"]: r["steps_needed"] for r in record.at(d_k=d_k, scores=name)}
                            for name in (DIVIDED, PLAIN))  # fmt: skip
        times[d_k] = [without[seed] / with_it[seed] for seed in record.seeds]
    means = [sum(times[d_k]) / len(times[d_k]) for d_k in WIDTHS]
    assert means == sorted(means) and min(times[WIDTHS[0]]) > 1
    assert f"with 16 features {min(times[16]):.1f} to {max(times[16]):.1f} times" in text_of("tied")
    assert min(times[512]) > 15 and max(times[512]) < 25 and "with 512 about 20 times" in text_of("tied")
    needed = {d: [r["steps_needed"] for r in record.at(d_k=d, scores=DIVIDED)] for d in (16, 512)}
    assert set(needed[512]) == {15} and "divided it needs 15" in text_of("tied")
    assert f"16 features need {min(needed[16])} steps or more" in text_of("tied")


def test_what_the_page_says_of_one_matrix():
    record = experiments.load("tied")
    ring = record.at(step=300, matrices="W_q = W_k, in a ring")
    assert f"stays at {shares(ring)} of 100" in text_of("third")
    right, mirror = (sum(row[name] for row in ring) / len(ring) for name in ("right_weight", "mirror_weight"))
    assert f"{right:.2f} of the attention goes to the card I look for, {mirror:.2f}" in text_of("third")
    others = [row for row in record.final() if row["matrices"] != "W_q = W_k, in a ring"]
    assert min(row["accuracy"] for row in others) > 0.99


def test_what_the_page_says_of_two_cards_with_one_name():
    recipe = vary(card_game.RECIPE, d_model=64, lr=3e-3, steps=100)
    model = new_model(recipe)
    train(model, recipe, card_game.task(8))
    faulty = card_game.cards("Ada→Zoe:ball Ben→Cai:drum Cai→Ada:kite Dan→Ben:hat Cai→Dan:pear")
    with torch.no_grad():
        logits, weights = model(faulty)
    assert weights[0, 1, [4, 2]].tolist() == pytest.approx([0.72, 0.27], abs=0.03)
    assert logits[0, 1].softmax(-1).max().item() == pytest.approx(0.91, abs=0.04)
    assert "0.72 to 0.27 over two cards; the answer names one gift, 91 % sure" in text_of("fails-caption")


def test_what_the_page_says_of_longer_training():
    recipe = vary(card_game.RECIPE, d_model=64, lr=3e-3, steps=1000)
    model = new_model(recipe)
    right = {
        steps: card_game.score(model, n_cards=48)["right_weight"]
        for steps, _ in train_in_stages(model, recipe, card_game.task(8), (100, 1000))
    }
    assert right == pytest.approx({100: 0.53, 1000: 0.92}, abs=0.04)
    assert "falls to 0.53 after 100 training steps, but only to 0.92 after 1000" in text_of("out")
