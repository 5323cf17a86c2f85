"""How long to train, and promises about the result, checked where the result is made.

A page shows the reader's own number beside what is promised of it. Measured decimals differ from machine to
machine: what compares pages (tests/nbval_sanitize.cfg) overlooks the number, never the promise or its mark.
"""

import os


def budget(steps: int) -> int:
    """A number of steps; with `COURSE_FAST=1` a twentieth of it, for tests of a page's plumbing."""
    return max(2, steps // 20) if is_fast() else steps


def is_fast() -> bool:
    """True when budgets are shortened: results are then not checked."""
    return os.environ.get("COURSE_FAST", "") not in ("", "0")


def at_most(what: str, value: float, limit: float) -> None:
    """Print a measured value beside the promise that it keeps: `loss: 1.93 (at most 2.1 ✓)`.

    Args:
        what: the measured thing, with its unit.
        value: as measured.
        limit: the promise.
    """
    _say(what, value, "at most", limit, value <= limit)


def at_least(what: str, value: float, limit: float) -> None:
    """Print whether a measured value reaches a limit; arguments as `at_most`."""
    _say(what, value, "at least", limit, value >= limit)


def _say(what: str, value: float, bound: str, limit: float, holds: bool) -> None:
    if is_fast():
        print(f"{what}: short run (COURSE_FAST=1), not checked")
    elif holds:
        print(f"{what}: {measured(value)} ({bound} {limit:g} ✓)")
    else:
        print(f"{what}: {value:.6g} (expected {bound} {limit:g} ✗)")


def measured(value: float) -> str:
    """A measured number as a reader wants it: three significant digits, whole above 100, never `1e+03`."""
    value = float(value.detach() if hasattr(value, "detach") else value)  # else torch warns of gradients
    if abs(value) >= 99.95:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) >= 1e-3 or value == 0 else f"{value:.1e}"
