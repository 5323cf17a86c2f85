"""Stories with hidden words: data, recipe, task; and the blanks of a text of your own.

Axes: B batch, T positions, V vocabulary, N blanks.
"""

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache, partial
from typing import NamedTuple

import torch
from torch import Tensor

from course_lib.data import town
from course_lib.models import evaluating
from course_lib.models.bert import Bert, BertConfig
from course_lib.tasks.claims import true_claims
from course_lib.text.batching import batches_by_length, endless
from course_lib.text.segments import MASK, MASK_ID, Segments, SegmentTokenizer, join, stack
from course_lib.training.masked_words import CHOSEN, MASKED, REPLACED, corrupt
from course_lib.training.next_sentence import (
    PretrainingBatch,
    TextPair,
    follow_labels,
    pair_up,
    pretraining_loss,
)
from course_lib.training.optim import WarmupThenCosine
from course_lib.training.recipe import Recipe, Task

# Plainer stories than the Town's own: of each sentence more hangs on what was told before, and less is a free
# choice that nobody can know (colours, lists, asides).
GRAMMAR = replace(
    town.TOWN,
    sentences=(3, 4),
    say_colour=0.35,
    say_trait=0.1,
    say_where=0.05,
    say_origin=0.05,
    say_time=0.05,
    list_weights=(10, 1),
    kind_weights=(12, 0.6, 0.4, 0.3),  # person, there, thing, weather
    joins=("", "then"),
    join_weights=(10, 1),
    reasons=("", "weather"),
    reason_weights=(10, 1),
)
WORDS = SegmentTokenizer(town.vocabulary("english"))
MAX_LEN = 128  # more than the longest story needs
STORIES = 12_000
AGAIN = 2  # sentences at most, at the end of a text, that say again what is true
TRAINING_SEED, HELD_OUT_SEED = 0, 1

RECIPE = Recipe(  # for a page
    BertConfig(
        len(WORDS), d_model=64, n_heads=4, n_layers=2, d_ff=256, max_len=MAX_LEN, dropout=0.0, init_std=0.05
    ),
    steps=700,
    batch_size=64,
    lr=3e-3,
    schedule=WarmupThenCosine(0.1, 0.01),
    weight_decay=0.01,
)


# ---------------------------------------------------------------- data and training


@cache
def stories(n: int, seed: int = HELD_OUT_SEED) -> tuple[town.Story, ...]:
    """The first `n` stories of a seed."""
    return tuple(town.stories(n, seed, GRAMMAR))


@cache
def documents(n: int, seed: int) -> list[list[list[int]]]:
    """The same as ids, sentence by sentence; each ends by saying again something that is true.

    Texts of the world repeat themselves, and by that they teach: who fills the blank in "anna is at the
    [MASK]" must have followed anna through the story. Stories with nothing to say again are left out.
    """
    rng = random.Random(f"again {seed}")
    made = []
    for story in stories(n, seed):
        if true := true_claims(story):
            again = [claim.words for claim in rng.sample(true, min(AGAIN, len(true)))]
            sentences = [*(one.english for one in story.sentences), *again]
            made.append([WORDS.encode(words) for words in sentences])
    return made


def rows_of(pairs: Sequence[TextPair]) -> Segments:
    """Pairs of texts as a batch."""
    return stack([join(pair.first, pair.second, max_len=MAX_LEN) for pair in pairs])


def batches(
    recipe: Recipe,
    n_stories: int = STORIES,
    nsp: bool = True,
    chosen: float = CHOSEN,
    masked: float = MASKED,
    replaced: float = REPLACED,
) -> Iterator[PretrainingBatch]:
    """Epoch after epoch: the stories are cut, paired and hidden anew, by the recipe's seed alone."""
    generator, rng = torch.Generator().manual_seed(recipe.seed), random.Random(f"pairs {recipe.seed}")

    def epoch() -> Iterator[PretrainingBatch]:
        pairs = pair_up(documents(n_stories, TRAINING_SEED), rng, nsp=nsp)
        lengths = [len(pair.first) + len(pair.second) for pair in pairs]
        for picked in batches_by_length(lengths, recipe.batch_size, generator):
            here = [pairs[i] for i in picked]
            rows = rows_of(here)
            shares = {"chosen": chosen, "masked": masked, "replaced": replaced}
            ids, labels, _ = corrupt(rows.ids, MASK_ID, WORDS.words, generator, **shares)
            yield PretrainingBatch(ids, rows.segments, labels, follow_labels(here))

    yield from endless(epoch)


def task(n_stories: int = STORIES, **how) -> Task:
    """Pre-train on the Town's stories.

    Args:
        n_stories: how many there are to learn from.
        how: `nsp`: also say whether the second text follows (else the data have no random ends);
            `chosen`, `masked`, `replaced`: as in `training.masked_words.corrupt`.
    """
    return Task(partial(batches, n_stories=n_stories, **how), pretraining_loss)


# ---------------------------------------------------------------- a reader's own blanks


class Blanks(NamedTuple):
    """What a model would fill in."""

    tokens: list[str]  # T: the row as it is read, special tokens included
    places: list[int]  # N: where the blanks are
    probabilities: Tensor  # (N, V)


def fill(model: Bert, first: str, second: str | None = None) -> Blanks:
    """Fill in the blanks of a text of your own; write `[MASK]` for each.

    Args:
        model: a trained model.
        first, second: one text or two, of the Town's words.

    Raises:
        ValueError: no blank, or a word that the Town does not know.
    """
    texts = [_with_blanks(text) for text in (first, second) if text is not None]
    row = join(*texts, max_len=MAX_LEN)
    places = [i for i, token in enumerate(row.ids) if token == MASK_ID]
    if not places:
        raise ValueError(f"{first!r} has no blank, expected at least one {MASK}")
    with evaluating(model):
        scores, _ = model(ids=torch.tensor([row.ids]), segments=torch.tensor([row.segments]))
    return Blanks([WORDS.tokens[i] for i in row.ids], places, scores.words[0, places].softmax(-1))


def _with_blanks(text: str) -> list[int]:
    """A text's ids; only here `[MASK]` in a text makes a blank."""
    ids: list[int] = []
    for i, part in enumerate(re.split(re.escape(MASK), text, flags=re.IGNORECASE)):
        tokens = town.tokenise(part)
        if unknown := [word for word in tokens if word not in WORDS.ids]:
            raise ValueError(f"the text holds {unknown[0]!r}, a word that Tiny Town does not know")
        ids += [MASK_ID] * (i > 0) + WORDS.encode(tokens)
    return ids
