"""Real words for one stack: letters and sounds in one row, under a causal or a prefix mask.

    r a t e [BOS] R EY T [EOS]

Nobody made these words for this course: the dictionary of chapters 01 and 05. The last letter decides how an
earlier one sounds: *rat*, *rate*.

Axes: B batch, N positions of a row.
"""

from collections.abc import Iterator, Sequence
from functools import cache, partial
from typing import NamedTuple

import torch

from course_lib.data import cmudict
from course_lib.metrics import phoneme_error_rate, word_error_rate
from course_lib.models import evaluating
from course_lib.models.transformer import OneStack
from course_lib.tasks.families.examples import output_labels, rows
from course_lib.tasks.families.wiring import RECIPE, RowBatch, row_loss
from course_lib.tasks.families.writing import write
from course_lib.text.batching import batches_by_length, endless
from course_lib.text.tokenizers import WordTokenizer
from course_lib.training.recipe import Recipe, Task, vary

LETTERS_AND_SOUNDS = WordTokenizer([*cmudict.ALPHABET, *sorted(cmudict.SOUNDS)])
WORDS_RECIPE = vary(RECIPE, vocab_size=len(LETTERS_AND_SOUNDS), steps=1000, batch_size=64)
MAX_SOUNDS = 40  # more than the longest pronunciation has


class Word(NamedTuple):
    """Ids of a word's letters, and of one way to say it."""

    input: list[int]
    output: list[int]


def word(letters: str, sounds: Sequence[str]) -> Word:
    """A word and one way to say it, as ids."""
    return Word(LETTERS_AND_SOUNDS.encode(list(letters)), LETTERS_AND_SOUNDS.encode(sounds))


@cache
def training_words() -> tuple[Word, ...]:
    """Every training word with each of its pronunciations."""
    return tuple(word(entry.word, way) for entry in cmudict.entries("train") for way in entry.pronunciations)


def word_batch(chosen: Sequence[Word]) -> RowBatch:
    """Rows `(B, N)` in which the sounds count, and `[EOS]`."""
    return RowBatch(*output_labels(*rows(chosen)), torch.tensor([len(one.input) for one in chosen]))


def word_batches(recipe: Recipe) -> Iterator[RowBatch]:
    """Training words for ever, in an order that depends on the seed alone."""
    generator, known = torch.Generator().manual_seed(recipe.seed), training_words()
    lengths = [len(one.input) + len(one.output) for one in known]
    for chosen in endless(partial(batches_by_length, lengths, recipe.batch_size, generator)):
        yield word_batch([known[i] for i in chosen])


def saying(family: str) -> Task:
    """Say words, as "decoder-only" or as "prefix-LM"."""
    return Task(word_batches, partial(row_loss, family=family))


def measure_words(model: OneStack, family: str, n: int = 1000) -> dict[str, float]:
    """How well a model says validation words.

    Args:
        model: trained with `saying`.
        family: "decoder-only" or "prefix-LM": the mask under which it reads.
        n: how many words, from the whole alphabet.

    Returns:
        `loss` in nats a sound, of each word's first pronunciation; `phoneme_error` and `word_error`, shares.
    """
    entries = cmudict.entries("validation")
    entries = entries[:: max(1, len(entries) // n)][:n]
    chosen = [word(entry.word, entry.pronunciations[0]) for entry in entries]
    with evaluating(model):
        loss = row_loss(model, word_batch(chosen), family).item()
    inputs = [one.input for one in chosen]
    guesses = write(model, family, inputs, max_words=MAX_SOUNDS, tokenizer=LETTERS_AND_SOUNDS)
    ways = [entry.pronunciations for entry in entries]
    return {
        "loss": loss,
        "phoneme_error": phoneme_error_rate(guesses, ways),
        "word_error": word_error_rate(guesses, ways),
    }
