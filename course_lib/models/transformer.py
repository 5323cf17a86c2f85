"""The Transformer, and what becomes of it when a part is left out.

    encoder            N encoder layers over the source: everyone sees everyone
    decoder            N decoder layers over the target: nobody sees the future, everyone sees the source
    scores             one for each token of the target vocabulary

    encoder-decoder    both                                                     `Transformer`
    encoder-only       the encoder alone, fully visible                         `OneStack`, no mask
    decoder-only       the same stack under a causal mask                       `OneStack`, causal
    prefix-LM          the same under a causal mask with an open prefix         `OneStack`, prefix

Axes: B batch, S source positions, T target positions, D d_model, H heads, V vocabulary.

Source: Vaswani et al. 2017, section 3; the three families: Raffel et al. 2020 (T5), section 3.2.1.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from course_lib import checks
from course_lib.attention import MultiHeadAttention
from course_lib.layers import (
    NORMS,
    DecoderLayer,
    DecoderWeights,
    EncoderLayer,
    FeedForward,
    KVCache,
    TokenEmbedding,
    sinusoidal_positions,
)
from course_lib.masks import causal_mask, padding_mask
from course_lib.text.tokenizers import PAD_ID

ACTIVATIONS = ("relu", "gelu")  # of those in `activations`, what the paper and PyTorch's layers have
POSITIONS = ("sinusoidal", "learned", "rotary", None)
INITIAL = ("xavier", "scaled")
SHARED = ("all", "target", None)


@dataclass(frozen=True)
class StackConfig:
    """Sizes and choices of one stack of layers; what is not given is the paper's base model.

    Args:
        d_model: D, features of a token.
        n_heads: H.
        d_ff: features in the middle of a feed-forward network.
        dropout: share of features dropped in training, after the embeddings and in each sub-layer.
        norm_first: normalise what a sub-layer reads (pre), not what it leaves (post, as in 2017).
        final_norm: one more norm at the end of each stack; None: where `norm_first` asks for it.
        norm: "layer" or "rms".
        activation: "relu" or "gelu".
        positions: "sinusoidal", "learned", "rotary", or None: without.
        max_len: positions for which there is a vector.
        residual: False leaves the residual connections out, to see what they are there for.
        initial: "xavier", or "scaled": the last matrix of each sub-layer divided by √(sub-layers), as in
            GPT-2.

    Raises:
        ValueError: a size below 1, heads that do not fit, features without a partner where positions need
            pairs, a share outside 0 to 1, or a choice that does not exist.
    """

    d_model: int = 512
    n_heads: int = 8
    d_ff: int = 2048
    dropout: float = 0.1
    norm_first: bool = False
    final_norm: bool | None = None
    norm: str = "layer"
    activation: str = "relu"
    positions: str | None = "sinusoidal"
    max_len: int = 512
    residual: bool = True
    initial: str = "xavier"

    def __post_init__(self) -> None:
        checks.at_least_1(d_model=self.d_model, n_heads=self.n_heads, d_ff=self.d_ff, max_len=self.max_len)
        checks.heads("d_model", self.d_model, self.n_heads)
        checks.share("dropout", self.dropout)
        checks.one_of("norm", self.norm, NORMS)
        checks.one_of("activation", self.activation, ACTIVATIONS)
        checks.one_of("positions", self.positions, POSITIONS)
        checks.one_of("initial", self.initial, INITIAL)
        if self.positions == "sinusoidal":
            checks.even("d_model", self.d_model, "sinusoidal positions are pairs of sine and cosine")
        if self.positions == "rotary":
            pairs = "rotary positions turn pairs of features in each head"
            checks.even("d_model / n_heads", self.d_model // self.n_heads, pairs)

    def layer(self) -> dict:
        """What each layer is made with: the arguments of `EncoderLayer` and `DecoderLayer`."""
        return {
            "d_model": self.d_model,
            "n_heads": self.n_heads,
            "d_ff": self.d_ff,
            "activation": self.activation,
            "rotary": self.positions == "rotary",
            "dropout": self.dropout,
            "norm_first": self.norm_first,
            "norm": self.norm,
            "residual": self.residual,
        }


@dataclass(frozen=True)
class TransformerConfig(StackConfig):
    """An encoder-decoder; 6 + 6 layers by default, as in the paper's base model.

    Args:
        source_vocab, target_vocab: sizes of the two vocabularies.
        encoder_layers, decoder_layers: N of each stack.
        shared: "all": one matrix for source embedding, target embedding and scores, as in the paper;
            "target": one for target embedding and scores; None: three.
        and those of `StackConfig`.
    """

    source_vocab: int = 37_000
    target_vocab: int = 37_000
    encoder_layers: int = 6
    decoder_layers: int = 6
    shared: str | None = "all"

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.at_least_1(
            source_vocab=self.source_vocab,
            target_vocab=self.target_vocab,
            encoder_layers=self.encoder_layers,
            decoder_layers=self.decoder_layers,
        )
        checks.one_of("shared", self.shared, SHARED)
        if self.shared == "all" and self.source_vocab != self.target_vocab:
            raise ValueError(
                f"source_vocab is {self.source_vocab} and target_vocab {self.target_vocab}, expected one "
                'vocabulary with shared="all"; with two, "target" shares what the target needs'
            )

    def build(self) -> "Transformer":
        """A model with random parameters."""
        return Transformer(self)


class Embedded(nn.Module):
    """Token embedding × √d_model, plus a vector for the position, then dropout.

    Source: Vaswani et al. 2017, sections 3.4, 3.5 and 5.4.
    """

    def __init__(self, config: StackConfig, tokens: TokenEmbedding) -> None:
        super().__init__()
        self.token_embedding, self.config = tokens, config
        self.dropout = nn.Dropout(config.dropout)
        if config.positions == "learned":
            self.position_embedding = nn.Embedding(config.max_len, config.d_model)
            nn.init.normal_(self.position_embedding.weight, std=0.02)
        elif config.positions == "sinusoidal":
            waves = sinusoidal_positions(config.max_len, config.d_model)
            self.register_buffer("waves", waves, persistent=False)

    def forward(self, ids: Tensor, start: int = 0) -> Tensor:
        """Ids `(B, T)`, of which the first stands at position `start`, to `(B, T, D)`.

        Raises:
            ValueError: a text with more positions than there are vectors for.
        """
        x, end = self.token_embedding(ids), start + ids.shape[1]  # (B, T, D)
        if self.config.positions in ("learned", "sinusoidal"):
            checks.positions(end, self.config.max_len)
            known = self.waves if self.config.positions == "sinusoidal" else self.position_embedding.weight
            x = x + known[start:end]  # the same for every text: (T, D)
        return self.dropout(x)


def initialise(stack: nn.Module, config: StackConfig) -> None:
    """With "scaled", divide what each sub-layer adds by √(sub-layers): the sum keeps its size at any depth.

    Source: Radford et al. 2019 (GPT-2), section 2.3.
    """
    if config.initial == "scaled":
        last = [part.W_o for part in stack.modules() if isinstance(part, MultiHeadAttention)]
        last += [part.W_2 for part in stack.modules() if isinstance(part, FeedForward)]
        with torch.no_grad():
            for projection in last:
                projection.weight /= math.sqrt(len(last))


class Encoder(nn.Module):
    """N encoder layers, one on top of the other."""

    def __init__(self, config: StackConfig, n_layers: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(EncoderLayer(**config.layer()) for _ in range(n_layers))
        self.final_norm = _final_norm(config)
        initialise(self, config)

    def forward(
        self,
        x: Tensor,
        allowed: Tensor | None = None,
        past: tuple[KVCache, ...] | None = None,
        need_weights: bool = False,
    ) -> tuple[Tensor, list[Tensor | None], tuple[KVCache, ...]]:
        """Arguments as in `EncoderLayer.forward`, with one `past` for each layer.

        Returns:
            `(B, T, D)`, weights of each layer, and keys and values of each layer.
        """
        weights, caches = [], []
        for i, layer in enumerate(self.layers):
            x, seen, cache = layer(x, allowed, past and past[i], need_weights)
            weights.append(seen)
            caches.append(cache)
        return self.final_norm(x), weights, tuple(caches)


class Decoder(nn.Module):
    """N decoder layers, one on top of the other."""

    def __init__(self, config: StackConfig, n_layers: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(DecoderLayer(**config.layer()) for _ in range(n_layers))
        self.final_norm = _final_norm(config)
        initialise(self, config)

    def forward(
        self,
        x: Tensor,
        memory: Tensor | tuple[KVCache, ...],
        allowed: Tensor | None = None,
        memory_allowed: Tensor | None = None,
        past: tuple[KVCache, ...] | None = None,
        need_weights: bool = False,
    ) -> tuple[Tensor, list[DecoderWeights], tuple[KVCache, ...]]:
        """Arguments as in `DecoderLayer.forward`; `memory` and `past` may hold one cache for each layer.

        Returns:
            `(B, T, D)`, weights of each layer, and keys and values of each layer's self-attention.
        """
        weights, caches = [], []
        for i, layer in enumerate(self.layers):
            source = memory if isinstance(memory, Tensor) else memory[i]
            x, seen, cache = layer(x, source, allowed, memory_allowed, past and past[i], need_weights)
            weights.append(seen)
            caches.append(cache)
        return self.final_norm(x), weights, tuple(caches)

    def remember(self, memory: Tensor) -> tuple[KVCache, ...]:
        """The encoder's output `(B, S, D)` as keys and values of each layer: the same at every step."""
        return tuple(layer.cross_attention.remember(memory) for layer in self.layers)


def _final_norm(config: StackConfig) -> nn.Module:
    wanted = config.norm_first if config.final_norm is None else config.final_norm
    return NORMS[config.norm](config.d_model, eps=1e-5) if wanted else nn.Identity()


class Looks(NamedTuple):
    """Where a Transformer looked: one entry a layer."""

    encoder: list[Tensor]  # (B, H, S, S)
    decoder: list[DecoderWeights]  # (B, H, T, T) and (B, H, T, S)


class Writing(NamedTuple):
    """What is remembered while a text is written; tensors with the batch first."""

    memory: tuple[KVCache, ...]  # the source in each layer's cross-attention
    memory_allowed: Tensor  # (B, 1, 1, S)
    past: tuple[KVCache, ...] | None  # the target so far in each layer's self-attention


class Transformer(nn.Module):
    """An encoder that reads, a decoder that writes.

    Source: Vaswani et al. 2017, figure 1.
    """

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.config = config
        target = TokenEmbedding(config.target_vocab, config.d_model)
        source = target if config.shared == "all" else TokenEmbedding(config.source_vocab, config.d_model)
        self.embed_source, self.embed_target = Embedded(config, source), Embedded(config, target)
        self.encoder = Encoder(config, config.encoder_layers)
        self.decoder = Decoder(config, config.decoder_layers)
        self.lm_head = nn.Linear(config.d_model, config.target_vocab, bias=False)
        if config.shared is None:
            nn.init.normal_(self.lm_head.weight, std=config.d_model**-0.5)
        else:
            self.lm_head.weight = target.weight

    def forward(
        self, source: Tensor, target: Tensor, need_weights: bool = False
    ) -> tuple[Tensor, Looks | None]:
        """Scores for every next token, with the true tokens before it (teacher forcing): one pass for all.

        Args:
            source: ids `(B, S)`, padded on the right; nobody looks at `[PAD]`.
            target: ids of the decoder's inputs, `[BOS]` first, padded on the right, `(B, T)`.
            need_weights: also return where each layer looked.

        Returns:
            logits `(B, T, V)`, and a `Looks` or None.

        Raises:
            ValueError: no ids of the vocabularies, or more positions than `max_len`.
        """
        memory, words, seen = self.read(source, need_weights)
        checks.token_ids("target", target, "(B, T)", self.config.target_vocab)
        checks.same_batch("source", source, "target", target)
        allowed = causal_mask(target.shape[1], device=target.device)  # (T, T)
        x = self.embed_target(target)  # (B, T, D)
        x, looked, _ = self.decoder(x, memory, allowed, words, None, need_weights)
        return self.lm_head(x), Looks(seen, looked) if need_weights else None  # (B, T, V)

    def read(self, source: Tensor, need_weights: bool = False) -> tuple[Tensor, Tensor, list]:
        """The encoder's output `(B, S, D)`, which positions are words `(B, 1, 1, S)`, and its weights."""
        checks.token_ids("source", source, "(B, S)", self.config.source_vocab)
        words = padding_mask(source, PAD_ID)  # (B, 1, 1, S)
        memory, seen, _ = self.encoder(self.embed_source(source), words, None, need_weights)
        return memory, words, seen

    def encode(self, source: Tensor) -> Writing:
        """Read the source once, for writing; see `course_lib.generation`."""
        memory, words, _ = self.read(source)
        return Writing(self.decoder.remember(memory), words, None)

    def next_logits(self, tokens: Tensor, state: Writing) -> tuple[Tensor, Tensor, Writing]:
        """One step of writing: only the new tokens pass through the layers.

        Args:
            tokens: ids written since the state was made, `(B, n)`; `[BOS]` at first.
            state: what `encode` returned, then what this function did.

        Returns:
            logits of the next token `(B, V)`, where the last layer looked for it `(B, S)` (the mean over its
            heads), and the new state.

        Raises:
            ValueError: no ids of the vocabulary, another number of rows than the source has, or more
                positions than `max_len`.
        """
        checks.token_ids("tokens", tokens, "(B, n)", self.config.target_vocab)
        checks.same_batch("tokens", tokens, "the source", state.memory_allowed)
        start = 0 if state.past is None else state.past[0].k.shape[-2]
        x = self.embed_target(tokens, start)  # (B, n, D)
        allowed = causal_mask(tokens.shape[1], start + tokens.shape[1], device=tokens.device)  # (n, T)
        x, looked, past = self.decoder(
            x, state.memory, allowed, state.memory_allowed, state.past, need_weights=True
        )
        weights = looked[-1].cross[:, :, -1].mean(1)  # (B, H, n, S), (B, S)
        return self.lm_head(x[:, -1]), weights, state._replace(past=past)  # (B, V)


# ---------------------------------------------------------------- one stack


@dataclass(frozen=True)
class OneStackConfig(StackConfig):
    """One stack of encoder layers: encoder-only, decoder-only or prefix-LM by the mask under which it reads.

    Args:
        vocab_size: V.
        n_layers: N.
        shared: the scores are made with the token embedding's own matrix.
        and those of `StackConfig`.
    """

    vocab_size: int = 37_000
    n_layers: int = 6
    shared: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.at_least_1(vocab_size=self.vocab_size, n_layers=self.n_layers)

    def build(self) -> "OneStack":
        """A model with random parameters."""
        return OneStack(self)


class OneStack(nn.Module):
    """Embedding, layers, scores. What it can do is decided by the mask."""

    def __init__(self, config: OneStackConfig) -> None:
        super().__init__()
        self.config = config
        tokens = TokenEmbedding(config.vocab_size, config.d_model)
        self.embed = Embedded(config, tokens)
        self.stack = Encoder(config, config.n_layers)
        self.lm_head = nn.Linear(config.d_model, config.vocab_size, bias=False)
        if config.shared:
            self.lm_head.weight = tokens.weight
        else:
            nn.init.normal_(self.lm_head.weight, std=config.d_model**-0.5)

    def forward(
        self, ids: Tensor, allowed: Tensor | None = None, need_weights: bool = False
    ) -> tuple[Tensor, list[Tensor] | None]:
        """A score for every token of the vocabulary at every position.

        Args:
            ids: `(B, T)`.
            allowed: boolean, True = may attend, broadcastable to `(B, H, T, T)`: the family.
            need_weights: also return the weights of every layer.

        Returns:
            logits `(B, T, V)`, and weights `(B, H, T, T)`, one tensor a layer, or None.

        Raises:
            ValueError: no ids of the vocabulary, or more positions than `max_len`.
        """
        checks.token_ids("ids", ids, "(B, T)", self.config.vocab_size)
        x, seen, _ = self.stack(self.embed(ids), allowed, None, need_weights)
        return self.lm_head(x), seen if need_weights else None  # (B, T, V)

    def next_logits(
        self, tokens: Tensor, state: tuple[KVCache, ...] | None = None
    ) -> tuple[Tensor, None, tuple[KVCache, ...]]:
        """One step of writing from left to right, with keys and values kept; see `course_lib.generation`.

        The tokens of the first call see one another as under a causal mask. (A prefix-LM's first call sees
        its whole prefix: `read_prefix`.)

        Args:
            tokens: ids written since the state was made, `(B, n)`, rows of equal length; the prompt at first.
            state: None at first, then what this function (or `read_prefix`) returned.

        Returns:
            logits of the next token `(B, V)`, None in place of weights, and the new state.

        Raises:
            ValueError: no ids of the vocabulary, another number of rows than the state has, or more positions
                than `max_len`.
        """
        start = 0 if state is None else state[0].k.shape[-2]
        allowed = causal_mask(tokens.shape[1], start + tokens.shape[1], device=tokens.device)  # (n, T)
        return self._step(tokens, allowed, state, start)

    def read_prefix(self, prefix: Tensor) -> tuple[Tensor, None, tuple[KVCache, ...]]:
        """The first step of a prefix-LM: every token of the prefix `(B, P)` sees the whole prefix.

        Returns and errors as `next_logits`, which goes on from here.
        """
        return self._step(prefix, None, None, 0)

    def _step(
        self, tokens: Tensor, allowed: Tensor | None, state: tuple[KVCache, ...] | None, start: int
    ) -> tuple[Tensor, None, tuple[KVCache, ...]]:
        checks.token_ids("tokens", tokens, "(B, n)", self.config.vocab_size)
        x, _, caches = self.stack(self.embed(tokens, start), allowed, state)
        return self.lm_head(x[:, -1]), None, caches  # (B, V)
