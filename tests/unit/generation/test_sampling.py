"""Writing: one protocol for all models, sampling, and what stops it."""

import math

import pytest
import torch
from torch import nn

from course_lib.generation import WholeText, greedy, sample, trace_draw
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


def dice(ids):
    """A model whose next token depends on the last two, and on nothing else."""
    mixed = (ids[:, -1] * 31 + ids[:, -2:].sum(1) * 17).tolist()
    rows = [torch.randn(12, generator=torch.Generator().manual_seed(m)) for m in mixed]
    return torch.stack(rows)[:, None]  # (B, 1, V)


def write(n=30, **asked):
    prompt = torch.arange(4, 12)[:, None].expand(8, 2)
    return sample(WholeText(dice), prompt, n, generator=torch.Generator().manual_seed(0), **asked)


def test_other_tokens_can_stop_and_each_row_stops_for_itself():
    endless = write(stop_ids=(), top_k=8)
    assert endless.shape == (8, 32)
    stopped = write(stop_ids=[EOS_ID, 7, 9], top_k=8, pad_id=11)
    for row, free in zip(stopped.tolist(), endless.tolist(), strict=True):
        end = next((t + 1 for t in range(2, 32) if free[t] in (EOS_ID, 7, 9)), 32)
        if end < len(row):
            assert row[end:] == [11] * (len(row) - end)
    ends = [next(t for t in range(2, len(row)) if row[t] in (EOS_ID, 7, 9)) for row in stopped.tolist()]
    assert len(set(ends)) > 1 and stopped.shape[1] == 1 + max(ends)  # not a step longer than the longest
    # Up to the end of its row the first text to end is what it is without stops.
    first = ends.index(min(ends))
    assert torch.equal(stopped[first, : ends[first] + 1], endless[first, : ends[first] + 1])


def test_a_stop_in_the_prompt_ends_nothing_but_eos_does():
    five = torch.tensor([[5, 6]])
    assert sample(WholeText(counting), five, 5, stop_ids=(5, 8)).tolist() == [[5, 6, 7, 8]]
    over = torch.tensor([[5, EOS_ID]])
    assert sample(WholeText(counting), over, 2, stop_ids=(8,)).tolist() == [[5, EOS_ID, 3, 4]]
    assert sample(WholeText(counting), over, 2, stop_ids=(8, EOS_ID)).tolist() == [[5, EOS_ID]]


@pytest.mark.parametrize(
    "asked", [{"top_k": 3}, {"top_p": 0.6}, {"temperature": 0.7, "top_k": 5, "top_p": 0.8}]
)
def test_each_written_token_is_one_that_the_filters_keep(asked):
    ids = write(stop_ids=(), **asked)
    before = [ids[:, : t + 1] for t in range(1, ids.shape[1] - 1)]
    for seen, following in zip(before, ids[:, 2:].T, strict=True):
        for row, token in zip(dice(seen)[:, 0], following.tolist(), strict=True):
            assert token in trace_draw(row, **asked).kept()


def test_with_temperature_0_the_filters_change_nothing():
    assert torch.equal(
        write(temperature=0, stop_ids=()), write(temperature=0, top_k=2, top_p=0.3, stop_ids=())
    )


def test_filters_that_keep_all_change_nothing():
    assert torch.equal(write(), write(top_k=12, top_p=1.0))


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
    for asked, words in (
        ({"temperature": -1.0}, "temperature is"),
        ({"temperature": math.nan}, "temperature is"),
        ({"temperature": 0, "top_p": 2}, "top_p is 2"),  # also where it would change nothing
        ({"temperature": 0, "top_k": 0}, "top_k is 0"),
        ({"stop_ids": 2}, r"stop_ids is 2, expected several whole numbers: token ids, such as \(2,\)"),
        ({"stop_ids": "."}, "stop_ids is '.'"),
        ({"stop_ids": (1.5,)}, "stop_ids is"),
        ({"stop_ids": None}, "stop_ids is None"),
        ({"stop_ids": (3, 12)}, "stop_ids holds 12, expected 0 to 11"),
        ({"stop_ids": (-1,)}, "stop_ids holds -1"),
    ):
        with pytest.raises(ValueError, match=words):
            sample(WholeText(counting), prompt, 1, **asked)


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
