"""The recurrent translator: shapes, masks, one road for training and writing."""

import itertools

import pytest
import torch

from course_lib.generation import greedy
from course_lib.models.seq2seq import Seq2Seq, Seq2SeqConfig
from course_lib.text.tokenizers import BOS_ID, EOS_ID, PAD_ID
from course_lib.training.randomness import seeded

VARIANTS = list(itertools.product(("additive", "dot", None), ("previous", "current"), (False, True)))


def make(score="additive", query="previous", words=False, seed=0, **changes):
    config = Seq2SeqConfig(
        source_vocab=11, target_vocab=13, d_embed=6, d_hidden=8, d_attn=5, score=score, query=query,
        words_in_memory=words, **changes,
    )  # fmt: skip
    with seeded(seed):
        return Seq2Seq(config).eval()


SOURCE = torch.tensor([[4, 5, 6, 7], [8, 9, PAD_ID, PAD_ID]])
TARGET = torch.tensor([[BOS_ID, 4, 5], [BOS_ID, 6, 7]])


@pytest.mark.parametrize(("score", "query", "words"), VARIANTS)
def test_shapes_and_weights(score, query, words):
    model = make(score, query, words)
    logits, weights = model(SOURCE, TARGET, need_weights=True)
    assert logits.shape == (2, 3, 13) and weights.shape == (2, 3, 4)
    expected = torch.zeros(2, 3) if score is None else torch.ones(2, 3)
    torch.testing.assert_close(weights.sum(-1), expected)
    assert (weights[1, :, 2:] == 0).all()
    assert model(SOURCE, TARGET)[1] is None


@pytest.mark.parametrize(("score", "query", "words"), VARIANTS)
def test_padding_changes_nothing(score, query, words):
    model = make(score, query, words)
    alone, _ = model(SOURCE[1:, :2], TARGET[1:])
    together, _ = model(SOURCE, TARGET)
    torch.testing.assert_close(together[1:], alone, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(("score", "query", "words"), VARIANTS)
def test_the_future_of_the_target_is_not_seen(score, query, words):
    model = make(score, query, words)
    changed = TARGET.clone()
    changed[:, 2] = 9
    before, after = model(SOURCE, TARGET)[0], model(SOURCE, changed)[0]
    torch.testing.assert_close(after[:, :2], before[:, :2])
    assert not torch.allclose(after[:, 2], before[:, 2])


@pytest.mark.parametrize(("score", "query", "words"), VARIANTS)
def test_greedy_takes_the_road_of_training(score, query, words):
    model = make(score, query, words)
    ids, weights = greedy(model, SOURCE, 5)
    inputs = torch.cat([torch.full((2, 1), BOS_ID), ids[:, :-1]], dim=1)
    logits, taught = model(SOURCE, inputs, need_weights=True)
    for row, best in zip(ids, logits.argmax(-1), strict=True):
        end = (row == EOS_ID).nonzero()
        length = int(end[0]) + 1 if len(end) else len(row)
        assert row[:length].tolist() == best[:length].tolist()
        assert (row[length:] == PAD_ID).all()
    torch.testing.assert_close(weights[0, 0], taught[0, 0])


def test_the_query_decides_what_the_first_look_knows():
    """s_0 cannot know y_0; s_1 does: only the current query's first weights change with y_0."""
    for query, changes in (("previous", False), ("current", True)):
        model = make("additive", query)
        rows = [model(SOURCE, torch.tensor([[y], [y]]), need_weights=True)[1] for y in (BOS_ID, 9)]
        assert (not torch.allclose(*rows)) is changes


def test_the_decoder_starts_where_the_backward_direction_ended():
    """s_0 = tanh(W_s h←_1): the backward state at the first word, which has read the whole sentence."""
    model = make()
    memory, state = model.encode(SOURCE)
    backward = memory.values[:, 0, 8:]  # (B, D)
    torch.testing.assert_close(state.s, torch.tanh(model.start(backward)))
    assert (state.context == 0).all()  # nothing has been looked at yet
    memory, state = make(None).encode(SOURCE)
    assert torch.equal(state.context, memory.summary) and (state.context != 0).any()


def test_dropout_reaches_the_states_and_the_words_and_only_in_training():
    model = make(dropout=0.5)
    seen = []
    model.cell.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0][:, :6]))  # target words
    for training in (True, False):
        model.train(training)
        seen.clear()
        with seeded(0):
            states, _, words = model.encoder(SOURCE[:1])
            model(SOURCE, TARGET)
        for features in (states, words, torch.cat(seen)):
            assert bool((features == 0).any()) is training


def test_keys_are_projected_once_a_sentence():
    model = make()
    calls = []
    model.attention.U_a.register_forward_hook(lambda *_: calls.append(1))
    model(SOURCE, TARGET)
    assert len(calls) == 1


def test_greedy_stops_and_leaves_the_mode_alone():
    model = make().train()
    ids, _ = greedy(model, SOURCE, 1)
    assert ids.shape == (2, 1) and model.training
    shaky = make(dropout=0.9).train()
    first, second = (greedy(shaky, SOURCE, 4)[1] for _ in range(2))
    assert torch.equal(first, second)  # no dropout while it writes
    with pytest.raises(ValueError, match="max_new_tokens is 0"):
        greedy(model, SOURCE, 0)


def test_bad_input_is_named():
    model = make()
    with pytest.raises(ValueError, match=r"source has shape \(4,\), expected \(B, S\)"):
        model(SOURCE[0], TARGET)
    with pytest.raises(ValueError, match="a row of padding only"):
        model(torch.full((2, 3), PAD_ID), TARGET)
    state = model.encode(SOURCE)
    with pytest.raises(ValueError, match=rf"tokens has shape \({len(SOURCE)}, 0\), expected \(B, n\)"):
        model.next_logits(TARGET[:, :0], state)
    with pytest.raises(
        ValueError, match=f"tokens has 1 rows and the source has {len(SOURCE)}, expected as many"
    ):
        model.next_logits(TARGET[:1, :1], state)
    with pytest.raises(ValueError, match="score is 'cosine'"):
        make("cosine")
    with pytest.raises(ValueError, match="query is 'next'"):
        make("additive", "next")


def test_all_parameters_learn():
    for score, query, words in VARIANTS:
        model = make(score, query, words).train()
        model(SOURCE, TARGET)[0].square().mean().backward()
        dead = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
        assert dead == [], (score, query, words)
