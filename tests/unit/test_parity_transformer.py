"""Our encoder, decoder and Transformer equal torch's with copied parameters: values and gradients.

Tolerances are relative to the size of what is compared: 1e-5 for float32, 1e-11 for float64.
"""

import pytest
import torch
from hypothesis import strategies as st
from parity_helpers import Dice, assert_close, many
from torch import nn

from course_lib import masks
from course_lib.layers import DecoderLayer, EncoderLayer
from course_lib.models.transformer import Decoder, Encoder, StackConfig, TransformerConfig

TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-11}
MASKS = ("none", "causal", "padding", "both", "left padding", "left padding and causal")
D, H, F = 8, 2, 12

stacks = {
    "B": st.integers(1, 3),
    "T": st.integers(1, 5),
    "S": st.integers(1, 5),
    "n_layers": st.integers(1, 2),
    "norm_first": st.booleans(),
    "final_norm": st.booleans(),
    "activation": st.sampled_from(["relu", "gelu"]),
    "kind": st.sampled_from(MASKS),
    "dtype": st.sampled_from(list(TOLERANCE)),
    "seed": st.integers(0, 2**31),
}


def pairs(theirs, ours):
    """Where each of torch's parameters stands in ours: (torch's module, name, ours in the same order)."""
    if isinstance(ours, EncoderLayer | DecoderLayer):
        attentions = [(theirs.self_attn, ours.self_attention)]
        norms = [ours.around_self.norm, ours.around_feed_forward.norm]
        if isinstance(ours, DecoderLayer):
            attentions.append((theirs.multihead_attn, ours.cross_attention))
            norms.insert(1, ours.around_cross.norm)
        for attention, own in attentions:
            projections = (own.W_q, own.W_k, own.W_v)
            yield attention.in_proj_weight, [projection.weight for projection in projections]
            yield attention.in_proj_bias, [projection.bias for projection in projections]
            yield from linear(attention.out_proj, own.W_o)
        yield from linear(theirs.linear1, ours.feed_forward.W_1)
        yield from linear(theirs.linear2, ours.feed_forward.W_2)
        for place, norm in enumerate(norms, start=1):
            yield from linear(getattr(theirs, f"norm{place}"), norm)
    else:
        for layer, own in zip(theirs.layers, ours.layers, strict=True):
            yield from pairs(layer, own)
        if theirs.norm is not None:
            yield from linear(theirs.norm, ours.final_norm)


def linear(theirs, ours):
    yield theirs.weight, [ours.weight]
    yield theirs.bias, [ours.bias]


def copy(theirs, ours, dice):
    """Random parameters, norms and biases included, into both."""
    count = 0
    for parameter, own in pairs(theirs, ours):
        values = 0.5 * dice.normal(*parameter.shape, dtype=parameter.dtype)
        parameter.data.copy_(values)
        for part, value in zip(own, values.chunk(len(own)), strict=True):
            part.data.copy_(value)
        count += parameter.numel()
    for model in (theirs, ours):
        assert sum(parameter.numel() for parameter in model.parameters()) == count  # none was forgotten


def assert_gradients(theirs, ours, tolerance):
    for parameter, own in pairs(theirs, ours):
        assert_close(torch.cat([part.grad for part in own]), parameter.grad, tolerance)


def which_are_words(kind, dice, B, T):
    """(B, T) boolean, or None: True at words. Each row has one at least."""
    if kind in ("none", "causal"):
        return None
    n_words = dice.whole(1, T + 1, B)[:, None]
    place = torch.arange(T)
    return place >= T - n_words if kind.startswith("left") else place < n_words


def who_sees_whom(kind, words, T):
    """Our mask, and the same for torch, in which a query that may see nothing sees everything.

    Only padding can be such a query. Nobody looks at it, so nothing else depends on what it sees.
    """
    causal = masks.causal_mask(T) if kind in ("causal", "both", "left padding and causal") else None
    allowed = masks.combine(causal, None if words is None else words[:, None, None])
    if allowed is None:
        return None, None
    full = allowed.expand(1 if words is None else len(words), H, T, T)
    alive = full | ~full.any(-1, keepdim=True)
    return allowed, alive


def for_torch(alive, B):
    """torch's convention: True = forbidden, one mask for each sentence and head."""
    return None if alive is None else ~alive.expand(B, -1, -1, -1).flatten(0, 1)


def settings_of(norm_first, final_norm, activation, **_):
    return StackConfig(D, H, F, norm_first=norm_first, final_norm=final_norm, activation=activation)


def torch_layer(kind, norm_first, activation, dtype):
    return kind(
        D, H, F, dropout=0.0, activation=activation, batch_first=True, norm_first=norm_first, dtype=dtype
    )


@many(60, **stacks)
def test_encoder_equals_torch(B, T, S, n_layers, norm_first, final_norm, activation, kind, dtype, seed):
    dice = Dice(seed)
    layer = torch_layer(nn.TransformerEncoderLayer, norm_first, activation, dtype)
    norm = nn.LayerNorm(D, dtype=dtype) if final_norm else None
    theirs = nn.TransformerEncoder(layer, n_layers, norm=norm, enable_nested_tensor=False)
    ours = Encoder(settings_of(norm_first, final_norm, activation), n_layers).to(dtype).eval()
    copy(theirs, ours, dice)
    words = which_are_words(kind, dice, B, T)
    allowed, alive = who_sees_whom(kind, words, T)
    counted = torch.ones(B, T, 1, dtype=torch.bool) if words is None else words[..., None]
    x = dice.normal(B, T, D, dtype=dtype).requires_grad_()
    upstream = dice.normal(B, T, D, dtype=dtype)

    expected = theirs(x, mask=for_torch(alive, B))
    (expected * upstream * counted).sum().backward()
    expected_at_x, x.grad = x.grad, None
    for need_weights in (True, False):
        ours.zero_grad()
        output, weights, _ = ours(x, allowed, None, need_weights)
        assert_close(output * counted, expected * counted, TOLERANCE[dtype])
        (output * upstream * counted).sum().backward()
        assert_close(x.grad, expected_at_x, TOLERANCE[dtype])
        assert_gradients(theirs, ours, TOLERANCE[dtype])
        assert all((seen is not None) == need_weights for seen in weights)
        x.grad = None


@many(60, **stacks)
def test_decoder_equals_torch(B, T, S, n_layers, norm_first, final_norm, activation, kind, dtype, seed):
    dice = Dice(seed)
    layer = torch_layer(nn.TransformerDecoderLayer, norm_first, activation, dtype)
    theirs = nn.TransformerDecoder(layer, n_layers, norm=nn.LayerNorm(D, dtype=dtype) if final_norm else None)
    ours = Decoder(settings_of(norm_first, final_norm, activation), n_layers).to(dtype).eval()
    copy(theirs, ours, dice)
    words, source_words = (which_are_words(kind, dice, B, n) for n in (T, S))
    allowed, alive = who_sees_whom(kind, words, T)
    memory_allowed = None if source_words is None else source_words[:, None, None]
    counted = torch.ones(B, T, 1, dtype=torch.bool) if words is None else words[..., None]
    x, memory = (dice.normal(B, n, D, dtype=dtype).requires_grad_() for n in (T, S))
    upstream = dice.normal(B, T, D, dtype=dtype)

    padding = None if source_words is None else ~source_words
    expected = theirs(x, memory, tgt_mask=for_torch(alive, B), memory_key_padding_mask=padding)
    (expected * upstream * counted).sum().backward()
    expected_at_x, expected_at_memory, x.grad, memory.grad = x.grad, memory.grad, None, None
    for need_weights in (True, False):
        for remembered in (True, False):
            ours.zero_grad()
            source = ours.remember(memory) if remembered else memory
            output, _, _ = ours(x, source, allowed, memory_allowed, None, need_weights)
            assert_close(output * counted, expected * counted, TOLERANCE[dtype])
            (output * upstream * counted).sum().backward()
            assert_close(x.grad, expected_at_x, TOLERANCE[dtype])
            assert_close(memory.grad, expected_at_memory, TOLERANCE[dtype])
            assert_gradients(theirs, ours, TOLERANCE[dtype])
            x.grad = memory.grad = None


def torch_transformer(config, **options):
    return nn.Transformer(
        config.d_model, config.n_heads, config.encoder_layers, config.decoder_layers, config.d_ff,
        dropout=0.0, activation=config.activation, batch_first=True, norm_first=config.norm_first, **options,
    )  # fmt: skip


@pytest.mark.filterwarnings("ignore:enable_nested_tensor is True:UserWarning")
@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors:UserWarning")
@pytest.mark.parametrize("norm_first", [False, True], ids=["post", "pre"])
@pytest.mark.parametrize("with_gradients", [True, False], ids=["with gradients", "torch's fast path"])
def test_the_whole_model_with_final_norms_is_torch_s_transformer(norm_first, with_gradients):
    dice = Dice(5)
    config = TransformerConfig(
        D, H, F, norm_first=norm_first, final_norm=True, encoder_layers=2, decoder_layers=3,
        source_vocab=11, target_vocab=11,
    )  # fmt: skip
    ours, theirs = config.build().eval(), torch_transformer(config).eval()
    for part in ("encoder", "decoder"):
        copy(getattr(theirs, part), getattr(ours, part), dice)
    source = torch.tensor([[4, 5, 6, 7], [8, 9, 0, 0], [4, 10, 5, 0]])
    target = torch.tensor([[1, 5, 6], [1, 7, 0], [1, 9, 4]])
    with torch.set_grad_enabled(with_gradients):
        padding, future = source == 0, ~masks.causal_mask(3)
        vectors = theirs(
            ours.embed_source(source), ours.embed_target(target), tgt_mask=future,
            src_key_padding_mask=padding, memory_key_padding_mask=padding,
        )  # fmt: skip
        expected = vectors @ ours.lm_head.weight.T
        logits, _ = ours(source, target)
        looked, _ = ours(source, target, need_weights=True)
    assert_close(logits, expected, 1e-5)
    assert_close(looked, expected, 1e-5)


@pytest.mark.filterwarnings("ignore:enable_nested_tensor is True:UserWarning")
@pytest.mark.parametrize("norm_first", [False, True], ids=["post", "pre"])
def test_torch_s_transformer_has_two_norms_more_than_the_paper(norm_first):
    with torch.device("meta"):
        theirs = nn.Transformer(norm_first=norm_first)
        sizes = {}
        for final_norm in (True, False):
            ours = TransformerConfig(norm_first=norm_first, final_norm=final_norm, max_len=1).build()
            sizes[final_norm] = sum(
                parameter.numel() for part in (ours.encoder, ours.decoder) for parameter in part.parameters()
            )
    assert sizes[True] == sum(parameter.numel() for parameter in theirs.parameters()) == 44_140_544
    assert sizes[False] == 44_138_496 == sizes[True] - 2 * 2 * 512
