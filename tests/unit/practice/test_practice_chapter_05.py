"""What waits for chapter 05's page: its question is true, and no page asks it yet."""

import itertools

import torch

from course_lib.chapters import CHAPTERS
from course_lib.practice import chapter_05 as five
from course_lib.practice import desk


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
