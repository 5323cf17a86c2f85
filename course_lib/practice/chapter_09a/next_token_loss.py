"""09a.next-token-loss: the mean loss of the next tokens, padding left out."""

import torch

from course_lib.practice.chapter_09a.next_token_loss_ways import PAIRS, WAYS
from course_lib.practice.chapter_09a.next_token_loss_words import WORDS
from course_lib.practice.inputs import not_contiguous, random, seeded
from course_lib.practice.kinds import Case, Exercise, Output
from course_lib.practice.words import advice, lines, misconceptions, prose


def next_token_loss(logits, ids, pad_id):
    targets = ids[:, 1:]  # (B, T): what stands one place on
    log_p = torch.log_softmax(logits, dim=-1)  # (B, T, V)
    nll = -log_p.gather(-1, targets[..., None])[..., 0]  # (B, T)
    counted = targets != pad_id  # (B, T)
    return nll[counted].sum() / counted.sum()


def cases() -> list[Case]:
    g = seeded(902)

    def case(name: str, lengths: list[int], V: int, pad_id: int, spare: int = 0) -> Case:
        """``lengths``: tokens in each row, 1 or more; the rest of the row is padding."""
        B, T = len(lengths), max(lengths) - 1 + spare
        ids = torch.randint(0, V, (B, T + 1), generator=g)
        ids = torch.where(ids == pad_id, (pad_id + 1) % V, ids)
        for row, n in zip(ids, lengths, strict=True):
            row[n:] = pad_id
        return Case(name, (2 * random(g, B, T, V), ids, pad_id), {"B": B, "T": T, "V": V})

    turned = case("scores that are not contiguous", [4, 3], 6, 5)
    logits, ids, pad_id = turned.args
    one_word = (random(g, 2, 3, 1), torch.zeros(2, 4, dtype=torch.long), 9)
    return [
        case("three rows, two of them padded", [6, 3, 4], 7, 0),
        case("no padding", [5, 5], 9, 0),
        case("padding with the last id", [3, 7, 2, 5], 6, 5),
        case("the id 0 as a word, padding in the middle of the ids", [5, 4], 5, 3, spare=2),
        case("a row of one token and padding", [1, 5, 2], 4, 2),
        case("one row", [6], 8, 1, spare=1),
        case("one target in each row", [2, 2, 2, 2], 5, 4),
        case("as many rows as places and words", [5, 2, 3, 4], 4, 3),
        Case("a vocabulary of one word", one_word, {"B": 2, "T": 3, "V": 1}),
        Case(turned.name, (not_contiguous(logits, 1, 2), not_contiguous(ids), pad_id), turned.sizes),
    ]


NEXT_TOKEN_LOSS = Exercise(
    id="09a.next-token-loss",
    title="The loss of the next token",
    minutes=10,
    difficulty=2,
    statement=prose("""
        Write `next_token_loss(logits, ids, pad_id)`. `ids` (B, T + 1) are the tokens of B texts, filled up at
        the end of each row with `pad_id`. A model has read the first T tokens of each row, `ids[:, :-1]`, and
        `logits` (B, T, V) are its scores for each of V tokens at each of these T places, before the softmax.
        The scores at a place speak of the token that stands next in the row.

        Return one number, in nats: the mean of minus the natural logarithm of the probability that the model
        gives to the token that stands next, over all places of the batch at which this next token is not
        padding. All these tokens count alike, whatever their row. A row may have none; the batch has at least
        one. Padding has one of the V ids, any of them; the id 0 may be a word like any other.
    """),
    inputs={"logits": "B, T, V", "ids": "(B, T + 1)", "pad_id": "one id"},
    outputs=(Output("loss", ()),),
    reference=next_token_loss,
    cases=cases,
    hints=(
        prose("""
            `logits[:, 0]` was computed from the first token of each row. Which column of `ids` does it speak
            of? So how many columns are targets, and which is none?
        """),
        lines("""
            targets = ids without the first column             (B, T)
            nll     = minus log_softmax over the V tokens,
                      looked up at the targets                 (B, T)
            counted = targets that are not pad_id              (B, T)
            return the sum of nll where counted, divided by how many are counted
        """),
    ),
    misconceptions=misconceptions(WORDS, WAYS),
    pairs=PAIRS,
    insight=prose("""
        The shift stands in one line, once. If the data are shifted already, as packed blocks are, this line
        must go: two shifts ask for the token after the next one, and the loss stays high for no visible
        reason.
    """),
    advice=advice(r"""
Expected input batch_size|must match the size|same number of dim|Expected target size|Size does not
    `ids` has one column more than `logits` has places: the first token of a row is never asked for. The
    targets are `ids[:, 1:]`, (B, T). And `cross_entropy` wants (B · T, V) beside (B · T,), or the V scores on
    axis 1.
out of bounds|out of range
    An id of a token is looked up among V scores. Is something else looked up, as -100?
Index tensor must have
    `gather` wants an index with as many axes as the table: `targets[..., None]`.
"""),
)
