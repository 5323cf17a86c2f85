"""The mask makers against their definitions, and what they say about bad input."""

import pytest
import torch
from torch import tensor

from course_lib import masks


def table(rule, n_queries: int, n_keys: int) -> torch.Tensor:
    """A mask by its definition, cell by cell."""
    return tensor([[rule(t, s) for s in range(n_keys)] for t in range(n_queries)])


@pytest.mark.parametrize(("n_positions", "n_prefix"), [(1, 0), (1, 1), (5, 0), (5, 2), (5, 5)])
def test_a_prefix_is_seen_by_all_and_the_rest_is_causal(n_positions, n_prefix):
    expected = table(lambda t, s: s <= t or s < n_prefix, n_positions, n_positions)
    assert torch.equal(masks.prefix_mask(n_positions, n_prefix), expected)


def test_each_sentence_can_have_a_prefix_of_its_own():
    allowed = masks.prefix_mask(4, tensor([0, 1, 3]))
    assert allowed.shape == (3, 1, 4, 4)
    for one, n_prefix in zip(allowed, (0, 1, 3), strict=True):
        assert torch.equal(one[0], masks.prefix_mask(4, n_prefix))


@pytest.mark.parametrize(("n_positions", "window"), [(1, 1), (5, 1), (5, 3), (5, 5), (5, 9)])
def test_a_window_ends_at_the_query(n_positions, window):
    expected = table(lambda t, s: t - window < s <= t, n_positions, n_positions)
    assert torch.equal(masks.sliding_window_mask(n_positions, window), expected)


def test_combine_is_and():
    causal, padding = masks.causal_mask(3), masks.padding_mask(tensor([[5, 6, 7], [5, 0, 0]]), 0)
    both = masks.combine(causal, None, padding)
    assert both.shape == (2, 1, 3, 3)
    assert torch.equal(both[0, 0], causal)
    assert torch.equal(both[1, 0], tensor([[True, False, False]] * 3))
    assert masks.combine() is None and masks.combine(None) is None
    assert torch.equal(masks.combine(causal), causal)


@pytest.mark.parametrize("shape", [(3, 5), (2, 1, 1, 5), (2, 1, 3, 5), (2, 4, 3, 5)])
def test_to_torch_mha_and_back(shape):
    allowed = torch.rand(shape, generator=torch.Generator().manual_seed(1)) > 0.4
    back = masks.from_torch_mha(**masks.to_torch_mha(allowed, n_heads=4), n_heads=4)
    assert torch.equal(back.expand(2, 4, 3, 5), allowed.expand(2, 4, 3, 5))


def test_both_masks_of_torch_mha_become_one():
    causal, padding = masks.causal_mask(3), masks.padding_mask(tensor([[5, 6, 7], [5, 0, 0]]), 0)
    both = masks.from_torch_mha(attn_mask=~causal, key_padding_mask=~padding[:, 0, 0])
    assert torch.equal(both, masks.combine(causal, padding))
    assert masks.from_torch_mha() is None


def test_to_torch_sdpa():
    allowed = masks.causal_mask(3)
    added = masks.to_torch_sdpa(allowed, torch.float64)
    assert added.dtype == torch.float64 and added[0].tolist() == [0, -torch.inf, -torch.inf]
    assert masks.to_torch_sdpa(allowed) is allowed


A_MASK = torch.ones(2, 2, dtype=torch.bool)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: masks.prefix_mask(4, 5), "n_prefix is 5, expected 0 ≤ n_prefix ≤ n_positions (4)"),
        (lambda: masks.prefix_mask(4, -1), "n_prefix is -1"),
        (lambda: masks.prefix_mask(4, tensor([True])), "not a mask"),
        (lambda: masks.prefix_mask(4, 2.0), "expected one whole number"),
        (lambda: masks.sliding_window_mask(4, 0), "window is 0, expected at least 1"),
        (lambda: masks.combine(A_MASK, A_MASK.float()), "allowed has dtype torch.float32"),
        (lambda: masks.combine(A_MASK, [True]), "allowed is a list"),
        (lambda: masks.combine(A_MASK, torch.ones(3, 3, dtype=torch.bool)), "do not broadcast together"),
        (lambda: masks.to_torch_mha(A_MASK[None], 2), "expected (T, S), (B, 1, 1, S) or (B, H, T, S)"),
        (lambda: masks.to_torch_mha(A_MASK[None, None].expand(1, 3, 2, 2), 2), "H = 1 or n_heads (2)"),
        (lambda: masks.from_torch_mha(A_MASK.float()), "attn_mask has dtype torch.float32"),
        (lambda: masks.from_torch_mha(A_MASK.expand(3, 2, 2), n_heads=2), "expected (T, S) or (B·H, T, S)"),
        (lambda: masks.from_torch_mha(key_padding_mask=A_MASK[0]), "expected (B, S)"),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(ValueError) as caught:
        call()
    assert words in str(caught.value)
