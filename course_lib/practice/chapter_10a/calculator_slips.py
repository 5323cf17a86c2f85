"""10a.calculator: sums that are read by hand, in another order or with less care."""

import operator
import re


def tokens(text, digits, skips):
    found = re.findall(rf"[{digits}]+|[-+*()]", text)
    if not skips and "".join(found) != text or not text:
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
