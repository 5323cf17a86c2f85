"""A GPT that tells stories of Tiny Town, measured against the loss that nobody can beat."""

from course_lib.tasks.town_gpt.reading import Reading, reader
from course_lib.tasks.town_gpt.scores import Shares, baseline, floor, gap, judge, loss, mistakes, write
from course_lib.tasks.town_gpt.shipping import SHIPPED, load, measure, measured, ship
from course_lib.tasks.town_gpt.stories import (
    RECIPE,
    STORIES,
    WORDS,
    batches,
    counted,
    encoded,
    next_word_loss,
    stories,
    task,
)

__all__ = [
    "RECIPE",
    "SHIPPED",
    "STORIES",
    "WORDS",
    "Reading",
    "Shares",
    "baseline",
    "batches",
    "counted",
    "encoded",
    "floor",
    "gap",
    "judge",
    "load",
    "loss",
    "measure",
    "measured",
    "mistakes",
    "next_word_loss",
    "reader",
    "ship",
    "stories",
    "task",
    "write",
]
