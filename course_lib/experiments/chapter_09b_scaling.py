"""Chapter 09b: loss against parameters and tokens, where the loss that nobody can beat is known.

    L(N, D) = E + A / N^α + B / D^β          N parameters, D tokens, E the irreducible loss, nats a token

On real text nobody knows E. The Town knows its own, so a fit can be held against the truth.

Source: Hoffmann et al. 2022 (Chinchilla), section 3.3 ("approach 3") and appendix D.3; what went wrong in its
fit: Besiroglu et al. 2024 (arXiv 2404.10102).
"""

import math
from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from course_lib.experiments.chapter_09a import SEEDS, scheduled
from course_lib.experiments.records import Experiment, Row, rounded
from course_lib.tasks import town_gpt
from course_lib.training.recipe import Task, new_model, train, vary

# ---------------------------------------------------------------- the grid

SIZES = ((16, 1), (24, 1), (32, 2), (48, 2), (64, 2))  # d_model, layers
BUDGETS = (120, 240, 480, 960)  # steps of about 2,000 tokens
HELD_OUT = 500  # stories


def grid_rows(seed: int, steps: int) -> list[Row]:
    """Each size with each budget. (A short training: one budget.)"""
    budgets = BUDGETS if steps == BUDGETS[-1] else (steps,)
    return [grid_row(*size, seed, budget) for size in SIZES for budget in budgets]


def grid_row(d_model: int, n_layers: int, seed: int, steps: int) -> Row:
    """One size with one budget: parameters, tokens seen, loss on held-out stories, and the Town's own."""
    recipe = scheduled(vary(town_gpt.RECIPE, d_model=d_model, n_layers=n_layers, n_heads=2, seed=seed), steps)
    model, usual, seen = new_model(recipe), town_gpt.task(), []

    def loss(model: torch.nn.Module, ids: Tensor) -> Tensor:
        seen.append(usual.count(ids))
        return usual.loss(model, ids)

    train(model, recipe, Task(usual.batches, loss))
    told = town_gpt.stories(HELD_OUT)
    sizes = {"parameters": sum(p.numel() for p in model.parameters()), "tokens": sum(seen)}
    found = {"loss": town_gpt.loss(model, told), "floor": town_gpt.floor(told)}
    row = {"seed": seed, "step": steps, "size": f"d_model {d_model}, layers {n_layers}"}
    return row | sizes | rounded(found)


# ---------------------------------------------------------------- the fit


class Law(NamedTuple):
    """The five numbers of `L(N, D) = E + A / N^α + B / D^β`."""

    E: float
    A: float
    B: float
    alpha: float
    beta: float

    def loss(self, parameters: float, tokens: float) -> float:
        """L(N, D), in nats a token."""
        return self.E + self.A / parameters**self.alpha + self.B / tokens**self.beta

    def tokens_per_parameter(self, flops: float) -> float:
        """D / N of the lowest loss for a budget of operations, where training takes C = 6 N D.

        Source: Hoffmann et al. 2022, eq. 4.
        """
        G = (self.alpha * self.A / (self.beta * self.B)) ** (1 / (self.alpha + self.beta))
        return (flops / 6) ** ((self.alpha - self.beta) / (self.alpha + self.beta)) / G**2


PUBLISHED = {  # of one and the same set of trained models
    "as printed": Law(1.69, 406.4, 410.7, 0.34, 0.28),
    "paper's source file": Law(1.6934, 406.4, 410.7, 0.3392, 0.2849),
    "fitted again": Law(1.8172, 482.01, 2085.43, 0.3478, 0.3658),
}
CHINCHILLA_FLOPS = 5.76e23

DELTA = 1e-3  # beyond it, Huber's loss grows no faster than the distance
STARTS = {"e": (0.0,), "a": (0.0, 10.0), "b": (0.0, 10.0), "alpha": (0.5,), "beta": (0.5,)}
TOLERANCE = 1e-5  # a gradient below it: arrived (the default of the search in SciPy)


def fit(
    parameters: Sequence[float],
    tokens: Sequence[float],
    losses: Sequence[float],
    *,
    average: bool = False,
    tolerance: float = TOLERANCE,
) -> Law:
    """The law that fits measured losses: Huber's loss of log L, by L-BFGS from a grid of starts.

        log L̂ = log( exp(a − α log N) + exp(b − β log D) + exp(e) )     with A = eᵃ, B = eᵇ, E = eᵉ

    Args:
        parameters, tokens, losses: N, D and the measured L (nats a token) of each trained model.
        average: take the mean over the models in place of the sum. The best law is the same, but all
            gradients are smaller: with the same tolerance the search may stop before it has arrived.
        tolerance: a largest gradient below it ends the search.

    Returns:
        the law with the lowest loss of all starts.

    Raises:
        ValueError: numbers that are not above 0, different lengths, or fewer than five models.
        FloatingPointError: every start led to something that is no number.

    Source: Hoffmann et al. 2022, section 3.3 and appendix D.3 (δ = 10⁻³).
    """
    given = {"parameters": parameters, "tokens": tokens, "losses": losses}
    logs = [_logs(name, some) for name, some in given.items()]
    if not len(logs[0]) == len(logs[1]) == len(logs[2]) >= 5:
        raise ValueError(
            f"parameters, tokens and losses have {', '.join(str(len(some)) for some in logs)} values, "
            "expected equally many, five or more: the law has five numbers"
        )
    best, lowest = None, math.inf
    for start in product(*STARTS.values()):
        numbers, value = _descend(start, *logs, average, tolerance)
        if value < lowest:
            best, lowest = numbers, value
    if best is None:
        raise FloatingPointError("no start led to a law: are the losses those of trained models?")
    e, a, b, alpha, beta = best.tolist()
    return Law(math.exp(e), math.exp(a), math.exp(b), alpha, beta)


def misfit(law: Law, parameters: Sequence[float], tokens: Sequence[float], losses: Sequence[float]) -> float:
    """Huber's loss of a law, summed over the models: what `fit` makes small."""
    told = torch.tensor([law.loss(n, d) for n, d in zip(parameters, tokens, strict=True)], dtype=torch.double)
    return F.huber_loss(told.log(), _logs("losses", losses), reduction="sum", delta=DELTA).item()


def _descend(
    start: Sequence[float], log_n: Tensor, log_d: Tensor, log_l: Tensor, average: bool, tolerance: float
) -> tuple[Tensor, float]:
    """From one start as far down as L-BFGS goes: (e, a, b, α, β) and the summed loss there."""
    x = torch.tensor(start, dtype=torch.double, requires_grad=True)
    search = torch.optim.LBFGS(
        [x], max_iter=500, tolerance_grad=tolerance, tolerance_change=1e-12, line_search_fn="strong_wolfe"
    )

    def summed() -> Tensor:
        e, a, b, alpha, beta = x
        told = torch.logsumexp(torch.stack([a - alpha * log_n, b - beta * log_d, e.expand_as(log_n)]), 0)
        return F.huber_loss(told, log_l, reduction="sum", delta=DELTA)

    def closure() -> Tensor:
        search.zero_grad()
        value = summed() / len(log_l) if average else summed()
        value.backward()
        return value

    search.step(closure)
    value = summed().item()
    return x.detach(), value if math.isfinite(value) else math.inf


def _logs(name: str, values: Sequence[float]) -> Tensor:
    numbers = torch.as_tensor(values, dtype=torch.double)
    if numbers.dim() != 1 or not (numbers > 0).all():
        raise ValueError(f"{name} is {values!r:.60}, expected numbers above 0, one for each trained model")
    return numbers.log()


EXPERIMENTS = (
    Experiment(
        "scaling",
        "How does the loss fall with parameters and with tokens, where the lowest possible one is known?",
        grid_rows,
        group="size",
        measure="loss",
        seeds=SEEDS,
        steps=BUDGETS[-1],
        live_steps=BUDGETS[0],
        tolerance=0.05,
        short_steps=20,
    ),
)
