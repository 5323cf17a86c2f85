"""Whole stories of Tiny Town for a GPT: data, recipe, task.

A story has 4 to 8 sentences, and a world to keep track of: who is where, who holds what, whom a pronoun can
mean. The Town knows the probability of each story, so the loss that nobody can beat is known.

Axes: B batch, T positions, V vocabulary.
"""

from collections.abc import Iterator
from functools import cache, partial

import torch
from torch import Tensor

from course_lib.data import town
from course_lib.models.gpt import GPT, MODERN, GPTConfig
from course_lib.text.batching import batches_by_length, endless, pad
from course_lib.text.tokenizers import PAD_ID, WordTokenizer
from course_lib.training.objectives import shift, token_loss
from course_lib.training.optim import MuonAndAdamW, WarmupStableDecay
from course_lib.training.recipe import Recipe, Task

WORDS = WordTokenizer(town.vocabulary("english"))
MAX_LEN = 192  # more than the longest story needs
STORIES = 12_000
TRAINING_SEED, HELD_OUT_SEED = 0, 1


RECIPE = Recipe(  # for a page
    GPTConfig(
        len(WORDS),
        d_model=128,
        n_heads=4,
        n_layers=4,
        max_len=MAX_LEN,
        init_std=0.1,
        **MODERN,
    ),
    steps=350,
    batch_size=32,
    lr=8e-3,
    schedule=WarmupStableDecay(20, 175, 350),
    optimizer=MuonAndAdamW(),
)


# ---------------------------------------------------------------- data and training


@cache
def stories(n: int, seed: int = HELD_OUT_SEED) -> tuple[town.Story, ...]:
    """The first `n` stories of a seed."""
    return tuple(town.stories(n, seed))


@cache
def encoded(n: int, seed: int) -> list[list[int]]:
    """The same as ids, from `[BOS]` to `[EOS]`."""
    return [WORDS.encode(story.english_tokens, bos=True, eos=True) for story in town.stories(n, seed)]


def batches(recipe: Recipe, n_stories: int = STORIES) -> Iterator[Tensor]:
    """Epoch after epoch of ids `(B, T + 1)`, in an order that depends on the recipe's seed alone."""
    generator = torch.Generator().manual_seed(recipe.seed)
    ids = encoded(n_stories, TRAINING_SEED)
    lengths = [len(row) for row in ids]
    for rows in endless(partial(batches_by_length, lengths, recipe.batch_size, generator)):
        yield pad([ids[i] for i in rows])


def next_word_loss(model: GPT, ids: Tensor) -> Tensor:
    """Mean loss of the next word, in nats a token, `[EOS]` included; ids `[BOS] … [EOS]`, `(B, T + 1)`."""
    inputs, labels = shift(ids)  # (B, T) each
    return token_loss(model(inputs)[0], labels)


def counted(ids: Tensor) -> int:
    """How many tokens the loss of a batch `(B, T + 1)` is a mean of."""
    return int((ids[:, 1:] != PAD_ID).sum())


def task(n_stories: int = STORIES) -> Task:
    """Guess the next word of a story; the loss is in nats a token."""
    return Task(partial(batches, n_stories=n_stories), next_word_loss, counted)
