"""Wrong answers that are put together: two slips at once, and masks of which some parts are wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import combinations
from typing import Any

import torch

from course_lib.practice.kinds import Misconception

PARTS = "parts-of-the-mask"  # says where, and not why: a repair is looked for beside it
Slip = tuple[str, str, dict[str, Any]]


def two_at_once(
    make: Callable[..., Callable[..., Any]], slips: Mapping[str, Slip], known: tuple[str, ...] = ()
) -> tuple[Misconception, ...]:
    """Every two slips that concern other parts, each pair told as two slips.

    Args:
        make: the exercise's function with other parts, ``make(**parts)``.
        slips: name → (what part it concerns, the tutor's words, the parts that are exchanged). Of two slips
            about one part none is made, as the second would hide the first.
        known: pairs, "name+name", that the exercise tells itself.
    """
    found = []
    for one, other in combinations(slips, 2):
        (part, words, first), (other_part, other_words, second) = slips[one], slips[other]
        if part == other_part or first.keys() & second.keys() or f"{one}+{other}" in known:
            continue
        told = f"Two slips. The first: {words} The second: {other_words}"
        found.append(Misconception(f"{one}+{other}", (make(**first, **second),), told))
    return tuple(found)


def parts_of_a_mask(
    regions: Callable[..., Mapping[str, torch.Tensor]],
    reference: Callable[..., torch.Tensor],
    sizes: Callable[..., str],
    *ways: Callable[..., torch.Tensor],
) -> Misconception:
    """Which parts of a boolean mask are wrong, for masks that no other idea fits: counted, part by part.

    Args:
        regions: name → cells, from the function's arguments; each region is open everywhere or closed
            everywhere, no cell belongs to two of them, and all together they are the whole mask.
        reference: the exercise's function.
        sizes: the words for the sizes of an input, from the function's arguments.
        ways: examples of such masks.
    """

    def parts(got, args):
        """(name, cells, how many are wrong, whether they should be open) of each region that has cells."""
        right, got = reference(*args), got.bool()
        for name, cells in regions(*args).items():
            cells = cells.expand(right.shape)
            if cells.any():
                yield name, int(cells.sum()), int((got != right)[cells].sum()), bool(right[cells].all())

    def sign(expected, got, args):
        return bool(((got == 0) | (got == 1)).all())

    def sentence(expected, got, args):
        told = []
        for name, many, wrong, is_open in parts(got, args):
            if wrong:
                how = "closed, and should be open" if is_open else "open, and should be closed"
                count = f"all {many}" if wrong == many > 1 else f"{wrong} of {many}"
                told.append(f"{name}: {count} {how}")
        words = "; ".join(told)
        return f"With {sizes(*args)}, these parts are wrong. {words[0].upper()}{words[1:]}."

    return Misconception(PARTS, ways, sentence, sign)
