"""The two later stages: an assistant learns which answers are liked (DPO), and from rewards (GRPO).

Each learns an adapter, and its reference is the same model as it is without that adapter: no copy is needed.
Without `config` every parameter learns, and the reference is a frozen copy.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

import torch
from torch import Tensor, nn

from course_lib.models import lora
from course_lib.models.gpt import GPT
from course_lib.models.low_rank import Adapter, LoRAConfig
from course_lib.tasks.assistant import preferring, rewards, training
from course_lib.tasks.assistant.words import END_ID
from course_lib.text.chat_rows import stack_chats
from course_lib.training.interrupts import Interrupts
from course_lib.training.objectives import answer_loss
from course_lib.training.post_training import DPOStep, GRPOStep, dpo_epoch, grpo_step
from course_lib.training.rollouts import Reference, Rollouts, frozen_copy, roll_out

ADAPTER = LoRAConfig(rank=8, alpha=16, matrices=("W_q", "W_k", "W_v", "W_o"))
MAX_NEW_TOKENS = 24  # of an answer


@dataclass(frozen=True)
class Preferring:
    """How DPO is done here.

    Args:
        steps: of `batch_size` pairs; each pair is read once.
        batch_size: pairs in a step.
        lr: of AdamW, constant.
        beta: β.
        mix: rows of sums and plain stories that are learned beside each step, as in SFT; 0: none.
        seed: of the pairs, their order, the mix, and A's random numbers.
    """

    steps: int = 50
    batch_size: int = 32
    lr: float = 1e-3
    beta: float = 3.0
    mix: int = 0
    seed: int = 0


@dataclass(frozen=True)
class Rewarding:
    """How GRPO is done here.

    Args:
        steps: each with new questions and one update.
        questions: P in a step.
        group: G answers to each.
        lr: of AdamW, constant.
        kl_weight: what a nat of KL from the reference costs; 0: no reference is read.
        mix: as for `Preferring`.
        seed: of the questions, the draws, the mix, and A's random numbers.
    """

    steps: int = 20
    questions: int = 16
    group: int = 8
    lr: float = 1e-3
    kl_weight: float = 0.04
    mix: int = 0
    seed: int = 0


def learner(
    model: GPT, name: str, config: LoRAConfig | None, seed: int, start: str | None = None
) -> tuple[list[nn.Parameter], Reference]:
    """What learns, and what it is compared with.

    Args:
        model: changed in place.
        name: of the new adapter.
        config: of the adapter; None: every parameter learns.
        seed: of A's random numbers.
        start: an adapter that the model has: the new one begins as its copy, and it is the reference.
    """
    if config is None:
        return list(model.requires_grad_(True).parameters()), frozen_copy(model)
    adapter = lora.inject(model, config, name, seed)
    if start is not None:
        for part in lora.adapted(model).values():
            part.adapters[name].load_state_dict(part.adapters[start].state_dict())
    return list(adapter.parameters()), lora.seen_with(model, start)


def taken_out(model: GPT, name: str) -> Adapter:
    """An adapter of a model, made with ADAPTER, as `save_adapter` stores it; it stays in the model."""
    parts = {path: part.adapters[name] for path, part in lora.adapted(model).items()}
    return Adapter(ADAPTER, parts)


def kept(model: GPT, rows: int, steps: int, seed: int) -> Callable[[], Tensor] | None:
    """The loss of what must not be forgotten: sums, half of them behind a story, and plain stories.

    Args:
        model: that learns.
        rows: in a step; 0: nothing is mixed in.
        steps: for so many there are new rows.
        seed: of the rows.

    Returns:
        what `dpo_step` and `grpo_step` call `mix`.
    """
    if not rows:
        return None
    learnt = iter(training.kept_rows(rows * steps, training.TRAINING_SEED + 1 + seed))

    def loss() -> Tensor:
        made = stack_chats(list(islice(learnt, rows)))
        return answer_loss(model, (made.ids, made.answer))

    return loss


def learn_preferences(
    model: GPT,
    how: Preferring = Preferring(),
    *,
    config: LoRAConfig | None = ADAPTER,
    name: str = "dpo",
    compared: bool = True,
    on_step: Callable[[int, DPOStep], None] | None = None,
) -> list[DPOStep]:
    """DPO on pairs of right answers, one of them said as people here like it; the model is changed in place.

    Args:
        model: a stage that answers.
        how: settings.
        config, name: as for `learner`.
        compared: False: with no reference at all, to see what happens then.
        on_step: as for `dpo_epoch`.
    """
    learning, reference = learner(model, name, config, how.seed)
    pairs = preferring.pairs(how.steps * how.batch_size, preferring.PAIRS_SEED + 1000 * how.seed)
    return dpo_epoch(
        model,
        reference if compared else None,
        pairs,
        torch.optim.AdamW(learning, how.lr, weight_decay=0.0),
        batch_size=how.batch_size,
        generator=torch.Generator().manual_seed(how.seed),
        on_step=on_step,
        beta=how.beta,
        mix=kept(model, how.mix, how.steps, how.seed),
    )


def learn_from_rewards(
    model: GPT,
    reward: rewards.Reward,
    how: Rewarding = Rewarding(),
    *,
    config: LoRAConfig | None = ADAPTER,
    name: str = "grpo",
    start: str | None = None,
    on_step: Callable[[int, GRPOStep, Rollouts], None] | None = None,
) -> list[GRPOStep]:
    """GRPO on new questions about stories; the model is changed in place.

    Args:
        model: a stage that answers.
        reward: of an answer.
        how: settings.
        config, name, start: as for `learner`.
        on_step: called with step (from 1), its numbers and what was written.

    Returns:
        every step; Kernel → Interrupt ends the run after the one under way.

    Raises:
        Stopped: an interrupt inside `interrupts.all_or_nothing()`, as in a command.
    """
    learning, reference = learner(model, name, config, how.seed, start)
    optimizer = torch.optim.AdamW(learning, how.lr, weight_decay=0.0)
    generator, steps = torch.Generator().manual_seed(how.seed), []
    mix = kept(model, how.mix, how.steps, how.seed)
    with Interrupts() as stop:
        for step in range(1, how.steps + 1):
            if stop.wanted:
                break
            asked = rewards.questions_for(step, how.questions, 40 + how.seed)
            rollouts = roll_out(
                model,
                [preferring.prompt_ids(one) for one in asked],
                rewards.reward_of(asked, reward),
                group=how.group,
                max_new_tokens=MAX_NEW_TOKENS,
                stop_ids=(END_ID,),
                generator=generator,
            )
            kept_near = reference if how.kl_weight else None
            steps.append(grpo_step(model, kept_near, rollouts, optimizer, kl_weight=how.kl_weight, mix=mix))
            if on_step is not None:
                on_step(step, steps[-1], rollouts)
        if stop.wanted:
            stop.tell(len(steps))
    return steps
