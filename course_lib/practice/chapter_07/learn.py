"""07.learn: BPE learned from counted words: count, choose, merge, again."""

from course_lib.practice.chapter_07.inputs_ways import random_words
from course_lib.practice.chapter_07.learn_slips import two_slips
from course_lib.practice.chapter_07.learn_ways import SIGNS, WAYS
from course_lib.practice.chapter_07.learn_words import WORDS
from course_lib.practice.inputs import seeded
from course_lib.practice.kinds import Case, Exercise, Output
from course_lib.practice.words import advice, lines, misconceptions, prose


def learn(words, n_merges):
    words, merges = dict(words), []
    while len(merges) < n_merges:
        counts = {}
        for word, times in words.items():
            for i in range(len(word) - 1):
                pair = word[i], word[i + 1]
                counts[pair] = counts.get(pair, 0) + times
        if not counts:
            break
        most = max(counts.values())
        best = min(pair for pair in counts if counts[pair] == most)
        new, merged = 256 + len(merges), {}
        for word, times in words.items():
            tokens = []
            for token in word:
                tokens.append(token)
                if tuple(tokens[-2:]) == best:
                    tokens[-2:] = [new]
            merged[tuple(tokens)] = times
        merges.append(best)
        words = merged
    return merges


def cases() -> list[Case]:
    aaab = tuple(b"aaabdaaabac")
    return [
        Case("one word, `aaabdaaabac` in bytes", ({aaab: 1}, 4)),
        Case("pairs that are equally frequent", ({(5, 6): 2, (9, 4): 2, (3, 9): 2, (3, 8): 2}, 3)),
        Case(
            "equally frequent pairs of other lengths",
            ({(1, 9, 40): 2, (1, 5, 100): 2, (1, 20, 9): 2, (3, 9, 4): 2}, 3),
        ),
        Case("rare words and a frequent one", ({(1, 2, 3): 2, (4, 2, 3): 2, (1, 2, 5): 3, (8, 9): 6}, 4)),
        Case("a merged token beside others", ({(7, 8, 9): 5, (9, 7, 8): 3, (8, 9): 1}, 3)),
        Case("runs of one token", ({(6, 6, 6, 6, 6): 2, (6, 6, 6, 5): 1, (5, 5): 6, (4, 5): 5}, 4)),
        Case(
            "words that begin with what others end with", ({(2, 1): 3, (3, 2): 3, (1, 3, 4): 1, (4, 5): 2}, 3)
        ),
        Case("a word that repeats a pair", ({(1, 2, 5, 1, 2): 2, (3, 4): 3, (5, 3, 4): 1, (6, 1, 2): 1}, 4)),
        Case("pairs that stand once", ({(4, 3, 2, 1): 1}, 3)),
        Case("fewer pairs than merges", ({(1, 2): 3, (5,): 2}, 4)),
        Case("no merge to learn", ({(1, 2): 3}, 0)),
        Case("words of one token", ({(1,): 3, (2,): 2}, 2)),
    ]


def further() -> list[Case]:
    g = seeded(703)
    return [
        Case("other words", (random_words(g, n, high=97 + letters), n_merges))
        for n in (1, 3, 6, 9)
        for letters in (2, 3, 5)
        for n_merges in (1, 5)
    ]


LEARN = Exercise(
    id="07.learn",
    title="Learn the merges",
    minutes=14,
    difficulty=3,
    statement=prose("""
        Write `learn(words, n_merges)`. `words` is a dict: each key is a word as a tuple of byte values (0 to
        255), its value says how often this word occurs. Return the list of merges, each a pair (left id,
        right id), in the order in which they are learned.

        One step: count all pairs of neighbours in all words (every place, as often as its word occurs; no
        pair crosses the border of a word). Take the most frequent pair; if several are equally frequent, the
        smallest of them, as Python compares tuples: (3, 9) before (5, 6), (3, 8) before (3, 9). Merge it in
        all words, from left to right, into a new token: the first merge makes id 256, the next 257, and so
        on. Then count again. Stop after `n_merges` steps, or earlier if no pair is left. A pair that stands
        only once is merged like any other. Leave `words` itself as it is.
    """),
    inputs={"words": "a dict: tuple of byte values → how often it occurs", "n_merges": "a number, 0 or more"},
    outputs=(Output("merges", form="pairs"),),
    reference=learn,
    cases=cases,
    further=further,
    two_slips=two_slips,
    hints=(
        prose("""
            Each step has three parts: count, choose, merge. You may call functions that you wrote before.
            Choosing has two rules: first the largest number, then the smallest pair. In which of the two is
            `max` right, in which `min`?
        """),
        lines("""
            merges = []
            as long as there are fewer than n_merges:
                count the pairs of all words; if there is none, stop
                most = the largest count
                best = the smallest pair with this count
                merge best into 256 + len(merges) in each word, its number stays
                put best at the end of merges
        """),
    ),
    misconceptions=misconceptions(WORDS, WAYS, signs=SIGNS),
    insight=prose("""
        Nobody said what a syllable or a word is: the tokens come from counting. Where the text is frequent,
        they become long.
    """),
    advice=advice(r"""
unhashable
    A list cannot be the key of a dict: make a tuple of the merged word, `tuple(…)`.
(max|min)\(\) (arg|iterable)
    There is no pair left, and `max` or `min` of nothing is an error: stop before it.
changed size during iteration
    A dict must not grow while a loop goes through it: build a new one for the merged words.
IndexError
    The last token of a word has no right neighbour: let i end at the last place but one,
    `range(len(word) - 1)`.
"""),
)
