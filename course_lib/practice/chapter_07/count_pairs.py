"""07.count-pairs: which tokens stand side by side, in words that occur more than once."""

from collections import Counter
from itertools import combinations, pairwise

from course_lib.practice.chapter_07.count_pairs_slips import two_slips
from course_lib.practice.chapter_07.inputs_ways import random_words
from course_lib.practice.inputs import seeded
from course_lib.practice.kinds import Case, Exercise, Output
from course_lib.practice.words import advice, lines, misconceptions, prose


def count_pairs(words):
    counts = {}
    for word, times in words.items():
        for i in range(len(word) - 1):
            pair = word[i], word[i + 1]
            counts[pair] = counts.get(pair, 0) + times
    return counts


def counted(pairs, weight=lambda times: times):
    """Counts of what ``pairs(word)`` gives; each word counts ``weight(times)``."""

    def way(words):
        counts = Counter()
        for word, times in words.items():
            for pair in pairs(word):
                counts[pair] += weight(times)
        return dict(counts)

    return way


def overwritten(words):
    return {pair: times for word, times in words.items() for pair in pairwise(word)}


def begun_with(first):
    """The first place where a pair stands counts ``first(times)``."""

    def way(words):
        counts = {}
        for word, times in words.items():
            for pair in pairwise(word):
                old = counts.get(pair)
                counts[pair] = first(times) if old is None else old + times
        return {pair: n for pair, n in counts.items() if n}

    return way


def across(repeat):
    """All words written one behind the other, each once or as often as it occurs."""

    def way(words):
        text = [token for word, times in words.items() for token in word * (times if repeat else 1)]
        return dict(Counter(pairwise(text)))

    return way


def without_overlap(word):
    found, last = [], {}
    for i, pair in enumerate(pairwise(word)):
        if last.get(pair) != i - 1:
            found.append(pair)
            last[pair] = i
    return found


WAYS = {
    "across-words": (across(repeat=True), across(repeat=False)),
    "times-ignored": counted(pairwise, lambda times: 1),
    "once-a-word": counted(lambda word: set(pairwise(word))),
    "once-a-word-times-ignored": counted(lambda word: set(pairwise(word)), lambda times: 1),
    "overlap-skipped": counted(without_overlap),
    "overwritten": overwritten,
    "order-lost": counted(lambda word: (tuple(sorted(pair)) for pair in pairwise(word))),
    "turned-round": counted(lambda word: ((b, a) for a, b in pairwise(word))),
    "not-only-neighbours": counted(lambda word: combinations(word, 2)),
    "first-place-is-one": begun_with(lambda times: 1),
    "first-place-is-nothing": begun_with(lambda times: 0),
    "first-place-twice": begun_with(lambda times: 2 * times),
    "single-tokens": (counted(lambda word: word), counted(lambda word: ((token,) for token in word))),
    "keys-are-no-pairs": (
        counted(lambda word: (f"{a} {b}" for a, b in pairwise(word))),
        counted(lambda word: (f"{a},{b}" for a, b in pairwise(word))),
        counted(lambda word: (a + b for a, b in pairwise(word))),
    ),
    "words-counted": lambda words: dict(words),
    "last-pair-lost": counted(lambda word: list(pairwise(word))[:-1]),
    "first-pair-lost": counted(lambda word: list(pairwise(word))[1:]),
    "in-twos": counted(lambda word: list(pairwise(word))[::2]),
    "wraps-around": (
        counted(lambda word: pairwise(word + word[:1])),
        counted(lambda word: pairwise(word[-1:] + word)),
    ),
    "half-a-pair": counted(lambda word: (word[i : i + 2] for i in range(len(word)))),
}

SIGNS = {"keys-are-no-pairs": lambda expected, got, args: not any(isinstance(key, tuple) for key in got)}

WORDS = """
across-words
    You write all words one after the other and count there. So the last token of a word and the first of the
    next one make a pair, and no token may ever cross the border of a word. Go through the words one by one.
times-ignored
    Every word counts once in your table. `words[word]` says how often it occurs in the text, and each of its
    pairs occurs as often: add that number, not 1.
once-a-word
    A pair that stands twice in a word is counted once. Every place counts: in (1, 2, 1, 2) the pair (1, 2)
    stands twice. (A `set` of the pairs loses the second one.)
once-a-word-times-ignored
    You count in how many words a pair occurs. Two things are lost: a pair can stand twice in a word, and
    `words[word]` says how often the word occurs. Add that number at every place where the pair stands.
overlap-skipped
    In a run such as (9, 9, 9) you count (9, 9) once, because its two places share a token. Counting is not
    merging: here every place with its right neighbour counts, so it is two.
overwritten
    Each place writes over what was counted before; it must be added to it, `+=`. What is left is the number
    of the last word that holds the pair.
order-lost
    You count (2, 1) as (1, 2). The order is part of a pair: `th` and `ht` are different tokens.
turned-round
    Your pairs are turned round: the left token stands first, (word[i], word[i + 1]).
not-only-neighbours
    You count every two tokens of a word, also those with others between them. Only neighbours can be merged
    into one token: word[i] and word[i + 1].
first-place-is-one
    The first place where a pair stands counts 1, whatever the word's number is. It counts as often as its
    word occurs, like every later one.
first-place-is-nothing
    The first place where a pair stands is not counted: it makes the key with 0. It counts as often as its
    word occurs, like every later one.
first-place-twice
    The first place where a pair stands counts twice: as the value to begin with, and once more. Begin with 0.
keys-are-no-pairs
    Your keys are no pairs. A key is a tuple of two ids, (word[i], word[i + 1]): so both tokens can be read
    from it when the pair is merged.
single-tokens
    You count single tokens. What is to be merged are two neighbours: the key is a pair, (word[i], word[i +
    1]).
words-counted
    This is `words` itself. Asked for are pairs of neighbours inside these words.
last-pair-lost
    The last pair of each word is missing. A word of n tokens has n - 1 pairs: the left place runs from 0 to
    n - 2, `range(len(word) - 1)`, the right one from 1 to n - 1, `range(1, len(word))`.
first-pair-lost
    The first pair of each word is missing. It stands at the places 0 and 1.
in-twos
    You go through each word in steps of two, so every second pair is missing. The pairs overlap: in (1, 2, 3)
    there are (1, 2) and (2, 3).
wraps-around
    The last and the first token of a word make a pair in your table. They are no neighbours. (Does an index
    of -1 read the other end?)
half-a-pair
    There are keys with one token alone: the last token of a word has no right neighbour. Stop one place
    earlier, `range(len(word) - 1)`.
"""


def cases() -> list[Case]:
    return [
        Case("two words that share a pair", ({(5, 6, 7): 3, (4, 6, 7): 2},)),
        Case("a pair that stands twice in a word", ({(1, 2, 1, 2): 3, (8, 1, 2): 2},)),
        Case("a run of one token", ({(9, 9, 9, 9): 2, (9, 9): 1},)),
        Case("runs inside words", ({(9, 9, 8, 8, 1): 2, (8, 8, 1, 9, 9, 9, 9, 8, 8, 1): 3},)),
        Case("a pair in both orders", ({(1, 2): 4, (2, 1): 3, (3, 2, 1): 1},)),
        Case("words of one token", ({(4,): 7, (8,): 2},)),
        Case("tokens that were merged before", ({(300, 97, 300, 97, 98): 2, (97,): 5},)),
        Case("one word", ({(3, 1, 2, 7): 1},)),
        Case("no words", ({},)),
    ]


def further() -> list[Case]:
    g = seeded(701)
    return [
        Case("other words", (random_words(g, n, high=97 + letters),)) for n in (1, 4, 7) for letters in (2, 5)
    ]


COUNT_PAIRS = Exercise(
    id="07.count-pairs",
    title="Count pairs",
    minutes=6,
    difficulty=1,
    statement=prose("""
        Write `count_pairs(words)`. `words` is a dict: each key is a word as a tuple of token ids, its value
        says how often this word occurs in the text. Return a dict that says for each pair of neighbours (left
        id, right id) how often it occurs in the text. Neighbours stand side by side in the same word; what
        ends one word and begins the next is no pair. Every place counts: in `(9, 9, 9)` the pair `(9, 9)`
        stands twice. A pair that never occurs is no key, or counts 0.
    """),
    inputs={"words": "a dict: tuple of ids → how often it occurs"},
    outputs=(Output("counts", form="counts"),),
    reference=count_pairs,
    cases=cases,
    further=further,
    two_slips=two_slips,
    hints=(
        prose("""
            The word (5, 6, 7) occurs 3 times. Which two pairs does it hold, and by how much must each of them
            rise? Then the word (4, 6, 7) comes, 2 times: what happens to a pair that is there already?
        """),
        lines("""
            counts = an empty dict
            for each word, and how often it occurs:
                for i from 0 to the last place but one:
                    raise the count of (word[i], word[i + 1]) by how often
        """),
    ),
    misconceptions=misconceptions(WORDS, WAYS, signs=SIGNS),
    insight=prose("""
        Each different word is looked at once, however long the text is: that is why words are counted before
        their pairs.
    """),
    advice=advice(r"""
unhashable
    A list cannot be the key of a dict. A tuple can: `(word[i], word[i + 1])`.
KeyError
    The first time, a pair has no count yet: `counts.get(pair, 0)` gives 0 then, and a `Counter` does it by
    itself.
IndexError
    The last token of a word has no right neighbour: let i end at the last place but one,
    `range(len(word) - 1)`.
(?s)^[^\n]*in words\s*:.*unpack
    A loop over a dict gives its keys. `words.items()` gives each word with its number.
"""),
)
