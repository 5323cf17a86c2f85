"""07.decode: the bytes of the tokens side by side, then letters."""

from codecs import getincrementaldecoder

import torch

from course_lib.practice.chapter_07.decode_slips import two_slips
from course_lib.practice.inputs import seeded
from course_lib.practice.kinds import Case, Exercise, Output
from course_lib.practice.words import advice, lines, misconceptions, prose


def decode(ids, tokens):
    return b"".join(tokens[i] for i in ids).decode("utf-8", errors="replace")


def joined(finish):
    return lambda ids, tokens: finish(b"".join(tokens[i] for i in ids))


def each(finish, apart=""):
    return lambda ids, tokens: apart.join(finish(tokens[i]) for i in ids)


def with_errors(errors):
    return lambda token: token.decode("utf-8", errors)


def all_or(broken):
    """One broken letter, and the whole text is given up."""

    def finish(text):
        try:
            return text.decode("utf-8")
        except UnicodeDecodeError:
            return broken

    return joined(finish)


def stripped(text):
    return text.decode("utf-8", "replace").strip()


WAYS = {
    "token-by-token": (each(with_errors("replace")), each(with_errors("strict"))),
    "token-by-token-left-out": each(with_errors("ignore")),
    "broken-raises": joined(with_errors("strict")),
    "broken-left-out": joined(with_errors("ignore")),
    "broken-in-another-way": (
        joined(with_errors("backslashreplace")),
        joined(with_errors("surrogateescape")),
        joined(lambda text: text.decode("utf-8", "replace").replace("\ufffd", "?")),
    ),
    "all-or-nothing": tuple(map(all_or, ("\ufffd", "", "?"))),
    "latin-1": (joined(lambda text: text.decode("latin-1")), each(lambda token: token.decode("latin-1"))),
    "ascii": joined(lambda text: text.decode("ascii", "replace")),
    "as-python-writes-it": (joined(str), joined(lambda text: str(text)[2:-1]), each(str)),
    "spaces-between": (
        each(with_errors("replace"), apart=" "),
        lambda ids, tokens: b" ".join(tokens[i] for i in ids).decode("utf-8", "replace"),
    ),
    "stripped": tuple(map(joined, (stripped, lambda text: text.decode("utf-8", "replace").lstrip(" ")))),
    "end-not-said": joined(lambda text: getincrementaldecoder("utf-8")("replace").decode(text)),
    "ids-as-letters": lambda ids, tokens: "".join(map(chr, ids)),
    "each-id-once": lambda ids, tokens: decode(list(dict.fromkeys(ids)), tokens),
}

WORDS = """
token-by-token
    You turn each token into letters by itself. A token may hold a part of a letter only: é is two bytes, 林
    three, and their tokens may be cut in the middle. Put the bytes of all tokens side by side first, then
    decode once.
token-by-token-left-out
    You turn each token into letters by itself, and leave out what is no whole letter: so a letter that is cut
    into two tokens is lost. Put the bytes of all tokens side by side first, then decode once, with
    `errors="replace"`.
broken-raises
    Bytes that are no whole letter raise an error, and a model can write such bytes at any time: every text
    that is cut after a token may end in half a letter. `errors="replace"` writes � for them.
broken-left-out
    Bytes that are no whole letter vanish. Whoever reads the text must see that something was there:
    `errors="replace"` writes � for them.
broken-in-another-way
    What is no whole letter is not written as asked: `errors="replace"` writes � for it (U+FFFD, the sign that
    exists for this).
all-or-nothing
    Where one letter is broken, you give up the whole text. All other letters are there and must be read: with
    `errors="replace"` only the broken one becomes �.
latin-1
    You make one letter of every byte (as Latin-1 does). In UTF-8 only the first 128 bytes are letters by
    themselves: é is two bytes, 林 is three. Decode as `"utf-8"`.
ascii
    ASCII knows the first 128 bytes only, so every é is lost. Decode as `"utf-8"`.
as-python-writes-it
    `str(…)` writes bytes as Python source, with b'…' and \\x signs. `.decode("utf-8", errors="replace")`
    turns bytes into letters.
spaces-between
    You put a space between the tokens. Spaces are bytes like all others: where one belongs, a token holds it.
    Join with nothing.
stripped
    White space at an end of the text is lost. It belongs to the text: take nothing off.
end-not-said
    Half a letter at the end is lost: you decode piece by piece, and the decoder waits for the rest. Nothing
    more comes. Decode all bytes at once, or tell the decoder with `final=True`.
ids-as-letters
    You take the ids for letters. An id is a place in `tokens`: `tokens[i]` holds its bytes.
each-id-once
    An id that comes again is written only once. Ids have an order and may repeat: keep the list as it is.
"""

LETTERS = "é林👍"


def table(*more: bytes) -> list[bytes]:
    """The 256 bytes, the later half first, and some merged tokens: an id is no byte value."""
    return [bytes([byte]) for byte in (*range(128, 256), *range(128))] + list(more)


def ids_of(text: bytes, tokens: list[bytes]) -> list[int]:
    """One id a byte, or a merged token where it fits."""
    ids = []
    while text:
        token = max((t for t in tokens if text.startswith(t)), key=len)
        ids.append(tokens.index(token))
        text = text[len(token) :]
    return ids


def case(name: str, text: str | bytes, *more: bytes) -> Case:
    raw, tokens = text.encode() if isinstance(text, str) else text, table(*more)
    return Case(name, (ids_of(raw, tokens), tokens))


def cases() -> list[Case]:
    lin = LETTERS[1].encode()
    return [
        case("a text of plain letters", "the cat, the cat", b"th", b"the", b" the"),
        case("a letter of two bytes, each a token", "café!"),
        case("a letter that is cut into two tokens", "a林b", b"a" + lin[:1], lin[1:] + b"b"),
        case("an emoji of four bytes", "ok 👍 👍\n", "👍".encode()[:3], b" " + "👍".encode()[:2]),
        case("white space at both ends", "\n    return x\n", b"\n    ", b" return"),
        case("a space in front", " the cat", b" the"),
        case("a text that ends in half a letter", b"abc" + lin[:2]),
        case("bytes that belong to no letter", b"a\xffb\x80" + lin, lin[:2]),
        case("a token with a broken letter inside", b"\xc3\xa9 x  ab\xffc \n y ", b"\xc3\xa9", b"ab\xffc"),
        case("a token of half a letter alone", lin[1:], lin[1:]),
        case("no ids", ""),
    ]


def further() -> list[Case]:
    g = seeded(706)
    made = []
    for n in (1, 3, 8, 15):
        some = torch.randint(0, 6, (n,), generator=g).tolist()
        text = "".join(("é", "林", "👍", "a", " ", "x")[i] for i in some).encode()
        made += [case("other texts", text[cut:], "林".encode()[1:], b"a ") for cut in (0, 1)]
    return made


DECODE = Exercise(
    id="07.decode",
    title="Decode",
    minutes=6,
    difficulty=1,
    statement=prose("""
        Write `decode(ids, tokens)`. `tokens` is a list: at place i stand the bytes (a Python `bytes`) of the
        token with id i. `ids` is a list of ids, perhaps empty. Return the text (a `str`) that the tokens
        together spell in UTF-8. A token need not hold whole letters: a letter of several bytes can be cut
        into several tokens, and then it must come back whole. Bytes that belong to no whole letter of the
        text become �, as Python's `errors="replace"` writes them.
    """),
    inputs={"ids": "a list of ids", "tokens": "a list: id → bytes"},
    outputs=(Output("text", form="text"),),
    reference=decode,
    cases=cases,
    further=further,
    two_slips=two_slips,
    hints=(
        prose("""
            The letter 林 is three bytes. If two of them are in one token and the third in the next one, which
            of the two tokens can be decoded by itself?
        """),
        lines("""
            all = the bytes of tokens[i] for each id i, side by side   (b"".join joins bytes)
            return all, decoded as UTF-8 with errors="replace"
        """),
    ),
    misconceptions=misconceptions(WORDS, WAYS),
    insight=prose("""
        Every row of ids gives a text, whatever a model writes. And while a model writes, a letter may be half
        there: who shows the text token by token must wait for the rest.
    """),
    advice=advice(r"""
UnicodeDecodeError
    Some bytes there are no whole letter. Put the bytes of all tokens side by side first, and decode once;
    what is broken even then becomes � with `errors="replace"`.
expected str instance, bytes found
    `"".join` joins texts, and these are bytes: `b"".join(…)` joins them.
a bytes-like object is required|can only concatenate str|can't concat
    Bytes and texts cannot be joined. Begin with empty bytes, `b""`, and decode at the end.
bytes must be in range
    `bytes(ids)` takes the ids for bytes. An id is a place in `tokens`: `tokens[i]` holds its bytes.
indices must be integers
    `tokens[i]` needs one id at a time: go through `ids`.
"""),
)
