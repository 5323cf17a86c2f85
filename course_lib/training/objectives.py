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


# ---------------------------------------------------------------- answers: only they count


def shift_answers(ids: Tensor, answer: Tensor) -> tuple[Tensor, Tensor]:
    """As `shift`, where only the answers count: their flags move with the tokens, so none is lost.

        ids      <user>  where  is  Ann  <end>  <assistant>  here  <end>
        answer      ·      ·     ·    ·     ·        ·         x     x
        labels           -100  -100 -100  -100     -100       here  <end>      each stands below its token

    Args:
        ids: prompt and answer, padded on the right, `(B, T + 1)`.
        answer: boolean, `(B, T + 1)`; True = the model has to write this token. The token that ends an answer
            belongs to it.

    Returns:
        inputs `(B, T)` and labels `(B, T)`, -100 where no answer stands.

    Raises:
        ValueError: shapes that do not fit, flags that are not boolean, or a first token that counts.
    """
    inputs, labels = shift(ids, pad_id=None)
    if answer.shape != ids.shape:
        raise ValueError(
            f"answer has shape {tuple(answer.shape)}, expected {tuple(ids.shape)}, that of ids: one flag for "
            "each token as it stands in the text; the shift is done here"
        )
    checks.boolean(answer, "answer", "the model has to write this token")
    if answer[:, 0].any():
        raise ValueError("answer counts the first token of a row, expected a prompt before every answer")
    return inputs, labels.masked_fill(~answer[:, 1:], IGNORE)


def token_log_probs(logits: Tensor, labels: Tensor) -> Tensor:
    """The log-probability of each label, and 0 where the label is -100.

    Args:
        logits: `(B, T, V)`.
        labels: `(B, T)`.

    Returns:
        `(B, T)`, in nats, none above 0; `.sum(1)` is that of a whole answer.
    """
    return -F.cross_entropy(logits.transpose(1, 2), labels, ignore_index=IGNORE, reduction="none")


def answer_log_probs(model: nn.Module, ids: Tensor, answer: Tensor) -> Tensor:
    """How likely a model finds each token of an answer, given the prompt and the answer so far.

    Args:
        model: ids `(B, T)` to logits `(B, T, V)`, the first of several things that it returns.
        ids, answer: as in `shift_answers`, `(B, T + 1)`.

    Returns:
        log-probabilities `(B, T)`: the one at t is that of token t + 1; 0 where that is no answer.
    """
    inputs, labels = shift_answers(ids, answer)
    return token_log_probs(model(inputs)[0], labels)


def answer_loss(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
    """Supervised fine-tuning (SFT): the mean loss of the answers' tokens, in nats a token.

    The sum over counted tokens divided by their number: a long prompt does not make it smaller.

    Args:
        model: as in `answer_log_probs`.
        batch: ids and answer as in `shift_answers`.

    Raises:
        ValueError: as `shift_answers`, or a batch without any answer.
    """
    inputs, labels = shift_answers(*batch)
    return token_loss(model(inputs)[0], labels)
