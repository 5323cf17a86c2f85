"""From words back to decisions: one parser for both languages.

It reads phrases, not words: each kind of phrase (a known thing, a place, a verb ...) is kept in a tree of
words, and the parser takes the longest phrase of the kind it wants. So it is short, and knows no French.
Agreement is then checked by writing the sentence again: the text is right if it is exactly what we would
have written.
"""

from __future__ import annotations

from functools import cache

from . import lexicon as lex
from .lexicon import (
    COLOURS,
    FEMALE,
    NAMES,
    PLACE_OF_SPOT,
    PLACES,
    SPOTS_AT,
    THINGS,
    TRAITS,
    VERBS,
    WEATHERS,
    Phrase,
)
from .render import phrases, write
from .world import (
    GROUP_EVENTS,
    NAME,
    NEW_COLOUR,
    NEW_NOUN,
    NEW_TRAIT,
    PERSON,
    PLACE_EVENTS,
    SAY_COLOUR,
    SAY_TRAIT,
    THING,
    WHERE,
    Described,
)

LONGEST_LIST = 3
NEGATED = ("be_not", "like_not", "have_not")
_SINGLE_EVENTS = tuple(event for event in VERBS if event not in ("hold", *GROUP_EVENTS))


def all_phrases() -> dict[str, list[tuple[Phrase, object]]]:
    """Every phrase of the language, by kind, each with its meaning."""
    locations = [("at", place) for place in PLACES] + [spot for spots in SPOTS_AT.values() for spot in spots]
    held = [("held", name) for name in NAMES]
    descriptions = [
        (noun, trait, colour) for noun in THINGS for trait in (None, *TRAITS) for colour in (None, *COLOURS)
    ]
    events = [*(e for e in VERBS if e != "hold"), *NEGATED]
    return {
        "a time": [(p, time) for time, p in lex.TIME.items()],
        "the weather": [(lex.weather(kind), kind) for kind in WEATHERS],
        "there is": [(lex.THERE_IS, "there"), (lex.THERE_ARE, "there")],
        "a name": [(lex.named(name), name) for name in NAMES],
        "a pronoun": [
            (lex.pronoun(word, feminine), (word, feminine))
            for word in ("he", "she", "it", "they")
            for feminine in {"he": (False,), "she": (True,)}.get(word, (False, True))
        ],
        "a verb": [
            (lex.verb(event, plural), event)
            for event in events
            for plural in ((False,) if event in _SINGLE_EVENTS or event == "have_not" else (False, True))
        ],
        "a known thing": [(lex.the(*d), Described(*d)) for d in descriptions],
        "a new thing": [(lex.a(*d), d) for d in descriptions if d[2]],
        "to a place": [(lex.to_place(place), place) for place in PLACES],
        "from a place": [(lex.from_place(place), place) for place in PLACES],
        "a location": [(lex.located(location), location) for location in locations],
        "to a person": [(lex.to_person(name), name) for name in NAMES],
        "from a person": [(lex.from_person(name), name) for name in NAMES],
        "a relative clause": [
            (lex.that_is(location, plural), location)
            for location in locations + held
            for plural in (False, True)
        ],
        "an adjective": [(lex.said(word, noun), word) for word in TRAITS | COLOURS for noun in THINGS],
        "'with'": [(lex.WITH, True)],
        "'and'": [(lex.AND, True)],
        "a comma": [(lex.COMMA, True)],
        "a full stop": [(lex.STOP, True)],
        "'because'": [(lex.BECAUSE, True)],
        "a second clause": [
            (lex.THEN, "then"), (lex.BUT, "but"), (lex.WHILE, "while"), (lex.WHILE_ELIDED, "while"),
        ],
    }  # fmt: skip


@cache
def _trees(language: str) -> dict[str, dict]:
    """For each kind of phrase, a tree of words; the meanings of a whole phrase stand under the key None."""
    trees: dict[str, dict] = {}
    for kind, entries in all_phrases().items():
        root = trees[kind] = {}
        for p, meaning in entries:
            node = root
            for word in getattr(p, language):
                node = node.setdefault(word, {})
            meanings = node.setdefault(None, [])
            if meaning not in meanings:
                meanings.append(meaning)
    return trees


class Invalid(Exception):
    """The text is not a sentence of the Town."""

    def __init__(self, position: int, message: str) -> None:
        super().__init__(message)
        self.position, self.message = position, message


class _Reader:
    """A place in the tokens, and what was wanted where reading got furthest."""

    def __init__(self, tokens: tuple[str, ...], language: str) -> None:
        self.tokens, self.trees, self.at = tokens, _trees(language), 0
        self.furthest, self.wanted = 0, {}

    def accept(self, kind: str) -> list | None:
        """Take the longest phrase of this kind; return its meanings, or None and stay."""
        node, i, found, end = self.trees[kind], self.at, None, self.at
        while i < len(self.tokens) and self.tokens[i] in node:
            node = node[self.tokens[i]]
            i += 1
            if None in node:
                found, end = node[None], i
        stop = i if found is None else end
        if found is None or i > end:
            if i > self.furthest:
                self.furthest, self.wanted = i, {}
            if i == self.furthest:
                self.wanted[kind] = sorted(word for word in node if word) if i > self.at else []
        if found is None:
            return None
        if stop > self.furthest:
            self.furthest, self.wanted = stop, {}
        self.at = stop
        return found

    def need(self, *kinds: str) -> tuple[str, list]:
        """Take a phrase of the first kind that fits, or fail with a message."""
        for kind in kinds:
            found = self.accept(kind)
            if found:
                return kind, found
        self.fail()

    def fail(self) -> None:
        """Say what was found and what was wanted at the furthest place that was reached."""
        at = self.furthest
        word = f"'{self.tokens[at]}'" if at < len(self.tokens) else "the end of the text"
        wanted = [
            f"{kind} ({', '.join(words[:6])}{', ...' if len(words) > 6 else ''})" if words else kind
            for kind, words in self.wanted.items()
        ]
        raise Invalid(at, f"found {word}, expected {' or '.join(wanted) or 'something else'}")

    def items(self, *kinds: str) -> list:
        """Read "x", "x and x" or "x, x and x"; return the first meaning of each."""
        found = [self.need(*kinds)[1][0]]
        while True:
            before = self.at
            if self.accept("'and'"):
                joined = True
            elif self.accept("a comma"):
                joined = False
            else:
                return found
            more = next((m for kind in kinds if (m := self.accept(kind))), None)
            if not more:
                self.at = before
                return found
            if len(found) == LONGEST_LIST:
                raise Invalid(before, f"a list has at most {LONGEST_LIST} items")
            found.append(more[0])
            if joined:
                return found


def parse_sentence(tokens: tuple[str, ...], language: str) -> dict:
    """Read one sentence, full stop included, as the decisions that `tell_sentence` would have made.

    Args:
        tokens: lower case words and punctuation.
        language: "english" or "french".
    Returns:
        the decisions; things are still descriptions, and pronouns stand for nobody yet.
    Raises:
        Invalid: at the first word that does not fit.
    """
    reader = _Reader(tokens, language)
    sentence = {"time": "", "join": "", "reason": "", "clauses": []}
    sentence["time"] = (reader.accept("a time") or [""])[0]
    clauses = sentence["clauses"]
    clauses.append(_clause(reader))
    if clauses[0]["kind"] == "person":
        start = reader.at
        join = reader.accept("a second clause")
        if join:
            sentence["join"] = join[0]
            second = _clause(reader, "a pronoun", "a name")
            if second["kind"] != "person":
                raise Invalid(start, "a second clause must be about people")
            if (join[0] == "but") != (second["event"] in NEGATED):
                raise Invalid(start, "'but' goes with 'not', the other joining words do not")
            clauses.append(second)
    start = reader.at
    if reader.accept("'because'"):
        reason = _clause(reader, "the weather", "a pronoun")
        sentence["reason"] = {"weather": "weather", "thing": "look", "person": "want"}[reason["kind"]]
        if reason["kind"] == "person" and reason["event"] != "want":
            raise Invalid(start, "people's only reason is what they want")
        if reason["kind"] == "thing" and reason["fact"] not in ("colour", "trait"):
            raise Invalid(start, "a thing's only reason is what it is like")
        clauses.append(reason)
    reader.need("a full stop")
    if reader.at < len(tokens):
        raise Invalid(reader.at, f"found '{tokens[reader.at]}' after the end of a sentence")
    _check_agreement(tokens, sentence, language)
    return sentence


def _check_agreement(tokens: tuple[str, ...], sentence: dict, language: str) -> None:
    """Write the sentence again and compare."""
    again = write(phrases(sentence)[0])[language == "french"]
    for i, (found, expected) in enumerate(zip(tokens, again, strict=False)):
        if found != expected:
            raise Invalid(i, f"found '{found}', expected '{expected}' to agree with the words around it")
    if len(tokens) != len(again):
        raise Invalid(min(len(tokens), len(again)), "a word too many or too few")


def _clause(r: _Reader, *starts: str) -> dict:
    """One clause, starting with one of these kinds of phrase."""
    kind, found = r.need(*(starts or ("the weather", "there is", "a known thing", "a pronoun", "a name")))
    if kind == "the weather":
        return {"kind": "weather", "weather": found[0]}
    if kind == "there is":
        c = {"kind": "there"}
        _new(r, c)
        start = r.at
        c["spot"] = r.need("a location")[1][0]
        if c["spot"][0] == "at":
            raise Invalid(start, "found a place, expected a spot such as 'near the bench'")
        c["at"] = PLACE_OF_SPOT[c["spot"][1]]
        return c
    if kind == "a known thing":
        c = {"kind": "thing", "pronoun": "", "things": 1}
        _describe(c, 0, found[0])
        c["who"] = (found[0],)
        return _is(r, c)
    if kind == "a pronoun":
        return _after_pronoun(r, found)
    r.at -= 1  # a name is one word: read it again as the start of a list
    names = r.items("a name")
    c = {"kind": "person", "pronoun": "", "people": len(names), "who": tuple(names)}
    c.update(zip(NAME, names, strict=False))
    return _does(r, c)


def _after_pronoun(r: _Reader, found: list) -> dict:
    """he goes; it is red; "il" may be either: what follows decides."""
    start = r.at
    thing = next((m for m in found if m[0] in ("it", "they")), None)
    if thing and r.accept("a verb") in (["be"], ["be_not"]):
        location = r.accept("a location")
        if r.accept("an adjective") or (location and location[0][0] != "at"):
            r.at = start
            noun = {(0, 0): "ball", (0, 1): "key", (1, 0): "gloves", (1, 1): "shoes"}[
                thing[0] == "they", thing[1]
            ]
            stand_in = Described(noun, None, None)  # any noun of that gender and number
            return _is(r, {"kind": "thing", "pronoun": thing[0], "things": 0, "who": (stand_in,)})
    r.at = start
    person = next((m for m in found if m[0] != "it"), None)
    if not person:  # only "it" fits: a thing is something or somewhere, and does nothing
        r.need("a verb")
        r.need("an adjective")
        raise Invalid(start, f"found '{r.tokens[start]}', expected 'is' or 'are': things do nothing")
    word, feminine = person
    feminine = feminine or word == "she"
    stand_ins = FEMALE[:2] if feminine else lex.MALE[:2]
    return _does(
        r, {"kind": "person", "pronoun": word, "who": stand_ins if word == "they" else stand_ins[:1]}
    )


def _is(r: _Reader, c: dict) -> dict:
    """The rest of a clause about a thing."""
    start = r.at
    (event,) = r.need("a verb")[1]
    if event not in ("be", "be_not"):
        raise Invalid(start, f"found '{r.tokens[start]}', expected 'is' or 'are': things do nothing")
    start = r.at
    kind, (meaning, *_) = r.need("an adjective", "a location") if event == "be" else r.need("an adjective")
    if kind == "a location":
        c["fact"], c["spot"] = "where", meaning
    else:
        c["fact"] = ("colour" if meaning in COLOURS else "trait") + ("_not" if event == "be_not" else "")
        c["adjective"] = meaning
        if c["fact"] == "trait_not":
            raise Invalid(start, f"found '{r.tokens[start]}', expected a colour after 'not'")
    return c


def _describe(c: dict, i: int, said: Described) -> None:
    """Enter what is said about the thing number i."""
    c[THING[i]] = said
    c[SAY_TRAIT[i]], c[SAY_COLOUR[i]] = said.trait is not None, said.colour is not None


def _known(r: _Reader, c: dict) -> None:
    """A list of known things, each with or without a relative clause."""
    i = 0
    last = False
    while True:
        _describe(c, i, r.need("a known thing")[1][0])
        where = r.accept("a relative clause")
        c[WHERE[i]] = where[0] if where else None
        i += 1
        c["things"] = i
        before = r.at
        if last:
            return
        last = bool(r.accept("'and'"))
        if not last and not r.accept("a comma"):
            return
        start = r.at
        if not r.accept("a known thing"):
            r.at = before
            return
        r.at = start
        if i == LONGEST_LIST:
            raise Invalid(before, f"a list has at most {LONGEST_LIST} items")


def _new(r: _Reader, c: dict) -> None:
    """A list of new things."""
    things = r.items("a new thing")
    c["new"] = len(things)
    for i, (noun, trait, colour) in enumerate(things):
        c[NEW_NOUN[i]], c[NEW_TRAIT[i]], c[NEW_COLOUR[i]] = noun, trait, colour


def _others(c: dict, names: list[str]) -> None:
    """Enter the other people of a clause."""
    c["others"] = len(names)
    c.update(zip(PERSON, names, strict=False))


def _does(r: _Reader, c: dict) -> dict:
    """The rest of a clause about people."""
    start = r.at
    (event,) = r.need("a verb")[1]
    if len(c["who"]) > 1 and event not in GROUP_EVENTS:
        raise Invalid(start, f"found '{r.tokens[start]}', which only one person at a time can do")
    c["event"] = event
    if event == "go":
        c["from"] = (r.accept("from a place") or [None])[0]
        c["to"] = r.need("to a place")[1][0]
        c["with"] = ""
        if r.accept("'with'"):
            c["with"] = "things" if _starts(r, "a known thing") else "people"
            if c["with"] == "things":
                _known(r, c)
            else:
                _others(c, r.items("a name"))
        return c
    if event in ("be", "be_not"):
        start = r.at
        way, c["place"] = r.need("a location")[1][0]
        if way != "at":
            raise Invalid(start, "found a spot, expected a place: people are at places")
        return c
    if event == "have" and _starts(r, "a new thing"):
        c["event"] = "got"
        _new(r, c)
        return c
    if event == "see":
        c["see"] = "things" if _starts(r, "a known thing") else "people"
    if c.get("see") == "people":
        _others(c, r.items("a name"))
    else:
        _known(r, c)
    start = r.at
    if event == "put":
        c["spot"] = r.need("a location")[1][0]
        if c["spot"][0] == "at":
            raise Invalid(start, "found a place, expected a spot such as 'near the bench'")
    elif event == "leave":
        way, c["place"] = r.need("a location")[1][0]
        if way != "at":
            raise Invalid(start, "found a spot, expected a place such as 'at the beach'")
    elif event in ("give", "show"):
        _others(c, r.need("to a person")[1])
    elif event == "get":
        _others(c, r.need("from a person")[1])
    if event in PLACE_EVENTS:
        start = r.at
        location = r.accept("a location")
        c["at"] = location[0][1] if location else None
        if location and location[0][0] != "at":
            raise Invalid(start, "found a spot, expected a place such as 'at the beach'")
    return c


def _starts(r: _Reader, kind: str) -> bool:
    """Whether a phrase of this kind comes next."""
    start = r.at
    found = r.accept(kind)
    r.at = start
    return bool(found)
