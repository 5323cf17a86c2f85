"""The families, from the same blocks: by wiring and mask alone; and what each learns.

    encoder-decoder   the input goes through the encoder, `[BOS]` and the output through the decoder
    decoder-only      one row, input `[BOS]` output, under a causal mask
    prefix-LM         the same row; all of the input is open to all of the input
    encoder-only      the same row, all open to all; it learns to fill blanks

One stack of L layers has P parameters, and a token costs it M. Cross-attention costs something, too: where a
decoder has it, the feed-forward networks are narrower by as much, so that counts stay equal (T5 neglects it).

    one stack            L         d_ff 4D    parameters  L · 12 D²                           P     M
    encoder-decoder      L + L     d_ff 3D    L · (4 + 6) D² + L · (8 + 6) D²                 2P    M
    half as deep         L/2 + L/2 d_ff 3D    half of that                                    P     M/2
    shared               L + L     d_ff 2D    L · (4 + 4) D², and L · 4 D² of cross-attention P     5/6 M

Axes: B batch, S input positions, T output positions, N = S + T positions of a row, D d_model, V vocabulary.

Shared: self-attention, feed-forward networks and norms are the encoder's; cross-attention and its norm are
the decoder's own. (T5 does not say what its shared variant does with cross-attention.)

Source: Raffel et al. 2020 (T5), section 3.2.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from course_lib.families import family_of
from course_lib.masks import causal_mask, padding_mask, prefix_mask
from course_lib.models.transformer import OneStack, OneStackConfig, Transformer, TransformerConfig
from course_lib.tasks.families.examples import (
    CHOSEN,
    JOBS,
    MAX_LEN,
    STORIES,
    WORDS,
    Example,
    blanks,
    output_labels,
    rows,
    training_examples,
)
from course_lib.text.batching import batches_by_length, endless, pad
from course_lib.text.tokenizers import BOS_ID, EOS_ID, PAD_ID
from course_lib.training.objectives import pair_loss, shift, token_loss
from course_lib.training.recipe import Recipe, Task, vary

D_MODEL, N_LAYERS = 64, 4


@dataclass(frozen=True)
class SharedConfig(TransformerConfig):
    """An encoder-decoder whose decoder is the encoder once more, with cross-attention of its own."""

    def build(self) -> Transformer:
        """A model with random parameters."""
        model = Transformer(self)
        for read, write in zip(model.encoder.layers, model.decoder.layers, strict=True):
            for part in ("self_attention", "around_self", "feed_forward", "around_feed_forward"):
                setattr(write, part, getattr(read, part))
        model.decoder.final_norm = model.encoder.final_norm
        return model


def _config(kind: type, d_ff: int, **sizes) -> OneStackConfig | TransformerConfig:
    blocks = {"d_model": D_MODEL, "n_heads": 4, "dropout": 0.0, "norm_first": True, "max_len": MAX_LEN}
    return kind(d_ff=d_ff * D_MODEL, **blocks, **sizes)


_ONE = _config(OneStackConfig, 4, vocab_size=len(WORDS), n_layers=N_LAYERS)
_BOTH = {"source_vocab": len(WORDS), "target_vocab": len(WORDS)}


def _two(n_layers: int, d_ff: int = 3, kind: type = TransformerConfig) -> TransformerConfig:
    return _config(kind, d_ff, encoder_layers=n_layers, decoder_layers=n_layers, **_BOTH)


@dataclass(frozen=True)
class Variant:
    """A family with its sizes, and what it learns from.

    Args:
        family: "encoder-decoder", "decoder-only", "prefix-LM" or "encoder-only".
        model: its sizes.
        counted: "output", "all" (each token of the row counts, of a decoder-only model), "blanks" (a share of
            the words) or "any blanks" (a share drawn anew for each row).
    """

    family: str
    model: OneStackConfig | TransformerConfig
    counted: str = "output"


VARIANTS = {
    "decoder-only": Variant("decoder-only", _ONE),
    "decoder-only, all tokens": Variant("decoder-only", _ONE, "all"),
    "prefix-LM": Variant("prefix-LM", _ONE),
    "encoder-only": Variant("encoder-only", _ONE, "blanks"),
    "encoder-only, any share": Variant("encoder-only", _ONE, "any blanks"),
    "encoder-decoder, half": Variant("encoder-decoder", _two(N_LAYERS // 2)),
    "encoder-decoder, shared": Variant("encoder-decoder", _two(N_LAYERS, 2, SharedConfig)),
    "encoder-decoder, 2P": Variant("encoder-decoder", _two(N_LAYERS)),
}
RECIPE = Recipe(_ONE, steps=1000, batch_size=32, lr=2e-3)


def recipe_of(variant: Variant, **changes) -> Recipe:
    """The recipe that all share, with a variant's sizes; models of one stack then begin as the same model."""
    return vary(RECIPE, model=variant.model, **changes)


# ---------------------------------------------------------------- who sees what


def allowed_in(family: str, ids: Tensor, n_input: Tensor) -> Tensor:
    """The mask that makes one stack a family.

    Args:
        family: "decoder-only", "prefix-LM" or "encoder-only".
        ids: rows `(B, N)`, padded on the right.
        n_input: tokens of each input `(B,)`.

    Returns:
        `allowed`, boolean, broadcastable to `(B, H, N, N)`. (Under a causal mask nobody sees the padding,
        which stands behind everything.)

    Raises:
        ValueError: another family.
    """
    if family == "decoder-only":
        return causal_mask(ids.shape[1])
    if family == "prefix-LM":
        return prefix_mask(ids.shape[1], n_input)
    if family == "encoder-only":
        return padding_mask(ids, PAD_ID)
    raise ValueError(f"family is {family_of(family).name!r}, expected one of a single stack")


def row_logits(model: OneStack, ids: Tensor, n_input: Tensor, family: str) -> Tensor:
    """Scores at each position of some rows `(B, N)` under a family's mask: `(B, N, V)`."""
    return model(ids, allowed_in(family, ids, n_input))[0]


# ---------------------------------------------------------------- what is learned


class RowBatch(NamedTuple):
    """What one stack reads and what it must say."""

    inputs: Tensor  # (B, N)
    labels: Tensor  # (B, N); -100 is not counted
    n_input: Tensor  # (B,)


def row_loss(model: OneStack, batch: RowBatch, family: str) -> Tensor:
    """Mean loss over the labels, in nats a token."""
    return token_loss(row_logits(model, batch.inputs, batch.n_input, family), batch.labels)


def batch_for(
    variant: Variant, chosen: Sequence[Example], rng: random.Random
) -> RowBatch | tuple[Tensor, Tensor]:
    """Examples as a variant learns from them: rows with labels, or source `(B, S)` and target `(B, T + 1)`.

    Raises:
        ValueError: a variant that counts something else than those of VARIANTS.
    """
    n_input = torch.tensor([len(one.input) for one in chosen])
    if variant.family == "encoder-decoder":
        targets = [[BOS_ID, *one.output, EOS_ID] for one in chosen]
        return pad([one.input for one in chosen]), pad(targets)
    if variant.counted in ("blanks", "any blanks"):
        return RowBatch(*blanks(chosen, rng, CHOSEN if variant.counted == "blanks" else None), n_input)
    if variant.counted == "output":
        return RowBatch(*output_labels(*rows(chosen)), n_input)
    if variant.counted == "all" and variant.family == "decoder-only":
        return RowBatch(*shift(rows(chosen).ids), n_input)
    raise ValueError(
        f"counted is {variant.counted!r} with family {variant.family!r}: expected 'output', 'blanks', "
        "'any blanks', or 'all' of a decoder-only model (an open input's next token can be copied)"
    )


def batches(recipe: Recipe, variant: Variant, n_stories: int = STORIES) -> Iterator:
    """Batches for ever, of the same examples in the same order for all variants.

    A batch holds one job (seldom two) and texts of like length, so that no family spends time on padding that
    another does not have.
    """
    generator, rng = torch.Generator().manual_seed(recipe.seed), random.Random(f"blanks {recipe.seed}")
    known = training_examples(n_stories)
    lengths = [1000 * JOBS.index(one.job) + len(one.input) + len(one.output) for one in known]
    for chosen in endless(partial(batches_by_length, lengths, recipe.batch_size, generator)):
        yield batch_for(variant, [known[i] for i in chosen], rng)


def loss_of(variant: Variant) -> partial:
    """The loss of a variant: model and batch to nats a token."""
    return partial(pair_loss if variant.family == "encoder-decoder" else row_loss, **_mask_of(variant))


def _mask_of(variant: Variant) -> dict[str, str]:
    return {} if variant.family == "encoder-decoder" else {"family": variant.family}


def task(variant: Variant, n_stories: int = STORIES) -> Task:
    """All three jobs at once, as a variant learns them."""
    return Task(partial(batches, variant=variant, n_stories=n_stories), loss_of(variant))
