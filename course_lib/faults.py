"""Things built wrong on purpose, to be recognised later: masks off by one or misplaced, heads cut wrongly.

A fault is a *reader*: a function from a model and ids `(B, T)` to logits `(B, T, V)`, like the right reader
`tasks.town_lm.causal`. The model stays what it is; only the way in which it reads is faulty. A model can be
trained, tested and let write under any of them.

Three are no readers: heads cut by `view` alone, an `attend` for `attention.attending`; rotary positions that
begin at 0 again with each new token; and a switch that is set too late, where several processes train one
model.

Beside the faults stand the two places where dropout may act on attention: one is as right as the other.

Axes: B batch, T query positions, S key positions (here equal to T), H heads, V vocabulary.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.parallel import DistributedDataParallel

from course_lib.attention import MultiHeadAttention, attending, merge_heads
from course_lib.masks import causal_mask, masked_softmax
from course_lib.models import gpt, gpt_layer
from course_lib.models.attention_only import AttentionOnly


def one_too_far(model: AttentionOnly, ids: Tensor) -> Tensor:
    """A mask that is off by one: each position also sees the next word, the one it is asked for."""
    return model(ids, sees_next(ids.shape[1]))[0]


def one_too_strict(model: AttentionOnly, ids: Tensor) -> Tensor:
    """Off by one the other way: nobody sees its own position."""
    return model(ids, sees_only_before(ids.shape[1]))[0]


def multiplied_after(model: AttentionOnly, ids: Tensor) -> Tensor:
    """The right mask in the wrong place: the weights are multiplied by it, after the softmax."""
    return read_with(model, ids, lambda scores: scores.softmax(-1) * causal_mask(ids.shape[1]))


def drop_before(model: AttentionOnly, ids: Tensor, p: float) -> Tensor:
    """In training, forbid each allowed key with probability `p`, before the softmax.

    Source: Li et al. 2023 (DropKey).
    """
    return read_with(model, ids, lambda scores: masked_softmax(scores, kept_keys(model, scores, p)))


def drop_after(model: AttentionOnly, ids: Tensor, p: float) -> Tensor:
    """In training, set each weight to 0 with probability `p`, after the softmax; the rest grow by 1/(1 − p).

    This is what `dropout` of `torch.nn.MultiheadAttention` and `dropout_p` of
    `torch.nn.functional.scaled_dot_product_attention` do.
    """

    def weigh(scores: Tensor) -> Tensor:
        weights = masked_softmax(scores, causal_mask(ids.shape[1]))
        return F.dropout(weights, p, training=model.training)

    return read_with(model, ids, weigh)


def sees_next(n_positions: int) -> Tensor:
    """The faulty `allowed` of `one_too_far`, `(T, T)`: the diagonal above the main one is open too."""
    return torch.ones(n_positions, n_positions, dtype=torch.bool).tril(1)


def sees_only_before(n_positions: int) -> Tensor:
    """The faulty `allowed` of `one_too_strict`, `(T, T)`: the main diagonal is closed."""
    return torch.ones(n_positions, n_positions, dtype=torch.bool).tril(-1)


def kept_keys(model: AttentionOnly, scores: Tensor, p: float) -> Tensor:
    """The causal mask without the keys that chance takes away; in evaluation mode, all of it."""
    allowed = causal_mask(scores.shape[-1])  # (T, S)
    return allowed & (torch.rand_like(scores) >= p) if model.training else allowed  # (B, H, T, S)


def read_with(model: AttentionOnly, ids: Tensor, weigh: Callable[[Tensor], Tensor]) -> Tensor:
    """Let a model read with your own way from scores to weights, in every layer.

    Args:
        model: any model of multi-head layers that takes ids.
        ids: `(B, T)`.
        weigh: scores `(B, H, T, S)` to weights of the same shape; the model is given no mask.

    Returns:
        logits `(B, T, V)`.
    """

    def attend(layer, q, k, v, allowed, need_weights):
        scale = 1 / math.sqrt(layer.d_k) if layer.scale is None else layer.scale
        weights = weigh(q @ k.transpose(-2, -1) * scale)  # (B, H, T, S)
        return weights @ v, weights  # (B, H, T, K), (B, H, T, S)

    with attending(model, attend):
        return model(ids)[0]


def cut_by_view(
    layer: MultiHeadAttention, q: Tensor, k: Tensor, v: Tensor, allowed: Tensor | None, need_weights: bool
) -> tuple[Tensor, Tensor | None]:
    """Heads cut with one `view` and no transpose: no error, the right shape, tokens broken in pieces.

    An `attend` for `attention.attending`; arguments and results as `MultiHeadAttention.attend`.
    """
    q, k, v = (merge_heads(x).view(x.shape) for x in (q, k, v))  # (B, T, D), read anew as (B, H, T, K)
    return MultiHeadAttention.attend(layer, q, k, v, allowed, need_weights)


# ---------------------------------------------------------------- positions


@contextmanager
def positions_begin_at_0_again() -> Iterator[None]:
    """Inside the block each call of a GPT with rotary positions turns what it is given from position 0 on.

    A text that is read at once, and the first token written after it, are as they should be. With a cache
    each further token comes alone, and it and all that follow stand at position 0.
    """
    project, one_token = gpt_layer.project, gpt.one_token
    gpt_layer.project = lambda attention, x, start=0: project(attention, x, 0)
    gpt.one_token = lambda model: None  # the short road for one token is another one, and would stay right
    try:
        yield
    finally:
        gpt_layer.project, gpt.one_token = project, one_token


# ---------------------------------------------------------------- several processes


def flag_set_late(model: DistributedDataParallel, parts: Sequence, loss_of: Callable) -> None:
    """Gradients of several pieces, with the processes asked to add them up a little too late.

    `require_backward_grad_sync` is to be False for all pieces but the last. But the model reads it in its
    *forward* pass. Set between forward and backward, it counts for the next piece: the last piece is never
    added up, and the processes take different steps. Each goes on learning, alone and on less data, and the
    loss falls: what shows the fault is that after a step the processes' parameters are no longer the same.

    Args:
        model: on several processes.
        parts: this process's pieces of a batch.
        loss_of: model and piece to a loss.
    """
    for i, part in enumerate(parts):
        loss = loss_of(model, part)
        model.require_backward_grad_sync = i == len(parts) - 1
        loss.backward()
