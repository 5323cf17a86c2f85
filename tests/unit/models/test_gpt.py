"""GPT: its sizes, its mask, and writing with a cache that is the same as reading anew."""

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.attention import attending
from course_lib.generation import WholeText, sample
from course_lib.layers import EncoderLayer
from course_lib.masks import causal_mask, document_mask
from course_lib.models import evaluating
from course_lib.models.gpt import GPT, GPTConfig, parameter_count
from course_lib.models.gpt_layer import GPTLayer

V, WINDOW = 40, 12
SMALL = {"vocab_size": V, "d_model": 16, "n_heads": 2, "n_layers": 3, "max_len": WINDOW, "init_std": 0.3}
MODERN = {
    "positions": "rotary", "norm": "rms", "activation": "relu_squared", "qk_norm": True, "bias": False
}  # fmt: skip
KINDS = {
    "gpt-2": {},
    "modern": MODERN,
    "swiglu, untied": {"activation": "swiglu", "tied": False, "d_ff": 24},
    "rotary, layer norm": {"positions": "rotary"},
}


@pytest.fixture(scope="module", params=KINDS.values(), ids=KINDS)
def model(request):
    torch.manual_seed(1)
    return GPT(GPTConfig(**SMALL, **request.param)).eval()


def texts(n_texts, length, seed=0):
    return torch.randint(4, V, (n_texts, length), generator=torch.Generator().manual_seed(seed))


def whole(model):
    return WholeText(lambda ids: model(ids)[0], model.config.max_len)


# ---------------------------------------------------------------- sizes


def test_gpt_2_has_as_many_parameters_as_are_counted_from_its_shapes():
    assert sum(parameter_count(GPTConfig()).values()) == 124_439_808
    assert sum(parameter_count(GPTConfig(tied=False)).values()) == 163_037_184


def test_the_formula_counts_what_the_model_has(model):
    counted = parameter_count(model.config)
    assert sum(counted.values()) == sum(p.numel() for p in model.parameters())
    assert counted["layers"] == sum(p.numel() for p in model.layers.parameters())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"positions": "sinusoidal"}, "positions is 'sinusoidal', expected one of 'learned', 'rotary'"),
        ({"activation": "swish"}, "activation is 'swish'"),
        ({"residual": "none"}, "residual is 'none', expected one of 'scaled', 'zero'"),
        ({"d_model": 15}, r"d_model \(15\) must be divisible by n_heads"),
        ({"positions": "rotary", "d_model": 6, "n_heads": 2}, "an even number"),
        ({"d_ff": 0}, "d_ff is 0"),
        ({"dropout": 1.5}, "dropout is 1.5"),
    ],
)
def test_bad_configurations_are_named(changes, words):
    with pytest.raises(ValueError, match=words):
        GPTConfig(**SMALL | changes)


def test_a_small_start_says_about_ln_v():
    torch.manual_seed(0)
    model = GPT(GPTConfig(**SMALL | {"init_std": 0.02}))
    with evaluating(model):
        logits = model(texts(8, WINDOW))[0]
    loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), texts(8, WINDOW, seed=1).flatten())
    assert loss.item() == pytest.approx(torch.tensor(float(V)).log().item(), abs=0.02)


def test_zero_at_first_adds_nothing():
    model = GPT(GPTConfig(**SMALL, residual="zero", positions="rotary")).eval()
    ids = texts(2, 6)
    with evaluating(model):
        assert torch.equal(model(ids)[0], model.lm_head(model.final_norm(model.token_embedding(ids))))


# ---------------------------------------------------------------- who sees whom


def test_the_future_changes_nothing(model):
    ids = texts(3, WINDOW)
    changed = ids.clone()
    changed[:, 7:] = texts(3, WINDOW, seed=9)[:, 7:]
    with evaluating(model):
        before, after = model(ids)[0], model(changed)[0]
    assert torch.equal(before[:, :7], after[:, :7])
    assert not torch.allclose(before[:, 7:], after[:, 7:])


def test_weights_are_those_of_the_output(model):
    ids = texts(2, 9)
    with evaluating(model):
        fast, none = model(ids)
        slow, weights = model(ids, need_weights=True)
    assert none is None and len(weights) == 3
    torch.testing.assert_close(fast, slow, atol=1e-5, rtol=0)
    assert weights[0].shape == (2, 2, 9, 9)
    torch.testing.assert_close(weights[1].sum(-1), torch.ones(2, 2, 9))
    assert weights[2].triu(1).count_nonzero() == 0


def test_a_document_mask_keeps_packed_documents_apart(model):
    first, second = texts(1, 5), texts(1, 7, seed=3)
    packed = torch.cat([first, second], dim=1)
    documents = torch.tensor([[0] * 5 + [1] * 7])
    apart = document_mask(documents)
    other = torch.cat([texts(1, 5, seed=8), second], dim=1)
    with evaluating(model):
        assert torch.equal(model(packed, apart)[0][:, 5:], model(other, apart)[0][:, 5:])
        assert not torch.allclose(model(packed)[0][:, 5:], model(other)[0][:, 5:])


@pytest.mark.parametrize(
    ("ids", "words"),
    [
        (torch.zeros(1, WINDOW + 1, dtype=torch.long), "13"),
        (torch.full((1, 3), V), str(V)),
        (torch.zeros(1, 3), "dtype"),
        (torch.zeros(3, dtype=torch.long), r"\(3,\)"),
    ],
)
def test_bad_ids_are_named(model, ids, words):
    with pytest.raises(ValueError, match=words):
        model(ids)


def test_a_text_that_goes_on_past_the_window_is_refused_where_positions_are_learned(model):
    """Neither is one vector given to several tokens, nor are tokens left out."""
    ids = texts(2, WINDOW)
    assert model.embed(ids[:, -3:], WINDOW - 3).shape == (2, 3, 16)
    past = model.read(ids, causal_mask(WINDOW))[2]
    for n in (1, 3):
        for call in (
            lambda n=n: model.embed(ids[:, :n], WINDOW),
            lambda n=n: model.read(ids[:, :n], None, past),
        ):
            if model.config.positions == "rotary":
                call()
                continue
            with pytest.raises(
                ValueError, match=f"text has {WINDOW + n} positions, expected at most max_len"
            ):
                call()
    with pytest.raises(ValueError, match="the text has 14 positions"):
        GPT(GPTConfig(**SMALL)).embed(ids[:, :3], WINDOW - 1)


def test_a_state_goes_on_with_as_many_rows_as_it_has(model):
    ids = texts(3, 4)
    _, _, state = model.next_logits(ids[:1])
    with pytest.raises(ValueError, match="tokens has 3 rows and state has 1, expected as many"):
        model.next_logits(ids[:, :1], state)
    with pytest.raises(ValueError, match="x has 3 rows and past has 1, expected as many"):
        model.read(ids, None, state.past)


# ---------------------------------------------------------------- writing with a cache


@settings(max_examples=25, deadline=None)
@given(cut=st.lists(st.integers(1, 6), min_size=1, max_size=8), seed=st.integers(0, 99))
def test_a_cache_gives_what_reading_anew_gives(model, cut, seed):
    """In pieces of any size, up to the window's edge and across it."""
    ids, state, end = texts(2, sum(cut), seed), None, 0
    with evaluating(model):
        for n in cut:
            logits, _, state = model.next_logits(ids[:, end : end + n], state)
            end += n
            anew = model(ids[:, max(0, end - WINDOW) : end])[0][:, -1]
            torch.testing.assert_close(logits, anew, atol=2e-5, rtol=0)


@pytest.mark.parametrize("n_texts", [1, 8])
@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_cached_text_is_uncached_text_token_for_token(model, n_texts, temperature):
    written = [
        sample(
            writer,
            texts(n_texts, 3),
            3 * WINDOW,
            temperature=temperature,
            generator=torch.Generator().manual_seed(5),
        )
        for writer in (model, whole(model))
    ]
    assert torch.equal(*written)
    assert written[0].shape == (n_texts, 3 + 3 * WINDOW) or (written[0] == 2).any()


def test_the_weights_of_a_step(model):
    ids = texts(2, 5)
    with evaluating(model):
        _, weights, state = model.next_logits(ids, None, need_weights=True)
        expected = model(ids, need_weights=True)[1][-1][:, :, -1].mean(1)
        _, longer, _ = model.next_logits(ids[:, :1], state, need_weights=True)
    torch.testing.assert_close(weights, expected)
    assert longer.shape == (2, 6)


def test_a_key_that_was_kept_never_changes(model):
    ids, state, kept = texts(1, 9), None, []
    with evaluating(model):
        for t in range(9):
            _, _, state = model.next_logits(ids[:, t : t + 1], state)
            if t >= 3:
                kept.append(state.past[1].k[:, :, 3])
    assert all(torch.equal(key, kept[0]) for key in kept)


# ---------------------------------------------------------------- a layer that is fast


@pytest.mark.parametrize("kind", KINDS)
def test_a_layer_is_the_encoder_layer_under_a_causal_mask(kind):
    """The same output, the same keys and values, and the same gradients, whatever the way."""
    choices = {k: v for k, v in KINDS[kind].items() if k not in ("positions", "tied", "d_ff")}
    rotary = KINDS[kind].get("positions") == "rotary"
    torch.manual_seed(0)
    fast = GPTLayer(16, 2, rotary=rotary, **choices).double()
    usual = EncoderLayer(16, 2, rotary=rotary, norm_first=True, **choices).double()
    usual.load_state_dict(fast.state_dict())
    x, mask = torch.randn(2, 5, 16).double(), causal_mask(5)
    for training in (True, False):
        for need_weights in (True, False):
            found = []
            for layer in (fast.train(training), usual.train(training)):
                layer.zero_grad()
                y, weights, seen = layer(x, mask, None, need_weights)
                last = layer(x[:, :1], None, seen)[0]
                (y.sin().sum() + last.sum()).backward()
                weights = [weights] if need_weights else []
                found.append([y, *weights, *seen, last, *(p.grad for p in layer.parameters())])
            torch.testing.assert_close(*found)


def test_dropout_is_there_where_it_is_asked_for():
    torch.manual_seed(0)
    layer, x = GPTLayer(16, 2, dropout=0.5), torch.randn(2, 4, 16)
    assert not torch.equal(layer(x)[0], layer(x)[0])
    assert torch.equal(layer.eval()(x)[0], layer(x)[0])
    model = GPT(GPTConfig(**SMALL | {"dropout": 0.5, "n_layers": 1}))
    assert not torch.equal(model.embed(texts(1, 5)), model.embed(texts(1, 5)))


def test_a_part_that_was_exchanged_is_asked_in_training_too():
    """Who puts another part in the place of W_q (an adapter, say) gets what that part computes."""

    class Doubled(torch.nn.Linear):
        def forward(self, x):
            return 2 * super().forward(x)

    layer, x = GPTLayer(16, 2), torch.randn(2, 4, 16)
    other = Doubled(16, 16)
    other.load_state_dict(layer.self_attention.W_q.state_dict())
    before = layer(x)[0]
    layer.self_attention.W_q = other
    assert not torch.allclose(layer(x)[0], before)
    torch.testing.assert_close(layer.train()(x)[0], layer.eval()(x)[0])


# ---------------------------------------------------------------- one more token, without the parts' calls


def test_one_more_token_is_what_the_parts_give(model):
    ids, slow, fast = texts(3, 9), None, None
    with evaluating(model):
        for t in range(9):
            usual, _, slow = model.next_logits(ids[:, t : t + 1], slow)
            with model.writing():
                assert model.one_token is not None
                logits, weights, fast = model.next_logits(ids[:, t : t + 1], fast)
            torch.testing.assert_close(logits, usual, atol=2e-5, rtol=0)
            torch.testing.assert_close(fast.past, slow.past, atol=2e-5, rtol=0)
            assert weights is None and model.one_token is None


def count_calls(model):
    seen = []
    handle = model.layers[0].self_attention.W_q.register_forward_hook(lambda *_: seen.append(1))
    return seen, handle


def test_whoever_listens_in_is_called_for_every_token(model):
    seen, handle = count_calls(model)
    try:
        sample(model, texts(1, 2), 5, stop_ids=(), temperature=0)
    finally:
        handle.remove()
    assert len(seen) == 5


@pytest.mark.parametrize("change", ["attend", "W_q", "subclass"])
def test_what_is_not_usual_is_written_with_the_parts(change):
    torch.manual_seed(3)
    model = GPT(GPTConfig(**SMALL)).eval()
    prompt = texts(1, 4)
    usual = sample(model, prompt, 7, stop_ids=(), temperature=0)
    if change == "attend":

        def nowhere(layer, q, k, v, allowed, need_weights):
            return torch.zeros_like(q), None

        with attending(model, nowhere):
            other = sample(model, prompt, 7, stop_ids=(), temperature=0)
            expected = sample(whole(model), prompt, 7, stop_ids=(), temperature=0)
    else:
        if change == "W_q":

            class Turned(torch.nn.Linear):
                def forward(self, x):
                    return -20 * super().forward(x)

            for layer in model.layers:
                turned = Turned(16, 16)
                turned.load_state_dict(layer.self_attention.W_q.state_dict())
                layer.self_attention.W_q = turned
        else:

            class Shifted(GPT):
                def embed(self, ids, start=0):
                    return super().embed((ids + 7) % V, start)

            model.__class__ = Shifted
        other = sample(model, prompt, 7, stop_ids=(), temperature=0)
        with evaluating(model):
            expected = sample(whole(model), prompt, 7, stop_ids=(), temperature=0)
    assert torch.equal(other, expected) and not torch.equal(other, usual)


def test_parameters_that_have_changed_count_in_the_next_text(model):
    other = copy.deepcopy(model)
    sample(other, texts(1, 3), 4, stop_ids=())
    with torch.no_grad():
        for p in other.parameters():
            p.copy_(torch.randn_like(p) * 0.3)
    with evaluating(other):
        written = sample(other, texts(1, 3), 8, stop_ids=(), temperature=0)
        assert torch.equal(written, sample(whole(other), texts(1, 3), 8, stop_ids=(), temperature=0))


def test_after_writing_a_model_is_as_it_was(model):
    model.train()
    with pytest.raises(RuntimeError), model.writing():
        assert not model.training
        raise RuntimeError
    assert model.training and model.one_token is None
    model.eval()
