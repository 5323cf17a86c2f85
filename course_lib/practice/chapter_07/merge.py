"""07.merge: one token in the place of two neighbours."""

from course_lib.practice.chapter_07.inputs_ways import random_word
from course_lib.practice.chapter_07.merge_slips import two_slips
from course_lib.practice.chapter_07.merge_words import WORDS
from course_lib.practice.inputs import seeded
from course_lib.practice.kinds import Case, Exercise, Output
from course_lib.practice.words import advice, lines, misconceptions, prose


def merge(ids, pair, new):
    merged = []
    i = 0
    while i < len(ids):
        if i + 1 < len(ids) and (ids[i], ids[i + 1]) == pair:
            merged.append(new)
            i += 2
        else:
            merged.append(ids[i])
            i += 1
    return merged


def scanned(write=lambda pair, new: [new], skip=2, order=lambda pair: (pair,), stop=0, most=10**9):
    """From left to right; what is written, how far it goes on, which pairs are meant, how many merges."""

    def way(ids, pair, new):
        merged, i, done = [], 0, 0
        while i < len(ids) - stop:
            if i + 1 < len(ids) and (ids[i], ids[i + 1]) in order(pair) and done < most:
                merged += write(pair, new)
                i += skip
                done += 1
            else:
                merged.append(ids[i])
                i += 1
        return merged

    return way


def from_the_right(ids, pair, new):
    return scanned()(ids[::-1], pair[::-1], new)[::-1]


def last_only(ids, pair, new):
    return scanned(most=1)(ids[::-1], pair[::-1], new)[::-1]


def tail_lost(ids, pair, new):
    """The loop ends before the last token, which is not written where it belongs to no pair."""
    return scanned(stop=1)(ids, pair, new)


def even_places(ids, pair, new):
    merged = []
    for i in range(0, len(ids), 2):
        two = ids[i : i + 2]
        merged += [new] if tuple(two) == pair else two
    return merged


def each_of_the_two(ids, pair, new):
    return [new if token in pair else token for token in ids]


def as_text(apart):
    def way(ids, pair, new):
        text = apart.join(map(str, ids)).replace(apart.join(map(str, pair)), str(new))
        return [int(token) for token in text.split(apart)] if text else []

    return way


def as_text_to_the_border(ids, pair, new):
    """As text, with a space behind each id: the right id is whole, the left one need not be."""
    text = "".join(f"{token} " for token in ids).replace(f"{pair[0]} {pair[1]} ", f"{new} ")
    return [int(token) for token in text.split()]


def used_again(ids, pair, new):
    """Neighbours of the old row: the right token of one merge is the left one of the next."""
    merged = []
    for i, token in enumerate(ids):
        if i and (ids[i - 1], token) == pair:
            merged[-1] = new
        else:
            merged.append(token)
    return merged


def else_missing(ids, pair, new):
    """After a merge the next token is written without being looked at."""
    merged, i = [], 0
    while i < len(ids):
        if i + 1 < len(ids) and (ids[i], ids[i + 1]) == pair:
            merged.append(new)
            i += 2
        merged.append(ids[i])
        i += 1
    return merged


def last_token_always(ids, pair, new):
    return [*tail_lost(ids, pair, new), ids[-1]]


def last_token_always_guarded(ids, pair, new):
    return last_token_always(ids, pair, new) if ids else []


def new_is_a_left_token(ids, pair, new):
    """The merged token counts as its left half again: (a, b) meets b b, and all become one."""
    merged = []
    for token in ids:
        if merged and token == pair[1] and merged[-1] in (pair[0], new):
            merged[-1] = new
        else:
            merged.append(token)
    return merged


WAYS = {
    "not-skipped": scanned(skip=1),
    "first-only": scanned(most=1),
    "last-only": last_only,
    "from-the-right": from_the_right,
    "both-orders": scanned(order=lambda pair: (pair, pair[::-1])),
    "turned-round": scanned(order=lambda pair: (pair[::-1],)),
    "pair-kept": (
        scanned(write=lambda pair, new: [*pair, new]),
        scanned(write=lambda pair, new: [new, *pair]),
        scanned(write=lambda pair, new: [pair[0], new]),
    ),
    "pair-removed": scanned(write=lambda pair, new: []),
    "once-too-far": scanned(skip=3),
    "last-token-lost": tail_lost,
    "else-missing": else_missing,
    "last-token-twice": (last_token_always, last_token_always_guarded),
    "even-places-only": even_places,
    "each-of-the-two": each_of_the_two,
    "as-text": (as_text(" "), as_text_to_the_border),
    "used-again": used_again,
    "swallowed": new_is_a_left_token,
    "nothing-merged": lambda ids, pair, new: list(ids),
}


def cases() -> list[Case]:
    return [
        Case("a pair that stands twice", ([5, 1, 2, 6, 1, 2, 7], (1, 2), 256)),
        Case("a run of three", ([7, 7, 7], (7, 7), 256)),
        Case("a run of six after another token", ([3, 7, 7, 7, 7, 7, 7, 4], (7, 7), 300)),
        Case("the two in the other order", ([2, 1, 1, 2, 2, 1], (1, 2), 256)),
        Case("each of the two beside itself", ([1, 1, 2, 2, 1, 1], (1, 2), 256)),
        Case("a merged token in the pair", ([256, 4, 4, 256, 4], (256, 4), 257)),
        Case("digits of the pair inside other ids", ([31, 25, 1, 2, 11, 2, 22], (1, 2), 256)),
        Case("the pair at the end", ([8, 9, 1, 2], (1, 2), 256)),
        Case("a pair that does not occur", ([8, 1, 9, 2], (1, 2), 256)),
        Case("one token", ([1], (1, 1), 256)),
        Case("no token", ([], (1, 2), 256)),
    ]


def further() -> list[Case]:
    g = seeded(702)
    return [
        Case("other rows", (random_word(g, n, 97, 97 + letters), pair, 256))
        for n in (0, 1, 2, 9, 14)
        for letters in (1, 2, 3)
        for pair in ((97, 97), (97, 98))
    ]


MERGE = Exercise(
    id="07.merge",
    title="Merge a pair",
    minutes=8,
    difficulty=2,
    statement=prose("""
        Write `merge(ids, pair, new)`. `ids` is a list of token ids, `pair` a tuple (left id, right id).
        Return a new list in which the id `new` stands in place of the pair wherever its two ids stand side by
        side, the left one first. Go from left to right; two ids that have been merged are used up: with the
        pair `(7, 7)`, the list `[7, 7, 7]` becomes `[new, 7]`. Everything else stays in its order. `new` is
        an id that occurs nowhere in `ids` or `pair`. The list may be empty; leave `ids` itself as it is.
    """),
    inputs={"ids": "a list of ids", "pair": "(left id, right id)", "new": "one id"},
    outputs=(Output("merged", form="ids"),),
    reference=merge,
    cases=cases,
    further=further,
    two_slips=two_slips,
    hints=(
        prose("""
            A `for` loop moves one step each time. After a merge you must move two. Which kind of loop lets
            you choose the step? And what has the last token no right neighbour for?
        """),
        lines("""
            i = 0
            while i is a place of the list:
                if there is a right neighbour and the two are the pair:
                    write new; i = i + 2
                else:
                    write ids[i]; i = i + 1
        """),
    ),
    misconceptions=misconceptions(WORDS, WAYS),
    insight=prose("""
        The same `merge` is used in learning and in encoding. If they merged a run in two directions, tokens
        would come out that no model has seen.
    """),
    advice=advice(r"""
IndexError with (\w+) ?= ?\1\[:|\w+\[\w+ ?: ?\w+ ?\+ ?[12]\] ?=|del |\.pop\(
    The list becomes shorter while your loop runs on to its old end. Build a new list, or use `while`, which
    asks for the length each time.
IndexError
    The last token has no right neighbour. Ask first whether there is one: `i + 1 < len(ids) and …`.
"""),
)
