"""05.smoothing: what a tutor says."""

WORDS = """
no-smoothing
    `epsilon` has no effect: this is the ordinary cross-entropy. Only 1 - ε of the target stays on the right
    word; ε is shared out evenly, ε / V for each of the V words.
over-the-other-words
    You spread ε over the V - 1 other words and leave the right one out. Some programs do so; the
    floor of their loss lies a little higher. Here, as in PyTorch, all V words get ε / V, the right one too.
not-shared-out
    You take ε away from the right word and give it to nobody: your target sums to 1 - ε. The loss is the old
    one times {kept:g}, and nothing else is learned. Give each of the V words ε / V.
own-share-forgotten
    Your right word gets 1 - ε, and each other word ε / V: together less than 1. The right word has its share
    of ε as well: 1 - ε + ε / V.
spread-on-top
    Your target sums to 1 + ε: the right word keeps its whole 1, and ε is shared out beside it. Take it off
    first: 1 - ε for the right word.
epsilon-for-each-word
    You give ε to each word, so that V words get V · ε in all. They share one ε: ε / V for each, which makes a
    mean of what you sum up.
shares-exchanged
    The two parts have changed places: ε on the right word, and 1 - ε spread over all.
padding-counted
    Labels of -100 are counted, as if they were some word. At these positions nothing is to be said: leave
    them out of the sum and out of the number that you divide by.
divided-by-all
    You divide by all N labels, and only {counted} of {all} count. The loss would shrink in a batch with more
    padding. Divide by the number of labels that are not -100.
padding-in-the-even-part
    The labels of -100 are left out of one part of your loss only: the part that is spread over all words
    counts those positions too. Choose the counted rows first, and do everything with them.
not-divided
    You return the sum over the counted labels. The loss is their mean: divide by how many there are.
kl-given-probabilities
    You give `kl_div` probabilities. Its first argument must be log-probabilities: `log_softmax`. (It takes
    them as they come and warns of nothing.)
softmax-twice
    You take the softmax twice: cross-entropy and `log_softmax` expect the logits, and make the softmax
    themselves. A second one gets numbers between 0 and 1 and makes all words almost equally likely.
entropy-taken-off
    This is the Kullback-Leibler divergence. It is lower than the cross-entropy by the entropy of the smoothed
    target, {entropy:.3f} here, a number that does not depend on the model: both teach the same. Asked is the
    cross-entropy.
kl-mean
    `kl_div` divides by all its numbers, n · V of them for n labels, unless told otherwise. Take
    `reduction="sum"` and divide by the number of counted labels. (It is also lower than the cross-entropy, by
    the entropy of the target.)
prediction-smoothed
    Your loss is minus the logarithm of (1 - ε) p + ε / V, where p is the probability of the right word: the
    logarithm comes last, as if the model's answer were smoothed. Take the logarithm of each probability
    first; 1 - ε and ε / V are the shares of these logarithms in the loss.
logits-smoothed
    You smooth the logits. What is smoothed is the target: take the log-probabilities of the logits as
    they are, and share the 1 of the target out among them.
log-of-softmax
    log(softmax) is right on paper. Where a word's probability is below what float32 can hold, it is 0, and
    log 0 is -∞. (A small number
    added to it, or put in its place, only hides that.) `log_softmax` does both in one step and
    stays finite.
probabilities-without-log
    The logarithm is missing: you share the 1 of the target out over probabilities. Cross-entropy takes
    log-probabilities, `log_softmax`.
divided-by-words-too
    You divide by the number of words as well. The V products of one label are summed, and the mean is taken
    over the counted labels only.
mean-of-the-table
    You divide by N · V, all numbers of the table, and only {counted} of the {all} labels count. Sum
    the V products of each label; then divide the sum over the labels by the number of those that count.
mean-of-the-table-with-padding
    Two slips. You take the mean over the whole table, N · V numbers: the V products of one label are summed,
    and the mean is taken over labels. And labels of -100 are counted, as if they were some word: leave them
    out of the sum and out of the number that you divide by.
even-part-added-as-loss
    The two parts have different signs. Both are log-probabilities, and both get a minus: -(1 - ε) times the
    right word's, and -ε times the mean of all.
log-of-negatives
    Your loss is NaN on every input. Is a logarithm taken of numbers below 0? Logits may be negative, and
    log-probabilities are logarithms already: `log_softmax` of the logits, once, is all that is needed.
softmax-over-positions
    Your softmax runs over axis 0, the positions. Each position has a distribution of its own over the V
    words: `dim=-1`.
another-logarithm
    Your loss is the right one divided by the logarithm of {base}: you take logarithms to the base {base}. A
    nat is the unit of the natural logarithm, as `log_softmax` and `torch.log` take it.
sign-missing
    The minus is missing. Log-probabilities are 0 or less, and a loss is 0 or more.
logits-not-normalised
    You take the logits for log-probabilities. They are not yet: `log_softmax(logits, dim=-1)` makes them so.
perplexity
    You return exp of the loss, the perplexity of a smoothed target. Asked is the loss itself, in nats.
"""
