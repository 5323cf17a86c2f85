"""How good is a GPT of the Town? Its loss against the floor, and the Town's verdict on what it writes."""

from collections import Counter
from collections.abc import Sequence
from functools import cache
from itertools import chain
from typing import NamedTuple

import torch

from course_lib import checks
from course_lib.data import town
from course_lib.generation import sample
from course_lib.models import evaluating
from course_lib.models.gpt import GPT
from course_lib.models.ngrams import NGrams
from course_lib.tasks.town_gpt.stories import (
    MAX_LEN,
    STORIES,
    TRAINING_SEED,
    WORDS,
    encoded,
    next_word_loss,
    stories,
)
from course_lib.text.batching import batches_by_length, pad
from course_lib.text.tokenizers import BOS_ID


def floor(told: Sequence[town.Story]) -> float:
    """The Town's own loss on some stories, in nats a token: on average nobody can do better.

    Each story counts its words and one `[EOS]`.
    """
    return -sum(story.log_prob for story in told) / sum(len(s.english_tokens) + 1 for s in told)


def loss(model: GPT, told: Sequence[town.Story]) -> float:
    """The model's loss on the same stories, in nats a token."""
    ids = [WORDS.encode(story.english_tokens, bos=True, eos=True) for story in told]
    nats = counted = 0.0
    with evaluating(model):
        for rows in batches_by_length([len(row) for row in ids], 128):
            tokens = sum(len(ids[i]) - 1 for i in rows)
            nats += next_word_loss(model, pad([ids[i] for i in rows])).item() * tokens
            counted += tokens
    return nats / counted


@cache
def baseline(order: int, n: int = 1_000) -> float:
    """The loss of counted n-grams on held-out stories, in nats a token: what a short memory can reach.

    Args:
        order: tokens in an n-gram: 2 is a bigram model, which sees one word.
        n: held-out stories.
    """
    counted = NGrams(torch.tensor([*chain(*encoded(STORIES, TRAINING_SEED))]), len(WORDS), order)
    told = [WORDS.encode(story.english_tokens, bos=True, eos=True) for story in stories(n)]
    ids = torch.tensor([*chain(*told)])  # (N,)
    return counted.nats(ids)[ids[1:] != BOS_ID].mean().item()


def gap(model: GPT, n: int = 1_000) -> float:
    """How far the model's loss is above the floor, on `n` held-out stories; nats a token."""
    told = stories(n)
    return loss(model, told) - floor(told)


def write(
    model: GPT, n: int, *, start: str = "", temperature: float = 1.0, seed: int = 0, batch_size: int = 250
) -> list[list[str]]:
    """Let the model write stories.

    Args:
        model: a trained model.
        n: how many stories.
        start: words they begin with.
        temperature: 0 always takes the likeliest word.
        seed: of the draws.
        batch_size: stories written at a time.

    Returns:
        for each story its tokens, `start` included.

    Raises:
        ValueError: a word of `start` that the Town does not know, more words than the model can go on from,
            `n` or `batch_size` below 1, or a temperature out of its range.
    """
    checks.at_least_1(n=n, batch_size=batch_size)
    tokens = town.tokenise(start)
    unknown = [token for token in tokens if token not in WORDS.ids]
    if unknown:
        raise ValueError(f"start holds {unknown[0]!r}, a word that Tiny Town does not know")
    if len(tokens) > MAX_LEN - 2:
        raise ValueError(
            f"start has {len(tokens)} tokens, expected at most {MAX_LEN - 2}: a story has at most {MAX_LEN}, "
            "with [BOS] before it and one word that is new"
        )
    prompt = torch.tensor([[BOS_ID, *WORDS.encode(tokens)]])  # (1, T)
    generator, written = torch.Generator().manual_seed(seed), []
    while len(written) < n:
        many = prompt.expand(min(batch_size, n - len(written)), -1)  # (B, T)
        room = MAX_LEN - prompt.shape[1]
        ids = sample(model, many, room, temperature=temperature, generator=generator)
        written += [WORDS.decode_tokens(row) for row in ids.tolist()]
    return written


class Shares(NamedTuple):
    """The Town's verdict on some stories, as shares of all of them."""

    valid: float  # made of the Town's sentences
    consistent: float  # and what they tell can happen


def judge(texts: Sequence[Sequence[str]]) -> Shares:
    """Let the Town read some stories, each given as its tokens.

    Raises:
        ValueError: no texts.
    """
    if not texts:
        raise ValueError("texts is empty, expected at least one list of tokens")
    verdicts = [town.score(tuple(tokens)) for tokens in texts]
    return Shares(
        sum(verdict.valid for verdict in verdicts) / len(verdicts),
        sum(bool(verdict.consistent) for verdict in verdicts) / len(verdicts),
    )


def mistakes(texts: Sequence[Sequence[str]]) -> Counter[str]:
    """What is wrong first, in the Town's words, in how many of the texts."""
    errors = (town.score(tuple(tokens)).error for tokens in texts)
    return Counter(error for error in errors if error is not None)
