"""Small changes to a learner's code, as a tutor would try them: another sign, another axis, another order.

``repairing`` makes them one by one and keeps the first with which the function is right.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

MOST_SHOWN = 60  # characters of code in a sentence

RETURNS_EARLY = "Your `return` stands inside the loop and ends it in the first round"

_SIGNS = {
    ast.FloorDiv: ((ast.Div, "`//` rounds down to a whole number."),),
    ast.BitXor: ((ast.Pow, "`^` is the exclusive or; a power is `**`."),),
    ast.Is: ((ast.Eq, "`is` asks whether both are one and the same object, not whether values are equal."),),
    ast.IsNot: ((ast.NotEq, "`is not` asks whether both are different objects, not whether values differ."),),
    ast.BitOr: ((ast.BitAnd, "`|` takes what is in either of the two, `&` what is in both."),),
    ast.BitAnd: ((ast.BitOr, "`&` takes what is in both of the two, `|` what is in either."),),
    ast.Mult: (
        (ast.Add, "You multiply where a sum belongs."),
        (ast.Div, "You multiply where you must divide."),
    ),
    ast.Add: ((ast.Mult, "You add where a product belongs."), (ast.Sub, "You add where you must subtract.")),
    ast.Sub: ((ast.Add, "You subtract where a sum belongs."),),
    ast.Div: ((ast.Mult, "You divide where a product belongs."),),
    ast.Lt: ((ast.LtE, ""), (ast.Gt, ""), (ast.GtE, "")),
    ast.LtE: ((ast.Lt, ""), (ast.GtE, ""), (ast.Gt, "")),
    ast.Gt: ((ast.GtE, ""), (ast.Lt, ""), (ast.LtE, "")),
    ast.GtE: ((ast.Gt, ""), (ast.LtE, ""), (ast.Lt, "")),
    ast.Eq: ((ast.NotEq, ""),),
    ast.NotEq: ((ast.Eq, ""),),
}
_SYMBOLS = {
    ast.FloorDiv: "//", ast.Div: "/", ast.BitXor: "^", ast.Pow: "**", ast.Is: "is", ast.IsNot: "is not",
    ast.Eq: "==", ast.NotEq: "!=", ast.BitOr: "|", ast.BitAnd: "&", ast.Mult: "*", ast.Add: "+",
    ast.Sub: "-", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.MatMult: "@",
}  # fmt: skip
_REDUCERS = ("sum", "mean", "max", "min", "prod", "median", "amax", "std", "var")
_BENDS = ("sigmoid", "relu", "sin", "exp", "softmax", "softplus", "gelu", "elu")
_NEW_TENSORS = (
    "unsqueeze", "squeeze", "transpose", "permute", "reshape", "view", "masked_fill", "softmax", "flip",
    "bool", "long", "swapaxes", "movedim", "flatten", "unflatten", "expand", "tril", "triu", "t",
)  # fmt: skip


@dataclass(frozen=True)
class Change:
    """One change to a syntax tree.

    Args:
        why: what a tutor says of the old code, true of it wherever it stands; may be empty.
        old, new: the code as it is shown; without ``new`` the old part is left out; without ``old`` the words
            in ``why`` tell the change.
        make, undo: change the tree, and take the change back.
        kind: changes of one kind are also made all at once.
        named: True if a name of the function takes another one's place. There are so many of these that two
            of them together may be right by accident.
    """

    why: str
    old: str
    new: str
    make: Callable[[], Any]
    undo: Callable[[], Any]
    kind: str = ""
    named: bool = False


def all_changes(tree: ast.Module) -> Iterator[Change]:
    """All changes, those with the plainest cause first."""
    found = list(places(tree))
    yield from _lines_left_out(tree)
    yield from _statements(tree)
    for rule in (
        _call,
        _number_left_out,
        _sign,
        _name,
        _compared,
        _brackets,
        _order,
        _axis,
        _part,
        _left_out,
    ):
        for node, put in found:
            for (why, old, new), other, kind in rule(node):
                yield Change(why, old, new, partial(put, other), partial(put, node), kind)


def places(tree: ast.Module) -> Iterator[tuple[ast.AST, Callable[[ast.AST], None]]]:
    """Each node below the function, with what puts another one at its place."""
    for parent in ast.walk(tree.body[0]):
        for field, value in ast.iter_fields(parent):
            if isinstance(value, ast.AST):
                yield value, partial(setattr, parent, field)
            elif isinstance(value, list):
                for i, part in enumerate(value):
                    if isinstance(part, ast.AST):
                        yield part, partial(value.__setitem__, i)


def _steps(parent: ast.AST, *fields: str) -> Iterator[tuple[list, int, ast.stmt]]:
    for field in fields:
        block = getattr(parent, field, None)
        for i, step in enumerate(block if isinstance(block, list) else ()):
            yield block, i, step


def _lines_left_out(tree: ast.Module) -> Iterator[Change]:
    """A line that writes into something, `out[last] = 0`, is too much: before its parts are changed.

    Else a change would be found that only takes its effect away, as another name or another place does.
    """
    for parent in ast.walk(tree):
        for block, i, step in _steps(parent, "body", "orelse"):
            targets = step.targets if isinstance(step, ast.Assign) else [getattr(step, "target", None)]
            writes = isinstance(step, (ast.Assign, ast.AugAssign)) and any(
                isinstance(target, ast.Subscript) for target in targets
            )
            if writes:
                put = partial(block.__setitem__, i)
                yield Change("", shown(step), "", partial(put, ast.Pass()), partial(put, step))


def _statements(tree: ast.Module) -> Iterator[Change]:
    for parent in ast.walk(tree):
        for block, i, step in _steps(parent, "body"):
            if ends_it(step):
                end = step.body[-1]
                why = f"{RETURNS_EARLY}. Move it to the left, behind the loop:"

                def make(step=step, block=block, i=i, end=end):
                    step.body.pop()
                    block.insert(i + 1, end)

                def undo(step=step, block=block, i=i, end=end):
                    block.pop(i + 1)
                    step.body.append(end)

                yield Change(why, "", "", make, undo)
            if isinstance(step, ast.For):
                yield from _moved_into(step, block, i)
            if isinstance(step, ast.AugAssign) and isinstance(step.op, (ast.Add, ast.Sub, ast.Mult, ast.Div)):
                sign, name = _SYMBOLS[type(step.op)], shown(step.target)
                made = ast.Assign([step.target], ast.BinOp(_read(step.target), step.op, step.value))
                why = f"`{sign}=` changes a tensor in place, for all who hold it."
                new = f"{name} = {shown(made.value)}"
                put = partial(block.__setitem__, i)
                yield Change(why, shown(step), new, partial(put, made), partial(put, step), "in place")
            if thrown_away(step) and isinstance(step.value.func.value, ast.Name):
                name = step.value.func.value.id
                kept = ast.Assign([ast.Name(name, ast.Store())], step.value)
                why = not_kept(shown(step))
                new = f"{name} = {shown(step)}"
                put = partial(block.__setitem__, i)
                yield Change(why, shown(step), new, partial(put, kept), partial(put, step), "thrown away")


def _moved_into(loop: ast.For, block: list, i: int) -> Iterator[Change]:
    """A line that stands before a loop, such as `total = 0`, moved to the loop's beginning."""
    for line in [step for step in block[:i] if isinstance(step, ast.Assign)]:
        for inner in [part for part in ast.walk(loop) if isinstance(part, ast.For)]:
            if any(_remembers(inner, name) for name in _changed(*line.targets)):
                continue
            head = f"for {shown(inner.target)} in {shown(inner.iter)}:"
            why = (
                f"`{shown(line)}` stands before the loop, so it is done once for all rounds. Move it to the "
                f"right, to the beginning of what `{head}` repeats:"
            )
            at = block.index(line)

            def make(line=line, inner=inner):
                block.remove(line)
                inner.body.insert(0, line)

            def undo(line=line, inner=inner, at=at):
                inner.body.pop(0)
                block.insert(at, line)

            yield Change(why, "", "", make, undo)


def _changed(*targets: ast.expr) -> set[str]:
    """The names that an assignment sets, or in which it sets a part: n and m for `n, m[i] = …`."""
    found, rest = set(), list(targets)
    while rest:
        part = rest.pop()
        if isinstance(part, ast.Name):
            found.add(part.id)
        elif isinstance(part, (ast.Subscript, ast.Attribute, ast.Starred)):
            rest.append(part.value)
        else:
            rest += getattr(part, "elts", [])
    return found


def _remembers(loop: ast.For, name: str) -> bool:
    """Whether the loop's own rounds set a name anew and collect nothing in it: a flag, or the item before.

    Such a name hands something on from round to round, so a line that sets it belongs before the loop. What
    is set in a loop inside of this one is handed on there, and may well begin anew here.
    """
    if any(_collects(part, name) for part in ast.walk(loop)):
        return False
    rest = list(loop.body)
    while rest:
        part = rest.pop()
        if isinstance(part, ast.Assign) and name in _changed(*part.targets):
            return True
        rest += [] if isinstance(part, (ast.For, ast.While)) else ast.iter_child_nodes(part)
    return False


def _collects(node: ast.AST, name: str) -> bool:
    """Whether a line adds to what the name holds: `n += x`, `n[i] = x`, `n = n + x`, `n.append(x)`."""
    if isinstance(node, ast.AugAssign):
        return name in _changed(node.target)
    if isinstance(node, ast.Assign):
        parts = any(not isinstance(target, ast.Name) and name in _changed(target) for target in node.targets)
        chosen = isinstance(node.value, (ast.BoolOp, ast.IfExp))  # `n = n or x` is a flag
        again = not chosen and any(isinstance(p, ast.Name) and p.id == name for p in ast.walk(node.value))
        return name in _changed(*node.targets) and (parts or again)
    call = node.value if isinstance(node, ast.Expr) else None
    return isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and name in _changed(call.func)


def _read(target: ast.expr) -> ast.expr:
    """The same place, read and not written."""
    return ast.parse(ast.unparse(target), mode="eval").body


def ends_it(loop: ast.AST) -> bool:
    """True of a loop whose last line is a ``return`` that the first round reaches."""
    if not isinstance(loop, ast.For):
        return False
    jumps = any(isinstance(part, (ast.Continue, ast.Break)) for part in ast.walk(loop))
    return len(loop.body) > 1 and isinstance(loop.body[-1], ast.Return) and not jumps


def not_kept(line: str) -> str:
    """What a tutor says of a line that makes a new tensor and keeps it nowhere."""
    return f"Nothing keeps the result of `{line}`, and the tensor itself stays as it was."


def thrown_away(node: ast.AST) -> bool:
    """Whether a statement makes a new tensor that nothing keeps: `m.unsqueeze(1)` alone on its line."""
    call = node.value if isinstance(node, ast.Expr) else None
    return (
        isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr in _NEW_TENSORS
        and not any(word.arg in ("out", "inplace") for word in call.keywords)
    )


def _number_left_out(node: ast.AST):
    """a for a + 1, a ** 2, a / 8: before another sign is tried, since a * 1 is a as well."""
    if isinstance(node, ast.BinOp) and isinstance(node.right, ast.Constant) and type(node.op) in _SYMBOLS:
        yield ("", f"{_SYMBOLS[type(node.op)]} {shown(node.right)}", ""), node.left, ""


def _sign(node: ast.AST):
    for other, why in _SIGNS.get(type(node), ()):
        old, new = _SYMBOLS[type(node)], _SYMBOLS[other]
        yield (why, old, new), other(), f"{old} {new}"


def _call(node: ast.AST):
    if not isinstance(node, ast.Call):
        return
    name = getattr(node.func, "id", getattr(node.func, "attr", ""))
    if name in ("int", "round") and len(node.args) == 1:
        truth = isinstance(node.args[0], (ast.Compare, ast.BoolOp))  # which has no fraction
        why = "" if truth else f"`{name}` takes the fraction away."
        yield (why, shown(node), shown(node.args[0])), node.args[0], name
    if name == "range" and node.args:
        last = node.args[-1]
        first = node.args[0]
        if len(node.args) == 2 and isinstance(first, ast.Constant) and first.value == 1:
            whole, why = ast.Call(node.func, [last], []), "The loop begins at 1, and the first index is 0."
            yield (why, shown(node), shown(whole)), whole, ""
        if len(node.args) == 1 and isinstance(last, ast.BinOp) and isinstance(last.op, ast.Sub):
            whole, why = ast.Call(node.func, [last.left], []), "The loop ends too early."
            yield (why, shown(node), shown(whole)), whole, ""
    given = {word.arg for word in node.keywords} & {"dim", "axis"}
    if name in ("cat", "concat", "concatenate") and len(node.args) == 1 and not given:
        whole = ast.Call(node.func, node.args, [ast.keyword("dim", ast.parse("-1", mode="eval").body)])
        why = f"`{name}` without `dim` joins along axis 0."
        yield (why, shown(node), shown(whole)), whole, ""


def _name(node: ast.AST):
    if not isinstance(node, ast.Attribute):
        return
    others = ("sum", "mean") if node.attr in _REDUCERS else ("tanh",) if node.attr in _BENDS else ()
    for other in others:
        why = "`mean` divides by how many numbers there are." if node.attr == "mean" else ""
        if other != node.attr:
            new = ast.Attribute(node.value, other, node.ctx)
            yield (why, node.attr, other), new, ""


def is_and_or(node: ast.AST) -> bool:
    return isinstance(node, ast.BinOp) and isinstance(node.op, (ast.BitAnd, ast.BitOr))


def binds_more_closely(node: ast.Compare) -> str:
    """Why `a & b < c` is no condition on b; empty where no side of a comparison holds an `&` or `|`."""
    part = next((p for p in (node.left, *node.comparators) if is_and_or(p)), None)
    if part is None:
        return ""
    sign = _SYMBOLS.get(type(node.ops[0]), "in")
    return (
        f"`{_SYMBOLS[type(part.op)]}` binds more closely than `{sign}`: Python reads `{shown(part)}` first."
    )


def _compared(node: ast.AST):
    """a & (b < c) for a & b < c, and (a > b) & (c < d) for a > b & c < d."""
    if not (isinstance(node, ast.Compare) and (why := binds_more_closely(node))):
        return
    sides = [node.left, *node.comparators]
    new, left = None, sides[0]
    join = None
    if is_and_or(left):
        new, join, left = left.left, left.op, left.right
    for op, side in zip(node.ops, sides[1:], strict=True):
        split = is_and_or(side)
        one = ast.Compare(left, [op], [side.left if split else side])
        new = one if new is None else ast.BinOp(new, join or ast.BitAnd(), one)
        join, left = (side.op, side.right) if split else (None, side)
    if join is not None:  # `a < b & c`: c is a condition of its own
        new = ast.BinOp(new, join, left)
    yield (why, shown(node), shown(new)), new, ""


def _brackets(node: ast.AST):
    """a / b + c for a / (b + c), and a + b / c for (a + b) / c."""
    if not (isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub))):
        return
    why = "Brackets are missing: Python divides before it adds or subtracts."
    left, right = node.left, node.right
    over = lambda a: isinstance(a, ast.BinOp) and isinstance(a.op, (ast.Div, ast.FloorDiv))  # noqa: E731
    found = []
    if over(left):
        found.append(ast.BinOp(left.left, left.op, ast.BinOp(left.right, node.op, right)))
    if over(right):
        found.append(ast.BinOp(ast.BinOp(left, node.op, right.left), right.op, right.right))
    if isinstance(left, ast.BinOp) and isinstance(left.op, (ast.Add, ast.Sub)) and over(left.right):
        share = left.right
        below = ast.BinOp(share.right, node.op, right)
        found.append(ast.BinOp(left.left, left.op, ast.BinOp(share.left, share.op, below)))
    for new in found:
        yield (why, ast.unparse(node), ast.unparse(new)), new, ""


def _order(node: ast.AST):
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.MatMult, ast.Sub, ast.Div)):
        new = ast.BinOp(node.right, node.op, node.left)
        yield ("The two sides stand in the wrong order.", shown(node), shown(new)), new, ""
    if isinstance(node, ast.Tuple) and 2 <= len(node.elts) <= 3:
        for parts in list(itertools.permutations(node.elts))[1:]:
            new = ast.Tuple(list(parts), node.ctx)
            yield ("The parts stand in the wrong order.", shown(node), shown(new)), new, ""


def _axis(node: ast.AST):
    """The axis that a call names: ``dim=1``, ``.sum(1)``, ``.unsqueeze(-1)``."""
    if not isinstance(node, ast.Call):
        return
    name = getattr(node.func, "attr", "")
    takes = (*_REDUCERS, "unsqueeze", "softmax", "log_softmax", "flip", "squeeze")
    at = [i for i, a in enumerate(node.args[:2]) if name in takes and _whole(a) is not None]
    for i in at[:1]:
        for axis in (-1, 0, 1, 2, -2):
            if axis != _whole(node.args[i]):
                args = [*node.args[:i], ast.parse(str(axis), mode="eval").body, *node.args[i + 1 :]]
                new = ast.Call(node.func, args, node.keywords)
                why = f"`{name}` works along another axis here than it must."
                yield (
                    (why, f"{name}({_whole(node.args[i])})", f"{name}({axis})"),
                    new,
                    f"axis {axis}",
                )
    for word in node.keywords:
        if word.arg in ("dim", "axis") and _whole(word.value) is not None:
            for axis in (-1, 0, 1, 2, -2):
                if axis != _whole(word.value):
                    other = ast.keyword(word.arg, ast.parse(str(axis), mode="eval").body)
                    words = [other if w is word else w for w in node.keywords]
                    new = ast.Call(node.func, node.args, words)
                    why = f"`{name}` works along another axis here than it must."
                    old = f"{word.arg}={_whole(word.value)}"
                    yield (why, old, f"{word.arg}={axis}"), new, f"axis {axis}"


def _whole(node: ast.AST) -> int | None:
    try:
        value = ast.literal_eval(node)
    except ValueError:
        return None
    return value if type(value) is int else None


def _part(node: ast.AST):
    """The part that a slice takes: the last n for the first n, or all for the end that is -0."""
    if isinstance(node, ast.Slice) and node.step is None and isinstance(node.upper, ast.UnaryOp):
        end = node.upper
        if isinstance(end.op, ast.USub) and not isinstance(end.operand, ast.Constant):
            new = ast.Slice(node.lower, ast.BoolOp(ast.Or(), [end, ast.Constant(None)]))
            size, minus = shown(end.operand), shown(end)
            why = f"Where `{size}` is 0, `{minus}` is 0 as well, and `[:0]` takes nothing."
            yield (why, f"[{shown(node)}]", f"[{shown(new)}]"), new, ""
    if isinstance(node, ast.Slice) and node.step is None and (node.lower is None) != (node.upper is None):
        bound = node.lower or node.upper
        bound = bound.operand if isinstance(bound, ast.UnaryOp) and isinstance(bound.op, ast.USub) else bound
        minus = ast.UnaryOp(ast.USub(), bound)
        for new in (ast.Slice(None, bound), ast.Slice(bound), ast.Slice(minus), ast.Slice(None, minus)):
            if ast.dump(new) != ast.dump(node):
                why = "The slice takes another part."
                yield (why, f"[{shown(node)}]", f"[{shown(new)}]"), new, ""


def _left_out(node: ast.AST):
    """One side of a sum, a product or a condition is too much."""
    if isinstance(node, ast.BinOp):
        sign = _SYMBOLS.get(type(node.op), "")
        same = isinstance(node.op, (ast.Add, ast.Mult, ast.BitAnd, ast.BitOr))
        if sign and sign != "@":
            yield ("", f"{sign} {shown(node.right)}", ""), node.left, ""
            if same:
                yield ("", f"{shown(node.left)} {sign}", ""), node.right, ""
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        words = f"{_SYMBOLS.get(type(node.ops[0]), '')} {shown(node.comparators[0])}"
        yield ("", words, ""), node.left, ""


def shown(node: ast.AST) -> str:
    text = ast.unparse(node).split("\n")[0]
    text = text[1:-1] if isinstance(node, ast.Tuple) else text
    return text if len(text) <= MOST_SHOWN else text[: MOST_SHOWN - 1] + "…"
