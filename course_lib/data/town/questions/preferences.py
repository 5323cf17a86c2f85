"""Which of two right answers is better? A rule that a program can check:

    **one whole sentence, and nothing before it**

    better   anna is in the park .
    worse    in the park .                                no sentence
    worse    well , in the park .                         no sentence, and a filler
    worse    let me see , anna is in the park .           a filler

The rule is not length. In every four pairs the better answer is once longer and once shorter, by as much,
and twice exactly as long: whoever prefers the longer answer, or the shorter one, is right in half of the
pairs that differ, and on average both answers are equally long.
"""

import random
from collections.abc import Sequence
from typing import NamedTuple

from course_lib.data.town.questions.asking import Asked
from course_lib.data.town.questions.facts import Words
from course_lib.data.town.questions.styles import filler, style_of

LENGTHS = ("equal", "longer", "equal", "shorter")  # the better answer beside the worse one, in turn


class Preference(NamedTuple):
    """Two right answers to one question."""

    asked: Asked
    chosen: Words
    rejected: Words
    length: str  # the chosen one is "longer", "shorter", or both are "equal"ly long


def follows_rule(answer: Words) -> bool:
    """Whether an answer, right or wrong, is said as people here like it."""
    return style_of(answer) == "whole"


def preferences(asked: Sequence[Asked], seed: int) -> tuple[Preference, ...]:
    """A pair for each question whose short and whole answers differ; the others are left out.

    A longer and a shorter pair belong together: the next question with as many words between its two answers
    gets the other one, so that no length is left over but the last ones.

    Args:
        asked: questions, from `ask`.
        seed: of the fillers.
    """
    rng, turns, pairs = random.Random(f"preferences {seed}"), {}, []
    for one in asked:
        more = len(one.whole) - len(one.short)
        if more < 2:
            continue
        turn = turns[more] = turns.get(more, -1) + 1
        length = LENGTHS[turn % len(LENGTHS)]
        if length == "longer":
            rejected = one.short
        elif length == "shorter":
            rejected = (*filler(more, rng), *one.whole)
        else:
            rejected = (*filler(more, rng), *one.short)
        pairs.append(Preference(one, one.whole, rejected, length))
    return tuple(pairs)
