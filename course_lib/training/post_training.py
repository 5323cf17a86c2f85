"""Post-training, a step at a time: from preferences (DPO), and from rewards of what the model writes (GRPO).

    DPO, an epoch       for each batch of pairs:  summed log-probabilities of both answers, under the policy
                        and under the reference  →  loss → gradients → step

    GRPO, a step        roll out: G answers to each prompt, drawn from the policy
                        reward each  →  advantages within the group  →  loss → gradients → step

The policy is in evaluation mode all the time: dropout would make it another model than the one that wrote, or
than its own copy, and the loss at the first step would be neither ln 2 nor 0. The reference is a model, read
in evaluation mode (best a `frozen_copy` of the policy before the first step), or a function, called as it is
(behind `lora.seen_with(model, None)` stands the policy, in its own mode); neither has gradients.

Axes: B pairs, or B = P · G answers (see `training.rollouts`), T tokens.

Sources: Rafailov et al. 2023 (DPO); Shao et al. 2024 (GRPO), algorithm 1, with one update a step; Ouyang et
al. 2022, eq. 2 (another loss mixed in).
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from course_lib import checks
from course_lib.models import evaluating
from course_lib.models.gpt import GPT
from course_lib.text.batching import stack_answers
from course_lib.training.interrupts import Interrupts
from course_lib.training.objectives import answer_log_probs
from course_lib.training.preferences import BETA, dpo
from course_lib.training.rewards import CLIP, KL_WEIGHT, group_advantages, grpo, no_signal
from course_lib.training.rollouts import Ids, Reference, Rollouts, reference_log_probs

ROUNDING = 1e-5  # two models that are one may differ by so much in the log-probability of an answer

# ---------------------------------------------------------------- preferences


class Preference(NamedTuple):
    """A prompt and two answers as ids, each with the token that ends it."""

    prompt: Ids
    chosen: Ids
    rejected: Ids


class DPOStep(NamedTuple):
    """One step in numbers: means over its pairs."""

    loss: float  # nats a pair
    margin: float  # reward of the chosen answer minus that of the rejected one
    chosen: float  # its reward, β · (log π − log π_ref): below 0, it has become less likely
    rejected: float
    right: float  # share of pairs with a margin above 0, by more than rounding


def dpo_step(
    model: GPT,
    reference: Reference | None,
    pairs: Sequence[Preference],
    optimizer: torch.optim.Optimizer,
    *,
    beta: float = BETA,
    max_norm: float = 1.0,
    mix: Callable[[], Tensor] | None = None,
) -> DPOStep:
    """One step on a batch of pairs.

    Args:
        model: the policy.
        reference: what it is compared with; None: nothing, to see what happens then.
        pairs: preferences, all of them read at once.
        optimizer: of what learns.
        beta: β of `preferences.dpo`.
        max_norm: largest gradient norm.
        mix: gives a loss that is added, such as that of a batch of what must not be forgotten. The numbers
            that come back are without it, but for a norm of the gradient, which is that of both.

    Returns:
        the step in numbers, as they were before it.

    Raises:
        ValueError: no pairs, or a reference that is the policy itself.
    """
    policy, stays = _log_probs(model, reference, pairs)
    step = dpo(*policy.chunk(2), *stays.chunk(2), beta)
    _update(step.loss, optimizer, max_norm, mix)
    means = (value.mean().item() for value in (step.margins, step.chosen, step.rejected))
    return DPOStep(step.loss.item(), *means, (step.margins > ROUNDING).float().mean().item())


def dpo_margins(
    model: GPT, reference: Reference | None, pairs: Sequence[Preference], *, beta: float = BETA
) -> list[float]:
    """The margin of each pair as it is now, all of them read at once; the model's mode stays.

    Args:
        model, reference, pairs, beta: as for `dpo_step`; nothing is learned.

    Raises:
        ValueError: as for `dpo_step`.
    """
    with evaluating(model):
        policy, stays = _log_probs(model, reference, pairs)
    return dpo(*policy.chunk(2), *stays.chunk(2), beta).margins.tolist()


def dpo_epoch(
    model: GPT,
    reference: Reference | None,
    pairs: Sequence[Preference],
    optimizer: torch.optim.Optimizer,
    *,
    batch_size: int = 32,
    generator: torch.Generator | None = None,
    on_step: Callable[[int, DPOStep], None] | None = None,
    **settings,
) -> list[DPOStep]:
    """Learn once from each pair.

    Args:
        model, reference, pairs, optimizer: as for `dpo_step`.
        batch_size: pairs in a step.
        generator: draws the order; None: as they come.
        on_step: called after each step with its number (from 1) and what is known of it, for a live view.
        settings: `beta`, `max_norm` and `mix` of `dpo_step`.

    Returns:
        every step; Kernel → Interrupt ends the epoch after the one under way.

    Raises:
        ValueError: as for `dpo_step`.
        Stopped: an interrupt inside `interrupts.all_or_nothing()`, as in a command.
    """
    checks.at_least_1(batch_size=batch_size)
    if not pairs:
        raise ValueError("pairs is empty, expected at least one preference")
    order = torch.arange(len(pairs)) if generator is None else torch.randperm(len(pairs), generator=generator)
    steps: list[DPOStep] = []
    with Interrupts() as stop:
        for rows in order.split(batch_size):
            if stop.wanted:
                break
            steps.append(dpo_step(model, reference, [pairs[i] for i in rows], optimizer, **settings))
            if on_step is not None:
                on_step(len(steps), steps[-1])
        if stop.wanted:
            stop.tell(len(steps))
    return steps


def _log_probs(model: GPT, reference: Reference | None, pairs: Sequence[Preference]) -> tuple[Tensor, Tensor]:
    """Of each answer under the policy and under the reference, summed: `(2 B,)` each, chosen first."""
    _check_reference(model, reference)
    if not pairs:
        raise ValueError("pairs is empty, expected at least one preference")
    prompts, chosen, rejected = zip(*pairs, strict=True)
    text = stack_answers([*prompts, *prompts], [*chosen, *rejected])  # (2 B, T + 1), ids and flags
    model.eval()
    policy = answer_log_probs(model, *text).sum(1)
    stays = torch.zeros_like(policy.detach())
    if reference is not None:
        stays = reference_log_probs(reference, *text).sum(1)
    return policy, stays


# ---------------------------------------------------------------- rewards


class GRPOStep(NamedTuple):
    """One step in numbers."""

    loss: float
    gradient: float  # its norm, before it is cut
    reward: float  # mean
    kl: float  # nats a token; 0 without a reference
    clipped: float  # share of tokens that the clip held back
    no_signal: float  # share of groups whose rewards are all equal


def grpo_step(
    model: GPT,
    reference: Reference | None,
    rollouts: Rollouts,
    optimizer: torch.optim.Optimizer,
    *,
    clip: float = CLIP,
    kl_weight: float = KL_WEIGHT,
    max_norm: float = 1.0,
    mix: Callable[[], Tensor] | None = None,
) -> GRPOStep:
    """One step on what was rolled out; a second one on the same rollouts has ratios that differ from 1.

    Args:
        model: the policy.
        reference: what it is kept near to; None: nothing.
        rollouts: from `roll_out`.
        optimizer: of what learns.
        clip, kl_weight: as for `rewards.grpo`.
        max_norm, mix: as for `dpo_step`.

    Returns:
        the step in numbers, as they were before it.

    Raises:
        ValueError: a reference that is the policy itself, or as for `rewards.grpo`.
    """
    _check_reference(model, reference)
    model.eval()
    text = rollouts.ids, rollouts.answer
    log_probs = answer_log_probs(model, *text)  # (B, T)
    stays = None if reference is None else reference_log_probs(reference, *text)
    advantages = group_advantages(rollouts.rewards).flatten()  # (B,)
    written = rollouts.answer[:, 1:]  # (B, T): what the log-probabilities stand for
    step = grpo(log_probs, rollouts.log_probs, stays, advantages, written, clip=clip, kl_weight=kl_weight)
    norm = _update(step.loss, optimizer, max_norm, mix)
    return GRPOStep(
        step.loss.item(),
        norm,
        rollouts.rewards.mean().item(),
        step.kl.item(),
        step.clipped.item(),
        no_signal(rollouts.rewards).float().mean().item(),
    )


def _update(
    loss: Tensor, optimizer: torch.optim.Optimizer, max_norm: float, mix: Callable[[], Tensor] | None
) -> float:
    """Gradients, those of the mix too, clip, step; returns the gradients' norm before the clip."""
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    if mix is not None:
        mix().backward()
    learning = [p for group in optimizer.param_groups for p in group["params"]]
    norm = nn.utils.clip_grad_norm_(learning, max_norm).item()
    optimizer.step()
    return norm


def _check_reference(model: nn.Module, reference: Reference | None) -> None:
    if reference is model:
        raise ValueError(
            "reference is the policy itself, expected one that stays as it is: frozen_copy(model), made "
            "before the first step"
        )
