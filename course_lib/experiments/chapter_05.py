"""Chapter 05's questions, asked of small Transformers that translate short sentences of Tiny Town.

The learning rate is constant unless a warm-up is the question. A short run is always the beginning of the
recorded one: a schedule goes on as if the whole run would follow.
"""

import math
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from course_lib.experiments.records import Experiment, Row, rounded
from course_lib.models.transformer import Transformer
from course_lib.tasks import translation
from course_lib.training.objectives import pair_loss
from course_lib.training.optim import WarmupStableDecay
from course_lib.training.recipe import Recipe, Task, new_model, train_in_stages, vary

SEEDS = (0, 1, 2)
LONGEST = 12  # English words in a training sentence
LENGTHS = ((4, 12), (13, 17), (18, 30))  # English words, first and last of each group; only the first is seen
TEST_SENTENCES = 300
HELD_OUT = 200  # sentences on which a loss is measured

TOWN = vary(translation.TRANSFORMER, schedule=None)
TOWN_STEPS = 200
MEASURED_AT = (50, 100, 200)
POSITIONS = {"none": None, "sinusoidal": "sinusoidal", "learned": "learned", "rotary": "rotary"}

DEEP = vary(TOWN, encoder_layers=6, decoder_layers=6, d_model=32, d_ff=128, lr=2e-3)  # many layers, thin ones
RESIDUAL_STEPS = 100
RESIDUAL_AT = (1, 10, 30, 100)
RESIDUAL: dict[str, dict] = {
    "pre-norm, with": {"norm_first": True},
    "pre-norm, without": {"norm_first": True, "residual": False},
    "post-norm, with": {"norm_first": False},
    "post-norm, without": {"norm_first": False, "residual": False},
}

NORM_RATE = 5e-3  # high
NORM_STEPS = 120
NORM_AT = (30, 60, 120)
RISE = 40  # steps of a warm-up
WORST = 20.0  # stands for a loss that is larger, or no number
GRID = {
    f"{place}-norm, {warm} warm-up, {initial}": (place == "pre", warm == "with", initial)
    for place in ("post", "pre")
    for warm in ("without", "with")
    for initial in ("xavier", "scaled")
}

EQUAL: dict[str, dict] = {  # within 2 % of one number of parameters
    "base": {},
    "1 head": {"n_heads": 1},
    "16 heads": {"n_heads": 16},
    "deeper, narrower": {"encoder_layers": 4, "decoder_layers": 4, "d_model": 48, "d_ff": 160},
    "shallower, wider": {"encoder_layers": 1, "decoder_layers": 1, "d_model": 88, "d_ff": 372},
    "wide feed-forward, narrower": {"d_model": 48, "d_ff": 464},
    "no feed-forward, wider": {"d_model": 96, "d_ff": 1},  # 1 feature in the middle: as good as none
}


def position_rows(seed: int, steps: int) -> list[Row]:
    """Right sentences, as long as in training and longer, with each kind of positions and with none."""
    rows: list[Row] = []
    for name, positions in POSITIONS.items():
        recipe, points = vary(TOWN, positions=positions, seed=seed), _points(steps, TOWN_STEPS, MEASURED_AT)
        for step, model in on_the_way(recipe, translation.task(LONGEST), points):
            for row in _by_length(model):
                rows.append({"seed": seed, "step": step, "positions": name, **row})
    return rows


def residual_rows(seed: int, steps: int) -> list[Row]:
    """Loss, and the gradient that each of 6 + 6 layers gets, with and without residual connections.

    A row at step n tells what step n finds: the model after n − 1 steps.
    """
    rows: list[Row] = []
    points = [point - 1 for point in _points(steps, RESIDUAL_STEPS, RESIDUAL_AT)]
    for name, changes in RESIDUAL.items():
        recipe = vary(DEEP, seed=seed, **changes)
        for step, model in on_the_way(recipe, translation.task(LONGEST), points):
            loss = round(_town_loss(model), 4)
            for layer in _gradients(model):
                rows.append({"seed": seed, "step": step + 1, "residual": name, "loss": loss, **layer})
    return rows


def norm_rows(seed: int, steps: int) -> list[Row]:
    """Loss of 6 + 6 layers at a high rate: place of the norm, warm-up, first parameters."""
    rows: list[Row] = []
    points = _points(steps, NORM_STEPS, NORM_AT)
    for name, (norm_first, warm_up, initial) in GRID.items():
        schedule = WarmupStableDecay(warmup=RISE, decay=1, steps=NORM_STEPS) if warm_up else None
        recipe = vary(
            DEEP, norm_first=norm_first, initial=initial, schedule=schedule, lr=NORM_RATE, seed=seed
        )
        row = {"seed": seed, "model": name, "norm_first": norm_first, "warm_up": warm_up, "initial": initial}
        losses = dict.fromkeys(points, math.nan)
        try:
            for step, model in on_the_way(recipe, translation.task(LONGEST), points, NORM_STEPS):
                losses[step] = _town_loss(model)
        except FloatingPointError:  # the run is over; a result like any other
            pass
        for step, loss in losses.items():
            failed = not loss < WORST  # NaN too
            measured = {"loss": WORST if failed else round(loss, 4), "diverged": failed}
            rows.append({**row, "step": step, **measured})
    return rows


def equal_rows(seed: int, steps: int) -> list[Row]:
    """Right sentences, and loss, of models that spend the same parameters in different ways."""
    rows: list[Row] = []
    test = _seen_lengths()
    for name, changes in EQUAL.items():
        recipe, points = vary(TOWN, seed=seed, **changes), _points(steps, TOWN_STEPS, MEASURED_AT)
        for step, model in on_the_way(recipe, translation.task(LONGEST), points):
            matches = translation.exact_match(model, test)
            row = rounded({"exact_match": sum(matches) / len(matches), "loss": _town_loss(model)})
            parameters = sum(p.numel() for p in model.parameters())
            rows.append({"seed": seed, "step": step, "model": name, "parameters": parameters, **row})
    return rows


# ---------------------------------------------------------------- how they are run, and measured


def _points(steps: int, full: int, measured_at: tuple[int, ...]) -> list[int]:
    """Steps after which a run is measured; a short one is measured at its end only."""
    return list(measured_at) if steps == full else [steps]


def on_the_way(
    recipe: Recipe,
    task: Task,
    points: list[int],
    whole: int = 0,
    optimizer: Callable[[nn.Module, float, float], torch.optim.Optimizer] | None = None,
) -> Iterator[tuple[int, nn.Module]]:
    """Train once, and stop on the way to be measured; a schedule is that of the `whole` run."""
    model = new_model(recipe)
    own = optimizer and optimizer(model, recipe.lr, recipe.weight_decay)
    stages = [*points, whole] if points[-1] < whole else points
    for step, _ in train_in_stages(model, recipe, task, stages, own):
        yield step, model
        if step == points[-1]:
            return


def _by_length(model: nn.Module) -> list[Row]:
    """One row for each group of lengths."""
    test = translation.sentences(TEST_SENTENCES, "test")
    matches = translation.exact_match(model, test)
    rows: list[Row] = []
    for low, high in LENGTHS:
        group = [match for match, s in zip(matches, test, strict=True) if low <= len(s.english) <= high]
        share = round(sum(group) / len(group), 4)
        rows.append({"length": f"{low}–{high}", "exact_match": share, "sentences": len(group)})
    return rows


def _seen_lengths() -> list:
    return [s for s in translation.sentences(2 * TEST_SENTENCES, "test") if len(s.english) <= LONGEST]


def _held_out() -> list:
    return [s for s in translation.sentences(2 * HELD_OUT, "validation") if len(s.english) <= LONGEST][
        :HELD_OUT
    ]


def _town_loss(model: nn.Module) -> float:
    """Nats a word on held-out sentences."""
    return translation.reading_loss(model, _held_out())


def _gradients(model: Transformer) -> list[Row]:
    """Norm of the gradient of each layer's parameters, on held-out sentences."""
    pairs = translation.pairs(_held_out())
    pair_loss(model, next(pairs.epoch(len(pairs)))).backward()
    rows = [
        {"layer": number, "encoder_gradient": _norm(encoder), "decoder_gradient": _norm(decoder)}
        for number, (encoder, decoder) in enumerate(
            zip(model.encoder.layers, model.decoder.layers, strict=True), 1
        )
    ]
    model.zero_grad(set_to_none=True)
    return rows


def _norm(layer: nn.Module) -> float:
    """Three digits, however small."""
    gradients: list[Tensor] = [p.grad for p in layer.parameters() if p.grad is not None]
    return float(f"{torch.nn.utils.get_total_norm(gradients).item():.3g}")


def _experiment(
    name: str, question: str, rows, group: str, measure: str, steps: int, live: int
) -> Experiment:
    """What this chapter's experiments have in common: seeds and tolerance."""
    return Experiment(name, question, rows, group, measure, SEEDS, steps, live, tolerance=0.1)


EXPERIMENTS = (
    _experiment(
        "positions",
        "What does a Transformer lose without positions, and which kind serves longer sentences?",
        position_rows,
        group="positions",
        measure="exact_match",
        steps=TOWN_STEPS,
        live=100,
    ),
    _experiment(
        "residual",
        "What do residual connections do in 6 + 6 layers?",
        residual_rows,
        group="residual",
        measure="loss",
        steps=RESIDUAL_STEPS,
        live=30,
    ),
    _experiment(
        "norm-warmup",
        "Which of post- and pre-norm needs a warm-up, and does it depend on the first parameters?",
        norm_rows,
        group="model",
        measure="loss",
        steps=NORM_STEPS,
        live=30,
    ),
    _experiment(
        "equal-parameters",
        "Heads, depth, width or feed-forward: what is the best use of the same number of parameters?",
        equal_rows,
        group="model",
        measure="exact_match",
        steps=TOWN_STEPS,
        live=100,
    ),
)
