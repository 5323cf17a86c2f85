"""One example under all four families: what is read, what counts in the loss, which word is expected next.

It is what the live view FamilySwitcher shows: all of it is computed here, so that the view needs no model.
"""

import random
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from course_lib.families import FAMILIES
from course_lib.models import evaluating
from course_lib.models.transformer import OneStack, Transformer
from course_lib.tasks.families.examples import (
    FILL_ID,
    FRENCH_ID,
    MASK_ID,
    TELL_ID,
    WORDS,
    Example,
    blanks,
    output_labels,
    rows,
)
from course_lib.tasks.families.wiring import row_logits
from course_lib.text.batching import pad
from course_lib.text.tokenizers import BOS_ID, EOS_ID
from course_lib.training.objectives import IGNORE

# Held-out sentences, the shortest first, sorted by whose likeliest word is once not the true one (after the
# true words before it); of each kind the first: only the decoder-only model errs; none of the three that
# write; only the prefix-LM; all three.
SHOWN = (
    ("max has a green coat .", "max a un manteau vert ."),
    ("oscar has a blue key .", "oscar a une clé bleue ."),
    ("max has a pretty brown basket .", "max a un joli panier marron ."),
    ("anna has some brown flowers .", "anna a des fleurs marron ."),
)


class Expected(NamedTuple):
    """What a model expects at one place."""

    words: tuple[str, ...]  # the likeliest first
    probabilities: tuple[float, ...]  # of these words
    truth: str  # the word that stands there
    probability: float  # of the truth
    rank: int  # of the truth: 1 is the likeliest


class Switch(NamedTuple):
    """One example under every family. Places count in `tokens`."""

    job: str
    input: tuple[str, ...]
    output: tuple[str, ...]
    reads: dict[str, tuple[str | None, ...]]  # family -> what stands at each place; None: not read there
    counted: dict[str, tuple[int, ...]]  # family -> places whose token counts in the loss
    expected: dict[str, tuple[Expected | None, ...]]  # family -> after 0, 1, … words of the output

    @property
    def tokens(self) -> tuple[str, ...]:
        """`input [BOS] output [EOS]`."""
        return (*self.input, WORDS.tokens[BOS_ID], *self.output, WORDS.tokens[EOS_ID])


def switches(
    models: Mapping[str, OneStack | Transformer], chosen: Sequence[Example], top: int = 6
) -> list[Switch]:
    """Examples as all four families have them, with what trained models expect after each beginning.

    Args:
        models: family -> trained model; all four families.
        chosen: examples of any job.
        top: how many of the likeliest words are kept.

    Raises:
        ValueError: a family without a model, no example, or `top` outside 1 to the vocabulary.
    """
    if set(models) != set(FAMILIES):
        raise ValueError(f"models has {sorted(models)}, expected one for each of {sorted(FAMILIES)}")
    if not chosen:
        raise ValueError("chosen is empty, expected at least one example")
    if not 1 <= top <= len(WORDS):
        raise ValueError(f"top is {top}, expected 1 to {len(WORDS)}: words of the vocabulary")
    return [_switch(models, one, top) for one in chosen]


def _switch(models: Mapping[str, OneStack | Transformer], one: Example, top: int) -> Switch:
    whole = [*one.input, BOS_ID, *one.output, EOS_ID]
    reads, counted, expected = {}, {}, {}
    for family in FAMILIES:
        ids, places = _row(one, family)
        reads[family] = tuple([*(WORDS.tokens[i] for i in ids), *[None] * (len(whole) - len(ids))])
        counted[family] = tuple(places)
        expected[family] = _expected(models[family], family, one, top)
    texts = ([WORDS.tokens[i] for i in ids] for ids in (one.input, one.output))
    return Switch(one.job, *map(tuple, texts), reads, counted, expected)


def _row(one: Example, family: str) -> tuple[list[int], list[int]]:
    """What a family reads in training, and the places whose token counts."""
    if family == "encoder-only":
        ids, labels = (t[0].tolist() for t in blanks([one], random.Random(f"blanks {one}")))
        return ids, [i for i, label in enumerate(labels) if label != IGNORE]
    inputs, labels = (t[0].tolist() for t in output_labels(*rows([one])))
    return inputs, [i + 1 for i, label in enumerate(labels) if label != IGNORE]  # a label is the next token


def _expected(
    model: OneStack | Transformer, family: str, one: Example, top: int
) -> tuple[Expected | None, ...]:
    """After 0, 1, … words of the output. A blank that the input has itself is filled where it stands."""
    with evaluating(model):
        found = after_each(model, family, one).softmax(-1).numpy()  # (T + 1, V)
    truths = [*one.output, EOS_ID]
    best = [_best(row, truth, top) for row, truth in zip(found, truths, strict=False)]
    return (*best, *[None] * (len(truths) - len(best)))


def after_each(model: OneStack | Transformer, family: str, one: Example) -> Tensor:
    """Scores of the next word after 0, 1, … T words of the output, `(T + 1, V)`: as `under_family`, at once.

    A causal mask makes it possible: what is said after n words does not depend on those that follow. An
    encoder-only model gets each beginning as a row of its own, with `[MASK]` behind; and where the input has
    a blank itself, that one alone is filled: `(1, V)`.
    """
    begun = [BOS_ID, *one.output]
    if family == "encoder-decoder":
        return model(torch.tensor([one.input]), torch.tensor([begun]))[0][0]
    if family != "encoder-only":
        ids = torch.tensor([[*one.input, *begun]])
        return row_logits(model, ids, torch.tensor([len(one.input)]), family)[0, len(one.input) :]
    if MASK_ID in one.input:
        beginnings = [list(one.input)]
    else:
        beginnings = [[*one.input, *begun[: n + 1], MASK_ID] for n in range(len(begun))]
    ids = pad(beginnings)  # (T + 1, N)
    logits = row_logits(model, ids, torch.full((len(ids),), len(one.input)), family)  # (T + 1, N, V)
    return logits[ids == MASK_ID]  # one blank in each row


def _best(probabilities: np.ndarray, truth: int, top: int) -> Expected:
    order = (-probabilities).argsort(kind="stable").tolist()
    return Expected(
        tuple(WORDS.tokens[i] for i in order[:top]),
        tuple(float(probabilities[i]) for i in order[:top]),
        WORDS.tokens[truth],
        float(probabilities[truth]),
        order.index(truth) + 1,
    )


def shown_examples() -> list[Example]:
    """Six examples that no family was trained on: the sentences of SHOWN, and the first one as other jobs."""
    pairs = [[WORDS.encode(text) for text in pair] for pair in SHOWN]
    translations = [Example("translate", [FRENCH_ID, *english], french) for english, french in pairs]
    sentence, place = pairs[0][0], -2  # the last word but the full stop
    blanked = [*sentence[:place], MASK_ID, *sentence[place + 1 :]]
    fill = Example("fill", [FILL_ID, *blanked], [sentence[place]])
    return [*translations, fill, Example("tell", [TELL_ID], sentence)]
