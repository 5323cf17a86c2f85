"""08.mlm-loss: the loss of the hidden words, and how many of them are right."""

import torch

from course_lib.practice.chapter_08.mlm_loss_ways import PAIRS, WAYS
from course_lib.practice.chapter_08.mlm_loss_words import TOLD
from course_lib.practice.inputs import not_contiguous, random, seeded
from course_lib.practice.kinds import Case, Exercise, Output
from course_lib.practice.words import advice, lines, misconceptions, prose


def mlm_loss(logits, labels):
    counted = labels != -100  # (B, T)
    some, right = logits[counted], labels[counted]  # (n, V), (n,): n labels that count
    log_p = torch.log_softmax(some, dim=-1)  # (n, V)
    loss = -log_p[torch.arange(len(right)), right].mean()
    return loss, (some.argmax(dim=-1) == right).float().mean()


def cases() -> list[Case]:
    g = seeded(804)

    def case(name: str, labels: list[list[int]], V: int, hits: float = 0.5) -> Case:
        """``hits``: for about so many of the places with a label the right word has the highest score."""
        ids = torch.tensor(labels)
        B, T = ids.shape
        logits = 2 * random(g, B, T, V)
        lucky = (ids >= 0) & (torch.rand(B, T, generator=g) < hits)
        best = logits.amax(-1) + 0.5
        for b, t in lucky.nonzero().tolist():
            logits[b, t, ids[b, t]] = best[b, t]
        return Case(name, (logits, ids), {"B": B, "T": T, "V": V})

    no = -100
    three = [[no, no, 3, no, no], [1, 0, 4, no, no], [2, 5, no, 1, 0]]
    turned = case("scores that are not contiguous", [[no, 2, 1], [0, no, no]], 4)
    logits, labels = turned.args
    return [
        case("rows with one, three and four labels", three, 6),
        case("a row without labels", [[no] * 4, [2, no, no, 4]], 5),
        case("labels that are all 0", [[0, no, 0], [no, no, 0]], 4),
        case("a label at every place", [[3, 1, 0, 2], [1, 1, 2, 0]], 5),
        case("one label in all", [[no, no, no, no], [no, no, 1, no], [no, no, no, no]], 7, hits=0.0),
        case("every label right", [[no, 2, 0, no, 1]], 3, hits=1.0),
        case("as many places as words", [[no, 3, no, 0, 1], [4, no, no, no, 2]], 5),
        case("rows of one place", [[1], [no], [0], [3]], 5),
        case("a vocabulary of one word", [[0, no], [no, 0]], 1),
        Case(turned.name, (not_contiguous(logits, 1, 2), not_contiguous(labels)), turned.sizes),
    ]


MLM_LOSS = Exercise(
    id="08.mlm-loss",
    title="Loss and accuracy of the hidden words",
    minutes=10,
    difficulty=2,
    statement=prose("""
        Write `mlm_loss(logits, labels)`. `logits` (B, T, V) are a model's scores for each of V words at each
        place, before the softmax. `labels` (B, T) holds the id of the word that must be said where a word was
        chosen, and -100 elsewhere. Return two numbers, `loss, right`, over all places of the batch with a
        label: `loss` is the mean of minus the natural logarithm of the probability that the model gives to
        the right word; `right` is the share of these places, from 0 to 1, at which the right word has the
        highest score. Python numbers or tensors of one number, both are fine.

        Places with -100 count in neither. A row may have no label; the batch has at least one. The id 0 is a
        word like any other. No two scores of a place are equal.
    """),
    inputs={"logits": "B, T, V", "labels": "B, T"},
    outputs=(Output("loss", ()), Output("right", ())),
    reference=mlm_loss,
    cases=cases,
    hints=(
        prose("""
            `logits[where]` and `labels[where]`, with one mask (B, T) of the places that count, leave a table
            with one row for each label. What must be done to each row before the right word's entry is looked
            up? And by how many do you divide?
        """),
        lines("""
            counted = places whose label is not -100           (B, T), n of them
            keep the scores and the labels of these            (n, V), (n,)
            log_p = log_softmax over the words                 (n, V)
            loss  = minus the mean of log_p at the labels
            right = the mean of: argmax over the words = label
            return loss, right
        """),
    ),
    misconceptions=misconceptions(TOLD, WAYS),
    pairs=PAIRS,
    insight=prose("""
        Look at both numbers. A loss alone can fall for a wrong reason, for instance when fewer labels count
        than you think; then the share of right words tells you.
    """),
    advice=advice(r"""
Target -?\d+ is out of bounds|out of bounds|out of range
    -100 is no word, so nothing can be looked up with it. Choose first, `counted = labels != -100`, then
    `logits[counted]` and `labels[counted]`. (`cross_entropy` leaves out what its `ignore_index` says, and
    without it -100.)
Expected target size|Expected input batch_size|expected .*target
    `cross_entropy` wants the words on axis 1. Flatten both: logits to (B · T, V), labels to (B · T,).
non-negative|Index tensor|same number of dimensions
    `gather` wants an index with as many axes as the table, and no -100 in it: choose the places that count
    first, then `labels[:, None]`.
can only be performed|not implemented for 'Bool'|could not infer output dtype|must be either a floating
    `mean` needs numbers with fractions: `.float()` makes 1.0 and 0.0 of True and False.
"""),
)
