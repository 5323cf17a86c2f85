"""ScheduleExplorer in a real JupyterLab: its numbers, its curve by mouse, key and finger, every window."""

import json

from test_browser_accessible import nothing_in_light_and_dark
from test_browser_attention import nothing_is_cut, touch
from test_browser_views import contrast_of, height, wait_for_text

from course_lib.training.optim import PaperSchedule, WarmupThenCosine

CELL = "from course_lib.widgets import ScheduleExplorer\nview = ScheduleExplorer()\nview"
# is every part inside the view, and do the facts stand beside the picture?
BOXES = """() => {
  const box = (name) => document.querySelector(name).getBoundingClientRect();
  const view = box('.course-view'), parts = [box('.chart'), box('.facts')];
  const inside = parts.every((part) => part.left >= view.left && part.right <= view.right + 1);
  return { inside, beside: parts[1].top < parts[0].top };
}"""
FACT = "() => [...document.querySelectorAll('.facts td')].map((cell) => cell.innerText)"


def facts(page) -> str:
    return " | ".join(page.window.evaluate(FACT))


def same_as_the_training_loop(page, d_model: int, warmup: int, steps: int) -> None:
    paper, cosine = PaperSchedule(warmup, steps), WarmupThenCosine((warmup - 1) / (steps - 1))
    peak, looked = paper.peak(d_model), [1, 2, warmup, warmup + 1, steps // 2, steps]
    seen = page.window.evaluate(
        f"{looked}.map((step) => document.querySelector('.course-view').numbers(step))"
    )
    for step, numbers in zip(looked, seen, strict=True):
        progress = (step - 1) / (steps - 1)
        for rate, factor in zip(numbers, (paper(progress), cosine(progress)), strict=True):
            assert abs(rate - peak * factor) <= 1e-9 * peak, step


def test_sliders_keys_and_state(lab, open_page):
    page = open_page(lab.write("schedule.ipynb", [CELL]), dark=True)
    page.run_all()
    window, view = page.window, page.window.locator(".course-view")
    view.locator(".facts td").nth(5).wait_for()
    before = height(view)
    assert (
        contrast_of(page, ".course-view .readout") > 7 and contrast_of(page, ".course-view .facts code") > 4.5
    )
    said = facts(page)
    for words in ("7.0e-4 at step 4,000", "d_model^−0.5 · warmup^−0.5", "init_rate · warmup^0.5 · min(",
                  "4,000 steps = 100 million tokens", "4.0 % of the run", "cosine 0"):  # fmt: skip
        assert words in said, words
    assert " 0.00" not in said
    same_as_the_training_loop(page, 512, 4000, 100_000)

    # sliders: d_model doubles, the warm-up doubles (three places), and the peak answers
    ranges = view.locator("input[type=range]")
    ranges.nth(0).focus()
    window.keyboard.press("ArrowRight")
    wait_for_text(page, ".facts", "4.9e-4 at step 4,000")
    ranges.nth(1).focus()
    for _ in range(3):
        window.keyboard.press("ArrowRight")
    page.python_becomes("view.d_model, view.warmup, f'{view.peak:.1e}'", "1024 8000 3.5e-04")
    assert "8,000 steps = 200 million tokens" in facts(page)
    same_as_the_training_loop(page, 1024, 8000, 100_000)
    view.locator(".chips label", has_text="log-steps").click()
    page.python_becomes("view.log", "True")

    # the curve by keys: from end to end, and by a hundredth of the axis
    chart = view.locator(".chart")
    chart.focus()
    window.keyboard.press("End")
    page.python_becomes("view.step", "100000")
    assert "With the cosine: 0." in view.locator(".readout").inner_text()
    window.keyboard.press("ArrowLeft")
    page.python_becomes("view.step", "89125")
    window.keyboard.press("Home")
    for _ in range(2):
        window.keyboard.press("ArrowRight")
    page.python_becomes("view.step", "3")
    assert "step · warmup^−1.5 is the smaller part: it rises" in chart.get_attribute("aria-valuetext")
    assert height(view) == before

    # a warm-up longer than the run; undo, reset, and code that says the same
    page.python("view.steps, view.log = 5000, False")
    wait_for_text(page, ".facts", "is not reached")
    view.locator("button", has_text="Reset").click()
    page.python_becomes("view.d_model, view.warmup, view.steps, view.log", "512 4000 100000 False")
    view.locator("button", has_text="Undo").click()
    page.python_becomes("view.warmup, view.steps", "8000 5000")
    view.locator("button", has_text="Reset").click()
    window.context.grant_permissions(["clipboard-read", "clipboard-write"])
    view.locator("button", has_text="Copy").click()
    wait_for_text(page, ".state", "Copied")
    code = window.evaluate("navigator.clipboard.readText()")
    lines = page.python(code).splitlines()
    assert lines[1] == "step 4,000: 7.0e-04 with the cosine 7.0e-04" and lines[2].startswith(
        "step 100,000: 1.4e-04"
    )


def test_every_window_by_mouse_and_finger(lab, open_page):
    page = open_page(lab.write("schedule_small.ipynb", [CELL]))
    page.finger()
    page.run_all()
    window, view = page.window, page.window.locator(".course-view")
    chart = view.locator(".chart")
    chart.wait_for()
    window.evaluate("jupyterapp.shell.collapseLeft()")
    for width in (1400, 1000, 700, 400):
        window.set_viewport_size({"width": width, "height": 1000})
        nothing_is_cut(page)
        # JupyterLab lays a page out again some time after the window has changed
        window.wait_for_function(f"({BOXES})().beside === {json.dumps(width == 1400)}")
        assert window.evaluate(BOXES)["inside"], width
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    halfway = box["x"] + 52 + (box["width"] - 72) / 2, box["y"] + 100
    touch(page, halfway)
    page.python_becomes("49_500 < view.step < 50_500", "True")
    window.mouse.move(box["x"] + box["width"] - 20, box["y"] + 100)
    wait_for_text(page, ".readout", "At step 100,000 of 100,000")
    window.mouse.move(5, 5)
    window.wait_for_function(
        "() => !document.querySelector('.readout').innerText.includes('step 100,000 of')"
    )
    window.set_viewport_size({"width": 1000, "height": 1000})
    nothing_in_light_and_dark(page)
    assert json.loads(page.python("import json; print(json.dumps(view.start))"))["warmup"] == 4000
