"""What a model is trained to do: losses over the counted tokens."""

from torch import Tensor, nn
from torch.nn import functional as F

from course_lib.text.tokenizers import PAD_ID

IGNORE = -100  # targets with this id are not counted


def shift(ids: Tensor) -> tuple[Tensor, Tensor]:
    """Split a text into what the decoder reads and what it must say: the one place where labels are shifted.

    Args:
        ids: `[BOS] … [EOS]`, padded with `[PAD]`, `(B, T + 1)`.

    Returns:
        inputs `(B, T)`, without the last token, and labels `(B, T)`, without the first, `[PAD]` as -100.

    Raises:
        ValueError: fewer than two tokens a row.
    """
    if ids.dim() != 2 or ids.shape[1] < 2:
        raise ValueError(
            f"ids has shape {tuple(ids.shape)}, expected (B, T + 1) with T ≥ 1: [BOS] and a next token"
        )
    labels = ids[:, 1:]
    return ids[:, :-1], labels.masked_fill(labels == PAD_ID, IGNORE)


def token_loss(logits: Tensor, labels: Tensor, *, label_smoothing: float = 0.0) -> Tensor:
    """Mean cross-entropy over the counted tokens, in nats a token.

    Args:
        logits: `(B, T, V)`.
        labels: ids `(B, T)`; -100 is not counted.
        label_smoothing: share of the target spread evenly over the vocabulary.

    Returns:
        a scalar: the sum over counted tokens divided by their number.

    Raises:
        ValueError: the two shapes do not fit, or no token is counted.
    """
    if logits.shape[:-1] != labels.shape:
        raise ValueError(
            f"logits has shape {tuple(logits.shape)} and labels {tuple(labels.shape)}, "
            "expected (B, T, V) and (B, T): one score for each token of the vocabulary at each label"
        )
    if (labels == IGNORE).all():
        raise ValueError(f"labels holds nothing but {IGNORE}, expected at least one token to count")
    return F.cross_entropy(
        logits.flatten(0, 1), labels.flatten(), ignore_index=IGNORE, label_smoothing=label_smoothing
    )


def pair_loss(model: nn.Module, batch: tuple[Tensor, Tensor], *, label_smoothing: float = 0.0) -> Tensor:
    """Mean loss of the next target token, given the source and the true tokens before it (nats a token)."""
    source, target = batch
    inputs, labels = shift(target)  # (B, T) each
    logits, _ = model(source, inputs)  # (B, T, V)
    return token_loss(logits, labels, label_smoothing=label_smoothing)
