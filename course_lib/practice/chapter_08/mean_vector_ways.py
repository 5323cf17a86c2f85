"""08.mean-vector: wrong means, and what a tutor says."""

import torch
from torch.nn import functional as F


def there(ids, pad_id):
    return ids != pad_id


def count(mask, vectors):
    return mask.sum(1)


def wrong(mask=there, divide=count, after=lambda mean: mean):
    """Another mask in the sum, another divisor, or something behind it."""

    def made(vectors, ids, pad_id):
        open_ = mask(ids, pad_id)[:, :, None].expand(vectors.shape)
        return after((vectors * open_).sum(1) / divide(open_, vectors))

    return made


def all_places(ids, pad_id):
    return torch.ones_like(ids, dtype=torch.bool)


def without(*places):
    """Some places of tokens are left out, counted along the tokens of a row; -1 is the last token."""

    def mask(ids, pad_id):
        real = ids != pad_id
        nth = real.cumsum(1) - 1
        last = real.sum(1, keepdim=True)
        for place in places:
            real = real & (nth != (place if place >= 0 else last + place))
        return real

    return mask


def first_row(ids, pad_id):
    return (ids != pad_id)[:1].expand(ids.shape)


def any_row(ids, pad_id):
    return (ids != pad_id).any(0).expand(ids.shape)


def by_row(reduced):
    """Each row alone, from its tokens (n, D)."""

    def made(vectors, ids, pad_id):
        return torch.stack([reduced(v[i != pad_id]) for v, i in zip(vectors, ids, strict=True)])

    return made


def masked_after(vectors, ids, pad_id):
    """A mean over all places, times the share of tokens."""
    return vectors.mean(1) * (ids != pad_id).float().mean(1, keepdim=True)


def by_ids(divide):
    return lambda vectors, ids, pad_id: (vectors * ids[:, :, None]).sum(1) / divide(ids, pad_id)


def batch_total(mask, vectors):
    return mask[:, :, 0].sum()


WAYS = {
    "padding-in-the-mean": (wrong(all_places), lambda vectors, ids, pad_id: vectors.mean(1)),
    "divided-by-all-places": wrong(divide=lambda mask, vectors: vectors.shape[1]),
    "padding-in-the-sum": lambda vectors, ids, pad_id: vectors.sum(1) / (ids != pad_id).sum(1, keepdim=True),
    "not-divided": wrong(divide=lambda mask, vectors: 1),
    "divided-by-the-batch": (
        wrong(divide=batch_total),
        wrong(divide=lambda mask, vectors: len(mask)),
        wrong(divide=lambda mask, vectors: mask[:, :, 0].sum(1).max()),
    ),
    "mean-of-all-rows": (
        lambda vectors, ids, pad_id: vectors[ids != pad_id].mean(0),
        lambda vectors, ids, pad_id: vectors[ids != pad_id].mean(0).expand(len(ids), -1),
    ),
    "mask-turned-round": (
        wrong(lambda ids, pad_id: ids == pad_id),
        wrong(lambda ids, pad_id: ids == pad_id, lambda mask, vectors: (~mask).sum(1)),
    ),
    "zero-for-padding": (
        wrong(lambda ids, pad_id: ids != 0),
        wrong(lambda ids, pad_id: ids > 0),
    ),
    "mean-then-mask": masked_after,
    "first-row-for-all": (wrong(first_row), wrong(any_row)),
    "without-special-tokens": (wrong(without(0)), wrong(without(0, -1)), wrong(without(-1))),
    "C-alone": lambda vectors, ids, pad_id: vectors[:, 0],
    "last-place": (
        lambda vectors, ids, pad_id: vectors[:, -1],
        by_row(lambda v: v[-1]),
    ),
    "largest": (
        by_row(lambda v: v.amax(0)),
        lambda vectors, ids, pad_id: vectors.amax(1),
        lambda vectors, ids, pad_id: vectors.masked_fill((ids == pad_id)[:, :, None], 0.0).amax(1),
    ),
    "over-features": (
        lambda vectors, ids, pad_id: vectors.mean(-1),
        lambda vectors, ids, pad_id: wrong()(vectors, ids, pad_id).mean(-1),
    ),
    "times-the-ids": (
        by_ids(lambda ids, pad_id: (ids != pad_id).sum(1, keepdim=True)),
        by_ids(lambda ids, pad_id: ids.shape[1]),
        by_ids(lambda ids, pad_id: ids.sum(1, keepdim=True)),
    ),
    "length-1": wrong(after=lambda mean: F.normalize(mean, dim=-1)),
    "root-of-the-number": wrong(divide=lambda mask, vectors: mask.sum(1) ** 0.5),
    "one-too-many": (
        wrong(divide=lambda mask, vectors: mask.sum(1) + 1),
        wrong(divide=lambda mask, vectors: (mask.sum(1) - 1).clamp(min=1)),
    ),
    "places-kept": lambda vectors, ids, pad_id: vectors * (ids != pad_id)[:, :, None],
    "axis-left": lambda *args: wrong()(*args)[:, None],
}

WORDS = """
padding-in-the-mean
    Padding counts in your mean: its vectors are added, and its places are counted. So the vector of a row
    changes with the length of the others in its batch. Leave padding out of both, the sum and the number.
divided-by-all-places
    Your sum is right, and you divide it by T, all places. So the vector of a short row gets smaller the more
    padding it has. Divide by the number of its tokens.
padding-in-the-sum
    Your number is right, and the vectors of padding are still in the sum. They are not 0: multiply by the
    mask before you add.
not-divided
    This is the sum. A mean is the sum divided by the number of the row's tokens.
divided-by-the-batch
    You divide all rows by one number. Each row has a number of tokens of its own: (B, 1).
mean-of-all-rows
    This is one mean over the tokens of all rows. Each row has a mean of its own. (`vectors[ids != pad_id]`
    joins the tokens of all rows into one list.)
mask-turned-round
    Your mask is turned round: the vectors of padding are added, and those of the tokens are left out. Tokens
    are where `ids != pad_id`.
zero-for-padding
    You look for 0, and padding need not be 0: its id is `pad_id`, another one in some of these inputs, where
    0 is a word.
mean-then-mask
    You mask after the mean. By then the vectors of padding are in it, and no factor takes them out again:
    mask, then add, then divide.
first-row-for-all
    You use one row of the mask for the whole batch. Each row has padding of its own.
without-special-tokens
    The first or the last token of each row is missing in your mean. Special tokens count like words: leave
    out padding alone.
C-alone
    This is C, the vector of `[CLS]` alone. Asked for is the mean of all tokens' vectors.
last-place
    This is one vector of each row, the last one. Asked for is the mean of all tokens' vectors.
largest
    You take the largest value of each feature. Asked for is the mean.
over-features
    You take a mean over the features, and the vectors become single numbers. The mean runs over the places of
    a row, axis 1.
times-the-ids
    You multiply the vectors by the ids, as if they were the mask. An id is a name and no size: the mask is
    `ids != pad_id`, 1 or 0.
length-1
    You bring each mean to length 1. That helps where vectors are compared; asked for is the mean itself.
root-of-the-number
    You divide by the root of the number of tokens. A mean divides by the number itself.
one-too-many
    Your number of tokens is one too large or too small. It counts the places where `ids != pad_id`.
places-kept
    Padding is set to 0, and that is all: add over the places, axis 1, and divide by the number of tokens.
axis-left
    Your means have an axis of length 1 too many, (B, 1, D): a sum over the places with `keepdim=True` keeps
    their axis.
"""
