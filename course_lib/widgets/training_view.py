"""What the pictures of a training share: they grow while it runs; the finished one stays in the saved page.

A view shows itself at the first step. When training ends, by itself or interrupted, the finished picture
replaces the first one. A step number that does not rise begins a new training, and a new picture.
"""

import math
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import anywidget
import traitlets

from course_lib.viz.still import Still
from course_lib.widgets.front import with_still

SECONDS_BETWEEN_UPDATES = 0.1
MOST_POINTS = 400


class TrainingView(anywidget.AnyWidget):
    """Curves over steps: `keep(step, *numbers)` adds a point to each, at most ten times a second it is sent.

    `state` is "waiting", "training", "done", or "stopped" (fewer steps than planned).
    """

    title = traitlets.Unicode().tag(sync=True)
    total_steps = traitlets.Int().tag(sync=True)
    points = traitlets.List().tag(sync=True)  # [step, numbers…], neighbours merged beyond MOST_POINTS
    state = traitlets.Unicode("waiting").tag(sync=True)
    note = traitlets.Unicode().tag(sync=True)

    alone = 0  # so many points at the start are drawn as they were, never as a mean of several

    def __init__(self, total_steps: int, **state):
        """total_steps: how long the x axis is. state: traits as they are at first."""
        if int(total_steps) < 1:
            raise ValueError(f"total_steps is {total_steps}; expected at least 1")
        self._begin()
        self._output = None  # the notebook output that shows this view, in the cell that trains
        self._stored = None  # what the finished picture in it shows
        super().__init__(total_steps=int(total_steps), **state)

    def still(self) -> Still:
        """The picture as it is now."""
        raise NotImplementedError

    def finish(self) -> None:
        """Send the last points and put the finished picture into the saved page. Twice costs nothing."""
        state = "done" if self._last_step >= self.total_steps - 1 else "stopped"
        if self._kept:
            self._send_points(state)
        elif not self.note:
            return  # nothing was trained: the first picture already says so
        if self._output is None or self._output is NOWHERE:
            return
        seen = self._last_step, self.get_state()
        if seen != self._stored:  # at the last step, and once more when the cell ends
            data, metadata = self._repr_mimebundle_()
            self._output.update(data, raw=True, metadata=metadata)
            self._stored = seen

    def __enter__(self):
        if self._output is None:
            self._show()
        return self

    def __exit__(self, *error) -> None:
        self.finish()

    def add(self, step: int, names: Sequence[str], numbers: Sequence[float]) -> None:
        """Add one point. Costs some microseconds; ten times a second, less than a millisecond more.

        names: what the numbers are, for the note that says which of them is none.
        """
        step, numbers = int(step), [float(number) for number in numbers]
        if step <= self._last_step:
            self._begin()
        if self._output is None:
            self._show()
        self._last_step = step
        for name, number in zip(names, numbers, strict=True):
            if not math.isfinite(number):
                self.note = self.note or f"{name} is {number} at step {step}"
                return
        self._keep([step, *numbers])
        now = time.monotonic()
        if now - self._sent >= SECONDS_BETWEEN_UPDATES:
            self._sent = now
            self._send_points("training")
        if step >= self.total_steps:
            self.finish()

    def words(self) -> str:
        """Where the training stands, and what went wrong."""
        words = {
            "done": "",
            "waiting": "",
            "training": f"step {self._last_step} of {self.total_steps}",
            "stopped": f"stopped at step {self._last_step} of {self.total_steps}",
        }
        return " · ".join(filter(None, [words[self.state], self.note]))

    def _begin(self) -> None:
        """An empty picture."""
        self._kept: list[list[float]] = []  # [step, numbers…, how many steps are merged in it]
        self._merge, self._last_step, self._sent = 1, 0, -math.inf
        self.note = ""

    def _keep(self, point: list[float]) -> None:
        """Keep at most MOST_POINTS points: when there are more, neighbours are merged into their mean."""
        alone = self.alone
        last = self._kept[-1] if len(self._kept) > alone else None
        if last is not None and last[-1] < self._merge:
            last[:] = _mean(last, [*point, 1])
        else:
            self._kept.append([*point, 1])
        if len(self._kept) > MOST_POINTS:
            first, kept = self._kept[:alone], self._kept[alone:]
            pairs = zip(kept[::2], kept[1::2], strict=False)
            odd = kept[-1:] if len(kept) % 2 else []
            self._kept = first + [_mean(a, b) for a, b in pairs] + odd
            self._merge *= 2

    def _send_points(self, state: str) -> None:
        with self.hold_sync():
            self.points = [[round(p[0], 1), *(float(f"{n:.5g}") for n in p[1:-1])] for p in self._kept]
            self.state = state

    # The output: one display that is filled again at the end.

    def _ipython_display_(self, **kwargs) -> None:
        self._show()

    def _show(self) -> None:
        """Show the view in the running cell, and watch for the end of the cell that trains."""
        self._output, self._stored = NOWHERE, None
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
    """Of two points, each as often as it has steps."""
    n = a[-1] + b[-1]
    return [*((x * a[-1] + y * b[-1]) / n for x, y in zip(a[:-1], b[:-1], strict=True)), n]
