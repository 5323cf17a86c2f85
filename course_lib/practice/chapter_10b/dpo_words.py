"""10b.dpo: what a tutor says of each wrong way."""

from course_lib.practice.words import entries

REFERENCE_LEARNS = (
    "Gradients flow into the reference's log-probabilities, and it must stay as it is. `.detach()` on what "
    "comes from the reference cuts the way."
)

WORDS = {
    **entries("""
mean-of-tokens
    You take the mean over the tokens of an answer. Its log-probability is their sum; with a mean, a token of
    a long answer counts less than one of a short answer, and β means something else.
mean-of-the-padded-length
    You divide by the length of the whole row, prompt and padding included. So the loss depends on how much
    padding a batch has. The log-probability of an answer is the sum over its own tokens.
everything-counted
    The masks have no effect: prompt and padding count in your sums. Multiply by the mask before you sum.
reference-without-mask
    Of the reference you sum all tokens of a row, prompt and padding too. Both log-probabilities are of the
    same answer: the mask belongs to the reference's tokens as well.
policy-without-mask
    Of the policy you sum all tokens of a row, prompt and padding too. Both log-probabilities are of the same
    answer: the mask belongs to the policy's tokens as well.
counted-outside
    You sum where the mask is False, over prompt and padding. It is True at the tokens of the answer.
mean-without-mask
    You take a mean over the whole row, prompt and padding included. The log-probability of an answer is the
    sum over its own tokens: multiply by the mask, then `.sum(dim=1)`.
shifted-again
    You shift the masks against the log-probabilities. They lie side by side already: nothing is cut off.
cut-to-the-shorter
    The longer of the two rows is read only as far as the shorter one goes, so tokens at its end are lost.
    Does one `zip` or one range run over both answers? Their rows have T and S places: sum each answer by
    itself.
last-token-alone
    You take the log-probability of one token, the last of an answer. An answer is all of its tokens: their
    sum.
sum-of-the-batch
    You sum over all rows together. Each answer has a sum of its own, over axis 1: (B,).
probabilities-added
    You add probabilities of tokens. The probability of an answer is their product: so log-probabilities are
    added, as they came, without `exp`.
exponential-of-the-sum
    You take `exp` of the sum. The reward is a difference of log-probabilities: without `exp`.
no-reference
    The reference has no effect. A reward is how much likelier the policy finds an answer than the reference
    does: β (log π - log π_ref). Without it, short and common answers win from the start.
reference-added
    The reference's part has the wrong sign: `ref_chosen` is taken off `chosen` and `ref_rejected` off
    `rejected`, each as β (log π - log π_ref). Is something added, or have the two changed places?
quotient
    You divide log-probabilities. The quotient of probabilities is the *difference* of their logarithms:
    log π - log π_ref.
beta-missing
    `beta` has no effect. A reward is β (log π - log π_ref): β says how far from the reference is far.
beta-on-the-policy-alone
    β multiplies the policy's part alone. It multiplies the difference: β (log π - log π_ref), in brackets.
beta-on-the-reference-alone
    β multiplies the reference's part alone. It multiplies the difference: β (log π - log π_ref), in brackets.
beta-divides
    You divide by β. A reward is β times the difference, β (log π - log π_ref).
margin-turned-round
    Your margin has the wrong sign, so the policy learns to prefer what was rejected. One of two differences
    is turned round: it is the chosen answer's minus the rejected one's, and the policy's minus the
    reference's. At step 0 the loss is ln 2 all the same.
chosen-alone
    The rejected answers have no effect. The margin is the reward of chosen minus the reward of rejected.
rejected-alone
    The chosen answers have no effect. The margin is the reward of chosen minus the reward of rejected.
rewards-added
    You add the rewards of both answers. The margin is their difference, chosen minus rejected.
every-pair-with-every-other
    Each chosen answer is compared with every rejected answer of the batch. Only the two answers of one pair
    are compared: both rewards are (B,), and are subtracted as they are.
minus-missing
    Your sign is wrong: a minus is missing, or one is too many. The logarithm of a sigmoid is below 0, and a
    loss is its opposite.
no-logarithm
    The logarithm is missing: you work with the sigmoid itself. The loss of a pair is -log σ(margin).
no-sigmoid
    The sigmoid and the logarithm are missing: you work with the margin itself, which could grow for ever. The
    loss of a pair is -log σ(margin).
hinge
    That is a hinge loss: it is 0 from a margin of 1 on. DPO's is -log σ(margin).
another-logarithm
    You take another logarithm than the natural one. `logsigmoid` and `torch.log` have base e.
sigmoid-twice
    You take the sigmoid twice: `logsigmoid` has one in it already. It wants the margin as it is.
summed
    You add the losses of the pairs. Asked for is their mean: otherwise a larger batch makes a larger step.
not-averaged
    The losses of the pairs are still apart. Asked for is one number, their mean.
mean-before-the-loss
    You take the mean of the margins before the loss. Each pair has its own loss; the mean is taken of these.
beta-outside
    β stands outside: it multiplies the loss, which only changes the size of the steps. It belongs inside the
    sigmoid, where it says how far from the reference is far.
beta-twice
    β has been used twice. It stands in the rewards, once, and nowhere else.
beta-on-one-answer
    β multiplies one answer's part alone: is a bracket missing? It multiplies both: β · ((log π - log π_ref of
    chosen) - (log π - log π_ref of rejected)).
brackets-missing
    The reference's part of the rejected answer has the wrong sign: are brackets missing? A minus before
    (log π - log π_ref) turns both signs in it.
exponentials
    You take `exp` of log π - log π_ref. The reward is that difference itself, times β.
squares
    That is the loss of IPO, which draws the margin to 1 / (2β). DPO's is -log σ(margin).
"""),
    "reference-learns": f"Your number is right. {REFERENCE_LEARNS}",
}
