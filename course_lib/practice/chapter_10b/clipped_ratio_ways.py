"""10b.clipped-ratio: other ratios, other clips, other means, and what a tutor says."""

import torch

from course_lib.practice.two_slips import listed, of_parts, single
from course_lib.practice.words import entries


def clipped(ratio, e):
    return ratio.clamp(1 - e, 1 + e)


def smaller(ratio, A, e):
    return torch.minimum(ratio * A, clipped(ratio, e) * A)


def own_tokens(gain, answer):
    return ((gain * answer).sum(1) / answer.sum(1)).mean()


def made(
    ratio=lambda new, old, answer: (new - old).exp(),
    gain=smaller,
    average=own_tokens,
    sign=lambda value: -value,
):
    """Another ratio, another gain of a token, another mean, another sign."""

    def clipped_loss(new, old, advantages, answer, clip):
        each = ratio(new, old, answer).expand(new.shape)
        return sign(average(gain(each, advantages[:, None], clip), answer))

    return clipped_loss


def of_answer(new, old, answer):
    return ((new - old) * answer).sum(1, keepdim=True)


def before_exp(new, old, advantages, answer, clip):
    """The logarithm of the ratio is cut at ε and -ε."""
    log_ratio, A = new - old, advantages[:, None]
    gain = torch.minimum(log_ratio.exp() * A, log_ratio.clamp(-clip, clip).exp() * A)
    return -own_tokens(gain, answer)


def after_the_mean(new, old, advantages, answer, clip):
    """Ratios are averaged over an answer first, and then clipped."""
    ratio = ((new - old).exp() * answer).sum(1) / answer.sum(1)
    return -smaller(ratio, advantages, clip).mean()


def summed_then_averaged(new, old, advantages, answer, clip):
    """Both products are averaged over an answer, and the smaller is taken of these."""
    ratio, A = (new - old).exp(), advantages[:, None]
    plain, cut = (((x * answer).sum(1) / answer.sum(1)) for x in (ratio * A, clipped(ratio, clip) * A))
    return -torch.minimum(plain, cut).mean()


def masked_before(mask):
    """The mask is used too early, on log-probabilities or on ratios; then all gains of a row are counted."""

    def with_mean(average):
        def clipped_loss(new, old, advantages, answer, clip):
            return -average(smaller(mask(new - old, answer), advantages[:, None], clip), answer)

        return clipped_loss

    own_number = with_mean(lambda gain, answer: (gain.sum(1) / answer.sum(1)).mean())
    return own_number, with_mean(lambda gain, answer: gain.mean())


PARTS = {
    "ratio": {
        "ratio-of-the-answer": (
            lambda new, old, answer: of_answer(new, old, answer).exp(),
            lambda new, old, answer: (new - old).sum(1, keepdim=True).exp(),
        ),
        "mean-ratio-of-the-answer": (
            lambda new, old, answer: (of_answer(new, old, answer) / answer.sum(1, keepdim=True)).exp()
        ),
        "no-exponential": lambda new, old, answer: new - old,
        "ratio-turned-round": lambda new, old, answer: (old - new).exp(),
        "logarithms-divided": (
            lambda new, old, answer: new / old,
            lambda new, old, answer: (new / old).exp(),
        ),
        "old-unused": (lambda new, old, answer: new.exp(), lambda new, old, answer: new),
        "always-1": lambda new, old, answer: torch.ones_like(new),
    },
    "gain": {
        "maximum": lambda ratio, A, e: torch.maximum(ratio * A, clipped(ratio, e) * A),
        "clip-alone": lambda ratio, A, e: clipped(ratio, e) * A,
        "clip-unused": lambda ratio, A, e: ratio * A,
        "minimum-of-the-ratios": lambda ratio, A, e: torch.minimum(ratio, clipped(ratio, e)) * A,
        "maximum-of-the-ratios": lambda ratio, A, e: torch.maximum(ratio, clipped(ratio, e)) * A,
        "lower-edge": (
            lambda ratio, A, e: torch.minimum(ratio * A, ratio.clamp(max=1 + e) * A),
            lambda ratio, A, e: torch.minimum(ratio * A, ratio.clamp(e, 1 + e) * A),
        ),
        "upper-edge": lambda ratio, A, e: torch.minimum(ratio * A, ratio.clamp(min=1 - e) * A),
        "clip-of-its-own": tuple(
            lambda ratio, A, e, own=own: smaller(ratio, A, own) for own in (0.2, 0.1, 0.3, 0.5)
        ),
        "product-clipped": (
            lambda ratio, A, e: clipped(ratio * A, e),
            lambda ratio, A, e: torch.minimum(ratio * A, clipped(ratio * A, e)),
        ),
        "clip-around-0": (
            lambda ratio, A, e: torch.minimum(ratio * A, ratio.clamp(-e, e) * A),
            lambda ratio, A, e: ratio.clamp(-e, e) * A,
        ),
        "clip-as-a-quotient": lambda ratio, A, e: torch.minimum(
            ratio * A, ratio.clamp(1 / (1 + e), 1 + e) * A
        ),
        "clipped-without-advantage": lambda ratio, A, e: torch.minimum(ratio * A, clipped(ratio, e)),
        "advantages-unused": lambda ratio, A, e: torch.minimum(ratio, clipped(ratio, e)) + 0 * A,
        "only-the-sign": lambda ratio, A, e: smaller(ratio, A.sign(), e),
        "gains-added": lambda ratio, A, e: ratio * A + clipped(ratio, e) * A,
    },
    "average": {
        "all-tokens-alike": lambda gain, answer: (gain * answer).sum() / answer.sum(),
        "padded-length": lambda gain, answer: (gain * answer).mean(),
        "tokens-summed": lambda gain, answer: (gain * answer).sum(1).mean(),
        "answers-summed": lambda gain, answer: ((gain * answer).sum(1) / answer.sum(1)).sum(),
        "everything-summed": lambda gain, answer: (gain * answer).sum(),
        "everything-counted": lambda gain, answer: gain.mean(),
        "counted-outside": lambda gain, answer: own_tokens(gain, ~answer),
        "along-the-batch": (
            lambda gain, answer: ((gain * answer).sum(0) / answer.sum(0)).mean(),
            lambda gain, answer: ((gain * answer).sum(0) / answer.sum(0).clamp(min=1)).mean(),
        ),
        "not-averaged": lambda gain, answer: (gain * answer).sum(1) / answer.sum(1),
        "still-tokens": lambda gain, answer: gain * answer,
    },
    "sign": {"minus-missing": lambda value: value},
}
WAYS = {
    **single(PARTS, made),
    "clipped-before-exp": before_exp,
    "clipped-after-the-mean": after_the_mean,
    "minimum-after-the-mean": summed_then_averaged,
    "mask-before-exp": masked_before(lambda log_ratio, answer: (log_ratio * answer).exp()),
    "mask-before-the-clip": masked_before(lambda log_ratio, answer: log_ratio.exp() * answer),
}

WORDS = entries("""
ratio-of-the-answer
    You have one ratio for a whole answer, the product of its tokens' ratios. Then one token that has gone far
    brings the whole answer to the clip. Here each token has its own ratio: `exp` first, no sum before it.
mean-ratio-of-the-answer
    You have one ratio for a whole answer, from the mean of its log-probabilities (another method, GSPO, does
    that). Here each token has its own ratio.
no-exponential
    `exp` is missing: new - old is the logarithm of the ratio. The ratio is near 1, its logarithm near 0.
ratio-turned-round
    Your ratio is upside down. It is the probability now divided by the probability then: exp(new - old).
logarithms-divided
    You divide log-probabilities. The ratio of the probabilities is `exp` of the *difference* of their
    logarithms.
old-unused
    `old` has no effect. The ratio is the probability now divided by the probability then: exp(new - old).
always-1
    Your answer is the one that ratios of 1 give: new and old log-probabilities have no effect. The ratio is
    exp(new - old).
maximum
    You take the larger of the two. It is the smaller one: going further in the direction that A asks for must
    not pay.
clip-alone
    You take the clipped product alone. With the minimum, a token that has gone to the *wrong* side, less
    likely though A is above 0, say, is not clipped and can come back; in yours its gradient is 0.
clip-unused
    `clip` has no effect: nothing is clipped. A token gains the smaller of ρ A and clip(ρ, 1 - ε, 1 + ε) A.
minimum-of-the-ratios
    Where A is below 0 your gain is the larger of the two products, not the smaller one. So a ratio above
    1 + ε is clipped there, and one below 1 - ε is not. Whatever the sign of A is: first multiply both ratios
    by it, then take the minimum of the products.
maximum-of-the-ratios
    Where A is above 0 your gain is the larger of the two products, not the smaller one. So a ratio below
    1 - ε is clipped there, and one above 1 + ε is not. Whatever the sign of A is: first multiply both ratios
    by it, then take the minimum of the products.
lower-edge
    The lower edge of your clip is missing, or it is too low to act. Clip between 1 - ε and 1 + ε.
upper-edge
    The upper edge of your clip is missing. Clip between 1 - ε and 1 + ε.
clip-of-its-own
    Your clip has a number of its own for ε, so `clip` has no effect. Clip between 1 - clip and 1 + clip.
product-clipped
    You clip the product ρ A. What lies between 1 - ε and 1 + ε is the ratio: clip it, then multiply by A.
clip-around-0
    You clip between -ε and ε. A ratio is near 1: between 1 - ε and 1 + ε.
clip-as-a-quotient
    Your lower edge is 1 / (1 + ε). A ratio is clipped between 1 - ε and 1 + ε.
clipped-without-advantage
    The clipped ratio is not multiplied by A. Both are: ρ A and clip(ρ, 1 - ε, 1 + ε) A.
advantages-unused
    `advantages` has no effect. Each token's ratio is multiplied by the advantage of its answer.
only-the-sign
    Only the sign of the advantages counts in yours. How large they are counts, too.
gains-added
    You add the two products. A token gains the smaller one of them.
all-tokens-alike
    You take one mean over the tokens of all answers, so a long answer weighs more than a short one. First the
    mean over each answer's own tokens, then over the answers.
padded-length
    You divide by the length of the whole row, prompt and padding included. Divide by the number of the
    answer's own tokens, `answer.sum(dim=1)`.
tokens-summed
    You sum over the tokens of an answer. Asked for is the mean: divide by `answer.sum(dim=1)`.
answers-summed
    You sum over the answers. Asked for is their mean: divide by B, the number of answers.
everything-summed
    You sum over all tokens. Asked for is a mean over each answer's own tokens, and then over the answers.
everything-counted
    `answer` has no effect: prompt and padding count in your mean. Only tokens where it is True count.
counted-outside
    You count where `answer` is False, on prompt and padding. The tokens of the answer are True.
along-the-batch
    Your mean over tokens runs along axis 0, over the answers. An answer is a row: `sum(dim=1)`.
not-averaged
    The answers are still apart. Asked for is one number: minus the mean over the answers.
still-tokens
    Your gains are still apart, one for each token. Asked for is one number: minus the mean over the answers
    of the mean over each one's own tokens.
minus-missing
    Your sign is wrong: a minus is missing, or there are two. Training makes a loss smaller, and the gain is
    meant to grow.
clipped-before-exp
    You clip the logarithm of the ratio, between -ε and ε. Clip the ratio itself, between 1 - ε and 1 + ε.
clipped-after-the-mean
    You take the mean of the ratios of an answer, and clip that. Each token is clipped by itself; the mean
    comes after.
minimum-after-the-mean
    You take the means over an answer first, and then the smaller one. The smaller product is taken for each
    token; the mean comes after.
mask-before-exp
    Prompt and padding still count: with their log-probabilities set to 0 they have the ratio exp(0) = 1, and
    gain A each. It is the gains that must be 0 there: multiply them by `answer`, sum each row, and divide by
    the number of its own tokens.
mask-before-the-clip
    Prompt and padding still count: their ratio is set to 0, the clip makes it 1 - ε, and where A is below 0
    they gain (1 - ε) A each. It is the gains that must be 0 there: multiply them by `answer`, sum each row,
    and divide by the number of its own tokens.
""")
SKIP = {
    *(("always-1", name) for name in PARTS["gain"]),
}
PAIRS = of_parts(listed(PARTS, made, SKIP), WORDS)
