"""Small sums, written as single digits, as the Town's assistant reads and writes numbers.

    what is 1 7 + 2 5 ?       4 2 .       that is 4 2 .

A division that does not come out even, or by 0, and a sum that is not finished have no answer here.
"""

import random
from typing import NamedTuple

from course_lib.data.town.questions.facts import SHORT_REFUSAL, UNKNOWN, Fact, Words

KIND = "sum"
SIGNS = ("+", "-", "×", "÷")
GROUPS = {"+": 0.25, "-": 0.2, "×": 0.2, "÷": 0.1, "two steps": 0.15, UNKNOWN: 0.1}
NO_ANSWER = ("the", "tool", "does", "not", "say", ".")


class Sum(NamedTuple):
    """What is to be worked out, and what comes out."""

    group: str
    expression: str  # 17+25
    result: int | None  # None: there is none


def draw_sum(group: str, rng: random.Random, digits: tuple[int, int]) -> Sum:
    """A sum of one group.

    Args:
        group: a key of GROUPS.
        rng: source of the draws.
        digits: the fewest and the most digits of each number.
    """

    def number(smallest: int = 0) -> int:
        n = rng.randint(*digits)
        return rng.randint(max(smallest, 10 ** (n - 1) if n > 1 else 0), 10**n - 1)

    a, b, c = number(), number(1), number()
    if group == "÷":
        return Sum(group, f"{a * b}÷{b}", a)
    if group == "two steps":
        first, second = rng.choice("+-"), rng.choice("+-×")
        if rng.random() < 0.5:
            return Sum(group, f"({a}{first}{b}){second}{c}", _both(_both(a, first, b), second, c))
        return Sum(group, f"{a}{first}({b}{second}{c})", _both(a, first, _both(b, second, c)))
    if group == UNKNOWN:
        b = max(b, 2)
        unfinished = f"{a}{rng.choice(SIGNS)}"
        return Sum(group, rng.choice((f"{a * b + rng.randint(1, b - 1)}÷{b}", f"{a}÷0", unfinished)), None)
    return Sum(group, f"{a}{group}{b}", _both(a, group, b))


def fact(one: Sum) -> Fact:
    """A sum as a question with its answers."""
    written = tuple(one.expression)
    direct, indirect = ("what", "is", *written), ("what", *written, "is")
    if one.result is None:
        return Fact(KIND, one.group, direct, indirect, SHORT_REFUSAL, NO_ANSWER)
    said: Words = (*str(one.result), ".")
    return Fact(KIND, one.group, direct, indirect, said, ("that", "is", *said))


def _both(a: int, sign: str, b: int) -> int:
    return a + b if sign == "+" else a - b if sign == "-" else a * b
