"""Ours equals torch's: attention, the multi-head layer, masks and their conversions, over many shapes.

Differences are measured against the size of what is compared: 1e-6 in values and 1e-5 in gradients for
float32, as promised; 1e-12 for float64. Where nothing is allowed torch's answers differ from kernel to
kernel (0 or NaN), so such rows are held against our own rule: weights exactly 0.
"""

import pytest
import torch
from hypothesis import strategies as st
from parity_helpers import Dice, assert_close, many
from torch import nn
from torch.nn.functional import scaled_dot_product_attention as torch_attention

from course_lib import masks
from course_lib.attention import (
    MultiHeadAttention,
    fused_attention,
    merge_heads,
    scaled_dot_product_attention,
    split_heads,
)
from course_lib.metrics import leak_matrix

VALUES = {torch.float32: 1e-6, torch.float64: 1e-12, torch.bfloat16: 3e-2}
GRADIENTS = {torch.float32: 1e-5, torch.float64: 1e-11}
MASKS = ("none", "causal", "padding", "both", "any", "any head")
ROADS = {"written out": True, "fused": False}  # need_weights

sizes = st.integers(1, 6)
seeds = st.integers(0, 2**31)


def alive_rows(allowed, *shape):
    """(..., T, 1): True for queries that may attend to something."""
    if allowed is None:
        return torch.ones(*shape[:-1], 1, dtype=torch.bool)
    return allowed.expand(shape).any(-1, keepdim=True)


def gradients(output, upstream, inputs):
    return torch.autograd.grad((output * upstream).sum(), inputs)


# --- softmax(q kᵀ / √d_k) v -------------------------------------------------------------------------------


@many(
    120,
    B=sizes,
    H=st.integers(1, 3),
    T=sizes,
    S=sizes,
    K=st.sampled_from([1, 2, 3, 8, 64]),
    D=st.sampled_from([1, 5, 8]),
    kind=st.sampled_from(MASKS),
    dtype=st.sampled_from(list(VALUES)),
    strided=st.booleans(),
    seed=seeds,
)
def test_both_attentions_equal_torch(B, H, T, S, K, D, kind, dtype, strided, seed):
    dice = Dice(seed)

    def one(n, d):
        if strided:  # as split_heads makes them: not contiguous
            return dice.normal(B, n, H, d, dtype=dtype).transpose(1, 2)
        return dice.normal(B, H, n, d, dtype=dtype)

    q, k, v = one(T, K), one(S, K), one(S, D)
    allowed = dice.mask(kind, B, H, T, S)
    alive = alive_rows(allowed, B, H, T, S)
    expected = torch_attention(q, k, v, attn_mask=allowed).masked_fill(~alive, 0.0)
    output, weights = scaled_dot_product_attention(q, k, v, allowed)
    for ours in (output, fused_attention(q, k, v, allowed)):
        assert ours.dtype == dtype
        assert_close(ours, expected, VALUES[dtype])
        assert (ours.masked_select(~alive) == 0).all()
    assert weights.dtype == dtype
    assert_close(weights.double().sum(-1, keepdim=True), alive.double(), max(VALUES[dtype], 1e-12))
    if allowed is not None:
        assert (weights.masked_select(~allowed.expand(weights.shape)) == 0).all()


@many(
    40,
    B=st.integers(1, 3),
    H=st.integers(1, 3),
    T=sizes,
    S=sizes,
    kind=st.sampled_from(MASKS),
    dtype=st.sampled_from(list(GRADIENTS)),
    seed=seeds,
)
def test_gradients_of_both_attentions_equal_torch(B, H, T, S, kind, dtype, seed):
    dice = Dice(seed)
    inputs = [dice.normal(B, H, n, 4, dtype=dtype).requires_grad_() for n in (T, S, S)]
    allowed = dice.mask(kind, B, H, T, S)
    if allowed is not None:
        allowed = allowed | (torch.arange(S) == 0)  # torch's gradient is NaN where nothing is allowed
    upstream = dice.normal(B, H, T, 4, dtype=dtype)
    expected = gradients(torch_attention(*inputs, attn_mask=allowed), upstream, inputs)
    for output in (scaled_dot_product_attention(*inputs, allowed)[0], fused_attention(*inputs, allowed)):
        for ours, theirs in zip(gradients(output, upstream, inputs), expected, strict=True):
            assert_close(ours, theirs, GRADIENTS[dtype])


@pytest.mark.parametrize("mask", [(), (5,), (3, 5), (1, 5), (3, 1), (2, 1, 1, 5), (4, 3, 5), (1, 4, 1, 5)])
def test_any_mask_that_broadcasts_is_the_same_on_both_roads(mask):
    dice = Dice(1)
    q, k, v = dice.normal(2, 4, 3, 6), dice.normal(2, 4, 5, 6), dice.normal(2, 4, 5, 6)
    allowed = dice.cells(*mask, open_share=0.5)
    full = allowed.expand(2, 4, 3, 5)
    written_out, weights = scaled_dot_product_attention(q, k, v, allowed)
    assert_close(written_out, scaled_dot_product_attention(q, k, v, full)[0], 1e-6)
    assert_close(fused_attention(q, k, v, allowed), written_out, 1e-6)
    assert torch.equal(weights > 0, full)


@pytest.mark.parametrize("leading", [(), (7,), (2, 3), (2, 1, 3)])
def test_any_number_of_leading_axes(leading):
    dice = Dice(2)
    q, k, v = (dice.normal(*leading, n, 4) for n in (3, 5, 5))
    allowed = masks.causal_mask(3, 5)
    expected = torch_attention(q, k, v, attn_mask=allowed)
    assert_close(scaled_dot_product_attention(q, k, v, allowed)[0], expected, 1e-6)
    assert_close(fused_attention(q, k, v, allowed), expected, 1e-6)


def test_heads_that_share_keys_broadcast_on_both_roads():
    dice = Dice(3)
    q, k, v = dice.normal(2, 4, 3, 6), dice.normal(2, 1, 5, 6), dice.normal(2, 1, 5, 6)
    allowed = masks.causal_mask(3, 5)
    written_out, _ = scaled_dot_product_attention(q, k, v, allowed)
    for mask in (None, allowed):
        written_out, _ = scaled_dot_product_attention(q, k, v, mask)
        repeated = fused_attention(q, k.expand(2, 4, 5, 6), v.expand(2, 4, 5, 6), mask)
        assert_close(written_out, repeated, 1e-6)
        assert_close(fused_attention(q, k, v, mask), repeated, 1e-6)


def test_large_scores_stay_finite():
    dice = Dice(4)
    q, k, v = (1e3 * dice.normal(2, 3, 4) for _ in range(3))
    allowed = masks.causal_mask(3)
    expected = torch_attention(q.double(), k.double(), v.double(), attn_mask=allowed)
    assert_close(scaled_dot_product_attention(q, k, v, allowed)[0], expected, 1e-5)
    assert_close(fused_attention(q, k, v, allowed), expected, 1e-5)


# --- the whole layer --------------------------------------------------------------------------------------


def a_layer(dice, n_heads, d_k, dtype=torch.float32):
    """One of our layers with random weights and biases, and torch's with the same numbers."""
    ours = MultiHeadAttention(n_heads * d_k, n_heads).to(dtype)
    theirs = nn.MultiheadAttention(n_heads * d_k, n_heads, batch_first=True, dtype=dtype)
    with torch.no_grad():
        for parameter in ours.parameters():
            parameter.copy_(dice.normal(*parameter.shape, dtype=dtype) / ours.d_model**0.5)
        inner = (ours.W_q, ours.W_k, ours.W_v)
        theirs.in_proj_weight.copy_(torch.cat([layer.weight for layer in inner]))
        theirs.in_proj_bias.copy_(torch.cat([layer.bias for layer in inner]))
        theirs.out_proj.load_state_dict(ours.W_o.state_dict())
    return ours, theirs


def parameter_gradients(layer):
    """All gradients of a layer in torch's order: inner weights, inner biases, outer weight, outer bias."""
    if isinstance(layer, nn.MultiheadAttention):
        return [p.grad for p in (layer.in_proj_weight, layer.in_proj_bias, *layer.out_proj.parameters())]
    inner = (layer.W_q, layer.W_k, layer.W_v)
    return [
        torch.cat([part.weight.grad for part in inner]),
        torch.cat([part.bias.grad for part in inner]),
        layer.W_o.weight.grad,
        layer.W_o.bias.grad,
    ]


layers = {
    "B": st.integers(1, 3),
    "T": sizes,
    "S": sizes,
    "H": st.sampled_from([1, 2, 4]),
    "K": st.sampled_from([1, 2, 4]),
    "cross": st.booleans(),
    "dtype": st.sampled_from(list(GRADIENTS)),
    "seed": seeds,
}


@many(60, kind=st.sampled_from(["none", "causal", "padding", "both", "head"]), **layers)
def test_the_layer_equals_torch_in_values_and_gradients(B, T, S, H, K, cross, dtype, kind, seed):
    dice = Dice(seed)
    S = S if cross else T
    ours, theirs = a_layer(dice, H, K, dtype)
    x, *memory = (dice.normal(B, n, H * K, dtype=dtype) for n in (T, S, S))  # in cross, keys are not values
    upstream = dice.normal(B, T, H * K, dtype=dtype)
    allowed = dice.mask("any head" if kind == "head" else kind, B, H, T, S)
    if kind == "head":
        allowed[..., 0] = True
    theirs_masks = {} if allowed is None else masks.to_torch_mha(allowed, H)

    def both_ways(layer, road):
        """Output, weights (or None) and all gradients."""
        layer.zero_grad()
        query, *other = (tensor.clone().requires_grad_() for tensor in (x, *memory))
        keys, values = other if cross else (query, query)
        if layer is ours:
            output, weights = layer(query, keys, values, allowed, need_weights=road)
        else:
            settings = {"need_weights": road, "average_attn_weights": False}
            output, weights = layer(query, keys, values, **settings, **theirs_masks)
        (output * upstream).sum().backward()
        inputs = [t.grad for t in (query, *other)] if cross else [query.grad]
        return output, weights, [*inputs, *parameter_gradients(layer)]

    expected, their_weights, their_gradients = both_ways(theirs, True)
    for road in ROADS.values():
        output, weights, our_gradients = both_ways(ours, road)
        assert_close(output, expected, VALUES[dtype])
        if road:
            assert_close(weights, their_weights, VALUES[dtype])
        for mine, yours in zip(our_gradients, their_gradients, strict=True):
            assert_close(mine, yours, GRADIENTS[dtype])


@many(25, **layers)
def test_causal_and_padding_given_apart_are_our_two_combined(B, T, S, H, K, cross, dtype, seed):
    dice = Dice(seed)
    ours, theirs = a_layer(dice, H, K, dtype)
    x = dice.normal(B, T, H * K, dtype=dtype)
    causal, padding = dice.mask("causal", B, H, T, T), dice.mask("padding", B, H, T, T)
    blocked = {**masks.to_torch_mha(causal, H), **masks.to_torch_mha(padding, H)}
    assert set(blocked) == {"attn_mask", "key_padding_mask"}
    expected, their_weights = theirs(x, x, x, average_attn_weights=False, **blocked)
    allowed = masks.combine(causal, padding)
    output, weights = ours(x, x, x, allowed, need_weights=True)
    assert_close(output, expected, VALUES[dtype])
    assert_close(weights, their_weights, VALUES[dtype])


@pytest.mark.parametrize("kind", ["none", "causal", "padding", "both"])
def test_torch_s_fast_path_in_inference_gives_the_same(kind):
    dice = Dice(5)
    ours, theirs = a_layer(dice, 4, 8)
    x = dice.normal(3, 7, 32)
    allowed = dice.mask(kind, 3, 4, 7, 7)
    theirs_masks = {} if allowed is None else masks.to_torch_mha(allowed, 4)
    with torch.inference_mode():
        expected, _ = theirs.eval()(x, x, x, need_weights=False, **theirs_masks)
        assert_close(ours.eval()(x, x, x, allowed)[0], expected, 1e-6)


@many(40, kind=st.sampled_from(MASKS), **layers)
def test_both_roads_of_the_layer_are_equal_whatever_the_mask(B, T, S, H, K, cross, dtype, kind, seed):
    dice = Dice(seed)
    layer, _ = a_layer(dice, H, K, dtype)
    S = S if cross else T
    x = dice.normal(B, T, H * K, dtype=dtype).requires_grad_()
    memory = dice.normal(B, S, H * K, dtype=dtype).requires_grad_() if cross else x
    upstream = dice.normal(B, T, H * K, dtype=dtype)
    allowed = dice.mask(kind, B, H, T, S)
    inputs = [x, *([memory] if cross else []), *layer.parameters()]
    written_out, _ = layer(x, memory, memory, allowed, need_weights=True)
    fused, no_weights = layer(x, memory, memory, allowed)
    assert no_weights is None
    assert_close(fused, written_out, VALUES[dtype])
    for a, b in zip(
        gradients(fused, upstream, inputs), gradients(written_out, upstream, inputs), strict=True
    ):
        assert_close(a, b, GRADIENTS[dtype])


@pytest.mark.parametrize("need_weights", ROADS.values(), ids=ROADS)
@pytest.mark.parametrize("dtype", list(GRADIENTS), ids=str)
@many(15, B=st.integers(1, 3), T=sizes, S=sizes, H=st.sampled_from([1, 2, 4]), seed=seeds)
def test_a_query_with_nothing_allowed_gets_the_bias_and_no_nan(need_weights, dtype, B, T, S, H, seed):
    dice = Dice(seed)
    layer, _ = a_layer(dice, H, 4, dtype)
    x = dice.normal(B, T, H * 4, dtype=dtype).requires_grad_()
    memory = dice.normal(B, S, H * 4, dtype=dtype).requires_grad_()
    allowed = dice.cells(B, 1, T, S)
    empty = dice.cells(B, T)  # these queries may attend to nothing
    empty[0, 0] = True
    allowed[:, 0][empty] = False
    with torch.autograd.set_detect_anomaly(True):  # a NaN on the way back is an error too
        output, weights = layer(x, memory, memory, allowed, need_weights=need_weights)
        (output * dice.normal(*output.shape, dtype=dtype)).sum().backward()
    empty = ~allowed[:, 0].any(-1)
    assert torch.equal(output[empty], layer.W_o.bias.expand(int(empty.sum()), -1))
    if weights is not None:
        assert (weights.transpose(1, 2)[empty] == 0).all()
        assert_close(weights.sum(-1), (~empty)[:, None].expand(-1, H, -1).to(dtype), VALUES[dtype])
    assert torch.isfinite(output).all()
    for tensor in (x, memory, *layer.parameters()):
        assert torch.isfinite(tensor.grad).all()
    assert (x.grad[empty] == 0).all()  # what is not asked cannot be learned from


def test_the_kernel_never_meets_an_empty_row(monkeypatch):
    """What it would make of one differs between versions of torch, kernels and machines: 0 or NaN."""

    def kernel(q, k, v, attn_mask=None, **more):
        open_cells = attn_mask if attn_mask.dtype is torch.bool else attn_mask == 0  # 0 and −∞ are added
        assert open_cells.any(-1).all()
        return torch_attention(q, k, v, attn_mask=attn_mask, **more)

    monkeypatch.setattr("course_lib.attention.F.scaled_dot_product_attention", kernel)
    q, k, v = (Dice(seed).normal(2, 2, 4, 3) for seed in range(3))
    output = fused_attention(q, k, v, masks.causal_mask(4).tril(-1))
    assert (output[:, :, 0] == 0).all() and (output[:, :, 1:] != 0).all()


def test_if_nothing_at_all_is_allowed_only_the_last_bias_learns():
    for need_weights in ROADS.values():
        layer, _ = a_layer(Dice(6), 2, 3)
        x = Dice(7).normal(2, 4, 6)
        output, _ = layer(x, x, x, torch.zeros(4, 4, dtype=torch.bool), need_weights=need_weights)
        output.sum().backward()
        assert torch.equal(output, layer.W_o.bias.expand(2, 4, 6))
        for name, parameter in layer.named_parameters():
            assert bool((parameter.grad == (8 if name == "W_o.bias" else 0)).all()), name


# --- what is not finite, and what is too large -------------------------------------------------------------

ODD = st.sampled_from([torch.nan, torch.inf, -torch.inf])


def outputs_and_gradients(road, q, k, v, allowed, counted):
    """One road's output, and its gradients from the rows that count."""
    inputs = [tensor.clone().requires_grad_() for tensor in (q, k, v)]
    found = road(*inputs, allowed)
    output = found[0] if isinstance(found, tuple) else found
    return output.detach(), gradients(output.masked_fill(~counted, 0.0), torch.ones(()), inputs)


@many(80, B=st.integers(1, 2), T=sizes, S=sizes, kind=st.sampled_from(MASKS[1:]), odd=ODD, seed=seeds)
def test_what_is_forbidden_does_not_count_whatever_stands_there(B, T, S, kind, odd, seed):
    """NaN or ∞ in some keys and values: who may not see them gets what clean keys would give, both ways."""
    dice = Dice(seed)
    q, k, v = dice.normal(B, 2, T, 4), dice.normal(B, 2, S, 4), dice.normal(B, 2, S, 3)
    allowed = dice.mask(kind, B, 2, T, S).expand(B, 2, T, S).clone()
    spoilt = dice.cells(B, 1, S, 1, open_share=0.3).expand(B, 2, S, 1)
    unharmed = ~(allowed & spoilt.transpose(-2, -1)).any(-1, keepdim=True)  # (B, H, T, 1)
    clean = [q, k.masked_fill(spoilt, 0.0), v.masked_fill(spoilt, 0.0)]
    dirty = [q, k.masked_fill(spoilt, odd), v.masked_fill(spoilt, odd)]
    expected, slopes = outputs_and_gradients(scaled_dot_product_attention, *clean, allowed, unharmed)
    for road in (scaled_dot_product_attention, fused_attention):
        output, found = outputs_and_gradients(road, *dirty, allowed, unharmed)
        assert_close(output.masked_select(unharmed), expected.masked_select(unharmed), 1e-6)
        assert output.masked_select(~unharmed).isnan().all()
        for got, slope in zip(found, slopes, strict=True):
            assert_close(got, slope, 1e-5)
        with torch.no_grad():  # without gradients another way is taken
            again = road(*dirty, allowed)
            again = again[0] if isinstance(again, tuple) else again
        torch.testing.assert_close(again, output, equal_nan=True)


@many(30, T=sizes, S=sizes, odd=ODD, seed=seeds)
def test_a_feature_that_is_not_finite_spoils_no_other(T, S, odd, seed):
    """Only in a value: the weights stay, and so do the other features of the output."""
    dice = Dice(seed)
    q, k, v, allowed = dice.normal(1, T, 4), dice.normal(1, S, 4), dice.normal(1, S, 3), dice.cells(1, T, S)
    spoilt = v.clone()
    spoilt[0, -1, 0] = odd
    expected, weights = scaled_dot_product_attention(q, k, v, allowed)
    output, same = scaled_dot_product_attention(q, k, spoilt, allowed)
    assert torch.equal(same, weights)
    for found in (output, fused_attention(q, k, spoilt, allowed)):
        assert_close(found[..., 1:], expected[..., 1:], 1e-6)
        assert torch.equal(found[..., 0].isnan(), allowed[..., -1])


@pytest.mark.parametrize("need_weights", ROADS.values(), ids=ROADS)
@many(20, T=sizes, S=sizes, odd=ODD, seed=seeds)
def test_a_dead_query_moves_nothing_whatever_it_is(need_weights, T, S, odd, seed):
    """Its output is the last bias; no gradient but that bias's passes through it, not even from a NaN."""
    dice = Dice(seed)
    layer, _ = a_layer(dice, 2, 4)
    allowed = dice.cells(1, 1, T, S)
    allowed[..., 0, :] = False
    x, memory = dice.normal(1, T, 8), dice.normal(1, S, 8)

    def slopes(x):
        inputs = x.clone().requires_grad_(), memory.clone().requires_grad_()
        output, _ = layer(inputs[0], inputs[1], inputs[1], allowed, need_weights=need_weights)
        assert torch.equal(output[0, 0], layer.W_o.bias)
        bias, *others = gradients(output, torch.ones(()), [layer.W_o.bias, *inputs, layer.W_k.weight])
        assert (bias == T).all() and (others[0][0, 0] == 0).all()
        return others

    q, k, v = layer.project(x, memory, memory)
    broken = q.detach().clone()
    broken[:, :, 0] = odd
    for got, expected in zip(
        *(
            torch.autograd.grad(
                layer.attend(tensor, k, v, allowed, need_weights)[0].sum(), (k, v), retain_graph=True
            )
            for tensor in (broken, q.detach())
        ),
        strict=True,
    ):
        assert_close(got, expected, 1e-5)
    assert all(slope.isfinite().all() for slope in slopes(x))


@many(
    40,
    T=sizes,
    S=sizes,
    size=st.sampled_from([1.0, 30.0, 300.0, 2000.0]),
    kind=st.sampled_from(MASKS),
    seed=seeds,
)
def test_both_roads_agree_where_16_bits_overflow(T, S, size, kind, seed):
    """q kᵀ beyond 65,504, the largest number of float16, before it is divided by √d_k."""
    dice = Dice(seed)
    q, k, v = (dice.normal(1, 2, n, 64) for n in (T, S, S))
    q, k, v = (q * size).half(), (k * size).half(), v.half()
    allowed = dice.mask(kind, 1, 2, T, S)
    alive = alive_rows(allowed, 1, 2, T, S)
    expected = torch_attention(q.double(), k.double(), v.double(), attn_mask=allowed).masked_fill(~alive, 0.0)
    output, weights = scaled_dot_product_attention(q, k, v, allowed)
    for found in (output, fused_attention(q, k, v, allowed)):
        assert found.dtype == torch.float16
        assert_close(found, expected, 5e-3)
    assert weights.dtype == torch.float16 and weights.isfinite().all()


@many(30, B=st.integers(1, 3), T=sizes, H=st.integers(1, 4), K=st.integers(1, 4), seed=seeds)
def test_heads_split_and_merge_as_the_slices_of_the_features(B, T, H, K, seed):
    x = Dice(seed).normal(B, T, H * K)
    heads = split_heads(x, H)
    assert heads.shape == (B, H, T, K)
    for h in range(H):
        assert torch.equal(heads[:, h], x[..., h * K : (h + 1) * K])
    assert torch.equal(merge_heads(heads), x)


# --- masks against their definition, cell by cell -----------------------------------------------------------


def cells(rows):
    return torch.tensor(rows, dtype=torch.bool)


@many(40, n_queries=sizes, older=st.integers(0, 5))
def test_causal_mask_cell_by_cell(n_queries, older):
    n_keys = n_queries + older
    rows = [[key <= older + query for key in range(n_keys)] for query in range(n_queries)]
    assert torch.equal(masks.causal_mask(n_queries, n_keys), cells(rows))


@many(40, n=st.integers(1, 8), window=st.integers(1, 10))
def test_window_cell_by_cell(n, window):
    rows = [[0 <= query - key < window for key in range(n)] for query in range(n)]
    assert torch.equal(masks.sliding_window_mask(n_positions=n, window=window), cells(rows))


@many(40, n=st.integers(1, 8), seed=seeds)
def test_prefix_cell_by_cell(n, seed):
    lengths = Dice(seed).whole(0, n + 1, 3)

    def rows(length):
        return [[key <= query or key < length for key in range(n)] for query in range(n)]

    for length in lengths.tolist():
        assert torch.equal(masks.prefix_mask(n_positions=n, n_prefix=length), cells(rows(length)))
    each = cells([[rows(length)] for length in lengths.tolist()])
    assert torch.equal(masks.prefix_mask(n_positions=n, n_prefix=lengths), each)


@many(40, B=st.integers(1, 3), T=sizes, S=sizes, pad_id=st.integers(0, 3), seed=seeds)
def test_padding_and_combine_cell_by_cell(B, T, S, pad_id, seed):
    dice = Dice(seed)
    ids, other = dice.whole(0, 4, B, S), dice.cells(T, S)
    padding = masks.padding_mask(ids, pad_id)
    both = masks.combine(other, None, padding)
    assert padding.shape == (B, 1, 1, S) and both.shape == (B, 1, T, S)
    for b in range(B):
        for key in range(S):
            word = ids[b, key].item() != pad_id
            assert padding[b, 0, 0, key].item() == word
            for query in range(T):
                assert both[b, 0, query, key].item() == (word and other[query, key].item())


# --- conversions: what is said to torch, and torch agrees -----------------------------------------------


@many(40, B=st.integers(2, 3), H=st.integers(2, 3), T=st.integers(2, 5), S=sizes, seed=seeds)
def test_conversions_say_the_same(B, H, T, S, seed):
    dice = Dice(seed)
    for shape in ((T, S), (B, 1, 1, S), (B, 1, T, S), (B, H, T, S)):
        allowed = dice.cells(*shape)
        blocked = masks.to_torch_mha(allowed, H)
        if shape == (B, 1, 1, S):
            assert torch.equal(~blocked["key_padding_mask"], allowed[:, 0, 0])
        else:
            spread = blocked["attn_mask"].expand(B * H, T, S).view(B, H, T, S)
            assert torch.equal(~spread, allowed.expand(B, H, T, S))
        for dtype in (None, torch.float32, torch.bfloat16):
            there = masks.to_torch_sdpa(allowed, dtype)
            assert there.dtype == (dtype or torch.bool)
            assert torch.equal(there if dtype is None else there == 0, allowed)
            assert dtype is None or (there[~allowed] == -torch.inf).all()


@many(25, B=st.integers(1, 3), H=st.integers(1, 3), T=sizes, S=sizes, seed=seeds)
def test_torch_gives_the_same_for_the_boolean_and_the_added_mask(B, H, T, S, seed):
    dice = Dice(seed)
    q, k, v = dice.normal(B, H, T, 4), dice.normal(B, H, S, 4), dice.normal(B, H, S, 4)
    allowed = dice.cells(B, 1, T, S) | (torch.arange(S) == 0)
    expected, _ = scaled_dot_product_attention(q, k, v, allowed)
    for dtype in (None, torch.float32):
        assert_close(torch_attention(q, k, v, attn_mask=masks.to_torch_sdpa(allowed, dtype)), expected, 1e-6)


def test_the_two_conventions_of_torch_are_opposite():
    ours, theirs = a_layer(Dice(8), 2, 4)
    x = Dice(9).normal(1, 5, 8)
    allowed = masks.causal_mask(5)
    _, right = theirs(x, x, x, **masks.to_torch_mha(allowed, 2))
    _, wrong = theirs(x, x, x, attn_mask=allowed)  # as it is: the past is blocked, the future open
    assert (right[0].triu(1) == 0).all() and (right[0].tril() > 0)[allowed].all()
    assert (wrong[0, :-1].tril() == 0).all() and wrong[0, -1].isnan().all()
    assert_close(ours(x, x, x, allowed)[0], theirs(x, x, x, **masks.to_torch_mha(allowed, 2))[0], 1e-6)


# --- the leak, measured -------------------------------------------------------------------------------------


@pytest.mark.parametrize("need_weights", ROADS.values(), ids=ROADS)
@many(15, T=st.integers(1, 4), S=st.integers(1, 4), H=st.sampled_from([1, 2]), seed=seeds)
def test_the_leak_is_exactly_zero_where_forbidden_and_only_there(need_weights, T, S, H, seed):
    dice = Dice(seed)
    layer, _ = a_layer(dice, H, 3, torch.float64)
    queries, inputs = dice.normal(1, T, 3 * H).double(), dice.normal(S, 3 * H).double()
    allowed = dice.cells(T, S)

    def attend(keys):
        return layer(queries, keys[None], keys[None], allowed, need_weights=need_weights)[0][0]

    leak = leak_matrix(attend, inputs)
    assert leak.shape == (T, S)
    assert torch.equal(leak > 0, allowed)


@pytest.mark.parametrize("need_weights", ROADS.values(), ids=ROADS)
def test_in_self_attention_a_causal_layer_passes_nothing_of_the_future(need_weights):
    layer, _ = a_layer(Dice(10), 2, 4)
    x, allowed = Dice(11).normal(6, 8), masks.causal_mask(6)

    def attend(x):
        return layer(x[None], x[None], x[None], allowed, need_weights=need_weights)[0][0]

    assert torch.equal(leak_matrix(attend, x) > 0, allowed)
