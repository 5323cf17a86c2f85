"""Fine-tuning: a new head on a BERT, which says one of a few things about a row, or about each token.

The head reads one vector a row, and there are three to choose from:

    "C"        what the last layer leaves at [CLS]
    "pooler"   tanh of a dense layer on C, learned with next-sentence prediction
    "mean"     the mean of all tokens' vectors, padding left out

or a vector a token:

    "tokens"   T_1 … T_N: an answer for every token

Axes: B batch, T positions, D d_model.

Source: Devlin et al. 2019, section 3.2 and figure 4 (for a row it takes the pooled C).
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from course_lib import checks
from course_lib.models.bert import Bert, BertConfig

VECTORS = ("C", "pooler", "mean", "tokens")


@dataclass(frozen=True)
class ClassifierConfig:
    """A BERT and its new head.

    Args:
        bert: sizes of the BERT.
        n_classes: what can be said.
        vector: which vector of a row the head reads, or those of all tokens.
        frozen: only the head learns; the BERT stays as it is, and drops nothing.

    Raises:
        ValueError: fewer than 2 classes, or another vector.
    """

    bert: BertConfig
    n_classes: int
    vector: str = "C"
    frozen: bool = False

    def __post_init__(self) -> None:
        if self.n_classes < 2:
            raise ValueError(f"n_classes is {self.n_classes}, expected at least 2")
        checks.one_of("vector", self.vector, VECTORS)

    def build(self) -> "BertClassifier":
        """A model with random parameters; `start_from` gives it those of a trained BERT."""
        return BertClassifier(self)


class BertClassifier(nn.Module):
    """One of a few answers for each row, or for each token."""

    def __init__(self, config: ClassifierConfig) -> None:
        super().__init__()
        self.config = config
        self.bert = Bert(config.bert)
        self.dropout = nn.Dropout(config.bert.dropout)
        self.head = nn.Linear(config.bert.d_model, config.n_classes)
        nn.init.normal_(self.head.weight, std=config.bert.init_std)
        nn.init.zeros_(self.head.bias)
        self.bert.requires_grad_(not config.frozen)

    def train(self, mode: bool = True) -> "BertClassifier":
        """As ever; a frozen BERT stays in evaluation mode."""
        super().train(mode)
        if self.config.frozen:
            self.bert.eval()
        return self

    def start_from(self, bert: Bert) -> "BertClassifier":
        """Take over the parameters of a trained BERT; the head stays new.

        Raises:
            ValueError: a BERT of other sizes.
        """
        if bert.config != self.config.bert:
            raise ValueError(f"bert has {bert.config}, expected {self.config.bert}")
        self.bert.load_state_dict(bert.state_dict())
        return self

    def read_vectors(self, **rows: Tensor) -> Tensor:
        """What the head reads, `(B, D)` or `(B, T, D)`; rows as in `BertEncoder.forward`, by name."""
        read = self.bert.encoder(**rows)
        if self.config.vector == "tokens":
            return read.tokens
        if self.config.vector == "C":
            return read.C
        if self.config.vector == "pooler":
            return self.bert.pool(read.C)
        there = (rows["ids"] != self.config.bert.pad_id)[..., None]  # (B, T, 1)
        return read.tokens.masked_fill(~there, 0.0).sum(1) / there.sum(1).clamp(min=1)  # (B, D)

    def forward(self, **rows: Tensor) -> Tensor:
        """Scores of the answers, `(B, classes)` or `(B, T, classes)`; rows as in `BertEncoder.forward`."""
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.config.frozen):
            vectors = self.read_vectors(**rows)
        return self.head(self.dropout(vectors))
