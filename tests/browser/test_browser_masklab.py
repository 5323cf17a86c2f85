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

NOTHING_LEAKS = "✓ Nothing leaks: exactly 0 arrives where the mask forbids."

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


def window_of(page, width: int, height: int = 800, sidebar: bool = False) -> None:
    """Another size of the window, with or without JupyterLab's file browser at its left."""
    page.window.set_viewport_size({"width": width, "height": height})
    side = "() => jupyterapp.shell.SIDE()".replace("SIDE", "expandLeft" if sidebar else "collapseLeft")
    page.window.evaluate(side)
    page.window.wait_for_timeout(400)  # JupyterLab lays its panels out anew


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
    assert view.locator(".verdict").inner_text() == NOTHING_LEAKS

    left.nth(6 + 3).hover()
    assert readout.inner_text() == "“cat” may not look at “on”: weight 0, leak 0."
    left.nth(6 + 3).click()
    page.python_becomes("lab.kind, bool(lab.allowed[1, 3]), lab.weights[1, 3] > 0", "hand True True")
    assert readout.inner_text().startswith("“cat” may look at “on”: weight 0.")

    # applied after the softmax: rows no longer sum to 1, and the future leaks
    chips(view, "causal").click()
    chips(view, "after softmax").click()
    page.python_becomes("lab.where", "after")
    assert "✗ It leaks: up to " in view.locator(".verdict").inner_text()
    assert contrast_of(page, ".course-view .verdict.bad") > 4.5
    left.nth(0 + 5).hover()
    assert "may not look at “mat”: weight 0, leak 0.01" in readout.inner_text()
    assert "Something leaks" in readout.inner_text()
    sums = [float(x) for x in view.locator("span.sum.number").all_inner_texts()]
    expected = [float(x) for x in page.python("print(*lab.weights.sum(1).round(2))").split()]
    assert sums == expected and sums[0] < 0.5 and sums[-1] == 1
    assert view.locator('.lab.leak [data-mark="leak"]').count() == 15
    chips(view, "not at all").click()
    assert view.locator('.lab.weights [data-mark="leak"]').count() == 15
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
    verdict = view.locator(".verdict")
    assert verdict.inner_text() == NOTHING_LEAKS
    slider.focus()
    page.window.keyboard.press("ArrowRight")
    page.python_becomes("lab.kind, lab.diagonal, lab.allowed.sum()", "causal 1 26")
    assert verdict.inner_text().startswith("✗ The future arrives")
    assert height(view) == before
    page.window.keyboard.press("Home")
    page.python_becomes("lab.kind, lab.diagonal, lab.weights[0].sum()", "causal -2 0.0")
    assert verdict.inner_text() == NOTHING_LEAKS and height(view) == before
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


# what stands outside of the part of the page that a reader sees without scrolling sideways
CUT_OFF = """() => {
  const view = document.querySelector('.course-view');
  const seen = view.closest('.jp-WindowedPanel-outer, .jp-Notebook').getBoundingClientRect();
  const right = Math.min(seen.right, innerWidth);
  const parts = '.cell, .verdict, .readout, button, input, label, .sum';
  return [...view.querySelectorAll(parts)].filter((node) => {
    const box = node.getBoundingClientRect();
    return box.width && (box.right > right + 1 || box.left < 0);
  }).map((node) => `${node.className || node.tagName} ${node.textContent}`);
}"""
SIZES = [(1400, False), (1400, True), (1000, False), (1000, True), (700, False), (400, False)]


@THEMES
def test_masklab_in_windows_of_every_size(lab, open_page, show, dark):
    """Nothing is cut off, what answers is seen beside the cell that was clicked, and cells use the room."""
    cells = [START, "lab = MaskLab('where is the red ball', where='after')\nlab"]
    page = open_page(lab.write(f"masklab_sizes_{dark}.ipynb", cells), dark)
    page.run_all()
    view = page.window.locator(".course-view")
    sides = []
    for width, sidebar in SIZES:
        window_of(page, width, sidebar=sidebar)
        cell = view.locator(".lab.weights .cell").nth(1)
        cell.scroll_into_view_if_needed()
        page.window.evaluate(
            "document.querySelector('.course-view .verdict').scrollIntoView({ block: 'start' })"
        )
        cell.hover()
        assert page.window.evaluate(CUT_OFF) == [], (width, sidebar)
        for answer in (".verdict", ".readout"):
            box = view.locator(answer).bounding_box()
            assert box["y"] >= 0 and box["y"] + box["height"] <= 800, (width, sidebar, answer)
        one, two = (view.locator(f".lab.{name} .grid").bounding_box() for name in ("weights", "leak"))
        beside = one["x"] + one["width"] <= two["x"]
        under = one["y"] + one["height"] <= two["y"]
        assert beside != under and (under or view.bounding_box()["width"] > 700), (width, sidebar)
        before = height(view)
        for kind in ("hand", "window", "padding", "cross", "causal"):
            chips(view, kind).click()
            assert page.window.evaluate(CUT_OFF) == [], (width, sidebar, kind)
            assert height(view) == before or kind == "cross", (
                width,
                sidebar,
                kind,
            )  # it has a second text box
        sides.append(round(cell.bounding_box()["width"]))
    assert sides[0] >= 50 and min(sides) >= 24
    show(f"MaskLab: cells of {sides} px in windows of {[width for width, _ in SIZES]} px")


def test_masklab_goes_back_and_keeps_a_mask_by_hand(lab, open_page):
    page = open_page(lab.write("masklab_undo.ipynb", [START, "lab = MaskLab('a b c')\nlab"]))
    page.run_all()
    view, window = page.window.locator(".course-view"), page.window
    cell, hint = view.locator(".lab.weights .cell"), view.locator(".hint")
    undo, reset = (view.locator("button", has_text=text) for text in ("Undo", "Reset"))
    mask = "lab.kind, *(''.join('01'[x] for x in row) for row in lab.allowed.astype(int))"
    assert undo.get_attribute("aria-disabled") == "true" == reset.get_attribute("aria-disabled")

    # one click and one drag are two steps
    cell.nth(1).click()
    page.python_becomes(mask, "hand 110 110 111")
    cell.nth(6).hover()
    window.mouse.down()
    for place in (7, 8):
        cell.nth(place).hover()
    window.mouse.up()
    page.python_becomes(mask, "hand 110 110 000")

    # a look at causal, and back to what was drawn
    chips(view, "causal").click()
    page.python_becomes(mask, "causal 100 110 111")
    assert "“hand” brings your own mask back." in hint.inner_text()
    chips(view, "hand").click()
    page.python_becomes(mask, "hand 110 110 000")
    page.python("lab.kind = 'window'")
    page.python("lab.kind = 'hand'")
    page.python_becomes(mask, "hand 110 110 000")

    window.keyboard.press("Control+z")  # the choice of "hand"
    page.python_becomes(mask, "causal 100 110 111")
    undo.click()
    page.python_becomes(mask, "hand 110 110 000")
    undo.click()
    page.python_becomes(mask, "hand 110 110 111")
    undo.click()
    page.python_becomes(mask, "causal 100 110 111")
    assert undo.get_attribute("aria-disabled") == "true"
    undo.click(force=True)  # nothing is left to take back
    assert page.python(f"print({mask})") == "causal 100 110 111"

    # one slider, one step; Reset is a step of its own
    view.locator("input[type=range]").focus()
    for _ in range(2):
        window.keyboard.press("ArrowRight")
    chips(view, "after softmax").click()
    page.python_becomes("lab.diagonal, lab.where", "2 after")
    reset.click()
    page.python_becomes("lab.diagonal, lab.where, lab.kind", "0 before causal")
    assert reset.get_attribute("aria-disabled") == "true"
    undo.click()
    page.python_becomes("lab.diagonal, lab.where", "2 after")
    page.python("lab.text = 'a b c d'")
    window.wait_for_function("document.querySelectorAll('.course-view .lab.weights .cell').length === 16")
    assert undo.get_attribute("aria-disabled") == "true"  # its steps belong to another text


def test_a_mask_copied_as_python_is_the_same_mask(lab, open_page):
    """The code of every kind, run in a cell of the page, gives the same `allowed`."""
    strange = "lab = MaskLab('the \\u202ecat </script> \\'\\'\\' sat', other='le chat')\nlab"
    page = open_page(lab.write("masklab_copy.ipynb", [START, strange]))
    page.run_all()
    page.window.context.grant_permissions(["clipboard-read", "clipboard-write"])
    view = page.window.locator(".course-view")
    copy = view.locator("button", has_text="Copy as Python").element_handle()
    for kind in ("self", "cross", "causal", "too far", "padding", "prefix", "window", "hand"):
        chips(view, "causal" if kind == "too far" else kind).first.click()
        if kind == "too far":
            view.locator("input[type=range]").focus()
            page.window.keyboard.press("ArrowRight")
        if kind == "hand":
            view.locator(".lab.weights .cell").nth(3).click()
            view.locator(".lab.weights .cell").nth(11).click()
        page.python_becomes("lab.kind", "causal" if kind == "too far" else kind)
        page.window.evaluate("navigator.clipboard.writeText('')")
        copy.click()
        view.locator("button", has_text="Copied ✓").wait_for()
        page.window.wait_for_function("async () => await navigator.clipboard.readText()")
        code = page.window.evaluate("navigator.clipboard.readText()")
        said = page.python(f"{code}\nprint(allowed.dtype, allowed.tolist() == lab.allowed.tolist())")
        assert said == "torch.bool True", (kind, code, said)
    view.locator("button", has_text="Copy as Python").wait_for(timeout=5000)  # the button says its name again


def test_masklab_by_finger(lab, open_page):
    """A tap reads, a second one turns the cell, a drag from there paints; no other drag does."""
    page = open_page(lab.write("masklab_touch.ipynb", [START, "lab = MaskLab('a b c d', kind='self')\nlab"]))
    page.run_all()
    view = page.window.locator(".course-view")
    finger = page.finger()
    cell = view.locator(".lab.weights .cell")

    def point(place: int) -> dict:
        box = cell.nth(place).bounding_box()
        return {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}

    def touch(*places: int) -> None:
        finger.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [point(places[0])]})
        for place in places[1:]:
            finger.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [point(place)]})
        finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    rows = "*(''.join('01'[x] for x in row) for row in lab.allowed.astype(int))"
    touch(1)
    wait_for_text(page, ".readout", "“a” may look at “b”")
    assert page.python(f"print({rows})") == "1111 1111 1111 1111"
    touch(1)
    page.python_becomes(rows, "1011 1111 1111 1111")
    touch(8, 9, 10)  # a finger that only moves the page
    touch(6)
    wait_for_text(page, ".readout", "“b” may look at “c”")
    assert page.python(f"print({rows})") == "1011 1111 1111 1111"
    touch(6, 10, 14)
    page.python_becomes(rows, "1011 1101 1101 1101")
    view.locator("button", has_text="Undo").click()
    page.python_becomes(rows, "1011 1111 1111 1111")


PATH = r"""() => [...document.querySelectorAll('.course-view .path li')].map((step) =>
  ['.soft', '.number'].map((part) => step.querySelector(part).textContent.replace(/[\u2068\u2069]/g, '')))"""


def test_before_and_after_and_the_cause_of_a_leak(lab, open_page):
    """Each step leaves the old weights as outlines, with Δ a row; a cell that leaks shows its way."""
    page = open_page(lab.write("masklab_path.ipynb", [START, "lab = MaskLab('a b c d', where='after')\nlab"]))
    page.run_all()
    view, window = page.window.locator(".course-view"), page.window
    view.locator(".cell").first.wait_for()
    moved = view.locator("span.sum.moved:not(.token)")
    assert moved.all_inner_texts() == [""] * 4

    # the way of a leak: score, exponential, sum, what another weight loses, and the leak itself
    page.python(
        "x = lab.inputs[:4]; s = x @ lab.w_q @ (x @ lab.w_k).T / 8**0.5; e = np.exp(s)\n"
        "def near(text, number): return abs(float(text) - number) < 0.0051"
    )
    view.locator(".lab.leak .cell").nth(3).hover()
    steps = dict(window.evaluate(PATH))
    assert list(steps)[:3] == ["score", "e^score stays in the sum", "sum with it · without it"]
    score, power, sums, weight, leak = (number.replace("−", "-") for number in steps.values())
    whole, rest = sums.split(" · ")
    should = list(steps)[3].removeprefix("weight of “a”, should be ")
    said = page.python(
        f"print(near('{score}', s[0, 3]), near('{power}', e[0, 3]), near('{whole}', e[0].sum()),"
        f" near('{rest}', e[0].sum() - e[0, 3]), near('{weight}', lab.weights[0, 0]),"
        f" near('{should}', e[0, 0] / (e[0].sum() - e[0, 3])), near('{leak}', lab.leak[0, 3]))"
    )
    assert said == "True " * 6 + "True"
    window.evaluate("document.querySelector('.course-view .grid').focus({ focusVisible: true })")
    for key in ("Home", "ArrowRight"):
        window.keyboard.press(key)
    assert [caption for caption, _ in window.evaluate(PATH)][-1] == "leaks"  # by keyboard, too
    chips(view, "before softmax").click()
    assert ["mask: score becomes", "−∞"] in window.evaluate(PATH)
    page.python_becomes("lab.where", "before")

    # Δ: what each row lost or gained, and outlines where weights changed
    page.python("before = lab.weights.copy()")
    plain = window.evaluate("document.querySelector('.course-view canvas').toDataURL()")
    chips(view, "window").click()
    page.python_becomes("lab.kind", "window")
    change = "np.maximum((lab.weights - before).clip(0).sum(1), (before - lab.weights).clip(0).sum(1))"
    expected = [float(x) for x in page.python(f"print(*{change})").split()]
    assert expected[3] > 0.005 and expected[:3] == [0, 0, 0]
    assert [
        abs(float(text or 0) - x) < 0.0051 for text, x in zip(moved.all_inner_texts(), expected, strict=True)
    ] == [True] * 4
    outlined = window.evaluate("document.querySelector('.course-view canvas').toDataURL()")
    page.python("lab.kind = 'causal'")  # from Python: another start, nothing to compare with
    window.wait_for_function(
        "[...document.querySelectorAll('.course-view span.moved:not(.token)')].every((x) => !x.textContent)"
    )
    page.python("lab.kind = 'window'")
    page.python_becomes("lab.kind", "window")
    window.wait_for_function(
        "(outlined) => document.querySelector('.course-view canvas').toDataURL() !== outlined", arg=outlined
    )
    assert moved.all_inner_texts() == [""] * 4 and plain != outlined


def test_missions_are_judged_by_what_the_lab_computes(lab, open_page):
    page = open_page(lab.write("masklab_missions.ipynb", [START, "lab = MaskLab('a b c d e')\nlab"]))
    page.run_all()
    view = page.window.locator(".course-view")
    view.locator(".cell").first.wait_for()
    cell, rows = view.locator(".lab.weights .cell"), view.locator(".lab.weights .of-row")
    summary, reset = view.locator("summary"), view.locator("button", has_text="Reset")
    assert summary.inner_text().startswith("Missions 0 of 6 · next: Close one whole row")
    done = []

    def solve(name: str, *places: int) -> None:
        for place in places:
            cell.nth(place).click()
        done.append(name)
        page.python_becomes("lab.done", str(done))
        assert f"Missions {len(done)} of 6" in summary.inner_text()
        if name != "too late, no leak":
            reset.click()

    rows.nth(2).click()  # closes what is open
    solve("empty row")
    assert "✓ Done!" not in summary.inner_text()
    solve("one look ahead", 3)
    chips(view, "after softmax").click()
    solve("perfect triangle")
    chips(view, "window").click()
    solve("relay")  # e sees c, c sees a: the window of 3
    solve("two texts", 10, 11, 15, 16, 20, 21)
    chips(view, "self").first.click()
    chips(view, "after softmax").click()
    rows.nth(1).click()
    solve("too late, no leak")
    assert "all done" in summary.inner_text() and "✓ Done!" in summary.inner_text()
    summary.click()
    assert view.locator(".missions li.done").count() == 6
    page.window.locator(".jp-Cell").first.evaluate("(node) => node.scrollIntoView()")
    assert page.python("print(len(lab.done))") == "6"


MODEL = """
import torch
from course_lib.tasks import town_lm
from course_lib.training.recipe import new_model
text = " ".join(town_lm.sentences(1)[0].english_tokens)
lab = MaskLab(text, model=town_lm.under_masks(new_model(town_lm.RECIPE)))
lab"""
BARS = """() =>
  [...document.querySelectorAll('.course-view .bar')].map((bar) => bar.getAttribute('aria-label'))"""
# clicks on cells, each until Python's answer is painted
ANSWERED = """async (n) => {
  const cells = document.querySelectorAll('.course-view .lab.weights .cell'), times = [];
  for (let i = 0; i < n; i++) {
    const start = performance.now();
    cells[(i * 7) % cells.length].click();
    while (!document.querySelector('.next.waiting')) await new Promise((done) => setTimeout(done));
    while (document.querySelector('.next.waiting')) await new Promise((done) => setTimeout(done));
    await new Promise(requestAnimationFrame);
    times.push(performance.now() - start);
  }
  return times;
}"""


@THEMES
def test_a_trained_model_answers_every_change(lab, open_page, show, dark):
    page = open_page(lab.write(f"masklab_model_{dark}.ipynb", [START, MODEL]), dark)
    page.run_all()
    view = page.window.locator(".course-view")
    view.locator(".bar").first.wait_for()
    before = height(view)
    assert chips(view, "cross").count() == 0 and view.locator(".missions").count() == 0
    assert view.locator(".verdict").inner_text().endswith("✓ Nobody sees what comes later.")

    def bars_are_pythons(row: int) -> None:
        page.python_becomes("lab.asked == lab.replied", "True")
        page.window.wait_for_function("!document.querySelector('.course-view .next.waiting')")
        best = page.python(
            f"p = lab.probabilities[{row}]; top = p.argsort()[::-1][:6]\n"
            "print(*(f'{lab.vocabulary[i]} {p[i]:.2f}' for i in top), sep='|')"
        )
        shown = [
            label.removesuffix(", the word of the text").replace(": ", " ")
            for label in page.window.evaluate(BARS)
        ]
        assert shown[:6] == best.split("|")

    bars_are_pythons(-1)
    first = page.window.evaluate(BARS)
    chips(view, "window").click()
    bars_are_pythons(-1)
    assert page.window.evaluate(BARS) != first and view.locator(".bar .before:not([hidden])").count() > 0
    assert height(view) == before
    view.locator(".lab.weights .cell").nth(0).hover()
    bars_are_pythons(0)
    assert (
        view.locator(".bar.truth").count() == 1
        and "Next word after “[BOS]”" in view.locator(".next").inner_text()
    )
    chips(view, "self").first.click()
    bars_are_pythons(-1)
    assert "✗ Some token sees what it has to guess" in view.locator(".verdict").inner_text()
    chips(view, "causal").click()
    chips(view, "after softmax").click()
    bars_are_pythons(-1)
    chips(view, "2.3").click()
    page.python_becomes("lab.head, np.array_equal(lab.weights, lab.head_weights[6])", "6 True")
    chips(view, "padding").click()
    page.python_becomes("lab.probabilities.shape[0] == len(lab.tokens), lab.tokens[-1]", "True [PAD]")
    chips(view, "causal").click()
    page.python_becomes("lab.kind, lab.asked == lab.replied", "causal True")

    # words: of the Town, and others
    box = view.locator("input[type=text]").first
    box.fill("tom has a bal")
    wait_for_text(page, ".note", "“bal” is a word that Tiny Town does not know; did you mean “ball”?")
    box.fill("tom has a ball")
    page.python_becomes("lab.tokens", "['[BOS]', 'tom', 'has', 'a', 'ball']")
    page.window.wait_for_function(
        "document.querySelectorAll('.course-view .lab.weights .cell').length === 25"
    )
    bars_are_pythons(-1)

    times = sorted(page.window.evaluate(ANSWERED, 60))
    show(f"MaskLab with a model: click → Python → painted, p50 {times[29]:.0f} ms, p95 {times[56]:.0f} ms")
    bars_are_pythons(2)  # the row of the last click
    for width, sidebar in SIZES:
        window_of(page, width, sidebar=sidebar)
        view.locator(".lab.weights .cell").nth(1).scroll_into_view_if_needed()
        assert page.window.evaluate(CUT_OFF) == [], (width, sidebar)
