"""What a policy writes and what it gets for it, and who it is compared with.

    roll_out        G answers to each prompt, drawn from the policy, with their log-probabilities and rewards
    frozen_copy     the policy as it is now, for good: a reference

Axes: P prompts, G answers a prompt, B = P · G rows, T tokens.
"""

import copy
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from course_lib import checks
from course_lib.generation import sample
from course_lib.models import evaluating
from course_lib.models.gpt import GPT
from course_lib.text.batching import stack_answers
from course_lib.text.tokenizers import EOS_ID
from course_lib.training.objectives import answer_log_probs

Reference = Callable[[Tensor], tuple]  # ids (B, T) to logits (B, T, V) and what else: a model, for example
Ids = Sequence[int]


def frozen_copy(model: nn.Module) -> nn.Module:
    """The model as it is now, for good: a copy in evaluation mode, without gradients."""
    return copy.deepcopy(model).eval().requires_grad_(False)


def reference_log_probs(reference: Reference, ids: Tensor, answer: Tensor) -> Tensor:
    """As `answer_log_probs`, without gradients; a model in evaluation mode, a function as it is."""
    if isinstance(reference, nn.Module):
        with evaluating(reference):
            return answer_log_probs(reference, ids, answer)
    with torch.no_grad():
        return answer_log_probs(reference, ids, answer)


class Rollouts(NamedTuple):
    """What a policy wrote, G answers to each of P prompts, and what it got for them."""

    ids: Tensor  # (B, T + 1): prompt and answer, padded
    answer: Tensor  # (B, T + 1): True = the policy wrote this token
    log_probs: Tensor  # (B, T): its log-probability then; 0 where no answer is
    answers: list[list[int]]  # B lists of ids, each with the token that ended it, if one did
    rewards: Tensor  # (P, G)


def roll_out(
    model: GPT,
    prompts: Sequence[Ids],
    reward_of: Callable[[int, list[int]], float],
    *,
    group: int = 8,
    max_new_tokens: int = 32,
    stop_ids: Sequence[int] = (EOS_ID,),
    generator: torch.Generator | None = None,
) -> Rollouts:
    """Let the policy answer each prompt several times, and reward every answer.

    Answers are drawn at temperature 1 without filters: from the very probabilities that are compared later.

    Args:
        model: the policy.
        prompts: P lists of ids; those of equal length are answered together.
        reward_of: place of the prompt (0 to P − 1) and ids of an answer, to its reward.
        group: G.
        max_new_tokens: an answer is cut here; then no token ends it.
        stop_ids: an answer ends with the first of these, which belongs to it.
        generator: source of the draws.

    Raises:
        ValueError: no prompts, one with no room for an answer, or one that is at its end already.
    """
    checks.at_least_1(group=group, max_new_tokens=max_new_tokens)
    _check_prompts(model, prompts, max_new_tokens, stop_ids)
    places = defaultdict(list)  # length → places of the prompts
    for place, prompt in enumerate(prompts):
        places[len(prompt)].append(place)
    answers: dict[int, list[list[int]]] = {}
    for length, here in places.items():
        rows = torch.tensor([prompts[place] for place in here]).repeat_interleave(group, dim=0)
        written = sample(model, rows, max_new_tokens, stop_ids=stop_ids, generator=generator)[:, length:]
        ended = [_up_to_end(row, stop_ids) for row in written.tolist()]
        answers |= {place: ended[i * group : (i + 1) * group] for i, place in enumerate(here)}
    flat = [said for place in range(len(prompts)) for said in answers[place]]
    ids, answer = stack_answers([prompt for prompt in prompts for _ in range(group)], flat)
    rewards = torch.tensor([reward_of(i // group, said) for i, said in enumerate(flat)]).float()
    log_probs = reference_log_probs(model, ids, answer)
    return Rollouts(ids, answer, log_probs, flat, rewards.view(len(prompts), group))


def _up_to_end(answer: list[int], stop_ids: Sequence[int]) -> list[int]:
    """Without the padding: up to the first stop token, that one included."""
    end = next((place for place, i in enumerate(answer) if i in stop_ids), len(answer))
    return answer[: end + 1]


def _check_prompts(model: GPT, prompts: Sequence[Ids], max_new_tokens: int, stop_ids: Sequence[int]) -> None:
    if not prompts:
        raise ValueError("prompts is empty, expected at least one list of ids")
    room = model.config.max_len + 1 - max_new_tokens  # the last token of a text is never read
    if (longest := max(map(len, prompts))) > room:
        raise ValueError(
            f"prompts has one of {longest} tokens, expected at most {max(room, 0)}: with {max_new_tokens} "
            f"new ones it must fit into max_len ({model.config.max_len})"
        )
    if EOS_ID in stop_ids and any(EOS_ID in prompt for prompt in prompts):
        raise ValueError(f"prompts has one with the stop token {EOS_ID} in it, expected texts that go on")
