"""Muon: momentum, then every direction of a matrix's step made equally long.

    momentum    m ← β m + (1 − β) gradient;  the step points along  (1 − β) gradient + β m      (Nesterov)
    singular    step = U S Vᵀ  →  about U Vᵀ: the few large directions of a gradient no longer hide the others
    update      W ← W (1 − lr · weight_decay) − lr · factor · step

Five rounds of a polynomial bring the singular values S near 1: matrix products alone, no decomposition.
It is for the matrices inside the layers; embeddings, scores, norms and biases keep AdamW.

Matrices of one shape are stacked and worked on together: on small models that is where the time goes.

Source: Jordan et al. 2024, https://kellerjordan.github.io/posts/muon/.
"""

import math
from collections import defaultdict
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from course_lib import checks

COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # of x, x³, x⁵: chosen to lift small singular values fast


def orthogonalise(matrices: Tensor, rounds: int = 5) -> Tensor:
    """Bring all singular values near 1 (0.7 to 1.2), and leave the directions as they are.

        X ← a X + (b A + c A²) X   with A = X Xᵀ

    Args:
        matrices: `(..., M, N)`; each on its own.
        rounds: of the polynomial.

    Returns:
        the same shape: about U Vᵀ of each. A matrix of zeros stays one.

    Source: Jordan et al. 2024; Newton–Schulz iteration.
    """
    a, b, c = COEFFICIENTS
    wide = matrices.shape[-2] <= matrices.shape[-1]
    X = matrices if wide else matrices.mT  # the smaller Gram matrix
    X = X / X.norm(dim=(-2, -1), keepdim=True).clamp(min=1e-7)
    X = X.reshape(-1, *X.shape[-2:])  # (n, M, N)
    for _ in range(rounds):
        A = X @ X.mT  # (n, M, M)
        B = torch.baddbmm(A, A, A, beta=b, alpha=c)  # b A + c A²
        X = torch.baddbmm(X, B, X, beta=a)  # a X + B X
    return (X if wide else X.mT).reshape(matrices.shape)


class Muon(torch.optim.Optimizer):
    """Momentum with orthogonalised steps.

    Args:
        params: matrices.
        lr: learning rate; each step has about singular values lr · factor.
        momentum: β.
        weight_decay: share of the parameters taken away, times lr, in a step.

    The factor is √max(1, rows / columns), as in the author's code.

    Raises:
        ValueError: a parameter that is no matrix, or settings outside their range.

    Source: Jordan et al. 2024. Equal to `torch.optim.Muon`, which computes the rounds in bfloat16, up to that
    rounding.
    """

    def __init__(
        self, params: Iterable, lr: float = 0.02, *, momentum: float = 0.95, weight_decay: float = 0.0
    ) -> None:
        checks.share("momentum", momentum)
        for name, value in (("lr", lr), ("weight_decay", weight_decay)):
            if not value >= 0:
                raise ValueError(f"{name} is {value}, expected 0 or more")
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})
        for p in (p for group in self.param_groups for p in group["params"]):
            if p.dim() != 2:
                raise ValueError(
                    f"params holds a parameter of shape {tuple(p.shape)}, expected matrices: embeddings, "
                    "norms and biases go to AdamW (see course_lib.training.optim)"
                )

    @torch.no_grad()
    def step(self) -> None:
        """One step of every matrix that has a gradient."""
        for group in self.param_groups:
            alike = defaultdict(list)  # shape → parameters
            for p in group["params"]:
                if p.grad is not None:
                    alike[p.shape].append(p)
            for (rows, columns), params in alike.items():
                grads = [p.grad for p in params]
                kept = [self._momentum(p) for p in params]
                torch._foreach_lerp_(kept, grads, 1 - group["momentum"])
                steps = torch.stack(torch._foreach_lerp(grads, kept, group["momentum"]))  # (n, rows, columns)
                steps = self.directions(steps) * (-group["lr"] * math.sqrt(max(1, rows / columns)))
                torch._foreach_mul_(params, 1 - group["lr"] * group["weight_decay"])
                torch._foreach_add_(params, list(steps.unbind()))

    def directions(self, steps: Tensor) -> Tensor:
        """Where to go, `(n, rows, columns)`, all directions equally far; another rule comes in here."""
        return orthogonalise(steps)

    def _momentum(self, p: nn.Parameter) -> Tensor:
        state = self.state[p]
        if not state:
            state["momentum"] = torch.zeros_like(p)
        return state["momentum"]
