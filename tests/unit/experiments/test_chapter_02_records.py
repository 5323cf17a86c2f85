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


def test_what_the_page_says_of_the_scale():
    record, caption = experiments.load("scale"), text_of("scale-caption")
    early = {name: record.at(step=50, scores=name) for name in (DIVIDED, PLAIN, SMALL)}
    assert shares(early[DIVIDED]) == "100 to 100" and "100 of 100 gifts (rounded)" in caption
    assert f"{shares(early[PLAIN])} without" in caption
    assert f"after 300 steps it is at {shares(record.at(step=300, scores=PLAIN))}" in caption
    assert min(row["accuracy"] for row in early[SMALL]) >= 0.99  # "nothing needs to be divided"
    sharp = [row["right_weight"] for row in record.at(step=300, scores=DIVIDED)]
    assert round(sum(sharp) / len(sharp), 2) == 0.99 and "to 0.99 on the right card" in text_of(
        "width-caption"
    )
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
    means = [
        sum(row["accuracy"] for row in rows) / len(rows)
        for rows in (record.at(scores=PLAIN, rate=rate) for rate in RATES)
    ]
    text = text_of("optional")
    assert len(RATES) == 5 and "None of the five that we tried" in text
    assert f"the best gets {100 * max(means):.0f} of 100 gifts on average after 100 steps" in text
    assert "with it, three reach 99" in text


def test_what_the_page_says_of_the_size_of_keys():
    record = experiments.load("width")
    assert all(row["steps_needed"] < record.steps for row in record.rows)  # all got there
    needed = {
        (name, d_k): [row["steps_needed"] for row in record.at(d_k=d_k, scores=name)]
        for name in (DIVIDED, PLAIN)
        for d_k in WIDTHS
    }
    mean = {key: sum(steps) / len(steps) for key, steps in needed.items()}
    # "wider models learn sooner"
    divided = [mean[DIVIDED, d_k] for d_k in WIDTHS]
    assert divided == sorted(divided, reverse=True)
    # "not divided, the large scores win in the end": the fewest steps are needed at 256
    assert min(WIDTHS, key=lambda d_k: mean[PLAIN, d_k]) == 256
    assert mean[PLAIN, 512] > 2 * mean[PLAIN, 256]
    ratios = [mean[PLAIN, d_k] / mean[DIVIDED, d_k] for d_k in WIDTHS]
    assert ratios == sorted(ratios)  # "the longer the keys, the more the division matters"
    caption = text_of("width-caption")
    first, last = ratios[0], ratios[-1]
    assert f"from {first:.1f} times as many steps at 16 features to {last:.0f} times at 512" in caption


def test_what_the_page_says_of_one_matrix():
    record = experiments.load("tied")
    ring = record.at(step=300, matrices="W_q = W_k, in a ring")
    assert f"stays at {shares(ring)} of 100" in text_of("third")
    right, mirror = (sum(row[name] for row in ring) / len(ring) for name in ("right_weight", "mirror_weight"))
    # "a third of the attention is on each of two cards, the rest on the other 13" (16, less these and itself)
    assert right == pytest.approx(1 / 3, abs=0.03) and mirror == pytest.approx(1 / 3, abs=0.03)
    others = [row for row in record.final() if row["matrices"] != "W_q = W_k, in a ring"]
    assert min(row["accuracy"] for row in others) > 0.99


def test_what_the_page_says_of_the_third_matrix():
    record, caption = experiments.load("third"), text_of("third-caption")
    four = {name: record.at(d_k=4, matrices=name) for name in ("three matrices", "W_k = W_v")}
    assert f"three matrices give {shares(four['three matrices'])} of 100 right gifts" in caption
    assert f"only {shares(four['W_k = W_v'])}; with 16 and more the two are equal" in caption
    for d_k in (16, 32):
        assert min(row["accuracy"] for row in record.at(d_k=d_k)) > 0.98


def test_a_layer_of_the_third_record_can_be_trained_again():
    record = experiments.load("third")
    for name, shared in (("three matrices", False), ("W_k = W_v", True)):
        recipe = vary(card_game.RECIPE, d_model=64, lr=1e-2, steps=300, d_k=4, keys_as_values=shared)
        model = new_model(recipe)
        train(model, recipe, card_game.task(8))
        (then,) = record.at(seed=0, d_k=4, matrices=name)
        assert card_game.score(model, n_cards=8)["accuracy"] == pytest.approx(then["accuracy"], abs=0.06)


def test_where_the_variance_of_the_first_scores_comes_from():
    """A sum of three embeddings meets torch's own first parameters: 1. Cards of variance 1: 1/9."""
    model = new_model(card_game.RECIPE)
    x = model.embed(card_game.deal(64, 16, torch.Generator().manual_seed(1)))  # (B, T, D)
    for cards, wanted in ((x, 1.0), (x / x.std(), 1 / 9)):
        scores = model.W_q(cards) @ model.W_k(cards).mT
        assert (scores.var() / 256).item() == pytest.approx(wanted, rel=0.25)
    assert "scores of variance $d_k/9$" in text_of("optional")


def test_what_the_page_says_of_two_cards_with_one_name():
    recipe = vary(card_game.RECIPE, d_model=64, lr=3e-3, steps=100)
    model = new_model(recipe)
    train(model, recipe, card_game.task(8))
    faulty = card_game.cards("Ada→Zoe:ball Ben→Cai:drum Cai→Ada:kite Dan→Ben:hat Cai→Dan:pear")
    with torch.no_grad():
        logits, weights = model(faulty)
    assert weights[0, 1, [4, 2]].tolist() == pytest.approx([0.72, 0.27], abs=0.03)
    assert logits[0, 1].softmax(-1).max().item() == pytest.approx(0.91, abs=0.04)
    caption = text_of("fails-caption")
    assert (
        "0.72 to 0.27 between the two cards" in caption and "The answer names one gift, 91 % sure" in caption
    )


def test_what_the_page_says_of_longer_training():
    recipe = vary(card_game.RECIPE, d_model=64, lr=3e-3, steps=1000)
    model = new_model(recipe)
    right = {}
    for steps, _ in train_in_stages(model, recipe, card_game.task(8), (100, 1000)):
        for n_cards in (8, 48):
            right[steps, n_cards] = card_game.score(model, n_cards=n_cards)["right_weight"]
    del right[1000, 8]
    assert right == pytest.approx({(100, 8): 0.87, (100, 48): 0.53, (1000, 48): 0.92}, abs=0.04)
    assert "falls from 0.87 to 0.53" in text_of("fails-caption")
    assert "(With `steps=1000` it is 0.92 at 48.)" in text_of("fails-caption")
