"""Prompts and answers as rows, padded or packed: each token of an answer is flagged, and no other."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_lib.masks import document_mask
from course_lib.models.gpt import GPTConfig
from course_lib.text.batching import stack_answers
from course_lib.text.packing import IGNORE, pack_answers
from course_lib.training.objectives import answer_loss, token_loss
from course_lib.training.randomness import seeded

END, OPEN, V = 3, 4, 30
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


def chats():
    """Three chats of two turns, the answers ended; the flags of what the assistant says."""
    g = torch.Generator().manual_seed(2)
    documents, flags = [], []
    for lengths in ((4, 3), (2, 5), (6, 1)):
        document, counted = [], []
        for n_prompt, n_answer in (lengths, lengths[::-1]):
            document += [*torch.randint(5, V, (n_prompt + n_answer,), generator=g).tolist(), END]
            counted += [False] * n_prompt + [True] * (n_answer + 1)
        documents.append(document)
        flags.append(counted)
    return documents, flags


@pytest.mark.parametrize("length", [60, 11])
def test_packed_chats_count_their_answers_and_nothing_else(length):
    documents, flags = chats()
    packed = pack_answers(documents, flags, length, OPEN)
    said = [
        token for d, f in zip(documents, flags, strict=True) for token, flag in zip(d, f, strict=True) if flag
    ]
    counted = packed.labels[packed.labels != IGNORE]
    assert counted.tolist() == said
    assert (counted == END).sum() == 6  # trained ends = answers


def test_packed_chats_are_isolated():
    """One row with three chats has the loss and the gradient of three rows with one each."""
    documents, flags = chats()
    with seeded(1):
        model = GPTConfig(
            V, d_model=16, n_heads=2, n_layers=2, max_len=64, positions="rotary", init_std=0.3
        ).build()
    packed = pack_answers(documents, flags, 60, OPEN)
    assert len(packed.inputs) == 1
    model.zero_grad()
    together = token_loss(model(packed.inputs, document_mask(packed.documents))[0], packed.labels)
    together.backward()
    gradients = [p.grad.clone() for p in model.parameters()]
    model.zero_grad()
    total, n = 0.0, sum(map(sum, flags))
    for document, flag in zip(documents, flags, strict=True):
        batch = torch.tensor([[OPEN, *document]]), torch.tensor([[False, *flag]])
        alone = answer_loss(model, batch) * sum(flag) / n
        alone.backward()
        total += alone.item()
    assert together.item() == pytest.approx(total, abs=1e-6)
    for p, gradient in zip(model.parameters(), gradients, strict=True):
        torch.testing.assert_close(p.grad, gradient, atol=1e-6, rtol=1e-5)


def test_flags_that_do_not_fit_are_named():
    documents, flags = chats()
    with pytest.raises(ValueError, match=r"answers has \[15, 16\] flags, expected \[16, 16, 16\]"):
        pack_answers(documents, [flags[0][1:], flags[1]], 20, OPEN)
