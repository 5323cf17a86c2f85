"""Supervised fine-tuning: the loss covers exactly the answers, their ends among them."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_lib.models.gpt import GPTConfig
from course_lib.text.batching import stack_answers
from course_lib.text.bpe import train_bpe
from course_lib.text.chat import CHAT_TOKENS, END, encode_chat
from course_lib.training.loop import train
from course_lib.training.objectives import (
    IGNORE,
    answer_log_probs,
    answer_loss,
    shift_answers,
    token_log_probs,
    token_loss,
)
from course_lib.training.randomness import seeded

V, EOS = 20, 2
PROMPTS = [[5, 6, 7, 8], [9, 10]]
ANSWERS = [[11, EOS], [12, 13, 14, EOS]]


@pytest.fixture
def model():
    with seeded(0):
        return GPTConfig(V, d_model=16, n_heads=2, n_layers=2, max_len=16, init_std=0.3).build().eval()


# ---------------------------------------------------------------- what counts


def test_flags_move_with_the_tokens():
    inputs, labels = shift_answers(*stack_answers(PROMPTS, ANSWERS))
    assert inputs.tolist() == [[5, 6, 7, 8, 11], [9, 10, 12, 13, 14]]
    assert labels.tolist() == [
        [IGNORE, IGNORE, IGNORE, 11, EOS],  # the last token of the prompt has to say the first of the answer
        [IGNORE, 12, 13, 14, EOS],
    ]
    assert (labels == EOS).sum() == len(ANSWERS)  # trained ends = answers


def test_a_chat_of_two_turns():
    """What the assistant says counts, with the end of each turn of its own; what it reads does not."""
    bpe = train_bpe("where is the cat, it is here", 290, CHAT_TOKENS)
    turns = [("user", "where is it"), ("assistant", "here"), ("user", "the cat"), ("assistant", "is the cat")]
    ids, answer = [], []
    for turn in turns:
        new = encode_chat([turn], bpe)
        ids += new
        answer += [False] + [turn[0] == "assistant"] * (len(new) - 1)  # the marker is given, too
    _, labels = shift_answers(torch.tensor([ids]), torch.tensor([answer]))
    counted = labels[labels != IGNORE].tolist()
    end = bpe.special[END]
    assert counted == [*bpe.encode("here"), end, *bpe.encode("is the cat"), end]
    assert counted.count(end) == 2


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (torch.ones(2, 5), r"answer has shape \(2, 5\), expected \(2, 6\)"),
        (torch.ones(2, 6), r"answer has dtype torch.float32, expected torch.bool"),
        (torch.ones(2, 6).bool(), "answer counts the first token of a row"),
    ],
)
def test_flags_that_are_none_are_named(answer, words):
    with pytest.raises(ValueError, match=words):
        shift_answers(stack_answers(PROMPTS, ANSWERS)[0], answer)


# ---------------------------------------------------------------- by hand


def test_three_tokens_by_hand():
    """Probabilities 1/2 and 1/4 in one row, 1/8 in the other: (ln 2 + ln 4 + ln 8) / 3 = 2 ln 2."""
    right = torch.tensor([[0.9, 1 / 2, 1 / 4], [0.9, 0.9, 1 / 8]])  # 0.9 stands where nothing counts
    logits = torch.stack([right.log(), (1 - right).log()], dim=-1)  # (2, 3, 2)
    labels = torch.tensor([[IGNORE, 0, 0], [IGNORE, IGNORE, 0]])
    assert token_loss(logits, labels).item() == pytest.approx(2 * math.log(2), abs=1e-6)
    log_probs = token_log_probs(logits, labels)
    assert log_probs[labels == IGNORE].tolist() == [0.0] * 3
    torch.testing.assert_close(log_probs.sum(1), torch.tensor([-math.log(8), -math.log(8)]))


def test_the_loss_is_the_sum_over_answers_divided_by_their_number(model):
    """Token by token, from the model's own softmax; rows of unequal lengths, with padding."""
    texts = [prompt + answer for prompt, answer in zip(PROMPTS, ANSWERS, strict=True)]
    sums = []
    for text, prompt in zip(texts, PROMPTS, strict=True):
        probabilities = model(torch.tensor([text]))[0][0].softmax(-1)
        sums.append(sum(probabilities[t - 1, text[t]].log() for t in range(len(prompt), len(text))))
    batch = stack_answers(PROMPTS, ANSWERS)
    torch.testing.assert_close(answer_log_probs(model, *batch).sum(1), torch.stack(sums))
    assert answer_loss(model, batch).item() == pytest.approx(-sum(sums).item() / 6, abs=1e-6)


def test_padding_and_a_neighbour_change_nothing(model):
    alone = answer_log_probs(model, *stack_answers(PROMPTS[:1], ANSWERS[:1])).sum(1)
    beside = answer_log_probs(model, *stack_answers(PROMPTS, [ANSWERS[0], [12] * 12])).sum(1)
    torch.testing.assert_close(alone, beside[:1])


@given(st.integers(0, 10**6), st.integers(1, 12))
def test_what_stands_at_a_prompt_s_labels_has_no_gradient_at_all(seed, n_prompt):
    g = torch.Generator().manual_seed(seed)
    ids = torch.randint(V, (3, n_prompt + 5), generator=g)
    answer = torch.zeros_like(ids, dtype=torch.bool)
    answer[:, n_prompt:] = torch.rand(3, 5, generator=g) < 0.7
    answer[0, -1] = True
    _, labels = shift_answers(ids, answer)
    logits = torch.randn(3, n_prompt + 4, V, generator=g, requires_grad=True)
    token_loss(logits, labels).backward()
    assert (logits.grad[labels == IGNORE] == 0).all()  # exactly
    assert (logits.grad[labels != IGNORE] != 0).any(-1).all()


def test_a_longer_prompt_makes_the_loss_no_smaller():
    """The mean over all positions, zeros included, would: another scale for every length of prompt."""
    logits = torch.randn(1, 1, V, generator=torch.Generator().manual_seed(0))
    short = token_loss(logits.expand(1, 2, V), torch.tensor([[IGNORE, 7]]))
    long = token_loss(logits.expand(1, 9, V), torch.tensor([[IGNORE] * 8 + [7]]))
    assert short.item() == pytest.approx(long.item(), abs=1e-6)


def test_a_batch_without_any_answer_is_a_clear_error(model):
    ids, answer = stack_answers(PROMPTS, ANSWERS)
    with pytest.raises(ValueError, match="labels holds nothing but -100, expected at least one token"):
        answer_loss(model, (ids, torch.zeros_like(answer)))
    answer[0] = False  # a row without an answer is none: the others count
    assert answer_loss(model, (ids, answer)).isfinite()


# ---------------------------------------------------------------- and it is learned


def test_answers_are_learned_and_prompts_are_not(model):
    batch = stack_answers(PROMPTS, ANSWERS)
    prompt_flags = torch.zeros_like(batch[1])
    prompt_flags[:, 1:2] = True
    before = answer_loss(model, (batch[0], prompt_flags)).item()
    history = train(model, iter(lambda: batch, None), answer_loss, steps=60, lr=1e-2)
    assert history.losses[0] > 2 and history.losses[-1] < 0.05
    assert answer_loss(model, (batch[0], prompt_flags)).item() > before / 2
