"""One more token of a GPT, without the calls of its parts: where a text is written, those take half the time.

The lines are those of `GPT.read` and `GPTLayer`, for one position that sees all others: no mask, no dropout.
The matrices of queries, keys and values are laid together once a text, not once a token.

This road is taken only where every part is the usual one. Somebody who listens in (a hook), an adapter in the
place of a matrix, another `attend`: then the parts are called as ever.

Axes: B batch, S positions seen, D d_model, H heads, K features of one head, V vocabulary.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_lib.layers import CachedAttention, FeedForward, KVCache, SubLayer, rotate
from course_lib.models.gpt_layer import GPTLayer

USUAL = {
    *(GPTLayer, CachedAttention, SubLayer, FeedForward),
    *(nn.ModuleList, nn.Embedding, nn.Linear, nn.LayerNorm, nn.RMSNorm, nn.Dropout),
}
Map = Callable[[Tensor], Tensor]
Step = Callable[[Tensor, tuple[KVCache, ...]], tuple[Tensor, tuple[KVCache, ...]]]


class Parts(NamedTuple):
    """What one layer does, as functions of `(B, 1, D)`."""

    norm_1: Map
    qkv: Map  # (B, 1, 3 D)
    attention: CachedAttention
    W_o: Map
    norm_2: Map
    feed_forward: FeedForward
    W_1: Map
    W_2: Map
    W_3: Map | None


def one_token(model: nn.Module) -> Step | None:
    """What takes ids `(B, 1)` and the past to logits `(B, V)` and the longer past; None where it may not.

    It holds as long as nobody changes the model's parameters.
    """
    for part in model.modules():
        listened_to = part._forward_hooks or part._forward_pre_hooks or "attend" in vars(part)
        if listened_to or (part is not model and type(part) not in USUAL):
            return None
    layers = [_parts(layer) for layer in model.layers]
    learned = model.position_embedding.weight if model.config.positions == "learned" else None
    final_norm, scores = _norm(model.final_norm), _linear(model.lm_head)

    def step(ids: Tensor, past: tuple[KVCache, ...]) -> tuple[Tensor, tuple[KVCache, ...]]:
        x = F.embedding(ids, model.token_embedding.weight)  # (B, 1, D)
        if learned is not None:
            x = x + learned[past[0].k.shape[-2]]
        seen = []
        for layer, before in zip(layers, past, strict=True):
            x, now = _layer(layer, x, before)
            seen.append(now)
        return scores(final_norm(x)[:, -1]), tuple(seen)  # (B, V)

    return step


def _layer(layer: Parts, x: Tensor, past: KVCache) -> tuple[Tensor, KVCache]:
    """One layer for one token."""
    attention, n_texts = layer.attention, x.shape[0]
    three = layer.qkv(layer.norm_1(x)).view(n_texts, 3, attention.n_heads, 1, attention.d_k)
    q, k, v = three.unbind(1)  # (B, H, 1, K)
    if attention.qk_norm or attention.rotary:
        both = three[:, :2]  # (B, 2, H, 1, K)
        both = F.rms_norm(both, (attention.d_k,)) if attention.qk_norm else both
        q, k = (rotate(both, past.k.shape[-2]) if attention.rotary else both).unbind(1)
    seen = KVCache(torch.cat([past.k, k], dim=-2), torch.cat([past.v, v], dim=-2))  # (B, H, S, K)
    heads = F.scaled_dot_product_attention(q, *seen, scale=attention.scale)  # (B, H, 1, K)
    x = x + layer.W_o(heads.reshape(n_texts, 1, -1))  # (B, 1, D)
    y = layer.norm_2(x)
    inside = layer.feed_forward.activation(layer.W_1(y))  # (B, 1, F)
    return x + layer.W_2(inside if layer.W_3 is None else inside * layer.W_3(y)), seen


def _parts(layer: GPTLayer) -> Parts:
    attention, feed_forward = layer.self_attention, layer.feed_forward
    three = attention.W_q, attention.W_k, attention.W_v
    weight = torch.cat([part.weight for part in three])  # (3 D, D)
    bias = None if three[0].bias is None else torch.cat([part.bias for part in three])  # (3 D,)
    return Parts(
        _norm(layer.around_self.norm),
        partial(F.linear, weight=weight, bias=bias),
        attention,
        _linear(attention.W_o),
        _norm(layer.around_feed_forward.norm),
        feed_forward,
        _linear(feed_forward.W_1),
        _linear(feed_forward.W_2),
        feed_forward.W_3 and _linear(feed_forward.W_3),
    )


def _linear(part: nn.Linear) -> Map:
    return partial(F.linear, weight=part.weight, bias=part.bias)


def _norm(part: nn.LayerNorm | nn.RMSNorm) -> Map:
    asked = {"normalized_shape": part.normalized_shape, "weight": part.weight, "eps": part.eps}
    if isinstance(part, nn.RMSNorm):
        return partial(F.rms_norm, **asked)
    return partial(F.layer_norm, **asked, bias=part.bias)
