"""What a model is trained to do: losses over the counted tokens."""

import math

from torch import Tensor, nn
from torch.nn import functional as F

from course_lib import checks
from course_lib.text.tokenizers import PAD_ID

IGNORE = -100  # targets with this id are not counted


def shift(ids: Tensor, pad_id: int | None = PAD_ID) -> tuple[Tensor, Tensor]:
    """Split a text into what the decoder reads and what it must say: the one place where labels are shifted.

    Args:
        ids: `[BOS] … [EOS]`, padded, or blocks of a text, `(B, T + 1)`.
        pad_id: what pads them; None: nothing does, and each token counts.

    Returns:
        inputs `(B, T)`, without the last token, and labels `(B, T)`, without the first, padding as -100.

    Raises:
        ValueError: fewer than two tokens a row.
    """
    if ids.dim() != 2 or ids.shape[1] < 2:
        raise ValueError(
            f"ids has shape {tuple(ids.shape)}, expected (B, T + 1) with T ≥ 1: [BOS] and a next token"
        )
    labels = ids[:, 1:]
    return ids[:, :-1], labels if pad_id is None else labels.masked_fill(labels == pad_id, IGNORE)


def token_loss(logits: Tensor, labels: Tensor, *, label_smoothing: float = 0.0) -> Tensor:
    """Mean cross-entropy over the counted tokens, in nats a token.

    Args:
        logits: `(B, T, V)`.
        labels: ids `(B, T)`; -100 is not counted.
        label_smoothing: share of the target that is spread evenly over the vocabulary, the right token and
            `[PAD]` included; the loss cannot fall below `smoothing_floor`.

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


def smoothing_floor(vocab_size: int, epsilon: float, spared: int = 0) -> float:
    """The lowest loss under label smoothing, in nats a token: the entropy of the smoothed target.

    A target that is not certain has an entropy, and no prediction can have a lower cross-entropy with it. So
    a smoothed loss that stops falling at this floor is not stuck.

    Args:
        vocab_size: V.
        epsilon: the share of the target that is spread.
        spared: how many tokens get nothing of it. 0: it goes to all V tokens, the right one included (torch,
            and `token_loss`); 1: to all but the right one; 2: to all but the right one and `[PAD]`.

    Returns:
        0.702 for V = 50, ε = 0.1 (with 1 spared 0.714, with 2 spared 0.712); 1.377 for V = 37,000.

    Raises:
        ValueError: a share outside 0 to 1, `spared` below 0, or no token left to get the rest.

    Source: Szegedy et al. 2016, section 7 (the idea); Vaswani et al. 2017, section 5.4 (ε = 0.1).
    """
    checks.share("epsilon", epsilon)
    others = vocab_size - max(spared, 1)  # tokens that are not the right one and get their part
    if spared < 0 or others < 1:
        raise ValueError(
            f"vocab_size is {vocab_size} with {spared} spared, expected one token at least that gets a part"
        )
    part = epsilon / (vocab_size - spared)
    right = 1 - epsilon + (part if spared == 0 else 0.0)
    return -right * math.log(right) - (others * part * math.log(part) if part else 0.0)


def pair_loss(model: nn.Module, batch: tuple[Tensor, Tensor], *, label_smoothing: float = 0.0) -> Tensor:
    """Mean loss of the next target token, given the source and the true tokens before it (nats a token)."""
    source, target = batch
    inputs, labels = shift(target)  # (B, T) each
    logits, _ = model(source, inputs)  # (B, T, V)
    return token_loss(logits, labels, label_smoothing=label_smoothing)
