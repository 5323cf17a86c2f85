"""What check says of an error, of a forgotten ``return`` and of an input that was changed."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable
from typing import Any

import torch

from course_lib.practice import changes, differences, running, written
from course_lib.practice.forms import is_number, text_of
from course_lib.practice.kinds import CannotCompare, Case, Exercise, axis_names
from course_lib.practice.running import Outcome

ANOTHER_EACH_TIME = (
    "Your function gives another answer when it is called again with the same input, and only one can be "
    "right. Is something drawn by chance in it, is a `torch.empty` not filled, or does something last from "
    "call to call?"
)


def timeout_sentence(outcome: Outcome, seconds: float) -> str:
    """What is said of a function that ran out of time."""
    text = f"Your function is still running after {seconds:g} s"
    if outcome.left_running:
        return (
            f"{text}, inside one operation that Python cannot interrupt. check has stopped "
            "waiting; it ends in the background. Is a tensor there far larger than it has to be?"
        )
    return text + ": is there a loop that never ends?"


def none_sentence(exercise: Exercise, function: Callable[..., Any], outcomes: list[Outcome]) -> str:
    text = "Your function returned nothing (None)."
    if any(o.value is not None for o in outcomes):
        return text + " It does so for some inputs only: does every way through it end in a `return`?"
    if running.returns_something(function):
        return text + (
            " There is a `return`. Either it is not reached (an `if` that is never true, a loop that ends "
            "before it), or what stands behind it is None itself."
        )
    if running.uses_print(function):
        text += " `print` shows a value; `return` hands it back."
    name = running.last_assigned(function)
    if name and len(exercise.outputs) > 1:
        name = ", ".join(output.name for output in exercise.outputs)
    return (
        f"{text} Is the last line missing, perhaps `return {name}`?"
        if name
        else f"{text} Is a `return` missing?"
    )


def changed_sentence(exercise: Exercise, outcomes: list[Outcome]) -> str | None:
    places = sorted({i for o in outcomes for i in o.changed})
    if not places:
        return None
    names = [f"`{exercise.parameters[i]}`" for i in places]
    inputs = f"input {names[0]}" if len(names) == 1 else f"inputs {', '.join(names[:-1])} and {names[-1]}"
    them = "the input" if len(names) == 1 else "them"
    text = f"Your function changes its {inputs} in place, so whoever calls it finds {them} overwritten."
    lists = any("list" in exercise.inputs[exercise.parameters[i]] for i in places)
    if exercise.outputs[0].form or lists:
        return (
            f"{text} `append`, `del` and `x[...] = ` change the original: `list(…)` or `dict(…)` makes a "
            "copy first."
        )
    return (
        f"{text} Make a new value instead: a method whose name ends in `_`, `+=` on a tensor and "
        "`x[...] = ` all change the original."
    )


def advice(exercise: Exercise, outcome: Outcome) -> str:
    """What a tutor would add to this error in this exercise; empty if nothing fits.

    Nobody is told to do what stands in the function already.
    """
    line = outcome.line[1] if outcome.line else ""
    seen = f"{line}\n{type(outcome.error).__name__}: {text_of(outcome.error)}"
    written = None
    for pattern, sentence in exercise.advice:
        pattern, _, unless = pattern.partition(" unless ")
        wanted, _, needed = pattern.partition(" with ")
        if not re.search(wanted, seen):
            continue
        if written is None:  # to read the function's lines takes longer than all the rest
            written = f"{running.source(outcome.error)}\n{line}"
        if re.search(needed, written) and not (unless and re.search(unless, written)):
            return " " + sentence
    return ""


def brackets_missing(outcome: Outcome) -> str:
    """What is said where the failing line compares `a & b` with something: ` `&` binds more closely…`"""
    line = outcome.line[1] if outcome.line else ""
    try:
        tree = ast.parse(line.rstrip().removesuffix(":").removeprefix("if ").removeprefix("elif "))
    except (SyntaxError, ValueError):
        return ""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and (why := changes.binds_more_closely(node)):
            part = next(p for p in (node.left, *node.comparators) if changes.is_and_or(p))
            if line[part.end_col_offset : part.end_col_offset + 1] != ")":  # it stands in brackets on purpose
                return f" {why} Put each comparison in brackets."
    return ""


def not_twice(repair: str, message: str) -> str:
    """The sentence of a repair without the reason that the message gives already."""
    begin, mark, rest = repair.partition(" With `")
    return f"With `{rest}" if mark and begin in message else repair


def order_note(exercise: Exercise, function: Callable[..., Any]) -> str | None:
    """A note if the learner has the right parameters in another order."""
    try:
        theirs = tuple(inspect.signature(function).parameters)
    except Exception:
        return None
    if theirs != exercise.parameters and sorted(theirs) == sorted(exercise.parameters):
        return (
            f"Your parameters are ({', '.join(theirs)}); check passes them by position, "
            f"as ({', '.join(exercise.parameters)})."
        )
    return None


def error_sentence(error: BaseException) -> str:
    if isinstance(error, CannotCompare):
        return text_of(error)
    said = text_of(error).strip().replace(" Use tensor.detach().numpy() instead.", "")
    text = type(error).__name__ + (f": {short(said)}" if said else "")
    text += "" if text.endswith((".", "?", "!", "…")) else "."
    if isinstance(error, NameError) and not isinstance(error, UnboundLocalError):
        return text + " Is it a typing mistake, or is there a cell above that has not been run?"
    if isinstance(error, RecursionError):
        return text + " Functions call one another, or themselves, again and again: where does it stop?"
    return text


def shapes_given(exercise: Exercise, case: Case) -> str:
    """`` It was called with s (B=3, D_s=4), h (B=3, S=5, D_h=6).`` Empty if there is no tensor among them."""
    if exercise.outputs[0].form:
        return written.called_with(exercise, case)
    if not any(isinstance(value, torch.Tensor) for value in case.args):
        return ""
    words = []
    for (name, what), value in zip(exercise.inputs.items(), case.args, strict=True):
        if isinstance(value, torch.Tensor):
            words.append(name + " " + differences.shape_words(axis_names(what), tuple(value.shape)))
        elif is_number(value):
            words.append(f"{name} = {value}")
    return f" It was called with {', '.join(words)}."


def short(text: str, most: int = 200) -> str:
    """The first line, without what torch announces there and tells in the next lines."""
    line = text.strip().split("\n")[0]
    line = re.sub(r",? but expected one of:$", "", line)
    return line if len(line) <= most else line[: most - 1] + "…"
