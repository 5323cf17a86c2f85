"""09a.next-token-loss: what a tutor says."""

from course_lib.practice.words import entries

WORDS = entries("""
not-shifted
    You ask at each place for the token that the model reads there. The scores at a place speak of the next
    one: the targets are `ids[:, 1:]`.
shifted-twice
    You shift twice: the scores at a place are compared with the token after the next one. `logits` was made
    from `ids[:, :-1]`, so `ids[:, 1:]` lies beside it, place by place, and `logits` is not cut at all.
shifted-back-again
    You cut the first place off `logits`, so each place is asked for a token that it has read, or an earlier
    one. `logits` stays whole, (B, T, V); the targets are `ids[:, 1:]`.
one-target-short
    One target of each row is missing, the first or the last. `logits` has T places and all of them have a
    target, `ids[:, 1:]`: nothing is cut off `logits`.
last-place-alone
    Only the last place of each row is asked. That is how one writes; in training all T places are asked at
    once.
scrambled
    Scores and targets do not belong together any more: axes were exchanged, and `reshape` or `view` reads on
    as the numbers lie. (B, T, V) becomes (B · T, V) by `reshape` alone. To bring the V scores to axis 1 there
    is `transpose(1, 2)` alone.
softmax-over-places
    Your softmax runs along the places, so places compete for a token. At each place the V tokens compete: the
    last axis, `dim=-1`.
softmax-over-batch
    Your softmax runs over the rows of the batch, which know nothing of each other. At each place the V tokens
    compete: the last axis, `dim=-1`.
softmax-twice
    You take the softmax twice. `log_softmax` and `cross_entropy` want the scores as they are.
not-normalised
    You take minus the score of the next token. A score means nothing alone: `log_softmax` over the V tokens
    makes a log-probability of it.
no-logarithm
    The logarithm is missing: you work with the probability itself. The loss of a place is minus its natural
    logarithm.
logarithm-of-the-mean
    You take the logarithm of a mean of probabilities. Each place has a loss of its own, minus the logarithm
    of its probability; the mean is taken of these.
sign-missing
    The minus is missing. The logarithm of a probability is below 0 or 0, and a loss is its opposite.
another-logarithm
    You take another logarithm than the natural one. In nats it has base e: `torch.log`, `log_softmax`.
best-token-for-the-next
    You take the highest probability of each place, so the tokens that really stand next have no effect. Look
    the probability up at the target.
padding-counted
    Padding counts: at the end of a short row the model is asked to say `pad_id`, and this is easy to learn.
    So the loss looks better than it is. Leave out the places whose target is `pad_id`.
counted-by-input
    You leave out the places at which the model reads padding. The last token of a short row has padding as
    its target, too, and must not be asked: look at the targets, `ids[:, 1:] != pad_id`.
zero-left-out
    You leave out the id 0. Which id is padding is said by `pad_id`; 0 may be a word.
zero-left-out-too
    You leave out padding, and the id 0 with it. 0 may be a word like any other: only `pad_id` is left out.
padding-alone
    The wrong way round: only padding counts. Leave it out, `targets != pad_id`.
mean-of-rows
    You make one number of each row and then one of the rows. So a token of a short row counts more than one
    of a long row (and a row without targets has no mean). All tokens count alike: one sum, one division.
divided-by-places
    You divide by all B · T places, also by those that do not count. Divide by the number of targets that are
    not padding.
divided-by-rows
    You divide the sum by the number of rows, B. Asked for is the mean over the tokens: divide by the number
    of targets that are not padding.
divided-by-columns
    You divide the sum by the number of places in a row, T. Asked for is the mean over the tokens: divide by
    the number of targets that are not padding.
not-divided
    You add up and do not divide. Then a batch with more tokens has a higher loss. Divide by the number of
    targets that are not padding.
first-tokens-counted
    You divide by all tokens of `ids` that are not padding. The first one of each row is among them, and it is
    never asked for: count the targets, `ids[:, 1:] != pad_id`.
divided-by-scores
    You divide by the number of scores, B · T · V, in which most are no target. (`mean` over a product with a
    one-hot table does so.) Divide by the number of targets that are not padding.
perplexity
    You take exp of the mean: that is the perplexity. Asked for is the loss, in nats.
""")
