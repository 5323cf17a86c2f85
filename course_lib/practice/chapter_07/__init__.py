"""Practice of chapter 07, tokenization. Source: Sennrich et al. 2016, section 3.2."""

from course_lib.practice.chapter_07.bits import BITS
from course_lib.practice.chapter_07.chat_ids import CHAT_IDS
from course_lib.practice.chapter_07.count_pairs import COUNT_PAIRS
from course_lib.practice.chapter_07.decode import DECODE
from course_lib.practice.chapter_07.encode import ENCODE
from course_lib.practice.chapter_07.learn import LEARN
from course_lib.practice.chapter_07.merge import MERGE
from course_lib.practice.chapter_07.questions import PREDICTIONS, RECALL
from course_lib.practice.chapter_07.special import SPECIAL

EXERCISES = (COUNT_PAIRS, MERGE, LEARN, ENCODE, DECODE, SPECIAL, CHAT_IDS, BITS)

__all__ = [
    "BITS",
    "CHAT_IDS",
    "COUNT_PAIRS",
    "DECODE",
    "ENCODE",
    "EXERCISES",
    "LEARN",
    "MERGE",
    "PREDICTIONS",
    "RECALL",
    "SPECIAL",
]
