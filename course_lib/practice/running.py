"""Run a learner's function once, safely: on copies, with a time limit, and with every mishap written down.

What can go wrong in somebody's code is not an error of the course. So nothing here raises, except
``KeyboardInterrupt``: the learner's own "stop" always gets through.
"""

from __future__ import annotations

import contextlib
import copy
import ctypes
import dis
import io
import itertools
import linecache
import os
import signal
import sysconfig
import threading
import time
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

_COURSE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_LIBRARIES = tuple({sysconfig.get_paths()[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")})


class TimeIsUp(BaseException):
    """Raised inside a function that runs too long. No Exception: ``except Exception`` must not eat it."""


@dataclass(frozen=True)
class Outcome:
    """What one call did: a value, or an error, or a time-out; and what it left behind."""

    value: Any = None
    error: BaseException | None = None
    timed_out: bool = False
    line: tuple[int, str] | None = None
    printed: str = ""
    warned: tuple[str, ...] = ()
    changed: tuple[int, ...] = ()


def run(function: Callable[..., Any], args: tuple[Any, ...], seconds: float) -> Outcome:
    """Call ``function`` on copies of ``args`` for at most ``seconds``.

    Returns an Outcome. ``changed`` holds the positions of the arguments that the call modified in place.
    Only KeyboardInterrupt gets out.
    """
    given = tuple(clone(a) for a in args)
    printed = io.StringIO()
    value, error, timed_out = None, None, False
    with warnings.catch_warnings(record=True) as warned, contextlib.redirect_stdout(printed):
        warnings.simplefilter("always")
        try:
            value = call_with_limit(function, given, seconds)
        except TimeIsUp as stop:
            error, timed_out = stop, True
        except (Exception, SystemExit) as mishap:
            error = mishap
    return Outcome(
        value=value,
        error=None if timed_out else error,
        timed_out=timed_out,
        line=learner_line(error) if error is not None else None,
        printed=printed.getvalue(),
        warned=tuple(dict.fromkeys(str(w.message) for w in warned)),
        changed=tuple(i for i, (a, b) in enumerate(zip(args, given, strict=True)) if not untouched(a, b)),
    )


def clone(value: Any) -> Any:
    """A copy that shares no memory with ``value``; strides of tensors are kept, functions are passed on."""
    if isinstance(value, torch.Tensor):
        return value.clone()
    if isinstance(value, nn.Module):
        return copy.deepcopy(value)
    if isinstance(value, dict):
        return {key: clone(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)([clone(part) for part in value])
    if isinstance(value, set):
        return set(value)
    return value


def untouched(before: Any, after: Any) -> bool:
    """True if ``after``, given to a function as a copy of ``before``, still equals it."""
    if isinstance(before, torch.Tensor):
        same_shape = isinstance(after, torch.Tensor) and before.shape == after.shape
        return same_shape and bool(torch.equal(before, after.detach()))
    if type(before) is not type(after):
        return False
    if isinstance(before, nn.Module):
        pairs = zip(before.state_dict().values(), after.state_dict().values(), strict=True)
        return all(torch.equal(a, b) for a, b in pairs)
    if isinstance(before, dict):
        return before.keys() == after.keys() and all(untouched(before[key], after[key]) for key in before)
    if isinstance(before, (list, tuple)):
        return len(before) == len(after) and all(map(untouched, before, after))
    return callable(before) or before == after  # no call changes a function


# --- the time limit ---------------------------------------------------------------------------------------


def call_with_limit(function: Callable[..., Any], args: tuple[Any, ...], seconds: float) -> Any:
    """Return ``function(*args)``; raise TimeIsUp inside it after ``seconds``."""
    on_main_thread = threading.current_thread() is threading.main_thread()
    if on_main_thread and hasattr(signal, "setitimer"):
        return _call_with_alarm(function, args, seconds)
    return _call_with_watchdog(function, args, seconds)


def _call_with_alarm(function: Callable[..., Any], args: tuple[Any, ...], seconds: float) -> Any:
    """The limit by SIGALRM. Whatever alarm was running before is put back, less the time used here."""

    def ring(_signal, frame):
        # The alarm repeats, so one that rings in this file (before or after the call) may be let pass.
        if frame is None or frame.f_code.co_filename != __file__:
            raise TimeIsUp

    started = time.monotonic()
    old_handler = signal.signal(signal.SIGALRM, ring)
    old_delay, old_interval = signal.setitimer(signal.ITIMER_REAL, seconds, 0.05)
    try:
        return function(*args)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old_handler if old_handler is not None else signal.SIG_DFL)
        if old_delay:
            left = max(old_delay - (time.monotonic() - started), 0.001)
            signal.setitimer(signal.ITIMER_REAL, left, old_interval)


def _call_with_watchdog(function: Callable[..., Any], args: tuple[Any, ...], seconds: float) -> Any:
    """The limit without SIGALRM (Windows, other threads): a second thread raises TimeIsUp in this one."""
    thread_id = ctypes.c_ulong(threading.get_ident())
    finished, lock = threading.Event(), threading.Lock()

    def watch():
        wait = seconds
        while not finished.wait(wait):
            with lock:
                if not finished.is_set():
                    ctypes.pythonapi.PyThreadState_SetAsyncExc(thread_id, ctypes.py_object(TimeIsUp))
            wait = 0.25

    def call_off():
        with lock:
            finished.set()
        ctypes.pythonapi.PyThreadState_SetAsyncExc(thread_id, None)  # one that was sent but has not arrived

    threading.Thread(target=watch, daemon=True).start()
    try:
        try:
            return function(*args)
        finally:
            call_off()
    except TimeIsUp:
        call_off()  # the first call_off may have been cut short
        raise


# --- where it went wrong, and whether it was written at all -----------------------------------------------


def learner_line(error: BaseException) -> tuple[int, str] | None:
    """Number and text of the last line of the learner's own code in the traceback, or None.

    Lines of the course and of installed libraries are passed over. Works in notebook cells through
    ``linecache``.
    """
    found = None
    for frame, number in traceback.walk_tb(error.__traceback__):
        name = frame.f_code.co_filename
        if is_learners(name):
            found = (number, linecache.getline(name, number, frame.f_globals).strip())
    return found


def is_learners(filename: str) -> bool:
    """True for a notebook cell or a file of the learner; False for the course, Python and packages."""
    if filename.startswith("<frozen") or "site-packages" in filename:
        return False
    path = os.path.abspath(filename)
    return not any(path.startswith(folder + os.sep) for folder in (_COURSE, *_LIBRARIES))


def is_stub(function: Callable[..., Any]) -> bool:
    """True if the body is still empty: a docstring, ``pass``, ``...``, ``return None`` or ``return ...``."""
    code = getattr(function, "__code__", None)
    if code is None:
        return False
    for step in dis.get_instructions(code):
        if step.opname in (
            "RESUME",
            "NOP",
            "RETURN_VALUE",
            "CACHE",
            "COPY_FREE_VARS",
            "MAKE_CELL",
            "NOT_TAKEN",
        ):
            continue
        if step.opname in ("LOAD_CONST", "RETURN_CONST") and step.argval in (None, Ellipsis):
            continue
        return False
    return True


def unfilled_names(function: Callable[..., Any]) -> tuple[str, ...]:
    """Names of local variables that are still set to ``...`` in the function's code."""
    code = getattr(function, "__code__", None)
    if code is None:
        return ()
    steps = list(dis.get_instructions(code))
    return tuple(
        _stored(after)[0]
        for step, after in itertools.pairwise(steps)
        if step.opname == "LOAD_CONST" and step.argval is Ellipsis and _stored(after)
    )


def last_assigned(function: Callable[..., Any]) -> str | None:
    """The local variable that the function's code sets last: most likely the one to return."""
    code = getattr(function, "__code__", None)
    if code is None:
        return None
    names = [name for step in dis.get_instructions(code) for name in _stored(step)]
    return names[-1] if names else None


def _stored(step: dis.Instruction) -> tuple[str, ...]:
    """The local variables that one instruction sets. From Python 3.13 on, one can do two things."""
    if step.opname in ("STORE_FAST", "STORE_DEREF"):
        return (step.argval,)
    if step.opname == "STORE_FAST_LOAD_FAST":
        return step.argval[:1]
    return tuple(step.argval) if step.opname == "STORE_FAST_STORE_FAST" else ()


def uses_print(function: Callable[..., Any]) -> bool:
    code = getattr(function, "__code__", None)
    return code is not None and "print" in code.co_names
