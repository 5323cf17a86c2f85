"""Errors that name the argument: what fits passes without a word, what does not is named."""

import pytest
import torch

from course_lib import checks
from course_lib.attention import fused_attention, merge_heads, scaled_dot_product_attention, split_heads
from course_lib.models.attention_only import AttentionOnly, AttentionOnlyConfig

IDS = torch.tensor([[1, 2, 3]])
LAYER = checks.layer_inputs
ROADS = (scaled_dot_product_attention, fused_attention)


def zeros(*shape):
    return torch.zeros(shape)


@pytest.mark.parametrize("road", ROADS)
@pytest.mark.parametrize(
    ("q", "k", "v", "allowed", "said"),
    [
        ((2, 3, 4), (2, 5, 3), (2, 5, 4), None, "q has 4 features and k has 3"),
        ((2, 3, 4), (2, 5, 4), (2, 6, 4), None, "k has 5 positions and v has 6"),
        ((4,), (2, 5, 4), (2, 5, 4), None, "expected two axes at least"),
        ((2, 3, 4), (2, 5, 4), (4,), None, "expected two axes at least"),
        ((2, 3, 4), (3, 5, 4), (3, 5, 4), None, "expected leading axes that go together"),
        (
            (2, 3, 4),
            (2, 5, 4),
            (1, 5, 4),
            None,
            "k and v have shapes (2, 5, 4) and (1, 5, 4), expected the same",
        ),
        ((2, 3, 4), (2, 5, 4), (3, 5, 4), None, "expected the same batch (and heads)"),
        ((3, 4), (5, 4), (2, 5, 4), None, "expected the same batch (and heads)"),
        ((2, 3, 4), (2, 5, 4), (2, 5, 4), (4, 5), "does not broadcast to the scores (2, 3, 5)"),
        ((2, 3, 4), (2, 5, 4), (2, 5, 4), (7, 2, 3, 5), "does not broadcast"),
        ((1, 3, 4), (1, 5, 4), (1, 5, 4), (2, 3, 5), "does not broadcast"),
    ],
)
def test_both_roads_name_what_does_not_fit(road, q, k, v, allowed, said):
    allowed = None if allowed is None else torch.ones(allowed, dtype=torch.bool)
    with pytest.raises(ValueError) as caught:
        road(zeros(*q), zeros(*k), zeros(*v), allowed)
    assert said in str(caught.value)


@pytest.mark.parametrize("road", ROADS)
@pytest.mark.parametrize(
    ("allowed", "said"),
    [(torch.ones(3, 5), "allowed has dtype torch.float32"), ([[True] * 5] * 3, "allowed is a list")],
)
def test_numbers_are_no_mask(road, allowed, said):
    with pytest.raises(ValueError, match=said):
        road(zeros(2, 3, 4), zeros(2, 5, 4), zeros(2, 5, 4), allowed)


@pytest.mark.parametrize("allowed", [(), (5,), (1,), (3, 5), (3, 1), (2, 1, 5), (2, 3, 5), (1, 1, 1)])
def test_what_broadcasts_is_welcome(allowed):
    checks.attention_inputs(
        zeros(2, 3, 4), zeros(2, 5, 4), zeros(2, 5, 6), torch.ones(allowed, dtype=torch.bool)
    )
    checks.attention_inputs(zeros(8, 2, 3, 4), zeros(8, 1, 5, 4), zeros(8, 1, 5, 4))  # heads share keys


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: LAYER(zeros(3, 8), zeros(3, 8), zeros(3, 8), 8), "for one sentence write x[None]"),
        (lambda: LAYER(zeros(1, 3, 8), zeros(1, 3, 7), zeros(1, 3, 8), 8), "key has shape (1, 3, 7)"),
        (lambda: LAYER(zeros(1, 3, 8), zeros(1, 3, 8), zeros(1, 8), 8), "value has shape (1, 8)"),
        (lambda: LAYER(zeros(1, 3, 8), zeros(1, 5, 8), zeros(1, 4, 8), 8), "key has 5 positions"),
        (lambda: LAYER(zeros(1, 3, 8), zeros(2, 5, 8), zeros(2, 5, 8), 8), "the same batch"),
        (lambda: split_heads(zeros(1, 3, 8), 3), "the last axis of x (8) must be divisible by n_heads (3)"),
        (lambda: split_heads(zeros(1, 3, 8), 0), "n_heads is 0, expected at least 1"),
        (lambda: split_heads(zeros(3, 8), 2), "expected (B, T, D)"),
        (lambda: merge_heads(zeros(1, 3, 8)), "expected (B, H, T, K)"),
        (lambda: checks.token_ids("ids", IDS[0], "(B, T)", 9), "for one text write ids[None]"),
        (lambda: checks.token_ids("ids", IDS[:, :0], "(B, T)", 9), "neither of them 0"),
        (lambda: checks.token_ids("ids", IDS.float(), "(B, T)", 9), "expected whole numbers"),
        (lambda: checks.token_ids("ids", IDS.byte(), "(B, T)", 9), "of type torch.long: write ids.long()"),
        (lambda: checks.token_ids("ids", IDS.bool(), "(B, T)", 9), "expected whole numbers"),
        (lambda: checks.token_ids("ids", IDS, "(B, T)", 3), "ids holds ids from 1 to 3, expected 0 to 2"),
        (lambda: checks.token_ids("ids", IDS, "(B, T)", 9, max_len=2), "expected at most max_len (2)"),
        (lambda: AttentionOnly(AttentionOnlyConfig(3))(IDS), "expected 0 to 2"),
        (lambda: checks.at_least_1(depth=1, width=0), "width is 0, expected at least 1"),
    ],
)  # fmt: skip
def test_bad_input_is_named(call, said):
    with pytest.raises(ValueError) as caught:
        call()
    assert said in str(caught.value)
