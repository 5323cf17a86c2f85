"""Learning from pairs: of two answers to one prompt, people (or a rule) prefer one.

    Bradley–Terry      P(chosen is preferred) = σ(reward of chosen − reward of rejected)
    reward model       learns rewards r(prompt, answer) under which the preferences are likely
    DPO                needs no reward model: its reward is how much likelier the policy finds an answer than
                       the reference does,   r = β · (log π(answer) − log π_ref(answer))

So DPO is a classification with the policy's own log-probabilities. Before the first step policy and reference
are one: both rewards are 0, the margin is 0, and the loss is −log σ(0) = ln 2 = 0.693, whatever the pairs.

Only the difference counts: the loss also falls where both answers get less likely, the rejected one faster.

Sources: Bradley and Terry 1952; Ouyang et al. 2022 (InstructGPT), eq. 1; Rafailov et al. 2023 (DPO), eq. 7.
"""

from typing import NamedTuple

from torch import Tensor
from torch.nn import functional as F

BETA = 0.1  # Rafailov et al. 2023, appendix B


class Preferred(NamedTuple):
    """DPO's loss, and what it is made of, a number for each of B pairs, without gradients."""

    loss: Tensor  # a scalar
    margins: Tensor  # (B,): reward of the chosen answer minus that of the rejected one
    chosen: Tensor  # (B,): its reward
    rejected: Tensor  # (B,)


def bradley_terry_loss(chosen: Tensor, rejected: Tensor) -> Tensor:
    """−log σ(chosen − rejected), the mean over all pairs: the loss of a reward model, in nats a pair.

    Args:
        chosen, rejected: rewards, `(B,)` each.

    Returns:
        a scalar; ln 2 where nothing is known yet.

    Raises:
        ValueError: no pairs, or rewards that are not one a pair.

    Source: Ouyang et al. 2022, eq. 1 (there over all pairs of a ranking).
    """
    _one_a_pair(chosen=chosen, rejected=rejected)
    return -F.logsigmoid(chosen - rejected).mean()


def dpo(
    chosen: Tensor, rejected: Tensor, reference_chosen: Tensor, reference_rejected: Tensor, beta: float = BETA
) -> Preferred:
    """Direct preference optimization.

        loss = −log σ(β · [(log π(chosen) − log π_ref(chosen)) − (log π(rejected) − log π_ref(rejected))])

    Args:
        chosen, rejected: the policy's log-probability of each answer, *summed* over its tokens, `(B,)`.
        reference_chosen, reference_rejected: the frozen reference's, `(B,)`, without gradients.
        beta: β, how much a step away from the reference weighs: the larger, the closer the policy stays.

    Returns:
        the mean loss over all pairs; margins and rewards of each.

    Raises:
        ValueError: log-probabilities that are not one an answer, a reference with gradients, or β not
            above 0.

    Source: Rafailov et al. 2023, eq. 7; the rewards: its section 4 (what depends on the prompt alone is left
    out, as it is the same for both answers).
    """
    _one_a_pair(
        chosen=chosen,
        rejected=rejected,
        reference_chosen=reference_chosen,
        reference_rejected=reference_rejected,
    )
    if reference_chosen.requires_grad or reference_rejected.requires_grad:
        raise ValueError(
            "the reference's log-probabilities have gradients, expected numbers of a model that stays as it "
            "is: compute them in evaluation mode, inside of torch.no_grad()"
        )
    if not beta > 0:
        raise ValueError(f"beta is {beta}, expected above 0")
    reward_chosen = beta * (chosen - reference_chosen)  # (B,)
    reward_rejected = beta * (rejected - reference_rejected)  # (B,)
    loss = bradley_terry_loss(reward_chosen, reward_rejected)
    reward_chosen, reward_rejected = reward_chosen.detach(), reward_rejected.detach()
    return Preferred(loss, reward_chosen - reward_rejected, reward_chosen, reward_rejected)


def _one_a_pair(**values: Tensor) -> None:
    (first, one), *others = values.items()
    if one.dim() != 1 or not len(one):
        raise ValueError(
            f"{first} has shape {tuple(one.shape)}, expected (B,): one number an answer; log-probabilities "
            "of tokens are summed first, with .sum(1)"
        )
    for name, value in others:
        if value.shape != one.shape:
            raise ValueError(
                f"{first} has shape {tuple(one.shape)} and {name} {tuple(value.shape)}, "
                "expected the same (B,): one number a pair"
            )
