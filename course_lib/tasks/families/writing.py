"""Writing with each family: three write by themselves, the fourth is asked to.

A decoder-only model and a prefix-LM read the input into their cache, and go on with `[BOS]`: the one
protocol of `course_lib.generation`, in which an encoder-decoder writes, too. An encoder-only model has no
next word. It gets `[MASK]` where words are wanted, and somebody must decide how many, and in which order they
are filled.

Axes: B batch, S input positions, N positions of a row, V vocabulary.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from course_lib import checks
from course_lib.blanks import ORDERS, fill_blanks
from course_lib.families import family_of
from course_lib.generation import Writer, draw
from course_lib.masks import padding_mask
from course_lib.models import evaluating
from course_lib.models.transformer import OneStack, Transformer
from course_lib.tasks.families.examples import MASK_ID, WORDS, Example
from course_lib.tasks.families.wiring import row_logits
from course_lib.text.batching import batches_by_length, pad
from course_lib.text.tokenizers import BOS_ID, EOS_ID, PAD_ID, WordTokenizer

MAX_WORDS = 45  # more than the longest sentence of either language has


@dataclass(frozen=True)
class InputThenOutput:
    """One stack as a model that reads a source and then writes.

    Args:
        model: trained as a decoder-only model or a prefix-LM.
        open_input: the input is open to all of the input, as in a prefix-LM.
    """

    model: OneStack
    open_input: bool

    def encode(self, source: Tensor) -> tuple:
        """Keys and values of the input `(B, S)`, rows of equal length."""
        return (self.model.read_prefix(source) if self.open_input else self.model.next_logits(source))[2]

    def next_logits(self, tokens: Tensor, state: tuple) -> tuple[Tensor, None, tuple]:
        """As in `course_lib.generation`."""
        return self.model.next_logits(tokens, state)


def writer_of(model: OneStack | Transformer, family: str) -> Writer:
    """A trained model as one that reads an input and writes an output.

    Raises:
        ValueError: an encoder-only model, which has no next word: see `fill_in`.
    """
    if family_of(family).name == "encoder-only":
        raise ValueError(
            "family is 'encoder-only', expected one that writes: give it blanks, as fill_in does"
        )
    return model if family == "encoder-decoder" else InputThenOutput(model, family == "prefix-LM")


def write(
    model: OneStack | Transformer,
    family: str,
    inputs: Sequence[Sequence[int]],
    *,
    start: int = BOS_ID,
    max_words: int = MAX_WORDS,
    temperature: float = 0.0,
    seed: int = 0,
    tokenizer: WordTokenizer = WORDS,
) -> list[list[str]]:
    """The outputs for some inputs, in their order.

    Args:
        model: a trained model.
        family: how it reads and writes; not "encoder-only".
        inputs: lists of ids; those of equal length are read together, without padding.
        start: the first token of the output, given: `[BOS]`, or another one to see what it breaks.
        max_words: stop here even where no `[EOS]` has come.
        temperature: 0 always takes the likeliest word.
        seed: of the draws.
        tokenizer: from ids to words.

    Returns:
        for each input the words of its output.

    Raises:
        ValueError: a family that does not write, or `max_words` below 1.
    """
    checks.at_least_1(max_words=max_words)
    writer, generator = writer_of(model, family), torch.Generator().manual_seed(seed)
    outputs: list[list[str]] = [[] for _ in inputs]
    with evaluating(model):
        for group in of_equal_length(inputs):
            state = writer.encode(torch.tensor([list(inputs[i]) for i in group]))
            token, written = torch.full((len(group),), start), []  # (B,)
            ended = torch.zeros(len(group), dtype=torch.bool)
            while len(written) < max_words and not ended.all():
                logits, _, state = writer.next_logits(token[:, None], state)  # (B, V)
                token = draw(logits, temperature, generator=generator).masked_fill(ended, PAD_ID)  # (B,)
                ended = ended | (token == EOS_ID)
                written.append(token)
            for i, ids in zip(group, torch.stack(written, dim=1).tolist(), strict=True):
                outputs[i] = tokenizer.decode_tokens(ids)
    return outputs


def of_equal_length(sequences: Sequence[Sequence[int]], most: int = 512) -> Iterator[list[int]]:
    """Their indices in groups of one length each."""
    lengths = [len(sequence) for sequence in sequences]
    for length in sorted(set(lengths)):
        group = [i for i, n in enumerate(lengths) if n == length]
        for chosen in batches_by_length([length] * len(group), most):
            yield [group[i] for i in chosen]


# ---------------------------------------------------------------- an encoder-only model is asked to write


def fill_in(
    model: OneStack,
    inputs: Sequence[Sequence[int]],
    n_words: Sequence[int],
    order: str,
    *,
    temperature: float = 0.0,
    seed: int = 0,
) -> list[list[str]]:
    """Outputs of given lengths by an encoder-only model, word by word.

    Args:
        model: trained to fill blanks.
        inputs: lists of ids.
        n_words: how many words each output shall have: the model itself cannot end a text.
        order: "mask at the end", "left to right", "most certain first" or "refill", as in
            `course_lib.blanks.fill_blanks`.
        temperature: 0 always takes the likeliest word.
        seed: of the draws.

    Returns:
        for each input the words of its output.

    Raises:
        ValueError: another order, not one length of at least 1 for each input, or a negative temperature.
    """
    checks.one_of("order", order, ORDERS)
    if len(inputs) != len(n_words):
        raise ValueError(f"n_words has {len(n_words)} lengths for {len(inputs)} inputs, expected one each")
    checks.at_least_1(n_words=min(n_words, default=1))
    generator, outputs = torch.Generator().manual_seed(seed), [[] for _ in inputs]
    with evaluating(model):
        for group in batches_by_length([100 * n + len(i) for i, n in zip(inputs, n_words, strict=True)], 64):
            n = torch.tensor([n_words[i] for i in group])  # (B,)
            first = torch.tensor([len(inputs[i]) + 1 for i in group])  # (B,): place of the first blank
            ids = pad([[*inputs[i], BOS_ID, *[MASK_ID] * n_words[i], EOS_ID] for i in group])  # (B, N)
            how = {"mask_id": MASK_ID, "temperature": temperature, "generator": generator}
            ids = fill_blanks(partial(_logits, model), ids, first, n, order, **how)
            for i, row in zip(group, ids.tolist(), strict=True):
                outputs[i] = WORDS.decode_tokens(row[len(inputs[i]) + 1 :][: n_words[i]])
    return outputs


def _logits(model: OneStack, ids: Tensor) -> Tensor:
    """What an encoder-only model expects at each place, `(B, N)` to `(B, N, V)`."""
    return model(ids, padding_mask(ids, PAD_ID))[0]


# ---------------------------------------------------------------- the next word under each family


class NextWord(NamedTuple):
    """What a model expects next."""

    words: tuple[str, ...]  # V: the vocabulary
    probabilities: np.ndarray  # (V,)


def under_family(
    model: OneStack | Transformer, family: str, given: Sequence[str], written: Sequence[str] = ()
) -> NextWord:
    """What a trained model of a family expects after an input and the beginning of an output.

    Args:
        model: a trained model of this family.
        family: its name.
        given: tokens of the input, its job first: `["[FR]", "tom", "sleeps", "."]`.
        written: words of the output so far.

    Returns:
        the vocabulary, and a probability for each of its tokens. An encoder-only model has no next word: it
        gets a `[MASK]` at the next place, with nothing behind it.

    Raises:
        ValueError: a token that the vocabulary does not have, no input, or another family.
    """
    for token in (*given, *written):
        if token not in WORDS.ids:
            raise ValueError(f"{token!r} is no word of Tiny Town, and none of {', '.join(WORDS.tokens[:8])}")
    if not given:
        raise ValueError("given is empty, expected the input's tokens: [TELL] is an input, too")
    source, output = ([WORDS.ids[token] for token in tokens] for tokens in (given, written))
    with evaluating(model):
        if family_of(family).name == "encoder-decoder":
            logits = model(torch.tensor([source]), torch.tensor([[BOS_ID, *output]]))[0]
        else:
            blank = [MASK_ID] if family == "encoder-only" else []
            ids = torch.tensor([[*source, BOS_ID, *output, *blank]])
            logits = row_logits(model, ids, torch.tensor([len(source)]), family)
    return NextWord(WORDS.tokens, logits[0, -1].softmax(-1).numpy())


def first_words(model: OneStack | Transformer, family: str, chosen: Sequence[Example]) -> list[str]:
    """The one word that a model gives for each example of the job "fill".

    One that writes gives the first word of its output; an encoder-only one the likeliest word at the blank.
    """
    inputs = [one.input for one in chosen]
    if family != "encoder-only":
        return [(words or [""])[0] for words in write(model, family, inputs, max_words=1)]
    said = [""] * len(inputs)
    with evaluating(model):
        for group in of_equal_length(inputs):
            ids = torch.tensor([inputs[i] for i in group])  # (B, S)
            at_blank = _logits(model, ids)[ids == MASK_ID]  # (B, V)
            at_blank[:, MASK_ID] = -torch.inf  # a blank is no answer to a blank
            for i, token in zip(group, at_blank.argmax(-1).tolist(), strict=True):
                said[i] = WORDS.tokens[token]
    return said
