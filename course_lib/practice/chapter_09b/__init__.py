"""Practice of chapter 09b, GPT, faster. Sources: Jordan et al. 2024; Hoffmann et al. 2022; Su et al. 2021."""

from course_lib.practice.chapter_09b.newton_schulz import NEWTON_SCHULZ
from course_lib.practice.chapter_09b.questions import PREDICTIONS, RECALL
from course_lib.practice.chapter_09b.rotary import ROTARY
from course_lib.practice.chapter_09b.sync import SYNC
from course_lib.practice.chapter_09b.tokens_per_parameter import TOKENS_PER_PARAMETER

EXERCISES = (ROTARY, NEWTON_SCHULZ, TOKENS_PER_PARAMETER, SYNC)

__all__ = [
    "EXERCISES",
    "NEWTON_SCHULZ",
    "PREDICTIONS",
    "RECALL",
    "ROTARY",
    "SYNC",
    "TOKENS_PER_PARAMETER",
]
