"""Chapter 10b: how close to the reference (β), what rewards raise and what is forgotten, a reward that can be
cheated, and the rank of an adapter.

All but `grpo`, which goes on from `dpo`, begin with the shipped assistant that answers, `stages.load("sft")`.
`right` is the share of held-out questions answered exactly, `whole` that answered with one whole sentence and
nothing before it, `liked` that where both hold. `kl`, nats a token, is how far the model has moved from where
it began: on plain stories in the records of DPO, on what it writes itself in that of the flawed reward.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import torch

from course_lib.data.town import questions
from course_lib.experiments.records import Experiment, Row, rounded
from course_lib.models.gpt import GPT
from course_lib.models.low_rank import LoRAConfig
from course_lib.tasks.assistant import aligning, preferring, rewards, scoring, shipping, stages
from course_lib.tasks.assistant.chats import prompt_of
from course_lib.tasks.assistant.many import answer_many
from course_lib.tasks.assistant.words import END_ID, WORDS
from course_lib.training.post_training import DPOStep

SEEDS = (0, 1, 2)


@cache
def asked() -> tuple[questions.Asked, ...]:
    """The held-out questions of this chapter's records: new stories, forms that were trained."""
    return questions.ask(400, scoring.HELD_OUT_SEED + 3, kinds=questions.STORY_KINDS)


def state(model: GPT) -> Row:
    """What a model answers: shares, length in tokens, and the proxy that can be cheated."""
    replies = answer_many(model, [prompt_of(one) for one in asked()], max_new_tokens=aligning.MAX_NEW_TOKENS)
    found = scoring.summed(asked(), replies)
    written = [[*WORDS.encode(reply.text), END_ID] for reply in replies]
    proxy = [rewards.detailed(one, ids) for one, ids in zip(asked(), written, strict=True)]
    liked = [rewards.as_liked(one, ids) for one, ids in zip(asked(), written, strict=True)]
    return {
        "right": found.right,
        "whole": found.whole,
        "liked": sum(liked) / len(liked),
        "falsely": found.falsely,
        "detailed": sum(proxy) / len(proxy),
        "length": sum(map(len, written)) / len(written),
    }


# ---------------------------------------------------------------- DPO: how much β

BETAS = (0.3, 1.0, 3.0, 10.0)
DPO_STEPS, DPO_RATE = 40, 1e-3
NO_REFERENCE = "no reference"


def beta_rows(seed: int, steps: int) -> list[Row]:
    """Each β at equal steps, and one run that is compared with nothing."""
    return [beta_row(beta, seed, steps) for beta in (*BETAS, NO_REFERENCE)]


def beta_row(beta: float | str, seed: int, steps: int) -> Row:
    """One β."""
    compared = beta != NO_REFERENCE
    how = aligning.Preferring(steps=steps, lr=DPO_RATE, beta=beta if compared else 0.3, seed=seed)
    model = stages.load("sft")
    done = aligning.learn_preferences(model, how, compared=compared)
    liked = preferring.preferred(model, 200)
    found = state(model) | _last(done, how.beta) | {"preferred": liked["all"], "longer": liked["longer"]}
    named = f"β {beta:g}" if compared else beta
    return {"seed": seed, "step": steps, "beta": named} | rounded(found | {"kl": moved(model)})


def _last(done: Sequence[DPOStep], beta: float) -> Row:
    """How much likelier both answers have become, nats: means over the last ten steps."""
    last = done[-10:]
    return {
        "chosen": sum(step.chosen for step in last) / len(last) / beta,
        "rejected": sum(step.rejected for step in last) / len(last) / beta,
    }


def moved(model: GPT) -> float:
    """How far a model has moved on plain stories from the stage that answers, nats a token."""
    return scoring.story_kl(model, stages.load("sft"), 100)


# ---------------------------------------------------------------- GRPO: what it raises, and what it forgets

MIXES = {"nothing mixed in": 0, "sums and stories mixed in": shipping.GRPO.mix}
MIX_STEPS, MIX_MEASURED = shipping.GRPO.steps, (100, 200)


def mix_rows(seed: int, steps: int) -> list[Row]:
    """The same start, the stage that answers as it is liked; with and without a mix."""
    return [row for name in MIXES for row in mix_rows_of(name, seed, steps)]


def mix_rows_of(name: str, seed: int, steps: int, model: GPT | None = None) -> list[Row]:
    """One of them, measured on the way; a model that is given, the stage `dpo`, is changed in place."""
    model = stages.load("dpo") if model is None else model
    how = replace(shipping.GRPO, steps=steps, mix=MIXES[name], seed=seed)
    rows, seen = [], []

    def keep(step: int) -> None:
        head = {"seed": seed, "step": step, "mix": name}
        lately = {"reward": sum(seen[-25:]) / len(seen[-25:])} if seen else {}
        rows.append(head | rounded(state(model) | _forgotten(model) | {"drawn": drawn_right(model)} | lately))

    def on_step(step, done, _) -> None:
        seen.append(done.reward)
        if step in MIX_MEASURED or step == steps:
            keep(step)

    keep(0)
    aligning.learn_from_rewards(model, rewards.as_liked, how, start="dpo", on_step=on_step)
    return rows


def drawn_right(model: GPT) -> float:
    """Share of right answers among those that are drawn, as in rollouts."""
    dice = torch.Generator().manual_seed(0)
    chats = [prompt_of(one) for one in asked()]
    limits = {"max_new_tokens": aligning.MAX_NEW_TOKENS, "temperature": 1.0}
    return scoring.summed(asked(), answer_many(model, chats, **limits, generator=dice)).right


def _forgotten(model: GPT) -> Row:
    """What nobody asked for in this stage."""
    alone = scoring.held_out_sums(digits=(1, 2))
    return {
        "sums": scoring.sums_right(model, alone),
        "behind a story": scoring.sums_right(model, scoring.after_stories(alone)),
        "gap": scoring.story_gap(model, 200),
    }


# ---------------------------------------------------------------- GRPO: a reward that can be cheated

GRPO_STEPS, GRPO_MEASURED, GRPO_RATE = 40, (20, 40), 2e-3
REWARDS = {"detailed": rewards.detailed, "right and as liked": rewards.as_liked}


def reward_rows(seed: int, steps: int) -> list[Row]:
    """The same start, each reward."""
    return [row for name in REWARDS for row in reward_rows_of(name, seed, steps)]


def reward_rows_of(name: str, seed: int, steps: int) -> list[Row]:
    """One reward, measured on the way."""
    model, rows, kl = stages.load("sft"), [], 0.0

    def keep(step: int) -> None:
        head = {"seed": seed, "step": step, "reward": name}
        rows.append(head | rounded(state(model) | {"kl": kl}))

    def on_step(step, done, _) -> None:
        nonlocal kl
        kl = done.kl
        if step in GRPO_MEASURED or step == steps:
            keep(step)

    keep(0)
    aligning.learn_from_rewards(
        model, REWARDS[name], aligning.Rewarding(steps=steps, lr=GRPO_RATE, seed=seed), on_step=on_step
    )
    return rows


# ---------------------------------------------------------------- LoRA: which rank

RANKS = (1, 8)
FULL, FULL_RATE = "every parameter", 1e-4


def rank_rows(seed: int, steps: int) -> list[Row]:
    """DPO with adapters of each rank, and with every parameter."""
    return [rank_row(rank, seed, steps) for rank in (*RANKS, FULL)]


def rank_row(rank: int | str, seed: int, steps: int) -> Row:
    """One rank."""
    full = rank == FULL
    config = None if full else LoRAConfig(rank=rank, alpha=2 * rank, matrices=aligning.ADAPTER.matrices)
    model = stages.load("sft")
    total = sum(p.numel() for p in model.parameters())
    how = aligning.Preferring(steps=steps, lr=FULL_RATE if full else DPO_RATE, beta=3.0, seed=seed)
    done = aligning.learn_preferences(model, how, config=config)
    n = sum(p.numel() for p in model.parameters() if p.requires_grad)
    found = state(model) | _last(done, how.beta) | {"share": n / total, "kl": moved(model)}
    gap = {"gap": scoring.story_gap(model, 200)}
    return {"seed": seed, "step": steps, "rank": "full" if full else f"r = {rank}"} | rounded(found | gap)


EXPERIMENTS = (
    Experiment(
        name="dpo-beta",
        question="What does β hold back?",
        rows=beta_rows,
        group="beta",
        measure="right",
        seeds=SEEDS,
        steps=DPO_STEPS,
        live_steps=DPO_STEPS,
        tolerance=0.05,
    ),
    Experiment(
        name="grpo",
        question="What does a checkable reward raise, and what is forgotten meanwhile?",
        rows=mix_rows,
        group="mix",
        measure="behind a story",
        seeds=SEEDS,
        steps=MIX_STEPS,
        live_steps=100,
        tolerance=0.05,
    ),
    Experiment(
        name="flawed-reward",
        question="What does a policy learn from a reward that can be cheated?",
        rows=reward_rows,
        group="reward",
        measure="right",
        seeds=SEEDS,
        steps=GRPO_STEPS,
        live_steps=20,
        tolerance=0.05,
    ),
    Experiment(
        name="lora-rank",
        question="How large must an adapter be?",
        rows=rank_rows,
        group="rank",
        measure="whole",
        seeds=SEEDS,
        steps=DPO_STEPS,
        live_steps=DPO_STEPS,
        tolerance=0.05,
    ),
)
