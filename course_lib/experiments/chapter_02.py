"""Chapter 02's questions, asked of one attention layer that plays the card game of `tasks.card_game`.

The right attention is known: the card one looks for. Every batch is new, so a difference in accuracy is a
difference in learning, not in learning by heart.
"""

from collections.abc import Mapping

from course_lib.experiments.records import Experiment, Row, rounded
from course_lib.tasks import card_game
from course_lib.training.recipe import Recipe, new_model, train, train_in_stages, vary

SEEDS = (0, 1, 2, 3, 4)
STEPS = 300
MEASURED_AT = (10, 25, 50, 75, 100, 150, 200, 300)  # steps after which a run is scored
RATES = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2)
RATES_STEPS = 100
WIDTHS = (16, 32, 64, 128, 256, 512)  # d_k
GOOD_ENOUGH = 0.9  # accuracy that counts as learned
MOST_STEPS = 3000
FEATURES = (2, 4, 8, 16, 32)  # d_k of the layers whose keys are their values, too
FEATURES_STEPS = 300

BASE = card_game.RECIPE


def scale_rows(seed: int, steps: int) -> list[Row]:
    """Scores divided by √d_k, not divided, and not divided but begun as small as the divided ones."""
    return _rows("scores", card_game.variants(BASE), seed, steps)


def tied_rows(seed: int, steps: int) -> list[Row]:
    """W_q = W_k against two matrices, where the one I look for looks for me, and where it does not."""
    rows: list[Row] = []
    for game, mutual in (("in a ring", False), ("in pairs", True)):
        recipes = {f"two matrices, {game}": BASE, f"W_q = W_k, {game}": vary(BASE, tied=True)}
        rows += _rows("matrices", recipes, seed, steps, mutual=mutual)
    return rows


def rates_rows(seed: int, steps: int) -> list[Row]:
    """With and without the division at five learning rates."""
    rows: list[Row] = []
    for rate in RATES:
        recipes = card_game.variants(vary(BASE, lr=rate))
        both = {name: recipes[name] for name in ("divided by √d_k", "not divided")}
        rows += [row | {"rate": rate} for row in _rows("scores", both, seed, steps, (steps,))]
    return rows


def width_rows(seed: int, steps: int) -> list[Row]:
    """How many training steps each needs until nine gifts of ten are right, for keys of growing size.

    One that is not there after `steps` steps counts as `steps`.
    """
    rows: list[Row] = []
    for d_k in WIDTHS:
        recipes = card_game.variants(vary(BASE, d_model=d_k, seed=seed))
        for name in ("divided by √d_k", "not divided"):
            needed = _steps_needed(recipes[name], steps)
            rows.append({"seed": seed, "step": steps, "scores": name, "d_k": d_k, "steps_needed": needed})
    return rows


def third_rows(seed: int, steps: int) -> list[Row]:
    """W_k = W_v against three matrices, for layers with few features and with many."""
    base = vary(BASE, d_model=64, lr=1e-2, steps=steps, seed=seed)
    rows: list[Row] = []
    for d_k in FEATURES:
        for name, shared in (("three matrices", False), ("W_k = W_v", True)):
            recipe = vary(base, d_k=d_k, keys_as_values=shared)
            model = new_model(recipe)
            history = train(model, recipe, card_game.task(n_cards=8))
            row = {"training_loss": history.last(steps)} | card_game.score(model, n_cards=8)
            rows.append({"seed": seed, "step": steps, "matrices": name, "d_k": d_k, **rounded(row)})
    return rows


def _steps_needed(recipe: Recipe, most: int) -> int:
    """Training steps until a model plays well enough, looked at every 5 steps."""
    points = (*range(5, most, 5), most)
    model = new_model(recipe)
    for step, _ in train_in_stages(model, recipe, card_game.task(), points):
        if card_game.score(model, 32)["accuracy"] >= GOOD_ENOUGH:
            return step
    return most


def _rows(
    column: str,
    recipes: Mapping[str, Recipe],
    seed: int,
    steps: int,
    points: tuple[int, ...] = MEASURED_AT,
    *,
    mutual: bool = False,
) -> list[Row]:
    """Training loss, accuracy and weight on the right card of each recipe along its training.

    The same model is scored on new deals; the loss is the mean over the training steps since the last score.
    """
    points = tuple(point for point in points if point <= steps)
    if not points or points[-1] != steps:
        points += (steps,)
    task = card_game.task(mutual=mutual)
    rows: list[Row] = []
    for name, recipe in recipes.items():
        recipe = vary(recipe, seed=seed)
        model = new_model(recipe)
        for step, history in train_in_stages(model, recipe, task, points):
            row = {"training_loss": history.last(len(history.losses))}
            row |= card_game.score(model, mutual=mutual)
            rows.append({"seed": seed, "step": step, column: name, **rounded(row)})
    return rows


EXPERIMENTS = (
    Experiment(
        "scale",
        "Does attention learn without the division by √d_k?",
        scale_rows,
        group="scores",
        measure="accuracy",
        seeds=SEEDS,
        steps=STEPS,
        live_steps=75,
        tolerance=0.1,  # in the middle of the slow one's climb
    ),
    Experiment(
        "rates",
        "Would another learning rate do instead of the division?",
        rates_rows,
        group="scores",
        measure="accuracy",
        seeds=SEEDS[:3],
        steps=RATES_STEPS,
        live_steps=RATES_STEPS,
        tolerance=0.05,
    ),
    Experiment(
        "width",
        "For which size of keys does the division matter?",
        width_rows,
        group="scores",
        measure="steps_needed",
        seeds=SEEDS[:3],
        steps=MOST_STEPS,
        live_steps=MOST_STEPS,
        tolerance=20,
    ),
    Experiment(
        "tied",
        "What can attention not do when W_q = W_k?",
        tied_rows,
        group="matrices",
        measure="accuracy",
        seeds=SEEDS,
        steps=STEPS,
        live_steps=75,
        tolerance=0.05,
    ),
    Experiment(
        "third",
        "When does attention need a matrix of its own for values?",
        third_rows,
        group="matrices",
        measure="accuracy",
        seeds=SEEDS[:3],
        steps=FEATURES_STEPS,
        live_steps=FEATURES_STEPS,
        tolerance=0.1,
    ),
)
