"""10b.dpo: other sums, other rewards, other losses, and what a tutor says."""

import math

import torch
from torch.nn.functional import logsigmoid

from course_lib.practice.kinds import Misconception
from course_lib.practice.two_slips import listed, single, told_both
from course_lib.practice.words import entries


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
):
    """Another sum of tokens, another reward, another margin, another loss of a pair, another mean."""

    def dpo_loss(chosen, rejected, ref_chosen, ref_rejected, chosen_mask, rejected_mask, beta):
        better = reward(total(chosen, chosen_mask), held(total(ref_chosen, chosen_mask)), beta)
        worse = reward(total(rejected, rejected_mask), held(total(ref_rejected, rejected_mask)), beta)
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
REFERENCE_LEARNS = (
    "Gradients flow into the reference's log-probabilities, and it must stay as it is. `.detach()` on what "
    "comes from the reference cuts the way."
)

WORDS = {
    **entries("""
mean-of-tokens
    You take the mean over the tokens of an answer. Its log-probability is their sum; with a mean, a token of
    a long answer counts less than one of a short answer, and β means something else.
mean-of-the-padded-length
    You divide by the length of the whole row, prompt and padding included. So the loss depends on how much
    padding a batch has. The log-probability of an answer is the sum over its own tokens.
everything-counted
    The masks have no effect: prompt and padding count in your sums. Multiply by the mask before you sum.
counted-outside
    You sum where the mask is False, over prompt and padding. It is True at the tokens of the answer.
mean-without-mask
    You take a mean over the whole row, prompt and padding included. The log-probability of an answer is the
    sum over its own tokens: multiply by the mask, then `.sum(dim=1)`.
shifted-again
    You shift the masks against the log-probabilities. They lie side by side already: nothing is cut off.
cut-to-the-shorter
    The longer of the two rows is read only as far as the shorter one goes, so tokens at its end are lost. Does
    one `zip` or one range run over both answers? Their rows have T and S places: sum each answer by itself.
last-token-alone
    You take the log-probability of one token, the last of an answer. An answer is all of its tokens: their
    sum.
sum-of-the-batch
    You sum over all rows together. Each answer has a sum of its own, over axis 1: (B,).
probabilities-added
    You add probabilities of tokens. The probability of an answer is their product: so log-probabilities are
    added, as they came, without `exp`.
exponential-of-the-sum
    You take `exp` of the sum. The reward is a difference of log-probabilities: without `exp`.
no-reference
    The reference has no effect. A reward is how much likelier the policy finds an answer than the reference
    does: β (log π - log π_ref). Without it, short and common answers win from the start.
reference-added
    The reference's part has the wrong sign: `ref_chosen` is taken off `chosen` and `ref_rejected` off
    `rejected`, each as β (log π - log π_ref). Is something added, or have the two changed places?
quotient
    You divide log-probabilities. The quotient of probabilities is the *difference* of their logarithms:
    log π - log π_ref.
beta-missing
    `beta` has no effect. A reward is β (log π - log π_ref): β says how far from the reference is far.
beta-on-the-policy-alone
    β multiplies the policy's part alone. It multiplies the difference: β (log π - log π_ref), in brackets.
beta-on-the-reference-alone
    β multiplies the reference's part alone. It multiplies the difference: β (log π - log π_ref), in brackets.
beta-divides
    You divide by β. A reward is β times the difference, β (log π - log π_ref).
margin-turned-round
    Your margin has the wrong sign, so the policy learns to prefer what was rejected. One of two differences
    is turned round: it is the chosen answer's minus the rejected one's, and the policy's minus the
    reference's. At step 0 the loss is ln 2 all the same.
chosen-alone
    The rejected answers have no effect. The margin is the reward of chosen minus the reward of rejected.
rejected-alone
    The chosen answers have no effect. The margin is the reward of chosen minus the reward of rejected.
rewards-added
    You add the rewards of both answers. The margin is their difference, chosen minus rejected.
every-pair-with-every-other
    Each chosen answer is compared with every rejected answer of the batch. Only the two answers of one pair
    are compared: both rewards are (B,), and are subtracted as they are.
minus-missing
    Your sign is wrong: a minus is missing, or one is too many. The logarithm of a sigmoid is below 0, and a
    loss is its opposite.
no-logarithm
    The logarithm is missing: you work with the sigmoid itself. The loss of a pair is -log σ(margin).
no-sigmoid
    The sigmoid and the logarithm are missing: you work with the margin itself, which could grow for ever. The
    loss of a pair is -log σ(margin).
hinge
    That is a hinge loss: it is 0 from a margin of 1 on. DPO's is -log σ(margin).
another-logarithm
    You take another logarithm than the natural one. `logsigmoid` and `torch.log` have base e.
sigmoid-twice
    You take the sigmoid twice: `logsigmoid` has one in it already. It wants the margin as it is.
summed
    You add the losses of the pairs. Asked for is their mean: otherwise a larger batch makes a larger step.
not-averaged
    The losses of the pairs are still apart. Asked for is one number, their mean.
mean-before-the-loss
    You take the mean of the margins before the loss. Each pair has its own loss; the mean is taken of these.
beta-outside
    β stands outside: it multiplies the loss, which only changes the size of the steps. It belongs inside the
    sigmoid, where it says how far from the reference is far.
beta-twice
    β has been used twice. It stands in the rewards, once, and nowhere else.
beta-on-one-answer
    β multiplies one answer's part alone: is a bracket missing? It multiplies both: β · ((log π - log π_ref of
    chosen) - (log π - log π_ref of rejected)).
brackets-missing
    The reference's part of the rejected answer has the wrong sign: are brackets missing? A minus before
    (log π - log π_ref) turns both signs in it.
exponentials
    You take `exp` of log π - log π_ref. The reward is that difference itself, times β.
squares
    That is the loss of IPO, which draws the margin to 1 / (2β). DPO's is -log σ(margin).
"""),
    "reference-learns": f"Your number is right. {REFERENCE_LEARNS}",
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
