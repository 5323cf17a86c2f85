"""Prompts and answers as padded rows: each token of an answer is flagged, and no other."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_lib.text.batching import stack_answers

V = 30
texts = st.lists(st.integers(5, V - 1), min_size=1, max_size=6)


@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=5))
def test_flags_choose_the_answers_out_of_the_rows(pairs):
    prompts, answers = zip(*pairs, strict=True)
    ids, answer = stack_answers(prompts, answers, pad_id=0)
    assert ids.shape == answer.shape and answer.dtype == torch.bool
    for row, flags, prompt, said in zip(ids, answer, prompts, answers, strict=True):
        assert row[flags].tolist() == said
        assert row[: len(prompt)].tolist() == prompt and not flags[: len(prompt)].any()
        assert not row[len(prompt) + len(said) :].any() and not flags[len(prompt) + len(said) :].any()


@pytest.mark.parametrize(
    ("prompts", "answers", "words"),
    [
        ([[5]], [], "prompts has 1 rows and answers 0, expected one a prompt"),
        ([[5]], [[]], "answers holds an empty list"),
        ([[]], [[5]], "prompts holds an empty list"),
        ([], [], "sequences is empty"),
        ([[5]], [["word"]], "expected a list of ids"),
    ],
)
def test_what_is_no_pair_is_named(prompts, answers, words):
    with pytest.raises(ValueError, match=words):
        stack_answers(prompts, answers)
