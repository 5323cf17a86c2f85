"""Practice: exercises whose check names your mistake, predictions, recall, and your progress.

from course_lib.practice import check, hint, solution, predict, recall, progress, exercise
"""

from course_lib import starting
from course_lib.practice.desk import (
    attempts,
    check,
    exercise,
    hint,
    predict,
    progress,
    recall,
    run_check,
    solution,
)

starting.watch()

__all__ = [
    "attempts",
    "check",
    "exercise",
    "hint",
    "predict",
    "progress",
    "recall",
    "run_check",
    "solution",
]
