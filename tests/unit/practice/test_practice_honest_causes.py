"""No cause is told that is not the answer's: a stub, two slips that make none, nonsense that fits by accident."""

import pytest
import torch

from course_lib.practice import desk

# --- an error of an operation is no stub --------------------------------------------------------------------


def brackets_forgotten(ids, chosen, throw, drawn, mask_id):
    labels = ids.masked_fill(~chosen, -100)
    reads = ids.clone()
    reads[chosen & throw < 0.8] = mask_id
    swap = chosen & (throw >= 0.8) & (throw < 0.9)
    reads[swap] = drawn[swap]
    return reads, labels


def brackets_and_more(ids, chosen, throw, drawn, mask_id):
    reads = ids.clone()
    if (chosen & throw > 0.8).any():
        reads = drawn
    return reads, ids


def on_purpose(ids, chosen, throw, drawn, mask_id):
    return ids, ids[(chosen & throw) < 0.8]


def test_an_operation_that_torch_does_not_implement_is_a_try():
    result = desk.run_check("08.corrupt", brackets_forgotten)
    assert (result.status, result.kind) == ("not yet", "error")
    assert result.line[1] == "reads[chosen & throw < 0.8] = mask_id"
    assert result.message.count("`&` binds more closely than `<`: Python reads `chosen & throw` first.") == 1
    assert "With `chosen & (throw < 0.8)` in place of `chosen & throw < 0.8` your" in result.message


def test_the_cause_is_told_where_it_is_not_the_only_slip():
    message = desk.run_check("08.corrupt", brackets_and_more).message
    assert "binds more closely than `>`" in message and "Put each comparison in brackets." in message
    assert "binds more closely" not in desk.run_check("08.corrupt", on_purpose).message


def test_what_the_learner_raises_herself_is_still_a_stub():
    def half(ids, chosen, throw, drawn, mask_id):
        labels = ids.masked_fill(~chosen, -100)
        raise NotImplementedError("reads")
        return labels

    assert desk.run_check("08.corrupt", half).kind == "stub"


# --- right values in another kind of number -----------------------------------------------------------------


@pytest.mark.parametrize("kind", [torch.int64, torch.uint8, torch.float32])
def test_a_right_mask_of_numbers_gets_no_slips(kind):
    def in_numbers(turns):
        flags = []
        for role, ids in turns:
            flags += [0] + [int(role == "assistant")] * (len(ids) - 1)
        return torch.tensor(flags[1:], dtype=kind)

    result = desk.run_check("10a.loss-mask", in_numbers)
    assert result.kind == "dtype" and "expected bool. A mask is True or False" in result.message


# --- tiny numbers are not each other ------------------------------------------------------------------------


def per_token_times(compute, A, B, alpha, beta):
    N = (alpha * A / (beta * B)) ** (1 / (alpha + beta)) * (compute / 6) ** (beta / (alpha + beta))
    return N / (compute / 6 * N)


@pytest.mark.parametrize("answer", [lambda compute, A, B, alpha, beta: 0, per_token_times])
def test_a_tiny_number_is_no_known_mistake(answer):
    result = desk.run_check("09b.tokens-per-parameter", answer)
    assert result.kind == "difference" and "root" not in result.message
