"""Practice of chapter 03, multi-head attention."""

from __future__ import annotations

from course_lib.practice.kinds import Exercise, Prediction, Recall

TITLE = "Multi-head attention"

EXERCISES: tuple[Exercise, ...] = ()
PREDICTIONS: tuple[Prediction, ...] = ()
RECALL: tuple[Recall, ...] = ()
