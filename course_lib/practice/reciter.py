"""A small model that writes, for exercises on decoding: what it says depends on all that it heard."""

import torch
from torch import nn

from course_lib.text.tokenizers import EOS_ID


class FedAgain(ValueError):
    """More than the new token, on top of what the state holds."""


class FedFromTheStart(ValueError):
    """More than the first token at the first step."""


class Reciter(nn.Module):
    """A small model that writes: no parameters, and what it says depends on every token that it was fed.

    The first word of a source, minus 10, is the number of tokens that the row will get, `[EOS]` included.
    """

    vocab_size = 23

    def encode(self, source):
        return source, source[:, :0]  # the source, and what was fed so far: nothing

    def next_logits(self, tokens, state):
        if not (isinstance(state, tuple) and len(state) == 2):
            raise ValueError("state must be what `encode` or the last `next_logits` returned")
        source, fed = state
        if tokens.shape != (len(source), 1):
            given = f"tokens has shape {tuple(tokens.shape)}; expected ({len(source)}, 1)"
            if tokens.dim() == 2 and len(tokens) == len(source) and tokens.shape[1] > 1:
                kind = FedAgain if fed.shape[1] else FedFromTheStart
                raise kind(f"{given}: the new token of each row alone, as the state holds the earlier ones")
            raise ValueError(f"{given}: one new token for each row, as a column")
        fed = torch.cat([fed, tokens], dim=1)  # (B, n)
        n, spread = fed.shape[1], self.vocab_size - 4
        word = 4 + (3 * source[:, n % source.shape[1]] + 5 * fed[:, -1] + 7 * fed.sum(dim=1)) % spread
        word = torch.where(source[:, 0] - 10 == n, EOS_ID, word)  # (B,)
        height = (source.sum(dim=1) + 3 * n) % 7  # of the whole row: it changes no choice inside of it
        logits = (height[:, None] - (torch.arange(self.vocab_size) - word[:, None]).abs()).float()  # (B, V)
        weights = torch.softmax((source + n).float() % 5, dim=-1)  # (B, S)
        return logits, weights, (source, fed)

    def forward(self, *args):
        raise TypeError("this model writes by `model.encode(source)` and `model.next_logits(tokens, state)`")
