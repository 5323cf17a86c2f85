"""Practice of chapter 02, queries, keys and values. Source: Vaswani et al. 2017, section 3.2.1."""

from course_lib.practice.chapter_02.attention import ATTENTION
from course_lib.practice.chapter_02.questions import PREDICTIONS, RECALL
from course_lib.practice.chapter_02.retrieval import RETRIEVAL
from course_lib.practice.chapter_02.soft_dict import SOFT_DICT

EXERCISES = (SOFT_DICT, ATTENTION, RETRIEVAL)

__all__ = ["ATTENTION", "EXERCISES", "PREDICTIONS", "RECALL", "RETRIEVAL", "SOFT_DICT"]
