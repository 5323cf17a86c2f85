"""A small language model of Python source, character by character: text that nobody made for this course.

    the text    the standard library's own source, as it lies on the reader's disk (`data/python_library`)
    the task    at every position, guess the next character from those before it
    the model   attention alone (`models/attention_only`): token and position embeddings, two layers of heads

The library differs from one Python to the next, so what is measured here is a range, never one figure.

Axes: B batch, T positions, H heads, V vocabulary.
"""

import string
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, partial

import torch
from torch import Tensor
from torch.nn import functional as F

from course_lib import interpret
from course_lib.data import python_library
from course_lib.generation import WholeText, sample
from course_lib.masks import causal_mask
from course_lib.models import evaluating
from course_lib.models.attention_only import AttentionOnly, AttentionOnlyConfig
from course_lib.tasks.town_lm import Reader, causal
from course_lib.text.tokenizers import CharacterTokenizer
from course_lib.training.objectives import shift, token_loss
from course_lib.training.recipe import Recipe, Task

# ASCII as it is typed: any other character is [UNK] (less than one in a thousand)
CHARACTERS = CharacterTokenizer("\n\t" + "".join(c for c in string.printable if c == " " or c.isprintable()))
WINDOW = 64  # characters that the model reads at once
TRAINING_CHARACTERS, VALIDATION_CHARACTERS = 2_000_000, WINDOW * 400

RECIPE = Recipe(
    AttentionOnlyConfig(len(CHARACTERS), d_model=64, n_heads=4, n_layers=2, max_len=WINDOW),
    steps=500,
    batch_size=32,
    lr=1e-2,
)


@cache
def text_ids(which: str, n_characters: int) -> Tensor:
    """The first characters of one split of the library as ids, `(n,)`; see `python_library.text`."""
    return torch.tensor(CHARACTERS.encode(python_library.text(which, max_characters=n_characters)))


def batches(recipe: Recipe, n_characters: int = TRAINING_CHARACTERS) -> Iterator[Tensor]:
    """Windows cut from the training text at random places, for ever: ids `(B, T + 1)`."""
    ids, length = text_ids("train", n_characters), recipe.model.max_len + 1
    if len(ids) < length:
        raise ValueError(f"n_characters is {n_characters}, expected at least one window of {length}")
    generator = torch.Generator().manual_seed(recipe.seed)
    inside = torch.arange(length)
    while True:
        starts = torch.randint(len(ids) - length + 1, (recipe.batch_size, 1), generator=generator)
        yield ids[starts + inside]  # (B, T + 1)


def next_character_loss(model: AttentionOnly, ids: Tensor, reader: Reader = causal) -> Tensor:
    """Mean loss of the next character (nats): `(B, T + 1)` ids to a scalar."""
    inputs, labels = shift(ids)  # (B, T) each
    return token_loss(reader(model, inputs), labels)


def task(reader: Reader = causal, *, n_characters: int = TRAINING_CHARACTERS) -> Task:
    """Guess the next character of the library's source; the loss is in nats a character."""
    return Task(partial(batches, n_characters=n_characters), partial(next_character_loss, reader=reader))


def loss(model: AttentionOnly, reader: Reader = causal) -> float:
    """Mean loss on modules that training never saw, in nats a character; windows side by side."""
    length = model.config.max_len
    ids = text_ids("validation", VALIDATION_CHARACTERS)
    windows = ids[: len(ids) // length * length].view(-1, length)  # (B, T)
    with evaluating(model):
        losses = [next_character_loss(model, part, reader) * len(part) for part in windows.split(64)]
    return (sum(losses) / len(windows)).item()


@dataclass(frozen=True)
class Baselines:
    """Losses of guesses without a model, in nats a character, counted on the training text."""

    unigram: float  # how often each character occurs, whatever stands before it
    bigram: float  # how often each follows the one before it


def baselines(n_characters: int = TRAINING_CHARACTERS) -> Baselines:
    """What counting alone reaches on the validation text (every count begins at one)."""
    train, test = text_ids("train", n_characters), text_ids("validation", VALIDATION_CHARACTERS)
    size = len(CHARACTERS)
    counts = torch.ones(size, size)  # (before, next)
    counts += torch.bincount(train[:-1] * size + train[1:], minlength=size * size).view(size, size)
    after = (counts / counts.sum(1, keepdim=True)).log()
    alone = (counts.sum(0) / counts.sum()).log()
    return Baselines(-alone[test[1:]].mean().item(), -after[test[:-1], test[1:]].mean().item())


def read(line: str, model: AttentionOnly) -> tuple[list[str], Tensor, Tensor]:
    """A line as the model sees it: for looking at its heads.

    Args:
        line: any text; a character that the model does not know is read as `[UNK]`.
        model: from `new_model(RECIPE)`, trained.

    Returns:
        its T characters; the weights of all heads `(L, H, T, T)`, L layers; and the model's probability
        of each character given those before it, `(T,)` (the first is nan: nothing stands before it).

    Raises:
        ValueError: no character, or more than the model reads at once.
    """
    if not 1 <= len(line) <= model.config.max_len:
        raise ValueError(
            f"line has {len(line)} characters, expected 1 to {model.config.max_len}: the model's window"
        )
    ids = torch.tensor([CHARACTERS.encode(line)])  # (1, T)
    mask = causal_mask(len(line))
    with evaluating(model):
        logits, weights = model(ids, mask, need_weights=True)  # (1, T, V), L × (1, H, T, T)
    chances = F.softmax(logits[0, :-1], -1).gather(1, ids[0, 1:, None])[:, 0]  # (T - 1,)
    nothing = torch.full((1,), torch.nan)
    return list(line), torch.cat(weights), torch.cat([nothing, chances])


def write(
    model: AttentionOnly, start: str = "def ", n: int = 200, *, temperature: float = 0.8, seed: int = 0
) -> str:
    """Let the model write on, character by character; it always sees the last `max_len` characters.

    Args:
        model: trained.
        start: what the text begins with.
        n: new characters, at most.
        temperature: 0 always takes the likeliest character.
        seed: of the draws.

    Raises:
        ValueError: an empty start.
    """
    if not start:
        raise ValueError("start is empty, expected at least one character to go on from")
    prompt = torch.tensor([CHARACTERS.encode(start)])  # (1, T)
    generator = torch.Generator().manual_seed(seed)
    writer = WholeText(partial(causal, model), model.config.max_len)
    with evaluating(model):
        ids = sample(writer, prompt, n, temperature=temperature, generator=generator)
    return start + CHARACTERS.decode(ids[0].tolist()[prompt.shape[1] :])


def places(ids: Tensor) -> dict[str, Tensor]:
    """Kinds of places at which a head could look, for ids `(B, T)`: name -> `(B, T, T)`, query by key.

    "just before": the last character. "word so far": what stands before in the same name or number. "line
    break": the last one. "bracket or quote": any bracket or quotation mark before. "same character": each
    earlier place where the query's own character stands.
    """
    n = ids.shape[1]
    before = causal_mask(n) & ~torch.eye(n, dtype=torch.bool)  # (T, T)
    kind = [CHARACTERS.decode([i]) for i in range(len(CHARACTERS))]
    in_word = torch.tensor([c.isalnum() or c == "_" for c in kind])[ids]  # (B, T)
    word = (~in_word).cumsum(1)  # the same number from one end of a word to the other
    same_word = in_word[:, :, None] & in_word[:, None] & (word[:, :, None] == word[:, None])  # (B, T, T)
    at = torch.arange(n)
    last_break = torch.where(ids == kind.index("\n"), at, -1).cummax(1).values  # (B, T), -1: none yet
    marks = torch.tensor([c in "()[]{}'\"" for c in kind])[ids]  # (B, T)
    found = {
        "just before": (at == at[:, None] - 1).expand(len(ids), n, n),
        "word so far": same_word,
        "line break": at == last_break[:, :, None],
        "bracket or quote": marks[:, None].expand(len(ids), n, n),
        "same character": ids[:, :, None] == ids[:, None],
    }
    return {name: place & before for name, place in found.items()}


def looks(model: AttentionOnly, n_windows: int = 200) -> tuple[Tensor, Tensor, list[str]]:
    """Where the heads of the first layer look, on modules that training never saw.

    Args:
        model: trained.
        n_windows: how many windows are read.

    Returns:
        shares `(H, Q)` of Q kinds of places; what even weights would give, `(Q,)`; the kinds' names.
    """
    length = model.config.max_len
    ids = text_ids("validation", VALIDATION_CHARACTERS)[: n_windows * length].view(-1, length)  # (B, T)
    allowed = causal_mask(length)
    weights = interpret.head_weights(model, ids, allowed)[0]  # (B, H, T, T)
    found = {name: interpret.share_on(weights, place, allowed) for name, place in places(ids).items()}
    shares = torch.stack([share for share, _ in found.values()], dim=1)  # (H, Q)
    return shares, torch.tensor([even for _, even in found.values()]), list(found)
