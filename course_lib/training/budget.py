"""How long to train, and promises about the result, checked where the result is made.

A page does not print measured decimals: they differ from machine to machine. It prints the promise and
whether it holds, and the measured value only where it does not.
"""

import os


def budget(steps: int) -> int:
    """A number of steps; with `COURSE_FAST=1` a twentieth of it, for tests of a page's plumbing."""
    return max(2, steps // 20) if is_fast() else steps


def is_fast() -> bool:
    """True when budgets are shortened: results are then not checked."""
    return os.environ.get("COURSE_FAST", "") not in ("", "0")


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
