"""Two slips at once: each wrong way of one part of an answer beside each wrong way of another part."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from itertools import combinations, product
from typing import Any

import torch

from course_lib.practice import comparing, recognising, running, words
from course_lib.practice.kinds import Pairs


def as_tuple(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def told_both(one: str, other: str) -> str:
    return f"Two slips. {one} And the second one: {words.within(other)}"


def single(
    parts: Mapping[str, Mapping[str, Any]], made: Callable[..., Callable[..., Any]]
) -> dict[str, tuple[Callable[..., Any], ...]]:
    """Name → the wrong functions in which one part alone is wrong; arguments as for ``listed``."""
    return {
        name: tuple(made(**{part: way}) for way in as_tuple(some))
        for part, wrong in parts.items()
        for name, some in wrong.items()
    }


def listed(
    parts: Mapping[str, Mapping[str, Any]],
    made: Callable[..., Callable[..., Any]],
    skip: Collection[tuple[str, str]] = (),
    most: int = 2,
) -> dict[tuple[str, str], tuple[Callable[..., Any], ...]]:
    """The wrong functions of all pairs of wrong parts.

    Args:
        parts: parameter of ``made`` → name of a wrong idea → its ways of that part.
        made: makes a function from wrong parts, those that are not given are right.
        skip: pairs of names that answer like another idea, or of which one takes the other's effect away.
        most: how many ways of each idea are tried in pairs.
    """
    found = {}
    for (one, some), (other, others) in combinations(parts.items(), 2):
        for a, b in product(some, others):
            if (a, b) not in skip:
                both = product(as_tuple(some[a])[:most], as_tuple(others[b])[:most])
                found[a, b] = tuple(made(**{one: x, other: y}) for x, y in both)
    return found


def of_parts(
    ways: Mapping[tuple[str, str], tuple[Callable[..., Any], ...]], told: Mapping[str, str]
) -> Pairs:
    """For ``Exercise.pairs``: the pair of ``ways`` that answers like the learner on every input.

    ``told``: name → the tutor's words, true also beside another slip.
    """
    memory: dict[Any, Any] = {}

    def find(cases, outcomes, expected, tolerance):
        if not any(map(_tells, outcomes)):
            return None
        for (a, b), some in ways.items():
            if any(recognising.behaves_like(way, cases, outcomes, tolerance, memory) for way in some):
                return f"{a}-{b}", told_both(told[a], told[b])
        return None

    return find


def _tells(outcome: Any) -> bool:
    """False for an answer without a finite number in it: many slips lead to the same NaN."""
    parts = [part for part in as_tuple(outcome.value) if isinstance(part, torch.Tensor)]
    return not parts or any(
        part.numel() > comparing.MOST or bool(torch.isfinite(part.detach()).any()) for part in parts
    )


def of_outputs(parts: tuple[Mapping[str, Any], ...], told: Mapping[str, str]) -> Pairs:
    """For ``Exercise.pairs`` where several things are returned: a wrong idea for each, found alone.

    Args:
        parts: for each output, name → its wrong ways: functions of the arguments and of all that the learner
            returned, the last argument.
        told: name → the tutor's words, which speak of this output only.
    """

    def agrees(place, way, cases, outcomes, tolerance):
        for case, outcome in zip(cases, outcomes, strict=True):
            try:
                made = way(*map(running.clone, case.args), outcome.value)
            except Exception:  # this idea cannot answer here
                return False
            if not comparing.same(outcome.value[place], made, tolerance):
                return False
        return True

    def find(cases, outcomes, expected, tolerance):
        if any(o.error is not None for o in outcomes):
            return None
        names = []
        for place, wrong in enumerate(parts):
            if all(
                comparing.same(o.value[place], e[place], tolerance)
                for o, e in zip(outcomes, expected, strict=True)
            ):
                continue
            name = next(
                (
                    name
                    for name, ways in wrong.items()
                    for way in as_tuple(ways)
                    if agrees(place, way, cases, outcomes, tolerance)
                ),
                None,
            )
            if name is None:
                return None
            names.append(name)
        if not names:
            return None
        return "-".join(names), told[names[0]] if len(names) == 1 else told_both(*(told[n] for n in names))

    return find
