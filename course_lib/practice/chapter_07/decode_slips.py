"""07.decode: two slips at once."""

from course_lib.practice.chapter_07.two_slips import slips


def in_utf_8(errors):
    return lambda raw: raw.decode("utf-8", errors)


replaced = in_utf_8("replace")


def to_the_break(raw):
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        return raw[: error.start].decode("utf-8")


def or_nothing(broken):
    def spell(raw):
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            return broken

    return spell


def whole(some, spell, between):
    return spell(between.join(some))


def each(some, spell, between):
    return between.decode().join(map(spell, some))


def whole_or_each(some, spell, between):
    """Token by token where the whole text cannot be read."""
    try:
        return between.join(some).decode("utf-8")
    except UnicodeDecodeError:
        return each(some, spell, between)


def make(
    ids_of=list,
    tokens_of=list,
    spell=replaced,
    join=whole,
    between=b"",
    done=lambda text: text,
):
    def way(ids, tokens):
        some = tokens_of([tokens[i] for i in ids_of(ids)])
        return done(join(some, spell, between))

    return way


# beside this slip few texts can be read, and another one would not be told from a third
OF_WHOLE_TEXTS = {"spell": replaced, "join": whole, "done": str, "tokens_of": list}

PARTS = {
    "token-by-token": {"join": each},
    "token-by-token-where-broken": {"join": whole_or_each},
    "broken-raises": {"spell": in_utf_8("strict")},
    "broken-left-out": {"spell": in_utf_8("ignore")},
    "broken-in-another-way": (
        {"spell": in_utf_8("backslashreplace")},
        {"spell": in_utf_8("surrogateescape")},
        {"done": lambda text: text.replace("\ufffd", "?")},
        {"done": lambda text: text.replace("\ufffd", " ")},
    ),
    "given-up": ({"spell": or_nothing("\ufffd")}, {"spell": or_nothing("")}, {"spell": or_nothing("?")}),
    "ends-at-the-break": {"spell": to_the_break},
    "latin-1": ({"spell": lambda raw: raw.decode("latin-1")}, {"spell": lambda raw: raw.decode("cp437")}),
    "ascii": (
        {"spell": lambda raw: raw.decode("ascii", "replace")},
        {"spell": lambda raw: raw.decode("ascii", "ignore"), "ids_of": list},
    ),
    "as-python-writes-it": ({"spell": str}, {"spell": lambda raw: str(raw)[2:-1]}),
    "spaces-between": {"between": b" "},
    "lines-between": {"between": b"\n"},
    "stripped": ({"done": str.strip}, {"done": str.lstrip}, {"done": str.rstrip}),
    "tokens-stripped": {"tokens_of": lambda some: [token.strip() for token in some]},
    "words-joined": {"done": lambda text: " ".join(text.split()), "between": b""},
    "each-id-once": (
        {"ids_of": lambda ids: list(dict.fromkeys(ids))},
        {"ids_of": lambda ids: sorted(set(ids))},
    ),
    "sorted": {"ids_of": sorted},
    "turned-round": {"ids_of": lambda ids: ids[::-1], "join": whole},
    "last-id-lost": {"ids_of": lambda ids: ids[:-1]},
    "first-id-lost": {"ids_of": lambda ids: ids[1:]},
    "one-id-off": (
        {"ids_of": lambda ids: [i - 1 for i in ids], **OF_WHOLE_TEXTS},
        {"ids_of": lambda ids: [i + 1 for i in ids], **OF_WHOLE_TEXTS},
    ),
    "token-by-token-left-out": {"join": each, "spell": in_utf_8("ignore")},
}

TOLD = """
token-by-token
    Each token is turned into letters by itself, and a letter may be cut into two tokens: put the bytes of all
    tokens side by side, then decode once.
token-by-token-left-out
    Each token is turned into letters by itself, and what is no whole letter there is left out: put the bytes
    of all tokens side by side, then decode once, with `errors="replace"`.
token-by-token-where-broken
    Where the text as a whole raises an error, you turn each token into letters by itself, and that tears
    whole letters apart: decode all bytes once, with `errors="replace"`.
broken-raises
    Bytes that are no whole letter raise an error: `errors="replace"` writes � for them.
broken-left-out
    Bytes that are no whole letter are left out: `errors="replace"` writes � for them.
broken-in-another-way
    What is no whole letter is written in another way than asked: `errors="replace"` writes � for it.
given-up
    Where a letter is broken, you give up all that is decoded with it: `errors="replace"` reads the other
    letters.
ends-at-the-break
    You stop at the first broken letter: `errors="replace"` writes � for it and reads on.
latin-1
    Every byte becomes a letter of its own, and é has two bytes, 林 three: decode as `"utf-8"`.
ascii
    ASCII knows the first 128 bytes only: decode as `"utf-8"`.
as-python-writes-it
    `str(…)` writes bytes as Python source, with \\x signs: `.decode("utf-8", errors="replace")` turns them
    into letters.
spaces-between
    You put a space between the tokens: where one belongs, a token holds it. Join with nothing.
lines-between
    You put a new line between the tokens: where one belongs, a token holds it. Join with nothing.
stripped
    White space at an end of the text is taken off: it belongs to the text.
tokens-stripped
    White space at the ends of each token is taken off: it belongs to the text.
words-joined
    White space becomes single spaces: it belongs to the text as it is.
each-id-once
    An id that comes again is written only once: ids may repeat.
sorted
    The ids are sorted: their order is that of the text.
turned-round
    The ids are read from the last to the first: their order is that of the text.
last-id-lost
    The last id is lost: each id of the list stands for a token.
first-id-lost
    The first id is lost: each id of the list stands for a token.
one-id-off
    You look one place beside the id in `tokens`: place 0 is the first one, and `tokens[i]` belongs to id i.
"""


def two_slips():
    return slips(make, PARTS, TOLD)
