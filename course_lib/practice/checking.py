"""The check itself: run a learner's function on every input, and find the sentence that helps most.

``run_check`` shows nothing and writes nothing; ``desk.check`` does both.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch

from course_lib.practice import (
    answers,
    changes,
    comparing,
    differences,
    forms,
    repairing,
    running,
    slips,
    telling,
    words,
)
from course_lib.practice.answers import TIME_LIMIT
from course_lib.practice.kinds import CannotCompare, Case, Exercise
from course_lib.practice.recognising import known_answers, matching_misconception, through_view
from course_lib.practice.running import Outcome

NOT_ATTEMPTED, PASSED, FAILED = "not attempted", "solved", "not yet"


@dataclass(frozen=True)
class Result:
    """What a check found.

    Args:
        exercise: the exercise's id.
        status: ``"solved"``, ``"not yet"`` or ``"not attempted"``.
        kind: what was found: ``passed``, ``stub``, ``not-callable``, ``parameters``, ``timeout``, ``none``,
            ``type``, ``misconception``, ``error``, ``shape``, ``dtype``, ``nan``, ``rows``, ``difference``,
            ``not-zero``, ``changed-input``, ``unreadable``.
        message: what the learner reads.
        misconception: its name, when kind is ``misconception``.
        line: number and text of the learner's line that failed.
        notes: smaller remarks.
        printed: what the function printed.
    """

    exercise: str
    status: str
    kind: str
    message: str
    misconception: str | None = None
    line: tuple[int, str] | None = None
    notes: tuple[str, ...] = ()
    printed: str = ""

    @property
    def passed(self) -> bool:
        return self.status == PASSED


def run_check(exercise: Exercise, function: Any, seconds: float = TIME_LIMIT) -> Result:
    """Run ``function`` on the exercise's inputs and say what is right or wrong.

    Args:
        exercise: the Exercise.
        function: what the learner wrote; anything at all may come.
        seconds: time limit for all inputs together.

    Returns a Result. Raises nothing but KeyboardInterrupt.
    """
    try:
        return _before_running(exercise, function) or _judge(exercise, function, seconds)
    except Exception as surprise:  # whatever somebody's objects do when they are looked at
        text = (
            "check could not read your function or its answer: looking at it raised "
            f"{type(surprise).__name__}. Return ordinary tensors and numbers."
        )
        return Result(exercise.id, FAILED, "unreadable", text)


def _judge(exercise: Exercise, function: Callable[..., Any], seconds: float) -> Result:
    written, cases, begun = exercise, exercise.cases(), time.monotonic()
    outcomes = [answers.tamed(exercise, outcome) for outcome in answers.run_all(function, cases, seconds)]
    took = time.monotonic() - begun
    if exercise.view and not outcomes[-1].timed_out and answers.all_have_right_types(exercise, outcomes):
        outcomes = [answers.look_at(exercise, c, o) for c, o in zip(cases, outcomes, strict=True)]
        exercise = through_view(exercise)
    notes = _notes(outcomes)
    printed = outcomes[0].printed

    def result(kind: str, message: str, status: str = FAILED, **more: Any) -> Result:
        return Result(exercise.id, status, kind, message, printed=printed, **{"notes": notes, **more})

    if outcomes[-1].timed_out:
        return result("timeout", telling.timeout_sentence(outcomes[-1], seconds), line=outcomes[-1].line)
    if any(o.value is Ellipsis for o in outcomes) or _not_implemented(outcomes):
        return _stub(exercise)
    expected = _right_answers(exercise, cases)
    changed = telling.changed_sentence(exercise, outcomes)
    if _all_right(exercise, cases, outcomes, expected):
        if changed:
            return result("changed-input", changed)
        where = f" on all {len(cases)} inputs" if len(cases) > 1 else ""
        return result("passed", f"Right{where}. {exercise.insight}", PASSED)

    names = running.unfilled_names(function)
    if names:
        return _stub(exercise, f"There is still `{names[0]} = ...` to fill in.")
    if any(o.value is None and o.error is None for o in outcomes):
        return result("none", telling.none_sentence(exercise, function, outcomes) + _early(function))
    strange = [
        None if o.error else comparing.type_problem(exercise, o.value, e)
        for o, e in zip(outcomes, expected, strict=True)
    ]
    if any(strange):
        return _strange_type(exercise, cases, outcomes, expected, strange, result)
    if changed:
        notes = (*notes, changed)
    order = telling.order_note(exercise, function)
    notes = (*notes, order) if order else notes
    match = matching_misconception(exercise, cases, outcomes, expected)
    if match:
        name, sentence = match
        more = _not_kept(function)
        if name == slips.PARTS:
            unknown = _unknown_mistake(exercise, cases, outcomes, expected, result, notes)
            sentence = f"{unknown.message} {sentence.partition(' (Measured on')[0]}"
            if took <= repairing.SEARCH_TIME:
                repair = repairing.repair(written, exercise, function, cases, outcomes, expected)
                more = f"{more} {repair}" if repair else more
        return result("misconception", sentence + more, misconception=name, notes=notes)
    match = _without_the_one_that_fails(exercise, cases, outcomes, expected)
    if match:
        return result("misconception", match[1], misconception=match[0], notes=notes)
    unknown = _unknown_mistake(exercise, cases, outcomes, expected, result, notes)
    if took > repairing.SEARCH_TIME:  # a slow function is not run again and again
        return unknown
    if answers.another_each_time(written, exercise, function, cases, outcomes, expected):
        text = f"{telling.ANOTHER_EACH_TIME} {unknown.message}"
        return replace(unknown, kind="misconception", misconception="another-each-time", message=text)
    repair = repairing.repair(written, exercise, function, cases, outcomes, expected)
    repair = telling.not_twice(repair, unknown.message)
    early = "" if changes.RETURNS_EARLY in repair else _early(function)
    return replace(unknown, message=f"{unknown.message}{early} {repair}".rstrip())


def _strange_type(
    exercise: Exercise,
    cases: list[Case],
    outcomes: list[Outcome],
    expected: list[Any],
    strange: list[str | None],
    result: Callable[..., Result],
) -> Result:
    """Some answers have another type. Where only some inputs give it, their cause may show on the others."""
    first = next(i for i, problem in enumerate(strange) if problem)
    if all(strange):
        return result("type", strange[first])
    text = f"On the input with {cases[first].name}: {strange[first][0].lower()}{strange[first][1:]}"
    kept = [i for i, problem in enumerate(strange) if not problem]
    part = [[things[i] for i in kept] for things in (cases, outcomes, expected)]
    known = exercise.view is None and not _all_right(exercise, *part)
    match = matching_misconception(exercise, *part) if known else None
    if match:
        return result("misconception", f"{match[1]} {text}", misconception=match[0])
    return result("type", text)


def _without_the_one_that_fails(
    exercise: Exercise, cases: list[Case], outcomes: list[Outcome], expected: list[Any]
) -> tuple[str, str] | None:
    """Two slips: a wrong idea that the other inputs show, where one input alone cannot be compared."""
    failed = [i for i, o in enumerate(outcomes) if o.error is not None]
    if len(failed) != 1 or not _hides_no_cause(outcomes[failed[0]].error):
        return None
    (one,) = failed
    part = [[thing for i, thing in enumerate(things) if i != one] for things in (cases, outcomes, expected)]
    if _all_right(exercise, *part):
        return None
    match = matching_misconception(exercise, *part)
    if not match:
        return None
    text = f"On the input with {cases[one].name}: {words.within(telling.error_sentence(outcomes[one].error))}"
    if "view size" in forms.text_of(outcomes[one].error) and "`view`" in match[1]:
        return match[0], f"{match[1]} The same `view` raises an error elsewhere. {text}"
    number = "third" if match[1].startswith("Two slips.") else "second"
    return match[0], f"{match[1]} And there is a {number} slip. {text}"


def _hides_no_cause(error: BaseException) -> bool:
    """An answer that cannot be compared, or a ``view`` of numbers that lie in another order."""
    return isinstance(error, CannotCompare) or "view size is not compatible" in forms.text_of(error)


def _not_kept(function: Callable[..., Any]) -> str:
    """Often the cause of what was recognised: a line without effect, ``m.unsqueeze(1)``, an early return."""
    line = repairing.kept_nothing(function)
    return (f" {changes.not_kept(line)}" if line else "") + _early(function)


def _early(function: Callable[..., Any]) -> str:
    return f" {changes.RETURNS_EARLY}." if repairing.returns_early(function) else ""


# --- before running ---------------------------------------------------------------------------------------


def _before_running(exercise: Exercise, function: Any) -> Result | None:
    if function is None or function is Ellipsis:
        return _stub(exercise)
    if not callable(function):
        kind = "a tensor" if isinstance(function, torch.Tensor) else _name_and_text(function)
        text = (
            f"check needs the function itself, and it got {kind}. "
            f'Write `check("{exercise.id}", {exercise.function_name})`, without brackets after the name.'
        )
        return Result(exercise.id, FAILED, "not-callable", text)
    if running.is_stub(function):
        return _stub(exercise)
    try:
        theirs = inspect.signature(function)
    except Exception:  # some built-in functions do not tell
        return None
    try:
        theirs.bind(*exercise.parameters)
    except TypeError:
        text = (
            f"Your function takes ({', '.join(theirs.parameters)}); "
            f"check calls it with ({', '.join(exercise.parameters)})."
        )
        return Result(exercise.id, FAILED, "parameters", text)
    return None


def _name_and_text(thing: Any) -> str:
    """``the str 'scores'``; the name of the type alone if the thing cannot be shown."""
    try:
        return f"the {type(thing).__name__} {thing!r:.40}"
    except Exception:
        return f"a {forms.stranger(thing).name}"


def _stub(
    exercise: Exercise, more: str = "Replace the `...` with your lines and run the cell again."
) -> Result:
    text = f'{more} If you are stuck: `hint("{exercise.id}")`.'
    return Result(exercise.id, NOT_ATTEMPTED, "stub", text)


def _not_implemented(outcomes: list[Outcome]) -> bool:
    """True of a ``raise NotImplementedError`` that still stands there; torch raises this error, too."""
    return all(
        isinstance(o.error, NotImplementedError) and running.raised_by_the_learner(o.error) for o in outcomes
    )


# --- the answers -------------------------------------------------------------------------------------------


def _right_answers(exercise: Exercise, cases: list[Case]) -> list[Any]:
    made = list(known_answers(exercise.memory, exercise.reference, cases))
    for outcome in made:
        if outcome.error is not None:  # no memory left, for example: the next check tries again
            exercise.memory.clear()
            raise outcome.error
    return [forms.fit(exercise.outputs, outcome.value) for outcome in made]


def _all_right(exercise: Exercise, cases: list[Case], outcomes: list[Outcome], expected: list[Any]) -> bool:
    return all(
        o.error is None and comparing.right(exercise, c, o.value, e)
        for c, o, e in zip(cases, outcomes, expected, strict=True)
    )


def _notes(outcomes: list[Outcome]) -> tuple[str, ...]:
    warned = list(dict.fromkeys(w for o in outcomes for w in o.warned))
    return (f"Python warns: {telling.short(warned[0])}",) if warned else ()


def _unknown_mistake(
    exercise: Exercise,
    cases: list[Case],
    outcomes: list[Outcome],
    expected: list[Any],
    result: Callable[..., Result],
    notes: tuple[str, ...],
) -> Result:
    """No misconception fits: show the error at the learner's line, or the first difference."""
    for case, outcome, right in zip(cases, outcomes, expected, strict=True):
        on = f"On the input with {case.name}: "
        if outcome.error is not None:
            text = (
                on
                + words.within(telling.error_sentence(outcome.error))
                + telling.shapes_given(exercise, case)
                + (telling.advice(exercise, outcome) or telling.brackets_missing(outcome))
            )
            kind = "shape" if isinstance(outcome.error, CannotCompare) else "error"
            return result(kind, text, line=outcome.line, notes=notes)
        if not comparing.right(exercise, case, outcome.value, right):
            kind, text = differences.first_difference(exercise, case, outcome.value, right)
            return result(kind, on + text[0].lower() + text[1:], notes=notes)
    raise ValueError("the answers do not differ")
