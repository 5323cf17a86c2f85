"""Chapter 07: slips that come alone or two at a time, put together from the parts of one function."""

from collections.abc import Callable, Iterator, Mapping
from itertools import combinations
from typing import Any

from course_lib.practice.kinds import Misconception
from course_lib.practice.words import entries

Parts = Mapping[str, Any]


def slips(
    make: Callable[..., Callable[..., Any]],
    parts: Mapping[str, Parts | tuple[Parts, ...]],
    told: str | Mapping[str, str],
) -> Iterator[Misconception]:
    """Each slip alone, then every two that change different parts.

    Args:
        make: makes the function from its parts, by keyword; without any it is right.
        parts: name → what the slip changes; a tuple of such dicts if it is written in several ways.
        told: name → one or two sentences on the slip that hold beside any other one, as a block of text or
            a dict.

    Raises ValueError for a name that stands on one side only.
    """
    words = entries(told) if isinstance(told, str) else told
    if words.keys() != parts.keys():
        raise ValueError(
            f"words and parts must have the same names; got {sorted(words.keys() ^ parts.keys())}"
        )
    each = {name: one if isinstance(one, tuple) else (one,) for name, one in parts.items()}
    for name, some in each.items():
        yield Misconception(name, tuple(make(**one) for one in some), words[name])
    for a, b in combinations(each, 2):
        ways = tuple(make(**one, **two) for one in each[a] for two in each[b] if not one.keys() & two.keys())
        if ways:
            yield Misconception(f"{a} + {b}", ways, f"Two slips. (1) {words[a]} (2) {words[b]}")
