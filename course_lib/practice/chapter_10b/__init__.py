"""Practice of chapter 10b, preferences and rewards.

Sources: Bradley and Terry 1952; Rafailov et al. 2023; Shao et al. 2024; Hu et al. 2021.
"""

from course_lib.practice.chapter_10b.advantages import ADVANTAGES
from course_lib.practice.chapter_10b.bradley_terry import BRADLEY_TERRY
from course_lib.practice.chapter_10b.clipped_ratio import CLIPPED_RATIO
from course_lib.practice.chapter_10b.dpo import DPO
from course_lib.practice.chapter_10b.lora import LORA
from course_lib.practice.chapter_10b.questions import PREDICTIONS, RECALL

EXERCISES = (BRADLEY_TERRY, DPO, ADVANTAGES, CLIPPED_RATIO, LORA)

__all__ = [
    "ADVANTAGES",
    "BRADLEY_TERRY",
    "CLIPPED_RATIO",
    "DPO",
    "EXERCISES",
    "LORA",
    "PREDICTIONS",
    "RECALL",
]
