"""Masked-language modelling (MLM): hide some words, and learn to say which they were.

Of all ordinary words 15 % are chosen; these alone count in the loss. A chosen word is

    masked      [MASK] stands in its place            80 %
    replaced    a word drawn at random stands there   10 %
    kept        it stays as it is                     10 %

so that the model cannot know, of any word that it sees, whether it is the right one.

Each word is chosen on its own, by its own throw (as in most code of today), not a fixed number a row (as in
the authors' code). So the share is 15 % whatever the length of a row; a short row may have no chosen word.

Sources: Devlin et al. 2019 (BERT), section 3.1 "Task #1" and appendix A.1.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from course_lib.training.objectives import IGNORE

CHOSEN, MASKED, REPLACED = 0.15, 0.8, 0.1  # shares: of all words; of the chosen ones
DONE = ("untouched", "masked", "replaced", "kept")  # what can be done to a token; its place is its code
UNTOUCHED, IS_MASKED, IS_REPLACED, IS_KEPT = range(4)


class Corrupted(NamedTuple):
    """What the model reads, what it must say, and what was done."""

    ids: Tensor  # (B, T)
    labels: Tensor  # (B, T): the word that was there, where it was chosen; -100 elsewhere
    done: Tensor  # (B, T): a code, the place in DONE


def corrupt(
    ids: Tensor,
    mask_id: int,
    words: Sequence[int] | Tensor,
    generator: torch.Generator,
    *,
    chosen: float = CHOSEN,
    masked: float = MASKED,
    replaced: float = REPLACED,
) -> Corrupted:
    """Choose words and hide them.

    Args:
        ids: rows `(B, T)`, special tokens and padding included; not changed.
        mask_id: the id of `[MASK]`.
        words: ids of the ordinary words: only these are chosen, only these stand in for others. Special
            tokens and padding are not among them.
        generator: throws the dice; the same seed does the same.
        chosen: share of the words that are chosen.
        masked, replaced: shares of the chosen ones; the rest is kept. A word that is drawn at random may be
            the one that was there: it counts as replaced.

    Returns:
        a `Corrupted`.

    Raises:
        ValueError: shares that are none, `[MASK]` among the words, or no words.

    Source: Devlin et al. 2019, section 3.1 "Task #1".
    """
    words = torch.as_tensor(words)  # (W,)
    _check(ids, mask_id, words, chosen, masked, replaced)
    is_chosen = torch.isin(ids, words) & (torch.rand(ids.shape, generator=generator) < chosen)  # (B, T)
    throw = torch.rand(ids.shape, generator=generator)  # one throw decides between the three
    drawn = words[torch.randint(len(words), ids.shape, generator=generator)]  # (B, T): one for each place
    done = torch.where(
        throw < masked, IS_MASKED, torch.where(throw < masked + replaced, IS_REPLACED, IS_KEPT)
    )
    done = done.where(is_chosen, UNTOUCHED)
    read = ids.masked_fill(done == IS_MASKED, mask_id)
    read = torch.where(done == IS_REPLACED, drawn.to(ids.dtype), read)
    return Corrupted(read, ids.masked_fill(~is_chosen, IGNORE), done)


def count(ids: Tensor, done: Tensor, special: Mapping[int, str]) -> dict[str, dict[str, int]]:
    """How many tokens of each kind had what done to them.

    Args:
        ids: the rows before, `(B, T)`.
        done: from `corrupt`, `(B, T)`.
        special: id → name of the tokens that are counted by name; all others are "word".

    Returns:
        kind of token → what was done → how many; for kinds that occur.
    """
    kinds = {name: ids == token for token, name in special.items()}
    kinds = {"word": ~torch.isin(ids, torch.tensor(list(special), dtype=torch.long)), **kinds}
    return {
        kind: {name: int(((done == code) & here).sum()) for code, name in enumerate(DONE)}
        for kind, here in kinds.items()
        if here.any()
    }


def expected(
    n_words: int, *, chosen: float = CHOSEN, masked: float = MASKED, replaced: float = REPLACED
) -> dict[str, float]:
    """How many of so many words will have what done to them, on average."""
    n = n_words * chosen
    shares = (n_words - n, n * masked, n * replaced, n * (1 - masked - replaced))
    return dict(zip(DONE, shares, strict=True))


def _check(ids: Tensor, mask_id: int, words: Tensor, chosen: float, masked: float, replaced: float) -> None:
    if ids.dim() != 2 or ids.is_floating_point():
        raise ValueError(
            f"ids has shape {tuple(ids.shape)} and dtype {ids.dtype}, expected whole numbers (B, T): "
            "one row a text; for one text write ids[None]"
        )
    if words.numel() == 0 or words.dim() != 1 or words.is_floating_point():
        raise ValueError(f"words has shape {tuple(words.shape)}, expected (W,): ids of the ordinary words")
    if (words == mask_id).any():
        raise ValueError(
            f"words holds {mask_id}, the id of [MASK], expected ordinary words only: "
            "is this the whole vocabulary?"
        )
    for name, value in (("chosen", chosen), ("masked", masked), ("replaced", replaced)):
        if not 0 <= value <= 1:
            raise ValueError(f"{name} is {value}, expected a share from 0 to 1")
    if masked + replaced > 1 + 1e-9:
        raise ValueError(
            f"masked + replaced is {masked + replaced:g}, expected at most 1: "
            "they are shares of the chosen words, and the rest is kept"
        )
