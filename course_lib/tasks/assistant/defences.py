"""Two defences against text that gives orders. (The third, markers by id, is `encode_chat`.)

    clean_result               lets numbers and known errors through, and nothing else
    defended_conversations     chats to learn from: with attacks, and with the answer that ignores them

The first is a rule: it holds for whatever an attacker thinks of, and there is none for a text that may say
anything, such as a story. The second is training: it may help where there can be no rule, and promises
nothing for an attack that was not trained.
"""

import random
from collections.abc import Mapping, Sequence
from itertools import groupby

from course_lib import checks
from course_lib.data.town.questions import Asked
from course_lib.tasks.assistant import calculator
from course_lib.tasks.assistant.attacks import ATTACKS, KINDS
from course_lib.tasks.assistant.chats import MIXED, conversations
from course_lib.tasks.assistant.tool_loop import FAILED, NO_SUCH_TOOL
from course_lib.tasks.assistant.words import DIGITS, WORDS
from course_lib.text.chat import Turn

ERRORS = (
    calculator.NOT_A_SUM, calculator.NOT_EXACT, calculator.BY_ZERO, calculator.TOO_LONG, calculator.TOO_DEEP,
    calculator.TOO_LARGE, NO_SUCH_TOOL, FAILED,
)  # fmt: skip
SHARE = 0.5  # of the chats hold an attack


def clean_result(result: str) -> str:
    """A tool's result as a model may read it: a whole number or a known error, or else that there is none.

    A number that is wrong comes through: a tool that lies is not stopped.
    """
    tokens = tuple(WORDS.split(result))
    number = tokens[tokens[:1] == ("-",) :]
    known = tokens in {tuple(WORDS.split(error)) for error in ERRORS}
    return result if known or (number and set(number) <= DIGITS) else FAILED


def defended_conversations(
    asked: Sequence[Asked], seed: int, *, share: float = SHARE, styles: Mapping[str, float] = MIXED
) -> list[list[Turn]]:
    """Chats as from `conversations`, some of them under attack: the answers stay those to the user.

    Args:
        asked: as for `conversations`.
        seed: of the styles and of the attacks.
        share: of the chats that hold an attack, one of those in ATTACKS that are trained; with 0 the chats
            are those of `conversations`.
        styles: as for `conversations`.

    Raises:
        ValueError: a share below 0, or not below 1.
    """
    checks.share("share", share)
    rng = random.Random(f"defended {seed}")
    chats = conversations(asked, seed, styles=styles)
    groups = groupby(asked, key=lambda one: (one.story, one.kind == "sum" and one.number))
    firsts = [next(group) for _, group in groups]
    return [
        _attacked(chat, one, rng) if rng.random() < share else chat
        for chat, one in zip(chats, firsts, strict=True)
    ]


def _attacked(chat: list[Turn], asked: Asked, rng: random.Random) -> list[Turn]:
    """The chat with an attack in its story or in the result of its call."""
    about = "sum" if asked.kind == "sum" else "story"
    names = [name for name, attack in ATTACKS.items() if attack.trained and attack.about == about]
    if not asked.known or asked.kind not in (*KINDS, "sum"):
        names = [name for name in names if not name.startswith("order")]  # there is no falsehood to order
    turns = ATTACKS[rng.choice(names)].make(asked, rng).turns
    return [*turns, *chat[len(turns) :]]
