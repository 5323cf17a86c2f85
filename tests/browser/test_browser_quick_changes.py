"""Fifty quick changes by key and by mouse, with an idle kernel and beside a busy one: none is ever lost.

And Python's answer to one is here at once.

Every press or click turns one cell: the cells that are closed at the end are exactly those that were turned
an odd number of times, so no loss can hide.
"""

import json

import numpy as np
import pytest

N = 50
SIZE = 6
WORDS = "the cat sat on the mat"
VIEWS = {
    "attention": "AttentionView(np.eye(SIZE) / 2 + 1 / 12, WORDS.split(), WORDS.split(), editable=True)",
    "lab": 'MaskLab(WORDS, kind="self")',
    "stepper": "PipelineStepper(*np.ones((3, SIZE, SIZE)), WORDS.split(), WORDS.split())",
}
CELLS = {"attention": ".cell", "lab": ".lab:first-child .cell", "stepper": ".n.result"}
SEEN = """() => {
  const found = document.querySelector('.course-view').numbers();
  return [...found.allowed].map(Number);
}"""
# A kernel that computes in short cells, one after another: it hears of changes late, and of several at once.
BUSY = """() => {
  window.busy = true;
  const kernel = jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  const again = () => {
    if (!window.busy) return;
    kernel.requestExecute({ code: 'import time; time.sleep(0.15)' }).done.then(again);
  };
  again();
}"""


@pytest.fixture
def open_view(lab, open_page):
    def open_view(name: str):
        start = "import numpy as np\nfrom course_lib.widgets import AttentionView, MaskLab, PipelineStepper\n"
        start += f"SIZE, WORDS = {SIZE}, {WORDS!r}\nview = {VIEWS[name]}\n"
        start += "view.step = 3\nview" if name == "stepper" else "view"
        page = open_page(lab.write(f"quick_{name}.ipynb", [start]))
        page.run_all()
        page.window.locator(f".course-view {CELLS[name]}").nth(SIZE * SIZE - 1).wait_for()
        return page

    return open_view


def both_agree(page, expected: list[int]) -> None:
    """Browser and Python both hold `expected`, Python within the time that it needs to catch up."""
    page.window.evaluate("window.busy = false")
    page.python_becomes("view.allowed.astype(int).ravel().tolist()", str(expected), seconds=10)
    page.idle()
    assert page.window.evaluate(SEEN) == expected
    weights = json.loads(page.python("print(view.weights.ravel().tolist())"))
    shown = page.window.evaluate("() => { const w = document.querySelector('.course-view').numbers().weights;"
                                 " return [...(w.data ?? w)]; }")  # fmt: skip
    np.testing.assert_allclose(shown, weights, atol=1e-9)


def by_key(page, name: str, allowed: np.ndarray) -> None:
    """As fast as keys come: the space bar turns a cell, arrows move on, row by row."""
    keyboard, row, column = page.window.keyboard, 0, 0
    page.window.evaluate("document.querySelector('.course-view [role=grid]').focus({ focusVisible: true })")
    keyboard.press("Home")
    for _ in range(SIZE):
        keyboard.press("ArrowUp")
    for _ in range(N):
        keyboard.press("Space")
        allowed[row, column] ^= 1
        if column < SIZE - 1:
            keyboard.press("ArrowRight")
            column += 1
        else:
            keyboard.press("Home")
            keyboard.press("ArrowDown")
            row, column = min(row + 1, SIZE - 1), 0


def by_mouse(page, name: str, allowed: np.ndarray) -> None:
    """Real clicks on cells all over the grid, one a few milliseconds after another."""
    boxes = [cell.bounding_box() for cell in page.window.query_selector_all(f".course-view {CELLS[name]}")]
    for click in range(N):
        place = (click * 7) % (SIZE * SIZE)
        box = boxes[place]
        page.window.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        allowed.flat[place] ^= 1


@pytest.mark.parametrize("name", VIEWS)
def test_no_quick_change_is_lost(open_view, name):
    page, allowed = open_view(name), np.ones((SIZE, SIZE), int)
    for change in (by_key, by_mouse):
        for kernel in ("idle", "busy"):
            if kernel == "busy":
                page.window.evaluate(BUSY)
            change(page, name, allowed)
            both_agree(page, allowed.ravel().tolist())


ANSWERS = """async (n) => {
  const kernel = jupyterapp.shell.currentWidget.sessionContext.session.kernel, times = [];
  for (let i = 0; i < n; i++) {
    const start = performance.now();
    await kernel.requestExecute({ code: '1' }).done;
    times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b);
}"""
DELAY = 40  # ms after which a browser with nothing to send acknowledges a message; some systems wait longer


def test_an_answer_waits_for_no_acknowledgement(lab, open_page, show):
    """Of thirty on an idle kernel, also on a slow or busy machine, one takes less than that wait alone."""
    page = open_page(lab.write("answers.ipynb", ["1"]))
    page.run_all()
    times = page.window.evaluate(ANSWERS, 30)
    show(f"asked → Python → answered: fastest {times[0]:.0f} ms, p50 {times[15]:.0f} ms")
    assert times[0] < DELAY
