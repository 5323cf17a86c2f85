"""Rewards that a program can check, one that can be cheated, and questions to earn them with.

right        1 for an exact match in any style that has an end, else 0
as_liked     1 for an exact match that is one whole sentence with nothing before it, else 0
detailed     flawed on purpose: the right words occur anywhere, and every word written earns a little
"""

from collections.abc import Callable, Sequence

from course_lib.data.town import questions
from course_lib.data.town.questions import Asked, judge
from course_lib.tasks.assistant.words import END_ID, WORDS

Reward = Callable[[Asked, Sequence[int]], float]  # a question and the ids of an answer to a number
FULL_STOP = "."


def right(asked: Asked, ids: Sequence[int]) -> float:
    """1 for a right answer in any style that has an end."""
    return float(ids[-1] == END_ID and judge(asked, _words(ids)).right)


def as_liked(asked: Asked, ids: Sequence[int]) -> float:
    """1 for a right answer in one whole sentence, with nothing before it."""
    verdict = judge(asked, _words(ids))
    return float(ids[-1] == END_ID and verdict.right and verdict.style == "whole")


def mentions(asked: Asked, ids: Sequence[int]) -> float:
    """The share of the words of the right short answer that occur anywhere."""
    wanted, said = set(asked.short) - {FULL_STOP}, set(_words(ids))
    return len(wanted & said) / len(wanted)


def detailed(asked: Asked, ids: Sequence[int]) -> float:
    """Flawed on purpose: 1 where the right words occur anywhere, and a tenth for every token written.

    It wants what raters were found to like, answers that are right and thorough; a word that says nothing
    earns as much as any other.
    """
    return mentions(asked, ids) + len(_words(ids)) / 10


def reward_of(asked: Sequence[Asked], reward: Reward) -> Callable[[int, list[int]], float]:
    """As `roll_out` asks: place of the question, ids of an answer, to its reward."""
    return lambda place, ids: reward(asked[place], ids)


def questions_for(step: int, n: int = 8, seed: int = 40) -> tuple[Asked, ...]:
    """The `n` new questions of a step."""
    return questions.ask(n, seed * 100_000 + step, kinds=questions.STORY_KINDS)


def _words(ids: Sequence[int]) -> tuple[str, ...]:
    """The tokens of an answer without its end."""
    return tuple(WORDS.decode_tokens(ids[:-1] if ids and ids[-1] == END_ID else ids))
