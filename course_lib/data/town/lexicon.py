"""The words of Tiny Town, and its phrases, in English and French.

A *phrase* says one thing in both languages at once:

    Phrase(english=("the", "small", "red", "ball"),
           french=("le", "petit", "ballon", "rouge"),
           links=((0, 0), (1, 1), (2, 3), (3, 2)))

`links` are the word alignments (English index, French index). All that is difficult about French lives
inside phrases: gender, number, adjectives after the noun, elision (l', d', qu', n'), contraction (au, aux,
du, des) and the two-part negation (ne ... pas). Phrases follow one another in the same order in both
languages, so a sentence is a list of phrases, and its alignment is the phrases' links, shifted.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple


class Phrase(NamedTuple):
    """The same few words in both languages, and which word answers which."""

    english: tuple[str, ...]
    french: tuple[str, ...]
    links: tuple[tuple[int, int], ...]


class Noun(NamedTuple):
    """A French noun with what its neighbours need to know."""

    french: str
    gender: str  # "m" or "f"
    plural: bool = False


# ---------------------------------------------------------------- words

FEMALE = ("anna", "emma", "alice", "clara", "julia", "nina")
MALE = ("tom", "leo", "paul", "max", "oscar", "adam")
NAMES = FEMALE + MALE
FRENCH_NAMES = {name: name for name in NAMES} | {"leo": "léo"}

THINGS = {
    "ball": Noun("ballon", "m"),
    "hat": Noun("chapeau", "m"),
    "book": Noun("livre", "m"),
    "bag": Noun("sac", "m"),
    "coat": Noun("manteau", "m"),
    "drum": Noun("tambour", "m"),
    "basket": Noun("panier", "m"),
    "accordion": Noun("accordéon", "m"),
    "key": Noun("clé", "f"),
    "cup": Noun("tasse", "f"),
    "lamp": Noun("lampe", "f"),
    "letter": Noun("lettre", "f"),
    "doll": Noun("poupée", "f"),
    "guitar": Noun("guitare", "f"),
    "scarf": Noun("écharpe", "f"),
    "harp": Noun("harpe", "f"),
    "gloves": Noun("gants", "m", True),
    "pencils": Noun("crayons", "m", True),
    "shoes": Noun("chaussures", "f", True),
    "flowers": Noun("fleurs", "f", True),
}

PLACES = {
    "park": Noun("parc", "m"),
    "school": Noun("école", "f"),
    "garden": Noun("jardin", "m"),
    "beach": Noun("plage", "f"),
    "station": Noun("gare", "f"),
    "library": Noun("bibliothèque", "f"),
    "market": Noun("marché", "m"),
    "hotel": Noun("hôtel", "m"),
    "farm": Noun("ferme", "f"),
    "fields": Noun("champs", "m", True),
}
IN_PLACES = ("park", "garden", "fields")  # "in the park", but "at the school"; French says "à" for all

SPOTS = {
    "bench": Noun("banc", "m"),
    "desk": Noun("bureau", "m"),
    "tree": Noun("arbre", "m"),
    "rocks": Noun("rochers", "m", True),
    "clock": Noun("horloge", "f"),
    "table": Noun("table", "f"),
    "fountain": Noun("fontaine", "f"),
    "bed": Noun("lit", "m"),
    "cart": Noun("charrette", "f"),
    "hedge": Noun("haie", "f"),
}
# Each place has one spot, and a thing can lie there in a few ways. (place, spot, ways)
GEOGRAPHY = (
    ("park", "bench", ("on", "under", "near", "behind")),
    ("school", "desk", ("on", "under", "near")),
    ("garden", "tree", ("under", "near", "behind")),
    ("beach", "rocks", ("on", "near", "behind")),
    ("station", "clock", ("under", "near")),
    ("library", "table", ("on", "under", "near")),
    ("market", "fountain", ("near", "behind")),
    ("hotel", "bed", ("on", "under", "near")),
    ("farm", "cart", ("in", "under", "near", "behind")),
    ("fields", "hedge", ("near", "behind")),
)
PLACE_OF_SPOT = {spot: place for place, spot, _ in GEOGRAPHY}
SPOTS_AT = {place: tuple((way, spot) for way in ways) for place, spot, ways in GEOGRAPHY}
WAYS = {"on": "sur", "under": "sous", "behind": "derrière", "in": "dans", "near": "près"}

# masculine, feminine, masculine plural, feminine plural
TRAITS = {  # these stand before the French noun
    "small": ("petit", "petite", "petits", "petites"),
    "big": ("grand", "grande", "grands", "grandes"),
    "old": ("vieux", "vieille", "vieux", "vieilles"),
    "pretty": ("joli", "jolie", "jolis", "jolies"),
}
COLOURS = {  # these stand after it, so the alignment crosses
    "red": ("rouge", "rouge", "rouges", "rouges"),
    "green": ("vert", "verte", "verts", "vertes"),
    "blue": ("bleu", "bleue", "bleus", "bleues"),
    "white": ("blanc", "blanche", "blancs", "blanches"),
    "black": ("noir", "noire", "noirs", "noires"),
    "yellow": ("jaune", "jaune", "jaunes", "jaunes"),
    "grey": ("gris", "grise", "gris", "grises"),
    "brown": ("marron", "marron", "marron", "marron"),
}

# English singular, English plural, French singular, French plural
VERBS = {
    "be": ("is", "are", "est", "sont"),
    "go": ("goes", "go", "va", "vont"),
    "take": ("takes", "take", "prend", "prennent"),
    "put": ("puts", "put", "met", "mettent"),
    "leave": ("leaves", "leave", "laisse", "laissent"),
    "give": ("gives", "give", "donne", "donnent"),
    "show": ("shows", "show", "montre", "montrent"),
    "get": ("gets", "get", "reçoit", "reçoivent"),
    "see": ("sees", "see", "voit", "voient"),
    "want": ("wants", "want", "veut", "veulent"),
    "like": ("likes", "like", "aime", "aiment"),
    "look": ("looks", "look", "cherche", "cherchent"),
    "have": ("has", "have", "a", "ont"),
    "hold": ("holds", "hold", "tient", "tiennent"),
}

WEATHERS = ("raining", "snowing", "cold", "warm", "sunny")
TIMES_FIRST = ("today", "this morning", "this evening")  # may open a story
TIMES_LATER = ("now", "later")  # may open any sentence after the first


def elides(french: str) -> bool:
    """Whether le, de, que and ne lose their vowel before this word: before hôtel they do, before haie not."""
    return french[0] in "aeiouéèêœ" or french in ("hôtel", "horloge")


def form(adjective: tuple[str, str, str, str], noun: Noun) -> str:
    """The form of a French adjective that agrees with a noun."""
    return adjective[(noun.gender == "f") + 2 * noun.plural]


# ---------------------------------------------------------------- phrases


def phrase(english: str, french: str, links: str = "") -> Phrase:
    """Write a phrase by hand: words separated by spaces, links as "0-0 1-2"; no links means word for word."""
    e, f = tuple(english.split()), tuple(french.split())
    if links:
        pairs = tuple(tuple(int(i) for i in link.split("-")) for link in links.split())
    else:
        pairs = tuple((i, i) for i in range(len(e)))
    return Phrase(e, f, pairs)


def _que(next_word: str) -> str:
    """que or qu'."""
    return "qu'" if elides(next_word) else "que"


def _article(noun: Noun, next_word: str) -> str:
    """le, la, l' or les."""
    if noun.plural:
        return "les"
    if elides(next_word):
        return "l'"
    return "la" if noun.gender == "f" else "le"


def _noun_phrase(noun: str, trait: str | None, colour: str | None, definite: bool) -> Phrase:
    """English: article trait colour noun. French: article trait noun colour."""
    n = THINGS[noun]
    english = [word for word in (trait, colour, noun) if word]
    french = [n.french]
    if trait:
        word = form(TRAITS[trait], n)
        if word == "vieux" and not n.plural and elides(n.french):
            word = "vieil"  # un vieil accordéon
        french.insert(0, word)
    if colour:
        french.append(form(COLOURS[colour], n))
    if definite:
        articles = "the", _article(n, french[0])
    elif n.plural:
        articles = "some", "de" if trait else "des"  # de petites fleurs rouges, des fleurs rouges
    else:
        articles = "an" if english[0][0] in "aeiou" else "a", "une" if n.gender == "f" else "un"
    links = [(0, 0)]
    if trait:
        links.append((1, 1))
    place = 1 + bool(trait)
    if colour:
        links += [(place, place + 1), (place + 1, place)]  # the crossing
    else:
        links.append((place, place))
    return Phrase((articles[0], *english), (articles[1], *french), tuple(links))


@cache
def the(noun: str, trait: str | None, colour: str | None) -> Phrase:
    """A thing that the story knows: the small red ball, le petit ballon rouge."""
    return _noun_phrase(noun, trait, colour, True)


@cache
def a(noun: str, trait: str | None, colour: str | None) -> Phrase:
    """A thing new to the story: a small red ball, un petit ballon rouge."""
    return _noun_phrase(noun, trait, colour, False)


def _with_article(english: str, french: str, english_noun: str, noun: Noun) -> Phrase:
    """A preposition, the article and a noun: à + le = au, à + les = aux, de + le = du, de + les = des."""
    article = _article(noun, noun.french)
    merged = {("à", "le"): "au", ("à", "les"): "aux", ("de", "le"): "du", ("de", "les"): "des"}.get(
        (french, article)
    )
    words = (english, "the", english_noun)
    if merged:
        return Phrase(words, (merged, noun.french), ((0, 0), (1, 0), (2, 1)))
    return Phrase(words, (french, article, noun.french), ((0, 0), (1, 1), (2, 2)))


@cache
def to_place(place: str) -> Phrase:
    """to the park, au parc."""
    return _with_article("to", "à", place, PLACES[place])


@cache
def from_place(place: str) -> Phrase:
    """from the park, du parc."""
    return _with_article("from", "de", place, PLACES[place])


@cache
def located(location: tuple[str, str]) -> Phrase:
    """("at", place) or (way, spot), in words: in the park, au parc; near the bench, près du banc."""
    way, noun = location
    if way == "at":
        return _with_article("in" if noun in IN_PLACES else "at", "à", noun, PLACES[noun])
    if way != "near":
        return _with_article(way, WAYS[way], noun, SPOTS[noun])
    rest = _with_article(way, "de", noun, SPOTS[noun])
    links = ((0, 0), *((e, f + 1) for e, f in rest.links))  # near answers both près and de
    return Phrase(rest.english, ("près", *rest.french), links)


@cache
def verb(event: str, plural: bool) -> Phrase:
    """The verb of an event; an event that ends in "_not" is negated: does not like, n'aime pas."""
    name, _, negated = event.partition("_")
    forms = VERBS[name]
    english, french = (forms[1], forms[3]) if plural else (forms[0], forms[2])
    if name == "look":
        return phrase(f"{english} for", french, "0-0 1-0")
    if not negated:
        return phrase(english, french)
    ne = "n'" if elides(french) else "ne"
    if name == "be":
        return phrase(f"{english} not", f"{ne} {french} pas", "0-1 1-0 1-2")
    do = "do" if plural else "does"
    return phrase(f"{do} not {forms[1]}", f"{ne} {french} pas", "0-0 1-0 1-2 2-1")


@cache
def said(adjective: str, noun: str) -> Phrase:
    """An adjective after "is": red, rouge, in agreement with the noun."""
    return Phrase((adjective,), (form((TRAITS | COLOURS)[adjective], THINGS[noun]),), ((0, 0),))


@cache
def named(name: str) -> Phrase:
    """A name: anna, anna; leo, léo."""
    return Phrase((name,), (FRENCH_NAMES[name],), ((0, 0),))


@cache
def to_person(name: str) -> Phrase:
    """to tom, à tom."""
    return phrase(f"to {name}", f"à {FRENCH_NAMES[name]}")


@cache
def from_person(name: str) -> Phrase:
    """from tom, de tom; from anna, d'anna."""
    return phrase(f"from {name}", f"d' {name}" if elides(name) else f"de {FRENCH_NAMES[name]}")


@cache
def that_is(location: tuple[str, str], plural: bool) -> Phrase:
    """The relative clause that tells a thing by where it is: that is near the bench, that anna holds."""
    way, noun = location
    if way == "held":
        name = FRENCH_NAMES[noun]
        return phrase(f"that {noun} holds", f"{_que(name)} {name} tient")
    where = located(location)
    return Phrase(
        ("that", "are" if plural else "is", *where.english),
        ("qui", "sont" if plural else "est", *where.french),
        ((0, 0), (1, 1), *((e + 2, f + 2) for e, f in where.links)),
    )


@cache
def pronoun(word: str, feminine: bool) -> Phrase:
    """he, she, it and they: French chooses by gender, for things too."""
    if word == "they":
        return phrase("they", "elles" if feminine else "ils")
    return phrase(word, "elle" if feminine else "il")


@cache
def weather(kind: str) -> Phrase:
    """it is raining, il pleut."""
    one_word = {"raining": "pleut", "snowing": "neige"}
    if kind in one_word:
        return phrase(f"it is {kind}", f"il {one_word[kind]}", "0-0 1-1 2-1")
    return phrase(f"it is {kind}", f"il fait {dict(cold='froid', warm='chaud', sunny='beau')[kind]}")


TIME = {
    "today": phrase("today ,", "aujourd'hui ,"),
    "this morning": phrase("this morning ,", "ce matin ,"),
    "this evening": phrase("this evening ,", "ce soir ,"),
    "now": phrase("now ,", "maintenant ,"),
    "later": phrase("later ,", "plus tard ,", "0-0 0-1 1-2"),
}
THERE_IS = phrase("there is", "il y a", "0-0 0-1 1-2")
THERE_ARE = phrase("there are", "il y a", "0-0 0-1 1-2")
WITH = phrase("with", "avec")
AND = phrase("and", "et")
COMMA = phrase(",", ",")
STOP = phrase(".", ".")
BECAUSE = phrase("because", "parce qu'", "0-0 0-1")  # always before il, elle, ils or elles
THEN = phrase(", then", ", puis")
BUT = phrase(", but", ", mais")
WHILE = phrase("while", "pendant que", "0-0 0-1")
WHILE_ELIDED = phrase("while", "pendant qu'", "0-0 0-1")  # pendant qu'anna
