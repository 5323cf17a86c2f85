"""Writing by filling blanks: the orders, held by recorded cases, and what the door refuses."""

import pytest
import torch

from course_lib.blanks import ORDERS, SWEEPS, fill_blanks
from course_lib.text.tokenizers import PAD_ID

MASK, V = 4, 12
IDS = torch.tensor([[5, MASK, MASK, MASK, 6], [5, 7, MASK, MASK, 6], [5, MASK, 6, PAD_ID, PAD_ID]])
FIRST, N = torch.tensor([1, 2, 1]), torch.tensor([3, 2, 1])


def mixing(ids):
    """A function that looks at the whole row: whole numbers, so that no machine rounds them differently."""
    place = torch.arange(ids.shape[1])
    sums = (ids * (place + 3)).sum(1, keepdim=True) + 5 * ids + 7 * place  # (B, N)
    return ((sums[..., None] * (torch.arange(V) + 2)) % 23).float()


def fill(order="left to right", ids=IDS, first=FIRST, n=N, **how):
    generator = torch.Generator().manual_seed(3)
    return fill_blanks(mixing, ids, first, n, order, mask_id=MASK, generator=generator, **how)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_only_the_blanks_are_filled_and_never_with_what_is_forbidden(order, temperature):
    before = IDS.clone()
    filled = fill(order, never=range(4), temperature=temperature)
    assert torch.equal(IDS, before)  # the rows that came are not changed
    assert (filled[IDS == MASK] > MASK).all()
    assert torch.equal(filled[IDS != MASK], IDS[IDS != MASK])
    assert torch.equal(filled, fill(order, never=range(4), temperature=temperature))


RECORDED = {
    "mask at the end": [11, 10, 5, 7, 7, 11],
    "left to right": [9, 7, 3, 9, 0, 10],
    "most certain first": [3, 10, 6, 9, 0, 10],
    "refill": [11, 5, 11, 10, 8, 10],
}


@pytest.mark.parametrize("order", ORDERS)
def test_recorded_cases(order):
    """What the code of chapter 06's records wrote for these rows, before it had a module of its own."""
    assert fill(order)[IDS == MASK].tolist() == RECORDED[order]


def test_left_to_right_by_hand():
    """One row, one blank after the other: the likeliest word but [MASK] at the first blank that is left."""
    row = IDS[0].clone()
    for place in (1, 2, 3):
        scores = mixing(row[None])[0, place]
        scores[MASK] = -1
        row[place] = scores.argmax()
    assert torch.equal(fill("left to right")[0], row)


def test_refilling_takes_out_every_word_in_each_sweep():
    seen = []

    def watching(ids):
        seen.append((ids[0] == MASK).nonzero()[:, 0].tolist())
        return mixing(ids)

    fill_blanks(watching, IDS[:1], FIRST[:1], N[:1], "refill", mask_id=MASK)
    assert seen[:3] == [[1, 2, 3], [2, 3], [3]] and len(seen) == 3 + 3 * SWEEPS
    assert all(sorted(seen[i : i + 3]) == [[1], [2], [3]] for i in range(3, len(seen), 3))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"order": "backwards"}, "order is 'backwards', expected one of 'mask at the end'"),
        ({"temperature": -1.0}, "temperature is -1.0, expected 0 or more"),
        ({"ids": IDS[0]}, r"ids has shape \(5,\), expected \(B, N\)"),
        ({"first": FIRST[:1]}, r"first has shape \(1,\), expected \(3,\): one number for each row"),
        ({"n": N[:2]}, r"n has shape \(2,\), expected \(3,\)"),
        ({"n": torch.tensor([3, 2, 0])}, "n is 0, expected at least 1"),
        ({"first": torch.tensor([1, 1, 1])}, "in row 1, expected 2 blanks from place 1 on"),
        ({"n": torch.tensor([3, 2, 9])}, "in row 2, expected 9 blanks from place 1 on"),
    ],
)
def test_what_the_door_refuses(changes, message):
    with pytest.raises(ValueError, match=message):
        fill(**changes)
