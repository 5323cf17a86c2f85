"""Compare a learner's answer with the right one, and say the first difference in words.

The order is the order in which a tutor would look: type, shape, kind of number, NaN, row sums, values.
"""

from __future__ import annotations

import math
import numbers
from typing import Any

import torch

from course_lib.practice.kinds import Case, Exercise, Output


def same(a: Any, b: Any, tolerance: float) -> bool:
    """True if two answers agree: same structure, same shapes, values within ``tolerance``. NaN equals NaN."""
    if isinstance(a, (tuple, list)) and isinstance(b, (tuple, list)):
        return len(a) == len(b) and all(same(x, y, tolerance) for x, y in zip(a, b, strict=True))
    if isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor):
        if a.shape != b.shape or a.is_complex() or b.is_complex():
            return False
        return torch.allclose(_plain(a), _plain(b), rtol=tolerance, atol=tolerance, equal_nan=True)
    if is_number(a) and is_number(b):
        return math.isclose(a, b, rel_tol=tolerance, abs_tol=tolerance) or (math.isnan(a) and math.isnan(b))
    return False


def is_number(value: Any) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def right_kinds(got: Any, expected: Any) -> bool:
    """True if ``got`` has the data types of ``expected`` (float32 stays float32)."""
    if isinstance(expected, tuple):
        return all(right_kinds(g, e) for g, e in zip(got, expected, strict=True))
    return not isinstance(expected, torch.Tensor) or got.dtype == expected.dtype


def shape_words(axes: tuple[str, ...] | None, shape: tuple[int, ...]) -> str:
    """``(B=3, S=5)``; without names ``(3, 5)``."""
    if axes is None or len(axes) != len(shape):
        return "(" + ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "") + ")"
    return "(" + ", ".join(f"{a}={n}" for a, n in zip(axes, shape, strict=True)) + ")"


def type_problem(exercise: Exercise, value: Any) -> str | None:
    """A sentence if ``value`` is not the type that the exercise asks for; else None."""
    outputs = exercise.outputs
    if len(outputs) == 1:
        return _one_type_problem(outputs[0], value, "Your function returns")
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
    for output, part in zip(outputs, value, strict=True):
        problem = _one_type_problem(output, part, f"For `{output.name}` your function returns")
        if problem:
            return problem
    return None


def _one_type_problem(output: Output, value: Any, begin: str) -> str | None:
    if output.axes is None:
        if is_number(value):
            return None
        if isinstance(value, torch.Tensor):
            return (
                f"{begin} a tensor; check expects a plain Python number. For one value, `.item()` gives it."
            )
        return f"{begin} {_a_type(value)}; check expects one number."
    if isinstance(value, torch.Tensor):
        return None
    wanted = f"one tensor `{output.name}` with axes ({', '.join(output.axes)})"
    if value is None:
        return f"{begin} None; check expects {wanted}."
    if isinstance(value, tuple) and len(value) == 1:
        return f"{begin} a tuple that holds one thing; check expects {wanted}. Is a comma left over?"
    if isinstance(value, tuple):
        text = f"{begin} a tuple of {len(value)} things; check expects {wanted}."
        shapes = [part.shape if isinstance(part, torch.Tensor) else () for part in value]
        if value and len(set(shapes)) == 1 and len(shapes[0]) == len(output.axes) - 1 > 0:  # from `chunk`
            text += " `torch.stack` joins tensors of one shape into one."
        elif value and shapes.count(shapes[0]) == 1 and len(shapes[0]) == len(output.axes):
            text += f" Return `{output.name}` only."  # as (output, weights)
        return text
    if isinstance(value, list):
        return f"{begin} a list; check expects {wanted}. `torch.stack` joins a list of tensors into one."
    if type(value).__module__ == "numpy":
        return f"{begin} a NumPy array; check expects {wanted}. Stay in torch, so that gradients can flow."
    if hasattr(value, "__next__"):
        return f"{begin} a generator; check expects {wanted}. Use `return`, not `yield`."
    return f"{begin} {_a_type(value)}; check expects {wanted}."


def _a_type(value: Any) -> str:
    if value is None:
        return "None"
    name = "tensor" if isinstance(value, torch.Tensor) else type(value).__name__
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def first_difference(exercise: Exercise, case: Case, got: Any, expected: Any) -> tuple[str, str]:
    """Return (kind, sentence) for the first thing in which ``got`` differs from ``expected``.

    Kind is ``"shape"``, ``"dtype"``, ``"nan"``, ``"rows"`` or ``"difference"``. Types must be right already.
    """
    parts = [(exercise.outputs[0], got, expected)]
    if len(exercise.outputs) > 1:
        parts = list(zip(exercise.outputs, got, expected, strict=True))
    for output, g, e in parts:
        named = len(parts) > 1 or exercise.view is not None
        found = _difference(output, case, g, e, exercise.tolerance, named)
        if found:
            return found
    raise ValueError("got and expected do not differ")


def _difference(
    output: Output, case: Case, got: Any, expected: Any, tolerance: float, named: bool
) -> tuple[str, str] | None:
    what = f"`{output.name}`" if named else "Your answer"
    if output.axes is None:
        if same(got, expected, tolerance):
            return None
        return "difference", f"{what} is {_number(got)}; expected {_number(expected)}."
    if got.shape != expected.shape:
        return "shape", _shape_sentence(output, case, what, tuple(got.shape), tuple(expected.shape))
    if got.is_complex() or (got.dtype != expected.dtype and same(got, expected, tolerance)):
        text = f"{what} has the right shape, but its numbers are {_kind(got)}; expected {_kind(expected)}."
        if expected.dtype == torch.bool:
            text += " A mask is True or False: return the comparison itself, or add `.bool()`."
        return "dtype", text
    if same(got, expected, tolerance):
        return None
    if got.dtype == expected.dtype == torch.bool:
        return "difference", _boolean_sentence(output, what, got, expected)
    got, expected = _plain(got), _plain(expected)
    bad = ~torch.isfinite(got) & torch.isfinite(expected)
    if bad.any():
        return "nan", _nan_sentence(output, what, got, bad)
    text = _value_sentence(output, what, got, expected, tolerance)
    if output.rows_sum_to_one:
        sums = got.sum(dim=-1)
        if not torch.allclose(sums, torch.ones_like(sums), atol=1e-4):
            low, high = sums.min().item(), sums.max().item()
            rows = f"Each row over {output.axes[-1]} must sum to 1; yours sum to {low:.3f}"
            rows += "." if high - low < 5e-4 else f" … {high:.3f}."
            return "rows", rows + " " + text
    return "difference", text


def _shape_sentence(output: Output, case: Case, what: str, got: tuple, expected: tuple) -> str:
    text = f"{what} has shape {shape_words(None, got)}; expected {shape_words(output.axes, expected)}."
    axis_of = {}
    for axis, size in case.sizes.items():
        axis_of[size] = axis if size not in axis_of else None  # None: two axes have this size
    names = [axis_of.get(size) for size in got]
    if got and all(names):
        text += f" Yours looks like ({', '.join(names)})."
    if [n for n in got if n != 1] == [n for n in expected if n != 1]:
        longer = len(got) > len(expected)
        return text + f" An axis of length 1 {'is left over' if longer else 'was lost'}."
    if len(got) != len(expected) and math.prod(got) == math.prod(expected):
        text += " No number is lost, and none is new: "
        text += "two axes were joined." if len(got) < len(expected) else "two axes must still be joined."
    elif len(got) < len(expected):
        text += " An axis is missing: was one summed away too much?"
    elif len(got) > len(expected):
        text += " There is an axis too many: is a sum over it missing?"
    elif sorted(got) == sorted(expected):
        text += " The sizes are right and the order is not."
    return text


def _nan_sentence(output: Output, what: str, got: torch.Tensor, bad: torch.Tensor) -> str:
    kind = "NaN" if torch.isnan(got[bad]).any() else "infinite"
    where = bad.nonzero()[0].tolist()
    text = (
        f"{what} is {kind} at {int(bad.sum())} of {bad.numel()} places, the first at {_place(output, where)}."
    )
    if kind == "NaN":
        text += " NaN comes from 0/0, ∞ − ∞ or 0 · ∞, or from a softmax over a row that is −∞ everywhere."
    return text


def _boolean_sentence(output: Output, what: str, got: torch.Tensor, expected: torch.Tensor) -> str:
    """How many cells of a mask differ, and the first of them."""
    wrong = got != expected
    where = wrong.nonzero()[0].tolist()
    at = tuple(where)
    text = (
        f"{what} has the right shape; {int(wrong.sum())} of {wrong.numel()} cells differ. The first is at "
        f"{_place(output, where)}: expected {expected[at].item()}, got {got[at].item()}."
    )
    pattern = _confined(output, wrong)
    return text + (" " + pattern if pattern else "")


def _value_sentence(
    output: Output, what: str, got: torch.Tensor, expected: torch.Tensor, tolerance: float
) -> str:
    """How many values differ, where the largest difference is, and a pattern if there is one."""
    wrong = ~torch.isclose(got, expected, rtol=tolerance, atol=tolerance)
    gap = torch.where(wrong, (got - expected).abs(), torch.zeros_like(got))
    where = [int(i) for i in torch.unravel_index(gap.argmax(), gap.shape)]
    at = tuple(where)
    right, theirs = expected[at].item(), got[at].item()
    digits = 4 if f"{right:.4f}" != f"{theirs:.4f}" else 7  # close is not equal: show where they part
    if got.dim():
        text = (
            f"{what} has the right shape; {int(wrong.sum())} of {wrong.numel()} values differ. "
            f"The largest difference is at {_place(output, where)}: "
            f"expected {right:.{digits}f}, got {theirs:.{digits}f}."
        )
    else:
        text = f"{what} is {theirs:.{digits}f}; expected {right:.{digits}f}."
    pattern = _pattern(got, expected) or _confined(output, wrong)
    return text + (" " + pattern if pattern else "")


def _pattern(got: torch.Tensor, expected: torch.Tensor) -> str | None:
    """A sentence if the answer is a multiple of the right one, or shifted by a constant."""
    large = expected.abs() > 1e-3
    if got.numel() < 2 or not large.any():
        return None
    if same(got, -expected, 1e-5):
        return "Every sign is reversed."
    factor = (got[large] / expected[large]).median()
    if factor.abs() > 1e-6 and torch.allclose(got, expected * factor, rtol=1e-4, atol=1e-6):
        size = factor.item()
        if size > 1:
            return f"All your values are {size:.3g} times too large."
        if size > 0:
            return f"All your values are {1 / size:.3g} times too small."
    shift = (got - expected).median()
    if torch.allclose(got, expected + shift, rtol=1e-4, atol=1e-5):
        return f"All your values are {abs(shift.item()):.3g} too {'large' if shift > 0 else 'small'}."
    return None


def _confined(output: Output, wrong: torch.Tensor) -> str | None:
    """A sentence if all wrong values lie in one slice, for example in one sentence of the batch."""
    for axis, name in enumerate(output.axes or ()):
        places = wrong.nonzero()[:, axis].unique()
        if wrong.shape[axis] > 1 and len(places) == 1:
            return f"All of them are at {name.lower()} = {places.item()}: what is special there?"
    return None


def _place(output: Output, index: list[int]) -> str:
    """``[b=0, s=2]``; an axis of length 1 needs no place."""
    places = zip(output.axes or (), index, strict=True)
    return "[" + ", ".join(f"{axis.lower()}={i}" for axis, i in places if axis != "1") + "]"


def _kind(tensor: torch.Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _number(value: Any) -> str:
    """A whole number with all its digits, ``16,640``; another one with four."""
    return f"{int(value):,}" if float(value).is_integer() else f"{value:.4g}"


def _plain(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.detach().cpu().to(torch.float64)
