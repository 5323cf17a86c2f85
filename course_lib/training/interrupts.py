"""Kernel → Interrupt during training: the step under way is finished, then training ends.

An interrupt may come at any moment: when half of the parameters have moved, or while a file is being written.
So during training it does not break in; it is noted, and the loop looks at the note between two steps.

On a page the model then keeps what it has learned. A command stores or records what a whole training made,
and half of one would pass for it: inside `all_or_nothing()` an interrupted training raises `Stopped`.
"""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

PATIENCE = 3.0  # seconds; a step that has still not ended is broken off by the next press
ONE_PRESS = 1.0  # seconds; presses that follow so soon after the first one mean the same


_WHOLE = ContextVar("only a whole training is of use", default=False)


class Stopped(KeyboardInterrupt):
    """A training was interrupted where only a whole one is of use.

    Args:
        steps: how many it had taken.
    """

    def __init__(self, steps: int) -> None:
        super().__init__(f"stopped after {steps} steps")
        self.steps = steps


@contextmanager
def all_or_nothing() -> Iterator[None]:
    """Inside the block a training that is interrupted raises `Stopped`; it does not return half a model."""
    before = _WHOLE.set(True)
    try:
        yield
    finally:
        _WHOLE.reset(before)


class Interrupts:
    """Inside `with Interrupts() as stop:` an interrupt (SIGINT) sets `stop.wanted` and does nothing else.

    A second press soon after the first is part of it, even where training has ended in between. Outside the
    main thread Python delivers no signals; there, and where interrupts are ignored anyway, nothing changes.
    """

    def __init__(self) -> None:
        self.wanted = False  # the learner has asked to stop
        self.stepping = True  # the loop sets False when it has left its steps: nothing is broken off any more
        self._inside = False
        self._pressed = 0.0

    def __enter__(self) -> "Interrupts":
        self._inside = True
        self._before = signal.getsignal(signal.SIGINT)
        earlier = getattr(self._before, "__self__", None)
        if isinstance(earlier, Interrupts) and not earlier._inside:  # of a training that was stopped
            self._before = earlier._before
        if threading.current_thread() is threading.main_thread() and callable(self._before):
            signal.signal(signal.SIGINT, self._press)
        return self

    def __exit__(self, *error) -> None:
        self._inside = False
        if not self.wanted and signal.getsignal(signal.SIGINT) == self._press:
            signal.signal(signal.SIGINT, self._before)

    def tell(self, steps: int) -> None:
        """Say that training was stopped, and that the model keeps what it has learned.

        Raises:
            Stopped: inside `all_or_nothing()`.
        """
        if _WHOLE.get():
            raise Stopped(steps)
        print(f"stopped by you after {steps} steps: the model keeps what it has learned so far")

    def _press(self, number, frame) -> None:
        again = self.wanted
        now = time.monotonic()
        if not again:
            self.wanted, self._pressed = True, now
        if isinstance(getattr(self._before, "__self__", None), Interrupts):  # a training inside a training
            self._before(number, frame)
        elif self._inside:
            if again and self.stepping and now - self._pressed > PATIENCE:
                raise KeyboardInterrupt
        elif now - self._pressed > ONE_PRESS:
            signal.signal(signal.SIGINT, self._before)
            self._before(number, frame)
