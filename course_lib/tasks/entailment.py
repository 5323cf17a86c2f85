"""Entailment: a story of Tiny Town and a claim about its end. Is the claim true, false, or not known?

    story   Anna is at the farm. She goes to the park while Tom is at the farm.
    claim   anna is at the farm .           false
    claim   tom is at the farm .            true

The answer cannot be read off the claim: every claim occurs as often with each of the three answers, so
whatever looks at the claim alone is right in one third of the cases. Nor can it be read off which words
occur: every word of a claim also stands in its story ("is", "has" and the like apart).

Axes: B batch, T positions.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from math import log
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from course_lib.models import evaluating
from course_lib.models.bert import Bert
from course_lib.models.bert_classifier import BertClassifier, ClassifierConfig
from course_lib.tasks import fill_in
from course_lib.tasks.claims import ANSWERS, KINDS, Claim, answer_to, claims_about
from course_lib.tasks.fill_in import WORDS
from course_lib.text.batching import batches_by_length, endless
from course_lib.text.segments import Segments, join, stack
from course_lib.training.optim import WarmupThenCosine
from course_lib.training.recipe import Recipe, Task, new_model, train

STORIES = 8_000  # of which examples are made
TRAINING_SEED, HELD_OUT_SEED = 2, 3  # other stories than those of pre-training

RECIPE = Recipe(
    ClassifierConfig(fill_in.RECIPE.model, len(ANSWERS)),
    steps=200,
    batch_size=32,
    lr=3e-4,
    schedule=WarmupThenCosine(0.1, 0.01),
    weight_decay=0.01,
)


# ---------------------------------------------------------------- examples


class Example(NamedTuple):
    """A story, a claim, and the right answer."""

    story: tuple[str, ...]
    claim: tuple[str, ...]
    kind: str
    answer: str


@cache
def _with_all_answers(seed: int, n_stories: int) -> dict[str, dict[Claim, dict[str, list[int]]]]:
    """For each kind: claims to which some stories answer each way, and which stories."""
    found: dict[Claim, dict[str, list[int]]] = {}
    for i, story in enumerate(fill_in.stories(n_stories, seed)):
        for claim in claims_about(story):
            by_answer = found.setdefault(claim, {answer: [] for answer in ANSWERS})
            by_answer[answer_to(claim, story.state)].append(i)
    whole = {claim: by for claim, by in found.items() if all(by.values())}
    return {kind: {claim: by for claim, by in whole.items() if claim.kind == kind} for kind in KINDS}


@cache
def examples(n: int, seed: int = HELD_OUT_SEED, n_stories: int = STORIES) -> tuple[Example, ...]:
    """Examples in threes: one claim, and a story for each answer; both kinds in turn.

    Args:
        n: how many; with a multiple of 6 answers and kinds are exactly balanced.
        seed: of the stories and of the choice among them. Fewer examples are the first of more.
        n_stories: of which they are made.

    Raises:
        ValueError: so few stories that no claim has all three answers.
    """
    rng, told = random.Random(f"claims {seed}"), fill_in.stories(n_stories, seed)
    known = _with_all_answers(seed, n_stories)
    claims = {kind: list(known[kind]) for kind in KINDS}
    for kind in KINDS:
        if not claims[kind]:
            raise ValueError(
                f"n_stories is {n_stories}, expected more: no claim about a {kind} is true in one of these "
                "stories, false in another and unknown in a third"
            )
    made: list[Example] = []
    while len(made) < n:
        kind = KINDS[len(made) // len(ANSWERS) % len(KINDS)]
        claim = rng.choice(claims[kind])
        for answer in ANSWERS:
            story = told[rng.choice(known[kind][claim][answer])]
            made.append(Example(story.english_tokens, claim.words, kind, answer))
    return tuple(made[:n])


# ---------------------------------------------------------------- model and training


def rows_of(chosen: Sequence[Example]) -> Segments:
    """Stories as first texts, claims as second ones."""
    texts = [(WORDS.encode(one.story), WORDS.encode(one.claim)) for one in chosen]
    return stack([join(*pair, max_len=fill_in.MAX_LEN) for pair in texts])


def answers_of(chosen: Sequence[Example]) -> Tensor:
    """Names to columns of ANSWERS, `(B,)`."""
    return torch.tensor([ANSWERS.index(one.answer) for one in chosen])


def batches(recipe: Recipe, n: int, n_stories: int = STORIES) -> Iterator[tuple[Segments, Tensor]]:
    """The first `n` training examples again and again, in an order that depends on the recipe's seed."""
    known, generator = examples(n, TRAINING_SEED, n_stories), torch.Generator().manual_seed(recipe.seed)
    lengths = [len(one.story) for one in known]
    for picked in endless(partial(batches_by_length, lengths, recipe.batch_size, generator)):
        here = [known[i] for i in picked]
        yield rows_of(here), answers_of(here)


def answer_loss(model: BertClassifier, batch: tuple[Segments, Tensor]) -> Tensor:
    """Mean loss of the right answer, in nats; ln 3 = 1.10 for somebody who knows nothing."""
    rows, answers = batch
    return F.cross_entropy(model(**rows._asdict()), answers)


def task(n: int, n_stories: int = STORIES) -> Task:
    """Learn from `n` labelled examples."""
    return Task(partial(batches, n=n, n_stories=n_stories), answer_loss)


def fine_tune(
    bert: Bert | None,
    recipe: Recipe,
    n: int,
    *,
    n_stories: int = STORIES,
    on_step: Callable[[int, float], None] | None = None,
) -> BertClassifier:
    """A classifier that begins as a trained BERT (None: at random) and learns from `n` examples.

    The optimizer is made after the new head, so that the head learns, too.
    """
    model = new_model(recipe)
    if bert is not None:
        model.start_from(bert)
    train(model, recipe, task(n, n_stories), on_step=on_step)
    return model


def said_by(model: BertClassifier, chosen: Sequence[Example]) -> list[str]:
    """The model's answer to each example."""
    said: list[str] = []
    with evaluating(model):
        for start in range(0, len(chosen), 64):
            scores = model(**rows_of(chosen[start : start + 64])._asdict())  # (64, 3)
            said += [ANSWERS[i] for i in scores.argmax(-1).tolist()]
    return said


def accuracy(said: Sequence[str], chosen: Sequence[Example]) -> dict[str, float]:
    """Share of right answers: "all", each kind of claim, and each right answer."""
    right = [answer == one.answer for answer, one in zip(said, chosen, strict=True)]
    groups = {"all": right}
    for one, ok in zip(chosen, right, strict=True):
        for group in (one.kind, one.answer):
            groups.setdefault(group, []).append(ok)
    return {group: sum(oks) / len(oks) for group, oks in groups.items()}


# ---------------------------------------------------------------- guesses by half of the input


def by_words(part: str, learnt: Sequence[Example], chosen: Sequence[Example]) -> list[str]:
    """Answers of one who sees only the words of a part: "claim", or "story".

    It learns how often each word goes with each answer (naive Bayes). From the claim alone nothing can be
    learnt; from the story alone a little, since some stories leave more unsaid than others.

    Args:
        part: "claim" or "story".
        learnt: examples with answers.
        chosen: examples to answer.

    Raises:
        ValueError: another part.
    """
    if part not in ("claim", "story"):
        raise ValueError(f"part is {part!r}, expected 'claim' or 'story'")
    counts = {answer: Counter() for answer in ANSWERS}
    for one in learnt:
        counts[one.answer].update(set(getattr(one, part)))
    n_of = Counter(one.answer for one in learnt)

    def evidence(answer: str, words: set[str]) -> float:
        return log(n_of[answer] + 1) + sum(log((counts[answer][w] + 1) / (n_of[answer] + 2)) for w in words)

    return [max(ANSWERS, key=lambda a, one=one: evidence(a, set(getattr(one, part)))) for one in chosen]
