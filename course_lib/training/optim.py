"""How fast to learn: schedules of the learning rate."""

import math
from collections.abc import Callable


def warmup_then_cosine(warmup: float = 0.05, end: float = 0.0) -> Callable[[float], float]:
    """A schedule: rise from 0 during `warmup` (a share of the run), then fall along a cosine to `end`.

    Args:
        warmup: share of the run, from 0 to 1.
        end: the last factor.

    Returns:
        progress from 0 to 1 → factor on the peak learning rate.

    Raises:
        ValueError: a share outside 0 to 1.
    """
    if not 0 <= warmup <= 1:
        raise ValueError(f"warmup is {warmup}, expected a share of the run, 0 to 1: is it in steps?")

    def factor(progress: float) -> float:
        if progress < warmup:
            return (progress + 1e-3) / (warmup + 1e-3)
        along = (progress - warmup) / max(1 - warmup, 1e-9)
        return end + (1 - end) * 0.5 * (1 + math.cos(math.pi * min(along, 1.0)))

    return factor
