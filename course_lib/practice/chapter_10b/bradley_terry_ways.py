"""10b.bradley-terry: other margins, other losses, other means, and what a tutor says."""

import math

import torch
from torch.nn.functional import logsigmoid

from course_lib.practice.two_slips import listed, of_parts, single
from course_lib.practice.words import entries


def mean(loss, margin):
    return loss(margin).mean()


def made(
    margin=lambda chosen, rejected: chosen - rejected,
    loss=lambda margin: -logsigmoid(margin),
    average=mean,
):
    """Another margin, another loss of a pair, another mean."""
    return lambda chosen, rejected: average(loss, margin(chosen, rejected))


def softmax_of_both(chosen, rejected):
    return -torch.cat([chosen, rejected]).log_softmax(0)[: len(chosen)].mean()


PARTS = {
    "margin": {
        "margin-turned-round": lambda chosen, rejected: rejected - chosen,
        "chosen-alone": lambda chosen, rejected: chosen,
        "rejected-alone": lambda chosen, rejected: -rejected,
        "rewards-added": lambda chosen, rejected: chosen + rejected,
        "every-pair-with-every-other": lambda chosen, rejected: chosen[:, None] - rejected,
        "sigmoids-subtracted": lambda chosen, rejected: chosen.sigmoid() - rejected.sigmoid(),
        "distance": lambda chosen, rejected: (chosen - rejected).abs(),
        "quotient": lambda chosen, rejected: chosen / rejected,
    },
    "loss": {
        "minus-missing": logsigmoid,
        "no-logarithm": (torch.sigmoid, lambda m: -m.sigmoid(), lambda m: 1 - m.sigmoid()),
        "no-sigmoid": (lambda m: -m, lambda m: m, lambda m: -m.log()),
        "hinge": (lambda m: (1 - m).relu(), lambda m: (-m).relu()),
        "squared": (lambda m: (1 - m.sigmoid()) ** 2, lambda m: (1 - m) ** 2, lambda m: m**2),
        "another-logarithm": tuple(lambda m, base=base: -logsigmoid(m) / math.log(base) for base in (2, 10)),
        "sigmoid-twice": lambda m: -logsigmoid(m.sigmoid()),
        "exponential": lambda m: (-m).exp(),
    },
    "average": {
        "summed": lambda loss, margin: loss(margin).sum(),
        "not-averaged": lambda loss, margin: loss(margin),
        "mean-before-the-loss": lambda loss, margin: loss(margin.mean()),
    },
}


def with_a_small_number(small):
    return lambda chosen, rejected: -torch.log((chosen - rejected).sigmoid() + small).mean()


WAYS = {
    **single(PARTS, made),
    "logarithm-of-the-mean": lambda chosen, rejected: -(chosen - rejected).sigmoid().mean().log(),
    "softmax-over-the-pairs": (
        softmax_of_both,
        lambda chosen, rejected: -chosen.log_softmax(0).mean(),
        lambda chosen, rejected: -(chosen - rejected).log_softmax(0).mean(),
    ),
    "each-answer-alone": (
        lambda chosen, rejected: -(logsigmoid(chosen) + logsigmoid(-rejected)).mean(),
        lambda chosen, rejected: -(logsigmoid(chosen) + logsigmoid(-rejected)).mean() / 2,
    ),
    "logarithms-subtracted": lambda chosen, rejected: -(logsigmoid(chosen) - logsigmoid(rejected)).mean(),
    "share-of-pairs": (
        lambda chosen, rejected: (chosen > rejected).float().mean(),
        lambda chosen, rejected: (chosen < rejected).float().mean(),
    ),
    "infinite": (
        lambda chosen, rejected: -(chosen - rejected).sigmoid().log().mean(),
        lambda chosen, rejected: torch.log(1 + torch.exp(rejected - chosen)).mean(),
        lambda chosen, rejected: -torch.log(chosen.exp() / (chosen.exp() + rejected.exp())).mean(),
    ),
    "not-above-a-limit": tuple(map(with_a_small_number, (1e-8, 1e-7, 1e-9, 1e-10, 1e-12))),
}

WORDS = entries("""
margin-turned-round
    Your margin has the wrong sign: it is the chosen reward minus the rejected one. As it stands, the model
    learns to like what people rejected.
chosen-alone
    The rejected answers have no effect. Only differences count: chosen minus rejected.
rejected-alone
    The chosen answers have no effect. Only differences count: chosen minus rejected.
rewards-added
    You add the two rewards. The probability depends on their difference: chosen minus rejected.
every-pair-with-every-other
    Each chosen answer is compared with every rejected answer of the batch. Answers to different prompts were
    never compared by anybody: `chosen - rejected`, pair by pair.
sigmoids-subtracted
    You take a sigmoid of each reward before the difference. One sigmoid is taken, of the difference.
distance
    You take the size of the difference, so it does not matter which answer is better. The sign must stay.
quotient
    You divide the rewards. The probability depends on their difference: chosen minus rejected.
minus-missing
    Your sign is wrong: a minus is missing, or one is too many. The logarithm of a probability is below 0 or
    0, and a loss is its opposite.
no-logarithm
    The logarithm is missing: you work with the sigmoid itself. The loss of a pair is minus its natural
    logarithm, so a pair that is told apart the wrong way costs more and more.
no-sigmoid
    The sigmoid is missing. A difference of rewards is no probability yet: σ of it is.
hinge
    You cut the loss off at 0, as a hinge loss does. Asked for is minus the logarithm of a sigmoid.
squared
    You square. Asked for is minus the natural logarithm of the sigmoid.
another-logarithm
    You take another logarithm than the natural one: base e, as in `torch.log` and `logsigmoid`.
sigmoid-twice
    You take the sigmoid twice: `logsigmoid` has one in it already. It wants the difference as it is.
exponential
    You take e to the power of minus the margin. The loss is ln(1 + that), which is minus the logarithm of the
    sigmoid.
summed
    You add the losses of the pairs. Asked for is their mean: otherwise a larger batch makes a larger step.
not-averaged
    The losses of the pairs are still apart. Asked for is one number, their mean.
mean-before-the-loss
    You take the mean of the margins before the loss, so one very good pair hides a bad one. Each pair has its
    own loss; the mean is taken of these.
logarithm-of-the-mean
    You take the mean of the probabilities before the logarithm. Each pair has its own loss, minus the
    logarithm of its own probability; the mean is taken of these.
softmax-over-the-pairs
    Your softmax lets answers to different prompts compete. Only the two answers of one pair are compared:
    σ(chosen - rejected), which is a softmax over these two.
each-answer-alone
    You judge each answer by itself: the chosen one good, the rejected one bad. Nobody has said so; people
    said which of the two is better. One sigmoid, of the difference.
logarithms-subtracted
    You take the logarithm of a sigmoid of each reward, and subtract these. One sigmoid is taken, of the
    difference: log σ(chosen - rejected).
share-of-pairs
    You count pairs. That is a good number to look at and no loss: its gradient is 0 everywhere.
infinite
    Your loss is right as long as rewards are near each other. Where they differ by 200, e^200 is too large
    for float32, or the sigmoid is 0 and its logarithm infinite. `torch.nn.functional.logsigmoid` takes both
    in one step.
not-above-a-limit
    Your loss is right as long as rewards are near each other. Where a chosen reward is 200 below the rejected
    one, the loss is 200, and yours stops before: is a small number added inside the logarithm, or does
    something cut it off? `torch.nn.functional.logsigmoid` needs neither.
""")


def stops_before(expected, got, args):
    """Finite, too low, and only where the sigmoid is almost 0."""
    return bool(torch.isfinite(got)) and bool(got < expected) and bool((args[0] - args[1]).min() < -90)


SIGNS = {"not-above-a-limit": stops_before}
SKIP = {
    ("distance", "squared"),
    ("distance", "hinge"),  # 0 everywhere, as a stub
    ("chosen-alone", "no-sigmoid"),
    *((name, "mean-before-the-loss") for name in ("no-sigmoid",)),
}
PAIRS = of_parts(listed(PARTS, made, SKIP), WORDS)
