"""Preferences: ln 2 before the first step, the formula, the signs of its gradients, and what β does."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_lib.training.preferences import bradley_terry_loss, dpo

numbers = st.lists(st.floats(-80, 0), min_size=4, max_size=4)
betas = st.floats(0.01, 5)


def rows(n_pairs, seed=0, scale=10.0):
    g = torch.Generator().manual_seed(seed)
    return tuple(-scale * torch.rand(n_pairs, generator=g) for _ in range(4))


def test_ln_2_where_policy_and_reference_are_one():
    chosen, rejected, *_ = rows(50)
    for beta in (1e-3, 0.1, 5.0):
        step = dpo(chosen, rejected, chosen, rejected, beta)
        assert step.loss.item() == pytest.approx(math.log(2), abs=1e-6)
        assert not step.margins.any() and not step.chosen.any() and not step.rejected.any()


@given(st.lists(numbers, min_size=1, max_size=6), betas)
def test_equal_to_the_formula_written_anew(values, beta):
    """In float64, with probabilities instead of their logarithms where the paper has them."""
    w, l, ref_w, ref_l = np.array(values, dtype=np.float64).T  # noqa: E741
    ratio_w, ratio_l = np.exp(w) / np.exp(ref_w), np.exp(l) / np.exp(ref_l)
    sigma = 1 / (1 + np.exp(-(beta * np.log(ratio_w) - beta * np.log(ratio_l))))
    with np.errstate(divide="ignore"):
        expected = -np.log(sigma)
    step = dpo(*(torch.tensor(v) for v in (w, l, ref_w, ref_l)), beta)
    assert step.loss.item() == pytest.approx(expected.mean(), rel=1e-6, abs=1e-9)
    np.testing.assert_allclose(step.chosen, beta * (w - ref_w), atol=1e-9)
    np.testing.assert_allclose(step.rejected, beta * (l - ref_l), atol=1e-9)
    np.testing.assert_allclose(step.margins, step.chosen - step.rejected, atol=1e-9)


@given(st.integers(0, 10**6), betas)
def test_a_step_makes_the_chosen_answer_likelier_and_the_rejected_one_less_likely(seed, beta):
    chosen, rejected, ref_chosen, ref_rejected = rows(5, seed, scale=3.0)
    chosen.requires_grad_(), rejected.requires_grad_()
    step = dpo(chosen, rejected, ref_chosen, ref_rejected, beta)
    step.loss.backward()
    assert (chosen.grad < 0).all() and (rejected.grad > 0).all()  # downhill: up, down
    torch.testing.assert_close(chosen.grad, -rejected.grad)  # only the difference counts
    torch.testing.assert_close(
        chosen.grad, -beta * torch.sigmoid(-step.margins) / 5
    )  # most where it is wrong
    assert not step.margins.requires_grad and not step.chosen.requires_grad


def test_a_swapped_pair_is_seen_after_a_step_and_not_before():
    """The loss is ln 2 all the same; then the margin falls."""
    chosen, rejected, *_ = rows(8)
    margins = []
    for swap in (False, True):
        policy = [chosen.clone().requires_grad_(), rejected.clone().requires_grad_()]
        pair = policy[::-1] if swap else policy
        step = dpo(*pair, *(p.detach() for p in pair))
        assert step.loss.item() == pytest.approx(math.log(2), abs=1e-6)
        step.loss.backward()
        with torch.no_grad():
            moved = [p - p.grad for p in policy]
        margins.append(dpo(*moved, chosen, rejected).margins)
    assert (margins[0] > 0).all() and (margins[1] < 0).all()


def test_beta_near_0_and_beta_large():
    """Near 0 every loss is ln 2 and nothing pulls; large, the loss is β times the margin, or 0."""
    chosen, rejected, ref_chosen, ref_rejected = rows(6, scale=3.0)
    chosen.requires_grad_()
    small = dpo(chosen, rejected, ref_chosen, ref_rejected, 1e-6)
    small.loss.backward()
    assert small.loss.item() == pytest.approx(math.log(2), abs=1e-5) and chosen.grad.abs().max() < 1e-6
    margin = ((chosen - ref_chosen) - (rejected - ref_rejected)).detach()
    large = dpo(chosen, rejected, ref_chosen, ref_rejected, 1e4)
    assert large.loss.item() == pytest.approx((-1e4 * margin).clamp_min(0).mean().item(), rel=1e-4)
    assert large.loss.isfinite()


def test_the_mean_over_tokens_is_another_loss_unless_beta_grows_with_the_length():
    """Answers of equal length n: mean with β · n is sum with β; of unequal lengths no β makes them one."""
    chosen, rejected, ref_chosen, ref_rejected = (7 * v for v in rows(4, scale=1.0))
    total = dpo(chosen, rejected, ref_chosen, ref_rejected, 0.1)
    mean = dpo(chosen / 7, rejected / 7, ref_chosen / 7, ref_rejected / 7, 0.7)
    assert total.loss.item() == pytest.approx(mean.loss.item(), abs=1e-6)
    unequal = dpo(chosen / 7, rejected / 2, ref_chosen / 7, ref_rejected / 2, 0.7)
    assert abs(unequal.loss.item() - total.loss.item()) > 0.01


@given(st.integers(0, 10**6), st.floats(-20, 20))
def test_bradley_terry_is_a_classification_of_differences(seed, shift):
    chosen, rejected, *_ = rows(6, seed)
    loss = bradley_terry_loss(chosen, rejected)
    pairs = torch.stack([chosen, rejected], dim=1)  # the right class is 0
    classes = torch.nn.functional.cross_entropy(pairs, torch.zeros(6, dtype=torch.long))
    torch.testing.assert_close(loss, classes)
    torch.testing.assert_close(
        loss, bradley_terry_loss(chosen + shift, rejected + shift), atol=1e-4, rtol=1e-4
    )
    assert bradley_terry_loss(chosen, chosen).item() == pytest.approx(math.log(2), abs=1e-6)


def test_what_is_not_one_number_an_answer_is_named():
    chosen, rejected, ref_chosen, ref_rejected = rows(3)
    with pytest.raises(ValueError, match=r"chosen has shape \(3, 4\), expected \(B,\).*summed first"):
        dpo(torch.zeros(3, 4), rejected, ref_chosen, ref_rejected)
    with pytest.raises(ValueError, match=r"chosen has shape \(3,\) and reference_rejected \(1,\)"):
        dpo(chosen, rejected, ref_chosen, ref_rejected[:1])
    with pytest.raises(ValueError, match=r"chosen has shape \(0,\)"):
        bradley_terry_loss(chosen[:0], rejected[:0])
    with pytest.raises(ValueError, match="the reference's log-probabilities have gradients"):
        dpo(chosen, rejected, ref_chosen.requires_grad_(), ref_rejected)
    for beta in (0.0, -0.1, math.nan):
        with pytest.raises(ValueError, match=r"beta is .*, expected above 0"):
            dpo(chosen, rejected, rejected, rejected, beta)
