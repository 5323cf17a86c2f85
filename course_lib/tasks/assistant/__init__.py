"""An assistant made of the Town's GPT: its words, its chats, its tool."""

from course_lib.tasks.assistant.calculator import calculate
from course_lib.tasks.assistant.chats import MIXED, conversations, prompt_of, rows, solution
from course_lib.tasks.assistant.conversation import Conversation, Said, Stopped, markers, strange
from course_lib.tasks.assistant.shipping import ship_dpo, ship_grpo, ship_sft
from course_lib.tasks.assistant.tool_loop import TOOLS, Reply, answer, read_written, run, turns_seen, writer
from course_lib.tasks.assistant.verdicts import TownVerdict, examples, find, verdict, why_unread
from course_lib.tasks.assistant.words import END_ID, WORDS, AssistantWords, written

__all__ = [
    "END_ID",
    "MIXED",
    "TOOLS",
    "WORDS",
    "AssistantWords",
    "Conversation",
    "Reply",
    "Said",
    "Stopped",
    "TownVerdict",
    "answer",
    "calculate",
    "conversations",
    "examples",
    "find",
    "markers",
    "prompt_of",
    "read_written",
    "rows",
    "run",
    "ship_dpo",
    "ship_grpo",
    "ship_sft",
    "solution",
    "strange",
    "turns_seen",
    "verdict",
    "why_unread",
    "writer",
    "written",
]
