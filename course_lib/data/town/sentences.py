"""A story judged sentence by sentence, as it is being told."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from .story import score
from .world import TOWN, Grammar


class SentenceVerdict(NamedTuple):
    """What the Town says of one sentence of a story."""

    start: int  # its first token
    stop: int  # behind its last one
    finished: bool  # it has its full stop
    valid: bool | None  # one of the Town's sentences; None: not finished
    consistent: bool | None  # it can happen when it is told; None: not finished, not valid, or not judged
    error: str | None  # what is wrong


def by_sentence(tokens: Sequence[str], grammar: Grammar = TOWN) -> list[SentenceVerdict]:
    """Judge each sentence of a story, told to its end or not.

    After the first wrong sentence the facts are no longer known: the others are only judged valid or not.

    Args:
        tokens: of the story, in lower case, without special tokens.
        grammar: the world it should come from.
    """
    tokens, verdicts, start, right = tuple(tokens), [], 0, True
    while start < len(tokens):
        stop = next((i for i in range(start, len(tokens)) if tokens[i] == "."), None)
        if stop is None:
            verdicts.append(SentenceVerdict(start, len(tokens), False, None, None, None))
            break
        stop, n = stop + 1, len(verdicts) + 1
        alone = score(tokens[start:stop], grammar=replace(grammar, sentences=(1,)))
        valid, consistent, error = alone.valid, None, None if alone.valid else _said(alone.error)
        if valid and right:
            found = score(tokens[:stop], grammar=replace(grammar, sentences=(n,)))
            consistent, error = found.consistent, _said(found.error)
        right = right and valid and bool(consistent)
        verdicts.append(SentenceVerdict(start, stop, True, valid, consistent, error))
        start = stop
    return verdicts


def _said(error: str | None) -> str | None:
    """The error without the number of its sentence and word."""
    return error and error.split(": ", 1)[1]
