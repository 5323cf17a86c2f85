"""A small language model of Tiny Town, trained and tested under any mask.

The model reads a sentence and, at every position, guesses the next word. What it may look at while it guesses
is decided by a *reader*: a function from model and ids `(B, T)` to logits `(B, T, V)`. The same model read
under another mask is another experiment: `causal` is the right one, `course_lib.faults` has wrong ones.

The Town knows the probability of each of its sentences, so the loss that nobody can beat is known, and
whatever a model writes can be parsed.

Axes: B batch, T query positions, S key positions (here equal to T), H heads, V vocabulary.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from difflib import get_close_matches
from functools import cache, partial
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from course_lib.data import town
from course_lib.faults import read_with
from course_lib.generation import WholeText, sample
from course_lib.masks import causal_mask, masked_softmax, sliding_window_mask
from course_lib.models import evaluating
from course_lib.models.attention_only import AttentionOnly, AttentionOnlyConfig
from course_lib.text.batching import batches_by_length, endless, pad
from course_lib.text.tokenizers import BOS_ID, WordTokenizer
from course_lib.training.objectives import shift, token_loss
from course_lib.training.recipe import Recipe, Task

GRAMMAR = replace(town.TOWN, sentences=(1,))  # a story of one sentence: the Town knows its probability
WORDS = WordTokenizer(town.vocabulary("english"))
MAX_WORDS = 45  # more than the longest sentence has
TRAINING_SEED, HELD_OUT_SEED = 0, 1

Reader = Callable[[AttentionOnly, Tensor], Tensor]


RECIPE = Recipe(
    AttentionOnlyConfig(len(WORDS), d_model=64, n_heads=4, n_layers=2), steps=600, batch_size=64, lr=4e-3
)


def causal(model: AttentionOnly, ids: Tensor) -> Tensor:
    """The right mask: each position sees itself and what stands before it."""
    return model(ids, causal_mask(ids.shape[1]))[0]


def windowed(window: int) -> Reader:
    """A reader that sees itself and the `window − 1` positions before, whatever the model was trained with.

    Raises:
        ValueError: a window of less than 1, when it reads.
    """
    return lambda model, ids: model(ids, sliding_window_mask(ids.shape[1], window))[0]


# ---------------------------------------------------------------- data and training


@cache
def sentences(n: int, seed: int = HELD_OUT_SEED) -> tuple[town.Story, ...]:
    """The first `n` one-sentence stories of a seed."""
    return tuple(town.stories(n, seed, GRAMMAR))


@cache
def encoded(n: int, seed: int) -> list[list[int]]:
    """The same as ids, from `[BOS]` to `[EOS]`."""
    return [WORDS.encode(story.english_tokens, bos=True, eos=True) for story in sentences(n, seed)]


def batches(recipe: Recipe, n_sentences: int = 20_000) -> Iterator[Tensor]:
    """Epoch after epoch of ids `(B, T + 1)`, in an order that depends on the recipe's seed alone."""
    generator = torch.Generator().manual_seed(recipe.seed)
    ids = encoded(n_sentences, TRAINING_SEED)
    lengths = [len(row) for row in ids]
    for rows in endless(partial(batches_by_length, lengths, recipe.batch_size, generator)):
        yield pad([ids[i] for i in rows])


def next_word_loss(model: AttentionOnly, ids: Tensor, reader: Reader = causal) -> Tensor:
    """Mean loss of the next word, in nats a token, `[EOS]` included.

    Args:
        model: the model.
        ids: `[BOS] … [EOS]`, padded, `(B, T + 1)`.
        reader: under which mask it reads.

    Returns:
        a scalar.
    """
    inputs, labels = shift(ids)  # (B, T) each
    return token_loss(reader(model, inputs), labels)


def task(reader: Reader = causal, *, n_sentences: int = 20_000) -> Task:
    """Guess the next word under a mask, on so many one-sentence stories; the loss is in nats a word."""
    return Task(partial(batches, n_sentences=n_sentences), partial(next_word_loss, reader=reader))


# ---------------------------------------------------------------- how good is it?


def floor(stories: Sequence[town.Story]) -> float:
    """The Town's own loss on some stories, in nats a token: on average nobody can do better.

    Args:
        stories: from `sentences`; each counts its words and one `[EOS]`.
    """
    return -sum(story.log_prob for story in stories) / sum(len(s.english_tokens) + 1 for s in stories)


def reading_loss(model: AttentionOnly, stories: Sequence[town.Story], reader: Reader = causal) -> float:
    """Loss with the whole sentence in view of the reader, as in training; nats a token."""
    with evaluating(model):
        return next_word_loss(model, _ids(stories), reader).item()


def writing_loss(model: AttentionOnly, stories: Sequence[town.Story], reader: Reader = causal) -> float:
    """Loss when the next word does not exist yet, as in writing; nats a token.

    Each beginning of a sentence is given alone, and only the guess at its last position counts. Under a mask
    without a leak this is the same number as `reading_loss`.
    """
    inputs, labels = shift(_ids(stories))  # (B, T) each
    nats = counted = 0.0
    with evaluating(model):
        for t in range(1, inputs.shape[1] + 1):
            alive = labels[:, t - 1] >= 0  # sentences that have a t-th word to guess
            guess = reader(model, inputs[alive, :t])[:, -1]  # (B, V)
            nats += F.cross_entropy(guess, labels[alive, t - 1], reduction="sum").item()
            counted += int(alive.sum())
    return nats / counted


def write(
    model: AttentionOnly,
    n: int,
    *,
    start: str = "",
    reader: Reader = causal,
    temperature: float = 1.0,
    seed: int = 0,
) -> list[list[str]]:
    """Let the model write, word by word.

    Args:
        model: a trained model.
        n: how many sentences.
        start: words they begin with.
        reader: under which mask the model reads what it has written so far.
        temperature: 0 always takes the likeliest word.
        seed: of the draws.

    Returns:
        for each sentence its tokens, `start` included.

    Raises:
        ValueError: a word of `start` that the Town does not know.
    """
    unknown = [word for word in start.split() if word not in WORDS.ids]
    if unknown:
        raise ValueError(f"start holds {unknown[0]!r}, a word that Tiny Town does not know")
    prompt = torch.tensor([[BOS_ID, *WORDS.encode(start)]]).expand(n, -1)  # (B, T)
    generator = torch.Generator().manual_seed(seed)
    writer = WholeText(partial(reader, model), model.config.max_len)
    with evaluating(model):
        ids = sample(writer, prompt, MAX_WORDS, temperature=temperature, generator=generator)
    return [WORDS.decode_tokens(row) for row in ids.tolist()]


class Shares(NamedTuple):
    """The Town's verdict on some texts, as shares of all of them."""

    valid: float  # made of the Town's sentences
    consistent: float  # and what they tell can happen
    different: float  # and no text is counted twice: a model may say one sentence again and again


def judge(texts: Sequence[Sequence[str]]) -> Shares:
    """Let the Town read some texts, each given as its tokens.

    Raises:
        ValueError: no texts.
    """
    if not texts:
        raise ValueError("texts is empty, expected at least one list of tokens")
    told = [tuple(tokens) for tokens in texts]
    verdicts = [town.score(tokens, grammar=GRAMMAR) for tokens in told]
    valid = sum(verdict.valid for verdict in verdicts)
    right = [tokens for tokens, verdict in zip(told, verdicts, strict=True) if verdict.consistent]
    return Shares(valid / len(told), len(right) / len(told), len(set(right)) / len(told))


class Counted(NamedTuple):
    """Texts of like length, and how many of them are wrong."""

    wrong: int
    texts: int
    words: int


def wrong_by_length(
    texts: Sequence[Sequence[str]], longest: Sequence[int] = (6, 10, MAX_WORDS)
) -> dict[str, Counted]:
    """Do long texts go wrong more often, and do they have more wrong in as many words?

    Args:
        texts: each given as its tokens.
        longest: the most words of each group, rising.

    Returns:
        a group's name, such as "7 to 10 words", to what was counted in it; a group without texts is left out.
    """
    groups, least = {}, 1
    for most in longest:
        group = [tuple(tokens) for tokens in texts if least <= len(tokens) <= most]
        wrong = sum(not town.score(tokens, grammar=GRAMMAR).consistent for tokens in group)
        if group:
            groups[f"{least} to {most} words"] = Counted(wrong, len(group), sum(map(len, group)))
        least = most + 1
    return groups


def _ids(stories: Sequence[town.Story]) -> Tensor:
    return pad([WORDS.encode(story.english_tokens, bos=True, eos=True) for story in stories])


# ---------------------------------------------------------------- under any mask


class Under(NamedTuple):
    """What a model makes of a text under a mask."""

    words: Sequence[str]  # V: the vocabulary
    probabilities: Tensor  # (T, V): of the word after each position
    weights: Tensor  # (L, H, T, T): layers, heads, query, key


def under_masks(model: AttentionOnly) -> Callable[..., Under]:
    """A trained model as `widgets.MaskLab(text, model=…)` asks it: one text under one mask at a time.

    Args:
        model: a trained model of the Town.

    Returns:
        a function `(tokens, allowed, where="before")`. tokens: T words, `[BOS]` first, perhaps `[PAD]`
        behind; allowed: booleans `(T, T)`, True = may attend; where: the mask acts "before" the softmax,
        "after" it (a mistake), or not at all ("none"). It returns an `Under`, and raises ValueError for a
        word that the Town does not know.
    """

    def read(tokens: Sequence[str], allowed, where: str = "before") -> Under:
        ids = torch.tensor([[_known(token) for token in tokens]])  # (1, T)
        mask = torch.as_tensor(allowed)  # (T, T)
        seen = []

        def weigh(scores: Tensor) -> Tensor:
            weights = masked_softmax(scores, mask if where == "before" else None)  # (1, H, T, T)
            seen.append(weights * mask if where == "after" else weights)
            return seen[-1]

        with evaluating(model):
            logits = read_with(model, ids, weigh)[0]  # (T, V)
        return Under(WORDS.tokens, logits.softmax(-1), torch.cat(seen))

    return read


def _known(token: str) -> int:
    """The id of a token, special ones included; a ValueError with a word to try in its place."""
    if token in WORDS.ids:
        return WORDS.ids[token]
    near = get_close_matches(token.lower(), WORDS.tokens[4:], n=1, cutoff=0.7)
    some = " ".join(sentences(1)[0].english_tokens)
    advice = f"did you mean “{near[0]}”?" if near else f"one of its sentences is: {some}"
    raise ValueError(f"“{token}” is a word that Tiny Town does not know; {advice}")
