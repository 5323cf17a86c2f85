"""07.count-pairs: two slips at once."""

from course_lib.practice.chapter_07.two_slips import slips


def add(counts, key, n):
    counts[key] = counts.get(key, 0) + n


def overwrite(counts, key, n):
    counts[key] = n


def begun_with(first):
    def put(counts, key, n):
        counts[key] = counts[key] + n if key in counts else first(n)

    return put


def one_step(word, i):
    return 1


def after_equal(word, i):
    return 2 if word[i] == word[i + 1] else 1


def two_steps(word, i):
    return 2


def places(word, begin, end, step):
    i = begin
    while i < len(word) - 1 - end:
        yield word[i], word[i + 1]
        i += step(word, i)


def after_the_same(found):
    """In a run, every second place of a pair."""
    kept, skip = [], False
    for i, pair in enumerate(found):
        skip = i > 0 and pair == found[i - 1] and not skip
        kept += [] if skip else [pair]
    return kept


def joined(words):
    return {tuple(token for word, times in words.items() for token in word * times): 1}


def joined_once(words):
    return {tuple(token for word in words for token in word): 1}


def make(
    begin=0, end=0, step=one_step, keep=list, weight=lambda n: n, key=tuple, put=add, words_of=dict, done=dict
):
    def way(words):
        counts = {}
        for word, times in words_of(words).items():
            for pair in keep(list(places(word, begin, end, step))):
                put(counts, key(pair), weight(times))
        return done(counts)

    return way


def without_last(counts):
    return dict(list(counts.items())[:-1])


PARTS = {
    "last-pair-lost": {"end": 1},
    "first-pair-lost": {"begin": 1},
    "wraps-around": {"begin": -1},
    "in-twos": {"step": two_steps},
    "two-steps-after-equal": {"step": after_equal},
    "overlap-skipped": {"keep": after_the_same},
    "once-a-word": {"keep": lambda found: dict.fromkeys(found)},
    "times-ignored": {"weight": lambda times: 1},
    "turned-round": {"key": lambda pair: pair[::-1]},
    "order-lost": {"key": lambda pair: tuple(sorted(pair))},
    "keys-are-texts": (
        {"key": lambda pair: f"{pair[0]} {pair[1]}"},
        {"key": lambda pair: f"{pair[0]},{pair[1]}"},
        {"key": lambda pair: f"{pair[0]}{pair[1]}"},
        {"key": lambda pair: f"{pair[0]}-{pair[1]}"},
        {"key": lambda pair: f"{pair[0]}_{pair[1]}"},
        {"key": str},
        {"key": lambda pair: tuple(map(str, pair))},
    ),
    "keys-are-sums": {"key": sum},
    "left-token-alone": {"key": lambda pair: pair[0]},
    "overwritten": {"put": overwrite},
    "first-place-is-one": {"put": begun_with(lambda n: 1)},
    "first-place-is-nothing": {"put": begun_with(lambda n: 0)},
    "first-place-twice": {"put": begun_with(lambda n: 2 * n)},
    "across-words": ({"words_of": joined, "put": add}, {"words_of": joined_once, "put": add}),
    "only-frequent": {"done": lambda counts: {pair: n for pair, n in counts.items() if n > 1}},
    "most-frequent-alone": {
        "done": lambda counts: {pair: n for pair, n in counts.items() if n == max(counts.values())}
    },
}

TOLD = """
last-pair-lost
    The last pair of each word is missing: its left place is `len(word) - 2`, its right one `len(word) - 1`.
first-pair-lost
    The first pair of each word is missing: it stands at the places 0 and 1.
wraps-around
    The last and the first token of a word make a pair in your table: an index of -1 reads the other end.
in-twos
    You go through each word in steps of two. Pairs overlap: in (1, 2, 3) there are (1, 2) and (2, 3).
two-steps-after-equal
    After two equal tokens you go on two places, as in merging. Counting uses nothing up: in (9, 9, 8) there
    are (9, 9) and (9, 8), and in (9, 9, 9) there are two (9, 9).
overlap-skipped
    In a run such as (9, 9, 9) you count (9, 9) once. Every place with its right neighbour counts: it is two.
once-a-word
    A pair that stands twice in a word is counted once there. Every place counts.
times-ignored
    It is ignored how often a word occurs: add `words[word]` at each place, not 1.
turned-round
    Your pairs are turned round: the left token stands first.
order-lost
    The order of a pair is lost: (2, 1) is another pair than (1, 2).
keys-are-texts
    Texts stand in your keys. A key is a tuple of two ids, (word[i], word[i + 1]).
keys-are-sums
    Your keys are sums of two ids, so different pairs fall together. A key is a tuple, (word[i], word[i + 1]).
left-token-alone
    Your keys are the left tokens alone. A key is a tuple, (word[i], word[i + 1]).
overwritten
    A later place writes over what was counted before; it must be added to it, `+=`.
first-place-is-one
    The first place where a pair is met counts 1: it counts like every later one.
first-place-is-nothing
    The first place where a pair is met is not counted: it makes the key with 0. It counts like every later
    one.
first-place-twice
    The first place where a pair is met counts twice: as the value to begin with, and once more.
across-words
    Pairs are counted across the border of two words: go through the words one by one.
only-frequent
    Pairs that are counted once are left out. Every pair has its number, 1 as well.
most-frequent-alone
    Only the largest count is given back. Asked for are the counts of all pairs.
"""


def two_slips():
    return slips(make, PARTS, TOLD)
