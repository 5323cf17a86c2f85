"""10b.bradley-terry: the loss of a reward model, from the rewards of two answers to each prompt."""

import torch

from course_lib.practice.chapter_10b.bradley_terry_ways import PAIRS, SIGNS, WAYS, WORDS
from course_lib.practice.inputs import random, seeded
from course_lib.practice.kinds import Case, Exercise, Output
from course_lib.practice.words import advice, lines, misconceptions, prose


def preference_loss(chosen, rejected):
    margin = chosen - rejected  # (B,)
    return -torch.nn.functional.logsigmoid(margin).mean()


def cases() -> list[Case]:
    g = seeded(1001)

    def case(name: str, B: int, size: float = 1.0, above: float = 0.0) -> Case:
        """``above``: how far the mean of the chosen rewards is above that of the rejected ones."""
        return Case(name, (0.4 + above + size * random(g, B), 0.4 + size * random(g, B)), {"B": B})

    far = case("rewards that differ by 200", 4)
    low = torch.tensor([-200.0, 150.0, 0.0, -95.0])
    return [
        case("five pairs", 5),
        case("one pair", 1),
        case("two pairs", 2, 2.0),
        case("pairs that are told apart", 6, 0.5, above=2.0),
        case("pairs that are told apart the wrong way", 3, 0.5, above=-2.0),
        Case(far.name, (far.args[0] + low, far.args[1]), far.sizes, large=True),
    ]


BRADLEY_TERRY = Exercise(
    id="10b.bradley-terry",
    title="The loss of a reward model",
    minutes=6,
    difficulty=1,
    statement=prose("""
        Write `preference_loss(chosen, rejected)`. `chosen` (B,) are a reward model's numbers for the
        preferred answers of B pairs, `rejected` (B,) those for the others, pair by pair. After Bradley and
        Terry the chosen answer is preferred with the probability σ(chosen - rejected), where σ(x) =
        1 / (1 + e^(-x)).

        Return one number: the mean over the pairs of minus the natural logarithm of this probability. It must
        be right and finite where rewards differ by 200, too.

        Example: chosen 2 and 0, rejected 1 and 0. The probabilities are 0.731 and 0.5, so the loss is
        (0.313 + 0.693) / 2 = 0.503.
    """),
    inputs={"chosen": "B", "rejected": "B"},
    outputs=(Output("loss", ()),),
    reference=preference_loss,
    cases=cases,
    hints=(
        prose("""
            Only the difference of two rewards counts. For a difference of -200 the sigmoid is 0 in float32,
            and the logarithm of 0 is infinite: which function of torch takes both in one step?
        """),
        lines("""
            margin = chosen minus rejected            (B,)
            loss   = minus logsigmoid of margin       (B,)
            return the mean of loss
        """),
    ),
    misconceptions=misconceptions(WORDS, WAYS, signs=SIGNS),
    pairs=PAIRS,
    insight=prose("""
        Add 5 to all rewards, and the loss stays: a reward model learns differences, so a reward alone says
        nothing. Two equal rewards cost ln 2 = 0.693, the loss of a model that knows nothing yet.
    """),
    advice=advice(r"""
must be Tensor, not
    `torch` functions want a tensor. Has a mean or `.item()` been taken too early?
logsigmoid
    `logsigmoid` stands in `torch.nn.functional`: `torch.nn.functional.logsigmoid(margin)`.
math range error|OverflowError
    e to the power of 200 is large. `torch.nn.functional.logsigmoid` has no such limit.
math domain error
    The sigmoid of a number far below 0 is 0, and 0 has no logarithm. `torch.nn.functional.logsigmoid` takes
    both in one step.
"""),
)
