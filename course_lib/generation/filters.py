"""From logits to one token: what temperature, top-k and top-p do, in this order.

    logits  →  temperature  →  top-k  →  top-p  →  softmax  →  draw

    temperature   logits / temperature: below 1 the likeliest token gains, above 1 all come closer together
    top-k         the k likeliest tokens stay
    top-p         of what is left, the smallest set of likeliest tokens whose probability reaches p stays

A token that is removed gets the logit −∞, so the softmax shares its probability out among those that stay.
The order matters: top-p counts with the probabilities that temperature and top-k have left. Where two tokens
are equally likely and one of them has to go, the one with the lower id stays.

Axes: B batch, V vocabulary.
"""

import math
from numbers import Integral, Real

import torch
from torch import Tensor

ORDER = ("temperature", "top-k", "top-p")
COLDEST = 1e-5  # a lower temperature is as 0: the quotients would be too large for a float
ROUNDING = 1e-6  # p is reached where the sum falls short by no more than this share of it


def draw(
    logits: Tensor,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    generator: torch.Generator | None = None,
) -> Tensor:
    """One token for each row of logits, drawn after the filters: `(B, V)` to `(B,)`.

    Args:
        logits: scores of the next token; −∞ for a token that cannot come.
        temperature: logits are divided by it; 0 always takes the likeliest token (of several, the first).
        top_k: so many likeliest tokens stay; None, or more than V: all of them.
        top_p: the smallest set of likeliest tokens whose probability reaches this stays; None or 1: all.
        generator: source of the draw.

    Raises:
        ValueError: logits that are not `(B, V)`, a setting out of its range, or logits from which nothing can
            be drawn.

    Source: temperature: Holtzman et al. 2020, eq. 4; top-k: Fan et al. 2018, section 5.4; top-p: Holtzman et
    al. 2020 (nucleus sampling), section 3.1.
    """
    check_settings(temperature, top_k, top_p)
    if logits.dim() != 2:
        raise ValueError(
            f"logits has shape {tuple(logits.shape)}, expected (B, V): one row a text; for one text write "
            "logits[None]"
        )
    if temperature < COLDEST:
        best, ids = logits.max(-1)  # (B,) each; of several, the first; NaN is above all
        _check_best(best)
        return ids
    *_, last = staged(logits, temperature, top_k, top_p)  # (B, V)
    try:
        return torch.multinomial(last.softmax(-1), 1, generator=generator)[:, 0]
    except RuntimeError:
        _check_best(last.amax(-1))
        raise


def _check_best(best: Tensor) -> None:
    """The largest logit of each row, `(B,)`, is a number: NaN is above all others, −∞ below."""
    if not best.isfinite().all():
        raise ValueError(
            "logits hold NaN or +∞, or nothing but −∞ in a row, expected numbers: has the training "
            "diverged, or does a mask forbid every token?"
        )


def staged(logits: Tensor, temperature: float, top_k: int | None, top_p: float | None) -> tuple[Tensor, ...]:
    """The logits after each stage of `ORDER`, three times `(B, V)`; the settings as for `draw`."""
    cooled = with_temperature(logits, temperature)
    among_k = cooled if top_k is None else keep_top_k(cooled, top_k)
    return cooled, among_k, among_k if top_p is None else keep_top_p(among_k, top_p)


def with_temperature(logits: Tensor, temperature: float) -> Tensor:
    """Logits divided by the temperature; with 0 only the likeliest token (of several, the first) stays."""
    if temperature >= COLDEST:
        # Half the digits are too few for sums over a vocabulary; what has more of them stays as it is.
        return logits.to(torch.promote_types(logits.dtype, torch.float32)) / temperature
    return keep_only(logits, torch.zeros_like(logits, dtype=torch.bool).scatter(-1, likeliest(logits), True))


def keep_top_k(logits: Tensor, k: int) -> Tensor:
    """The k largest logits of each row `(B, V)` stay, exactly k of them; the others become −∞."""
    if k >= logits.shape[-1]:
        return logits
    smallest = logits.topk(k).values[:, -1:]  # (B, 1), of those that stay
    above, level = ~(logits <= smallest), logits == smallest  # NaN stays, to be noticed
    room = k - above.sum(-1, keepdim=True)  # (B, 1): so many of the equal ones stay
    return keep_only(logits, above | (level & (level.cumsum(-1) <= room)))


def keep_top_p(logits: Tensor, p: float) -> Tensor:
    """The smallest set of likeliest tokens whose probability reaches p stays, in each row `(B, V)`.

    A token stays as long as those before it have not reached p: the one that crosses p stays, and so does the
    likeliest one, always. With p = 0.9, of 0.5, 0.41 and 0.09 two stay.
    """
    if p == 1:
        return logits
    order = logits.sort(dim=-1, descending=True, stable=True).indices  # (B, V): of equals the lower id first
    probabilities = logits.softmax(-1).gather(-1, order)  # (B, V)
    before = probabilities.cumsum(-1) - probabilities  # (B, V): 0 for the likeliest
    stays = before < p * (1 - ROUNDING)
    return keep_only(logits, torch.zeros_like(stays).scatter(-1, order, stays))  # in the order of the ids


def keep_only(logits: Tensor, stays: Tensor) -> Tensor:
    """The logit of every other token becomes −∞."""
    return logits.masked_fill(~stays, -torch.inf)


def likeliest(logits: Tensor) -> Tensor:
    """Its id, `(B, V)` to `(B, 1)`; of several equally likely tokens the first."""
    return logits.argmax(-1, keepdim=True)


def check_settings(temperature: float, top_k: int | None, top_p: float | None) -> None:
    """Settings that have a meaning; see `draw`.

    Raises:
        ValueError: a temperature that is negative or not finite, a `top_k` that is not a whole number of at
            least 1, or a `top_p` that is not above 0 and at most 1.
    """
    if not _number(temperature, Real) or not 0 <= temperature < math.inf:
        raise ValueError(f"temperature is {temperature}, expected 0 or more: 0 takes the likeliest token")
    if top_k is not None and (not _number(top_k, Integral) or top_k < 1):
        raise ValueError(
            f"top_k is {top_k}, expected a whole number of at least 1: so many tokens stay; None keeps all"
        )
    if top_p is not None and (not _number(top_p, Real) or not 0 < top_p <= 1):
        raise ValueError(
            f"top_p is {top_p}, expected above 0 and at most 1: the share of the probability that stays; 1 "
            "or None keeps all, and temperature 0 or top_k 1 keeps the likeliest token alone"
        )


def _number(value: object, kind: type) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)
