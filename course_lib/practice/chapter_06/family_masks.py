"""06.family-masks: one stack, three families, and only the mask is another."""

import torch

from course_lib.practice import ideas
from course_lib.practice.chapter_06.family_masks_ways import SIGNS, TOLD, WAYS
from course_lib.practice.kinds import Case, Exercise, Output
from course_lib.practice.words import advice, lines, misconceptions, prose


def family_mask(family, n_input, N):
    query = torch.arange(N)[:, None]  # (N, 1)
    key = torch.arange(N)[None, :]  # (1, N)
    past = key <= query  # (N, N): a position and what stands before it
    if family == "encoder-only":
        return torch.ones(N, N, dtype=torch.bool)
    if family == "decoder-only":
        return past
    return past | (key < n_input)  # the input is open to everyone


FAMILIES = ("encoder-only", "decoder-only", "prefix-LM")


def cases() -> list[Case]:
    def case(family: str, n_input: int, N: int, more: str = "") -> Case:
        return Case(f"`{family}`, {n_input} of {N} positions input", (family, n_input, N), {"N": N})

    return [
        case("prefix-LM", 2, 5),
        case("decoder-only", 2, 5),
        case("encoder-only", 2, 5),
        case("prefix-LM", 4, 7),
        case("prefix-LM", 3, 4),
        case("decoder-only", 4, 6),
        case("encoder-only", 3, 6),
        case("prefix-LM", 0, 3),
        case("decoder-only", 0, 1),
        case("encoder-only", 0, 1),
    ]


def further() -> list[Case]:
    """All families with all sizes up to 6."""
    sizes = [(n, N) for N in range(1, 7) for n in range(N)]
    return [Case(f"{family}, {n} of {N}", (family, n, N)) for family in FAMILIES for n, N in sizes]


FAMILY_MASKS = Exercise(
    id="06.family-masks",
    title="A family by its mask",
    minutes=12,
    difficulty=2,
    statement=prose("""
        Write `family_mask(family, n_input, N)`. One stack reads a row of N positions without padding: `input
        [BOS] output`. The first n_input positions are the input (0 … N - 1 of them); `[BOS]` stands right
        after it and is not part of it. Return the boolean mask (N, N) that makes this stack a family: rows
        are queries, columns are keys, True = may attend.

        `family` is one of three texts. In `"encoder-only"` every position sees every position. In
        `"decoder-only"` a position sees itself and what stands before it. `"prefix-LM"` is the same, and all
        positions of the input are open to everyone as well.
    """),
    inputs={
        "family": '"encoder-only", "decoder-only" or "prefix-LM"',
        "n_input": "length of the input",
        "N": "positions of the row",
    },
    outputs=(Output("allowed", ("N", "N")),),
    reference=family_mask,
    cases=cases,
    further=further,
    hints=(
        prose("""
            Draw three 5 × 5 grids for an input of two. Two of them you know: all open, and a triangle. The
            third is the triangle and some columns: which ones, and in which rows?
        """),
        lines("""
            query = 0 … N - 1 as a column, key = 0 … N - 1 as a row
            past  = key ≤ query                                   (N, N)
            encoder-only: True everywhere
            decoder-only: past
            prefix-LM:    past OR (key is in the input)
        """),
    ),
    misconceptions=(
        *misconceptions(TOLD, WAYS, signs=SIGNS),
        *ideas.boolean_mask(family_mask),
        *ideas.squeezed(family_mask),
    ),
    insight="The same blocks, the same parameters: what makes these three families is who may look at whom.",
    advice=advice(r"""
triu|tril
    `torch.tril` and `torch.triu` take a tensor, for example `torch.ones(N, N)`, and an optional `diagonal`.
"""),
)
