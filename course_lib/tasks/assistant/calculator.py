"""A calculator that does sums and nothing else, for a model that is steered by what a user types.

    calculate("17+25")              "42"
    calculate("(2 + 3) × -4")       "-20"
    calculate("7 ÷ 2")              "error: not exact"
    calculate("__import__('os')")   "error: not a sum"

`eval` would run whatever stands there. This reads five signs, brackets and the digits 0 to 9, by a grammar of
four lines, and refuses the rest:

    sum       product, or sum + product, or sum - product
    product   factor, or product × factor, or product ÷ factor
    factor    number, or (sum), or - factor
    number    digits

Its work is bounded before it begins: the text is short, brackets are few, and no number may grow large.
There is no power: with `9**9**9` one line of text would ask for more digits than a disk holds.
"""

MAX_LENGTH = 100  # signs of a sum
MAX_DEPTH = 10  # brackets and minus signs, one inside of the other
MAX_SIZE = 10**18  # no number may reach it
SAME = str.maketrans({"*": "×", "·": "×", "/": "÷", "−": "-"})
DIGITS = frozenset("0123456789")  # str.isdigit() also knows ٣ and ²

NOT_A_SUM, NOT_EXACT, BY_ZERO = "error: not a sum", "error: not exact", "error: division by 0"
TOO_LONG, TOO_DEEP, TOO_LARGE = "error: too long", "error: too deep", "error: too large"


def calculate(text: str) -> str:
    """Work out a sum of whole numbers.

    Args:
        text: + - × ÷ (also * / and −), brackets, digits, spaces between them.

    Returns:
        the result, or a text that begins with "error:". Whatever text comes, nothing is raised.
    """
    if not isinstance(text, str):
        return NOT_A_SUM
    if len(text) > MAX_LENGTH:
        return TOO_LONG
    try:
        reader = _Reader(text.translate(SAME))
        value = reader.sum(0)
        reader.end()
    except _Refused as refused:
        return str(refused)
    return str(value)


class _Refused(Exception):
    """Why there is no result."""


class _Reader:
    """A place in the text; each method reads one line of the grammar from there."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    def sum(self, depth: int) -> int:
        value = self.product(depth)
        while sign := self.take("+-"):
            other = self.product(depth)
            value = _small(value + other if sign == "+" else value - other)
        return value

    def product(self, depth: int) -> int:
        value = self.factor(depth)
        while sign := self.take("×÷"):
            other = self.factor(depth)
            value = _small(value * other) if sign == "×" else _divided(value, other)
        return value

    def factor(self, depth: int) -> int:
        if depth > MAX_DEPTH:
            raise _Refused(TOO_DEEP)
        if self.take("-"):
            return -self.factor(depth + 1)
        if self.take("("):
            value = self.sum(depth + 1)
            if not self.take(")"):
                raise _Refused(NOT_A_SUM)
            return value
        return self.number()

    def number(self) -> int:
        start = self.at
        while self.text[self.at : self.at + 1] in DIGITS:
            self.at += 1
        if start == self.at:
            raise _Refused(NOT_A_SUM)
        return _small(int(self.text[start : self.at]))

    def take(self, signs: str) -> str:
        """The next sign, if it is one of these; it is passed by then."""
        self.skip()
        sign = self.text[self.at : self.at + 1]
        if not sign or sign not in signs:
            return ""
        self.at += 1
        self.skip()
        return sign

    def skip(self) -> None:
        while self.text[self.at : self.at + 1] == " ":
            self.at += 1

    def end(self) -> None:
        self.skip()
        if self.at < len(self.text):
            raise _Refused(NOT_A_SUM)


def _small(value: int) -> int:
    if abs(value) >= MAX_SIZE:
        raise _Refused(TOO_LARGE)
    return value


def _divided(value: int, other: int) -> int:
    if other == 0:
        raise _Refused(BY_ZERO)
    if value % other:
        raise _Refused(NOT_EXACT)
    return value // other
