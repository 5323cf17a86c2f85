"""Live views: each is a picture of `course_lib.viz` that answers to mouse and keyboard.

A view computes in the browser what it can, asks Python only for what needs a model, works without any
network, and carries a still with alt text for places where nothing is live. Models come in as functions.
"""

from course_lib.widgets.alignment_movie import AlignmentMovie
from course_lib.widgets.answer_group import AnswerGroup
from course_lib.widgets.architecture_view import ArchitectureView
from course_lib.widgets.attention_view import AttentionView
from course_lib.widgets.beam_tree import BeamTree
from course_lib.widgets.bpe_stepper import BpeStepper
from course_lib.widgets.chat_beside import ChatBeside
from course_lib.widgets.coloured_tokens import ColouredTokens
from course_lib.widgets.family_switcher import FamilySwitcher
from course_lib.widgets.fill_in import FillIn
from course_lib.widgets.live_loss import LiveLoss
from course_lib.widgets.loss_mask_strip import LossMaskStrip
from course_lib.widgets.mask_lab import MaskLab
from course_lib.widgets.mlm_corruptor import MlmCorruptor
from course_lib.widgets.next_token import NextToken
from course_lib.widgets.pipeline_stepper import PipelineStepper
from course_lib.widgets.preference_margins import PreferenceMargins
from course_lib.widgets.pronouncer import Pronouncer
from course_lib.widgets.question import Question
from course_lib.widgets.schedule_explorer import ScheduleExplorer
from course_lib.widgets.story_writer import StoryWriter

__all__ = [
    "AlignmentMovie",
    "AnswerGroup",
    "ArchitectureView",
    "AttentionView",
    "BeamTree",
    "BpeStepper",
    "ChatBeside",
    "ColouredTokens",
    "FamilySwitcher",
    "FillIn",
    "LiveLoss",
    "LossMaskStrip",
    "MaskLab",
    "MlmCorruptor",
    "NextToken",
    "PipelineStepper",
    "PreferenceMargins",
    "Pronouncer",
    "Question",
    "ScheduleExplorer",
    "StoryWriter",
]
