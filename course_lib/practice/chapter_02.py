"""Practice of chapter 02, queries, keys, values."""

from __future__ import annotations

from course_lib.practice.kinds import Exercise, Prediction, Recall

TITLE = "Queries, keys, values"

EXERCISES: tuple[Exercise, ...] = ()
PREDICTIONS: tuple[Prediction, ...] = ()
RECALL: tuple[Recall, ...] = ()
