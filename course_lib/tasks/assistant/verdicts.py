"""What the Town says of an answer, for any text that a person types.

    find(story, question)              the Town's question that these words are, with its answers, or None
    verdict(story, question, answer)   is the answer right? None where the Town cannot say
    why_unread(story)                  why a story of one's own gets no verdicts, or None: the Town reads it

All of them take tokens, as `WORDS.split` makes them. The Town reads the story itself, so that a typed story
is judged as one that it told, and it knows each question about it in each form, what is not said included.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache, lru_cache
from itertools import product
from typing import NamedTuple

from course_lib.data import town
from course_lib.data.town import lexicon
from course_lib.data.town.questions import Asked, Fact, judge, rewriting, sums
from course_lib.data.town.questions.facts import (
    COUNT,
    UNKNOWN,
    Words,
    does_have,
    facts,
    how_many,
    is_at,
    what_colour,
    where_is,
    who_has,
)
from course_lib.data.town.questions.forms import FORMS, REWRITE_FORMS
from course_lib.tasks.assistant.calculator import calculate
from course_lib.tasks.assistant.words import DIGITS, written

# Typed stories are shorter and longer than told ones, and may have more people and things.
MOST = len(COUNT) - 1  # of either that can be counted
ANY_STORY = replace(town.TOWN, sentences=tuple(range(1, 25)), max_people=MOST, max_things=MOST)
SUM_SIGNS = DIGITS | set("()") | set(sums.SIGNS)
SIGNS = (".", "?")


class TownVerdict(NamedTuple):
    """What the Town says of an answer."""

    right: bool
    refused: bool  # it says that the story, or the tool, does not say
    known: bool  # there is an answer
    truth: Words  # the right answer as a whole sentence, in tokens
    asked: Asked  # the question as the Town asks it

    @property
    def text(self) -> str:
        """The verdict in words: `right`, `wrong: anna is in the park .`"""
        if self.right:
            return "right" if self.known else f"right: {self.truth_text}"
        if self.known and self.refused:
            return f"wrong, this can be known: {self.truth_text}"
        return f"wrong: {self.truth_text}"

    @property
    def truth_text(self) -> str:
        """The right answer as a text: `the story does not say .`"""
        return written(self.truth)


def verdict(story: Sequence[str], question: Sequence[str], answer: Sequence[str]) -> TownVerdict | None:
    """Is this the right answer to this question about this story?

    Args:
        story: tokens of a story that was told or typed; () where there is none.
        question: tokens of the question alone, in any form, with or without a sign at its end.
        answer: tokens, the full stop included; () is wrong, as an answer that never came.

    Returns:
        a `TownVerdict`; None where this is no question of the Town's, or it cannot read the story.
    """
    asked = find(story, question)
    if asked is None:
        return None
    judged = judge(asked, tuple(answer))
    return TownVerdict(judged.right, judged.refused, asked.known, asked.whole, asked)


def find(story: Sequence[str], question: Sequence[str]) -> Asked | None:
    """The Town's question that these words are.

    A form may stand before it (`tell me`, `do you know`), followed by the question asked directly or
    indirectly.

    Args:
        story, question: as for `verdict`.

    Returns:
        the question with its right answers; None where it is none of the Town's.
    """
    story, question = tuple(story), tuple(question)
    for form, (before, _, _) in FORMS.items():
        plain = _after(before, question)
        while plain and plain[-1] in SIGNS:
            plain = plain[:-1]
        if fact := _sum(plain) or _known(story).get(plain):
            return _asked(fact, form, story, question)
    for form, before in REWRITE_FORMS.items():
        plain = _after(before, question)
        if fact := _rewritten(story).get(plain) or _rewritten(story).get((*plain, ".")):
            return _asked(fact, form, story, question)
    return None


def why_unread(story: Sequence[str]) -> str | None:
    """Why the Town cannot read a story: the first word or sentence that does not fit; None: it can."""
    return town.score(tuple(story), grammar=ANY_STORY).error


def examples(story: Sequence[str]) -> list[Words]:
    """A few questions about a story that it answers, each of another kind, with their sign at the end."""
    read = _read(tuple(story))
    one_of_each = {fact.kind: fact for fact in (facts(read) if read else ())}  # the last one told of
    return [(*one_of_each[kind].direct, "?") for kind in ("where", "who", "colour") if kind in one_of_each]


def _asked(fact: Fact, form: str, story: Words, question: Words) -> Asked:
    expression = "".join(fact.direct[2:]) if fact.kind == sums.KIND else ""
    told = () if fact.kind == sums.KIND else story
    return Asked(
        fact.kind, fact.group, form, told, question, fact.direct, fact.short, fact.whole, 0, expression
    )


def _after(before: Words, words: Words) -> Words:
    """What stands behind these words; () where they do not stand first."""
    return words[len(before) :] if words[: len(before)] == before else ()


def _sum(plain: Words) -> Fact | None:
    """`what is 1 7 + 2 5` or `what 1 7 + 2 5 is`, with what comes out."""
    what, *rest = plain or ("",)
    if what != "what" or "is" not in (rest[:1] + rest[-1:]):
        return None
    written_out = tuple(rest[1:] if rest[0] == "is" else rest[:-1])
    if not DIGITS & set(written_out) or set(written_out) - SUM_SIGNS:
        return None
    expression = "".join(written_out)
    result = calculate(expression)
    if result.startswith("error"):
        return sums.fact(sums.Sum(UNKNOWN, expression, None))
    return sums.fact(sums.Sum(sums.KIND, expression, int(result)))


@lru_cache(maxsize=16)
def _read(story: Words) -> town.Story | None:
    try:
        return town.read(story, grammar=ANY_STORY)
    except ValueError:
        return None


@lru_cache(maxsize=16)
def _known(story: Words) -> dict[Words, Fact]:
    """Every question about a story, asked directly and indirectly, without form and sign."""
    read = _read(story)
    if read is None:
        return {}
    people, things = read.state["people"], read.state["things"]
    table = dict(_unsaid())
    for noun in {thing.split()[-1] for thing in things}:  # what is told of it, or several have it
        for words in _forms([what_colour(noun, None)]):
            del table[words]
    for name, here in people.items():  # where nobody was: somebody with a place is not there
        if here is not None:
            table |= _forms(is_at(name, place, False) for place in lexicon.PLACES)
    return table | _forms(facts(read))


@lru_cache(maxsize=16)
def _rewritten(story: Words) -> dict[Words, Fact]:
    read = _read(story)
    return {fact.direct: fact for fact in rewriting.rewritings(read)} if read else {}


@cache
def _unsaid() -> dict[Words, Fact]:
    """Every question that a story which speaks of nobody and nothing leaves open: some 10,000."""

    def open_questions() -> Iterator[Fact]:
        for name in lexicon.NAMES:
            yield where_is((name,), None, UNKNOWN)
            yield how_many(name, None)
            for place in lexicon.PLACES:
                yield is_at(name, place, None)
        for colour, noun in product(lexicon.COLOURS, lexicon.THINGS):
            for name in lexicon.NAMES:
                yield does_have(name, colour, noun, None)
            yield where_is(("the", colour, noun), None, UNKNOWN)
            yield who_has(colour, noun, None, known=False)
        for noun in lexicon.THINGS:
            yield what_colour(noun, None)

    return _forms(open_questions())


def _forms(found: Iterable[Fact]) -> dict[Words, Fact]:
    """The facts by their questions, direct and indirect."""
    return {words: fact for fact in found for words in (fact.direct, fact.indirect)}
