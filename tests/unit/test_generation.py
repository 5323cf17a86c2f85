"""Writing: one protocol for all models, sampling, and what stops it."""

import math

import pytest
import torch
from torch import nn

from course_lib.generation import WholeText, greedy, sample
from course_lib.models import evaluating
from course_lib.models.seq2seq import Seq2Seq, Seq2SeqConfig
from course_lib.text.tokenizers import BOS_ID, EOS_ID, PAD_ID


def counting(ids):
    """A model that says the token after the last one, and `[EOS]` after 8."""
    last = ids[:, -1]
    following = torch.where(last >= 8, EOS_ID, last + 1)
    logits = torch.full((*ids.shape, 12), -30.0)
    logits[torch.arange(len(ids)), -1, following] = 30.0
    return logits


def test_sampling_goes_on_to_the_end_and_pads_behind_it():
    ids = sample(WholeText(counting), torch.tensor([[BOS_ID, 5], [BOS_ID, 7]]), 10, temperature=0)
    assert ids.tolist() == [[1, 5, 6, 7, 8, EOS_ID], [1, 7, 8, EOS_ID, PAD_ID, PAD_ID]]
    assert sample(WholeText(counting), torch.tensor([[5]]), 2).tolist() == [[5, 6, 7]]
    assert sample(WholeText(counting), torch.tensor([[5, EOS_ID]]), 4).tolist() == [[5, EOS_ID]]


def test_sampling_shows_the_model_at_most_max_len_tokens():
    lengths = []

    def watching(ids):
        lengths.append(ids.shape[1])
        return counting(ids)

    sample(WholeText(watching, max_len=4), torch.tensor([[3, 4, 5]]), 3)
    assert lengths == [3, 4, 4]


def test_temperature_divides_the_logits():
    logits = torch.tensor([0.0, 1.0, 2.0, 3.0]).expand(2000, 1, 4)
    for temperature in (0.5, 1.0, 4.0):
        drawn = sample(
            WholeText(lambda ids: logits), torch.full((2000, 1), 9), 1, temperature=temperature,
            generator=torch.Generator().manual_seed(0),
        )[:, 1]  # fmt: skip
        expected = (logits[0, 0] / temperature).softmax(-1)
        assert torch.allclose(drawn.bincount(minlength=4) / 2000, expected, atol=0.04)


def test_bad_input_of_sampling_is_named():
    prompt = torch.tensor([[1]])
    for arguments, words in (
        ((torch.tensor([1]), 3), "prompt has shape"),
        ((torch.empty(1, 0, dtype=torch.long), 3), "prompt has shape"),
        ((prompt, 0), "max_new_tokens is 0"),
    ):
        with pytest.raises(ValueError, match=words):
            sample(WholeText(counting), *arguments)
    for temperature in (-1.0, math.nan):
        with pytest.raises(ValueError, match="temperature is"):
            sample(WholeText(counting), prompt, 1, temperature=temperature)


class Recurrent(nn.Module):
    """A model with a state: it remembers how many tokens it has read, and says the next number."""

    def __init__(self):
        super().__init__()
        self.dropout = nn.Dropout(0.5)
        self.read = []

    def encode(self, source):
        return source.sum(1), torch.zeros(len(source), dtype=torch.long)

    def next_logits(self, tokens, state=None):
        total, steps = state or (torch.zeros(len(tokens), dtype=torch.long), tokens.new_zeros(len(tokens)))
        self.read.append(tokens.tolist())
        steps = steps + tokens.shape[1]
        logits = nn.functional.one_hot(4 + steps, 12).float() * 50
        assert not self.training and not torch.is_grad_enabled()
        return logits, None, (total, steps)


def test_any_model_that_speaks_the_protocol_writes():
    model = Recurrent().train()
    ids, weights = greedy(model, torch.tensor([[7, 8], [9, 4]]), 3)
    assert ids.tolist() == [[5, 6, 7]] * 2 and weights is None
    assert model.read == [[[BOS_ID]] * 2, [[5]] * 2, [[6]] * 2]  # each token is shown once
    model.read.clear()
    assert sample(model, torch.tensor([[BOS_ID, 8, 9]]), 2, temperature=0).tolist() == [[BOS_ID, 8, 9, 7, 8]]
    assert model.read == [[[BOS_ID, 8, 9]], [[7]]]
    assert model.training and model.dropout.training


def test_the_protocol_is_teacher_forcing_step_by_step():
    """Shown the same tokens, one at a time or several at once, the model says what it says in training."""
    torch.manual_seed(0)
    model = Seq2Seq(Seq2SeqConfig(11, 13, d_embed=6, d_hidden=8, d_attn=5)).eval()
    source, target = torch.tensor([[4, 5, 6], [7, 8, PAD_ID]]), torch.tensor([[BOS_ID, 4, 5, 6]] * 2)
    logits, weights = model(source, target, need_weights=True)
    first, _, state = model.next_logits(target[:, :1], model.encode(source))
    torch.testing.assert_close(first, logits[:, 0])
    last, row, _ = model.next_logits(target[:, 1:], state)
    torch.testing.assert_close(last, logits[:, -1])
    torch.testing.assert_close(row, weights[:, -1])


def test_evaluating_puts_every_part_back():
    model = nn.Sequential(nn.Dropout(), nn.Sequential(nn.Dropout())).train()
    model[1].eval()  # frozen by its owner
    with pytest.raises(ZeroDivisionError), evaluating(model):
        assert not any(part.training for part in model.modules()) and not torch.is_grad_enabled()
        raise ZeroDivisionError
    assert [part.training for part in model.modules()] == [True, True, False, False]
    assert torch.is_grad_enabled()
