"""07.encode: what a tutor says."""

WORDS = """
longest-from-the-left
    You take the longest token that fits from the left. That is another method (longest match), and it gives
    other tokens: with the merges (b, c), (a, b), it cuts `abc` into ab, c. Learning merged (b, c) first, so
    BPE gives a, bc. Merge in the order of the list.
longest-from-the-right
    You take the longest token that fits from the right. BPE does not look for long tokens: it merges the
    pairs in the order in which they were learned.
longest-token-first
    Of all pairs that stand in the word you merge the one that makes the longest token. What counts is when a
    pair was learned: the smallest place in `merges` first.
first-pair-from-the-left
    You merge the first known pair from the left. So (a, b) is merged in `abc` although (b, c) was learned
    before it. Of all known pairs in the word, the one with the smallest place in `merges` comes first.
first-pair-from-the-right
    You merge the first known pair from the right. Of all known pairs in the word, the one with the smallest
    place in `merges` comes first.
last-learned-first
    You begin with the pair that was learned last. Learning began at the other end: its first merge is at
    place 0, and the later ones need the tokens that it makes.
most-frequent-first
    You merge the pair that is most frequent in this word. Frequency is counted once, in learning, and
    `merges` holds the outcome. Otherwise the same word would be cut in another way in another text.
smallest-pair-first
    Of two known pairs you merge the one with the smaller ids first, as `min(pairs)` and `sorted(merges)` do.
    What counts is when a pair was learned: the smallest place in `merges`. (`min` takes a `key`.)
first-place-only
    Each pair is merged at its first place only. It is merged wherever it stands, from left to right.
not-skipped
    When you merge, you go on at the very next place, the right token of the pair, which is used already. Both
    tokens are gone: go on two places further.
from-the-right
    The order of the merges is right, and each of them goes from right to left. In a run the direction counts:
    `aaa` becomes aa, a here, and a, aa with your function.
not-merged-again
    Each place is looked at once, from left to right. A token that came out of a merge can be merged again,
    and a pair that was learned earlier comes first, wherever it stands.
one-merge-only
    You merge one pair and stop. Go on as long as two neighbours are a pair in `merges`.
ids-begin-elsewhere
    The right merges are meant, with other ids for the new tokens. The pair at place i makes 256 + i: the
    bytes have 0 to 255. (With other ids, later merges do not find the tokens that they need.)
last-merge-forgotten
    The last pair of `merges` is never merged. Is the loop one short?
first-merge-forgotten
    The first pair of `merges` is never merged: it stands at place 0.
fewer-tokens
    Your tokens spell the word, {mine} of them where BPE gives {right}. It does not look for few tokens: it
    merges the pairs in the order in which they were learned, and what a model has seen in training was cut
    so.
end-not-merged
    The last two tokens of the word are never merged. Does the loop over the places end one too early?
another-cut
    Your tokens spell the word, and it is cut at other places. Of all known pairs in the word, the one with
    the smallest place in `merges` comes first, wherever it stands, also at the word's end.
nothing-merged
    Nothing is merged: your answer is `ids` as it came. A list is never equal to a tuple: is `ids[i : i + 2]`
    compared or looked up somewhere? `tuple(…)` makes a tuple of it.
"""
