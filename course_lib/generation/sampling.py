"""Writing one text, one token after another: the likeliest each time, or drawn."""

from collections.abc import Iterable, Sequence
from numbers import Integral

import torch
from torch import Tensor

from course_lib import checks
from course_lib.text.tokenizers import BOS_ID, EOS_ID, PAD_ID

from .filters import check_settings, draw
from .writers import Writer, looking_at


def greedy(model: Writer, source: Tensor, max_new_tokens: int) -> tuple[Tensor, Tensor | None]:
    """Take the most likely token at each step.

    Args:
        model: one that reads a source; a model with modes is used in evaluation mode, and put back.
        source: ids `(B, S)`, padded on the right.
        max_new_tokens: stop here even where no `[EOS]` has come.

    Returns:
        ids `(B, T)`, with `[PAD]` after each `[EOS]`, and attention weights `(B, T, S)`: row t belongs to
        the step that wrote token t. None where the model has no weights.

    Raises:
        ValueError: `max_new_tokens` below 1.
    """
    checks.at_least_1(max_new_tokens=max_new_tokens)
    with looking_at(model):
        state = model.encode(source)
        token = torch.full_like(source[:, 0], BOS_ID)  # (B,)
        done = torch.zeros_like(token, dtype=torch.bool)
        ids, rows = [], []
        for _ in range(max_new_tokens):
            logits, row, state = model.next_logits(token[:, None], state)
            token = logits.argmax(-1).masked_fill(done, PAD_ID)  # (B,)
            ids.append(token)
            rows.append(row)
            done |= token == EOS_ID
            if done.all():
                break
    weights = None if rows[0] is None else torch.stack(rows, dim=1)  # (B, T, S)
    return torch.stack(ids, dim=1), weights


@torch.no_grad()
def sample(
    model: Writer,
    prompt: Tensor,
    max_new_tokens: int,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    stop_ids: Sequence[int] = (EOS_ID,),
    pad_id: int = PAD_ID,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Go on from a prompt, one token after another.

    The number of new tokens has nothing to do with the model's window: a GPT, or `WholeText`, sees the last
    `max_len` tokens of a text that is longer, and writes on. So it is with a prompt that is longer.

    Args:
        model: one whose first state is None; a model with modes is used in evaluation mode, and put back.
        prompt: ids `(B, T)`, rows of equal length without padding; `[BOS]` first, where the model knows it.
        max_new_tokens: stop here even where no stop token has come.
        temperature, top_k, top_p: as for `draw`, and in this order; temperature 0 always takes the likeliest
            token, and then the filters change nothing.
        stop_ids: a row ends with the first of these that it writes; with none of them it never ends. In a
            prompt they end nothing, but for `[EOS]`: a text that holds it is over.
        pad_id: stands behind the end of a row.
        generator: source of the draws.

    Returns:
        ids `(B, T + new)`, prompt included, with `pad_id` after each end.

    Raises:
        ValueError: a prompt without tokens, `max_new_tokens` below 1, a setting out of its range, or a stop
            token that the model does not have.
    """
    if prompt.dim() != 2 or not prompt.numel():
        raise ValueError(
            f"prompt has shape {tuple(prompt.shape)}, expected (B, T) with T ≥ 1: [BOS] is a prompt too"
        )
    checks.at_least_1(max_new_tokens=max_new_tokens)
    check_settings(temperature, top_k, top_p)
    stop_ids = _token_ids(stop_ids)
    stops = torch.tensor(stop_ids, dtype=torch.long, device=prompt.device)
    written, tokens, state = [prompt], prompt, None  # (B, T) at first, then (B, 1) each
    done = (prompt == EOS_ID).any(dim=1) & (EOS_ID in stop_ids)  # (B,)
    with looking_at(model):
        for _ in range(max_new_tokens):
            if stop_ids and done.all():
                break
            logits, _, state = model.next_logits(tokens, state)  # (B, V)
            if len(written) == 1:
                _known(stop_ids, logits.shape[-1])
            tokens = draw(logits, temperature, top_k, top_p, generator)[:, None]  # (B, 1)
            if stop_ids:
                tokens = tokens.masked_fill(done[:, None], pad_id)
                done = done | (tokens == stops).any(dim=1)  # (B, stops)
            written.append(tokens)
    return torch.cat(written, dim=1)


def _token_ids(stop_ids: Sequence[int]) -> tuple[int, ...]:
    ids = tuple(stop_ids) if isinstance(stop_ids, Iterable) else (None,)
    if not all(isinstance(i, Integral) and not isinstance(i, bool) for i in ids):
        raise ValueError(
            f"stop_ids is {stop_ids!r}, expected several whole numbers: token ids, such as (2,) for [EOS]"
        )
    return ids


def _known(stop_ids: tuple[int, ...], vocab_size: int) -> None:
    for i in stop_ids:
        if not 0 <= i < vocab_size:
            raise ValueError(
                f"stop_ids holds {i}, expected 0 to {vocab_size - 1}: no such token is ever written; was it "
                "taken from another tokenizer?"
            )
