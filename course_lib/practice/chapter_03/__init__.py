"""Practice of chapter 03, multi-head attention. Source: Vaswani et al. 2017, section 3.2.2."""

from course_lib.practice.chapter_03.count import COUNT
from course_lib.practice.chapter_03.layer import LAYER
from course_lib.practice.chapter_03.merge import MERGE
from course_lib.practice.chapter_03.questions import PREDICTIONS, RECALL
from course_lib.practice.chapter_03.split import SPLIT

EXERCISES = (SPLIT, MERGE, LAYER, COUNT)

__all__ = ["COUNT", "EXERCISES", "LAYER", "MERGE", "PREDICTIONS", "RECALL", "SPLIT"]
