"""What a learner's function returned, brought into a form that can be looked at without surprises.

A learner's function may return anything: an object whose ``__repr__`` raises, a tensor without numbers, a
number too large for a float. After ``plain`` there are only ordinary tensors on the CPU, tuples, lists,
dicts, numbers, texts and ``Stranger``s.
"""

from __future__ import annotations

import itertools
import numbers
from dataclasses import dataclass
from typing import Any

import torch

from course_lib.practice.kinds import CannotCompare, Output

_MOST = 1000  # parts of a list or tuple that are looked at


@dataclass(frozen=True)
class Stranger:
    """Something that no exercise asks for: what is known of it is the name of its type."""

    name: str
    module: str = ""
    iterates: bool = False


def plain(value: Any, depth: int = 0) -> Any:
    """The same value in an ordinary form.

    Raises CannotCompare for a tensor that holds no ordinary numbers.
    """
    try:
        if value is None or value is Ellipsis or type(value) in (bool, str, int, float):
            return value
        if isinstance(value, torch.Tensor):
            return _tensor(value)
        for kind in (tuple, list):
            if isinstance(value, kind) and kind.__len__(value) <= _MOST and depth < 4:
                parts = itertools.islice(kind.__iter__(value), _MOST)
                return kind([plain(part, depth + 1) for part in parts])
        if isinstance(value, dict) and dict.__len__(value) <= _MOST and depth < 4:
            return {plain(key): plain(part, depth + 1) for key, part in dict.items(value)}
        if isinstance(value, numbers.Real):
            return int(value) if isinstance(value, numbers.Integral) else float(value)
    except CannotCompare:
        raise
    except Exception:  # whatever its methods do
        return stranger(value)
    return stranger(value)


def stranger(value: Any) -> Stranger:
    kind = type(value)
    try:
        return Stranger(str(kind.__name__)[:40], str(kind.__module__), hasattr(kind, "__next__"))
    except Exception:
        return Stranger("object")


def _tensor(value: torch.Tensor) -> torch.Tensor:
    with torch._C.DisableTorchFunctionSubclass():
        if value.is_nested:
            raise CannotCompare(
                "your answer holds a nested tensor, which has no shape; check needs an ordinary one."
            )
        if value.layout != torch.strided:
            raise CannotCompare(
                "your answer holds a sparse tensor; check needs an ordinary one: `.to_dense()` makes it."
            )
        if value.device.type == "meta":
            raise CannotCompare(
                "your answer stands on the device `meta`, which knows shapes and holds no numbers. Make "
                "tensors without `device=`."
            )
        if value.is_quantized:
            value = value.dequantize()
        value = value.cpu()
        return value if type(value) is torch.Tensor else value.as_subclass(torch.Tensor)


def fit(outputs: tuple[Output, ...], value: Any) -> Any:
    """Honest forms of one number are one: a Python number where a tensor without axes is asked, and back."""
    if len(outputs) > 1:
        if isinstance(value, (tuple, list)) and len(value) == len(outputs):
            return tuple(fit((output,), part) for output, part in zip(outputs, value, strict=True))
        return value
    if outputs[0].form:
        return _in_form(outputs[0].form, value)
    axes = outputs[0].axes
    if axes == () and is_number(value):
        try:
            return torch.tensor(float(value), dtype=torch.float64)
        except OverflowError:
            return value
    if axes is None and isinstance(value, torch.Tensor) and value.dim() == 0:
        return value if value.is_complex() or value.dtype == torch.bool else value.item()
    return value


def _in_form(form: str, value: Any) -> Any:
    """Honest forms of one list or dict are one: a tuple or a tensor of ids, a pair counted as 0."""
    if form in ("ids", "pairs"):
        axes = 1 if form == "ids" else 2
        if isinstance(value, torch.Tensor) and value.dim() == axes and value.numel() <= _MOST:
            value = value.tolist()
        if isinstance(value, (tuple, list)):
            pairs = form == "pairs"
            return [
                tuple(map(_whole, part)) if pairs and isinstance(part, (tuple, list)) else _whole(part)
                for part in value
            ]
    if form == "names" and isinstance(value, tuple):
        return list(value)
    if form == "turns" and isinstance(value, (tuple, list)):
        return [tuple(turn) if isinstance(turn, list) else turn for turn in value]
    if form == "counts" and isinstance(value, dict):
        counts = {pair: _whole(n) for pair, n in value.items()}
        return {pair: n for pair, n in counts.items() if not (is_number(n) and n == 0)}
    return value


def _whole(part: Any) -> Any:
    """A tensor that holds one whole number, as a Python number."""
    one = isinstance(part, torch.Tensor) and part.dim() == 0 and not part.dtype.is_floating_point
    return int(part) if one and not part.is_complex() else part


def is_number(value: Any) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def text_of(thing: Any, otherwise: str = "") -> str:
    """``str(thing)``; ``otherwise`` if it raises."""
    try:
        return str(thing)
    except Exception:
        return otherwise
