"""Ways to say one and the same answer, and which answers are right.

    short           in the park .
    whole           anna is in the park .
    with a filler   well , in the park .             well , anna is in the park .

People answer in many ways, so a model that learns from them does. All of these are right; which one is
better is another question (see `preferences`).
"""

import random
from typing import NamedTuple

from course_lib.data.town.questions.asking import Asked
from course_lib.data.town.questions.facts import REFUSAL, SHORT_REFUSAL, Words
from course_lib.data.town.questions.sums import NO_ANSWER

STYLES = ("short", "whole", "short, filled", "whole, filled")
FILLERS = {  # by their number of tokens
    2: (("well", ","), ("oh", ","), ("hm", ",")),
    3: (("oh", "well", ","), ("hm", "well", ","), ("well", "now", ",")),
    4: (("let", "me", "see", ","), ("let", "me", "think", ",")),
}
FILLER_WORDS = frozenset(word for some in FILLERS.values() for filler in some for word in filler)
VERBS = frozenset(("is", "are", "has", "does"))


class Verdict(NamedTuple):
    """What an answer is worth."""

    right: bool  # one of the right answers, filled or not
    refused: bool  # it says that the story, or the tool, does not say
    style: str  # one of STYLES


def filler(n: int, rng: random.Random) -> Words:
    """Words that say nothing, exactly `n` tokens.

    Raises:
        ValueError: less than 2.
    """
    if n < 2:
        raise ValueError(f"n is {n}, expected at least 2: a word and a comma")
    if n in FILLERS:
        return rng.choice(FILLERS[n])
    last = 3 if n == 5 else 4
    return (*filler(n - last, rng), *rng.choice(FILLERS[last]))


def say(asked: Asked, style: str, rng: random.Random) -> Words:
    """The right answer in a style.

    Args:
        asked: the question.
        style: one of STYLES.
        rng: which filler, of 2 to 4 tokens.

    Raises:
        ValueError: another style.
    """
    if style not in STYLES:
        raise ValueError(f"style is {style!r}, expected one of {', '.join(map(repr, STYLES))}")
    answer = asked.short if style.startswith("short") else asked.whole
    return (*filler(rng.choice((2, 2, 3, 4)), rng), *answer) if style.endswith("filled") else answer


def judge(asked: Asked, answer: Words) -> Verdict:
    """Is it right? Exact match with the short or the whole answer, whatever filler stands before it.

    Args:
        asked: the question.
        answer: tokens, the full stop included.
    """
    rest = _without_filler(tuple(answer))
    refused = rest in (REFUSAL, SHORT_REFUSAL, NO_ANSWER)
    return Verdict(rest in (asked.short, asked.whole), refused, style_of(answer))


def style_of(answer: Words) -> str:
    """The style of an answer, right or wrong: a whole sentence has a verb."""
    answer = tuple(answer)
    rest = _without_filler(answer)
    return ("whole" if VERBS & set(rest) else "short") + ", filled" * (len(rest) < len(answer))


def _without_filler(answer: Words) -> Words:
    start = 0
    while start < len(answer) and answer[start] in FILLER_WORDS:
        start += 1
    return answer[start:]
