"""A group of answers to one question, drawn, rewarded and learned from once: what the view AnswerGroup asks.

AnswerGroup(drawer(model, asked), {"right": paid(asked, rewards.right)}, second_step=stepper(model, asked))
"""

from collections.abc import Callable, Sequence

import torch

from course_lib.data.town.questions import Asked
from course_lib.models.gpt import GPT
from course_lib.tasks.assistant import aligning, preferring
from course_lib.tasks.assistant.rewards import Reward
from course_lib.tasks.assistant.words import END_ID, WORDS
from course_lib.text.batching import stack_answers
from course_lib.training.objectives import answer_log_probs
from course_lib.training.rewards import grpo
from course_lib.training.rollouts import frozen_copy, reference_log_probs, roll_out

Drawn = tuple[list[str], list[float]]  # tokens of an answer, the end included, and their log-probabilities
IDS = {token: i for i, token in enumerate(WORDS.tokens)}  # the markers, too
RATE = 1e-3  # of the step that the view shows


def drawer(model: GPT, asked: Asked, group: int = 8) -> Callable[[int], list[Drawn]]:
    """Seed → `group` answers of a model to a question, drawn at temperature 1."""

    def draw(seed: int) -> list[Drawn]:
        rolled = roll_out(
            model,
            [preferring.prompt_ids(asked)],
            lambda *_: 0.0,
            group=group,
            max_new_tokens=aligning.MAX_NEW_TOKENS,
            stop_ids=(END_ID,),
            generator=torch.Generator().manual_seed(seed),
        )
        written = zip(rolled.answers, rolled.log_probs, rolled.answer[:, 1:], strict=True)
        return [([WORDS.tokens[i] for i in ids], row[mine].tolist()) for ids, row, mine in written]

    return draw


def paid(asked: Asked, reward: Reward) -> Callable[[Sequence[str]], float]:
    """A reward as a function of an answer's tokens, its end included."""
    return lambda tokens: reward(asked, [IDS[token] for token in tokens])


def stepper(model: GPT, asked: Asked) -> Callable[[Sequence[Drawn], Sequence[float]], list[list[float]]]:
    """(answers, advantages) → log-probabilities of the same tokens after one step; the model stays as it is.

    A copy takes the step, with an optimizer of its own, without KL.
    """

    def step(drawn: Sequence[Drawn], advantages: Sequence[float]) -> list[list[float]]:
        policy = frozen_copy(model).requires_grad_(True)
        said = [[IDS[token] for token in tokens] for tokens, _ in drawn]
        ids, answer = stack_answers([preferring.prompt_ids(asked)] * len(said), said)  # (G, T + 1)
        before, mine = answer_log_probs(policy, ids, answer), answer[:, 1:]  # (G, T)
        loss = grpo(before, before.detach(), None, torch.tensor(advantages), mine).loss
        loss.backward()
        with torch.no_grad():
            for p in policy.parameters():
                if p.grad is not None:
                    p -= RATE * p.grad.sign()  # Adam's first step
        after = reference_log_probs(policy, ids, answer)
        return [row[here].tolist() for row, here in zip(after, mine, strict=True)]

    return step
