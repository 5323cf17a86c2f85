"""10b.dpo: other sums, other rewards, and other losses."""

import math

import torch
from torch.nn.functional import logsigmoid

from course_lib.practice.chapter_10b.dpo_words import WORDS
from course_lib.practice.kinds import Misconception
from course_lib.practice.two_slips import listed, single, told_both


def summed(x, mask):
    return (x * mask).sum(1)


def mean(loss, margin):
    return loss(margin).mean()


def made(
    total=summed,
    reward=lambda policy, reference, beta: beta * (policy - reference),
    margin=lambda better, worse: better - worse,
    loss=lambda margin: -logsigmoid(margin),
    average=mean,
    held=torch.Tensor.detach,
    after=lambda value, beta: value,
    of_reference=None,
):
    """Another sum of tokens, another reward, another margin, another loss of a pair, another mean.

    ``of_reference``: another sum for the reference alone.
    """
    there = of_reference or total

    def dpo_loss(chosen, rejected, ref_chosen, ref_rejected, chosen_mask, rejected_mask, beta):
        better = reward(total(chosen, chosen_mask), held(there(ref_chosen, chosen_mask)), beta)
        worse = reward(total(rejected, rejected_mask), held(there(ref_rejected, rejected_mask)), beta)
        return after(average(loss, margin(better, worse)), beta)

    return dpo_loss


PARTS = {
    "total": {
        "mean-of-tokens": lambda x, mask: (x * mask).sum(1) / mask.sum(1),
        "mean-of-the-padded-length": lambda x, mask: (x * mask).mean(1),
        "everything-counted": lambda x, mask: x.sum(1),
        "counted-outside": lambda x, mask: (x * ~mask).sum(1),
        "mean-without-mask": lambda x, mask: x.mean(1),
        "shifted-again": (
            lambda x, mask: (x[:, :-1] * mask[:, 1:]).sum(1),
            lambda x, mask: (x[:, 1:] * mask[:, :-1]).sum(1),
        ),
        "last-token-alone": lambda x, mask: x.gather(
            1, (mask * torch.arange(mask.shape[1])).argmax(1, keepdim=True)
        )[:, 0],
        "sum-of-the-batch": lambda x, mask: (x * mask).sum(),
        "probabilities-added": lambda x, mask: (x.exp() * mask).sum(1),
        "exponential-of-the-sum": lambda x, mask: (x * mask).sum(1).exp(),
    },
    "reward": {
        "no-reference": lambda policy, reference, beta: beta * policy,
        "reference-added": lambda policy, reference, beta: beta * (policy + reference),
        "quotient": lambda policy, reference, beta: beta * policy / reference,
        "beta-missing": (
            lambda policy, reference, beta: policy - reference,
            lambda policy, reference, beta: 0.1 * (policy - reference),
        ),
        "beta-on-the-policy-alone": lambda policy, reference, beta: beta * policy - reference,
        "beta-on-the-reference-alone": lambda policy, reference, beta: policy - beta * reference,
        "beta-divides": lambda policy, reference, beta: (policy - reference) / beta,
    },
    "margin": {
        "margin-turned-round": lambda better, worse: worse - better,
        "chosen-alone": lambda better, worse: better + 0 * worse,
        "rejected-alone": lambda better, worse: -worse + 0 * better,
        "rewards-added": lambda better, worse: better + worse,
        "every-pair-with-every-other": lambda better, worse: better[:, None] - worse,
    },
    "loss": {
        "minus-missing": logsigmoid,
        "no-logarithm": (lambda m: -m.sigmoid(), torch.sigmoid, lambda m: 1 - m.sigmoid()),
        "no-sigmoid": (lambda m: -m, lambda m: m),
        "hinge": lambda m: (1 - m).relu() + 0 * m,
        "another-logarithm": tuple(lambda m, base=base: -logsigmoid(m) / math.log(base) for base in (2, 10)),
        "sigmoid-twice": lambda m: -logsigmoid(m.sigmoid()),
    },
    "average": {
        "summed": lambda loss, margin: loss(margin).sum(),
        "not-averaged": lambda loss, margin: loss(margin),
        "mean-before-the-loss": lambda loss, margin: loss(margin.mean()),
    },
}


def without_beta(policy, reference, beta):
    return policy - reference


def of_sums(margin, loss=lambda margin: -logsigmoid(margin)):
    """Another margin, made of the four sums and β."""

    def dpo_loss(chosen, rejected, ref_chosen, ref_rejected, chosen_mask, rejected_mask, beta):
        policy = summed(chosen, chosen_mask), summed(rejected, rejected_mask)
        held = summed(ref_chosen, chosen_mask).detach(), summed(ref_rejected, rejected_mask).detach()
        return loss(margin(*policy, *held, beta)).mean()

    return dpo_loss


def cut(loss):
    """Both answers are read as far as the shorter row goes, as one ``zip`` over both does."""

    def dpo_loss(chosen, rejected, ref_chosen, ref_rejected, chosen_mask, rejected_mask, beta):
        n = min(chosen.shape[1], rejected.shape[1])
        both = (chosen, rejected, ref_chosen, ref_rejected, chosen_mask, rejected_mask)
        return loss(*(x[:, :n] for x in both), beta)

    return dpo_loss


WAYS = {
    **single(PARTS, made),
    "cut-to-the-shorter": cut(made()),
    "reference-without-mask": made(of_reference=lambda x, mask: x.sum(1)),
    "policy-without-mask": made(total=lambda x, mask: x.sum(1), of_reference=summed),
    "beta-outside": made(reward=without_beta, after=lambda value, beta: beta * value),
    "beta-twice": (
        made(after=lambda value, beta: beta * value),
        made(reward=lambda policy, reference, beta: beta**2 * (policy - reference)),
    ),
    "beta-on-one-answer": (
        of_sums(lambda c, r, ref_c, ref_r, beta: beta * (c - ref_c) - (r - ref_r)),
        of_sums(lambda c, r, ref_c, ref_r, beta: c - ref_c - beta * (r - ref_r)),
    ),
    "brackets-missing": of_sums(lambda c, r, ref_c, ref_r, beta: beta * (c - ref_c - r - ref_r)),
    "exponentials": of_sums(lambda c, r, ref_c, ref_r, beta: beta * ((c - ref_c).exp() - (r - ref_r).exp())),
    "squares": of_sums(
        lambda c, r, ref_c, ref_r, beta: c - ref_c - r + ref_r - 1 / (2 * beta), loss=torch.square
    ),
    "reference-learns": made(held=lambda x: x),
}

_OFTEN = {
    "total": ("mean-of-tokens", "mean-of-the-padded-length", "everything-counted", "counted-outside"),
    "reward": ("no-reference", "beta-missing"),
    "margin": ("margin-turned-round",),
    "loss": ("minus-missing", "no-logarithm"),
    "average": ("summed", "not-averaged"),
}
TWO = tuple(
    Misconception(f"{one}-{other}", ways, told_both(WORDS[one], WORDS[other]))
    for (one, other), ways in listed(
        {part: {name: PARTS[part][name] for name in names} for part, names in _OFTEN.items()}, made, most=1
    ).items()
)
