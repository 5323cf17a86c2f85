"""07.encode: the bytes of one word become tokens, by the order in which merges were learned."""

from course_lib.practice.chapter_07.encode_slips import two_slips
from course_lib.practice.chapter_07.encode_ways import SIGNS, WAYS, sizes
from course_lib.practice.chapter_07.encode_words import WORDS
from course_lib.practice.chapter_07.inputs_ways import random_word, random_words
from course_lib.practice.chapter_07.learn import learn
from course_lib.practice.inputs import seeded
from course_lib.practice.kinds import Case, Exercise, Output
from course_lib.practice.words import advice, lines, misconceptions, prose


def encode(ids, merges):
    for new, pair in enumerate(merges, 256):
        merged = []
        for token in ids:
            merged.append(token)
            if tuple(merged[-2:]) == pair:
                merged[-2:] = [new]
        ids = merged
    return ids


A, B, C, D = 97, 98, 99, 100  # the bytes of a, b, c, d


def cases() -> list[Case]:
    g = seeded(704)
    long = random_word(g, 300, high=100)
    return [
        Case("a word whose middle was learned first", ([A, B, C], [(B, C), (A, B)])),
        Case("a merge of merged tokens", ([A, B, C, D, A, B], [(A, B), (C, D), (256, 257)])),
        Case(
            "a longer token that began with a rarer pair",
            ([A, B, C, A, B, C, D], [(B, C), (A, B), (257, C), (C, D)]),
        ),
        Case("a run of five", ([A] * 5, [(A, A), (256, A)])),
        Case("a run of seven", ([A] * 7, [(A, A), (256, 256)])),
        Case("a pair that is frequent in this word", ([B, A, B, A, B, C, A], [(A, B), (B, A), (B, C)])),
        Case("an end that was learned early", ([D, A, B, C, D], [(C, D), (D, A), (A, B), (B, 256)])),
        Case("nothing to merge", ([C, B, A], [(A, B), (B, C)])),
        Case("no merges", ([A, B], [])),
        Case("one byte", ([A], [(A, A)])),
        Case("no byte", ([], [(A, B)])),
        Case("a word of 300 bytes", (long, learn({tuple(long[:150]): 1}, 20))),
    ]


def further() -> list[Case]:
    g = seeded(705)
    return [
        Case(
            "other words",
            (random_word(g, n, high=97 + letters), learn(random_words(g, 5, high=97 + letters), 8)),
        )
        for n in (0, 1, 3, 6, 12)
        for letters in (1, 2, 3, 4)
    ]


ENCODE = Exercise(
    id="07.encode",
    title="Encode a word",
    minutes=12,
    difficulty=3,
    statement=prose("""
        Write `encode(ids, merges)`. `ids` is a list of the byte values (0 to 255) of one word. `merges` is a
        list of pairs (left id, right id) in the order in which they were learned; the pair at place i,
        counted from 0, makes the token 256 + i, and its two ids are bytes or tokens of earlier merges. Return
        the list of the word's tokens: as long as two neighbours are a pair in `merges`, take of all such
        pairs in the word the one that was learned first, and merge it wherever it stands, from left to right.
        (In a run of three `a`, the first two are merged.) The word may be empty, and `merges` may be empty.
        Leave `ids` itself as it is.

        Words are up to 300 bytes long; all 12 inputs together, with at most 20 merges
        each, must take less than five seconds.
    """),
    inputs={"ids": "a list of byte values", "merges": "a list of pairs, the first learned first"},
    outputs=(Output("tokens", form="ids"),),
    reference=encode,
    cases=cases,
    further=further,
    two_slips=two_slips,
    hints=(
        prose("""
            The merges are (b, c), then (a, b). What becomes of `abc` if you repeat what learning did? Is
            anything lost if you go through the merges in their order, each of them once?
        """),
        lines("""
            for each pair in merges, in this order, with its new id 256, 257, …:
                merge the pair wherever it stands in the ids, from left to right
            return the ids
        """),
    ),
    misconceptions=misconceptions(WORDS, WAYS, {"fewer-tokens": sizes}, SIGNS),
    insight=prose("""
        Encoding repeats learning: each merge happens in the order in which it was learned. One walk through
        all merges is right, and so is asking each time for the earliest pair: a merge makes pairs only with
        its new token, and those were learned later. On a long list of merges the second is faster.
    """),
    advice=advice(r"""
is not in list
    `merges.index(pair)` raises an error for a pair that was never learned: ask `if pair in merges` first, or
    make a dict from each pair to its place.
unhashable
    A list cannot be looked up in a dict. Make it a tuple: `(ids[i], ids[i + 1])`.
IndexError with (\w+) ?= ?\1\[:|\w+\[\w+ ?: ?\w+ ?\+ ?[12]\] ?=|del |\.pop\(
    The list becomes shorter while your loop runs on to its old end. Build a new list, or use `while`, which
    asks for the length each time.
IndexError
    The last token has no right neighbour: look at the pair only where i + 1 is a place of the list.
(max|min)\(\) (arg|iterable)
    No pair is left that could be merged, and `min` of nothing is an error: stop before it.
"""),
)
