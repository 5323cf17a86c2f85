"""Promises about a training result, checked where the result is made.

A page does not print measured decimals: they differ from machine to machine. It prints the promise and
whether it holds, and the measured value only where it does not.
"""

from course_lib.training.loop import is_fast


def at_most(what: str, value: float, limit: float) -> None:
    """Print whether a measured value stays at or below a limit.

    Args:
        what: the measured thing, with its unit.
        value: as measured.
        limit: the promise.
    """
    _say(what, value, "≤", limit, value <= limit)


def at_least(what: str, value: float, limit: float) -> None:
    """Print whether a measured value reaches a limit; arguments as `at_most`."""
    _say(what, value, "≥", limit, value >= limit)


def _say(what: str, value: float, sign: str, limit: float, holds: bool) -> None:
    if is_fast():
        print(f"{what}: short run (COURSE_FAST=1), not checked")
    elif holds:
        print(f"{what} {sign} {limit:g} ✓")
    else:
        print(f"{what} is {value:.3g}, expected {sign} {limit:g} ✗")
