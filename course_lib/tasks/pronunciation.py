"""Spelling to sound: a model, its two alphabets, and how it is trained and tested.

The same classes serve the small models that a page trains in a minute at most, and the shipped ones.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cache, partial
from pathlib import Path

import torch
from torch import Tensor

from course_lib.data import cmudict
from course_lib.generation import decode_all, greedy
from course_lib.metrics import differences, phoneme_error_rate, word_error_rate
from course_lib.models.seq2seq import Seq2Seq, Seq2SeqConfig
from course_lib.models.transformer import Transformer, TransformerConfig
from course_lib.text.batching import Pairs
from course_lib.text.tokenizers import CharacterTokenizer, WordTokenizer
from course_lib.training import checkpoints
from course_lib.training.objectives import pair_loss
from course_lib.training.optim import WarmupStableDecay, WarmupThenCosine
from course_lib.training.recipe import Recipe, Task, new_model, train, vary

LETTERS = CharacterTokenizer(cmudict.ALPHABET)
SOUNDS = WordTokenizer(sorted(cmudict.SOUNDS))
TOKENIZERS = (LETTERS, SOUNDS)
Model = Seq2Seq | Transformer
MAX_SOUNDS = 40  # more than the longest pronunciation has


RECIPE = Recipe(
    Seq2SeqConfig(len(LETTERS), len(SOUNDS), query="current"),
    steps=500,
    batch_size=64,
    lr=3e-3,
    schedule=WarmupThenCosine(0.05, 0.01),
    weight_decay=0.01,
)
SMOOTHING = 0.1  # label smoothing of the shipped models
TRANSFORMER = Recipe(
    TransformerConfig(
        source_vocab=len(LETTERS),
        target_vocab=len(SOUNDS),
        d_model=192,
        n_heads=4,
        d_ff=768,
        encoder_layers=3,
        decoder_layers=3,
        shared="target",
        norm_first=True,
        norm="rms",
        activation="gelu",
        positions="rotary",
        max_len=64,
    ),
    steps=16_000,
    batch_size=128,
    lr=1.5e-3,
    schedule=WarmupStableDecay(warmup=1_000, decay=4_000, steps=16_000),
    weight_decay=0.05,
)
LIVE_TRANSFORMER = (
    vary(  # for a page; why no dropout, and no rotary positions: record "pronunciation-choices"
        TRANSFORMER,
        d_model=64,
        d_ff=256,
        encoder_layers=2,
        decoder_layers=2,
        positions="sinusoidal",
        dropout=0.0,
        steps=800,
        batch_size=32,
        lr=4e-3,
        schedule=WarmupStableDecay(warmup=50, decay=250, steps=800),
        weight_decay=0.01,
    )
)


@dataclass(frozen=True)
class Shipped:
    """A checkpoint that comes with the course: how it is made."""

    what: str
    recipe: Recipe


SHIPPED = {
    "pronouncer": Shipped(
        "spelling to sound: GRU encoder, GRU decoder, additive attention",
        vary(RECIPE, steps=14_000, d_hidden=256, encoder_layers=2, dropout=0.2, batch_size=128, lr=2e-3),
    ),
    "pronunciation-transformer": Shipped("spelling to sound: a Transformer, 3 + 3 layers", TRANSFORMER),
}


def pairs(chosen: Sequence[tuple[str, Sequence[str]]]) -> Pairs:
    """Words and one pronunciation of each, as ids."""
    return Pairs.encode(chosen, LETTERS, SOUNDS)


@cache
def training_pairs() -> Pairs:
    """Every training word with each of its pronunciations."""
    return pairs([(entry.word, way) for entry in cmudict.entries("train") for way in entry.pronunciations])


def batches(recipe: Recipe) -> Iterator[tuple[Tensor, Tensor]]:
    """Training words `(B, S)` and sounds `(B, T + 1)`, in an order that depends on the recipe alone."""
    yield from training_pairs().batches(recipe.batch_size, recipe.seed)


def task(label_smoothing: float = 0.0) -> Task:
    """Say the dictionary's training words; the loss is in nats a sound."""
    return Task(batches, partial(pair_loss, label_smoothing=label_smoothing))


def say(model: Model, entries: Sequence[cmudict.Entry], beam_size: int = 1) -> list[list[str]]:
    """The model's sounds for each of some words; by beam search where `beam_size` is above 1, else greedy."""
    words = [LETTERS.encode(entry.word) for entry in entries]
    return decode_all(model, words, SOUNDS, max_new_tokens=MAX_SOUNDS, beam_size=beam_size)


def error_rates(model: Model, entries: Sequence[cmudict.Entry], beam_size: int = 1) -> tuple[float, float]:
    """Phoneme and word error rate on some words.

    Args:
        model: a trained model.
        entries: words with their listed pronunciations.
        beam_size: as in `say`.

    Returns:
        phoneme error rate, word error rate; both are shares.
    """
    guesses = say(model, entries, beam_size)
    references = [entry.pronunciations for entry in entries]
    return phoneme_error_rate(guesses, references), word_error_rate(guesses, references)


def kind_of_mistake(guess: Sequence[str], ways: Sequence[Sequence[str]]) -> str:
    """Sort one wrong pronunciation by what separates it from the nearest listed one.

    Args:
        guess: the model's sounds.
        ways: the word's listed pronunciations.

    Returns:
        a kind, in words; "right" when a listed pronunciation matches.

    Raises:
        ValueError: no listed pronunciation.
    """
    if not ways:
        raise ValueError("ways is empty, expected at least one listed pronunciation")
    edits = min((differences(guess, way) for way in ways), key=len)
    if not edits:
        return "right"
    if len(edits) > 1:
        return "two sounds" if len(edits) == 2 else "three or more sounds"
    guessed, true = edits[0]
    if not guessed:
        return "one sound missing"
    if not true:
        return "one sound too many"
    vowels = (guessed in cmudict.VOWELS) + (true in cmudict.VOWELS)
    return {2: "one vowel for another", 0: "one consonant for another", 1: "a vowel for a consonant"}[vowels]


def pronounce(model: Model, word: str) -> tuple[list[str], list[str], Tensor]:
    """Say one word.

    Args:
        model: a trained model.
        word: as a learner types it.

    Returns:
        its letters (S), its sounds (T), and the attention weights `(T, S)`: row t shows where the model
        looked when it said sound t.

    Raises:
        ValueError: not a word of a–z; the message is meant for the person who typed it.
    """
    letters = list(cmudict.clean(word))
    ids, weights = greedy(model, torch.tensor([LETTERS.encode(letters)]), MAX_SOUNDS)
    sounds = SOUNDS.decode_tokens(ids[0].tolist())
    return letters, sounds, weights[0, : len(sounds)]  # (T, S)


def load(name: str = "pronouncer", folder: Path = checkpoints.FOLDER) -> Model:
    """A shipped model, ready to use: "pronouncer" (the GRU) or "pronunciation-transformer"."""
    kind = type(SHIPPED[name].recipe.model)
    model = kind(**checkpoints.load_card(name, folder)["config"]).build()
    checkpoints.load_weights(name, model, folder, tokenizers=TOKENIZERS)
    return model


def shipped_rates(name: str = "pronouncer") -> dict[str, tuple[int, float, float]]:
    """From the card of a shipped model: kind of test words → how many, phoneme and word error rate."""
    said = checkpoints.load_card(name)["metrics"]
    kinds = {"test words": "", "test words with no relative in training": "disjoint_"}
    columns = ("test_words", "phoneme_error_rate", "word_error_rate")
    return {name: tuple(said[part + column] for column in columns) for name, part in kinds.items()}


def measure(model: Model, beam_size: int = 1) -> dict[str, float]:
    """Error rates on all test words, and on those without a relative in training.

    On the card stands what greedy decoding gives.

    Args:
        model: a trained model.
        beam_size: as in `say`.
    """
    entries = cmudict.entries("test")
    said = list(zip(say(model, entries, beam_size), entries, strict=True))
    disjoint = [(guess, entry) for guess, entry in said if not cmudict.has_relative_in_training(entry.word)]
    metrics: dict[str, float] = {}
    for name, part in (("", said), ("disjoint_", disjoint)):
        guesses, references = [guess for guess, _ in part], [entry.pronunciations for _, entry in part]
        metrics[f"{name}test_words"] = len(part)
        metrics[f"{name}phoneme_error_rate"] = phoneme_error_rate(guesses, references)
        metrics[f"{name}word_error_rate"] = word_error_rate(guesses, references)
    return metrics


def about(name: str, recipe: Recipe) -> dict:
    """The part of the card that is known before the training."""
    return {
        "what": SHIPPED[name].what,
        "command": f"python -m course_lib train {name}",
        "data": "CMUdict without stress, 89 % of the words (course_lib/data/cmudict.py)",
        "scored": "right if any listed pronunciation matches; disjoint: test words without a plural or "
        "possessive relative in training",
        "recipe": asdict(recipe),
        "label_smoothing": SMOOTHING,
        "seed": recipe.seed,
    }


def ship(
    work: Path, folder: Path = checkpoints.FOLDER, recipe: Recipe | None = None, name: str = "pronouncer"
) -> dict:
    """Train, store, measure with the stored weights, and write the card; goes on where it was stopped.

    Args:
        work: where unfinished training is kept.
        folder: where the checkpoint goes.
        recipe: what to train; that of the shipped model when not given.
        name: which shipped model.

    Returns:
        the card.
    """
    recipe = recipe or SHIPPED[name].recipe
    model = new_model(recipe)

    def report(step: int, loss: float) -> None:
        if step % 250 == 0:
            print(f"step {step:6,} of {recipe.steps:,} · loss {loss:.3f} nats a sound", flush=True)

    history = train(model, recipe, task(SMOOTHING), on_step=report, save_to=work / f"{name}.state")
    card = about(name, recipe) | {"steps": history.steps}
    checkpoints.save_checkpoint(name, model, card, folder, tokenizers=TOKENIZERS)
    stored = load(name, folder)
    card["metrics"] = {key: round(value, 4) for key, value in measure(stored).items()}
    checkpoints.save_checkpoint(name, stored, card, folder, tokenizers=TOKENIZERS)
    return card
