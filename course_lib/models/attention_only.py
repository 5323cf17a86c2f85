"""A language model of nothing but attention: the smallest thing in which heads can be watched at work.

    x      = token embedding + position embedding
    x      = x + attention(x, x, x)        once for each layer
    logits = x W + b                       a score for every word of the vocabulary, at every position

No recurrent network, no feed-forward layer, no normalisation: chapter 05 adds what is missing.

Axes: B batch, T positions, D d_model, H heads, K features of a head, V vocabulary.

Source: the "attention-only transformer" of Elhage et al. 2021, "A Mathematical Framework for Transformer
Circuits"; positions are learned vectors, as in GPT.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from course_lib import checks
from course_lib.attention import MultiHeadAttention, attending


@dataclass(frozen=True)
class AttentionOnlyConfig:
    """Sizes of one model.

    Args:
        vocab_size: V.
        d_model: D, features of a token.
        n_heads: H, heads of a layer.
        n_layers: attention layers.
        max_len: longest text, in tokens.
        scale: divide the scores by √d_k; False only to see what happens without.
    """

    vocab_size: int
    d_model: int = 64
    n_heads: int = 4
    n_layers: int = 1
    max_len: int = 64
    scale: bool = True

    def __post_init__(self) -> None:
        checks.at_least_1(
            vocab_size=self.vocab_size,
            d_model=self.d_model,
            n_heads=self.n_heads,
            n_layers=self.n_layers,
            max_len=self.max_len,
        )

    def build(self) -> "AttentionOnly":
        """A model with random weights."""
        return AttentionOnly(self)


class LayerView(NamedTuple):
    """What one layer computed: queries, keys, values `(B, H, T, K)`, weights `(B, H, T, T)`."""

    queries: Tensor
    keys: Tensor
    values: Tensor
    weights: Tensor


class AttentionOnly(nn.Module):
    """Token and position embeddings, layers of attention, a score for every word.

    Raises:
        ValueError: `n_heads` does not divide `d_model`.
    """

    def __init__(self, config: AttentionOnlyConfig) -> None:
        super().__init__()
        self.config = config
        self.token_embedding = nn.Embedding(config.vocab_size, config.d_model)
        self.position_embedding = nn.Embedding(config.max_len, config.d_model)
        scale = None if config.scale else 1.0
        layers = (
            MultiHeadAttention(config.d_model, config.n_heads, scale=scale) for _ in range(config.n_layers)
        )
        self.layers = nn.ModuleList(layers)
        self.lm_head = nn.Linear(config.d_model, config.vocab_size)

    def forward(
        self, ids: Tensor, allowed: Tensor | None = None, need_weights: bool = False
    ) -> tuple[Tensor, list[Tensor] | None]:
        """A score for every word of the vocabulary at every position.

        Args:
            ids: token ids, `(B, T)`.
            allowed: boolean, True = may attend, broadcastable to `(B, H, T, T)`.
            need_weights: also return the weights of every layer.

        Returns:
            logits `(B, T, V)` and, with `need_weights`, a list of weights `(B, H, T, T)`, one a layer; else
            None.

        Raises:
            ValueError: `ids` is not `(B, T)` ids of the vocabulary, or longer than `max_len`.
        """
        x, seen = self.embed(ids), []  # (B, T, D)
        for layer in self.layers:
            attended, weights = layer(x, x, x, allowed, need_weights)  # (B, T, D), (B, H, T, T) or None
            seen.append(weights)
            x = x + attended  # (B, T, D)
        return self.lm_head(x), seen if need_weights else None  # (B, T, V)

    def embed(self, ids: Tensor) -> Tensor:
        """Token embedding + position embedding: `(B, T)` to `(B, T, D)`."""
        checks.token_ids("ids", ids, "(B, T)", self.config.vocab_size, self.config.max_len)
        return self.token_embedding(ids) + self.position_embedding.weight[: ids.shape[1]]  # (B, T, D)

    @torch.no_grad()
    def look_inside(self, ids: Tensor, allowed: Tensor | None = None) -> list[LayerView]:
        """Queries, keys, values and weights of every layer; arguments as in `forward`."""
        views = []
        usual = {layer: layer.attend for layer in self.layers}

        def watched(layer, q, k, v, allowed, need_weights):
            heads, weights = usual[layer](q, k, v, allowed, True)
            views.append(LayerView(q, k, v, weights))
            return heads, weights

        with attending(self, watched):
            self(ids, allowed)
        return views
