"""Chapter 03's questions, asked of one attention layer at the round table of `tasks.round_table`.

Every guest answers two questions, and the right attention for both is known. Every batch is new, so a
difference in accuracy is a difference in learning, not in learning by heart.
"""

from contextlib import nullcontext

from course_lib import faults, interpret
from course_lib.attention import attending
from course_lib.experiments.records import Experiment, Row, rounded
from course_lib.tasks import round_table
from course_lib.training.recipe import new_model, train, train_in_stages, vary

SEEDS = tuple(range(8))
STEPS = 600
LIVE_STEPS = 300
MEASURED_AT = (25, 50, 75, 100, 150, 200, 300, 400, 500, 600)  # steps after which a run is scored

BASE = round_table.RECIPE
HEADS = (1, 2, 4, 8, 16)
SIZES = {  # name -> d_model, heads: the last two have equally many parameters
    "16 heads of 1": (16, 16),
    "32 heads of 1": (32, 32),
    "16 heads of 2": (32, 16),
}


def heads_rows(seed: int, steps: int) -> list[Row]:
    """1, 2, 4, 8 and 16 heads in a layer of 16 features: the same number of parameters."""
    return _rows({n: vary(BASE, n_heads=n) for n in HEADS}, seed, steps, with_looks=True)


def size_rows(seed: int, steps: int) -> list[Row]:
    """Is it the number of heads that fails, or their size?"""
    recipes = {name: vary(BASE, d_model=d, n_heads=n) for name, (d, n) in SIZES.items()}
    return _rows(recipes, seed, steps)


def remove_rows(seed: int, steps: int) -> list[Row]:
    """Train with 2, 4 or 8 heads, then take out one head at a time: one row for each."""
    test = round_table.test_tables()
    rows: list[Row] = []
    for n_heads in (2, 4, 8):
        recipe = vary(BASE, n_heads=n_heads, steps=steps, seed=seed)
        model = new_model(recipe)
        train(model, recipe, round_table.task())
        whole = round_table.accuracy(model, test)
        looks = round_table.weight_on_neighbours(interpret.head_weights(model, test)[0])  # (H, 2)
        for head in range(n_heads):
            rest = round_table.accuracy(interpret.without_heads(model, [(0, head)]), test)
            lost = {question: whole[question] - rest[question] for question in round_table.QUESTIONS}
            row = {
                "looks_left": looks[head, 0].item(),
                "looks_right": looks[head, 1].item(),
                "lost_left": lost["left"],
                "lost_right": lost["right"],
                "lost": max(lost.values()),
            }
            rows.append({"seed": seed, "step": steps, "heads": n_heads, "head": head, **rounded(row)})
    return rows


def split_rows(seed: int, steps: int) -> list[Row]:
    """Two heads, cut rightly and by `view` alone: does the wrong one learn?"""
    recipe, test = vary(BASE, n_heads=2, steps=steps, seed=seed), round_table.test_tables()
    rows: list[Row] = []
    for name in ("right", "view alone"):
        model = new_model(recipe)
        with nullcontext() if name == "right" else attending(model, faults.cut_by_view):
            train(model, recipe, round_table.task())
            shares = round_table.accuracy(model, test)
        row = rounded({"accuracy": sum(shares.values()) / len(shares), **shares})
        rows.append({"seed": seed, "step": steps, "split": name, **row})
    return rows


def _rows(recipes: dict, seed: int, steps: int, with_looks: bool = False) -> list[Row]:
    """Right answers of each recipe along its training, on tables that are never trained on.

    With looks also `looks_left`, `looks_right`: the largest mean weight that a head puts on the true seat.
    """
    stages = (*(step for step in MEASURED_AT if step < steps), steps)
    test = round_table.test_tables()
    rows: list[Row] = []
    for name, recipe in recipes.items():
        recipe = vary(recipe, seed=seed)
        model = new_model(recipe)
        parameters = sum(p.numel() for p in model.parameters())
        for step, _ in train_in_stages(model, recipe, round_table.task(), stages):
            shares = round_table.accuracy(model, test)
            row = {"accuracy": sum(shares.values()) / len(shares), **shares}
            if with_looks:
                looks = round_table.weight_on_neighbours(interpret.head_weights(model, test)[0])  # (H, 2)
                row |= zip(("looks_left", "looks_right"), looks.amax(0).tolist(), strict=True)
            rows.append({"seed": seed, "step": step, "heads": name, "parameters": parameters, **rounded(row)})
    return rows


EXPERIMENTS = (
    Experiment(
        "heads",
        "How many heads does it take to look up two things at once, at equal parameters?",
        heads_rows,
        group="heads",
        measure="accuracy",
        seeds=SEEDS,
        steps=STEPS,
        live_steps=LIVE_STEPS,
        tolerance=0.05,
    ),
    Experiment(
        "head-size",
        "Do 16 heads fail because they are many, or because each has one feature?",
        size_rows,
        group="heads",
        measure="accuracy",
        seeds=SEEDS[:5],
        steps=STEPS,
        live_steps=100,
        tolerance=0.05,
    ),
    Experiment(
        "remove",
        "What breaks when one head is taken out of a trained layer?",
        remove_rows,
        group="heads",
        measure="lost",
        seeds=SEEDS[:5],
        steps=LIVE_STEPS,
        live_steps=LIVE_STEPS,
        tolerance=0.05,
    ),
    Experiment(
        "split",
        "Heads cut by `view` alone: does a model with this mistake learn?",
        split_rows,
        group="split",
        measure="accuracy",
        seeds=SEEDS[:5],
        steps=LIVE_STEPS,
        live_steps=LIVE_STEPS,
        tolerance=0.1,
    ),
)
