"""Practice of chapter 05: learners' own ways of being wrong and right, and the facts in the tutor's words."""

import itertools

import pytest
import torch

from course_lib import layers
from course_lib.chapters import CHAPTERS
from course_lib.practice import chapter_05 as five
from course_lib.practice import checking, desk

EXERCISES = {e.id.removeprefix("05."): e for e in five.EXERCISES}


def run(name, function):
    """Checked without the desk, which knows the chapter when its page is there."""
    return checking.run_check(EXERCISES[name], function)


# --- references and solutions -------------------------------------------------------------------------------


@pytest.mark.parametrize("exercise", five.EXERCISES, ids=lambda e: e.id)
def test_the_reference_passes_and_each_wrong_way_gets_its_own_message(exercise):
    assert checking.run_check(exercise, exercise.reference).passed
    for misconception in exercise.misconceptions:
        for way in misconception.ways:
            result = checking.run_check(exercise, way)
            assert result.misconception == misconception.name, (misconception.name, result)


def test_positions_are_those_of_the_library():
    for case in EXERCISES["sinusoidal"].cases():
        mine = EXERCISES["sinusoidal"].reference(*case.args)
        assert torch.allclose(mine, layers.sinusoidal_positions(*case.args), atol=1e-5)


# --- questions ----------------------------------------------------------------------------------------------


def test_a_row_after_dropout_sums_to_anything_from_0_to_2_and_to_1_on_average():
    row = torch.tensor([0.5, 0.25, 0.25])
    sums = [2 * (row * torch.tensor(kept)).sum().item() for kept in itertools.product((0, 1), repeat=3)]
    assert (min(sums), max(sums), sum(sums) / len(sums)) == (0, 2, 1)
    assert {0.5, 1.5} < set(sums)  # as the explanation says
    assert "between 0 and 2; on average 1" in answer("05.dropout")


def answer(id):
    one = next(one for one in five.PREDICTIONS if one.id == id)
    return one.options[one.right].text


def test_it_is_asked_with_the_page_and_not_before():
    assert ("05" in desk.CHAPTERS) == CHAPTERS["05"].written
    assert all(one.id.startswith("05.") for one in five.PREDICTIONS)
