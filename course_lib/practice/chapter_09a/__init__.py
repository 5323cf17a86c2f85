"""Practice of chapter 09a, GPT pretraining. Sources: Radford et al. 2019; Holtzman et al. 2020, section 3."""

from course_lib.practice.chapter_09a.accumulate import ACCUMULATE
from course_lib.practice.chapter_09a.cached_step import CACHED_STEP
from course_lib.practice.chapter_09a.clip import CLIP
from course_lib.practice.chapter_09a.decay_groups import DECAY_GROUPS
from course_lib.practice.chapter_09a.draw_order import DRAW_ORDER
from course_lib.practice.chapter_09a.next_token_loss import NEXT_TOKEN_LOSS
from course_lib.practice.chapter_09a.pack import PACK
from course_lib.practice.chapter_09a.questions import PREDICTIONS, RECALL
from course_lib.practice.chapter_09a.schedule import SCHEDULE
from course_lib.practice.chapter_09a.top_p import TOP_P

EXERCISES = (
    PACK,
    NEXT_TOKEN_LOSS,
    DECAY_GROUPS,
    CLIP,
    SCHEDULE,
    ACCUMULATE,
    TOP_P,
    DRAW_ORDER,
    CACHED_STEP,
)

__all__ = [
    "ACCUMULATE",
    "CACHED_STEP",
    "CLIP",
    "DECAY_GROUPS",
    "DRAW_ORDER",
    "EXERCISES",
    "NEXT_TOKEN_LOSS",
    "PACK",
    "PREDICTIONS",
    "RECALL",
    "SCHEDULE",
    "TOP_P",
]
