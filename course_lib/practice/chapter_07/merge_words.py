"""07.merge: what a tutor says."""

WORDS = """
not-skipped
    After a merge you go on at the very next place, the right token of the pair, which is used already: (1, 2)
    becomes new, 2. Both tokens are gone: go on two places further.
first-only
    You merge the first place only. Every place where the pair stands becomes `new`.
last-only
    You merge the last place only. Every place where the pair stands becomes `new`.
from-the-right
    You merge from the right. In a run the direction counts: with the pair (7, 7), three 7 become new, 7 from
    the left, and 7, new from the right. Here it is from the left.
both-orders
    You also merge the two tokens in the other order. A pair has an order: for (1, 2), the tokens 2, 1 stay.
turned-round
    You look for the pair the other way round: left and right have changed places. `pair[0]` is the left one.
pair-kept
    `new` is there, and something of the pair has stayed beside it. `new` stands in the place of both.
pair-removed
    The pair is taken out, and nothing stands in its place: write `new` there.
once-too-far
    After a merge you go on three places further, so the token after the pair is lost. Two are used up.
last-token-lost
    The last token is lost where it belongs to no pair. The last token has no right neighbour, so look at the
    pair only where there is one; it must be written all the same.
else-missing
    After a merge you write the next token without looking whether it begins a pair (and at the end there is
    none). Either a merge or one token is written at each step: is an `else` missing?
last-token-twice
    You write the last token at the end in any case. Where it belongs to a merged pair, it is used up already,
    and an empty list has none. Let the loop reach the last token instead.
even-places-only
    You cut the row into twos, so a pair that begins at an odd place is not found. At every place that is not
    used up, look at the token and its right neighbour.
each-of-the-two
    You replace each token of the pair wherever it stands. Only the two side by side, left one first, become
    `new`; a 1 without its 2 stays.
as-text
    You write the ids as a text and replace there. Then digits match in the middle of an id: "1 2" is found in
    "11 2". Compare ids, not digits.
swallowed
    You merge into `new` what comes after it as well: (1, 2), 2 becomes one token. `new` is another token
    than the left one of the pair, so new, 2 is no such pair.
used-again
    In a run you use a token twice: the right token of one merge is the left token of the next. What has been
    merged is used up: with the pair (7, 7), three 7 become new, 7.
nothing-merged
    Nothing is merged: your answer is `ids` as it came. A list is never equal to a tuple: is
    `ids[i : i + 2] == pair` compared somewhere? `tuple(…)` makes a tuple of the first.
"""
