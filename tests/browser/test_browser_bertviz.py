"""bertviz's three views in a real JupyterLab with no network, in exported pages, and not trusted."""

import json
from urllib.parse import quote

import nbformat
import numpy as np
import pytest

HOSTILE = "</script><b>&\"'"
ATTACK = "<img src=x onerror=parent.hacked=1>"
TOKENS = ["The", HOSTILE, "你好", "🙂", ATTACK, "it"]
N, HEADS, LAYERS = len(TOKENS), 3, 2
MASK = np.tril(np.ones((N, N), bool), 2)  # two tokens ahead, and nobody may look at the second one
MASK[:, 1] = False

# The course's own model, whose weights and vectors the views get.
START = f"""
import torch
from course_lib.masks import causal_mask
from course_lib.models.attention_only import AttentionOnly, AttentionOnlyConfig
from course_lib.training.randomness import seeded
from course_lib.viz.bertviz import head_view, model_view, neuron_view

tokens = {TOKENS!r}
with seeded(0):
    model = AttentionOnly(AttentionOnlyConfig(20, d_model=18, n_heads={HEADS}, n_layers={LAYERS}))
with torch.no_grad():
    layers = model.look_inside(torch.arange({N})[None], causal_mask({N}))
weights = [layer.weights for layer in layers]
queries, keys = [layer.queries for layer in layers], [layer.keys for layer in layers]
"""
CELLS = [
    START,
    "head_view(weights, tokens)",
    "model_view(weights, tokens)",
    "neuron_view(queries, keys, tokens, weights=weights)",
]
NUMBERS = """
import json
several = {"weights": weights, "queries": queries, "keys": keys}
print(json.dumps({name: torch.stack(arrays)[:, 0].tolist() for name, arrays in several.items()}))
"""


def attributes(frame, selector: str, name: str) -> np.ndarray:
    """One attribute of all elements, as numbers."""
    script = "(nodes, name) => nodes.map((node) => +node.getAttribute(name))"
    return np.array(frame.locator(selector).evaluate_all(script, name))


def texts(frame, selector: str) -> list[str]:
    return frame.locator(selector).evaluate_all("(nodes) => nodes.map((node) => node.textContent)")


def no_still_beside(frame) -> bool:
    """The frame is seen, as high as what is in it, and its still is not."""
    return frame.evaluate(
        """() => {
          const me = window.frameElement, still = me.previousElementSibling;
          const high = me.getBoundingClientRect().height;
          return still.tagName === 'IMG' && still.offsetHeight === 0
            && getComputedStyle(me).visibility === 'visible'
            && high > 150 && Math.abs(high - document.body.getBoundingClientRect().height) < 2
            && document.body.scrollWidth <= window.innerWidth + 1;
        }"""
    )


def frames_of(window, n: int) -> list:
    window.wait_for_function(
        "(n) => [...document.querySelectorAll('.course-bertviz iframe')]"
        ".filter((frame) => frame.contentDocument?.querySelector('#vis svg')).length === n",
        arg=n,
    )
    frames = [handle.content_frame() for handle in window.query_selector_all(".course-bertviz iframe")]
    for frame in frames:
        frame.wait_for_function("window.frameElement.style.visibility === 'visible'")
    return frames


def check_head_view(frame, weights: np.ndarray) -> None:
    """weights (L, H, T, S): hover left and right, menu of layers, squares of heads."""
    _, n_heads, n_queries, n_keys = weights.shape
    strengths = "#attention line"
    assert texts(frame, "#left text") == texts(frame, "#right text") == TOKENS
    shown = attributes(frame, strengths, "stroke-opacity").reshape(n_heads, n_queries, n_keys)
    np.testing.assert_allclose(shown, weights[0] / n_heads, atol=1e-5)

    frame.locator("#left text").nth(2).hover()
    assert frame.locator("#attention").get_attribute("visibility") == "hidden"
    seen = attributes(frame, "#attention line[visibility=visible]", "left-token-index")
    assert len(seen) == n_heads * n_keys and set(seen) == {2}
    script = "(nodes) => nodes.map((node) => +node.style.opacity)"
    boxes = frame.locator("#right .attentionBoxes rect").evaluate_all(script)
    np.testing.assert_allclose(np.reshape(boxes, (n_heads, n_keys)), weights[0][:, 2], atol=1e-5)
    frame.locator("#right text").nth(1).hover()
    assert set(attributes(frame, "#attention line[visibility=visible]", "right-token-index")) == {1}
    frame.locator("p").hover()
    assert frame.locator("#attention line[visibility=visible]").count() == 0

    squares = frame.locator("#vis svg > g:last-child rect")
    assert squares.count() == n_heads and texts(frame, "#vis svg > g:last-child text") == ["1", "2", "3"]
    squares.nth(0).click()
    shown = attributes(frame, strengths, "stroke-opacity").reshape(n_heads, n_queries, n_keys)
    np.testing.assert_allclose(shown[0], 0)
    np.testing.assert_allclose(shown[1:], weights[0][1:] / (n_heads - 1), atol=1e-5)
    squares.nth(2).dblclick()
    shown = attributes(frame, strengths, "stroke-opacity").reshape(n_heads, n_queries, n_keys)
    np.testing.assert_allclose(shown[2], weights[0][2], atol=1e-5)
    assert not shown[:2].any()

    assert texts(frame, "#layer option") == ["1", "2"]
    frame.locator("#layer").select_option("2")
    shown = attributes(frame, strengths, "stroke-opacity").reshape(n_heads, n_queries, n_keys)
    np.testing.assert_allclose(shown[2], weights[1][2], atol=1e-5)
    assert texts(frame, "#left text") == TOKENS


def check_model_view(frame, weights: np.ndarray) -> None:
    """weights (L, H, T, S): a click opens the enlarged picture, pointing at a query leaves only its lines."""
    _, n_heads, n_queries, n_keys = weights.shape
    shown = attributes(frame, "#vis line", "stroke-opacity").reshape(weights.shape)
    np.testing.assert_allclose(shown, weights, atol=1e-5)
    picture = frame.locator(".attn_background + g ~ rect").nth(n_heads + 1)  # layer 2, head 2
    picture.click()
    assert texts(frame, "text.detail") == ["Layer 2, Head 2"]
    assert texts(frame, ".detail text.token") == TOKENS * 2
    shown = attributes(frame, ".detail line", "stroke-opacity").reshape(n_queries, n_keys)
    np.testing.assert_allclose(shown, weights[1, 1], atol=1e-5)
    inside = frame.evaluate(
        """() => {
          const whole = document.querySelector('#vis svg').getBoundingClientRect();
          return [...document.querySelectorAll('.detail text, rect.detail')].every((node) => {
            const box = node.getBoundingClientRect();
            return box.left >= whole.left - 1 && box.right <= whole.right + 1 && box.top >= whole.top - 1;
          });
        }"""
    )
    assert inside, "the enlarged picture is cut off"
    frame.locator(".detail text.token").nth(3).hover()
    script = "(nodes) => nodes.map((node) => +node.style.opacity)"
    assert frame.locator(".attn-line-group").evaluate_all(script) == [0, 0, 0, 1, 0, 0]
    frame.locator("p").hover()
    assert frame.locator(".attn-line-group").evaluate_all(script) == [1] * n_queries


def check_neuron_view(frame, weights, queries, keys, mask, scale=True) -> None:
    """Expand one query, compare every number with NumPy's; another layer and head; collapse."""
    seen = "(nodes) => nodes.map((node) => +getComputedStyle(node).opacity)"
    assert texts(frame, "#collapsed #leftText text.token") == TOKENS
    query = frame.locator("#collapsed #leftText > g").nth(3)
    query.hover()
    assert frame.locator("#collapsed .attn-line-group").evaluate_all(seen) == [0, 0, 0, 1, 0, 0]
    query.locator("rect").nth(1).click()
    assert frame.locator("#expanded").get_attribute("visibility") == "visible"
    assert frame.locator("#collapsed").get_attribute("visibility") == "hidden"

    def numbers(layer: int, head: int, i: int) -> None:
        frame.locator("#expanded #leftText text.token").nth(i).hover()
        q, k, w = queries[layer, head], keys[layer, head], weights[layer, head, i]
        for name, wanted in (("queries", q), ("keys", k), ("product", q[i] * k)):
            shown = attributes(frame, f"#expanded #{name} .element", "data-value").reshape(wanted.shape)
            np.testing.assert_allclose(shown, wanted, atol=1e-4)
        scores = k @ q[i] / (np.sqrt(q.shape[-1]) if scale else 1)
        np.testing.assert_allclose(attributes(frame, ".dotproduct", "data-value"), scores, atol=1e-4)
        allowed = mask[i]
        assert frame.locator(".dotproduct").evaluate_all(seen) == allowed.astype(float).tolist()
        assert frame.locator("#product .vector").evaluate_all(seen) == allowed.astype(float).tolist()
        powers = np.where(allowed, np.exp(scores), 0)
        np.testing.assert_allclose(w, powers / powers.sum(), atol=1e-5)
        marks = frame.locator("#expanded #rightText .highlight").evaluate_all(seen)
        np.testing.assert_allclose(marks, w, atol=1e-4)
        written = [
            f"{token}{weight:.2f}" if may else token
            for token, weight, may in zip(TOKENS, w, allowed, strict=True)
        ]
        assert texts(frame, "#expanded #rightText text.token") == written
        assert ("q·k / √dₖ" if scale else "q · k") in texts(frame, "#expanded #heading text")

    numbers(0, 0, 3)
    frame.locator("#layer").select_option(label="2")
    frame.locator("#att_head").select_option(label="3")
    numbers(1, 2, 4)
    frame.locator("p").hover()
    assert texts(frame, "#expanded #rightText text.token") == TOKENS
    query = frame.locator("#expanded #leftText > g").nth(0)
    query.hover()
    query.locator("rect").nth(1).click()
    assert frame.locator("#collapsed").get_attribute("visibility") == "visible"


def nothing_ran(window, frames) -> None:
    assert window.evaluate("window.hacked") is None
    for frame in frames:
        assert frame.evaluate("window.hacked") is None
        assert frame.evaluate("document.querySelectorAll('b, img').length") == 0


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_three_views_in_jupyterlab(lab, open_page, dark):
    page = open_page(lab.write(f"bertviz_{dark}.ipynb", CELLS), dark)
    page.run_all()
    frames = frames_of(page.window, 3)
    assert [no_still_beside(frame) for frame in frames] == [True] * 3
    turned = [frame.evaluate("getComputedStyle(frameElement).filter") for frame in frames]
    assert all(("invert" in how) == dark for how in turned), turned
    numbers = {name: np.array(values) for name, values in json.loads(page.python(NUMBERS)).items()}
    if not dark:
        check_head_view(frames[0], numbers["weights"])
        check_model_view(frames[1], numbers["weights"])
    check_neuron_view(frames[2], **numbers, mask=np.tril(np.ones((N, N), bool)))
    nothing_ran(page.window, frames)


def test_a_page_that_is_not_trusted_shows_the_stills(lab, open_page):
    """As somebody else's saved page: its outputs were not made here, so JupyterLab runs none of them."""
    outputs = made_here()
    name = lab.write("not_trusted.ipynb", ["'view'"] * len(outputs))
    page = nbformat.read(lab.folder / name, as_version=4)
    for cell, output in zip(page.cells, outputs, strict=True):
        cell.outputs, cell.execution_count = [output], 1
    nbformat.write(page, lab.folder / name)
    window = open_page(name).window
    window.wait_for_selector(".jp-OutputArea img")
    assert window.locator(".jp-OutputArea iframe").count() == 0
    for place, output in enumerate(outputs):
        still = window.locator(".jp-OutputArea img").nth(place)
        assert still.is_visible() and still.bounding_box()["height"] > 100
        assert "Picture: " + still.get_attribute("alt") == output["data"]["text/plain"]
    nothing_ran(window, [])


def test_exported_pages_work_from_a_file(browser, tmp_path):
    """`save_html`, and nbconvert's HTML of a page that was run; opened as files, nothing is asked."""
    from nbconvert import HTMLExporter

    weights, queries, keys, views = views_here()
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1", outputs=made_here())])
    exporter = HTMLExporter(require_js_url="", jquery_url="", mathjax_url="", mermaid_js_url="")
    (tmp_path / "page.html").write_text(exporter.from_notebook_node(notebook)[0], encoding="utf-8")
    for name, view in views.items():
        view.save_html(tmp_path / f"{name}.html")

    context = browser.new_context(offline=True)
    asked, errors = [], []
    context.on("request", lambda request: asked.append(request.url))
    window = context.new_page()
    window.on("pageerror", lambda error: errors.append(str(error)))
    window.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    opened = []

    def open_file(name: str) -> None:
        opened.append(f"file://{quote(str(tmp_path / name))}")
        window.goto(opened[-1])
        window.wait_for_selector("#vis svg, iframe")

    open_file("head.html")
    check_head_view(window.main_frame, weights)
    open_file("model.html")
    check_model_view(window.main_frame, weights)
    open_file("neuron.html")
    check_neuron_view(window.main_frame, weights, queries, keys, MASK, scale=False)
    assert asked == opened and errors == []
    nothing_ran(window, [window.main_frame])

    open_file("page.html")
    frames = frames_of(window, 3)
    assert [no_still_beside(frame) for frame in frames] == [True] * 3
    check_head_view(frames[0], weights)
    nothing_ran(window, frames)
    assert [url for url in asked if not url.startswith(("file:", "data:", "about:"))] == []
    context.close()


def views_here():
    """Weights, queries, keys (L, H, T, …) and the three views, made in this process, with no scale."""
    from course_lib.viz.bertviz import head_view, model_view, neuron_view

    random = np.random.default_rng(0)
    queries, keys = random.normal(size=(2, LAYERS, HEADS, N, 6))
    scores = np.where(MASK, queries @ keys.swapaxes(-1, -2), -np.inf)
    powers = np.exp(scores)
    weights = powers / powers.sum(-1, keepdims=True)
    views = {
        "head": head_view(list(weights), TOKENS),
        "model": model_view(list(weights), TOKENS),
        "neuron": neuron_view(list(queries), list(keys), TOKENS, weights=list(weights), scale=False),
    }
    return weights, queries, keys, views


def made_here() -> list:
    bundles = [view._repr_mimebundle_() for view in views_here()[3].values()]
    return [nbformat.v4.new_output("display_data", data, metadata=details) for data, details in bundles]
