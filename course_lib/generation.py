"""Writing with a trained model, one token after another."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from course_lib.models.seq2seq import Memory, Seq2Seq, State
from course_lib.text.batching import batches_by_length, pad
from course_lib.text.tokenizers import BOS_ID, EOS_ID, PAD_ID, WordTokenizer


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Inside the block no dropout and no gradients; afterwards the model is in the mode in which it was."""
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        model.train(was_training)


@torch.no_grad()
def greedy(model: Seq2Seq, source: Tensor, max_new_tokens: int) -> tuple[Tensor, Tensor]:
    """Take the most likely token at each step.

    Args:
        model: a sequence-to-sequence model; used in evaluation mode and put back as it was.
        source: ids `(B, S)`, padded on the right.
        max_new_tokens: stop here even where no `[EOS]` has come.

    Returns:
        ids `(B, T)`, with `[PAD]` after each `[EOS]`, and attention weights `(B, T, S)`: row t belongs to
        the step that wrote token t.

    Raises:
        ValueError: `max_new_tokens` below 1.
    """
    if max_new_tokens < 1:
        raise ValueError(f"max_new_tokens is {max_new_tokens}, expected at least 1")
    with evaluating(model):
        memory, state = model.encode(source)
        token = torch.full_like(source[:, 0], BOS_ID)  # (B,)
        done = torch.zeros_like(token, dtype=torch.bool)
        ids, weights = [], []
        for _ in range(max_new_tokens):
            state, row, logits = _next(model, token, state, memory)
            token = logits.argmax(-1).masked_fill(done, PAD_ID)  # (B,)
            ids.append(token)
            weights.append(row)
            done |= token == EOS_ID
            if done.all():
                break
    return torch.stack(ids, dim=1), torch.stack(weights, dim=1)  # (B, T), (B, T, S)


def _next(model: Seq2Seq, token: Tensor, state: State, memory: Memory) -> tuple[State, Tensor, Tensor]:
    """One step from token ids `(B,)`: new state, attention row `(B, S)`, logits `(B, V)`."""
    word = model.embed(token)  # (B, E)
    state, row = model.step(word, state, memory)
    logits = model.read_out(torch.cat([state.s, state.context], dim=-1), word)  # (B, V)
    return state, row, logits


@torch.no_grad()
def sample(
    logits_of: Callable[[Tensor], Tensor],
    prompt: Tensor,
    max_new_tokens: int,
    *,
    temperature: float = 1.0,
    generator: torch.Generator | None = None,
    max_len: int | None = None,
) -> Tensor:
    """Go on from a prompt with a decoder-only model, one token after another.

    Args:
        logits_of: ids `(B, T)` to logits `(B, T, V)`, such as a causal language model in evaluation mode.
        prompt: ids `(B, T)`, rows of equal length without padding; `[BOS]` first, where the model knows it.
        max_new_tokens: stop here even where no `[EOS]` has come.
        temperature: the logits are divided by it; 0 always takes the likeliest token.
        generator: source of the draws.
        max_len: the model's longest text; of a longer one it reads the last `max_len` tokens.

    Returns:
        ids `(B, T + new)`, prompt included, with `[PAD]` after each `[EOS]`.

    Raises:
        ValueError: a prompt without tokens, `max_new_tokens` below 1, or a negative temperature.
    """
    if prompt.dim() != 2 or not prompt.numel():
        raise ValueError(
            f"prompt has shape {tuple(prompt.shape)}, expected (B, T) with T ≥ 1: [BOS] is a prompt too"
        )
    if max_new_tokens < 1:
        raise ValueError(f"max_new_tokens is {max_new_tokens}, expected at least 1")
    if not temperature >= 0:
        raise ValueError(f"temperature is {temperature}, expected 0 or more: 0 takes the likeliest token")
    ids, done = prompt, (prompt == EOS_ID).any(dim=1)  # (B, T), (B,)
    for _ in range(max_new_tokens):
        if done.all():
            break
        logits = logits_of(ids if max_len is None else ids[:, -max_len:])[:, -1]  # (B, V)
        if temperature == 0:
            token = logits.argmax(-1)  # (B,)
        else:
            chances = (logits / temperature).softmax(-1)  # (B, V)
            token = torch.multinomial(chances, 1, generator=generator)[:, 0]  # (B,)
        ids = torch.cat([ids, token.masked_fill(done, PAD_ID)[:, None]], dim=1)  # (B, T + 1)
        done |= token == EOS_ID
    return ids


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
