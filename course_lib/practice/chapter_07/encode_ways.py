"""07.encode: wrong orders of merging."""

from collections import Counter
from itertools import pairwise


def bytes_of(token, merges):
    """The bytes that a token stands for, as a tuple."""
    if token < 256:
        return (token,)
    left, right = merges[token - 256]
    return bytes_of(left, merges) + bytes_of(right, merges)


def longest(from_left):
    """The longest token that fits at the beginning (or at the end) of what is left of the word."""

    def way(ids, merges):
        known = {bytes_of(256 + i, merges): 256 + i for i in range(len(merges))}
        most = max(map(len, known), default=1)
        rest, tokens = tuple(ids), []
        while rest:
            for n in range(min(most, len(rest)), 0, -1):
                part = rest[:n] if from_left else rest[-n:]
                if n == 1 or part in known:
                    break
            token = known.get(part, part[0])
            tokens = [*tokens, token] if from_left else [token, *tokens]
            rest = rest[n:] if from_left else rest[:-n]
        return tokens

    return way


def longest_token_first(ids, merges):
    """The pair that makes the longest token; of equals the one that was learned first."""
    size = {pair: len(bytes_of(256 + i, merges)) for i, pair in enumerate(merges)}

    def pick(found, ids, ranks):
        return min(found, key=lambda at: (-size[at[0]], ranks[at[0]], at[1]))

    return one_at_a_time(pick)(ids, merges)


def one_at_a_time(pick, number=lambda rank: 256 + rank):
    """As long as a known pair stands there: one of the places (pair, i) is picked and merged."""

    def way(ids, merges):
        ids, ranks = list(ids), {pair: i for i, pair in enumerate(merges)}
        while found := [(pair, i) for i, pair in enumerate(pairwise(ids)) if pair in ranks]:
            pair, i = pick(found, ids, ranks)
            ids[i : i + 2] = [number(ranks[pair])]
        return ids

    return way


def in_order(merge, merges_of=lambda merges: list(enumerate(merges)), number=lambda rank: 256 + rank):
    """One walk through the merges."""

    def way(ids, merges):
        for rank, pair in merges_of(merges):
            ids = merge(ids, pair, number(rank))
        return list(ids)

    return way


def everywhere(ids, pair, new):
    merged = []
    for token in ids:
        merged.append(token)
        if tuple(merged[-2:]) == pair:
            merged[-2:] = [new]
    return merged


def first_place(ids, pair, new):
    at = next((i for i, two in enumerate(pairwise(ids)) if two == pair), None)
    return list(ids) if at is None else [*ids[:at], new, *ids[at + 2 :]]


def not_skipped(ids, pair, new):
    return [new if tuple(ids[i : i + 2]) == pair else token for i, token in enumerate(ids)]


def from_the_right(ids, pair, new):
    return everywhere(ids[::-1], pair[::-1], new)[::-1]


def one_walk(ids, merges):
    """Each place is looked at once: bytes are merged with bytes, and nothing is merged again."""
    merged, i, ranks = [], 0, {pair: i for i, pair in enumerate(merges)}
    while i < len(ids):
        rank = ranks.get(tuple(ids[i : i + 2]))
        merged.append(ids[i] if rank is None else 256 + rank)
        i += 1 if rank is None else 2
    return merged


def one_merge(ids, merges):
    """The earliest pair is merged, and then it ends."""
    known = [(merges.index(pair), pair) for pair in pairwise(ids) if pair in merges]
    if not known:
        return list(ids)
    rank, pair = min(known)
    return everywhere(ids, pair, 256 + rank)


def most_frequent(found, ids, ranks):
    times = Counter(pair for pair, _ in found)
    return min(found, key=lambda at: (-times[at[0]], ranks[at[0]], at[1]))


def rank_then_right(found, ids, ranks):
    return min(found, key=lambda at: (ranks[at[0]], -at[1]))


def smallest_in_the_word(found, ids, ranks):
    return min(found)


def most_frequent_of_all(pick):
    """The most frequent pair, known or not; an unknown one ends it."""

    def way(ids, merges):
        while times := Counter(pairwise(ids)):
            pair = pick(times)
            if pair not in merges:
                break
            ids = everywhere(ids, pair, 256 + merges.index(pair))
        return list(ids)

    return way


def fewest(ids, merges):
    """As few tokens as possible, found by trying; of equals the one with the smaller ids."""
    known = [(bytes_of(token, merges), token) for token in range(256, 256 + len(merges))]
    best = [(0, [])]
    for n in range(1, len(ids) + 1):
        ends = [
            ((ids[n - 1],), ids[n - 1]),
            *(one for one in known if tuple(ids[:n][-len(one[0]) :]) == one[0]),
        ]
        best.append(min((best[n - len(raw)][0] + 1, [*best[n - len(raw)][1], token]) for raw, token in ends))
    return best[-1][1]


def spelled(got, args):
    """Whether the tokens stand for the bytes of the word."""
    ids, merges = args
    if not all(0 <= token < 256 + len(merges) for token in got):
        return False
    return [byte for token in got for byte in bytes_of(token, merges)] == ids


def sizes(expected, got, args):
    if len(got) >= len(expected):
        raise ValueError("this input does not show it")
    return {"mine": len(got), "right": len(expected)}


SIGNS = {
    "fewer-tokens": lambda expected, got, args: (
        spelled(got, args) and (len(got) < len(expected) or (None if len(got) == len(expected) else False))
    ),
    "another-cut": lambda expected, got, args: spelled(got, args),
}

WAYS = {
    "longest-from-the-left": longest(from_left=True),
    "longest-from-the-right": longest(from_left=False),
    "longest-token-first": longest_token_first,
    "first-pair-from-the-left": one_at_a_time(lambda found, ids, ranks: found[0]),
    "first-pair-from-the-right": one_at_a_time(lambda found, ids, ranks: found[-1]),
    "last-learned-first": (
        one_at_a_time(lambda found, ids, ranks: max(found, key=lambda at: (ranks[at[0]], -at[1]))),
        in_order(everywhere, lambda merges: list(enumerate(merges))[::-1]),
    ),
    "most-frequent-first": (
        one_at_a_time(most_frequent),
        most_frequent_of_all(lambda times: max(times, key=times.get)),
        most_frequent_of_all(lambda times: min(times, key=lambda pair: (-times[pair], pair))),
    ),
    "smallest-pair-first": (
        in_order(everywhere, lambda merges: sorted(enumerate(merges), key=lambda one: one[1])),
        one_at_a_time(smallest_in_the_word),
    ),
    "first-place-only": in_order(first_place),
    "not-skipped": in_order(not_skipped),
    "from-the-right": (in_order(from_the_right), one_at_a_time(rank_then_right)),
    "not-merged-again": one_walk,
    "one-merge-only": one_merge,
    "ids-begin-elsewhere": tuple(
        in_order(everywhere, number=lambda rank, start=start: start + rank) for start in (0, 1, 255, 257)
    ),
    "end-not-merged": lambda ids, merges: [*in_order(everywhere)(ids[:-1], merges), *ids[-1:]],
    "last-merge-forgotten": in_order(everywhere, lambda merges: list(enumerate(merges))[:-1]),
    "first-merge-forgotten": in_order(everywhere, lambda merges: list(enumerate(merges))[1:]),
    "fewer-tokens": fewest,
    "another-cut": in_order(
        everywhere, lambda merges: sorted(enumerate(merges), key=lambda one: one[1][::-1])
    ),
    "nothing-merged": lambda ids, merges: list(ids),
}
