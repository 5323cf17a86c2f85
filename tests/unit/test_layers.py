"""Embedding, positions, norms, feed-forward, the frame of a sub-layer, attention that remembers."""

import math

import pytest
import torch
from hypothesis import strategies as st
from parity_helpers import Dice, assert_close, many
from torch import nn

from course_lib import layers
from course_lib.layers import (
    CachedAttention,
    DecoderLayer,
    EncoderLayer,
    FeedForward,
    SubLayer,
    TokenEmbedding,
    layer_norm,
    rms_norm,
    rotate,
    sinusoidal_positions,
)
from course_lib.masks import causal_mask, padding_mask

seeds = st.integers(0, 2**31)
even_sizes = st.integers(1, 8).map(lambda n: 2 * n)

# --- token embedding --------------------------------------------------------------------------------------


def test_embeddings_start_at_the_size_of_positions_after_the_factor():
    torch.manual_seed(0)
    embedding = TokenEmbedding(500, 64)
    assert embedding.weight.std().item() == pytest.approx(64**-0.5, rel=0.02)
    ids = torch.tensor([[3, 4, 499]])
    torch.testing.assert_close(embedding(ids), embedding.weight[ids] * 8)
    assert embedding(torch.arange(500)[None]).std().item() == pytest.approx(1, rel=0.02)
    for sizes in ((0, 4), (4, 0)):
        with pytest.raises(ValueError, match="is 0, expected at least 1"):
            TokenEmbedding(*sizes)


# --- positions --------------------------------------------------------------------------------------------


def test_sinusoidal_positions_are_the_paper_s_number_by_number():
    table = sinusoidal_positions(50, 6)
    for pos in (0, 1, 7, 49):
        for i in range(3):
            angle = pos / 10000 ** (2 * i / 6)
            assert table[pos, 2 * i].item() == pytest.approx(math.sin(angle), abs=1e-5)
            assert table[pos, 2 * i + 1].item() == pytest.approx(math.cos(angle), abs=1e-5)
    assert sinusoidal_positions(0, 4).shape == (0, 4)
    assert sinusoidal_positions(10, 64).square().sum(-1).tolist() == pytest.approx([32.0] * 10)  # D / 2


@many(50, t=st.integers(0, 400), k=st.integers(0, 80), d_model=even_sizes)
def test_a_later_position_is_the_earlier_one_turned(t, k, d_model):
    """The same matrix for every t: position t + k can be read off position t by a linear function."""
    table = sinusoidal_positions(t + k + 1, d_model)
    turn = torch.zeros(d_model, d_model)
    for i in range(d_model // 2):
        a = k / 10000 ** (2 * i / d_model)
        turn[2 * i : 2 * i + 2, 2 * i : 2 * i + 2] = torch.tensor(
            [[math.cos(a), math.sin(a)], [-math.sin(a), math.cos(a)]]
        )
    assert_close(turn @ turn.T, torch.eye(d_model), 1e-6)
    assert_close(turn @ table[t], table[t + k], 1e-4)


@many(50, n=st.integers(1, 60), d_model=even_sizes)
def test_interleaved_or_one_after_the_other_gives_the_same_dot_products(n, d_model):
    interleaved = sinusoidal_positions(n, d_model)
    sines_first = torch.cat([interleaved[:, 0::2], interleaved[:, 1::2]], dim=-1)
    assert d_model == 2 or n == 1 or not torch.equal(interleaved, sines_first)
    assert_close(sines_first @ sines_first.T, interleaved @ interleaved.T, 1e-5)


@many(80, i=st.integers(0, 300), j=st.integers(0, 300), shift=st.integers(0, 700), K=even_sizes, seed=seeds)
def test_a_rotary_score_depends_on_the_distance_only(i, j, shift, K, seed):
    dice = Dice(seed)
    q, k = dice.normal(1, 1, 1, K, dtype=torch.float64), dice.normal(1, 1, 1, K, dtype=torch.float64)
    here = (rotate(q, i) * rotate(k, j)).sum()
    there = (rotate(q, i + shift) * rotate(k, j + shift)).sum()
    assert_close(there, here, 2e-4)  # angles are kept in float32: 1,000 radians to 6e-5
    assert_close(rotate(q, i).norm(), q.norm(), 1e-6)
    turned = sum(  # cos(i − j) of the part along, sin(i − j) of the part across, clock by clock
        math.cos((i - j) / 10000 ** (2 * c / K)) * (q[..., 2 * c :][..., :2] * k[..., 2 * c :][..., :2]).sum()
        + math.sin((i - j) / 10000 ** (2 * c / K))
        * (q[..., 2 * c] * k[..., 2 * c + 1] - q[..., 2 * c + 1] * k[..., 2 * c]).sum()
        for c in range(K // 2)
    )
    assert_close(here, turned, 2e-4)


@many(30, T=st.integers(1, 9), start=st.integers(0, 200), K=even_sizes, seed=seeds)
def test_rotating_from_a_start_is_a_part_of_rotating_all(T, start, K, seed):
    x = Dice(seed).normal(2, 3, start + T, K)
    assert_close(rotate(x[:, :, start:], start), rotate(x)[:, :, start:], 1e-6)  # a kernel may fuse either
    assert torch.equal(rotate(x)[:, :, :1], x[:, :, :1])  # position 0 is not turned


def test_rotating_pairs_neighbours_and_keeps_the_type():
    x = torch.tensor([1.0, 0.0, 0.0, 1.0]).expand(1, 1, 2, 4)
    slow = 1 / 100
    expected = [math.cos(1), math.sin(1), -math.sin(slow), math.cos(slow)]
    assert rotate(x)[0, 0, 1].tolist() == pytest.approx(expected)
    assert rotate(x.bfloat16(), 5).dtype == torch.bfloat16


@pytest.mark.parametrize("size", [1, 3, 7])
def test_positions_need_pairs_of_features(size):
    with pytest.raises(ValueError, match=f"d_model is {size}, expected an even number"):
        sinusoidal_positions(4, size)
    with pytest.raises(ValueError, match=f"the last axis of x is {size}, expected an even number"):
        rotate(torch.zeros(1, 1, 2, size))
    with pytest.raises(ValueError, match=f"d_model / n_heads is {size}, expected an even number"):
        EncoderLayer(2 * size, 2, rotary=True)


# --- norms, feed-forward, frame ---------------------------------------------------------------------------


@many(40, shape=st.lists(st.integers(1, 4), max_size=3), D=st.integers(1, 9), seed=seeds)
def test_norms_equal_torch_s(shape, D, seed):
    dice = Dice(seed)
    for dtype, tolerance in ((torch.float32, 1e-5), (torch.float64, 1e-12)):
        x, upstream = (dice.normal(*shape, D, dtype=dtype) for _ in range(2))
        x = (x * 3 + 2).requires_grad_()
        gain, bias = (dice.normal(D, dtype=dtype) for _ in range(2))
        for theirs, ours in (
            (nn.functional.layer_norm(x, (D,), gain, bias, 1e-5), layer_norm(x, gain, bias)),
            (nn.functional.rms_norm(x, (D,), gain, 1e-5), rms_norm(x, gain)),
        ):
            assert_close(ours, theirs, tolerance)
            expected, got = (torch.autograd.grad((y * upstream).sum(), x)[0] for y in (theirs, ours))
            assert_close(got, expected, 30 * tolerance)  # with D = 1 or 2 the variance can be near 0


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("size", [1.0, 300.0, 2e4])
def test_norms_in_half_precision_are_torch_s(dtype, size):
    """The square of 300 is beyond 65,504, where float16 ends."""
    x = size * torch.tensor([[1.0, -1.0, 1.0, -1.0], [1.0, -2.0, 0.5, 0.3]]).to(dtype)
    gain, bias = torch.tensor([[1.0, 2.0, -1.0, 0.5], [0.0, 1.0, 0.0, 0.2]]).to(dtype)
    theirs = nn.functional.layer_norm(x, (4,), gain, bias, 1e-5), nn.functional.rms_norm(x, (4,), gain, 1e-5)
    for ours, expected in zip((layer_norm(x, gain, bias), rms_norm(x, gain)), theirs, strict=True):
        assert ours.dtype == dtype
        torch.testing.assert_close(ours, expected, atol=0, rtol=2 * torch.finfo(dtype).eps)


def test_layers_norm_by_the_functions_that_are_shown():
    x, frame = torch.randn(2, 3, 8), {"layer": SubLayer(8), "rms": SubLayer(8, norm="rms")}
    nothing = torch.zeros_like(x)
    assert_close(frame["layer"].after(x, nothing), layer_norm(x, torch.ones(8), torch.zeros(8)), 1e-6)
    assert_close(frame["rms"].after(x, nothing), rms_norm(x, torch.ones(8)), 1e-6)


def test_feed_forward_works_on_each_position_alone():
    torch.manual_seed(0)
    layer, x = FeedForward(4, 7), torch.randn(2, 5, 4)
    by_hand = torch.relu(x @ layer.W_1.weight.T + layer.W_1.bias) @ layer.W_2.weight.T + layer.W_2.bias
    assert_close(layer(x), by_hand, 1e-6)
    order = torch.tensor([3, 0, 4, 1, 2])
    assert_close(layer(x[:, order]), layer(x)[:, order], 1e-6)
    assert_close(layer(x)[1, 2], layer(x[1:2, 2:3])[0, 0], 1e-6)
    assert FeedForward(4, 7, "gelu").activation is nn.functional.gelu


def test_pre_norm_lets_x_through_and_post_norm_does_not():
    x = 3 + torch.randn(2, 3, 8, generator=torch.Generator().manual_seed(0))
    nothing = torch.zeros_like
    assert torch.equal(SubLayer(8, norm_first=True)(x, nothing), x)
    assert_close(SubLayer(8)(x, nothing), nn.functional.layer_norm(x, (8,)), 1e-6)
    assert (SubLayer(8, norm_first=True, residual=False)(x, nothing) == 0).all()
    seen = []
    SubLayer(8, norm_first=True)(x, lambda y: seen.append(y) or y)
    SubLayer(8)(x, lambda y: seen.append(y) or y)
    assert_close(seen[0], nn.functional.layer_norm(x, (8,)), 1e-6)
    assert seen[1] is x


def test_a_frame_drops_the_sub_layer_s_output_and_never_x():
    torch.manual_seed(0)
    x, frame = torch.full((1, 1, 1000), 5.0), SubLayer(1000, norm_first=True, dropout=0.25).train()
    added = (frame(x, torch.ones_like) - x).round(decimals=4)
    assert added.unique().tolist() == pytest.approx([0, 4 / 3], abs=1e-3)
    assert (added == 0).float().mean().item() == pytest.approx(0.25, abs=0.05)
    assert torch.equal(frame.eval()(x, torch.ones_like), x + 1)


def test_a_layer_puts_its_parts_in_the_order_of_the_paper():
    """Written out from the parts: post and pre; the memory of a pre-norm decoder is not normalised again."""
    torch.manual_seed(0)
    x, memory, causal = torch.randn(2, 3, 8), torch.randn(2, 4, 8), causal_mask(3)
    for norm_first in (False, True):
        encoder = EncoderLayer(8, 2, 12, norm_first=norm_first)
        decoder = DecoderLayer(8, 2, 12, norm_first=norm_first)
        for layer in (encoder, decoder):
            for parameter in layer.parameters():
                nn.init.normal_(parameter, std=0.5)

        def framed(x, frame, f, first=norm_first):
            return x + f(frame.norm(x)) if first else frame.norm(x + f(x))

        y = framed(x, encoder.around_self, lambda h, e=encoder: e.self_attention(h, h, h, causal)[0])
        y = framed(y, encoder.around_feed_forward, encoder.feed_forward)
        assert_close(encoder(x, causal)[0], y, 1e-5)

        y = framed(x, decoder.around_self, lambda h, d=decoder: d.self_attention(h, h, h, causal)[0])
        y = framed(y, decoder.around_cross, lambda h, d=decoder: d.cross_attention(h, memory, memory)[0])
        y = framed(y, decoder.around_feed_forward, decoder.feed_forward)
        assert_close(decoder(x, memory, causal)[0], y, 1e-5)


def test_d_ff_is_four_times_d_model_unless_given():
    assert EncoderLayer(8, 2).feed_forward.W_1.out_features == 32
    assert DecoderLayer(8, 2, 5).feed_forward.W_1.out_features == 5


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: FeedForward(4, 0), "d_ff is 0"),
        (lambda: EncoderLayer(4, 2, 0), "d_ff is 0"),
        (lambda: FeedForward(4, 4, "swish"), "activation is 'swish', expected one of 'relu', 'gelu'"),
        (lambda: SubLayer(4, norm="batch"), "norm is 'batch', expected one of 'layer', 'rms'"),
        (lambda: SubLayer(4, dropout=1.0), "dropout is 1.0"),
        (lambda: EncoderLayer(6, 4), r"d_model \(6\) must be divisible by n_heads \(4\)"),
        (lambda: CachedAttention(6, 2).remember(torch.zeros(2, 6)), r"x has shape \(2, 6\), expected"),
        (lambda: CachedAttention(6, 2).remember(torch.zeros(1, 2, 5)), "with D = 6"),
        (lambda: rotate(torch.zeros(1, 1, 5, 4), -2), "start is -2, .*: are there more queries than keys"),
    ],
)
def test_bad_sizes_and_choices_are_named(make, words):
    with pytest.raises(ValueError, match=words):
        make()


@pytest.mark.parametrize("T", [4, 5, 9])
def test_more_queries_than_keys_have_no_rotary_positions(T):
    """The first of them would stand before the text; without rotary positions they may well be more."""
    x, keys = torch.randn(1, T, 8), torch.randn(1, 3, 8)
    with pytest.raises(ValueError, match=f"start is {3 - T}, expected 0 or more"):
        CachedAttention(8, 2, rotary=True)(x, keys, keys)
    assert CachedAttention(8, 2)(x, keys, keys)[0].shape == x.shape


# --- attention that remembers -----------------------------------------------------------------------------


@many(40, cuts=st.lists(st.integers(1, 3), min_size=1, max_size=4), rotary=st.booleans(), seed=seeds)
def test_remembering_step_by_step_is_reading_at_once(cuts, rotary, seed):
    torch.manual_seed(seed)
    layer, x = CachedAttention(8, 2, rotary=rotary), torch.randn(2, sum(cuts), 8)
    whole, _ = layer(x, x, x, causal_mask(sum(cuts)))
    past, rows = None, []
    for part in x.split(cuts, dim=1):
        before, past = past, layer.remember(part, past)
        if before is not None:  # what is remembered never changes
            assert torch.equal(past.k[:, :, : before.k.shape[2]], before.k)
            assert torch.equal(past.v[:, :, : before.v.shape[2]], before.v)
        allowed = causal_mask(part.shape[1], past.k.shape[2])
        rows.append(layer.ask(part, past, allowed)[0])
    assert_close(torch.cat(rows, dim=1), whole, 1e-5)


@pytest.mark.parametrize("rows", [1, 2])
def test_what_is_remembered_is_looked_at_by_its_own_row(rows):
    """Another batch is named; a batch of one does not spread over the others either."""
    x, other = torch.randn(4, 3, 8), torch.randn(rows, 3, 8)
    encoder, decoder = EncoderLayer(8, 2), DecoderLayer(8, 2)
    past = encoder(other)[2]
    for call, name in (
        (lambda: encoder(x, None, past), "past"),
        (lambda: encoder.self_attention.ask(x, past), "memory"),
        (lambda: decoder(x, other), "memory"),
        (lambda: decoder(x, x, None, None, past), "past"),
    ):
        with pytest.raises(ValueError, match=f"x has 4 rows and {name} has {rows}, expected as many"):
            call()


@many(30, T=st.integers(1, 5), offset=st.integers(1, 50), seed=seeds)
def test_a_rotary_layer_does_not_feel_where_the_text_begins(T, offset, seed):
    """Behind `offset` positions that nobody may see, the same text gives the same output."""
    torch.manual_seed(seed)
    layer, x = CachedAttention(8, 2, rotary=True), torch.randn(1, T, 8)
    past = layer.remember(torch.randn(1, offset, 8))
    hidden = torch.arange(offset + T) >= offset
    output, _ = layer.ask(x, layer.remember(x, past), causal_mask(T, offset + T) & hidden)
    assert_close(output, layer(x, x, x, causal_mask(T))[0], 1e-5)
    plain = CachedAttention(8, 2)
    plain.load_state_dict(layer.state_dict())
    if T > 1:
        assert not torch.allclose(plain(x, x, x, causal_mask(T))[0], output)  # positions do something


@pytest.mark.parametrize("need_weights", [True, False])
@pytest.mark.parametrize("norm_first", [True, False])
def test_nothing_to_look_at_gives_no_nan_forward_or_backward(need_weights, norm_first):
    torch.manual_seed(0)
    x, memory = torch.randn(2, 3, 8, requires_grad=True), torch.randn(2, 4, 8, requires_grad=True)
    words = padding_mask(torch.tensor([[5, 5, 0, 0], [0, 0, 0, 0]]), 0)  # an empty source
    nobody = torch.zeros(3, 3, dtype=torch.bool)
    decoder = DecoderLayer(8, 2, norm_first=norm_first)
    output, weights, _ = decoder(x, memory, nobody, words, None, need_weights)
    output.sum().backward()
    for tensor in (output, x.grad, memory.grad, *(p.grad for p in decoder.parameters())):
        assert torch.isfinite(tensor).all()
    assert (memory.grad[1] == 0).all() and (memory.grad[0, 2:] == 0).all() and (memory.grad[0, :2] != 0).any()
    if need_weights:
        assert (weights.own == 0).all() and (weights.cross[1] == 0).all()
        assert_close(weights.cross[0].sum(-1), torch.ones(2, 3), 1e-6)


def test_the_base_of_all_clocks_is_the_paper_s():
    assert layers.BASE == 10_000
