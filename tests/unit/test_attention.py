"""Attention and masks: against the equations, against torch, and on rows with nothing allowed."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.attention import (
    AdditiveAttention,
    DotProductAttention,
    additive_scores,
    scaled_dot_product_attention,
)
from course_lib.masks import causal_mask, masked_softmax, padding_mask

B, T, S, D_Q, D_K, A = 2, 3, 5, 4, 6, 7


def random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_additive_scores_are_the_paper_s_equation():
    s, h, w_a, u_a, v_a = random(B, T, D_Q), random(B, S, D_K), random(A, D_Q), random(A, D_K), random(A)
    scores = additive_scores(s @ w_a.T, h @ u_a.T, v_a)
    for b in range(B):
        for i in range(T):
            for j in range(S):
                expected = sum(v_a[a] * math.tanh(w_a[a] @ s[b, i] + u_a[a] @ h[b, j]) for a in range(A))
                assert torch.isclose(scores[b, i, j], expected, atol=1e-5)


@pytest.mark.parametrize("attention", [AdditiveAttention(D_Q, D_K, A), DotProductAttention(D_Q, D_K)])
def test_context_is_the_weighted_sum_and_padding_gets_nothing(attention):
    s, h = random(B, T, D_Q), random(B, S, D_K)
    allowed = torch.ones(B, 1, S, dtype=torch.bool)
    allowed[1, 0, 3:] = False
    context, weights = attention(s, attention.project_keys(h), h, allowed)
    assert context.shape == (B, T, D_K) and weights.shape == (B, T, S)
    torch.testing.assert_close(weights.sum(-1), torch.ones(B, T))
    assert (weights[1, :, 3:] == 0).all() and (weights[0] > 0).all()
    torch.testing.assert_close(context, torch.einsum("bts,bsd->btd", weights, h))
    changed = h.clone()
    changed[1, 3:] = 100.0  # what stands in the padding must not matter
    again, _ = attention(s, attention.project_keys(changed), changed, allowed)
    torch.testing.assert_close(again, context)


@pytest.mark.parametrize("attention", [AdditiveAttention(D_Q, D_K, A), DotProductAttention(D_Q, D_K)])
@pytest.mark.parametrize("odd", [math.nan, math.inf])
def test_what_is_not_finite_in_the_padding_does_not_count(attention, odd):
    """A weight of 0 does not keep it out: 0 · NaN is NaN, and so is its gradient."""
    s, h = random(B, T, D_Q), random(B, S, D_K)
    allowed = torch.ones(B, 1, S, dtype=torch.bool)
    allowed[1, 0, 3:] = False
    expected = attention(s, attention.project_keys(h), h, allowed)
    h[1, 3] = odd
    found = attention(s, attention.project_keys(h), h, allowed)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other)
    own = [p for name, p in attention.named_parameters() if name != "U_a.weight"]  # that meets the NaN itself
    assert all(g.isfinite().all() for g in torch.autograd.grad(found[0].sum(), own))
    h[0, 0] = odd  # this one is looked at
    context, _ = attention(s, attention.project_keys(h), h, allowed)
    assert context[0].isnan().all() and context[1].isfinite().all()


@pytest.mark.parametrize("attention", [AdditiveAttention(D_Q, D_K, A), DotProductAttention(D_Q, D_K)])
@pytest.mark.parametrize("rows", [1, 2])
def test_one_sentence_is_not_asked_by_the_queries_of_others(attention, rows):
    h, few = random(3, S, D_K), random(rows, S, D_K)
    with pytest.raises(ValueError, match=f"query has {rows} rows and projected_keys has 3, expected as many"):
        attention(random(rows, T, D_Q), attention.project_keys(h), h)
    with pytest.raises(ValueError, match="expected the same batch"):
        attention(random(3, T, D_Q), attention.project_keys(h), few)


def test_a_query_without_its_axis_is_named():
    attention = AdditiveAttention(D_Q, D_K, A)
    h = random(B, S, D_K)
    with pytest.raises(ValueError, match=r"query has shape \(2, 4\), expected \(B, T, D_q\)"):
        attention(random(B, D_Q), attention.project_keys(h), h)


@settings(max_examples=60, deadline=None)
@given(
    shape=st.tuples(*[st.integers(1, 4)] * 4),
    d=st.integers(1, 9),
    seed=st.integers(0, 999),
    masked=st.booleans(),
)
def test_scaled_dot_product_equals_torch(shape, d, seed, masked):
    b, h, t, s = shape
    q, k, v = (random(b, h, n, d, seed=seed + i) for i, n in enumerate((t, s, s)))
    allowed = None
    if masked:
        allowed = torch.rand(b, 1, t, s, generator=torch.Generator().manual_seed(seed)) < 0.6
        allowed[..., 0] = True  # torch's own answer for rows with nothing allowed is another one
    ours, weights = scaled_dot_product_attention(q, k, v, allowed)
    theirs = torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=allowed)
    torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(weights.sum(-1), torch.ones(b, h, t))


@pytest.mark.parametrize(
    ("k", "v", "message"),
    [
        (random(1, S, 3), random(1, S, 2), "q has 4 features and k has 3"),
        (random(1, S, 4), random(1, S + 1, 2), "k has 5 positions and v has 6"),
    ],
)
def test_sizes_that_do_not_fit_are_named(k, v, message):
    with pytest.raises(ValueError, match=message):
        scaled_dot_product_attention(random(1, T, 4), k, v)


def test_a_row_with_nothing_allowed_gives_zeros_and_no_nan_forward_and_backward():
    scores = random(2, 3, 4).requires_grad_()
    allowed = torch.ones(2, 3, 4, dtype=torch.bool)
    allowed[0, 1] = False
    weights = masked_softmax(scores, allowed)
    assert (weights[0, 1] == 0).all()
    torch.testing.assert_close(weights.sum(-1)[1], torch.ones(3))
    (weights * random(2, 3, 4, seed=1)).sum().backward()
    assert (
        torch.isfinite(scores.grad).all() and (scores.grad[0, 1] == 0).all() and (scores.grad[1] != 0).any()
    )


def test_no_nan_on_the_way_either():
    """torch's anomaly mode stops at a NaN inside the backward pass, even where a mask would hide it later."""
    scores = random(2, 3).requires_grad_()
    with torch.autograd.set_detect_anomaly(True):
        masked_softmax(scores, torch.tensor([[True, True, False], [False] * 3])).square().sum().backward()
    assert (scores.grad[1] == 0).all()


def test_masked_softmax_equals_softmax_over_what_is_allowed():
    scores, allowed = random(3, 6), torch.rand(3, 6, generator=torch.Generator().manual_seed(3)) < 0.5
    allowed[:, 2] = True
    weights = masked_softmax(scores, allowed)
    for row, mask, scored in zip(weights, allowed, scores, strict=True):
        torch.testing.assert_close(row[mask], scored[mask].softmax(0))
        assert (row[~mask] == 0).all()


def test_masks_that_would_be_misread_are_refused():
    with pytest.raises(ValueError, match=r"dtype torch.float32, expected torch.bool"):
        masked_softmax(random(2, 3), torch.ones(2, 3))
    with pytest.raises(ValueError, match=r"allowed has shape \(4,\), which does not broadcast"):
        masked_softmax(random(2, 3), torch.ones(4, dtype=torch.bool))
    with pytest.raises(ValueError, match="does not broadcast"):  # it may not make the scores larger either
        masked_softmax(random(3), torch.ones(2, 3, dtype=torch.bool))


def test_padding_mask_forbids_padding_as_a_key():
    allowed = padding_mask(torch.tensor([[5, 6, 0], [7, 0, 0]]), pad_id=0)
    assert allowed.shape == (2, 1, 1, 3)
    assert allowed[:, 0, 0].tolist() == [[True, True, False], [True, False, False]]
    with pytest.raises(ValueError, match=r"expected \(B, S\)"):
        padding_mask(torch.tensor([5, 6, 0]), pad_id=0)


def test_causal_mask_sees_itself_and_the_past():
    assert causal_mask(3).tolist() == [[True, False, False], [True, True, False], [True, True, True]]
    assert causal_mask(2, 4).tolist() == [[True, True, True, False], [True, True, True, True]]
    with pytest.raises(ValueError, match="n_queries = 3, n_keys = 2"):
        causal_mask(3, 2)
