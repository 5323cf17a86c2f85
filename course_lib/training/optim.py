"""How fast to learn: schedules of the learning rate."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class WarmupThenCosine:
    """A schedule: rise from 0 during `warmup`, then fall along a cosine to `end`.

    Calling it takes the progress, from 0 to 1, to the factor on the peak learning rate.

    Args:
        warmup: share of the run, from 0 to 1.
        end: the last factor.

    Raises:
        ValueError: a share outside 0 to 1.
    """

    warmup: float = 0.05
    end: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.warmup <= 1:
            raise ValueError(f"warmup is {self.warmup}, expected a share of the run, 0 to 1: is it in steps?")

    def __call__(self, progress: float) -> float:
        if progress < self.warmup:
            return (progress + 1e-3) / (self.warmup + 1e-3)
        along = (progress - self.warmup) / max(1 - self.warmup, 1e-9)
        return self.end + (1 - self.end) * 0.5 * (1 + math.cos(math.pi * min(along, 1.0)))
