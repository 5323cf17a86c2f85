"""BERT: an encoder that reads a text from both sides, learned by filling in blanks.

    embeddings      token + position + segment, each learned; norm; dropout         figure 2
    layers          N encoder layers, norm after each sub-layer, GELU               section 3
    T_1 … T_N, C    what leaves the last layer: a vector a token; C is that of [CLS]
    words           for a hidden word: dense, GELU, norm, then the token embedding's own matrix and a bias
    follows         for two texts: does the second follow the first? tanh of a dense layer on C, then 2 scores

Where it differs from the Transformer of 2017: positions and segments are learned, the sum is normalised and
not multiplied by √d_model, GELU stands for ReLU. Dropout acts on features only; the authors' code also drops
attention weights.

Axes: B batch, T positions, D d_model, H heads, F features inside the feed-forward network, V vocabulary.

Source: Devlin et al. 2019, section 3; what the paper leaves open is as in the authors' code.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from course_lib import checks
from course_lib.layers import EncoderLayer
from course_lib.masks import padding_mask

FOLLOWS = ("random", "next")  # the two answers, by name; their places are the columns of the head's scores


@dataclass(frozen=True)
class BertConfig:
    """Sizes and choices; what is not given is BERT-base.

    Args:
        vocab_size: V.
        d_model: D.
        n_heads: H.
        n_layers: N.
        d_ff: F.
        max_len: positions for which there is a vector.
        n_segments: texts that a row can hold.
        dropout: share of features dropped in training, after the embeddings and in each sub-layer.
        norm_eps: what each norm adds to the variance.
        init_std: standard deviation of the first random numbers of every matrix; biases start at 0.
        pad_id: the id of `[PAD]`.

    Raises:
        ValueError: a size below 1, heads that do not fit, or a share outside 0 to 1.
    """

    vocab_size: int = 30_522
    d_model: int = 768
    n_heads: int = 12
    n_layers: int = 12
    d_ff: int = 3072
    max_len: int = 512
    n_segments: int = 2
    dropout: float = 0.1
    norm_eps: float = 1e-12
    init_std: float = 0.02
    pad_id: int = 0

    def __post_init__(self) -> None:
        names = ("vocab_size", "d_model", "n_heads", "n_layers", "d_ff", "max_len", "n_segments")
        checks.at_least_1(**{name: getattr(self, name) for name in names})
        checks.heads("d_model", self.d_model, self.n_heads)
        checks.share("dropout", self.dropout)

    def build(self) -> "Bert":
        """A model with random parameters."""
        return Bert(self)


def parameter_count(config: BertConfig) -> dict[str, int]:
    """How many parameters each part has, by formula.

        embeddings   (V + positions + segments) D + 2 D
        each layer   4 D (D + 1)  +  F (D + 1) + D (F + 1)  +  4 D
        pooler       D (D + 1)
        words        D (D + 1) + 2 D + V                 (its large matrix is the embedding's)
        follows      2 (D + 1)

    Returns:
        part → number. BERT-base: embeddings, layers and pooler together have 109,482,240, "110M" in Devlin et
        al. 2019, section 3; all parts 110,106,428.
    """
    d, f, v = config.d_model, config.d_ff, config.vocab_size
    layer = 4 * d * (d + 1) + f * (d + 1) + d * (f + 1) + 4 * d
    return {
        "embeddings": (v + config.max_len + config.n_segments) * d + 2 * d,
        "layers": config.n_layers * layer,
        "pooler": d * (d + 1),
        "words": d * (d + 1) + 2 * d + v,
        "follows": 2 * (d + 1),
    }


class Read(NamedTuple):
    """What an encoder makes of some rows."""

    hidden: tuple[Tensor, ...]  # N + 1 tensors (B, T, D): the embeddings, then what each layer leaves
    weights: list[Tensor] | None  # N tensors (B, H, T, T), on request

    @property
    def tokens(self) -> Tensor:
        """T_1 … T_N: a vector for each token, `(B, T, D)`."""
        return self.hidden[-1]

    @property
    def C(self) -> Tensor:
        """The vector of `[CLS]`, `(B, D)`."""
        return self.hidden[-1][:, 0]


class BertEncoder(nn.Module):
    """Embeddings and layers."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.config = config
        d_model = config.d_model
        self.token_embedding = nn.Embedding(config.vocab_size, d_model)
        self.position_embedding = nn.Embedding(config.max_len, d_model)
        self.segment_embedding = nn.Embedding(config.n_segments, d_model)
        self.norm = nn.LayerNorm(d_model)
        self.dropout = nn.Dropout(config.dropout)
        frame = {"activation": "gelu", "dropout": config.dropout}
        self.layers = nn.ModuleList(
            EncoderLayer(d_model, config.n_heads, config.d_ff, **frame) for _ in range(config.n_layers)
        )
        initialise(self, config)

    def embed(self, ids: Tensor, segments: Tensor) -> Tensor:
        """Token + position + segment, `(B, T)` each, to `(B, T, D)`."""
        x = self.token_embedding(ids) + self.segment_embedding(segments)  # (B, T, D)
        x = x + self.position_embedding.weight[: ids.shape[1]]  # the same for every row: (T, D)
        return self.dropout(self.norm(x))

    def forward(
        self,
        *,
        ids: Tensor,
        segments: Tensor | None = None,
        allowed: Tensor | None = None,
        need_weights: bool = False,
    ) -> Read:
        """Read some rows. All is passed by name: segments and a mask look alike and are easily mixed up.

        Args:
            ids: `(B, T)`, padded on the right.
            segments: 0 for the first text, 1 for the second, `(B, T)`; None: one text.
            allowed: boolean, True = may attend, broadcastable to `(B, H, T, T)`; None: everybody sees
                everybody but padding.
            need_weights: also return the weights of every layer.

        Raises:
            ValueError: no ids, segments or mask, or more positions than `max_len`.
        """
        config = self.config
        checks.token_ids("ids", ids, "(B, T)", config.vocab_size, config.max_len)
        segments = torch.zeros_like(ids) if segments is None else segments
        _check_segments(segments, ids, config.n_segments)
        allowed = padding_mask(ids, config.pad_id) if allowed is None else allowed  # (B, 1, 1, T)
        _check_allowed(allowed, ids)
        hidden, weights = [self.embed(ids, segments)], []
        for layer in self.layers:
            x, seen, _ = layer(hidden[-1], allowed, None, need_weights)
            hidden.append(x)
            weights.append(seen)
        return Read(tuple(hidden), weights if need_weights else None)


class Scores(NamedTuple):
    """What BERT says about some rows."""

    words: Tensor  # (B, T, V): which word stands here?
    follows: Tensor  # (B, 2): columns as FOLLOWS


class Bert(nn.Module):
    """The encoder with the two heads of pre-training."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.config = config
        d_model = config.d_model
        self.encoder = BertEncoder(config)
        self.pooler = nn.Linear(d_model, d_model)
        self.before_lm_head = nn.Sequential(nn.Linear(d_model, d_model), nn.GELU(), nn.LayerNorm(d_model))
        self.lm_head = nn.Linear(d_model, config.vocab_size)
        self.nsp_head = nn.Linear(d_model, len(FOLLOWS))
        initialise(self, config)
        self.lm_head.weight = self.encoder.token_embedding.weight

    def forward(self, *, need_weights: bool = False, **rows: Tensor) -> tuple[Scores, list[Tensor] | None]:
        """Scores for every word at every position, and for the two texts.

        Args:
            need_weights, rows: as in `BertEncoder.forward`, by name.

        Returns:
            a `Scores`, and weights `(B, H, T, T)`, one tensor a layer, or None.

        Raises:
            ValueError: as `BertEncoder.forward`.
        """
        read = self.encoder(need_weights=need_weights, **rows)
        words = self.lm_head(self.before_lm_head(read.tokens))  # (B, T, V)
        return Scores(words, self.nsp_head(self.pool(read.C))), read.weights

    def pool(self, C: Tensor) -> Tensor:
        """tanh of a dense layer on C, `(B, D)` to `(B, D)`: the "pooled output" of the authors' code."""
        return self.pooler(C).tanh()


def initialise(model: nn.Module, config: BertConfig) -> None:
    """Small random matrices, biases of 0, and each norm's ε: as in the authors' code."""
    for part in model.modules():
        if isinstance(part, nn.Linear | nn.Embedding):
            nn.init.normal_(part.weight, std=config.init_std)
        if isinstance(part, nn.Linear):
            nn.init.zeros_(part.bias)
        if isinstance(part, nn.LayerNorm):
            part.eps = config.norm_eps


def _check_segments(segments: Tensor, ids: Tensor, n_segments: int) -> None:
    if segments.shape != ids.shape or segments.is_floating_point() or segments.dtype == torch.bool:
        raise ValueError(
            f"segments has shape {tuple(segments.shape)} and dtype {segments.dtype}, expected whole numbers "
            f"{tuple(ids.shape)}, one for each of the ids: 0 for the first text, 1 for the second; "
            "which tokens are padding is said with allowed="
        )
    low, high = (int(edge) for edge in segments.aminmax())
    if low < 0 or high >= n_segments:
        raise ValueError(f"segments holds {low} to {high}, expected 0 to {n_segments - 1}: are these ids?")
    if segments[:, 0].any():
        row = int(segments[:, 0].nonzero()[0])
        raise ValueError(
            f"segments begins with {int(segments[row, 0])} in row {row}, expected 0: [CLS] belongs to the "
            "first text; is this an attention mask of 1 and 0?"
        )


def _check_allowed(allowed: Tensor, ids: Tensor) -> None:
    if isinstance(allowed, Tensor) and allowed.dtype != torch.bool:
        raise ValueError(
            f"allowed has dtype {allowed.dtype}, expected torch.bool (True = may attend): are these "
            "segments? They are passed as segments=; a mask of 1 and 0 becomes one with .bool()"
        )
    if isinstance(allowed, Tensor) and allowed.shape == ids.shape:
        raise ValueError(
            f"allowed has shape {tuple(allowed.shape)}, the shape of ids: is the first axis the batch or the "
            "query? For one value a token write allowed[:, None, None]; None means all but padding"
        )
