"""How good is a model at filling in: beside it, guesses that need no model.

Axes: B batch, T positions, V vocabulary, N blanks.
"""

import random
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from course_lib.data import town
from course_lib.data.town.lexicon import FEMALE, NAMES, PLACES
from course_lib.models import evaluating
from course_lib.models.bert import Bert
from course_lib.tasks.fill_in.stories import (
    HELD_OUT_SEED,
    MAX_LEN,
    STORIES,
    TRAINING_SEED,
    WORDS,
    documents,
    rows_of,
)
from course_lib.text.segments import MASK_ID, join, stack
from course_lib.training.masked_words import CHOSEN, corrupt
from course_lib.training.next_sentence import PretrainingBatch, follow_labels, pair_up
from course_lib.training.objectives import IGNORE


class Filled(NamedTuple):
    """How well some blanks are filled in."""

    loss: float  # nats a blank
    accuracy: float  # share of the blanks whose likeliest word is the right one
    blanks: int


@cache
def held_out(n: int = 500, chosen: float = CHOSEN) -> PretrainingBatch:
    """Stories of another seed, each with its own end, with `[MASK]` at every chosen word."""
    pairs = pair_up(documents(n, HELD_OUT_SEED), random.Random("held out"), nsp=False)
    rows, generator = rows_of(pairs), torch.Generator().manual_seed(HELD_OUT_SEED)
    ids, labels, _ = corrupt(
        rows.ids, MASK_ID, WORDS.words, generator, chosen=chosen, masked=1.0, replaced=0.0
    )
    return PretrainingBatch(ids, rows.segments, labels, follow_labels(pairs))


def filled(model: Bert, batch: PretrainingBatch) -> Filled:
    """How well a model fills in the blanks of a batch."""
    with evaluating(model):
        logits = torch.cat(
            [
                model(ids=ids, segments=segments)[0].words[labels != IGNORE]
                for ids, segments, labels in zip(*(part.split(64) for part in batch[:3]), strict=True)
            ]
        )  # (N, V)
    return _measure(logits.log_softmax(-1), batch)


def _measure(log_probs: Tensor, batch: PretrainingBatch) -> Filled:
    """Log-probabilities at the blanks `(N, V)` against what was there."""
    truth = batch.labels[batch.labels != IGNORE]  # (N,)
    loss = F.nll_loss(log_probs, truth).item()
    return Filled(loss, (log_probs.argmax(-1) == truth).float().mean().item(), len(truth))


def nsp_accuracy(model: Bert, n: int = 500) -> float:
    """Share of held-out pairs, about half of them with a random end, of which the model says which it is."""
    pairs = pair_up(documents(n, HELD_OUT_SEED), random.Random("held out"))
    rows = rows_of(pairs)
    with evaluating(model):
        said = model(ids=rows.ids, segments=rows.segments)[0].follows.argmax(-1)
    return (said == follow_labels(pairs)).float().mean().item()


# ---------------------------------------------------------------- guesses that need no model

BASELINES = ("unigram", "bigram", "both neighbours")


@cache
def neighbours(n_stories: int = STORIES) -> Tensor:
    """How often each token stands directly before each other in the training stories, `(V, V)`."""
    V = len(WORDS)
    counts = torch.zeros(V * V)
    pairs = pair_up(documents(n_stories, TRAINING_SEED), random.Random("count"), nsp=False)
    for pair in pairs:
        ids = torch.tensor(join(pair.first, pair.second).ids)
        counts += torch.bincount(ids[:-1] * V + ids[1:], minlength=V * V)
    return counts.view(V, V)


def guesses(kind: str, ids: Tensor | Sequence[Sequence[int]], n_stories: int = STORIES) -> Tensor:
    """What counts alone would fill in at each `[MASK]`.

        unigram           P(w)
        bigram            P(w | left)
        both neighbours   P(w | left) P(right | w), to a sum of 1: all that a chain of bigrams can know

    A neighbour that is a blank itself says nothing. P(w | left) is (count + P(w)) / (total + 1), so that no
    probability is 0.

    Args:
        kind: one of BASELINES.
        ids: rows `(B, T)` with `[MASK]` at each blank.
        n_stories: how many training stories are counted.

    Returns:
        probabilities `(N, V)`, blank by blank, row by row; only words have any.

    Raises:
        ValueError: another kind.
    """
    if kind not in BASELINES:
        raise ValueError(f"kind is {kind!r}, expected one of {', '.join(map(repr, BASELINES))}")
    ids, counts = torch.as_tensor(ids), neighbours(n_stories)
    plain = counts.sum(0) + 1e-3  # (V,): how often each token stands somewhere
    unigram = plain / plain.sum()
    after = (counts + unigram) / (counts.sum(1, keepdim=True) + 1)  # (V, V): row left, column w
    blanks = ids == MASK_ID  # (B, T)
    left, right = ids.roll(1, 1)[blanks], ids.roll(-1, 1)[blanks]  # (N,): [CLS] and [SEP] stand around
    p = unigram.expand(len(left), -1)  # (N, V)
    if kind != "unigram":
        p = torch.where((left == MASK_ID)[:, None], p, after[left])
    if kind == "both neighbours":
        p = torch.where((right == MASK_ID)[:, None], p, p * after[:, right].T)
    p = p[:, WORDS.words[0] :]  # only words are hidden
    return F.pad(p / p.sum(1, keepdim=True), (WORDS.words[0], 0))


def baseline(kind: str, batch: PretrainingBatch, n_stories: int = STORIES) -> Filled:
    """How well a guess by counts fills in the blanks.

    Args:
        kind: one of BASELINES; `guesses` says what they are.
        batch: from `held_out`: `[MASK]` at every blank.
        n_stories: how many training stories are counted.

    Raises:
        ValueError: another kind.
    """
    return _measure(guesses(kind, batch.ids, n_stories).log(), batch)


# ---------------------------------------------------------------- whom does a pronoun mean?


class Pronouns(NamedTuple):
    """Blanks where "he" or "she" stood: shares that are right, for the model and for the nearest name."""

    blanks: int
    pronoun: float  # he or she?
    pronoun_nearest: float  # the pronoun of the nearest name before
    name: float  # which of the twelve names would the model say here?
    name_nearest: float  # the nearest name before


def pronouns(model: Bert, told: Sequence[town.Story]) -> Pronouns:
    """Hide each "he" and "she" by itself, and see what the model puts there.

    Where a pronoun stood, the name of whom it means would fit as well; so the model is also asked for the
    likeliest of the names.

    Args:
        model: a trained model.
        told: stories; their `coreference` says whom each pronoun means.

    Raises:
        ValueError: no "he" or "she" in them.
    """
    rows, truths, nearest = [], [], []
    for story in told:
        ids = WORDS.encode(story.english_tokens)
        starts = [sum(len(s.english) for s in story.sentences[:n]) for n in range(len(story.sentences))]
        for mention in story.coreference:
            at, cut = starts[mention.sentence] + mention.token, starts[max(1, mention.sentence)]
            before = [word for word in story.english_tokens[:at] if word in NAMES]
            if story.english_tokens[at] in ("he", "she") and before:
                blanked = [*ids[:at], MASK_ID, *ids[at + 1 :]]
                rows.append(join(blanked[:cut], blanked[cut:], max_len=MAX_LEN))
                truths.append(mention.entity)
                nearest.append(before[-1])
    if not rows:
        raise ValueError("told holds no he or she, expected stories with pronouns: take more of them")
    names, he_she = torch.tensor([WORDS.ids[name] for name in NAMES]), [WORDS.ids["he"], WORDS.ids["she"]]
    said_names, said_she = [], []
    with evaluating(model):
        for start in range(0, len(rows), 64):
            ids, segments = stack(rows[start : start + 64])
            logits = model(ids=ids, segments=segments)[0].words[ids == MASK_ID]  # (n, V): one blank a row
            said_names += [NAMES[i] for i in logits[:, names].argmax(-1).tolist()]
            said_she += logits[:, he_she].argmax(-1).tolist()
    n = len(rows)
    return Pronouns(
        n,
        sum(she == (who in FEMALE) for she, who in zip(said_she, truths, strict=True)) / n,
        sum((near in FEMALE) == (who in FEMALE) for near, who in zip(nearest, truths, strict=True)) / n,
        sum(name == who for name, who in zip(said_names, truths, strict=True)) / n,
        sum(near == who for near, who in zip(nearest, truths, strict=True)) / n,
    )


# ---------------------------------------------------------------- where is somebody now?


class Places(NamedTuple):
    """Blanks where a last sentence says again where somebody is: shares that are right."""

    blanks: int
    place: float
    place_nearest: float  # the last place that the text has named before
    place_elsewhere: float  # the model's share where that one is wrong


def places(model: Bert, n: int = 500) -> Places:
    """Hide the place in a last sentence such as "anna is at the farm .", and see what the model puts there.

    Only one who has followed the story can know it. (Texts whose last sentence tells of a thing, and texts
    that name no place before it, are left out.)

    Args:
        model: a trained model.
        n: held-out stories.
    """
    place_ids = {WORDS.ids[place] for place in PLACES}
    rows, truths, nearest = [], [], []
    for *told, last in documents(n, HELD_OUT_SEED):
        before = [i for sentence in told for i in sentence]
        named = [i for i in before if i in place_ids]
        if last[-2] in place_ids and named:
            rows.append(join(before, [*last[:-2], MASK_ID, last[-1]], max_len=MAX_LEN))
            truths.append(last[-2])
            nearest.append(named[-1])
    said = []
    with evaluating(model):
        for start in range(0, len(rows), 64):
            ids, segments = stack(rows[start : start + 64])
            said += model(ids=ids, segments=segments)[0].words[ids == MASK_ID].argmax(-1).tolist()

    right, near = ([guess == truth for guess, truth in zip(guesses, truths, strict=True)]
                   for guesses in (said, nearest))  # fmt: skip
    elsewhere = [ok for ok, easy in zip(right, near, strict=True) if not easy]
    return Places(len(rows), sum(right) / len(rows), sum(near) / len(rows), sum(elsewhere) / len(elsewhere))
