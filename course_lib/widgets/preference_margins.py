"""PreferenceMargins: rewards, margins and the loss while DPO trains. Give it to `dpo_epoch` as its callback.

    watch = PreferenceMargins(n_steps, beta)
    dpo_epoch(policy, reference, pairs, optimizer, beta=beta, on_step=watch)   # calls watch(step, DPOStep)

A strip of named pairs moves beside it, where they are given:

    some = {"where is anna?": pairs[0], "who has the ball?": pairs[1]}
    margins = lambda: zip(some, dpo_margins(policy, reference, list(some.values()), beta=beta))
    watch = PreferenceMargins(n_steps, beta, pairs=margins)

It is shown, finished and interrupted as `LiveLoss` is.
"""

import math
import time
from collections.abc import Callable, Iterable
from typing import Protocol

import traitlets

from course_lib.viz.diagrams.preference_margins import preference_margins
from course_lib.viz.still import Still, shown
from course_lib.widgets.front import script, styles
from course_lib.widgets.training_view import TrainingView

SECONDS_BETWEEN_PAIRS = 0.5  # to ask for their margins costs a pass through two models
MOST_PAIRS = 12
NAMES = ("chosen", "rejected", "margin", "loss")

Margins = Iterable[tuple[str, float]]  # label, margin


class DPONumbers(Protocol):
    """What is drawn of a step: `training.post_training.DPOStep` has them."""

    loss: float
    margin: float
    chosen: float
    rejected: float


class PreferenceMargins(TrainingView):
    """Growing curves of DPO: `watch(step, DPOStep)` adds a point, at most ten times a second it is sent.

    What DPO says of step n was measured before it, so it is drawn at n − 1 steps done: the first point is
    that of the untrained policy, where every reward is 0 and the loss ln 2. `state` is as of `LiveLoss`.
    """

    _esm = script("preference_margins", "controls", "training/axes")
    _css = styles()

    beta = traitlets.Float().tag(sync=True)
    pairs = traitlets.List().tag(sync=True)  # [label, margin at first, margin now]

    alone = 1  # ln 2 must be what it was

    def __init__(
        self,
        n_steps: int,
        beta: float,
        pairs: Margins | Callable[[], Margins] | None = None,
        *,
        title: str = "DPO: what the policy prefers",
    ):
        """n_steps: how long the x axis is. beta: β of the loss; it is named at the axis of the rewards.

        pairs: (label, margin) of up to 12 pairs; or a function that gives them, which is asked at the first
        step, then twice a second, and at the end. `move` moves them by hand.
        Raises ValueError for no steps, β not above 0, too many pairs, or a margin that is no finite number.
        """
        if not (math.isfinite(beta) and beta > 0):
            raise ValueError(f"beta is {beta}, expected a finite number above 0")
        self._margins = pairs if callable(pairs) else None
        self._asked = -math.inf
        super().__init__(n_steps, title=title, beta=float(beta))
        if pairs is not None and self._margins is None:
            self.move(pairs)

    def __call__(self, step: int, numbers: DPONumbers) -> None:
        """Add one point to each curve.

        Args:
            step: from 1, as `dpo_epoch` counts; one that does not rise begins a new picture.
            numbers: of this step: "chosen", "rejected", "margin", "loss".
        """
        if int(step) <= self._last_step:
            self.pairs, self._asked = [], -math.inf
        if self._margins is not None and time.monotonic() - self._asked >= SECONDS_BETWEEN_PAIRS:
            self.move(self._margins())
            self._asked = time.monotonic()
        self.add(step, NAMES, [getattr(numbers, name) for name in NAMES])

    def move(self, pairs: Margins) -> None:
        """Move the dots of named pairs: (label, margin). A label that is new gets a dot where it is."""
        first = {label: start for label, start, _ in self.pairs}
        moved = [(shown(label), float(margin)) for label, margin in pairs]
        if len(moved) > MOST_PAIRS:
            raise ValueError(f"pairs has {len(moved)} entries, expected at most {MOST_PAIRS}: a handful")
        wrong = [(label, margin) for label, margin in moved if not math.isfinite(margin)]
        if wrong:
            raise ValueError(f"pairs has {wrong[0][1]} for {wrong[0][0]!r}, expected a finite margin")
        self.pairs = [[label, first.get(label, margin), margin] for label, margin in moved]

    def finish(self) -> None:
        """Send the last points and put the finished picture into the saved page. Twice costs nothing."""
        if self._margins is not None and self._kept and self._asked < math.inf:
            self._asked = math.inf  # once
            self.move(self._margins())
        super().finish()

    def still(self) -> Still:
        """The curves as they are now."""
        return preference_margins(
            [point[:-1] for point in self._kept],
            self.pairs,
            beta=self.beta,
            total_steps=self.total_steps,
            state=self.words(),
            title=self.title,
        )
