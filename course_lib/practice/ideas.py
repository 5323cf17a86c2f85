"""Wrong ideas that return: each is told once, here, and used by every exercise that it fits.

A function of this module takes the exercise's own code, with parts that can be exchanged (see ``parts``), and
gives its misconceptions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import permutations
from typing import Any

import torch

from course_lib.practice import comparing
from course_lib.practice.kinds import Misconception
from course_lib.practice.parts import (
    INFINITY,
    bare,
    block,
    fill,
    hardest,
    keep,
    one_maximum,
    products,
    renormalised,
    rooted,
    softmax,
    to_keys,
    unmasked,
    unscaled,
    zero,
)
from course_lib.practice.words import entries, misconceptions

# What learners add to a sum, so that it is not 0.
SMALL = (0.0, 1e-30, 1e-16, 1e-12, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5)

Ways = Mapping[str, tuple[Callable[..., Any], ...]]

# What a tutor adds to an error of torch (see Exercise.advice).
NOT_FOR_TENSORS = (
    r"not allowed|Boolean value",
    "`not` is for one truth value; for a tensor of them write `~allowed`.",
)
MASK_IN_BRACKETS = (
    r"shape of the mask",
    "A mask in square brackets must have the full shape of what it picks from. `masked_fill` lets a smaller "
    "one broadcast. If you take single sentences or heads out of the mask, give it the full shape before "
    "that, with `allowed.expand(...)`.",
)
SUM_KEEPS_ITS_AXIS = (
    r"(?s)^[^\n]*(/|\.sum\(|\.mean\()[^\n]*\n.*(must match the size|broadcast)"
    r" with \.sum\(|\.mean\(|\.std\( unless keepdims?\s*=|True\)",
    "A sum or a mean takes its axis away, and what is left does not fit any more. With `keepdim=True` the "
    "axis stays, with length 1.",
)
KEYS_TURNED = (
    (
        r"k\.T\b|k\.t\(\)",
        "Where there is a batch, `.T` turns all axes round, the batch too. Only the last two change places: "
        "`k.transpose(-2, -1)`.",
    ),
    (
        r"k\.(transpose|swapaxes)\((?!-2, -1|-1, -2|2, 3|3, 2)|k\.permute\((?!0, 1, 3, 2)",
        "Look at the axes that you exchange: (B, H, S, K) must become (B, H, K, S), so it is the last two, "
        "-2 and -1.",
    ),
)
VIEW_AFTER_TRANSPOSE = (
    r"view size is not compatible",
    "After a `transpose` the numbers are not in order in memory, and `view` needs them so. Use `reshape`, or "
    "`.contiguous()` before `view`: both copy them into order where they must.",
)

_TORCH_READS_ALLOWED = (
    " `scaled_dot_product_attention` reads True as this course does: it takes `allowed` as it is."
)


# --- softmax and mask ---------------------------------------------------------------------------------------

_SOFTMAX = entries("""
softmax-over-queries
    Your softmax runs over the {queries} (axis T): each {key} shares itself out among them. It must be the
    other way round: each {query} shares its attention out over the {key}s, `dim=-1`.
softmax-over-heads
    Your softmax runs over axis 1, the heads: they take attention away from each other. In each head each
    {query} has a weight of 1 of its own, to share out over the {key}s: `dim=-1`.
softmax-over-batch
    Your softmax runs over axis 0, the batch: sentences that know nothing of each other share one budget of
    attention. Each row belongs to one {query} and runs over the {key}s: `dim=-1`.
softmax-over-table
    You divide by the sum of a whole table, so the {queries} share one weight of 1. Each {query} has a 1 of
    its own, and its scores lie along the last axis: `.sum(-1, keepdim=True)`, or `torch.softmax(scores,
    dim=-1)` for all of it.
softmax-twice
    You take the softmax twice. The second one gets numbers between 0 and 1, which are close together, and
    makes the weights much more even. Mask the scores, and take one softmax.
no-softmax
    The softmax is missing: your weights are still scores, which can be negative and of any size. A softmax
    makes each row a set of shares, between 0 and 1, that sum to 1.
log-softmax
    Your weights are logarithms. `log_softmax` is made for losses; a weighted sum needs the weights
    themselves: `softmax`.
hard-choice
    Each {query} takes the {key} with the highest score and no other. It looks sharp, and no gradient flows
    through such a choice, so it could not be learned this way. Let all {key}s count, each with its share.
mask-unused
    `allowed` has no effect. One {query} gives {lost:.0%} of its attention to {forbidden}. Set those scores to
    {low} before the softmax, where `allowed` is False. (`masked_fill` returns a new tensor: did you keep it?)
mask-after-softmax
    You mask after the softmax. What is forbidden gets 0, and what is left keeps its old share: one {row} sums
    to {left:.2f}. The forbidden scores still stand in the denominator. Set them to {low} before the softmax;
    then the allowed {key}s share the whole 1.
infinity-after-softmax
    You write -inf into the weights, after the softmax. There it forbids nothing: what is left keeps its old
    share, and a sum with -inf in it is infinite or NaN. Set the forbidden scores to {low} before the softmax.
mask-inverted
    Your mask is inverted: what is allowed is blocked, and the rest is open. `allowed` is True where attention
    may go. What fills cells, as `masked_fill` does, must be given the forbidden ones, `~allowed`.{inverted}
score-of-zero
    The forbidden scores are 0, or next to it. A score of 0 is an ordinary score, and exp(0) = 1: in one row
    the softmax gives {lost_at_0:.1%} of the weight to {forbidden}. (Set to 0 afterwards, that part is lost:
    the row sums to less than 1.) The score that means 'nothing' is {low}. (-1e-9 is
    next to 0; -1e9 is far below.)
mask-added
    You add the mask itself, and True counts as 1: the scores move by 1, and nothing is blocked. A mask that
    is added must hold {low} where it forbids and 0 elsewhere; with a boolean one, `masked_fill` writes {low}
    for you.
renormalised-afterwards
    Forbidden keys still take part in your softmax, and their share is taken away afterwards. On paper that is
    right. In 32 bits it is not: where a forbidden score is 200 above the allowed ones, these have been
    rounded to 0 already, and no division brings them back (0/0 is NaN). Set the forbidden scores to {low}
    before the softmax.
not-low-enough
    The forbidden scores are lowered, and not far enough: exp(-1) is 0.37, and exp(-10) is still 0.00005.
    Where the allowed scores are low themselves, the forbidden ones take most of the row's 1. Their share must
    be exactly 0: set these scores to {low}.
exponentials-overflow
    exp overflows: the largest score here is {top:.0f}, and exp of a number above 89 is infinite in float32;
    ∞/∞ is NaN. First set the forbidden scores to {low}, since one of them may be the largest; then take the
    largest off each row, `scores - scores.amax(-1, keepdim=True)`: no share changes by it. `torch.softmax`
    does this second step for you.
one-maximum
    You take one maximum off all rows. On paper no share changes by it. In 32 bits exp gives 0 for all numbers
    below about -104, and the best score of one row here lies {gap:.0f} or more below that maximum: such a row
    is 0/0, which is NaN, or 0 where something small is added. Set the forbidden scores to {low} first, and
    take its own maximum off each row, `scores.amax(-1, keepdim=True)`; `torch.softmax` does this second step
    for you.
rows-too-small
    The shares stand in the right proportion, and they do not sum to 1: one row sums to {total:.4f}. Divide by
    the sum itself; is something added to it?
zero-times-infinity
    Every value is NaN. If you multiply the mask by -inf, look there: where it is 0, 0 · ∞ is NaN. Write only
    into the forbidden cells: `masked_fill(~allowed, ...)`.
""")


def masked_softmax(
    make: Callable[..., Callable[..., Any]],
    table: Callable[..., tuple[torch.Tensor, torch.Tensor]],
    axes: Mapping[str, Any],
    *,
    also: tuple[dict[str, Any], ...] = ({},),
    more: Ways | None = None,
    leave: tuple[str, ...] = (),
    nan_spreads: bool = False,
    weights: bool = False,
    query: str = "query",
    key: str = "key",
    forbidden: str = "keys that it must not see",
    low: str = "-inf",
    row: str = "row",
    inverted: str = "",
) -> tuple[Misconception, ...]:
    """What goes wrong in softmax(scores) under a mask.

    Args:
        make: the exercise's function with other parts, ``make(mask=, share=, after=)``.
        table: ``(scores, allowed)`` from the function's arguments, to measure with.
        axes: name → axis of the softmaxes that are wrong here: queries, heads, batch, table (several axes).
        also: further parts that learners exchange at the same time.
        more: name → further ways of these ideas.
        leave: names of ideas that are right here, or that the exercise tells itself.
        nan_spreads: True where one weight of -inf makes every value NaN: such ways cannot be told apart.
        weights: True where the answer is the weights: then some ideas are known by their signs.
        query, key, forbidden, low, row, inverted: words for the slots of the sentences.
    """
    every = lambda **parts: tuple(make(**{"after": keep, **parts, **others}) for others in also)  # noqa: E731
    low_fills = (block, fill(-1e9))
    finite = low_fills[1:] if nan_spreads else low_fills
    ways: dict[str, tuple[Callable[..., Any], ...]] = {}
    for name, axis in axes.items():
        sums = [softmax(*one) for one in axis] if name == "table" else [softmax(axis)]
        ways[f"softmax-over-{name}"] = _all(
            every(share=share, mask=mask) for share in sums for mask in (*low_fills, unmasked)
        )
    twice = lambda scores: torch.softmax(torch.softmax(scores, -1), -1)  # noqa: E731
    ways["softmax-twice"] = _all(
        [
            *(every(share=twice, mask=mask) for mask in low_fills),
            every(mask=lambda s, a: block(to_keys(s), a)),
            *(every(mask=lambda s, a, m=mask: m(to_keys(m(s, a)), a)) for mask in low_fills),
            every(mask=lambda s, a: zero(to_keys(s), a)),
            every(mask=lambda s, a: fill(-1e9)(to_keys(s), a)),
        ]
    )
    ways["no-softmax"] = _all(every(share=lambda s: s, mask=mask) for mask in (*finite, fill(0.0), unmasked))
    ways["log-softmax"] = _all(
        every(share=lambda s: torch.log_softmax(s, -1), mask=mask)
        for mask in (*finite, lambda s, a: fill(torch.finfo(s.dtype).min)(s, a))
    )
    ways["hard-choice"] = _all(every(share=hardest, mask=mask) for mask in low_fills)
    ways["mask-unused"] = tuple(make(**{**others, "mask": unmasked, "after": keep}) for others in also)
    ways["mask-after-softmax"] = (make(mask=unmasked, after=zero),)
    if not nan_spreads:
        ways["infinity-after-softmax"] = (make(mask=unmasked, after=block),)
    ways["mask-inverted"] = _all(every(mask=lambda s, a, m=mask: m(s, ~a)) for mask in low_fills)
    ways["score-of-zero"] = _all(every(mask=mask) for mask in (fill(-1e-9), fill(0.0), lambda s, a: s * a))
    ways["not-low-enough"] = _all(
        every(mask=fill(value)) for value in (-1.0, -5.0, -10.0, -12.0, -15.0, -20.0, -30.0, -50.0, -100.0)
    )
    ways["mask-added"] = _all(
        every(mask=mask)
        for mask in (
            lambda s, a: s + a.float(), lambda s, a: s - a.float(),
            lambda s, a: s + (~a).float(), lambda s, a: s - (~a).float(),
        )
    )  # fmt: skip
    ways["zero-times-infinity"] = every(mask=lambda s, a: s + (~a) * -INFINITY)

    ways["renormalised-afterwards"] = tuple(
        make(mask=unmasked, after=after)
        for after in (
            *map(renormalised, (0.0, 1e-9, 1e-6)),
            lambda w, a: renormalised()(w, a).nan_to_num(0.0),
        )
    )
    ways["exponentials-overflow"] = (
        *(make(share=bare, mask=mask) for mask in low_fills),
        make(share=torch.exp, mask=unmasked, after=lambda e, a: e * a / (e * a).sum(-1, keepdim=True)),
        make(share=torch.exp, mask=unmasked, after=renormalised()),
    )
    ways["one-maximum"] = tuple(
        make(mask=one_maximum(small, of_all), share=lambda e: e, after=after)
        for small in (0.0, 1e-12, 1e-9, 1e-8)
        for of_all in (True, False)
        for after in (keep, lambda w, a: w.nan_to_num(0.0))
    )
    ways["rows-too-small"] = (make(after=lambda w, a: w / 1.01), make(after=lambda w, a: w / 1.1))

    def rows(args):
        """The scores, the mask, and what a softmax without it leaves to the allowed keys of each row."""
        scores, allowed = table(*args)
        allowed = allowed.expand(scores.shape)
        return scores, allowed, (torch.softmax(scores, -1) * allowed).sum(-1, keepdim=True)

    def overflowed(expected, got, args):
        """NaN stands where exp overflows or leaves nothing, and the rows where it does neither are right."""
        scores, allowed, _ = rows(args)
        bad, alive = ~torch.isfinite(got).all(dim=-1), allowed.any(dim=-1)
        sums = torch.exp(scores).masked_fill(~allowed, 0.0).sum(-1)
        must = alive & sums.isinf()
        faint = alive & (sums < 1e-6)  # 0/0; or 0, where something small keeps the sum from 0
        may = must | faint | (alive & torch.exp(scores).isinf().any(-1))
        sure = ~bad & ~faint
        fits = bool(bad.any()) and bool((bad | ~must).all()) and bool((may | ~bad).all())
        return fits and torch.allclose(got[sure], expected[sure], atol=1e-4)

    def vanished(expected, got, args):
        """As a softmax without the mask leaves it, divided by its sum and perhaps by a little more."""
        _, _, left = rows(args)
        return lost_with(left, expected, got)

    def lost_with(left, expected, got):
        """Each row is the right one, times its sum over itself and a little more; 0/0 where the sum is 0."""
        for small in SMALL:
            share = left / (left + small) if small else (left > 0).float()
            if torch.allclose(got.nan_to_num(0.0), expected * share, atol=1e-4):
                return bool(((left == 0) | torch.isfinite(got)).all())
        return False

    def under_one_top(expected, got, args):
        """As exp leaves it, after the largest of all scores, or of all allowed ones, is taken off."""
        scores, allowed, _ = rows(args)
        low = scores.masked_fill(~allowed, -INFINITY)
        sums = (torch.exp(low - top.max()).sum(-1, keepdim=True) for top in (scores, low))
        return any(lost_with(left, expected, got) for left in sums)

    def leaking(expected, got, args):
        """Allowed keys share as they should; forbidden ones take something, and may be set to 0 then."""
        scores, allowed, _ = rows(args)
        alive, share = allowed.any(-1, keepdim=True), (got * allowed).sum(-1, keepdim=True)
        alike = torch.allclose(got * allowed * alive, expected * share * alive, atol=1e-4)
        if not alike or not bool((got >= 0).all()):
            return False
        best, first = scores.masked_fill(~allowed, -INFINITY).max(-1, keepdim=True)
        outside = got.masked_fill(allowed, 0.0)
        if bool((outside == 0).all()):
            lost = (share <= 0.999) & alive  # to a low number; to a large forbidden score is another story
            if not bool(lost.any()) or not bool((best < -5)[lost].all()):
                return False
            # the one number that stood at every forbidden place, if there was one
            kept = scores.masked_fill(~allowed, -INFINITY).logsumexp(-1, keepdim=True)
            blocked = (~allowed).expand(scores.shape).sum(-1, keepdim=True)
            filled = (kept + ((1 - share) / share).log() - blocked.log())[lost]
            return filled.numel() > 1 and bool(filled.max() - filled.min() < 0.1)
        held = got.gather(-1, first)
        cells = (outside > 1e-30) & alive & (held > 1e-30)
        if not bool(cells.any()):
            return None
        lowered = (best + outside.log() - held.log())[cells]  # the scores that these shares came from
        written, moved = lowered.max() - lowered.min() < 0.1, lowered - scores[cells]
        return bool((lowered < -0.5).all() and written) or bool(
            (moved < -0.5).all() and moved.max() - moved.min() < 0.2
        )

    def too_small(expected, got, args):
        """Every row is a part of the right one, with nothing on forbidden keys."""
        share = got.sum(-1, keepdim=True)
        allowed = rows(args)[1]
        alive = allowed.any(dim=-1)
        if bool((got.masked_fill(allowed, 0.0) != 0).any()) or bool(
            (share.squeeze(-1)[alive] > 0.9999).all()
        ):
            return False
        part = bool((share < 1 + 1e-6).all()) and bool((share.squeeze(-1)[alive] > 0.5).all())
        return part and torch.allclose(got, expected * share, atol=1e-6)

    def measure(expected, got, args):
        scores, allowed = table(*args)
        allowed = allowed.expand(scores.shape)
        alive = allowed.any(dim=-1)
        kept = (torch.softmax(scores, -1) * allowed).sum(-1)[alive].min().item()
        at_0 = (torch.softmax(fill(0.0)(scores, allowed), -1) * allowed).sum(-1)[alive].min().item()
        return {"left": kept, "lost": 1 - kept, "lost_at_0": 1 - at_0}

    def gap(expected, got, args):
        """How far the best allowed score of a row may lie below the largest one of all."""
        scores, allowed, _ = rows(args)
        low = scores.masked_fill(~allowed, -INFINITY)
        best = low.amax(-1)[allowed.any(-1)]
        below = [(most.max() - best.min()).item() for most in (low, scores)]
        found = next((number for number in below if number > 104), None)
        if found is None:
            raise ValueError("on this input every row keeps an exponential above 0")
        return {"gap": found}

    def top(expected, got, args):
        largest = table(*args)[0].max().item()
        if largest <= 89 or torch.isfinite(got).all():
            raise ValueError("on this input exp does not overflow")
        return {"top": largest}

    def total(expected, got, args):
        alive = table(*args)[1].expand(table(*args)[0].shape).any(dim=-1)
        return {"total": got.sum(-1)[alive].min().item()}

    queries = "queries" if query == "query" else query + "s"
    names = {
        "query": query,
        "queries": queries,
        "key": key,
        "forbidden": forbidden,
        "low": low,
        "row": row,
        "inverted": inverted,
    }
    measured = ("mask-unused", "mask-after-softmax", "score-of-zero")
    measures = dict.fromkeys(measured, measure)
    measures |= {"rows-too-small": total, "exponentials-overflow": top, "one-maximum": gap}
    signs = {
        "not-low-enough": leaking,
        "renormalised-afterwards": vanished,
        "exponentials-overflow": overflowed,
        "one-maximum": under_one_top,
        "rows-too-small": too_small,
    }
    if not weights:
        leave = (*leave, "rows-too-small")
        signs = {"exponentials-overflow": overflowed}
    signs = {name: _not_of_gradients(sign) for name, sign in signs.items()}
    return _told(_SOFTMAX, ways, more, leave, measures, names, signs)


# --- scale --------------------------------------------------------------------------------------------------

_SCALE = entries("""
no-scale
    The scale is missing: your scores are √{K} ≈ {root_K:.2f} times too large. A sum of {K} products of
    numbers with variance 1 has variance {K}; divided by √{K} it is 1 again, and the softmax does not
    saturate.
scaled-by-d-model
    Your scores are √{H} ≈ {root_H:.2f} times too small: you divide by √{D}, the root of d_model, the features
    of all heads together. A dot product is taken inside one head: divide by √{K}, the root of d_k.
divided-by-d-model
    Your scores are {times_model:.2f} times too small: you divide by {D} = H · K, the features of all heads
    together, and not by a root. A dot product is taken inside one head: divide by √{K}, the root of d_k.
divided-by-d-k
    Your scores are {root_K:.2f} times too small: you divide by d_k = {K} and not by its root (or by √{K}
    twice). The variance of a raw score is about d_k, so its standard deviation is √d_k.
power-before-division
    You divide by {half:.3g}, which is {K} / 2, where √{K} ≈ {root_K:.2f} belongs. (`(d_k ** 1 / 2)` does so:
    Python takes the power first and divides afterwards.) The root is `d_k ** 0.5`, or `d_k ** (1 / 2)`.
power-before-division-below
    You divide by 2 · {K} = {twice:.3g}, where √{K} ≈ {root_K:.2f} belongs. (`/ d_k ** 1 / 2` does so: Python
    takes the power first, then divides by it and by 2.) The root is `d_k ** 0.5`, or `d_k ** (1 / 2)`.
multiplied-by-root
    You multiply by √{K} where you should divide: your scores are {K} times too large.
scaled-by-positions
    You divide by the root of a number of positions, T or S. A score is a sum over the features of one key, so
    its size grows with their number: d_k = {K}, `k.shape[-1]`.
scaled-by-heads
    You divide by the root of the number of heads, √{H}. A score is a sum over the features of one head:
    divide by √{K}, the root of d_k.
scaled-by-batch
    You divide by the batch size, {B}, or its root: `len(k)` is the first axis. d_k is the last one, the {K}
    features of a key: `k.shape[-1]`.
fixed-number
    You divide by a fixed number. √4 fits the cards of chapter 02, whose d_k is 4, and √64 the paper's base
    model; here a key has {K} features. Take the number from the keys: `k.shape[-1]`.
scaled-twice
    You divide by √{K} before the softmax, and by √{K} once more after it: your rows of weights sum to
    {one_over:.2f}. Once is enough, before the softmax.
scale-after-softmax
    You divide after the softmax, so your rows of weights sum to {one_over:.2f}, and the softmax has seen
    the unscaled scores: where they are large, it is saturated already. Divide by √{K} before the softmax.
no-scale-mask-after
    Two steps are not in their place. You mask after the softmax, so one row of weights sums to {left:.2f}:
    put -inf into the scores first. And the scale is missing: divide the scores by √{K}, the root of d_k.
""")


def scale(make, heads, *, leave: tuple[str, ...] = ()) -> tuple[Misconception, ...]:
    """What goes wrong with 1/√d_k.

    Args:
        make: the exercise's function with other parts, ``make(scale=, late=)``; ``late`` is a factor on the
            weights.
        heads: ``(q, k, allowed)`` from the function's arguments, with axes (B, H, positions, K).
        leave: as in ``masked_softmax``.
    """
    by = lambda *scales: tuple(make(scale=one) for one in scales)  # noqa: E731
    right = rooted(lambda q, k, v: k.shape[-1])
    ways = {
        "no-scale": by(unscaled),
        "scaled-by-d-model": by(rooted(lambda q, k, v: q.shape[1] * q.shape[-1])),
        "divided-by-d-model": by(lambda q, k, v: 1 / (q.shape[1] * q.shape[-1])),
        "divided-by-d-k": by(lambda q, k, v: 1 / k.shape[-1]),
        "power-before-division": by(lambda q, k, v: 2 / k.shape[-1]),
        "power-before-division-below": by(lambda q, k, v: 1 / (2 * k.shape[-1])),
        "multiplied-by-root": by(lambda q, k, v: k.shape[-1] ** 0.5),
        "scaled-by-positions": by(rooted(lambda q, k, v: k.shape[-2]), rooted(lambda q, k, v: q.shape[-2])),
        "scaled-by-heads": by(rooted(lambda q, k, v: k.shape[1])),
        "scaled-by-batch": by(rooted(lambda q, k, v: len(k)), lambda q, k, v: 1 / len(k)),
        "fixed-number": by(*(lambda q, k, v, n=n: n**-0.5 for n in (4, 16, 64, 64**2, 512, 512**2))),
        "scaled-twice": (make(late=right),),
        "scale-after-softmax": (make(scale=unscaled, late=right),),
        "no-scale-mask-after": (make(scale=unscaled, mask=unmasked, after=zero),),
    }

    def measure(expected, got, args):
        q, keys, allowed = heads(*args)
        b, h, _, k = q.shape
        left = (to_keys(q @ keys.transpose(-2, -1)) * allowed).sum(-1).min().item()
        roots = {
            "half": k / 2,
            "twice": 2 * k,
            "root_K": k**0.5,
            "root_H": h**0.5,
            "one_over": k**-0.5,
            "times_model": h * k**0.5,
        }
        return {"B": b, "H": h, "K": k, "D": h * k, "left": left, **roots}

    return _told(_SCALE, ways, None, leave, dict.fromkeys(_SCALE, measure), {})


def scaled_attention(make, heads, **more) -> tuple[Misconception, ...]:
    """Scale, mask and softmax of attention with heads, (B, H, T, S); parameters as in both."""

    def table(*args):
        q, k, allowed = heads(*args)
        return q @ k.transpose(-2, -1) / k.shape[-1] ** 0.5, allowed

    def large(*args):
        q, k, allowed = heads(*args)
        return q @ k.transpose(-2, -1), allowed

    def without(**exchanged):
        return make(**{"scale": unscaled, **exchanged})

    axes = {"queries": 2, "heads": 1, "batch": 0, "table": ((0, 1, 2, 3), (2, 3))}
    says = {"row": "row of weights", "inverted": _TORCH_READS_ALLOWED}
    own = more.pop("more", None) or {}
    zeros = tuple(make(mask=fill(value), after=zero) for value in (0.0, -1e-9))
    own = {**own, "score-of-zero": (*own.get("score-of-zero", ()), *zeros)}
    both = masked_softmax(without, large, axes, **says, **{**more, "leave": ()})
    return (
        *scale(make, heads),
        *masked_softmax(make, table, axes, more=own, **says, **more),
        # where the mask or the softmax is wrong, the scale is often missing too
        *(
            _with_no_scale(idea)
            for idea in both
            if idea.name not in (*_SAME_UNSCALED, *more.get("leave", ()))
        ),
    )


# Ideas that give the same answers with and without the scale, or that another one tells with it.
_SAME_UNSCALED = (
    "hard-choice", "zero-times-infinity", "infinity-after-softmax", "mask-after-softmax",
    "exponentials-overflow", "one-maximum", "renormalised-afterwards",
)  # fmt: skip
_NO_SCALE = " And there is a second slip: the scale is missing, divide the scores by √d_k."


def _with_no_scale(idea: Misconception) -> Misconception:
    said = idea.sentence
    told = said + _NO_SCALE if isinstance(said, str) else (lambda *seen: said(*seen) + _NO_SCALE)
    return replace(idea, name=f"{idea.name}-no-scale", sentence=told, sign=None)


# --- the weighted sum ---------------------------------------------------------------------------------------

_SUM = entries("""
plain-mean
    This is the plain mean of the {value}s: {unused} no effect, and every {query} gets the same vector. Let
    each {value} count with its weight.{mean}
plain-sum
    This is the plain sum of the {value}s, each counted with 1: {unused} no effect, and every {query} gets the
    same vector. Each {value} must count with its weight.{sum}
no-sum
    The products are right and the sum is missing: you still have one vector for each {value}. Sum over the
    {value}s (S), or let `{weights} @ {values}` multiply and sum at once.
summed-over-features
    You sum over the features, and the vectors become single numbers. What comes back is as long as one of the
    {value}s: sum over the {value}s (S).
divided-by-length
    You take the mean where the sum belongs: what you return is {n} times too small. The weights sum to 1
    already, so the weighted sum is a mean as it stands.
weights-returned
    These are the weights: where to look. The last step is missing, to fetch what stands there: `{weights} @
    {values}`.
hard-choice
    You fetch the one {value} with the largest weight. It looks sharp, and no gradient flows through a choice,
    so it could not be learned this way. Mix all {value}s, each with its weight.
softmax-twice
    You take a softmax of weights that had one already. The second softmax makes them much more even{twice}.
    Use the weights as they are.
""")


def weighted_sum(make, values_of, *, more=None, leave=(), **names: str) -> tuple[Misconception, ...]:
    """What goes wrong in Σⱼ weightⱼ valueⱼ.

    Args:
        make: the exercise's function with another sum, ``make(mix)``; the weights are right.
        values_of: the values (..., S, D) among the function's arguments.
        more, leave: as in ``masked_softmax``.
        names: words for the slots: query, value, weights, values (as the code calls them), unused, ...
    """

    def spread(reduced):  # what is the same for all queries, with and without an axis for them
        return (
            make(lambda w, v: reduced(v)),
            make(lambda w, v: reduced(v).unsqueeze(-2)),
            make(lambda w, v: torch.ones_like(w[..., :1]) * reduced(v).unsqueeze(-2)),
        )

    ways = {
        "plain-mean": spread(lambda v: v.mean(-2)),
        "plain-sum": spread(lambda v: v.sum(-2)),
        "no-sum": (make(products), make(lambda w, v: products(w, v).transpose(-2, -1))),
        "summed-over-features": (make(lambda w, v: products(w, v).sum(-1)),),
        "divided-by-length": (make(lambda w, v: products(w, v).mean(-2)),),
        "weights-returned": (make(lambda w, v: w),),
        "hard-choice": (make(lambda w, v: hardest(w) @ v),),
        "softmax-twice": (make(lambda w, v: torch.softmax(w, -1) @ v),),
    }
    name = names.get("value", "value")
    measures = {"divided-by-length": lambda expected, got, args: {"n": values_of(*args).shape[-2]}}
    names = {"query": "query", "value": name, "mean": "", "sum": "", "twice": ""} | names
    return (*_told(_SUM, ways, more, leave, measures, names), *sum_in_a_loop(make, name))


_LOOP = entries("""
one-short
    One {value} is left out of the sum, the first or the last: does a loop run one short? `range(n)` counts
    all of them, 0 … n - 1; `range(n - 1)` and `range(1, n)` leave one out.
last-one-only
    Only the last {value} is left of the sum. In a loop, `total = …` forgets what was summed so far: write
    `total = total + …`, beginning with 0.
""")


def sum_in_a_loop(make, value: str = "value") -> tuple[Misconception, ...]:
    """Slips in ``for j in range(n): total += weights[j] * values[j]``; ``make`` is as in ``weighted_sum``."""
    ways = {
        "one-short": (
            make(lambda w, v: w[..., :-1] @ v[..., :-1, :]),
            make(lambda w, v: w[..., 1:] @ v[..., 1:, :]),
        ),
        "last-one-only": (make(lambda w, v: w[..., -1:] @ v[..., -1:, :]),),
    }
    return _told(_LOOP, ways, None, (), {}, {"value": value})


_ROWS = entries("""
sum-goes-on
    Each {query} but the first has the sums of those before it in its own. In a loop over the {queries}, the
    line that sets the sum to 0 must stand inside of it: each of them begins anew.
same-row-for-all
    Every {query} has the same row, the one that belongs to the last of them. Did you put one and the same
    tensor into a list again and again, and change it in place? Then every entry shows its last state. Make a
    new tensor for each {query}.
all-rows-added
    Every {query} has the same row, the sum of what belongs to all of them. Do they share one tensor, to which
    each adds its part? (`[zeros] * n` holds one tensor, n times.) Each {query} needs a row of its own.
""")


def rows_in_a_loop(make, query: str = "query") -> tuple[Misconception, ...]:
    """Slips in a loop over the queries; ``make`` is as in ``weighted_sum``, with an axis for the queries."""

    def all_in_a_row(w, v):
        rows = w @ v
        return rows.flatten(0, -2).cumsum(0).view(rows.shape)

    def of_a_sentence(w, v):
        rows = w @ v
        return rows.flatten(1, -2).cumsum(1).view(rows.shape)

    ways = {
        "sum-goes-on": (
            make(lambda w, v: (w @ v).cumsum(-2)),
            make(of_a_sentence),
            make(all_in_a_row),
        ),
        "same-row-for-all": (
            make(lambda w, v: (w @ v)[..., -1:, :].expand(*w.shape[:-1], -1)),
            make(lambda w, v: (w @ v).flatten(0, -2)[-1].expand(*w.shape[:-1], -1)),
        ),
        "all-rows-added": (
            make(lambda w, v: (w @ v).sum(-2, keepdim=True).expand(*w.shape[:-1], -1)),
            make(lambda w, v: (w @ v).flatten(0, -2).sum(0).expand(*w.shape[:-1], -1)),
        ),
    }
    queries = "queries" if query == "query" else query + "s"
    return _told(_ROWS, ways, None, (), {}, {"query": query, "queries": queries})


# --- query, key and value in each other's place -------------------------------------------------------------

_ROLES = entries("""
weights-on-keys
    You mix the keys with your weights. Keys are for finding, values are what is found: the last product is
    `{weights} @ {values}`. Where keys and values have the same size, no error warns you.
values-compared
    You compare the {query} with the values. A query is compared with keys; a value is carried by its key and
    never compared. It only runs where keys and values have the same number of features.
""")


def roles(*, on_keys, values_compared, **names: str) -> tuple[Misconception, ...]:
    """Keys where values belong, and values where keys belong; each a tuple of the exercise's own ways."""
    return misconceptions(_ROLES, {"weights-on-keys": on_keys, "values-compared": values_compared}, **names)


_HEADS = entries("""
same-keys-for-all-heads
    All heads share the queries, keys or values of head 0. (Sharing keys and values is a known way to save
    memory, multi-query attention, and another layer.) Here each head has its own{own}.
""")


def head_0_for_all(make, own: str = "") -> tuple[Misconception, ...]:
    """``make(names)``: the exercise's function where all heads get head 0's, with names out of "qkv"."""
    return misconceptions(
        _HEADS, {"same-keys-for-all-heads": tuple(map(make, ("kv", "k", "v", "q")))}, own=own
    )


_MASKS = entries("""
one-mask-for-all-heads
    All heads use one mask. `allowed` may hold another one for each head: here its shape is {shape}, and
    {others} of its cells differ from those of head 0. Head h has its own mask{own}; scores (B, H, T, S),
    with all heads at once, take `allowed` whole.
mask-of-the-first-sentence
    All sentences use the mask of the first one. Each sentence has its own padding; scores (B, H, T, S), with
    all sentences at once, take `allowed` whole.
""")


def masks_that_are_shared(with_mask, allowed_of, own: str = "") -> tuple[Misconception, ...]:
    """One mask for all heads, or for all sentences.

    Args:
        with_mask: the exercise's function with another mask; it gets a function of ``allowed`` (B, H, T, S).
        allowed_of: ``allowed`` (B, H, T, S) from the function's arguments.
        own: how the code calls a head's mask.
    """

    def measure(expected, got, args):
        mask = allowed_of(*args)
        return {"shape": tuple(mask.shape), "others": int((mask != mask[:, :1]).sum())}

    heads = (
        lambda mask: mask[:, :1],
        lambda mask: mask[:, -1:],
        lambda mask: mask.any(dim=1, keepdim=True),
        lambda mask: mask.all(dim=1, keepdim=True),
        lambda mask: mask[:1, :1],
    )
    ways = {
        "one-mask-for-all-heads": tuple(map(with_mask, heads)),
        "mask-of-the-first-sentence": (with_mask(lambda mask: mask[:1]),),
    }
    return misconceptions(_MASKS, ways, {"one-mask-for-all-heads": measure}, own=own)


_CAUSAL = entries("""
causal-always
    You block the future in every input. Which cells are open is not for this function to decide: `allowed`
    says it{so}.
""")


def causal_always(*ways, so: str = "") -> tuple[Misconception, ...]:
    """A causal mask where none is asked, with `allowed` or in its place; ``so``: more words."""
    return misconceptions(_CAUSAL, {"causal-always": ways}, so=so)


# --- boolean masks, True = may attend -----------------------------------------------------------------------

_MASK = entries("""
inverted
    Your mask is inverted: it is True where attention is blocked{what}. Some libraries count that way. In this
    course True = may attend, so yours is the exact opposite: `~mask`.
additive
    The places are right, and this is the other form of a mask: 0 and -∞, made to be added to the scores. Here
    the mask is boolean, True = may attend{instead}.
mirrored
    Left and right have changed places: key 0 stands in your last column, and the last key in column 0. The
    columns are the keys in their order, key 0 on the left.
""")


MIRRORED = _MASK["mirrored"]


def boolean_mask(
    reference: Callable[..., torch.Tensor], *, what: str = "", instead: str = "", leave: tuple[str, ...] = ()
):
    """A mask in another form than the course's. ``what``: which cells are True in the inverted one.

    The sentences say that nothing else is wrong, so an exercise adds no further ways to them.
    """

    def added(value):
        return lambda *args: torch.zeros(reference(*args).shape).masked_fill(~reference(*args), value)

    ways = {
        "inverted": (lambda *args: ~reference(*args),),
        "additive": (added(-INFINITY), added(-1e9)),
        "mirrored": (lambda *args: reference(*args).flip(-1),),
    }
    return _told(_MASK, ways, None, leave, {}, {"what": what, "instead": instead})


# --- axes ---------------------------------------------------------------------------------------------------


def view_for_transpose(name: str, did: str, so: str, *ways, measure=None) -> tuple[Misconception, ...]:
    """Axes that ``view`` or ``reshape`` should exchange.

    Args:
        name: the misconception's name.
        did, so: what the learner did; what came of it, and what to do.
        ways: wrong functions.
        measure: numbers for the slots of ``so``, as in ``words.misconceptions``.
    """
    told = f"{did} Neither moves a number: both read on in memory, so no axes change places. {so}"
    return misconceptions({name: told}, {name: ways}, {name: measure} if measure else None)


def squeezed(reference: Callable[..., torch.Tensor]) -> tuple[Misconception, ...]:
    """A bare ``squeeze()`` at the end; for exercises in which some right answer has an axis of length 1."""
    told = """
        `squeeze()` without an axis takes away every axis of length 1, also one that has it by chance: a
        single sentence, a single head, a single query. Name the axis that must go;
        if none must, leave it out.
    """
    return misconceptions(
        {"squeezed": " ".join(told.split())}, {"squeezed": lambda *args: reference(*args).squeeze()}
    )


# --- what is returned ---------------------------------------------------------------------------------------

_ORDER = entries("""
other-order
    {all} right, and they come back in another order, `{theirs}`. Return `{names}`.
""")


def other_order(
    reference: Callable[..., Any],
    *names: str,
    seen: Callable[[Any, tuple[Any, ...]], Any] = lambda answer, args: answer,
    known: tuple[tuple[int, ...], ...] = (),
) -> tuple[Misconception, ...]:
    """Several things returned in another order.

    Args:
        reference: the exercise's function.
        names: what it returns.
        seen: as ``View.make``, where the exercise has a view.
        known: orders that the exercise tells itself.
    """
    right, own = tuple(range(len(names))), known
    orders = [order for order in permutations(right) if order != right and order not in own]

    def order_of(expected, got, args):
        """What stands at each place of the answer, as numbers of the expected parts; None if it is not so."""
        for order in orders:
            back = seen(tuple(got[order.index(n)] for n in right), args)
            if comparing.same(tuple(back), tuple(expected), 1e-4):
                return order
        return None

    def measure(expected, got, args):
        return {"theirs": ", ".join(names[n] for n in order_of(expected, got, args))}

    def mixed(order):
        return lambda *args: tuple(reference(*args)[n] for n in order)

    return misconceptions(
        _ORDER,
        {"other-order": tuple(map(mixed, orders))},
        {"other-order": measure},
        {"other-order": lambda *seen: order_of(*seen) is not None},
        everywhere=("other-order",),
        any_shape=("other-order",),
        names=", ".join(names),
        all="Both are" if len(names) == 2 else "All are",
    )


_WHOLE = entries("""
whole-numbers
    Your numbers are the right ones without their fractions: {theirs} stands where {right} belongs. A table of
    whole numbers keeps nothing behind the point. Fill a table of floats: `torch.zeros(…)` makes
    one, in NumPy `np.zeros(…)`; `arange`, a `dtype` of whole numbers, or `zeros_like` of them, does not.
""")


def whole_numbers(*functions: Callable[..., torch.Tensor]) -> tuple[Misconception, ...]:
    """The right numbers, written into a table of whole numbers; each function gives them in its own order."""

    def measure(expected, got, args):
        return {
            "theirs": int(got.flatten()[at(expected)]),
            "right": f"{expected.flatten()[at(expected)]:.3f}",
        }

    def at(expected):
        return ((expected - expected.trunc()).abs() - 0.5).abs().argmin()

    def cut(function):
        return lambda *args: function(*args).trunc()

    ways = {"whole-numbers": tuple(map(cut, functions))}
    return misconceptions(_WHOLE, ways, {"whole-numbers": measure})


def _all(groups) -> tuple[Callable[..., Any], ...]:
    return tuple(way for group in groups for way in group)


def _not_of_gradients(sign):
    """The sign; it cannot tell where the scores ask for a gradient, and the answer is one."""
    return lambda expected, got, args: None if args[0].requires_grad else sign(expected, got, args)


def _told(told, ways, more, leave, measures, names, signs=None) -> tuple[Misconception, ...]:
    """The ideas of one family that an exercise takes, with its own further ways beside the shared ones."""
    more = more or {}
    unknown = (more.keys() | set(leave)) - told.keys()
    if unknown:
        raise ValueError(f"there is no idea {sorted(unknown)}; expected some of {sorted(told)}")
    taken = {name: words for name, words in told.items() if name in ways and name not in leave}
    ways = {name: (*ways[name], *more.get(name, ())) for name in taken}
    measures, signs = ({n: f for n, f in d.items() if n in taken} for d in (measures, signs or {}))
    return misconceptions(taken, ways, measures, signs, **names)
