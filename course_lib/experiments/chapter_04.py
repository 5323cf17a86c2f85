"""Chapter 04's questions, asked of small language models of Tiny Town sentences.

All use one model and one constant learning rate; variants differ only in what may be looked at.
"""

from functools import partial

from course_lib import faults
from course_lib.experiments.records import Experiment, Row, rounded
from course_lib.tasks import town_lm
from course_lib.tasks.town_lm import Reader
from course_lib.training.recipe import Task, new_model, train_in_stages, vary

SEEDS = (0, 1, 2, 3, 4)
STEPS = 600
LIVE_STEPS = 200
MEASURED_AT = (50, 100, 200, 300, 400, 600)  # steps after which a run is scored
HELD_OUT = 500  # sentences on which a loss is measured
WRITTEN = 300  # sentences that a model writes to be judged

DROP = 0.3  # share of keys, or of weights, that chance takes away
FEW_SENTENCES = 1000  # so few that the model can learn them by heart

MASKS: dict[str, Reader] = {
    "causal": town_lm.causal,
    "one too far": faults.one_too_far,
    "multiplied after": faults.multiplied_after,
    "one too strict": faults.one_too_strict,
}
DROPOUTS: dict[str, Reader] = {
    "none": town_lm.causal,
    "before the softmax": partial(faults.drop_before, p=DROP),
    "after the softmax": partial(faults.drop_after, p=DROP),
}


def off_by_one_rows(seed: int, steps: int) -> list[Row]:
    """Loss in training, loss when writing, and what the Town says of the text, under four masks."""
    rows: list[Row] = []
    held_out = town_lm.sentences(HELD_OUT)
    for name, reader in MASKS.items():
        for step, history, model in _on_the_way(town_lm.task(reader), seed, steps):
            texts = town_lm.write(model, WRITTEN, reader=reader, seed=seed)
            row = {
                "training_loss": history.last(),
                "held_out_loss": town_lm.reading_loss(model, held_out, reader),
                "writing_loss": town_lm.writing_loss(model, held_out, reader),
                **town_lm.judge(texts)._asdict(),
            }
            rows.append({"seed": seed, "step": step, "mask": name, **rounded(row)})
    return rows


def dropout_rows(seed: int, steps: int) -> list[Row]:
    """Loss with dropout before the softmax, after it, and without, on few training sentences."""
    rows: list[Row] = []
    held_out = town_lm.sentences(HELD_OUT)
    for name, reader in DROPOUTS.items():
        for step, history, model in _on_the_way(town_lm.task(reader, n_sentences=FEW_SENTENCES), seed, steps):
            row = {
                "training_loss": history.last(),
                "held_out_loss": town_lm.reading_loss(model, held_out, reader),
            }
            rows.append({"seed": seed, "step": step, "dropout": name, **rounded(row)})
    return rows


def _on_the_way(task: Task, seed: int, steps: int):
    """Train once, and stop on the way to be measured: (step, history, model)."""
    points = MEASURED_AT if steps == STEPS else (steps,)  # a short run is measured at its end only
    recipe = vary(town_lm.RECIPE, seed=seed)
    model = new_model(recipe)
    for step, history in train_in_stages(model, recipe, task, points):
        yield step, history, model


EXPERIMENTS = (
    Experiment(
        "off-by-one",
        "What happens to a language model whose mask is wrong by one cell, or stands after the softmax?",
        off_by_one_rows,
        group="mask",
        measure="held_out_loss",
        seeds=SEEDS,
        steps=STEPS,
        live_steps=LIVE_STEPS,  # earlier, the mask behind the softmax has not found its leak
        tolerance=0.1,
    ),
    Experiment(
        "dropout",
        "Dropout before the softmax or after it?",
        dropout_rows,
        group="dropout",
        measure="held_out_loss",
        seeds=SEEDS,
        steps=STEPS,
        live_steps=LIVE_STEPS,  # earlier, the model has not begun to learn by heart
        tolerance=0.1,
    ),
)
