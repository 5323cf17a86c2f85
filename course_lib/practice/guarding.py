"""A changed copy of a learner's function that can do no harm while it is tried.

A change may put a name where it never belonged: a list into itself (``torch.tensor`` of it overflows the
stack and ends the whole kernel), a text below ``* 987654321`` (one operation that fills the memory and that
no time limit reaches). So in a copy that is tried, each operation that can take unbounded memory asks here
first. What is refused ends the trial; the learner's own function runs without any of this.
"""

from __future__ import annotations

import ast
import contextlib
import dis
import inspect
import itertools
import operator
import textwrap
import warnings
from collections.abc import Callable, Iterable
from functools import lru_cache
from types import BuiltinFunctionType, CodeType, FunctionType
from typing import Any

import torch

from course_lib.practice import running

CHANGED = "<your code, changed>"
MOST = 5_000_000  # parts of a list, letters of a text, numbers of a tensor
DEEPEST = 40  # lists within lists
MOST_BITS = 1_000_000  # of a whole number
_MOST_PARTS = 100_000  # of a list with its lists, counted as often as they are reached

_SIZED = {
    "zeros", "ones", "empty", "full", "rand", "randn", "randint", "randperm", "eye", "identity", "new_zeros",
    "new_ones", "new_empty", "new_full", "repeat", "tile", "repeat_interleave", "one_hot", "resize_", "pad",
    "tril_indices", "triu_indices", "bytes", "bytearray", "ljust", "rjust", "center", "zfill", "factorial",
    "comb", "perm", "expandtabs", "tri", "vander", "bincount", "linspace", "logspace", "arange", "range",
    "hann_window", "to_bytes", "multinomial", "normal", "uniform", "Linear", "Embedding",
}  # fmt: skip
_EACH_ALONE = {"arange", "range", "linspace", "logspace", "factorial", "randint"}
_JOINED = {"cat", "concat", "concatenate", "stack", "hstack", "vstack", "dstack", "extend", "join"}
_IN_LISTS = {"list", "tuple", "set", "sorted", "sum", "deque", "frozenset"}
_ENDLESS = (itertools.count, itertools.cycle, itertools.repeat)
_OPERATORS = {
    "mul": "times", "imul": "times", "__mul__": "times", "__rmul__": "times", "pow": "power",
    "ipow": "power", "__pow__": "power", "lshift": "shift", "add": "plus", "iadd": "plus", "concat": "plus",
    "__add__": "plus", "__lshift__": "shift",
}  # fmt: skip
_SIGNS = {ast.Mult: "times", ast.Pow: "power", ast.LShift: "shift", ast.Add: "plus", ast.Div: "over"}
_OF_THEIR_FRAME = ("super", "locals", "globals", "vars", "dir", "eval", "exec")
_PLAIN = (list, dict, set, tuple, str, bytes)  # their methods keep what they are given as it is


class Refused(BaseException):
    """Raised in a trial in place of an operation without bounds. No Exception: no `except` may eat it."""


# --- what is asked before an operation ---------------------------------------------------------------------


def small(value: Any) -> Any:
    """``value``; raises Refused for lists that hold themselves, lie too deep or are too many."""
    if not isinstance(value, (list, tuple, dict)):
        return value
    rest, seen = [(value, 0)], 0
    while rest:
        part, depth = rest.pop()
        if depth > DEEPEST or seen > _MOST_PARTS:
            raise Refused("a list that holds itself, or far too many")
        parts = part.values() if isinstance(part, dict) else part
        seen += len(part)
        rest += [(inner, depth + 1) for inner in parts if isinstance(inner, (list, tuple, dict))]
    return value


def times(a: Any, b: Any) -> Any:
    """``b``, where ``a * b`` has bounds."""
    for part, many in ((a, b), (b, a)):
        if isinstance(part, (str, bytes, bytearray, list, tuple)) and isinstance(many, int):
            _at_most(len(part) * max(many, 0))
    if isinstance(a, int) and isinstance(b, int):
        _at_most(a.bit_length() + b.bit_length(), MOST_BITS)
    return b


def power(a: Any, b: Any) -> Any:
    if isinstance(a, int) and isinstance(b, int) and b > 0:
        _at_most(a.bit_length() * b, MOST_BITS)
    return b


def shift(a: Any, b: Any) -> Any:
    if isinstance(a, int) and isinstance(b, int):
        _at_most(a.bit_length() + b, MOST_BITS)
    return b


def plus(a: Any, b: Any) -> Any:
    if isinstance(a, _PLAIN) and isinstance(b, _PLAIN):
        _at_most(len(a) + len(b))
    return b


def over(a: Any, b: Any) -> Any:
    """``b``, which is no mask: what is divided by False is infinite, and may be right by accident."""
    if isinstance(b, torch.Tensor) and b.dtype == torch.bool:
        raise Refused("something over a mask")
    return b


def callee(function: Any) -> Any:
    """``function`` itself where it is the learner's own code, else one that looks at what it is given."""
    if isinstance(function, FunctionType) and running.is_learners(function.__code__.co_filename):
        signs = _signs_in(function.__code__) if function.__name__ == "<lambda>" else ()
        return _asking_pairs(function, signs) if signs else function

    def asked(*args: Any, **words: Any) -> Any:
        _ask(function, args, words)
        return function(*args, **words)

    return asked


@lru_cache(maxsize=200)
def _signs_in(code: CodeType) -> tuple[str, ...]:
    """The guards of the signs in a lambda that was not written again here, as in a table of operators."""
    if code.co_filename == CHANGED or code.co_argcount != 2:
        return ()
    signs = {step.argrepr for step in dis.get_instructions(code) if step.opname == "BINARY_OP"}
    return tuple(guard for sign, guard in _BY_SIGN.items() if sign in signs)


def _asking_pairs(function: FunctionType, guards: tuple[str, ...]) -> Callable[..., Any]:
    def asked(*args: Any, **words: Any) -> Any:
        for guard in guards if len(args) == 2 else ():
            _GUARDS[guard](*args)
        return function(*args, **words)

    return asked


def _ask(function: Any, args: tuple[Any, ...], words: dict[str, Any]) -> None:
    name, owner = getattr(function, "__name__", ""), getattr(function, "__self__", None)
    given = (*args, *words.values())
    if name in _OPERATORS:
        pair = (owner, *args) if name.startswith("__") and args else args
        if len(pair) == 2:
            _GUARDS[_OPERATORS[name]](*pair)
    if name in _SIZED:
        sizes = [n for n in _wholes(given) if n > 1]
        if name in _EACH_ALONE:
            _at_most(max(sizes, default=0))
        else:
            many = owner.numel() if isinstance(owner, torch.Tensor) else 1
            for n in sizes:
                many *= n
                _at_most(many)
    if name in _JOINED:
        parts = given[0] if given and isinstance(given[0], (list, tuple)) else ()
        held = len(owner) if isinstance(owner, (list, str)) and name == "extend" else 0
        tensors = sum(part.numel() for part in parts if isinstance(part, torch.Tensor))
        _at_most(held + tensors + (len(parts) if name == "extend" else 0))
    if name in _IN_LISTS and any(isinstance(part, _ENDLESS) for part in args):
        raise Refused("a list without an end")
    ours = isinstance(owner, _PLAIN) or getattr(function, "__module__", "") == "builtins"
    if not (ours and isinstance(function, (BuiltinFunctionType, type))):
        for value in given:
            small(value)


def _wholes(values: Iterable[Any]) -> list[int]:
    found = []
    for value in values:
        if isinstance(value, (list, tuple)):
            found += [n for n in value if isinstance(n, int)]
        elif isinstance(value, int):
            found.append(value)
    return found


def _at_most(many: int, most: int = MOST) -> None:
    if many > most:
        raise Refused("an operation without bounds")


def _signed(sign: Callable[[Any, Any], Any], guard: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda a, b: sign(a, guard(a, b))


_BY_SIGN = {"*": "times", "**": "power", "<<": "shift", "+": "plus"}
_GUARDS = {"times": times, "power": power, "shift": shift, "plus": plus, "over": over}
_PREFIX = "_course_"
_NAMES = {_PREFIX + name: guard for name, guard in (_GUARDS | {"small": small, "callee": callee}).items()} | {
    _PREFIX + "a_times_b": _signed(operator.mul, times),
    _PREFIX + "a_power_b": _signed(operator.pow, power),
    _PREFIX + "a_shift_b": _signed(operator.lshift, shift),
    _PREFIX + "a_plus_b": _signed(operator.add, plus),
    _PREFIX + "a_over_b": _signed(operator.truediv, over),
}


# --- the code with these questions in it -------------------------------------------------------------------


def guarded(node: Any) -> Any:
    """A copy of a syntax tree in which each operation without bounds asks first."""
    if isinstance(node, list):
        return [guarded(part) for part in node]
    if not isinstance(node, ast.AST):
        return node
    made = type(node)(**{name: guarded(value) for name, value in ast.iter_fields(node)})
    if isinstance(node, ast.BinOp) and type(node.op) in _SIGNS:
        return _asking(f"a_{_SIGNS[type(node.op)]}_b", made.left, made.right)
    if isinstance(node, ast.AugAssign) and type(node.op) in _SIGNS:
        target = ast.parse(ast.unparse(node.target), mode="eval").body
        made.value = _asking(_SIGNS[type(node.op)], target, made.value)
    elif isinstance(node, ast.Call):
        if not (isinstance(node.func, ast.Name) and node.func.id in _OF_THEIR_FRAME):
            made.func = _asking("callee", made.func)
    elif isinstance(node, ast.Subscript):
        if isinstance(made.slice, ast.Tuple):
            made.slice.elts = list(map(_small, made.slice.elts))
        else:
            made.slice = _small(made.slice)
    elif _hands_on(node):
        made.value = _small(made.value)
    return made


def _hands_on(node: ast.AST) -> bool:
    """A ``return``, and what sets a part: ``x[i] = …`` of a tensor reads lists."""
    if isinstance(node, ast.Assign):
        return any(isinstance(to, ast.Subscript) for to in node.targets)
    return isinstance(node, ast.Return) and node.value is not None


def _small(node: ast.expr) -> ast.expr:
    return node if isinstance(node, (ast.Slice, ast.Constant, ast.Starred)) else _asking("small", node)


def _asking(what: str, *parts: ast.expr) -> ast.expr:
    return ast.Call(ast.Name(_PREFIX + what, ast.Load()), list(parts), [])


def compiled(tree: ast.Module) -> CodeType:
    """The code of a changed tree, with its questions. Raises what ``compile`` raises."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of lines that the learner did not write
        return compile(ast.fix_missing_locations(guarded(tree)), CHANGED, "exec")


def around(function: FunctionType) -> tuple[dict[str, Any], list[CodeType]]:
    """The names that a function sees, and the code of the learner's functions that it calls."""
    names = dict(function.__globals__) | _NAMES  # a copy: nothing of the learner's is written over
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        with contextlib.suppress(ValueError):  # not filled yet
            names[name] = cell.cell_contents
    found, rest = {}, [function.__code__]
    while rest:
        code = rest.pop()
        rest += [part for part in code.co_consts if isinstance(part, CodeType)]
        for name in (*code.co_names, *code.co_freevars):
            helper = names.get(name)
            if name in found or helper is function or not isinstance(helper, FunctionType):
                continue
            if running.is_learners(helper.__code__.co_filename) and not helper.__closure__:
                found[name] = _again(helper, name)
                rest.append(helper.__code__)
    return names, [code for code in found.values() if code is not None]


def _again(helper: FunctionType, name: str) -> CodeType | None:
    """The code of one of the learner's other functions, with its questions; None if it is not known."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(helper)))
        one = tree.body[0]
        plain = len(tree.body) == 1 and isinstance(one, ast.FunctionDef) and one.name == name
        return compiled(tree) if plain and not one.decorator_list else None
    except (OSError, TypeError, SyntaxError, ValueError):
        return None
