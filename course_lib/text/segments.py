"""One text or two as one row, as BERT reads them: `[CLS] a [SEP]`, or `[CLS] a [SEP] b [SEP]`.

    ids        [CLS]  tom  is  at  the  park  .  [SEP]  he  is  not  .  [SEP]  [PAD]
    segments     0     0   0   0    0    0    0    0     1   1   1   1    1      0

`[CLS]`, `[SEP]` and `[MASK]` are set by id. A text that spells one of them gets `[UNK]`.

Source: Devlin et al. 2019 (BERT), section 3 and figure 2.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from torch import Tensor

from course_lib.text.batching import pad
from course_lib.text.tokenizers import PAD_ID, SPECIAL_TOKENS, UNK_ID, WordTokenizer

CLS, SEP, MASK = "[CLS]", "[SEP]", "[MASK]"
CLS_ID, SEP_ID, MASK_ID = range(len(SPECIAL_TOKENS), len(SPECIAL_TOKENS) + 3)
N_SEGMENTS = 2


class SegmentTokenizer(WordTokenizer):
    """Words, with `[CLS]`, `[SEP]` and `[MASK]` behind the four special tokens of every vocabulary.

    Args:
        tokens: every word that has an id; order gives the ids.

    Raises:
        ValueError: as `WordTokenizer`.
    """

    def __init__(self, tokens: Iterable[str]) -> None:
        super().__init__((CLS, SEP, MASK, *tokens))

    @property
    def words(self) -> range:
        """The ids of ordinary words: those that may be chosen, and that stand in for others."""
        return range(MASK_ID + 1, len(self))

    def encode(self, text: str | Sequence[str], *, bos: bool = False, eos: bool = False) -> list[int]:
        """As `WordTokenizer.encode`; a text cannot make `[CLS]`, `[SEP]` or `[MASK]` either."""
        made = super().encode(text, bos=bos, eos=eos)
        return [UNK_ID if CLS_ID <= i <= MASK_ID else i for i in made]


class Row(NamedTuple):
    """One text or two, ready to be read."""

    ids: list[int]  # T
    segments: list[int]  # T: 0 for [CLS] a [SEP], 1 for b [SEP]
    cut: tuple[int, int]  # tokens of a and of b that had no room


class Segments(NamedTuple):
    """Rows in one tensor."""

    ids: Tensor  # (B, T), padded on the right
    segments: Tensor  # (B, T); 0 on padding, which nobody looks at


def join(
    first: Sequence[int],
    second: Sequence[int] | None = None,
    *,
    max_len: int | None = None,
    cls_id: int = CLS_ID,
    sep_id: int = SEP_ID,
) -> Row:
    """Set the special tokens around one text or two.

    Where there is no room for all, the longer text loses its last tokens until both are equally long, then
    each in turn, the second one first; `cut` says how many each has lost.

    Args:
        first, second: ids of the texts, without special tokens; `second` None: one text.
        max_len: the most tokens of a row, special ones included; None: no limit.
        cls_id, sep_id: another vocabulary's ids.

    Raises:
        ValueError: no room for the special tokens and one token of each text.
    """
    n_special, a, b = 2 + (second is not None), list(first), list(second or ())
    if max_len is not None and max_len < n_special + 1 + (second is not None):
        raise ValueError(
            f"max_len is {max_len}, expected at least {n_special + 1 + (second is not None)}: "
            f"{n_special} special tokens, and one token of each text"
        )
    while max_len is not None and len(a) + len(b) + n_special > max_len:
        (a if len(a) > len(b) else b).pop()
    ids, segments = [cls_id, *a, sep_id], [0] * (len(a) + 2)
    if second is not None:
        ids, segments = [*ids, *b, sep_id], segments + [1] * (len(b) + 1)
    return Row(ids, segments, (len(first) - len(a), len(second or ()) - len(b)))


def stack(rows: Sequence[Row], pad_id: int = PAD_ID) -> Segments:
    """B rows as one batch, padded on the right.

    Raises:
        ValueError: no rows.
    """
    return Segments(pad([row.ids for row in rows], pad_id), pad([row.segments for row in rows], 0))
