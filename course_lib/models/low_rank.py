"""LoRA's parts: what a few new parameters add beside a matrix that stays as it is.

    y = W x + (α / r) · B A x        A: (r, D_in), random;   B: (D_out, r), 0 at the start

As B is 0, nothing is added at first: training starts from exactly what the base does.

A matrix with adapters is no `nn.Linear` any more. The fast roads of a GPT (`gpt_layer.project`, `one_token`)
see that and call it like any other part.

Axes: D_in features that come, D_out that go, r rank.

Source: Hu et al. 2021 (LoRA, arXiv 2106.09685), section 4.1.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_lib import checks


@dataclass(frozen=True)
class LoRAConfig:
    """Which matrices get an adapter, and of what size.

    Args:
        rank: r.
        alpha: α; what an adapter adds is multiplied by α / r.
        matrices: names, such as W_q and W_v: all linear layers of this name.

    Raises:
        ValueError: a rank below 1, α not above 0, or no names.
    """

    rank: int = 8
    alpha: float = 16.0
    matrices: tuple[str, ...] = ("W_q", "W_v")

    def __post_init__(self) -> None:
        object.__setattr__(self, "matrices", tuple(self.matrices))  # a card gives a list
        checks.at_least_1(rank=self.rank)
        if not self.alpha > 0:
            raise ValueError(f"alpha is {self.alpha}, expected above 0")
        if not self.matrices:
            raise ValueError("matrices is empty, expected names such as W_q and W_v")

    @property
    def scale(self) -> float:
        """α / r."""
        return self.alpha / self.rank


class LowRank(nn.Module):
    """What one adapter adds at one matrix: `(α / r) · B A x`.

    Args:
        d_in, d_out: of the matrix.
        config: rank and α.
        generator: draws A, with variance 1 / D_in.
    """

    def __init__(
        self, d_in: int, d_out: int, config: LoRAConfig, generator: torch.Generator | None = None
    ) -> None:
        super().__init__()
        self.scale = config.scale
        self.A = nn.Parameter(torch.randn(config.rank, d_in, generator=generator) * d_in**-0.5)
        self.B = nn.Parameter(torch.zeros(d_out, config.rank))

    def forward(self, x: Tensor) -> Tensor:
        """`(..., D_in)` to `(..., D_out)`."""
        return self.scale * F.linear(F.linear(x, self.A), self.B)  # (..., r), (..., D_out)

    def matrix(self) -> Tensor:
        """The same as one matrix, `(D_out, D_in)`."""
        return self.scale * self.B @ self.A


class WithAdapters(nn.Module):
    """A matrix that stays as it is, and what adapters add to it: at most one of them at a time.

    Args:
        base: the matrix, with its bias.
    """

    def __init__(self, base: nn.Linear) -> None:
        super().__init__()
        self.base = base
        self.adapters = nn.ModuleDict()
        self.active: str | None = None

    def forward(self, x: Tensor) -> Tensor:
        """`(..., D_in)` to `(..., D_out)`."""
        y = self.base(x)
        return y + self.adapters[self.active](x) if self.active in self.adapters else y

    @torch.no_grad()
    def merged(self) -> nn.Linear:
        """One new matrix that does the same; this one is left as it is."""
        sizes = self.base.in_features, self.base.out_features, self.base.bias is not None
        plain = nn.utils.skip_init(nn.Linear, *sizes)  # nothing is drawn: torch's generator stays
        plain = plain.to(self.base.weight).requires_grad_(False)
        plain.load_state_dict(self.base.state_dict())
        if self.active in self.adapters:
            plain.weight += self.adapters[self.active].matrix()
        return plain.train(self.training)


class Adapter(nn.Module):
    """One adapter of a model: all its A and B, to be trained, stored or counted without the base.

    Args:
        config: what it was made with.
        parts: name of a matrix → what is added there; the model holds the same objects.
    """

    def __init__(self, config: LoRAConfig, parts: dict[str, LowRank]) -> None:
        super().__init__()
        self.config = config
        self.parts = nn.ModuleDict({name.replace(".", "/"): part for name, part in parts.items()})

    def norms(self) -> dict[str, float]:
        """Name of each matrix → the size of what is added to it (Frobenius norm).

        0 everywhere: the adapter was not trained, or its parameters were not loaded.
        """
        return {name.replace("/", "."): part.matrix().norm().item() for name, part in self.parts.items()}
