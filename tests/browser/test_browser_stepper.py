"""PipelineStepper in a real JupyterLab: five steps, their numbers, switches, the arithmetic in words."""

import json

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
    assert result.nth(1).inner_text() == "−∞"
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
    view.locator("input[type=range]").focus()
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
