"""Random inputs and a measure of equality, for the tests that hold ours against torch's."""

from dataclasses import dataclass

import torch
from hypothesis import given, settings

from course_lib import masks


def many(examples, **strategies):
    """A test over ``examples`` random inputs, the same ones in every run."""
    return lambda test: settings(max_examples=examples, deadline=None, derandomize=True)(
        given(**strategies)(test)
    )


@dataclass
class Dice:
    """Random tensors from one seed."""

    seed: int

    def __post_init__(self):
        self.generator = torch.Generator().manual_seed(self.seed)

    def normal(self, *shape, dtype=torch.float32):
        return torch.randn(shape, generator=self.generator, dtype=torch.float64).to(dtype)

    def cells(self, *shape, open_share=0.6):
        return torch.rand(shape, generator=self.generator) < open_share

    def whole(self, low, high, *shape):
        return torch.randint(low, high, shape, generator=self.generator)

    def mask(self, kind, B, H, T, S):
        """A mask of this kind; ``any`` may leave rows with nothing allowed. ``causal`` needs T ≤ S."""
        ids = torch.arange(S) < self.whole(1, S + 1, B)[:, None]  # each sentence has a first word
        if kind == "causal":
            return masks.causal_mask(T, max(S, T))[:, :S]
        if kind == "padding":
            return masks.padding_mask(ids.long(), 0)
        if kind == "both":
            return masks.combine(self.mask("causal", B, H, T, S), masks.padding_mask(ids.long(), 0))
        if kind == "any":
            return self.cells(B, 1, T, S)
        return self.cells(B, H, T, S) if kind == "any head" else None


def assert_close(got, expected, tolerance):
    """Equal within ``tolerance`` times the largest expected value (at least 1)."""
    assert got.shape == expected.shape
    got, expected = got.detach().double(), expected.detach().double()
    assert torch.isfinite(got).all()
    scale = max(1.0, expected.abs().max().item()) if expected.numel() else 1.0
    gap = (got - expected).abs().max().item() if expected.numel() else 0.0
    assert gap <= tolerance * scale, f"differs by {gap:.2e}, allowed is {tolerance * scale:.2e}"
