"""Attention in parts that can be exchanged, for the wrong ways of the exercises.

score(q, k)              the products
scale(q, k, v)           the factor on them
mask(scores, allowed)    what happens to the scores before the softmax
share(scores)            the softmax
after(weights, allowed)  what happens to the weights after it
late(q, k, v)            a factor on the weights
mix(weights, values)     the weighted sum
"""

from __future__ import annotations

import torch

INFINITY = float("inf")


def fill(value):
    """A mask that writes ``value`` where attention may not go."""
    return lambda scores, allowed: scores.masked_fill(~allowed, value)


def softmax(*axes):
    """A softmax over one axis, or one for all of several axes."""

    def share(scores):
        if len(axes) == 1:
            return torch.softmax(scores, axes[0])
        e = torch.exp(scores - scores.amax(axes, keepdim=True))
        return e / e.sum(axes, keepdim=True)

    return share


block, unmasked = fill(-INFINITY), lambda scores, allowed: scores
keep, zero = lambda weights, allowed: weights, lambda weights, allowed: weights.masked_fill(~allowed, 0.0)
to_keys = softmax(-1)


def weigh(scores, allowed, mask=block, share=to_keys, after=keep):
    """The weights, from scores; each part can be exchanged."""
    return after(share(mask(scores, allowed)), allowed)


def bare(scores):
    """A softmax by hand that does not take the largest score off first."""
    e = torch.exp(scores)
    return e / e.sum(-1, keepdim=True)


def one_maximum(small=0.0, of_all=True):
    """A softmax by hand that takes one maximum off all rows: of all scores, or of the allowed ones."""

    def weights(scores, allowed):
        top = (scores if of_all else block(scores, allowed)).max()
        e = torch.exp(scores - top).masked_fill(~allowed, 0.0)
        return e / (e.sum(-1, keepdim=True) + small)

    return weights


def renormalised(small=0.0):
    """After the softmax: multiply by the mask and divide by the sum, with something small added to it."""

    def after(weights, allowed):
        kept = weights.masked_fill(~allowed, 0.0)
        return kept / (kept.sum(-1, keepdim=True) + small)

    return after


def hardest(scores):
    """All weight on the key with the highest score."""
    return torch.nn.functional.one_hot(scores.argmax(dim=-1), scores.shape[-1]).to(scores.dtype)


def products(weights, values):
    """Weight times value, (..., T, S, D), or (S, D) for one query: not summed yet."""
    return weights[..., None] * (values if weights.dim() == 1 else values.unsqueeze(-3))


def rooted(size):
    """A scale: one over the root of ``size(q, k, v)``."""
    return lambda q, k, v: size(q, k, v) ** -0.5


def unscaled(q, k, v):
    return 1.0


def attend(
    q,
    k,
    v,
    allowed,
    *,
    score=lambda q, k: q @ k.transpose(-2, -1),
    scale=lambda q, k, v: k.shape[-1] ** -0.5,
    late=unscaled,
    mix=lambda weights, v: weights @ v,
    **parts,
):
    """Scaled dot-product attention; each part can be exchanged, ``parts`` are those of ``weigh``."""
    weights = weigh(score(q, k) * scale(q, k, v), allowed, **parts)
    return mix(weights * late(q, k, v), v)


def linear(x, params, name):
    return x @ params["W_" + name].T + params["b_" + name]


def multi_head(
    x_q,
    x_kv,
    params,
    n_heads,
    allowed,
    *,
    sources="qkk",
    linear=linear,
    split=lambda x, n_heads: x.unflatten(-1, (n_heads, -1)).transpose(1, 2),
    first_head="",
    merge=lambda heads: heads.transpose(1, 2).flatten(2),
    out=None,
    **parts,
):
    """The multi-head layer; each part can be exchanged, ``parts`` are those of ``attend``.

    ``sources`` says where queries, keys and values come from, "q" for x_q and "k" for x_kv; ``first_head``
    names those of q, k, v of which all heads get head 0's.
    """
    inputs = [x_q if source == "q" else x_kv for source in sources]
    made = [split(linear(x, params, name), n_heads) for x, name in zip(inputs, "qkv", strict=True)]
    q, k, v = (x[:, :1].expand_as(x) if n in first_head else x for x, n in zip(made, "qkv", strict=True))
    merged = merge(attend(q, k, v, allowed, **parts))
    return out(merged, params) if out else linear(merged, params, "o")
