"""10a.calculator: how sums are read, by hand or by `ast`, in another order or with less care."""

import ast
import operator
import re

REFUSED = "error: not a sum"
SIGNS_OF = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul}


def tokens(text, digits, skips):
    found = re.findall(rf"[{digits}]+|[-+*()]", text)
    if not text or ("".join(found) != text and not skips):
        raise ValueError
    return found


class Parser:
    """Numbers, signs and brackets. ``levels``: signs that bind alike, weakest first; ``from_the_right``:
    20-9-2 is 20-(9-2); ``careless``: names of what is not looked at; ``digits``: as in a regular
    expression; \\d is true of the digits of all alphabets."""

    def __init__(self, levels=("+-", "*"), from_the_right=False, careless=(), digits="0-9"):
        self.levels, self.from_the_right, self.careless = levels, from_the_right, careless
        self.digits = digits

    def __call__(self, text):
        if "the rest" in self.careless:
            text = re.match(rf"[-+*(){self.digits}]*", text)[0]
        self.left = tokens(text, self.digits, "foreign characters" in self.careless)
        value = self.level(0)
        if self.left and "the rest" not in self.careless:
            raise ValueError
        return str(value)

    def level(self, n):
        if n == len(self.levels):
            return self.factor()
        value = self.level(n + 1)
        while self.left and self.left[0] in self.levels[n]:
            sign = self.left.pop(0)
            if not self.left and "the end" in self.careless:
                return value
            other = self.level(n if self.from_the_right else n + 1)
            value = {"+": operator.add, "-": operator.sub, "*": operator.mul}[sign](value, other)
        return value

    def factor(self):
        if not self.left:
            raise ValueError
        token = self.left.pop(0)
        if token == "(":
            value = self.level(0)
            if self.left and self.left[0] == ")":
                self.left.pop(0)
            elif "the bracket" not in self.careless:
                raise ValueError
            return value
        return int(token)


def caught(function, said=lambda text: REFUSED):
    """Any error becomes a text."""

    def calculate(text):
        try:
            return function(text)
        except Exception:
            return said(text)

    return calculate


def looked(function, more="", digit=lambda sign: sign in "0123456789"):
    """The characters are looked at first: digits, signs, brackets and what stands in ``more``."""

    def calculate(text):
        return function(text) if all(digit(c) or c in "+-*()" + more for c in text) else REFUSED

    return calculate


def plain(function):
    """Numbers that Python spells with more than digits are refused, and comments."""

    def calculate(text):
        return REFUSED if re.search("[0-9]_|0[xXbBoO]|#", text) else function(text)

    return calculate


def either(*functions):
    """With a look at how numbers are spelled, and without one."""
    return tuple(way for function in functions for way in (function, plain(function)))


def tree(signs=SIGNS_OF, constant=lambda value: type(value) is int, work=None):
    """The tree is read; other signs or constants are allowed."""

    def value(node):
        if isinstance(node, ast.Constant) and constant(node.value):
            return node.value
        if isinstance(node, ast.BinOp):
            return signs[type(node.op)](value(node.left), value(node.right))
        raise ValueError

    return lambda text: str(value(ast.parse(text, mode="eval").body))


def parsed(**how):
    return tuple(
        caught(lambda text, digits=digits: Parser(digits=digits, **how)(text)) for digits in ("0-9", r"\d")
    )


RIGHT = looked(caught(tree()))


def bounded(fit, right=RIGHT):
    """Other numbers than Python's whole ones; ``fit``: what they make of a result."""

    def calculate(text):
        told = right(text)
        return told if told == REFUSED else str(fit(int(told)))

    return calculate


def zero_dropped(text, right=RIGHT):
    """A result of 0 counts as none."""
    told = right(text)
    return REFUSED if told == "0" else told


def zero_dropped_inside(text):
    """So does a part of 0."""

    def value(node):
        if isinstance(node, ast.Constant) and type(node.value) is int:
            return node.value
        if isinstance(node, ast.BinOp) and type(node.op) in SIGNS_OF:
            a, b = value(node.left), value(node.right)
            return SIGNS_OF[type(node.op)](a, b) if a and b else None
        return None

    return str(value(ast.parse(text, mode="eval").body) or REFUSED)
