"""bertviz's views: the numbers that its own Python hands over, true for any mask, tokens only as text."""

import inspect
import json
import os
import pickle
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import matplotlib.text
import nbformat
import numpy as np
import pytest
import torch
from markupsafe import escape

from course_lib.tools import build, guards
from course_lib.viz import bertviz as our_bertviz
from course_lib.viz import colours
from course_lib.viz.bertviz import head_view, model_view, neuron_view
from course_lib.viz.bertviz import page as bertviz_page

ROOT = Path(__file__).parents[3]
HOSTILE = "</script><b>&\"'"
TOKENS = ["The", HOSTILE, "你好", "🙂", "<!--<script>"]
N = len(TOKENS)
ALLOWED = np.tril(np.ones((N, N), bool))


def numbers(n_layers=2, n_heads=3, d_k=7, n_queries=N, n_keys=N):
    """Queries, keys and weights as torch tensors, over layers."""
    random = torch.Generator().manual_seed(0)
    q = [torch.randn(n_heads, n_queries, d_k, generator=random) for _ in range(n_layers)]
    k = [torch.randn(n_heads, n_keys, d_k, generator=random) for _ in range(n_layers)]
    return q, k, [(a @ b.mT / d_k**0.5).softmax(-1) for a, b in zip(q, k, strict=True)]


Q, K, W = numbers()


def three_views() -> dict:
    return {
        "head_view": head_view(W, TOKENS),
        "model_view": model_view(W, TOKENS),
        "neuron_view": neuron_view(Q, K, TOKENS, allowed=ALLOWED),
    }


VIEWS = three_views()


def params_of(page: str) -> dict:
    """The numbers and tokens in a page, as its script will read them."""
    return json.loads(re.search(r"window\.bertviz_params = (.*);\n", page).group(1))


class Elements(HTMLParser):
    """The elements a browser would make of a page."""

    def __init__(self, page: str):
        super().__init__()
        self.names, self.links, self.frames = [], [], []
        self.feed(page)

    def handle_starttag(self, name, attributes):
        self.names.append(name)
        self.links += [value for key, value in attributes if key in ("src", "href")]
        self.frames += [value for key, value in attributes if key == "srcdoc"]


# -- what bertviz is given -----------------------------------------------------------------------------


def given_by_bertviz(view: str, **more) -> dict:
    """The parameters that bertviz's own Python writes for the same numbers."""
    import bertviz
    import bertviz.neuron_view

    if view == "neuron_view":
        layers = [
            {"attn": w[None], "queries": q[None], "keys": k[None]} for q, k, w in zip(Q, K, W, strict=True)
        ]

        class StandIn(torch.nn.Module):
            def forward(self, ids):
                return [layers]

        class Tokens:
            def tokenize(self, text):
                return list(TOKENS)

            def convert_tokens_to_ids(self, tokens):
                return list(range(len(tokens)))

        page = bertviz.neuron_view.show(StandIn(), "gpt2", Tokens(), "text", html_action="return").data
        return json.JSONDecoder().raw_decode(page, page.index("bertviz_params = ") + 17)[0]
    page = getattr(bertviz, view)(
        [w[None] for w in W], list(TOKENS), html_action="return", prettify_tokens=False, **more
    ).data
    return json.JSONDecoder().raw_decode(page, page.index("params = ") + 9)[0]


OPEN_FILES = pytest.mark.filterwarnings("ignore::ResourceWarning")  # bertviz leaves its scripts open


@OPEN_FILES
@pytest.mark.parametrize(
    ("view", "more"), [("head_view", {}), ("head_view", {"sentence_b_start": 2}), ("model_view", {})]
)
def test_bertviz_gets_what_its_own_python_would_give_it(view, more):
    theirs = given_by_bertviz(view, **more)
    ours = params_of(getattr(our_bertviz, view)(W, TOKENS, **more).page())
    assert len(ours["attention"]) == len(theirs["attention"]) == (5 if more else 1)
    for mine, own in zip(ours["attention"], theirs["attention"], strict=True):
        assert mine.keys() == own.keys()
        assert {key: mine[key] for key in mine if key != "attn"} == {
            key: own[key] for key in own if key != "attn"
        }
        np.testing.assert_allclose(mine["attn"], own["attn"], atol=1.1e-5)
    assert set(theirs) - {"root_div_id"} <= set(ours)
    assert ours["include_layers"] == [number + 1 for number in theirs["include_layers"]]  # named from 1


@OPEN_FILES
def test_neuron_view_gives_bertviz_the_same_arrays():
    theirs = given_by_bertviz("neuron_view")["attention"]["all"]
    ours = params_of(neuron_view(Q, K, TOKENS, weights=W).page())["attention"]["all"]
    assert ours.keys() == theirs.keys()
    for name in ("attn", "queries", "keys"):
        np.testing.assert_allclose(ours[name], theirs[name], atol=1.1e-5)
    assert ours["left_text"] == ours["right_text"] == theirs["left_text"]


@pytest.mark.parametrize(
    "weights",
    [W[0], W[0].numpy(), W[0][None], [W[0]], (W[0].double()[None],), W[0].clone().requires_grad_()],
    ids=["torch", "numpy", "batch of one", "list", "tuple, double", "with gradient"],
)
def test_every_form_of_weights_gives_the_same_page(weights):
    assert head_view(weights, TOKENS).page() == head_view(W[0], TOKENS).page()
    assert model_view(weights, TOKENS).page() == model_view(W[0], TOKENS).page()


def test_chosen_layers_and_heads_keep_their_numbers():
    view = head_view(W, TOKENS, layers=[1], heads=[2, 0])
    params = params_of(view.page())
    np.testing.assert_allclose(params["attention"][0]["attn"][0][0], W[1][2], atol=1.1e-5)
    assert (params["include_layers"], params["head_names"], params["layer"]) == ([2], [3, 1], 2)
    assert "Head 3" in view.alt and "Head 2" not in view.alt
    params = params_of(model_view(W, TOKENS, layers=[1], heads=[2]).page())
    assert (params["include_layers"], params["include_heads"]) == ([2], [3])


def test_cross_attention_has_its_own_keys():
    q, k, weights = numbers(1, 2, 4, n_queries=2, n_keys=3)
    for view in (head_view, model_view):
        part = params_of(view(weights, ["a", "b"], keys=["x", "y", "z"]).page())["attention"][0]
        assert (part["left_text"], part["right_text"]) == (["a", "b"], ["x", "y", "z"])
    part = params_of(neuron_view(q, k, ["a", "b"], key_tokens=["x", "y", "z"]).page())["attention"]["all"]
    assert part["right_text"] == ["x", "y", "z"] and np.shape(part["attn"]) == (1, 2, 2, 3)


# -- neuron_view shows what is so ----------------------------------------------------------------------


@pytest.mark.parametrize("scale", [True, False])
@pytest.mark.parametrize("d_k", [1, 7, 64])
def test_neuron_views_weights_are_the_masked_softmax(scale, d_k):
    q, k, _ = numbers(2, 2, d_k)
    allowed = torch.tensor(ALLOWED).clone()
    allowed[3] = False  # a row with nothing allowed
    scores = torch.stack([a @ b.mT for a, b in zip(q, k, strict=True)]) / (d_k**0.5 if scale else 1)
    wanted = scores.masked_fill(~allowed, -torch.inf).softmax(-1).nan_to_num(0)
    view = neuron_view(q, k, TOKENS, allowed=allowed, scale=scale)
    params = params_of(view.page())
    shown = np.array(params["attention"]["all"]["attn"])
    np.testing.assert_allclose(shown, wanted, atol=1.1e-5)
    # the script hides a pair by its zero: every forbidden pair has one, no allowed pair has
    np.testing.assert_array_equal(shown > 0, np.broadcast_to(allowed, shown.shape))
    assert params["scaled"] is scale and params["bidirectional"] is False
    for weights in (wanted, list(wanted)):
        if isinstance(weights, list):
            assert neuron_view(q, k, TOKENS, weights=weights, scale=scale).page() == view.page()
    assert f"{scores[0, 0, 4, 0]:.2f}".replace("-", "−") in view.alt


def test_a_weight_that_rounds_to_zero_is_not_shown_as_forbidden():
    q, k = torch.tensor([[[40.0], [1.0]]]), torch.tensor([[[1.0], [0.0]]])
    shown = params_of(neuron_view(q, k, ["a", "b"]).page())
    assert shown["bidirectional"] is True and np.min(shown["attention"]["all"]["attn"]) > 0


def test_a_weight_that_is_zero_only_in_float32_is_not_shown_as_forbidden():
    """Scores 0 and 200 give the weights 0 and 1: allowed, as the other head shows; a mask's zeros are not."""
    q = torch.ones(2, 3, 1)
    k = torch.tensor([[[0.0], [200.0], [1.0]], [[0.0], [1.0], [1.0]]])
    mask = torch.ones(3, 3).tril().bool()
    weights = (q @ k.mT).masked_fill(~mask, -torch.inf).softmax(-1)
    assert weights[0, 1, 0] == 0
    shown = params_of(neuron_view(q, k, ["a", "b", "c"], weights=weights).page())["attention"]["all"]["attn"]
    np.testing.assert_array_equal(np.array(shown)[0] > 0, np.broadcast_to(mask, (2, 3, 3)))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda w: [w[1], w[0]], "another layer"),
        (lambda w: [layer * 0.9 for layer in w], "dropout"),
        (lambda w: [(a @ b.mT).softmax(-1) for a, b in zip(Q, K, strict=True)], "scale=False"),
        (lambda w: w[:1], "1 layers and 3 heads"),
    ],
)
def test_weights_that_are_not_of_these_queries_and_keys_are_refused(change, said):
    with pytest.raises(ValueError, match=said):
        neuron_view(Q, K, TOKENS, weights=change(W))


# -- tokens, ids, bytes --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", VIEWS)
def test_tokens_are_text_and_nothing_else(name):
    plain = {"head_view": head_view, "model_view": model_view}
    harmless = [f"t{i}" for i in range(N)]
    other = plain[name](W, harmless) if name in plain else neuron_view(Q, K, harmless, allowed=ALLOWED)
    view = VIEWS[name]
    assert Elements(view.page()).names == Elements(other.page()).names
    assert Elements(view.html()).names == Elements(other.html()).names == ["style", "div", "img", "iframe"]
    assert Elements(view.html()).frames == [view.page()]
    part = params_of(view.page())["attention"]
    part = part["all"] if name == "neuron_view" else part[0]
    assert part["left_text"] == part["right_text"] == TOKENS
    assert HOSTILE not in view.page() and HOSTILE not in view.html()


def test_titles_are_text_too():
    view = head_view(W, TOKENS, title=f"{HOSTILE} <i>")
    assert Elements(view.page()).names == Elements(VIEWS["head_view"].page()).names
    assert f"<h1>{escape(f'{HOSTILE} <i>')}</h1>" in view.page()


def test_control_characters_are_made_visible():
    view = head_view(W, ["a b", "\n", "\x00", "\ud800", ""])
    assert params_of(view.page())["attention"][0]["left_text"] == ["a b", "⏎", "·", "·", "∅"]
    view.page().encode("utf-8")


def test_nothing_is_fetched():
    for view in VIEWS.values():
        elements = Elements(view.page())
        assert elements.links == []
        assert "default-src 'none'" in view.page() and "connect-src" not in view.page()
        assert [link[:22] for link in Elements(view.html()).links] == ["data:image/png;base64,"]


def test_two_processes_make_the_same_bytes(tmp_path):
    """From the same numbers: a sum may differ in its last digit from one process to the next.

    Both are new: in a process that has drawn many texts, matplotlib may set a letter differently.
    """
    given = {"Q": Q, "K": K, "W": W}
    given = {name: [layer.numpy() for layer in layers] for name, layers in given.items()}  # without torch
    (tmp_path / "given").write_bytes(pickle.dumps(given | {"TOKENS": TOKENS, "ALLOWED": ALLOWED}))
    code = (
        "import hashlib, pickle, sys\n"
        "from course_lib.viz.bertviz import head_view, model_view, neuron_view\n"
        f"{inspect.getsource(three_views)}\n"
        "globals().update(pickle.load(open(sys.argv[1], 'rb')))\n"
        "for v in three_views().values(): print(hashlib.sha256(v.html().encode()).hexdigest())"
    )
    run = [sys.executable, "-c", code, str(tmp_path / "given")]
    one, other = (
        subprocess.check_output(run, cwd=ROOT, text=True, env={**os.environ, "PYTHONHASHSEED": seed})
        for seed in ("7", "8")
    )
    assert one == other and len(one.split()) == len(VIEWS)


# -- outputs -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", VIEWS)
def test_an_output_is_live_and_still_and_build_keeps_the_still(name):
    data, metadata = VIEWS[name]._repr_mimebundle_()
    assert set(data) == {"text/html", "text/plain"} and set(metadata) == {"text/html"}
    assert data["text/plain"] == f"Picture: {VIEWS[name].alt}"
    assert data["text/html"].index("<img") < data["text/html"].index("<iframe")
    assert len(data["text/html"]) < 700_000

    output = nbformat.v4.new_output("display_data", data, metadata=metadata)
    assert guards.output_faults(output) == ["the scripts of a live view are stored: build the page"]
    kept = build.tidy_output(output)
    assert kept["data"] == VIEWS[name].still.mimebundle()[0] and not kept["metadata"]
    assert guards.output_faults(kept) == []


def test_other_html_stays():
    data = {"text/html": "<a>map</a>", "text/plain": "map"}
    output = nbformat.v4.new_output("display_data", data)
    assert build.tidy_output(output)["data"] == data


def test_save_html_writes_the_page_whole(tmp_path):
    path = tmp_path / "new" / "view.html"
    VIEWS["head_view"].save_html(str(path))
    assert path.read_bytes() == VIEWS["head_view"].page().encode("utf-8")
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("package", ["bertviz", "mpld3", "XStatic-jQuery"])
def test_without_a_package_the_still_stands_and_the_next_step_is_said(package, monkeypatch, capsys, tmp_path):
    metadata = bertviz_page.importlib.metadata
    found = metadata.distribution

    def distribution(name):
        if name == package:
            raise metadata.PackageNotFoundError(name)
        return found(name)

    monkeypatch.setattr(metadata, "distribution", distribution)
    data, details = VIEWS["model_view"]._repr_mimebundle_()
    assert data == VIEWS["model_view"].still.mimebundle()[0] and not details
    assert f"python3 -m pip install {package}" in capsys.readouterr().out
    with pytest.raises(ImportError, match=f"needs the package {package}"):
        VIEWS["model_view"].save_html(tmp_path / "view.html")
    assert not (tmp_path / "view.html").exists()


def test_another_bertviz_is_refused_and_not_shown_wrong(monkeypatch, capsys):
    monkeypatch.setitem(bertviz_page.CHANGES, "head_view", (("no such text", ""),))
    assert "<iframe" not in VIEWS["head_view"]._repr_mimebundle_()[0]["text/html"]
    assert "bertviz==1.4.1" in capsys.readouterr().out


# -- errors --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: head_view(W, TOKENS[:4]), "expected 4 queries and 4 keys"),
        (lambda: head_view(W, "abcde"), "tokens is one string"),
        (lambda: head_view(torch.stack(W), TOKENS), "a batch of 2 sentences"),
        (lambda: head_view(W[0][0], TOKENS), "3 or 4 axes"),
        (lambda: head_view([], TOKENS), "weights is empty"),
        (lambda: head_view([W[0], W[1][:2]], TOKENS), "every layer must have the same shape"),
        (lambda: head_view([w * 3 for w in W], TOKENS), "Are these scores"),
        (lambda: head_view(W, TOKENS, layer=2), r"layer is 2; expected one of \[0, 1\]"),
        (lambda: head_view(W, TOKENS, heads=[]), "from 0 to 2"),
        (lambda: model_view(W, TOKENS, layers=[2]), "from 0 to 1"),
        (lambda: model_view(W, TOKENS, heads=[0, 0]), "different numbers"),
        (lambda: head_view(W, TOKENS, sentence_b_start=5), "position from 1 to 4"),
        (lambda: neuron_view(Q, K[:1], TOKENS), "must be equal"),
        (lambda: neuron_view(Q, [k[..., :3] for k in K], TOKENS), "must be equal"),
        (lambda: neuron_view(Q, K, TOKENS[:3]), "there are 3 tokens"),
        (lambda: neuron_view(Q, K, "abcde"), "tokens is one string"),
        (lambda: neuron_view(Q, K, TOKENS, head=3), "head is 3"),
        (lambda: neuron_view(Q, K, TOKENS, query=5), "query is 5"),
        (lambda: neuron_view(Q, K, TOKENS, allowed=ALLOWED.astype(int)), "must be boolean"),
    ],
)
def test_wrong_input_is_named(call, said):
    with pytest.raises(ValueError, match=said):
        call()


@pytest.mark.parametrize(
    ("view", "shape"), [("head_view", (12, 12, 64)), ("model_view", (2, 8, 64)), ("neuron_view", (4, 8, 96))]
)
def test_too_much_for_a_browser_is_refused_with_sizes_that_fit(view, shape):
    n_layers, n_heads, n_tokens = shape
    even = np.full((n_heads, n_tokens, n_tokens), 1 / n_tokens)
    vectors = np.zeros((n_heads, n_tokens, 16))

    def call(layers=n_layers, heads=n_heads, tokens=n_tokens):
        names = ["t"] * tokens
        if view == "neuron_view":
            some = [vectors[:heads, :tokens]] * layers
            return neuron_view(some, some, names)
        weights = [even[:heads, :tokens, :tokens]] * layers
        return getattr(our_bertviz, view)(weights, names)

    with pytest.raises(ValueError, match="too much for a browser") as caught:
        call()
    fits = {name: int(n) for n, name in re.findall(r"(\d+) (layer|head|token)s?(?= or|;)", str(caught.value))}
    assert "token" in fits, caught.value
    for name, n in fits.items():
        call(**{f"{name}s": n})
        with pytest.raises(ValueError, match="too much"):
            call(**{f"{name}s": n + 1})


# -- stills --------------------------------------------------------------------------------------------


def test_stills_are_small_and_readable():
    q, k, w = numbers(4, 8, 16, 12, 12)
    words = ["The", "animal", "did", "not", "cross", "the", "wide", "street", "because", "it", "was", "tired"]
    more = {
        "many": model_view(w, words),
        "heads": head_view(w, words),
        "wide": neuron_view(q, k, words, allowed=np.tril(np.ones((12, 12), bool))),
        "one": head_view(W[0][:1], TOKENS),
        "long token": head_view(W, [*TOKENS[:4], "x" * 90]),
    }
    for name, view in {**VIEWS, **more}.items():
        png = view.still.png()
        assert len(png) < 200_000, f"{name}: {len(png)} bytes"
        width, height = view.still.get_size_inches()
        assert width <= 11 and height <= 12, f"{name}: {width} × {height}"
        sizes = [text.get_fontsize() for text in view.still.findobj(matplotlib.text.Text) if text.get_text()]
        assert min(sizes) >= 11, name


def test_alt_text_says_what_the_numbers_are():
    weights = np.full((2, 3, 3), 0.2)
    weights[0] += 0.4 * np.eye(3)
    weights[1, 2] = [0.05, 0.05, 0.9]
    tokens = ["le", "ballon", "rouge"]
    alt = head_view(weights, tokens).alt
    assert "Head 2: strongest is “rouge” → “rouge” (0.90)" in alt
    alt = model_view(weights, tokens).alt
    assert "most concentrated is layer 1, head 1" in alt and "most even is layer 1, head 2" in alt
    alt = neuron_view(Q, K, TOKENS, allowed=ALLOWED, query=1).alt
    assert "“The”" in alt and "“你好” not allowed" in alt


def test_the_neuron_views_best_keys_are_taken_apart_product_by_product():
    q, k = np.ones((1, 1, 2, 4)), np.ones((1, 1, 2, 4))
    k[0, 0, 1, 0] = -1.0  # the second key: three of four products are positive
    still = neuron_view(q, k, ["a", "b"]).still
    words = [text.get_text() for text in still.axes[0].texts]
    assert [text for text in words if "one by one" in text] == [
        "q × k with a, one by one: 4 of 4 positive",
        "q × k with b, one by one: 3 of 4 positive",
    ]
    assert "With “a”, 4 of 4 products are positive." in still.alt
    assert {colours.QUERY, colours.KEY}.isdisjoint({colours.POSITIVE, colours.NEGATIVE})
    page = neuron_view(q, k, ["a", "b"]).page()
    assert colours.POSITIVE in page and "#ff6318" not in page
