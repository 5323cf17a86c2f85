"""A sentence is said only of an answer of which it was measured to be true: ways of one idea that differ."""

import pytest
import torch

from course_lib.practice import desk

# --- an answer of another type on some inputs only ----------------------------------------------------------


def one_short(weights, h):
    total = 0
    for j in range(h.shape[1] - 1):
        total = total + weights[:, :, j, None] * h[:, j, None, :]
    return total


def right_with_two_words(weights, h):
    return weights @ h if h.shape[1] > 1 else 0


def test_a_type_that_few_inputs_give_does_not_hide_the_cause():
    result = desk.run_check("01.context", one_short)
    assert result.misconception == "one-short"
    assert result.message.endswith(
        "On the input with one source word: your function returns an int; check expects one tensor `context` "
        "with axes (B, T, D_h)."
    )


def test_a_type_that_few_inputs_give_is_told_with_its_input():
    result = desk.run_check("01.context", right_with_two_words)
    assert result.kind == "type"
    assert result.message.startswith("On the input with one source word: your function returns an int;")
    everywhere = desk.run_check("01.context", lambda weights, h: 0)
    assert everywhere.kind == "type" and everywhere.message.startswith("Your function returns an int;")


# --- the axes of a split ------------------------------------------------------------------------------------


def cut_and(permutation):
    return lambda x, n: x.unflatten(-1, (n, -1)).permute(*("bthk".index(axis) for axis in permutation))


@pytest.mark.parametrize("order", ["bkht", "bkth", "btkh", "bhkt"])
def test_the_order_of_the_axes_that_came_is_told(order):
    result = desk.run_check("03.split", cut_and(order))
    assert result.misconception == (
        "features-before-words" if order == "bhkt" else "heads-and-features-exchanged"
    )
    assert result.message.startswith(f"You return ({', '.join(order.upper())}), and (B, H, T, K) is asked")
    assert "only the axes are not" in result.message and "changed places" not in result.message


def test_where_the_numbers_are_others_only_the_shape_is_told():
    result = desk.run_check("03.split", lambda x, n: x.reshape(*x.shape[:2], -1, n).transpose(1, 2))
    assert result.message.startswith("Your answer has the shape (B, K, T, H), and")
    assert "yours are K heads of H features" in result.message
    result = desk.run_check("03.split", lambda x, n: x.reshape(len(x), n, -1, x.shape[1]))
    assert result.misconception == "features-before-words"
    assert result.message.startswith("Your answer has the shape (B, H, K, T), and")
    assert "the cut is another one" in result.message


def test_batch_and_heads_in_one_axis_are_told_apart_from_numbers_at_other_places():
    told = "your numbers stand at other places"
    result = desk.run_check("03.split", lambda x, n: x.unflatten(-1, (n, -1)).transpose(1, 2).flatten(0, 1))
    assert result.misconception == "batch-and-heads-joined" and told not in result.message
    result = desk.run_check("03.split", lambda x, n: x.reshape(-1, x.shape[1], x.shape[2] // n))
    assert result.misconception == "batch-and-heads-joined" and told in result.message


def test_tokens_are_said_to_be_joined_only_where_they_are():
    told = "the tokens are joined and the heads are not"
    result = desk.run_check("03.merge", lambda x: x.flatten(2))
    assert result.misconception == "words-joined" and told in result.message
    result = desk.run_check("03.merge", lambda x: x.transpose(1, 2).reshape(*x.shape[:2], -1))
    assert result.misconception == "words-joined" and told not in result.message
    assert result.message.startswith("Your answer has the shape (B, H, T·K)")


# --- where the queries look ---------------------------------------------------------------------------------


def beside(step, stop=False):
    def asked(wanted, n_keys):
        at = (wanted + step).clamp(0, n_keys - 1) if stop else (wanted + step) % n_keys
        return 1000 * torch.eye(n_keys)[at], torch.eye(n_keys)

    return asked


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (beside(-1), "look at 2, 4, 3, 0: each one too low, and below 0 you are back at the last key."),
        (beside(1), "look at 4, 1, 0, 2: each one too high, and past the last key back at 0."),
        (beside(-1, stop=True), "look at 2, 0, 3, 0: those that miss look one too low."),
        (beside(1, stop=True), "look at 4, 1, 4, 2: those that miss look one too high."),
    ],
)
def test_queries_beside_are_told_where_they_look(answer, told):
    result = desk.run_check("02.retrieval", answer)
    assert result.misconception == "off-by-one"
    assert f"With `wanted` = 3, 0, 4, 1 your queries {told}" in result.message


@pytest.mark.parametrize("first", [0, 1])
def test_one_number_names_the_queries_that_look_at_the_last_key(first):
    def by_number(wanted, n_keys):
        return 10.0 * (wanted[:, None] + first), 10.0 * (torch.arange(n_keys)[:, None] + first)

    result = desk.run_check("02.retrieval", by_number)
    at = "0, 1 and 3" if first else "1 and 3"
    assert result.misconception == "one-number"
    assert result.message.startswith(f"Your queries for {at} all look most at the last key, position 4.")


def test_wanted_unused_is_said_only_where_every_query_looks_at_its_own_place():
    def first_rows(wanted, n_keys):
        return 100 * torch.eye(n_keys)[: len(wanted)], 100 * torch.eye(n_keys)

    result = desk.run_check("02.retrieval", first_rows)
    assert result.misconception == "wanted-unused"
    assert "your queries look at 0, 1, 2, 3, the positions of the queries themselves." in result.message

    def half(wanted, n_keys):  # the first query is answered, the others look at their own place
        at = torch.arange(len(wanted)) % n_keys
        at[0] = wanted[0]
        return 1000 * torch.eye(n_keys)[at], torch.eye(n_keys)

    assert desk.run_check("02.retrieval", half).misconception == "another-wins"


# --- advice that holds for numbers and for tensors ----------------------------------------------------------


def reasons(both, first, second):
    def mask(family, n_input, N):
        out = torch.ones(N, N, dtype=torch.bool)
        for i in range(N):
            for j in range(N):
                if family == "decoder-only":
                    out[i, j] = j <= i
                elif family == "prefix-LM":
                    out[i, j] = both(first(i, j, n_input), second(i, j, n_input))
        return out

    return mask


def test_or_is_told_for_numbers_and_brackets_for_tensors():
    past, given = (lambda i, j, n: j <= i), (lambda i, j, n: j < n)
    for both, name in (
        (lambda a, b: a and b, "and-instead-of-or"),
        (lambda a, b: b, "input-columns-alone"),
    ):
        result = desk.run_check("06.family-masks", reasons(both, past, given))
        assert result.misconception == name
        assert "`or` between numbers; between tensors `|`, with each comparison in brackets" in result.message
    assert desk.run_check("06.family-masks", reasons(lambda a, b: a or b, past, given)).passed


def test_no_sentence_tells_a_sign_between_comparisons_without_brackets():
    for exercise in desk.exercises().values():
        told = [m.sentence for m in exercise.misconceptions if isinstance(m.sentence, str)]
        for text in (*told, *(words for _, words in exercise.advice)):
            assert not ("`|`" in text or "`&`" in text) or "in brackets" in text or "sets" in text, text


def test_exp_is_infinite_above_89_and_finite_at_88():
    numbers = torch.tensor([88.0, 88.7, 89.0])
    assert torch.isfinite(torch.exp(numbers)).tolist() == [True, True, False]
