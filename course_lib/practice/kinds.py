"""The data of the course's practice: exercises, misconceptions, predictions and recall questions.

Everything here is data and nothing acts. A chapter's files (``chapter_01/scores.py``) fill these forms in;
``checking.py`` runs an exercise, ``desk.py`` is what a learner calls.
"""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Case:
    """One input that ``check`` gives to a learner's function.

    Args:
        name: what is special about it, in words that complete "on the input with ...".
        args: the arguments, in order. They are cloned before every call.
        sizes: length of each named axis, for example ``{"B": 3, "S": 5}``.
        large: True for numbers so large that exp overflows; a wrong idea may then drown in NaN.
    """

    name: str
    args: tuple[Any, ...]
    sizes: dict[str, int] = field(default_factory=dict)
    large: bool = False


@dataclass(frozen=True)
class Output:
    """What a function must return: a tensor with named axes, or one number (``axes=None``).

    ``texts``: it is a dict of texts, of which the exercise's View makes what is compared.
    ``form``: it is no tensor and no number, but what FORMS says.
    """

    name: str
    axes: tuple[str, ...] | None = None
    rows_sum_to_one: bool = False
    texts: bool = False
    form: str = ""


FORMS = {
    "ids": "a list of whole numbers",
    "pairs": "a list of pairs of whole numbers",
    "names": "a list of texts",
    "turns": "a list of pairs (role, text)",
    "counts": "a dict: pair → how often",
    "text": "a text",
}


class CannotCompare(ValueError):
    """Raised by a View for an answer that it can make nothing of. The text is what the learner reads."""


@dataclass(frozen=True)
class View:
    """What is compared in an exercise with many right answers: something that the answer leads to.

    Args:
        output: name and axes of what is compared; several where ``make`` gives a tuple.
        make: a function ``(answer, args)`` that makes it. Raises CannotCompare.
    """

    output: Output | tuple[Output, ...]
    make: Callable[[Any, tuple[Any, ...]], Any]

    @property
    def outputs(self) -> tuple[Output, ...]:
        return self.output if isinstance(self.output, tuple) else (self.output,)


@dataclass(frozen=True)
class Misconception:
    """A wrong idea, the code it leads to, and what a good tutor says on seeing it.

    Args:
        name: short name with hyphens, unique in its exercise.
        ways: wrong implementations. One idea is often written in more than one way.
        sentence: the tutor's words, or a function ``(expected, got, args) -> str`` that measures first.
            It receives the first input on which the two answers differ.
        sign: for an idea that can be written in endless ways: a function ``(expected, got, args) -> bool``
            that knows it by its answer, a tensor of the right shape. It must hold on every input whose
            answer is wrong; None there means that it cannot tell. Asked only when no way of any
            misconception fits. Where several things are returned it gets tuples.
        everywhere: True if the sign must hold on the inputs with a right answer as well, because the
            sentence speaks of the whole function ("`wanted` has no effect").
        any_shape: True if the sign is asked of answers of other shapes as well.
    """

    name: str
    ways: tuple[Callable[..., Any], ...]
    sentence: str | Callable[[Any, Any, tuple[Any, ...]], str]
    sign: Callable[[Any, Any, tuple[Any, ...]], bool] | None = None
    everywhere: bool = False
    any_shape: bool = False


# From the cases, the learner's outcomes, the right answers and the tolerance: name and sentence, or None.
Pairs = Callable[[list[Case], list[Any], list[Any], float], tuple[str, str] | None]


@dataclass(frozen=True)
class Exercise:
    """One function for the learner to write.

    Args:
        id: ``"01.scores"``: the chapter's number, a dot, a name.
        title: a few words.
        minutes: planned time.
        difficulty: 1 to 3, shown as dots.
        statement: what to write, in plain text; words between backticks are code.
        inputs: each parameter and its axes, for example ``{"s": "B, D_s"}``; other inputs are words.
        outputs: what the function returns; more than one means a tuple.
        reference: a correct function, written as a learner would write it. Its source is the solution.
        cases: makes the inputs; called once for each check.
        hints: a nudge, then pseudocode.
        misconceptions: at least four.
        pairs: looks for two wrong ideas at once; asked where no way of a misconception fits.
        insight: one sentence that a learner sees after solving it.
        tolerance: largest difference that still counts as equal.
        advice: pairs (pattern, sentence). When the function raises, the sentence is added if the regular
            expression is found in the learner's failing line or in the error's text. What stands behind
            `` with `` must be found in the function's source, and what stands behind `` unless `` must not.
        view: what is compared, if it is not the answer itself.
        forbidden: which cells of the answer must be exactly 0, from the function's arguments.
        further: more inputs, on which a repair must be right before it is told. Without them the cases are
            made again from other seeds.
        two_slips: makes wrong ideas that come two at a time; asked after the single ones. They are made
            only when a check needs them.
        memory: what ``recognising`` keeps of the exercise's own functions from one check to the next.
    """

    id: str
    title: str
    minutes: int
    difficulty: int
    statement: str
    inputs: dict[str, str]
    outputs: tuple[Output, ...]
    reference: Callable[..., Any]
    cases: Callable[[], list[Case]]
    hints: tuple[str, str]
    misconceptions: tuple[Misconception, ...]
    insight: str
    tolerance: float = 1e-5
    advice: tuple[tuple[str, str], ...] = ()
    view: View | None = None
    forbidden: Callable[..., Any] | None = None
    further: Callable[[], list[Case]] | None = None
    two_slips: Callable[[], Iterable[Misconception]] | None = None
    pairs: Pairs | None = None
    memory: dict[Any, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters, in the order in which ``check`` passes them."""
        return tuple(self.inputs)

    @property
    def function_name(self) -> str:
        return self.reference.__name__

    @property
    def signature(self) -> str:
        return f"{self.function_name}({', '.join(self.parameters)})"

    @property
    def dots(self) -> str:
        return "●" * self.difficulty + "○" * (3 - self.difficulty)

    @property
    def solution(self) -> str:
        return textwrap.dedent(inspect.getsource(self.reference)).strip()


def axis_names(what: str) -> tuple[str, ...] | None:
    """``"B, D_s"`` gives ``("B", "D_s")``; a description in words gives None."""
    names = tuple(what.split(", "))
    return names if all(re.fullmatch(r"[A-Z](_\w+)?|1", name) for name in names) else None


CONFIDENCE = ("guessing", "unsure", "rather sure", "certain")  # how sure somebody is of a prediction, 0 to 3


@dataclass(frozen=True)
class Option:
    """One answer to a prediction, and what it tells us when somebody picks it."""

    text: str
    explanation: str


@dataclass(frozen=True)
class Prediction:
    """A question asked before the run. ``right`` is the index of the right option."""

    id: str
    prompt: str
    options: tuple[Option, ...]
    right: int


@dataclass(frozen=True)
class Recall:
    """A question about a chapter that a later chapter asks at its door."""

    question: str
    answer: str
