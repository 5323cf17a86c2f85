"""One text or two as one row: special tokens, segments, what is cut."""

import pytest
import torch

from course_lib.text.segments import (
    CLS_ID,
    MASK_ID,
    SEP_ID,
    SegmentTokenizer,
    join,
    stack,
)
from course_lib.text.tokenizers import PAD_ID, UNK_ID

WORDS = SegmentTokenizer(["tom", "is", "here", "."])


def test_a_pair():
    row = join(WORDS.encode("tom is here ."), WORDS.encode("tom ."))
    assert " ".join(WORDS.tokens[i] for i in row.ids) == "[CLS] tom is here . [SEP] tom . [SEP]"
    assert row.segments == [0, 0, 0, 0, 0, 0, 1, 1, 1] and row.cut == (0, 0)


def test_one_text_and_an_empty_second_one():
    assert join([9, 8]) == ([CLS_ID, 9, 8, SEP_ID], [0, 0, 0, 0], (0, 0))
    assert join([9], []) == ([CLS_ID, 9, SEP_ID, SEP_ID], [0, 0, 0, 1], (0, 0))


def test_a_text_cannot_make_a_special_token():
    assert len({PAD_ID, UNK_ID, CLS_ID, SEP_ID, MASK_ID}) == 5
    assert WORDS.encode("tom [SEP] [MASK] [CLS] [PAD]") == [WORDS.ids["tom"], *[UNK_ID] * 4]
    assert list(WORDS.words) == [WORDS.ids[word] for word in ("tom", "is", "here", ".")]


@pytest.mark.parametrize(
    ("n_first", "n_second", "max_len", "cut"),
    [(10, 4, 17, (0, 0)), (10, 4, 16, (1, 0)), (10, 4, 9, (7, 1)), (3, 9, 10, (0, 5)), (2, 2, 5, (1, 1))],
)
def test_the_longer_text_is_cut_and_it_is_said(n_first, n_second, max_len, cut):
    row = join(range(100, 100 + n_first), range(200, 200 + n_second), max_len=max_len)
    assert len(row.ids) <= max_len and row.cut == cut and len(row.ids) == len(row.segments)
    first = row.ids[1 : row.ids.index(SEP_ID)]
    assert first == list(range(100, 100 + n_first - cut[0]))  # the end is cut, not the beginning
    assert row.ids.count(SEP_ID) == 2 and row.ids[-1] == SEP_ID


def test_one_text_is_cut_too():
    assert join(range(20, 40), max_len=5) == ([CLS_ID, 20, 21, 22, SEP_ID], [0] * 5, (17, 0))


def test_no_room():
    with pytest.raises(ValueError, match=r"max_len is 4, expected at least 5: 3 special tokens"):
        join([9], [8], max_len=4)


def test_rows_are_padded_with_an_id_of_their_own():
    batch = stack([join([9, 8], [7]), join([9])])
    assert batch.ids.tolist() == [
        [CLS_ID, 9, 8, SEP_ID, 7, SEP_ID],
        [CLS_ID, 9, SEP_ID, PAD_ID, PAD_ID, PAD_ID],
    ]
    assert batch.segments.tolist() == [[0, 0, 0, 0, 1, 1], [0] * 6] and batch.ids.dtype == torch.long
