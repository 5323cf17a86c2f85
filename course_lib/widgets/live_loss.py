"""LiveLoss: the training curve while it grows. Give it to a training loop as its callback.

    live = LiveLoss(total_steps=400, floor=0.31)
    train(model, batches, loss_of, steps=400, on_step=live)     # calls live(step, loss)

It shows itself at the first step. When training ends, by itself or interrupted, the finished curve replaces
the first picture in the saved page. A step number that does not rise begins a new training, and a new curve.
`baselines={"bigram": 1.9, "ln V": 4.6}` are losses to compare it with.
"""

import math
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import anywidget
import traitlets

from course_lib.viz import curves
from course_lib.viz.still import Still
from course_lib.widgets.front import script, styles, with_still

SECONDS_BETWEEN_UPDATES = 0.1
MOST_POINTS = 400


class LiveLoss(anywidget.AnyWidget):
    """A growing loss curve: `live(step, loss)` adds a point, at most ten times a second it is sent.

    `state` is "waiting", "training", "done", or "stopped" (fewer steps than planned).
    """

    _esm = script("live_loss", "controls")
    _css = styles()

    title = traitlets.Unicode().tag(sync=True)
    total_steps = traitlets.Int().tag(sync=True)
    floor = traitlets.Float(None, allow_none=True).tag(sync=True)
    baselines = traitlets.List().tag(sync=True)  # [name, loss] pairs
    points = traitlets.List().tag(sync=True)  # [step, loss] pairs, neighbours merged beyond MOST_POINTS
    state = traitlets.Unicode("waiting").tag(sync=True)
    note = traitlets.Unicode().tag(sync=True)

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
        if int(total_steps) < 1:
            raise ValueError(f"total_steps is {total_steps}; expected at least 1")
        lines = {str(name): float(loss) for name, loss in (baselines or {}).items()}
        for name, loss in lines.items():
            if not math.isfinite(loss):
                raise ValueError(
                    f"baselines[{name!r}] is {loss}, expected a finite loss: in nats, as the curve's"
                )
        self._begin()
        self._output = None  # the notebook output that shows this view, in the cell that trains
        super().__init__(
            total_steps=int(total_steps),
            title=title,
            floor=None if floor is None else float(floor),
            baselines=[[name, loss] for name, loss in lines.items()],
        )

    def __call__(self, step: int, loss: float) -> None:
        """Add one point. Costs some microseconds; ten times a second, less than a millisecond more."""
        step, loss = int(step), float(loss)
        if step <= self._last_step:
            self._begin()
        if self._output is None:
            self._show()
        self._last_step = step
        if not math.isfinite(loss):
            self.note = self.note or f"loss is {loss} at step {step}"
            return
        self._keep(step, loss)
        now = time.monotonic()
        if now - self._sent >= SECONDS_BETWEEN_UPDATES:
            self._sent = now
            self._send_points("training")
        if step >= self.total_steps:
            self.finish()

    def finish(self) -> None:
        """Send the last points and put the finished curve into the saved page. Twice is harmless."""
        state = "done" if self._last_step >= self.total_steps - 1 else "stopped"
        if self._kept:
            self._send_points(state)
        elif not self.note:
            return  # nothing was trained: the first picture already says so
        if self._output is not None and self._output is not NOWHERE:
            data, metadata = self._repr_mimebundle_()
            self._output.update(data, raw=True, metadata=metadata)

    def _begin(self) -> None:
        """An empty curve."""
        self._kept: list[list[float]] = []  # [step, loss, how many steps are merged in it]
        self._merge, self._last_step, self._sent = 1, 0, -math.inf
        self.note = ""

    def still(self) -> Still:
        """The curve as it is now."""
        words = {
            "done": "",
            "waiting": "",
            "training": f"step {self._last_step} of {self.total_steps}",
            "stopped": f"stopped at step {self._last_step} of {self.total_steps}",
        }
        state = " · ".join(filter(None, [words[self.state], self.note]))
        steps, losses = zip(*((s, v) for s, v, _ in self._kept), strict=True) if self._kept else ((), ())
        return curves.live_curve(
            steps,
            losses,
            title=self.title,
            total_steps=self.total_steps,
            floor=self.floor,
            baselines=dict(self.baselines),
            state=state,
        )

    def __enter__(self) -> "LiveLoss":
        if self._output is None:
            self._show()
        return self

    def __exit__(self, *error) -> None:
        self.finish()

    def _keep(self, step: int, loss: float) -> None:
        """Keep at most MOST_POINTS points: when there are more, neighbours are merged into their mean."""
        alone = 1 if self.baselines else 0  # beside ln V the first step must be what it was
        last = self._kept[-1] if len(self._kept) > alone else None
        if last is not None and last[2] < self._merge:
            n = last[2]
            last[:] = [(last[0] * n + step) / (n + 1), (last[1] * n + loss) / (n + 1), n + 1]
        else:
            self._kept.append([step, loss, 1])
        if len(self._kept) > MOST_POINTS:
            first, kept = self._kept[:alone], self._kept[alone:]
            pairs = zip(kept[::2], kept[1::2], strict=False)
            odd = kept[-1:] if len(kept) % 2 else []
            self._kept = first + [_mean(a, b) for a, b in pairs] + odd
            self._merge *= 2

    def _send_points(self, state: str) -> None:
        with self.hold_sync():
            self.points = [[round(step, 1), float(f"{loss:.5g}")] for step, loss, _ in self._kept]
            self.state = state

    # The output: one display that is filled again at the end.

    def _ipython_display_(self, **kwargs) -> None:
        self._show()

    def _show(self) -> None:
        """Show the view in the running cell, and watch for the end of the cell that trains."""
        self._output = NOWHERE
        shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
        if shell is None:
            return  # a script or a test: there is nothing to show it in
        from IPython.display import display

        data, metadata = self._repr_mimebundle_()
        self._output = display(data, raw=True, metadata=metadata, display_id=True) or NOWHERE

        def after_a_cell(*_) -> None:
            if self._kept or self.note:
                shell.events.unregister("post_run_cell", after_a_cell)
                with undisturbed():
                    self.finish()
                self._output = None  # a training in another cell is shown there

        shell.events.register("post_run_cell", after_a_cell)

    def _repr_mimebundle_(self, **kwargs) -> tuple[dict, dict]:
        return with_still(super()._repr_mimebundle_(**kwargs), self.still())


@contextmanager
def undisturbed() -> Iterator[None]:
    """Inside the block Kernel → Interrupt has nothing to interrupt: training has ended."""
    try:
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    except ValueError:  # not the main thread: no interrupt arrives here
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


NOWHERE = object()  # shown, but not in a notebook


def _mean(a: list[float], b: list[float]) -> list[float]:
    n = a[2] + b[2]
    return [(a[0] * a[2] + b[0] * b[2]) / n, (a[1] * a[2] + b[1] * b[2]) / n, n]
