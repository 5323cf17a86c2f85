"""What a Transformer is built of, beside attention.

    token embedding     a vector for each token, times √d_model                  section 3.4
    positions           sinusoidal, learned or rotary: where a token stands      section 3.5
    feed-forward        max(0, x W_1 + b_1) W_2 + b_2, at each position alone    section 3.3
    norms               each token's features brought to one size
    sub-layer           x + f(x), normalised after it (2017) or before it (today)
    encoder layer       2 sub-layers: self-attention, feed-forward               section 3.1
    decoder layer       3 sub-layers: masked self-attention, cross-attention, feed-forward

Sections are those of Vaswani et al. 2017, "Attention Is All You Need".

Axes: B batch, T positions of the text at hand, S positions of what is looked at, D d_model, H heads,
K features of one head, F features inside the feed-forward network.
"""

import math
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_lib import checks
from course_lib.activations import ACTIVATIONS
from course_lib.attention import HALF, MultiHeadAttention, merge_heads, split_heads

BASE = 10_000  # waves grow in length from 2π positions to almost 2π · BASE

# ---------------------------------------------------------------- what stands here, and where


class TokenEmbedding(nn.Embedding):
    """A vector for each token, times √d_model.

    Its parameters start with variance 1 / d_model, as those of a matrix that gives scores (it may be that
    matrix too); the factor brings them to variance 1 before positions are added.

    Args:
        vocab_size: V.
        d_model: D.

    Raises:
        ValueError: a size below 1.

    Source: Vaswani et al. 2017, section 3.4.
    """

    def __init__(self, vocab_size: int, d_model: int) -> None:
        checks.at_least_1(vocab_size=vocab_size, d_model=d_model)
        super().__init__(vocab_size, d_model)

    def reset_parameters(self) -> None:
        """Variance 1 / d_model, as in a matrix that gives scores."""
        nn.init.normal_(self.weight, std=self.embedding_dim**-0.5)

    def forward(self, ids: Tensor) -> Tensor:
        """Ids `(B, T)` to vectors `(B, T, D)`."""
        return super().forward(ids) * math.sqrt(self.embedding_dim)


def angles(position: Tensor, n_features: int) -> Tensor:
    """How far the hand of each clock has turned: `position / BASE^(2i / n_features)`, in radians.

    Two features are one clock: the place of its hand, right and up. Sinusoidal positions show the clocks
    themselves; rotary positions turn queries and keys as the clocks turn.

    Args:
        position: whole numbers `(T,)`.
        n_features: two for each clock.

    Returns:
        `(T, n_features / 2)`; clock 0 turns fastest, one radian a position.

    Raises:
        ValueError: an odd number of features.
    """
    checks.even("n_features", n_features, "a sine and a cosine for each clock")
    even = torch.arange(0, n_features, 2, device=position.device)  # 2i
    return position[:, None] / BASE ** (even / n_features)  # (T, n_features / 2)


def sinusoidal_positions(n_positions: int, d_model: int) -> Tensor:
    """A fixed vector for each position: sines in the even features, cosines in the odd ones.

        PE(pos, 2i) = sin(pos / 10000^(2i/d_model))        PE(pos, 2i+1) = cos(pos / 10000^(2i/d_model))

    Args:
        n_positions: T.
        d_model: D, an even number.

    Returns:
        `(T, D)`; the vector of position t + k is that of t, each pair of features turned by k steps of its
        clock.

    Raises:
        ValueError: an odd `d_model`.

    Source: Vaswani et al. 2017, section 3.5.
    """
    checks.even("d_model", d_model, "a sine and a cosine for each clock")
    turned = angles(torch.arange(n_positions), d_model)  # (T, D / 2)
    return torch.stack([turned.sin(), turned.cos()], dim=-1).flatten(-2)  # (T, D / 2, 2), (T, D)


def _wide(x: Tensor) -> Tensor:
    """Half precision as float32: it has few digits, and from 256 on a square is beyond 65,504, its end."""
    return x.float() if x.dtype in HALF else x


def rotate(x: Tensor, start: int = 0) -> Tensor:
    """Rotary positions: turn each pair of features by its clock's angle at the token's position.

    The dot product of a query turned at i and a key turned at j depends on i − j only.

    Args:
        x: queries or keys, `(B, H, T, K)`, K even.
        start: position of the first of them.

    Returns:
        `(B, H, T, K)`, the same, turned; no vector changes its length.

    Raises:
        ValueError: an odd number of features, or a position below 0.

    Source: Su et al. 2021 (RoFormer), eq. 34; pairs are neighbours, as there.
    """
    if start < 0 or x.shape[-1] % 2:
        checks.refuse_to_rotate(x, start)
    end = start + x.shape[-2]
    hands = _hands(2 ** max(end - 1, 1).bit_length(), x.shape[-1], x.device)[start:end]  # (T, K / 2)
    pairs = torch.view_as_complex(_wide(x).unflatten(-1, (-1, 2)).contiguous())  # (B, H, T, K / 2)
    return torch.view_as_real(pairs * hands.to(pairs.dtype)).flatten(-2).to(x.dtype)  # (B, H, T, K)


@lru_cache(maxsize=64)
def _hands(n_positions: int, n_features: int, device: torch.device) -> Tensor:
    """Every clock's hand at every position as a complex number, `(n_positions, n_features / 2)`.

    To multiply by it is to turn by its angle.
    """
    with torch.inference_mode(False):  # kept, and used in training too
        turned = angles(torch.arange(n_positions, device=device), n_features).double()
        return torch.polar(torch.ones_like(turned), turned)


# ---------------------------------------------------------------- each token on its own


def layer_norm(x: Tensor, gain: Tensor, bias: Tensor, eps: float = 1e-5) -> Tensor:
    """Each token's features to mean 0 and variance 1, then times `gain` plus `bias`.

    What `nn.LayerNorm` computes, written out. Args: x `(..., D)`, gain and bias `(D,)`. Returns `(..., D)`.

    Source: Ba, Kiros and Hinton 2016, section 3.
    """
    wide = _wide(x)
    centred = wide - wide.mean(-1, keepdim=True)
    variance = centred.square().mean(-1, keepdim=True)
    return (centred / (variance + eps).sqrt() * gain + bias).to(x.dtype)


def rms_norm(x: Tensor, gain: Tensor, eps: float = 1e-5) -> Tensor:
    """Each token's features to mean square 1, then times `gain`: no mean is taken away.

    What `nn.RMSNorm` computes, written out. Args: x `(..., D)`, gain `(D,)`. Returns `(..., D)`.

    Source: Zhang and Sennrich 2019, eq. 4.
    """
    wide = _wide(x)
    return (wide / (wide.square().mean(-1, keepdim=True) + eps).sqrt() * gain).to(x.dtype)


NORMS = {"layer": nn.LayerNorm, "rms": nn.RMSNorm}


class FeedForward(nn.Module):
    """Two matrices and what bends between them, at each position alone: `max(0, x W_1 + b_1) W_2 + b_2`.

    With "swiglu" a third matrix opens and closes what the first one found: `(silu(x W_1) ⊙ x W_3) W_2`.

    Args:
        d_model: D.
        d_ff: F, features in the middle.
        activation: "relu" as in the paper, "gelu", "gelu_tanh", "relu_squared" or "swiglu".
        bias: False leaves the biases out.

    Raises:
        ValueError: another activation, or a size below 1.

    Source: Vaswani et al. 2017, eq. 2; SwiGLU: Shazeer 2020, eq. 6.
    """

    def __init__(self, d_model: int, d_ff: int, activation: str = "relu", *, bias: bool = True) -> None:
        super().__init__()
        checks.at_least_1(d_model=d_model, d_ff=d_ff)
        checks.one_of("activation", activation, ACTIVATIONS)
        self.activation = ACTIVATIONS[activation]
        self.W_1 = nn.Linear(d_model, d_ff, bias)
        self.W_2 = nn.Linear(d_ff, d_model, bias)
        self.W_3 = nn.Linear(d_model, d_ff, bias) if activation == "swiglu" else None
        for projection in self.children():
            nn.init.xavier_uniform_(projection.weight)
            if bias:
                nn.init.zeros_(projection.bias)

    def forward(self, x: Tensor) -> Tensor:
        """`(B, T, D)` to `(B, T, D)`."""
        inside = self.activation(self.W_1(x))  # (B, T, F)
        return self.W_2(inside if self.W_3 is None else inside * self.W_3(x))  # (B, T, D)


class SubLayer(nn.Module):
    """The frame around each sub-layer: a residual connection, dropout and a norm.

        post, as in 2017:   norm(x + dropout(f(x)))
        pre, as today:      x + dropout(f(norm(x)))

    Args:
        d_model: D.
        dropout: share of f's output dropped in training.
        norm_first: pre instead of post.
        norm: "layer" or "rms".
        residual: False leaves `x +` out, to see what it is there for.

    Raises:
        ValueError: another norm, or a share outside 0 to 1.

    Source: Vaswani et al. 2017, sections 3.1 and 5.4; pre-norm: Xiong et al. 2020.
    """

    def __init__(
        self,
        d_model: int,
        *,
        dropout: float = 0.0,
        norm_first: bool = False,
        norm: str = "layer",
        residual: bool = True,
    ) -> None:
        super().__init__()
        checks.one_of("norm", norm, NORMS)
        checks.share("dropout", dropout)
        self.norm = NORMS[norm](d_model, eps=1e-5)
        self.dropout = nn.Dropout(dropout)
        self.norm_first, self.residual = norm_first, residual

    def forward(self, x: Tensor, f: Callable[[Tensor], Tensor]) -> Tensor:
        """Put a sub-layer `f` into the frame: `(B, T, D)` to `(B, T, D)`."""
        return self.after(x, f(self.before(x)))

    def before(self, x: Tensor) -> Tensor:
        """What `f` gets to read."""
        return self.norm(x) if self.norm_first else x

    def after(self, x: Tensor, output: Tensor) -> Tensor:
        """What leaves the frame, given what came in and what `f` made of it."""
        x = x + self.dropout(output) if self.residual else self.dropout(output)
        return x if self.norm_first else self.norm(x)


# ---------------------------------------------------------------- attention that remembers


class KVCache(NamedTuple):
    """Keys and values of what can be looked at, each `(B, H, S, K)`: computed once, used at every step."""

    k: Tensor
    v: Tensor


class CachedAttention(MultiHeadAttention):
    """Multi-head attention in two halves: `remember` makes keys and values, `ask` looks at them.

    Args:
        d_model, n_heads, bias: as in `MultiHeadAttention`.
        rotary: turn queries and keys by their positions.
        qk_norm: bring each head's queries and keys to mean square 1, so that no score is above √K; without a
            gain.

    Raises:
        ValueError: heads that do not fit, or with `rotary` an odd number of features in each.

    Source: normalised queries and keys: Henry et al. 2020 (arXiv 2010.04245), section 3.
    """

    def __init__(
        self,
        d_model: int,
        n_heads: int,
        *,
        rotary: bool = False,
        qk_norm: bool = False,
        bias: bool = True,
    ) -> None:
        super().__init__(d_model, n_heads, bias=bias)
        if rotary:
            checks.even("d_model / n_heads", self.d_k, "rotary positions turn pairs of features")
        self.rotary, self.qk_norm = rotary, qk_norm

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        allowed: Tensor | None = None,
        need_weights: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """As `MultiHeadAttention.forward`; with rotary positions the queries stand at the keys' last T."""
        checks.layer_inputs(query, key, value, self.d_model)
        return self.ask(query, KVCache(self._keys(key, 0), self._values(value)), allowed, need_weights)

    def remember(self, x: Tensor, past: KVCache | None = None) -> KVCache:
        """Keys and values of some tokens, behind those of the past.

        Args:
            x: `(B, T, D)`.
            past: what is remembered already.

        Returns:
            keys and values `(B, H, S, K)`, S = past + T.

        Raises:
            ValueError: other axes or features, or another batch than that of the past.
        """
        checks.axes(
            "x", x, "(B, T, D)", self.d_model, "batch, positions, features; for one text write x[None]"
        )
        if past is None:
            return KVCache(self._keys(x, 0), self._values(x))
        checks.same_batch("x", x, "past", past.k)
        k = torch.cat([past.k, self._keys(x, past.k.shape[-2])], dim=-2)  # (B, H, S, K)
        return KVCache(k, torch.cat([past.v, self._values(x)], dim=-2))

    def ask(
        self, x: Tensor, memory: KVCache, allowed: Tensor | None = None, need_weights: bool = False
    ) -> tuple[Tensor, Tensor | None]:
        """Look at what is remembered.

        Args:
            x: who asks, `(B, T, D)`; with rotary positions these are the last T of the memory.
            memory: from `remember`.
            allowed, need_weights: as in `MultiHeadAttention.forward`.

        Returns:
            output `(B, T, D)`, and weights `(B, H, T, S)` or None.

        Raises:
            ValueError: another batch than that of the memory, a mask that could be misread, or with rotary
                positions more queries than keys.
        """
        q = self._placed(self.W_q(x), memory.k.shape[-2] - x.shape[1])  # (B, H, T, K)
        checks.same_batch("x", x, "memory", memory.k)
        heads, weights = self.attend(q, memory.k, memory.v, allowed, need_weights)
        return self.W_o(merge_heads(heads)), weights  # (B, T, D)

    def _placed(self, x: Tensor, start: int) -> Tensor:
        """Queries or keys of every head, normalised and turned where that is asked for."""
        x = split_heads(x, self.n_heads)  # (B, H, S, K)
        if self.qk_norm:
            x = F.rms_norm(x, (self.d_k,))
        return rotate(x, start) if self.rotary else x

    def _keys(self, x: Tensor, start: int) -> Tensor:
        return self._placed(self.W_k(x), start)  # (B, H, S, K)

    def _values(self, x: Tensor) -> Tensor:
        return split_heads(self.W_v(x), self.n_heads)  # (B, H, S, K)


# ---------------------------------------------------------------- layers


class EncoderLayer(nn.Module):
    """Self-attention, then a feed-forward network. Under a causal mask this is a decoder-only layer.

    Args:
        d_model: D.
        n_heads: H.
        d_ff: features in the middle of the feed-forward network; 4 · d_model when not given.
        activation: as in `FeedForward`.
        rotary, qk_norm: as in `CachedAttention`.
        bias: False leaves the biases of all matrices out.
        frame: `dropout`, `norm_first`, `norm`, `residual` of each `SubLayer`.

    Source: Vaswani et al. 2017, section 3.1.
    """

    def __init__(
        self,
        d_model: int,
        n_heads: int,
        d_ff: int | None = None,
        *,
        activation: str = "relu",
        rotary: bool = False,
        qk_norm: bool = False,
        bias: bool = True,
        **frame,
    ) -> None:
        super().__init__()
        self.self_attention = CachedAttention(d_model, n_heads, rotary=rotary, qk_norm=qk_norm, bias=bias)
        self.feed_forward = FeedForward(d_model, 4 * d_model if d_ff is None else d_ff, activation, bias=bias)
        self.around_self = SubLayer(d_model, **frame)
        self.around_feed_forward = SubLayer(d_model, **frame)

    def forward(
        self,
        x: Tensor,
        allowed: Tensor | None = None,
        past: KVCache | None = None,
        need_weights: bool = False,
    ) -> tuple[Tensor, Tensor | None, KVCache]:
        """One layer.

        Args:
            x: `(B, T, D)`.
            allowed: boolean, broadcastable to `(B, H, T, S)`, S = past + T; True = may attend.
            past: keys and values of earlier tokens, when a text grows.
            need_weights: also return the weights.

        Returns:
            `(B, T, D)`, weights `(B, H, T, S)` or None, and the keys and values of all tokens so far.

        Raises:
            ValueError: sizes that do not fit, or a mask that could be misread.
        """
        asks = self.around_self.before(x)  # (B, T, D)
        seen = self.self_attention.remember(asks, past)
        output, weights = self.self_attention.ask(asks, seen, allowed, need_weights)
        x = self.around_self.after(x, output)
        return self.around_feed_forward(x, self.feed_forward), weights, seen


class DecoderWeights(NamedTuple):
    """Where a decoder layer looked: at its own text `(B, H, T, T)`, and at the source `(B, H, T, S)`."""

    own: Tensor | None
    cross: Tensor | None


class DecoderLayer(nn.Module):
    """Masked self-attention, cross-attention, then a feed-forward network.

    Args:
        d_model, n_heads, d_ff, activation, frame: as in `EncoderLayer`.
        rotary: turn the self-attention's queries and keys by their positions; the source has others.

    Source: Vaswani et al. 2017, section 3.1.
    """

    def __init__(
        self,
        d_model: int,
        n_heads: int,
        d_ff: int | None = None,
        *,
        activation: str = "relu",
        rotary: bool = False,
        **frame,
    ) -> None:
        super().__init__()
        self.self_attention = CachedAttention(d_model, n_heads, rotary=rotary)
        self.cross_attention = CachedAttention(d_model, n_heads)
        self.feed_forward = FeedForward(d_model, 4 * d_model if d_ff is None else d_ff, activation)
        self.around_self = SubLayer(d_model, **frame)
        self.around_cross = SubLayer(d_model, **frame)
        self.around_feed_forward = SubLayer(d_model, **frame)

    def forward(
        self,
        x: Tensor,
        memory: KVCache | Tensor,
        allowed: Tensor | None = None,
        memory_allowed: Tensor | None = None,
        past: KVCache | None = None,
        need_weights: bool = False,
    ) -> tuple[Tensor, DecoderWeights, KVCache]:
        """One layer.

        Args:
            x: `(B, T, D)`.
            memory: the encoder's output `(B, S, D)`, or its keys and values in this layer, from
                `self.cross_attention.remember`, which do not change while a text is written.
            allowed: who may look at whom inside the target, broadcastable to `(B, H, T, T)`; usually causal.
            memory_allowed: which source positions are words, broadcastable to `(B, H, T, S)`.
            past: keys and values of earlier target tokens.
            need_weights: also return the weights.

        Returns:
            `(B, T, D)`, the weights, and the keys and values of all target tokens so far.

        Raises:
            ValueError: sizes that do not fit, or a mask that could be misread.
        """
        source = memory if isinstance(memory, KVCache) else self.cross_attention.remember(memory)
        asks = self.around_self.before(x)  # (B, T, D)
        seen = self.self_attention.remember(asks, past)
        output, own = self.self_attention.ask(asks, seen, allowed, need_weights)
        x = self.around_self.after(x, output)
        asks = self.around_cross.before(x)  # (B, T, D)
        output, cross = self.cross_attention.ask(asks, source, memory_allowed, need_weights)
        x = self.around_cross.after(x, output)
        return self.around_feed_forward(x, self.feed_forward), DecoderWeights(own, cross), seen
