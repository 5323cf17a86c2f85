"""A plain GPT for `bench gpt`: GPT-2's layers as short training scripts write them.

One matrix for queries, keys and values, torch's own fused attention, the exact GELU, the embedding's matrix
for the scores; no masks, no cache, no switches, no checks. It shows what those cost, or do not.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_lib.models.gpt import GPTConfig


class PlainLayer(nn.Module):
    """Attention, then a feed-forward network, each behind its norm: `(B, T, D)` to `(B, T, D)`."""

    def __init__(self, d_model: int, n_heads: int) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.norm_1, self.norm_2 = nn.LayerNorm(d_model), nn.LayerNorm(d_model)
        self.qkv, self.out = nn.Linear(d_model, 3 * d_model), nn.Linear(d_model, d_model)
        self.wide, self.narrow = nn.Linear(d_model, 4 * d_model), nn.Linear(4 * d_model, d_model)

    def forward(self, x: Tensor) -> Tensor:
        """Every position sees itself and what stands before it."""
        B, T, D = x.shape
        parts = self.qkv(self.norm_1(x)).split(D, dim=2)
        q, k, v = (part.view(B, T, self.n_heads, D // self.n_heads).transpose(1, 2) for part in parts)
        heads = F.scaled_dot_product_attention(q, k, v, is_causal=True)  # (B, H, T, K)
        x = x + self.out(heads.transpose(1, 2).reshape(B, T, D))
        return x + self.narrow(F.gelu(self.wide(self.norm_2(x))))


class PlainGPT(nn.Module):
    """Ids `(B, T)` to logits `(B, T, V)`; of a `GPTConfig` it takes the sizes alone."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.tokens = nn.Embedding(config.vocab_size, config.d_model)
        self.positions = nn.Embedding(config.max_len, config.d_model)
        self.layers = nn.ModuleList(
            PlainLayer(config.d_model, config.n_heads) for _ in range(config.n_layers)
        )
        self.norm = nn.LayerNorm(config.d_model)
        for part in self.modules():
            if isinstance(part, nn.Linear | nn.Embedding):
                nn.init.normal_(part.weight, std=config.init_std)

    def forward(self, ids: Tensor) -> Tensor:
        """Scores of the next token at every position."""
        x = self.tokens(ids) + self.positions(torch.arange(ids.shape[1]))
        for layer in self.layers:
            x = layer(x)
        return F.linear(self.norm(x), self.tokens.weight)
