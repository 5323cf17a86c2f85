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
) -> bool:
    """Whether the function answers some input otherwise when it is called once more with the same.

    Args:
        written: the exercise as it was written.
        exercise: the exercise whose answers ``outcomes`` hold: perhaps seen through its view.
    """
    for case, before in zip(cases, outcomes, strict=True):
        if before.error is not None:
            continue
        again = tamed(written, running.run(function, case.args, TIME_LIMIT))
        if exercise.view and exercise is not written and again.error is None and not again.timed_out:
            if comparing.type_problem(written, again.value) is not None:
                return True
            again = look_at(exercise, case, again)
        if again.timed_out:
            return False
        if again.error is not None or not comparing.same(before.value, again.value, exercise.tolerance):
            return True
    return False


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
