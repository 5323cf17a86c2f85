"""Beam search: greedy at one end, brute force at the other, and right about when to stop."""

import itertools
import math
from typing import NamedTuple

import pytest
import torch

from course_lib.generation import beam, choose_rows, decode_all, greedy, length_penalty_of
from course_lib.models.seq2seq import Seq2SeqConfig
from course_lib.models.transformer import TransformerConfig
from course_lib.text.batching import pad
from course_lib.text.tokenizers import BOS_ID, EOS_ID, PAD_ID, WordTokenizer

SOURCES = [[4, 5, 6], [7, 4], [5, 5, 8, 4, 6], [6]]


class Seen(NamedTuple):
    source: torch.Tensor
    nothing: None
    text: torch.Tensor


class Dice:
    """A writer whose next token depends on the source and the whole text before it, and on nothing else."""

    def __init__(self, vocab, seed=0, sharpness=1.0):
        self.vocab, self.seed, self.sharpness = vocab, seed, sharpness

    def encode(self, source):
        return (Seen(source, None, source[:, :0]), None)

    def next_logits(self, tokens, state):
        source, _, text = state[0]
        text = torch.cat([text, tokens], dim=1)
        rows = [self.logits(s, t) for s, t in zip(source.tolist(), text.tolist(), strict=True)]
        return torch.stack(rows), None, (Seen(source, None, text), None)

    def logits(self, source, text):
        words = [token for token in source if token != PAD_ID]
        mixed = hash((self.seed, *words, -1, *text)) % 2**31
        return self.sharpness * torch.randn(self.vocab, generator=torch.Generator().manual_seed(mixed))

    def every_text(self, source, longest, alpha):
        """Brute force: every finished text of at most `longest` tokens, with its score, the best first."""
        scores, inner = {}, [token for token in range(self.vocab) if token != EOS_ID]
        for length in range(1, longest + 1):
            for text in itertools.product(inner, repeat=length - 1):
                text, before, raw = (*text, EOS_ID), [BOS_ID], 0.0
                for token in text:
                    raw += self.logits(source, before).log_softmax(-1)[token].item()
                    before.append(token)
                scores[text] = raw / ((5 + length) / 6) ** alpha
        return sorted(scores.items(), key=lambda item: -item[1])


@pytest.mark.parametrize("length_penalty", [0.0, 0.6, 2.0])
def test_a_beam_of_one_is_greedy_token_for_token(length_penalty):
    lengths = set()
    for seed in range(8):
        writer = Dice(7, seed, sharpness=2.0)
        for sources in (SOURCES, *([source] for source in SOURCES)):
            expected, _ = greedy(writer, pad(sources), 9)
            ids, traces = beam(writer, pad(sources), 9, beam_size=1, length_penalty=length_penalty)
            assert ids.tolist() == expected.tolist()
            lengths |= {len(trace.steps) for trace in traces}
    assert len(lengths) >= 5  # texts that end early, and some that do not


@pytest.mark.parametrize("alpha", [0.0, 0.6, 1.5])
def test_a_beam_that_keeps_everything_is_brute_force(alpha):
    vocab, longest, lengths, wins = 4, 4, set(), 0
    for seed in range(12):
        writer = Dice(vocab, seed, sharpness=1.5)
        ids, (trace,) = beam(
            writer, torch.tensor([[4, 7]]), longest, beam_size=vocab**longest, length_penalty=alpha
        )
        (best, score), *_ = writer.every_text([4, 7], longest, alpha)
        assert tuple(ids[0].tolist()) == best == tuple(trace.ids())
        assert trace.nodes()[trace.best].normalised == pytest.approx(score, abs=1e-5)
        lengths.add(len(best))
        wins += best != tuple(greedy(writer, torch.tensor([[4, 7]]), longest)[0][0].tolist())
    assert len(lengths) >= 2 and wins  # not one answer for all, and not greedy's


@pytest.mark.parametrize("alpha", [0.0, 0.6])
def test_each_source_of_a_batch_gets_what_it_gets_alone(alpha):
    writer = Dice(9, sharpness=2.0)
    together, traces = beam(writer, pad(SOURCES), 8, beam_size=3, length_penalty=alpha)
    for source, row, trace in zip(SOURCES, together.tolist(), traces, strict=True):
        ids, (alone,) = beam(writer, torch.tensor([source]), 8, beam_size=3, length_penalty=alpha)
        assert trace == alone and row == ids[0].tolist() + [PAD_ID] * (len(row) - ids.shape[1])
    assert len({len(trace.steps) for trace in traces}) > 1  # some searches end before others


def test_rows_of_any_state_are_chosen_and_its_shape_stays():
    state = (Seen(torch.tensor([[1], [2], [3]]), None, torch.zeros(3, 0)), (None, torch.eye(3)))
    chosen = choose_rows(state, torch.tensor([2, 0, 0, 2]))
    assert isinstance(chosen[0], Seen) and chosen[0].nothing is None and chosen[1][0] is None
    assert chosen[0].source.tolist() == [[3], [1], [1], [3]] and chosen[0].text.shape == (4, 0)
    assert chosen[1][1].tolist() == torch.eye(3)[[2, 0, 0, 2]].tolist()
    with pytest.raises(ValueError, match="state holds a list"):
        choose_rows((torch.eye(2), [torch.eye(2)]), torch.tensor([0]))


def test_the_length_penalty_is_that_of_the_paper():
    assert length_penalty_of(1, 0.6) == 1  # (5 + 1)^α / (5 + 1)^α
    assert length_penalty_of(7, 1.0) == 2
    assert length_penalty_of(19, 0.5) == 2
    assert length_penalty_of(19, 0.0) == 1


def test_bad_input_of_a_beam_is_named():
    source = torch.tensor([[4]])
    for options, words in (
        ({"max_new_tokens": 0}, "max_new_tokens is 0"),
        ({"beam_size": 0}, "beam_size is 0"),
        ({"length_penalty": -0.1}, "length_penalty is -0.1"),
        ({"length_penalty": math.nan}, "length_penalty is nan"),
    ):
        with pytest.raises(ValueError, match=words):
            beam(Dice(5), source, **{"max_new_tokens": 3} | options)


def test_decode_all_takes_a_beam():
    tokenizer = WordTokenizer(["a", "b", "c", "d", "e"])
    for model in (
        Seq2SeqConfig(9, len(tokenizer), d_embed=6, d_hidden=8, d_attn=5).build(),
        TransformerConfig(
            d_model=8, n_heads=2, d_ff=8, encoder_layers=1, decoder_layers=2, source_vocab=9,
            target_vocab=len(tokenizer), shared="target", positions="rotary",
        ).build(),
    ):  # fmt: skip
        model.train()
        said = decode_all(model, SOURCES, tokenizer, max_new_tokens=6, beam_size=3, batch_size=3)
        ids = [beam(model, torch.tensor([s]), 6, beam_size=3)[0][0].tolist() for s in SOURCES]
        assert said == [tokenizer.decode_tokens(row) for row in ids] and model.training
        assert decode_all(model, SOURCES, tokenizer, max_new_tokens=6) == [
            tokenizer.decode_tokens(greedy(model, torch.tensor([s]), 6)[0][0].tolist()) for s in SOURCES
        ]
