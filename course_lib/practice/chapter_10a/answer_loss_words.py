"""10a.answer-loss: what a tutor says."""

from course_lib.practice.words import entries

WORDS = entries("""
shifted-again
    You shift once more. `targets` holds the next ids already, so nothing is cut off: `logits`, `targets` and
    `trained` lie beside each other, place by place.
mask-shifted
    You shift the mask against the targets. `trained` says of each target whether it is trained: the two lie
    beside each other, place by place.
scrambled
    Scores and targets do not belong together any more: axes were exchanged, and `reshape` reads on as the
    numbers lie. (B, T, V) becomes (B · T, V) by `reshape` alone.
reshaped-for-axis-1
    Scores and targets do not belong together any more. Is (B, T, V) made (B, V, T) by `reshape` or `view`?
    That reads on as the numbers lie, and mixes the scores of several places. `logits.transpose(1, 2)`
    exchanges the axes.
softmax-over-places
    Your softmax runs along the places. At each place the V tokens compete: the last axis, `dim=-1`.
softmax-twice
    You take the softmax twice. `log_softmax` and `cross_entropy` want the scores as they are.
not-normalised
    You take minus the score of the target. A score means nothing alone: `log_softmax` over the V tokens makes
    a log-probability of it.
no-logarithm
    The logarithm is missing: you work with the probability itself. The loss of a place is minus its natural
    logarithm.
sign-missing
    The minus is missing. The logarithm of a probability is below 0 or 0, and a loss is its opposite.
logarithm-of-the-mean
    You take the mean of the probabilities before the logarithm. Each trained target has a loss of its own,
    minus the logarithm of its probability: the mean is taken of these.
another-logarithm
    You take another logarithm than the natural one: `torch.log` and `log_softmax` have base e.
all-counted
    All places count, those of prompts and of padding, too: `trained` has no effect. The number may look
    good, and it is the loss of something else.
wrong-way-round
    The wrong way round: what is not trained counts, and what is trained does not. `trained` is True where the
    target belongs to an answer.
zero-for-padding
    You decide by the id 0 what counts. Prompts count then, and an answer with the id 0 does not. What counts
    is said by `trained`, and by nothing else.
zero-left-out
    You leave out trained targets whose id is 0. It may be a word like any other: what counts is said by
    `trained` alone.
rows-with-an-answer
    You count all places of the rows that have an answer. `trained` says it place by place.
first-answer-alone
    Of each row only the first answer counts: the trained targets up to the first gap. A row may hold several
    answers, and all that is marked in `trained` counts, wherever it stands.
divided-by-places
    You add up the right losses and divide by all B · T places. (`mean` over a table with zeros does so.) Then
    a long prompt makes the loss of its answer small. Divide by the number of trained targets.
mean-of-rows
    You make one number of each row and then one of the rows. So a token of a short answer counts more than
    one of a long answer. All trained targets count alike: one sum, one division.
divided-by-rows
    You divide the sum by the number of rows, B. Divide by the number of trained targets.
divided-by-columns
    You divide the sum by the number of places in a row, T. Divide by the number of trained targets.
not-divided
    You add up and do not divide. Then a batch with longer answers has a higher loss. Divide by the number of
    trained targets.
one-too-many
    You divide by one more than there are trained targets. To keep clear of 0 / 0, take the larger one of 1
    and their number: `.clamp(min=1)`, or `max(n, 1)`.
nan-without-targets
    A batch without a trained target gives NaN: 0 / 0. One such loss, and after the step every weight is NaN.
    Divide by `trained.sum().clamp(min=1)`, or return 0 there.
not-0-without-targets
    For a batch without a trained target you return something else than 0. Nothing is trained there, so
    the loss is 0.
all-where-none
    Where nothing is trained you count all places. So a batch without an answer trains its prompts. Return 0
    there.
scores-set-to-0
    The scores are 0 where nothing is trained. Scores of 0 are no silence: all V tokens are then equally
    likely, and the place has the loss ln V. Mask the losses, not the scores.
zero-asked
    The targets are 0 where nothing is trained, and these places count. So the id 0 is asked for there. Mask
    the losses, not the targets.
refused
    You raise an error for a batch without a trained target. A training should be able to go on: here 0 is
    asked for.
perplexity
    You take exp of the mean: that is the perplexity. Asked for is the loss, in nats.
""")
