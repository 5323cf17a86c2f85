"""One layer of a GPT: what `layers.EncoderLayer` computes, in the form in which it is fast.

    q, k, v = project(norm(x))                  one product instead of three, while it learns
    x = x + W_o attend(q, k, v)                 k and v: those of the past, too
    x = x + feed_forward(norm(x))

Three things cost time beside the large products, and here they are saved: many small products where one
larger one does, queries and keys that are turned one after the other, and calls of parts that do nothing
(dropout of 0). What is computed stays the same, and so do the names of all parameters.

Axes: B batch, T positions, S positions seen (past ones too), D d_model, H heads, K features of one head.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_lib import checks
from course_lib.attention import merge_heads, split_heads
from course_lib.layers import CachedAttention, EncoderLayer, KVCache, rotate


class GPTLayer(EncoderLayer):
    """Self-attention, then a feed-forward network, each behind its norm (pre-norm).

    Args:
        d_model, n_heads, d_ff: D, H, and the features in the middle of the feed-forward network.
        dropout: share of each sub-layer's output dropped in training.
        choices: `activation`, `rotary`, `qk_norm`, `bias`, `norm` as in `EncoderLayer`.

    Source: Radford et al. 2019, section 2.3.
    """

    def __init__(
        self, d_model: int, n_heads: int, d_ff: int | None = None, *, dropout: float = 0.0, **choices
    ) -> None:
        super().__init__(d_model, n_heads, d_ff, norm_first=True, dropout=dropout, **choices)
        self.drops = dropout > 0

    def forward(
        self,
        x: Tensor,
        allowed: Tensor | None = None,
        past: KVCache | None = None,
        need_weights: bool = False,
    ) -> tuple[Tensor, Tensor | None, KVCache]:
        """As `EncoderLayer.forward`."""
        attention = self.self_attention
        q, k, v = project(attention, self.around_self.norm(x), 0 if past is None else past.k.shape[-2])
        if past is not None:
            checks.same_batch("x", x, "past", past.k)
            k, v = torch.cat([past.k, k], dim=-2), torch.cat([past.v, v], dim=-2)  # (B, H, S, K)
        heads, weights = attention.attend(q, k, v, allowed, need_weights)  # (B, H, T, K)
        x = self._add(x, attention.W_o(merge_heads(heads)))  # (B, T, D)
        x = self._add(x, self.feed_forward(self.around_feed_forward.norm(x)))
        return x, weights, KVCache(k, v)

    def _add(self, x: Tensor, output: Tensor) -> Tensor:
        return x + (self.around_self.dropout(output) if self.drops else output)


def project(attention: CachedAttention, x: Tensor, start: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """Queries, keys and values of every head, normalised and turned as the layer has it.

    Args:
        attention: the layer whose `W_q`, `W_k` and `W_v` make them.
        x: who asks and is looked at, `(B, T, D)`.
        start: position of the first of them.

    Returns:
        `(B, H, T, K)` each.
    """
    parts = attention.W_q, attention.W_k, attention.W_v
    if attention.training and all(type(part) is nn.Linear for part in parts):
        matrix = torch.cat([part.weight for part in parts])  # (3 D, D)
        bias = None if parts[0].bias is None else torch.cat([part.bias for part in parts])  # (3 D,)
        made = F.linear(x, matrix, bias).split(attention.d_model, dim=-1)  # 3 × (B, T, D)
    else:  # for a few tokens, laying the matrices together takes longer than it saves
        made = [part(x) for part in parts]  # 3 × (B, T, D)
    q, k, v = (split_heads(part, attention.n_heads) for part in made)  # (B, H, T, K)
    if attention.qk_norm or attention.rotary:
        both = torch.stack([q, k])  # (2, B, H, T, K)
        both = F.rms_norm(both, (attention.d_k,)) if attention.qk_norm else both
        q, k = rotate(both, start) if attention.rotary else both
    return q, k, v
