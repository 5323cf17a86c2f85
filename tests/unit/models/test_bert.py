"""BERT: sizes, padding, segments, what its doors refuse, and where gradients go."""

import pytest
import torch

from course_lib.models import evaluating
from course_lib.models.bert import FOLLOWS, BertConfig, parameter_count
from course_lib.models.bert_classifier import VECTORS, ClassifierConfig
from course_lib.text.segments import join, stack

SMALL = BertConfig(
    vocab_size=40, d_model=16, n_heads=4, n_layers=2, d_ff=24, max_len=12, dropout=0.0, init_std=0.3
)
ROWS = stack([join([7, 8, 9], [10, 11]), join([12, 13]), join([14, 15, 16, 17], [18])])


def small(seed=0, **changes):
    torch.manual_seed(seed)
    return BertConfig(**{**SMALL.__dict__, **changes}).build()


def test_parameters_by_formula():
    for config in (SMALL, BertConfig(30, 8, 2, 3, 20, 9, n_segments=3)):
        model = config.build()
        parts = parameter_count(config)
        assert sum(parts.values()) == sum(p.numel() for p in model.parameters())
        assert parts["embeddings"] + parts["layers"] == sum(p.numel() for p in model.encoder.parameters())


def test_bert_base_is_the_papers_110_million():
    parts = parameter_count(BertConfig())
    body = parts["embeddings"] + parts["layers"] + parts["pooler"]
    assert body == 109_482_240 and round(body / 1e6, -1) == 110  # "110M": Devlin et al. 2019, section 3
    assert sum(parts.values()) == 110_106_428
    large = parameter_count(BertConfig(d_model=1024, n_heads=16, n_layers=24, d_ff=4096))
    assert 330e6 < sum(large.values()) < 340e6  # "340M"


def test_shapes_and_the_weights_on_request():
    model = small()
    with evaluating(model):
        scores, weights = model(ids=ROWS.ids, segments=ROWS.segments)
        again, looked = model(ids=ROWS.ids, segments=ROWS.segments, need_weights=True)
        read = model.encoder(ids=ROWS.ids, segments=ROWS.segments)
    assert scores.words.shape == (3, 8, 40) and scores.follows.shape == (3, len(FOLLOWS)) and weights is None
    assert [w.shape for w in looked] == [(3, 4, 8, 8)] * 2
    torch.testing.assert_close(again.words, scores.words)  # both roads of attention
    padding = ROWS.ids == 0
    assert padding.any() and all((w.transpose(1, 3)[padding] == 0).all() for w in looked)
    assert len(read.hidden) == 3 and torch.equal(read.C, read.tokens[:, 0])


def test_a_changed_padded_token_moves_nothing():
    model = small()
    allowed = (ROWS.ids != 0)[:, None, None]
    other = torch.where(ROWS.ids == 0, 33, ROWS.ids)
    segments = torch.where(ROWS.ids == 0, 1, ROWS.segments)
    with evaluating(model):
        before, _ = model(ids=ROWS.ids, segments=ROWS.segments)
        after, _ = model(ids=other, segments=segments, allowed=allowed)
        forgotten, _ = model(ids=other, segments=segments)  # the mask left out: now they are words
    words = ROWS.ids != 0
    assert torch.equal(before.words[words], after.words[words]) and torch.equal(before.follows, after.follows)
    assert not torch.allclose(before.words[1, :4], forgotten.words[1, :4])


def test_a_row_alone_is_the_row_in_a_batch():
    model = small()
    with evaluating(model):
        together, _ = model(ids=ROWS.ids, segments=ROWS.segments)
        alone, _ = model(ids=ROWS.ids[1:2, :4], segments=ROWS.segments[1:2, :4])
    torch.testing.assert_close(together.words[1, :4], alone.words[0])
    torch.testing.assert_close(together.follows[1], alone.follows[0])


def test_segments_and_positions_matter():
    model = small()
    ids = torch.tensor([[4, 7, 7, 5, 7, 5]])
    with evaluating(model):
        one, _ = model(ids=ids)
        two, _ = model(ids=ids, segments=torch.tensor([[0, 0, 0, 0, 1, 1]]))
    assert not torch.allclose(one.words, two.words)
    assert not torch.allclose(one.words[0, 1], one.words[0, 2])  # the same word at two positions


def test_gradients_reach_every_parameter_once():
    model = small()
    names = [name for name, _ in model.named_parameters()]
    assert "lm_head.weight" not in names and model.lm_head.weight is model.encoder.token_embedding.weight
    scores, _ = model(ids=ROWS.ids, segments=ROWS.segments)
    loss = scores.words.logsumexp(-1).square().sum() + scores.follows.logsumexp(-1).square().sum()
    loss.backward()
    for name, parameter in model.named_parameters():
        if not name.endswith("W_k.bias"):  # the same for every key: the softmax does not see it
            assert parameter.grad is not None and parameter.grad.abs().sum() > 1e-6, name
    used = model.encoder.position_embedding.weight.grad.abs().sum(-1) > 0
    assert used.tolist() == [True] * 8 + [False] * 4


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"allowed": ROWS.segments}, r"allowed has dtype torch.int64, .* are these segments\?"),
        ({"allowed": ROWS.ids != 0}, r"allowed has shape \(3, 8\), the shape of ids"),
        ({"segments": (ROWS.ids != 0).long()}, r"segments begins with 1 in row 0.* attention mask"),
        ({"segments": ROWS.ids != 0}, r"segments has shape \(3, 8\) and dtype torch.bool"),
        ({"segments": ROWS.ids}, r"segments holds 0 to 18, expected 0 to 1: are these ids\?"),
        ({"segments": ROWS.segments[:1]}, r"segments has shape \(1, 8\)"),
        ({"ids": torch.full((1, 13), 7), "segments": None}, r"ids has 13 positions, expected at most .*12"),
        ({"ids": ROWS.ids + 30}, r"ids holds ids from 30 to 48, expected 0 to 39"),
    ],
)  # fmt: skip
def test_what_the_door_refuses(changes, message):
    with pytest.raises(ValueError, match=message):
        small()(**{"ids": ROWS.ids, "segments": ROWS.segments} | changes)


def test_everything_is_passed_by_name():
    with pytest.raises(TypeError):
        small()(ROWS.ids, ROWS.segments)


@pytest.mark.parametrize("vector", VECTORS)
def test_a_classifier_reads_the_vector_that_it_is_told_to(vector):
    bert = small(seed=1)
    model = ClassifierConfig(bert.config, 3, vector).build().start_from(bert)
    with evaluating(model):
        scores = model(ids=ROWS.ids, segments=ROWS.segments)
        alone = model(ids=ROWS.ids[1:2, :4], segments=ROWS.segments[1:2, :4])
        read = bert.encoder(ids=ROWS.ids, segments=ROWS.segments)
        expected = {
            "C": read.tokens[1, 0],
            "pooler": (bert.pooler.weight @ read.tokens[1, 0] + bert.pooler.bias).tanh(),
            "mean": read.tokens[1, :4].mean(0),
            "tokens": read.tokens[1],
        }[vector]
        got = model.read_vectors(ids=ROWS.ids, segments=ROWS.segments)[1]
        said = got @ model.head.weight.T + model.head.bias
    torch.testing.assert_close(got, expected)
    torch.testing.assert_close(scores[1], said)
    if vector == "tokens":
        assert scores.shape == (3, 8, 3)  # an answer for every token; row 1 has four, then padding
        torch.testing.assert_close(scores[1, :4], alone[0])
    else:
        assert scores.shape == (3, 3)
        torch.testing.assert_close(scores[1], alone[0])  # padding is left out


def test_the_mean_of_a_row_of_padding_is_no_nan():
    model = ClassifierConfig(small().config, 2, "mean").build().eval()
    scores = model(ids=torch.tensor([[5, 6, 7], [0, 0, 0]]))
    assert torch.equal(scores[1], model.head.bias)


@pytest.mark.parametrize("frozen", [False, True])
def test_frozen_means_that_only_the_head_learns(frozen):
    bert = small(dropout=0.5)
    model = ClassifierConfig(bert.config, 3, frozen=frozen).build().start_from(bert)
    model.train()
    assert model.bert.training != frozen
    model(ids=ROWS.ids, segments=ROWS.segments).square().sum().backward()
    with_gradient = {name.split(".")[0] for name, p in model.named_parameters() if p.grad is not None}
    assert with_gradient == ({"head"} if frozen else {"head", "bert"})


def test_a_classifier_wants_a_bert_of_its_own_size():
    with pytest.raises(ValueError, match="bert has BertConfig"):
        ClassifierConfig(SMALL, 3).build().start_from(small(n_layers=1))
    with pytest.raises(ValueError, match="vector is 'cls', expected one of 'C', 'pooler', 'mean'"):
        ClassifierConfig(SMALL, 3, "cls")
