"""LiveLoss: the training curve while it grows. Give it to a training loop as its callback.

    live = LiveLoss(total_steps=400, floor=0.31)
    train(model, batches, loss_of, steps=400, on_step=live)     # calls live(step, loss)

It shows itself at the first step. When training ends, by itself or interrupted, the finished curve replaces
the first picture in the saved page. A step number that does not rise begins a new training, and a new curve.
`baselines={"bigram": 1.9, "ln V": 4.6}` are losses to compare it with.
"""

import math
from collections.abc import Mapping

import traitlets

from course_lib.viz import curves
from course_lib.viz.still import Still
from course_lib.widgets.front import script, styles
from course_lib.widgets.training_view import TrainingView


class LiveLoss(TrainingView):
    """A growing loss curve: `live(step, loss)` adds a point, at most ten times a second it is sent.

    `state` is "waiting", "training", "done", or "stopped" (fewer steps than planned).
    """

    _esm = script("live_loss", "controls", "training/axes")
    _css = styles()

    floor = traitlets.Float(None, allow_none=True).tag(sync=True)
    baselines = traitlets.List().tag(sync=True)  # [name, loss] pairs

    def __init__(
        self,
        total_steps: int,
        *,
        title: str = "loss",
        floor: float | None = None,
        baselines: Mapping[str, float] | None = None,
    ):
        """total_steps: how long the x axis is. floor: the loss nobody can beat, drawn as a dashed line.

        baselines: name -> loss of a guess to compare with (counted words, ln V), drawn as a dotted line; the
        y axis reaches the highest, and the first step is drawn as it was, never as a mean of several.
        Raises ValueError for no steps, or a baseline that is no finite number.
        """
        lines = {str(name): float(loss) for name, loss in (baselines or {}).items()}
        for name, loss in lines.items():
            if not math.isfinite(loss):
                raise ValueError(
                    f"baselines[{name!r}] is {loss}, expected a finite loss: in nats, as the curve's"
                )
        self.alone = 1 if lines else 0  # beside ln V the first step must be what it was
        super().__init__(
            total_steps,
            title=title,
            floor=None if floor is None else float(floor),
            baselines=[[name, loss] for name, loss in lines.items()],
        )

    def __call__(self, step: int, loss: float) -> None:
        """Add one point. Costs some microseconds; ten times a second, less than a millisecond more."""
        self.add(step, ("loss",), (loss,))

    def still(self) -> Still:
        """The curve as it is now."""
        steps, losses = zip(*((s, v) for s, v, _ in self._kept), strict=True) if self._kept else ((), ())
        return curves.live_curve(
            steps,
            losses,
            title=self.title,
            total_steps=self.total_steps,
            floor=self.floor,
            baselines=dict(self.baselines),
            state=self.words(),
        )
