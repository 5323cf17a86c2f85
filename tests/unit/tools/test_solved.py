"""No exercise stands solved above itself: found by what a cell does and by how it is written."""

import pytest

from course_lib.practice import desk
from course_lib.tools import solved

SOLVED = {
    "inline, other names": (
        "02.soft-dict",
        "fit = keys @ question\nshares = fit.softmax(-1)\nprint(shares @ prices)",
    ),
    "a function, another way": (
        "02.attention",
        "import torch\n\ndef mine(a, b, c, open):\n"
        "    s = torch.einsum('...tk,...sk->...ts', a, b) / b.shape[-1] ** 0.5\n"
        "    s = torch.where(open, s, -torch.inf)\n"
        "    return torch.einsum('...ts,...sv->...tv', s.softmax(-1), c)",
    ),
    "the way of torch's functions": (
        "01.weights",
        "s = scores.masked_fill(~ok[:, None, :], -torch.inf)\nw = torch.softmax(s, -1)",
    ),
}
OPEN = {
    "a loop over pairs": (
        "02.soft-dict",
        "for key, value in zip(keys, values):\n    total += weight(key) * value",
    ),
    "the other half": ("02.soft-dict", "shares = (keys @ question).softmax(-1)"),
    "arithmetic as anywhere": ("03.count", "print(4 * (3 * 3 + 3))"),
    "the mean over another axis": (
        "04.leak",
        desk.exercises()["04.leak"].solution.replace("dim=-1", "dim=1"),
    ),
    "a function that does something else": ("03.merge", "def joined(x):\n    return x.flatten(2)"),
    "a function that needs another cell": ("03.merge", "def joined(x):\n    return of_another_cell(x)"),
    "no Python": ("03.merge", "%time x"),
}


def page(id, source):
    cells = [source, "print(1)", f'exercise("{id}")\n\n\ndef f():\n    ...', source]
    return {"cells": [{"cell_type": "code", "source": [cell]} for cell in cells]}


@pytest.mark.parametrize("id, source", SOLVED.values(), ids=SOLVED)
def test_an_exercise_that_stands_solved_is_named(id, source):
    assert solved.solved_above(page(id, source)) == [f"exercise {id} stands solved above itself, in cell 1"]


@pytest.mark.parametrize("id, source", OPEN.values(), ids=OPEN)
def test_an_exercise_that_does_not_is_left_alone(id, source):
    assert solved.solved_above(page(id, source)) == []


def test_every_solution_would_be_known_as_a_function():
    """By what it does: the solution of each exercise, put into a cell above it."""
    for id, one in desk.exercises().items():
        source = "import torch\n" + one.solution
        assert solved.solved_above(page(id, source)), id
