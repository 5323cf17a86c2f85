"""Practice of chapter 00: one small exercise and one prediction, to show how a page works."""

from course_lib.practice.chapter_00.questions import PREDICTIONS, RECALL
from course_lib.practice.chapter_00.weighted_mean import WEIGHTED_MEAN

EXERCISES = (WEIGHTED_MEAN,)

__all__ = ["EXERCISES", "PREDICTIONS", "RECALL", "WEIGHTED_MEAN"]
