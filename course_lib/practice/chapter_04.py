"""Practice of chapter 04, masking."""

from __future__ import annotations

from course_lib.practice.kinds import Exercise, Prediction, Recall

TITLE = "Masking"

EXERCISES: tuple[Exercise, ...] = ()
PREDICTIONS: tuple[Prediction, ...] = ()
RECALL: tuple[Recall, ...] = ()
