"""Counting instead of learning: how often did a token follow the four before it?

A context of k tokens was followed n times, by t different tokens. Then

    p(w | k tokens) = (count(k tokens, w) + t · p(w | k − 1 tokens)) / (n + t)

(Witten and Bell 1991, method C, as in chapter 07): the less is known of a long context, the more the shorter
one counts. It ends at p(w), the share of w in the training text, where every count begins at one. What a
context of k tokens never showed adds nothing to it: then p(w | k tokens) = p(w | k − 1 tokens).

Counting is done in tables that are sorted, all positions of the text at once: an n-gram is the number of the
(n − 1)-gram before its last token, and that token. No hash, no dictionary, no approximation.

Axes: N tokens of a text, B batch, V vocabulary.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from course_lib import checks


class Table(NamedTuple):
    """The n-grams of one length: G different ones, with C different contexts."""

    keys: Tensor  # (G,): context · V + token, sorted; an n-gram's place here is its number
    counts: Tensor  # (G,): how often each occurs
    followed: Tensor  # (C,): how often each context was followed by anything
    kinds: Tensor  # (C,): by how many different tokens

    def find(self, keys: Tensor) -> tuple[Tensor, Tensor]:
        """The numbers of some n-grams, −1 for one that is not there, and their counts."""
        at = torch.searchsorted(self.keys, keys).clamp(max=len(self.keys) - 1)
        there = self.keys[at] == keys
        return at.where(there, -1), self.counts[at] * there


class NGrams:
    """Counted n-grams of a text, as a model of the next token.

    Args:
        ids: the training text, `(N,)`.
        vocab_size: V.
        order: the longest n-gram: 2 is a bigram model, which sees one token; 5 sees four.

    Raises:
        ValueError: `order` below 1, or a text that is shorter than one n-gram.
    """

    def __init__(self, ids: Tensor, vocab_size: int, order: int = 5) -> None:
        checks.at_least_1(order=order, vocab_size=vocab_size)
        if ids.dim() != 1 or len(ids) < order:
            raise ValueError(f"ids has shape {tuple(ids.shape)}, expected (N,) with N ≥ order ({order})")
        self.vocab_size, self.order, ids = vocab_size, order, ids.long()
        counts = torch.bincount(ids, minlength=vocab_size) + 1.0  # every count begins at one
        self.alone = (counts / counts.sum()).double()  # (V,)
        self.tables: list[Table] = []
        context, n_contexts = torch.zeros_like(ids), 1  # of no token: one and the same everywhere
        for _ in range(order):
            grams = context * vocab_size + ids
            keys, numbers, counts = grams.unique(return_inverse=True, return_counts=True)
            of = keys // vocab_size
            followed = torch.bincount(of, counts.double(), n_contexts)
            kinds = torch.bincount(of, minlength=n_contexts).double()
            self.tables.append(Table(keys, counts.double(), followed, kinds))
            context, n_contexts, ids = numbers[:-1], len(keys), ids[1:]  # what stands before the next token

    def nats(self, ids: Tensor) -> Tensor:
        """Minus the log of the chance of each token, given those before it.

        Args:
            ids: a text `(N,)`.

        Returns:
            `(N − 1,)`: the first token is only read.

        Raises:
            ValueError: fewer than two tokens.
        """
        if ids.dim() != 1 or len(ids) < 2:
            raise ValueError(f"ids has shape {tuple(ids.shape)}, expected (N,) with N ≥ 2")
        ids = ids.long()
        chance, context = self.alone[ids], torch.zeros_like(ids)  # (N,) each
        for k, table in enumerate(self.tables):
            numbers, counts = table.find(context * self.vocab_size + ids[k:])  # (N − k,)
            if k:
                chance[k:] = mixed(table, context, counts, chance[k:])
            context = numbers[:-1]
        return -chance[1:].log()

    def next_logits(self, tokens: Tensor, state: Tensor | None = None) -> tuple[Tensor, None, Tensor]:
        """One step of writing; see `course_lib.generation`.

        Args:
            tokens: new ids, `(B, n)`; the prompt at first.
            state: None at first, then what this function returned.

        Returns:
            the log of each token's chance, `(B, V)`; None: there are no weights; and the last order − 1 ids.
        """
        ids = tokens if state is None else torch.cat([state, tokens], dim=1)
        ids = ids[:, max(0, ids.shape[1] - self.order + 1) :]  # all that counts
        return torch.stack([self.chances(row) for row in ids]).log(), None, ids

    def chances(self, before: Tensor) -> Tensor:
        """The chance of every token after some others, `(V,)`.

        Args:
            before: ids `(n,)`; the last order − 1 of them count.
        """
        before = before[max(0, len(before) - self.order + 1) :]
        chances = self.alone
        for k in range(1, len(before) + 1):
            context = self._number(before[len(before) - k :])
            if context < 0:
                break  # a longer context was not seen, either
            table = self.tables[k]
            first, behind = torch.searchsorted(
                table.keys, torch.tensor([context, context + 1]) * self.vocab_size
            ).tolist()
            counts = torch.zeros_like(chances)
            counts[table.keys[first:behind] % self.vocab_size] = table.counts[first:behind]
            chances = mixed(table, torch.tensor(context), counts, chances)
        return chances

    def _number(self, ids: Tensor) -> int:
        """The number of an n-gram; −1: it is not there."""
        number = 0
        for table, token in zip(self.tables, ids.tolist(), strict=False):
            number = int(table.find(torch.tensor([number * self.vocab_size + token]))[0])
            if number < 0:
                break
        return number


def mixed(table: Table, context: Tensor, counts: Tensor, shorter: Tensor) -> Tensor:
    """Chances with a context, from its counts and from the chances with a shorter one.

    Args:
        table: of the longer context.
        context: its number, one for all tokens or one for each; below 0: never seen.
        counts: how often each token followed it.
        shorter: the chances of the same tokens with a context that is one token shorter.

    Source: Witten and Bell 1991, method C, interpolated.
    """
    known = context.clamp(min=0)
    n, t = table.followed[known], table.kinds[known]
    seen = (context >= 0) & (n > 0)  # the last n-gram of the text was seen, and followed by nothing
    return ((counts + t * shorter) / (n + t).clamp(min=1)).where(seen, shorter)
