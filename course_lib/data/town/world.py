"""The world of Tiny Town and the one program that tells it.

`tell_sentence(world, choose, sentence, grammar)` makes every decision about the next sentence by asking

    choose.one(record, key, options, weights)

and writes the answer into `record[key]`. Where only one answer is possible it asks

    choose.only(record, key, answer)

The same program therefore does three jobs:

- `Draw` answers at random: the generator;
- `Follow` answers what a parsed text says, and fails when the world does not offer it: the scorer;
- `Branch` answers each possibility in turn: the enumerator of small grammars.

Each answer has a probability, and a story's probability is their product. So generator, scorer and enumerator
cannot disagree: there is only one program.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from .lexicon import (
    COLOURS,
    FEMALE,
    GEOGRAPHY,
    NAMES,
    PLACE_OF_SPOT,
    SPOTS_AT,
    THINGS,
    TIMES_FIRST,
    TIMES_LATER,
    TRAITS,
    WEATHERS,
)

_FEMALE = frozenset(FEMALE)


class Thing(NamedTuple):
    """A thing of a story. Noun and colour together are its identity."""

    noun: str
    trait: str | None
    colour: str

    def __str__(self) -> str:
        return " ".join(word for word in (self.trait, self.colour, self.noun) if word)


class Described(NamedTuple):
    """What a text says about a thing; `None` where it says nothing."""

    noun: str
    trait: str | None
    colour: str | None


@dataclass(frozen=True)
class Grammar:
    """How large the world is and how often things are said. The defaults are the Town of this course.

    A count's weights are read from the left: `list_weights=(6, 3, 1)` makes one thing six times as likely as
    three. `events` restricts what people can do (empty: everything).
    """

    names: tuple[str, ...] = NAMES
    nouns: tuple[str, ...] = tuple(THINGS)
    traits: tuple[str | None, ...] = (None, *TRAITS)
    colours: tuple[str, ...] = tuple(COLOURS)
    places: tuple[str, ...] = tuple(place for place, _, _ in GEOGRAPHY)
    weathers: tuple[str, ...] = WEATHERS
    sentences: tuple[int, ...] = (4, 5, 6, 7, 8)  # how many sentences a story has, each as likely
    max_people: int = 4
    max_things: int = 5
    subject_weights: tuple[float, ...] = (10, 2, 0.5)  # anna; anna and tom; anna, tom and leo
    list_weights: tuple[float, ...] = (6, 3, 1)  # the ball; the ball and the key; ...
    say_colour: float = 0.6
    say_trait: float = 0.5
    say_where: float = 0.35  # "that anna holds", "that is near the bench"
    say_place: float = 0.15  # "anna sees tom at the park"
    say_origin: float = 0.25  # "goes from the park to the school"
    say_time: float = 0.12
    pronoun: float = 0.6
    drawn_to: float = 12.0  # how much likelier a place is where somebody or something is already
    dealings: float = 2.5  # how much likelier people are to take, give, show and get things
    kinds: tuple[str, ...] = ("person", "there", "thing", "weather")
    kind_weights: tuple[float, ...] = (12, 2, 1.2, 0.6)
    events: tuple[str, ...] = ()
    joins: tuple[str, ...] = ("", "then", "while", "but")
    join_weights: tuple[float, ...] = (10, 3, 1, 1)
    reasons: tuple[str, ...] = ("", "weather", "look", "want")
    reason_weights: tuple[float, ...] = (4, 1, 1.2, 1.2)

    def __post_init__(self) -> None:
        if len(self.places) <= len(self.subject_weights):
            raise ValueError(
                f"places has {len(self.places)} entries, expected more than subject_weights"
                f" ({len(self.subject_weights)}): a group must always have a place to go to"
            )
        if "person" not in self.kinds or (self.events and "go" not in self.events):
            raise ValueError(
                "kinds must contain 'person', and events 'go': there must always be something to tell"
            )
        if self.joins[:1] != ("",) or self.reasons[:1] != ("",):
            raise ValueError("joins and reasons must begin with '', which means none")

    def _times(self, times: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[float, ...]]:
        return ("", *times), (1 - self.say_time, *[self.say_time / len(times)] * len(times))

    @cached_property
    def times_first(self) -> tuple[tuple[str, ...], tuple[float, ...]]:
        """How the first sentence can begin, and the weights."""
        return self._times(TIMES_FIRST)

    @cached_property
    def times_later(self) -> tuple[tuple[str, ...], tuple[float, ...]]:
        """How any other sentence can begin, and the weights."""
        return self._times(TIMES_LATER)

    @cached_property
    def weight_of_kind(self) -> dict[str, float]:
        """Each kind of clause and its weight."""
        return dict(zip(self.kinds, self.kind_weights, strict=True))

    @cached_property
    def weight_of_join(self) -> dict[str, float]:
        """Each way in which a second clause can follow and its weight."""
        return dict(zip(self.joins, self.join_weights, strict=True))

    @cached_property
    def weight_of_reason(self) -> dict[str, float]:
        """Each kind of reason and its weight."""
        return dict(zip(self.reasons, self.reason_weights, strict=True))


TOWN = Grammar()


@dataclass
class World:
    """What a story has told so far. Nothing is true here that the text has not said."""

    place: dict[str, str | None] = field(default_factory=dict)  # person -> place, None: not told yet
    where: dict[Thing, tuple[str, str]] = field(default_factory=dict)  # thing -> ("held", person) or location
    likes: dict[tuple[str, Thing], bool] = field(default_factory=dict)
    weather: str | None = None
    told: int = 0  # sentences
    people_heard: tuple[str, ...] = ()  # the people of the last clause that had any
    group_heard: bool = False  # whether they were the subject together, and nobody else was there
    things_heard: tuple[Thing, ...] = ()  # the things of the last clause
    facts_heard: tuple[str, ...] = ()  # what it said about its only thing: "colour", "trait", "where"

    def place_of(self, thing: Thing) -> str | None:
        """The place where a thing is, if it is known."""
        way, noun = self.where[thing]
        if way == "held":
            return self.place[noun]
        return noun if way == "at" else PLACE_OF_SPOT[noun]

    def held_by(self, person: str) -> list[Thing]:
        """The things that a person holds."""
        held = ("held", person)
        return [thing for thing, where in self.where.items() if where == held]

    def pronouns(self) -> dict[str, tuple[str, ...]]:
        """Which pronouns for people are clear now, and whom they mean.

        "he" is clear if the last clause about people named one man, "she" if it named one woman, "they" if
        its subject was a group and it named nobody else.
        """
        heard = self.people_heard
        if not heard:
            return {}
        women = [name for name in heard if name in _FEMALE]
        men = [name for name in heard if name not in _FEMALE]
        clear: dict[str, tuple[str, ...]] = {}
        if len(men) == 1:
            clear["he"] = (men[0],)
        if len(women) == 1:
            clear["she"] = (women[0],)
        if self.group_heard:
            clear["they"] = heard
        return clear

    def thing_pronoun(self) -> tuple[str, Thing] | None:
        """ "it" or "they" for the thing of the last clause, if there was exactly one."""
        if len(self.things_heard) != 1:
            return None
        thing = self.things_heard[0]
        return ("they" if THINGS[thing.noun].plural else "it"), thing


# ---------------------------------------------------------------- who answers the questions


class Inconsistent(Exception):
    """A parsed text says something that the world does not offer."""

    def __init__(self, key: str, value: object, who: tuple = ()) -> None:
        super().__init__(key, value, who)
        self.key, self.value, self.who = key, value, who


class _Inventor:
    """What is common to those who invent a sentence."""

    def resolve(self, world: World, record: dict) -> None:
        """An invented sentence has nothing to resolve."""

    def only(self, record: dict, key: str, answer):
        """The only possible answer: its probability is 1."""
        record[key] = answer
        return answer


class Draw(_Inventor):
    """Answers at random, and multiplies the probabilities of its answers."""

    def __init__(self, rng: random.Random) -> None:
        self.random = rng.random
        self.probability = 1.0

    def one(self, record: dict, key: str, options: Sequence, weights: Sequence[float] | None = None):
        if len(options) == 1:
            answer = options[0]
        elif weights is None:
            answer = options[int(self.random() * len(options))]
            self.probability /= len(options)
        else:
            total = sum(weights)
            point = self.random() * total
            for index, weight in enumerate(weights):  # noqa: B007 (used after the loop)
                point -= weight
                if point < 0:
                    break
            answer = options[index]
            self.probability *= weight / total
        record[key] = answer
        return answer


class Follow:
    """Answers what a parsed sentence says; raises `Inconsistent` where the world does not offer it."""

    def __init__(self) -> None:
        self.probability = 1.0

    def resolve(self, world: World, record: dict) -> None:
        """Find the things that the descriptions of a parsed clause mean."""
        for i in range(record.get("things", 0)):
            said = record[THING[i]]
            fits = [
                thing
                for thing in world.where
                if thing.noun == said.noun
                and (said.colour is None or thing.colour == said.colour)
                and (said.trait is None or thing.trait == said.trait)
            ]
            if len(fits) != 1:
                raise Inconsistent("ambiguous" if fits else "unknown", said)
            record[THING[i]] = fits[0]
            record[SAY_TRAIT[i]] = said.trait is not None
            record[SAY_COLOUR[i]] = said.colour is not None

    def only(self, record: dict, key: str, answer):
        """The only possible answer: the text must say it."""
        return self.one(record, key, (answer,))

    def one(self, record: dict, key: str, options: Sequence, weights: Sequence[float] | None = None):
        """The answer of the text, if it is one of the options."""
        value = record.get(key)
        try:
            index = options.index(value)
        except ValueError:
            raise Inconsistent(key, value, record.get("who", ())) from None
        if weights is None:
            self.probability /= len(options)
        elif len(options) > 1:
            self.probability *= weights[index] / sum(weights)
        return value


class Branch(_Inventor):
    """Answers by a given list of indices, then always the first option; notes how many options there were."""

    def __init__(self, path: Sequence[int]) -> None:
        self.path, self.widths, self.probability = path, [], 1.0

    def one(self, record: dict, key: str, options: Sequence, weights: Sequence[float] | None = None):
        step = len(self.widths)
        self.widths.append(len(options))
        index = self.path[step] if step < len(self.path) else 0
        self.probability *= weights[index] / sum(weights) if weights else 1 / len(options)
        record[key] = options[index]
        return options[index]


# ---------------------------------------------------------------- the program

_N = 6
NAME = [f"name{i}" for i in range(_N)]
PERSON = [f"person{i}" for i in range(_N)]
THING = [f"thing{i}" for i in range(_N)]
SAY_TRAIT = [f"say_trait{i}" for i in range(_N)]
SAY_COLOUR = [f"say_colour{i}" for i in range(_N)]
WHERE = [f"where{i}" for i in range(_N)]
NEW_NOUN = [f"noun{i}" for i in range(_N)]
NEW_TRAIT = [f"trait{i}" for i in range(_N)]
NEW_COLOUR = [f"colour{i}" for i in range(_N)]
YES_NO = (True, False)
GROUP_EVENTS = frozenset({"be", "be_not", "go", "see", "want", "like", "like_not", "look"})
PLACE_EVENTS = frozenset({"take", "give", "show", "get", "see"})  # may add "at the park"
ACTIONS = frozenset({"go", "take", "put", "leave", "give", "show", "get", "see"})  # may follow ", then"
NEGATIVE = frozenset({"be_not", "like_not", "have_not"})
MEANWHILE = ACTIONS | {"be", "look", "want"}  # may follow "while"
FITTING = {"then": ACTIONS, "while": MEANWHILE}
REASON_EVENTS = frozenset({"take", "want", "like", "like_not", "look"})  # may add "because it is red"


def tell_sentence(world: World, choose, grammar: Grammar, sentence: dict) -> dict:
    """Decide the next sentence, clause by clause, and let the world follow.

    Args:
        world: what has been told; changed in place.
        choose: a `Draw`, `Follow` or `Branch`.
        grammar: the weights.
        sentence: empty for `Draw` and `Branch`; the parsed sentence for `Follow`.
    Returns:
        the sentence, a dict of decisions with a list of clauses under "clauses".
    """
    c = _clause(sentence, 0)
    _tell_clause(world, choose, grammar, c)
    if grammar.say_time and (c["kind"] == "there" or c.get("event") in MEANWHILE):
        choose.one(sentence, "time", *(grammar.times_later if world.told else grammar.times_first))
    else:
        choose.only(sentence, "time", "")
    last = 0
    if c["kind"] == "person":
        join = choose.one(sentence, "join", *_joins(world, grammar, c))
        if join:
            last = 1
            _tell_person(world, choose, grammar, _clause(sentence, 1), after=c, join=join)
    else:
        choose.only(sentence, "join", "")
    _tell_reason(world, choose, grammar, sentence, last)
    world.told += 1
    return sentence


def _clause(sentence: dict, index: int) -> dict:
    """A clause of a sentence: the parsed one, or a new one to decide."""
    clauses = sentence.setdefault("clauses", [])
    if index == len(clauses):
        clauses.append({})
    return clauses[index]


def _joins(world: World, grammar: Grammar, first: dict) -> tuple[list, list]:
    """The ways in which a second clause can follow, and their weights."""
    subjects, event = first["who"], first["event"]
    likely = dict(grammar.weight_of_join)
    if event not in MEANWHILE and event != "got":
        likely.pop("then", None)
        likely.pop("while", None)
    if len(subjects) + 1 > min(len(grammar.names), max(grammar.max_people, len(world.place))):
        likely.pop("while", None)  # somebody else must be there to do it
    if "but" in likely and (event in NEGATIVE or not _deniers(world, grammar, subjects)):
        del likely["but"]
    if len(world.place) == len(subjects) and not (_cast(world, grammar)[1] or world.pronouns()):
        likely.pop("then", None)  # there is nobody else, and the same people have no clear pronoun
    return list(likely), list(likely.values())


def _cast(world: World, grammar: Grammar) -> tuple[list[str], list[str]]:
    """The people who may be named next: those of the story, and new ones while there is room."""
    known = list(world.place)
    if len(known) >= grammar.max_people:
        return known, []
    return known, [name for name in grammar.names if name not in world.place]


def _deniers(world: World, grammar: Grammar, but_not: Sequence[str]) -> list[str]:
    """The people of whom a negative sentence can be said."""
    if grammar.events and "be_not" not in grammar.events:
        return []
    return [name for name, place in world.place.items() if place and name not in but_not]


def _tell_clause(world: World, choose, grammar: Grammar, c: dict) -> None:
    """The first clause of a sentence: about a person, a new thing, a known thing, or the weather."""
    likely = dict(grammar.weight_of_kind)
    if len(world.where) >= grammar.max_things:
        likely.pop("there", None)
    if not _tellable(world):
        likely.pop("thing", None)
    if world.weather:
        likely.pop("weather", None)
    kind = choose.one(c, "kind", list(likely), list(likely.values()))
    if kind == "person":
        _tell_person(world, choose, grammar, c)
    elif kind == "there":
        place = choose.one(c, "at", grammar.places, _drawn_to(world, grammar, grammar.places))
        where = choose.one(c, "spot", SPOTS_AT[place])
        _new_things(world, choose, grammar, c, where, 2)
    elif kind == "thing":
        _tell_thing(world, choose, grammar, c)
    else:
        world.weather = choose.one(c, "weather", grammar.weathers)
        world.things_heard = ()


def _drawn_to(world: World, grammar: Grammar, places: Sequence[str]) -> list[float]:
    """How likely each place is: more so where there is already somebody or something."""
    busy = set(world.place.values())
    for way, noun in world.where.values():
        if way != "held":  # the holder's place is there already
            busy.add(noun if way == "at" else PLACE_OF_SPOT[noun])
    return [grammar.drawn_to if place in busy else 1.0 for place in places]


def _tellable(world: World) -> list[Thing]:
    """The known things about which a clause can say something: where it is, or its colour."""
    nouns = [thing.noun for thing in world.where]
    return [
        thing for thing, where in world.where.items() if where[0] != "held" or nouns.count(thing.noun) == 1
    ]


def _facts(world: World, grammar: Grammar, thing: Thing, told: Sequence[str]) -> list[str]:
    """What can still be said about a thing, when some facts were told just now."""
    facts = []
    if "where" not in told and world.where[thing][0] not in ("held", "at"):
        facts.append("where")  # never "it is at the park": "il est au parc" is kept for people
    if "colour" not in told:
        facts.append("colour")
        if len(grammar.colours) > 1:
            facts.append("colour_not")
    if "trait" not in told and thing.trait:
        facts.append("trait")
    return facts


def _tell_thing(world: World, choose, grammar: Grammar, c: dict) -> None:
    """The ball is near the bench. It is red. The small key is not green."""
    choose.resolve(world, c)
    clear = world.thing_pronoun()
    facts = _facts(world, grammar, clear[1], world.facts_heard) if clear else []
    if facts:
        pronoun = choose.one(c, "pronoun", (clear[0], ""), (grammar.pronoun, 1 - grammar.pronoun))
    else:
        pronoun = choose.only(c, "pronoun", "")
    if pronoun:
        thing = clear[1]
        told = list(world.facts_heard)
    else:
        things = _tellable(world)
        thing = choose.one(c, THING[0], things)
        lies = world.where[thing][0] != "held"
        told = _describe(world, choose, grammar, c, 0, thing, colour=lies)
        c["things"] = 1
        facts = _facts(world, grammar, thing, told)
        if world.where[thing][0] == "at":
            facts.append("where")
    c["who"] = (thing,)
    fact = choose.one(c, "fact", facts)
    if fact == "where":
        choose.only(c, "spot", world.where[thing])
    elif fact == "colour":
        choose.only(c, "adjective", thing.colour)
    elif fact == "colour_not":
        choose.one(c, "adjective", [colour for colour in grammar.colours if colour != thing.colour])
    else:
        choose.only(c, "adjective", thing.trait)
    world.things_heard = (thing,)
    world.facts_heard = (*told, fact.removesuffix("_not"))


def _describe(
    world, choose, grammar: Grammar, c: dict, i: int, thing: Thing, colour: bool = True
) -> list[str]:
    """Decide which adjectives to say of the known thing number i: the small red ball, the red ball, the ball.

    The colour must be said where the story knows two things of that noun.
    """
    told = []
    unique = [other.noun for other in world.where].count(thing.noun) == 1
    if thing.trait is None:
        choose.only(c, SAY_TRAIT[i], False)
    elif choose.one(c, SAY_TRAIT[i], YES_NO, (grammar.say_trait, 1 - grammar.say_trait)):
        told.append("trait")
    if not unique:
        choose.only(c, SAY_COLOUR[i], True)
        told.append("colour")
    elif not colour:
        choose.only(c, SAY_COLOUR[i], False)
    elif choose.one(c, SAY_COLOUR[i], YES_NO, (grammar.say_colour, 1 - grammar.say_colour)):
        told.append("colour")
    return told


def _list_length(choose, c: dict, key: str, weights: Sequence[float], most: int) -> int:
    """How many things or people to list: 1 to `most`, as far as there are weights."""
    most = min(most, len(weights))
    return choose.one(c, key, range(1, most + 1), weights[:most])


def _known_things(
    world: World,
    choose,
    grammar: Grammar,
    c: dict,
    options: list[Thing],
    where: bool = False,
    one: bool = False,
) -> list[Thing]:
    """Choose and describe known things, in order; `where` allows relative clauses, `one` forbids lists."""
    n = _list_length(choose, c, "things", grammar.list_weights, 1 if one else len(options))
    things: list[Thing] = []
    subjects = c["who"]
    for i in range(n):
        thing = choose.one(c, THING[i], [option for option in options if option not in things])
        things.append(thing)
        told = _describe(world, choose, grammar, c, i, thing)
        location = world.where[thing]
        if where and grammar.say_where and not (location[0] == "held" and location[1] in subjects):
            if choose.one(c, WHERE[i], (None, location), (1 - grammar.say_where, grammar.say_where)):
                told.append("where")
                if location[0] == "held":
                    _hear(world, c, (location[1],))
        else:
            choose.only(c, WHERE[i], None)
    world.things_heard = tuple(things)
    world.facts_heard = tuple(told)
    return things


def _new_things(world: World, choose, grammar: Grammar, c: dict, where: tuple[str, str], most: int) -> None:
    """Bring new things into the story, at a location or into somebody's hands."""
    n = _list_length(choose, c, "new", grammar.list_weights, min(most, grammar.max_things - len(world.where)))
    things = []
    for i in range(n):
        taken = [(thing.noun, thing.colour) for thing in world.where]
        nouns: Sequence[str] = grammar.nouns
        if len(taken) >= len(grammar.colours):
            nouns = [noun for noun in nouns if sum(t[0] == noun for t in taken) < len(grammar.colours)]
        noun = choose.one(c, NEW_NOUN[i], nouns)
        trait = choose.one(c, NEW_TRAIT[i], grammar.traits)
        colour = choose.one(
            c,
            NEW_COLOUR[i],
            [colour for colour in grammar.colours if (noun, colour) not in taken]
            if taken
            else grammar.colours,
        )
        thing = Thing(noun, trait, colour)
        world.where[thing] = where
        things.append(thing)
    world.things_heard = tuple(things)
    world.facts_heard = ("where", "trait", "colour")


def _hear(world: World, c: dict, people: Sequence[str]) -> None:
    """Note that a clause names these people too, beside those it has named already."""
    world.people_heard = (*world.people_heard, *(name for name in people if name not in world.people_heard))
    world.group_heard = False


def _tell_person(
    world: World, choose, grammar: Grammar, c: dict, after: dict | None = None, join: str = ""
) -> None:
    """A clause about people: who, what happens, and what the world is like after it."""
    choose.resolve(world, c)
    choose.only(c, "kind", "person")
    who = _subject(world, choose, grammar, c, after, join)
    c["who"] = who
    for name in who:
        world.place.setdefault(name, None)
    world.people_heard, world.group_heard = who, len(who) > 1
    world.things_heard = ()
    events, weights = _possible_events(world, grammar, who, join)
    event = choose.one(c, "event", events, weights)
    _EVENTS[event](world, choose, grammar, c, who)
    if event in PLACE_EVENTS and grammar.say_place and c.get(WHERE[c.get("things", 0) - 1]) is None:
        here = world.place[who[0]]
        choose.one(c, "at", (None, here), (1 - grammar.say_place, grammar.say_place))
    elif event in PLACE_EVENTS:
        choose.only(c, "at", None)


def _subject(world, choose, grammar: Grammar, c: dict, after: dict | None, join: str) -> tuple[str, ...]:
    """Who does it: a pronoun that is clear, or one to three names. Returns the people meant."""
    clear = world.pronouns()
    first = after["who"] if after else ()
    if join == "while":  # somebody else, at the same time
        clear = {}
    elif join == "but":
        able = (
            [] if after["event"] in ("go", "be") else _deniers(world, grammar, ())
        )  # not "she goes, but she is not"
        clear = {word: people for word, people in clear.items() if len(people) == 1 and people[0] in able}
    known, new = (_deniers(world, grammar, first), []) if join == "but" else _cast(world, grammar)
    if after:
        known = [name for name in known if name not in first]
    words = list(clear)
    if clear and (known or new):
        p = grammar.pronoun / len(words)
        word = choose.one(c, "pronoun", [*words, ""], [*[p] * len(words), 1 - grammar.pronoun])
    else:
        word = choose.one(c, "pronoun", words or [""])
    if word:
        return clear[word]
    most = 1 if join == "but" else min(len(known) + len(new), max(1, grammar.max_people))
    n = _list_length(choose, c, "people", grammar.subject_weights, most)
    people: list[str] = []
    room = grammar.max_people - len(world.place)
    for i in range(n):
        names, weights = known, [3.0] * len(known)
        if new and (room > 0 or not known):
            names = known + new
            weights += [1.2 / len(new)] * len(new)
        name = choose.one(c, NAME[i], names, weights)
        people.append(name)
        if name in world.place:
            known.remove(name)
        else:
            new.remove(name)
            room -= 1
    return tuple(people)


def _possible_events(world: World, grammar: Grammar, who: tuple[str, ...], join: str) -> tuple[list, list]:
    """What these people can do now, and how likely each is. The join before rules some events out."""
    likely = _likely_events(world, grammar, who, negative=join == "but")
    if join in FITTING:
        likely = {event: weight for event, weight in likely.items() if event in FITTING[join]}
    if grammar.events:
        likely = {event: weight for event, weight in likely.items() if event in grammar.events}
    return list(likely), list(likely.values())


def _likely_events(world: World, grammar: Grammar, who: tuple[str, ...], negative: bool) -> dict[str, float]:
    """What these people can do in this world, or can be said not to do, with weights."""
    alone = len(who) == 1
    here = world.place[who[0]]
    for name in who[1:]:
        if world.place[name] != here:
            here = ""  # a group in different places: they can only go somewhere, or like things
    mine: list[Thing] = []
    not_mine: list[Thing] = []
    for thing, where in world.where.items():
        (mine if where[0] == "held" and where[1] in who else not_mine).append(thing)
    liked: set[Thing] = set()
    disliked: set[Thing] = set()
    for (name, thing), likes in world.likes.items():
        if name in who:
            (liked if likes else disliked).add(thing)

    likely: dict[str, float] = {}
    if here:
        likely["be_not"] = 1 if negative else 0.3
    if not liked.issuperset(not_mine):
        likely["like_not"] = 1 if negative else 0.4
    if alone and not_mine:
        likely["have_not"] = 1 if negative else 0.4
    if negative:
        return likely
    likely["go"] = 2
    if here != "":
        likely["be"] = 3 if here is None else 0.15
    if len(world.where) > len(disliked):
        likely["like"] = 0.6
    if not_mine:
        likely["want"] = 0.8
    if here != "":
        near = [thing for thing in not_mine if world.place_of(thing) == here]
        if len(near) < len(not_mine):
            likely["look"] = 0.7
    if here:
        others = [name for name, place in world.place.items() if place == here and name not in who]
        lying = [thing for thing in near if world.where[thing][0] != "held"]
        if others or near:
            likely["see"] = 0.8
        if alone:
            if lying:
                likely["take"] = 5 * grammar.dealings
            if len(near) > len(lying):
                likely["get"] = 1.2 * grammar.dealings
            if mine:
                likely["put"] = 2
                likely["leave"] = 0.5
                if others:
                    likely["give"] = 3.5 * grammar.dealings
                    likely["show"] = 0.7 * grammar.dealings
    if alone:
        if mine:
            likely["have"] = 0.4
        if len(world.where) < grammar.max_things:
            likely["got"] = 0.5 if mine else 1.5
    return likely


# Each event: what it needs to decide, and what it changes.


def _go(world, choose, grammar, c, who):
    here = world.place[who[0]]
    together = bool(here) and all(world.place[name] == here for name in who)
    company, weights = [""], [6.0]
    if together and grammar.say_origin:
        choose.one(c, "from", (None, here), (1 - grammar.say_origin, grammar.say_origin))
    else:
        choose.only(c, "from", None)
    were = {world.place[name] for name in who}
    places = [place for place in grammar.places if place not in were]
    choose.one(c, "to", places, _drawn_to(world, grammar, places))
    others = (
        [name for name, place in world.place.items() if place == here and name not in who] if together else []
    )
    mine = world.held_by(who[0]) if len(who) == 1 else []
    if others:
        company.append("people")
        weights.append(1.0)
    if mine:
        company.append("things")
        weights.append(1.5)
    company = choose.one(c, "with", company, weights)
    moved = list(who)
    if company == "people":
        moved += _others(world, choose, grammar, c, others)
    elif company == "things":
        _known_things(world, choose, grammar, c, mine)
    for name in moved:
        world.place[name] = c["to"]


def _others(world, choose, grammar, c, options, one=False):
    n = _list_length(choose, c, "others", grammar.list_weights, 1 if one else len(options))
    people: list[str] = []
    for i in range(n):
        people.append(choose.one(c, PERSON[i], [name for name in options if name not in people]))
    _hear(world, c, people)
    return people


def _be(world, choose, grammar, c, who):
    here = world.place[who[0]]
    choose.one(c, "place", (here,) if here else grammar.places)
    for name in who:
        world.place[name] = c["place"]


def _be_not(world, choose, grammar, c, who):
    choose.one(c, "place", [place for place in grammar.places if place != world.place[who[0]]])


def _got(world, choose, grammar, c, who):
    _new_things(world, choose, grammar, c, ("held", who[0]), 3)


def _have(world, choose, grammar, c, who):
    _known_things(world, choose, grammar, c, world.held_by(who[0]))


def _have_not(world, choose, grammar, c, who):
    options = [thing for thing, where in world.where.items() if where != ("held", who[0])]
    _known_things(world, choose, grammar, c, options, one=True)


def _take(world, choose, grammar, c, who):
    here = world.place[who[0]]
    options = [t for t, where in world.where.items() if where[0] != "held" and world.place_of(t) == here]
    for thing in _known_things(world, choose, grammar, c, options, where=True):
        world.where[thing] = ("held", who[0])


def _put(world, choose, grammar, c, who):
    things = _known_things(world, choose, grammar, c, world.held_by(who[0]))
    where = choose.one(c, "spot", SPOTS_AT[world.place[who[0]]])
    for thing in things:
        world.where[thing] = where
    world.facts_heard = (*world.facts_heard, "where")


def _leave(world, choose, grammar, c, who):
    things = _known_things(world, choose, grammar, c, world.held_by(who[0]))
    here = choose.only(c, "place", world.place[who[0]])
    for thing in things:
        world.where[thing] = ("at", here)
    world.facts_heard = (*world.facts_heard, "where")


def _others_here(world, who):
    here = world.place[who[0]]
    return [name for name, place in world.place.items() if place == here and name not in who]


def _give(world, choose, grammar, c, who):
    things = _known_things(world, choose, grammar, c, world.held_by(who[0]))
    (receiver,) = _others(world, choose, grammar, c, _others_here(world, who), one=True)
    for thing in things:
        world.where[thing] = ("held", receiver)


def _show(world, choose, grammar, c, who):
    _known_things(world, choose, grammar, c, world.held_by(who[0]))
    _others(world, choose, grammar, c, _others_here(world, who), one=True)


def _get(world, choose, grammar, c, who):
    givers = [name for name in _others_here(world, who) if world.held_by(name)]
    # The giver is decided first, though the text says him last: what can be got depends on it.
    (giver,) = _others(world, choose, grammar, c, givers, one=True)
    for thing in _known_things(world, choose, grammar, c, world.held_by(giver)):
        world.where[thing] = ("held", who[0])


def _see(world, choose, grammar, c, who):
    here = world.place[who[0]]
    others = _others_here(world, who)
    seen = [
        t
        for t in world.where
        if world.place_of(t) == here and world.where[t] not in [("held", n) for n in who]
    ]
    options = [what for what, some in (("people", others), ("things", seen)) if some]
    if choose.one(c, "see", options) == "people":
        _others(world, choose, grammar, c, others)
    else:
        _known_things(world, choose, grammar, c, seen, where=True)


def _want(world, choose, grammar, c, who):
    held = [("held", name) for name in who]
    _known_things(world, choose, grammar, c, [t for t, w in world.where.items() if w not in held], where=True)


def _look(world, choose, grammar, c, who):
    here = world.place[who[0]]
    held = [("held", name) for name in who]
    options = [t for t, w in world.where.items() if w not in held and world.place_of(t) != here]
    _known_things(world, choose, grammar, c, options)


def _like(world, choose, grammar, c, who):
    options = [t for t in world.where if all(world.likes.get((name, t)) is not False for name in who)]
    for thing in _known_things(world, choose, grammar, c, options, where=True):
        for name in who:
            world.likes[name, thing] = True


def _like_not(world, choose, grammar, c, who):
    held = [("held", name) for name in who]
    options = [
        t
        for t, w in world.where.items()
        if w not in held and not any(world.likes.get((name, t)) for name in who)
    ]
    for thing in _known_things(world, choose, grammar, c, options, where=True, one=True):
        for name in who:
            world.likes[name, thing] = False


_EVENTS = {
    "go": _go, "be": _be, "be_not": _be_not, "got": _got, "have": _have, "have_not": _have_not, "take": _take,
    "put": _put, "leave": _leave, "give": _give, "show": _show, "get": _get, "see": _see, "want": _want,
    "look": _look, "like": _like, "like_not": _like_not,
}  # fmt: skip


def _tell_reason(world: World, choose, grammar: Grammar, sentence: dict, last: int) -> None:
    """An optional "because": of the weather, of what a thing is like, or of what somebody wants.

    `last` is the number of the clause that it gives the reason of.
    """
    before = _clause(sentence, last)
    event = before.get("event")
    weights = grammar.weight_of_reason
    reasons: list[str] = []
    if event == "go":
        who, there = before["who"], before["to"]
        held = [("held", name) for name in who]
        wanted = [t for t, w in world.where.items() if w not in held and world.place_of(t) == there]
        reasons.append("weather")
        if wanted:
            pronoun = next((word for word, people in world.pronouns().items() if people == who), "")
            if pronoun:
                reasons.append("want")
    elif event in REASON_EVENTS and world.thing_pronoun():
        thing = world.things_heard[0]
        adjectives: list[str] = []
        if "colour" not in world.facts_heard:
            adjectives.append(thing.colour)
        if "trait" not in world.facts_heard and thing.trait:
            adjectives.append(thing.trait)
        if adjectives:
            reasons.append("look")
    reasons = [reason for reason in reasons if reason in weights]
    if not reasons:
        choose.only(sentence, "reason", "")
        return
    reason = choose.one(
        sentence, "reason", ["", *reasons], [weights[""], *[weights[reason] for reason in reasons]]
    )
    if not reason:
        return
    c = _clause(sentence, last + 1)
    if reason == "weather":
        choose.only(c, "kind", "weather")
        world.weather = choose.one(c, "weather", (world.weather,) if world.weather else grammar.weathers)
        world.things_heard = ()
    elif reason == "look":
        choose.only(c, "kind", "thing")
        word, thing = world.thing_pronoun()
        choose.only(c, "pronoun", word)
        adjective = choose.one(c, "adjective", adjectives)
        choose.only(c, "fact", "colour" if adjective == thing.colour else "trait")
        c["who"] = (thing,)
        world.facts_heard = (*world.facts_heard, c["fact"])
    else:
        choose.only(c, "kind", "person")
        choose.resolve(world, c)
        choose.only(c, "pronoun", pronoun)
        choose.only(c, "event", "want")
        c["who"] = who
        world.people_heard, world.group_heard = who, len(who) > 1
        _known_things(world, choose, grammar, c, wanted, where=True)
