"""Recipes: all that decides what a training makes, and the functions that follow one.

    recipe = vary(round_table.RECIPE, steps=600, n_heads=4)
    model = new_model(recipe)
    history = train(model, recipe, round_table.task())

Every task has a recipe to start from, `RECIPE`, and `task(…)`: what is learned, with its own settings.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor, nn

from course_lib import checks
from course_lib.training import distributed, loop
from course_lib.training.loop import History
from course_lib.training.randomness import drawing_from, seeded


class Config(Protocol):
    """Sizes and choices of a model: a frozen dataclass that can build it."""

    def build(self) -> nn.Module:
        """A model with random weights."""


@dataclass(frozen=True)
class Recipe:
    """How to train one model.

    Args:
        model: its sizes and choices.
        steps: the budget: any machine makes the same model.
        batch_size: examples in a step.
        lr: peak learning rate of AdamW.
        schedule: progress from 0 to 1 → factor on the rate. None: a constant rate, with which a short
            run is the beginning of a long one.
        weight_decay: of AdamW.
        pieces: a batch is cut into so many and read piece after piece: the same step in less memory.
        optimizer: model → what steps in place of AdamW with `lr` and `weight_decay`; it has its own.
        seed: of the first weights, the order of the data, and dropout.
    """

    model: Config
    steps: int
    batch_size: int
    lr: float
    schedule: Callable[[float], float] | None = None
    weight_decay: float = 0.0
    seed: int = 0
    pieces: int = 1
    optimizer: Callable[[nn.Module], torch.optim.Optimizer] | None = None

    def __repr__(self) -> str:
        """One batch at once and AdamW are the usual: they are not shown."""
        usual = {"pieces": 1, "optimizer": None}
        shown = [one.name for one in fields(self) if getattr(self, one.name) != usual.get(one.name, ...)]
        return f"Recipe({', '.join(f'{name}={getattr(self, name)!r}' for name in shown)})"


@dataclass(frozen=True)
class Task:
    """What is learned: the batches that a recipe gives, without end, and a model's loss on one of them.

    With `count`, the number of tokens that a batch's loss is a mean of, batches (one tensor, rows first) can
    be cut into pieces and dealt out to several processes.
    """

    batches: Callable[[Recipe], Iterator]
    loss: Callable[[nn.Module, object], Tensor]
    count: Callable[[Tensor], int] | None = None

    def gradients(self, pieces: int) -> Callable[[nn.Module, object], float] | None:
        """How a step's gradients are found; None: in one backward pass.

        Raises:
            ValueError: less than 1 piece, or several pieces or processes where nobody can count.
        """
        checks.at_least_1(pieces=pieces)
        if pieces == distributed.processes() == 1:
            return None
        if self.count is None:
            raise ValueError(
                f"the task has no `count`, and pieces is {pieces} in {distributed.processes()} processes, "
                "expected 1 in 1: without the number of tokens in each piece a mean cannot be put together; "
                "was this started with torchrun?"
            )
        return distributed.Gradients(self.loss, self.count, pieces)


def vary(recipe: Recipe, **changes) -> Recipe:
    """A copy with some settings changed, of the recipe or of its model: `vary(recipe, steps=600, n_heads=4)`.

    Raises:
        ValueError: a setting that neither has.
    """
    changes = {"model": recipe.model} | changes
    of_recipe, of_model = ([field.name for field in fields(part)] for part in (recipe, changes["model"]))
    for name in changes:
        if name not in (*of_recipe, *of_model):
            raise ValueError(
                f"no setting {name!r}, expected one of the recipe ({', '.join(of_recipe)}) "
                f"or of its model ({', '.join(of_model)})"
            )
    inner = {name: changes.pop(name) for name in list(changes) if name not in of_recipe}
    return replace(recipe, **changes | {"model": replace(changes["model"], **inner)})


def differences(one: Recipe, other: Recipe) -> dict[str, tuple]:
    """What two recipes set differently, of themselves or of their models: name → (one's, the other's).

    Models of two classes have other settings, not other values of the same ones: "model" is one difference.
    """
    alike = type(one.model) is type(other.model)
    found = {} if alike else {"model": (one.model, other.model)}
    for a, b in ((one.model, other.model), (one, other)) if alike else ((one, other),):
        names = [field.name for field in fields(a) if field.name != "model"]
        found |= {name: (getattr(a, name), getattr(b, name)) for name in names}
    return {name: pair for name, pair in found.items() if pair[0] != pair[1]}


def new_model(recipe: Recipe) -> nn.Module:
    """An untrained model; its first weights depend on the recipe alone."""
    with seeded(recipe.seed):
        return recipe.model.build()


def train(
    model: nn.Module,
    recipe: Recipe,
    task: Task,
    *,
    on_step: Callable[[int, float], None] | None = None,
    save_to: Path | None = None,
) -> History:
    """Follow a recipe from its first step to its last.

    Args:
        model: from `new_model`.
        recipe: budget and settings.
        task: what is learned.
        on_step: called with step and loss, for a live view.
        save_to: where the run is kept on the way; one that was stopped goes on from there (see `loop.train`).

    Returns:
        the history of losses.
    """
    with seeded(recipe.seed):  # dropout
        return loop.train(
            model,
            task.batches(recipe),
            task.loss,
            steps=recipe.steps,
            lr=recipe.lr,
            weight_decay=recipe.weight_decay,
            schedule=recipe.schedule,
            optimizer=recipe.optimizer and recipe.optimizer(model),
            gradients=task.gradients(recipe.pieces),
            on_step=on_step,
            save_to=save_to,
        )


def train_in_stages(
    model: nn.Module,
    recipe: Recipe,
    task: Task,
    stages: Sequence[int],
    optimizer: torch.optim.Optimizer | None = None,
) -> Iterator[tuple[int, History]]:
    """The same, stopping on the way: measure or look at the model, then go on.

    A run that stops is the same run: optimizer, batches, dropout and schedule go on where they were.

    Args:
        model, recipe, task: as in `train`.
        stages: numbers of steps, rising; the last one is the budget, in place of the recipe's.
        optimizer: your own instead of the recipe's AdamW.

    Yields:
        `(step, history since the last stage)` at each stage; Kernel → Interrupt ends the run.

    Raises:
        ValueError: stages that do not rise.
        Stopped: an interrupt inside `interrupts.all_or_nothing()`, as in a command.
    """
    if list(stages) != sorted(set(stages)):
        raise ValueError(f"stages is {list(stages)}, expected rising numbers of steps")
    if optimizer is None and recipe.optimizer is not None:
        optimizer = recipe.optimizer(model)
    if optimizer is None:
        optimizer = torch.optim.AdamW(model.parameters(), lr=recipe.lr, weight_decay=recipe.weight_decay)
    batches, done = task.batches(recipe), 0
    with seeded(recipe.seed):
        dropout = torch.get_rng_state()
    for stage in stages:
        schedule = recipe.schedule and _part_of(recipe.schedule, done, stage, stages[-1])
        with drawing_from(dropout):
            history = loop.train(
                model,
                batches,
                task.loss,
                steps=stage - done,
                optimizer=optimizer,
                schedule=schedule,
                gradients=task.gradients(recipe.pieces),
            )
        if history.interrupted:
            return
        done = stage
        yield stage, history


def _part_of(
    schedule: Callable[[float], float], done: int, stage: int, last: int
) -> Callable[[float], float]:
    """The whole run's schedule between two stages: from progress in this part to its factor."""
    return lambda progress: schedule((done + round(progress * (stage - done))) / last)
