"""PipelineStepper in a real JupyterLab: five steps, their numbers, switches, the arithmetic in words."""

import json

import pytest
from playwright.sync_api import expect
from test_browser_attention import middle, nothing_is_cut, touch
from test_browser_views import STRANGE, THEMES, contrast_of, height, wait_for_text

START = """
import json
import numpy as np
from course_lib.widgets import PipelineStepper
rng = np.random.default_rng(0)
"""
NAMES = ("scores", "scaled", "masked", "weights", "output")
NUMBERS = """() => {
  const steps = document.querySelector('.course-view').numbers();
  return %s.map((name) => [...steps[name].data].map((x) => x === -Infinity ? null : x));
}""" % json.dumps(NAMES)  # noqa: UP031


def same_in_python(page) -> None:
    page.idle()
    expected = json.loads(
        page.python(
            "print(json.dumps([[x if np.isfinite(x) else None for x in m.ravel().tolist()]"
            " for m in vars(view.steps()).values()]))"
        )
    )
    for name, ours, theirs in zip(NAMES, expected, page.window.evaluate(NUMBERS), strict=True):
        assert [x is None for x in ours] == [x is None for x in theirs], name
        assert all(abs(a - b) < 1e-9 for a, b in zip(ours, theirs, strict=True) if a is not None), name


@THEMES
def test_five_steps(lab, open_page, dark):
    cells = [
        START,
        f"""
view = PipelineStepper([[1, 2], [0, -1], [2, 1]], [[1, 0], [0.5, 1], [-1, 1], [0, 0]], np.eye(4, 3),
                       ["le", {STRANGE!r}, "你"], ["the", "cat", {STRANGE!r}, "🙂"],
                       allowed=np.tri(3, 4, dtype=bool))
view""",
    ]
    page = open_page(lab.write(f"stepper_{dark}.ipynb", cells), dark)
    page.run_all()
    view, window = page.window.locator(".course-view"), page.window
    view.locator(".n").first.wait_for()
    before, readout, result = height(view), view.locator(".readout"), view.locator(".n.result")
    assert page.dark() == dark and contrast_of(page, ".course-view .hint") > 7
    assert (
        contrast_of(page, ".course-view .n.result") > 4.5 and contrast_of(page, ".course-view .n.key") > 4.5
    )
    same_in_python(page)

    # 1: the dot product, written out
    assert result.count() == 12 and view.locator(".n.query").count() == 6
    assert STRANGE in view.locator(".name.query").all_inner_texts()
    result.nth(1).hover()
    assert readout.inner_text() == "le · cat = 1.00·0.50 + 2.00·1.00 = 2.50"
    assert view.locator(".n.query.part").count() == 2 == view.locator(".n.key.part").count()

    # 2 by the button, 3 by the key: −∞ where forbidden, and a click allows
    view.locator("button", has_text="Next").click()
    page.python_becomes("view.step", "2")
    result.nth(1).hover()
    assert readout.inner_text() == "le, cat: 2.50 ÷ 1.41 = 1.77"
    window.keyboard.press("PageDown")
    page.python_becomes("view.step", "3")
    expect(result.nth(1)).to_have_text("−∞")  # when the motion has ended
    result.nth(1).click()
    page.python_becomes("view.allowed[0].astype(int)", "[1 1 0 0]")
    assert result.nth(1).inner_text() == "1.77" and "may look at cat" in readout.inner_text()
    same_in_python(page)
    window.evaluate("document.querySelector('.course-view .numbers').focus({ focusVisible: true })")
    for key in ("Home", "Space", "ArrowRight", "Space"):
        window.keyboard.press(key)
    page.python_becomes("view.allowed[0].any(), view.weights[0].sum(), view.output[0].sum()", "False 0.0 0.0")

    # 4: exponents; an empty row
    view.locator(".strip label").nth(3).click()
    page.python_becomes("view.step", "4")
    result.nth(0).hover()
    assert "may look at nothing" in readout.inner_text()
    result.nth(4).hover()
    assert "exp(0.00) ÷ (exp(0.00) + exp(−0.71) + 0 + 0) = 0.67" in readout.inner_text().replace(
        "exp(0)", "exp(0.00)"
    )
    same_in_python(page)

    # 5, and back by the arrow keys of the strip
    window.keyboard.press("PageDown")
    page.python_becomes("view.step", "5")
    result.nth(3).hover()
    assert readout.inner_text().startswith(f"{STRANGE}, feature 1: 0.67·1.00 + 0.33·0")
    assert view.locator("button", has_text="Next").is_disabled()
    view.locator(".strip input").nth(4).focus()
    for step in "432":
        window.keyboard.press("ArrowLeft")
        page.python_becomes("view.step", step)
    assert height(view) == before

    # switches and temperature
    view.locator(".switch").nth(0).click()
    page.python_becomes("view.scale", "False")
    wait_for_text(page, ".hint", "switched off")
    view.locator(".switch input").nth(1).focus()
    window.keyboard.press("Space")
    page.python_becomes("view.mask, view.weights.all()", "False True")
    same_in_python(page)
    view.locator("input[type=range]").nth(1).focus()
    for _ in range(8):
        window.keyboard.press("ArrowLeft")
    page.python_becomes("view.temperature", "0.631")
    same_in_python(page)

    # from Python
    page.python(
        "view.step, view.scale, view.temperature = 1, True, 1.0; view.allowed = np.ones((3, 4), bool)"
    )
    wait_for_text(page, ".hint", "dot product")
    same_in_python(page)
    window.keyboard.press("Escape")
    assert height(view) == before


FIVE = """
words = "the cat sat down there".split()
q, k, v = (rng.normal(size=(5, n)) for n in (4, 4, 3))
view = PipelineStepper(q, k, v, words, words, allowed=np.tri(5, dtype=bool))
view"""


def test_small_windows_and_touch(lab, open_page):
    """In each window all of every step can be seen; parts stand under one another where it is narrow."""
    page = open_page(lab.write("stepper_small.ipynb", [START, FIVE]))
    page.finger()
    page.run_all()
    window, view = page.window, page.window.locator(".course-view")
    result, readout = view.locator(".n.result"), view.locator(".readout")
    result.first.wait_for()
    sizes, heights = [], []
    window.evaluate("jupyterapp.shell.collapseLeft()")
    for width in (1400, 1000, 700, 400):
        window.set_viewport_size({"width": width, "height": 1000})
        for step in (1, 2, 5):
            page.python(f"view.step = {step}")
            window.wait_for_function(
                "(step) => document.querySelector('.course-view').moment() === step", arg=step
            )
            nothing_is_cut(page)
            heights.append(height(view))
        sizes.append(result.first.bounding_box()["width"])
        left, above = (view.locator(f".n.{kind}").first.bounding_box() for kind in ("weight", "value"))
        if width != 700:  # there it depends on the fonts of the machine
            assert (left["x"] < above["x"]) == (width >= 1000)
        assert heights[-3:] == heights[-1:] * 3
    assert sizes == sorted(sizes, reverse=True) and sizes[0] >= 52 and sizes[-1] >= 20

    window.set_viewport_size({"width": 1000, "height": 1000})
    page.python("view.step = 3")
    window.wait_for_function("document.querySelector('.course-view').moment() === 3")
    result.nth(22).scroll_into_view_if_needed()
    touch(page, middle(result.nth(20)))
    wait_for_text(page, ".readout", "there may look at the")
    touch(page, middle(result.nth(20)))
    wait_for_text(page, ".readout", "there may not look at the")
    touch(
        page, *(middle(result.nth(place)) for place in (20, 21, 22))
    )  # from the cell that was tapped: paints
    page.python_becomes("view.allowed[4].astype(int)", "[1 1 1 1 1]")
    for _ in range(3):  # a tap reads a cell, the next one toggles it; after a drag Chromium may swallow one
        touch(page, middle(result.nth(22)))
        page.window.wait_for_timeout(700)
        if page.python("print(view.allowed[4].astype(int))") == "[1 1 0 1 1]":
            break
    page.python_becomes("view.allowed[4].astype(int)", "[1 1 0 1 1]")
    touch(page, middle(result.nth(22)))
    page.python_becomes("view.allowed[4].astype(int)", "[1 1 1 1 1]")
    touch(page, *(middle(result.nth(place)) for place in (22, 21, 20)))
    page.python_becomes("view.allowed[4].astype(int)", "[0 0 0 1 1]")
    view.locator("button", has_text="Undo").click()
    page.python_becomes("view.allowed[4].astype(int)", "[1 1 1 1 1]")
    assert "there" in readout.inner_text()


@pytest.mark.parametrize("calm", [False, True], ids=["motion", "reduced motion"])
def test_one_picture_that_moves_and_its_state(lab, open_page, calm):
    """The slider goes between the steps; Undo, Reset, and code that makes what is seen."""
    page = open_page(lab.write(f"stepper_moves_{calm}.ipynb", [START, FIVE]))
    page.window.emulate_media(reduced_motion="reduce" if calm else "no-preference")
    page.run_all()
    window, view = page.window, page.window.locator(".course-view")
    scrub, result = view.locator(".scrub input"), view.locator(".n.result")
    result.first.wait_for()
    moment = "document.querySelector('.course-view').moment()"
    window.evaluate(
        "(window.moments = []), (function look() { if (!document.querySelector('.course-view')) return;"
        f" moments.push({moment}); requestAnimationFrame(look); }})()"
    )
    view.locator("button", has_text="Next").click()
    window.wait_for_function(f"{moment} === 2")
    between = [m for m in window.evaluate("moments") if 1 < m < 2]
    assert between == [] if calm else between == sorted(between) and between
    scrub.focus()
    assert scrub.get_attribute("aria-valuetext") == "step 2 of 5: Scale"
    for key in ("ArrowRight",) if calm else ("ArrowRight",) * 14:
        window.keyboard.press(key)
    page.python_becomes("view.step", "3")
    if (
        not calm
    ):  # between two steps: some cells have arrived, others are on their way, none can be pointed at
        assert abs(window.evaluate(moment) - 2.7) < 1e-9
        seen = [float(x) for x in result.evaluate_all("(cells) => cells.map((cell) => cell.style.opacity)")]
        assert set(seen) == {0.0, 1.0}
        assert "−∞" in result.all_inner_texts()
        assert view.locator(".pipeline.moving").count() == 1
        window.keyboard.press("End")
        page.python_becomes("view.step", "5")
        window.keyboard.press("Home")
        page.python_becomes("view.step", "1")
        assert window.evaluate(moment) == 0 and view.locator(".n.result:visible").count() == 0
        view.locator("button", has_text="Next").click()  # the step that has begun is done first
        window.wait_for_function(f"{moment} === 1")

    # temperature stands in the formula when it is not 1
    formula = view.locator(".formula")
    assert " ".join(formula.inner_text().split()) == "softmax( Q Kᵀ ÷ √4 + M ) V"
    before = page.python("print(view.weights.sum(0).round(6))")
    view.locator(".switch input").nth(0).click()
    view.locator("input[type=range]").nth(1).focus()
    window.keyboard.press("ArrowLeft")
    window.keyboard.press("ArrowLeft")
    page.python_becomes("view.temperature, view.scale", "0.891 False")
    assert " ".join(formula.inner_text().split()) == "softmax( ( Q Kᵀ ÷ √4 + M ) ÷ 0.891 ) V"
    page.python("view.step = 3")
    window.wait_for_function(f"{moment} === 3")
    result.nth(1).click()
    page.python_becomes("view.allowed[0].astype(int)", "[1 1 0 0 0]")

    # the copied code, run in a cell, gives what is seen
    window.context.grant_permissions(["clipboard-read", "clipboard-write"])
    view.locator("button", has_text="Copy").click()
    wait_for_text(page, ".state", "Copied")
    page.python(window.evaluate("navigator.clipboard.readText()"))
    same = "abs(weights.numpy() - view.weights).max() < 1e-6, abs(output.numpy() - view.output).max() < 1e-6"
    assert page.python(f"print({same}, queries == words)") == "True True True"

    for expected in ("0.891 False 0", "0.944 False 0", "1.0 False 0"):
        view.locator("button", has_text="Undo").click()
        page.python_becomes("view.temperature, view.scale, view.allowed[0, 1].astype(int)", expected)
    view.locator("button", has_text="Reset").click()
    page.python_becomes("view.scale, view.weights.sum(0).round(6)", f"True {before}")


def test_the_columns_of_the_last_step_are_named(lab, open_page):
    cells = [
        START,
        """view = PipelineStepper(np.eye(2), np.eye(2), [[0, 1], [1, 0]], ["Ada", "Ben"], ["Ada", "Ben"],
                       value_names=["ball", "hat"])
view""",
    ]
    page = open_page(lab.write("stepper_named.ipynb", cells))
    page.run_all()
    view = page.window.locator(".course-view")
    view.locator(".n.result").first.wait_for()
    page.python("view.step = 5")
    page.window.wait_for_function("() => document.querySelector('.course-view').moment() === 5")
    # over the values; the outputs stand in the same columns, under them
    assert view.locator(".name.soft.across:visible").all_inner_texts() == ["ball", "hat"]
    view.locator(".n.result").first.hover()
    assert view.locator(".readout").inner_text().startswith("Ada, ball: ")
