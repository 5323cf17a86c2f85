"""05.beam-step: what a tutor says."""

WORDS = """
scores-unused
    `scores` has no effect: you compare next words as if all texts were equally good so far. A text and its
    next word together have the score `scores[n] + log_probs[n, v]`.
multiplied
    You multiply. Probabilities are multiplied, and their logarithms are added: the score of a text is a sum.
averaged
    You take a mean, so the past counts less at every step. Keep the raw sum; a text's length is taken into
    account once, when it is finished.
scores-to-the-words
    `scores` is added along the wrong axis: each word gets the score of some text. Each text has one score for
    its whole row of words: make it a column, `scores[:, None]`.
best-of-each-text
    You take the best next word of each text, and then the best of these. One text may have several of the
    best continuations ({many} of {k} here): compare all N · V of them at once.
one-text-only
    You continue one text only. All N · V continuations compete: a text that lies behind may have the better
    next word.
best-text-for-each-word
    For each word you keep the best text and no other. Two texts may go on with the same word, and both may be
    among the best ({same} of {k} here share a word): compare all N · V continuations at once.
best-texts-first
    You keep the best texts first and continue only these. A text that lies behind may have the better next
    word: compare all N · V continuations, and choose then.
wrong-text-of-the-list
    Your sums and words fit together, and the parents count in the list of the texts that you kept first. They
    must say which of the N texts it is: look the place up in the list of their numbers. (And all N · V
    continuations compete: choose among them, not among the best texts.)
k-of-each-text
    You keep the best of each text, far more than k in all. The k places are for all texts together: compare
    all N · V continuations at once.
text-and-word-exchanged
    Text and word have changed places. In the flattened table each text has V numbers: the place divided by V,
    without the rest, is the text, and the rest is the word. Return `parents, tokens, new_scores`.
divided-by-texts
    You cut the places by N, the number of texts. In the flattened table a text has V numbers: divide by V.
fractions-returned
    Your parents are fractions: `/` keeps what is left of the division. The text is the whole part: `//`.
place-not-cut
    You return places in the flattened table, from 0 to N · V - 1. A place says both: `place // V` is the text
    and `place % V` the word.
probabilities-for-logs
    You turn log-probabilities into probabilities before you add them. A sum of probabilities is no score of a
    text: add the logarithms, as they come.
probabilities-worst-first
    Two slips. You turn log-probabilities into probabilities before you add them: add the logarithms, as they
    come. And the best of your sums stand last: best first is asked.
softmax-again
    You take another softmax over all continuations. It changes no order, and the scores are no sums of
    log-probabilities any more: the next step would add to the wrong numbers.
probabilities-returned
    The choice is right; your scores are probabilities. Return the sums of logarithms: the next step adds to
    them, and a product of many probabilities ends at 0.
last-step-only
    The choice is right; of the scores you return the last step's part alone. `new_scores` are the whole sums,
    so that the next step can go on from them.
old-scores-returned
    The choice is right, and you return the old scores of the texts. `new_scores` are the sums with the new
    word in them.
lowest-chosen
    You keep the worst continuations. Log-probabilities are negative, and the best are those nearest to 0: the
    largest.
not-best-first
    The right continuations, in another order: best first is asked.
"""
