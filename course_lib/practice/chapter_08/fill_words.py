"""08.fill: what a tutor says."""

from course_lib.practice.words import entries

TOLD = entries("""
all-blanks
    You fill all blanks at once. One in each row is asked for, the surest: what stands there then helps with
    the others.
everything-said
    Your answer is the model's best word at every place, also where a word stands. Words stay; only a blank is
    filled, one in each row.
words-overwritten
    You look for the surest place among all places, and a word may stand there: it is overwritten. Look among
    the blanks alone.
words-in-the-contest
    You look for the surest place among all places, and fill it if it is a blank. Where a word stands at that
    place, the row gets nothing. Look among the blanks alone.
blanks-kept
    It is the wrong way round: words are overwritten and blanks stay.
rows-without-a-blank
    In a row without a blank you overwrite a word all the same: `argmax` always names
    a place, also where nothing is left to choose from.
rows-without-a-blank-by-score
    Two slips. You compare scores between places, and a score means something only beside the other scores of
    its place: take the softmax over the words, then compare probabilities. And in a row without a blank you
    overwrite a word: `argmax` always names a place.
by-score
    You compare scores between places. A score means something only beside the other scores of its place: 5
    among 4s is less sure than 3 among -2s. Take the softmax over the words, then compare probabilities. (One
    softmax over all places and words does not help: the highest score still wins.)
softmax-over-places
    Your softmax runs over the places, so places compete for a word. At each place the words compete:
    `dim=-1`.
softmax-over-batch
    Your softmax runs over the rows of the batch, which know nothing of each other. At each place the words
    compete: `dim=-1`.
first-blank
    You fill the first blank of each row. Asked for is the one at which the model is surest.
last-blank
    You fill the last blank of each row. Asked for is the one at which the model is surest.
place-among-the-blanks
    You know which blank it is, and write at another place: the second blank of a row need not stand at place
    1. From the number among the blanks go back to the place, `places[number]`.
least-sure
    You fill the blank at which the model is least sure. Begin with the surest: the later ones then have more
    to go by.
one-in-the-batch
    You fill one blank of the whole batch. Each row has a surest blank of its own: look along axis 1.
one-word-for-all-blanks
    The best word of the surest blank stands in all blanks of its row. One blank is filled, the others stay.
word-of-another-place
    You fill in the best word of another place. The word must be the one that is best at
    this very place.
each-better-one
    You fill a blank as soon as it is surer than those before it, and an earlier one stays filled when a surer
    one comes. Find the surest first, and fill behind the loop over the places.
until-a-row-without
    Your work ends at the first row without a blank, and the rows behind it stay as they were. Go on with the
    next row: `continue`, and not `return` or `break`.
by-margin
    You measure how far the best word lies before the second one. Asked for is the probability of the best
    word.
by-entropy
    You measure how peaked the whole distribution is, by its entropy. Asked for is the probability of the best
    word.
smallest-score
    You fill in the word with the lowest score. The best word is the one with the highest.
over-half
    You fill every blank whose best word has more than one half. Asked for is one blank in each row, the
    surest, whatever its probability.
places-for-words
    You fill in the number of the place where the word belongs. What belongs there is the id of the word.
""")
