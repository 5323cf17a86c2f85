"""05.smoothing: what learners write; right parts are those of ``wrong()``."""

import math

import torch
from torch.nn import functional as F


def log_softmax(logits):
    return torch.log_softmax(logits, dim=-1)


def target(labels, V, epsilon):
    """The smoothed target (n, V)."""
    return (1 - epsilon) * F.one_hot(labels, V) + epsilon / V


def wrong(mix=lambda right, even, e, V: (1 - e) * right + e * even, log=log_softmax):
    """The loss from other log-probabilities, or from another mixture of the two parts."""

    def loss(logits, labels, epsilon):
        counted = labels != -100
        log_p = log(logits)[counted]
        right = log_p.gather(1, labels[counted][:, None])[:, 0]
        return -mix(right, log_p.mean(dim=-1), epsilon, logits.shape[-1]).mean()

    return loss


def parts_of(logits, labels, fill=0):
    """log-probabilities of the right words and their means, (N,) each, with ``fill`` for labels of -100."""
    log_p = log_softmax(logits)
    return log_p.gather(1, labels.masked_fill(labels == -100, fill)[:, None])[:, 0], log_p.mean(dim=-1)


def counting_padding(fill):
    def loss(logits, labels, epsilon):
        right, even = parts_of(logits, labels, fill)
        return -((1 - epsilon) * right + epsilon * even).mean()

    return loss


def divided_by_all(logits, labels, epsilon):
    right, even = parts_of(logits, labels)
    return -(((1 - epsilon) * right + epsilon * even) * (labels != -100)).sum() / len(labels)


def even_part_of_all(divisor):
    """ε of the even part of all positions; ``divisor``: by what its sum is divided."""

    def loss(logits, labels, epsilon):
        right, even = parts_of(logits, labels)
        counted = labels != -100
        by = divisor(counted)
        return -(1 - epsilon) * (right * counted).sum() / counted.sum() - epsilon * even.sum() / by

    return loss


def divergence(log=log_softmax, by=lambda n, V: n):
    def loss(logits, labels, epsilon):
        counted, V = labels != -100, logits.shape[-1]
        q = target(labels[counted], V, epsilon)
        return F.kl_div(log(logits)[counted], q, reduction="sum") / by(len(q), V)

    return loss


def prediction_smoothed(logits, labels, epsilon):
    counted, V = labels != -100, logits.shape[-1]
    p = (1 - epsilon) * torch.softmax(logits[counted], dim=-1) + epsilon / V
    return F.nll_loss(p.log(), labels[counted])


def logits_smoothed(mix):
    def loss(logits, labels, epsilon):
        return F.cross_entropy(mix(logits, epsilon), labels, ignore_index=-100)

    return loss


def over_positions(logits):
    return torch.log_softmax(logits, dim=0)


def log_of_softmax(logits):
    return torch.log(torch.softmax(logits, dim=-1))


def log_with_more(small):
    """log(softmax + something small)."""
    return lambda logits: torch.log(torch.softmax(logits, dim=-1) + small)


def log_from(small):
    """log of the softmax, where what is smaller is raised to this."""
    return lambda logits: torch.log(torch.softmax(logits, dim=-1).clamp(min=small))


MIXTURES = {
    "no-smoothing": lambda right, even, e, V: right,
    "over-the-other-words": lambda right, even, e, V: (1 - e) * right + e * (V * even - right) / (V - 1),
    "not-shared-out": lambda right, even, e, V: (1 - e) * right,
    "own-share-forgotten": lambda right, even, e, V: (1 - e) * right + e * even - e / V * right,
    "spread-on-top": lambda right, even, e, V: right + e * even,
    "epsilon-for-each-word": (
        lambda right, even, e, V: (1 - e) * right + e * V * even,
        lambda right, even, e, V: (1 - e) * right + e * (V * even - right),
    ),
    "shares-exchanged": lambda right, even, e, V: e * right + (1 - e) * even,
    "even-part-added-as-loss": lambda right, even, e, V: (1 - e) * right - e * even,
}
LOGS = {
    "softmax-twice": lambda logits: log_softmax(torch.softmax(logits, dim=-1)),
    "log-of-softmax": (
        log_of_softmax,
        *map(log_with_more, (1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-12)),
        *map(log_from, (1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-12)),
    ),
    "log-of-negatives": lambda logits: log_softmax(logits).log(),
    "softmax-over-positions": over_positions,
    "another-logarithm": tuple(
        lambda logits, base=base: log_softmax(logits) / math.log(base) for base in (2, 10)
    ),
    "logits-not-normalised": lambda logits: logits,
    "probabilities-without-log": lambda logits: torch.softmax(logits, dim=-1),
}

WAYS = {
    **{n: tuple(wrong(w) for w in (m if isinstance(m, tuple) else (m,))) for n, m in MIXTURES.items()},
    **{n: tuple(wrong(log=w) for w in (m if isinstance(m, tuple) else (m,))) for n, m in LOGS.items()},
    "padding-counted": (
        counting_padding(0),
        lambda logits, labels, e: counting_padding(logits.shape[-1] - 1)(logits, labels, e),
    ),
    "divided-by-all": divided_by_all,
    "padding-in-the-even-part": (
        even_part_of_all(len),
        even_part_of_all(lambda counted: counted.sum()),
    ),
    "not-divided": lambda logits, labels, e: wrong()(logits, labels, e) * (labels != -100).sum(),
    "divided-by-words-too": lambda logits, labels, e: wrong()(logits, labels, e) / logits.shape[-1],
    "mean-of-the-table": lambda logits, labels, e: divided_by_all(logits, labels, e) / logits.shape[-1],
    "mean-of-the-table-with-padding": (
        lambda logits, labels, e: counting_padding(0)(logits, labels, e) / logits.shape[-1],
        lambda logits, labels, e: counting_padding((V := logits.shape[-1]) - 1)(logits, labels, e) / V,
    ),
    "kl-given-probabilities": tuple(
        divergence(lambda logits: torch.softmax(logits, dim=-1), by)
        for by in (lambda n, V: n, lambda n, V: n * V, lambda n, V: 1)
    ),
    "entropy-taken-off": divergence(),
    "kl-mean": divergence(by=lambda n, V: n * V),
    "prediction-smoothed": prediction_smoothed,
    "logits-smoothed": (
        logits_smoothed(lambda logits, e: (1 - e) * logits),
        logits_smoothed(lambda logits, e: logits / (1 + e)),
    ),
    "sign-missing": lambda *args: -wrong()(*args),
    "perplexity": lambda *args: wrong()(*args).exp(),
}
WAYS["softmax-over-positions"] = (
    *WAYS["softmax-over-positions"],
    lambda logits, labels, e: wrong(log=over_positions)(logits[labels != -100], labels[labels != -100], e),
)
