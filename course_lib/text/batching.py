"""From lists of ids to padded tensors, with little padding.

Sequences in one tensor must be equally long; the short ones are filled with `[PAD]`. Batching by length
puts sequences of like length together, so that little time is spent on padding.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor

from course_lib.text.tokenizers import PAD_ID, WordTokenizer

Batch = TypeVar("Batch")


def pad(sequences: Sequence[Sequence[int]], pad_id: int = PAD_ID) -> Tensor:
    """Lists of ids, of any lengths, to one tensor.

    Args:
        sequences: B lists of ids.
        pad_id: what fills the rest of a short row.

    Returns:
        ids `(B, S)`, S the longest length.

    Raises:
        ValueError: no sequence at all, or one that holds other things than ids.
    """
    if not sequences:
        raise ValueError(
            "sequences is empty, expected at least one list of ids: is the batch's slice past the end?"
        )
    ids = torch.full((len(sequences), max(map(len, sequences))), pad_id)  # (B, S)
    for row, sequence in zip(ids, sequences, strict=True):
        try:
            values = torch.as_tensor(sequence)
        except (TypeError, ValueError):
            values = torch.tensor(torch.nan)
        if len(sequence) and (values.is_floating_point() or values.dim() != 1):
            raise ValueError(f"sequences holds {sequence!r}, expected a list of ids: encode the text first")
        row[: len(sequence)] = values
    return ids


def stack_answers(
    prompts: Sequence[Sequence[int]], answers: Sequence[Sequence[int]], pad_id: int = PAD_ID
) -> tuple[Tensor, Tensor]:
    """Each prompt with its answer behind it, as padded rows, and which tokens are answers.

    Args:
        prompts: B lists of ids.
        answers: B lists of ids; the token that ends an answer stands in it.
        pad_id: what fills the rest of a short row.

    Returns:
        ids `(B, S)`, and `(B, S)`, True = this token belongs to an answer.

    Raises:
        ValueError: not one answer a prompt, a prompt or an answer without tokens, or no pair at all.
    """
    if len(prompts) != len(answers):
        raise ValueError(f"prompts has {len(prompts)} rows and answers {len(answers)}, expected one a prompt")
    for name, texts in (("prompts", prompts), ("answers", answers)):
        if not all(len(text) for text in texts):
            raise ValueError(f"{name} holds an empty list, expected at least one id in each")
    ids = pad([[*prompt, *answer] for prompt, answer in zip(prompts, answers, strict=True)], pad_id)
    starts, ends = torch.tensor([(len(p), len(p) + len(a)) for p, a in zip(prompts, answers, strict=True)]).T
    place = torch.arange(ids.shape[1])  # (S,)
    return ids, (starts[:, None] <= place) & (place < ends[:, None])


def batches_by_length(
    lengths: Sequence[int],
    batch_size: int,
    generator: torch.Generator | None = None,
    *,
    pool: int = 32,
) -> Iterator[list[int]]:
    """Indices of one epoch, in batches of like length and random order.

    The data are shuffled, cut into pools of `pool` batches, and sorted by length only inside a pool:
    batches have little padding and still differ from epoch to epoch.

    Args:
        lengths: the length of each item.
        batch_size: items in a batch; the last of a pool may be smaller.
        generator: source of randomness; without one the order is by length and fixed (for evaluation).
        pool: batches in a pool.

    Yields:
        lists of indices into the data; together each index once.

    Raises:
        ValueError: `batch_size` or `pool` below 1, or a `generator` that is none.
    """
    for name, value in (("batch_size", batch_size), ("pool", pool)):
        if value < 1:
            raise ValueError(f"{name} is {value}, expected at least 1")
    if not isinstance(generator, torch.Generator | None):
        raise ValueError(
            f"generator is {generator!r}, expected a torch.Generator: torch.Generator().manual_seed(seed)"
        )
    if generator is None:
        order = sorted(range(len(lengths)), key=lengths.__getitem__)
        yield from _cut(order, batch_size)
        return
    shuffled = torch.randperm(len(lengths), generator=generator).tolist()
    for chunk in _cut(shuffled, batch_size * pool):
        chunks = list(_cut(sorted(chunk, key=lengths.__getitem__), batch_size))
        for i in torch.randperm(len(chunks), generator=generator).tolist():
            yield chunks[i]


def endless(epoch: Callable[[], Iterator[Batch]]) -> Iterator[Batch]:
    """Epoch after epoch without end; `epoch` makes the iterator of one."""
    while True:
        empty = True
        for batch in epoch():
            empty = False
            yield batch
        if empty:
            raise ValueError("an epoch without a single batch: is the data set empty?")


def _cut(items: list[int], size: int) -> Iterator[list[int]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


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
