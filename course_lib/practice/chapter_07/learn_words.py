"""07.learn: what a tutor says."""

WORDS = """
largest-pair
    `max(counts)` compares the keys: it takes the largest pair, whatever its count is. The count decides
    first: find the largest value, `max(counts.values())`, then the smallest pair that has it.
smallest-pair
    `min(counts)` compares the keys: it takes the smallest pair, whatever its count is. The count decides
    first; the smallest pair is taken only among those with the largest count.
largest-of-equals
    Among equally frequent pairs you take the largest. Here it is the smallest. `max` over (count, pair), or
    such a sort, turns the second rule round; `min` over (-count, pair) has both the right way.
first-of-equals
    Among equally frequent pairs you take the one that was met first (or last). `max` or a sort by count alone
    leaves it to the order of the dict, so the same words in another order give other tokens. Here the
    smallest pair wins: compare the pairs themselves where the counts are equal.
left-token-decides
    Among equally frequent pairs you compare only the left token. Where that is the same, too, the right one
    decides: compare whole pairs, (3, 8) before (3, 9).
rarest-pair
    You merge the rarest pair. The most frequent one saves most tokens.
times-ignored
    Every word counts once. Its number says how often it occurs in the text, and each of its pairs occurs as
    often: add that number, not 1.
times-ignored-first-of-equals
    Two slips. Every word counts once: its number says how often it occurs, so add that, not 1. And among
    equally frequent pairs you take the one that was met first; here the smallest pair wins.
times-ignored-largest-of-equals
    Two slips. Every word counts once: its number says how often it occurs, so add that, not 1. And among
    equally frequent pairs you take the largest; here the smallest wins.
times-lost
    After the first merge every word counts once: when the merged words are put together, their numbers are
    lost. A merged word occurs as often as before.
once-a-word
    A pair that stands twice in a word is counted once. Every place counts.
across-words
    You count pairs across the borders of words: the last token of one word and the first of the next. They
    can never be merged, since each word is encoded by itself. Count inside each word.
overlap-skipped
    In a run such as (6, 6, 6) you count (6, 6) once, because its two places share a token. It is true that
    only one of them can be merged; but the rule here counts every place with its right neighbour, so it is
    two.
counted-once
    You count once and take the most frequent pairs of that table. After each merge there are new pairs, with
    the new token, and some old ones have become rarer: merge in the words, and count again.
not-merged
    The words are never merged: the same pair is the most frequent one again and again. Put the new token in
    place of the pair in every word before you count again.
not-skipped
    When you merge, you go on at the very next place, the right token of the pair, which is used already: (1,
    2) becomes new, 2. Both tokens are gone: go on two places further.
first-place-only
    In each word you merge only the first place where the pair stands. Every place is merged.
from-the-right
    You merge from the right. In a run the direction counts: three 6 become new, 6 from the left, and 6, new
    from the right. Here it is from the left.
ids-begin-elsewhere
    The right pairs, with other numbers for the new tokens. The bytes have 0 to 255, so the first merge makes
    256, the next 257: `256 + len(merges)` before the pair is put into the list.
rare-pairs-left
    You stop when the best pair stands only once. Many tools do so; here such a pair is merged like any other,
    until `n_merges` is reached or no pair is left.
one-merge-too-many
    One merge too many: stop when the list holds `n_merges` of them.
one-merge-too-few
    One merge too few: go on until the list holds `n_merges` of them.
in-reverse
    These are the right merges, the last one first. Encoding needs them in the order in which they were
    learned.
sorted
    These are the right merges, sorted. Their order is what has been learned: encoding merges the first one
    first.
"""
