"""07.encode: two slips at once, in a walk through the merges and in a search for the next pair."""

from collections import Counter
from itertools import pairwise

from course_lib.practice.chapter_07.encode_ways import (
    everywhere,
    first_place,
    from_the_right,
    longest,
    not_skipped,
    one_walk,
)
from course_lib.practice.chapter_07.merge_slips import make as merging
from course_lib.practice.chapter_07.two_slips import slips
from course_lib.practice.words import entries

MOST_ROUNDS = 1000  # a wrong number may make a pair that is merged for ever


def used_twice(ids, pair, new):
    merged = []
    for i, token in enumerate(ids):
        merged[-1:] = [new] if i and (ids[i - 1], token) == pair else [*merged[-1:], token]
    return merged


def by_rank(pair, rank, at, times):
    return rank


def walk(order, act, number, some, rounds):
    def way(ids, merges):
        known = [(rank, pair) for rank, pair in some(list(enumerate(merges)))]
        for rank, pair in sorted(known, key=lambda one: order(one[1], one[0], 0, 0))[:rounds]:
            ids = act(list(ids), pair, number(rank, merges))
        return list(ids)

    return way


def search(order, act, number, some, rounds):
    """As long as a known pair stands there, the first by ``order`` is merged."""

    def way(ids, merges):
        ids, ranks = list(ids), {pair: rank for rank, pair in some(list(enumerate(merges)))}
        for _ in range(min(rounds, MOST_ROUNDS)):
            times = Counter(pairwise(ids))
            known = [
                (pair, ranks[pair], i, times[pair]) for i, pair in enumerate(pairwise(ids)) if pair in ranks
            ]
            if not known:
                break
            pair, rank, *_ = min(known, key=lambda one: order(*one))
            merged = act(ids, pair, number(rank, merges))
            if merged == ids:
                break
            ids = merged
        return ids

    return way


def renumbered(method, number):
    """The tokens of ``method``, with other ids for the new ones at the end."""
    return lambda ids, merges: [
        token if token < 256 else number(token - 256, merges) for token in method(ids, merges)
    ]


def make(
    frame=walk,
    order=by_rank,
    act=everywhere,
    number=lambda rank, merges: 256 + rank,
    some=list,
    rounds=10**9,
    method=None,
):
    return renumbered(method, number) if method else frame(order, act, number, some, rounds)


def starting(start):
    return {"number": lambda rank, merges: start + rank}


WHOLE = {"frame": None, "order": None, "act": None, "some": None, "rounds": None}
ACTIONS = {
    "first-place-only": {"act": first_place},
    "not-skipped": {"act": not_skipped},
    "from-the-right": {"act": from_the_right},
    "used-twice": {"act": used_twice},
    "last-token-lost": {"act": merging(stop=1)},
    "next-token-lost": {"act": merging(skip=3)},
    "both-orders": {"act": merging(match=lambda a, b, pair: pair in ((a, b), (b, a)))},
}
OTHERS = {
    "ids-from-elsewhere": tuple(map(starting, (257, 255, 0, 1, 300))),
    "ids-from-the-end": {"number": lambda rank, merges: 255 + len(merges) - rank},
    "first-merge-forgotten": {"some": lambda known: known[1:]},
    "last-merge-forgotten": {"some": lambda known: known[:-1]},
    "last-learned-first": {"order": lambda pair, rank, at, times: -rank},
    "smallest-ids-first": {"order": lambda pair, rank, at, times: pair},
    "largest-ids-first": {"order": lambda pair, rank, at, times: tuple(-token for token in pair)},
}
WALKING = {**ACTIONS, **OTHERS}
SEARCHING = {
    **{name: parts for name, parts in ACTIONS.items() if name != "first-place-only"},
    **OTHERS,
    "left-place-first": (
        {"order": lambda pair, rank, at, times: at},
        {"order": lambda pair, rank, at, times: at, "act": first_place},
    ),
    "right-place-first": {"order": lambda pair, rank, at, times: -at},
    "most-frequent-first": (
        {"order": lambda pair, rank, at, times: (-times, rank)},
        {"order": lambda pair, rank, at, times: (-times, at)},
        {"order": lambda pair, rank, at, times: (-times, pair)},
    ),
    "one-merge-only": {"rounds": 1},
    "one-place-and-done": {"rounds": 1, "act": first_place},
}
METHODS = {
    "longest-from-the-left": {**WHOLE, "method": longest(from_left=True)},
    "longest-from-the-right": {**WHOLE, "method": longest(from_left=False)},
    "one-look": {**WHOLE, "method": one_walk},
    "ids-from-elsewhere": OTHERS["ids-from-elsewhere"],
    "ids-from-the-end": OTHERS["ids-from-the-end"],
}

TOLD = entries("""
first-place-only
    Each pair is merged at its first place only: merge it wherever it stands.
not-skipped
    When you merge, the right token of the pair is looked at again: go on two places further.
from-the-right
    You merge from right to left: in a run, `aaa` becomes aa, a from the left.
used-twice
    In a run a token is used twice, as right one and as left one: what is merged is used up.
last-token-lost
    Merging loses the last token where it belongs to no pair: it must be written, too.
next-token-lost
    After a merge the next token is lost: go on two places, not three.
both-orders
    Two tokens are merged in the other order, too: the left one must stand first.
ids-from-elsewhere
    The ids of the new tokens begin at another number: the pair at place i, counted from 0, makes 256 + i.
ids-from-the-end
    The ids of the new tokens are counted from the end of the list: the pair at place i makes 256 + i.
first-merge-forgotten
    The pair at place 0 of `merges` is never merged.
last-merge-forgotten
    The last pair of `merges` is never merged.
last-learned-first
    You begin with the pair that was learned last: the first of the list comes first.
smallest-ids-first
    The pair with the smallest ids comes first with you: what counts is its place in `merges`.
largest-ids-first
    The pair with the largest ids comes first with you: what counts is its place in `merges`.
left-place-first
    The first known pair from the left comes first with you: what counts is its place in `merges`.
right-place-first
    The first known pair from the right comes first with you: what counts is its place in `merges`.
most-frequent-first
    The pair that is most frequent in this word comes first with you: what counts is its place in
    `merges`.
one-merge-only
    One pair is merged, and then it ends: go on as long as a known pair stands there.
one-place-and-done
    One place is merged, and then it ends: go on as long as a known pair stands there.
longest-from-the-left
    You take the longest token that fits from the left: BPE merges pairs in the order of the list.
longest-from-the-right
    You take the longest token that fits from the right: BPE merges pairs in the order of the list.
one-look
    Each place is looked at once, from left to right: a merged token can be merged again, and a pair that
    was learned earlier comes first.
""")


def two_slips():
    for frame, parts in ((walk, WALKING), (search, SEARCHING), (walk, METHODS)):
        told = {name: TOLD[name] for name in parts}
        yield from slips(lambda frame=frame, **some: make(**{"frame": frame, **some}), parts, told)
