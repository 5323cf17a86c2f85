"""Editable AttentionView, MaskLab and PipelineStepper without a browser: their numbers and their traits."""

import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib import masks
from course_lib.viz.arithmetic import WHERE, attend, five_steps, masked_softmax
from course_lib.widgets import AttentionView, MaskLab, PipelineStepper
from course_lib.widgets.mask_lab import KINDS, PAD

RNG = np.random.default_rng(5)
THREE = dict(queries=np.eye(3), keys=np.eye(3), values=np.eye(3), query_tokens="abc", key_tokens="abc")


def browser_sends(widget, **state) -> None:
    """What arrives when the browser has changed these traits, in one message."""
    to_json = {name: widget.trait_metadata(name, "to_json") for name in state}
    widget.set_state({name: to_json[name](v, widget) if to_json[name] else v for name, v in state.items()})


# The pure functions.


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 6), st.integers(1, 6), st.integers(1, 5), st.integers(0, 10**6), st.sampled_from(WHERE))
def test_attend_is_attention_and_leak_is_its_derivative(n_queries, n_keys, d, seed, where):
    """Against torch: weights and output of the course's softmax, the leak by automatic differentiation."""
    draw = np.random.default_rng(seed)
    q, x = draw.normal(size=(n_queries, d)), draw.normal(size=(n_keys, d + 1))
    w_k, w_v = draw.normal(size=(d + 1, d)), draw.normal(size=(d + 1, 2))
    allowed = draw.random((n_queries, n_keys)) < 0.6
    found = attend(q, x @ w_k, x @ w_v, w_k, w_v, allowed, where)

    def attention(inputs):
        scores = torch.tensor(q) @ (inputs @ torch.tensor(w_k)).T / d**0.5
        mask = torch.tensor(allowed)
        weights = masks.masked_softmax(scores, mask if where == "before" else None)
        if where == "after":
            weights = weights * mask
        np.testing.assert_allclose(found.weights, weights.detach(), atol=1e-12)
        return weights @ (inputs @ torch.tensor(w_v))

    inputs = torch.tensor(x)
    np.testing.assert_allclose(found.output, attention(inputs), atol=1e-12)
    jacobian = torch.autograd.functional.jacobian(attention, inputs)  # (T, V, S, D)
    np.testing.assert_allclose(found.leak, jacobian.pow(2).sum((1, 3)).sqrt(), atol=1e-10)
    if where == "before":
        assert (found.leak[~allowed] == 0).all()


def test_a_mask_after_the_softmax_is_caught():
    """Rows no longer sum to 1, and every forbidden key still leaks; before the softmax neither happens."""
    q, x, w = RNG.normal(size=(4, 3)), RNG.normal(size=(4, 3)), RNG.normal(size=(3, 3))
    allowed = np.tri(4, dtype=bool)
    right, wrong = (attend(q, x @ w, x, w, np.eye(3), allowed, where) for where in ("before", "after"))
    assert (right.leak[~allowed] == 0).all() and np.allclose(right.weights.sum(1), 1)
    assert (wrong.leak[~allowed] > 1e-6).all() and (wrong.weights.sum(1)[:3] < 0.999).all()
    with pytest.raises(ValueError, match="where is 'later', expected one of 'before'"):
        attend(q, x @ w, x, w, w, allowed, "later")


def test_masked_softmax_gives_0_where_nothing_is_left():
    scores = np.array([[1.0, -np.inf, 3.0], [-np.inf] * 3, [1e308, -1e308, 0.0]])
    allowed = np.array([[True, True, False], [True] * 3, [True] * 3])
    np.testing.assert_array_equal(masked_softmax(scores, allowed), [[1, 0, 0], [0, 0, 0], [1, 0, 0]])


# AttentionView, editable.


def test_masking_shares_a_row_out_anew():
    weights = RNG.dirichlet(np.ones(4), size=(2, 3))
    view = AttentionView(weights, list("abc"), list("wxyz"), editable=True)
    assert view.allowed.all() and view.allowed.dtype == bool and view.allowed.shape == (2, 3, 4)
    np.testing.assert_allclose(view.weights, weights)
    heard = []
    view.observe(heard.append, "weights")
    mask = view.allowed.copy()
    mask[1, 2, 0] = mask[0, 1] = False
    browser_sends(view, allowed=mask)
    assert len(heard) == 1
    expected = weights.copy()
    expected[1, 2] = np.append(0, weights[1, 2, 1:] / weights[1, 2, 1:].sum())
    expected[0, 1] = 0
    np.testing.assert_allclose(view.weights, expected)
    assert view.weights[1, 2, 0] == 0 and "“b” looks at nothing" in view.still().alt
    view.allowed = torch.tensor([True, False, True, True])  # broadcast, and from torch
    assert view.allowed.shape == (2, 3, 4) and (view.weights[..., 1] == 0).all()


def test_temperature_sharpens_and_a_zero_stays_zero():
    view = AttentionView([[0.6, 0.3, 0.1, 0.0]], ["q"], list("abcd"), editable=True)
    browser_sends(view, temperature=0.5)
    np.testing.assert_allclose(view.weights[0, 0], np.array([0.36, 0.09, 0.01, 0]) / 0.46)
    view.allowed = np.array([[[False, False, False, True]]])
    assert view.weights.tolist() == [[[0, 0, 0, 0]]]
    for wrong in (0, -1, float("inf"), float("nan")):
        with pytest.raises(ValueError, match=r"temperature is .*, expected a finite number above 0"):
            view.temperature = wrong


def test_a_view_takes_new_weights_of_its_size():
    view = AttentionView(np.full((2, 2, 2), 0.5), "ab", "ab", editable=True)
    view.allowed = np.eye(2, dtype=bool)
    view.weights = np.full((2, 2, 2), [[0.9, 0.1], [0.2, 0.8]])
    assert view.weights.tolist() == [[[1, 0], [0, 1]]] * 2  # under the mask that was there
    view.allowed = np.ones((2, 2), bool)
    np.testing.assert_allclose(view.weights[1, 1], [0.2, 0.8])
    with pytest.raises(ValueError, match="weights has 3 rows"):
        view.weights = np.full((2, 3, 3), 1 / 3)
    with pytest.raises(ValueError, match=r"allowed has shape \(3, 3\)"):
        view.allowed = np.ones((3, 3), bool)
    with pytest.raises(
        ValueError, match=r"allowed must hold booleans \(True = may attend\); got dtype float64"
    ):
        view.allowed = np.ones((2, 2))


# MaskLab.


@pytest.mark.parametrize("diagonal", [-7, -1, 0, 1, 2, 7])
def test_a_causal_mask_can_be_off_by_one(diagonal):
    lab = MaskLab("the cat sat on the mat", diagonal=diagonal)
    expected = torch.ones(6, 6, dtype=torch.bool).tril(diagonal)
    assert lab.allowed.tolist() == expected.tolist() and lab.kind == "causal"
    assert ((lab.leak > 0) == lab.allowed).all()
    assert (f"causal, diagonal {diagonal:+d}" in lab.still().alt) == (diagonal != 0)
    lab.diagonal = 0
    assert lab.allowed.tolist() == masks.causal_mask(6).tolist() and lab.kind == "causal"


@pytest.mark.parametrize("kind", KINDS)
def test_masks_are_those_of_the_library(kind):
    lab = MaskLab("the cat sat on the mat", kind=kind, n_prefix=2, window=3, other="le chat")
    is_word = torch.tensor([[int(token != PAD) for token in lab.tokens]])
    rule = {
        "causal": lambda: masks.causal_mask(6),
        "padding": lambda: masks.padding_mask(is_word, 0)[0, 0].expand(9, 9),
        "prefix": lambda: masks.prefix_mask(n_positions=6, n_prefix=2),
        "window": lambda: masks.sliding_window_mask(n_positions=6, window=3),
        "cross": lambda: torch.ones(6, 2, dtype=torch.bool),
    }
    expected = rule.get(kind, lambda: torch.ones(6, 6, dtype=torch.bool))()
    assert lab.allowed.tolist() == expected.tolist()
    assert lab.weights.shape == lab.leak.shape == lab.allowed.shape == (len(lab.tokens), len(lab.key_tokens))
    assert (lab.leak[~lab.allowed] == 0).all() and (lab.leak[lab.allowed] > 0).all()
    np.testing.assert_allclose(lab.weights.sum(1), 1)
    assert lab.kind == kind
    assert ("Leak where forbidden: exactly 0" in lab.still().alt) != lab.allowed.all()


def test_a_mask_by_hand_and_back():
    lab = MaskLab("a b c", kind="causal")
    lab.allowed = torch.tensor([[True, True, True], [False] * 3, [True, False, True]])
    assert lab.kind == "hand" and lab.weights[1].tolist() == [0, 0, 0] == lab.leak[1].tolist()
    lab.text = "a b c d"  # what was drawn stays where it still fits
    assert lab.allowed.astype(int).tolist() == [[1, 1, 1, 1], [0, 0, 0, 1], [1, 0, 1, 1], [1, 1, 1, 1]]
    lab.kind = "causal"
    assert lab.allowed.tolist() == np.tri(4, dtype=bool).tolist()
    lab.allowed = np.tri(4, dtype=bool)
    assert lab.kind == "causal"  # the mask of its kind is not drawn by hand
    with pytest.raises(ValueError, match=r"allowed has shape \(3, 3\)"):
        lab.allowed = np.ones((3, 3), bool)


def test_a_mask_by_hand_survives_a_look_at_another():
    lab = MaskLab("a b c", kind="causal", other="x y")
    drawn = np.array([[True, False, True]] * 3)
    lab.allowed = drawn
    for kind in ("causal", "cross", "padding"):
        lab.kind = kind
        assert (
            lab.allowed.shape == (len(lab.tokens), len(lab.key_tokens))
            and lab.drawn.tolist() == drawn.tolist()
        )
        lab.kind = "hand"
        assert (
            lab.allowed.tolist() == drawn.tolist() and lab.sides == "self" and lab.tokens == ["a", "b", "c"]
        )
    lab.text = "a b c d"
    kept = lab.allowed.tolist()
    lab.kind = "causal"
    lab.kind = "hand"
    assert lab.allowed.tolist() == kept and lab.allowed[:3, :3].tolist() == drawn.tolist()
    assert lab.start["kind"] == "causal" and MaskLab(kind="hand").allowed.all()


@pytest.mark.parametrize("order", [1, -1])
def test_what_the_browser_sends_in_one_message(order):
    """Kind, sides and mask come together, in any order; a mask for a text that has changed is not used."""
    lab = MaskLab("a b c", kind="causal", other="x y")
    changes = {"kind": "cross", "sides": "cross", "allowed": np.ones((3, 2), bool)}
    browser_sends(lab, **dict(list(changes.items())[::order]))
    assert (lab.kind, lab.key_tokens, lab.weights.shape) == ("cross", ["x", "y"], (3, 2))
    drawn = np.array([[True, False]] * 3)
    browser_sends(lab, **dict([("kind", "hand"), ("allowed", drawn)][::order]))
    assert lab.kind == "hand" and lab.sides == "cross" and lab.weights.tolist() == [[1, 0]] * 3
    browser_sends(lab, text="a b c d e")
    browser_sends(lab, kind="hand", allowed=drawn)
    assert lab.allowed.shape == lab.leak.shape == (5, 2)


def test_equal_masks_over_other_tokens_are_computed_anew():
    lab = MaskLab("a b", kind="self", other="x y")
    before = lab.weights
    lab.kind = "cross"
    assert lab.allowed.all() and not np.allclose(before, lab.weights)
    lab.where = "none"
    assert lab.numbers().weights.tolist() == lab.weights.tolist()


def test_words_of_any_script_and_their_vectors():
    lab = MaskLab("sat </script><b>&\"' 我喜欢 🙂 sat", kind="self")
    assert lab.tokens == ["sat", "</script><b>&\"'", "我", "喜", "欢", "🙂", "sat"]
    again = MaskLab("sat", seed=0)
    np.testing.assert_array_equal(
        lab.inputs[0], again.inputs[0]
    )  # a word has its vector wherever it comes up
    assert not np.allclose(lab.inputs[0], lab.inputs[6])  # but its position is added
    assert not np.allclose(MaskLab("sat", seed=1).inputs[0], again.inputs[0])
    assert again.weights.tolist() == [[1]] and again.still().alt


def test_long_and_empty_texts_are_answered_kindly():
    lab = MaskLab("x " * 20, kind="padding")
    assert len(lab.tokens) == 16 and lab.message == "the text has 20 tokens; the first 16 are shown"
    lab.text = "  "
    assert "Type a word" in lab.message and len(lab.tokens) == 16
    lab.text = "two words"
    assert lab.message == "" and lab.tokens == ["two", "words", PAD, PAD, PAD]
    assert MaskLab("a b", kind="padding", pad_to=4).tokens == ["a", "b", PAD, PAD]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"text": " "}, "text is ' ', expected at least one word"),
        ({"other": ""}, "other is '', expected at least one word"),
        ({"kind": "diagonal"}, "kind is 'diagonal', expected one of 'self', 'cross'"),
        ({"where": "later"}, "where is 'later', expected one of 'before'"),
        ({"pad_to": 2}, "pad_to is 2, expected 6"),
        ({"pad_to": 40}, "pad_to is 40, expected 6"),
        ({"window": 0}, "window is 0, expected 1 or more"),
        ({"n_prefix": -1}, "n_prefix is -1, expected 0 or more"),
        ({"d_model": 0}, "d_model is 0, expected 1 to 64"),
    ],
)
def test_masklab_names_what_does_not_fit(arguments, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        MaskLab(**arguments)


# MaskLab on a trained model.

SAID = ("yes", "no", "per\u200bhaps")


def stub(tokens, allowed, where):
    """A model of two layers and one head that looks evenly at what is allowed, and refuses "sesame"."""
    if "sesame" in tokens:
        raise ValueError("“sesame” is not a word of mine")
    if "break" in tokens:
        raise RuntimeError("broken")
    allowed = allowed if where == "before" else np.ones_like(allowed)
    even = allowed / np.maximum(1, allowed.sum(1, keepdims=True))
    chances = np.stack([even[:, 0], 1 - even[:, 0], 0 * even[:, 0]], axis=1)  # (T, 3)
    return SAID, torch.tensor(chances), torch.tensor(np.stack([even, even**2])[:, None])


def test_a_lab_with_a_model_shows_what_the_model_says():
    lab = MaskLab("a b", model=stub, kind="causal")
    assert lab.tokens == ["[BOS]", "a", "b"] == lab.key_tokens and lab.heads == ["1.1", "2.1"]
    assert lab.vocabulary[:2] == ["yes", "no"] and len(lab.vocabulary) == 3
    np.testing.assert_allclose(lab.probabilities[:, 0], [1, 1 / 2, 1 / 3])
    lab.head = 1
    np.testing.assert_allclose(lab.weights[2], [1 / 9] * 3)
    browser_sends(lab, kind="hand", allowed=np.eye(3, dtype=bool), drawn=np.eye(3, dtype=bool), asked=7)
    assert lab.replied == 7 and lab.probabilities[:, 0].tolist() == [1, 0, 0]
    assert lab.weights.tolist() == np.eye(3).tolist()
    lab.where = "none"
    np.testing.assert_allclose(lab.probabilities[:, 0], [1 / 3] * 3)
    lab.kind, lab.where = "padding", "before"
    assert lab.tokens[-1] == PAD and lab.probabilities.shape == (6, 3)
    assert "After “b” the model expects “no” 0.67, “yes” 0.33" in lab.still().alt


def test_a_model_that_refuses_or_breaks_leaves_the_last_text():
    lab = MaskLab("a b", model=stub)
    for text, message in (
        ("open sesame", "“sesame” is not a word of mine"),
        ("break it", "The model stopped with RuntimeError: broken"),
        (" ", "Type a word: the lab keeps the last text."),
    ):
        browser_sends(lab, text=text)
        assert lab.message == message and lab.answered[0] == text and lab.tokens == ["[BOS]", "a", "b"]
    lab.text = "c"
    assert lab.message == "" and lab.probabilities.shape == (2, 3)
    for arguments, message in (
        ({"text": "sesame"}, "“sesame” is not a word of mine"),
        ({"kind": "cross"}, "kind is 'cross', expected one that a language model has"),
        (
            {"model": lambda tokens, allowed, where: (["a"], np.ones((2, 1)), np.ones((1, 1, 2, 2)))},
            "3 tokens",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            MaskLab(**{"text": "a b", "model": stub, **arguments})
    with pytest.raises(ValueError, match="head is 2, expected -1"):
        lab.head = 2


# PipelineStepper.


def test_stepper_follows_its_switches():
    q, k, v = RNG.normal(size=(2, 4)), RNG.normal(size=(3, 4)), RNG.normal(size=(3, 2))
    allowed = np.array([[True, False, True], [False] * 3])
    view = PipelineStepper(torch.tensor(q), k, v, ["a", "b"], ["x", "y", "z"], allowed=allowed)
    steps = view.steps()
    np.testing.assert_allclose(steps.scores, q @ k.T)
    np.testing.assert_allclose(steps.scaled, q @ k.T / 2)
    assert np.isneginf(steps.masked[~allowed]).all() and view.weights[1].tolist() == [0, 0, 0]
    tensors = [torch.tensor(x)[None] for x in (q[:1], k, v)]
    mask = torch.tensor(allowed[:1])[None]
    reference = torch.nn.functional.scaled_dot_product_attention(*tensors, attn_mask=mask)
    np.testing.assert_allclose(view.output[0], reference[0, 0])
    assert (view.output[1] == 0).all() and "b may look at nothing" in view.still().alt
    browser_sends(view, mask=False, scale=False, temperature=2.0)
    np.testing.assert_allclose(view.weights, torch.tensor(q @ k.T / 2).softmax(-1))
    browser_sends(view, mask=True, allowed=np.ones((2, 3), bool), step=4)
    assert view.weights.all() and view.step == 4
    assert five_steps(q, k, v).masked.tolist() == five_steps(q, k, v).scaled.tolist()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"keys": np.eye(3)[:, :2]}, "queries has 3 features and keys has 2"),
        ({"values": np.eye(4)}, "keys has 3 rows and values has 4"),
        ({"query_tokens": ["a"]}, "query_tokens has 1 tokens; expected 3"),
        ({"key_tokens": "a b c"}, "key_tokens is the text 'a b c'; expected a list of tokens"),
        ({"queries": np.eye(3)[None]}, "queries must have 2 axes; got 3"),
        ({"queries": np.full((3, 3), np.nan)}, "queries has NaN"),
        ({"allowed": np.eye(3)}, "allowed must be boolean"),
        ({"allowed": np.eye(4, dtype=bool)}, r"allowed has shape \(4, 4\)"),
        ({"values": np.ones((3, 13))}, "too large for numbers in cells"),
        ({"value_names": ["ball", "drum"]}, "value_names has 2 names; expected 3"),
    ],
)
def test_stepper_names_what_does_not_fit(changes, message):
    with pytest.raises(ValueError, match=message):
        PipelineStepper(**{**THREE, "query_tokens": list("abc"), "key_tokens": list("abc"), **changes})


def test_stepper_has_five_steps():
    view = PipelineStepper(np.eye(2), np.eye(2), np.eye(2), ["a", "a"], ["a", "a"])
    for wrong in (0, 6):
        with pytest.raises(ValueError, match=f"step is {wrong}, expected 1 to 5"):
            view.step = wrong
