"""Run a learner's function once, safely: on copies, with a time limit, and with every mishap written down.

What can go wrong in somebody's code is not an error of the course. So nothing here raises, except
``KeyboardInterrupt``: the learner's own "stop" always gets through.
"""

from __future__ import annotations

import contextlib
import copy
import dis
import inspect
import io
import itertools
import linecache
import os
import sysconfig
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from types import FrameType
from typing import Any

import torch
from torch import nn

from course_lib.practice.forms import text_of
from course_lib.practice.limits import TimeIsUp, call_with_limit

_COURSE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_LIBRARIES = tuple({sysconfig.get_paths()[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")})


@dataclass(frozen=True)
class Outcome:
    """What one call did: a value, or an error, or a time-out; and what it left behind.

    ``left_running``: the time was up inside one operation that cannot be interrupted.
    """

    value: Any = None
    error: BaseException | None = None
    timed_out: bool = False
    left_running: bool = False
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
    value, error, line, timed_out, left_running = None, None, None, False, False
    with warnings.catch_warnings(record=True) as warned, contextlib.redirect_stdout(printed):
        warnings.simplefilter("always")
        try:
            value = call_with_limit(function, given, seconds)
        except TimeIsUp as stop:
            timed_out, left_running = True, stop.frame is not None
            line = line_of_frame(stop.frame) if stop.frame is not None else learner_line(stop)
        except KeyboardInterrupt:
            raise
        except BaseException as mishap:
            error, line = mishap, learner_line(mishap)
    changed = ()
    if not timed_out:
        pairs = enumerate(zip(args, given, strict=True))
        changed = tuple(i for i, (a, b) in pairs if not surely_untouched(a, b))
    return Outcome(
        value=value,
        error=error,
        timed_out=timed_out,
        left_running=left_running,
        line=line,
        printed=printed.getvalue(),
        warned=tuple(dict.fromkeys(text_of(w.message) for w in warned)),
        changed=changed,
    )


def run_ours(function: Callable[..., Any], args: tuple[Any, ...]) -> Outcome:
    """Call a function of the course on copies of ``args``: it ends, and what it leaves behind is known."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return Outcome(function(*(clone(a) for a in args)))
    except Exception as mishap:
        return Outcome(error=mishap)


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


def surely_untouched(before: Any, after: Any) -> bool:
    """``untouched``; False where even looking at ``after`` fails."""
    try:
        return untouched(before, after)
    except Exception:
        return False


def untouched(before: Any, after: Any) -> bool:
    """True if ``after``, given to a function as a copy of ``before``, still equals it."""
    if isinstance(before, torch.Tensor):
        same_shape = isinstance(after, torch.Tensor) and before.shape == after.shape
        return same_shape and before.dtype == after.dtype and bool(torch.equal(before, after.detach()))
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


def line_of_frame(frame: FrameType) -> tuple[int, str] | None:
    """Number and text of the learner's line in which a running function stands, or None."""
    for caller, number in traceback.walk_stack(frame):
        name = caller.f_code.co_filename
        if is_learners(name):
            return number, linecache.getline(name, number, caller.f_globals).strip()
    return None


def raised_by_the_learner(error: BaseException) -> bool:
    """True if a ``raise`` in the learner's own code made the error, and no operation that failed there."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    if last is None or not is_learners(last.tb_frame.f_code.co_filename):
        return False
    return last.tb_frame.f_code.co_code[last.tb_lasti] == dis.opmap["RAISE_VARARGS"]


@lru_cache(maxsize=1000)  # asked for each frame of each error
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


def returns_something(function: Callable[..., Any]) -> bool:
    """True if the function's code holds a ``return`` with something behind it."""
    code = getattr(function, "__code__", None)
    if code is None:
        return False
    for before, step in itertools.pairwise(dis.get_instructions(code)):
        if step.opname == "RETURN_CONST" and step.argval is not None:
            return True
        if step.opname == "RETURN_VALUE" and not (before.opname == "LOAD_CONST" and before.argval is None):
            return True
    return False


def source(error: BaseException) -> str:
    """What the learner wrote around the lines that lead to an error; empty where Python does not know it.

    A lambda is passed over: its lines may hold others as well. A function that calls itself is there once.
    """
    found = []
    for code in dict.fromkeys(frame.f_code for frame, _ in traceback.walk_tb(error.__traceback__)):
        if is_learners(code.co_filename) and code.co_name != "<lambda>":
            with contextlib.suppress(Exception):  # made by exec
                found.append(inspect.getsource(code))
    return "\n".join(found)


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
