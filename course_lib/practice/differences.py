"""The first difference between a learner's answer and the right one, in words.

The order is the order in which a tutor would look: shape, kind of number, NaN, row sums, values, exact zeros.
Nothing is said that was not measured.
"""

from __future__ import annotations

import math
from typing import Any

import torch

from course_lib.practice import comparing, written
from course_lib.practice.comparing import widened
from course_lib.practice.kinds import Case, Exercise, Output


def shape_words(axes: tuple[str, ...] | None, shape: tuple[int, ...]) -> str:
    """``(B=3, S=5)``, an axis of size 1 by rule is ``1``; without names ``(3, 5)``."""
    if axes is None or len(axes) != len(shape):
        return "(" + ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "") + ")"
    return "(" + ", ".join(a if a == "1" else f"{a}={n}" for a, n in zip(axes, shape, strict=True)) + ")"


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
            return found[0], found[1] + (written.called_with(exercise, case) if output.form else "")
        left = comparing.leftovers(exercise, case, g, e)
        if left is not None:
            what = f"`{output.name}`" if named else "Your answer"
            return "not-zero", _leftover_sentence(output, what, g, left)
    raise ValueError("got and expected do not differ")


def _difference(
    output: Output, case: Case, got: Any, expected: Any, tolerance: float, named: bool
) -> tuple[str, str] | None:
    what = f"`{output.name}`" if named else "Your answer"
    if output.form:
        alike = comparing.same(got, expected, tolerance)
        return None if alike else ("difference", written.difference(output.form, what, got, expected))
    if output.axes is None:
        if comparing.same(got, expected, tolerance):
            return None
        mine, right = _numbers(got, expected)
        return "difference", f"{what} is {mine}; expected {right}."
    if got.shape != expected.shape:
        return "shape", _shape_sentence(output, case, what, got, expected)
    if not comparing.right_kinds(got, expected) and (
        got.is_complex() or expected.dtype == torch.bool or comparing.same(got, expected, tolerance)
    ):
        return "dtype", _kind_sentence(output, what, got, expected)
    if comparing.same(got, expected, tolerance):
        return None
    if got.dtype == expected.dtype == torch.bool:
        return "difference", _boolean_sentence(output, what, got, expected)
    kind = got.dtype
    whole = not (got.is_floating_point() or expected.is_floating_point())
    got, expected = widened(got), widened(expected)
    if coarse := _coarse_sentence(what, kind, got, expected):
        return "dtype", coarse
    bad = ~torch.isfinite(got) & torch.isfinite(expected)
    if bad.any():
        return "nan", _nan_sentence(output, what, got, bad)
    text = _value_sentence(output, what, got, expected, tolerance, whole)
    if output.rows_sum_to_one:
        sums = got.sum(dim=-1)
        if not torch.allclose(sums, torch.ones_like(sums), atol=1e-4):
            low, high = sums.min().item(), sums.max().item()
            digits = 3 if max(abs(low - 1), abs(high - 1)) > 2e-3 else 5
            rows = f"Each row over {output.axes[-1]} must sum to 1; yours sum to {low:.{digits}f}"
            rows += "." if high - low < 0.5 * 10**-digits else f" … {high:.{digits}f}."
            return "rows", rows + " " + text
    return "difference", text


def _shape_sentence(output: Output, case: Case, what: str, mine: torch.Tensor, right: torch.Tensor) -> str:
    got, expected, values = tuple(mine.shape), tuple(right.shape), (mine.detach(), right.detach())
    text = f"{what} has shape {shape_words(None, got)}; expected {shape_words(output.axes, expected)}."
    axis_of = {}
    for axis, size in case.sizes.items():
        axis_of[size] = axis if size not in axis_of else None  # None: two axes have this size
    names = [axis_of.get(size) for size in got]
    if got and all(names) and len(set(names)) == len(names):
        text += f" Yours looks like ({', '.join(names)})."
    return text + _axes_sentence(output, case, got, expected, values)


def _axes_sentence(output: Output, case: Case, got: tuple, expected: tuple, values: tuple) -> str:
    """What happened to the axes, as far as it was measured; empty if it is not known."""
    more = len(got) - len(expected)
    if more and [n for n in got if n != 1] == [n for n in expected if n != 1]:
        many = "An axis" if abs(more) == 1 else f"{abs(more)} axes"
        verb = "is" if abs(more) == 1 else "are"
        past = "was" if abs(more) == 1 else "were"
        return f" {many} of length 1 {verb + ' left over' if more > 0 else past + ' lost'}."
    if not more:
        if [n for n in got if n != 1] == [n for n in expected if n != 1]:
            return " An axis of length 1 stands at another place."
        return " The sizes are right and the order is not." if sorted(got) == sorted(expected) else ""
    if got and expected and math.prod(got) == math.prod(expected):
        joined = ""
        pairs = [(i, expected[i] * expected[i + 1]) for i in range(len(expected) - 1)]
        found = [(i, n) for i, n in pairs if (*expected[:i], n, *expected[i + 2 :]) == got]
        if len(found) == 1 and output.axes:
            (i, size) = found[0]
            joined = f"one axis of {size} stands where {output.axes[i]} and {output.axes[i + 1]} are two"
        if not values[0].is_complex():
            mine, right = (torch.sort(widened(value).flatten()).values for value in values)
            if comparing.same(mine, right, 1e-4):
                joined = joined or ("axes were joined" if more < 0 else "axes must still be joined")
                return f" No number is lost, and none is new: {joined}."
        return f" It has as many numbers as it should, and {joined or 'another number of axes'}."
    if more < 0:
        missing = [i for i in range(len(expected)) if expected[:i] + expected[i + 1 :] == got]
        if len(missing) == 1 and output.axes:
            return f" The axis {output.axes[missing[0]]} is missing."
        return " An axis is missing." if more == -1 else f" {-more} axes are missing."
    mine, right = values
    if more == 1 and mine.numel() < 1_000_000 and not mine.is_complex():
        for axis in range(len(got)):
            if comparing.same(mine.sum(dim=axis), right, 1e-4):
                return f" The sum over your axis {axis} is missing: with it your answer is right."
    return " There is an axis too many." if more == 1 else f" There are {more} axes too many."


def _kind_sentence(output: Output, what: str, got: torch.Tensor, expected: torch.Tensor) -> str:
    text = f"{what} has the right shape, but its numbers are {_kind(got)}; expected {_kind(expected)}."
    if got.is_complex() or expected.dtype != torch.bool:
        return text
    text += " A mask is True or False: return the comparison itself"
    if torch.equal(got.bool(), expected):
        return text + ", or add `.bool()`."
    return f"{text}. Read as True and False, {_cells_that_differ(output, got.bool(), expected)}"


_COARSE = {torch.float16: "three", torch.bfloat16: "two"}  # digits that are kept


def _coarse_sentence(what: str, kind: torch.dtype, got: torch.Tensor, expected: torch.Tensor) -> str:
    """Right but for the digits that half a float does not keep."""
    if kind not in _COARSE or not comparing.same(got, expected, 4 * torch.finfo(kind).eps):
        return ""
    return (
        f"{what} is right as far as its numbers go: they are {_kind_of(kind)}, which keeps about "
        f"{_COARSE[kind]} digits, and more are compared. Compute in float32."
    )


def _leftover_sentence(output: Output, what: str, got: torch.Tensor, left: torch.Tensor) -> str:
    """Cells that must be exactly 0 and hold a little."""
    kept = torch.where(left, got.detach().abs(), 0.0)
    where = _largest(kept)
    held = got.detach()[left]
    text = (
        f"{what} is right but for one thing: what is forbidden must be exactly 0, and yours is not at "
        f"{int(left.sum())} places; at {_place(output, where)} it is {kept.max().item():.1e}."
    )
    if held.numel() > 1 and held.min() == held.max():
        return text + " It is the same number everywhere: is something added, or clamped?"
    return text + " A score that is only low still gets a share; a score of -inf gets none."


def _nan_sentence(output: Output, what: str, got: torch.Tensor, bad: torch.Tensor) -> str:
    kind = "NaN" if torch.isnan(got[bad]).any() else "infinite"
    where = bad.nonzero()[0].tolist()
    text = f"{what} is {kind}."
    if got.dim():
        places = f"{int(bad.sum())} of {bad.numel()} places"
        text = f"{what} is {kind} at {places}, the first at {_place(output, where)}."
    if kind == "NaN":
        text += " What makes a NaN: 0/0, ∞/∞, ∞ − ∞ or 0 · ∞ (exp of a number above 89 is ∞ in float32), a "
        text += "softmax over a row that is −∞ everywhere, the root or the logarithm of a number below 0."
    return text


def _boolean_sentence(output: Output, what: str, got: torch.Tensor, expected: torch.Tensor) -> str:
    """How many cells of a mask differ, and the first of them."""
    return f"{what} has the right shape; {_cells_that_differ(output, got, expected)}"


def _cells_that_differ(output: Output, got: torch.Tensor, expected: torch.Tensor) -> str:
    wrong = got != expected
    where = wrong.nonzero()[0].tolist()
    at = tuple(where)
    text = (
        f"{int(wrong.sum())} of {wrong.numel()} cells differ. The first is at "
        f"{_place(output, where)}: expected {expected[at].item()}, got {got[at].item()}."
    )
    pattern = _confined(output, wrong)
    return text + (" " + pattern if pattern else "")


def _value_sentence(
    output: Output,
    what: str,
    got: torch.Tensor,
    expected: torch.Tensor,
    tolerance: float,
    whole: bool = False,
) -> str:
    """How many values differ, where the largest difference is, and a pattern if there is one.

    Of ids and other whole numbers the first is told: to differ by 10 is no more than to differ by 1.
    """
    wrong = got != expected if whole else ~torch.isclose(got, expected, rtol=tolerance, atol=tolerance)
    gap = torch.where(wrong, (got - expected).abs(), torch.zeros_like(got))
    largest = _largest(gap)
    where = wrong.nonzero()[0].tolist() if whole else largest
    at = tuple(where)
    right, theirs = expected[at].item(), got[at].item()
    digits = next((n for n in (4, 7, 10) if f"{right:.{n}f}" != f"{theirs:.{n}f}"), 13)  # where they part
    digits = 0 if whole else digits
    if got.dim():
        text = (
            f"{what} has the right shape; {int(wrong.sum())} of {wrong.numel()} values differ. "
            f"The {'first' if whole else 'largest difference'} is at {_place(output, where)}: "
            f"expected {right:.{digits}f}, got {theirs:.{digits}f}."
        )
    else:
        text = f"{what} is {theirs:.{digits}f}; expected {right:.{digits}f}."
    pattern = _pattern(got, expected) or _confined(output, wrong)
    return text + (" " + pattern if pattern else "")


def _pattern(got: torch.Tensor, expected: torch.Tensor) -> str | None:
    """A sentence if the answer is a multiple of the right one, or shifted by a constant.

    Not of whole numbers: ids, places and counts are multiples of one another by chance.
    """
    large = expected.abs() > 1e-3
    if got.numel() < 2 or not large.any() or torch.equal(expected, expected.round()):
        return None
    if comparing.same(got, -expected, 1e-5):
        return "Every sign is reversed."
    factor = (got[large] / expected[large]).median()
    if factor.abs() > 1e-6 and torch.allclose(got, expected * factor, rtol=1e-4, atol=1e-6):
        size = factor.item()
        if f"{max(size, 1 / size if size else 0):.3g}" == "1":
            return None  # a little too large or too small: to say "1 times" says nothing
        if size > 1:
            return f"All your values are {size:.3g} times too large."
        if size > 0:
            return f"All your values are {1 / size:.3g} times too small."
    shift = (got - expected).median()
    if abs(shift.item()) > 1e-4 and torch.allclose(got, expected + shift, rtol=1e-4, atol=1e-5):
        return f"All your values are {abs(shift.item()):.3g} too {'large' if shift > 0 else 'small'}."
    return None


def _confined(output: Output, wrong: torch.Tensor) -> str | None:
    """A sentence if all wrong values lie in one slice, for example in one sentence of the batch."""
    for axis in range(len(output.axes or ())):
        places = wrong.nonzero()[:, axis].unique()
        if wrong.shape[axis] > 1 and len(places) == 1:
            at = _axis(output.axes, axis)
            return f"All of them are {at} {places.item()}: what is special there?"
    return None


def _place(output: Output, index: list[int]) -> str:
    """``[b=0, s=2]``; an axis of length 1 needs no place. Two axes of one name are row and column."""
    axes = output.axes or ()
    twins = _twins(axes)
    places = [f"{axes[n].lower()}={i}" for n, i in enumerate(index) if axes[n] != "1" and n not in twins]
    text = ["[" + ", ".join(places) + "]"] if places or not twins else []
    return ", ".join(text + [f"{word} {index[n]}" for n, word in twins.items()])


def _largest(tensor: torch.Tensor) -> list[int]:
    """The index of the largest number. (`torch.unravel_index` imports all of sympy for it.)"""
    rest, index = int(tensor.argmax()), []
    for size in reversed(tensor.shape):
        rest, i = divmod(rest, size)
        index.insert(0, i)
    return index


def _twins(axes: tuple[str, ...]) -> dict[int, str]:
    """The last two axes, if they have one name, as row and column: a mask of positions on positions."""
    last = len(axes) - 1
    return {last - 1: "row", last: "column"} if last > 0 and axes[-2] == axes[-1] != "1" else {}


def _axis(axes: tuple[str, ...], axis: int) -> str:
    """``at b =``; of two axes of one name ``in row`` and ``in column``."""
    word = _twins(axes).get(axis)
    return f"in {word}" if word else f"at {axes[axis].lower()} ="


def _kind(tensor: torch.Tensor) -> str:
    return _kind_of(tensor.dtype)


def _kind_of(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _numbers(one: Any, other: Any) -> tuple[str, str]:
    """Two numbers that differ, with as many digits as show it."""
    texts = [(_number(one, n), _number(other, n)) for n in (4, 7, 10, 17)]
    return next((pair for pair in texts if pair[0] != pair[1]), texts[-1])


def _number(value: Any, digits: int = 4) -> str:
    """A whole number with all its digits, ``16,640``; another one with four."""
    if isinstance(value, int) and abs(value) >= 10**30:
        return f"a whole number of about {int(value.bit_length() * 0.30103) + 1:,} digits"
    return f"{int(value):,}" if float(value).is_integer() else f"{value:.{digits}g}"
