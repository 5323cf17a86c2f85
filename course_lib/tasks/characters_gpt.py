"""A GPT on the characters of your own text: the task of the speed run.

    text = characters_gpt.text_of("a/file.txt")           # the last tenth is kept away
    model = new_model(fast(text))
    train(model, fast(text), task(text))
    validation_loss(model, text)                          # nats a character, over the whole last tenth

    name, text = characters_gpt.at_hand()                 # yours, by COURSE_TEXT; else Python's own source
    train_for(20, model, fast(text), text)                # the same recipe, stretched or pressed into 20 s

Two recipes stand here. The plain one is what short training scripts for a laptop do: GPT-2's layers, AdamW,
a cosine. The fast one reaches the same loss in a fraction of the time; what each of its changes buys is an
experiment, `experiments/chapter_09b_speed.py`.

Axes: B batch, T positions, V vocabulary.
"""

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from course_lib.data import own_text, python_library
from course_lib.models import evaluating
from course_lib.models.gpt import GPT, MODERN, GPTConfig
from course_lib.text.tokenizers import CharacterTokenizer
from course_lib.training import loop
from course_lib.training.loop import History
from course_lib.training.objectives import shift, token_loss
from course_lib.training.optim import MuonAndAdamW, WarmupStableDecay, WarmupThenCosine
from course_lib.training.recipe import Recipe, Task

KEPT_AWAY = 0.1
BLOCK = 64  # characters that are seen at once
AT_ONCE = 128  # blocks, when a loss is measured
MEGABYTE = 1_000_000  # characters, about as many as Tiny Shakespeare has
MUON = MuonAndAdamW(muon_lr=0.02, lr=0.016)


@dataclass(frozen=True, eq=False)
class CharacterText:
    """A text as ids, and what it was made from."""

    characters: CharacterTokenizer  # of the part that is learned
    training: Tensor  # ids of the first nine tenths
    validation: Tensor  # ids of the last tenth; a character that training lacks is [UNK]
    size: int  # characters
    sha256: str  # of the text in UTF-8, with \n at the end of each line


def text_of(path: Path | str) -> CharacterText:
    """Read a text, keep its last tenth away, and give its characters ids.

    Raises:
        FileNotFoundError, ValueError: as `own_text.read`; a text too short for a block in each part.
    """
    return split(own_text.read(path))


def at_hand() -> tuple[str, CharacterText]:
    """The text that COURSE_TEXT names; without one, a megabyte that every reader has: Python's own library.

    Returns:
        what it is called, and the text.

    Raises:
        FileNotFoundError, ValueError: as `text_of`, where COURSE_TEXT names a file.
    """
    path = os.environ.get("COURSE_TEXT")
    if path:
        return Path(path).name, text_of(path)
    return "the Python library's source", split(python_library.text(max_characters=MEGABYTE))


def split(text: str) -> CharacterText:
    """Keep the last tenth of a text away, and give the characters of the rest ids.

    Raises:
        ValueError: a text too short for a block in each part.
    """
    learned, kept_away = own_text.parts(text, KEPT_AWAY, least=BLOCK + 1)
    characters = CharacterTokenizer(sorted(set(learned)))
    ids = [torch.tensor(characters.encode(part)) for part in (learned, kept_away)]
    return CharacterText(characters, *ids, len(text), hashlib.sha256(text.encode()).hexdigest())


def plain(text: CharacterText) -> Recipe:
    """GPT-2's layers and AdamW: 4 layers of 128 features, 2,000 steps of 12 blocks."""
    return Recipe(
        GPTConfig(
            len(text.characters),
            d_model=128,
            n_heads=4,
            n_layers=4,
            max_len=BLOCK,
            activation="gelu",
            bias=False,
        ),
        steps=2000,
        batch_size=12,
        lr=1e-3,
        schedule=WarmupThenCosine(0.05, 0.1),
        weight_decay=0.1,
    )


def fast(text: CharacterText) -> Recipe:
    """A small model that sees many characters; rotary positions, RMS norm, ReLU², QK-norm, Muon.

    In so short a training the loss hangs on how many characters were seen, more than on the model's size; and
    in the same time a smaller model sees more of them.
    """
    steps = 360
    return Recipe(
        GPTConfig(
            len(text.characters),
            d_model=96,
            n_heads=3,
            n_layers=2,
            d_ff=192,
            max_len=BLOCK,
            init_std=0.1,
            **MODERN,
        ),
        steps=steps,
        batch_size=24,
        lr=MUON.lr,
        schedule=WarmupStableDecay(10, steps // 2, steps),
        optimizer=MUON,
    )


# ---------------------------------------------------------------- training


def blocks(recipe: Recipe, text: CharacterText) -> Iterator[Tensor]:
    """Without end: ids `(B, T + 1)` from anywhere in the training part; the recipe's seed says where."""
    generator = torch.Generator().manual_seed(recipe.seed)
    window = torch.arange(recipe.model.max_len + 1)  # (T + 1,)
    while True:
        starts = torch.randint(
            len(text.training) - recipe.model.max_len, (recipe.batch_size, 1), generator=generator
        )
        yield text.training[starts + window]  # (B, T + 1)


def next_character_loss(model: GPT, ids: Tensor) -> Tensor:
    """Mean loss of the next character, in nats; ids `(B, T + 1)`."""
    inputs, labels = shift(ids, pad_id=None)  # (B, T) each
    return token_loss(model(inputs)[0], labels)


def task(text: CharacterText) -> Task:
    """Guess the next character of the text."""
    return Task(partial(blocks, text=text), next_character_loss, lambda ids: ids[:, 1:].numel())


def train_for(
    seconds: float,
    model: GPT,
    recipe: Recipe,
    text: CharacterText,
    on_step: Callable[[int, float], None] | None = None,
) -> History:
    """Follow a recipe for so many seconds in place of its steps; its schedule runs over them.

    So two recipes can be given the same time. How many steps that is depends on the machine.

    Args:
        seconds: the budget.
        model: from `new_model`.
        recipe: what to follow; its steps do not count.
        text: what is learned.
        on_step: called with step and loss, for a live view.
    """
    return loop.train(
        model,
        blocks(recipe, text),
        next_character_loss,
        seconds=seconds,
        lr=recipe.lr,
        weight_decay=recipe.weight_decay,
        schedule=recipe.schedule,
        optimizer=recipe.optimizer and recipe.optimizer(model),
        on_step=on_step,
    )


def validation_loss(model: GPT, text: CharacterText) -> float:
    """Nats a character over the part that was kept away, in blocks of T characters that do not overlap.

    T is the model's window. What is left at the end, shorter than a block, is not counted.
    """
    length = model.config.max_len
    n = (len(text.validation) - 1) // length  # blocks; each guesses one character beyond its inputs
    ids = text.validation[: n * length + 1].unfold(0, length + 1, length)  # (n, T + 1)
    with evaluating(model):
        total = sum(next_character_loss(model, part).item() * len(part) for part in ids.split(AT_ONCE))
    return total / n
