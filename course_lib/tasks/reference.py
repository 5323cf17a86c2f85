"""Reference: whom does each "he" and "she" of a story mean? An answer for a token, not for a row.

    anna is at the farm . she goes to the park while tom is at the farm .
                          she → anna

The word itself can be seen. What is learned is to read the answer off its vector.

Axes: B batch, T positions.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from typing import NamedTuple

import torch
from torch import Tensor

from course_lib import checks
from course_lib.data.town.lexicon import NAMES
from course_lib.models import evaluating
from course_lib.models.bert import Bert
from course_lib.models.bert_classifier import BertClassifier, ClassifierConfig
from course_lib.tasks import fill_in
from course_lib.tasks.fill_in import WORDS
from course_lib.text.batching import batches_by_length, endless, pad
from course_lib.text.segments import Segments, join, stack
from course_lib.training.objectives import IGNORE, token_loss
from course_lib.training.optim import WarmupThenCosine
from course_lib.training.recipe import Recipe, Task, new_model, train

TRAINING_SEED, HELD_OUT_SEED = 4, 5  # other stories than those of pre-training

RECIPE = Recipe(
    ClassifierConfig(fill_in.RECIPE.model, len(NAMES), vector="tokens"),
    steps=200,
    batch_size=32,
    lr=3e-4,
    schedule=WarmupThenCosine(0.1, 0.01),
    weight_decay=0.01,
)


class Example(NamedTuple):
    """A story, and whom its pronouns mean."""

    story: tuple[str, ...]
    means: dict[int, str]  # place of a "he" or "she" → name


@cache
def examples(n: int, seed: int = HELD_OUT_SEED) -> tuple[Example, ...]:
    """The first `n` stories of a seed that hold a "he" or "she"; fewer are the first of more.

    Raises:
        ValueError: `n` below 1.
    """
    checks.at_least_1(n=n)
    made: list[Example] = []
    for story in fill_in.stories(2 * n + 20, seed):
        starts = [sum(len(s.english) for s in story.sentences[:i]) for i in range(len(story.sentences))]
        places = {starts[m.sentence] + m.token: m.entity for m in story.coreference}
        if means := {at: who for at, who in places.items() if story.english_tokens[at] in ("he", "she")}:
            made.append(Example(story.english_tokens, means))
    return tuple(made[:n])


def rows_of(chosen: Sequence[Example]) -> Segments:
    """Stories as single texts."""
    return stack([join(WORDS.encode(one.story), max_len=fill_in.MAX_LEN) for one in chosen])


def labels_of(chosen: Sequence[Example]) -> Tensor:
    """Places in NAMES at the pronouns, -100 at all other tokens, `(B, T)`."""
    rows = []
    for one in chosen:
        labels = [IGNORE] * (len(one.story) + 2)  # [CLS] and [SEP] around it
        for at, who in one.means.items():
            labels[at + 1] = NAMES.index(who)
        rows.append(labels)
    return pad(rows, IGNORE)


def batches(recipe: Recipe, n: int) -> Iterator[tuple[Segments, Tensor]]:
    """The first `n` training stories again and again, in an order that depends on the recipe's seed."""
    known, generator = examples(n, TRAINING_SEED), torch.Generator().manual_seed(recipe.seed)
    lengths = [len(one.story) for one in known]
    for picked in endless(partial(batches_by_length, lengths, recipe.batch_size, generator)):
        here = [known[i] for i in picked]
        yield rows_of(here), labels_of(here)


def reference_loss(model: BertClassifier, batch: tuple[Segments, Tensor]) -> Tensor:
    """Mean loss of the right name, in nats a pronoun; ln 12 = 2.48 for somebody who knows nothing."""
    rows, labels = batch
    return token_loss(model(**rows._asdict()), labels)


def task(n: int) -> Task:
    """Learn from `n` labelled stories."""
    return Task(partial(batches, n=n), reference_loss)


def fine_tune(
    bert: Bert | None, recipe: Recipe, n: int, *, on_step: Callable[[int, float], None] | None = None
) -> BertClassifier:
    """A model that begins as a trained BERT (None: at random) and learns from `n` stories."""
    model = new_model(recipe)
    if bert is not None:
        model.start_from(bert)
    train(model, recipe, task(n), on_step=on_step)
    return model


def accuracy(model: BertClassifier, chosen: Sequence[Example]) -> float:
    """Share of the pronouns whose name is the model's first choice.

    Raises:
        ValueError: no pronoun.
    """
    right: list[bool] = []
    with evaluating(model):
        for start in range(0, len(chosen), 64):
            here = chosen[start : start + 64]
            labels = labels_of(here)  # (64, T)
            said = model(**rows_of(here)._asdict()).argmax(-1)  # (64, T)
            right += (said == labels)[labels != IGNORE].tolist()
    return _share(right)


def nearest_name(chosen: Sequence[Example]) -> float:
    """The same for a guess without a model: the last name before the pronoun.

    Raises:
        ValueError: no pronoun.
    """
    right: list[bool] = []
    for one in chosen:
        for at, who in one.means.items():
            before = [word for word in one.story[:at] if word in NAMES]
            right.append(before[-1:] == [who])
    return _share(right)


def _share(right: list[bool]) -> float:
    if not right:
        raise ValueError("chosen holds no pronoun, expected examples: see reference.examples")
    return sum(right) / len(right)
