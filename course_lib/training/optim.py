"""How fast to learn: schedules of the learning rate, and Muon beside AdamW."""

import math
from dataclasses import dataclass

import torch
from torch import nn

from course_lib import checks
from course_lib.training.muon import Muon


@dataclass(frozen=True)
class WarmupThenCosine:
    """A schedule: rise from 0 during `warmup`, then fall along a cosine to `end`.

    Calling it takes the progress, from 0 to 1, to the factor on the peak learning rate.

    Args:
        warmup: share of the run, from 0 to 1.
        end: the last factor.

    Raises:
        ValueError: a share outside 0 to 1.
    """

    warmup: float = 0.05
    end: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.warmup <= 1:
            raise ValueError(f"warmup is {self.warmup}, expected a share of the run, 0 to 1: is it in steps?")

    def __call__(self, progress: float) -> float:
        if progress < self.warmup:
            return (progress + 1e-3) / (self.warmup + 1e-3)
        along = (progress - self.warmup) / max(1 - self.warmup, 1e-9)
        return self.end + (1 - self.end) * 0.5 * (1 + math.cos(math.pi * min(along, 1.0)))


@dataclass(frozen=True)
class PaperSchedule:
    """The schedule of "Attention Is All You Need": a straight rise, then a fall with the root of the steps.

        rate(step) = d_model^−0.5 · min(step^−0.5, step · warmup^−1.5)

    Calling it takes the progress, from 0 to 1, to the factor on the peak rate; `peak` is the paper's own.

    Args:
        warmup: steps of the rise; the peak is at their end.
        steps: of the whole run.

    Raises:
        ValueError: a number of steps below 1.

    Source: Vaswani et al. 2017, eq. 3.
    """

    warmup: int = 4000
    steps: int = 100_000

    def __post_init__(self) -> None:
        checks.at_least_1(warmup=self.warmup, steps=self.steps)

    def __call__(self, progress: float) -> float:
        step = 1 + progress * (self.steps - 1)  # the first step is step 1: step 0 has no rate
        return min((step / self.warmup) ** -0.5, step / self.warmup)

    def peak(self, d_model: int) -> float:
        """The highest rate, `1 / √(d_model · warmup)`: 7.0e-4 for 512 and 4,000."""
        return (d_model * self.warmup) ** -0.5


@dataclass(frozen=True)
class WarmupStableDecay:
    """A rise, a plateau, a straight fall to 0: the plateau of a short run is the beginning of a longer one's.

    Calling it takes the progress, from 0 to 1, to the factor on the peak learning rate.

    Args:
        warmup, decay: steps of the rise and of the fall.
        steps: of the whole run.

    Raises:
        ValueError: steps below 1, or too few for the rise and the fall.
    """

    warmup: int
    decay: int
    steps: int

    def __post_init__(self) -> None:
        checks.at_least_1(warmup=self.warmup, decay=self.decay, steps=self.steps)
        if self.warmup + self.decay > self.steps:
            raise ValueError(
                f"warmup ({self.warmup}) and decay ({self.decay}) are {self.warmup + self.decay} steps, "
                f"expected at most steps ({self.steps})"
            )

    def __call__(self, progress: float) -> float:
        step = progress * self.steps
        return min((step + 1) / self.warmup, (self.steps - step) / self.decay, 1.0)


class Together:
    """Several optimizers that step as one; each has parameters of its own.

    Args:
        optimizers: what steps.
    """

    def __init__(self, *optimizers: torch.optim.Optimizer) -> None:
        self.optimizers = optimizers

    @property
    def param_groups(self) -> list[dict]:
        """All groups, one optimizer's after the other's; a rate that is set here is set there."""
        return [group for optimizer in self.optimizers for group in optimizer.param_groups]

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget all gradients."""
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none)

    def step(self) -> None:
        """One step of each."""
        for optimizer in self.optimizers:
            optimizer.step()

    def state_dict(self) -> dict:
        """What each remembers."""
        return {str(i): optimizer.state_dict() for i, optimizer in enumerate(self.optimizers)}

    def load_state_dict(self, state: dict) -> None:
        """Take back what `state_dict` gave."""
        for i, optimizer in enumerate(self.optimizers):
            optimizer.load_state_dict(state[str(i)])


def matrices_of_layers(model: nn.Module) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """The matrices inside a model's layers, and all its other parameters: each is in exactly one of the two.

    Args:
        model: one whose layers are in lists named `layers`.

    Raises:
        ValueError: no matrix inside a layer.
    """
    inside = [p for name, p in model.named_parameters() if ".layers." in f".{name}" and p.dim() == 2]
    if not inside:
        raise ValueError(
            f"model is a {type(model).__name__} without a matrix in `layers`, expected at least one"
        )
    chosen = {id(p) for p in inside}
    return inside, [p for p in model.parameters() if id(p) not in chosen]


@dataclass(frozen=True)
class MuonAndAdamW:
    """A recipe's optimizer: this course's Muon for the matrices inside the layers, AdamW for the rest.

    Args:
        muon_lr, lr: the two peak rates.
        betas: of AdamW.
        weight_decay: of Muon's matrices.
    """

    muon_lr: float = 0.02
    lr: float = 8e-3
    betas: tuple[float, float] = (0.9, 0.95)
    weight_decay: float = 0.0

    def __call__(self, model: nn.Module) -> Together:
        """The two as one optimizer; errors as `matrices_of_layers`."""
        inside, rest = matrices_of_layers(model)
        return Together(
            Muon(inside, self.muon_lr, weight_decay=self.weight_decay),
            torch.optim.AdamW(rest, self.lr, self.betas, weight_decay=0.0),
        )


def decay_groups(model: nn.Module, weight_decay: float) -> list[dict]:
    """A model's parameters in two groups for AdamW: matrices, which decay, and all others.

    The others are biases, the gains of norms, and embeddings (also where one gives the scores, too: a tied
    matrix is there once; scores with a matrix of their own decay). GPT-1 lets embeddings decay as well
    (Radford et al. 2018, section 4.1).

    Args:
        model: one whose embeddings have "embedding" in their names.
        weight_decay: of the first group.

    Returns:
        two groups, each with "params" and "weight_decay", to be given to an optimizer.
    """
    decay = [p for name, p in model.named_parameters() if p.dim() >= 2 and "embedding" not in name]
    chosen = {id(p) for p in decay}
    rest = [p for p in model.parameters() if id(p) not in chosen]
    return [{"params": decay, "weight_decay": weight_decay}, {"params": rest, "weight_decay": 0.0}]


def muon_and_adamw(model: nn.Module, lr: float, weight_decay: float = 0.0) -> Together:
    """Muon for the matrices inside the layers; AdamW for embeddings, scores, norms and biases.

    Args:
        model: as for `matrices_of_layers`.
        lr: peak rate of both: Muon's steps are scaled to the size of AdamW's.
        weight_decay: of both.

    Returns:
        the two as one optimizer.

    Raises:
        ValueError: no matrix inside a layer.

    Source: Jordan et al. 2024 (Muon); one rate for both: Liu et al. 2025 (arXiv 2502.16982), section 2.2.
    """
    hidden, rest = matrices_of_layers(model)
    return Together(
        torch.optim.Muon(hidden, lr=lr, weight_decay=weight_decay, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(rest, lr=lr, weight_decay=weight_decay),
    )
