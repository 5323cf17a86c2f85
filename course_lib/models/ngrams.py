"""Counting instead of learning: how often did a token follow the four before it?

Most contexts of four tokens were seen once, or never. So a longer context takes a little from each of its
counts (the discount D), and what it took is shared out as the context that is one token shorter would do it:

    p(w | k tokens) = (count(k tokens, w) − D) / n  +  (all that was taken) / n · p(w | k − 1 tokens)

n is how often the context was followed by anything. After no context at all, every token has the same chance.
A shorter context is asked only when a longer one did not know, so what counts there is not how often an
n-gram occurs, but after how many different tokens: "Francisco" is frequent, and stands after one word.

This is interpolated Kneser–Ney smoothing (Kneser and Ney 1995), with one discount for counts of 1, of 2, and
of 3 or more (Chen and Goodman 1999). The simpler formula of chapter 07 trusts long contexts too much: with it
the modules that were kept away are told worse by 5-grams than by 3-grams.

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

    keys: Tensor  # (G,): context · V + token, rising; an n-gram's place here is its number
    shares: Tensor  # (G,): what each has of its context's chance, after the discount
    left: Tensor  # (C,): what the discounts of each context have left for the shorter one

    def find(self, keys: Tensor) -> tuple[Tensor, Tensor]:
        """The numbers of some n-grams, −1 for one that is not there, and their shares."""
        at = torch.searchsorted(self.keys, keys).clamp(max=len(self.keys) - 1)
        there = self.keys[at] == keys
        return at.where(there, -1), self.shares[at] * there


class NGrams:
    """Counted n-grams of a text, as a model of the next token.

    Args:
        ids: the training text, `(N,)`.
        vocab_size: V.
        order: the longest n-gram: 2 is a bigram model, which sees one token; 5 sees four.

    Raises:
        ValueError: `order` below 1, ids outside of the vocabulary, or a text that is shorter than one n-gram.
    """

    def __init__(self, ids: Tensor, vocab_size: int, order: int = 5) -> None:
        checks.at_least_1(order=order, vocab_size=vocab_size)
        if ids.dim() != 1 or len(ids) < order:
            raise ValueError(f"ids has shape {tuple(ids.shape)}, expected (N,) with N ≥ order ({order})")
        checks.known_ids("ids", ids, vocab_size)  # another one would count as some other n-gram
        self.vocab_size, self.order, ids = vocab_size, order, ids.long()
        context, n_contexts = torch.zeros_like(ids), 1  # of no token: one and the same everywhere
        counted = []  # for each length: keys, counts, contexts
        before = ids  # the numbers of the n-grams that are one token shorter, where the longer ones end
        for k in range(order):
            keys, numbers, counts = (context * vocab_size + ids).unique(
                return_inverse=True, return_counts=True
            )
            if (
                k
            ):  # how many longer n-grams end with each of the shorter ones: after how many tokens it stands
                ends_with = torch.empty_like(keys)
                ends_with[numbers] = before
                counted[-1][1] = torch.bincount(ends_with, minlength=len(counted[-1][0]))
            counted.append([keys, counts, n_contexts])
            context, n_contexts, ids, before = numbers[:-1], len(keys), ids[1:], numbers[1:]
        self.tables = [discounted(keys, counts, n, vocab_size) for keys, counts, n in counted]

    def nats(self, ids: Tensor) -> Tensor:
        """Minus the log of the chance of each token, given those before it.

        Args:
            ids: a text `(N,)`.

        Returns:
            `(N − 1,)`: the first token is only read.

        Raises:
            ValueError: fewer than two tokens, or ids outside of the vocabulary.
        """
        if ids.dim() != 1 or len(ids) < 2:
            raise ValueError(f"ids has shape {tuple(ids.shape)}, expected (N,) with N ≥ 2")
        checks.known_ids("ids", ids, self.vocab_size)
        ids = ids.long()
        chances = torch.full(ids.shape, 1 / self.vocab_size, dtype=torch.double)  # (N,)
        context = torch.zeros_like(ids)
        for k, table in enumerate(self.tables):
            numbers, shares = table.find(context * self.vocab_size + ids[k:])  # (N − k,); −1: not seen
            left = table.left[context.clamp(min=0)].where(context >= 0, 1.0)
            chances[k:] = shares + left * chances[k:]
            context = numbers[:-1]
        return -chances[1:].log()

    def next_logits(self, tokens: Tensor, state: Tensor | None = None) -> tuple[Tensor, None, Tensor]:
        """One step of writing; see `course_lib.generation`.

        Args:
            tokens: new ids, `(B, n)`; the prompt at first.
            state: None at first, then what this function returned.

        Returns:
            the log of each token's chance, `(B, V)`; None: there are no weights; and the last order − 1 ids.

        Raises:
            ValueError: ids outside of the vocabulary.
        """
        ids = tokens if state is None else torch.cat([state, tokens], dim=1)
        ids = ids[:, max(0, ids.shape[1] - self.order + 1) :]  # all that counts
        return self.chances(ids).log(), None, ids

    def chances(self, before: Tensor) -> Tensor:
        """The chance of every token after some others, `(B, V)`.

        Args:
            before: ids `(B, n)`; the last order − 1 of each row count.

        Raises:
            ValueError: ids outside of the vocabulary.
        """
        checks.known_ids("before", before, self.vocab_size)
        n_rows, n = before.shape
        chances = torch.full((n_rows, self.vocab_size), 1 / self.vocab_size, dtype=torch.double)
        for k, table in enumerate(self.tables[: n + 1]):
            context = self._numbers(before[:, n - k :])  # (B,)
            chances *= table.left[context.clamp(min=0)].where(context >= 0, 1.0)[:, None]
            first, behind = (torch.searchsorted(table.keys, (context + i) * self.vocab_size) for i in (0, 1))
            many = behind - first  # (B,): how many tokens followed; of an unknown context none
            rows = torch.repeat_interleave(torch.arange(n_rows), many)
            at = torch.arange(len(rows)) + (behind - many.cumsum(0))[rows]  # places in the table
            chances[rows, table.keys[at] % self.vocab_size] += table.shares[at]
        return chances

    def _numbers(self, ids: Tensor) -> Tensor:
        """The numbers of some n-grams `(B, k)`, 0 of the empty one; −1: it is not there."""
        numbers = torch.zeros(len(ids), dtype=torch.long)  # (B,)
        for table, tokens in zip(self.tables, ids.T, strict=False):
            numbers, _ = table.find(numbers * self.vocab_size + tokens)
        return numbers


def discounted(keys: Tensor, counts: Tensor, n_contexts: int, vocab_size: int) -> Table:
    """From counts to shares, and to what is left for a shorter context.

    The discounts follow from how many n-grams have a count of 1, 2, 3, 4: n₁ … n₄. With Y = n₁ / (n₁ + 2 n₂)

        D₁ = 1 − 2 Y n₂ / n₁        D₂ = 2 − 3 Y n₃ / n₂        D₃ = 3 − 4 Y n₄ / n₃   (for 3 and more)

    (Y itself where a small text has no such count; 0 where none of its n-grams has a count of 1).

    Source: Chen and Goodman 1999 (An empirical study of smoothing techniques for language modeling).
    """
    n = [int((counts == i).sum()) for i in range(5)]
    y = n[1] / max(1, n[1] + 2 * n[2])
    taken = [0.0] + [i - (i + 1) * y * n[i + 1] / n[i] if n[1] and n[i] else y for i in (1, 2, 3)]
    taken = torch.tensor([min(max(d, 0.0), i) for i, d in enumerate(taken)], dtype=torch.double)
    discount = taken[counts.clamp(max=3)]  # (G,)
    of = keys // vocab_size
    followed = torch.bincount(of, counts.double(), n_contexts)  # (C,)
    left = torch.bincount(of, discount, n_contexts) / followed.clamp(min=1)
    return Table(keys, (counts - discount) / followed[of].clamp(min=1), left.where(followed > 0, 1.0))
