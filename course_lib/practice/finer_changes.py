"""More small changes to a learner's code: numbers, names and signs that stand where another one belongs.

They are tried after those of ``changes``: there are many of them, and each finds a rarer slip.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator
from functools import partial

from course_lib.practice.changes import Change, places, shown

_MODULES = ("torch", "F", "nn", "math", "np", "numpy")
_FILLERS = ("masked_fill", "masked_fill_", "where")


def all_changes(tree: ast.Module) -> Iterator[Change]:
    """All changes of this module, those with the plainest cause first."""
    found = list(places(tree))
    function = tree.body[0]
    given = [arg.arg for arg in function.args.args]
    names = _names(function)
    rules = (
        _power,
        _piece,
        _turned,
        _unwrapped,
        _transposed,
        _bound,
        partial(_fixed, names=names, given=given),  # before _number: 5 may do for 4 where S is never larger
        _number,
        partial(_other_name, names=names, given=given, written=_written(function)),
        partial(_name_for_a_call, names=names),
    )
    beside = _beside(tree)
    for rule in rules:
        for node, put in found:
            for (why, old, new), other in rule(node):
                if shown(other) in beside.get(node, ()):
                    continue  # `n == n`, `most or most`: true of any input, and no cause
                named = getattr(rule, "func", rule) in (_other_name, _name_for_a_call, _fixed)
                yield Change(why, old, new, partial(put, other), partial(put, node), "", named)


def _beside(tree: ast.Module) -> dict[ast.AST, list[str]]:
    """Each side of a comparison, of `and` and of `or`, and what stands on the other sides of it."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, (ast.Compare, ast.BoolOp)):
            sides = [node.left, *node.comparators] if isinstance(node, ast.Compare) else node.values
            found |= {side: [shown(other) for other in sides if other is not side] for side in sides}
    return found


def _names(function: ast.FunctionDef) -> list[str]:
    """The names of the function's own values, in the order in which they come; no functions among them."""
    called = {node.func.id for node in ast.walk(function) if _is_call_of_a_name(node)}
    given = [arg.arg for arg in function.args.args]
    made = [n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
    return [name for name in dict.fromkeys([*given, *made]) if name not in called]


def _is_call_of_a_name(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name)


def _power(node: ast.AST):
    """a ** (b / c) for a ** b / c, and a / (b * c) for a / b * c."""
    if not (isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Div, ast.Mult))):
        return
    left, right = node.left, node.right
    if isinstance(left, ast.BinOp) and isinstance(left.op, (ast.Div, ast.Mult)):
        over, power = left, left.right
    else:
        over, power = None, left
    if isinstance(power, ast.BinOp) and isinstance(power.op, ast.Pow):
        new = ast.BinOp(power.left, ast.Pow(), ast.BinOp(power.right, node.op, right))
        old = ast.BinOp(power, node.op, right)
        why = f"Python takes a power before it divides or multiplies: `{shown(power)}` comes first here."
        whole = ast.BinOp(over.left, over.op, new) if over else new
        yield (why, shown(old), shown(new)), whole
    if over is not None and isinstance(over.op, ast.Div):
        new = ast.BinOp(over.left, ast.Div(), ast.BinOp(over.right, ast.Mult(), right))
        why = "Python divides and multiplies from left to right: only what stands next to `/` is below it."
        yield (why, shown(node), shown(new)), new


def _piece(node: ast.AST):
    """[i * k : (i + 1) * k] for [i : i + k]."""
    if not (isinstance(node, ast.Slice) and isinstance(node.lower, ast.Name) and node.step is None):
        return
    end = node.upper
    if isinstance(end, ast.BinOp) and isinstance(end.op, ast.Add):
        sides = [end.left, end.right]
        size = next((b for a, b in (sides, sides[::-1]) if ast.dump(a) == ast.dump(node.lower)), None)
        if size is not None:
            i = node.lower
            one = ast.BinOp(i, ast.Add(), ast.Constant(1))
            new = ast.Slice(ast.BinOp(i, ast.Mult(), size), ast.BinOp(one, ast.Mult(), size))
            why = f"Piece number `{i.id}` begins behind those before it, at `{i.id} * {shown(size)}`."
            yield (why, f"[{shown(node)}]", f"[{shown(new)}]"), new


def _turned(node: ast.AST):
    """Without ~, - or not; and with ~ in what fills cells."""
    turned = isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.Invert, ast.USub, ast.Not))
    if turned and not isinstance(node.operand, ast.Constant):
        yield ("", shown(node), shown(node.operand)), node.operand
    if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in _FILLERS and node.args:
        mask = node.args[0]
        if not (isinstance(mask, ast.UnaryOp) and isinstance(mask.op, ast.Invert)):
            new = ast.UnaryOp(ast.Invert(), mask)
            yield ("", shown(mask), shown(new)), ast.Call(node.func, [new, *node.args[1:]], node.keywords)


def _unwrapped(node: ast.AST):
    """x for f(x) and for x.f(…), and the sum for the largest or smallest with its `.values`."""
    if isinstance(node, ast.Attribute) and node.attr == "values" and isinstance(node.value, ast.Call):
        call = node.value
        if isinstance(call.func, ast.Attribute) and call.func.attr in ("max", "min", "median"):
            new = ast.Call(ast.Attribute(call.func.value, "sum", ast.Load()), call.args, call.keywords)
            given = ", ".join(map(ast.unparse, [*call.args, *call.keywords]))
            why = f"`{call.func.attr}` keeps one number of many."
            yield (why, f".{call.func.attr}({given}).values", f".sum({given})"), new
    if not isinstance(node, ast.Call):
        return
    if isinstance(node.func, ast.Attribute) and not _is_module(node.func.value):
        yield ("", shown(node), shown(node.func.value)), node.func.value
    elif len(node.args) >= 1 and not isinstance(node.args[0], (ast.Constant, ast.Starred)):
        yield ("", shown(node), shown(node.args[0])), node.args[0]


def _is_module(node: ast.AST) -> bool:
    """True for `torch`, `F`, `math`, `np`, and for what stands behind them, `torch.nn.functional`."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name) and node.id in _MODULES


def _transposed(node: ast.AST):
    """A matrix in a product with its last two axes exchanged, or as it came."""
    if not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult)):
        return
    for side in ("right", "left"):
        matrix = getattr(node, side)
        turned = matrix.func if isinstance(matrix, ast.Call) and not matrix.args else matrix
        if isinstance(turned, ast.Attribute) and turned.attr in ("T", "mT", "t"):
            others, why = [turned.value, ast.Attribute(turned.value, "mT", ast.Load())], ""
            others = others[:1] if turned.attr == "mT" else others
        else:
            others = [ast.Attribute(matrix, attr, ast.Load()) for attr in ("T", "mT")]
            why = "In the product, rows meet columns."
        for other in others:
            pair = {"left": node.left, "right": node.right, side: other}
            yield (why, shown(matrix), shown(other)), ast.BinOp(pair["left"], ast.MatMult(), pair["right"])


def _bound(node: ast.AST):
    """The end or the beginning of a slice or a range, one further or one less, or left out."""
    if isinstance(node, ast.Slice) and node.lower and node.upper and not node.step:
        for new in (ast.Slice(None, node.upper), ast.Slice(node.lower)):
            yield ("The slice takes too small a part.", f"[{shown(node)}]", f"[{shown(new)}]"), new
    if isinstance(node, ast.Slice):
        for side in ("upper", "lower"):
            bound = getattr(node, side)
            if bound is not None and not isinstance(bound, ast.Constant):
                for op, what in ((ast.Add(), "small"), (ast.Sub(), "large")):
                    ends = {"lower": node.lower, "upper": node.upper}
                    new = ast.Slice(**ends | {side: ast.BinOp(bound, op, ast.Constant(1))}, step=node.step)
                    yield (f"A bound is one too {what}.", f"[{shown(node)}]", f"[{shown(new)}]"), new
    if _is_call_of_a_name(node) and node.func.id == "range" and 1 <= len(node.args) <= 2:
        for i, bound in enumerate(node.args):
            if not isinstance(bound, ast.Constant):
                for op, what in ((ast.Add(), "small"), (ast.Sub(), "large")):
                    args = [*node.args]
                    args[i] = ast.BinOp(bound, op, ast.Constant(1))
                    new = ast.Call(node.func, args, [])
                    yield (f"A bound is one too {what}.", shown(node), shown(new)), new


def _number(node: ast.AST):
    """A whole number in the code, one more or one less."""
    if isinstance(node, ast.Constant) and type(node.value) is int and abs(node.value) < 1000:
        for other in (node.value + 1, node.value - 1):
            yield ("", str(node.value), str(other)), ast.Constant(other)


def _fixed(node: ast.AST, names: list[str], given: list[str]):
    """A whole number that is fixed in the code, and belongs to the input."""
    if not (isinstance(node, ast.Constant) and type(node.value) is int and 0 <= node.value < 10_000):
        return
    texts = [*names, *(f"{a} - {b}" for a, b in itertools.permutations(names[:6], 2))]
    texts += [f"{name}.shape[{axis}]" for name in given for axis in (-1, 1, 0)]
    for text in texts:
        why = f"`{node.value}` is the same on every input, and what belongs there is not."
        new = ast.parse(text, mode="eval").body
        yield (why, str(node.value), text), new


def _written(function: ast.FunctionDef) -> set[ast.AST]:
    """The names into which the function writes, as `out` in `out[i] = 0`."""
    return {
        node.value
        for node in ast.walk(function)
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store)
    }


def _other_name(node: ast.AST, names: list[str], given: list[str], written: set[ast.AST]):
    """Another one of the function's own names; nobody means to write into what was given."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in names:
        for name in names:
            if name != node.id and not (node in written and name in given):
                yield ("", node.id, name), ast.Name(name, ast.Load())


def _name_for_a_call(node: ast.AST, names: list[str]):
    """One of the function's own names for what is computed there."""
    if isinstance(node, ast.Call):
        for name in names:
            yield ("", shown(node), name), ast.Name(name, ast.Load())
