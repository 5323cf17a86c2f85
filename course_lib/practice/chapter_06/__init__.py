"""Practice of chapter 06, three families. Source: Raffel et al. 2020 (T5), section 3.2."""

from course_lib.practice.chapter_06.choose import CHOOSE
from course_lib.practice.chapter_06.family_masks import FAMILY_MASKS
from course_lib.practice.chapter_06.prefix_labels import PREFIX_LABELS
from course_lib.practice.chapter_06.questions import PREDICTIONS, RECALL
from course_lib.practice.chapter_06.strip import STRIP
from course_lib.practice.chapter_06.three_masks import THREE_MASKS

EXERCISES = (FAMILY_MASKS, THREE_MASKS, PREFIX_LABELS, STRIP, CHOOSE)

__all__ = [
    "CHOOSE",
    "EXERCISES",
    "FAMILY_MASKS",
    "PREDICTIONS",
    "PREFIX_LABELS",
    "RECALL",
    "STRIP",
    "THREE_MASKS",
]
