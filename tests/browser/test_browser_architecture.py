"""ArchitectureView in a real JupyterLab: steps, families, norms; mouse, keys, touch; every width."""

import pytest
from playwright.sync_api import expect
from test_browser_accessible import nothing_in_light_and_dark
from test_browser_attention import middle, nothing_is_cut, touch
from test_browser_views import THEMES, contrast_of, height, wait_for_text

MODEL = """
import torch
from course_lib.interpret import trace_shapes
from course_lib.models.transformer import TransformerConfig
from course_lib.widgets import ArchitectureView
sizes = dict(d_model=64, n_heads=4, d_ff=128, encoder_layers=2, decoder_layers=3, norm_first=True, max_len=64)
model = TransformerConfig(**sizes, source_vocab=30, target_vocab=43, shared="target").build()
view = ArchitectureView(trace_shapes(model, torch.full((2, 9), 5), torch.full((2, 7), 5)))
view"""
PAPER = "from course_lib.widgets import ArchitectureView\nview = ArchitectureView()\nview"
SHOWN = "() => document.querySelector('.course-view').shown()"
CENTRE = """() => {
  const inner = document.querySelector('.course-view .box.on').getBoundingClientRect();
  const outer = document.querySelector('.course-view .drawing').getBoundingClientRect();
  return inner.top >= outer.top - 1 && inner.bottom <= outer.bottom + 1;
}"""


def box(view, key: str):
    return view.locator(f".box[data-key='{key}']")


def opened(lab, open_page, name: str, code: str, dark=False):
    page = open_page(lab.write(f"{name}.ipynb", [code]), dark)
    page.run_all()
    page.window.evaluate("jupyterapp.shell.collapseLeft()")
    view = page.window.locator(".course-view")
    view.locator(".box").first.wait_for()
    return page, view


@THEMES
def test_a_batch_goes_through_a_model(lab, open_page, dark):
    page, view = opened(lab, open_page, f"architecture_{dark}", MODEL, dark)
    window, before = page.window, height(view)
    total = int(page.python("print(sum(p.numel() for p in model.parameters()))"))
    assert view.locator(".ledger .all td").inner_text() == f"{total:,}"
    for selector in (".box.on .count", ".box:not(.on) .of", ".readout .soft", ".result", ".about"):
        assert contrast_of(page, f".course-view {selector}") > 4.5, selector

    assert all(name.bounding_box()["height"] < 30 for name in view.locator("dt").all()), "one line each"

    # the button, the slider's keys, the page keys
    view.locator("button", has_text="Next").click()
    page.python_becomes("view.step", "2")
    assert box(view, "encoder.embedding").locator(".count").inner_text() == "(B=2, S=9, D=64)"
    view.locator(".steps input").focus()
    window.keyboard.press("ArrowRight")
    window.keyboard.press("PageDown")
    page.python_becomes("view.step", "4")
    assert "pre-norm" in view.locator(".top").inner_text()

    # a box that is pointed at is read; one that is clicked is lit
    box(view, "decoder.cross_attention").hover()
    wait_for_text(page, ".readout", "weights (B=2, H=4, T=7, S=9)")
    assert "16,640 in each layer, × 3 = 49,920" in view.locator(".readout").inner_text()
    box(view, "decoder.self_attention").click()
    page.python_becomes("view.step", "13")
    wait_for_text(page, ".readout", "the future is forbidden")
    forbidden = view.locator(".who .mask .forbidden")
    assert forbidden.count() == 7 * 6 / 2 and view.locator(".who .mask .allowed").count() == 7 * 8 / 2

    # arrow keys: up along the stack, over to the other one
    for key, lit in (("ArrowUp", 14), ("ArrowUp", 15), ("ArrowLeft", 7), ("Home", 1), ("End", 20)):
        window.keyboard.press(key)
        page.python_becomes("view.step", str(lit))
    assert window.evaluate("document.activeElement.dataset.key") == "decoder.softmax"

    # families: what is missing turns pale, its parameters leave the total, the mask changes
    box(view, "decoder.self_attention").click()
    view.locator(".families label", has_text="prefix-LM").click()
    page.python_becomes("view.family, view.step", "prefix-LM 5")
    wait_for_text(page, ".readout", "(B=2, N=16, D=64)")
    assert forbidden.count() == 16 * 15 / 2 - 9 * 8 / 2
    left = page.python("print(f'{view.description.total:,}')")
    assert view.locator(".ledger .all td").inner_text() == left == window.evaluate(SHOWN)["total"]
    assert "without cross-attention (−16,768 each)" in view.locator(".ledger").inner_text()
    cross = box(view, "decoder.cross_attention")
    assert "absent" in cross.get_attribute("class") and cross.locator(".count").inner_text() == "—"
    cross.click()
    wait_for_text(page, ".readout", "A model of the family prefix-LM does not have this box")
    assert page.python("print(view.step)") == "5"
    view.locator(".families label", has_text="encoder-only").click()
    page.python_becomes("view.family, view.step", "encoder-only 5")
    expect(box(view, "encoder.scores")).to_be_visible()

    # from Python
    page.python("view.family = 'encoder-decoder'; view.step = 20")
    wait_for_text(page, ".readout", "sum to 1")
    window.mouse.move(5, 5)
    assert height(view) == before and view.locator("button", has_text="Next").is_disabled()


@pytest.mark.parametrize("calm", [False, True], ids=["motion", "reduced motion"])
def test_play_and_the_norms_of_the_paper(lab, open_page, calm):
    page = open_page(lab.write(f"architecture_plays_{calm}.ipynb", [PAPER]))
    page.window.emulate_media(reduced_motion="reduce" if calm else "no-preference")
    page.run_all()
    view = page.window.locator(".course-view")
    view.locator(".box").first.wait_for()
    before = height(view)
    assert view.locator(".ledger .all td").inner_text() == "63,082,496"
    assert "absent" in box(view, "decoder.final_norm").get_attribute("class")
    view.locator(".switch").click()
    page.python_becomes("view.norm_first", "True")
    expect(view.locator(".ledger .all td")).to_have_text("63,084,544")
    below, above = (box(view, f"decoder.self_{part}").bounding_box()["y"] for part in ("norm", "attention"))
    assert below > above, "the norm stands below its attention: before it"
    page.python("view.step = 18")
    view.locator("button", has_text="Play").click()
    page.python_becomes("view.step", "20")
    wait_for_text(page, ".steps", "Play")  # at the end it stops by itself
    moved = page.window.evaluate(
        "() => getComputedStyle(document.querySelector('.course-view .road.on path')).animationName"
    )
    assert moved == ("none" if calm else "course-road") and height(view) == before


def test_small_windows_and_touch(lab, open_page):
    """Side by side, then under one another; the lit box is in sight; nothing is cut; nothing for axe."""
    page = open_page(lab.write("architecture_small.ipynb", [MODEL]))
    page.finger()
    page.run_all()
    window, view = page.window, page.window.locator(".course-view")
    view.locator(".box").first.wait_for()
    window.evaluate("jupyterapp.shell.collapseLeft()")
    for width in (1400, 1000, 700, 400):
        window.set_viewport_size({"width": width, "height": 1000})
        window.wait_for_function(
            "(narrow) => document.querySelector('.course-view').classList.contains('narrow') === narrow",
            arg=width <= 700,
        )
        heights = set()
        for step in (1, 13, 20):
            page.python(f"view.step = {step}")
            window.wait_for_function(CENTRE)
            nothing_is_cut(page)
            wider = "(node) => node.scrollWidth > node.clientWidth + 1"
            assert not any(each.evaluate(wider) for each in view.locator(".box").all()), (width, step)
            heights.add(height(view))
        assert len(heights) == 1, (width, heights)
        encoder, decoder = (box(view, f"{side}.embedding").bounding_box() for side in ("encoder", "decoder"))
        assert (encoder["x"] == decoder["x"]) == (width <= 700) and encoder["y"] >= decoder["y"]
    page.python("view.step = 19")
    window.wait_for_function(CENTRE)
    window.wait_for_timeout(600)  # the drawing has scrolled
    node = box(view, "decoder.final_norm")
    node.scroll_into_view_if_needed()
    touch(page, middle(node))
    page.python_becomes("view.step", "18")
    nothing_in_light_and_dark(page)


def test_the_still_is_one_picture_with_its_words(lab, open_page):
    code = PAPER.removesuffix("view") + "view.still()"
    page = open_page(lab.write("architecture_still.ipynb", [code]))
    page.run_all()
    picture = page.window.locator(".jp-OutputArea-output img")
    picture.wait_for()
    assert "63,082,496 parameters" in picture.get_attribute("alt") and picture.count() == 1
