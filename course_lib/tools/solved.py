"""Does an exercise stand solved on its own page, before the learner gets to it?

`solved_above(page)` looks at every cell above an exercise, in two ways:

    by what it does       each function that a cell defines is given to the exercise's own check
    by how it is written  the operations of the solution, in their order, are looked for in the cell

So a page may show the idea on other numbers, in another shape or as a loop, and may not show the lines that
the exercise asks for.
"""

import ast
import inspect
import re

from course_lib.practice import checking, desk

FEWEST = 3  # operations of a solution: fewer (`weights @ h`) stand in every other cell
ARITHMETIC = {"Add", "Sub", "Mult", "Div", "FloorDiv", "Pow"}  # alone they stand in every other cell, too
# Over another axis they are another operation: an exercise may ask to mend it.
OVER_AN_AXIS = {"mean", "sum", "std", "var"}
# Different ways to write one operation.
SAME = {"view": "reshape", "flatten": "reshape", "unflatten": "reshape", "mT": "transpose", "T": "transpose",
        "swapaxes": "transpose", "matmul": "MatMult", "bmm": "MatMult", "sqrt": "Pow"}  # fmt: skip
# What stands around an idea and is none of its operations.
IGNORED = {"print", "float", "int", "len", "list", "tuple", "str", "format", "join", "item", "tolist",
           "tensor", "fetch", "shape", "size"}  # fmt: skip
ASKS = re.compile(r"""^exercise\(["'](.+?)["']\)""", re.MULTILINE)


def solved_above(page: dict) -> list[str]:
    """One sentence for each exercise that a cell above it has solved already.

    Args:
        page: a notebook, as read from its file.
    """
    found, above = [], []
    for number, cell in enumerate(page["cells"], 1):
        if cell["cell_type"] != "code":
            continue
        source = "".join(cell["source"])
        for id in ASKS.findall(source):
            where = [place for place, earlier in above if solves(earlier, id, above)]
            if where:
                found.append(f"exercise {id} stands solved above itself, in cell {where[-1]}")
        above.append((number, source))
    return found


def solves(source: str, id: str, above: list[tuple[int, str]]) -> bool:
    """Whether the code of one cell does what the exercise asks for."""
    one = desk.exercises()[id]
    wanted = operations(one.solution)
    telling = len(wanted) >= FEWEST and not ARITHMETIC.issuperset(wanted)
    if telling and holds(operations(source), wanted):
        return True
    functions = [node for node in _parsed(source).body if isinstance(node, ast.FunctionDef)]
    arguments = len(inspect.signature(one.reference).parameters)
    fitting = [f.name for f in functions if len(f.args.args) == arguments and ASKS.search(source) is None]
    if not fitting:
        return False
    names = _defined(above)
    return any(desk.run_check(id, names[name]).status == checking.PASSED for name in fitting if name in names)


def operations(source: str) -> list[str]:
    """The operations of some code in the order in which they are computed, by their common names."""
    found: list[str] = []
    _walk(_parsed(source), found)
    return [name for name in found if name not in IGNORED]


def holds(longer: list[str], shorter: list[str]) -> bool:
    """Whether one list stands in the other, one after another without a gap."""
    n = len(shorter)
    return any(longer[i : i + n] == shorter for i in range(len(longer) - n + 1))


def _walk(node: ast.AST, found: list[str]) -> None:
    for child in ast.iter_child_nodes(node):
        _walk(child, found)
    if isinstance(node, ast.BinOp) or (isinstance(node, ast.UnaryOp) and not isinstance(node.op, ast.USub)):
        found.append(type(node.op).__name__)  # a minus is none: −∞ is written with and without
    elif isinstance(node, ast.Compare):
        found.extend(type(op).__name__ for op in node.ops)
    elif isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "call")
        axis = f" {ast.unparse(_axis(node))}" if name in OVER_AN_AXIS and _axis(node) else ""
        found.append(SAME.get(name, name) + axis)
    elif isinstance(node, ast.Attribute) and node.attr in ("T", "mT"):
        found.append("transpose")
    elif isinstance(node, ast.Subscript) and "None" in ast.dump(node.slice):
        found.append("new axis")


def _axis(call: ast.Call) -> ast.expr | None:
    """What a call like `x.mean(-1)` or `x.mean(dim=-1)` goes over."""
    named = [keyword.value for keyword in call.keywords if keyword.arg in ("dim", "axis")]
    return (named or call.args or [None])[0]


def _parsed(source: str) -> ast.Module:
    try:
        return ast.parse(source)
    except SyntaxError:
        return ast.Module(body=[], type_ignores=[])


def _defined(above: list[tuple[int, str]]) -> dict:
    """The functions that cells define, in a namespace with their imports; nothing else of a page is run."""
    names: dict = {}
    for _, source in above:
        for node in _parsed(source).body:
            if isinstance(node, ast.Import | ast.ImportFrom | ast.FunctionDef):
                code = compile(ast.Module(body=[node], type_ignores=[]), "<page>", "exec")
                try:
                    exec(code, names)
                except Exception:  # a default that needs another cell
                    continue
    return names
