"""One small change to the learner's own code that makes it right: tried, and told only if it does.

Where no wrong idea is recognised, the cause is often one sign or one word: ``//`` for ``/``, a ``return``
that stands inside the loop, factors in the other order. Each such change is made in the learner's code, and
the result is run on every input of the check and on inputs that the check does not use.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
import time
import warnings
from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any

from course_lib.practice import answers, comparing, forms, inputs, running
from course_lib.practice.changes import MOST_SHOWN, Change, all_changes, thrown_away
from course_lib.practice.kinds import Case, Exercise
from course_lib.practice.running import Outcome

SEARCH_TIME = 1.0  # seconds, for changes to the learner's code
FURTHER_SEED = 5000


def repair(
    written: Exercise,
    exercise: Exercise,
    function: Callable[..., Any],
    cases: list[Case],
    outcomes: list[Outcome],
    expected: list[Any],
) -> str:
    """The sentence of a small change to the learner's code that was tried and makes it right."""
    order = sorted(  # first the inputs that tell a wrong change at once
        range(len(cases)),
        key=lambda i: (
            not outcomes[i].error and comparing.right(exercise, cases[i], outcomes[i].value, expected[i])
        ),
    )
    end: list[float] = []

    def left() -> float:
        """Seconds that are left; they count from the first change (to read the code may itself take one)."""
        if not end:
            end.append(time.monotonic() + SEARCH_TIME)
        return end[0] - time.monotonic()

    def holds(changed: Callable[..., Any], case: Case, right: Any) -> bool:
        outcome = running.run(changed, case.args, max(left(), 0.05))
        outcome = answers.tamed(written, outcome)
        if outcome.error or outcome.timed_out or outcome.changed:
            return False
        if exercise.view:
            if comparing.type_problem(written, outcome.value):
                return False
            outcome = answers.look_at(exercise, case, outcome)
        return not outcome.error and comparing.right(exercise, case, outcome.value, right)

    def is_right(changed: Callable[..., Any]) -> bool:
        return all(holds(changed, cases[i], expected[i]) for i in order) and all(
            holds(changed, case, right) for case, right in further(exercise)
        )

    try:
        return first_that_helps(function, is_right, lambda: left() > 0)
    except Exception:  # code that Python's own tools cannot read; the plain difference is told without this
        return ""


def further(exercise: Exercise) -> Iterator[tuple[Case, Any]]:
    """Inputs that the check does not use, each with its right answer: a repair must hold there, too."""
    if exercise.further is not None:
        more = exercise.further()
    else:
        with inputs.other_seeds(FURTHER_SEED):
            more = exercise.cases()
    for case in more:
        right = exercise.reference(*(running.clone(a) for a in case.args))
        yield case, forms.fit(exercise.outputs, right)


def first_that_helps(
    function: Callable[..., Any], is_right: Callable[[Callable[..., Any]], bool], go_on: Callable[[], bool]
) -> str:
    """The sentence of the first change with which ``is_right`` holds; empty if there is none.

    Args:
        function: what the learner wrote with ``def``; of another thing the code is not known.
        is_right: tries a changed function on all inputs.
        go_on: asked before each try; False ends the search.
    """
    tree = _tree(function)
    if tree is None:
        return ""
    code = ast.unparse(tree)
    changes = list(all_changes(tree))
    kinds = {}
    for change in changes:
        kinds.setdefault(change.kind, []).append(change)
    together = [group for kind, group in kinds.items() if kind and len(group) > 1]
    for group in [*([change] for change in changes), *together]:
        if not go_on():
            return ""
        for change in group:
            change.make()
        try:
            fixed, line = _made(tree, function), _line(code, ast.unparse(tree))
        finally:
            for change in reversed(group):
                change.undo()
        if fixed is not None and is_right(fixed):
            return _sentence(group, code, line)
    return ""


def _line(before: str, after: str) -> str:
    """The first line of the code that a change changes."""
    pairs = zip(before.split("\n"), after.split("\n"), strict=False)
    return next((old.strip() for old, new in pairs if old != new), "")


def _sentence(group: list[Change], code: str, line: str) -> str:
    olds, news = (list(dict.fromkeys(c)) for c in ([c.old for c in group], [c.new for c in group]))
    old, new = (" and ".join(f"`{part}`" for part in parts) for parts in (olds, news))
    change = f"with {new} in place of {old}" if group[0].new else f"without {old}"
    where = " at each place" if len(group) > len(olds) else ""
    if len(group) == 1 and code.split("\n", 1)[1].count(group[0].old) > 1 and len(line) <= MOST_SHOWN:
        where = f" in `{line}`"
    if not group[0].old:
        return f"{group[0].why} then your function is right on every input that was tried."
    why = f"{group[0].why} " if len(olds) == 1 and group[0].why else ""
    text = f"{change}{where} your function is right on every input that was tried."
    return why + (text[0].upper() + text[1:])


def kept_nothing(function: Callable[..., Any]) -> str:
    """The first line that makes a new tensor which nothing keeps, ``m.unsqueeze(1)``; empty if none."""
    tree = _tree(function)
    for node in ast.walk(tree) if tree is not None else ():
        if thrown_away(node):
            return ast.unparse(node)
    return ""


def _tree(function: Callable[..., Any]) -> ast.Module | None:
    """The syntax tree of a function that was written with ``def``; None if it is not known."""
    if not isinstance(function, FunctionType):
        return None
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError, ValueError):
        return None
    if len(tree.body) != 1 or not isinstance(tree.body[0], ast.FunctionDef):
        return None
    tree.body[0].decorator_list = []
    return tree


def _made(tree: ast.Module, function: FunctionType) -> Callable[..., Any] | None:
    names = dict(function.__globals__)  # a copy: nothing of the learner's is written over
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            names[name] = cell.cell_contents
        except ValueError:  # not filled yet
            continue
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of lines that the learner did not write
            code = compile(ast.fix_missing_locations(tree), "<your code, changed>", "exec")
        exec(code, names)
    except Exception:  # this change makes no Python
        return None
    return names[tree.body[0].name]
