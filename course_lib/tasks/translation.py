"""English to French in Tiny Town: data, model, and scores against the known truth."""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache, partial

import torch
from torch import Tensor

from course_lib import metrics
from course_lib.data import town
from course_lib.data.town import lexicon
from course_lib.generation import decode_all, greedy
from course_lib.models import evaluating
from course_lib.models.seq2seq import Seq2Seq, Seq2SeqConfig
from course_lib.models.transformer import Transformer, TransformerConfig
from course_lib.text.batching import Pairs, batches_by_length, pad
from course_lib.text.tokenizers import BOS_ID, WordTokenizer
from course_lib.training.objectives import pair_loss
from course_lib.training.optim import WarmupThenCosine
from course_lib.training.recipe import Recipe, Task

ENGLISH = WordTokenizer(town.vocabulary("english"))
FRENCH = WordTokenizer(town.vocabulary("french"))
ARTICLES = {"le", "la", "l'", "les", "au", "aux"}  # au, aux: à and the article in one word
NOUNS = {*lexicon.THINGS, *lexicon.PLACES, *lexicon.PLACE_OF_SPOT}
MAX_WORDS = 40  # more than the longest French sentence has
TRAINING_SENTENCES = 20_000
Model = Seq2Seq | Transformer

RECIPE = Recipe(
    Seq2SeqConfig(len(ENGLISH), len(FRENCH), query="current", words_in_memory=True),
    steps=500,
    batch_size=32,
    lr=4e-3,
    schedule=WarmupThenCosine(0.05, 0.02),
)
TRANSFORMER = Recipe(
    TransformerConfig(
        source_vocab=len(ENGLISH),
        target_vocab=len(FRENCH),
        d_model=64,
        n_heads=4,
        d_ff=256,
        encoder_layers=2,
        decoder_layers=2,
        shared="target",
        norm_first=True,
        dropout=0.0,
        max_len=64,
    ),
    steps=500,
    batch_size=32,
    lr=3e-3,
    schedule=WarmupThenCosine(0.05, 0.02),
)


@cache
def sentences(n: int, split: str) -> tuple[town.Sentence, ...]:
    """The first `n` sentences of a split; the splits share no English sentence."""
    return tuple(town.sentence_pairs(n, seed=0, split=split))


def pairs(chosen: Sequence[town.Sentence]) -> Pairs:
    """Sentences and their translations as ids."""
    return Pairs.encode([(s.english, s.french) for s in chosen], ENGLISH, FRENCH)


@cache
def training_pairs(n: int = TRAINING_SENTENCES, longest: int | None = None) -> Pairs:
    """Training sentences as ids; with `longest`, those of the `n` with at most so many English words."""
    return pairs([s for s in sentences(n, "train") if longest is None or len(s.english) <= longest])


def batches(recipe: Recipe, longest: int | None = None) -> Iterator[tuple[Tensor, Tensor]]:
    """Training sentences `(B, S)` and `(B, T + 1)`, in an order that depends on the recipe's seed alone."""
    yield from training_pairs(longest=longest).batches(recipe.batch_size, recipe.seed)


def task(longest: int | None = None) -> Task:
    """Translate Town sentences, all or those of at most `longest` English words; nats a word."""
    return Task(partial(batches, longest=longest), pair_loss)


def reading_loss(model: Model, test: Sequence[town.Sentence]) -> float:
    """Loss of the next French word, given the true words before it; nats a word, `[EOS]` included."""
    with evaluating(model):
        return pair_loss(model, next(pairs(test).epoch(len(test)))).item()


def translate(model: Model, english: str | Sequence[str]) -> tuple[list[str], list[str], Tensor]:
    """Translate one sentence.

    Args:
        model: a trained translator.
        english: a sentence in lower case with spaces around its punctuation, or its tokens.

    Returns:
        the English tokens (S), the French tokens (T), and the attention weights `(T, S)`.

    Raises:
        ValueError: a word that the Town does not know.
    """
    words = english.lower().split() if isinstance(english, str) else list(english)
    unknown = [word for word in words if word not in ENGLISH.ids]
    if unknown or not words:
        raise ValueError(
            f"english holds {unknown[0]!r}, a word that Tiny Town does not know; "
            "it knows " + ", ".join(ENGLISH.tokens[4:16]) + " …"
            if unknown
            else "english is empty, expected at least one word"
        )
    ids, weights = greedy(model, torch.tensor([ENGLISH.encode(words)]), MAX_WORDS)
    french = FRENCH.decode_tokens(ids[0].tolist())
    return words, french, weights[0, : len(french)]  # (T, S)


def exact_match(model: Model, test: Sequence[town.Sentence]) -> list[bool]:
    """For each sentence: is the greedy translation right in every word?"""
    guesses = decode_all(
        model, [ENGLISH.encode(s.english) for s in test], FRENCH, max_new_tokens=MAX_WORDS, batch_size=256
    )
    return [tuple(guess) == s.french for guess, s in zip(guesses, test, strict=True)]


def attention_maps(model: Seq2Seq, test: Sequence[town.Sentence], batch_size: int = 256) -> list[Tensor]:
    """Attention weights `(T, S)` for each sentence while the model reads the *true* translation.

    With the true words, row t always belongs to true word t, so the weights can be held against the true
    links even where the model's own translation would differ.
    """
    maps: list[Tensor] = [torch.empty(0)] * len(test)
    with evaluating(model):
        for rows in batches_by_length([len(s.english) for s in test], batch_size):
            source = pad([ENGLISH.encode(test[i].english) for i in rows])
            target = pad([[BOS_ID, *FRENCH.encode(test[i].french)[:-1]] for i in rows])
            _, weights = model(source, target, need_weights=True)
            for i, row in zip(rows, weights, strict=True):
                maps[i] = row[: len(test[i].french), : len(test[i].english)]
    return maps


def alignment_error(maps: Sequence[Tensor], test: Sequence[town.Sentence]) -> float:
    """Alignment error rate of attention maps `(T, S)`: each French word linked to where it looked most."""
    return metrics.alignment_error_rate([metrics.links_from_weights(m) for m in maps], true_links(test))


def diagonal_error(test: Sequence[town.Sentence]) -> float:
    """Alignment error rate of the diagonal: what one gets without looking."""
    guesses = [metrics.diagonal_links(len(s.english), len(s.french)) for s in test]
    return metrics.alignment_error_rate(guesses, true_links(test))


def lowest_error(test: Sequence[town.Sentence]) -> float:
    """The error rate that no map can go below: one guess a French word, and some have two true links."""
    truth = true_links(test)
    guesses = [{f: (e, f) for e, f in sorted(links)}.values() for links in truth]  # one true link a word
    return metrics.alignment_error_rate(guesses, truth)


def article_looks(maps: Sequence[Tensor], test: Sequence[town.Sentence]) -> dict[str, Counter[str]]:
    """Where the French words for *the* look most: at the noun, at *the*, or at another word.

    Args:
        maps: attention weights `(T, S)`, one a sentence.
        test: the sentences.

    Returns:
        for each form ("le", "la after à", …) how often it looks at "noun", "the", "other".
    """
    looks: dict[str, Counter[str]] = {}
    for weights, s in zip(maps, test, strict=True):
        for e, f in sorted(metrics.links_from_weights(weights)):
            form, before = s.french[f], s.french[f - 1] if f else ""
            if form not in ARTICLES:
                continue
            if before in ("à", "de") and form not in ("au", "aux"):
                form = f"{form} after {before}"
            english = s.english[e]
            kind = "noun" if english in NOUNS else "the" if english == "the" else "other"
            looks.setdefault(form, Counter())[kind] += 1
    return dict(sorted(looks.items(), key=lambda item: -item[1]["noun"] / item[1].total()))


def true_links(test: Sequence[town.Sentence]) -> list[set[tuple[int, int]]]:
    """The Town's own word links, `(English position, French position)`."""
    return [set(s.alignment) for s in test]
