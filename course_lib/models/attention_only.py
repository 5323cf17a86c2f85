"""A language model of nothing but attention: the smallest thing in which heads can be watched at work.

    x      = word vector + position vector
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

from course_lib.attention import MultiHeadAttention


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
        for name in ("vocab_size", "d_model", "n_heads", "n_layers", "max_len"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, expected at least 1")

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
    """Word and position vectors, layers of attention, a read-out.

    Raises:
        ValueError: `n_heads` does not divide `d_model`.
    """

    def __init__(self, config: AttentionOnlyConfig) -> None:
        super().__init__()
        self.config = config
        self.words = nn.Embedding(config.vocab_size, config.d_model)
        self.positions = nn.Embedding(config.max_len, config.d_model)
        scale = None if config.scale else 1.0
        layers = (
            MultiHeadAttention(config.d_model, config.n_heads, scale=scale) for _ in range(config.n_layers)
        )
        self.layers = nn.ModuleList(layers)
        self.read_out = nn.Linear(config.d_model, config.vocab_size)

    def forward(
        self, ids: Tensor, allowed: Tensor | None = None, need_weights: bool = False
    ) -> Tensor | tuple[Tensor, list[Tensor]]:
        """A score for every word of the vocabulary at every position.

        Args:
            ids: token ids, `(B, T)`.
            allowed: boolean, True = may attend, broadcastable to `(B, H, T, T)`.
            need_weights: also return the weights of every layer.

        Returns:
            logits `(B, T, V)`; with `need_weights` also a list of weights `(B, H, T, T)`, one a layer.

        Raises:
            ValueError: `ids` is not `(B, T)`, or longer than `max_len`.
        """
        x, weights = self.embed(ids), []  # (B, T, D)
        for layer in self.layers:
            if need_weights:
                attended, seen = layer(x, x, x, allowed, need_weights=True)
                weights.append(seen)  # (B, H, T, T)
            else:
                attended = layer(x, x, x, allowed)
            x = x + attended  # (B, T, D)
        logits = self.read_out(x)  # (B, T, V)
        return (logits, weights) if need_weights else logits

    @torch.no_grad()
    def look_inside(self, ids: Tensor, allowed: Tensor | None = None) -> list[LayerView]:
        """Queries, keys, values and weights of every layer; arguments as in `forward`."""
        x, views = self.embed(ids), []  # (B, T, D)
        for layer in self.layers:
            attended, weights = layer(x, x, x, allowed, need_weights=True)
            views.append(LayerView(*layer.project(x, x, x), weights))
            x = x + attended  # (B, T, D)
        return views

    def embed(self, ids: Tensor) -> Tensor:
        """Word vector + position vector: `(B, T)` to `(B, T, D)`."""
        if ids.dim() != 2 or ids.is_floating_point():
            raise ValueError(
                f"ids has shape {tuple(ids.shape)} and dtype {ids.dtype}, expected whole numbers (B, T): "
                "for one text write ids[None]"
            )
        if ids.shape[1] > self.config.max_len:
            raise ValueError(
                f"ids has {ids.shape[1]} positions, expected at most max_len ({self.config.max_len}): "
                "there is no vector for later positions"
            )
        return self.words(ids) + self.positions.weight[: ids.shape[1]]  # (B, T, D)
