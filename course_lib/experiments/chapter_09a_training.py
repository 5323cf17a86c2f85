"""Chapter 09a: does warm-up make a larger peak rate safe, and does the order of the data matter?

Small GPTs learn stories of Tiny Town; a gap is the loss above the Town's own, nats a token, held-out stories.
"""

from collections.abc import Iterator
from functools import partial

import torch
from torch import Tensor

from course_lib.experiments.chapter_09a import HELD_OUT, SEEDS, SMALL, STORIES, scheduled, trained
from course_lib.experiments.records import Experiment, Row, rounded
from course_lib.tasks import town_gpt
from course_lib.tasks.town_gpt.stories import TRAINING_SEED
from course_lib.text.batching import batches_by_length, endless, pad
from course_lib.training.recipe import Recipe, Task, new_model, train_in_stages, vary

# ---------------------------------------------------------------- warm-up

GPT2_LIKE = vary(
    SMALL,
    d_model=32,
    n_layers=4,
    positions="learned",
    norm="layer",
    activation="gelu_tanh",
    qk_norm=False,
    bias=True,
    init_std=0.02,
    residual="scaled",
    optimizer=None,  # AdamW for everything
)
WARM_UPS = {"no warm-up": 1, "10 steps": 10, "40 steps": 40}
RATES = (2e-3, 4e-3, 8e-3, 1.6e-2, 3.2e-2, 6.4e-2)
WARM_UP_STEPS = 150


def warm_up_rows(seed: int, steps: int) -> list[Row]:
    """Each rise to each peak rate, at equal steps, and what is left at the end."""
    return [warm_up_row(name, rate, seed, steps) for name in WARM_UPS for rate in RATES]


def warm_up_row(name: str, rate: float, seed: int, steps: int) -> Row:
    """One rise to one peak rate."""
    recipe = scheduled(vary(GPT2_LIKE, seed=seed, lr=rate), steps, WARM_UPS[name])
    found = {"rate": rate, "gap": town_gpt.gap(trained(recipe, town_gpt.task(STORIES)), HELD_OUT)}
    return {"seed": seed, "step": steps, "warm_up": name} | rounded(found)


# ---------------------------------------------------------------- the order of the data

N_STORIES = 1280  # an epoch has 80 batches
EPOCH = N_STORIES // SMALL.batch_size
MEASURED_EVERY, ORDER_STEPS = 10, 160  # two epochs
ORDERS = ("shuffled", "one order, repeated", "by length", "by first word")


def order_rows(seed: int, steps: int) -> list[Row]:
    """The same stories in each order, measured all the way."""
    return [row for order in ORDERS for row in order_rows_of(order, seed, steps)]


def order_rows_of(order: str, seed: int, steps: int) -> list[Row]:
    """The rows of one order; the rate is constant."""
    recipe = vary(SMALL, seed=seed, schedule=None)
    model, task = new_model(recipe), Task(partial(in_order, order=order), town_gpt.next_word_loss)
    stages = range(MEASURED_EVERY, steps + 1, MEASURED_EVERY) or (steps,)
    return [
        {"seed": seed, "step": step, "order": order} | rounded({"gap": town_gpt.gap(model, HELD_OUT)})
        for step, _ in train_in_stages(model, recipe, task, stages)
    ]


def in_order(recipe: Recipe, order: str) -> Iterator[Tensor]:
    """Epoch after epoch of ids `(B, T + 1)` in one of the ORDERS."""
    ids = town_gpt.encoded(N_STORIES, TRAINING_SEED)
    generator = torch.Generator().manual_seed(recipe.seed)
    shuffled = partial(batches_by_length, list(map(len, ids)), recipe.batch_size, generator)
    if order == "shuffled":
        epoch = shuffled
    else:
        fixed = list(shuffled())
        if order != "one order, repeated":
            ranked = sorted(range(len(ids)), key=lambda i: len(ids[i]) if order == "by length" else ids[i])
            fixed = [ranked[i : i + recipe.batch_size] for i in range(0, len(ranked), recipe.batch_size)]
        epoch = partial(iter, fixed)
    for rows in endless(epoch):
        yield pad([ids[i] for i in rows])


EXPERIMENTS = (
    Experiment(
        "warm-up",
        "Does a rise at the beginning make a larger peak rate safe?",
        warm_up_rows,
        group="warm_up",
        measure="gap",
        seeds=SEEDS,
        steps=WARM_UP_STEPS,
        live_steps=WARM_UP_STEPS,
        tolerance=0.05,
        short_steps=40,
    ),
    Experiment(
        "data-order",
        "Does it matter in which order the stories come?",
        order_rows,
        group="order",
        measure="gap",
        seeds=SEEDS,
        steps=ORDER_STEPS,
        live_steps=MEASURED_EVERY,
        tolerance=0.05,
    ),
)
