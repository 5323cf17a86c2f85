"""Lists of ids, counts and texts in words: how two of them differ, and what a function was called with."""

from __future__ import annotations

from typing import Any

from course_lib.practice.kinds import Case, Exercise

MOST_SHOWN = 100  # signs of an answer or an input that are shown


def difference(form: str, what: str, got: Any, expected: Any) -> str:
    """The sentence on two answers that differ: both if they are short, else the first place.

    Args:
        form: a key of ``kinds.FORMS``.
        what: ``"Your answer"``, or its name.
        got: the learner's, in its plain form.
        expected: the right one.
    """
    if form == "counts":
        return _counts(what, got, expected)
    if form == "names":
        return _names(what, got, expected)
    if form == "turns":
        return _turns(what, got, expected)
    if max(len(ascii(got)), len(ascii(expected))) <= MOST_SHOWN:
        return f"{what} is {_shown(got)}; expected {_shown(expected)}."
    place = next((i for i, (a, b) in enumerate(zip(got, expected, strict=False)) if a != b), None)
    unit = "signs" if form == "text" else {"ids": "ids", "pairs": "pairs"}[form]
    sizes = f"{what} has {len(got):,} {unit}; expected {len(expected):,}."
    if place is None:
        return f"{sizes} As far as the shorter of them goes they are alike."
    some = slice(place, place + 6)
    mine, right = (_shown(one[some]) for one in (got, expected))
    return f"{sizes} The first difference is at place {place} (counted from 0): {mine} …; expected {right} …."


def _counts(what: str, got: dict, expected: dict) -> str:
    """One pair is named: one that is counted otherwise, else one that is missing, else one too many."""
    other = [pair for pair in expected if pair in got and got[pair] != expected[pair]]
    missing, more = [p for p in expected if p not in got], [p for p in got if p not in expected]
    if other:
        pair = other[0]
        text = f"{what} has {got[pair]} for {_shown(pair)}; expected {expected[pair]}."
    elif missing:
        text = f"{what} has no {_shown(missing[0])}; expected {expected[missing[0]]} of it."
    else:
        text = f"{what} has {_shown(more[0])}, which is no pair of neighbours in these words."
    wrong = len(other) + len(missing) + len(more)
    return text + (f" ({wrong} entries differ in all.)" if wrong > 1 else "")


def _names(what: str, got: list, expected: list) -> str:
    """One name is told: one that is missing, else one too many, else one that stands twice or elsewhere."""
    missing, more = [n for n in expected if n not in got], [n for n in got if n not in expected]
    if missing:
        text = f"{what} has no {_shown(missing[0])}, and should have it."
    elif more:
        text = f"{what} has {_shown(more[0])}, and should not."
    elif len(got) != len(expected):
        text = f"{what} has {_shown(next(n for n in got if got.count(n) > 1))} more than once."
    else:
        return f"{what} has the right names in another order."
    wrong = len(missing) + len(more)
    return text + (f" ({wrong} names differ in all.)" if wrong > 1 else "")


def _turns(what: str, got: list, expected: list) -> str:
    """The first turn of a chat that is another one, missing, or too many."""
    place = next((i for i, (a, b) in enumerate(zip(got, expected, strict=False)) if a != b), None)
    if place is None and len(got) == len(expected):
        raise ValueError("got and expected do not differ")
    if place is None:
        place = min(len(got), len(expected))
    mine, right = (_shown(one[place]) if place < len(one) else "no turn" for one in (got, expected))
    sizes = "" if len(got) == len(expected) else f" It has {len(got)} turns; expected {len(expected)}."
    return f"{what} has {mine} at place {place} (counted from 0); expected {right}.{sizes}"


def called_with(exercise: Exercise, case: Case) -> str:
    """`` It was called with ids = [97, 97], pair = (97, 97).`` What is long or a function is left out."""
    words = [
        f"{name} = {_shown(value)}"
        for name, value in zip(exercise.parameters, case.args, strict=True)
        if not callable(value) and not _holds_functions(value) and len(ascii(value)) <= MOST_SHOWN
    ]
    return f" It was called with {', '.join(words)}." if words else ""


def _holds_functions(value: Any) -> bool:
    return isinstance(value, dict) and any(map(callable, value.values()))


def _shown(value: Any) -> str:
    """A text with what cannot be printed spelled out; anything else as Python writes it."""
    text = repr(value)
    return text if all(sign.isprintable() for sign in text) else ascii(value)
