"""06.prefix-labels: rows for one stack, in which only the output counts."""

import torch

from course_lib.practice.chapter_06.prefix_labels_ways import WAYS, end_of
from course_lib.practice.chapter_06.prefix_labels_words import WORDS
from course_lib.practice.inputs import not_contiguous, seeded
from course_lib.practice.kinds import Case, Exercise, Output, View
from course_lib.practice.words import advice, lines, misconceptions, prose


def prefix_labels(ids, n_input, pad_id):
    inputs, labels = ids[:, :-1], ids[:, 1:]  # (B, N) each: labels stand one step earlier
    place = torch.arange(labels.shape[1])  # (N,)
    given = place < n_input[:, None]  # (B, N): the next token is of the input, or [BOS]
    return inputs, labels.masked_fill(given | (labels == pad_id), -100)


def what_is_read(answer, args):
    """Inputs and labels; from `[EOS]` on an input is read by no label, so any id there is as good."""
    inputs, labels = answer
    ids, _, pad_id = args
    if inputs.shape == ids[:, 1:].shape:
        after = torch.arange(inputs.shape[1]) >= end_of(ids, pad_id)
        inputs = torch.where(after & (inputs >= 0), ids[:, :-1].to(inputs.dtype), inputs)
    return inputs, labels


def cases() -> list[Case]:
    g = seeded(606)

    def case(
        name: str, sizes: tuple[tuple[int, int], ...], pad_id: int, spare: int = 0, low: int = 3
    ) -> Case:
        """``sizes``: words of the input and of the output of each row."""
        N = max(a + b for a, b in sizes) + 1 + spare
        ids = torch.full((len(sizes), N + 1), pad_id)
        for row, (a, b) in zip(ids, sizes, strict=True):
            row[: a + b + 2] = torch.randint(low, low + 6, (a + b + 2,), generator=g)  # words return
            row[a], row[a + b + 1] = 1, 2
        return Case(name, (ids, torch.tensor([a for a, _ in sizes]), pad_id), {"B": len(sizes), "N": N})

    turned = case("rows that are not contiguous", ((2, 2), (1, 4), (3, 1)), 0, spare=1)
    return [
        case("three rows, two of them padded", ((3, 4), (2, 2), (4, 1)), 0),
        case("another id for padding", ((1, 3), (5, 2), (2, 1)), 9),
        case("an id for padding below all words", ((4, 2), (2, 5)), 0, spare=2, low=10),
        case("a row without input", ((0, 3), (2, 2)), 0),
        case("as many rows as positions", ((1, 1), (1, 1), (2, 0)), 0),
        case("an output of `[EOS]` alone", ((3, 0), (1, 2)), 9),
        case("one row", ((3, 5),), 0),
        case("rows of `[BOS]` and `[EOS]`", ((0, 0), (0, 0)), 0),
        Case(turned.name, (not_contiguous(turned.args[0]), *turned.args[1:]), turned.sizes),
    ]


PREFIX_LABELS = Exercise(
    id="06.prefix-labels",
    title="Only the output counts",
    minutes=12,
    difficulty=2,
    statement=prose("""
        Write `prefix_labels(ids, n_input, pad_id)`. Each row of `ids` holds `input [BOS] output [EOS]`, then
        `pad_id` up to its N + 1 places; `n_input` says for each row how many tokens its input has (0 is
        possible). Return two tensors of ids, both (B, N), `inputs, labels`. At place t the model reads
        `inputs[:, t]`, which is token t of the row, and `labels[:, t]` is the token that follows it in the
        row, or -100 where the loss must not count: only the words of the output and its `[EOS]` are counted.
        The input and `[BOS]` are given, so they are no labels; nor is padding.
    """),
    inputs={
        "ids": "whole numbers (B, N + 1)",
        "n_input": "B",
        "pad_id": "one id",
    },
    outputs=(Output("inputs", ("B", "N")), Output("labels", ("B", "N"))),
    reference=prefix_labels,
    cases=cases,
    hints=(
        prose("""
            Take the row 7, 8, BOS, 5, END, with an input of two, and write it twice, the second time one
            place to the left. Below which token of the first row must the first counted label stand? Which
            number has that place?
        """),
        lines("""
            inputs = all but the last column      (B, N)
            labels = all but the first column     (B, N)
            place  = 0 … N - 1
            given  = place < n_input of the row   (B, N)
            return inputs, and labels with -100 where given or padding
        """),
    ),
    misconceptions=misconceptions(WORDS, WAYS),
    insight=prose("""
        The first counted label stands at [BOS]: reading [BOS], the model must say the first word. All that
        comes earlier is read and not asked for.
    """),
    view=View((Output("inputs", ("B", "N")), Output("labels", ("B", "N"))), what_is_read),
    advice=advice(r"""
must match the size|broadcast
    `n_input` has one number for each row, (B,). To be compared with the places (N,) it must be a column
    (B, 1): `n_input[:, None]`.
only integer tensors|__index__|slice indices
    A slice such as `[:n]` needs one number, and `n_input` holds one for each row. Compare places with it,
    `torch.arange(N) < n_input[:, None]`, or go through the rows one by one.
"""),
)
