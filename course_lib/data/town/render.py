"""From decisions to words: a told sentence becomes phrases, and phrases become English, French and links."""

from __future__ import annotations

from . import lexicon as lex
from .lexicon import AND, COMMA, FEMALE, THINGS, Phrase
from .world import NAME, NEW_COLOUR, NEW_NOUN, NEW_TRAIT, PERSON, SAY_COLOUR, SAY_TRAIT, THING, WHERE

_FEMALE = frozenset(FEMALE)


def phrases(sentence: dict) -> tuple[list[Phrase], list[tuple[int, object]]]:
    """Write a told sentence as phrases.

    Args:
        sentence: the decisions, as `tell_sentence` leaves them.
    Returns:
        the phrases, and the pronouns: (number of the phrase, who or what is meant) for each.
    """
    out: list[Phrase] = []
    pronouns: list[tuple[int, object]] = []
    if sentence["time"]:
        out.append(lex.TIME[sentence["time"]])
    clauses = sentence["clauses"]
    _clause(clauses[0], out, pronouns)
    used = 1
    join = sentence["join"]
    if join:
        second: list[Phrase] = []
        marks: list[tuple[int, object]] = []
        _clause(clauses[1], second, marks)
        used = 2
        if join == "while":
            out.append(lex.WHILE_ELIDED if lex.elides(second[0].french[0]) else lex.WHILE)
        else:
            out.append(lex.THEN if join == "then" else lex.BUT)
        pronouns += [(position + len(out), meant) for position, meant in marks]
        out += second
    if sentence["reason"]:
        out.append(lex.BECAUSE)
        _clause(clauses[used], out, pronouns)
    out.append(lex.STOP)
    return out, pronouns


def write(parts: list[Phrase]) -> tuple[tuple[str, ...], tuple[str, ...], tuple[tuple[int, int], ...]]:
    """Put phrases together: the English tokens, the French tokens and the links between them."""
    english: list[str] = []
    french: list[str] = []
    links: list[tuple[int, int]] = []
    for part in parts:
        e, f = len(english), len(french)
        for i, j in part.links:
            links.append((i + e, j + f))
        english += part.english
        french += part.french
    return tuple(english), tuple(french), tuple(links)


def _listed(items: list[Phrase], out: list[Phrase], tails: list[Phrase | None] | None = None) -> None:
    """a, b and c; a tail is a relative clause that follows its item."""
    last = len(items) - 1
    for i, item in enumerate(items):
        if i:
            out.append(AND if i == last else COMMA)
        out.append(item)
        if tails and tails[i]:
            out.append(tails[i])


def _known(c: dict, out: list[Phrase]) -> None:
    """The known things of a clause, with their adjectives and relative clauses."""
    items, tails = [], []
    for i in range(c["things"]):
        thing = c[THING[i]]
        items.append(
            lex.the(
                thing.noun,
                thing.trait if c[SAY_TRAIT[i]] else None,
                thing.colour if c[SAY_COLOUR[i]] else None,
            )
        )
        where = c.get(WHERE[i])
        tails.append(lex.that_is(where, THINGS[thing.noun].plural) if where else None)
    _listed(items, out, tails)


def _new(c: dict, out: list[Phrase]) -> None:
    """The new things of a clause."""
    _listed([lex.a(c[NEW_NOUN[i]], c[NEW_TRAIT[i]], c[NEW_COLOUR[i]]) for i in range(c["new"])], out)


def _people(c: dict, out: list[Phrase]) -> None:
    """The other people of a clause."""
    _listed([lex.named(c[PERSON[i]]) for i in range(c["others"])], out)


def _clause(c: dict, out: list[Phrase], pronouns: list[tuple[int, object]]) -> None:
    """Write one clause."""
    kind = c["kind"]
    if kind == "weather":
        out.append(lex.weather(c["weather"]))
    elif kind == "there":
        out.append(lex.THERE_ARE if THINGS[c[NEW_NOUN[0]]].plural else lex.THERE_IS)
        _new(c, out)
        out.append(lex.located(c["spot"]))
    elif kind == "thing":
        _thing_clause(c, out, pronouns)
    else:
        _person_clause(c, out, pronouns)


def _thing_clause(c: dict, out: list[Phrase], pronouns: list[tuple[int, object]]) -> None:
    """The ball is near the bench; it is red."""
    thing = c["who"][0]
    noun = THINGS[thing.noun]
    if c["pronoun"]:
        pronouns.append((len(out), thing))
        out.append(lex.pronoun(c["pronoun"], noun.gender == "f"))
    else:
        _known(c, out)
    fact = c["fact"]
    out.append(lex.verb("be_not" if fact == "colour_not" else "be", noun.plural))
    out.append(lex.located(c["spot"]) if fact == "where" else lex.said(c["adjective"], thing.noun))


def _person_clause(c: dict, out: list[Phrase], pronouns: list[tuple[int, object]]) -> None:
    """Anna gives the red ball to Tom."""
    who = c["who"]
    if c["pronoun"]:
        pronouns.append((len(out), who))
        out.append(lex.pronoun(c["pronoun"], _FEMALE.issuperset(who)))
    else:
        _listed([lex.named(c[NAME[i]]) for i in range(c["people"])], out)
    event = c["event"]
    out.append(lex.verb("have" if event == "got" else event, len(who) > 1))
    if event == "go":
        if c["from"]:
            out.append(lex.from_place(c["from"]))
        out.append(lex.to_place(c["to"]))
        if c["with"]:
            out.append(lex.WITH)
            (_people if c["with"] == "people" else _known)(c, out)
        return
    if event in ("be", "be_not"):
        out.append(lex.located(("at", c["place"])))
        return
    if event == "got":
        _new(c, out)
        return
    if event == "see" and c["see"] == "people":
        _people(c, out)
    else:
        _known(c, out)
    if event == "put":
        out.append(lex.located(c["spot"]))
    elif event == "leave":
        out.append(lex.located(("at", c["place"])))
    elif event in ("give", "show"):
        out.append(lex.to_person(c[PERSON[0]]))
    elif event == "get":
        out.append(lex.from_person(c[PERSON[0]]))
    if c.get("at"):
        out.append(lex.located(("at", c["at"])))
