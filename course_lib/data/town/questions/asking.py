"""A balanced choice of questions: as many of each kind, and of each sort of answer within it."""

import random
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from course_lib.data.town.questions import facts as about
from course_lib.data.town.questions import rewriting, sums
from course_lib.data.town.questions.facts import STORY_KINDS, UNKNOWN, Fact, Words
from course_lib.data.town.questions.forms import choice_of, word
from course_lib.data.town.story import Story, stories

KINDS = (*STORY_KINDS, rewriting.KIND)
GROUPS = {**about.GROUPS, rewriting.KIND: rewriting.GROUPS}


class Asked(NamedTuple):
    """A question as it is put, and its right answers; all in tokens."""

    kind: str
    group: str
    form: str
    story: Words  # (): it is not about a story
    question: Words
    plain: Words  # the same without its form
    short: Words
    whole: Words
    number: int  # which story of its seed
    expression: str = ""  # of a sum: what a calculator gets

    @property
    def known(self) -> bool:
        """Whether there is an answer: the story says it, or the sum comes out."""
        return self.group != UNKNOWN


def ask(
    n: int, seed: int, *, kinds: Sequence[str] = KINDS, forms: str = "trained", per_story: int = 1
) -> tuple[Asked, ...]:
    """Ask about stories, one after another.

    Always the kind is asked of which there are fewest so far, and within it the sort of answer that lags
    behind most; which of the questions of that sort is drawn.

    Args:
        n: how many questions.
        seed: of the stories and of the draws. Fewer questions are the first of more.
        kinds: some of KINDS.
        forms: "trained", "held out" or "all": how it is put.
        per_story: questions about one story, each of another kind; they stand one behind the other.

    Raises:
        ValueError: a kind that does not exist, no kind, or more questions a story than kinds.
    """
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown or not kinds:
        raise ValueError(f"kinds is {tuple(kinds)!r}, expected some of {', '.join(KINDS)}")
    if not 1 <= per_story <= len(kinds):
        raise ValueError(f"per_story is {per_story}, expected 1 to {len(kinds)}: each is of another kind")
    rng, counts = random.Random(f"questions {seed}"), Counter()
    asked: list[Asked] = []
    for number, story in enumerate(_without_end(seed)):
        if len(asked) >= n:
            break
        found = list(_about(story, kinds, per_story, counts, rng))
        if len(found) < per_story:
            continue
        for fact in found:
            counts[fact.kind] += 1
            counts[fact.kind, fact.group] += 1
            asked.append(_put(fact, forms, rng, story.english_tokens, number))
    return tuple(asked[:n])


def ask_sums(
    n: int, seed: int, *, digits: tuple[int, int] = (1, 2), forms: str = "trained", with_answer: bool = False
) -> tuple[Asked, ...]:
    """Small sums.

    Args:
        n: how many.
        seed: of the draws. Fewer sums are the first of more.
        digits: the fewest and the most digits of each number.
        forms: as for `ask`.
        with_answer: leave out those that have none.

    Raises:
        ValueError: not 1 ≤ fewest ≤ most.
    """
    if not 1 <= digits[0] <= digits[1]:
        raise ValueError(f"digits is {digits}, expected (fewest, most) with 1 ≤ fewest ≤ most")
    rng = random.Random(f"sums {seed}")
    groups = {group: w for group, w in sums.GROUPS.items() if group != UNKNOWN or not with_answer}
    asked = []
    for number in range(n):
        (group,) = rng.choices(list(groups), list(groups.values()))
        one = sums.draw_sum(group, rng, digits)
        asked.append(_put(sums.fact(one), forms, rng, (), number)._replace(expression=one.expression))
    return tuple(asked)


def _put(fact: Fact, forms: str, rng: random.Random, story: Words, number: int) -> Asked:
    form = rng.choice(choice_of(fact.kind, forms))
    said = fact.short, fact.whole
    return Asked(fact.kind, fact.group, form, story, word(fact, form), fact.direct, *said, number)


def _without_end(seed: int) -> Iterator[Story]:
    return stories(10**9, seed)


def _about(
    story: Story, kinds: Collection[str], n: int, counts: Counter, rng: random.Random
) -> Iterator[Fact]:
    """`n` questions of different kinds about a story; fewer where it offers no more."""
    offered: dict[str, dict[str, list[Fact]]] = {kind: {} for kind in kinds}
    for fact in (*about.facts(story), *rewriting.rewritings(story)):
        if fact.kind in offered:
            offered[fact.kind].setdefault(fact.group, []).append(fact)
    for kind in sorted(kinds, key=lambda kind: (counts[kind], rng.random())):
        weights = GROUPS[kind]
        groups = [group for group in weights if group == UNKNOWN or group in offered[kind]]
        if n == 0 or not groups:
            continue
        group = min(groups, key=lambda group: (counts[kind, group] / weights[group], rng.random()))
        n -= 1
        yield about.unsaid(kind, story, rng) if group == UNKNOWN else rng.choice(offered[kind][group])
