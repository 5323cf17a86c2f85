"""10b.advantages: how much better each answer did than the other answers to its prompt."""

import torch

from course_lib.practice import ideas
from course_lib.practice.chapter_10b.advantages_ways import ANY_SHAPE, EVERYWHERE, PAIRS, SIGNS, WAYS
from course_lib.practice.chapter_10b.advantages_words import WORDS
from course_lib.practice.inputs import not_contiguous, random, seeded
from course_lib.practice.kinds import Case, Exercise, Output
from course_lib.practice.words import advice, lines, misconceptions, prose


def advantages(rewards):
    above = rewards - rewards.mean(dim=1, keepdim=True)  # (P, G)
    std = rewards.std(dim=1, keepdim=True)  # (P, 1)
    equal = rewards.amax(dim=1, keepdim=True) == rewards.amin(dim=1, keepdim=True)
    return torch.where(equal, 0.0, above / std)


def spread_out(g: torch.Generator, P: int, G: int, low: float = 0.0) -> torch.Tensor:
    """Rewards whose groups have other means and other standard deviations, from 0.5 on."""
    x = random(g, P, G)
    x = x - x.mean(1, keepdim=True)
    std = 0.5 + torch.rand(P, 1, generator=g)
    return low + x / x.std(1, keepdim=True) * std + 2 * random(g, P, 1)


def cases() -> list[Case]:
    g = seeded(1003)

    def case(name: str, rewards: torch.Tensor) -> Case:
        return Case(name, (rewards,), {"P": rewards.shape[0], "G": rewards.shape[1]})

    equal = spread_out(g, 4, 4)
    equal[0], equal[2], equal[3] = 1.0, 0.0, -2.5  # all as good, or all as bad
    exact = torch.tensor([[1.0, 0, 0, 1, 0], [1, 1, 1, 0, 1], [0, 0, 0, 0, 1]])
    # 1e-4 beside the standard deviation stays within the tolerance, 1e-5 under the root does not.
    close = torch.tensor([[0.50, 0.56], [0.97, 0.91], [-0.25, -0.19]])
    # Seven of these have a mean that is rounded, in whatever order they are added; and they are so small that
    # 1e-6 is still far above the rounding.
    rounded = spread_out(g, 4, 7)
    rounded[1:] = torch.tensor([0.001125, 0.001404, 0.001915])[:, None]
    return [
        case("groups of unlike rewards", spread_out(g, 3, 5)),
        case("rewards of 0 and 1", exact),
        case("three groups of equal rewards", equal),
        case("one prompt", spread_out(g, 1, 4)),
        case("two answers to each prompt", spread_out(g, 4, 2)),
        case("rewards far above 0", spread_out(g, 2, 6, low=20.0)),
        case("one prompt, equal rewards", torch.full((1, 3), 1.0)),
        case("rewards that are not contiguous", not_contiguous(spread_out(g, 3, 4))),
        case("rewards that lie close together", close),
        case("equal rewards whose mean is rounded", rounded),
        case("one prompt, equal rewards whose mean is rounded", torch.full((1, 7), 0.00152)),
    ]


ADVANTAGES = Exercise(
    id="10b.advantages",
    title="Better than the group",
    minutes=8,
    difficulty=2,
    statement=prose("""
        Write `advantages(rewards)`. Each row of `rewards` (P, G) is a group: the rewards of G answers, 2 or
        more, to one of P prompts. Return the advantages, (P, G): each reward minus the mean of its group,
        divided by the standard deviation of its group. That is the sample's, with G - 1, as `std` of torch
        computes it; a number up to 1e-4 may be added to it. If the rewards of a group are equal, its
        advantages are 0, even where their mean in floats is not exact.

        Example: the rewards 1, 0, 0, 1 have the mean 0.5 and the standard deviation 0.577; the advantages are
        0.866, -0.866, -0.866, 0.866.
    """),
    inputs={"rewards": "P, G"},
    outputs=(Output("advantages", ("P", "G")),),
    reference=advantages,
    cases=cases,
    hints=(
        prose("""
            Which axis runs over the answers to one prompt? A mean over it takes it away: with
            `keepdim=True` it stays and can be subtracted. What is the standard deviation of equal
            rewards, and what is 0 / 0? And if their mean is rounded, is it 0 still?
        """),
        lines("""
            mean = mean of each row                          (P, 1)
            std  = standard deviation of each row            (P, 1)
            return (rewards - mean) / std, and 0 where all rewards of the row are equal
        """),
    ),
    misconceptions=(
        *misconceptions(WORDS, WAYS, None, SIGNS, EVERYWHERE, ANY_SHAPE),
        *ideas.squeezed(advantages),
    ),
    pairs=PAIRS,
    insight=prose("""
        Rewards of 0 and 1, of -1 and 1, of 5 and 9: the advantages are the same. And a prompt to which all
        answers are right, or all wrong, teaches nothing: nobody did better than the others.
    """),
    tolerance=1e-3,
    advice=advice(r"""
must match the size|broadcast
    A mean or a standard deviation over axis 1 takes this axis away, and (P,) does not lie beside (P, G). With
    `keepdim=True` it is (P, 1).
must be either a floating
    Whole numbers have no mean: `rewards.float()`.
Boolean value of Tensor
    There are P standard deviations, one for each row. `torch.where` chooses for each of them.
"""),
)
