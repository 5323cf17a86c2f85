"""Three jobs as pairs of input and output, in one vocabulary; and the rows in which one stack reads them.

    translate   [FR] tom is at the station .          →  tom est à la gare .
    fill        [FILL] tom is at the [MASK] .         →  station
    tell        [TELL]                                →  tom is at the station .

Axes: B batch, N positions of a row (input and output together).
"""

import random
from collections.abc import Sequence
from functools import cache
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from course_lib.data import town
from course_lib.tasks.town_lm import GRAMMAR, HELD_OUT_SEED, TRAINING_SEED
from course_lib.text.batching import pad
from course_lib.text.tokenizers import BOS_ID, EOS_ID, WordTokenizer
from course_lib.training.objectives import IGNORE, shift

MASK, FILL, FRENCH, TELL = "[MASK]", "[FILL]", "[FR]", "[TELL]"
WORDS = WordTokenizer(
    [MASK, FILL, FRENCH, TELL, *sorted({*town.vocabulary("english"), *town.vocabulary("french")})]
)
MASK_ID, FILL_ID, FRENCH_ID, TELL_ID = (WORDS.ids[token] for token in (MASK, FILL, FRENCH, TELL))
FIRST_WORD_ID = TELL_ID + 1  # from here on ids are words of the two languages
MAX_LEN = 96  # positions: more than the longest input and output have together
STORIES = 12_000  # one-sentence stories to learn from; each gives one example of each job
CHOSEN = 0.15  # share of the words that an encoder-only model learns to fill in, as in BERT

Job = Literal["translate", "fill", "tell"]
JOBS: tuple[Job, ...] = ("translate", "fill", "tell")


class Example(NamedTuple):
    """One task of one job: ids of what is given, and of what must come out (without `[BOS]` and `[EOS]`)."""

    job: Job
    input: list[int]
    output: list[int]


def example(sentence: town.Sentence, job: Job, place: int = 0) -> Example:
    """A sentence of the Town as a task.

    Args:
        sentence: in two languages.
        job: "translate", "fill" or "tell".
        place: of the word that is left out for "fill".

    Raises:
        ValueError: no such job, or no such word.
    """
    english = WORDS.encode(sentence.english)
    if job == "translate":
        return Example(job, [FRENCH_ID, *english], WORDS.encode(sentence.french))
    if job == "tell":
        return Example(job, [TELL_ID], english)
    if job != "fill":
        raise ValueError(f"job is {job!r}, expected one of {', '.join(map(repr, JOBS))}")
    if not 0 <= place < len(english):
        raise ValueError(f"place is {place}, expected 0 to {len(english) - 1}: a word of the sentence")
    blanked = [*english[:place], MASK_ID, *english[place + 1 :]]
    return Example(job, [FILL_ID, *blanked], [english[place]])


def examples(stories: Sequence[town.Story], seed: int = 0) -> list[Example]:
    """Three examples a story, one for each job; the word to fill in is any but the full stop at the end."""
    rng = random.Random(f"blanks {seed}")
    made = []
    for story in stories:
        sentence = story.sentences[0]
        place = rng.randrange(len(sentence.english) - 1)
        made += [example(sentence, job, place) for job in JOBS]
    return made


@cache
def training_examples(n_stories: int = STORIES) -> tuple[Example, ...]:
    """What all families learn from."""
    return tuple(examples(_stories(n_stories, TRAINING_SEED)))


@cache
def held_out(n: int, n_stories: int = STORIES) -> tuple[town.Story, ...]:
    """The first `n` stories of another seed whose sentence is not among the first `n_stories` of training.

    Short sentences return often in a small town; those that are left are longer than most.
    """
    known = {story.english_tokens for story in _stories(n_stories, TRAINING_SEED)}
    found = []
    for story in town.stories(100 * n, HELD_OUT_SEED, GRAMMAR):
        if len(found) == n:
            break
        if story.english_tokens not in known:
            known.add(story.english_tokens)
            found.append(story)
    return tuple(found)


@cache
def _stories(n: int, seed: int) -> tuple[town.Story, ...]:
    return tuple(town.stories(n, seed, GRAMMAR))


# ---------------------------------------------------------------- rows for one stack


class Rows(NamedTuple):
    """Examples as one stack reads them: `input [BOS] output [EOS]`."""

    ids: Tensor  # (B, N), padded on the right
    n_input: Tensor  # (B,): how many tokens of each row are given


def rows(chosen: Sequence[Example], start: int = BOS_ID) -> Rows:
    """Examples as rows, padded.

    Args:
        chosen: B examples.
        start: the token after which the output begins: `[BOS]` for every family of this course.
    """
    ids = pad([[*one.input, start, *one.output, EOS_ID] for one in chosen])  # (B, N)
    return Rows(ids, torch.tensor([len(one.input) for one in chosen]))


def output_labels(ids: Tensor, n_input: Tensor) -> tuple[Tensor, Tensor]:
    """What one stack reads and what it must say, where only the output counts.

        ids      [FR]  the  cat  .  [BOS]  le    chat  .     [EOS]
        inputs   [FR]  the  cat  .  [BOS]  le    chat  .
        labels     –    –    –   –  le     chat  .     [EOS]

    The first word of the output is a label: the one at `[BOS]`. `[BOS]` itself is given, never predicted.

    Args:
        ids: rows `(B, N + 1)`.
        n_input: tokens of each input `(B,)`.

    Returns:
        inputs and labels, each `(B, N)`; -100 is not counted.

    Source: Raffel et al. 2020 (T5), section 3.2.1; the shift: `training.objectives.shift`.
    """
    inputs, labels = shift(ids)  # (B, N) each
    given = torch.arange(labels.shape[1]) < n_input[:, None]  # (B, N): before [BOS]
    return inputs, labels.masked_fill(given, IGNORE)


def blanks(
    chosen: Sequence[Example], rng: random.Random, share: float | None = CHOSEN
) -> tuple[Tensor, Tensor]:
    """Rows with some words left out, and these words as labels: how an encoder-only model learns.

    Each row is `input [BOS] output [EOS]`; of its words (input and output, not the other tokens) a share is
    chosen, at least one, and `[MASK]` stands in their places. For the job "fill" the row is the input alone,
    and its own blank is among the chosen. In BERT, of the chosen words only 80 % become `[MASK]`; 10 % become
    another word and 10 % stay: chapter 08 measures what that is for.

    Args:
        chosen: B examples.
        rng: chooses the words.
        share: of the words that are chosen; None: a share drawn anew for each row, up to all words.

    Returns:
        ids and labels, each `(B, N)`; -100 is not counted.

    Source: Devlin et al. 2019 (BERT), section 3.1.
    """
    ids, labels = [], []
    for one in chosen:
        row, known = _whole(one)
        places = [i for i, token in enumerate(row) if token >= FIRST_WORD_ID and i != known]
        n_words = len(places) + (known is not None)
        n = rng.randint(1, n_words) if share is None else max(1, round(share * n_words))
        picked = set(rng.sample(places, n - (known is not None))) | ({known} - {None})
        ids.append([MASK_ID if i in picked else token for i, token in enumerate(row)])
        labels.append([token if i in picked else IGNORE for i, token in enumerate(row)])
    return pad(ids), pad(labels, IGNORE)


def _whole(one: Example) -> tuple[list[int], int | None]:
    """The row without blanks, and the place of the job's own blank, if it has one."""
    if one.job != "fill":
        return [*one.input, BOS_ID, *one.output, EOS_ID], None
    place = one.input.index(MASK_ID)
    return [*one.input[:place], *one.output, *one.input[place + 1 :]], place
