"""The attention-only model: shapes, both roads, what it shows of its inside."""

import math

import pytest
import torch

from course_lib.attention import MultiHeadAttention, merge_heads, split_heads
from course_lib.masks import causal_mask
from course_lib.metrics import leak_matrix
from course_lib.models.attention_only import AttentionOnly, AttentionOnlyConfig
from course_lib.training.randomness import seeded


def small(**changes) -> AttentionOnly:
    with seeded(0):
        return AttentionOnly(AttentionOnlyConfig(**{"vocab_size": 11, "d_model": 12, "n_heads": 3} | changes))


IDS = torch.tensor([[1, 2, 3, 2, 5], [4, 4, 6, 0, 0]])


def test_both_roads_give_the_same_logits():
    model = small(n_layers=2)
    logits, weights = model(IDS, causal_mask(5), need_weights=True)
    fused, no_weights = model(IDS, causal_mask(5))
    torch.testing.assert_close(logits, fused)
    assert no_weights is None
    assert [w.shape for w in weights] == [(2, 3, 5, 5)] * 2


def test_look_inside_shows_what_the_model_computed():
    model = small(n_layers=2)
    views = model.look_inside(IDS, causal_mask(5))
    _, weights = model(IDS, causal_mask(5), need_weights=True)
    for view, seen in zip(views, weights, strict=True):
        torch.testing.assert_close(view.weights, seen)
        scores = view.queries @ view.keys.transpose(-2, -1) / math.sqrt(4)
        again = scores.masked_fill(~causal_mask(5), -torch.inf).softmax(-1)
        torch.testing.assert_close(again, view.weights)
        assert view.values.shape == (2, 3, 5, 4)


def test_without_scale_the_scores_are_not_divided():
    with_scale, without = small(), small(scale=False)
    without.load_state_dict(with_scale.state_dict())
    view = without.look_inside(IDS)[0]
    torch.testing.assert_close((view.queries @ view.keys.transpose(-2, -1)).softmax(-1), view.weights)
    assert not torch.allclose(view.weights, with_scale.look_inside(IDS)[0].weights)


def test_a_causal_model_does_not_see_the_future():
    model = small(n_layers=2)

    def after_embedding(x):  # the model's body, asked about its input vectors
        for layer in model.layers:
            x = x + layer(x[None], x[None], x[None], causal_mask(5))[0][0]
        return x

    leak = leak_matrix(after_embedding, model.embed(IDS)[0])
    assert (leak[~causal_mask(5)] == 0).all() and (leak[causal_mask(5)] > 0).all()


def test_heads_are_cut_side_by_side():
    x = torch.arange(2 * 3 * 6).view(2, 3, 6)
    heads = split_heads(x, 2)
    assert torch.equal(heads[1, 0], x[1, :, :3]) and torch.equal(heads[1, 1], x[1, :, 3:])
    assert torch.equal(merge_heads(heads), x)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: small(n_heads=5), "d_model (12) must be divisible by n_heads (5)"),
        (lambda: small(n_layers=0), "n_layers is 0, expected at least 1"),
        (lambda: small()(IDS[0]), "for one text write ids[None]"),
        (lambda: small(max_len=4)(IDS), "expected at most max_len (4)"),
        (lambda: small()(IDS.float()), "expected whole numbers"),
        (lambda: split_heads(torch.ones(3, 6), 2), "expected (B, T, D)"),
        (lambda: merge_heads(torch.ones(3, 6, 2)), "expected (B, H, T, K)"),
        (lambda: MultiHeadAttention(8, 0), "n_heads is 0"),
        (lambda: layer(torch.ones(5, 8)), "for one sentence write x[None]"),
        (lambda: layer(torch.ones(1, 5, 8), torch.ones(2, 5, 8)), "the same batch"),
        (lambda: layer(torch.ones(1, 5, 8), allowed=causal_mask(5)[None]), "the batch or the heads?"),
        (lambda: layer(torch.ones(1, 5, 8), allowed=causal_mask(4)), "does not broadcast"),
        (lambda: leak_matrix(lambda x: x, torch.ones(1, 2, 3)), "expected (S, D)"),
        (lambda: leak_matrix(lambda x: x.sum(), torch.ones(2, 3)), "expected (T, D_out)"),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(ValueError) as caught:
        call()
    assert words in str(caught.value)


def layer(x, memory=None, allowed=None):
    memory = x if memory is None else memory
    return MultiHeadAttention(8, 2)(x, memory, memory, allowed)
