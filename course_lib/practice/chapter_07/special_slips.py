"""07.special: two slips at once."""

from course_lib.practice.chapter_07.two_slips import slips


def longest(found):
    return max(found, key=len)


def make(
    choose=longest,
    piece=lambda part: [part],
    tail=True,
    head=True,
    text_first=True,
    back=0,
    moves=True,
    ids_of=dict,
    id_kept=True,
    most=10**9,
    spelled=False,
    text_of=lambda text: text,
    between=True,
    done=lambda ids: ids,
):
    """Going through the text from left to right; each part of it can be exchanged."""

    def way(text, special, encode):
        text, ids, start, i, times = text_of(text), [], 0, 0, {}
        known = ids_of(special)

        def put(part):
            return [one for some in piece(part) for one in encode(some)]

        while i < len(text):
            found = [name for name in known if text.startswith(name, i) and times.get(name, 0) < most]
            if not found:
                i += 1
                continue
            name = choose(found)
            times[name] = times.get(name, 0) + 1
            end = i + len(name)
            said = put(text[start : end if spelled else i])
            said = said if between and (head or sum(times.values()) > 1) else []
            marker = [known[name]] if id_kept else []
            ids += said + marker if text_first else marker + said
            if end + back == i:
                raise RuntimeError("it never gets on")
            i = end + back
            start = i if moves else start
        return done(ids + (put(text[start:]) if tail and (between or not times) else []))

    return way


PARTS = {
    "shortest": {"choose": lambda found: min(found, key=len)},
    "first-in-the-dict": {"choose": lambda found: found[0]},
    "last-in-the-dict": {"choose": lambda found: found[-1]},
    "stripped": (
        {"piece": lambda part: [part.strip()]},
        {"piece": lambda part: [part.lstrip()]},
        {"piece": lambda part: [part.rstrip()]},
        {"piece": lambda part: [part.strip(" ")]},
    ),
    "whitespace-dropped": {"piece": lambda part: [part] if part.strip() else []},
    "letters-apart": {"piece": list},
    "words-apart": ({"piece": str.split}, {"piece": lambda part: part.split(" ")}),
    "small-letters": {"piece": lambda part: [part.lower()]},
    "tail-lost": {"tail": False},
    "head-lost": {"head": False},
    "text-lost": {"between": False},
    "id-before-its-text": {"text_first": False},
    "one-sign-more": {"back": 1},
    "one-sign-less": {"back": -1},
    "text-repeated": {"moves": False},
    "id-missing": {"id_kept": False},
    "spelling-encoded": {"spelled": True},
    "once-only": {"most": 1},
    "id-as-truth": {"ids_of": lambda special: {name: i for name, i in special.items() if i}},
    "whole-text-stripped": {"text_of": str.strip},
    "sorted": {"done": sorted},
}

TOLD = """
shortest
    Of the special tokens that begin at a place you take the shortest: the longest counts.
first-in-the-dict
    Of the special tokens that begin at a place you take the first in the dict: the longest counts.
last-in-the-dict
    Of the special tokens that begin at a place you take the last in the dict: the longest counts.
stripped
    White space at the ends of a piece is taken off: give each piece to `encode` as it is.
whitespace-dropped
    A piece of white space alone is left out: it is text like all other.
letters-apart
    The text is given to `encode` in single letters: give each piece whole.
words-apart
    The text is cut at its spaces, and they are lost: give each piece to `encode` whole.
small-letters
    The letters of the text are made small: give it to `encode` as it is.
tail-lost
    The text after the last special token is never encoded (and a text without special tokens not at all):
    when the loop has ended, encode what is still waiting.
head-lost
    The text before the first special token is lost: it goes through `encode`, too.
text-lost
    The text beside special tokens is lost: each piece goes through `encode`.
id-before-its-text
    The id of a special token is put in before the text that stands in front of it: first the piece, then the
    id.
one-sign-more
    After a special token you go on one sign too far, so one is lost: go on at `i + len(name)`.
one-sign-less
    After a special token you go on one sign too early, so its last sign is read again: go on at
    `i + len(name)`.
text-repeated
    What was encoded is encoded again: the next piece begins after the special token, so the waiting text must
    be emptied there.
id-missing
    The ids of the special tokens are missing: put in `special[name]`.
spelling-encoded
    The spelling of a special token is encoded as text as well: its id stands for the whole spelling.
once-only
    A special token that is spelled again is not found: every place counts.
id-as-truth
    A special token with the id 0 is not found: asked whether it is true, 0 says no.
whole-text-stripped
    White space at the ends of the whole text is taken off: it is text like all other.
sorted
    The ids are sorted: their order is that of the text.
"""


def two_slips():
    return slips(make, PARTS, TOLD)
