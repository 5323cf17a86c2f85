"""Filling in blanks in stories of Tiny Town: the task on which a small BERT is pre-trained.

    [CLS] anna is at the farm . [SEP] [MASK] sees tom . [SEP]   →   she

Read the files in this order: `stories` (data, recipe, task, a text of your own), `scores` (how good is it,
beside the most frequent word, the neighbours, the nearest name), `writing` (it is made to write) and
`shipping` (the model that comes with the course).
"""

from .scores import (
    BASELINES,
    Filled,
    Places,
    Pronouns,
    baseline,
    filled,
    guesses,
    held_out,
    neighbours,
    nsp_accuracy,
    places,
    pronouns,
)
from .shipping import SHIPPED, load, measure, ship
from .stories import (
    GRAMMAR,
    HELD_OUT_SEED,
    MAX_LEN,
    RECIPE,
    STORIES,
    TRAINING_SEED,
    WORDS,
    Blanks,
    batches,
    documents,
    fill,
    rows_of,
    stories,
    task,
)
from .writing import ORDERS, sentence_lengths, tell

__all__ = [
    "BASELINES",
    "GRAMMAR",
    "HELD_OUT_SEED",
    "MAX_LEN",
    "ORDERS",
    "RECIPE",
    "SHIPPED",
    "STORIES",
    "TRAINING_SEED",
    "WORDS",
    "Blanks",
    "Filled",
    "Places",
    "Pronouns",
    "baseline",
    "batches",
    "documents",
    "fill",
    "filled",
    "guesses",
    "held_out",
    "load",
    "measure",
    "neighbours",
    "nsp_accuracy",
    "places",
    "pronouns",
    "rows_of",
    "sentence_lengths",
    "ship",
    "stories",
    "task",
    "tell",
]
