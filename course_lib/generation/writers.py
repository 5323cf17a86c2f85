"""Who can write: one protocol, for every model. Nothing here knows what is inside of it.

    logits, weights, state = model.next_logits(tokens, state)

    tokens    ids that are new since `state` was made, (B, n): the prompt at first, then one token at a time
    logits    scores of the token after them, (B, V)
    weights   where the model looked for it, such as (B, S) over the source; None where it does not say
    state     what the model remembers: tensors with the batch as first axis, in tuples

The first state of a model that reads a source is `model.encode(source)`; of one that goes on from a prompt it
is None. What a state holds is the model's affair: a recurrent state and its memory, a cache of keys and
values, or the text so far (`WholeText`). As the batch always stands first, a search can choose rows of any.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from course_lib.models import evaluating


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


def looking_at(model: Writer) -> AbstractContextManager:
    """Inside the block a model with modes is in evaluation mode, without gradients; then it is put back.

    A model that has a way of its own to get ready for many tokens, `writing()`, takes it.
    """
    if hasattr(model, "writing"):
        return model.writing()
    return evaluating(model) if isinstance(model, nn.Module) else nullcontext()
