"""08.mlm-loss: what a tutor says."""

from course_lib.practice.words import entries

LOSS_TOLD = entries("""
everything-counted
    In `loss` every place counts: where the label is -100 a word is looked up all the same, and the model is
    asked for it. Leave these places out before anything is looked up: `logits[labels != -100]`.
zero-not-counted
    In `loss` the word 0 does not count: `labels > 0` leaves it out with the -100. 0 is a word like any other;
    only -100 says "no label": `labels != -100`.
divided-by-all
    In `loss` you divide the sum by all places, B · T. Then the loss falls where fewer words are chosen,
    though no word is said better. Divide by the number of labels that count.
divided-by-rows
    In `loss` you divide the sum by the number of rows, B. Asked for is the mean over the places with a
    label: divide by their number.
divided-by-places
    In `loss` you divide the sum by the number of places in a row, T. Asked for is the mean over the
    places with a label: divide by their number.
not-divided
    In `loss` you add up and do not divide. Then a batch with more labels has a higher loss. Asked for is the
    mean over the places with a label.
mean-of-rows
    In `loss` you make one number of each row and then one of the rows. So a label in a row with few of them
    counts more than one in a row with many (and a row without labels has no mean at all). All labels of the
    batch count alike: one sum, one division.
softmax-over-places
    In `loss` your softmax runs along the places, so places compete for a word. At each place the words
    compete: the softmax runs over the words, the last axis, `dim=-1`.
softmax-over-batch
    In `loss` your softmax runs over the rows of the batch, which know nothing of each other. At each place
    the words compete: the softmax runs over the words, the last axis, `dim=-1`.
softmax-over-everything
    In `loss` one softmax runs over all words of all places of the batch together. Each place has a softmax of
    its own, over the words: `dim=-1`.
last-row-alone
    In `loss` the last row that has a label counts alone: each row writes over what the rows before it gave.
    Add them up, and divide at the end by the number of labels.
softmax-twice
    In `loss` you take the softmax twice. `log_softmax` and `cross_entropy` want the scores as they are; a
    second softmax gives no word more than e times the chance of another.
not-normalised
    In `loss` you take minus the score of the right word. A score means nothing alone: only `log_softmax` over
    the words makes a log-probability of it.
no-logarithm
    In `loss` the logarithm is missing: you work with the probability itself. The loss of a place is minus the
    logarithm of the right word's probability.
logarithm-of-the-mean
    In `loss` you take the logarithm of a mean of probabilities. Each place has a loss of its own, minus the
    logarithm of its probability; the mean is taken of these.
sign-missing
    In `loss` the minus is missing. The logarithm of a probability is below 0 or 0, and a loss is its
    opposite.
another-logarithm
    In `loss` you take another logarithm than the natural one. `torch.log` and `log_softmax` have base e; the
    loss is in nats.
perplexity
    In `loss` you take exp of the mean: that is the perplexity. Asked for is the loss.
scrambled
    In `loss` places and words are mixed up. `reshape` and `view` cut the numbers as they lie, in rows of V:
    (B, T, V) can become (B · T, V), and nothing else. To bring the words to axis 1 there is
    `transpose(1, 2)`, alone, with no `reshape` before or behind it.
best-word-for-right
    In `loss` you take the highest probability of each place, so the labels have no effect on it. Each place
    asks for its right word: look the probability up at the label.
""")

RIGHT_TOLD = entries("""
right-over-all
    In `right` you divide by all places, B · T. A place without a label can never be right, so the share stays
    low however good the model is. Divide by the number of labels.
right-without-label
    In `right` places without a label count, too. Nothing is asked of the model there, so nothing there can be
    right or wrong: choose the places first, then compare.
right-counted
    `right` is how many are right. Asked for is their share of all places with a label, from 0 to 1.
right-in-percent
    `right` is in percent. Asked for is a share from 0 to 1: without the factor 100.
right-is-wrong
    `right` is the share of the wrong words, 1 minus what is asked for.
right-without-0
    In `right` the word 0 does not count: `labels > 0` leaves it out with the -100. Only -100 says "no label":
    `labels != -100`.
right-of-rows
    In `right` you make one number of each row and then one of the rows. So a label in a row with few of them
    counts more than one in a row with many. All labels of the batch count alike: one sum, one division.
right-by-probability
    `right` is the mean probability of the right words. Asked for is at how many of the places the right word
    has the highest score: yes or no at each place, then the share.
right-without-an-axis
    In `right` an `argmax` has no axis, so it gives one number for all places together. Each place has a best
    word of its own: `argmax(dim=-1)`.
right-by-the-lowest
    In `right` you look for the lowest score. The word that a model says is the one with the highest:
    `argmax`.
right-divided-by-rows
    In `right` you divide by the number of rows, B. Divide by the number of labels.
right-divided-by-places
    In `right` you divide by the number of places in a row, T. Divide by the number of labels.
right-scrambled
    In `right` places and words are mixed up: `reshape` and `view` cut the numbers as they lie, in rows of V.
    Take the `argmax` over the last axis of `logits` as they are.
right-over-places
    In `right` the best word is looked for behind a softmax along the places, where places compete for a word.
    At each place the words compete: take the `argmax(-1)` of the scores.
right-over-batch
    In `right` the best word is looked for behind a softmax over the rows of the batch. At each place the
    words compete: take the `argmax(-1)` of the scores.
right-of-the-last-row
    In `right` the last row that has a label counts alone: each row writes over what the rows before it gave.
right-for-any
    `right` is 1 as soon as one word is right. Asked for is a share: how many of the places with a label,
    divided by all of these.
right-for-all
    `right` is 1 where every word is right, and 0 otherwise. Asked for is a share, with its fraction. (`//`
    and `int` take the fraction away; `.all()` and `torch.equal` ask for all at once.)
""")

TOLD = {
    **LOSS_TOLD,
    **RIGHT_TOLD,
    **entries("""
zero-in-neither
    The word 0 counts in neither number: `labels > 0` leaves it out with the -100. 0 is a word like any other;
    only -100 says "no label": `labels != -100`.
both-over-rows
    You divide both by the number of rows, B (that is what `len(labels)` gives). Both are means over the
    places with a label: divide by their number.
neither-divided
    You add up both and divide neither. Both are means over the places with a label: divide by their number.
both-scrambled
    Places and words are mixed up. `reshape` and `view` cut the numbers as they lie, in rows of V: (B, T, V)
    can become (B · T, V), and nothing else. To bring the words to axis 1 there is `transpose(1, 2)`.
both-over-places
    Your softmax runs along the places, so places compete for a word, in both numbers. At each place the words
    compete: the softmax runs over the words, the last axis, `dim=-1`.
both-of-the-last-row
    The last row that has a label counts alone: each row writes over what the rows before it gave. Add up over
    all rows, and divide at the end by the number of labels.
both-of-rows
    You make both numbers of each row first, and then one of the rows. So a label in a row with few of them
    counts more than one in a row with many (and a row without labels has no mean at all). All labels of a
    batch count alike: one sum, one division.
both-over-all
    You divide both by all places, B · T. Both are means over the places with a label: divide by their number.
exchanged
    Both are right, and they come back in the other order. Return `loss, right`.
"""),
}
