"""Chapter 06 on real words: is a prefix mask better than a causal one where nobody made the data for it?

Letters, then sounds, in one row. The rate is constant, and both models of a seed begin with the same
parameters.
"""

from course_lib.experiments.chapter_06 import LIVE_STEPS, SEEDS, STEPS, points
from course_lib.experiments.records import Experiment, Row, rounded
from course_lib.tasks.families import real_words
from course_lib.training.recipe import new_model, train_in_stages, vary

MASKS = {"causal": "decoder-only", "prefix": "prefix-LM"}


def word_rows(seed: int, steps: int) -> list[Row]:
    """The same first parameters learn to say words under each mask."""
    rows, recipe = [], vary(real_words.WORDS_RECIPE, seed=seed)
    for mask, family in MASKS.items():
        model = new_model(recipe)
        for step, _ in train_in_stages(model, recipe, real_words.saying(family), points(steps)):
            found = rounded(real_words.measure_words(model, family))
            rows.append({"seed": seed, "step": step, "masks": mask, **found})
    return rows


EXPERIMENTS = (
    Experiment(
        "prefix-or-causal-words",
        "Real words, letters and sounds in one row: is it better when the letters see one another?",
        word_rows,
        group="masks",
        measure="loss",
        seeds=SEEDS,
        steps=STEPS,
        live_steps=LIVE_STEPS,
        tolerance=0.1,
    ),
)
