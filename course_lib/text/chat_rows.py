"""Many chats as tensors: whole chats, several in one row, each kept to itself.

    row      [BOS] chat 0 … [BOS] chat 1 … [PAD] [PAD]
    chats      0   0      0   1   1      1   -1    -1       what `masks.document_mask` keeps apart

Unlike the texts of `packing` no chat is cut: the second half of one would be an answer whose question the
model cannot see.

Axes: N rows, L tokens of a row.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from course_lib.text.chat import ChatRow
from course_lib.text.packing import FILLING, IGNORE
from course_lib.text.tokenizers import PAD_ID


class ChatRows(NamedTuple):
    """Rows for training; nothing is shifted yet. Each tensor is `(N, L)`."""

    ids: Tensor
    answer: Tensor  # True = the model is trained to write this token
    chats: Tensor  # which chat of its row a token belongs to; -1: none, it only fills the row

    @property
    def labels(self) -> Tensor:
        """The ids of what is trained, -100 elsewhere, `(N, L)`: each stands at its own token."""
        return self.ids.masked_fill(~self.answer, IGNORE)


def pack_chats(rows: Sequence[ChatRow], length: int, pad_id: int = PAD_ID) -> ChatRows:
    """Lay whole chats one behind the other, in order, as many in a row as fit.

    Args:
        rows: from `chat_row`.
        length: the most tokens of a row; the model's window and one more, as inputs and labels are the row
            without its last and without its first token.
        pad_id: fills the rest.

    Returns:
        N rows of L tokens, L that of the fullest one.

    Raises:
        ValueError: no chats, or one that is longer than a row.
    """
    if not rows:
        raise ValueError("rows is empty, expected at least one chat")
    shelves: list[list[ChatRow]] = []
    free = 0
    for number, row in enumerate(rows):
        if len(row.ids) > length:
            raise ValueError(
                f"rows[{number}] has {len(row.ids)} tokens, expected at most {length}: a chat that is cut "
                "would lose its question or its answer; begin a new chat earlier, or tell a shorter story"
            )
        if len(row.ids) > free:
            shelves.append([])
            free = length
        shelves[-1].append(row)
        free -= len(row.ids)
    return _stack(shelves, pad_id)


def stack_chats(rows: Sequence[ChatRow], pad_id: int = PAD_ID) -> ChatRows:
    """One chat a row, padded on the right.

    Raises:
        ValueError: no chats.
    """
    if not rows:
        raise ValueError("rows is empty, expected at least one chat")
    return _stack([[row] for row in rows], pad_id)


def _stack(shelves: Sequence[Sequence[ChatRow]], pad_id: int) -> ChatRows:
    longest = max(sum(len(row.ids) for row in shelf) for shelf in shelves)

    def filled(values: list[list[int]], filling: int) -> Tensor:
        return torch.tensor([row + [filling] * (longest - len(row)) for row in values])  # (N, L)

    return ChatRows(
        filled([[i for row in shelf for i in row.ids] for shelf in shelves], pad_id),
        filled([[i for row in shelf for i in row.answer] for shelf in shelves], False),
        filled([[n for n, row in enumerate(shelf) for _ in row.ids] for shelf in shelves], FILLING),
    )
