"""10b.clipped-ratio: the loss of one step of GRPO, without KL."""

import torch

from course_lib.practice.chapter_10b.clipped_ratio_ways import PAIRS, WAYS, WORDS
from course_lib.practice.inputs import not_contiguous, random, seeded
from course_lib.practice.kinds import Case, Exercise, Output
from course_lib.practice.words import advice, lines, misconceptions, prose


def clipped_loss(new, old, advantages, answer, clip):
    ratio = (new - old).exp()  # (B, T)
    A = advantages[:, None]  # (B, 1)
    gain = torch.minimum(ratio * A, ratio.clamp(1 - clip, 1 + clip) * A)
    each = (gain * answer).sum(dim=1) / answer.sum(dim=1)  # (B,): the mean over its own tokens
    return -each.mean()


def cases() -> list[Case]:
    g = seeded(1004)

    def case(
        name: str, lengths: list[int], clip: float, far: float = 0.4, prompt: int = 1, spare: int = 1
    ) -> Case:
        """``lengths``: tokens in each answer; ``far``: how far the new log-probabilities are from the old."""
        B, T = len(lengths), prompt + max(lengths) + spare
        place = torch.arange(T)
        answer = torch.stack([(place >= prompt) & (place < prompt + n) for n in lengths])
        old = -(random(g, B, T).abs() + 0.3)
        new = old + far * random(g, B, T)
        advantages = (0.5 + random(g, B).abs()) * (-1.0) ** torch.arange(B)
        return Case(name, (new, old, advantages, answer, clip), {"B": B, "T": T})

    turned = case("log-probabilities that are not contiguous", [4, 2, 3], 0.2)
    new, old, advantages, answer, clip = turned.args
    return [
        case("four answers of unlike length", [5, 2, 7, 3], 0.2),
        case("a narrow clip", [3, 6, 4], 0.05),
        case("a policy that has gone far", [4, 6], 0.3, far=1.0),
        case("one answer", [5], 0.2, far=0.6),
        case("answers of one token", [1, 1, 1, 1], 0.2, far=0.6, prompt=0, spare=0),
        case("no prompt, no padding", [4, 4, 4], 0.1, prompt=0, spare=0),
        case("as many answers as places", [2, 3, 1, 2, 3], 0.2),
        Case(
            turned.name,
            (not_contiguous(new), not_contiguous(old), advantages, not_contiguous(answer), clip),
            turned.sizes,
        ),
    ]


CLIPPED_RATIO = Exercise(
    id="10b.clipped-ratio",
    title="A step with the clip",
    minutes=12,
    difficulty=3,
    statement=prose("""
        Write `clipped_loss(new, old, advantages, answer, clip)`, GRPO's loss without KL. `new`, `old` (B, T)
        are log-probabilities of the same tokens: now, and when they were written. `advantages` (B,) belong to
        the answers; `answer` (B, T) is True at an answer's tokens, one at least in each row; `clip` is ε.

        Each *token* has a ratio ρ, its probability now divided by that then. With its answer's advantage A it
        gains min(ρ A, clip(ρ, 1 - ε, 1 + ε) A). Return one number: minus the mean over the answers of the
        mean over each answer's own tokens.

        Example: one answer, ratios 1.1, 0.9, 1.5, A = 1, ε = 0.2: gains 1.1, 0.9, 1.2, loss -1.067.
    """),
    inputs={"new": "B, T", "old": "B, T", "advantages": "B", "answer": "B, T", "clip": "a number"},
    outputs=(Output("loss", ()),),
    reference=clipped_loss,
    cases=cases,
    hints=(
        prose("""
            A quotient of probabilities is `exp` of a difference of log-probabilities. With A = -1 and a ratio
            of 1.5, which of -1.5 and -1.2 is the smaller one? And what is divided by how many, in a row that
            has padding?
        """),
        lines("""
            ratio = exp(new - old)                                      (B, T)
            A     = advantages with an axis for the tokens              (B, 1)
            gain  = the smaller of ratio · A and clamped ratio · A      (B, T)
            each  = sum of gain where answer / number of its tokens     (B,)
            return minus the mean of each
        """),
    ),
    misconceptions=misconceptions(WORDS, WAYS),
    pairs=PAIRS,
    insight=prose("""
        In the first step `new` equals `old`: all ratios are 1, the loss is minus the mean advantage, 0 in
        every group, and its gradient is not 0. So the loss of GRPO says nothing about progress; the reward
        does.
    """),
    advice=advice(r"""
must match the size|broadcast
    There is one advantage for each answer, (B,), and a ratio for each token, (B, T): `advantages[:, None]` is
    (B, 1).
must be Tensor
    `torch.minimum` compares two tensors; `clamp` takes numbers.
Boolean value of Tensor
    Python's `min` compares two single numbers. For tensors there is `torch.minimum`.
"""),
)
