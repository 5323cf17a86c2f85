"""What a family costs: parameters, operations of a training step, and how many targets it gets for a token.

Axes: B batch, S input positions, T output positions, N positions of a row, D d_model, V vocabulary.
"""

from functools import cache
from typing import NamedTuple

from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from course_lib import costs
from course_lib.models.transformer import OneStackConfig, TransformerConfig
from course_lib.tasks.families.examples import STORIES
from course_lib.tasks.families.wiring import RECIPE, VARIANTS, RowBatch, Variant, batches, loss_of
from course_lib.text.tokenizers import PAD_ID
from course_lib.training.objectives import IGNORE, shift


def n_parameters(model: nn.Module) -> int:
    """How many numbers are learned; what two parts share is counted once."""
    return sum(parameter.numel() for parameter in model.parameters())


def training_flops(
    config: OneStackConfig | TransformerConfig, batch: RowBatch | tuple[Tensor, Tensor]
) -> int:
    """Operations of the matrix products in one training step, by formula.

    A product of `(m, k)` and `(k, n)` takes 2 · m · k · n operations forward, and twice as many backward: one
    product for what came in, one for the parameters.

    Args:
        config: sizes.
        batch: from `batch_for`; its padding is computed like anything else.
    """
    d, f = config.d_model, config.d_ff
    attend = lambda queries, keys: 4 * queries * keys * d  # scores, then the weighted sum  # noqa: E731
    dense = lambda tokens, matrices: 2 * tokens * matrices  # noqa: E731
    if isinstance(batch, RowBatch):
        b, n = batch.inputs.shape
        layer = dense(n, 4 * d * d + 2 * d * f) + attend(n, n)
        return 3 * b * (config.n_layers * layer + dense(n, d * config.vocab_size))
    (b, s), t = batch[0].shape, batch[1].shape[1] - 1
    encoder = dense(s, 4 * d * d + 2 * d * f) + attend(s, s)
    decoder = dense(t, 6 * d * d + 2 * d * f) + attend(t, t) + dense(s, 2 * d * d) + attend(t, s)
    stacks = config.encoder_layers * encoder + config.decoder_layers * decoder
    return 3 * b * (stacks + dense(t, d * config.target_vocab))


def counted_flops(variant: Variant, batch: RowBatch | tuple[Tensor, Tensor]) -> int:
    """The same, counted by torch while it computes one step."""
    model, loss = variant.model.build(), loss_of(variant)
    with sdpa_kernel(SDPBackend.MATH):  # as separate products: torch does not count inside its fused kernel
        return costs.operations(lambda: loss(model, batch).backward())


def passing(batch: RowBatch | tuple[Tensor, Tensor]) -> tuple[int, int]:
    """Tokens that pass through the model in one step, and how many targets count; padding left out."""
    if isinstance(batch, RowBatch):
        read, labels = (batch.inputs,), batch.labels
    else:
        inputs, labels = shift(batch[1])
        read = (batch[0], inputs)
    return sum(int((ids != PAD_ID).sum()) for ids in read), int((labels != IGNORE).sum())


class Flow(NamedTuple):
    """What passes through a model in a training step: means."""

    flops: float
    tokens: float
    targets: float


@cache
def flow(variant: Variant, n_batches: int = 120, n_stories: int = STORIES) -> Flow:
    """Means over the first batches of a training."""
    stream, sums = batches(RECIPE, variant, n_stories), [0, 0, 0]
    for _ in range(n_batches):
        batch = next(stream)
        found = (training_flops(variant.model, batch), *passing(batch))
        sums = [total + one for total, one in zip(sums, found, strict=True)]
    return Flow(*(total / n_batches for total in sums))


def equal_steps(variant: Variant, steps: int) -> int:
    """As many steps as cost what `steps` steps of a decoder-only model cost."""
    return round(steps * flow(VARIANTS["decoder-only"]).flops / flow(variant).flops)
