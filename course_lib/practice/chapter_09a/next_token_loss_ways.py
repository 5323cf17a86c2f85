"""09a.next-token-loss: other targets, other counts, other losses, and what a tutor says."""

import math

import torch

from course_lib.practice.two_slips import listed, of_parts, single
from course_lib.practice.words import entries


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

WAYS = {
    **single(PARTS, made),
    "divided-by-scores": lambda logits, ids, pad_id: (
        made(average=lambda values, counted: (values * counted).mean())(logits, ids, pad_id)
        / logits.shape[-1]
    ),
    "logarithm-of-the-mean": made(loss=nll(lambda logits: -logits.softmax(-1)), after=lambda p: -p.log()),
}

WORDS = entries("""
not-shifted
    You ask at each place for the token that the model reads there. The scores at a place speak of the next
    one: the targets are `ids[:, 1:]`.
shifted-twice
    You shift twice: the scores at a place are compared with the token after the next one. `logits` was made
    from `ids[:, :-1]`, so `ids[:, 1:]` lies beside it, place by place, and `logits` is not cut at all.
shifted-back-again
    You cut the first place off `logits`, so each place is asked for a token that it has read, or an earlier
    one. `logits` stays whole, (B, T, V); the targets are `ids[:, 1:]`.
one-target-short
    One target of each row is missing, the first or the last. `logits` has T places and all of them have a
    target, `ids[:, 1:]`: nothing is cut off `logits`.
last-place-alone
    Only the last place of each row is asked. That is how one writes; in training all T places are asked at
    once.
scrambled
    Scores and targets do not belong together any more: axes were exchanged, and `reshape` or `view` reads on
    as the numbers lie. (B, T, V) becomes (B · T, V) by `reshape` alone. To bring the V scores to axis 1 there
    is `transpose(1, 2)` alone.
softmax-over-places
    Your softmax runs along the places, so places compete for a token. At each place the V tokens compete: the
    last axis, `dim=-1`.
softmax-over-batch
    Your softmax runs over the rows of the batch, which know nothing of each other. At each place the V tokens
    compete: the last axis, `dim=-1`.
softmax-twice
    You take the softmax twice. `log_softmax` and `cross_entropy` want the scores as they are.
not-normalised
    You take minus the score of the next token. A score means nothing alone: `log_softmax` over the V tokens
    makes a log-probability of it.
no-logarithm
    The logarithm is missing: you work with the probability itself. The loss of a place is minus its natural
    logarithm.
logarithm-of-the-mean
    You take the logarithm of a mean of probabilities. Each place has a loss of its own, minus the logarithm
    of its probability; the mean is taken of these.
sign-missing
    The minus is missing. The logarithm of a probability is below 0 or 0, and a loss is its opposite.
another-logarithm
    You take another logarithm than the natural one. In nats it has base e: `torch.log`, `log_softmax`.
best-token-for-the-next
    You take the highest probability of each place, so the tokens that really stand next have no effect. Look
    the probability up at the target.
padding-counted
    Padding counts: at the end of a short row the model is asked to say `pad_id`, and this is easy to learn.
    So the loss looks better than it is. Leave out the places whose target is `pad_id`.
counted-by-input
    You leave out the places at which the model reads padding. The last token of a short row has padding as
    its target, too, and must not be asked: look at the targets, `ids[:, 1:] != pad_id`.
zero-left-out
    You leave out the id 0. Which id is padding is said by `pad_id`; 0 may be a word.
zero-left-out-too
    You leave out padding, and the id 0 with it. 0 may be a word like any other: only `pad_id` is left out.
padding-alone
    The wrong way round: only padding counts. Leave it out, `targets != pad_id`.
mean-of-rows
    You make one number of each row and then one of the rows. So a token of a short row counts more than one
    of a long row (and a row without targets has no mean). All tokens count alike: one sum, one division.
divided-by-places
    You divide by all B · T places, also by those that do not count. Divide by the number of targets that are
    not padding.
divided-by-rows
    You divide the sum by the number of rows, B. Asked for is the mean over the tokens: divide by the number
    of targets that are not padding.
divided-by-columns
    You divide the sum by the number of places in a row, T. Asked for is the mean over the tokens: divide by
    the number of targets that are not padding.
not-divided
    You add up and do not divide. Then a batch with more tokens has a higher loss. Divide by the number of
    targets that are not padding.
first-tokens-counted
    You divide by all tokens of `ids` that are not padding. The first one of each row is among them, and it is
    never asked for: count the targets, `ids[:, 1:] != pad_id`.
divided-by-scores
    You divide by the number of scores, B · T · V, in which most are no target. (`mean` over a product with a
    one-hot table does so.) Divide by the number of targets that are not padding.
perplexity
    You take exp of the mean: that is the perplexity. Asked for is the loss, in nats.
""")
SKIP = {  # two of which one hides the other, or that answer like two others
    *(("last-place-alone", name) for part in ("where", "average") for name in PARTS[part]),
    ("padding-counted", "divided-by-places"),
    ("padding-alone", "best-token-for-the-next"),
    ("not-shifted", "best-token-for-the-next"),
    ("not-shifted", "padding-alone"),
    ("shifted-back-again", "padding-alone"),
}
PAIRS = of_parts(listed(PARTS, made, SKIP), WORDS)
