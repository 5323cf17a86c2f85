"""PreferenceMargins in a real JupyterLab: it grows beside a training, is interrupted, fits every window."""

import itertools

from test_browser_accessible import nothing_in_light_and_dark
from test_browser_attention import nothing_is_cut
from test_browser_views import contrast_of, height, wait_for_text

START = """
import math, time
from course_lib.training.post_training import DPOStep
from course_lib.widgets import PreferenceMargins
asked = []
def some():
    asked.append(1)
    n = len(asked)
    return [("where is the red ball ? in the park", n / 2), ("who ?", -n / 4), ("is it ?", 0)]
watch = PreferenceMargins(60, 0.1, pairs=some)
def train(seconds=0.04):
    try:
        for step in range(1, 61):
            time.sleep(seconds)
            chosen, rejected = -step / 40, -step / 12
            margin = chosen - rejected - (step == 1) * (chosen - rejected)
            watch(step, DPOStep(math.log1p(math.exp(-margin)), margin, chosen, rejected, 1.0))
    except KeyboardInterrupt:
        pass
"""
STATUS = "(document.querySelector('.course-view .readout')?.innerText ?? '')"
DOTS = "() => [...document.querySelectorAll('.pair .now')].map((dot) => dot.getBoundingClientRect().x)"
NAMES = """() => [...document.querySelectorAll('.name-of')].map((name) => {
  const { x, y, right, bottom } = name.getBoundingClientRect();
  const panel = name.closest('svg').getBoundingClientRect();
  return [x, y, right - panel.right, bottom - panel.bottom];
})"""


def test_margins_grow_and_stay(lab, open_page):
    page = open_page(lab.write("margins.ipynb", [START, "train()"]))
    window, view = page.window, page.window.locator(".course-view")
    window.evaluate("void jupyterapp.commands.execute('notebook:run-all-cells')")
    view.wait_for()
    window.wait_for_function(f"/step \\d+ of 60/.test({STATUS})")
    window.wait_for_function("document.querySelectorAll('.pair .now').length === 3")
    before, at_first = height(view), window.evaluate(DOTS)
    window.wait_for_function(f"{STATUS}.includes('done: 60 steps')")
    page.idle()
    window.wait_for_timeout(400)
    assert view.count() == 1 and height(view) == before
    dots = window.evaluate(DOTS)
    zero = view.locator(".pair .middle").first.bounding_box()["x"] - 6
    assert dots[0] > at_first[0] and dots[0] > zero > dots[1] and abs(dots[2] - zero) < 2
    numbers = view.locator(".pair .number").all_inner_texts()
    assert numbers == [f"+{int(page.python('print(len(asked))')) / 2:.2f}", numbers[1], "+0.00"]
    assert "mean margin +3.50" in view.locator(".readout").inner_text()
    charts = view.locator("svg")
    assert "chosen −1.50, rejected −5.00, margin +3.50" in charts.nth(0).get_attribute("aria-label")
    assert "loss from 0.693 to 0.0" in charts.nth(1).get_attribute("aria-label")
    line, first = view.locator("line.baseline").bounding_box(), view.locator("circle.dot").bounding_box()
    assert abs(line["y"] - first["y"] - first["height"] / 2) < 1.5, "the first loss lies on ln 2"
    for place in (".readout", ".label-of", ".pair .number"):
        assert contrast_of(page, f".course-view {place}") > 4.5, place
    [output] = page.cells()[-1]["outputs"]
    assert "margin goes from 0 to 3.5" in "".join(output["data"]["text/html"]).partition(" src=")[0]

    # interrupted: the view says so, and the saved picture too
    window.evaluate("void jupyterapp.commands.execute('notebook:run-all-cells')")
    window.wait_for_function(f"/step [1-3]\\d of 60/.test({STATUS})")
    window.evaluate("jupyterapp.shell.currentWidget.sessionContext.session.kernel.interrupt()")
    window.wait_for_function(f"{STATUS}.includes('stopped at step')")
    page.python_becomes("watch.state", "stopped")
    page.idle()
    [output] = page.cells()[-1]["outputs"]
    assert "stopped at step" in "".join(output["data"]["text/html"]).partition(" src=")[0]


def test_margins_in_every_window(lab, open_page):
    page = open_page(lab.write("margins_small.ipynb", [START, "train(0)"]), dark=True)
    page.run_all()
    window, view = page.window, page.window.locator(".course-view")
    wait_for_text(page, ".readout", "done: 60 steps")
    window.evaluate("jupyterapp.shell.collapseLeft()")
    for width, across in ((1400, 2), (1000, 2), (700, 1), (400, 1)):
        window.set_viewport_size({"width": width, "height": 1000})
        window.wait_for_timeout(300)
        nothing_is_cut(page)
        tops = {round(svg.bounding_box()["y"]) for svg in view.locator("svg").all()}
        assert len(tops) == (1 if across == 2 else 2), width
        names = window.evaluate(NAMES)
        assert all(right <= 1 and bottom <= 1 for _, _, right, bottom in names), width
        heights = sorted(y for _, y, _, _ in names)
        assert all(b - a >= 13 for a, b in itertools.pairwise(heights)), width
        outside = view.bounding_box()
        for part in view.locator(".pair, .panel").all():
            box = part.bounding_box()
            assert box["x"] + box["width"] <= outside["x"] + outside["width"] + 1, width
    window.set_viewport_size({"width": 1000, "height": 1000})
    nothing_in_light_and_dark(page)
