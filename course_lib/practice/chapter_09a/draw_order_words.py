"""09a.draw-order: what a tutor says."""

from course_lib.practice.words import entries

WORDS = entries("""
temperature-unused
    `temperature` has no effect on the answer. The scores are divided by it, before any softmax. (To subtract
    it changes no difference between scores; probabilities that are divided by it, and then by their sum, are
    what they were.)
temperature-times
    You multiply by the temperature. The scores are divided by it: below 1 the likeliest token gains.
temperature-twice
    You divide by the temperature twice. The scores are divided by it once, before anything else is done.
temperature-root
    You divide by the root of the temperature. Divide by the temperature itself.
top-k-unused
    `k` has no effect. After the temperature only the k tokens with the highest scores of each row stay, and
    top-p chooses among those.
one-too-many
    k + 1 tokens stay after your top-k. Does a sorted row, counted from 0, have its k-th largest at place
    k - 1?
one-too-few
    k - 1 tokens stay after your top-k: the k-th itself must stay. What is *below* the k-th goes, and what
    equals it stays.
zero-for-infinity
    What top-k removes gets the score 0, which is an ordinary score: exp(0) = 1. The score that means
    'nothing' is -inf.
not-low-enough
    What top-k removes gets a score that is low, and not nothing: it still has a share, and top-p counts it.
    The score that means 'nothing' is -inf.
smallest-k
    The k tokens with the lowest scores stay. `topk` gives the largest; a sorted row begins with the smallest
    unless `descending=True`.
kth-from-below
    Your limit is the k-th smallest score of a row, so another number of tokens stays. `sort` begins with the
    smallest unless `descending=True`; `topk(k).values[:, -1:]` is the k-th largest.
one-k-for-the-batch
    You take the k highest scores of the whole batch. Each row keeps k tokens of its own.
first-k-ids
    The tokens with the first k ids stay, whatever their scores. `topk` finds those with the highest.
softmax-over-batch
    Your softmax runs over the rows of the batch. In each row the V tokens compete: `dim=-1`.
softmax-twice
    You take the softmax twice: the second one makes the probabilities much more even. One softmax of the
    scores, then top-p.
top-p-unused
    `p` has no effect. After top-k comes `top_p(probabilities, p)`.
one-minus-p
    You give 1 - p to `top_p`. p itself is the sum that the tokens that stay must reach.
softmax-behind
    You take a softmax of what `top_p` gives. Those are probabilities already, and their rows sum to 1: return
    them as they are.
top-p-before-top-k
    Top-p counts with probabilities that top-k has not touched: with those of all V tokens, or with a table
    whose rows no longer sum to 1. First top-k, then the probability is shared out anew among those that stay
    (a softmax with -inf for the others does it), and p counts with that.
top-p-before-top-k-kept
    Two slips. Top-p comes before top-k; it must count with what top-k has left. And after the last filter
    your rows no longer sum to 1.
top-p-before-temperature
    Top-p counts with probabilities that know no temperature. Temperature comes first: it changes how many
    tokens are needed to reach p.
order-turned-round
    You go the other way round: top-p, then top-k, then temperature. First temperature, then top-k, then
    top-p.
temperature-on-probabilities
    Your temperature acts on probabilities, after the softmax, and what comes out is no distribution when it
    goes on. Divide the scores by it, before the softmax.
k-columns
    Your table has a column for each of k tokens, and nothing says any more which tokens they are. The column
    of a token is its id, so all V stay: what top-k removes gets the score -inf, with `masked_fill`, or with
    `scatter` into a table of -inf.
scores-to-top-p
    `top_p` gets scores. It adds probabilities up: take the softmax first (and top-k before it).
top-k-of-the-softmax-kept
    Two slips. The tokens that top-k leaves keep their old shares, so the rows sum to less than 1: share the
    probability out anew. And top-p is missing.
""")
