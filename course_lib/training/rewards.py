"""Learning from rewards (GRPO): answer a prompt several times, and do more of what did better than the rest.

    group        G answers to one prompt, each with a reward
    advantage    Â = (reward − mean of the group) / standard deviation of the group
    ratio        ρ_t = π(token t) / π_old(token t), for every token of an answer
    clip         min(ρ Â, clip(ρ, 1 − ε, 1 + ε) Â): a token whose ratio has gone far enough pushes no further
    KL           π_ref / π − log(π_ref / π) − 1, for every token: how far the policy is from the reference
    objective    mean over the answers of  1/length · Σ_t (clipped_t − β · KL_t)

What was written with the policy itself, and is used for one step, has ratio 1 everywhere. Then the value of
the objective is the mean advantage, which is 0 in every group; its gradient is not 0: it makes each token
likelier in proportion to Â.

Axes: P prompts, G answers a prompt, B = P · G answers, T tokens.

Source: Shao et al. 2024 (DeepSeekMath, arXiv 2402.03300), section 4.1; the clip: Schulman et al. 2017 (PPO).
"""

from typing import NamedTuple

import torch
from torch import Tensor

from course_lib import checks

CLIP = 0.2  # ε: Schulman et al. 2017, section 6.1
KL_WEIGHT = 0.04  # β: Shao et al. 2024, section 4.2
EQUAL = 1e-6  # rewards that differ by a smaller share of the largest differ by rounding


class Rewarded(NamedTuple):
    """GRPO's loss, and what it is made of, without gradients."""

    loss: Tensor  # a scalar: minus the objective
    kl: Tensor  # a scalar: the mean over the answers of the mean over their tokens
    clipped: Tensor  # a scalar: the share of tokens that the clip holds back


def no_signal(rewards: Tensor) -> Tensor:
    """Groups in which all rewards are equal, `(P, G)` to `(P,)`: nobody did better, nothing is learned."""
    low, high = rewards.aminmax(dim=1)
    return high - low <= EQUAL * rewards.abs().amax(1)


def group_advantages(rewards: Tensor) -> Tensor:
    """How much better each answer did than its group, in standard deviations of the group.

    Rewards of 0 and 1, of −1 and 1, of 5 and 9: the advantages are the same. Equal rewards: exactly 0.

    Args:
        rewards: `(P, G)`, a row a prompt, G at least 2.

    Returns:
        `(P, G)`, with mean 0 in every row.

    Raises:
        ValueError: other axes, a group of one, or rewards that are not finite numbers.

    Source: Shao et al. 2024, section 4.1.2; the standard deviation is that of a sample, with G − 1, as in
    the usual libraries.
    """
    if rewards.dim() != 2 or rewards.shape[1] < 2:
        raise ValueError(
            f"rewards has shape {tuple(rewards.shape)}, expected (P, G), a row a prompt, with G at least 2: "
            "an answer is compared with the others to the same prompt"
        )
    if not rewards.isfinite().all():
        raise ValueError("rewards holds NaN or ∞, expected finite numbers")
    dead = no_signal(rewards)[:, None]  # (P, 1)
    above = rewards - rewards.mean(1, keepdim=True)  # (P, G)
    std = rewards.std(1, keepdim=True).masked_fill(dead, 1.0)  # (P, 1)
    return (above / std).masked_fill(dead, 0.0)


def clipped_gain(ratio: Tensor, advantage: Tensor, clip: float = CLIP) -> Tensor:
    """What each token gains: `min(ρ Â, clip(ρ, 1 − ε, 1 + ε) Â)`, of any shapes that broadcast.

    The smaller of the two: going further in the direction that Â asks for brings no more than the edge of
    the clip does; going back from the wrong side is never clipped.

    Source: Schulman et al. 2017, eq. 7.
    """
    return torch.minimum(ratio * advantage, ratio.clamp(1 - clip, 1 + clip) * advantage)


def token_kl(log_probs: Tensor, reference: Tensor) -> Tensor:
    """An estimate of KL(π ‖ π_ref) from each token that π has drawn: never negative, 0 where both agree.

        π_ref / π − log(π_ref / π) − 1

    Args:
        log_probs: the policy's, of any shape.
        reference: the reference's, of the same tokens.

    Source: Shao et al. 2024, eq. 4; Schulman 2020, "Approximating KL divergence", there k3.
    """
    log_ratio = reference - log_probs
    return (log_ratio.expm1() - log_ratio).clamp_min(0.0)  # expm1(x) = eˣ − 1; the rest is rounding


def grpo(
    log_probs: Tensor,
    old: Tensor,
    reference: Tensor | None,
    advantages: Tensor,
    answer: Tensor,
    *,
    clip: float = CLIP,
    kl_weight: float = KL_WEIGHT,
) -> Rewarded:
    """Group relative policy optimization: the loss of one step.

    Args:
        log_probs: the policy's, of the tokens as they were written, `(B, T)`.
        old: those of the policy that wrote them, `(B, T)`, without gradients.
        reference: the frozen reference's, `(B, T)`, without gradients; None: no KL.
        advantages: `(B,)`; `group_advantages(rewards).flatten()`.
        answer: boolean, `(B, T)`; True = the model wrote this token. Nothing else counts.
        clip: ε, how far the ratio of a token may go.
        kl_weight: β, what a nat of KL costs.

    Returns:
        a `Rewarded`; its loss is the mean over answers of the mean over each one's own tokens, so a long
        answer weighs as much as a short one.

    Raises:
        ValueError: shapes that do not fit, an answer without tokens, gradients where none belong, an ε
            outside 0 to 1, or a negative β.

    Source: Shao et al. 2024, eq. 3.
    """
    _check(log_probs, old, reference, advantages, answer)
    checks.share("clip", clip)
    if not kl_weight >= 0:
        raise ValueError(f"kl_weight is {kl_weight}, expected 0 or more")

    def mean(values: Tensor) -> Tensor:
        """Over each answer's tokens, then over the answers."""
        return (values.masked_fill(~answer, 0.0).sum(1) / answer.sum(1)).mean()

    ratio = (log_probs - old).masked_fill(~answer, 0.0).exp()  # (B, T)
    gain = clipped_gain(ratio, advantages[:, None], clip)  # (B, T)
    held = (gain < ratio * advantages[:, None])[answer].float().mean()
    if reference is None:
        return Rewarded(-mean(gain), torch.zeros(()), held)
    kl = mean(token_kl(log_probs.masked_fill(~answer, 0.0), reference.masked_fill(~answer, 0.0)))
    return Rewarded(kl_weight * kl - mean(gain), kl.detach(), held)


def _check(
    log_probs: Tensor, old: Tensor, reference: Tensor | None, advantages: Tensor, answer: Tensor
) -> None:
    frozen = {"old": old} | ({} if reference is None else {"reference": reference})
    for name, value in {"answer": answer, **frozen}.items():
        if log_probs.dim() != 2 or value.shape != log_probs.shape:
            raise ValueError(
                f"log_probs has shape {tuple(log_probs.shape)} and {name} {tuple(value.shape)}, "
                "expected the same (B, T): a ratio for each token, not for each answer"
            )
    if advantages.shape != log_probs.shape[:1]:
        raise ValueError(
            f"advantages has shape {tuple(advantages.shape)}, expected {tuple(log_probs.shape[:1])}: "
            "one an answer; from groups (P, G) with .flatten()"
        )
    for name, value in frozen.items():
        if value.requires_grad:
            raise ValueError(f"{name} has gradients, expected numbers that stay as they are: .detach()")
    checks.boolean(answer, "answer", "the model wrote this token")
    if not answer.any(1).all():
        raise ValueError("answer has a row without any True, expected at least one token an answer")
