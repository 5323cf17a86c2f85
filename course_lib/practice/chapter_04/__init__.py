"""Practice of chapter 04, masking. A mask is named ``allowed`` everywhere: True = may attend.

Sources: Vaswani et al. 2017, section 3.2.3 (causal mask); Raffel et al. 2020, section 3.2.1 (prefix mask).
"""

from course_lib.practice.chapter_04.causal import CAUSAL
from course_lib.practice.chapter_04.leak import LEAK
from course_lib.practice.chapter_04.packed import PACKED
from course_lib.practice.chapter_04.padding import PADDING
from course_lib.practice.chapter_04.prefix import PREFIX
from course_lib.practice.chapter_04.questions import PREDICTIONS, RECALL
from course_lib.practice.chapter_04.softmax import SOFTMAX

EXERCISES = (CAUSAL, PADDING, PREFIX, SOFTMAX, PACKED, LEAK)

__all__ = ["CAUSAL", "EXERCISES", "LEAK", "PACKED", "PADDING", "PREDICTIONS", "PREFIX", "RECALL", "SOFTMAX"]
