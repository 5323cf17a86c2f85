"""The card game: deals, the reader, its score."""

import pytest
import torch

from course_lib.tasks import card_game
from course_lib.training.recipe import new_model, train, train_in_stages, vary

DIVIDED, PLAIN, SMALL = "divided by √d_k", "not divided", "not divided, small start"


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
        q, k, _ = new_model(vary(card_game.RECIPE, d_model=16, tied=tied)).project(cards)
        scores = q @ k.mT
        assert torch.allclose(scores, scores.mT, atol=1e-5) is tied


def test_keys_can_be_the_values_and_shorter_than_a_card():
    cards, _ = links()
    for shared in (True, False):
        model = new_model(vary(card_game.RECIPE, d_model=16, d_k=4, keys_as_values=shared))
        q, k, v = model.project(cards)
        assert q.shape == k.shape == v.shape == (16, 8, 4) and torch.equal(k, v) is shared
        assert model(cards)[0].shape == (16, 8, len(card_game.GIFTS))


def test_the_three_ways_begin_where_they_should():
    """Divided, and begun small: equal first weights. Not divided: scores √d_k times as large."""
    cards, _ = links()
    ways = card_game.variants(vary(card_game.RECIPE, d_model=64))
    weights = {name: new_model(recipe)(cards)[1] for name, recipe in ways.items()}
    assert torch.allclose(weights[DIVIDED], weights[SMALL], atol=1e-5)
    ratio = (weights[PLAIN].log() - weights[DIVIDED].log() * 8)[0, 0, 1:]
    assert torch.allclose(ratio, ratio[:1].expand(7), atol=1e-2)
    assert not weights[PLAIN].diagonal(dim1=1, dim2=2).any()  # no card reads itself


def test_a_reader_learns_and_its_score_counts_what_it_says():
    recipe = vary(card_game.RECIPE, d_model=64, lr=3e-3, steps=60)
    model = new_model(recipe)
    before = card_game.score(model, n_cards=8)
    assert before["accuracy"] < 0.2 and before["right_weight"] < 0.3
    assert train(model, recipe, card_game.task(8)).steps == 60
    after = card_game.score(model, n_cards=8)
    assert after["accuracy"] > 0.8 and after["right_weight"] > 0.6 > 5 * after["mirror_weight"]


def test_stages_are_one_training():
    recipe = vary(card_game.RECIPE, d_model=16, steps=6)
    whole, staged = new_model(recipe), new_model(recipe)
    history = train(whole, recipe, card_game.task(4))
    first, second = (h.losses for _, h in train_in_stages(staged, recipe, card_game.task(4), (2, 6)))
    assert (len(first), len(second)) == (2, 4)
    assert first + second == pytest.approx(history.losses)
