"""Practice of chapter 08, BERT. Source: Devlin et al. 2019, section 3."""

from course_lib.practice.chapter_08.choose import CHOOSE
from course_lib.practice.chapter_08.cls_head import CLS_HEAD
from course_lib.practice.chapter_08.corrupt import CORRUPT
from course_lib.practice.chapter_08.fill import FILL
from course_lib.practice.chapter_08.input_triple import INPUT_TRIPLE
from course_lib.practice.chapter_08.mean_vector import MEAN_VECTOR
from course_lib.practice.chapter_08.mlm_loss import MLM_LOSS
from course_lib.practice.chapter_08.nsp_pairs import NSP_PAIRS
from course_lib.practice.chapter_08.questions import PREDICTIONS, RECALL

EXERCISES = (INPUT_TRIPLE, CHOOSE, CORRUPT, MLM_LOSS, NSP_PAIRS, CLS_HEAD, MEAN_VECTOR, FILL)

__all__ = [
    "CHOOSE",
    "CLS_HEAD",
    "CORRUPT",
    "EXERCISES",
    "FILL",
    "INPUT_TRIPLE",
    "MEAN_VECTOR",
    "MLM_LOSS",
    "NSP_PAIRS",
    "PREDICTIONS",
    "RECALL",
]
