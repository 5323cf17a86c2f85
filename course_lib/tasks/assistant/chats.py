"""Conversations to learn from: questions put into turns, answered in mixed styles, sums with a call.

user        anna is at the farm . … where is anna ?
assistant   in the park .
user        tell me what colour the ball is .            the same story: it is not told again
assistant   well , the ball is red .
"""

import random
from collections.abc import Mapping, Sequence
from itertools import groupby

from course_lib.data.town.questions import STYLES, Asked, say
from course_lib.tasks.assistant.calculator import calculate
from course_lib.tasks.assistant.words import WORDS
from course_lib.text.chat import ChatRow, Turn, chat_row

MIXED = dict(zip(STYLES, (0.4, 0.3, 0.15, 0.15), strict=True))  # as people answer; style → how often
TOOL = "calculate"


def prompt_of(asked: Asked) -> list[Turn]:
    """The question alone, with its story before it."""
    return [Turn("user", (*asked.story, *asked.question))]


def solution(asked: Asked, answer: Sequence[str], *, tools: bool = True) -> list[Turn]:
    """What the assistant does: a call and its result where there is a sum and tools; then the answer."""
    turns = [Turn("assistant", tuple(answer))]
    if asked.expression and tools:
        call = Turn("call", (TOOL, *WORDS.split(asked.expression)))
        turns = [call, Turn("tool", calculate(asked.expression)), *turns]
    return turns


def conversations(
    asked: Sequence[Asked],
    seed: int,
    *,
    styles: Mapping[str, float] = MIXED,
    tools: bool = True,
    between: Sequence[Asked] = (),
) -> list[list[Turn]]:
    """A conversation for each story, with all its questions in turn; one for each sum.

    Args:
        asked: from `ask` and `ask_sums`; those about one story stand together.
        seed: of the styles.
        styles: how often each is used.
        tools: sums are worked out by a call, and not by heart.
        between: sums that are asked in the middle of a chat about a story, before or behind a question of it,
            one in every third of these chats, as long as there are some.
    """
    rng, names, more = random.Random(f"chats {seed}"), list(styles), iter(between)
    chats = []
    for (story, _), found in groupby(asked, key=lambda one: (one.story, one.kind == "sum" and one.number)):
        group, turns = list(found), []
        if between and story and rng.random() < 1 / 3 and (other := next(more, None)):
            group.insert(rng.randint(0, len(group)), other._replace(story=story))
        for one in group:
            (style,) = rng.choices(names, [styles[name] for name in names])
            put = Turn("user", one.question) if turns and story else prompt_of(one)[0]
            turns += [put, *solution(one, say(one, style, rng), tools=tools)]
        chats.append(turns)
    return chats


def rows(chats: Sequence[Sequence[Turn]], max_tokens: int | None = None) -> list[ChatRow]:
    """Conversations as ids, and what of them is trained.

    Args:
        chats: from `conversations`.
        max_tokens: longer ones are left out (of three questions a story one in a thousand has more than 192);
            None: no limit.
    """
    made = [chat_row(turns, WORDS) for turns in chats]
    return [row for row in made if max_tokens is None or len(row.ids) <= max_tokens]
