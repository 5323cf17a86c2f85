"""09a.next-token-loss: other targets, other counts, other losses."""

import math

import torch

from course_lib.practice.chapter_09a.next_token_loss_words import WORDS
from course_lib.practice.two_slips import as_tuple, listed, of_parts, single


def aligned(logits, ids):
    """Scores and their targets, place by place."""
    return logits, ids[:, 1:]


def nll(log=lambda logits: logits.log_softmax(-1), sign=-1):
    return lambda logits, targets: sign * log(logits).gather(-1, targets[..., None])[..., 0]


def mean(values, counted):
    return values[counted].sum() / counted.sum()


def made(
    pair=aligned,
    loss=None,
    where=lambda targets, ids, pad_id: targets != pad_id,
    average=mean,
    after=lambda value: value,
):
    """Other targets, another loss at a place, other places that count, another mean."""

    def next_token_loss(logits, ids, pad_id):
        scores, targets = pair(logits, ids)
        values = (loss or nll())(scores, targets)
        counted = where(targets, ids, pad_id).expand(targets.shape)
        return after(average(values, counted))

    return next_token_loss


def everything(targets, ids, pad_id):
    return torch.ones_like(targets, dtype=torch.bool)


def by_input(targets, ids, pad_id):
    return (ids != pad_id)[:, : targets.shape[1]]


def of_rows(average):
    def rows(values, counted):
        return average(
            torch.stack([v[some].mean() for v, some in zip(values, counted, strict=True)])
        )  # NaN for a row without a target

    return rows


def shares_of_rows(values, counted):
    return ((values * counted).sum(1) / counted.sum(1).clamp(min=1)).mean()


def turned(logits, ids):
    """`reshape` and `view` cut (B, T, V) anew after two axes were exchanged."""
    return logits.transpose(1, 2).reshape(logits.shape), ids[:, 1:]


def cut_anew(logits, ids):
    B, T, V = logits.shape
    return logits.reshape(B, V, T).transpose(1, 2), ids[:, 1:]


def over_batch(logits, ids):
    return logits.transpose(0, 1).reshape(logits.shape), ids[:, 1:]


PARTS = {
    "pair": {
        "not-shifted": lambda logits, ids: (logits, ids[:, :-1]),
        "shifted-twice": (
            lambda logits, ids: (logits[:, :-1], ids[:, 2:]),
            lambda logits, ids: (logits, torch.cat([ids[:, 2:], ids[:, -1:]], 1)),
        ),
        "shifted-back-again": (
            lambda logits, ids: (logits[:, 1:], ids[:, 1:-1]),
            lambda logits, ids: (logits[:, 1:], ids[:, :-2]),
        ),
        "one-target-short": (
            lambda logits, ids: (logits[:, :-1], ids[:, 1:-1]),
            lambda logits, ids: (logits[:, 1:], ids[:, 2:]),
        ),
        "last-place-alone": lambda logits, ids: (logits[:, -1:], ids[:, -1:]),
        "scrambled": (turned, cut_anew, over_batch),
    },
    "loss": {
        "softmax-over-places": nll(lambda logits: logits.log_softmax(1)),
        "softmax-over-batch": nll(lambda logits: logits.log_softmax(0)),
        "softmax-twice": (
            nll(lambda logits: logits.softmax(-1).log_softmax(-1)),
            nll(lambda logits: logits.softmax(-1).softmax(-1).log()),
        ),
        "not-normalised": nll(lambda logits: logits),
        "no-logarithm": (
            nll(lambda logits: logits.softmax(-1)),
            nll(lambda logits: logits.softmax(-1), sign=1),
            nll(lambda logits: logits.softmax(-1) - 1),
        ),
        "sign-missing": nll(sign=1),
        "another-logarithm": tuple(
            nll(lambda logits, base=base: logits.log_softmax(-1) / math.log(base)) for base in (2, 10)
        ),
        "best-token-for-the-next": lambda logits, targets: -logits.log_softmax(-1).amax(-1),
    },
    "where": {
        "padding-counted": everything,
        "counted-by-input": by_input,
        "zero-left-out": (
            lambda targets, ids, pad_id: targets != 0,
            lambda targets, ids, pad_id: targets > 0,
        ),
        "zero-left-out-too": lambda targets, ids, pad_id: (targets != pad_id) & (targets > 0),
        "padding-alone": lambda targets, ids, pad_id: targets == pad_id,
    },
    "average": {
        "mean-of-rows": (
            of_rows(torch.mean),
            of_rows(torch.nanmean),
            of_rows(lambda rows: rows.nan_to_num(0.0).mean()),
            shares_of_rows,
        ),
        "divided-by-places": lambda values, counted: (values * counted).mean(),
        "divided-by-rows": lambda values, counted: (values * counted).sum() / len(counted),
        "divided-by-columns": lambda values, counted: (values * counted).sum() / counted.shape[1],
        "not-divided": lambda values, counted: (values * counted).sum(),
        "first-tokens-counted": lambda values, counted: (
            (values * counted).sum() / (counted.sum() + len(counted))
        ),
    },
    "after": {"perplexity": torch.exp},
}


def counted_by_hand(average):
    """The same, where a place is counted with ``n += 1``: without any, 0 stands below the line."""

    def loss(values, counted):
        return average(values, counted) if counted.any() else torch.tensor(0.0 / int(counted.sum()))

    return loss


BY_HAND = {
    name: tuple(made(where=where, average=counted_by_hand(mean)) for where in as_tuple(PARTS["where"][name]))
    for name in ("zero-left-out", "zero-left-out-too", "padding-alone")
}
ALONE = single(PARTS, made)
WAYS = {
    **{name: (*ways, *BY_HAND.get(name, ())) for name, ways in ALONE.items()},
    "divided-by-scores": lambda logits, ids, pad_id: (
        made(average=lambda values, counted: (values * counted).mean())(logits, ids, pad_id)
        / logits.shape[-1]
    ),
    "logarithm-of-the-mean": made(loss=nll(lambda logits: -logits.softmax(-1)), after=lambda p: -p.log()),
}

SKIP = {  # two of which one hides the other, or that answer like two others
    *(("last-place-alone", name) for part in ("where", "average") for name in PARTS[part]),
    ("padding-counted", "divided-by-places"),
    ("padding-alone", "best-token-for-the-next"),
    ("not-shifted", "best-token-for-the-next"),
    ("not-shifted", "padding-alone"),
    ("shifted-back-again", "padding-alone"),
}
PAIRS = of_parts(listed(PARTS, made, SKIP), WORDS)
