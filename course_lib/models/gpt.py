"""GPT: one stack that reads from left to right and says, at every position, which token comes next.

    embeddings    a vector for each token, plus one for its position (or positions by turning, in each layer)
    layers        N times  x + attention(norm(x)),  x + feed_forward(norm(x));  nobody sees the future
    scores        norm, then the token embedding's own matrix

What is not given is GPT-2's small model. The switches lead, one at a time, to what came after it: rotary
positions, RMS norm, ReLU² or SwiGLU, normalised queries and keys, no biases.

Axes: B batch, T positions, S positions seen (past ones too), D d_model, H heads, V vocabulary.

Source: Radford et al. 2018 and 2019 (GPT, GPT-2); what the papers leave open is as in the authors' code.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from course_lib import checks
from course_lib.activations import ACTIVATIONS
from course_lib.layers import NORMS, KVCache
from course_lib.masks import causal_mask
from course_lib.models import evaluating
from course_lib.models.gpt_layer import GPTLayer
from course_lib.models.one_token import Step, one_token

POSITIONS = ("learned", "rotary")
RESIDUAL = ("scaled", "zero")
MODERN = {  # what came after GPT-2, all switches at once
    "positions": "rotary",
    "norm": "rms",
    "activation": "relu_squared",
    "qk_norm": True,
    "bias": False,
    "residual": "zero",
}


@dataclass(frozen=True)
class GPTConfig:
    """Sizes and choices; what is not given is GPT-2's small model.

    Args:
        vocab_size: V.
        d_model: D.
        n_heads: H.
        n_layers: N.
        d_ff: features in the middle of a feed-forward network; 4 · d_model when not given.
        max_len: the context window: so many tokens are seen at once.
        dropout: share of features dropped in training, after the embeddings and in each sub-layer.
        positions: "learned" or "rotary".
        norm: "layer" or "rms".
        norm_eps: what each norm adds to the variance, or to the mean square.
        activation: "gelu_tanh" as in GPT-2, or another of `FeedForward`.
        qk_norm: normalise queries and keys.
        bias: False leaves the biases of the layers' matrices out.
        tied: the scores are made with the token embedding's own matrix.
        init_std: standard deviation of the first random numbers of every matrix; biases start at 0.
        residual: what a sub-layer adds at first: "scaled": its last matrix is divided by √(sub-layers), as in
            GPT-2; "zero": nothing.

    Raises:
        ValueError: a size below 1, heads that do not fit, a share outside 0 to 1, or a choice that does not
            exist.
    """

    vocab_size: int = 50_257
    d_model: int = 768
    n_heads: int = 12
    n_layers: int = 12
    d_ff: int | None = None
    max_len: int = 1024
    dropout: float = 0.0
    positions: str = "learned"
    norm: str = "layer"
    norm_eps: float = 1e-5
    activation: str = "gelu_tanh"
    qk_norm: bool = False
    bias: bool = True
    tied: bool = True
    init_std: float = 0.02
    residual: str = "scaled"

    def __post_init__(self) -> None:
        names = ("vocab_size", "d_model", "n_heads", "n_layers", "max_len")
        checks.at_least_1(**{name: getattr(self, name) for name in names})
        if self.d_ff is not None:
            checks.at_least_1(d_ff=self.d_ff)
        checks.heads("d_model", self.d_model, self.n_heads)
        checks.share("dropout", self.dropout)
        checks.one_of("positions", self.positions, POSITIONS)
        checks.one_of("norm", self.norm, NORMS)
        checks.one_of("activation", self.activation, ACTIVATIONS)
        checks.one_of("residual", self.residual, RESIDUAL)
        if self.positions == "rotary":
            pairs = "rotary positions turn pairs of features in each head"
            checks.even("d_model / n_heads", self.d_model // self.n_heads, pairs)

    def build(self) -> "GPT":
        """A model with random parameters."""
        return GPT(self)


def parameter_count(config: GPTConfig) -> dict[str, int]:
    """How many parameters each part has, by formula.

        embeddings   V D, and window · D where positions are learned
        each layer   4 D²  +  2 D F (3 D F with SwiGLU)  +  biases  +  2 norms
        final norm   2 D (D with RMS norm)
        scores       V D where they have a matrix of their own, else 0

    Returns:
        part → number. GPT-2's small model: 124,439,808 in all; its scores untied: 163,037,184.
    """
    d, n_in = config.d_model, 2 if config.activation == "swiglu" else 1
    f = 4 * d if config.d_ff is None else config.d_ff
    norm = d if config.norm == "rms" else 2 * d
    biases = 4 * d + n_in * f + d if config.bias else 0
    learned = config.positions == "learned"
    return {
        "embeddings": (config.vocab_size + (config.max_len if learned else 0)) * d,
        "layers": config.n_layers * (4 * d * d + (n_in + 1) * d * f + biases + 2 * norm),
        "final norm": norm,
        "scores": 0 if config.tied else config.vocab_size * d,
    }


class Seen(NamedTuple):
    """What a GPT remembers while it writes; tensors with the batch first."""

    ids: Tensor  # (B, S): the text, as far as the window reaches
    past: tuple[KVCache, ...]  # keys and values of each layer


class GPT(nn.Module):
    """A decoder-only language model.

    Source: Radford et al. 2019, section 2.3.
    """

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.config = config
        d_model = config.d_model
        self.token_embedding = nn.Embedding(config.vocab_size, d_model)
        if config.positions == "learned":
            self.position_embedding = nn.Embedding(config.max_len, d_model)
        self.dropout = nn.Dropout(config.dropout)
        self.layers = nn.ModuleList(
            GPTLayer(
                d_model,
                config.n_heads,
                config.d_ff,
                activation=config.activation,
                rotary=config.positions == "rotary",
                qk_norm=config.qk_norm,
                bias=config.bias,
                dropout=config.dropout,
                norm=config.norm,
            )
            for _ in range(config.n_layers)
        )
        self.final_norm = NORMS[config.norm](d_model)
        self.lm_head = nn.Linear(d_model, config.vocab_size, bias=False)
        self.one_token: Step | None = None  # inside of `writing`
        if config.tied:
            self.lm_head.weight = self.token_embedding.weight
        initialise(self)

    def forward(
        self, ids: Tensor, allowed: Tensor | None = None, need_weights: bool = False
    ) -> tuple[Tensor, list[Tensor] | None]:
        """Scores for the next token, at every position.

        Args:
            ids: `(B, T)`.
            allowed: boolean, True = may attend, broadcastable to `(B, H, T, T)`; None: everybody sees itself
                and what stands before it. Another mask keeps packed documents apart, for example.
            need_weights: also return the weights of every layer.

        Returns:
            logits `(B, T, V)`, and weights `(B, H, T, T)`, one tensor a layer, or None.

        Raises:
            ValueError: no ids of the vocabulary, or more of them than `max_len`.
        """
        checks.token_ids("ids", ids, "(B, T)", self.config.vocab_size, self.config.max_len)
        if allowed is None:
            allowed = causal_mask(ids.shape[1], device=ids.device)  # (T, T)
        x, weights, _ = self.read(ids, allowed, None, need_weights)
        return self.lm_head(x), weights if need_weights else None  # (B, T, V)

    def embed(self, ids: Tensor, start: int = 0) -> Tensor:
        """Tokens `(B, T)`, and where they stand: position `start` and those behind it; to `(B, T, D)`.

        Raises:
            ValueError: a text with more positions than there are vectors for.
        """
        x, end = self.token_embedding(ids), start + ids.shape[1]  # (B, T, D)
        if self.config.positions == "learned":
            checks.positions(end, self.config.max_len)
            x = x + self.position_embedding.weight[start:end]  # (T, D): for every text
        return self.dropout(x) if self.config.dropout else x

    def read(
        self,
        ids: Tensor,
        allowed: Tensor | None,
        past: tuple[KVCache, ...] | None = None,
        need_weights: bool = False,
    ) -> tuple[Tensor, list[Tensor | None], tuple[KVCache, ...]]:
        """What leaves the last norm, `(B, T, D)`; the weights, and the keys and values of each layer.

        Args:
            ids: the new tokens, `(B, T)`.
            allowed: broadcastable to `(B, H, T, S)`, S = past + T; None: the new tokens may look everywhere.
            past: keys and values of the tokens before them.
            need_weights: as in `forward`.

        Raises:
            ValueError: as `embed`, or another batch than that of the past.
        """
        start = 0 if past is None else past[0].k.shape[-2]
        x, weights, seen = self.embed(ids, start), [], []
        for i, layer in enumerate(self.layers):
            x, looked, cache = layer(x, allowed, past and past[i], need_weights)
            weights.append(looked)
            seen.append(cache)
        return self.final_norm(x), weights, tuple(seen)

    def next_logits(
        self, tokens: Tensor, state: Seen | None = None, need_weights: bool = False
    ) -> tuple[Tensor, Tensor | None, Seen]:
        """One step of writing: only the new tokens pass through the layers; see `course_lib.generation`.

        Of a text longer than the window the last `max_len` tokens count, as if they were the whole text. Past
        that edge each step forgets a token, so every other one moves to a new position: the keys and values
        kept so far are of no more use, and the window is read anew.

        Args:
            tokens: ids written since the state was made, `(B, n)`, rows of equal length; the prompt at first.
            state: None at first, then what this function returned.
            need_weights: also return where the last layer looked.

        Returns:
            logits of the next token `(B, V)`, weights `(B, S)` of the last position (the mean over the last
            layer's heads) or None, and the new state.

        Raises:
            ValueError: no ids of the vocabulary, or another number of rows than the state has.
        """
        window = self.config.max_len
        checks.token_ids("tokens", tokens, "(B, n)", self.config.vocab_size)
        if state is not None:
            checks.same_batch("tokens", tokens, "state", state.ids)
        ids = tokens if state is None else torch.cat([state.ids, tokens], dim=1)  # (B, S)
        past = None if state is None else state.past
        if ids.shape[1] > window:
            ids = tokens = ids[:, -window:]
            past = None
        n = tokens.shape[1]
        if n == 1 and past is not None and self.one_token is not None and not need_weights:
            logits, past = self.one_token(tokens, past)
            return logits, None, Seen(ids, past)
        allowed = None if n == 1 else causal_mask(n, ids.shape[1], device=ids.device)  # (n, S)
        x, weights, past = self.read(tokens, allowed, past, need_weights)
        looked = weights[-1][:, :, -1].mean(1) if need_weights else None  # (B, H, n, S), (B, S)
        return self.lm_head(x[:, -1]), looked, Seen(ids, past)  # (B, V)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Inside the block the model writes many tokens, and its parameters stay as they are.

        It is in evaluation mode, and each token takes half the time (see `models.one_token`).
        """
        with evaluating(self):
            self.one_token = one_token(self) if type(self) is GPT else None
            try:
                yield
            finally:
                self.one_token = None


def initialise(model: GPT) -> None:
    """Small random matrices, biases of 0, little or nothing of what a sub-layer adds at first; each norm's ε.

    Source: Radford et al. 2019, section 2.3; the standard deviation: the authors' code.
    """
    config = model.config
    for part in model.modules():
        if isinstance(part, nn.Linear | nn.Embedding):
            nn.init.normal_(part.weight, std=config.init_std)
        if isinstance(part, nn.Linear) and part.bias is not None:
            nn.init.zeros_(part.bias)
        if isinstance(part, NORMS[config.norm]):
            part.eps = config.norm_eps
    factor = 0.0 if config.residual == "zero" else 1 / math.sqrt(2 * config.n_layers)
    with torch.no_grad():
        for layer in model.layers:
            layer.self_attention.W_o.weight *= factor
            layer.feed_forward.W_2.weight *= factor
