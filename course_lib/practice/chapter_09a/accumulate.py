"""09a.accumulate: a batch that does not fit into memory, in pieces of unequal length."""

import torch

from course_lib.practice import ideas
from course_lib.practice.chapter_09a.accumulate_ways import PAIRS, WAYS, WORDS
from course_lib.practice.inputs import not_contiguous, random, seeded
from course_lib.practice.kinds import Case, Exercise, Output
from course_lib.practice.words import advice, lines, misconceptions, prose


def accumulate(losses, gradients, counts):
    share = counts / counts.sum()  # (P,): of all tokens of the batch
    loss = (share * losses).sum()
    gradient = (share[:, None] * gradients).sum(dim=0)  # (D,)
    return loss, gradient


def cases() -> list[Case]:
    g = seeded(903)

    def case(name: str, counts: list[int], D: int) -> Case:
        P = len(counts)
        args = (2 + random(g, P).abs(), random(g, P, D), torch.tensor(counts))
        return Case(name, args, {"P": P, "D": D})

    turned = case("gradients that are not contiguous", [6, 2, 9], 4)
    losses, gradients, counts = turned.args
    return [
        case("three pieces of 10, 40 and 5 tokens", [10, 40, 5], 4),
        case("two pieces", [3, 8], 5),
        case("pieces of one length", [16, 16, 16, 16], 3),
        case("a piece of one token", [1, 63], 2),
        case("one piece", [12], 3),
        case("one parameter", [7, 2, 4], 1),
        case("as many pieces as parameters", [2, 9, 5, 30], 4),
        Case(turned.name, (losses, not_contiguous(gradients), counts), turned.sizes),
    ]


ACCUMULATE = Exercise(
    id="09a.accumulate",
    title="A large batch in pieces",
    minutes=8,
    difficulty=2,
    statement=prose("""
        Write `accumulate(losses, gradients, counts)`. A batch is too large for the memory, so it goes through
        the model in P pieces, and the parameters are moved once, at the end. `losses` (P,) holds the mean
        loss of each piece over its own tokens, `gradients` (P, D) the gradient of this mean loss for D
        parameters, and `counts` (P,), whole numbers of 1 or more, how many tokens were counted in each piece.

        Return `loss, gradient`: the mean loss over all tokens of the batch, one number, and the gradient of
        this mean for the D parameters, (D,): what the whole batch at once would have given. Every token
        counts alike, in whatever piece it stands.
    """),
    inputs={"losses": "P", "gradients": "P, D", "counts": "P"},
    outputs=(Output("loss", ()), Output("gradient", ("D",))),
    reference=accumulate,
    cases=cases,
    hints=(
        prose("""
            A piece of 10 tokens has the mean loss 3, a piece of 30 tokens the mean loss 1. What is the sum of
            the losses of all 40 tokens, and their mean? A gradient of a mean is a mean of gradients: the same
            numbers weigh them.
        """),
        lines("""
            share    = counts divided by the number of all tokens     (P,)
            loss     = the sum of share times losses
            gradient = for each parameter: the sum of share times its gradients
            return loss, gradient
        """),
    ),
    misconceptions=(*misconceptions(WORDS, WAYS), *ideas.other_order(accumulate, "loss", "gradient")),
    pairs=PAIRS,
    insight=prose("""
        In a loop: `loss_sum / all_tokens` for each piece, `backward()` for each, `zero_grad()` and `step()`
        once. That the result equals the whole batch can be tested, for any way to cut it.
    """),
    advice=advice(r"""
must match the size|broadcast|size of tensor
    There are P numbers for the pieces, and P rows of D: `share[:, None]`, (P, 1), goes beside (P, D).
mat1 and mat2|vector|expected m1|same dtype|Long but|Float but|expected scalar type
    `counts` holds whole numbers: a product with `@` wants both in floats, `counts.float()`.
must be either a floating
    `counts` holds whole numbers, which have no mean: `counts.float()`.
"""),
)
