"""Practice of chapter 10a, instruction tuning. Source: Ouyang et al. 2022 (supervised fine-tuning)."""

from course_lib.practice.chapter_10a.answer_loss import ANSWER_LOSS
from course_lib.practice.chapter_10a.calculator import CALCULATOR
from course_lib.practice.chapter_10a.loss_mask import LOSS_MASK
from course_lib.practice.chapter_10a.questions import PREDICTIONS, RECALL
from course_lib.practice.chapter_10a.template import TEMPLATE
from course_lib.practice.chapter_10a.tool_loop import TOOL_LOOP

EXERCISES = (TEMPLATE, LOSS_MASK, ANSWER_LOSS, CALCULATOR, TOOL_LOOP)

__all__ = [
    "ANSWER_LOSS",
    "CALCULATOR",
    "EXERCISES",
    "LOSS_MASK",
    "PREDICTIONS",
    "RECALL",
    "TEMPLATE",
    "TOOL_LOOP",
]
