"""06.strip: which tokens of a row are given, which are predicted, which are ignored, in each family."""

import torch

from course_lib.practice import ideas
from course_lib.practice.chapter_06.strip_ways import SIGNS, WAYS
from course_lib.practice.chapter_06.strip_words import WORDS
from course_lib.practice.inputs import seeded
from course_lib.practice.kinds import Case, Exercise, Output
from course_lib.practice.words import advice, lines, misconceptions, prose


def strip(family, ids, n_input, blank, pad_id):
    place = torch.arange(ids.shape[1])  # (N,)
    predicted = place > n_input[:, None]  # (B, N): what stands behind [BOS]
    if family == "encoder-only":
        predicted = blank
    colours = torch.where(predicted, 2, 1)
    return colours.masked_fill(ids == pad_id, 0)


FAMILIES = ("encoder-only", "decoder-only", "prefix-LM", "encoder-decoder")


def cases() -> list[Case]:
    g = seeded(607)

    def case(name: str, family: str, sizes: tuple[tuple[int, int], ...], pad_id: int, spare: int = 0) -> Case:
        """``sizes``: words of the input and of the output of each row."""
        N = max(a + b for a, b in sizes) + 2 + spare
        ids, blank = torch.full((len(sizes), N), pad_id), torch.zeros(len(sizes), N, dtype=torch.bool)
        for row, hidden, (a, b) in zip(ids, blank, sizes, strict=True):
            row[: a + b + 2] = torch.randint(4, 9, (a + b + 2,), generator=g)
            row[a], row[a + b + 1] = 1, 2
            words = [i for i in range(a + b + 1) if i != a]
            some = torch.randperm(len(words), generator=g)[: 1 + len(words) // 3].tolist() if words else []
            hidden[[words[i] for i in some]] = True
        args = (family, ids, torch.tensor([a for a, _ in sizes]), blank, pad_id)
        return Case(f"{name}, `{family}`", args, {"B": len(sizes), "N": N})

    three = ((3, 4), (2, 2), (4, 1))
    made = [case("three rows, two of them padded", family, three, 0) for family in FAMILIES]
    made += [
        case("another id for padding", family, ((1, 3), (5, 2)), 9, spare=1)
        for family in ("decoder-only", "encoder-only")
    ]
    one = case("one row without input", "prefix-LM", ((0, 3),), 0)
    return [
        *made,
        case("no padding", "encoder-decoder", ((2, 3), (4, 1), (1, 4)), 0),
        one,
        case("one row", "encoder-only", ((2, 3),), 0),
        case("rows without output", "decoder-only", ((1, 0), (2, 0)), 0),
    ]


STRIP = Exercise(
    id="06.strip",
    title="Given, predicted, ignored",
    minutes=10,
    difficulty=2,
    statement=prose("""
        Write `strip(family, ids, n_input, blank, pad_id)`. Each row of `ids` holds `input [BOS] output
        [EOS]`, then padding up to N. `n_input` says for each row how many
        tokens its input has. `blank` is boolean, True on the words that `[MASK]` hides from an encoder-only
        model, anywhere in input and output; `ids` holds the words themselves. Say of each token what it is
        in training: 0 = ignored (padding, `pad_id`), 1 = given, 2 = predicted (it is a label: the model must
        say it). Return these whole numbers (int64), (B, N).

        `"encoder-only"` predicts the words that are blank, and nothing else. `"decoder-only"`, `"prefix-LM"`
        and `"encoder-decoder"` predict, here, the words of the output and `[EOS]`; `blank` means nothing to
        them. Colour the token itself, not the place at which the model says it.
    """),
    inputs={
        "family": "one of the four texts",
        "ids": "B, N",
        "n_input": "B",
        "blank": "B, N",
        "pad_id": "one id",
    },
    outputs=(Output("colours", ("B", "N")),),
    reference=strip,
    cases=cases,
    hints=(
        prose("""
            Take the row 7, 8, BOS, 5, END with an input of two and write three colours below it, once for a
            family that writes and once for an encoder-only model from which 8 is hidden. At which place
            stands [BOS], and which colour has it?
        """),
        lines("""
            place     = 0 … N - 1
            predicted = blank, for encoder-only                       (B, N)
                        place > n_input of the row, for the others    (B, N)
            return 2 where predicted, 1 elsewhere, but 0 on padding
        """),
    ),
    misconceptions=(*misconceptions(WORDS, WAYS, signs=SIGNS), *ideas.squeezed(strip)),
    insight=prose("""
        Three families have the same strip: they predict the same tokens and differ in what they see
        meanwhile. An encoder-only model gets fewer targets from a row than there are words.
    """),
    advice=advice(r"""
must match the size|broadcast
    `n_input` has one number for each row, (B,). To be compared with the places (N,) it must be a column (B,
    1): `n_input[:, None]`.
only integer tensors|__index__|slice indices
    A slice such as `[:n]` needs one number, and `n_input` holds one for each row. Compare places with it,
    `torch.arange(N) > n_input[:, None]`, or go through the rows one by one.
"""),
)
