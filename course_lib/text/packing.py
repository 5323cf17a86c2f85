"""Documents one behind the other, in rows of equal length: no padding, and each boundary is known.

    documents   cats purr        dogs bark loud         and what follows, with room for 5 tokens a row
    stream      [END] cats purr [END] dogs │ bark loud [END] …

    row 1       inputs      [END] cats  purr  [END] dogs        a boundary token opens each document
                labels      cats  purr  [END] dogs  bark        the next token: the inputs, one to the left
                documents     0     0     0     1     1         what `masks.document_mask` keeps apart
                positions     0     1     2     3     4         or restarted: 0 1 2 0 1

The boundary token belongs to the document that it opens. The last token of a document has to predict that the
document is over, and never the first word of the next one, of which it cannot know a thing: that word is what
the boundary token itself has to predict.

A document that does not fit goes on in the next row, without a new boundary token. A row is read on its own:
what stands there does not see how its document began, and its restarted positions begin at 0.

Axes: N rows, T positions.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

IGNORE = -100  # labels with this id are not counted (torch's own default)
AT_END = ("boundary", "next word", "nothing")
FILLING = -1  # the document of what fills the last row


class Packed(NamedTuple):
    """Rows that a model can read; each tensor is `(N, T)`."""

    inputs: Tensor
    labels: Tensor  # what each position has to predict; -100 is not counted
    documents: Tensor  # which document each input belongs to; -1: none, it only fills the last row
    positions: Tensor  # where each input stands: in its row, or, restarted, in its document


def pack(
    documents: Sequence[Sequence[int]],
    length: int,
    end_id: int,
    *,
    at_end: str = "boundary",
    restart: bool = False,
) -> Packed:
    """Lay documents one behind the other and cut the stream into rows.

    Every token of every document, and a boundary token before each, is in the inputs exactly once, in order.
    The very last label is the boundary token after the last document. The last row is filled with boundary
    tokens that are not counted.

    Args:
        documents: lists of ids, without boundary tokens.
        length: T, tokens in a row.
        end_id: the boundary token's id.
        at_end: what the last token of a document has to predict: the "boundary" token; the "next word", the
            first one of the next document (a mistake, for comparing); or "nothing".
        restart: positions begin at 0 in each document. It does not keep documents apart: a mask does.

    Raises:
        ValueError: no documents, an empty one, one that holds the boundary token, a length below 1, or an
            `at_end` that does not exist.
    """
    _check(documents, length, end_id, at_end)
    stream = [token for document in documents for token in (end_id, *document)]
    owners = [number for number, document in enumerate(documents) for _ in range(len(document) + 1)]
    labels = [*stream[1:], end_id]
    if at_end != "boundary":
        firsts = [*(document[0] for document in documents[1:]), IGNORE]
        place = -1
        for document, first in zip(documents, firsts, strict=True):
            place += len(document) + 1  # of the document's last token
            labels[place] = first if at_end == "next word" else IGNORE
    n_rows = -(-len(stream) // length)
    rows = [
        _rows(values, n_rows, length, filling)
        for values, filling in ((stream, end_id), (labels, IGNORE), (owners, FILLING))
    ]
    return Packed(*rows, positions(rows[2], restart=restart))


def positions(documents: Tensor, *, restart: bool = False) -> Tensor:
    """Where each token stands: in its row, or, restarted, behind the first token of its document in the row.

    Args:
        documents: `(N, T)`, as in `Packed`.
        restart: begin at 0 in each document.
    """
    place = torch.arange(documents.shape[1]).expand(documents.shape)  # (N, T)
    if not restart:
        return place.contiguous()
    opens = torch.ones_like(documents, dtype=torch.bool)
    opens[:, 1:] = documents[:, 1:] != documents[:, :-1]
    return place - torch.where(opens, place, 0).cummax(1).values


def _rows(values: list[int], n_rows: int, length: int, filling: int) -> Tensor:
    """A list cut into rows `(N, T)`, the last one filled."""
    return torch.tensor(values + [filling] * (n_rows * length - len(values))).view(n_rows, length)


def _check(documents: Sequence[Sequence[int]], length: int, end_id: int, at_end: str) -> None:
    if length < 1:
        raise ValueError(f"length is {length}, expected at least 1 token a row")
    if at_end not in AT_END:
        raise ValueError(f"at_end is {at_end!r}, expected one of {', '.join(AT_END)}")
    if not len(documents):
        raise ValueError("documents is empty, expected at least one list of ids")
    for number, document in enumerate(documents):
        if not isinstance(document, Sequence) or isinstance(document, str | bytes):
            raise ValueError(
                f"documents[{number}] is {document!r:.40}, expected a list of ids: is this one text where "
                "many are expected, a text that is not encoded, or a tensor (write ids.tolist())?"
            )
        if not len(document):
            raise ValueError(f"documents[{number}] is empty, expected at least one token")
        if end_id in document:
            raise ValueError(
                f"documents[{number}] holds the boundary token {end_id}, expected none inside: `pack` sets "
                "it; was the text encoded with [BOS] or [EOS]?"
            )
