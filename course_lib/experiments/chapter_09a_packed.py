"""Chapter 09a: what crosses the boundary between packed documents, and what it costs to stop it.

Stories of Tiny Town lie one behind the other in rows of equal length (`text/packing`). Without a document
mask a story is read with the end of another in view; with it, each is read as if it stood alone.
"""

import time
from collections.abc import Iterator
from functools import cache, partial

import torch
from torch import Tensor

from course_lib.experiments.chapter_09a import HELD_OUT, SEEDS, SMALL, STORIES, scheduled, trained
from course_lib.experiments.records import Experiment, Row, rounded
from course_lib.masks import causal_mask, document_mask
from course_lib.models import evaluating
from course_lib.models.gpt import GPT
from course_lib.tasks import town_gpt
from course_lib.tasks.town_gpt.stories import MAX_LEN, TRAINING_SEED
from course_lib.text.batching import pad
from course_lib.text.packing import Packed, pack
from course_lib.text.tokenizers import EOS_ID
from course_lib.training.objectives import shift, token_loss
from course_lib.training.recipe import Recipe, Task, vary

LENGTH = MAX_LEN  # tokens in a row: about three stories
ROWS = 5  # in a batch: about as many tokens as 16 stories have
STEPS = 200
TIMED = (LENGTH, 1024)
WAYS = ("no mask", "document mask")


def mask_rows(seed: int, steps: int) -> list[Row]:
    """The same packed rows, with and without the document mask."""
    return [mask_row(way, seed, steps) for way in WAYS]


def mask_row(way: str, seed: int, steps: int) -> Row:
    """One way: the gap on held-out stories that stand alone, and how many times as long a step takes."""
    recipe = scheduled(vary(SMALL, seed=seed, batch_size=ROWS), steps)
    masked = way == "document mask"
    model = trained(recipe, Task(batches, partial(packed_loss, masked=masked)))
    found = {"gap": gap_alone(model)}
    for length in TIMED:
        found[f"times_as_long_{length}"] = times_as_long(recipe, length) if masked else 1.0
    return {"seed": seed, "step": steps, "way": way} | rounded(found)


@cache
def stories(n: int, length: int = LENGTH) -> Packed:
    """Stories to learn from, packed; `[EOS]` is the boundary token."""
    documents = [ids[1:-1] for ids in town_gpt.encoded(n, TRAINING_SEED)]  # without [BOS] and [EOS]
    return pack(documents, length, EOS_ID)


def batches(recipe: Recipe, n_stories: int = STORIES) -> Iterator[Packed]:
    """Packed rows in an order that depends on the seed alone, epoch after epoch."""
    generator, packed = torch.Generator().manual_seed(recipe.seed), stories(n_stories)
    while True:
        for rows in torch.randperm(len(packed.inputs), generator=generator).split(recipe.batch_size):
            yield Packed(*(part[rows] for part in packed))


def packed_loss(model: GPT, batch: Packed, masked: bool) -> Tensor:
    """Mean loss of the next token, in nats; each story on its own, or with those before it in view."""
    allowed = document_mask(batch.documents) if masked else None
    return token_loss(model(batch.inputs, allowed)[0], batch.labels)


def gap_alone(model: GPT, n: int = HELD_OUT) -> float:
    """The gap on held-out stories that stand alone behind a boundary token, nats a token."""
    told = town_gpt.stories(n)
    ids = pad([[EOS_ID, *town_gpt.WORDS.encode(story.english_tokens), EOS_ID] for story in told])
    inputs, labels = shift(ids)  # (N, T) each
    with evaluating(model):
        return token_loss(model(inputs)[0], labels).item() - town_gpt.floor(told)


def times_as_long(recipe: Recipe, length: int, n: int = 11) -> float:
    """How many times as long a step takes with the mask: medians of forward and backward passes in turn.

    Args:
        recipe: of the model; its rows hold about as many tokens in all, whatever their length.
        length: tokens in a row.
        n: steps of each kind.
    """
    model, packed = vary(recipe, max_len=length).model.build(), stories(1_000, length)
    size, seconds = max(1, ROWS * LENGTH // length), {False: [], True: []}
    for start in range(n):
        batch = Packed(*(part[start : start + size] for part in packed))
        for masked, taken in seconds.items():
            began = time.process_time()
            packed_loss(model, batch, masked).backward()
            taken.append(time.process_time() - began)
    with_mask, without = (torch.tensor(seconds[masked]).median().item() for masked in (True, False))
    return with_mask / without


# ---------------------------------------------------------------- what crosses a boundary


def leak(model: GPT, packed: Packed, row: int = 0, *, masked: bool = False) -> Tensor:
    """Change the last word of one document, and look at the others: whose scores move, and how far?

    The model reads each token at its place of `packed.positions`, so that it can be seen whether positions
    that begin anew keep documents apart.

    Args:
        model: a GPT with learned positions.
        packed: from `pack`.
        row: which row of it.
        masked: read under the document mask.

    Returns:
        `(D, D)` for the D documents of the row: entry (a, b) is the largest move of a score in document b
        when document a changes. Above 0 off the diagonal is a leak.

    Raises:
        ValueError: a model without learned positions.
    """
    if model.config.positions != "learned":
        raise ValueError(
            f"model has {model.config.positions} positions, expected learned ones: others cannot be restarted"
        )
    ids, places = packed.inputs[row], packed.positions[row]  # (T,) each
    owners = packed.documents[row].unique_consecutive(return_inverse=True)[1]  # (T,): 0, 1, 2 …
    allowed = document_mask(owners[None]) if masked else causal_mask(len(ids))

    def scores(ids: Tensor) -> Tensor:
        x = model.token_embedding(ids[None]) + model.position_embedding(places)  # (1, T, D)
        for layer in model.layers:
            x = layer(x, allowed)[0]
        return model.lm_head(model.final_norm(x))[0]  # (T, V)

    with evaluating(model):
        before, moved = scores(ids), []
        n = int(owners[-1]) + 1
        for owner in range(n):
            other, last = ids.clone(), int((owners == owner).nonzero()[-1])
            other[last] = (ids[last] + 1) % model.config.vocab_size
            away = (scores(other) - before).abs().amax(-1)  # (T,)
            moved.append([away[owners == seen].max() for seen in range(n)])
    return torch.tensor(moved)


EXPERIMENTS = (
    Experiment(
        "document-mask",
        "What does it change to keep packed stories apart?",
        mask_rows,
        group="way",
        measure="gap",
        seeds=SEEDS,
        steps=STEPS,
        live_steps=STEPS,
        tolerance=0.05,
        short_steps=40,
    ),
)
