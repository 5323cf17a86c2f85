"""Writing with a model that fills blanks: somebody sets them, and somebody decides in which order.

    tom  is  [MASK]  [MASK]  .      →      tom  is  at  [MASK]  .      →      tom  is  at  home  .

Such a model says, for each blank, which word it expects there, and no more. How many words there shall be,
and which blank is filled first, is decided outside of it. One blank is filled at a time; the next is asked
for with this word in its place.

Axes: B batch, N positions of a row, V vocabulary.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from course_lib import checks
from course_lib.generation import draw
from course_lib.text.tokenizers import PAD_ID

ORDERS = ("mask at the end", "left to right", "most certain first", "refill")
SWEEPS = 5  # how often "refill" goes through a text


@torch.no_grad()
def fill_blanks(
    logits_of: Callable[[Tensor], Tensor],
    ids: Tensor,
    first: Tensor,
    n: Tensor,
    order: str,
    *,
    mask_id: int,
    pad_id: int = PAD_ID,
    never: Sequence[int] = (),
    temperature: float = 0.0,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Fill the blanks of some rows, one after another.

    Args:
        logits_of: ids `(B, N)` to logits `(B, N, V)`: for each place, which word the model expects there.
        ids: rows `(B, N)`, padded on the right; not changed. The blanks of a row stand side by side.
        first: place of each row's first blank, `(B,)`.
        n: how many blanks each row has, `(B,)`.
        order: "mask at the end": the text so far and one `[MASK]` behind it, no more; "left to right": a
            `[MASK]` for every word to come, the first is filled; "most certain first": the one whose
            likeliest word is most likely is filled; "refill": left to right, then again and again each word
            is taken out and drawn anew, in random order (Gibbs sampling).
        mask_id: the id of `[MASK]`.
        pad_id: the id of `[PAD]`, with which "mask at the end" covers what is behind.
        never: ids that are put into no blank; `[MASK]` is always one of them.
        temperature: 0 always takes the likeliest word.
        generator: source of the draws.

    Returns:
        ids `(B, N)`: the rows without blanks.

    Raises:
        ValueError: another order, rows whose blanks are not where `first` and `n` say, or a negative
            temperature.

    Source: refilling: Wang and Cho 2019; most certain first: Ghazvininejad et al. 2019 (Mask-Predict), who
    fill several at a time.
    """
    rows, places = torch.arange(len(ids)), torch.arange(ids.shape[-1])  # (B,), (N,)
    checks.one_of("order", order, ORDERS)
    if not temperature >= 0:
        raise ValueError(f"temperature is {temperature}, expected 0 or more: 0 takes the likeliest token")
    _check_blanks(ids, first, n, mask_id)
    ids, no_answer = ids.clone(), torch.tensor([mask_id, *never])
    inside = (places >= first[:, None]) & (places < (first + n)[:, None])  # (B, N)

    def look(seen: Tensor) -> Tensor:
        """Logits `(B, N, V)`, without those of ids that answer no blank."""
        return logits_of(seen).index_fill(-1, no_answer, -torch.inf)

    def say(logits: Tensor, place: Tensor, step: int) -> None:
        """Put a word at one place `(B,)` of each row that has so many."""
        word = draw(logits[rows, place], temperature, generator=generator)  # (B,)
        ids[rows, place] = torch.where(step < n, word, ids[rows, place])

    for step in range(int(n.max())):
        place = (first + step).clamp(max=ids.shape[1] - 1)  # (B,)
        behind = places > place[:, None]  # (B, N)
        logits = look(ids.masked_fill(behind, pad_id) if order == "mask at the end" else ids)
        if order == "most certain first":
            certain = logits.softmax(-1).amax(-1)  # (B, N)
            place = certain.masked_fill(~inside | (ids != mask_id), -1.0).argmax(-1)
        say(logits, place, step)
    for _ in range(SWEEPS if order == "refill" else 0):
        chance = torch.rand(inside.shape, generator=generator).masked_fill(~inside, torch.inf)
        for step, place in enumerate(chance.argsort(dim=1)[:, : int(n.max())].unbind(1)):
            ids[rows, place] = torch.where(step < n, mask_id, ids[rows, place])
            say(look(ids), place, step)
    return ids


def _check_blanks(ids: Tensor, first: Tensor, n: Tensor, mask_id: int) -> None:
    if ids.dim() != 2 or not ids.numel():
        raise ValueError(
            f"ids has shape {tuple(ids.shape)}, expected (B, N), neither of them 0: one row a text; for one "
            "text write ids[None]"
        )
    for name, value in (("first", first), ("n", n)):
        if value.shape != ids.shape[:1]:
            raise ValueError(
                f"{name} has shape {tuple(value.shape)}, expected ({len(ids)},): one number for each row"
            )
    checks.at_least_1(n=int(n.min()))
    places = torch.arange(ids.shape[1])  # (N,)
    inside = (places >= first[:, None]) & (places < (first + n)[:, None])  # (B, N)
    wrong = ((ids == mask_id) & inside).sum(1) != n  # (B,)
    if wrong.any():
        row = int(wrong.nonzero()[0])
        raise ValueError(
            f"ids holds other things than {mask_id}, the id of [MASK], in row {row}, expected {int(n[row])} "
            f"blanks from place {int(first[row])} on: are the tokens before them counted in first?"
        )
