"""Stories of Tiny Town: telling them, reading them back, scoring them, asking about them."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from . import lexicon as lex
from .parse import Invalid, all_phrases, parse_sentence
from .render import phrases, write
from .world import TOWN, Branch, Draw, Follow, Grammar, Inconsistent, Thing, World, tell_sentence

LANGUAGES = ("english", "french")
_CAPITAL = frozenset(lex.NAMES) | frozenset(lex.FRENCH_NAMES.values())
_COUNT = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


class Sentence(NamedTuple):
    """One sentence in two languages; `alignment`: the gold links (English index, French index), sorted."""

    english: tuple[str, ...]
    french: tuple[str, ...]
    alignment: tuple[tuple[int, int], ...]


class Mention(NamedTuple):
    """A pronoun and whom or what it means: sentence number, token index in its English, entity.

    An entity is a name ("anna"), several ("anna, tom"), or a thing ("small red ball").
    """

    sentence: int
    token: int
    entity: str


@dataclass(frozen=True)
class Question:
    """A question about the end of a story, and its answer, as English tokens."""

    question: tuple[str, ...]
    answer: tuple[str, ...]


@dataclass(frozen=True)
class Story:
    """A story and all that is known of it.

    `state` is the world at the end: {"people": {name: place or None}, "things": {thing: location},
    "weather": word or None}. A location is ("held", name), ("at", place) or (way, spot), as ("near",
    "bench"). `log_prob` is the natural logarithm of the probability that the Town tells exactly this story.
    """

    sentences: tuple[Sentence, ...]
    log_prob: float
    coreference: tuple[Mention, ...]
    state: dict

    @cached_property
    def english_tokens(self) -> tuple[str, ...]:
        """All English tokens."""
        return tuple(token for sentence in self.sentences for token in sentence.english)

    @cached_property
    def french_tokens(self) -> tuple[str, ...]:
        """All French tokens."""
        return tuple(token for sentence in self.sentences for token in sentence.french)

    @property
    def english(self) -> str:
        """The story as English text."""
        return detokenise(self.english_tokens)

    @property
    def french(self) -> str:
        """The story as French text."""
        return detokenise(self.french_tokens)

    @cached_property
    def questions(self) -> tuple[Question, ...]:
        """Everything that can be asked about the end of the story."""
        return tuple(_questions(self.state))


@dataclass(frozen=True)
class Score:
    """What `score` finds.

    `valid`: the text is made of the Town's sentences. `consistent`: each of them can happen when it is told
    (`None` when the text is not valid). `log_prob`: minus infinity unless both hold. `error` says what is
    wrong first, and `position` is the token where it shows: the wrong token when the text is not valid, the
    first token of the sentence when it is not consistent.
    """

    valid: bool
    consistent: bool | None
    log_prob: float
    error: str | None
    position: int | None


# ---------------------------------------------------------------- text and tokens

_TOKEN = re.compile(r"aujourd'hui|[^\W\d_]+'(?=\s*[^\W\d_])|[^\W\d_]+|\S")


def tokenise(text: str) -> tuple[str, ...]:
    """Split a text into lower case words and punctuation; l' and d' are words of their own."""
    return tuple(_TOKEN.findall(text.lower().replace("’", "'")))


def detokenise(tokens: tuple[str, ...]) -> str:
    """Write tokens as a text: no space before punctuation or after l', capitals for names and first words."""
    out: list[str] = []
    start = True
    for token in tokens:
        word = token.capitalize() if start or token in _CAPITAL else token
        if out and token not in (",", ".", "?") and not out[-1].endswith("'"):
            out.append(" ")
        out.append(word)
        start = token in (".", "?")
    return "".join(out)


# ---------------------------------------------------------------- telling


def _tell(choose, grammar: Grammar) -> Story:
    """Tell one story with a chooser that invents it (`Draw` or `Branch`)."""
    world = World()
    record: dict = {}
    sentences = [
        tell_sentence(world, choose, grammar, {})
        for _ in range(choose.one(record, "sentences", grammar.sentences))
    ]
    return _finish(world, [phrases(sentence) for sentence in sentences], math.log(choose.probability))


def _finish(world: World, written: list, log_prob: float) -> Story:
    """Make the story of its phrases."""
    sentences = []
    mentions = []
    for number, (parts, pronouns) in enumerate(written):
        sentences.append(Sentence(*write(parts)))
        for phrase_number, meant in pronouns:
            token = sum(len(part.english) for part in parts[:phrase_number])
            entity = str(meant) if isinstance(meant, Thing) else ", ".join(meant)
            mentions.append(Mention(number, token, entity))
    state = {
        "people": dict(world.place),
        "things": {str(thing): where for thing, where in world.where.items()},
        "weather": world.weather,
    }
    return Story(tuple(sentences), log_prob, tuple(mentions), state)


def stories(n: int, seed: int, grammar: Grammar = TOWN) -> Iterator[Story]:
    """Tell n stories; the same seed tells the same stories, and fewer stories are the first of more.

    Args:
        n: how many.
        seed: any integer.
        grammar: the world's size and weights.
    """
    rng = random.Random(f"tiny town {seed}")
    for _ in range(n):
        yield _tell(Draw(rng), grammar)


def enumerate_stories(grammar: Grammar) -> Iterator[tuple[Story, float]]:
    """Every story of a (small!) grammar with its log-probability; the probabilities sum to 1."""
    path: list[int] = []
    while True:
        choose = Branch(path)
        story = _tell(choose, grammar)
        yield story, story.log_prob
        # The next path: the last choice that has another option takes it; what comes after starts again at 0.
        path += [0] * (len(choose.widths) - len(path))
        while path and path[-1] + 1 == choose.widths[len(path) - 1]:
            path.pop()
        if not path:
            return
        path[-1] += 1


def entropy_floor(
    n: int, seed: int, language: str = "english", grammar: Grammar = TOWN, end: bool = False
) -> float:
    """The loss that no language model can beat on Town stories, in nats per token.

    It is the mean of -log p(story) per token, estimated from n stories.

    Args:
        n: how many stories.
        seed: their seed.
        language: whose tokens are counted. The log-probability is the same in both.
        grammar: the world.
        end: also count one end-of-story token for each story, as a model that must predict the end does.
    """
    _check_language(language)
    nats = tokens = 0.0
    for story in stories(n, seed, grammar):
        nats -= story.log_prob
        tokens += len(getattr(story, language + "_tokens")) + end
    return nats / tokens


# ---------------------------------------------------------------- reading


class _Problem(Exception):
    """Why a text is not a story."""

    def __init__(self, valid: bool, position: int, message: str) -> None:
        super().__init__(message)
        self.valid, self.position = valid, position


def _check_language(language: str) -> None:
    if language not in LANGUAGES:
        raise ValueError(f"language is {language!r}, expected one of {', '.join(LANGUAGES)}")


def _read(text: str | tuple[str, ...] | list[str], language: str, grammar: Grammar) -> Story:
    """Read a text back, or raise a `_Problem`."""
    _check_language(language)
    tokens = tokenise(text) if isinstance(text, str) else tuple(text)
    starts, parsed = [], []
    start = 0
    while start < len(tokens):
        stop = next((i for i in range(start, len(tokens)) if tokens[i] == "."), len(tokens) - 1) + 1
        try:
            parsed.append(parse_sentence(tokens[start:stop], language))
        except Invalid as error:
            where = f"sentence {len(starts) + 1}, word {error.position + 1}"
            raise _Problem(False, start + error.position, f"{where}: {error.message}") from None
        starts.append(start)
        start = stop
    counts = grammar.sentences
    if len(parsed) not in counts:
        at = starts[max(counts)] if len(parsed) > max(counts) else len(tokens)
        raise _Problem(False, at, f"{len(parsed)} sentences, expected one of {', '.join(map(str, counts))}")
    world, choose = World(), Follow()
    choose.one({"sentences": len(parsed)}, "sentences", counts)
    written = []
    for number, (start, sentence) in enumerate(zip(starts, parsed, strict=True)):
        where = f"sentence {number + 1}"
        try:
            tell_sentence(world, choose, grammar, sentence)
        except Inconsistent as error:
            raise _Problem(True, start, f"{where}: {_explain(error, world)}") from None
        written.append(phrases(sentence))
        again = write(written[-1][0])[language == "french"]
        for found, expected in zip(tokens[start:], again, strict=False):
            if (
                found != expected
            ):  # the only thing left: a French pronoun of the wrong gender for whom it means
                raise _Problem(
                    True, start, f"{where}: found '{found}', expected '{expected}' for whom it means"
                )
    return _finish(world, written, math.log(choose.probability))


_PROBLEMS = {
    "to": "nobody can go from a place to the same place, or the place is not in this Town",
    "from": "this is not where they are",
    "place": "this does not agree with where they are",
    "at": "this is not where it happens",
    "spot": "this is not where it is, or not in this place",
    "weather": "the story gave different weather earlier",
    "adjective": "the thing is not like this, or it has been said",
    "fact": "this cannot be said of the thing here",
    "kind": "this cannot be said here",
    "reason": "this reason does not fit",
    "join": "this second clause cannot follow",
    "time": "this time cannot stand here",
    "see": "that is not there to be seen",
    "with": "they do not have such company",
    "others": "there are not so many people there",
    "things": "there are not so many things for this",
    "new": "there is no room for so many new things",
    "people": "so many people cannot be the subject here",
}


def _why_not(event: str, who: tuple[str, ...], world: World) -> str:
    """Why these people cannot do this now."""
    one = who[0]
    if event in ("give", "show", "put", "leave", "have") and not world.held_by(one):
        return f"{one} holds nothing"
    if event == "got":
        return "the story has all the things it can have"
    if event in ("be", "see", "be_not") and len({world.place[name] for name in who}) > 1:
        return f"{' and '.join(who)} are in different places"
    if world.place[one] is None and event in ("take", "get", "put", "leave", "give", "show", "see", "be_not"):
        return f"the story has not said where {one} is"
    if event in ("give", "show"):
        return f"nobody is known to be with {one}"
    if event == "take":
        return f"nothing lies where {one} is"
    if event == "get":
        return f"nobody with {one} holds anything"
    return "nothing in the story fits, or it cannot be joined to the clause before it"


def _does_not_fit(thing: Thing, world: World) -> str:
    """Where the story has the thing, if it has said so."""
    if thing not in world.where:
        return f"the {thing} does not fit here"
    way, noun = world.where[thing]
    if way == "held":
        return f"{noun} has the {thing}, which does not fit"
    place = " ".join(lex.located((way, noun)).english)
    return f"the {thing} {'are' if lex.THINGS[thing.noun].plural else 'is'} {place}, which does not fit"


def _explain(error: Inconsistent, world: World) -> str:
    """Say in words what the world does not offer."""
    key, value = error.key, error.value
    said = (
        " ".join(word for word in (value.trait, value.colour, value.noun) if word)
        if hasattr(value, "noun")
        else value
    )
    if key == "unknown":
        return f"the story knows no {said}"
    if key == "ambiguous":
        return f"the story knows more than one {said}"
    if key == "event":
        return f"'{value.replace('_', ' ')}' cannot happen: {_why_not(value, error.who, world)}"
    if key == "pronoun":
        if value:
            return f"'{value}' is not clear here"
        return "a pronoun is needed here"
    name = key.rstrip("0123456789")
    if name == "thing":
        return _does_not_fit(value, world)
    if name in ("name", "person"):
        return f"{value} cannot take part in this here"
    if name == "where":
        return "the relative clause does not tell where the thing is"
    if name == "say_colour":
        return "the colour must be said, or must not be said, here"
    if name == "colour":
        return f"there is already a {value} one, or this Town has no such colour"
    return _PROBLEMS.get(name, f"{name} {said!r} does not fit the story")


def score(
    text: str | tuple[str, ...] | list[str], language: str = "english", grammar: Grammar = TOWN
) -> Score:
    """Read a story back and say whether it is valid, consistent, and how likely.

    Args:
        text: a text, or its tokens (lower case). Capitals in a text do not matter.
        language: "english" or "french".
        grammar: the world it should come from.
    Returns:
        a `Score`; `log_prob` is the story's own for each text that `stories` can tell, else minus infinity.
    Raises:
        ValueError: for an unknown language.
    """
    try:
        story = _read(text, language, grammar)
    except _Problem as problem:
        return Score(
            problem.valid, False if problem.valid else None, -math.inf, str(problem), problem.position
        )
    return Score(True, True, story.log_prob, None, None)


def read(
    text: str | tuple[str, ...] | list[str], language: str = "english", grammar: Grammar = TOWN
) -> Story:
    """Read a text as a story: its translation, alignment, coreference, final state and questions.

    Raises:
        ValueError: if the text is not a valid and consistent story; the message is that of `score`.
    """
    try:
        return _read(text, language, grammar)
    except _Problem as problem:
        raise ValueError(f"text is not a story of Tiny Town: {problem}") from None


# ---------------------------------------------------------------- questions


def _questions(state: dict) -> Iterator[Question]:
    """Ask about every person and every thing of a final state."""
    people, things = state["people"], state["things"]
    named = {}  # thing -> the words that mean it and nothing else: the red ball
    for thing in things:
        *_, colour, noun = thing.split()
        named[thing] = ("the", colour, noun)
    nouns = [thing.split()[-1] for thing in things]

    for name, place in people.items():
        if place:
            yield Question(("where", "is", name, "?"), lex.located(("at", place)).english)
            yield Question(("is", name, *lex.located(("at", place)).english, "?"), ("yes",))
            other = next((p for p in people.values() if p and p != place), None) or next(
                p for p in lex.PLACES if p != place
            )
            yield Question(("is", name, *lex.located(("at", other)).english, "?"), ("no",))
    for thing, where in things.items():
        words = named[thing]
        plural = lex.THINGS[words[-1]].plural
        be = "are" if plural else "is"
        holder = where[1] if where[0] == "held" else None
        yield Question(
            ("where", be, *words, "?"),
            (holder, "has", "them" if plural else "it") if holder else lex.located(where).english,
        )
        yield Question(("who", "has", *words, "?"), (holder or "nobody",))
        if nouns.count(words[-1]) == 1:
            yield Question(("what", "colour", be, "the", words[-1], "?"), (words[1],))
        for name in people:
            yield Question(("does", name, "have", *words, "?"), ("yes" if name == holder else "no",))
    for name in people:
        held = [named[thing] for thing, where in things.items() if where == ("held", name)]
        yield Question(("how", "many", "things", "does", name, "have", "?"), (_COUNT[len(held)],))


QUESTION_WORDS = (
    "?", "where", "who", "what", "colour", "does", "have", "how", "many", "things", "them", "nobody", "yes",
    "no", *_COUNT,
)  # fmt: skip


def vocabulary(language: str, questions: bool = False) -> list[str]:
    """Every token that stories and sentence pairs can contain, sorted.

    Args:
        language: "english" or "french".
        questions: add the words of the (English) questions and answers.
    """
    _check_language(language)
    words = {word for entries in all_phrases().values() for p, _ in entries for word in getattr(p, language)}
    return sorted(words | set(QUESTION_WORDS)) if questions and language == "english" else sorted(words)
