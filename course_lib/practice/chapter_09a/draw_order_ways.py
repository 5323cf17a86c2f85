"""09a.draw-order: other orders, other filters."""

import torch

from course_lib.practice.chapter_09a.draw_order_words import WORDS
from course_lib.practice.two_slips import listed, of_parts, single


def divided(kept):
    return kept / kept.sum(-1, keepdim=True)


def cool(logits, temperature):
    return logits / temperature


def mask(logits, k):
    """The k largest of each row."""
    k = min(max(k, 1), logits.shape[-1])
    return logits >= logits.topk(k).values[:, -1:]


def among(logits, k):
    return logits.masked_fill(~mask(logits, k), -torch.inf)


def made(
    temperature=cool,
    top_k=among,
    share=lambda scores: scores.softmax(-1),
    filtered=lambda top_p, probabilities, p: top_p(probabilities, p),
):
    """Another temperature, another top-k, another softmax, another top-p; the order is right."""

    def chances(logits, t, k, p, top_p):
        return filtered(top_p, share(top_k(temperature(logits, t), k)), p)

    return chances


def powered(probabilities, temperature):
    return divided(probabilities ** (1 / temperature))


def top_p_first(logits, t, k, p, top_p):
    """Top-p counts with what top-k has not touched."""
    cooled = logits / t
    return divided(top_p(cooled.softmax(-1), p) * mask(cooled, k))


def top_p_before_temperature(logits, t, k, p, top_p):
    stays = top_p(among(logits, k).softmax(-1), p) > 0
    return (logits / t).masked_fill(~stays, -torch.inf).softmax(-1)


def turned_round(logits, t, k, p, top_p):
    """Top-p, then top-k, then temperature."""
    return powered(divided(top_p(logits.softmax(-1), p) * mask(logits, k)), t)


def best(logits, k):
    """The k largest alone, without their columns."""
    return logits.topk(min(k, logits.shape[-1])).values


def all_rows(logits, k):
    return logits.masked_fill(logits < logits.flatten().topk(min(k, logits.numel())).values[-1], -torch.inf)


def smallest(logits, k):
    return -among(-logits, k).masked_fill(~mask(-logits, k), torch.inf)


def one_more(logits, k):
    return among(logits, k + 1)


def above_the_kth(logits, k):
    """`>` drops the k-th itself; where nothing is left the first one stays."""
    stays = (logits > logits.topk(min(k, logits.shape[-1])).values[:, -1:]) | mask(logits, 1)
    return logits.masked_fill(~stays, -torch.inf)


PARTS = {
    "temperature": {
        "temperature-unused": lambda logits, t: logits,
        "temperature-times": lambda logits, t: logits * t,
        "temperature-twice": lambda logits, t: logits / t / t,
        "temperature-root": lambda logits, t: logits / t**0.5,
    },
    "top_k": {
        "top-k-unused": lambda logits, k: logits,
        "one-too-many": one_more,
        "one-too-few": (above_the_kth, lambda logits, k: among(logits, k - 1)),
        "zero-for-infinity": lambda logits, k: logits.masked_fill(~mask(logits, k), 0.0),
        "not-low-enough": tuple(
            lambda logits, k, low=low: logits.masked_fill(~mask(logits, k), low)
            for low in (-1.0, -10.0, -100.0)
        ),
        "smallest-k": smallest,
        "kth-from-below": lambda logits, k: logits.masked_fill(
            logits < logits.sort(-1).values[:, min(k, logits.shape[-1]) - 1, None], -torch.inf
        ),
        "one-k-for-the-batch": all_rows,
        "first-k-ids": lambda logits, k: logits.masked_fill(torch.arange(logits.shape[-1]) >= k, -torch.inf),
    },
    "share": {
        "softmax-over-batch": lambda scores: scores.softmax(0).nan_to_num(0.0),
        "softmax-twice": (
            lambda scores: scores.softmax(-1).softmax(-1),
            lambda scores: scores.softmax(-1).masked_fill(scores == -torch.inf, -torch.inf).softmax(-1),
        ),
    },
    "filtered": {
        "top-p-unused": lambda top_p, probabilities, p: probabilities,
        "one-minus-p": lambda top_p, probabilities, p: top_p(probabilities, 1 - p),
        "softmax-behind": (
            lambda top_p, probabilities, p: top_p(probabilities, p).softmax(-1),
            lambda top_p, probabilities, p: hidden(top_p(probabilities, p)).softmax(-1),
        ),
    },
}


def hidden(kept):
    return kept.masked_fill(kept == 0, -torch.inf)


def temperature_on_probabilities(logits, t, k, p, top_p):
    """p ** (1 / T) without a division: the sums are no longer 1 when top-p counts."""
    return top_p(among(logits, k).softmax(-1) ** (1 / t), p)


def softmax_of_quotients(logits, t, k, p, top_p):
    return top_p(among(logits.softmax(-1) / t, k).softmax(-1), p)


WAYS = {
    **single(PARTS, made),
    "top-p-before-top-k": (
        top_p_first,
        lambda logits, t, k, p, top_p: divided(among_shares(top_p((logits / t).softmax(-1), p), k)),
    ),
    "top-p-before-top-k-kept": lambda logits, t, k, p, top_p: (
        top_p((logits / t).softmax(-1), p) * mask(logits, k)
    ),
    "top-p-before-temperature": top_p_before_temperature,
    "order-turned-round": turned_round,
    "temperature-on-probabilities": (
        temperature_on_probabilities,
        softmax_of_quotients,
        lambda logits, t, k, p, top_p: top_p(logits.softmax(-1) ** (1 / t) * mask(logits, k), p),
    ),
    "k-columns": (
        lambda logits, t, k, p, top_p: top_p(best(logits / t, k).softmax(-1), p),
        lambda logits, t, k, p, top_p: top_p(divided(best((logits / t).softmax(-1), k)), p),
        lambda logits, t, k, p, top_p: top_p(best((logits / t).softmax(-1), k), p),
    ),
    "scores-to-top-p": lambda logits, t, k, p, top_p: top_p(logits / t, p),
    "top-k-of-the-softmax-kept": lambda logits, t, k, p, top_p: (logits / t).softmax(-1) * mask(logits, k),
}


def among_shares(shares, k):
    return shares * mask(shares, k)


PAIRS = of_parts(listed(PARTS, made), WORDS)
