"""How good is each family at each job, and how fast?"""

import random
from collections.abc import Mapping, Sequence
from functools import cache, partial
from statistics import median
from typing import NamedTuple

import torch

from course_lib import costs
from course_lib.data import town
from course_lib.models import evaluating
from course_lib.models.transformer import OneStack, Transformer
from course_lib.tasks.families.examples import (
    MASK,
    TELL_ID,
    WORDS,
    Example,
    Job,
    examples,
    held_out,
    training_examples,
)
from course_lib.tasks.families.price import passing
from course_lib.tasks.families.wiring import RECIPE, Variant, batch_for, loss_of
from course_lib.tasks.families.writing import fill_in, first_words, write, writer_of
from course_lib.tasks.town_lm import GRAMMAR, judge
from course_lib.text.batching import pad
from course_lib.text.tokenizers import BOS_ID
from course_lib.training.randomness import seeded

HELD_OUT = 300  # stories on which filling in and translating are measured
TOLD = 300  # sentences that are told, for the Town to judge
ORDER = "most certain first"  # in which an encoder-only model fills its blanks, where nothing else is said


@cache
def held_out_examples(job: Job, n: int = HELD_OUT) -> tuple[Example, ...]:
    """Examples of one job from stories that nobody was trained on."""
    return tuple(one for one in examples(held_out(n), seed=1) if one.job == job)


def fill_accuracy(model: OneStack | Transformer, family: str, chosen: Sequence[Example]) -> float:
    """Share of the blanks of the job "fill" for which a model says the very word that stood there."""
    said = first_words(model, family, chosen)
    return _share(word == WORDS.tokens[one.output[0]] for word, one in zip(said, chosen, strict=True))


def translate(
    model: OneStack | Transformer, family: str, chosen: Sequence[Example], order: str = ORDER, **settings
) -> list[list[str]]:
    """French for each example of the job "translate". An encoder-only model is told the true length.

    Args:
        model, family: as in `write`.
        chosen: the examples.
        order: in which an encoder-only model fills its blanks.
        settings: of `write`, or of `fill_in`.
    """
    inputs = [one.input for one in chosen]
    if family == "encoder-only":
        return fill_in(model, inputs, [len(one.output) for one in chosen], order, **settings)
    return write(model, family, inputs, **settings)


def exact_match(texts: Sequence[Sequence[str]], chosen: Sequence[Example]) -> float:
    """Share of the outputs that are right in every word."""
    pairs = zip(texts, chosen, strict=True)
    return _share(WORDS.encode(text) == one.output for text, one in pairs)


def tell(
    model: OneStack | Transformer, family: str, n: int = TOLD, order: str = ORDER, *, seed: int = 0
) -> list[list[str]]:
    """Let a model tell sentences of the Town, drawn at temperature 1.

    An encoder-only model is told how long they shall be: lengths of training sentences.
    """
    if family == "encoder-only":
        lengths = [len(one.output) for one in training_examples() if one.job == "tell"][:n]
        return fill_in(model, [[TELL_ID]] * n, lengths, order, temperature=1.0, seed=seed)
    return write(model, family, [[TELL_ID]] * n, temperature=1.0, seed=seed)


def measure(
    model: OneStack | Transformer, family: str, *, seed: int = 0, n: int = HELD_OUT, n_told: int = TOLD
) -> dict[str, float]:
    """All three jobs on held-out stories, as shares.

    Args:
        model, family: as in `write`.
        seed: of the told sentences.
        n: stories on which filling in and translating are measured.
        n_told: sentences that are told.

    Returns:
        `fill`, `translate`, and the Town's verdict on told sentences (`valid`, `consistent`, `different`).
    """
    french = held_out_examples("translate", n)
    return {
        "fill": fill_accuracy(model, family, held_out_examples("fill", n)),
        "translate": exact_match(translate(model, family, french), french),
        **judge(tell(model, family, n_told, seed=seed))._asdict(),
    }


def output_loss(model: OneStack | Transformer, variant: Variant, job: Job = "translate") -> float:
    """Mean loss of a held-out output's words under the true words before, nats a token."""
    with evaluating(model):
        return loss_of(variant)(model, batch_for(variant, held_out_examples(job), None)).item()


def town_fill_accuracy(chosen: Sequence[Example]) -> float:
    """What a reader gets right who knows how likely the Town is to tell each sentence, and nothing else.

    For each blank it says the word that makes the sentence most likely. Several words can often stand there.
    """
    return _share(_likeliest(one) == WORDS.tokens[one.output[0]] for one in chosen)


def _likeliest(one: Example) -> str:
    _, *sentence = (WORDS.tokens[token] for token in one.input)
    place = sentence.index(MASK)

    def log_prob(word: str) -> float:
        return town.score((*sentence[:place], word, *sentence[place + 1 :]), grammar=GRAMMAR).log_prob

    return max(town.vocabulary("english"), key=log_prob)


# ---------------------------------------------------------------- how fast?


class Speed(NamedTuple):
    """How many times as many tokens a second as the first variant, on this machine."""

    trained: float  # tokens that pass through the model in training, padding left out
    written: float  # words written, from inputs that are read once


def speeds(variants: Mapping[str, Variant], rounds: int = 16, n_words: int = 16) -> dict[str, Speed]:
    """Time one training step, and the writing of some words, with random parameters: speed needs no training.

    All variants get the same 32 translations. Those that write keep keys and values in a cache; an
    encoder-only model reads the whole row anew for each word. They take turns. In each round a variant's time
    is compared with that of the first one, and the median of the rounds counts: so other programs on the
    machine disturb it little. A round before these, to warm up, does not count.

    Args:
        variants: name -> variant.
        rounds: how often each is timed.
        n_words: words that are written in each of the 32 texts.
    """
    of_like_length = sorted((one for one in training_examples() if one.job == "translate"), key=_length)
    chosen = of_like_length[len(of_like_length) // 2 :][: RECIPE.batch_size]
    calls, tokens = {}, {}
    for name, variant in variants.items():
        with seeded(0):
            model = variant.model.build()
        batch = batch_for(variant, chosen, random.Random(0))
        calls[name, "trained"] = partial(_one_step, model, variant, batch)
        calls[name, "written"] = partial(_write_words, model, variant.family, chosen, n_words)
        tokens[name, "trained"] = passing(batch)[0]
        tokens[name, "written"] = n_words * len(chosen)
    seconds, first = costs.seconds_by_round(calls, 1 + rounds), next(iter(variants))

    def beside_first(name: str, what: str) -> float:
        pairs = zip(seconds[first, what][1:], seconds[name, what][1:], strict=True)
        return tokens[name, what] / tokens[first, what] * median(theirs / ours for theirs, ours in pairs)

    return {name: Speed(*(beside_first(name, what) for what in Speed._fields)) for name in variants}


def _length(one: Example) -> tuple[int, int]:
    return len(one.input), len(one.output)


def _one_step(model, variant: Variant, batch) -> None:
    with torch.enable_grad():
        model.zero_grad()
        loss_of(variant)(model, batch).backward()


def _write_words(model, family: str, chosen: Sequence[Example], n_words: int) -> None:
    """So many words, whatever they are: a text does not end here."""
    source = pad([one.input for one in chosen])  # (B, S)
    if family == "encoder-only":
        fill_in(model, [one.input for one in chosen], [n_words] * len(chosen), "left to right")
        return
    writer = writer_of(model, family)
    state, token = writer.encode(source), torch.full_like(source[:, :1], BOS_ID)  # (B, 1)
    for _ in range(n_words):
        logits, _, state = writer.next_logits(token, state)  # (B, V)
        token = logits.argmax(-1, keepdim=True)


def _share(found) -> float:
    found = list(found)
    return sum(found) / len(found)
