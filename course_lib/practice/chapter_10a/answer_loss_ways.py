"""10a.answer-loss: other places that count, other means, no guard."""

import math

import torch

from course_lib.practice.chapter_09a.next_token_loss_ways import nll, shares_of_rows
from course_lib.practice.chapter_10a.answer_loss_words import WORDS
from course_lib.practice.two_slips import listed, of_parts, single


def mean(values, counted):
    return values[counted].sum() / counted.sum()


def guarded(value, counted):
    return value if counted.any() else torch.zeros(())


def unguarded(value, counted):
    return value


def made(
    pair=lambda logits, targets, trained: (logits, targets, trained),
    loss=None,
    where=lambda trained, targets: trained,
    average=mean,
    guard=guarded,
    after=lambda value: value,
):
    """Other targets, another loss at a place, other places that count, another mean, no guard."""

    def answer_loss(logits, targets, trained):
        scores, ids, trained = pair(logits, targets, trained)
        values = (loss or nll())(scores, ids)
        counted = where(trained, ids)
        return guard(after(average(values, counted)), counted)

    return answer_loss


def rows(values, counted):
    return torch.stack([v[some].mean() for v, some in zip(values, counted, strict=True)])  # NaN without any


def zeroed(logits, targets, trained):
    """Scores are multiplied by the mask before the softmax: ln V wherever nothing is trained."""
    return logits * trained[..., None], targets, trained


def everything(trained, targets):
    return torch.ones_like(trained)


def places(values, counted):
    return (values * counted).mean()


def ends_before(trained):
    """How many answers of its row have ended before each place."""
    over = trained[:, :-1] & ~trained[:, 1:]
    return torch.cat([torch.zeros_like(trained[:, :1]), over], 1).cumsum(1)


PARTS = {
    "pair": {
        "shifted-again": (
            lambda logits, targets, trained: (logits[:, :-1], targets[:, 1:], trained[:, 1:]),
            lambda logits, targets, trained: (logits[:, 1:], targets[:, :-1], trained[:, :-1]),
        ),
        "mask-shifted": (
            lambda logits, targets, trained: (logits[:, 1:], targets[:, 1:], trained[:, :-1]),
            lambda logits, targets, trained: (logits[:, :-1], targets[:, :-1], trained[:, 1:]),
        ),
        "scrambled": (
            lambda logits, targets, trained: (
                logits.transpose(1, 2).reshape(logits.shape),
                targets,
                trained,
            ),
        ),
        "reshaped-for-axis-1": lambda logits, targets, trained: (
            logits.reshape(len(logits), logits.shape[2], -1).transpose(1, 2),
            targets,
            trained,
        ),
    },
    "loss": {
        "softmax-over-places": nll(lambda logits: logits.log_softmax(1)),
        "softmax-twice": nll(lambda logits: logits.softmax(-1).log_softmax(-1)),
        "not-normalised": nll(lambda logits: logits),
        "no-logarithm": (
            nll(lambda logits: logits.softmax(-1)),
            nll(lambda logits: logits.softmax(-1), sign=1),
        ),
        "sign-missing": nll(sign=1),
        "another-logarithm": tuple(
            nll(lambda logits, base=base: logits.log_softmax(-1) / math.log(base)) for base in (2, 10)
        ),
    },
    "where": {
        "all-counted": everything,
        "wrong-way-round": lambda trained, targets: ~trained,
        "zero-for-padding": (
            lambda trained, targets: targets != 0,
            lambda trained, targets: targets > 0,
        ),
        "zero-left-out": lambda trained, targets: trained & (targets > 0),
        "rows-with-an-answer": lambda trained, targets: trained.any(1, keepdim=True).expand(trained.shape),
        "first-answer-alone": lambda trained, targets: trained & (ends_before(trained) == 0),
    },
    "average": {
        "divided-by-places": places,
        "mean-of-rows": (
            lambda values, counted: rows(values, counted).mean(),
            lambda values, counted: rows(values, counted).nanmean(),
            lambda values, counted: rows(values, counted).nan_to_num(0.0).mean(),
        ),
        "divided-by-rows": lambda values, counted: (values * counted).sum() / len(counted),
        "divided-by-columns": lambda values, counted: (values * counted).sum() / counted.shape[1],
        "not-divided": lambda values, counted: (values * counted).sum(),
        "one-too-many": lambda values, counted: (values * counted).sum() / (counted.sum() + 1),
    },
    "guard": {
        "nan-without-targets": lambda value, counted: value if counted.any() else torch.tensor(math.nan),
        "not-0-without-targets": (
            lambda value, counted: value if counted.any() else torch.tensor(1.0),
            lambda value, counted: value if counted.any() else torch.tensor(math.inf),
            lambda value, counted: value if counted.any() else torch.tensor(-100.0),
        ),
    },
    "after": {"perplexity": torch.exp},
}


def refused(error):
    """A batch without trained targets is refused."""

    def answer_loss(logits, targets, trained):
        if not trained.any():
            raise error("nothing is trained")
        return made()(logits, targets, trained)

    return answer_loss


def zero_asked(logits, targets, trained):
    """The ids of prompts are set to 0, and 0 is asked for there."""
    values = nll()(logits, targets * trained)
    return values.mean()


def of_rows_or_all(logits, targets, trained):
    """Where nothing is trained, all count."""
    return mean(nll()(logits, targets), trained if trained.any() else ~trained)


ALONE = single(PARTS, made)
WAYS = {
    **ALONE,
    "mean-of-rows": (
        *ALONE["mean-of-rows"],
        made(average=lambda values, counted: rows(values, counted).mean(), guard=unguarded),
        made(average=shares_of_rows),
    ),
    "scores-set-to-0": (
        made(pair=zeroed, where=everything),
        made(pair=zeroed, average=lambda values, counted: values.sum() / counted.sum()),
    ),
    "zero-asked": zero_asked,
    "logarithm-of-the-mean": made(average=lambda values, counted: -(-values[counted]).exp().mean().log()),
    "refused": (refused(ValueError), refused(ZeroDivisionError), refused(RuntimeError)),
    "all-where-none": of_rows_or_all,
    "perplexity": (
        *ALONE["perplexity"],
        lambda *args: made()(*args).exp(),
    ),
}

SKIP = {
    ("all-counted", "divided-by-places"),
    ("all-counted", "nan-without-targets"),
    ("all-counted", "not-0-without-targets"),
}
PAIRS = of_parts(listed(PARTS, made, SKIP), WORDS)
