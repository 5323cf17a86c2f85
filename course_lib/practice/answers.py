"""A function's answers on all inputs of an exercise, in an ordinary form that can be compared."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch

from course_lib.practice import comparing, forms, running
from course_lib.practice.kinds import CannotCompare, Case, Exercise
from course_lib.practice.running import Outcome

TIME_LIMIT = 5.0  # seconds, for all inputs of an exercise


def run_all(function: Callable[..., Any], cases: list[Case], seconds: float) -> list[Outcome]:
    """One Outcome for each case; the first time-out ends the run. ``seconds`` are for all of them."""
    outcomes = []
    end = time.monotonic() + seconds
    for case in cases:
        outcomes.append(running.run(function, case.args, max(end - time.monotonic(), 0.05)))
        if outcomes[-1].timed_out:
            break
    return outcomes


def tamed(exercise: Exercise, outcome: Outcome) -> Outcome:
    """The outcome with its answer in an ordinary form; with CannotCompare if it has none."""
    if outcome.error is not None or outcome.timed_out:
        return outcome
    try:
        return replace(outcome, value=forms.fit(exercise.outputs, forms.plain(outcome.value)))
    except CannotCompare as unfit:
        return replace(outcome, value=None, error=unfit)


def all_have_right_types(exercise: Exercise, outcomes: list[Outcome]) -> bool:
    """Whether every answer that came has the type that the exercise asks for."""
    return all(o.error is not None or comparing.type_problem(exercise, o.value) is None for o in outcomes)


def another_each_time(
    written: Exercise,
    exercise: Exercise,
    function: Callable[..., Any],
    cases: list[Case],
    outcomes: list[Outcome],
    expected: list[Any],
) -> bool:
    """Whether the function answers otherwise when it is called once more with the first input that is wrong.

    Args:
        written: the exercise as it was written.
        exercise: the exercise whose answers ``outcomes`` hold: perhaps seen through its view.
    """
    for case, before, right in zip(cases, outcomes, expected, strict=True):
        if before.error is not None or comparing.right(exercise, case, before.value, right):
            continue
        again = tamed(written, running.run(function, case.args, TIME_LIMIT))
        if exercise is not written and again.error is None and not again.timed_out:
            if comparing.type_problem(written, again.value) is not None:
                return True
            again = look_at(exercise, case, again)
        if again.timed_out or isinstance(again.error, CannotCompare):
            return False
        return again.error is not None or _surely_differ(before.value, again.value, exercise.tolerance)
    return False


def _surely_differ(a: Any, b: Any, tolerance: float) -> bool:
    """True if both can be compared, and differ."""
    if isinstance(a, (tuple, list)) and isinstance(b, (tuple, list)):
        pairs = zip(a, b, strict=False)
        return len(a) != len(b) or any(_surely_differ(x, y, tolerance) for x, y in pairs)
    if isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor):
        if a.shape != b.shape:
            return True
        known = not (a.is_complex() or b.is_complex()) and a.numel() <= comparing.MOST
        return known and not comparing.same(a, b, tolerance)
    if isinstance(a, (dict, str)) and isinstance(b, (dict, str)):
        return not comparing.same(a, b, tolerance)
    return forms.is_number(a) and forms.is_number(b) and not comparing.same(a, b, tolerance)


def look_at(exercise: Exercise, case: Case, outcome: Outcome) -> Outcome:
    """The outcome with what its answer leads to in place of the answer."""
    if outcome.error is not None or outcome.timed_out:
        return outcome
    parts = outcome.value if isinstance(outcome.value, (tuple, list)) else [outcome.value]
    if any(isinstance(part, torch.Tensor) and part.is_complex() for part in parts):
        return replace(outcome, error=CannotCompare("your numbers are complex; check expects real ones."))
    if any(isinstance(part, torch.Tensor) and part.numel() > 10_000_000 for part in parts):
        return replace(outcome, error=CannotCompare("your answer has far too many numbers to look at."))
    look = running.run(exercise.view.make, (outcome.value, case.args), TIME_LIMIT)
    error = look.error
    if look.timed_out or (error is not None and not isinstance(error, CannotCompare)):
        what = "it takes too long" if look.timed_out else f"this raised {type(error).__name__}"
        error = CannotCompare(f"check tried to work with what your function returned, and {what}.")
    return replace(outcome, value=look.value, error=error, line=None)
