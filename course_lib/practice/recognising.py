"""Recognise a mistake: which wrong idea answers like the learner's function?

No match is better than a wrong match: a way must agree on every input, a sign must hold wherever the answer
is wrong, and a sentence that cannot be measured is not said.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

import torch

from course_lib.practice import comparing, forms, inputs, running
from course_lib.practice.kinds import CannotCompare, Case, Exercise, Misconception
from course_lib.practice.running import Outcome


def through_view(exercise: Exercise) -> Exercise:
    """The same exercise, with reference and ways that return what their answers lead to."""
    view = exercise.view
    if view is None:
        return exercise
    if "through its view" in exercise.memory:
        return exercise.memory["through its view"]

    def seen(function: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *args: view.make(function(*args), args)

    ideas = tuple(replace(m, ways=tuple(map(seen, m.ways))) for m in exercise.misconceptions)
    made = replace(exercise, outputs=view.outputs, reference=seen(exercise.reference), misconceptions=ideas)
    return exercise.memory.setdefault("through its view", made)


def matching_misconception(
    exercise: Exercise, cases: list[Case], outcomes: list[Outcome], expected: list[Any]
) -> tuple[str, str] | None:
    """Name and sentence of the first misconception that answers like the learner on *every* input.

    Where the numbers are so large that an answer drowns in NaN, a wrong idea may be known by the other
    inputs. Then come two slips at once; a sign is asked after all that.
    """
    seen = [replace(o, value=_as_float(o.value, e)) for o, e in zip(outcomes, expected, strict=True)]
    told = lambda m: _sentence(m, exercise, cases, seen, expected)  # noqa: E731
    drowned = [_drowned(c, o, e) for c, o, e in zip(cases, seen, expected, strict=True)]
    kept = [i for i, gone in enumerate(drowned) if not gone]
    wrong = any(not _is_right(exercise, cases[i], seen[i], expected[i]) for i in kept)
    rounds = [list(range(len(cases)))] + ([kept] if any(drowned) and wrong else [])
    for some in rounds:
        part = [cases[i] for i in some], [seen[i] for i in some]
        for misconception in exercise.misconceptions:
            for way in misconception.ways:
                theirs = known_answers(exercise.memory, way, part[0])
                if same_outcomes(theirs, part[1], exercise.tolerance) and (sentence := told(misconception)):
                    made = (theirs.value for theirs in known_answers(exercise.memory, way, part[0]))
                    return misconception.name, sentence + _not_boolean(part[1], made)
    if all(_same_value(o, e, exercise.tolerance) for o, e in zip(seen, expected, strict=True)):
        return None  # the values are right: two slips that take each other's effect away are none
    for misconception in _two_slips(exercise):
        ways, memory = misconception.ways, exercise.memory
        if any(behaves_like(way, cases, seen, exercise.tolerance, memory) for way in ways):
            return misconception.name, told(misconception)
    if exercise.pairs and exercise.view is None:
        two = exercise.pairs(cases, seen, expected, exercise.tolerance)
        if two:
            return two
    for misconception in exercise.misconceptions:
        if misconception.sign and _shows(misconception, exercise, cases, seen, expected):
            sentence = told(misconception)
            if sentence:
                return misconception.name, sentence + _not_boolean(seen, expected)
    return None


def _same_value(outcome: Outcome, right: Any, tolerance: float) -> bool:
    return outcome.error is None and comparing.same(outcome.value, right, tolerance)


def _as_float(value: Any, right: Any) -> Any:
    """The answer in the kind of number that is expected, for a sign to compare; complex stays."""
    if isinstance(right, tuple) and isinstance(value, (tuple, list)) and len(value) == len(right):
        return tuple(map(_as_float, value, right))
    tensors = isinstance(value, torch.Tensor) and isinstance(right, torch.Tensor)
    if tensors and value.shape == right.shape and right.is_floating_point() and not value.is_complex():
        return value.to(right.dtype)
    return value


def _drowned(case: Case, outcome: Outcome, right: Any) -> bool:
    """True on an input with large numbers where the answer is not finite and the right one is."""
    return case.large and outcome.error is None and not _finite(outcome.value) and _finite(right)


def _finite(value: Any) -> bool:
    if not isinstance(value, torch.Tensor) or value.numel() > 1_000_000:
        return True
    return bool(torch.isfinite(value.detach()).all())


def _is_right(exercise: Exercise, case: Case, outcome: Outcome, right: Any) -> bool:
    return outcome.error is None and comparing.right(exercise, case, outcome.value, right)


def _shows(
    misconception: Misconception,
    exercise: Exercise,
    cases: list[Case],
    outcomes: list[Outcome],
    expected: list[Any],
) -> bool:
    """True if the sign holds wherever the answer is wrong, and all answers are tensors of the right shape.

    Where it must hold everywhere, the inputs with a right answer are asked as well; some signs look at the
    shape themselves.
    """
    shown = 0
    for case, outcome, right in zip(cases, outcomes, expected, strict=True):
        if outcome.error is not None or not _alike(outcome.value, right, misconception.any_shape):
            return False
        is_right = comparing.right(exercise, case, outcome.value, right)
        if not is_right or misconception.everywhere:
            alike = comparing.same(outcome.value, right, exercise.tolerance)
            if alike and not is_right and exercise.forbidden is None:
                return False  # it is the kind of number that is wrong
            try:
                held = misconception.sign(right, _detached(outcome.value), case.args)
            except Exception:  # an answer that the sign was not made for
                return False
            if held is not None and not held:
                return False
            shown += held is not None and not is_right
    return shown > 0


def _two_slips(exercise: Exercise) -> tuple[Misconception, ...]:
    """The exercise's wrong ideas that come two at a time, made once."""
    if exercise.two_slips is None or exercise.view:
        return ()
    if "two slips" not in exercise.memory:
        exercise.memory["two slips"] = tuple(exercise.two_slips())
    return exercise.memory["two slips"]


def known_answers(memory: dict[Any, Any], way: Callable[..., Any], cases: list[Case]) -> Iterator[Outcome]:
    """What ``way``, one of the exercise's own, does on each input. While these stay the same it runs once.

    Args:
        memory: what is kept from one check to the next: ``Exercise.memory``, or a dict like it.
        way: a function of the course.
        cases: the inputs. One on which nobody looks at the answer is not run.
    """
    for case in cases:
        key = case.name, inputs.moved_by()
        former, known = memory.get(key, (None, {}))
        if former is not case:
            if former is None or not running.untouched(former.args, case.args):
                known = {}
            memory[key] = case, known
        if way not in known:
            known[way] = running.run_ours(way, case.args)
            if known[way].error is not None:  # without the frames, which hold all that was there
                known[way].error.__traceback__ = known[way].error.__context__ = None
        yield known[way]


def behaves_like(
    way: Callable[..., Any],
    cases: list[Case],
    outcomes: list[Outcome],
    tolerance: float,
    memory: dict[Any, Any],
) -> bool:
    """True if ``way`` gives the same answers as ``outcomes``: same values, and errors of the same type.

    At least one input must give a value: two functions that only fail need not share an idea. ``memory`` is
    for ``known_answers``.
    """
    return same_outcomes(known_answers(memory, way, cases), outcomes, tolerance)


def same_outcomes(some: Iterable[Outcome], others: Iterable[Outcome], tolerance: float) -> bool:
    """True if two functions did the same on all inputs, and on one at least gave a value.

    The tolerance is that of the answers' own size: 0 is not 1e-9, where nothing larger is answered.
    """
    pairs = []
    for one, other in zip(some, others, strict=True):
        if one.error is not None or other.error is not None:
            if type(one.error) is not type(other.error):
                return False
            if isinstance(one.error, CannotCompare) and str(one.error) != str(other.error):
                return False
            continue
        if not comparing.same(other.value, one.value, tolerance):
            return False
        pairs.append((other.value, one.value))
    size = max((_size(value) for pair in pairs for value in pair), default=0.0)
    if 0 < size < tolerance:
        return all(comparing.same(a, b, tolerance * size, tolerance) for a, b in pairs)
    return bool(pairs)


def _size(value: Any) -> float:
    """The largest number in an answer; infinite where it holds something else."""
    if isinstance(value, (tuple, list)):
        return max(map(_size, value), default=math.inf)
    if isinstance(value, torch.Tensor) and value.is_floating_point() and value.numel():
        return float(value.detach().abs().max())
    return (
        abs(float(value)) if isinstance(value, float) or (forms.is_number(value) and value == 0) else math.inf
    )


def _alike(value: Any, right: Any, any_shape: bool = False) -> bool:
    if isinstance(value, (tuple, list)) and isinstance(right, tuple):
        pairs = zip(value, right, strict=False)
        return len(value) == len(right) and all(_alike(part, other, any_shape) for part, other in pairs)
    if isinstance(right, (list, dict, str)):
        return type(value) is type(right)
    if forms.is_number(right):
        return forms.is_number(value)
    tensors = isinstance(value, torch.Tensor) and isinstance(right, torch.Tensor)
    return tensors and (any_shape or value.shape == right.shape) and not value.is_complex()


def _detached(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value.detach()
    tensors = isinstance(value, (tuple, list)) and any(isinstance(part, torch.Tensor) for part in value)
    return tuple(map(_detached, value)) if tensors else value


def _sentence(
    misconception: Misconception,
    exercise: Exercise,
    cases: list[Case],
    outcomes: list[Outcome],
    expected: list[Any],
) -> str | None:
    """The tutor's words; None if they cannot be measured on this answer.

    What is measured is told with its input, unless it is the same on all of them.
    """
    if isinstance(misconception.sentence, str):
        return misconception.sentence
    measured = {}
    for case, outcome, right in zip(cases, outcomes, expected, strict=True):
        if outcome.error is None and not comparing.right(exercise, case, outcome.value, right):
            try:
                measured[case.name] = misconception.sentence(right, outcome.value, case.args)
            except Exception:  # this input does not show it; the next one may
                continue
    if not measured:
        return None
    name, sentence = next(iter(measured.items()))
    alike = len(measured) == len(cases) and len(set(measured.values())) == 1
    return sentence if alike else f"{sentence} (Measured on the input with {name}.)"


def _not_boolean(outcomes: list[Outcome], made: Iterable[Any]) -> str:
    """A second slip: what is recognised is a boolean mask, and the learner's holds numbers."""
    for outcome, ours in zip(outcomes, made, strict=True):
        theirs = outcome.value
        both = isinstance(theirs, torch.Tensor) and isinstance(ours, torch.Tensor)
        if outcome.error is None and both and ours.dtype == torch.bool != theirs.dtype:
            kind = str(theirs.dtype).removeprefix("torch.")
            return (
                f" And a mask is True or False, while yours holds {kind}: "
                "return a comparison, or add `.bool()`. (Before that, `~` does not turn it round.)"
            )
    return ""
