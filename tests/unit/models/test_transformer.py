"""The Transformer and the single stack: caches, padding, shared parameters, masks, and what they refuse."""

import itertools
from dataclasses import replace

import pytest
import torch
from parity_helpers import assert_close

from course_lib.attention import MultiHeadAttention, attending, scaled_dot_product_attention
from course_lib.generation import greedy, sample
from course_lib.masks import causal_mask, combine, padding_mask, prefix_mask
from course_lib.models.transformer import OneStackConfig, TransformerConfig
from course_lib.text.tokenizers import BOS_ID, PAD_ID
from course_lib.training import checkpoints

SMALL = {"d_model": 16, "n_heads": 2, "d_ff": 24, "max_len": 24, "dropout": 0.2}
POSITIONS = ["sinusoidal", "learned", "rotary", None]
NORM_FIRST = [False, True]
every_kind = pytest.mark.parametrize(
    ("positions", "norm_first"), list(itertools.product(POSITIONS, NORM_FIRST)), ids=str
)
SOURCE = torch.tensor([[4, 5, 6, 7, 8], [9, 4, PAD_ID, PAD_ID, PAD_ID], [6, 6, 5, 4, PAD_ID]])
TARGET = torch.tensor([[BOS_ID, 5, 9, 4, 7, 6], [BOS_ID, 8, 8, 4, 5, 10], [BOS_ID, 4, 10, 6, 7, 9]])


def stirred(model, seed=0):
    """Random parameters everywhere, so that no bias is 0 and no norm is plain; in evaluation mode."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.3 * torch.randn(parameter.shape, generator=generator)
    return model.eval()


def a_transformer(**changes):
    settings = {"source_vocab": 11, "target_vocab": 11, "encoder_layers": 2, "decoder_layers": 2} | SMALL
    torch.manual_seed(0)
    return stirred(TransformerConfig(**settings | changes).build())


def a_stack(**changes):
    torch.manual_seed(0)
    return stirred(OneStackConfig(**{"vocab_size": 11, "n_layers": 2} | SMALL | changes).build())


# --- a cache changes nothing ------------------------------------------------------------------------------


@every_kind
def test_writing_with_a_cache_is_reading_everything(positions, norm_first):
    """Logits at each step, one token or several at a time, sources padded on the right."""
    model = a_transformer(positions=positions, norm_first=norm_first)
    full, looks = model(SOURCE, TARGET, need_weights=True)
    for cuts in ([1] * 6, [6], [2, 1, 3], [1, 5]):
        state, at = model.encode(SOURCE), 0
        for part in TARGET.split(cuts, dim=1):
            logits, row, state = model.next_logits(part, state)
            at += part.shape[1]
            assert_close(logits, full[:, at - 1], 1e-5)
            assert_close(row, looks.decoder[-1].cross[:, :, at - 1].mean(1), 1e-5)
        assert state.past[0].k.shape == (3, 2, 6, 8)


@every_kind
def test_greedy_with_a_cache_writes_what_full_decoding_writes(positions, norm_first):
    model = a_transformer(positions=positions, norm_first=norm_first)
    ids, weights = greedy(model, SOURCE, 9)
    assert weights.shape == (3, ids.shape[1], 5)
    written = torch.cat([torch.full((3, 1), BOS_ID), ids], dim=1)
    with torch.no_grad():
        again = model(SOURCE, written[:, :-1])[0].argmax(-1)
    words = ids != PAD_ID
    assert torch.equal(again[words], ids[words]) and words.sum() > 12
    for row, source in zip(ids, SOURCE, strict=True):  # and alone, without padding
        alone, _ = greedy(model, source[None, source != PAD_ID], 9)
        assert alone[0].tolist() == row[: alone.shape[1]].tolist()


@every_kind
def test_one_stack_with_a_cache_is_the_causal_stack(positions, norm_first):
    model = a_stack(positions=positions, norm_first=norm_first)
    full, _ = model(TARGET, causal_mask(6))
    for cuts in ([1] * 6, [3, 1, 2]):
        state, at = None, 0
        for part in TARGET.split(cuts, dim=1):
            logits, _, state = model.next_logits(part, state)
            at += part.shape[1]
            assert_close(logits, full[:, at - 1], 1e-5)
    text = sample(model, TARGET[:, :2], 7, temperature=0)
    with torch.no_grad():
        again = model(text[:, :-1], causal_mask(text.shape[1] - 1))[0].argmax(-1)
    written = text[:, 2:] != PAD_ID
    assert torch.equal(again[:, 1:][written], text[:, 2:][written])


@every_kind
def test_a_prefix_is_read_as_under_the_prefix_mask(positions, norm_first):
    model = a_stack(positions=positions, norm_first=norm_first)
    full, _ = model(TARGET, prefix_mask(6, 4))
    logits, _, state = model.read_prefix(TARGET[:, :4])
    assert_close(logits, full[:, 3], 1e-5)
    assert not torch.allclose(logits, model(TARGET, causal_mask(6))[0][:, 3])  # its first words saw the rest
    for t in (4, 5):
        logits, _, state = model.next_logits(TARGET[:, t : t + 1], state)
        assert_close(logits, full[:, t], 1e-5)


# --- who can see what -------------------------------------------------------------------------------------


@every_kind
def test_padding_changes_nothing_at_words(positions, norm_first):
    """The sentence alone, and in a batch with longer ones, whatever stands at the padding of the target."""
    model = a_transformer(positions=positions, norm_first=norm_first)
    together, looks = model(SOURCE, TARGET, need_weights=True)
    for b, source in enumerate(SOURCE):
        n = int((source != PAD_ID).sum())
        alone, seen = model(source[None, :n], TARGET[b : b + 1, :4], need_weights=True)
        assert_close(together[b : b + 1, :4], alone, 1e-5)
        for layer, own in zip(looks.encoder, seen.encoder, strict=True):
            assert_close(layer[b, :, :n, :n], own[0], 1e-5)
            assert (layer[b, :, :, n:] == 0).all()
        assert all((layer.cross[b, :, :, n:] == 0).all() for layer in looks.decoder)
    padded = TARGET.clone()
    padded[:, 4:] = PAD_ID
    assert_close(model(SOURCE, padded)[0][:, :4], together[:, :4], 1e-6)
    words = padding_mask(SOURCE, PAD_ID)
    stack = a_stack(positions=positions, norm_first=norm_first)
    for mask in (None, causal_mask(5)):
        batch, _ = stack(SOURCE, combine(mask, words))
        alone, _ = stack(SOURCE[1:2, :2], None if mask is None else causal_mask(2))
        assert_close(batch[1:2, :2], alone, 1e-5)


def test_a_stack_without_a_mask_or_positions_does_not_know_the_order():
    model, order = a_stack(positions=None), torch.tensor([3, 0, 5, 1, 4, 2])
    assert_close(model(TARGET[:, order])[0], model(TARGET)[0][:, order], 1e-5)
    for positions in ("sinusoidal", "learned", "rotary"):
        model = a_stack(positions=positions)
        assert not torch.allclose(model(TARGET[:, order])[0], model(TARGET)[0][:, order], atol=1e-2)


@pytest.mark.parametrize("norm_first", NORM_FIRST)
def test_both_roads_are_one(norm_first):
    model, stack = a_transformer(norm_first=norm_first, positions="rotary"), a_stack(norm_first=norm_first)
    logits, looks = model(SOURCE, TARGET, need_weights=True)
    fast, nothing = model(SOURCE, TARGET)
    assert_close(fast, logits, 1e-5)
    assert nothing is None
    assert [seen.shape for seen in looks.encoder] == [(3, 2, 5, 5)] * 2
    assert [(seen.own.shape, seen.cross.shape) for seen in looks.decoder] == [
        ((3, 2, 6, 6), (3, 2, 6, 5))
    ] * 2
    for weights in (*looks.encoder, *(part for seen in looks.decoder for part in seen)):
        assert_close(weights.sum(-1), torch.ones(weights.shape[:-1]), 1e-6)
    logits, seen = stack(TARGET, causal_mask(6), need_weights=True)
    fast, nothing = stack(TARGET, causal_mask(6))
    assert_close(fast, logits, 1e-5)
    assert nothing is None and [weights.shape for weights in seen] == [(3, 2, 6, 6)] * 2


@pytest.mark.parametrize("need_weights", [True, False])
def test_a_source_of_padding_only_gives_no_nan(need_weights):
    for norm_first in NORM_FIRST:
        model = a_transformer(norm_first=norm_first)
        logits, _ = model(torch.zeros_like(SOURCE), TARGET, need_weights)
        logits.square().mean().backward()
        assert torch.isfinite(logits).all()
        assert all(torch.isfinite(parameter.grad).all() for parameter in model.parameters())
        stack = a_stack(norm_first=norm_first)
        logits, _ = stack(SOURCE, torch.zeros(5, 5, dtype=torch.bool), need_weights)
        logits.square().mean().backward()
        assert all(torch.isfinite(parameter.grad).all() for parameter in stack.parameters())


@pytest.mark.parametrize("make", [a_transformer, a_stack])
def test_attending_comes_in_at_every_layer(make):
    """A wrapper that changes nothing sees each layer once; one that looks evenly changes the logits."""
    model, seen = make(positions="rotary"), []
    inputs = (SOURCE, TARGET) if make is a_transformer else (TARGET, causal_mask(6))

    def watching(layer, q, k, v, allowed, need_weights):
        seen.append(layer)
        output, weights = scaled_dot_product_attention(q, k, v, allowed)
        return output, weights if need_weights else None

    def evenly(layer, q, k, v, allowed, need_weights):
        return scaled_dot_product_attention(q * 0, k, v, allowed)

    before, _ = model(*inputs)
    with attending(model, watching):
        assert_close(model(*inputs)[0], before, 1e-5)
    layers = [part for part in model.modules() if isinstance(part, MultiHeadAttention)]
    assert len(layers) == (6 if make is a_transformer else 2)
    assert sorted(map(id, seen)) == sorted(map(id, layers))
    with attending(model, evenly):
        assert not torch.allclose(model(*inputs)[0], before, atol=1e-2)
    assert_close(model(*inputs)[0], before, 1e-6)


# --- parameters -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("shared", "n_matrices"), [("all", 1), ("target", 2), (None, 3)])
def test_shared_matrices_are_one_tensor_and_stay_one(shared, n_matrices, tmp_path):
    model = a_transformer(shared=shared, positions="learned")
    matrices = [model.embed_source.token_embedding, model.embed_target.token_embedding, model.lm_head]
    assert len({part.weight.data_ptr() for part in matrices}) == n_matrices
    assert len({id(part.weight) for part in matrices}) == n_matrices
    checkpoints.save_checkpoint("small", model, {}, tmp_path)
    stored = TransformerConfig(**checkpoints.load_card("small", tmp_path)["config"]).build()
    checkpoints.load_weights("small", stored, tmp_path)
    parts = [stored.embed_source.token_embedding, stored.embed_target.token_embedding, stored.lm_head]
    assert len({id(part.weight) for part in parts}) == n_matrices
    assert_close(stored(SOURCE, TARGET)[0], model(SOURCE, TARGET)[0], 2e-2)  # stored in half precision
    assert_close(stored.lm_head.weight, model.lm_head.weight, 1e-3)


def test_the_stack_s_head_is_its_embedding_where_shared(tmp_path):
    for shared in (True, False):
        model = a_stack(shared=shared)
        assert (model.lm_head.weight is model.embed.token_embedding.weight) == shared
        checkpoints.save_checkpoint("stack", model, {}, tmp_path)
        stored = OneStackConfig(**checkpoints.load_card("stack", tmp_path)["config"]).build()
        checkpoints.load_weights("stack", stored, tmp_path)
        assert (stored.lm_head.weight is stored.embed.token_embedding.weight) == shared
        assert_close(stored(TARGET)[0], model(TARGET)[0], 2e-2)


def test_first_parameters_say_almost_nothing():
    """A random model gives each token about the same probability: the loss starts near ln V."""
    torch.manual_seed(0)
    model = TransformerConfig(source_vocab=400, target_vocab=400, **SMALL | {"d_model": 64}).build().eval()
    logits, _ = model(torch.randint(4, 400, (8, 20)), torch.randint(4, 400, (8, 20)))
    assert logits.std().item() == pytest.approx(1, abs=0.25)  # a normed vector times rows of length 1


def test_scaled_parameters_divide_the_last_matrix_of_each_sub_layer():
    built = {}
    for initial in ("xavier", "scaled"):
        torch.manual_seed(0)
        built[initial] = TransformerConfig(
            source_vocab=11, target_vocab=11, initial=initial, **SMALL, encoder_layers=2, decoder_layers=3
        ).build()
    plain, scaled = (dict(built[name].named_parameters()) for name in ("xavier", "scaled"))
    changed = {name for name in plain if not torch.equal(plain[name], scaled[name])}
    assert changed == {name for name in plain if name.endswith(("W_o.weight", "W_2.weight"))}
    for name in changed:
        n_sub_layers = 2 * 2 if name.startswith("encoder") else 3 * 3
        assert_close(scaled[name], plain[name] / n_sub_layers**0.5, 1e-6)


def test_settings_reach_every_layer():
    model = TransformerConfig(
        source_vocab=11,
        target_vocab=11,
        **SMALL,
        norm_first=True,
        norm="rms",
        activation="gelu",
        residual=False,
    ).build()
    frames = [part for part in model.modules() if type(part).__name__ == "SubLayer"]
    assert len(frames) == 6 * 2 + 6 * 3
    for frame in frames:
        assert frame.norm_first and not frame.residual and frame.dropout.p == 0.2
        assert isinstance(frame.norm, torch.nn.RMSNorm)
    assert isinstance(model.decoder.final_norm, torch.nn.RMSNorm)
    assert isinstance(a_transformer().decoder.final_norm, torch.nn.Identity)
    assert isinstance(a_transformer(final_norm=True).encoder.final_norm, torch.nn.LayerNorm)
    assert isinstance(a_transformer(norm_first=True, final_norm=False).encoder.final_norm, torch.nn.Identity)


# --- what is refused --------------------------------------------------------------------------------------

PAPER = TransformerConfig()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"d_model": 510}, r"d_model \(510\) must be divisible by n_heads \(8\)"),
        ({"d_model": 7, "n_heads": 7}, "d_model is 7, expected an even number: sinusoidal"),
        ({"d_model": 24, "positions": "rotary"}, "d_model / n_heads is 3, expected an even number: rotary"),
        ({"d_ff": 0}, "d_ff is 0, expected at least 1"),
        ({"n_heads": 0}, "n_heads is 0, expected at least 1"),
        ({"max_len": 0}, "max_len is 0"),
        ({"encoder_layers": 0}, "encoder_layers is 0"),
        ({"source_vocab": 0}, "source_vocab is 0"),
        ({"dropout": 1.0}, "dropout is 1.0"),
        ({"dropout": -0.1}, "dropout is -0.1"),
        ({"norm": "batch"}, "norm is 'batch', expected one of 'layer', 'rms'"),
        ({"activation": "tanh"}, "activation is 'tanh', expected one of 'relu', 'gelu'$"),
        ({"activation": "swiglu"}, "activation is 'swiglu', expected one of 'relu', 'gelu'$"),  # 3 matrices
        (
            {"positions": "none"},
            "positions is 'none', expected one of 'sinusoidal'",
        ),
        ({"initial": "kaiming"}, "initial is 'kaiming'"),
        ({"shared": True}, "shared is True, expected one of 'all', 'target', None"),
        (
            {"source_vocab": 30, "target_vocab": 40},
            "source_vocab is 30 and target_vocab 40",
        ),
    ],
)
def test_settings_that_cannot_be_are_named(changes, words):
    with pytest.raises(ValueError, match=words):
        replace(PAPER, **changes)


def test_odd_features_are_fine_where_no_pairs_are_needed():
    for positions in ("learned", None):
        model = a_transformer(d_model=9, n_heads=3, positions=positions)
        assert model(SOURCE, TARGET)[0].shape == (3, 6, 11)


def test_ids_that_are_none_are_named():
    model, stack = a_transformer(target_vocab=10, shared="target"), a_stack()
    state = model.encode(SOURCE)
    for call, words in (
        (lambda: model(SOURCE[0], TARGET), r"source has shape \(5,\), expected \(B, S\)"),
        (lambda: model(SOURCE + 3, TARGET), "source holds ids from 3 to 12, expected 0 to 10"),
        (lambda: model(SOURCE, TARGET), "target holds ids from 1 to 10, expected 0 to 9"),
        (lambda: model(SOURCE, TARGET[:, :0]), r"target has shape \(3, 0\)"),
        (lambda: model(SOURCE.float(), TARGET), "source has dtype torch.float32"),
        (lambda: model(SOURCE[:2], TARGET[:, :2]), "source has 2 rows and target has 3"),
        (lambda: model.next_logits(TARGET, state), "tokens holds ids from 1 to 10, expected 0 to 9"),
        (lambda: model.next_logits(TARGET[:, 0], state), r"tokens has shape \(3,\), expected \(B, n\)"),
        (lambda: model.next_logits(TARGET[:2, :1], state), "tokens has 2 rows and the source has 3"),
        (
            lambda: model.next_logits(TARGET[:, :1], model.encode(SOURCE[:1])),
            "and the source has 1, expected",
        ),
        (lambda: stack.next_logits(TARGET[:, :1], stack.next_logits(TARGET[:1])[2]), "past has 1, expected"),
        (lambda: stack(TARGET[0]), r"ids has shape \(6,\), expected \(B, T\)"),
        (lambda: stack(TARGET - 2), "ids holds ids from -1 to 8"),
        (lambda: stack.next_logits(TARGET + 1), "tokens holds ids from 2 to 11"),
        (lambda: stack.read_prefix(TARGET[:, :0]), r"tokens has shape \(3, 0\)"),
    ):
        with pytest.raises(ValueError, match=words):
            call()


@pytest.mark.parametrize("positions", ["sinusoidal", "learned"])
def test_a_text_beyond_max_len_is_refused_also_while_it_is_written(positions):
    model, stack = (make(positions=positions, max_len=5) for make in (a_transformer, a_stack))
    words = r"the text has 6 positions, expected at most max_len \(5\)"
    with pytest.raises(ValueError, match=words):
        model(SOURCE, TARGET)
    with pytest.raises(ValueError, match=words):
        stack(TARGET)
    _, _, state = model.next_logits(TARGET[:, :5], model.encode(SOURCE))
    with pytest.raises(ValueError, match=words):
        model.next_logits(TARGET[:, 5:], state)
    _, _, state = stack.read_prefix(TARGET[:, :5])
    with pytest.raises(ValueError, match=words):
        stack.next_logits(TARGET[:, 5:], state)
    for unlimited in ("rotary", None):
        assert a_transformer(positions=unlimited, max_len=5)(SOURCE, TARGET)[0].shape == (3, 6, 11)


def test_a_mask_that_could_be_misread_is_refused():
    stack = a_stack()
    with pytest.raises(ValueError, match="is the first axis the batch or the heads"):
        stack(TARGET, torch.ones(3, 6, 6, dtype=torch.bool))
    with pytest.raises(ValueError, match="does not broadcast"):
        stack(TARGET, causal_mask(5))
