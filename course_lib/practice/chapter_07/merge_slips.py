"""07.merge: two slips at once."""

from course_lib.practice.chapter_07.two_slips import slips


def is_pair(a, b, pair):
    return (a, b) == pair


def scan(ids, pair, new, match, write, skip, most, stop, last):
    merged, i, done = [], 0, 0
    while i < len(ids) - stop:
        if i + 1 < len(ids) and match(ids[i], ids[i + 1], pair) and done < most:
            merged += write(pair, new)
            i, done = i + skip, done + 1
        else:
            merged.append(ids[i])
            i += 1
    return merged + ([ids[-1]] if last and ids else [])


def old_list(ids, pair, new, match, write, skip, most, stop, last):
    """It looks back at the row as it came, where a token can be used twice."""
    merged, done = [], 0
    for i, token in enumerate(ids[: len(ids) - stop]):
        if i and match(ids[i - 1], token, pair) and done < most:
            merged[-1:], done = write(pair, new), done + 1
        else:
            merged.append(token)
    return merged + ([ids[-1]] if last and ids else [])


def make(
    match=is_pair,
    write=lambda pair, new: [new],
    skip=2,
    most=10**9,
    stop=0,
    last=False,
    right=False,
    walk=scan,
):
    def way(ids, pair, new):
        if not right:
            return walk(ids, pair, new, match, write, skip, most, stop, last)
        turned = lambda a, b, two: match(b, a, two)  # noqa: E731
        back = lambda two, one: write(two, one)[::-1]  # noqa: E731
        return walk(ids[::-1], pair, new, turned, back, skip, most, stop, last)[::-1]

    return way


PARTS = {
    "not-skipped": {"skip": 1},
    "three-steps": {"skip": 3},
    "old-list": {"walk": old_list, "skip": 2},
    "first-only": {"most": 1},
    "from-the-right": {"right": True},
    "both-orders": {"match": lambda a, b, pair: pair in ((a, b), (b, a))},
    "turned-round": {"match": lambda a, b, pair: (b, a) == pair},
    "any-two": {"match": lambda a, b, pair: a in pair and b in pair},
    "one-of-the-two": {"match": lambda a, b, pair: a == pair[0] or b == pair[1]},
    "left-alone": {"match": lambda a, b, pair: a == pair[0]},
    "right-alone": {"match": lambda a, b, pair: b == pair[1]},
    "pair-kept": (
        {"write": lambda pair, new: [*pair, new]},
        {"write": lambda pair, new: [new, *pair]},
        {"write": lambda pair, new: [pair[0], new]},
        {"write": lambda pair, new: [new, pair[1]]},
    ),
    "pair-removed": {"write": lambda pair, new: []},
    "new-twice": {"write": lambda pair, new: [new, new]},
    "last-token-lost": {"stop": 1},
    "last-token-twice": ({"stop": 1, "last": True}, {"last": True}),
}

TOLD = """
not-skipped
    After a merge you go on at the very next place, the right token of the pair, which is used already: go on
    two places further.
three-steps
    After a merge you go on three places further, so the token behind the pair is lost: two are used up.
old-list
    The left neighbour is read from `ids` as they came, where a token that is merged already counts again: in
    `[7, 7, 7]` the middle one is used twice. What has been merged is used up.
first-only
    Only one place is merged. Every place where the pair stands becomes `new`.
from-the-right
    You go from right to left. In a run the direction counts: go from left to right.
both-orders
    The two tokens are merged in the other order, too. For the pair (1, 2), the tokens 2, 1 stay.
turned-round
    You look for the pair the other way round: `pair[0]` is the left one.
any-two
    Any two tokens out of the pair are merged, as 1, 1 or 2, 1 for the pair (1, 2). The left one must be
    `pair[0]` and the right one `pair[1]`.
one-of-the-two
    One token that fits is enough for you: `or` where `and` is meant. Both must fit.
left-alone
    Only the left token is compared. Its right neighbour must be `pair[1]` as well.
right-alone
    Only the right token is compared. The one before it must be `pair[0]` as well.
pair-kept
    A token of the pair is written beside `new`. `new` stands in the place of both.
pair-removed
    Nothing is written where the pair stood: write `new` there.
new-twice
    `new` is written twice for one pair. It is one token in the place of two.
last-token-lost
    The loop ends before the last token, which must be written where it belongs to no pair.
last-token-twice
    The last token is written at the end in any case, also where it is used up or written already.
"""


def two_slips():
    return slips(make, PARTS, TOLD)
