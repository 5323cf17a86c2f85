"""Written, or remembered? The longest piece of a text that stands, letter for letter, in a training file.

A piece of n + m characters stands in both texts only where its first n and its last m do. So pieces are
numbered, length after length, and only numbers are compared:

    number of the piece of n + m at i  =  number of the pair (piece of n at i, piece of n that ends with it)

What only one of the two texts has is dropped at once, so little is left after the first few lengths. Nothing
is hashed: the answer is exact.

Axes: P pieces.
"""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from course_lib.tasks.python_gpt.library import modules

LEAST = 8  # characters; shorter pieces are everywhere
AT_ONCE = 2_000_000  # characters of training text that are held in tables at a time


def training_files() -> list[str]:
    """The texts of the training modules."""
    return [module.text for module in modules("training")]


def longest_matches(texts: Sequence[str], files: Sequence[str]) -> list[int]:
    """How many characters of each text stand in one piece in a training file, at most.

    Args:
        texts: what was written.
        files: what was learned from. No piece goes from one file to the next.

    Returns:
        one length a text; 0 where no piece of 8 characters is shared.
    """
    owner = torch.repeat_interleave(torch.arange(len(texts)), torch.tensor([len(text) + 1 for text in texts]))
    longest = torch.zeros(len(texts), dtype=torch.long)
    for group in _groups(files):
        asked, read = Pieces(_codes(texts)), Pieces(_codes(group))
        for step in (1, 2, 4):  # of 2, 4, 8 characters
            grow(asked, read, step)
        while len(read.at):
            asked.keep(torch.isin(asked.numbers, read.numbers))
            owners = owner[asked.at]
            longest[owners] = longest[owners].clamp(min=asked.length)
            grow(asked, read, 1)
    return longest.tolist()


class Pieces:
    """Pieces of one length of a text: where each begins, and its number.

    Args:
        codes: the text's characters `(N,)`, below 0 between files.
    """

    def __init__(self, codes: Tensor) -> None:
        self.at = (codes >= 0).nonzero()[:, 0]  # (P,), rising
        self.numbers = codes[self.at].long()  # (P,): the same for equal pieces
        self.length = 1

    def keep(self, which: Tensor) -> None:
        """Drop the others; `which`: boolean, `(P,)`."""
        self.at, self.numbers = self.at[which], self.numbers[which]

    def longer(self, step: int, base: int) -> None:
        """Each piece with the one `step` characters on; a pair's number is first · base + second."""
        behind = torch.searchsorted(self.at, self.at + step).clamp(max=len(self.at) - 1)
        there = self.at[behind] == self.at + step
        self.numbers = self.numbers * base + self.numbers[behind]
        self.length += step
        self.keep(there)


def grow(asked: Pieces, read: Pieces, step: int) -> None:
    """Make the pieces of two texts `step` characters longer, and drop those that only the second has.

    Args:
        asked, read: pieces of the same length, numbered alike.
        step: at most their length.
    """
    base = 1 + max(int(part.numbers.max()) if len(part.at) else 0 for part in (asked, read))
    for part in (asked, read):
        if len(part.at):
            part.longer(step, base)
    known, asked.numbers = asked.numbers.unique(return_inverse=True)  # numbered anew: small numbers again
    place = torch.searchsorted(known, read.numbers)
    inside = place < len(known)
    read.numbers, keys = place, read.numbers
    read.keep(inside)
    read.keep(known[read.numbers] == keys[inside])


def _groups(files: Sequence[str]) -> Iterator[list[str]]:
    """The files, some at a time."""
    group: list[str] = []
    for file in files:
        group.append(file)
        if sum(map(len, group)) >= AT_ONCE:
            yield group
            group = []
    if group:
        yield group


def _codes(texts: Sequence[str]) -> Tensor:
    """The characters' numbers, with −1 behind each text."""
    between = torch.tensor([-1], dtype=torch.int32)
    parts = []
    for text in texts:
        raw = bytearray(text.encode("utf-32-le", "surrogatepass"))
        parts += [torch.frombuffer(raw, dtype=torch.int32)] if raw else []
        parts.append(between)
    return torch.cat(parts)
