"""Practice of chapter 05, the Transformer. Source: Vaswani et al. 2017, sections 3 and 5."""

from course_lib.practice.chapter_05.questions import PREDICTIONS, RECALL
from course_lib.practice.chapter_05.sinusoidal import SINUSOIDAL

EXERCISES = (SINUSOIDAL,)

__all__ = ["EXERCISES", "PREDICTIONS", "RECALL", "SINUSOIDAL"]
