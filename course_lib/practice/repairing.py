"""One small change to the learner's own code that makes it right: tried, and told only if it does.

Where no wrong idea is recognised, the cause is often one sign or one word: ``//`` for ``/``, a ``return``
that stands inside the loop, factors in the other order. Each such change is made in the learner's code, and
the result is run on every input of the check and on inputs that the check does not use. Where no single
change is enough, two are tried: the first must make more of the inputs right than before.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
import time
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType
from typing import Any

from course_lib.practice import answers, changes, comparing, finer_changes, forms, guarding, inputs, running
from course_lib.practice.changes import MOST_SHOWN, Change, thrown_away
from course_lib.practice.kinds import Case, Exercise
from course_lib.practice.running import Outcome

SEARCH_TIME = 1.0  # seconds, for changes to the learner's code; half as many more for two together
MOST_FIRST = 8  # changes that are tried as the first of two
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
        if outcome.left_running:  # one operation that nobody can end: no more trials beside it
            end[:] = [time.monotonic()]
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

    def rights(changed: Callable[..., Any]) -> int:
        return sum(holds(changed, cases[i], expected[i]) for i in order)

    try:
        found = first_that_helps(function, is_right, lambda: left() > 0)
        if found or left() <= 0:  # two are tried only where all single ones were
            return found
        end[:] = [time.monotonic() + 1.5 * SEARCH_TIME]
        return two_that_help(function, is_right, rights, lambda: left() > 0)
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
    code, around = ast.unparse(tree), guarding.around(function)
    plain, kinds = list(changes.all_changes(tree)), {}
    for change in plain:
        kinds.setdefault(change.kind, []).append(change)
    together = [group for kind, group in kinds.items() if kind and len(group) > 1]
    finer = list(finer_changes.all_changes(tree))
    for group in [*([change] for change in plain), *together, *([change] for change in finer)]:
        if not go_on():
            return ""
        fixed = _with(group, tree, lambda: _made(tree, around))
        if fixed is not None and is_right(fixed):
            return _sentence(group, code, _lines(group, tree, code))
    return ""


def two_that_help(
    function: Callable[..., Any],
    is_right: Callable[[Callable[..., Any]], bool],
    rights: Callable[[Callable[..., Any]], int],
    go_on: Callable[[], bool],
) -> str:
    """The sentence of two changes with which ``is_right`` holds; empty if none are found.

    Args:
        function, is_right, go_on: as in ``first_that_helps``.
        rights: how many inputs a changed function answers rightly; the first change must raise this number.
    """
    tree = _tree(function)
    if tree is None:
        return ""
    code, before, better, around = ast.unparse(tree), rights(function), [], guarding.around(function)
    for change in _told_by_their_code(tree):
        if not go_on():
            return ""
        fixed = _with([change], tree, lambda: _made(tree, around))
        if fixed is not None and (many := rights(fixed)) > before:
            better.append((many, change, _lines([change], tree, code)))
    better.sort(key=lambda found: -found[0])
    for _, first, lines in better[:MOST_FIRST]:
        first.make()
        try:
            half = _code(tree)
            for second in _told_by_their_code(tree):
                if not go_on():
                    return ""
                if first.named and second.named:
                    continue
                fixed = _with([second], tree, lambda: _made(tree, around))
                if fixed is not None and is_right(fixed):
                    then = _lines([second], tree, half)
                    both = f"There are two slips. W{_phrase(first, lines)}, and w{_phrase(second, then)},"
                    if lines[1] == then[0] and _times(first.old, lines[0]) + _times(second.old, then[0]) > 2:
                        both = f"With `{then[1]}` in place of `{lines[0]}`"  # both stand in this line
                    return f"{both} your function is right on every input that was tried."
        finally:
            first.undo()
    return ""


def _told_by_their_code(tree: ast.Module) -> list[Change]:
    found = [*changes.all_changes(tree), *finer_changes.all_changes(tree)]
    return [change for change in found if change.old]


def _phrase(change: Change, lines: tuple[str, str]) -> str:
    """Without its first letter, which is a w."""
    if _times(change.old, lines[0]) > 1:  # which of them? The line says it
        return f"ith `{lines[1]}` in place of `{lines[0]}`"
    return f"ith `{change.new}` in place of `{change.old}`" if change.new else f"ithout `{change.old}`"


def _with(group: list[Change], tree: ast.Module, look: Callable[[], Any]) -> Any:
    """What ``look()`` returns while the tree has these changes; then it is as it was."""
    for change in group:
        change.make()
    try:
        return look()
    finally:
        for change in reversed(group):
            change.undo()


def _code(tree: ast.Module) -> str:
    """The code of a tree, new lines among it."""
    return ast.unparse(ast.fix_missing_locations(tree))


def _lines(group: list[Change], tree: ast.Module, before: str) -> tuple[str, str]:
    """The first line of the code ``before`` that these changes change, and what becomes of it."""
    after = _with(group, tree, lambda: _code(tree))
    pairs = zip(before.split("\n"), after.split("\n"), strict=False)
    return next(((old.strip(), new.strip()) for old, new in pairs if old != new), ("", ""))


def _sentence(group: list[Change], code: str, lines: tuple[str, str]) -> str:
    line, better = lines
    olds, news = (list(dict.fromkeys(c)) for c in ([c.old for c in group], [c.new for c in group]))
    old, new = (" and ".join(f"`{part}`" for part in parts) for parts in (olds, news))
    change = f"with {new} in place of {old}" if group[0].new else f"without {old}"
    where = " at each place" if len(group) > len(olds) else ""
    if len(group) == 1 and code.split("\n", 1)[1].count(group[0].old) > 1 and len(line) <= MOST_SHOWN:
        where = f" in `{line}`"
    if len(group) == 1 and group[0].old and _times(group[0].old, line) > 1:  # which of them? The line says it
        change, where = f"with `{better}` in place of `{line}`", ""
    if not group[0].old:
        return f"{group[0].why} then your function is right on every input that was tried."
    why = f"{group[0].why} " if len(olds) == 1 and group[0].why else ""
    text = f"{change}{where} your function is right on every input that was tried."
    return why + (text[0].upper() + text[1:])


def _times(part: str, line: str) -> int:
    """How often a part of the code stands in a line, not counting where it is a piece of a longer word."""
    edge = r"(?<!\w)" if part[:1].isalnum() or part[:1] == "_" else ""
    end = r"(?!\w)" if part[-1:].isalnum() or part[-1:] == "_" else ""
    return len(re.findall(edge + re.escape(part) + end, line))


def kept_nothing(function: Callable[..., Any]) -> str:
    """The first line that makes a new tensor which nothing keeps, ``m.unsqueeze(1)``; empty if none."""
    tree = _tree(function)
    for node in ast.walk(tree) if tree is not None else ():
        if thrown_away(node):
            return ast.unparse(node)
    return ""


def returns_early(function: Callable[..., Any]) -> bool:
    """Whether a loop of the function ends with a ``return``, in its first round."""
    tree = _tree(function)
    return tree is not None and any(map(changes.ends_it, ast.walk(tree)))


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


def _made(tree: ast.Module, around: tuple[dict[str, Any], list[CodeType]]) -> Callable[..., Any] | None:
    """The function that a changed tree makes, to be tried: it refuses what could harm. None if it is none."""
    names, others = around
    names = dict(names)
    try:
        for code in (*others, guarding.compiled(tree)):
            exec(code, names)
    except Exception:  # this change makes no Python
        return None
    return names[tree.body[0].name]
