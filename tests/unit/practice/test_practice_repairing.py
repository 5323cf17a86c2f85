"""A small change to the learner's own code is told only where it was tried and makes the function right."""

import ast
import time
import warnings

import pytest
import torch

from course_lib.practice import desk, finer_changes, repairing

# ruff: noqa: E731


def floor(values, weights):
    return (values * weights).sum() // weights.sum()


def returns_early(values, weights):
    total, size = 0, 0
    for v, w in zip(values, weights, strict=True):
        total = total + v * w
        size = size + w
        return total / size


def by_the_largest(values, weights):
    return (values * (weights / weights.max())).sum()


def mean_for_sum(values, weights):
    return (values * (weights / weights.sum())).mean()


def union(guessed, sure):
    guessed, sure = set(guessed), set(sure)
    if not guessed and not sure:
        return 0.0
    return 1 - 2 * len(guessed | sure) / (len(guessed) + len(sure))


def no_brackets(guessed, sure):
    guessed, sure = set(guessed), set(sure)
    if not guessed and not sure:
        return 0.0
    return 1 - 2 * len(guessed & sure) / len(guessed) + len(sure)


def other_order(weights, h):
    return h @ weights


def unpacked_turned(y_prev, s_prev, h, allowed, attend, cell):
    weights, context = attend(s_prev, h, allowed)
    return cell(torch.cat([y_prev, context], -1), s_prev), context, weights


def along_the_batch(y_prev, s_prev, h, allowed, attend, cell):
    context, weights = attend(s_prev, h, allowed)
    return cell(torch.cat([y_prev, context]), s_prev), context, weights


def sine(s, h, W_a, U_a, v_a):
    return torch.sin((s @ W_a.T)[:, None] + h @ U_a.T) @ v_a


def product(s, h, W_a, U_a, v_a):
    return torch.tanh((s @ W_a.T)[:, None] * (h @ U_a.T)) @ v_a


def last_axis(s, h, W_a, U_a, v_a):
    return torch.tanh((s @ W_a.T).unsqueeze(-1) + h @ U_a.T) @ v_a


def keys_first(wanted, n_keys):
    k = torch.eye(n_keys)
    return k, 1000 * k[wanted]


def power(d_model, n_heads):
    return 4 * ((d_model ^ 2) + d_model)


def from_one(x):
    return torch.cat([x[:, h] for h in range(1, x.shape[1])], dim=-1)


def tokens_cut(x, n_heads):
    return torch.stack(x.chunk(n_heads, dim=1), dim=1)


def objects(ids, pad_id):
    return (ids is not pad_id)[:, None, None, :]


def over_the_batch(x, W_q, W_k, W_v):
    x = (x - x.mean(0, keepdim=True)) / (x.std(0, keepdim=True, correction=0) + 1e-6)
    return torch.nn.functional.scaled_dot_product_attention(x @ W_q.T, x @ W_k.T, x @ W_v.T, is_causal=True)


@pytest.mark.parametrize(
    ("id", "answer", "told"),
    [
        ("00.weighted-mean", floor, "`//` rounds down to a whole number. With `/` in place of `//` your"),
        (
            "00.weighted-mean",
            returns_early,
            "ends it in the first round. Move it to the left, behind the loop:",
        ),
        ("00.weighted-mean", by_the_largest, "With `sum` in place of `max` your"),
        (
            "00.weighted-mean",
            mean_for_sum,
            "`mean` divides by how many numbers there are. With `sum` in place of",
        ),
        (
            "01.aer",
            union,
            "`|` takes what is in either of the two, `&` what is in both. With `&` in place of `|`",
        ),
        ("01.aer", no_brackets, "Brackets are missing: Python divides before it adds or subtracts."),
        ("01.context", other_order, "With `weights @ h` in place of `h @ weights` your"),
        ("01.decoder-step", unpacked_turned, "With `context, weights` in place of `weights, context`"),
        (
            "01.decoder-step",
            along_the_batch,
            "`cat` without `dim` joins along axis 0. With `torch.cat([y_prev, ",
        ),
        ("01.scores", sine, "With `tanh` in place of `sin` your"),
        ("01.scores", product, "You multiply where a sum belongs. With `+` in place of `*` your"),
        ("01.scores", last_axis, "With `unsqueeze(1)` in place of `unsqueeze(-1)` your"),
        ("02.retrieval", keys_first, "The parts stand in the wrong order. With "),
        ("03.count", power, "`^` is the exclusive or; a power is `**`. With `**` in place of `^` your"),
        (
            "03.merge",
            from_one,
            "The loop begins at 1, and the first index is 0. With `range(x.shape[1])` in place",
        ),
        ("03.split", tokens_cut, "With `return torch.stack(x.chunk(n_heads, dim=-1), dim=1)` in place"),
        ("04.padding", objects, "not whether values differ. With `!=` in place of `is not` your"),
        ("04.leak", over_the_batch, "With `mean(-1)` and `std(-1)` in place of `mean(0)` and `std(0)` your"),
    ],
)
def test_the_change_that_makes_it_right_is_told(id, answer, told):
    result = desk.run_check(id, answer)
    assert not result.passed and told in result.message
    assert result.message.endswith("your function is right on every input that was tried.")


def two_slips(values, weights):
    return (values * weights).sum() // weights.max()


def test_two_changes_are_told_where_one_is_not_enough():
    message = desk.run_check("00.weighted-mean", two_slips).message
    assert "There are two slips. With `" in message and message.endswith(
        "right on every input that was tried."
    )


def three_slips(values, weights):
    return (values[1:] * weights[1:]).sum() // weights.max() - 1


def test_nothing_is_told_where_two_changes_are_not_enough():
    message = desk.run_check("00.weighted-mean", three_slips).message
    assert "right on every input" not in message and message.startswith("On the input with weights 3, 1, 0")


def merged_a_step_too_early(x):
    return torch.swapaxes(x, 1, 2).flatten(1)


def test_where_a_part_stands_twice_in_its_line_the_whole_line_is_told():
    message = desk.run_check("03.merge", merged_a_step_too_early).message
    better, line = ("return torch.swapaxes(x, 1, 2).flatten(2)", "return torch.swapaxes(x, 1, 2).flatten(1)")
    assert f"With `{better}` in place of `{line}` your function is right" in message


def test_of_a_lambda_the_code_is_not_known():
    result = desk.run_check("00.weighted-mean", lambda values, weights: values @ weights // weights.sum())
    assert "right on every input" not in result.message


def test_a_result_that_nothing_keeps_is_told_beside_what_was_recognised():
    def thrown_away(ids, pad_id):
        mask = ids != pad_id
        mask.unsqueeze(1)
        mask.unsqueeze(2)
        return mask

    result = desk.run_check("04.padding", thrown_away)
    assert result.misconception == "lines-up-with-queries"
    assert result.message.endswith(
        "Nothing keeps the result of `mask.unsqueeze(1)`, and the tensor itself stays as it was."
    )


def test_the_code_is_as_it_was_after_the_search_and_every_change_was_tried():
    seen = []
    tree = ast.unparse(repairing._tree(no_brackets))
    found = repairing.first_that_helps(no_brackets, lambda f: seen.append(f) and False, lambda: True)
    assert found == "" and len(seen) > 20
    assert ast.unparse(repairing._tree(no_brackets)) == tree
    assert repairing.first_that_helps(no_brackets, lambda f: True, lambda: False) == ""


def test_a_closure_is_changed_with_what_it_holds_and_nothing_of_the_learners_is_written_over():
    def outside(values, weights):
        return (values * weights).sum() / helper(weights)

    helper = lambda weights: weights.sum()

    def turned(values, weights):
        return helper(weights) / (values * weights).sum()

    assert desk.run_check("00.weighted-mean", outside).passed
    message = desk.run_check("00.weighted-mean", turned).message
    assert "The two sides stand in the wrong order." in message and turned.__name__ not in globals()


def test_the_search_ends_after_its_time():
    def slow(values, weights):
        time.sleep(0.2)
        return (values * weights).sum() + weights.sum() * 3 - values.mean() + weights.max() - 7

    begun = time.monotonic()
    assert not desk.run_check("00.weighted-mean", slow).passed
    assert time.monotonic() - begun < 0.6 + repairing.SEARCH_TIME + 1.0


def test_a_change_that_python_warns_of_prints_nothing():
    def no_root(x, f, gain, bias):
        h = f(x) + x
        c = h - h.mean(2).unsqueeze(2)
        return c / (torch.einsum("btd,btd->bt", c, c) / h.shape[2] + 1e-5)[..., None] * gain

    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        assert repairing.first_that_helps(no_root, lambda changed: False, lambda: True) == ""
    assert not warned


def test_no_change_compares_a_thing_with_itself():
    """`n == n` is right on every input, and tells nothing of the slip."""
    tree = ast.parse("def f(n, most):\n    if n == 0:\n        return most or 5\n    return n\n")
    texts = []
    for change in finer_changes.all_changes(tree):
        change.make()
        texts.append(ast.unparse(tree))
        change.undo()
    assert any("n == most" in text for text in texts) and any("n or 5" in text for text in texts)
    assert not any("n == n:" in text or "most or most\n" in text for text in texts)
