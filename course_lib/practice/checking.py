"""The check itself: run a learner's function on every input, and find the sentence that helps most.

``run_check`` shows nothing and writes nothing; ``desk.check`` does both.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import torch

from course_lib.practice import comparing, running
from course_lib.practice.kinds import CannotCompare, Case, Exercise, Misconception, axis_names
from course_lib.practice.running import Outcome

TIME_LIMIT = 5.0  # seconds, for one input

NOT_ATTEMPTED, PASSED, FAILED = "not attempted", "solved", "not yet"


@dataclass(frozen=True)
class Result:
    """What a check found.

    Args:
        exercise: the exercise's id.
        status: ``"solved"``, ``"not yet"`` or ``"not attempted"``.
        kind: what was found: ``passed``, ``stub``, ``not-callable``, ``parameters``, ``timeout``, ``none``,
            ``type``, ``misconception``, ``error``, ``shape``, ``dtype``, ``nan``, ``rows``, ``difference``,
            ``changed-input``.
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
        seconds: time limit for one input.

    Returns a Result. Raises nothing but KeyboardInterrupt.
    """
    early = _before_running(exercise, function)
    if early:
        return early
    cases = exercise.cases()
    outcomes = _run_all(function, cases, seconds)
    if exercise.view and _all_have_right_types(exercise, outcomes):
        outcomes = [_look_at(exercise, c, o) for c, o in zip(cases, outcomes, strict=False)]
        exercise = through_view(exercise)
    expected = [exercise.reference(*(running.clone(a) for a in case.args)) for case in cases]
    notes = _notes(outcomes)
    printed = outcomes[0].printed

    def result(kind: str, message: str, status: str = FAILED, **more: Any) -> Result:
        return Result(exercise.id, status, kind, message, printed=printed, **{"notes": notes, **more})

    if outcomes[-1].timed_out:
        text = f"Your function is still running after {seconds:g} s: is there a loop that never ends?"
        return result("timeout", text, line=outcomes[-1].line)
    if any(o.value is Ellipsis for o in outcomes) or _not_implemented(outcomes):
        return _stub(exercise)
    if _all_right(exercise, outcomes, expected):
        changed = _changed(exercise, outcomes)
        if changed:
            return result("changed-input", changed)
        return result("passed", f"Right on all {len(cases)} inputs. {exercise.insight}", PASSED)

    names = running.unfilled_names(function)
    if names:
        return _stub(exercise, f"There is still `{names[0]} = ...` to fill in.")
    if any(o.value is None and o.error is None for o in outcomes):
        return result("none", _none_sentence(function, outcomes))
    for outcome in outcomes:
        problem = None if outcome.error else comparing.type_problem(exercise, outcome.value)
        if problem:
            return result("type", problem)
    changed = _changed(exercise, outcomes)
    if changed:
        notes = (*notes, changed)
    order = _order_note(exercise, function)
    notes = (*notes, order) if order else notes
    match = _matching_misconception(exercise, cases, outcomes, expected)
    if match:
        name, sentence = match
        return result("misconception", sentence, misconception=name, notes=notes)
    return _unknown_mistake(exercise, cases, outcomes, expected, result, notes)


# --- before running ---------------------------------------------------------------------------------------


def _before_running(exercise: Exercise, function: Any) -> Result | None:
    if function is None or function is Ellipsis:
        return _stub(exercise)
    if not callable(function):
        kind = (
            "a tensor"
            if isinstance(function, torch.Tensor)
            else f"the {type(function).__name__} {function!r:.40}"
        )
        text = (
            f"check needs the function itself, and it got {kind}. "
            f'Write `check("{exercise.id}", {exercise.function_name})`, without brackets after the name.'
        )
        return Result(exercise.id, FAILED, "not-callable", text)
    if running.is_stub(function):
        return _stub(exercise)
    try:
        theirs = inspect.signature(function)
    except (TypeError, ValueError):  # some built-in functions do not tell
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


def _stub(
    exercise: Exercise, more: str = "Replace the `...` with your lines and run the cell again."
) -> Result:
    text = f'{more} If you are stuck: `hint("{exercise.id}")`.'
    return Result(exercise.id, NOT_ATTEMPTED, "stub", text)


def _not_implemented(outcomes: list[Outcome]) -> bool:
    return all(isinstance(o.error, NotImplementedError) for o in outcomes)


# --- running ----------------------------------------------------------------------------------------------


def _run_all(function: Callable[..., Any], cases: list[Case], seconds: float) -> list[Outcome]:
    """One Outcome for each case; the first time-out ends the run."""
    outcomes = []
    for case in cases:
        outcomes.append(running.run(function, case.args, seconds))
        if outcomes[-1].timed_out:
            break
    return outcomes


def _all_have_right_types(exercise: Exercise, outcomes: list[Outcome]) -> bool:
    return all(o.error is not None or comparing.type_problem(exercise, o.value) is None for o in outcomes)


def through_view(exercise: Exercise) -> Exercise:
    """The same exercise, with reference and ways that return what their answers lead to."""
    view = exercise.view
    if view is None:
        return exercise

    def seen(function: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *args: view.make(function(*args), args)

    ideas = tuple(replace(m, ways=tuple(map(seen, m.ways))) for m in exercise.misconceptions)
    return replace(exercise, outputs=(view.output,), reference=seen(exercise.reference), misconceptions=ideas)


def _look_at(exercise: Exercise, case: Case, outcome: Outcome) -> Outcome:
    """The outcome with what its answer leads to in place of the answer."""
    if outcome.error is not None or outcome.timed_out:
        return outcome
    look = running.run(exercise.view.make, (outcome.value, case.args), TIME_LIMIT)
    return replace(outcome, value=look.value, error=look.error)


def _all_right(exercise: Exercise, outcomes: list[Outcome], expected: list[Any]) -> bool:
    return all(
        o.error is None
        and comparing.type_problem(exercise, o.value) is None
        and comparing.same(o.value, e, exercise.tolerance)
        and comparing.right_kinds(o.value, e)
        for o, e in zip(outcomes, expected, strict=True)
    )


def _notes(outcomes: list[Outcome]) -> tuple[str, ...]:
    warned = list(dict.fromkeys(w for o in outcomes for w in o.warned))
    return (f"Python warns: {_short(warned[0])}",) if warned else ()


def _changed(exercise: Exercise, outcomes: list[Outcome]) -> str | None:
    places = sorted({i for o in outcomes for i in o.changed})
    if not places:
        return None
    names = " and ".join(f"`{exercise.parameters[i]}`" for i in places)
    return (
        f"Your function changes its input {names} in place, so whoever calls it finds the input "
        "overwritten. Make a new value instead: a method whose name ends in `_`, `+=` on a tensor and "
        "`x[...] = ` all change the original."
    )


def _none_sentence(function: Callable[..., Any], outcomes: list[Outcome]) -> str:
    name = running.last_assigned(function)
    text = "Your function returned nothing (None)."
    if any(o.value is not None for o in outcomes):
        return text + " It does so for some inputs only: does every way through it end in a `return`?"
    if running.uses_print(function):
        text += " `print` shows a value; `return` hands it back."
    return (
        text + f" Is the last line missing, perhaps `return {name}`?"
        if name
        else text + " Is a `return` missing?"
    )


# --- recognising a mistake --------------------------------------------------------------------------------


def _matching_misconception(
    exercise: Exercise, cases: list[Case], outcomes: list[Outcome], expected: list[Any]
) -> tuple[str, str] | None:
    """Name and sentence of the first misconception that answers like the learner on *every* input."""
    for misconception in exercise.misconceptions:
        for way in misconception.ways:
            if behaves_like(way, cases, outcomes, exercise.tolerance):
                return misconception.name, _sentence(misconception, exercise, cases, outcomes, expected)
    for misconception in exercise.misconceptions:
        if misconception.sign and _shows(misconception.sign, exercise, cases, outcomes, expected):
            return misconception.name, _sentence(misconception, exercise, cases, outcomes, expected)
    return None


def _shows(
    sign: Callable[[Any, Any, tuple[Any, ...]], bool],
    exercise: Exercise,
    cases: list[Case],
    outcomes: list[Outcome],
    expected: list[Any],
) -> bool:
    """True if ``sign`` holds wherever the answer is wrong, and all answers are tensors of the right shape."""
    wrong = 0
    for case, outcome, right in zip(cases, outcomes, expected, strict=True):
        if outcome.error is not None or not _alike(outcome.value, right):
            return False
        if not comparing.same(outcome.value, right, exercise.tolerance):
            wrong += 1
            if not sign(right, outcome.value, case.args):
                return False
    return wrong > 0


def behaves_like(
    way: Callable[..., Any], cases: list[Case], outcomes: list[Outcome], tolerance: float
) -> bool:
    """True if ``way`` gives the same answers as ``outcomes``: same values, and errors of the same type.

    At least one input must give a value: two functions that only fail need not share an idea.
    """
    theirs = (
        running.run(way, case.args, TIME_LIMIT) for case in cases
    )  # no further than the first difference
    return same_outcomes(theirs, outcomes, tolerance)


def same_outcomes(some: Iterable[Outcome], others: Iterable[Outcome], tolerance: float) -> bool:
    """True if two functions did the same on all inputs, and on one at least gave a value."""
    values = 0
    for one, other in zip(some, others, strict=True):
        if one.error is not None or other.error is not None:
            if type(one.error) is not type(other.error):
                return False
            continue
        if not comparing.same(other.value, one.value, tolerance):
            return False
        values += 1
    return values > 0


def _alike(value: Any, right: Any) -> bool:
    return isinstance(value, torch.Tensor) and isinstance(right, torch.Tensor) and value.shape == right.shape


def _sentence(
    misconception: Misconception,
    exercise: Exercise,
    cases: list[Case],
    outcomes: list[Outcome],
    expected: list[Any],
) -> str:
    if isinstance(misconception.sentence, str):
        return misconception.sentence
    for case, outcome, right in zip(cases, outcomes, expected, strict=True):
        if outcome.error is None and not comparing.same(outcome.value, right, exercise.tolerance):
            return misconception.sentence(right, outcome.value, case.args)
    raise ValueError(
        f"misconception {misconception.name!r} of {exercise.id} measures an answer, but there is none"
    )


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
                + _error_sentence(outcome.error)
                + _shapes_given(exercise, case)
                + _advice(exercise, outcome)
            )
            kind = "shape" if isinstance(outcome.error, CannotCompare) else "error"
            return result(kind, text, line=outcome.line, notes=notes)
        wrong = not comparing.same(outcome.value, right, exercise.tolerance)
        if wrong or not comparing.right_kinds(outcome.value, right):
            kind, text = comparing.first_difference(exercise, case, outcome.value, right)
            return result(kind, on + text[0].lower() + text[1:], notes=notes)
    raise ValueError("the answers do not differ")


def _advice(exercise: Exercise, outcome: Outcome) -> str:
    """What a tutor would add to this error in this exercise; empty if nothing fits."""
    seen = f"{outcome.line[1] if outcome.line else ''}\n{type(outcome.error).__name__}: {outcome.error}"
    return next((" " + sentence for pattern, sentence in exercise.advice if re.search(pattern, seen)), "")


def _order_note(exercise: Exercise, function: Callable[..., Any]) -> str | None:
    """A note if the learner has the right parameters in another order."""
    try:
        theirs = tuple(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return None
    if theirs != exercise.parameters and sorted(theirs) == sorted(exercise.parameters):
        return (
            f"Your parameters are ({', '.join(theirs)}); check passes them by position, "
            f"as ({', '.join(exercise.parameters)})."
        )
    return None


def _error_sentence(error: BaseException) -> str:
    if isinstance(error, CannotCompare):
        return str(error)
    text = type(error).__name__ + (f": {_short(str(error))}" if str(error).strip() else "")
    text += "" if text.endswith((".", "?", "!", "…")) else "."
    if isinstance(error, NameError) and not isinstance(error, UnboundLocalError):
        return text + " Is it a typing mistake, or is there a cell above that has not been run?"
    if isinstance(error, RecursionError):
        return text + " Your function calls itself and never stops."
    return text


def _shapes_given(exercise: Exercise, case: Case) -> str:
    """`` It was called with s (B=3, D_s=4), h (B=3, S=5, D_h=6).`` Empty if there is no tensor among them."""
    if not any(isinstance(value, torch.Tensor) for value in case.args):
        return ""
    words = []
    for (name, what), value in zip(exercise.inputs.items(), case.args, strict=True):
        if isinstance(value, torch.Tensor):
            words.append(name + " " + comparing.shape_words(axis_names(what), tuple(value.shape)))
        elif comparing.is_number(value):
            words.append(f"{name} = {value}")
    return f" It was called with {', '.join(words)}."


def _short(text: str, most: int = 200) -> str:
    line = text.strip().split("\n")[0]
    return line if len(line) <= most else line[: most - 1] + "…"
