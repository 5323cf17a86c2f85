"""08.mean-vector: wrong means, and what a tutor says."""

import torch
from torch.nn import functional as F

from course_lib.practice.two_slips import listed, of_parts, single
from course_lib.practice.words import entries


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


def up_to_the_padding(reduced):
    """The place of the first padding is taken for the number of tokens; 0 where there is no padding."""

    def made(vectors, ids, pad_id):
        ends = (ids == pad_id).int().argmax(1).tolist()
        return torch.stack([reduced(v[:n]) for v, n in zip(vectors, ends, strict=True)])

    return made


def sum_of(mask):
    """A mask in the sum alone; the number is right."""
    return lambda vectors, ids, pad_id: (
        (vectors * mask(ids, pad_id)[:, :, None]).sum(1) / (ids != pad_id).sum(1, keepdim=True)
    )


PARTS = {
    "mask": {
        "mask-turned-round": lambda ids, pad_id: ids == pad_id,
        "zero-for-padding": (lambda ids, pad_id: ids != 0, lambda ids, pad_id: ids > 0),
        "padding-by-size": lambda ids, pad_id: ids > pad_id,
        "first-row-for-all": (first_row, any_row),
        "without-special-tokens": (without(0, -1), without(0), without(-1)),
    },
    "divide": {
        "divided-by-all-places": lambda mask, vectors: vectors.shape[1],
        "not-divided": lambda mask, vectors: 1,
        "divided-by-the-batch": (
            batch_total,
            lambda mask, vectors: len(mask),
            lambda mask, vectors: mask[:, :, 0].sum(1).max(),
        ),
        "root-of-the-number": lambda mask, vectors: mask.sum(1) ** 0.5,
        "one-too-many": (
            lambda mask, vectors: mask.sum(1) + 1,
            lambda mask, vectors: (mask.sum(1) - 1).clamp(min=1),
        ),
    },
    "after": {"length-1": lambda mean: F.normalize(mean, dim=-1), "axis-left": lambda mean: mean[:, None]},
}
ALONE = single(PARTS, wrong)
NO_EFFECT = {(name, "length-1") for name in PARTS["divide"]}

WAYS = {
    **ALONE,
    "mask-turned-round": (
        *ALONE["mask-turned-round"],
        wrong(lambda ids, pad_id: ids == pad_id, lambda mask, vectors: (~mask).sum(1)),
    ),
    "without-special-tokens": (
        *ALONE["without-special-tokens"],
        *(
            wrong(without(*places), lambda mask, vectors: mask.sum(1).clamp(min=1))
            for places in ((0, -1), (0,), (-1,))
        ),
    ),
    "sum-without-special-tokens": tuple(map(sum_of, PARTS["mask"]["without-special-tokens"])),
    "nothing-without-padding": (
        up_to_the_padding(lambda v: v.mean(0)),
        up_to_the_padding(lambda v: v.sum(0) / max(len(v), 1)),
    ),
    "padding-in-the-mean": (wrong(all_places), lambda vectors, ids, pad_id: vectors.mean(1)),
    "padding-in-the-sum": lambda vectors, ids, pad_id: vectors.sum(1) / (ids != pad_id).sum(1, keepdim=True),
    "mean-of-all-rows": (
        lambda vectors, ids, pad_id: vectors[ids != pad_id].mean(0),
        lambda vectors, ids, pad_id: vectors[ids != pad_id].mean(0).expand(len(ids), -1),
    ),
    "mean-then-mask": masked_after,
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
    "places-kept": lambda vectors, ids, pad_id: vectors * (ids != pad_id)[:, :, None],
}

TOLD = entries("""
padding-in-the-mean
    Padding counts in your mean: its vectors are added, and its places are counted. So the vector of a row
    changes with the length of the others in its batch. Leave padding out of both, the sum and the number.
divided-by-all-places
    You divide by T, all places. So the vector of a short row gets smaller the more
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
padding-by-size
    You leave out every id that is not above `pad_id`. Ids are names, and a word may have a smaller one: a
    token is what differs from `pad_id`, `!=`.
first-row-for-all
    You use one row of the mask for the whole batch. Each row has padding of its own.
without-special-tokens
    The first or the last token of each row is missing in your mean. Special tokens count like words: leave
    out padding alone.
sum-without-special-tokens
    The first or the last token of each row is missing in your sum, and it is counted. Special tokens count
    like words: leave out padding alone.
nothing-without-padding
    In a row without padding nothing is left of your mean. You cut each row at the first place of padding, and
    that is 0 where none stands (`argmax` says 0 then). Count the tokens: `(ids != pad_id).sum(1)`.
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
""")

WORDS = TOLD
PAIRS = of_parts(listed(PARTS, wrong, NO_EFFECT, most=3), TOLD)
