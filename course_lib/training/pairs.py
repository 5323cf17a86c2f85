"""Pairs of sequences, source and target, as batches for a sequence-to-sequence model."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from course_lib.generation import greedy
from course_lib.text.batching import batches_by_length, endless, pad
from course_lib.text.tokenizers import WordTokenizer
from course_lib.training.objectives import shift, token_loss


@dataclass(frozen=True)
class Pairs:
    """Encoded pairs: source ids, and target ids between `[BOS]` and `[EOS]`."""

    sources: Sequence[Sequence[int]]
    targets: Sequence[Sequence[int]]

    @classmethod
    def encode(
        cls,
        pairs: Sequence[tuple[Sequence[str], Sequence[str]]],
        source: WordTokenizer,
        target: WordTokenizer,
    ) -> "Pairs":
        """Token pairs to ids."""
        return cls(
            [source.encode(s) for s, _ in pairs],
            [target.encode(t, bos=True, eos=True) for _, t in pairs],
        )

    def __len__(self) -> int:
        return len(self.sources)

    def epoch(
        self, batch_size: int, generator: torch.Generator | None = None
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """One epoch of `(source (B, S), target (B, T + 1))`, pairs of like length together."""
        lengths = [len(s) + len(t) for s, t in zip(self.sources, self.targets, strict=True)]
        for rows in batches_by_length(lengths, batch_size, generator):
            yield pad([self.sources[i] for i in rows]), pad([self.targets[i] for i in rows])

    def batches(self, batch_size: int, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Epoch after epoch, in an order that depends on the seed alone."""
        generator = torch.Generator().manual_seed(seed)
        return endless(lambda: self.epoch(batch_size, generator))


def pair_loss(model: nn.Module, batch: tuple[Tensor, Tensor], *, label_smoothing: float = 0.0) -> Tensor:
    """Mean loss of the next target token, given the source and the true tokens before it (nats a token)."""
    source, target = batch
    inputs, labels = shift(target)  # (B, T) each
    logits, _ = model(source, inputs)  # (B, T, V)
    return token_loss(logits, labels, label_smoothing=label_smoothing)


def decode_all(
    model: nn.Module,
    sources: Sequence[Sequence[int]],
    target: WordTokenizer,
    *,
    max_new_tokens: int = 40,
    batch_size: int = 512,
) -> list[list[str]]:
    """Greedy outputs for many sources, in their order.

    Args:
        model: a sequence-to-sequence model.
        sources: lists of ids.
        target: turns ids into tokens.
        max_new_tokens: the longest output.
        batch_size: sources decoded at a time.

    Returns:
        for each source its output tokens.
    """
    outputs: list[list[str]] = [[] for _ in sources]
    for rows in batches_by_length([len(s) for s in sources], batch_size):
        ids, _ = greedy(model, pad([sources[i] for i in rows]), max_new_tokens)
        for i, row in zip(rows, ids.tolist(), strict=True):
            outputs[i] = target.decode_tokens(row)
    return outputs
