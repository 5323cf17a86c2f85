"""07.special: a text of one's own, in which special tokens may be spelled."""

import re

import torch

from course_lib.practice.chapter_07.chat_ids import bytes_of, twos_of
from course_lib.practice.chapter_07.special_slips import two_slips
from course_lib.practice.chapter_07.special_words import WORDS
from course_lib.practice.inputs import seeded
from course_lib.practice.kinds import Case, Exercise, Output
from course_lib.practice.words import advice, lines, misconceptions, prose


def encode_with_special(text, special, encode):
    ids, start, i = [], 0, 0  # text[start:i] is waiting to be encoded
    while i < len(text):
        found = [name for name in special if text.startswith(name, i)]
        if found:
            name = max(found, key=len)
            ids += [*encode(text[start:i]), special[name]]
            i = start = i + len(name)
        else:
            i += 1
    return ids + encode(text[start:])


def split_at(names=lambda special: sorted(special, key=len, reverse=True), quote=re.escape, flags=0):
    """The text is cut at the special tokens: which is tried first, and are their signs escaped?"""

    def way(text, special, encode):
        ids = []
        if not special:
            return encode(text)
        for part in re.split(f"({'|'.join(map(quote, names(special)))})", text, flags=flags):
            ids += [special[part]] if part in special else encode(part or "")
        return ids

    return way


def rest_read(text, special, encode, names, most=10**9):
    """Each name is cut out of the whole text before the next one is looked for."""
    parts = [text]
    for name in names:
        cut = []
        for part in parts:
            if isinstance(part, int):
                cut.append(part)
                continue
            pieces = part.split(name, most) if name in part else [part]
            for i, piece in enumerate(pieces):
                cut += [special[name]] * (i > 0) + [piece]
        parts = cut
    return [i for part in parts for i in ([part] if isinstance(part, int) else encode(part))]


def without_a_guard(text, special, encode):
    """With no names the pattern is empty, and it matches between all letters."""
    parts = re.split(f"({'|'.join(map(re.escape, sorted(special, key=len, reverse=True)))})", text)
    return [i for part in parts for i in ([special[part]] if part in special else encode(part))]


def tail_lost(text, special, encode):
    """A piece is encoded when a special token comes, and behind the last one none comes."""
    end = 0
    for i in range(len(text)):
        found = [name for name in special if text.startswith(name, i)]
        if i >= end and found:
            end = i + len(max(found, key=len))
    return encode_with_special(text[:end], special, encode)


def id_as_truth(text, special, encode):
    return encode_with_special(text, {name: i for name, i in special.items() if i}, encode)


def longest_first_anywhere(text, special, encode):
    return rest_read(text, special, encode, sorted(special, key=len, reverse=True))


def first_place(text, special, encode):
    return rest_read(text, special, encode, sorted(special, key=len, reverse=True), 1)


def one_by_one(text, special, encode):
    """The letters between are encoded each by itself."""
    return encode_with_special(text, special, lambda part: [i for letter in part for i in encode(letter)])


def specials_alone(text, special, encode):
    return encode_with_special(text, special, lambda part: [])


def specials_lost(text, special, encode):
    return [i for i in encode_with_special(text, special, encode) if i not in special.values()]


def specials_first(text, special, encode):
    ids = encode_with_special(text, special, encode)
    return sorted(ids, key=lambda i: i not in special.values())


def stripped(text, special, encode):
    return encode_with_special(text, special, lambda part: encode(part.strip()))


def by_words(text, special, encode):
    """A special token counts only where it stands between spaces."""
    return [
        i for part in re.split(r"(\s+)", text) for i in ([special[part]] if part in special else encode(part))
    ]


def shortest(special):
    return sorted(special, key=len)


WAYS = {
    "shortest-first": (split_at(shortest), lambda *args: rest_read(*args, shortest(args[1]))),
    "order-of-the-dict": (split_at(list), lambda *args: rest_read(*args, list(args[1]))),
    "longest-in-the-whole-text": longest_first_anywhere,
    "signs-not-escaped": split_at(quote=str),
    "first-place-only": first_place,
    "letters-apart": one_by_one,
    "empty-pattern": without_a_guard,
    "tail-lost": tail_lost,
    "id-as-truth": id_as_truth,
    "text-lost": specials_alone,
    "specials-as-text": lambda text, special, encode: encode(text),
    "specials-lost": specials_lost,
    "specials-in-front": specials_first,
    "stripped": stripped,
    "between-spaces-only": by_words,
    "capitals-ignored": lambda text, special, encode: encode_with_special(
        text.lower(), {name.lower(): i for name, i in special.items()}, encode
    ),
}

CHAT = {"<|end|>": 256, "<|user|>": 257}
NESTED = {"<a>": 500, "<a><b>": 501, "<b>": 502, "[EOS]": 503}
CROSSED = {"ab": 900, "bcd": 901, "a": 902}


def cases() -> list[Case]:
    return [
        Case("two markers in a text", ("<|user|>Hi there<|end|>", CHAT, bytes_of)),
        Case("a marker at two places", ("a <|end|> b<|end|>  c", CHAT, twos_of)),
        Case("white space beside special tokens", (" \n<|user|> <|end|>  é \n", CHAT, bytes_of)),
        Case("special tokens that begin alike", ("x<a><b>y<a>z<b>", NESTED, bytes_of)),
        Case("special tokens that overlap", ("abcd", CROSSED, bytes_of)),
        Case("the longer one in the dict first", ("<a><b><a>", dict(reversed(NESTED.items())), bytes_of)),
        Case("brackets", ("So [EOS] E[EOS]S|", NESTED, bytes_of)),
        Case("nearly a marker", ("<|End|> <|end| > A", CHAT, bytes_of)),
        Case("ids for two bytes at a time", ("one<|end|>two three", CHAT, twos_of)),
        Case("a text without special tokens", ("élan, 林", CHAT, twos_of)),
        Case("no special tokens", ("a <|end|>", {}, twos_of)),
        Case("a special token with the id 0", ("a[PAD]b", {"[PAD]": 0}, bytes_of)),
        Case("an empty text", ("", CHAT, bytes_of)),
    ]


def further() -> list[Case]:
    g = seeded(708)
    parts = ("<a>", "<b>", "<a><b>", "[EOS]", "ab", "bcd", "a", " ", "é", "|")
    made = []
    for special, encode in ((NESTED, bytes_of), (CROSSED, twos_of), (CROSSED, bytes_of)):
        for n in (1, 4, 9):
            some = torch.randint(0, len(parts), (n,), generator=g).tolist()
            made.append(Case("other texts", ("".join(parts[i] for i in some), special, encode)))
    return made


SPECIAL = Exercise(
    id="07.special",
    title="Special tokens in a text of your own",
    minutes=10,
    difficulty=3,
    statement=prose("""
        Write `encode_with_special(text, special, encode)` for texts of your own, such as templates. (It is
        not for what a user has typed.) `special` is a dict from the spelling of each special token to its id,
        and may be empty; no spelling is empty. `encode(text)` (another function than that
        of exercise 7.4) gives the ids of a text as a list, none of them special, and an empty list for an
        empty text.

        Return one list of ids. Go through the text from left to right. Where the spelling of a special token
        begins, its id stands for the whole spelling, and you go on after it; if several begin at the same
        place, the longest counts. The text between two special tokens, before the first and after the last
        goes through `encode`, each piece whole and as it is.
    """),
    inputs={"text": "a text", "special": "a dict: spelling → id", "encode": "a function"},
    outputs=(Output("ids", form="ids"),),
    reference=encode_with_special,
    cases=cases,
    further=further,
    two_slips=two_slips,
    hints=(
        prose("""
            `text.startswith(name, i)` asks whether a spelling begins at place i. Where does a piece of text
            begin, and when do you know that it has ended?
        """),
        lines("""
            start = i = 0
            while i is a place of the text:
                names = the spellings that begin at i
                if there are any:
                    take the longest; put in encode(text from start to i), then its id
                    start and i move after it
                else: i moves by one
            put in encode(text from start on)
        """),
    ),
    misconceptions=misconceptions(WORDS, WAYS),
    insight=prose("""
        With `re.split` and brackets round the pattern it is one line, if the spellings are escaped and the
        longest stands first. For a user's text there is another function, `encode` alone.
    """),
    advice=advice(r"""
re\.error|PatternError|nothing to repeat|unbalanced|unterminated
    A spelling is no regular expression: `re.escape(name)` makes each of its signs stand for itself.
max\(\) (arg|iterable)
    No special token begins there, and `max` of nothing is an error: ask first whether there is one.
KeyError
    That piece is no key of `special`: it is text, and goes through `encode`.
"""),
)
