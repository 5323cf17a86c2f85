"""Python that is written: blocks of eight lines from a `def` line on, and what a real parser says of them.

    a block     a line that begins with `def` or `async def`, and the seven lines below it, as they stand;
                fewer where the module ends
    the parser  `ast.parse`, on the block below as many lines `if 1:` as its `def` is deep. So a method stays
                at its depth, and where its class ends inside the block, that is no mistake.

Three things can come out. "parses": the block is Python as it stands. "cut": it is not, but more lines could
make it Python: a docstring, a bracket or an `if` was open when the eight lines ended. "wrong": no further
line can help. Of the library's own blocks about half parse, nearly all others are cut, and next to none are
wrong. (Moved to the left margin without the `if 1:`, 5 % of them would look wrong for no fault of their own:
a class that begins inside the block would have lost its indentation.)
"""

import ast
import codeop
import math
import random
import re
import warnings
from collections.abc import Sequence
from typing import NamedTuple

import torch

from course_lib import checks
from course_lib.data.python_library import Module
from course_lib.generation import Writer, choose_rows, draw
from course_lib.generation.writers import looking_at
from course_lib.tasks.python_gpt.library import END, modules, tokens

LINES = 8
MAX_TOKENS = 200  # of a block; eight lines have about 90
_DEF = re.compile(r"[ \t]*(?:async )?def ")
_INCOMPLETE = codeop.PyCF_ALLOW_INCOMPLETE_INPUT | codeop.PyCF_DONT_IMPLY_DEDENT | ast.PyCF_ONLY_AST


# ---------------------------------------------------------------- the parser's verdict


class Shares(NamedTuple):
    """The parser's verdict on some blocks, as shares of all of them."""

    parses: float
    cut: float
    wrong: float


def verdict(block: str) -> str:
    """ "parses", "cut" or "wrong": what the parser says of a block.

    Args:
        block: its lines; the first one says how deep it is.
    """
    deep = len(block) - len(block.lstrip(" \t"))
    text = "".join(" " * n + "if 1:\n" for n in range(0, deep, 4)) + block
    with warnings.catch_warnings(action="ignore"):  # of the parser, on odd spellings
        try:
            ast.parse(text)
            return "parses"
        except (SyntaxError, ValueError):  # ValueError: a null byte
            pass
        try:
            compile(text, "block", "exec", _INCOMPLETE)
        except SyntaxError as error:
            return "cut" if "incomplete input" in str(error) else "wrong"
        except ValueError:
            return "wrong"
    return "cut"


def judge(some: Sequence[str]) -> Shares:
    """The verdict on some blocks.

    Raises:
        ValueError: no blocks.
    """
    if not some:
        raise ValueError("some is empty, expected at least one block")
    verdicts = [verdict(block) for block in some]
    return Shares(*(verdicts.count(kind) / len(verdicts) for kind in Shares._fields))


# ---------------------------------------------------------------- blocks of the library, and new ones


def blocks_of(some: Sequence[Module]) -> list[str]:
    """Every block of some modules; where two `def` lines are near, their blocks overlap."""
    found = []
    for module in some:
        lines = module.text.split("\n")
        starts = [i for i, line in enumerate(lines) if _DEF.match(line)]
        found += ["\n".join(lines[i : i + LINES]) for i in starts]
    return found


def real_blocks(n: int, side: str = "kept away", seed: int = 0) -> list[str]:
    """Some blocks of the library, drawn at random, none twice."""
    found = blocks_of(modules(side))
    return random.Random(seed).sample(found, min(n, len(found)))


def write_blocks(model: Writer, n: int, *, temperature: float = 1.0, seed: int = 0) -> list[str]:
    """Let a model write blocks. Of each it is given the line break, the indentation, and `def`.

    The indentations are those of real blocks that were kept away: most blocks are methods.

    Args:
        model: a trained GPT, or counted n-grams.
        n: how many blocks.
        temperature: the logits are divided by it; 0 always takes the likeliest token.
        seed: of the indentations and of the draws.

    Raises:
        ValueError: `n` below 1, or a negative temperature.
    """
    checks.at_least_1(n=n)
    found = blocks_of(modules("kept away"))
    depths = [len(block) - len(block.lstrip(" ")) for block in random.Random(seed).choices(found, k=n)]
    generator, written = torch.Generator().manual_seed(seed), {}
    for depth in sorted(set(depths)):
        start = " " * depth + "def"
        rows = _write(model, "\n" + start, depths.count(depth), temperature, generator)
        written[depth] = ["\n".join((start + row).split("\n")[:LINES]) for row in rows]
    return [written[depth].pop() for depth in depths]


def go_on(model: Writer, start: str = "def", n: int = 100, *, temperature: float = 0.7, seed: int = 0) -> str:
    """Let a model write on from any beginning.

    Args:
        model: a trained GPT, or counted n-grams.
        start: what the text begins with; spaces at its end are left to the model, as a space belongs to the
            token behind it.
        n: new tokens, at most; the text ends earlier where a module would.
        temperature: as in `write_blocks`.
        seed: of the draws.

    Raises:
        ValueError: an empty start, `n` below 1, or a negative temperature.
    """
    if not (start := start.rstrip(" ")):
        raise ValueError("start is empty, expected at least one character to go on from")
    checks.at_least_1(n=n)
    generator = torch.Generator().manual_seed(seed)
    return start + _write(model, start, 1, temperature, generator, max_tokens=n, lines=None)[0]


def _write(
    model: Writer,
    start: str,
    n: int,
    temperature: float,
    generator: torch.Generator,
    *,
    max_tokens: int | None = None,
    lines: int | None = LINES,
) -> list[str]:
    """What comes after `start`, n times; a text that has its lines, or ends, leaves the batch."""
    if not temperature >= 0:
        raise ValueError(f"temperature is {temperature}, expected 0 or more: 0 takes the likeliest token")
    tokenizer, most = tokens(), lines or math.inf
    end = tokenizer.special[END]
    breaks = torch.tensor([float(token.count(b"\n")) for token in tokenizer.tokens])  # (V,)
    breaks[end] = math.inf
    new = torch.tensor([tokenizer.encode(start)]).expand(n, -1)  # (B, T)
    rows, done, state = torch.arange(n), torch.zeros(n), None  # done: line breaks so far
    ids: list[list[int]] = [[] for _ in range(n)]
    with looking_at(model):
        for _ in range(max_tokens or MAX_TOKENS):
            logits, _, state = model.next_logits(new, state)  # (B, V)
            new = draw(logits, temperature=temperature, generator=generator)[:, None]  # (B, 1)
            for row, token in zip(rows.tolist(), new[:, 0].tolist(), strict=True):
                ids[row].append(token)
            done = done + breaks[new[:, 0]]
            kept = ((done < most) & (done < math.inf)).nonzero()[:, 0]
            if not len(kept):
                break
            if len(kept) < len(rows):
                rows, done, new, state = rows[kept], done[kept], new[kept], choose_rows(state, kept)
    return [tokenizer.decode(token for token in row if token != end) for row in ids]
