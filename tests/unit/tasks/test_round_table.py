"""The round table: answers, places, models of equal size, heads that are silenced."""

import pytest
import torch

from course_lib.tasks import round_table
from course_lib.training.recipe import new_model, train, train_in_stages, vary

RECIPE = round_table.RECIPE

TABLE = "anna bo chen dina emma ivan julia kenji"


def test_the_answers_are_the_neighbours_round_the_circle():
    ids = round_table.seat(TABLE)
    names = TABLE.split()
    for t, answers in enumerate(round_table.true_answers(ids)[0]):
        assert round_table.guests(answers) == [names[t - 1], names[(t + 1) % 8]]


def test_the_true_places_hold_the_true_answers():
    ids = round_table.test_tables(5)
    places = round_table.true_places()  # (2, T, T)
    assert (places.sum(-1) == 1).all()
    fetched = torch.einsum("qts,bs->btq", places.long(), ids)
    assert torch.equal(fetched, round_table.true_answers(ids))


def test_tables_have_no_name_twice_and_batches_are_new():
    ids = round_table.test_tables(50)
    assert all(len(set(row.tolist())) == round_table.SEATS for row in ids)
    assert len(set(round_table.NAMES)) == len(round_table.NAMES) == 24
    stream = round_table.batches(RECIPE)
    assert not torch.equal(next(stream), next(stream))


def test_models_differ_in_heads_and_in_nothing_else():
    models = [new_model(vary(RECIPE, n_heads=n)) for n in (1, 2, 4, 8, 16)]
    assert len({sum(p.numel() for p in model.parameters()) for model in models}) == 1
    first = models[0].state_dict()
    for model in models[1:]:  # the same first weights, cut in another way
        assert all(torch.equal(first[name], value) for name, value in model.state_dict().items())


def test_weight_on_the_neighbours():
    left, right = round_table.true_places().float()
    even = torch.full((8, 8), 1 / 8)
    weights = torch.stack([left, right, even, (left + right) / 2]).expand(3, 4, 8, 8)  # (B, H, T, T)
    expected = torch.tensor([[1, 0], [0, 1], [1 / 8, 1 / 8], [0.5, 0.5]])
    torch.testing.assert_close(round_table.weight_on_neighbours(weights), expected)


def test_two_heads_learn_what_one_cannot():
    right = {}
    for n_heads in (1, 2):
        recipe = vary(RECIPE, n_heads=n_heads, steps=200)
        model = new_model(recipe)
        history = train(model, recipe, round_table.task())
        assert history.steps == 200
        right[n_heads] = round_table.accuracy(model, round_table.test_tables(100))
    assert min(right[1].values()) < 0.2 < 0.9 < min(right[2].values())


def test_mistakes_are_told_in_words():
    model, ids = new_model(RECIPE), round_table.test_tables(20)
    found = round_table.mistakes(model, ids)
    assert len(found) == (~round_table.right_answers(model, ids)).sum() > 0
    for mistake in found:
        place = mistake.table.index(mistake.asked) + (-1 if mistake.question == "left" else 1)
        assert mistake.truth == mistake.table[place % 8] != mistake.said


def test_seats_are_directions_of_the_sharpest_head():
    model, ids = new_model(vary(RECIPE, n_heads=4)), round_table.test_tables(20)
    queries, keys = round_table.seat_directions(model, ids)
    inside = model.look_inside(ids)[0]
    head = round_table.weight_on_neighbours(inside.weights).flatten().argmax() // 2
    torch.testing.assert_close(queries, inside.queries[:, head].mean(0))
    torch.testing.assert_close(keys, inside.keys[:, head].mean(0))


def test_training_in_stages_is_training():
    recipe = vary(RECIPE, steps=20)
    model = new_model(recipe)
    train(model, recipe, round_table.task())
    staged = new_model(recipe)
    steps = [step for step, _ in train_in_stages(staged, recipe, round_table.task(), (5, 20))]
    assert steps == [5, 20]
    for one, other in zip(model.parameters(), staged.parameters(), strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("anna bo", "2 guests"),
        (TABLE.replace("bo", "anna"), "different names"),
        (TABLE.replace("bo", "bob"), "'bob'"),
    ],
)
def test_a_table_that_cannot_be_laid_is_refused(text, says):
    with pytest.raises(ValueError, match=says):
        round_table.seat(text)
