"""What inputs are made of: random numbers from a seed, masks, tensors that are not contiguous.

They break symmetry: no value twice by chance, a repeated word on purpose, and no row without a key unless
the exercise is about such rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

_moved = [0]  # what is added to every seed


def seeded(seed: int) -> torch.Generator:
    """A generator of its own, so that the global random state is left alone."""
    return torch.Generator().manual_seed(seed + _moved[-1])


def moved_by() -> int:
    """What ``seeded`` adds to each seed now."""
    return _moved[-1]


@contextmanager
def other_seeds(step: int) -> Iterator[None]:
    """Inside, ``seeded`` adds ``step`` to each seed: the same inputs are made of other numbers."""
    _moved.append(step)
    try:
        yield
    finally:
        _moved.pop()


def random(generator: torch.Generator, *shape: int) -> torch.Tensor:
    """Numbers with mean 0 and variance 1."""
    return torch.randn(*shape, generator=generator)


def padded(*lengths: int) -> torch.Tensor:
    """``allowed`` (B, S) for sentences of these lengths: True on words, False on padding."""
    return torch.arange(max(lengths))[None, :] < torch.tensor(lengths)[:, None]


def some_open(generator: torch.Generator, *shape: int, share: float = 0.6) -> torch.Tensor:
    """A random mask, about ``share`` of it True; every row over the last axis has at least one True."""
    allowed = torch.rand(*shape, generator=generator) < share
    allowed[..., 0] |= ~allowed.any(dim=-1)
    return allowed


def not_contiguous(x: torch.Tensor, axis: int = 0, other: int = 1) -> torch.Tensor:
    """The same numbers in the same places, with these two axes exchanged in memory."""
    return x.transpose(axis, other).contiguous().transpose(axis, other)
