"""10a.answer-loss: the loss of what is trained, and of nothing else."""

import torch

from course_lib.practice.chapter_10a.answer_loss_ways import PAIRS, WAYS
from course_lib.practice.chapter_10a.answer_loss_words import WORDS
from course_lib.practice.inputs import not_contiguous, random, seeded
from course_lib.practice.kinds import Case, Exercise, Output
from course_lib.practice.words import advice, lines, misconceptions, prose


def answer_loss(logits, targets, trained):
    logp = torch.log_softmax(logits, dim=-1)  # (B, T, V)
    nll = -logp.gather(-1, targets[..., None])[..., 0]  # (B, T)
    total = nll[trained].sum()
    return total / trained.sum().clamp(min=1)  # without any trained target 0 / 1, not 0 / 0


def cases() -> list[Case]:
    g = seeded(1021)

    def case(name: str, marks: list[str], V: int) -> Case:
        """``marks``: a sign for each place of a row: x trained, - given, . padding."""
        T = max(map(len, marks))
        rows = [row.ljust(T, ".") for row in marks]
        trained = torch.tensor([[sign == "x" for sign in row] for row in rows])
        targets = torch.randint(0, V, trained.shape, generator=g)
        if V > 1:
            first = trained.nonzero()
            if len(first):  # the id 0 is a word that is trained, too
                targets[tuple(first[-1])] = 0
        padding = torch.tensor([[sign == "." for sign in row] for row in rows])
        targets = targets.masked_fill(padding, V - 1)
        return Case(name, (2 * random(g, *trained.shape, V), targets, trained), sizes(trained, V))

    def sizes(trained, V):
        return {"B": len(trained), "T": trained.shape[1], "V": V}

    turned = case("scores that are not contiguous", ["--xx", "---xx", "-x"], 6)
    logits, targets, trained = turned.args
    return [
        case("three rows with answers of unequal length", ["--xx", "---xxxx", "-x"], 6),
        case("a row without an answer", ["--xxx", "-----", "---x"], 7),
        case("nothing that is trained", ["----", "-----"], 6),
        case("everything trained", ["xxxx", "xxxx", "xxxx"], 9),
        case("two answers in a row", ["--xx--xxx-", "-xx--"], 5),
        case("one row", ["---xx-"], 8),
        case("one trained target", ["------", "---x--", "----"], 5),
        case("one place", ["x", "-", "x", "x"], 3),
        case("as many rows as places and words", ["--xx", "-x", "-xxx", "---x"], 4),
        case("a vocabulary of one word", ["--x", "-xx"], 1),
        Case(turned.name, (not_contiguous(logits, 1, 2), targets, not_contiguous(trained)), turned.sizes),
    ]


ANSWER_LOSS = Exercise(
    id="10a.answer-loss",
    title="The loss on the answers only",
    minutes=10,
    difficulty=2,
    statement=prose("""
        Write `answer_loss(logits, targets, trained)`. `logits` (B, T, V) are a model's scores, before the
        softmax; `targets` (B, T) are the ids that stand next, shifted already; `trained` (B, T) is boolean:
        True where the target belongs to an answer. Elsewhere stand ids as well, of prompts and of padding;
        they must have no effect. Any id, 0 too, may be trained.

        Return one number: the mean of minus the natural logarithm of the target's probability, over all
        trained targets of the batch, which count alike. With losses 1 and 2 trained in one row and 6 in
        another the answer is 9 / 3 = 3. Some batches have no trained target: return 0 for them, not NaN.
    """),
    inputs={"logits": "B, T, V", "targets": "B, T", "trained": "B, T"},
    outputs=(Output("loss", ()),),
    reference=answer_loss,
    cases=cases,
    hints=(
        prose("""
            One loss for each place first, (B, T). Which of them are added up, and by which number is the sum
            divided? What is that number where nothing is trained?
        """),
        lines("""
            nll   = minus log_softmax over the V tokens,
                    looked up at the targets                    (B, T)
            total = sum of nll where trained
            n     = how many are trained, and 1 if there are none
            return total / n
        """),
    ),
    misconceptions=misconceptions(WORDS, WAYS),
    pairs=PAIRS,
    insight=prose("""
        The number below the line is part of the step: with all places below it a long prompt makes the
        gradient of its answer smaller. And one NaN, of one batch without an answer, spoils every weight.
    """),
    advice=advice(r"""
Expected input batch_size|Expected target size|expected scalar type|must match the size|Size does not
    `cross_entropy` wants (B · T, V) beside (B · T,), or the V scores on axis 1: `logits.transpose(1, 2)`.
    Nothing is shifted here, so `targets` lies beside `logits`, place by place.
out of bounds|out of range
    An id of a token is looked up among V scores. Is something else looked up, as -100?
Index tensor must have
    `gather` wants an index with as many axes as the table: `targets[..., None]`.
Boolean value of Tensor
    A comparison of a whole tensor gives a tensor. For one answer: `trained.any()`.
"""),
)
