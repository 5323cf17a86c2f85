"""07.learn: wrong ways to count, to choose, to merge and to stop."""

from collections import Counter
from itertools import pairwise


def pairs_of(words):
    return [(pair, times) for word, times in words.items() for pair in pairwise(word)]


def without_times(words):
    return [(pair, 1) for pair, _ in pairs_of(words)]


def once_a_word(words):
    return [(pair, times) for word, times in words.items() for pair in dict.fromkeys(pairwise(word))]


def across(words):
    text = [token for word, times in words.items() for token in word * times]
    return [(pair, 1) for pair in pairwise(text)]


def across_once(words):
    """From each word to the next one, once."""
    text = [token for word in words for token in word]
    return [(pair, 1) for pair in pairwise(text)]


def not_overlapping(words):
    found = []
    for word, times in words.items():
        last = {}
        for i, pair in enumerate(pairwise(word)):
            if last.get(pair) != i - 1:
                found.append((pair, times))
                last[pair] = i
    return found


def smallest_of_the_most(counts):
    return min(counts, key=lambda pair: (-counts[pair], pair))


def left_to_right(word, pair, new):
    tokens = []
    for token in word:
        tokens.append(token)
        if tuple(tokens[-2:]) == pair:
            tokens[-2:] = [new]
    return tuple(tokens)


def not_skipped(word, pair, new):
    tokens, i = [], 0
    while i < len(word):
        tokens.append(new if word[i : i + 2] == pair else word[i])
        i += 1
    return tuple(tokens)


def first_place(word, pair, new):
    at = next((i for i, two in enumerate(pairwise(word)) if two == pair), None)
    return word if at is None else (*word[:at], new, *word[at + 2 :])


def from_the_right(word, pair, new):
    return left_to_right(word[::-1], pair[::-1], new)[::-1]


def not_merged(word, pair, new):
    return word


def numbers_lost(words):
    """Once merged, each word counts once."""
    merged = any(token > 255 for word in words for token in word)
    return without_times(words) if merged else pairs_of(words)


def largest_of_equals(counts):
    return max(counts, key=lambda pair: (counts[pair], pair))


def first_of_equals(counts):
    return max(counts, key=counts.get)


def left_decides(counts):
    return max(counts, key=lambda pair: (counts[pair], -pair[0]))


def after_last(words, merges):
    return 1 + max(token for word in words for token in word)


def learned(
    counting=pairs_of,
    pick=smallest_of_the_most,
    merging=left_to_right,
    id_of=lambda words, merges: 256 + len(merges),
    least=1,
    more=0,
    at_end=lambda merges: merges,
    stops=True,
):
    """Learning, each part of it exchangeable; it ends where the best pair occurs less than ``least``."""

    def way(words, n_merges):
        words, merges = dict(words), []
        while len(merges) < n_merges + more:
            counts = Counter()
            for pair, times in counting(words):
                counts[pair] += times
            if not counts and not stops:
                raise ValueError("max() arg is an empty sequence")
            if not counts or counts[best := pick(counts)] < least:
                break
            new = id_of(words, merges)
            words = {merging(word, best, new): times for word, times in words.items()}
            merges.append(best)
        return at_end(merges)

    return way


def with_and_without_stop(**parts):
    """Learning that ends where no pair is left, and learning that fails there."""
    return learned(**parts), learned(**parts, stops=False)


def counted_once(order):
    """The most frequent pairs of the first count, all at once."""

    def way(words, n_merges):
        counts = Counter()
        for pair, times in pairs_of(words):
            counts[pair] += times
        return order(counts)[:n_merges]

    return way


WAYS = {
    "largest-pair": with_and_without_stop(pick=max),
    "smallest-pair": with_and_without_stop(pick=min),
    "largest-of-equals": with_and_without_stop(pick=largest_of_equals),
    "left-token-decides": with_and_without_stop(pick=left_decides),
    "first-of-equals": (
        *with_and_without_stop(pick=first_of_equals),
        learned(pick=lambda counts: sorted(counts, key=counts.get)[-1]),
    ),
    "rarest-pair": (
        learned(pick=lambda counts: min(counts, key=lambda pair: (counts[pair], pair))),
        learned(pick=lambda counts: min(counts, key=counts.get)),
    ),
    "times-ignored": with_and_without_stop(counting=without_times),
    "times-ignored-first-of-equals": with_and_without_stop(counting=without_times, pick=first_of_equals),
    "times-ignored-largest-of-equals": with_and_without_stop(counting=without_times, pick=largest_of_equals),
    "times-lost": (learned(numbers_lost), learned(numbers_lost, first_of_equals)),
    "once-a-word": learned(once_a_word),
    "across-words": (learned(across), learned(across_once)),
    "overlap-skipped": learned(not_overlapping),
    "counted-once": (
        counted_once(lambda counts: sorted(counts, key=lambda pair: (-counts[pair], pair))),
        counted_once(lambda counts: sorted(counts, key=counts.get, reverse=True)),
    ),
    "not-merged": with_and_without_stop(merging=not_merged),
    "not-skipped": with_and_without_stop(merging=not_skipped),
    "first-place-only": learned(merging=first_place),
    "from-the-right": learned(merging=from_the_right),
    "ids-begin-elsewhere": (
        learned(id_of=lambda words, merges: 257 + len(merges)),
        learned(id_of=lambda words, merges: 255 + len(merges)),
        learned(id_of=lambda words, merges: 1000 + len(merges)),
        learned(id_of=after_last),
    ),
    "rare-pairs-left": learned(least=2),
    "one-merge-too-many": learned(more=1),
    "one-merge-too-few": learned(more=-1),
    "in-reverse": learned(at_end=lambda merges: merges[::-1]),
    "sorted": learned(at_end=sorted),
}


def other_ids(expected, got, args):
    """The same merges, if only the new tokens had other names."""
    names = {}
    for mine, right in zip(got, expected, strict=True):
        for one, other in zip(mine, right, strict=True):
            if other < 256:
                if one != other:
                    return False
            elif names.setdefault(other, one) != one:
                return False
    return any(one != other for other, one in names.items()) and len(set(names.values())) == len(names)


SIGNS = {"ids-begin-elsewhere": other_ids}
