"""Chapter 02: its records, what the page says of them, and the card game that made them."""

import json
from pathlib import Path

import pytest
import torch

from course_lib import experiments
from course_lib.experiments.chapter_02 import RATES, WIDTHS
from course_lib.tasks import card_game
from course_lib.tasks.card_game import Recipe

PAGE = Path(__file__).parents[2] / "notebooks" / "02_qkv_attention.ipynb"
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
    ring = record.at(step=300, matrices="W_Q = W_K, in a ring")
    assert f"stays at {shares(ring)} of 100" in text_of("third")
    right, mirror = (sum(row[name] for row in ring) / len(ring) for name in ("right_weight", "mirror_weight"))
    assert f"{right:.2f} of the attention goes to the card I look for, {mirror:.2f}" in text_of("third")
    others = [row for row in record.final() if row["matrices"] != "W_Q = W_K, in a ring"]
    assert min(row["accuracy"] for row in others) > 0.99


def test_what_the_page_says_of_two_cards_with_one_name():
    recipe = Recipe(d_model=64, lr=3e-3, n_cards=8, steps=100)
    model = card_game.new_model(recipe)
    card_game.train_model(model, recipe)
    faulty = card_game.cards("Ada→Zoe:ball Ben→Cai:drum Cai→Ada:kite Dan→Ben:hat Cai→Dan:pear")
    with torch.no_grad():
        logits, weights = model(faulty)
    assert weights[0, 1, [4, 2]].tolist() == pytest.approx([0.72, 0.27], abs=0.03)
    assert logits[0, 1].softmax(-1).max().item() == pytest.approx(0.91, abs=0.04)
    assert "0.72 to 0.27 over two cards; the answer names one gift, 91 % sure" in text_of("fails-caption")


def test_what_the_page_says_of_longer_training():
    recipe = Recipe(d_model=64, lr=3e-3, n_cards=8, steps=1000)
    model = card_game.new_model(recipe)
    right = {
        steps: card_game.score(model, n_cards=48)["right_weight"]
        for steps, _ in card_game.train_in_stages(model, recipe, (100, 1000))
    }
    assert right == pytest.approx({100: 0.53, 1000: 0.92}, abs=0.04)
    assert "falls to 0.53 after 100 training steps, but only to 0.92 after 1000" in text_of("out")


# The game.


def links(n_cards=8, mutual=False, seed=0):
    cards = card_game.deal(16, n_cards, torch.Generator().manual_seed(seed), mutual=mutual)
    return cards, cards.found


def test_in_a_ring_the_way_leads_through_all_cards():
    cards, found = links(9)
    for names, row in zip(cards.names, found, strict=True):
        assert len(set(names.tolist())) == 9
        seen, place = [], 0
        for _ in range(9):
            seen.append(place)
            place = row[place].item()
        assert place == 0 and sorted(seen) == list(range(9))


def test_in_pairs_each_looks_for_the_one_that_looks_for_it():
    _, found = links(8, mutual=True)
    here = torch.arange(8).expand_as(found)
    assert torch.equal(found.gather(1, found), here) and not (found == here).any()


def test_the_answer_is_the_gift_of_the_card_with_that_name():
    cards = card_game.cards("Ada→Cai:ball Ben→Ada:drum Cai→Ben:hat")
    assert cards.found.tolist() == [[2, 0, 1]]
    assert [card_game.GIFTS[g] for g in cards.answers[0].tolist()] == ["hat", "ball", "drum"]
    assert " ".join(cards.tokens()) == "Ada→Cai:ball Ben→Ada:drum Cai→Ben:hat"
    dealt, found = links()
    assert torch.equal(dealt.wanted, dealt.names.gather(1, found))


@pytest.mark.parametrize(
    "text, part",
    [
        ("", "no card"),
        ("Ada-Ben:ball", "NAME→NAME:GIFT"),
        ("Ada→Ben", "NAME→NAME:GIFT"),
        ("Ada→Bob:ball", "'Bob'"),
        ("Ada→Ben:bell", "'bell'"),
    ],
)
def test_cards_that_are_not_cards(text, part):
    with pytest.raises(ValueError, match=part):
        card_game.cards(text)


@pytest.mark.parametrize("n_cards, mutual", [(2, False), (49, False), (7, True)])
def test_deals_that_cannot_be(n_cards, mutual):
    with pytest.raises(ValueError, match="n_cards"):
        card_game.deal(1, n_cards, torch.Generator(), mutual=mutual)


def test_one_matrix_makes_the_scores_symmetric_and_two_do_not():
    cards, _ = links()
    for tied in (True, False):
        q, k, _ = card_game.new_model(Recipe(d_model=16, tied=tied)).project(cards)
        scores = q @ k.mT
        assert torch.allclose(scores, scores.mT, atol=1e-5) is tied


def test_the_three_ways_begin_where_they_should():
    """Divided, and begun small: equal first weights. Not divided: scores √d_k times as large."""
    cards, _ = links()
    ways = card_game.variants(Recipe(d_model=64))
    weights = {name: card_game.new_model(recipe)(cards)[1] for name, recipe in ways.items()}
    assert torch.allclose(weights[DIVIDED], weights[SMALL], atol=1e-5)
    ratio = (weights[PLAIN].log() - weights[DIVIDED].log() * 8)[0, 0, 1:]
    assert torch.allclose(ratio, ratio[:1].expand(7), atol=1e-2)
    assert not weights[PLAIN].diagonal(dim1=1, dim2=2).any()  # no card reads itself


def test_a_reader_learns_and_its_score_counts_what_it_says():
    recipe = Recipe(d_model=64, lr=3e-3, n_cards=8, steps=60)
    model = card_game.new_model(recipe)
    before = card_game.score(model, n_cards=8)
    assert before["accuracy"] < 0.2 and before["right_weight"] < 0.3
    assert card_game.train_model(model, recipe).steps == 60
    after = card_game.score(model, n_cards=8)
    assert after["accuracy"] > 0.8 and after["right_weight"] > 0.6 > 5 * after["mirror_weight"]


def test_stages_are_one_training():
    recipe = Recipe(d_model=16, n_cards=4, steps=6)
    whole, staged = card_game.new_model(recipe), card_game.new_model(recipe)
    history = card_game.train_model(whole, recipe)
    first, second = (h.losses for _, h in card_game.train_in_stages(staged, recipe, (2, 6)))
    assert (len(first), len(second)) == (2, 4)
    assert first + second == pytest.approx(history.losses)
