"""BPE training step by step: what stands where, which pairs there are, which one is merged, and who tied.

Words and tokens in, plain states out: the stepper and its still draw them, and compute nothing.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple


class PairCount(NamedTuple):
    """One line of the table of pairs."""

    left: str
    right: str
    count: int  # in all words, each as often as it occurs
    words: tuple[int, ...]  # the words that hold it
    tied: bool  # as frequent as the most frequent one


class MergeState(NamedTuple):
    """The moment before a merge."""

    learned: tuple[str, ...]  # the merged tokens so far, in order
    words: tuple[tuple[str, ...], ...]  # the tokens of each word
    pairs: tuple[PairCount, ...]  # most frequent first, then smallest ids: the first one is merged next

    @property
    def ties(self) -> int:
        """How many pairs are as frequent as the first one; it alone decides nothing when this is above 1."""
        return sum(pair.tied for pair in self.pairs)


def merge_states(
    words: Sequence[Sequence[str]],
    times: Sequence[int],
    alphabet: Sequence[str],
    n_merges: int = 20,
    picks: Sequence[int] = (),
) -> list[MergeState]:
    """The states of a training, from single letters on.

    Args:
        words: the different words, each as its first tokens: single letters or bytes.
        times: how often each occurs.
        alphabet: the first tokens in the order of their ids, which decides between equally frequent pairs.
        n_merges: how many merges, at most.
        picks: for each merge the place in its table of pairs; 0, and where none is said: by the rule. Only a
            pair that is as frequent as the first one can be picked, any other place counts as 0.

    Returns:
        up to `n_merges` + 1 states, the last one after the last merge; fewer where no pair is left.

    Raises:
        ValueError: words and times of other lengths, or a letter that the alphabet does not have.
    """
    if len(words) != len(times):
        raise ValueError(f"times has {len(times)} numbers, expected one for each of the {len(words)} words")
    ids = {token: i for i, token in enumerate(alphabet)}
    strange = next((token for word in words for token in word if token not in ids), None)
    if strange is not None:
        raise ValueError(f"words holds {strange!r}, expected tokens of the alphabet: cut words into letters")
    return list(_states([list(word) for word in words], times, ids, n_merges, picks))


def picked(pairs: Sequence[PairCount], picks: Sequence[int], n: int) -> int:
    """The place in the table of the pair that merge `n` (from 0) takes, as `merge_states` reads `picks`."""
    place = picks[n] if n < len(picks) else 0
    return place if 0 <= place < len(pairs) and pairs[place].tied else 0


def _states(
    words: list[list[str]], times: Sequence[int], ids: dict[str, int], n_merges: int, picks: Sequence[int]
) -> Iterator[MergeState]:
    learned: list[str] = []
    while True:
        pairs = _table(words, times, ids)
        yield MergeState(tuple(learned), tuple(map(tuple, words)), pairs)
        if not pairs or len(learned) == n_merges:
            return
        left, right = pairs[picked(pairs, picks, len(learned))][:2]
        ids.setdefault(left + right, len(ids))
        learned.append(left + right)
        words = [_merged(word, left, right) for word in words]


def _table(words: list[list[str]], times: Sequence[int], ids: dict[str, int]) -> tuple[PairCount, ...]:
    counts: Counter[tuple[str, str]] = Counter()
    where: dict[tuple[str, str], dict[int, None]] = {}
    for w, (word, n) in enumerate(zip(words, times, strict=True)):
        for pair in pairwise(word):
            counts[pair] += n
            where.setdefault(pair, {})[w] = None
    most = max(counts.values(), default=0)
    order = sorted(counts, key=lambda pair: (-counts[pair], ids[pair[0]], ids[pair[1]]))
    return tuple(PairCount(*pair, counts[pair], tuple(where[pair]), counts[pair] == most) for pair in order)


def _merged(word: list[str], left: str, right: str) -> list[str]:
    tokens: list[str] = []
    i = 0
    while i < len(word):
        pair = word[i : i + 2] == [left, right]
        tokens.append(left + right if pair else word[i])
        i += 1 + pair
    return tokens
