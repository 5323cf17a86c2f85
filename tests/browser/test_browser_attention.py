"""AttentionView with `editable=True` in a real JupyterLab: heads, masks, temperature, and how fast it is."""

import json
import math
import time

import pytest
from lab import CHROMIUM_OPTIONS, Page
from test_browser_views import THEMES, contrast_of, height, wait_for_text

from course_lib.tools.chromium import find_chromium

START = """
import json
import numpy as np
from course_lib.widgets import AttentionView
rng = np.random.default_rng(0)
"""

# Chromium paints when the screen is ready, every 16.7 ms. These options lift that limit, so that the time to
# the next frame is the time the browser needs. They are used for the one measurement below.
NO_FRAME_LIMIT = ["--disable-gpu-vsync", "--disable-frame-rate-limit"]

N_CLICKS = 40
# Clicks, one after another: [work, to the next frame] in ms each. Work ends when the layout is forced and
# every canvas has been read back, so nothing that belongs to the paint is left over.
CLICKS = """async (n) => {
  const view = document.querySelector('.course-view'), cells = [...view.querySelectorAll('.cell')];
  const canvases = [...view.querySelectorAll('canvas')], times = [];
  for (let i = 0; i < n; i++) {
    const start = performance.now();
    cells[(i * 37) % cells.length].dispatchEvent(new MouseEvent('click', { bubbles: true }));
    await null; // the view paints in a microtask
    view.getBoundingClientRect();
    for (const canvas of canvases) canvas.getContext('2d').getImageData(0, 0, 1, 1);
    const work = performance.now() - start;
    await new Promise((done) => requestAnimationFrame(() => {
      const channel = new MessageChannel();
      channel.port1.onmessage = done;
      channel.port2.postMessage(0);
    }));
    times.push([work, performance.now() - start]);
    await new Promise((done) => setTimeout(done, 60)); // nobody clicks faster; Python hears of it meanwhile
  }
  return times;
}"""

PICTURES = "() => [...document.querySelectorAll('.course-view canvas')].map((canvas) => canvas.toDataURL())"
WEIGHTS = "() => [...document.querySelector('.course-view').numbers().weights]"


def same_in_python(page) -> None:
    """The weights that the browser shows are `view.weights`, once both have heard of the last change."""
    page.idle()
    expected = json.loads(page.python("print(json.dumps(view.weights.ravel().tolist()))"))
    found = page.window.evaluate(WEIGHTS)
    assert len(found) == len(expected)
    assert max(abs(a - b) for a, b in zip(found, expected, strict=True)) < 1e-9


@THEMES
def test_masks_heads_and_temperature(lab, open_page, dark):
    cells = [
        START,
        """
words = "the cat sat down".split()
view = AttentionView(rng.dirichlet(np.ones(4), size=(3, 4)), words, words, editable=True,
                     allowed=np.tri(4, dtype=bool))
view""",
    ]
    page = open_page(lab.write(f"editing_{dark}.ipynb", cells), dark)
    page.run_all()
    view, window = page.window.locator(".course-view"), page.window
    view.locator(".cell").first.wait_for()
    before, cell, readout = height(view), view.locator(".cell"), view.locator(".readout")
    same_in_python(page)
    assert contrast_of(page, ".course-view .slider .soft") > 4.5

    # every head is a picture; the pictures are radio buttons
    assert view.locator(".heads canvas").count() == 3 == view.locator("[role=radiogroup] input").count()
    view.locator(".chips label").nth(1).click()
    page.python_becomes("view.head", "1")
    window.keyboard.press("ArrowRight")
    page.python_becomes("view.head", "2")
    view.locator(".chips label").nth(1).click()

    # a click masks: the row is shared out anew, other rows and heads stay
    pictures = window.evaluate(PICTURES)
    cell.nth(9).click()
    page.python_becomes("view.allowed[1, 2].astype(int), view.selected", "[1 0 1 0] [1, 2, 1]")
    page.python_becomes(
        "view.weights[1, 2, 1], round(view.weights[1, 2].sum(), 12), view.weights[1, 1].all()",
        "0.0 1.0 False",
    )
    assert "weight not allowed" in readout.inner_text()
    changed = [a != b for a, b in zip(pictures, window.evaluate(PICTURES), strict=True)]
    assert changed == [False, True, False, True]  # the picture of head 2, and the grid
    same_in_python(page)
    cell.nth(9).click()
    page.python_becomes("view.allowed[1, 2].astype(int)", "[1 1 1 0]")
    assert window.evaluate(PICTURES) == pictures

    # the keyboard: an empty row is all 0
    window.evaluate("document.querySelector('.course-view .grid').focus({ focusVisible: true })")
    for key in ("Home", "Space", "ArrowRight", "Space", "ArrowRight", "Space"):
        window.keyboard.press(key)
    page.python_becomes("view.allowed[1, 2].any(), view.weights[1, 2].sum()", "False 0.0")
    assert "all its weights are 0" in readout.inner_text()
    window.keyboard.press("r")
    page.python_becomes("view.allowed[1, 2].all()", "True")
    window.keyboard.press("c")
    page.python_becomes("view.allowed[1, :, 2].any()", "False")
    window.keyboard.press("Escape")
    page.python_becomes("view.selected", "[]")
    assert readout.inner_text().startswith("Click a cell")

    # temperature, reset, and Python
    slider = view.locator("input[type=range]")
    slider.focus()
    window.keyboard.press("Home")
    page.python_becomes("view.temperature", "0.1")
    same_in_python(page)
    window.keyboard.press("End")
    page.python_becomes("view.temperature", "10.0")
    same_in_python(page)
    assert view.locator(".slider .number").inner_text() == "10"
    view.locator("button", has_text="Reset").click()
    page.python_becomes("view.temperature, (view.allowed == np.tri(4, dtype=bool)).all()", "1.0 True")
    assert window.evaluate(PICTURES) == pictures

    # Undo takes Reset back, then each slide of the temperature, then each change of the mask
    view.locator("button", has_text="Undo").click()
    page.python_becomes("view.temperature", "10.0")
    view.locator("button", has_text="Undo").click()
    view.locator("button", has_text="Undo").click()
    page.python_becomes(
        "view.temperature, view.allowed[1, :, 2].any(), view.allowed[1, 2, 0]", "1.0 False True"
    )
    grid = "document.querySelector('.course-view .grid')"
    window.evaluate(f"{grid}.focus()")
    window.keyboard.press("Control+z")
    page.python_becomes("view.allowed[1, 2].all()", "True")

    # the copied code, run in a cell, gives what is seen
    slider.focus()
    window.keyboard.press("ArrowLeft")
    window.context.grant_permissions(["clipboard-read", "clipboard-write"])
    view.locator("button", has_text="Copy").click()
    wait_for_text(page, ".state", "Copied")
    code = window.evaluate("navigator.clipboard.readText()")
    assert "head 2" in code and "temperature = 0.944" in code
    page.python_becomes("view.temperature", "0.944")
    page.python(code)
    assert (
        page.python("print(abs(weights.numpy() - view.weights[1]).max() < 1e-6, list(keys) == words)")
        == "True True"
    )
    undo, reset = (view.locator("button", has_text=name) for name in ("Undo", "Reset"))
    while undo.get_attribute("aria-disabled") == "false":
        undo.click()
    page.python_becomes("view.temperature, (view.allowed == np.tri(4, dtype=bool)).all()", "1.0 True")
    assert reset.get_attribute("aria-disabled") == "true"
    page.python("view.allowed = np.eye(4, dtype=bool)")
    window.wait_for_function("document.querySelector('.course-view').numbers().weights[5] === 1")
    page.python("view.weights = np.full((3, 4, 4), 0.25); view.allowed = np.ones((4, 4), dtype=bool)")
    window.wait_for_function("document.querySelector('.course-view').numbers().weights[5] === 0.25")
    same_in_python(page)
    assert height(view) == before


def test_reading_only_a_click_pins(lab, open_page):
    page = open_page(
        lab.write("reading.ipynb", [START, "view = AttentionView(np.eye(3), 'abc', 'abc')\nview"])
    )
    page.run_all()
    view = page.window.locator(".course-view")
    view.locator(".cell").nth(4).click()
    page.python_becomes("view.selected, view.allowed.all()", "[0, 1, 1] True")
    page.window.keyboard.press("Space")
    view.locator(".of-row").nth(0).click()
    assert view.locator("button, input").count() == 0
    page.python_becomes("view.allowed.all()", "True")


# What is cut off at a side, of all that answers or is read.
CUT = """() => [...document.querySelectorAll('.course-view *')]
  .filter((node) => node.matches('.cell, button, input, .readout, .token, .n, .caption'))
  .map((node) => [node, node.getBoundingClientRect(),
    node.closest('.jp-OutputArea-output').getBoundingClientRect()])
  .filter(([, box, page]) => box.width && (box.left < page.left - 1 || box.right > page.right + 1))
  .map(([node]) => `${node.className} ${node.textContent}`)"""


def nothing_is_cut(page) -> None:
    """All that answers can be seen, once the views have taken the width that they have now."""
    end = time.monotonic() + 5
    while cut := page.window.evaluate(CUT):
        assert time.monotonic() < end, cut
        page.window.wait_for_timeout(50)


def wait_for_count(page, selector: str, count: int) -> None:
    """The sentence is drawn a moment after the grid."""
    page.window.wait_for_function(
        "([selector, count]) => document.querySelectorAll('.course-view ' + selector).length === count",
        arg=[selector, count],
    )


def touch(page, *points) -> None:
    """A finger goes down at the first point, over the others, and up."""
    client = page.window.context.new_cdp_session(page.window)
    for kind, (x, y) in (("touchStart", points[0]), *(("touchMove", point) for point in points[1:])):
        client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
    client.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    if len(points) > 1:
        page.window.wait_for_timeout(700)  # a tap right after a drag may give no click in Chromium


def middle(cell) -> tuple[float, float]:
    box = cell.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_small_windows_touch_and_two_views(lab, open_page):
    """In each window all that answers can be seen; a finger reads, masks and paints; two views are two."""
    cells = [
        START,
        """
words = ["the", "cat", "sat", "Donaudampfschifffahrtsgesellschaft", "\u05e9\u05dc\u05d5\u05dd"]
make = lambda: AttentionView(rng.dirichlet(np.ones(5), size=(3, 5)), words, words, editable=True)
other = make()
other""",
        "view = make()\nview",
    ]
    page = open_page(lab.write("small.ipynb", cells))
    page.finger()
    page.run_all()
    window, view = page.window, page.window.locator(".course-view").nth(1)
    view.locator(".cell").first.wait_for()
    assert view.locator(".of-row").nth(3).inner_text() == "Donaudampfschifff…"
    sizes = []
    window.evaluate("jupyterapp.shell.collapseLeft()")
    for width in (1400, 1000, 700, 400):
        window.set_viewport_size({"width": width, "height": 1000})
        nothing_is_cut(page)
        sizes.append(view.locator(".cell").first.bounding_box()["width"])
    assert sizes == sorted(sizes, reverse=True) and sizes[0] > 50 and sizes[-1] >= 12

    window.set_viewport_size({"width": 1000, "height": 1000})
    cell, readout = view.locator(".cell"), view.locator(".readout")
    cell.nth(12).scroll_into_view_if_needed()
    touch(page, middle(cell.nth(8)))
    window.wait_for_function(
        "document.querySelectorAll('.readout')[1].innerText.includes('Donaudampfschifffahrtsgesellschaft')"
    )
    page.python_becomes("view.selected, view.allowed.all()", "[0, 1, 3] True")
    touch(page, middle(cell.nth(8)))
    page.python_becomes("view.allowed[0].astype(int)[1]", "[1 1 1 0 1]")
    assert "not allowed" in readout.inner_text()
    touch(page, middle(cell.nth(10)))
    page.python_becomes("view.selected", "[0, 2, 0]")
    touch(
        page, *(middle(cell.nth(place)) for place in (10, 11, 12))
    )  # from the cell that was tapped: masks three
    page.python_becomes("view.allowed[0].astype(int)[2]", "[0 0 0 1 1]")
    view.locator("button", has_text="Undo").click()
    page.python_becomes("view.allowed[0].astype(int)[2]", "[1 1 1 1 1]")

    word = middle(view.locator(".of-row").nth(3))  # a word is read whole first, too
    touch(page, word)
    window.wait_for_function(
        "document.querySelectorAll('.readout')[1].innerText ==="
        " 'Donaudampfschifffahrtsgesellschaft: tap again to mask or unmask all of it'"
    )
    page.python_becomes("view.allowed[0].astype(int)[3]", "[1 1 1 1 1]")
    touch(page, word)
    page.python_becomes("view.allowed[0].astype(int)[3]", "[0 0 0 0 0]")

    # every id is one element's, and each grid points at a cell of its own
    view.locator(".grid").focus()
    window.keyboard.press("ArrowRight")
    window.locator(".course-view").nth(0).locator(".cell").nth(3).click()
    found = window.evaluate(
        "() => { const all = (what) => [...document.querySelectorAll(`.course-view ${what}`)];"
        " const ids = all('[id]').map((node) => node.id);"
        " return [ids.length, new Set(ids).size, all('.grid').map((grid) =>"
        " grid.contains(document.getElementById(grid.getAttribute('aria-activedescendant'))))]; }"
    )
    assert found == [50, 50, [True, True]]


def test_a_mask_reads_as_a_sentence(lab, open_page):
    """Arcs to what is looked at, none below the words of a causal mask; bars and entropy of the row."""
    cells = [
        START,
        """
words = "the cat sat down".split()
view = AttentionView(rng.dirichlet(np.ones(4), size=(4,)), words, words, editable=True,
                     allowed=np.tri(4, dtype=bool))
view""",
    ]
    page = open_page(lab.write("sentence.ipynb", cells))
    page.run_all()
    window, view = page.window, page.window.locator(".course-view")
    sentence, cell = view.locator(".sentence"), view.locator(".cell")
    sentence.locator(".arc").first.wait_for(state="attached")
    below = (
        "() => { const line = document.querySelector('.sentence .word').getBoundingClientRect().bottom;"
        " return [...document.querySelectorAll('.arc')].filter("
        "(arc) => arc.getBoundingClientRect().bottom > line + 4).length; }"
    )
    drawn = int(page.python("print((view.weights > 0.04).sum())"))
    wait_for_count(page, ".arc", drawn)
    assert window.evaluate(below) == 0

    def entropy() -> float:
        return float(page.python("w = view.weights[0, 2]; w = w[w > 0]; print(-(w * np.log2(w)).sum())"))

    cell.nth(9).hover()  # the query "sat": three arcs, the fourth word is struck out
    wait_for_count(page, ".bar", 4)
    assert sentence.locator(".arc").count() == 3
    assert sentence.locator(".word.forbidden").all_text_contents() == ["down"]
    assert sentence.locator(".word.query").all_text_contents() == ["sat"]
    assert f"entropy {entropy():.2f} bits (all 3 equal: 1.58)" in sentence.inner_text()
    cell.nth(11).click()
    page.python_becomes("view.allowed[0, 2].all()", "True")
    wait_for_count(page, ".word.forbidden", 0)
    assert window.evaluate(below) == 1
    assert sentence.locator(".plain").count() == 0
    slider = view.locator("input[type=range]")
    slider.focus()
    window.keyboard.press("Home")
    page.python_becomes("view.temperature", "0.1")
    wait_for_count(page, ".plain", 4)
    wait_for_text(page, ".sentence", "Outlines: at temperature 1")
    shown = float(sentence.inner_text().split("entropy ")[1].split(" bits")[0].replace("·10⁻", "e-"))
    assert abs(shown - entropy()) < 0.006 and shown < 1.5

    # a word of the sentence lights its row in the grid
    sentence.locator(".word").nth(1).hover()
    wait_for_text(page, ".readout", "query cat looks at")
    window.wait_for_function("document.querySelector('.word.query')?.textContent === 'cat'")
    slider.hover()  # the row stays, so that the slider can be seen to move its bars
    window.wait_for_timeout(100)
    assert sentence.locator(".word.query").all_text_contents() == ["cat"]
    view.locator(".grid").focus()
    window.keyboard.press("Escape")
    wait_for_count(page, ".bar", 0)


@pytest.mark.alone
@pytest.mark.parametrize("options", [[], NO_FRAME_LIMIT], ids=["60 frames a second", "no frame limit"])
def test_click_to_repaint(lab, browser, show, options):
    """From a click to the picture, for 32 tokens and 8 heads: measured and printed; slow does not fail."""
    cells = [
        START,
        """
tokens = [f"w{i}" for i in range(32)]
view = AttentionView(rng.dirichlet(np.ones(32) * 0.3, size=(8, 32)), tokens, tokens, editable=True)
view""",
    ]
    own = browser.browser_type.launch(executable_path=find_chromium(), args=[*CHROMIUM_OPTIONS, *options])
    try:
        page = Page(lab, own, lab.write("speed.ipynb", cells))
        page.run_all()
        page.window.locator(".course-view .cell").first.wait_for()
        page.window.evaluate(CLICKS, 5)  # the first clicks compile the script
        pictures = page.window.evaluate(PICTURES)
        times = page.window.evaluate(CLICKS, N_CLICKS)
        changed = page.window.evaluate(PICTURES)
        assert page.errors == [] and page.outside == []
        page.close()
    finally:
        own.close()
    assert len(times) == N_CLICKS and all(math.isfinite(t) and t > 0 for pair in times for t in pair)
    assert pictures[-1] != changed[-1] and pictures[0] != changed[0]
    for name, values in zip(("work", "to the next frame"), zip(*times, strict=True), strict=True):
        values = sorted(values)
        show(
            f"click → repaint, 32 tokens × 8 heads{', no frame limit' if options else ''}, {name}: "
            f"p50 {values[N_CLICKS // 2 - 1]:.1f} ms, p95 {values[N_CLICKS * 19 // 20 - 1]:.1f} ms"
        )


def test_theme_changes_under_a_view(lab, open_page):
    """The canvas takes the colours of the new theme, and gets back to the same picture."""
    page = open_page(lab.write("theme.ipynb", [START, "AttentionView(np.eye(3), 'abc', 'abc')"]))
    page.run_all()
    page.window.locator(".course-view .cell").first.wait_for()
    light = page.window.evaluate(PICTURES)
    for theme, same in (("JupyterLab Dark", False), ("JupyterLab Light", True)):
        page.window.evaluate(
            "(theme) => jupyterapp.commands.execute('apputils:change-theme', { theme })", theme
        )
        page.window.wait_for_selector(f'body[data-jp-theme-name="{theme}"]', state="attached")
        page.window.wait_for_function(
            f"([before, same]) => (({PICTURES})()[0] === before) === same", arg=[light[0], same]
        )
        page.window.wait_for_timeout(500)  # JupyterLab takes the old theme's style sheet away
    wait_for_text(page, ".readout", "Point at a cell")
