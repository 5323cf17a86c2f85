"""A time limit that holds for anything: an endless loop, and one slow operation that cannot be interrupted.

The function runs in a thread of its own. When the time is up, ``TimeIsUp`` is raised inside it, which ends
Python code. Code in C (one huge matrix product) does not hear it before it returns, so the caller stops
waiting, and the thread ends by itself as soon as the operation does.
"""

from __future__ import annotations

import ctypes
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

GRACE = 0.3  # seconds to wait for a function that was told to stop
_STEP = 0.1  # seconds between two tries


class TimeIsUp(BaseException):
    """Raised inside a function that runs too long. No Exception: ``except Exception`` must not eat it.

    Args:
        frame: where the function still is, if it could not be stopped; else None.
    """

    def __init__(self, frame: FrameType | None = None):
        super().__init__()
        self.frame = frame


def call_with_limit(function: Callable[..., Any], args: tuple[Any, ...], seconds: float) -> Any:
    """Return ``function(*args)``, or raise what it raises.

    Raises TimeIsUp after ``seconds``; its ``frame`` is set if the function is still running then.
    """
    done: dict[str, Any] = {}
    finished, lock = threading.Event(), threading.Lock()

    def finish() -> None:
        with lock:
            finished.set()
        ctypes.pythonapi.PyThreadState_SetAsyncExc(_id(threading.get_ident()), None)  # one still on its way

    def work() -> None:
        try:
            try:
                done["value"] = function(*args)
            except BaseException as mishap:
                done["error"] = mishap
            finally:
                finish()
        except BaseException as late:  # the first `finish` may have been cut short
            done.setdefault("error", late)
            finish()

    def stop() -> None:
        with lock:
            if not finished.is_set():
                ctypes.pythonapi.PyThreadState_SetAsyncExc(_id(worker.ident), ctypes.py_object(TimeIsUp))

    def pursue(until: float) -> None:
        """Tell the thread to stop, again and again: a bare ``except:`` may have eaten it."""
        while not finished.is_set() and time.monotonic() < until:
            stop()
            finished.wait(_STEP)

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    end = time.monotonic() + seconds
    try:
        while not finished.wait(min(_STEP, max(end - time.monotonic(), 0.0))):  # short: Ctrl-C gets through
            if time.monotonic() >= end:
                break
        if not finished.is_set():
            pursue(time.monotonic() + GRACE)
    except KeyboardInterrupt:
        stop()
        raise
    if not finished.is_set():
        frame = sys._current_frames().get(worker.ident)
        threading.Thread(target=pursue, args=(time.monotonic() + 60,), daemon=True).start()
        raise TimeIsUp(frame)
    if "error" in done:
        raise done["error"]
    return done["value"]


def _id(number: int | None) -> ctypes.c_ulong:
    return ctypes.c_ulong(number or 0)
