"""Practice of chapter 05, the Transformer. Source: Vaswani et al. 2017, sections 3 and 5."""

from course_lib.practice.chapter_05.beam_step import BEAM_STEP
from course_lib.practice.chapter_05.decoder_inputs import DECODER_INPUTS
from course_lib.practice.chapter_05.encoder_layer import ENCODER_LAYER
from course_lib.practice.chapter_05.greedy import GREEDY
from course_lib.practice.chapter_05.questions import PREDICTIONS, RECALL
from course_lib.practice.chapter_05.sinusoidal import SINUSOIDAL
from course_lib.practice.chapter_05.smoothing import SMOOTHING
from course_lib.practice.chapter_05.sublayer import SUBLAYER

EXERCISES = (SINUSOIDAL, SUBLAYER, ENCODER_LAYER, DECODER_INPUTS, SMOOTHING, GREEDY, BEAM_STEP)

__all__ = [
    "BEAM_STEP",
    "DECODER_INPUTS",
    "ENCODER_LAYER",
    "EXERCISES",
    "GREEDY",
    "PREDICTIONS",
    "RECALL",
    "SINUSOIDAL",
    "SMOOTHING",
    "SUBLAYER",
]
