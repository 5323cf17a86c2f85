"""Writing with a trained model, one token after another.

One protocol, for every model that writes. Nothing here knows what is inside of it:

    logits, weights, state = model.next_logits(tokens, state)

    tokens    ids that are new since `state` was made, (B, n): the prompt at first, then one token at a time
    logits    scores of the token after them, (B, V)
    weights   where the model looked for it, such as (B, S) over the source; None where it does not say
    state     what the model remembers: tensors with the batch as first axis, in tuples

The first state of a model that reads a source is `model.encode(source)`; of one that goes on from a prompt it
is None. What a state holds is the model's affair: a recurrent state and its memory, a cache of keys and
values, or the text so far (`WholeText`). As the batch always stands first, a search can choose rows of any.
"""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from course_lib.models import evaluating
from course_lib.text.batching import batches_by_length, pad
from course_lib.text.tokenizers import BOS_ID, EOS_ID, PAD_ID, WordTokenizer


class Writer(Protocol):
    """A model that writes."""

    def next_logits(self, tokens: Tensor, state: object) -> tuple[Tensor, Tensor | None, object]:
        """Logits `(B, V)` of the token after `tokens` `(B, n)`, weights or None, and the new state."""
        ...


@dataclass(frozen=True)
class WholeText:
    """Any function from ids to logits, as a model that writes: at each step it reads the whole text anew.

    Args:
        logits_of: ids `(B, T)` to logits `(B, T, V)`.
        max_len: the longest text that it can read; of a longer one it gets the last `max_len` tokens.
    """

    logits_of: Callable[[Tensor], Tensor]
    max_len: int | None = None

    def next_logits(self, tokens: Tensor, state: Tensor | None = None) -> tuple[Tensor, None, Tensor]:
        """The state is the text so far, `(B, T)`."""
        ids = tokens if state is None else torch.cat([state, tokens], dim=1)  # (B, T + n)
        ids = ids if self.max_len is None else ids[:, -self.max_len :]
        return self.logits_of(ids)[:, -1], None, ids


def greedy(model: nn.Module, source: Tensor, max_new_tokens: int) -> tuple[Tensor, Tensor | None]:
    """Take the most likely token at each step.

    Args:
        model: a sequence-to-sequence model; used in evaluation mode and put back as it was.
        source: ids `(B, S)`, padded on the right.
        max_new_tokens: stop here even where no `[EOS]` has come.

    Returns:
        ids `(B, T)`, with `[PAD]` after each `[EOS]`, and attention weights `(B, T, S)`: row t belongs to
        the step that wrote token t. None where the model has no weights.

    Raises:
        ValueError: `max_new_tokens` below 1.
    """
    _check_max_new_tokens(max_new_tokens)
    with evaluating(model):
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
    generator: torch.Generator | None = None,
) -> Tensor:
    """Go on from a prompt, one token after another.

    Args:
        model: one whose first state is None; a model with modes is used in evaluation mode, and put back.
        prompt: ids `(B, T)`, rows of equal length without padding; `[BOS]` first, where the model knows it.
        max_new_tokens: stop here even where no `[EOS]` has come.
        temperature: the logits are divided by it; 0 always takes the likeliest token.
        generator: source of the draws.

    Returns:
        ids `(B, T + new)`, prompt included, with `[PAD]` after each `[EOS]`.

    Raises:
        ValueError: a prompt without tokens, `max_new_tokens` below 1, or a negative temperature.
    """
    if prompt.dim() != 2 or not prompt.numel():
        raise ValueError(
            f"prompt has shape {tuple(prompt.shape)}, expected (B, T) with T ≥ 1: [BOS] is a prompt too"
        )
    _check_max_new_tokens(max_new_tokens)
    if not temperature >= 0:
        raise ValueError(f"temperature is {temperature}, expected 0 or more: 0 takes the likeliest token")
    written, tokens, state = [prompt], prompt, None  # (B, T) at first, then (B, 1) each
    done = (prompt == EOS_ID).any(dim=1)  # (B,)
    with evaluating(model) if isinstance(model, nn.Module) else nullcontext():
        for _ in range(max_new_tokens):
            if done.all():
                break
            logits, _, state = model.next_logits(tokens, state)  # (B, V)
            tokens = draw(logits, temperature, generator).masked_fill(done, PAD_ID)[:, None]  # (B, 1)
            written.append(tokens)
            done = done | (tokens[:, 0] == EOS_ID)
    return torch.cat(written, dim=1)


def draw(logits: Tensor, temperature: float = 1.0, generator: torch.Generator | None = None) -> Tensor:
    """One token for each row of logits: `(B, V)` to `(B,)`.

    Args:
        logits: scores of the next token.
        temperature: they are divided by it; 0 takes the likeliest token.
        generator: source of the draw.
    """
    if temperature == 0:
        return logits.argmax(-1)
    chances = (logits / temperature).softmax(-1)  # (B, V)
    return torch.multinomial(chances, 1, generator=generator)[:, 0]


def decode_all(
    model: nn.Module,
    sources: Sequence[Sequence[int]],
    target: WordTokenizer,
    *,
    max_new_tokens: int = 40,
    batch_size: int = 512,
) -> list[list[str]]:
    """Greedy outputs for many sources, in their order.

    Args:
        model: a sequence-to-sequence model.
        sources: lists of ids.
        target: turns ids into tokens.
        max_new_tokens: the longest output.
        batch_size: sources decoded at a time.

    Returns:
        for each source its output tokens.
    """
    outputs: list[list[str]] = [[] for _ in sources]
    for rows in batches_by_length([len(s) for s in sources], batch_size):
        ids, _ = greedy(model, pad([sources[i] for i in rows]), max_new_tokens)
        for i, row in zip(rows, ids.tolist(), strict=True):
            outputs[i] = target.decode_tokens(row)
    return outputs


def _check_max_new_tokens(max_new_tokens: int) -> None:
    if max_new_tokens < 1:
        raise ValueError(f"max_new_tokens is {max_new_tokens}, expected at least 1")
