"""Practice of chapter 02: three exercises, seven predictions, and what chapter 03 recalls.

Each exercise stands in the same order: the reference (which is also the solution shown to learners), the
wrong ways, the inputs, and the Exercise that ties them together. Source: Vaswani et al. 2017, section 3.2.1.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F

from course_lib.practice.kinds import (
    CannotCompare,
    Case,
    Exercise,
    Misconception,
    Option,
    Output,
    Prediction,
    Recall,
    View,
)

TITLE = "Queries, keys, values"

_INFINITY = float("-inf")


def _random(generator: torch.Generator, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=generator)


# --- 02.soft-dict: found = Σ_j softmax(k_j · q)_j v_j -----------------------------------------------------


def soft_lookup(query, keys, values):
    scores = keys @ query  # (S, K) @ (K,) -> (S,): how well each key fits
    weights = torch.softmax(scores, dim=0)  # (S,): shares that sum to 1
    return weights @ values  # (S,) @ (S, V) -> (V,)


def _with_scores(score):
    """A soft dictionary that scores in another way: ``score(query, keys)``."""
    return lambda query, keys, values: torch.softmax(score(query, keys), dim=0) @ values


def _hardest(query, keys, values):
    return values[(keys @ query).argmax()]


def _weights_on_keys(query, keys, values):
    return torch.softmax(keys @ query, dim=0) @ keys


def _hard_told(expected, got, args):
    share = torch.softmax(args[1] @ args[0], dim=0).max().item()
    return (
        "You return one value, that of the best key: this is a Python dict that forgives typing mistakes. "
        f"Here the best key has a share of {share:.0%}, and the other keys have the rest. Let every value "
        "count with its share: argmax has no gradient, so a hard choice could not be learned."
    )


def _shares_told(expected, got, args):
    scores = args[1] @ args[0]
    return (
        "The softmax is missing: your shares are the scores themselves. Here they run from "
        f"{scores.min():.1f} to {scores.max():.1f} and sum to {scores.sum():.1f}, so what comes back can be "
        "far outside of all values. Shares are positive and sum to 1."
    )


def _soft_dict_cases() -> list[Case]:
    g = torch.Generator().manual_seed(201)

    def case(name: str, s: int, k: int, v: int) -> Case:
        keys = _random(g, s, k)
        keys[s - 1] = keys[0]  # a key that stands twice, with another value
        return Case(name, (_random(g, k), keys, _random(g, s, v) + 0.5), {"S": s, "K": k, "V": v})

    square = case("as many keys as features", 4, 4, 4)
    query, keys, values = case("", 6, 3, 5).args
    strided = (query, keys.T.contiguous().T, values.T.contiguous().T)
    return [
        case("three different sizes", 5, 3, 4),
        square,
        Case("tensors that are not contiguous", strided, {"S": 6, "K": 3, "V": 5}),
    ]


SOFT_DICT = Exercise(
    id="02.soft-dict",
    title="A soft dictionary",
    minutes=6,
    difficulty=1,
    statement=(
        "Write `soft_lookup(query, keys, values)`. A Python dict compares a key with yes or no; this one "
        "compares with a dot product. Score each of the S keys against the query, turn the scores into "
        "shares that sum to 1 with a softmax, and return the sum of the values, each times its share."
    ),
    inputs={"query": "K", "keys": "S, K", "values": "S, V"},
    outputs=(Output("found", ("V",)),),
    reference=soft_lookup,
    cases=_soft_dict_cases,
    hints=(
        "Three steps: compare, share out, mix. Which axis of `keys` disappears when each key is compared "
        "with the query? And which axis of `values` disappears when the values are mixed?",
        "scores  = keys times query              (S, K) times (K,) gives (S,)\n"
        "weights = softmax of scores             (S,)\n"
        "return weights times values             (S,) times (S, V) gives (V,)",
    ),
    misconceptions=(
        Misconception("hard-choice", (_hardest,), _hard_told),
        Misconception(
            "no-softmax",
            (lambda query, keys, values: keys @ query @ values,),
            _shares_told,
        ),
        Misconception(
            "divided-by-sum",
            (
                lambda query, keys, values: keys @ query / (keys @ query).sum() @ values,
                lambda query, keys, values: (keys @ query).abs() / (keys @ query).abs().sum() @ values,
                lambda query, keys, values: (keys @ query).relu() / (keys @ query).relu().sum() @ values,
            ),
            "You divide the scores by their sum. Scores can be negative, and their sum can be near 0, so "
            "these shares can be negative or huge. The softmax takes exp first: every share is positive.",
        ),
        Misconception(
            "weights-on-keys",
            (_weights_on_keys,),
            "Your shares are right, and you mix the keys with them. Keys are for finding, values are what "
            "is found: multiply the shares with `values`. It runs with keys too, so no error warns you.",
        ),
        Misconception(
            "values-compared",
            (lambda query, keys, values: torch.softmax(values @ query, dim=0) @ values,),
            "You compare the query with the values. A query is compared with keys; a value is carried by "
            "its key and never compared. It only runs where keys and values have the same length.",
        ),
        Misconception(
            "softmax-over-features",
            (
                lambda query, keys, values: torch.softmax(keys, dim=-1) @ query @ values,
                lambda query, keys, values: torch.softmax(keys * query, dim=0).mean(dim=1) @ values,
                lambda query, keys, values: torch.softmax(keys * query, dim=0).sum(dim=1) @ values,
                _with_scores(lambda query, keys: keys @ torch.softmax(query, dim=0)),
                _with_scores(lambda query, keys: torch.softmax(keys, dim=-1) @ query),
            ),
            "You take a softmax while the features (K) are still there. A key is compared as a whole: first "
            "the dot product, which sums the features away, then one softmax over the S scores.",
        ),
        Misconception(
            "plain-mean",
            (
                lambda query, keys, values: values.mean(dim=0),
                _with_scores(lambda query, keys: (keys * query).sum(dim=1) * 0),
            ),
            "This is the plain mean of the values: the query has no effect, and every question gets the "
            "same answer. The shares must come from the scores.",
        ),
        Misconception(
            "plain-sum",
            (
                lambda query, keys, values: values.sum(dim=0),
                lambda query, keys, values: torch.softmax(keys * query, dim=1).sum(dim=1) @ values,
            ),
            "This is the plain sum of the values: each one counts with 1, whatever the query is. If there "
            "is a softmax in your function it runs over the features (K); it must run over the S keys.",
        ),
        Misconception(
            "sign-reversed",
            (
                _with_scores(lambda query, keys: -(keys @ query)),
                _with_scores(lambda query, keys: (keys - query).norm(dim=1)),
                _with_scores(lambda query, keys: ((keys - query) ** 2).sum(dim=1)),
            ),
            "Your sign is reversed: the key that fits worst gets the largest share. A softmax gives most to "
            "the largest number. A dot product is large when a key fits; a distance is large when it does "
            "not.",
        ),
        Misconception(
            "distance",
            (
                _with_scores(lambda query, keys: -(keys - query).norm(dim=1)),
                _with_scores(lambda query, keys: -((keys - query) ** 2).sum(dim=1)),
            ),
            "You score by distance, and the nearest key gets most. That is a fair soft dictionary, and "
            "another one: attention scores with the dot product, `keys @ query`, which is one matrix "
            "product for all keys.",
        ),
        Misconception(
            "cosine",
            (_with_scores(lambda query, keys: F.cosine_similarity(keys, query[None], dim=1)),),
            "You score by the cosine, so the lengths of query and keys have no effect and no score leaves "
            "-1 … 1. A dot product keeps the lengths: a longer query gets a sharper answer.",
        ),
        Misconception(
            "scaled-already",
            (_with_scores(lambda query, keys: keys @ query / math.sqrt(len(query))),),
            "You divide the scores by √K. This belongs to scaled attention, and the page comes to it soon. "
            "Here the score is the dot product itself.",
        ),
        Misconception(
            "weights-returned",
            (lambda query, keys, values: torch.softmax(keys @ query, dim=0),),
            "You return the shares, one number for each key. They say where to look; now fetch: the sum of "
            "the values, each times its share.",
        ),
        Misconception(
            "no-sum",
            (
                lambda query, keys, values: torch.softmax(keys @ query, dim=0)[:, None] * values,
                lambda query, keys, values: (torch.softmax(keys @ query, dim=0)[:, None] * values).T,
            ),
            "Each value is multiplied by its share, and the sum is missing: you still have one row for each "
            "key. Sum over the keys (S), or let `weights @ values` multiply and sum at once.",
        ),
        Misconception(
            "softmax-last",
            (lambda query, keys, values: torch.softmax(keys @ query @ values, dim=0),),
            "The softmax comes too late, after the values are mixed. It must turn the S scores into shares "
            "before they meet the values.",
        ),
        Misconception(
            "divided-by-length",
            (lambda query, keys, values: (torch.softmax(keys @ query, dim=0)[:, None] * values).mean(dim=0),),
            lambda expected, got, args: (
                f"You take the mean where the sum belongs: your vector is {len(args[1])} times too small. "
                "The shares sum to 1 already, so the weighted sum is a mean as it stands."
            ),
        ),
        Misconception(
            "not-normalised",
            (
                lambda query, keys, values: torch.exp(keys @ query) @ values,
                lambda query, keys, values: torch.sigmoid(keys @ query) @ values,
            ),
            "Your shares are positive, and they do not sum to 1: each key is judged alone. In a softmax the "
            "keys compete, since exp of each score is divided by the sum over all keys.",
        ),
        Misconception(
            "log-softmax",
            (lambda query, keys, values: torch.log_softmax(keys @ query, dim=0) @ values,),
            "These are the logarithms of the shares. log_softmax is made for losses; a weighted sum needs "
            "the shares themselves: softmax.",
        ),
        Misconception(
            "summed-over-features",
            (lambda query, keys, values: (torch.softmax(keys @ query, dim=0)[:, None] * values).sum(dim=1),),
            "You sum over the features of the values, and one number for each key is left. Sum over the "
            "keys (S): what comes back is as long as a value.",
        ),
        Misconception(
            "softmax-twice",
            (lambda query, keys, values: torch.softmax(torch.softmax(keys @ query, dim=0), dim=0) @ values,),
            "You take the softmax twice. The second one gets numbers between 0 and 1, which are close "
            "together, and makes the shares almost even: the dictionary goes deaf.",
        ),
        Misconception(
            "keys-transposed",
            (lambda query, keys, values: torch.softmax(query @ keys, dim=0) @ values,),
            "`query @ keys` sums over the keys (S), not over the features (K). It only runs where there are "
            "as many keys as features. Write `keys @ query`, or `query @ keys.T`: one score for each key.",
        ),
    ),
    insight="A dict returns one value; attention returns a mixture of all values, and it can be trained.",
    advice=(
        (
            r"query\s*@\s*keys(?!\.)",
            "`query @ keys` wants to sum over the keys. Each key is a row of `keys`, so its score is in "
            "`keys @ query`.",
        ),
        (
            r"values\s*@|weights\s*\*\s*values|must match the size",
            "The shares (S,) must meet the S rows of `values`: `weights @ values` multiplies and sums.",
        ),
        (
            r"Dimension out of range",
            "There is one query and no batch: the scores have one axis, so their softmax is over `dim=0` "
            "(or `dim=-1`).",
        ),
    ),
)


# --- 02.attention: softmax(q kᵀ / √d_k) v -----------------------------------------------------------------


def attention(q, k, v, allowed):
    scores = q @ k.transpose(-2, -1) / k.shape[-1] ** 0.5  # (B, H, T, S)
    scores = scores.masked_fill(~allowed, float("-inf"))  # before the softmax
    weights = torch.softmax(scores, dim=-1)  # (B, H, T, S): each row over the keys sums to 1
    return weights @ v  # (B, H, T, V)


def _root(size: int) -> float:
    return 1 / math.sqrt(size)


def _scaled(factor, axis=-1, mask=lambda scores, allowed: scores.masked_fill(~allowed, _INFINITY)):
    """Attention with another factor on the scores, another axis of the softmax, another mask."""

    def wrong(q, k, v, allowed):
        scores = q @ k.transpose(-2, -1) * factor(q, k, v)
        return torch.softmax(mask(scores, allowed), dim=axis) @ v

    return wrong


def _right_factor(q, k, v):
    return _root(k.shape[-1])


def _masked(mask):
    """The right factor and no factor: a learner with a wrong mask may not have the scale either."""
    return _scaled(_right_factor, mask=mask), _scaled(lambda q, k, v: 1.0, mask=mask)


def _over(axis):
    masks = (lambda s, a: s.masked_fill(~a, _INFINITY), lambda s, a: s.masked_fill(~a, -1e9), lambda s, a: s)
    factors = (_right_factor, lambda q, k, v: 1.0)
    return tuple(_scaled(factor, axis, mask) for factor in factors for mask in masks)


def _after(q, k, v, allowed):
    return (torch.softmax(_scores(q, k), dim=-1) * allowed) @ v


def _after_renormalised(q, k, v, allowed):
    weights = torch.softmax(_scores(q, k), dim=-1).masked_fill(~allowed, _INFINITY)
    return torch.softmax(weights, dim=-1) @ v


def _scores(q, k):
    return q @ k.transpose(-2, -1) * _root(k.shape[-1])


def _weights(q, k, allowed):
    return torch.softmax(_scores(q, k).masked_fill(~allowed, _INFINITY), dim=-1)


def _over_table(axes):
    """The softmax divides by one sum for a whole table, or for all of them, in place of one for each row."""

    def share(factor, fill):
        def wrong(q, k, v, allowed):
            scores = (q @ k.transpose(-2, -1) * factor(q, k, v)).masked_fill(~allowed, fill)
            return scores.exp() / scores.exp().sum(axes, keepdim=True) @ v

        return wrong

    factors = (_right_factor, lambda q, k, v: 1.0)
    return tuple(share(factor, fill) for factor in factors for fill in (_INFINITY, -1e9))


def _scale_after(factor):
    def wrong(q, k, v, allowed):
        scores = (q @ k.transpose(-2, -1)).masked_fill(~allowed, _INFINITY)
        return torch.softmax(scores, dim=-1) * factor(q, k, v) @ v

    return wrong


def _sizes(args):
    q, k = args[0], args[1]
    return q.shape[1], k.shape[-1]  # H, K


def _no_scale_told(expected, got, args):
    _, k = _sizes(args)
    return (
        f"The scale is missing: your scores are √{k} ≈ {math.sqrt(k):.2f} times too large. A sum of {k} "
        f"products of numbers with variance 1 has variance {k}; divided by √{k} it is 1 again, and the "
        "softmax does not saturate."
    )


def _d_model_told(expected, got, args):
    h, k = _sizes(args)
    return (
        f"Your scores are {math.sqrt(h):.2f} times too small: you divide by √{h * k}, the root of the "
        f"features of all heads together (d_model). A dot product is taken inside one head: divide by √{k}, "
        "the root of d_k."
    )


def _not_the_root_told(expected, got, args):
    _, k = _sizes(args)
    return (
        f"Your scores are {math.sqrt(k):.2f} times too small: you divide by d_k = {k} and not by its root "
        f"(or by √{k} twice). The variance of a score is about d_k, so its standard deviation is √d_k."
    )


def _by_positions_told(expected, got, args):
    return (
        "You divide by the root of a number of positions, T or S. A score is a sum over the features of one "
        f"key, so its size grows with their number: d_k = {_sizes(args)[1]}, `k.shape[-1]`."
    )


def _multiplied_told(expected, got, args):
    k = _sizes(args)[1]
    return f"You multiply by √{k} where you should divide: your scores are {k} times too large."


def _scale_after_told(expected, got, args):
    k = _sizes(args)[1]
    return (
        f"You divide after the softmax, so your rows of weights sum to {_root(k):.2f} and every output is "
        f"too small. And the softmax has seen the large scores: it is saturated already. Divide by √{k} "
        "before the softmax."
    )


def _leaking_told(expected, got, args):
    q, k, _, allowed = args
    lost = (torch.softmax(_scores(q, k), dim=-1) * ~allowed).sum(dim=-1).max().item()
    return (
        "`allowed` has no effect: every query looks everywhere. One query gives "
        f"{lost:.0%} of its attention to keys that it must not see. Set their scores to -inf before the "
        "softmax. (`masked_fill` returns a new tensor: did you keep it?)"
    )


def _least_left(scores, allowed):
    """The smallest row sum that a mask after the softmax leaves."""
    return (torch.softmax(scores, dim=-1) * allowed).sum(dim=-1).min().item()


def _no_scale_masked_after_told(expected, got, args):
    q, k, _, allowed = args
    return (
        "Two steps are not in their place. You mask after the softmax, so one row of weights sums to "
        f"{_least_left(q @ k.transpose(-2, -1), allowed):.2f}: put -inf into the scores first. And the scale "
        f"is missing: divide the scores by √{k.shape[-1]}, the root of d_k."
    )


def _masked_after_told(expected, got, args):
    q, k, _, allowed = args
    left = _least_left(_scores(q, k), allowed)
    return (
        "You mask after the softmax. The forbidden keys get 0, and the others keep their old shares: one "
        f"row of weights sums to {left:.2f}. Put -inf into the scores first; then the softmax gives the "
        "whole 1 to the keys that may be seen."
    )


def _small_score_told(expected, got, args):
    return (
        "The forbidden scores are 0 or not far below it (-1e-9 is a slip for -1e9). Such a score still gets "
        "a share: exp(0) is 1. The score that means 'nothing at all' is -inf."
    )


def _attention_cases() -> list[Case]:
    g = torch.Generator().manual_seed(202)

    def vectors(b, h, t, s, k, v):
        keys = 1.5 * _random(g, b, h, s, k)
        keys[0, :, s - 1] = keys[0, :, 0]  # a repeated word, with another value
        return _random(g, b, h, t, k), keys, _random(g, b, h, s, v) + 0.5

    def sizes(b, h, t, s, k, v):
        return {"B": b, "H": h, "T": t, "S": s, "K": k, "V": v}

    lengths = torch.tensor([7, 4])
    plain, padded = (2, 3, 4, 7, 6, 5), torch.arange(7) < lengths[:, None, None, None]  # (B, 1, 1, S)
    square, causal = (2, 2, 4, 4, 4, 4), torch.ones(4, 4).tril().bool()  # (T, S)
    strided, drawn = (3, 2, 5, 6, 8, 4), torch.rand(3, 2, 5, 6, generator=g) < 0.6  # (B, H, T, S)
    drawn[..., 0] |= ~drawn.any(dim=-1)  # every query may look somewhere
    views = [x.transpose(1, 2).contiguous().transpose(1, 2) for x in vectors(*strided)]
    return [
        Case("six different sizes and a padded sentence", (*vectors(*plain), padded), sizes(*plain)),
        Case("as many queries as keys and a causal mask", (*vectors(*square), causal), sizes(*square)),
        Case("tensors that are not contiguous and a mask for each head", (*views, drawn), sizes(*strided)),
    ]


ATTENTION = Exercise(
    id="02.attention",
    title="Scaled dot-product attention",
    minutes=12,
    difficulty=2,
    statement=(
        "Write `attention(q, k, v, allowed)`: softmax(q kᵀ / √d_k) v, for all sentences and heads at once. "
        "d_k is the number of features of one key. `allowed` is True where a query may look; everywhere else "
        "the weight must be exactly 0. Each query may look at one key at least. Return the output alone."
    ),
    inputs={
        "q": "B, H, T, K",
        "k": "B, H, S, K",
        "v": "B, H, S, V",
        "allowed": "True or False, in a shape that broadcasts to (B, H, T, S)",
    },
    outputs=(Output("output", ("B", "H", "T", "V")),),
    reference=attention,
    cases=_attention_cases,
    hints=(
        "Five steps: MatMul, scale, mask, softmax, MatMul. Write the shape after each. Only the last two "
        "axes take part in a matrix product, so which two axes of `k` must change places?",
        "scores  = q times k with its last two axes exchanged     (B, H, T, S)\n"
        "scores  = scores divided by the root of d_k\n"
        "scores  = scores, but -inf where allowed is False\n"
        "weights = softmax of scores over the keys, the last axis (B, H, T, S)\n"
        "return weights times v                                   (B, H, T, V)",
    ),
    misconceptions=(
        Misconception("no-scale", (_scaled(lambda q, k, v: 1.0),), _no_scale_told),
        Misconception(
            "scaled-by-d-model",
            (_scaled(lambda q, k, v: _root(q.shape[1] * q.shape[-1])),),
            _d_model_told,
        ),
        Misconception(
            "divided-by-d-k",
            (_scaled(lambda q, k, v: 1 / k.shape[-1]),),
            _not_the_root_told,
        ),
        Misconception(
            "scaled-by-positions",
            (
                _scaled(lambda q, k, v: _root(k.shape[-2])),
                _scaled(lambda q, k, v: _root(q.shape[-2])),
                _scaled(lambda q, k, v: _root(k.shape[1])),  # meant as the axis of positions
            ),
            _by_positions_told,
        ),
        Misconception(
            "scaled-by-d-v",
            (_scaled(lambda q, k, v: _root(v.shape[-1])),),
            "You divide by the root of the number of features of a value. A score is made of queries and "
            "keys alone; d_k is the number of features of a key, `k.shape[-1]`.",
        ),
        Misconception(
            "multiplied-by-root",
            (_scaled(lambda q, k, v: math.sqrt(k.shape[-1])),),
            _multiplied_told,
        ),
        Misconception(
            "fixed-number",
            tuple(_scaled(lambda q, k, v, c=c: 1 / c) for c in (2.0, 4.0, 8.0, 64.0, math.sqrt(512), 512.0)),
            lambda expected, got, args: (
                "You divide by a fixed number. √4 fits the page's cards, whose d_k is 4, and √64 the paper's "
                f"base model; here a key has {_sizes(args)[1]} features. Take the number from the keys: "
                "`k.shape[-1]`."
            ),
        ),
        Misconception(
            "scaled-by-batch",
            (
                _scaled(lambda q, k, v: _root(len(k))),
                _scaled(lambda q, k, v: 1 / len(k)),
            ),
            lambda expected, got, args: (
                f"You divide by the batch size, {len(args[1])}, or its root: `len(k)` is the first axis. d_k "
                f"is the last one, the {_sizes(args)[1]} features of a key: `k.shape[-1]`."
            ),
        ),
        Misconception(
            "scale-after-softmax",
            (
                _scale_after(_right_factor),
                lambda q, k, v, allowed: _weights(q, k, allowed) * _root(k.shape[-1]) @ v,
            ),
            _scale_after_told,
        ),
        Misconception(
            "softmax-over-queries",
            _over(-2),
            "Your softmax runs over the queries (axis T): each key shares itself out among them, and some "
            "query may get almost nothing. Each query shares its attention out over the keys: `dim=-1`.",
        ),
        Misconception(
            "softmax-over-heads",
            _over(1),
            "Your softmax runs over axis 1, the heads: they take attention away from each other. With "
            "(B, H, T, S) the keys are the last axis: `dim=-1`.",
        ),
        Misconception(
            "softmax-over-batch",
            _over(0),
            "Your softmax runs over axis 0, the batch: sentences that know nothing of each other share one "
            "budget. The keys are the last axis: `dim=-1`.",
        ),
        Misconception(
            "softmax-over-table",
            _over_table((0, 1, 2, 3)) + _over_table((2, 3)),
            "You divide by the sum of the whole table; each row has its own. A query's scores lie along the "
            "last axis: `.sum(-1, keepdim=True)`, or `torch.softmax(scores, dim=-1)` for all of it.",
        ),
        Misconception(
            "mask-unused",
            _masked(lambda scores, allowed: scores),
            _leaking_told,
        ),
        Misconception(
            "mask-inverted",
            (
                *_masked(lambda scores, allowed: scores.masked_fill(allowed, _INFINITY)),
                *_masked(lambda scores, allowed: scores.masked_fill(allowed, -1e9)),
                lambda q, k, v, allowed: F.scaled_dot_product_attention(q, k, v, attn_mask=~allowed),
            ),
            "Your mask is inverted: what is allowed is blocked, and the rest is open. `allowed` is True "
            "where a query may look; `masked_fill` fills where its mask is True, so it needs `~allowed`.",
        ),
        Misconception(
            "mask-after-softmax",
            (
                _after,
                _after_renormalised,
                lambda q, k, v, allowed: (
                    torch.softmax(_scores(q, k), -1).masked_fill(~allowed, _INFINITY) @ v
                ),
            ),
            _masked_after_told,
        ),
        Misconception(
            "no-scale-mask-after",
            (lambda q, k, v, allowed: (torch.softmax(q @ k.transpose(-2, -1), dim=-1) * allowed) @ v,),
            _no_scale_masked_after_told,
        ),
        Misconception(
            "mask-not-low-enough",
            tuple(
                way
                for fill in (-1e-9, 0.0, -1.0, -10.0)
                for way in _masked(lambda scores, allowed, fill=fill: scores.masked_fill(~allowed, fill))
            ),
            _small_score_told,
        ),
        Misconception(
            "mask-added",
            (
                *_masked(lambda scores, allowed: scores + allowed),
                *_masked(lambda scores, allowed: scores - allowed.float()),
                *_masked(lambda scores, allowed: scores + (~allowed)),
                *_masked(lambda scores, allowed: scores - (~allowed).float()),
            ),
            "You add the mask to the scores, and True counts as 1: the scores move by 1, and nothing is "
            "blocked. An added mask must hold -inf where it forbids and 0 elsewhere; `masked_fill` writes "
            "-inf for you.",
        ),
        Misconception(
            "zero-times-infinity",
            (*_masked(lambda scores, allowed: scores + (~allowed) * _INFINITY),),
            "Every value is NaN. If you multiply the mask by -inf, look there: where it is 0, 0 · ∞ is NaN. "
            "Write -inf only into the forbidden cells: `scores.masked_fill(~allowed, float('-inf'))`.",
        ),
        Misconception(
            "causal-always",
            _masked(
                lambda scores, allowed: scores.masked_fill(~torch.ones_like(scores).tril().bool(), _INFINITY)
            ),
            "You block the future in every input, whatever `allowed` says. Which cells are open is not for "
            "this function to decide: use `allowed` as it comes.",
        ),
        Misconception(
            "weights-on-keys",
            (
                lambda q, k, v, allowed: _weights(q, k, allowed) @ k,
                lambda q, k, v, allowed: _scaled(lambda q, k, v: 1.0)(q, k, k, allowed),
            ),
            "You mix the keys: `weights @ k`. Keys are compared, values are fetched: the last product is "
            "`weights @ v`. Where K = V the shapes do not warn you.",
        ),
        Misconception(
            "values-compared",
            (lambda q, k, v, allowed: attention(q, v, v, allowed),),
            "You compare the queries with the values. The scores are q kᵀ; the values come in only at the "
            "end. It runs only where K = V.",
        ),
        Misconception(
            "queries-and-keys-swapped",
            (
                lambda q, k, v, allowed: attention(k, q, v, allowed),
                lambda q, k, v, allowed: _weights(q, k, allowed).transpose(-2, -1) @ v,
            ),
            "Queries and keys have changed places: your rows belong to keys. Row i must belong to query i "
            "and run over the keys, `q @ k.transpose(-2, -1)`. It runs only where T = S.",
        ),
        Misconception(
            "keys-not-transposed",
            (
                lambda q, k, v, allowed: (
                    torch.softmax((q @ k * _root(k.shape[-1])).masked_fill(~allowed, _INFINITY), dim=-1) @ v
                ),
                lambda q, k, v, allowed: (
                    torch.softmax(
                        (
                            q @ k.reshape(*k.shape[:2], k.shape[3], k.shape[2]) * _root(k.shape[-1])
                        ).masked_fill(~allowed, _INFINITY),
                        dim=-1,
                    )
                    @ v
                ),
            ),
            "The keys are not transposed. Each score is a query times a key, feature by feature, so the last "
            "two axes of `k` must change places: `k.transpose(-2, -1)`. `view` and `reshape` only cut the "
            "numbers anew; they exchange no axes.",
        ),
        Misconception(
            "no-softmax",
            (
                lambda q, k, v, allowed: _scores(q, k).masked_fill(~allowed, 0.0) @ v,
                lambda q, k, v, allowed: _scores(q, k).masked_fill(~allowed, _INFINITY) @ v,
                lambda q, k, v, allowed: _scores(q, k) @ v,
            ),
            "The softmax is missing: scores meet the values. Scores can be negative and of any size; the "
            "softmax makes each row a set of shares that sum to 1.",
        ),
        Misconception(
            "hard-choice",
            (
                lambda q, k, v, allowed: (
                    F.one_hot(_weights(q, k, allowed).argmax(dim=-1), k.shape[-2]).to(v.dtype) @ v
                ),
            ),
            "Each query fetches the value of its best key alone. No gradient flows through such a choice. "
            "Mix all values, each with its weight.",
        ),
        Misconception(
            "plain-mean",
            (
                lambda q, k, v, allowed: (
                    torch.softmax((_scores(q, k) * 0).masked_fill(~allowed, _INFINITY), dim=-1) @ v
                ),
                lambda q, k, v, allowed: v.mean(dim=-2, keepdim=True).expand(*q.shape[:3], v.shape[-1]),
            ),
            "Every value gets the same weight: queries and keys have no effect. The weights must come from "
            "the scores, q kᵀ.",
        ),
        Misconception(
            "heads-merged",
            (lambda q, k, v, allowed: attention(q, k, v, allowed).transpose(1, 2).flatten(2),),
            "The numbers are right, and you have joined the heads already. This function keeps them apart: "
            "(B, H, T, V). Joining is a step of its own, in chapter 03.",
        ),
        Misconception(
            "weights-returned",
            (lambda q, k, v, allowed: _weights(q, k, allowed),),
            "These are the weights: where each query looks. The last step is missing, to fetch what stands "
            "there: `weights @ v`.",
        ),
    ),
    insight="MatMul, scale, mask, softmax, MatMul: five steps, and no loop over words.",
    advice=(
        (
            r"\.sum\((dim\s*=\s*)?(-1|3)\)",
            "A sum takes its axis away: (B, H, T, S) becomes (B, H, T) and fits the table no more. "
            "`.sum(-1, keepdim=True)` keeps it as an axis of length 1.",
        ),
        (
            r"only one element tensors|must be Tensor, not int|must be real number",
            "The root is of one number, the size of an axis: `k.shape[-1] ** 0.5`.",
        ),
        (
            r"not allowed|Boolean value",
            "`not` is for one truth value; for a tensor of them write `~allowed`.",
        ),
        (
            r"shape of the mask",
            "A mask in square brackets must have the full shape. `scores.masked_fill(~allowed, "
            "float('-inf'))` broadcasts it for you.",
        ),
        (
            r"allowed\[",
            "`allowed` broadcasts to (B, H, T, S) as it is: it needs no new axis.",
        ),
        (
            r"k\.T\b|k\.t\(\)",
            "`.T` turns all axes round, the batch too. Only the last two change places: "
            "`k.transpose(-2, -1)`.",
        ),
        (
            r"k\.(transpose|swapaxes)\((?!-2, -1|-1, -2|2, 3|3, 2)|k\.permute\((?!0, 1, 3, 2)",
            "Look at the axes that you exchange: (B, H, S, K) must become (B, H, K, S), so it is the last "
            "two, -2 and -1.",
        ),
        (
            r"q\s*\*\s*k",
            "`*` multiplies cell by cell. Every query meets every key in a matrix product: "
            "`q @ k.transpose(-2, -1)`.",
        ),
        (
            r"q\s*@\s*k\b(?!\.)|matmul\(q, k\)",
            "A matrix product sums over the last axis of `q` and the last but one of `k`. Both must be the "
            "features K: `k.transpose(-2, -1)`.",
        ),
    ),
)


# --- 02.retrieval: Q and K by hand ------------------------------------------------------------------------


def queries_and_keys(wanted, n_keys):
    k = torch.eye(n_keys)  # (S, K): each key has a feature of its own
    length = 20 * n_keys**0.5  # after the division by √K a score of 20 is left
    q = length * k[wanted]  # (T, K): each query is the key that it wants, made long
    return q, k


def _weights_by_hand(answer, args):
    """softmax(q kᵀ / √K); a row with 0.99 or more on the wanted key counts as 1 there."""
    q, k = (part.detach().float() for part in answer)
    wanted, n_keys = args
    for name, part, rows, what in (("q", q, len(wanted), "query"), ("k", k, n_keys, "key")):
        if part.dim() != 2 or len(part) != rows:
            raise CannotCompare(
                f"your `{name}` has shape {tuple(part.shape)}; it needs two axes, with {rows} rows, one for "
                f"each {what}, and as many features K as you like."
            )
    if q.shape[1] != k.shape[1]:
        counted = q.shape[1] == wanted.max() + 1  # what one_hot does when it has to guess the size
        raise CannotCompare(
            f"your `q` has {q.shape[1]} features and your `k` has {k.shape[1]}. A score is a dot product of "
            "a query with a key, so both need the same number of features K."
            + (" If you use `one_hot(wanted)`, give it `n_keys` as its second argument." if counted else "")
        )
    weights = torch.softmax(q @ k.T / k.shape[1] ** 0.5, dim=-1)  # (T, S)
    right = F.one_hot(wanted, n_keys).float()
    enough = (weights * right).sum(dim=-1, keepdim=True) >= 0.99
    return torch.where(enough, right, weights)


def _by_hand(make):
    """A wrong answer with queries of several lengths: ``make(wanted, n_keys, loud)``."""
    return tuple(
        lambda wanted, n_keys, loud=loud: make(wanted, n_keys, loud) for loud in (1.0, 10.0, 100.0, 1000.0)
    )


def _looks_at(expected, got, args):
    """For each row, whether it looks at the wanted key more than at any other."""
    best = got.max(dim=-1).values
    others = got.masked_fill(expected > 0.5, 0.0).max(dim=-1).values
    return best > others + 1e-6


def _too_quiet(expected, got, args):
    return bool(_looks_at(expected, got, args).all())


def _too_quiet_told(expected, got, args):
    share = (got * expected).sum(dim=-1).min().item()
    return (
        "Every query looks most at the key it wants, but not clearly enough: one row puts "
        f"{share:.2f} there with {args[1]} keys. Dot products must differ by more. Make the queries longer, "
        "for example `100 * q`; and remember that the scores are divided by √K, so many features need "
        "more."
    )


def _even(expected, got, args):
    return bool((got - 1 / got.shape[1]).abs().max() < 1e-3)


def _all_points_at(target):
    """A sign: wherever the row is wrong, it looks at ``target(wanted, n_keys)`` and not at the wanted key."""

    def sign(expected, got, args):
        wrong = (got * expected).sum(dim=-1) < 0.5
        aim = target(*args)
        return bool(wrong.any() and (got.argmax(dim=-1) == aim)[wrong].all())

    return sign


def _to_itself(wanted, n_keys):
    return torch.arange(len(wanted)) % n_keys


def _one_number(wanted, n_keys, loud):
    return loud * wanted[:, None].float(), torch.arange(n_keys)[:, None].float()


def _one_number_from_1(wanted, n_keys, loud):
    return loud * (wanted[:, None].float() + 1), torch.arange(1, n_keys + 1)[:, None].float()


def _itself(wanted, n_keys, loud):
    keys = torch.eye(n_keys)
    return loud * keys[_to_itself(wanted, n_keys)], keys


def _previous(wanted, n_keys, loud):
    keys = torch.eye(n_keys)
    return loud * keys[(torch.arange(len(wanted)) - 1).clamp(min=0) % n_keys], keys


def _shifted(step):
    def make(wanted, n_keys, loud):
        keys = torch.eye(n_keys)
        return loud * keys[(wanted + step) % n_keys], keys

    return make


def _reversed(wanted, n_keys, loud):
    keys = torch.eye(n_keys)
    return -loud * keys[wanted], keys


def _keys_chosen(wanted, n_keys, loud):
    return loud * torch.eye(n_keys)[: len(wanted)], torch.eye(n_keys)[wanted]


def _first_wish(wanted, n_keys, loud):
    keys = torch.eye(n_keys)
    return loud * keys[wanted[:1]].expand(len(wanted), n_keys), keys


def _infinite(wanted, n_keys):
    keys = torch.eye(n_keys)
    return keys[wanted] * float("inf"), keys


def _infinite_and_zero(wanted, n_keys):
    keys = torch.eye(n_keys)
    return torch.where(keys[wanted] > 0, float("inf"), 0.0), keys


def _never_wanted(wanted, n_keys):
    keys = torch.eye(n_keys)
    return 1e4 * keys[wanted] + 1, torch.zeros(n_keys, n_keys)


def _few_random_features(wanted, n_keys):
    keys = _random(torch.Generator().manual_seed(1), n_keys, 2)
    return 100 * keys[wanted], keys


def _retrieval_cases() -> list[Case]:
    g = torch.Generator().manual_seed(203)

    def case(name: str, wanted: torch.Tensor, s: int) -> Case:
        return Case(name, (wanted, s), {"T": len(wanted), "S": s})

    previous = (torch.arange(6) - 1).clamp(min=0)
    return [
        case("five keys and four queries", torch.tensor([3, 0, 4, 1]), 5),
        case("each word fetching the one before", previous, 6),
        case("more queries than keys", torch.tensor([2, 0, 0, 1, 2, 1, 0]), 3),
        case("40 keys", torch.randint(40, (9,), generator=g), 40),
    ]


RETRIEVAL = Exercise(
    id="02.retrieval",
    title="Queries and keys by hand",
    minutes=10,
    difficulty=2,
    statement=(
        "Write `queries_and_keys(wanted, n_keys)`. Nothing is learned here: you set the numbers. "
        "`wanted[i]` is the position that query i must fetch. Return `q` and `k` such that every row of "
        "softmax(q kᵀ / √K) puts at least 0.99 on the wanted position. There are many right answers, and "
        "the number of features K is yours to choose."
    ),
    inputs={"wanted": "T", "n_keys": "the number of keys, S"},
    outputs=(Output("q", ("T", "K")), Output("k", ("S", "K"))),
    reference=queries_and_keys,
    cases=_retrieval_cases,
    hints=(
        "First give each key a vector that no other key resembles: which S vectors have a dot product of 0 "
        "with each other? Then ask: with which of these vectors does a query get a large dot product with "
        "one key and 0 with all others?",
        "k = one feature for each key: the identity matrix      (S, S)\n"
        "q = for each query, the row of k that it wants          (T, S)\n"
        "make q longer: times a large number, so that a gap of 10 or more is left after dividing by √S\n"
        "return q, k",
    ),
    misconceptions=(
        Misconception(
            "too-quiet",
            tuple(
                lambda wanted, n_keys, loud=loud: (loud * torch.eye(n_keys)[wanted], torch.eye(n_keys))
                for loud in (1.0, 2.0, 5.0, 10.0, 20.0)
            ),
            _too_quiet_told,
            sign=_too_quiet,
        ),
        Misconception(
            "one-number",
            _by_hand(_one_number) + _by_hand(_one_number_from_1),
            "You use the position itself as the one feature, so the score is i · j. A product is no "
            "comparison: whatever the query asks for, the largest number wins. Give each key a direction of "
            "its own, for example a row of `torch.eye(n_keys)`.",
            sign=_all_points_at(lambda wanted, n_keys: torch.full_like(wanted, n_keys - 1)),
        ),
        Misconception(
            "wanted-unused",
            _by_hand(_itself) + _by_hand(_previous),
            "`wanted` has no effect: query i looks at its own place, or one before it, whatever is wanted. "
            "Query i must look like the key at position wanted[i]: `k[wanted]` picks these rows.",
            sign=_all_points_at(_to_itself),
        ),
        Misconception(
            "off-by-one",
            _by_hand(_shifted(1)) + _by_hand(_shifted(-1)),
            "Every query looks one position beside the one it wants. Positions are counted from 0, and "
            "`wanted` counts so too.",
            sign=lambda expected, got, args: any(
                _all_points_at(lambda wanted, n, step=step: (wanted + step) % n)(expected, got, args)
                for step in (1, -1)
            ),
        ),
        Misconception(
            "sign-reversed",
            _by_hand(_reversed),
            "The sign is reversed: each query avoids the key that it wants, and all others share the "
            "weight. A large dot product means a good fit.",
        ),
        Misconception(
            "keys-chosen",
            _by_hand(_keys_chosen),
            "You pick the keys by `wanted`, not the queries. It runs only where T = S, and answers the "
            "question turned round: 'who wants me?' The keys say who they are; the queries say what they "
            "want. (Or do you return `k, q`? The order is `q, k`.)",
        ),
        Misconception(
            "one-wish-for-all",
            _by_hand(_first_wish),
            "All queries ask for the same key. Each row of `q` belongs to another query: row i must look "
            "like the key at wanted[i].",
            sign=lambda expected, got, args: bool(
                (got - got[:1]).abs().max() < 1e-3 and not _even(expected, got, args)
            ),
        ),
        Misconception(
            "all-scores-equal",
            (
                lambda wanted, n_keys: (torch.zeros(len(wanted), n_keys), torch.eye(n_keys)),
                lambda wanted, n_keys: (torch.ones(len(wanted), n_keys), torch.ones(n_keys, n_keys)),
                _never_wanted,
            ),
            "Every row is even: all keys get the same score. Keys that are equal, or queries that fit all "
            "keys alike, cannot be told apart. Give each key a vector of its own.",
            sign=_even,
        ),
        Misconception(
            "infinite",
            (_infinite, _infinite_and_zero),
            "Infinity is too large: ∞ · 0 is NaN, and so is the whole row. A large number is enough: with "
            "a score that is 10 above the others, e¹⁰ ≈ 22,000 to 1, a row is as good as one cell.",
            sign=lambda expected, got, args: bool(got.isnan().any()),
        ),
        Misconception(
            "another-wins",
            (_few_random_features,),
            "Some query scores another key higher than the one it wants. The dot product of a query with its "
            "key is not enough: it must beat the dot products with all others. Keys of equal length that "
            "point in different directions do it; the rows of `torch.eye(n_keys)` are the easiest.",
            sign=lambda expected, got, args: not got.isnan().any(),
        ),
    ),
    insight=(
        "A query is the key of what it wants, made long. W_Q and W_K learn to make such pairs out of words."
    ),
    tolerance=1e-3,
    advice=(
        (
            r"indices|index",
            "`wanted` is a tensor of positions, so it can pick rows: `k[wanted]`. `n_keys` is the number of "
            "rows that `k` needs.",
        ),
    ),
    view=View(Output("softmax(q kᵀ / √K)", ("T", "S"), True), _weights_by_hand),
)

EXERCISES = (SOFT_DICT, ATTENTION, RETRIEVAL)


# --- predictions ------------------------------------------------------------------------------------------

PREDICTIONS = (
    Prediction(
        id="02.lookup",
        prompt=(
            "A soft dictionary holds four keys. A query fits two of them equally well and the other two "
            "hardly at all. What comes back?"
        ),
        options=(
            Option(
                "The value of the first of the two, as in a list that is searched from the front.",
                "A search stops at the first hit. A soft dictionary does not search: it scores all keys, and "
                "equal scores get equal shares, wherever they stand.",
            ),
            Option(
                "An error: the query is no key of the dictionary.",
                "That is what a Python dict would say (KeyError). A dot product exists for every pair of "
                "vectors, so a soft dictionary always has an answer.",
            ),
            Option(
                "A value halfway between the values of the two.",
                "The softmax gives each of the two keys nearly one half, and the weighted sum is then nearly "
                "the mean of their values. It need not be a value that the dictionary holds.",
            ),
            Option(
                "One of the two values, drawn at random.",
                "The shares look like probabilities, and nothing is drawn. Each value is multiplied by its "
                "share and all of them are added: the same answer every time.",
            ),
        ),
        right=2,
    ),
    Prediction(
        id="02.variance",
        prompt=(
            "The 64 numbers of a query and the 64 numbers of a key are drawn independently, each with mean 0 "
            "and variance 1. What is the variance of their dot product?"
        ),
        options=(
            Option(
                "About 1: it is made of numbers with variance 1.",
                "One product of two such numbers has variance 1. The dot product adds 64 of them, and "
                "variances of independent numbers add up.",
            ),
            Option(
                "About 8.",
                "8 is the standard deviation: √64. The variance is its square.",
            ),
            Option(
                "About 4096.",
                "64² would come from adding the same number 64 times. These 64 products are independent: "
                "many cancel each other, and the variances add up to 64, not to 64².",
            ),
            Option(
                "About 64.",
                "Each of the 64 products has variance 1, and variances of independent numbers add up. So "
                "the standard deviation is 8, and dividing by √64 = 8 brings the variance back to 1.",
            ),
        ),
        right=3,
    ),
    Prediction(
        id="02.saturated",
        prompt=(
            "A softmax over two scores. For 0 and 0, a small push on the first score changes its weight by "
            "0.25 times the push. How large is this factor for the scores 8 and -8?"
        ),
        options=(
            Option(
                "About 0.25 too: a softmax treats all scores alike.",
                "The factor is a·(1 - a), where a is the weight. At a = 0.5 it is 0.25, its largest value. "
                "Here a is almost 1, so 1 - a is almost 0.",
            ),
            Option(
                "About 0.0000001.",
                "The factor is a·(1 - a), and 1 - a is about one ten-millionth here. Almost no gradient "
                "passes, so what made these scores learns almost nothing. This is saturation.",
            ),
            Option(
                "About 0.06: the scores are four times as far apart as 2 and -2.",
                "The gradient does not shrink in step with the scores. The exponential is in it: with a gap "
                "of 16 it falls to about e⁻¹⁶.",
            ),
            Option(
                "About 16: large scores give large gradients.",
                "In a linear layer large numbers do that. A softmax flattens out: once the winner has all "
                "the weight, pushing its score further changes nothing.",
            ),
        ),
        right=1,
    ),
    Prediction(
        id="02.axis",
        prompt=(
            "3 queries look at 5 keys: the scores are a table with 3 rows and 5 columns. Somebody takes the "
            "softmax over the wrong axis, `dim=0` in place of `dim=-1`. What sums to 1 now?"
        ),
        options=(
            Option(
                "Each column: every key shares itself out among the queries.",
                "`dim` names the axis that is summed over. Over axis 0 the three queries compete for each "
                "key. The whole table then sums to 5, not to 3, and some query may get next to nothing.",
            ),
            Option(
                "Each row, as before: a softmax always sums to 1 over the keys.",
                "A softmax does not know what your axes mean. It sums to 1 over the axis that you name, and "
                "here that axis holds the queries.",
            ),
            Option(
                "The whole table.",
                "That would be a softmax over all 15 numbers at once, for example over `scores.flatten()`. "
                "With one axis named, the sums run along this axis only.",
            ),
            Option(
                "Nothing: PyTorch raises an error, because the axis does not fit.",
                "Every axis fits, and that is the danger: shapes and types stay right, and no error comes. "
                "Only the sums tell.",
            ),
        ),
        right=0,
    ),
    Prediction(
        id="02.permute",
        prompt=(
            "Self-attention reads the vectors of 'the dog sees a cat', without any sign of position. You "
            "shuffle the words and run it again. What happens to the outputs?"
        ),
        options=(
            Option(
                "Nothing: output 1 stays output 1, and so on.",
                "Output i belongs to the word that stands at place i. Another word stands there now, with "
                "another query.",
            ),
            Option(
                "They all change: each word has new neighbours.",
                "Neighbours mean nothing here: each query scores all keys, and a sum does not care about the "
                "order of its terms.",
            ),
            Option(
                "Each word keeps its output vector; the vectors are shuffled as the words are.",
                "The scores of a pair depend on the two words only, and a sum does not care about order. "
                "This is permutation equivariance. For such a layer, 'dog sees cat' and 'cat sees dog' hold "
                "the same words; so positions must be added.",
            ),
            Option(
                "They become one and the same vector: without order all words look alike.",
                "The words still have different vectors, so they ask different questions and get different "
                "mixtures. What is lost is where they stand.",
            ),
        ),
        right=2,
    ),
    Prediction(
        id="02.tied",
        prompt=(
            "In self-attention you use one matrix for queries and keys: W_Q = W_K, without biases. What can "
            "the layer no longer do?"
        ),
        options=(
            Option(
                "Nothing is lost: one matrix is enough, and it has fewer parameters.",
                "Fewer parameters, yes. But now q_i · k_j = q_j · k_i for every pair, and many relations "
                "between words run in one direction only.",
            ),
            Option(
                "Look at its own position.",
                "The opposite: a word's query equals its key now, and a vector's dot product with itself is "
                "its squared length. It is never negative, so looking at itself becomes easy.",
            ),
            Option(
                "Give every row a sum of 1.",
                "The softmax does that, whatever the scores are. It also makes the weights of i for j and of "
                "j for i differ in general: the scores are symmetric, the weights need not be.",
            ),
            Option(
                "Score 'i looks for j' differently from 'j looks for i'.",
                "Query and key of a word are the same vector now, so the table of scores is symmetric. What "
                "a word looks for and what it offers can no longer be two things.",
            ),
        ),
        right=3,
    ),
    Prediction(
        id="02.cost",
        prompt=(
            "A sentence gets twice as long, and all vectors keep their size. How much more work is it to "
            "compute all scores of self-attention?"
        ),
        options=(
            Option(
                "The same: all scores are computed in parallel.",
                "Parallel work is still work: it needs more processors or more time, and the table of scores "
                "must fit in memory.",
            ),
            Option(
                "Four times as much.",
                "Twice as many queries, each scored against twice as many keys: the table has T² cells, each "
                "a dot product of d_k numbers. This is the T² d of chapter 02.",
            ),
            Option(
                "Twice as much: twice as many words.",
                "So it is for a recurrent network, which takes one step for each word. Here each new word "
                "is a query that is scored against all keys, and a key for all queries.",
            ),
            Option(
                "Eight times as much.",
                "8 = 2³ would be right if the vectors had become twice as long too. They keep their size, so "
                "only the two axes of the table grow.",
            ),
        ),
        right=1,
    ),
)


# --- questions that chapter 03 (and later ones) ask at the door -------------------------------------------

RECALL = (
    Recall(
        "What are query, key and value in Bahdanau's translator?",
        "The query is the decoder state sᵢ₋₁. The encoder states hⱼ are both: keys when they are scored, "
        "values when they are summed.",
    ),
    Recall(
        "Why are the scores divided by √d_k?",
        "A dot product of d_k independent products has variance d_k. Dividing by √d_k brings it back to "
        "about 1, so the softmax does not saturate and gradients pass. It is not regularization.",
    ),
    Recall(
        "Which five steps make scaled dot-product attention, in which order?",
        "MatMul (queries with keys), scale, mask, softmax over the keys, MatMul (weights with values).",
    ),
    Recall(
        "The words of a sentence are shuffled. What does self-attention without positions do?",
        "It gives each word the same output as before, in the shuffled order: permutation equivariance. So "
        "positions must be added to the vectors.",
    ),
    Recall(
        "What does the axis of the softmax decide?",
        "Who shares: over the keys (the last axis), each query shares its attention out and each row sums "
        "to 1. Over the queries, the keys would share themselves out.",
    ),
    Recall(
        "Why are W_Q and W_K two matrices?",
        "With one matrix the scores are symmetric: i looks for j exactly as j looks for i. With two, what a "
        "word looks for and what it offers can differ.",
    ),
)
