"""MaskLab in a real JupyterLab: its numbers are Python's; its leak tells a right mask from a wrong one."""

import json
import statistics

from test_browser_views import STRANGE, THEMES, contrast_of, height, wait_for_text

START = """
import json
import numpy as np
from course_lib.viz.arithmetic import attend
from course_lib.widgets import MaskLab
"""

# what the browser has computed, as lists
NUMBERS = """() => Object.fromEntries(Object.entries(document.querySelector('.course-view').numbers())
  .map(([name, values]) => [name, [...values]]))"""

# the largest difference between the browser's numbers and those that Python expects, once they have arrived
DIFFERENCE = """async (expected) => {
  const start = performance.now();
  for (;;) {
    const found = document.querySelector('.course-view').numbers();
    const differences = Object.entries(expected).map(([name, values]) => values.length !== found[name].length
      ? Infinity : values.reduce((worst, x, i) => Math.max(worst, Math.abs(x - found[name][i])), 0));
    const worst = Math.max(...differences);
    if (worst < 1e-6 || performance.now() - start > 3000) return worst;
    await new Promise((done) => setTimeout(done, 5));
  }
}"""

# 200 cases: texts, sides, where the mask acts, scores from flat to spiky, masks with empty rows
CASES = """
rng = np.random.default_rng(11)
words = "the a cat sat on mat 你 🙂 </script> red ball runs".split()
def case(i):
    n, m = rng.integers(1, 17, size=2)
    with lab.hold_sync():
        lab.text, lab.other = " ".join(rng.choice(words, n)), " ".join(rng.choice(words, m))
        lab.where = ("before", "before", "after", "none")[i % 4]
        lab.kind = ("self", "cross", "padding")[i % 3]
        for name in ("w_q", "w_k", "w_v"):
            setattr(lab, name, rng.normal(size=(8, 8)) * rng.choice([0.05, 0.4, 1.5]))
        allowed = rng.random(lab.allowed.shape) < rng.random()
        allowed[rng.random(len(allowed)) < 0.2] = False
        lab.allowed = allowed
        lab._compute()
    x = lab.inputs[: len(lab.tokens)]
    y = lab.other_inputs if lab.sides == "cross" else x
    pure = attend(x @ lab.w_q, y @ lab.w_k, y @ lab.w_v, lab.w_k, lab.w_v, lab.allowed, lab.where)
    numbers = {"allowed": lab.allowed.astype(int), **vars(pure)}
    for name in ("weights", "output", "leak"):
        assert np.array_equal(numbers[name], getattr(lab, name)), name
    print(json.dumps({name: values.ravel().tolist() for name, values in numbers.items()}))
"""


def browser_numbers(page) -> dict:
    return page.window.evaluate(NUMBERS)


def chips(view, text: str):
    return view.locator(".chips label", has_text=text)


def test_200_random_masks_and_scores_as_in_python(lab, open_page, show):
    """All numbers of the browser equal Python's; a mask before the softmax leaks exactly nothing."""
    page = open_page(lab.write("masklab_random.ipynb", [START, "lab = MaskLab(seed=3)\nlab"]))
    page.run_all()
    page.window.locator(".course-view .cell").first.wait_for()
    page.python(CASES)
    worst, empty_rows, leaks, masked = 0.0, 0, 0, 0
    for i in range(200):
        expected = json.loads(page.python(f"case({i})"))
        difference = page.window.evaluate(DIFFERENCE, expected)
        assert difference < 1e-6, f"case {i}: {difference}"
        worst = max(worst, difference)
        found = browser_numbers(page)
        forbidden = [x for x, on in zip(found["leak"], found["allowed"], strict=True) if not on]
        if i % 4 < 2:
            assert all(x == 0 for x in forbidden), f"case {i}: leak {max(forbidden)}"
            masked += len(forbidden)
        else:
            leaks += sum(x > 0 for x in forbidden)
        columns = len(found["weights"]) // (len(found["output"]) // 8)
        empty_rows += sum(
            not any(found["allowed"][at : at + columns]) for at in range(0, len(found["allowed"]), columns)
        )
    assert empty_rows > 50 and leaks > 500 and masked > 500
    show(f"MaskLab: 200 masks, {empty_rows} empty rows: largest difference to Python {worst:.1e};")
    show(f"  leak exactly 0 in {masked} forbidden cells, above 0 in {leaks} where the mask was misapplied")


@THEMES
def test_masklab_by_mouse(lab, open_page, show, dark):
    page = open_page(lab.write(f"masklab_{dark}.ipynb", [START, "lab = MaskLab()\nlab"]), dark)
    page.run_all()
    view = page.window.locator(".course-view")
    view.locator(".cell").first.wait_for()
    before = height(view)
    left = view.locator(".lab").nth(0).locator(".cell")
    readout = view.locator(".readout")
    assert left.count() == 36 and page.dark() == dark
    assert contrast_of(page, ".course-view .verdict") > 4.5 and contrast_of(page, ".course-view .hint") > 7
    assert view.locator(".verdict").nth(1).inner_text() == "✓ 0 where forbidden"

    left.nth(6 + 3).hover()
    assert readout.inner_text() == "“cat” may not look at “on”: weight 0, leak 0."
    left.nth(6 + 3).click()
    page.python_becomes("lab.kind, bool(lab.allowed[1, 3]), lab.weights[1, 3] > 0", "hand True True")
    assert readout.inner_text().startswith("“cat” may look at “on”: weight 0.")

    # applied after the softmax: rows no longer sum to 1, and the future leaks
    chips(view, "causal").click()
    chips(view, "after softmax").click()
    page.python_becomes("lab.where", "after")
    assert "✗" in view.locator(".verdict").nth(1).inner_text()
    assert contrast_of(page, ".course-view .verdict.bad") > 4.5
    left.nth(0 + 5).hover()
    assert "may not look at “mat”: weight 0, leak 0.01" in readout.inner_text()
    assert "Something leaks" in readout.inner_text()
    sums = [float(x) for x in view.locator("span.sum.number").all_inner_texts()]
    expected = [float(x) for x in page.python("print(*lab.weights.sum(1).round(2))").split()]
    assert sums == expected and sums[0] < 0.5 and sums[-1] == 1
    assert view.locator('.lab:nth-child(2) [data-mark="leak"]').count() == 15
    chips(view, "not at all").click()
    assert view.locator('.lab:nth-child(1) [data-mark="leak"]').count() == 15
    chips(view, "before softmax").click()
    assert view.locator('[data-mark="leak"]').count() == 0

    # every kind, its tokens and its slider
    for kind, cells, allowed in (
        ("cross", 24, 24), ("padding", 81, 54), ("prefix", 36, 22), ("window", 36, 15), ("self", 36, 36),
    ):  # fmt: skip
        chips(view, kind).click()
        page.python_becomes("lab.kind, lab.allowed.size, lab.allowed.sum()", f"{kind} {cells} {allowed}")
        assert left.count() == cells and height(view) == before
    chips(view, "window").click()
    slider = view.locator("input[type=range]")
    slider.focus()
    page.window.keyboard.press("ArrowLeft")
    page.python_becomes("lab.window, lab.allowed.sum()", "2 11")
    page.window.keyboard.press("Home")
    page.python_becomes("lab.window, lab.allowed.sum()", "1 6")

    # the diagonal of the causal mask: off by one, and the lab says what arrives
    chips(view, "causal").click()
    page.python_becomes("lab.diagonal, lab.allowed.sum()", "0 21")
    verdict = view.locator(".lab").nth(1).locator(".verdict")
    assert verdict.inner_text() == "✓ 0 where forbidden"
    slider.focus()
    page.window.keyboard.press("ArrowRight")
    page.python_becomes("lab.kind, lab.diagonal, lab.allowed.sum()", "causal 1 26")
    assert verdict.inner_text() == "✗ the future arrives"
    assert height(view) == before
    page.window.keyboard.press("Home")
    page.python_becomes("lab.kind, lab.diagonal, lab.weights[0].sum()", "causal -2 0.0")
    assert verdict.inner_text() == "✓ 0 where forbidden" and height(view) == before
    page.window.keyboard.press("ArrowRight")
    page.window.keyboard.press("ArrowRight")

    # a token masks its whole row, and a drag paints
    chips(view, "self").first.click()
    view.locator(".lab").nth(0).locator(".of-row").nth(2).click()
    page.python_becomes("lab.kind, lab.weights[2].sum(), lab.leak[2].sum()", "hand 0.0 0.0")
    left.nth(13).hover()
    assert "Nothing is allowed in this row" in readout.inner_text()
    left.nth(30).hover()
    page.window.mouse.down()
    left.nth(31).hover()
    left.nth(32).hover()
    page.window.mouse.up()
    page.python_becomes("lab.allowed[5].astype(int)", "[0 0 0 1 1 1]")
    assert height(view) == before


def test_masklab_by_keyboard_and_text(lab, open_page, show):
    page = open_page(lab.write("masklab_keys.ipynb", [START, "lab = MaskLab('a b c')\nlab"]))
    page.run_all()
    view, window = page.window.locator(".course-view"), page.window
    view.locator(".cell").first.wait_for()
    before, readout = height(view), view.locator(".readout")
    window.evaluate("document.querySelector('.course-view .grid').focus({ focusVisible: true })")
    for key, mask in (
        ("ArrowDown", "100 110 111"),
        ("ArrowRight", "100 110 111"),
        ("Space", "100 100 111"),
        ("End", "100 100 111"),
        ("Space", "100 101 111"),
        ("Home", "100 101 111"),
        ("r", "100 000 111"),
        ("r", "100 111 111"),
        ("c", "000 011 011"),
        ("Control+Home", "000 011 011"),
        ("Enter", "000 011 011"),
        ("Escape", "000 011 011"),
    ):
        window.keyboard.press(key)
        page.python_becomes("*(''.join('01'[x] for x in row) for row in lab.allowed.astype(int))", mask)
    assert readout.inner_text().startswith("Point at a cell")
    assert page.python("print(lab.kind)") == "hand"

    # words typed by the learner; whatever they are, they stay words
    box = view.locator("input[type=text]").first
    box.fill(f"{STRANGE} 我喜欢 🙂 the the")
    wait_for_text(page, ".of-column", "script")
    page.python_becomes("len(lab.tokens), lab.tokens[0], lab.tokens[-1]", f"7 {STRANGE} the")
    tokens = view.locator(".lab").nth(0).locator(".of-column:not(.sum)").all_inner_texts()
    assert tokens == [STRANGE, "我", "喜", "欢", "🙂", "the", "the"]
    assert height(view) == before
    box.fill("one")
    page.python_becomes("lab.tokens", "['one']")
    window.wait_for_function("document.querySelectorAll('.course-view .lab:first-child .cell').length === 1")
    box.fill("x " * 20)
    wait_for_text(page, ".note", "the text has 20 tokens; the first 16 are shown")
    chips(view, "padding").click()
    wait_for_text(page, ".note", "the text has 20 tokens")
    box.fill("   ")
    wait_for_text(page, ".note", "Type a word")
    assert view.locator(".lab").nth(0).locator(".cell").count() == 256 and height(view) == before
    box.fill("my cat")
    page.python_becomes("lab.tokens", "['my', 'cat', '[PAD]', '[PAD]', '[PAD]']")

    # from Python
    box.blur()
    page.python("lab.kind = 'causal'; lab.text = 'p q r'; lab.allowed = np.eye(3, dtype=bool)")
    page.python_becomes("lab.kind", "hand")
    window.wait_for_function(
        "[...document.querySelector('.course-view').numbers().weights].join() === '1,0,0,0,1,0,0,0,1'"
    )
    assert box.input_value() == "p q r" and readout.inner_text()

    times = window.evaluate("""async () => {
      const times = [], input = document.querySelector('.course-view input[type=text]');
      for (const text of ['one two', 'three four five', 'six', 'seven eight', 'nine ten eleven']) {
        const start = performance.now(), n = text.split(' ').length;
        input.value = text;
        input.dispatchEvent(new InputEvent('input'));
        while (document.querySelectorAll('.course-view .lab:first-child .cell').length !== n * n) {
          if (performance.now() - start > 5000) break;
          await new Promise(requestAnimationFrame);
        }
        times.push(performance.now() - start);
      }
      return times;
    }""")
    show(f"MaskLab: typed text → Python → painted {statistics.median(times):.0f} ms (of these 20 ms waiting)")


def test_masklab_needs_no_kernel_for_masks(lab, open_page):
    """Masks, kinds and leak are computed in the browser: while the kernel is busy, the lab goes on."""
    page = open_page(lab.write("masklab_alone.ipynb", [START, "lab = MaskLab()\nlab"]))
    page.run_all()
    view = page.window.locator(".course-view")
    view.locator(".cell").first.wait_for()
    page.window.evaluate(
        "void jupyterapp.shell.currentWidget.sessionContext.session.kernel.requestExecute("
        "{ code: 'import time; time.sleep(6)' })"
    )
    chips(view, "cross").click()
    assert view.locator(".lab").nth(0).locator(".cell").count() == 24
    chips(view, "after").click()
    chips(view, "causal").click()
    view.locator(".lab").nth(0).locator(".cell").nth(35).click()
    numbers = browser_numbers(page)
    assert numbers["allowed"][35] == 0 and numbers["leak"][35] > 0
    view.locator("input[type=text]").first.fill("busy now")
    wait_for_text(page, ".corner-line", "Python is busy")
    page.python_becomes("lab.tokens, lab.allowed.shape", "['busy', 'now'] (2, 2)", seconds=15)
