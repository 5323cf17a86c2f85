"""How the practice's words are written: blocks of text, told apart by their indentation.

A head stands at the margin, what belongs to it is indented:

    plain-mean
        This is the plain mean: every value counts the same, and `weights` has no effect.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from course_lib.practice.kinds import Misconception, Option, Prediction, Recall


def prose(text: str) -> str:
    """The text with the lines of each paragraph joined; blank lines part paragraphs."""
    return "\n\n".join(" ".join(part.split()) for part in re.split(r"\n\s*\n", text.strip()))


_BEGIN = re.compile(
    r"(You|Your|The|In|Where|A|An|Each|Every|Both|Of|What|Only|Nothing|That|Those|This|These|There|It|"
    r"Short|Long|Gradients|Places|Rows|From|At|On|With|Without|When|To|All|As|Under|For|If|No|One|Two)\b"
)


def within(text: str) -> str:
    """A text that stands behind a colon: its first word is small, unless it is a name."""
    return text[0].lower() + text[1:] if _BEGIN.match(text) else text


def lines(text: str) -> str:
    """The text line by line, without the margin that all its lines share: for pseudocode."""
    return textwrap.dedent(text).strip("\n").rstrip()


def entries(text: str) -> dict[str, str]:
    """Each head with its prose. Raises ValueError for a head that stands twice or has no text."""
    found: dict[str, str] = {}
    for head, body in _blocks(text):
        if head in found or not body:
            raise ValueError(f"the entry {head!r} {'stands twice' if head in found else 'has no text'}")
        found[head] = prose(body)
    return found


def advice(text: str) -> tuple[tuple[str, str], ...]:
    """Pairs (pattern, sentence) for ``Exercise.advice``: each head is a regular expression."""
    return tuple(entries(text).items())


def misconceptions(
    told: str | Mapping[str, str],
    ways: Mapping[str, Any],
    measures: Mapping[str, Callable[[Any, Any, tuple[Any, ...]], Mapping[str, Any]]] | None = None,
    signs: Mapping[str, Callable[[Any, Any, tuple[Any, ...]], bool]] | None = None,
    everywhere: tuple[str, ...] = (),
    any_shape: tuple[str, ...] = (),
    **names: str,
) -> tuple[Misconception, ...]:
    """The misconceptions of an exercise, from the tutor's words and the wrong code, joined by their names.

    Args:
        told: name → the tutor's words, as a block of text or a dict.
        ways: name → one wrong function, or a tuple of them.
        measures: name → a function ``(expected, got, args)`` that gives numbers for the slots of the words.
        signs: name → a function for ``Misconception.sign``.
        everywhere: names whose sign must hold on every input, also where the answer is right.
        any_shape: names whose sign is asked of answers of other shapes, too.
        names: what fills the other slots, for example ``query="target word"``.

    Raises ValueError for a name that stands on one side only.
    """
    told = entries(told) if isinstance(told, str) else told
    measures, signs = measures or {}, signs or {}
    alone = (told.keys() ^ ways.keys()) | (measures.keys() - told.keys()) | (signs.keys() - told.keys())
    alone |= {*everywhere, *any_shape} - signs.keys()
    if alone:
        raise ValueError(f"words and ways must have the same names; {sorted(alone)} stand on one side only")
    return tuple(
        Misconception(
            name,
            ways[name] if isinstance(ways[name], tuple) else (ways[name],),
            _sentence(words, measures.get(name), names),
            signs.get(name),
            name in everywhere,
            name in any_shape,
        )
        for name, words in told.items()
    )


def _sentence(words: str, measure: Callable[..., Mapping[str, Any]] | None, names: dict[str, str]) -> Any:
    if measure is None:
        return words.format(**names) if names else words
    return lambda expected, got, args: words.format(**names, **measure(expected, got, args))


def predictions(text: str) -> tuple[Prediction, ...]:
    """The predictions of a chapter. ``+`` marks the right option, ``-`` the others; an option is one line.

    01.lag
        The query for French word i is the state sᵢ₋₁. Which worry about the map is sound?
        - The rows do not sum to 1.
            The softmax makes every row sum to 1, whatever the query is.
        + A row may be vague: it has to look without knowing which word came last.
            The choice itself arrives one step late.

    Raises ValueError unless exactly one option is right.
    """
    found = []
    for head, body in _blocks(text):
        prompt, *rest = re.split(r"^([-+]) ", body, flags=re.MULTILINE)
        marks, options = rest[::2], [part.split("\n", 1) for part in rest[1::2]]
        if marks.count("+") != 1:
            raise ValueError(f"the prediction {head!r} has {marks.count('+')} right options; expected 1")
        asked = tuple(Option(option, prose(explanation)) for option, explanation in options)
        found.append(Prediction(head, prose(prompt), asked, marks.index("+")))
    return tuple(found)


def recall(text: str) -> tuple[Recall, ...]:
    """Questions that later chapters ask: each head is a question, what is indented its answer."""
    return tuple(Recall(question, answer) for question, answer in entries(text).items())


def _blocks(text: str) -> Iterator[tuple[str, str]]:
    """Each head, its lines joined, with the text that is indented below it."""
    head: list[str] = []
    body: list[str] = []
    for line in text.strip("\n").split("\n"):
        if line[:1].strip() and body:
            yield " ".join(head), textwrap.dedent("\n".join(body)).strip()
            head, body = [], []
        if line[:1].strip():
            head.append(line.strip())
        elif head and (body or line.strip()):
            body.append(line)
    yield " ".join(head), textwrap.dedent("\n".join(body)).strip()
