"""10a.calculator: what else is run, and what is worked out otherwise.

`eval` stands here on purpose, for the texts of this exercise alone; all of them are harmless.
"""

import ast
import operator
import os
import re

from course_lib.practice.chapter_10a.calculator_slips import (
    REFUSED,
    RIGHT,
    SIGNS_OF,
    bounded,
    caught,
    either,
    looked,
    parsed,
    tree,
    zero_dropped,
    zero_dropped_inside,
)

DIVISIONS = {ast.Div: operator.truediv, ast.FloorDiv: operator.floordiv}


def run(names, kept=lambda value: True):
    """All is run, and what comes out is looked at afterwards."""

    def calculate(text):
        value = eval(text, *names)
        return str(value) if kept(value) else REFUSED

    return calculate


KEPT = (
    lambda value: True,
    lambda value: isinstance(value, int),
    lambda value: type(value) is int,
    lambda value: isinstance(value, (int, float)),
)


def of_signs(allowed):
    """Signs alone are looked at, and then all is run."""

    def calculate(text):
        if not set(text) <= set(allowed):
            return REFUSED
        return str(eval(text))

    return calculate


def of_a_list(*forbidden):
    """What is on a list is refused, and all else is run."""

    def calculate(text):
        return REFUSED if any(word in text for word in forbidden) else str(eval(text))

    return calculate


def without_brackets(text):
    return caught(tree())(text.replace("(", "").replace(")", ""))


def loud(error, right=RIGHT):
    """Errors leave the function."""

    def calculate(text):
        told = right(text)
        if told == REFUSED:
            raise error("not a sum")
        return told

    return calculate


def loud_in_part(text):
    """A text that Python cannot read raises; a tree that is not allowed does not."""
    ast.parse(text, mode="eval")
    return caught(tree())(text)


def loud_for_the_rest(text):
    """The other way round."""
    try:
        ast.parse(text, mode="eval")
    except SyntaxError:
        return REFUSED
    return tree()(text)


def foreign_taken_out(function):
    return lambda text: function(re.sub(r"[^0-9+*()-]", "", text))


def said_otherwise(words, right=RIGHT):
    def calculate(text):
        told = right(text)
        return words if told == REFUSED else told

    return calculate


def literal(text):
    return str(ast.literal_eval(text))


EMPTY = ({"__builtins__": {}}, {})
FLOAT_TOO = lambda value: type(value) in (int, float)  # noqa: E731
DIGITS = "0123456789+-*() "
RIGHT_OR_SPELLED = (RIGHT, caught(tree()))
POWER = {**SIGNS_OF, ast.Pow: operator.pow}
ALL = {**POWER, **DIVISIONS}

WAYS = {
    "eval": tuple(way for kept in KEPT for way in (run((), kept), caught(run((), kept)))),
    "eval-without-names": tuple(way for kept in KEPT for way in (run(EMPTY, kept), caught(run(EMPTY, kept)))),
    "signs-looked-at": tuple(
        way
        for more in ("", "/", ".", "./")
        for one in (of_signs(DIGITS + more), looked(lambda text: str(eval(text)), more + " ", str.isdigit))
        for way in (one, caught(one))
    ),
    "list-of-the-forbidden": tuple(
        way
        for words in (("__",), ("__", "'"), ("__", "**"))
        for way in (of_a_list(*words), caught(of_a_list(*words)))
    ),
    "literal": (literal, caught(literal)),
    "zero-dropped": (zero_dropped, looked(caught(zero_dropped_inside)), caught(zero_dropped_inside)),
    "of-bounded-size": tuple(
        bounded(fit, one)
        for one in RIGHT_OR_SPELLED
        for fit in (lambda n: (n + 2**63) % 2**64 - 2**63, lambda n: int(float(n)))
    ),
    "any-sign": either(
        caught(tree(ALL, FLOAT_TOO)),
        caught(tree(ALL)),
        caught(tree(POWER)),
        caught(tree({**SIGNS_OF, **DIVISIONS})),
        caught(tree({**SIGNS_OF, ast.Div: operator.truediv})),
        caught(tree({**SIGNS_OF, ast.Div: operator.truediv}, FLOAT_TOO)),
    ),
    "points": either(caught(tree(SIGNS_OF, FLOAT_TOO))),
    "true-is-1": either(
        caught(tree(SIGNS_OF, lambda value: isinstance(value, int))),
        caught(tree(SIGNS_OF, lambda value: isinstance(value, (int, float)))),
    ),
    "any-constant": either(
        caught(tree(SIGNS_OF, lambda value: True)),
        caught(tree(ALL, lambda value: True)),
    ),
    "left-to-right": parsed(levels=("+-*",)),
    "from-the-right": parsed(from_the_right=True),
    "sum-before-product": parsed(levels=("*", "+-")),
    "brackets-lost": (without_brackets, looked(without_brackets)),
    "rest-not-read": parsed(careless=("the rest",)),
    "bracket-not-closed": parsed(careless=("the bracket",)),
    "cut-off": parsed(careless=("the end",)),
    "foreign-skipped": (
        *parsed(careless=("foreign characters",)),
        foreign_taken_out(caught(tree())),
        foreign_taken_out(parsed()[0]),
    ),
    "other-digits": parsed()[1],
    "spellings-of-python": caught(tree()),
    "error-leaves": (
        *(loud(error, one) for error in (ValueError, SyntaxError, TypeError) for one in RIGHT_OR_SPELLED),
        tree(),
        looked(tree()),
    ),
    "error-leaves-in-part": tuple(
        way for one in (loud_in_part, loud_for_the_rest) for way in (one, looked(one))
    ),
    "other-words": tuple(
        said_otherwise(words, one)
        for words in ("error", "Error: not a sum", "error: not a sum.", "", "None")
        for one in RIGHT_OR_SPELLED
    ),
    "all-refused": lambda text: REFUSED,
}


def told_by_the_text(expected, got, args):
    """What no sum can know was told: this was run."""
    known = {os.getcwd(): "the folder in which this notebook runs", str(os.getpid()): "the process's number"}
    if got not in known or expected != REFUSED:
        raise ValueError("this input does not show it")
    return {"text": args[0], "what": known[got]}


def worked_out(expected, got, args):
    if expected != REFUSED or got == REFUSED:
        raise ValueError("this input does not show it")
    return {"text": args[0], "got": got[:30]}


def run_without_names(expected, got, args):
    if got != str(len("tuple")) or "class" not in args[0]:
        raise ValueError("this input does not show it")
    return {"text": args[0], "got": got}


MEASURES = {
    "eval": told_by_the_text,
    "eval-without-names": run_without_names,
    "signs-looked-at": worked_out,
    "list-of-the-forbidden": worked_out,
    "any-sign": worked_out,
    "points": worked_out,
    "any-constant": worked_out,
    "foreign-skipped": worked_out,
    "other-digits": worked_out,
    "spellings-of-python": worked_out,
}


def another_text(expected, got, args):
    """What is refused is refused, in other words."""
    return expected == REFUSED and (not got.strip() or bool(re.search("error|invalid|not a", got.lower())))


def of_another_alphabet(expected, got, args):
    return not args[0].isascii() and got == parsed()[1](args[0]) != expected


def spelled_otherwise(expected, got, args):
    """All that is worked out wrongly are numbers of other spellings, or comments."""
    right = caught(tree())(args[0]) if args[0].isascii() else parsed()[1](args[0])
    return expected == REFUSED and got == right != expected


SIGNS = {
    "other-words": another_text,
    "other-digits": of_another_alphabet,
    "spellings-of-python": spelled_otherwise,
}
