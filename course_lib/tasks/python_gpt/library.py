"""The Python standard library's source for a GPT: what is learned from, what is kept away, tokens, recipe.

    sides     whole packages: `html`, with all of its modules, is kept away; `json`, with all of its, is not
    tokens    byte-level BPE (`text/bpe`), learned from the training side alone; one more ends a module
    stream    [END] module [END] module [END] …: one long row of tokens, cut into blocks

Nothing of the text is handed on: it is read where Python itself keeps it (`data/python_library`). A model
that comes with the course needs the tokens that it was trained with, so those come with it, `python-gpt.bpe`.

Axes: B batch, T positions, V vocabulary.
"""

import zlib
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path

import torch
from torch import Tensor

from course_lib import checks
from course_lib.data import python_library
from course_lib.data.python_library import Module
from course_lib.models.gpt import GPT, MODERN, GPTConfig
from course_lib.text.batching import endless
from course_lib.text.bpe import BPETokenizer, train_bpe
from course_lib.training import checkpoints
from course_lib.training.objectives import shift, token_loss
from course_lib.training.optim import MuonAndAdamW, WarmupStableDecay
from course_lib.training.recipe import Recipe, Task

NAME = "python-gpt"
SIDES = ("training", "kept away")
END = "[END]"
VOCAB_SIZE = 2048

# About a minute on 2 cores. Chosen by a grid at equal seconds: in so short a time a small model, which can
# read more, tells kept-away modules better: 2.09 bits a byte with 0.23 million parameters in 2 layers, 2.14
# with 0.33 million in 4 or 0.53 million in 3, 2.19 to 2.38 with 1.05 million.
RECIPE = Recipe(
    GPTConfig(
        VOCAB_SIZE,
        d_model=64,
        n_heads=4,
        n_layers=2,
        max_len=128,
        **MODERN,
    ),
    steps=700,
    batch_size=8,
    lr=8e-3,
    schedule=WarmupStableDecay(20, 350, 700),
    optimizer=MuonAndAdamW(),
)


# ---------------------------------------------------------------- sides and tokens


def side_of(name: str) -> str:
    """The side on which a module stands, by a fixed hash of its package: about a tenth is kept away.

    A package stays whole, as its modules know of each other: what is kept away was not seen next door. Of the
    ten remainders this one keeps away many small packages and no large one.

    Args:
        name: as it is imported, such as `json.decoder`.
    """
    return SIDES[zlib.crc32(name.split(".")[0].encode()) % 10 == 7]


def modules(side: str) -> tuple[Module, ...]:
    """The modules of one side, in an order that mixes them (by a hash of their names).

    Raises:
        ValueError: another side.
        FileNotFoundError: this Python came without its sources.
    """
    checks.one_of("side", side, SIDES)
    chosen = [module for module in python_library.modules() if side_of(module.name) == side]
    return tuple(sorted(chosen, key=lambda module: zlib.crc32(module.name.encode())))


def learned(vocab_size: int = VOCAB_SIZE) -> BPETokenizer:
    """BPE, learned from the training modules of this Python; `[END]` has the last id."""
    return train_bpe((module.text for module in modules("training")), vocab_size, [END])


@cache
def tokens(folder: Path = checkpoints.FOLDER) -> BPETokenizer:
    """The tokens that come with the course; without that file, those that this Python's library gives."""
    path = folder / f"{NAME}.bpe"
    return BPETokenizer.load(path) if path.exists() else learned()


def encode(module: Module, tokenizer: BPETokenizer) -> list[int]:
    """A module from one `[END]` to the next: where it begins, where it ends."""
    end = tokenizer.special[END]
    return [end, *tokenizer.encode(module.text), end]


@cache
def stream(side: str) -> Tensor:
    """All modules of one side as one row of ids `(N,)`, with one `[END]` between two of them."""
    ids: list[int] = []
    for module in modules(side):
        ids += encode(module, tokens())[:-1]
    return torch.tensor([*ids, tokens().special[END]], dtype=torch.int32)


# ---------------------------------------------------------------- what a GPT learns


def blocks(ids: Tensor, recipe: Recipe, generator: torch.Generator) -> Iterator[Tensor]:
    """One epoch: the row is cut into blocks side by side, at another place in each epoch, and mixed.

    Args:
        ids: `(N,)`.
        recipe: its context window T and its batch size B.
        generator: source of the place and the order.

    Yields:
        ids `(B, T + 1)`; the last token of a block is the first of the next one. Blocks that do not fill a
        batch are left for another epoch.

    Raises:
        ValueError: too few tokens for one batch.
    """
    length = recipe.model.max_len
    room = len(ids) - recipe.batch_size * length - 1
    if room < 0:
        raise ValueError(
            f"ids has {len(ids):,} tokens, expected at least {recipe.batch_size * length + 1:,}: "
            f"{recipe.batch_size} blocks of {length}, and one more"
        )
    start = int(torch.randint(min(length, room + 1), (), generator=generator))
    starts = torch.arange(start, len(ids) - length, length)  # (M,): T + 1 tokens from each on
    inside = torch.arange(length + 1)
    for rows in starts[torch.randperm(len(starts), generator=generator)].split(recipe.batch_size):
        if len(rows) == recipe.batch_size:
            yield ids[rows[:, None] + inside].long()  # (B, T + 1)


def batches(recipe: Recipe) -> Iterator[Tensor]:
    """Epoch after epoch of ids `(B, T + 1)`, in an order that depends on the recipe's seed alone."""
    generator = torch.Generator().manual_seed(recipe.seed)
    return endless(partial(blocks, stream("training"), recipe, generator))


def next_token_loss(model: GPT, ids: Tensor) -> Tensor:
    """Mean loss of the next token, in nats; ids `(B, T + 1)`. There is no padding: each token counts."""
    inputs, labels = shift(ids, pad_id=None)  # (B, T) each
    return token_loss(model(inputs)[0], labels)


def counted(ids: Tensor) -> int:
    """How many tokens the loss of a batch `(B, T + 1)` is a mean of."""
    return ids[:, 1:].numel()


def task() -> Task:
    """Guess the next token of the library's source; the loss is in nats a token."""
    return Task(batches, next_token_loss, counted)
