"""What can be asked about the end of a story, and the true answer, short and as a whole sentence.

    where       where is anna ?                       in the park .     anna is in the park .
    who         who has the red ball ?                tom .             tom has the red ball .
    colour      what colour is the ball ?             red .             the ball is red .
    how many    how many things does tom have ?       two .             tom has two .
    does        does tom have the red ball ?          yes .             yes , tom has the red ball .
    is          is anna at the beach ?                no .              no , anna is not at the beach .

Nothing is known that the story has not told. Of whom or what it does not speak, or of whom it has told no
place, the true answer is that it does not say: whatever else is answered was invented.
"""

import random
from collections.abc import Iterator
from typing import NamedTuple

from course_lib.data.town import lexicon
from course_lib.data.town.story import Story

STORY_KINDS = ("where", "who", "colour", "how many", "does", "is")
UNKNOWN = "unknown"  # the group of what the story does not say
REFUSAL = ("the", "story", "does", "not", "say", ".")
SHORT_REFUSAL = ("unknown", ".")
COUNT = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
GROUPS = {  # kind → answers of one sort, and how often each is asked for
    "where": {"person": 0.425, "thing": 0.425, UNKNOWN: 0.15},
    "who": {"somebody": 0.65, "nobody": 0.2, UNKNOWN: 0.15},
    "colour": {"colour": 0.85, UNKNOWN: 0.15},
    "how many": {"none": 0.3, "one": 0.3, "more": 0.25, UNKNOWN: 0.15},
    "does": {"yes": 0.425, "no": 0.425, UNKNOWN: 0.15},
    "is": {"yes": 0.425, "no": 0.425, UNKNOWN: 0.15},
}

Words = tuple[str, ...]


class Fact(NamedTuple):
    """A question in its two plain forms, without a sign at its end, and its answers, with their full stop."""

    kind: str
    group: str  # which sort of answer, a key of GROUPS[kind]
    direct: Words  # where is anna
    indirect: Words  # where anna is
    short: Words  # in the park .
    whole: Words  # anna is in the park .

    @property
    def known(self) -> bool:
        """Whether the story says it."""
        return self.group != UNKNOWN


def facts(story: Story) -> Iterator[Fact]:
    """All that a story says and that can be asked; never the same question twice."""
    people, things = story.state["people"], story.state["things"]
    told = set(story.english_tokens)
    places = [place for place in lexicon.PLACES if place in told]
    for name, place in people.items():
        held = [thing for thing, where in things.items() if where == ("held", name)]
        yield how_many(name, len(held))
        if place is None:
            continue
        yield where_is((name,), lexicon.located(("at", place)).english, "person")
        for other in places if len(places) > 1 else (*places, next(p for p in lexicon.PLACES if p != place)):
            yield is_at(name, other, place == other)
    nouns = [thing.split()[-1] for thing in things]
    for thing, where in things.items():
        colour, noun = thing.split()[-2:]
        holder = where[1] if where[0] == "held" else None
        yield where_is(
            ("the", colour, noun), ("with", holder) if holder else lexicon.located(where).english, "thing"
        )
        yield who_has(colour, noun, holder)
        if nouns.count(noun) == 1:
            yield what_colour(noun, colour)
        for name in people:
            yield does_have(name, colour, noun, name == holder)


def unsaid(kind: str, story: Story, rng: random.Random) -> Fact:
    """A question of a kind that the story leaves open, drawn.

    A thing of which it does not speak has, where that can be, the noun or the colour of one of which it does.

    Args:
        kind: one of STORY_KINDS.
        story: told in English.
        rng: source of the draws.
    """
    people, told = story.state["people"], set(story.english_tokens)
    strangers = [name for name in lexicon.NAMES if name not in people]
    if kind == "colour":
        return what_colour(rng.choice([noun for noun in lexicon.THINGS if noun not in told]), None)
    if kind == "how many":
        return how_many(rng.choice(strangers), None)
    if kind == "is":
        placeless = [name for name, place in people.items() if place is None]
        places = [place for place in lexicon.PLACES if place in told] or list(lexicon.PLACES)
        return is_at(rng.choice(placeless or strangers), rng.choice(places), None)
    if kind == "where" and rng.random() < 0.5:
        placeless = [name for name, place in people.items() if place is None]
        return where_is((rng.choice(placeless or strangers),), None, UNKNOWN)
    colour, noun = _no_such_thing(story, rng)
    if kind == "where":
        return where_is(("the", colour, noun), None, UNKNOWN)
    if kind == "who":
        return who_has(colour, noun, None, known=False)
    return does_have(rng.choice(list(people) or strangers), colour, noun, None)


def _no_such_thing(story: Story, rng: random.Random) -> tuple[str, str]:
    """Colour and noun of a thing of which the story does not speak."""
    there = {tuple(thing.split()[-2:]) for thing in story.state["things"]}
    told = set(story.english_tokens)
    near = [
        (colour, noun)
        for colour in lexicon.COLOURS
        for noun in lexicon.THINGS
        if (colour, noun) not in there and (colour in told or noun in told)
    ]
    if near:
        return rng.choice(near)
    return rng.choice(list(lexicon.COLOURS)), rng.choice(list(lexicon.THINGS))


# ---------------------------------------------------------------- one question of each kind; None: not said


def _fact(kind: str, group: str, direct: Words, indirect: Words, short: Words, whole: Words) -> Fact:
    if group == UNKNOWN:
        return Fact(kind, group, direct, indirect, SHORT_REFUSAL, REFUSAL)
    return Fact(kind, group, direct, indirect, (*short, "."), (*whole, "."))


def _be(subject: Words) -> str:
    return "are" if subject[-1] in lexicon.THINGS and lexicon.THINGS[subject[-1]].plural else "is"


def where_is(subject: Words, where: Words | None, group: str) -> Fact:
    """Where somebody or something is."""
    be, where = _be(subject), where or ()
    return _fact(
        "where", group, ("where", be, *subject), ("where", *subject, be), where, (*subject, be, *where)
    )


def who_has(colour: str, noun: str, holder: str | None, known: bool = True) -> Fact:
    """Who has a thing; nobody, where it lies somewhere."""
    group = UNKNOWN if not known else "somebody" if holder else "nobody"
    said = ("who", "has", "the", colour, noun)
    return _fact("who", group, said, said, (holder or "nobody",), (holder or "nobody", *said[1:]))


def what_colour(noun: str, colour: str | None) -> Fact:
    """The colour of the only thing with this noun."""
    the, be = ("the", noun), _be((noun,))
    group = "colour" if colour else UNKNOWN
    indirect = ("what", "colour", *the, be)
    return _fact("colour", group, ("what", "colour", be, *the), indirect, (colour,), (*the, be, colour))


def how_many(name: str, number: int | None) -> Fact:
    """How many things somebody has."""
    group = UNKNOWN if number is None else COUNT[number] if number < 2 else "more"
    said = COUNT[number or 0]
    things = ("how", "many", "things")
    return _fact(
        "how many",
        group,
        (*things, "does", name, "have"),
        (*things, name, "has"),
        (said,),
        (name, "has", said),
    )


def does_have(name: str, colour: str, noun: str, so: bool | None) -> Fact:
    """Whether somebody has a thing."""
    the = ("the", colour, noun)
    whole = ("yes", ",", name, "has", *the) if so else ("no", ",", name, "does", "not", "have", *the)
    group = UNKNOWN if so is None else whole[0]
    return _fact("does", group, ("does", name, "have", *the), ("if", name, "has", *the), whole[:1], whole)


def is_at(name: str, place: str, so: bool | None) -> Fact:
    """Whether somebody is at a place."""
    where = lexicon.located(("at", place)).english
    whole = ("yes", ",", name, "is", *where) if so else ("no", ",", name, "is", "not", *where)
    group = UNKNOWN if so is None else whole[0]
    return _fact("is", group, ("is", name, *where), ("if", name, "is", *where), whole[:1], whole)
