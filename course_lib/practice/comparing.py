"""Is a learner's answer the right one: its type, and its values.

What differs, and where, is put into words by ``differences``.
"""

from __future__ import annotations

import math
from typing import Any

import torch

from course_lib.practice.forms import Stranger, is_number
from course_lib.practice.kinds import FORMS, Case, Exercise, Output

MOST = 10_000_000  # numbers that are compared: a few hundredths of a second
FEW = 256  # compared one by one, up to the first that differs: sooner done than a dozen steps of torch


def right(exercise: Exercise, case: Case, got: Any, expected: Any) -> bool:
    """True if ``got`` is the right answer: type, shape, kind of number, values, and exact zeros."""
    return (
        type_problem(exercise, got) is None
        and same(got, expected, exercise.tolerance)
        and right_kinds(got, expected)
        and leftovers(exercise, case, got, expected) is None
    )


def leftovers(exercise: Exercise, case: Case, got: Any, expected: Any) -> Any:
    """The cells (a mask) that must be exactly 0 and are not; None if there are none."""
    if exercise.forbidden is None or not isinstance(got, torch.Tensor) or got.shape != expected.shape:
        return None
    left = exercise.forbidden(*case.args).expand(got.shape) & (got.detach() != 0)
    return left if bool(left.any()) else None


def same(a: Any, b: Any, tolerance: float, share: float | None = None) -> bool:
    """True if two answers agree: same structure, same shapes, values within ``tolerance``. NaN equals NaN.

    ``share``: how much of itself a value may be off, where that is not ``tolerance`` as well.
    """
    share = tolerance if share is None else share
    if isinstance(a, (tuple, list)) and isinstance(b, (tuple, list)):
        return len(a) == len(b) and all(same(x, y, tolerance, share) for x, y in zip(a, b, strict=True))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(n, b[key], tolerance, share) for key, n in a.items())
    if isinstance(a, str) and isinstance(b, str):
        return a == b
    if isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor):
        if a.shape != b.shape or a.is_complex() or b.is_complex() or a.numel() > MOST:
            return False
        if a.numel() <= FEW:
            pairs = zip(a.flatten().tolist(), b.flatten().tolist(), strict=True)
            return all(_near(x, y, tolerance, share) for x, y in pairs)
        return torch.allclose(widened(a), widened(b), rtol=share, atol=tolerance, equal_nan=True)
    if is_number(a) and is_number(b):
        try:
            near = math.isclose(a, b, rel_tol=share, abs_tol=tolerance)
            return near or (math.isnan(a) and math.isnan(b))
        except OverflowError:  # a whole number that no float can hold
            return a == b
    return False


def _near(a: float, b: float, tolerance: float, share: float) -> bool:
    """What ``torch.allclose`` asks of two numbers."""
    gap = abs(a - b)
    return a == b or (gap <= tolerance + share * abs(b) and gap != math.inf) or (a != a and b != b)


def right_kinds(got: Any, expected: Any) -> bool:
    """True if ``got`` has the kind of number of ``expected``: any float for a float, bool for bool.

    Ids of 32 bits are as good as those of 64.
    """
    if isinstance(expected, (tuple, list)):
        return all(right_kinds(g, e) for g, e in zip(got, expected, strict=True))
    if not isinstance(expected, torch.Tensor):
        return True
    ids = (torch.int32, torch.int64)
    if got.dtype in ids and expected.dtype in ids:
        return True
    return got.dtype == expected.dtype or (got.is_floating_point() and expected.is_floating_point())


def widened(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.detach().to(torch.float64)


def type_problem(exercise: Exercise, value: Any, expected: Any = None) -> str | None:
    """A sentence if ``value`` is not the type that the exercise asks for; else None.

    ``expected``: the right answer; with it, advice is given that was tried.
    """
    outputs = exercise.outputs
    if len(outputs) == 1:
        return _one_type_problem(outputs[0], value, "Your function returns", expected)
    names = ", ".join(o.name for o in outputs)
    if not isinstance(value, (tuple, list)):
        return (
            f"Your function returns {_a_type(value)}; check expects {len(outputs)} things: "
            f"end with `return {names}`."
        )
    if len(value) != len(outputs):
        return (
            f"Your function returns {len(value)} things; check expects {len(outputs)}, in this order: "
            f"`return {names}`."
        )
    wanted = expected if isinstance(expected, tuple) else (None,) * len(outputs)
    for output, part, right_part in zip(outputs, value, wanted, strict=True):
        problem = _one_type_problem(output, part, f"For `{output.name}` your function returns", right_part)
        if problem:
            return problem
    return None


def _one_type_problem(output: Output, value: Any, begin: str, expected: Any) -> str | None:
    if output.texts:
        if isinstance(value, dict):
            return None
        return f"{begin} {_a_type(value)}; check expects a dict, as the exercise shows it."
    if output.form:
        return _form_problem(output.form, value, begin)
    if output.axes is None:
        if is_number(value):
            return None
        if isinstance(value, torch.Tensor):
            return f"{begin} {_a_type(value)}; check expects one number. For one value, `.item()` gives it."
        return f"{begin} {_a_type(value)}; check expects one number."
    if isinstance(value, torch.Tensor):
        return None
    wanted = f"one tensor `{output.name}` with axes ({', '.join(output.axes)})"
    if not output.axes:
        wanted = "one number (a tensor without axes, or a Python number)"
    if isinstance(value, tuple) and len(value) == 1:
        return f"{begin} a tuple that holds one thing; check expects {wanted}. Is a comma left over?"
    if isinstance(value, tuple):
        text = f"{begin} a tuple of {len(value)} things; check expects {wanted}."
        if isinstance(expected, torch.Tensor) and (joined := _joined(value, expected)):  # from `chunk`
            return text + joined
        shapes = [part.shape if isinstance(part, torch.Tensor) else () for part in value]
        if value and shapes.count(shapes[0]) == 1 and len(shapes[0]) == len(output.axes):
            text += f" Return `{output.name}` only."  # as (output, weights)
        return text
    if isinstance(value, list):
        advice = _joined(value, expected) if isinstance(expected, torch.Tensor) else ""
        return f"{begin} a list; check expects {wanted}.{advice}"
    if isinstance(value, Stranger) and value.module == "numpy" and value.name == "ndarray":
        text = f"{begin} a NumPy array; check expects {wanted}. `torch.as_tensor(...)` makes a tensor of it."
        return text
    if isinstance(value, Stranger) and value.name in ("method", "builtin_function_or_method", "function"):
        return f"{begin} a function; check expects {wanted}. Are brackets missing, as in `.bool()`?"
    if isinstance(value, Stranger) and value.iterates:
        return (
            f"{begin} a generator; check expects {wanted}. A `yield` in the function makes one, and so does "
            "`(… for … in …)` in round brackets."
        )
    return f"{begin} {_a_type(value)}; check expects {wanted}."


def _form_problem(form: str, value: Any, begin: str) -> str | None:
    """A sentence if ``value`` is not what FORMS says of ``form``."""
    wanted = f"check expects {FORMS[form]}"
    if isinstance(value, Stranger) and value.module == "numpy" and value.name == "ndarray":
        return f"{begin} a NumPy array; {wanted}. `.tolist()` makes a list of it."
    if isinstance(value, Stranger) and value.iterates:
        return f"{begin} a generator; {wanted}. `list(…)` makes a list of it."
    if form == "text" and isinstance(value, Stranger) and value.name == "bytes":
        return f"{begin} bytes; {wanted}. `.decode(…)` makes a text of them."
    if not isinstance(value, {"counts": dict, "text": str}.get(form, list)):
        return f"{begin} {_a_type(value)}; {wanted}."
    if form == "counts":
        strange = next((n for n in value.values() if not is_number(n)), None)
        return None if strange is None else f"{begin} a dict that holds {_a_type(strange)}; {wanted}."
    if form == "text":
        return None
    fits = {"pairs": _is_pair, "names": _is_text, "turns": _is_turn}.get(form, _is_whole)
    for place, part in enumerate(value):
        if not fits(part):
            what = f"{len(part)} things" if form == "pairs" and isinstance(part, tuple) else _a_type(part)
            if form == "turns" and isinstance(part, tuple):
                what = f"a tuple of {', '.join(map(_a_type, part)) or 'nothing'}"
            nested = form == "ids" and isinstance(part, list)
            more = " (`+=` puts in what a list holds, `append` the list itself.)" if nested else ""
            return f"{begin} a list with {what} at place {place} (counted from 0); {wanted}.{more}"
    return None


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_turn(value: Any) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and all(map(_is_text, value))


def _is_pair(value: Any) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and all(map(_is_whole, value))


def _joined(parts: Any, expected: torch.Tensor) -> str:
    """How these parts become the tensor that is expected, if they do: each way is tried."""
    tensors = len(parts) > 0 and all(isinstance(part, torch.Tensor) for part in parts)
    makers = {"torch.stack": torch.stack, "torch.cat": torch.cat} if tensors else {}
    for how in (0.0, None):  # first by its values, then by its shape
        for name, maker in makers.items():
            for axis in range(expected.dim()):
                try:
                    made = maker(list(parts), dim=axis)
                except (RuntimeError, IndexError, TypeError):
                    continue
                axis = -1 if name == "torch.cat" and axis == expected.dim() - 1 else axis
                if made.shape == expected.shape and (how is None or same(made, expected, 1e-4)):
                    return f" `{name}(…, dim={axis})` joins them into one tensor."
    if not tensors:
        try:
            made = torch.tensor(parts)
        except (RuntimeError, TypeError, ValueError, OverflowError):
            return ""
        return " `torch.tensor(…)` makes one of it." if made.shape == expected.shape else ""
    return ""


def _a_type(value: Any) -> str:
    if value is None:
        return "None"
    name = "tensor" if isinstance(value, torch.Tensor) else type(value).__name__
    name = value.name if isinstance(value, Stranger) else name
    return f"{'an' if name[:1] in 'aeiou' else 'a'} {name}"
