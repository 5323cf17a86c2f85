"""Practice of chapter 01, Bahdanau attention: Bahdanau, Cho, Bengio 2015, section 3 and appendix A."""

from course_lib.practice.chapter_01.aer import AER
from course_lib.practice.chapter_01.context import CONTEXT
from course_lib.practice.chapter_01.decoder_step import DECODER_STEP
from course_lib.practice.chapter_01.questions import PREDICTIONS, RECALL
from course_lib.practice.chapter_01.scores import SCORES
from course_lib.practice.chapter_01.weights import WEIGHTS

EXERCISES = (SCORES, WEIGHTS, CONTEXT, DECODER_STEP, AER)

__all__ = [
    "AER",
    "CONTEXT",
    "DECODER_STEP",
    "EXERCISES",
    "PREDICTIONS",
    "RECALL",
    "SCORES",
    "WEIGHTS",
]
