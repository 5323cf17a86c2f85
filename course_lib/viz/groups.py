"""A group of answers to one prompt compared with one another, as GRPO does it: what the live view shows.

The same numbers as `course_lib.training.rewards` gives, in numpy: a view knows no training.

Axes: G answers of one prompt; T tokens of an answer.

Source: Shao et al. 2024 (DeepSeekMath), section 4.1.2; the clip: Schulman et al. 2017, eq. 7.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

CLIP = 0.2  # ε
EQUAL = 1e-6  # rewards that differ by a smaller share of the largest differ by rounding


class Compared(NamedTuple):
    """G rewards and what comes of them."""

    rewards: list[float]
    mean: float
    std: float  # of a sample, with G − 1
    advantages: list[float]  # (reward − mean) / std; all 0 where the rewards are equal
    no_signal: bool  # the rewards are equal: nobody did better


def compare(rewards: Sequence[float]) -> Compared:
    """Rewards of one group to advantages.

    Args:
        rewards: G of them, at least 2.

    Raises:
        ValueError: a group of one, or rewards that are not finite numbers.
    """
    values = np.asarray(rewards, dtype=float)
    if values.ndim != 1 or len(values) < 2:
        raise ValueError(f"rewards has shape {values.shape}, expected (G,) with G at least 2: one an answer")
    if not np.isfinite(values).all():
        raise ValueError(f"rewards are {values.tolist()}, expected finite numbers")
    mean, std = float(values.mean()), float(values.std(ddof=1))
    equal = bool(values.max() - values.min() <= EQUAL * np.abs(values).max())
    advantages = np.zeros_like(values) if equal else (values - mean) / std
    return Compared(values.tolist(), mean, std, advantages.tolist(), equal)


def ratios(log_probs: Sequence[float], old: Sequence[float]) -> list[float]:
    """π(token) / π_old(token) of T tokens, from the log-probabilities of both."""
    return np.exp(np.subtract(log_probs, old)).tolist()


def gain(ratio: float, advantage: float, clip: float = CLIP) -> tuple[float, bool]:
    """What a token gains, `min(ρ Â, clip(ρ, 1 − ε, 1 + ε) Â)`, and whether the clip holds it back.

    A token that is held back has no gradient: this step pushes it no further.
    """
    free, edge = ratio * advantage, min(max(ratio, 1 - clip), 1 + clip) * advantage
    return min(free, edge), edge < free
