"""09a.top-p: other sets, other columns, other sums, and what a tutor says."""

import torch

from course_lib.practice.two_slips import as_tuple, listed, of_parts, single
from course_lib.practice.words import entries


def back(stays, order):
    return torch.zeros_like(stays).scatter(-1, order, stays)


def divided(kept):
    return kept / kept.sum(-1, keepdim=True)


def before(largest):
    return largest.cumsum(-1) - largest


def made(
    descending=True,
    keep=lambda largest, p: before(largest) < p,
    place=back,
    sum_to_1=divided,
    fill=0.0,
):
    """Another order, another set, other columns, another division, another number for what goes."""

    def top_p(probabilities, p):
        largest, order = probabilities.sort(dim=-1, descending=descending)
        stays = place(keep(largest, p), order)
        return sum_to_1(probabilities.masked_fill(~stays, fill))

    return top_p


def first_stays(largest, p):
    stays = largest.cumsum(-1) <= p
    stays[..., 0] = True
    return stays


def left_sorted(keep=lambda largest, p: before(largest) < p, sum_to_1=divided):
    def top_p(probabilities, p):
        largest = probabilities.sort(dim=-1, descending=True).values
        return sum_to_1(largest.masked_fill(~keep(largest, p), 0.0))

    return top_p


def where(rule):
    """Tokens stay by a rule on their own probabilities."""
    return lambda probabilities, p: divided(probabilities.masked_fill(~rule(probabilities, p), 0.0))


def first_k(k):
    def rule(probabilities, p):
        n = min(k(probabilities.shape[-1], p), probabilities.shape[-1])
        return probabilities >= probabilities.topk(max(n, 1)).values[..., -1:]

    return where(rule)


def in_the_batch(probabilities, p):
    """One nucleus for all rows together."""
    flat = probabilities.flatten()[None] / len(probabilities)
    kept = (made(sum_to_1=lambda kept: kept)(flat, p) > 0).view(probabilities.shape)
    return divided(probabilities * kept)


def like_one_row(choose):
    """As many tokens stay in each row as in one of them."""

    def top_p(probabilities, p):
        largest, order = probabilities.sort(dim=-1, descending=True)
        stays = choose(before(largest) < p).expand(largest.shape)
        return divided(probabilities.masked_fill(~back(stays, order), 0.0))

    return top_p


def softmax_again(kept):
    return torch.softmax(kept.masked_fill(kept == 0, -torch.inf), -1)


PARTS = {
    "descending": {"smallest-first": False},
    "keep": {
        "crossing-dropped": (lambda largest, p: largest.cumsum(-1) <= p, first_stays),
        "one-too-many": lambda largest, p: (
            before(largest) - largest.roll(1, -1) * (torch.arange(largest.shape[-1]) > 0) < p
        ),
        "crossing-alone": lambda largest, p: (before(largest) < p) & (largest.cumsum(-1) >= p),
        "first-dropped": lambda largest, p: ~(largest.cumsum(-1) > p).roll(1, -1),
        "the-others-stay": lambda largest, p: before(largest) >= p,
        "one-minus-p": lambda largest, p: before(largest) < 1 - p,
        "each-against-p": lambda largest, p: largest < p,
        "first-alone": lambda largest, p: torch.arange(largest.shape[-1]).expand(largest.shape) == 0,
    },
    "place": {
        "not-sorted-back": lambda stays, order: stays,
        "sorted-twice": lambda stays, order: stays.gather(-1, order),
    },
    "sum_to_1": {
        "not-divided": lambda kept: kept,
        "softmax-again": (
            softmax_again,
            lambda kept: torch.softmax(kept, -1),
            lambda kept: torch.softmax(kept, -1) * (kept > 0),
        ),
        "divided-by-batch": lambda kept: kept / kept.sum(),
        "divided-by-columns": lambda kept: kept / kept.sum(0, keepdim=True).clamp(min=1e-12),
        "divided-by-the-largest": lambda kept: kept / kept.amax(-1, keepdim=True),
    },
}

WAYS = {
    **single(PARTS, made),
    "divided-by-p": lambda probabilities, p: made(sum_to_1=lambda kept: kept / p)(probabilities, p),
    "left-sorted": left_sorted(),
    "minus-infinity": made(sum_to_1=lambda kept: kept, fill=-torch.inf),
    "sum-in-the-order-of-ids": (
        where(lambda x, p: x.cumsum(-1) - x < p),
        where(lambda x, p: x.cumsum(-1) <= p),
    ),
    "by-a-limit": (
        where(lambda x, p: x >= p),
        where(lambda x, p: x >= 1 - p),
        where(lambda x, p: x > (1 - p) / x.shape[-1]),
    ),
    "share-of-the-largest": (
        where(lambda x, p: x >= p * x.amax(-1, keepdim=True)),
        where(lambda x, p: x >= (1 - p) * x.amax(-1, keepdim=True)),
    ),
    "a-share-of-the-tokens": (
        first_k(lambda V, p: int(p * V)),
        first_k(lambda V, p: round(p * V)),
        first_k(lambda V, p: -int(-p * V // 1)),
    ),
    "one-set-for-all-rows": in_the_batch,
    "as-many-as-in-another-row": (
        like_one_row(lambda stays: stays[:1]),
        like_one_row(lambda stays: stays[-1:]),
        like_one_row(lambda stays: stays.any(0, keepdim=True)),
        like_one_row(lambda stays: stays.all(0, keepdim=True)),
    ),
    "nothing-removed": lambda probabilities, p: probabilities,
    "mask-returned": (
        lambda probabilities, p: made(sum_to_1=lambda kept: kept)(probabilities, p) > 0,
        lambda probabilities, p: (made(sum_to_1=lambda kept: kept)(probabilities, p) > 0).float(),
    ),
}

WORDS = entries("""
smallest-first
    You sort from the smallest on, so that the least likely tokens stay. `sort` does so unless it is told
    otherwise: `descending=True`.
crossing-dropped
    The token with which the sum reaches p is dropped. Of 0.5, 0.41 and 0.09 with p = 0.9 the first alone is
    0.5: not enough, so 0.41 must stay. Ask what stands *before* a token: it stays while that sum is below p,
    `cumsum - itself < p`. (The likeliest token then always stays.)
one-too-many
    One token too many stays in each row that has one left: the sum has reached p already before it. A token
    stays while the sum of those before it is below p.
crossing-alone
    Only the token with which the sum reaches p stays. Those before it stay, too.
first-dropped
    The likeliest token itself goes. (When a mask is moved on by one with `roll`, its last entry comes to the
    front: let the first place stay.) Or ask what stands before each token: `cumsum - itself < p`.
the-others-stay
    The wrong way round: what should go stays, and the likeliest tokens go.
one-minus-p
    You count up to 1 - p. The tokens that stay have p together, or more.
each-against-p
    You compare each probability with p. It is their sum that must reach p: sort the row and add up,
    `cumsum`.
first-alone
    One token stays in each row, the likeliest, whatever p is. The next ones stay, too, as long as the sum
    before them is below p.
not-sorted-back
    You choose in the sorted row and apply the choice to the row as it was: then column 0 stays, which need
    not be the likeliest. Carry it back to the ids: `scatter(-1, order, stays)`.
sorted-twice
    You take `gather` with the order of the sorting, and that sorts once more. The way back is `scatter(-1,
    order, stays)`, or `gather` with `order.argsort(-1)`.
left-sorted
    The right tokens, in another order: your rows are still sorted. The column of a token is its id: carry
    them back with `scatter(-1, order, …)`.
not-divided
    The right tokens stay, and your rows sum to less than 1. Divide each by its sum.
divided-by-p
    You divide by p. The tokens that stay sum to p or more: divide by their own sum.
softmax-again
    You take a softmax of probabilities. It makes them more even (and gives something to those that are 0).
    Divide each row by its sum: the proportions stay.
divided-by-batch
    You divide by the sum of the whole table. Each row is a distribution of its own: `sum(dim=-1,
    keepdim=True)`.
divided-by-columns
    You divide by the sums of the columns. Each row is a distribution of its own: `sum(dim=-1, keepdim=True)`.
divided-by-the-largest
    You divide each row by its largest entry. Divide it by its sum.
minus-infinity
    -inf is a word for scores, before a softmax. These are probabilities: what goes gets 0, and the rest is
    divided by its sum.
sum-in-the-order-of-ids
    You add up in the order of the ids. Which tokens stay is decided from the likeliest on: sort each row
    first.
by-a-limit
    You compare each probability with a limit. It is the sum of the likeliest ones that must reach p: sort
    each row, and add up.
share-of-the-largest
    You keep what has a share of the largest probability (a rule that is known as min-p). Here the sum of
    those that stay must reach p.
a-share-of-the-tokens
    You keep a share of the V tokens. p is a share of the probability: one token can be enough.
one-set-for-all-rows
    You sort all rows together. Each row is a distribution of its own, with a set of its own.
as-many-as-in-another-row
    In every row the same number of tokens stays. How many are needed to reach p differs from row to row: each
    has a sum of its own.
nothing-removed
    Nothing is removed. In each row the likeliest tokens stay whose sum reaches p; all others get 0.
mask-returned
    You return which tokens stay. Asked for are their probabilities, each row divided by its sum.
""")
TWO = listed(PARTS, made)
for name, ways in PARTS["sum_to_1"].items():  # the tokens that stay are not carried back to their columns
    TWO["left-sorted", name] = tuple(left_sorted(sum_to_1=way) for way in as_tuple(ways))
TWO["left-sorted", "crossing-dropped"] = tuple(
    left_sorted(keep) for keep in PARTS["keep"]["crossing-dropped"]
)
PAIRS = of_parts(TWO, WORDS)
