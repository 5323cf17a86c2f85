"""GRPO: advantages within a group, ratios and clip by token, a KL that is never negative, loss 0."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_lib.training.rewards import clipped_gain, group_advantages, grpo, no_signal, token_kl

log_probs_of = st.floats(-15, -1e-4)
SEVEN = torch.ones(4, 7, dtype=torch.bool)


def policy(n_answers=4, n_tokens=7, vocabulary=5, seed=0):
    """Logits, the tokens that were written, and the log-probabilities of these."""
    g = torch.Generator().manual_seed(seed)
    logits = torch.randn(n_answers, n_tokens, vocabulary, generator=g, requires_grad=True)
    tokens = torch.randint(vocabulary, (n_answers, n_tokens, 1), generator=g)
    return logits, tokens, logits.log_softmax(-1).gather(-1, tokens)[..., 0]


# ---------------------------------------------------------------- advantages


def test_four_answers_by_hand():
    """Rewards 1 0 0 1: mean 1/2, standard deviation of the sample √(1/3), so ±√3 / 2."""
    found = group_advantages(torch.tensor([[1.0, 0.0, 0.0, 1.0]]))
    torch.testing.assert_close(found, torch.tensor([[1.0, -1.0, -1.0, 1.0]]) * math.sqrt(3) / 2)


groups = st.lists(st.lists(st.floats(-5, 5), min_size=4, max_size=4), min_size=1, max_size=4)


@given(groups, st.floats(0.5, 20), st.floats(-10, 10))
def test_only_differences_within_a_group_count(rewards, factor, shift):
    """{0, 1} or {−1, 1}, 5 r − 3: the advantages are the same; the groups do not know one another."""
    rewards = torch.tensor(rewards).round(decimals=2)
    found = group_advantages(rewards)
    torch.testing.assert_close(group_advantages(factor * rewards + shift), found, atol=2e-3, rtol=1e-3)
    for row, own in zip(rewards, found, strict=True):
        torch.testing.assert_close(group_advantages(row[None])[0], own)
    assert found.sum(1).abs().max() < 1e-4


@given(st.floats(-1e4, 1e4, width=32), st.integers(2, 9))
def test_equal_rewards_have_advantage_exactly_0(reward, size):
    rewards = torch.full((1, size), reward)
    assert (group_advantages(rewards) == 0).all() and no_signal(rewards).all()


def test_rewards_that_differ_by_rounding_are_equal():
    third = torch.tensor([[0.1 + 0.2, 0.3, 0.3], [0.0, 0.0, 0.0], [0.0, 0.0, 1e-7]], dtype=torch.float64)
    assert third[0, 0] != third[0, 1]
    assert no_signal(third).tolist() == [True, True, False]
    assert not group_advantages(third)[:2].any()
    assert group_advantages(third)[2, 2] > 1


@pytest.mark.parametrize(
    ("rewards", "words"),
    [
        (torch.zeros(4), r"rewards has shape \(4,\), expected \(P, G\)"),
        (torch.zeros(4, 1), r"rewards has shape \(4, 1\).*G at least 2"),
        (torch.tensor([[0.0, math.nan]]), "rewards holds NaN"),
    ],
)
def test_what_is_no_group_is_named(rewards, words):
    with pytest.raises(ValueError, match=words):
        group_advantages(rewards)


# ---------------------------------------------------------------- ratio, clip, KL


def test_the_clip_acts_on_each_token_not_on_the_answer():
    """Ratios 1.10, 0.90, 1.50: one is clipped. Their product, 1.485, would clip all three."""
    ratio = torch.tensor([[1.10, 0.90, 1.50]])
    log_probs = (ratio.log() - 2).requires_grad_()
    step = grpo(log_probs, torch.full((1, 3), -2.0), None, torch.ones(1), torch.ones(1, 3).bool(), clip=0.2)
    assert step.loss.item() == pytest.approx(-(1.10 + 0.90 + 1.20) / 3, abs=1e-6)
    assert step.clipped.item() == pytest.approx(1 / 3)
    step.loss.backward()
    assert (log_probs.grad != 0).tolist() == [[True, True, False]]
    assert clipped_gain(ratio.prod(), torch.tensor(1.0)).item() == pytest.approx(1.2)


def test_the_clip_never_holds_back_a_way_home():
    """Â < 0 and a ratio of 1.5: the token got likelier though it should not; it is pulled back whole."""
    ratio = torch.tensor([0.5, 1.0, 1.5])
    assert clipped_gain(ratio, torch.tensor(1.0)).tolist() == pytest.approx([0.5, 1.0, 1.2])
    assert clipped_gain(ratio, torch.tensor(-1.0)).tolist() == pytest.approx([-0.8, -1.0, -1.5])


@given(st.lists(st.tuples(log_probs_of, log_probs_of), min_size=1, max_size=20))
def test_the_kl_of_a_token_is_equation_4_and_never_negative(pairs):
    own, reference = np.array(pairs, dtype=np.float64).T
    quotient = np.exp(reference) / np.exp(own)
    found = token_kl(torch.tensor(own), torch.tensor(reference))
    np.testing.assert_allclose(found, quotient - np.log(quotient) - 1, rtol=1e-6, atol=1e-9)
    single = token_kl(torch.tensor(own).float(), torch.tensor(reference).float())
    assert (found >= 0).all() and (single >= 0).all()
    assert (token_kl(single, single) == 0).all()


def test_the_kl_of_tokens_is_right_on_average():
    """The mean over what the policy writes is KL(π ‖ π_ref); with the quotient upside down it is not."""
    g = torch.Generator().manual_seed(0)
    own, reference = ((2 * torch.randn(6, generator=g)).log_softmax(-1) for _ in range(2))
    truth = (own.exp() * (own - reference)).sum()
    each = own.exp() @ token_kl(own, reference)
    upside_down = own.exp() @ token_kl(reference, own)
    torch.testing.assert_close(each, truth)
    assert (upside_down - truth).abs() > 0.1


# ---------------------------------------------------------------- the loss


def test_at_an_on_policy_step_the_loss_is_0_and_its_gradient_is_not():
    logits, tokens, log_probs = policy()
    rewards = torch.tensor([[1.0, 0.0, 0.0, 1.0]])
    advantages = group_advantages(rewards).flatten()
    step = grpo(log_probs, log_probs.detach(), log_probs.detach(), advantages, SEVEN)
    assert step.loss.item() == pytest.approx(0, abs=1e-6)
    assert step.kl == 0 and step.clipped == 0
    step.loss.backward()
    assert logits.grad.norm() > 0.1
    of_written = logits.grad.gather(-1, tokens)[..., 0]  # downhill: the tokens of 1 and 4 up, of 2 and 3 down
    assert (of_written[[0, 3]] < 0).all() and (of_written[[1, 2]] > 0).all()


def test_at_an_on_policy_step_the_gradient_is_that_of_weighted_log_probabilities():
    """REINFORCE with Â: the ratio's gradient at 1 is that of the log-probability."""
    logits, _, log_probs = policy(seed=1)
    advantages = group_advantages(torch.tensor([[1.0, 0.0], [3.0, 7.0]])).flatten()
    (plain,) = torch.autograd.grad(-(advantages[:, None] * log_probs).mean(), logits, retain_graph=True)
    (found,) = torch.autograd.grad(grpo(log_probs, log_probs.detach(), None, advantages, SEVEN).loss, logits)
    torch.testing.assert_close(found, plain)


def test_equal_rewards_teach_nothing_and_the_kl_still_pulls():
    logits, _, log_probs = policy()
    advantages = group_advantages(torch.ones(1, 4)).flatten()
    old = log_probs.detach()
    grpo(log_probs, old, None, advantages, SEVEN).loss.backward(retain_graph=True)
    assert not logits.grad.any()
    step = grpo(log_probs, old, old - 0.5, advantages, SEVEN, kl_weight=0.04)
    step.loss.backward()
    assert logits.grad.any() and step.loss.item() == pytest.approx(0.04 * step.kl.item(), abs=1e-7)


def test_each_answer_is_a_mean_over_its_own_tokens():
    """Written out with loops, for answers of unequal lengths; what stands elsewhere does not count."""
    g = torch.Generator().manual_seed(3)
    own, old, reference = (-3 * torch.rand(3, 6, generator=g) for _ in range(3))
    answer = torch.tensor([[0, 1, 1, 0, 0, 0], [0, 0, 1, 1, 1, 1], [1, 0, 0, 0, 0, 0]]).bool()
    advantages = torch.tensor([1.0, -0.4, 0.7])
    total = 0.0
    for i in range(3):
        tokens = []
        for t in range(6):
            if answer[i, t]:
                ratio = math.exp(own[i, t] - old[i, t])
                gain = min(ratio * advantages[i], max(0.8, min(1.2, ratio)) * advantages[i])
                apart = reference[i, t] - own[i, t]
                tokens.append(gain - 0.04 * (math.exp(apart) - apart - 1))
        total += sum(tokens) / len(tokens) / 3
    found = grpo(own, old, reference, advantages, answer).loss.item()
    assert found == pytest.approx(-float(total), abs=1e-6)
    for values in (own, old, reference):
        values[~answer] = 1e6
    assert grpo(own, old, reference, advantages, answer).loss.item() == pytest.approx(found, abs=1e-6)


def test_what_does_not_fit_is_named():
    _, _, log_probs = policy()
    old, advantages = log_probs.detach(), torch.ones(4)
    with pytest.raises(ValueError, match=r"log_probs has shape \(4,\).*a ratio for each token"):
        grpo(log_probs.sum(1), old.sum(1), None, advantages, torch.ones(4).bool())
    with pytest.raises(ValueError, match=r"advantages has shape \(1, 4\), expected \(4,\).*flatten"):
        grpo(log_probs, old, None, advantages[None], SEVEN)
    with pytest.raises(ValueError, match="old has gradients"):
        grpo(log_probs, log_probs, None, advantages, SEVEN)
    with pytest.raises(ValueError, match="reference has gradients"):
        grpo(log_probs, old, log_probs, advantages, SEVEN)
    with pytest.raises(ValueError, match="answer has a row without any True"):
        grpo(log_probs, old, None, advantages, torch.zeros_like(SEVEN))
    with pytest.raises(ValueError, match="answer has dtype"):
        grpo(log_probs, old, None, advantages, SEVEN.float())
    for settings, words in (({"clip": -0.1}, "clip is -0.1"), ({"kl_weight": -1}, "kl_weight is -1")):
        with pytest.raises(ValueError, match=words):
            grpo(log_probs, old, None, advantages, SEVEN, **settings)
