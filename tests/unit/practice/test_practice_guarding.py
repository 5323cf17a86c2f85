"""A changed copy of an answer is tried without harm: no list in itself, no operation without bounds."""

import ast
import math
import operator
import textwrap

import pytest
import torch

from course_lib.practice import desk, guarding, repairing, running


def missing_brackets(T, D):
    table = []
    for p in range(T):
        row = []
        for i in range(D // 2):
            angle = p / 10000**2 * i / D
            row.append(math.sin(angle))
            row.append(math.cos(angle))
        table.append(row)
    return torch.tensor(table)


def always_by_the_blanks(family, ids, n_input, blank, pad_id):
    rows = []
    for b in range(len(ids)):
        row = []
        for t in range(len(ids[b])):
            if ids[b, t] == pad_id:
                row.append(0)
            elif "encoder" in family:
                row.append(2 if blank[b, t] else 1)
            else:
                row.append(2 if t > n_input[b] else 1)
        rows.append(row)
    return torch.tensor(rows)


@pytest.mark.parametrize(
    ("id", "answer"), [("05.sinusoidal", missing_brackets), ("06.strip", always_by_the_blanks)]
)
def test_no_list_that_is_put_into_itself_ends_the_kernel(id, answer):
    """`row.append(table)`: torch.tensor of such a list overflows the stack of the whole process."""
    assert desk.run_check(id, answer).kind == "difference"


def tried(code):
    """The function `f` of the code, as a trial makes it."""

    def f(a, b):  # whose names it sees
        return twice(a), product

    tree = ast.parse(textwrap.dedent(code))
    return repairing._made(tree, guarding.around(f))


def twice(n):
    return n * 987654321


product = {"*": lambda a, b: a * b, "**": operator.pow}


@pytest.mark.parametrize(
    "line",
    [
        "a * 987654321",
        "987654321 * [a]",
        "(a,) * 10**9",
        "b ** 10 ** 9",
        "pow(b, 10 ** 9)",
        "1 << 10 ** 9",
        "operator.mul(a, 10 ** 9)",
        "math.factorial(10 ** 9)",
        "bytes(10 ** 9)",
        "list(range(10 ** 9))",
        "list(itertools.repeat(a))",
        "a.ljust(10 ** 9)",
        "torch.zeros(10 ** 5, 10 ** 5)",
        "torch.zeros((10 ** 5, 10 ** 5))",
        "torch.arange(10 ** 9)",
        "torch.ones(5).repeat(10 ** 8)",
        "torch.nn.functional.one_hot(torch.tensor([10 ** 9]), num_classes=10 ** 9 + 1)",
        "twice(a)",
        "product['*'](a, 10 ** 9)",
        "product['**'](b, 10 ** 9)",
    ],
)
def test_one_operation_that_would_fill_the_memory_is_refused(line):
    f = tried(f"def f(a, b):\n    import itertools, math, operator, torch\n    return {line}")
    assert isinstance(running.run(f, ("text", 7), 5.0).error, guarding.Refused)


@pytest.mark.parametrize(
    "body",
    [
        "while True: a += a",
        "c = [b]\n    while True: c = c + c",
        "c = [b]\n    while True: c.extend(c)",
        "c = torch.ones(9)\n    while True: c = torch.cat([c, c])",
        "while True: b *= b + 9",
        "c = [b]\n    for _ in range(99): c = [c, c]\n    return torch.tensor(c)",
        "c = [b]\n    c.append(c)\n    return torch.tensor(c)",
        "c = [b]\n    c[0] = (c,)\n    return torch.ones(9)[c]",
        "c = {}\n    c['c'] = c\n    return c",
    ],
)
def test_what_grows_by_itself_is_refused(body):
    f = tried(f"def f(a, b):\n    import torch\n    {body}")
    assert isinstance(running.run(f, ("text", 7), 5.0).error, guarding.Refused)


def test_a_changed_copy_answers_as_the_code_says():
    code = """
        def f(a, b):
            found = {}
            for i, letter in enumerate(a * 2):
                found.setdefault(letter, []).append(i ** 2 + b)
            n = [0] * 3
            n[1] += 5
            n[1:] = [k << 1 for k in n[1:]]
            rest = sorted(found, key=lambda letter: (-found[letter][0], letter))
            return rest, n, f"{b:>4}", max(len(x) for x in found.values())
    """
    plain = {}
    exec(textwrap.dedent(code), plain)
    assert tried(code)("text", 7) == plain["f"]("text", 7)
