"""08.mlm-loss: what learners write; each answer is made of a loss and a share."""

import math
from itertools import product

import torch
from torch.nn import functional as F

from course_lib.practice.chapter_08.mlm_loss_words import TOLD
from course_lib.practice.two_slips import as_tuple, of_outputs, single


def with_label(labels):
    return labels != -100


def not_0(labels):
    return labels > 0


def log_softmax(logits):
    return torch.log_softmax(logits, dim=-1)


def nll(log=log_softmax, where=with_label):
    """Minus the logarithm at each place that counts, (n,), from another table or at other places."""

    def values(logits, labels):
        counted = where(labels)
        return -log(logits)[counted].gather(1, labels[counted].clamp(min=0)[:, None])[:, 0]

    return values


def mean(values=None, after=lambda loss: loss):
    values = values or nll()
    return lambda logits, labels: after(values(logits, labels).mean())


def total(divide=lambda labels: 1):
    return lambda logits, labels: nll()(logits, labels).sum() / divide(labels)


def of_rows(average):
    """Each row has a loss of its own; ``average`` makes one number of them."""

    def loss(logits, labels):
        return average([nll()(logits[b : b + 1], labels[b : b + 1]) for b in range(len(labels))])

    return loss


def as_0(logits, labels):
    """Every place counts: what has no label counts as the word 0."""
    return F.cross_entropy(logits.flatten(0, 1), labels.clamp(min=0).flatten())


def last_word(logits, labels):
    """-100 is taken off the end: the last word of the vocabulary stands for it."""
    return F.cross_entropy(
        logits.flatten(0, 1), labels.masked_fill(labels < 0, logits.shape[-1] - 1).flatten()
    )


def scrambled(logits, labels):
    """Axes are exchanged before places and words are flattened by their number."""
    return F.cross_entropy(logits.transpose(1, 2).reshape(-1, logits.shape[-1]), labels.flatten())


def cut_anew(logits, labels):
    """``view`` for ``transpose``: the numbers are cut into (B, V, T) as they lie."""
    B, T, V = logits.shape
    return F.cross_entropy(logits.reshape(B, V, T), labels)


LOSSES = {
    "everything-counted": (as_0, last_word),
    "zero-not-counted": mean(nll(where=not_0)),
    "divided-by-all": (total(lambda labels: labels.numel()),),
    "divided-by-rows": total(len),
    "divided-by-places": total(lambda labels: labels.shape[1]),
    "not-divided": total(),
    "mean-of-rows": (
        of_rows(lambda rows: torch.stack([row.mean() for row in rows]).mean()),
        of_rows(lambda rows: torch.stack([row.mean() for row in rows]).nanmean()),
        of_rows(lambda rows: torch.stack([row.mean() for row in rows]).nan_to_num(0.0).mean()),
        of_rows(lambda rows: torch.stack([row.sum() / max(len(row), 1) for row in rows]).sum()),
    ),
    "softmax-over-places": (
        mean(nll(lambda logits: torch.log_softmax(logits, dim=1))),
        mean(nll(lambda logits: torch.softmax(logits, dim=1).log())),
        lambda logits, labels: F.nll_loss(log_softmax_of_chosen(logits, labels), labels[labels != -100]),
    ),
    "softmax-over-batch": mean(nll(lambda logits: torch.log_softmax(logits, dim=0))),
    "softmax-over-everything": mean(
        nll(lambda logits: logits.reshape(-1).log_softmax(0).reshape(logits.shape))
    ),
    "last-row-alone": of_rows(lambda rows: [row for row in rows if len(row)][-1].mean()),
    "softmax-twice": (
        mean(nll(lambda logits: log_softmax(logits.softmax(-1)))),
        mean(nll(lambda logits: logits.softmax(-1).softmax(-1).log())),
    ),
    "not-normalised": mean(nll(lambda logits: logits)),
    "no-logarithm": (
        mean(nll(lambda logits: logits.softmax(-1))),
        mean(nll(lambda logits: -logits.softmax(-1))),
        mean(nll(lambda logits: 1 - logits.softmax(-1)), lambda loss: -loss),
    ),
    "logarithm-of-the-mean": mean(nll(lambda logits: -logits.softmax(-1)), lambda p: -p.log()),
    "sign-missing": mean(after=lambda loss: -loss),
    "another-logarithm": tuple(mean(after=lambda loss, base=base: loss / math.log(base)) for base in (2, 10)),
    "perplexity": mean(after=torch.exp),
    "scrambled": (scrambled, cut_anew),
    "best-word-for-right": (
        lambda logits, labels: -log_softmax(logits)[labels != -100].amax(-1).mean(),
        lambda logits, labels: -logits.softmax(-1)[labels != -100].amax(-1).log().mean(),
    ),
}


def log_softmax_of_chosen(logits, labels):
    """A softmax along the chosen places."""
    return torch.log_softmax(logits[labels != -100], dim=0)


def hits(logits, labels):
    return logits.argmax(-1) == labels


def share(where=with_label):
    return lambda logits, labels: hits(logits, labels)[where(labels)].float().mean()


def over(divide, make=lambda hit, labels: hit):
    return lambda logits, labels: make(hits(logits, labels), labels).sum() / divide(labels)


def probability(logits, labels):
    return (-nll()(logits, labels)).exp().mean()


def row_shares(average):
    def right(logits, labels):
        rows = [share()(logits[b : b + 1], labels[b : b + 1]) for b in range(len(labels))]
        return average(torch.stack(rows))

    return right


def zero_in_a_loop(logits, labels):
    """Counted by hand: where every label is 0, 0 stands below the line."""
    total, right, n = 0.0, 0, 0
    for scores, label in zip(logits.flatten(0, 1), labels.flatten().tolist(), strict=True):
        if label > 0:
            total, n = total - scores.log_softmax(0)[label].item(), n + 1
            right += int(scores.argmax()) == label
    return torch.tensor(total / n), torch.tensor(right / n)


def one_for_the_table(logits, labels):
    """`argmax` without an axis: one number for all places together."""
    counted = labels != -100
    return (logits[counted].argmax() == labels[counted]).float().mean()


OF_ROWS = (torch.mean, torch.nanmean, lambda rows: rows.nan_to_num(0.0).mean())
RIGHTS = {
    "right-over-all": over(lambda labels: labels.numel()),
    "right-without-label": (
        over(lambda labels: labels.numel(), lambda hit, labels: hit | (labels == -100)),
        lambda logits, labels: (logits.argmax(-1) == labels.clamp(min=0)).float().mean(),
    ),
    "right-counted": over(lambda labels: 1),
    "right-in-percent": lambda logits, labels: 100 * share()(logits, labels),
    "right-is-wrong": lambda logits, labels: 1 - share()(logits, labels),
    "right-without-0": share(not_0),
    "right-of-rows": tuple(map(row_shares, OF_ROWS)),
    "right-by-probability": probability,
    "right-divided-by-rows": over(len),
    "right-divided-by-places": over(lambda labels: labels.shape[1]),
    "right-scrambled": lambda logits, labels: (
        (logits.reshape(len(labels), -1, labels.shape[1]).argmax(1) == labels)[labels != -100].float().mean()
    ),
    "right-over-places": (
        lambda logits, labels: (logits.softmax(1).argmax(-1) == labels)[labels != -100].float().mean(),
        lambda logits, labels: (
            (log_softmax_of_chosen(logits, labels).argmax(-1) == labels[labels != -100]).float().mean()
        ),
    ),
    "right-over-batch": lambda logits, labels: (
        (logits.softmax(0).argmax(-1) == labels)[labels != -100].float().mean()
    ),
    "right-of-the-last-row": row_shares(lambda rows: rows[~rows.isnan()][-1]),
    "right-for-any": lambda logits, labels: hits(logits, labels).any().float(),
    "right-for-all": lambda logits, labels: share()(logits, labels).floor(),
    "right-without-an-axis": (
        one_for_the_table,
        lambda logits, labels: (logits.argmax() == labels)[labels != -100].float().mean(),
    ),
    "right-by-the-lowest": lambda logits, labels: (
        (logits.argmin(-1) == labels)[labels != -100].float().mean()
    ),
}


def made(loss=None, right=None):
    loss, right = loss or mean(), right or share()
    return lambda logits, labels: (loss(logits, labels), right(logits, labels))


def beside(ways):
    """Ways of one number, for any way of the other one."""
    return {
        name: tuple(lambda logits, labels, both, way=way: way(logits, labels) for way in as_tuple(some))
        for name, some in ways.items()
    }


PARTS = {"loss": LOSSES, "right": RIGHTS}
WAYS = {
    **single(PARTS, made),
    "zero-in-neither": (made(LOSSES["zero-not-counted"], RIGHTS["right-without-0"]), zero_in_a_loop),
    "both-over-all": made(LOSSES["divided-by-all"][0], RIGHTS["right-over-all"]),
    "both-over-rows": made(LOSSES["divided-by-rows"], RIGHTS["right-divided-by-rows"]),
    "neither-divided": made(LOSSES["not-divided"], RIGHTS["right-counted"]),
    "both-scrambled": made(LOSSES["scrambled"][1], RIGHTS["right-scrambled"]),
    "both-over-places": tuple(
        made(loss, right)
        for loss, right in product(LOSSES["softmax-over-places"], RIGHTS["right-over-places"])
    ),
    "both-of-rows": tuple(
        made(loss, right) for loss, right in product(LOSSES["mean-of-rows"], RIGHTS["right-of-rows"])
    ),
    "both-of-the-last-row": made(LOSSES["last-row-alone"], RIGHTS["right-of-the-last-row"]),
    "exchanged": lambda *args: made()(*args)[::-1],
}
PAIRS = of_outputs((beside(LOSSES), beside(RIGHTS)), TOLD)
