"""Every live view in a real JupyterLab: seen, pointed at, clicked, moved by keys, read back in Python."""

import statistics

import pytest

THEMES = pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])

STRANGE = "</script><b>&\"'"
START = """
import numpy as np
from IPython.display import display
from course_lib.widgets import AlignmentMovie, AttentionView, LiveLoss, Pronouncer, Question
rng = np.random.default_rng(0)
"""

# time from an event to the frame after the one it was drawn in
REPAINT = """async ([selector, type, n]) => {
  const cells = [...document.querySelectorAll(selector)].slice(0, n), times = [];
  for (const cell of cells) {
    const start = performance.now();
    cell.dispatchEvent(new MouseEvent(type, { bubbles: true }));
    await new Promise((done) => requestAnimationFrame(() => {
      const channel = new MessageChannel();
      channel.port1.onmessage = done;
      channel.port2.postMessage(0);
    }));
    times.push(performance.now() - start);
  }
  return times;
}"""


def wait_for_text(page, selector: str, text: str) -> None:
    page.window.wait_for_function(
        "([selector, text]) => document.querySelector('.course-view ' + selector)?.innerText.includes(text)",
        arg=[selector, text],
    )


def height(view) -> float:
    return view.bounding_box()["height"]


def contrast_of(page, selector: str) -> float:
    """Contrast (1 to 21) between an element's text and the page behind it, as WCAG counts."""
    colours = page.window.evaluate(
        """(selector) => {
          const node = document.querySelector(selector);
          const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
          const rgba = (colour) => {
            canvas.clearRect(0, 0, 1, 1);
            canvas.fillStyle = colour;
            canvas.fillRect(0, 0, 1, 1);
            return [...canvas.getImageData(0, 0, 1, 1).data];
          };
          const back = (n) => rgba(getComputedStyle(n).backgroundColor);
          let behind = node;
          while (back(behind)[3] === 0 && behind.parentElement) behind = behind.parentElement;
          return [rgba(getComputedStyle(node).color), back(behind)];
        }""",
        selector,
    )

    def light(rgb):
        parts = [
            c / 255 / 12.92 if c / 255 <= 0.03928 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in rgb[:3]
        ]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    high, low = sorted(map(light, colours), reverse=True)
    return (high + 0.05) / (low + 0.05)


@THEMES
def test_attention_view(lab, open_page, show, dark):
    cells = [
        START,
        f"""
weights = rng.dirichlet(np.ones(5) * 0.3, size=(2, 4))
weights[1, 2] = [0.05, 0.8, 0.05, 0.05, 0.05]
view = AttentionView(weights, ["le", "你好", {STRANGE!r}, "🙂"], ["the", "red", {STRANGE!r}, "ball", "."],
                     title="Who looks at whom <b>")
view""",
    ]
    page = open_page(lab.write(f"attention_{dark}.ipynb", cells), dark)
    page.run_all()
    view = page.window.locator(".course-view")
    view.wait_for()
    assert view.count() == 1 and page.dark() == dark
    assert view.locator(".title").inner_text() == "Who looks at whom <b>"
    assert view.locator(".of-column").nth(2).inner_text() == STRANGE
    assert contrast_of(page, ".course-view .title") > 7 and contrast_of(page, ".course-view .readout") > 4.5
    before = height(view)

    # the mouse: point, leave, click
    cell = view.locator(".cell")
    assert cell.count() == 20
    cell.nth(11).hover()
    weight = float(page.python("print(f'{weights[0, 2, 1]:.2f}')"))
    assert f"looks at key red: weight {weight:.2f}" in view.locator(".readout").inner_text()
    assert STRANGE in view.locator(".readout").inner_text()
    cell.nth(11).click()
    page.python_becomes("view.selected", "[0, 2, 1]")
    page.window.mouse.move(5, 5)
    assert "pinned" in view.locator(".readout").inner_text()

    # another head, then the keyboard
    view.locator(".chips label").nth(1).click()
    page.python_becomes("view.head", "1")
    assert "weight 0.80" in view.locator(".readout").inner_text()
    active = page.window.evaluate("jupyterapp.shell.currentWidget.content.activeCellIndex")
    grid = view.locator(".grid")
    grid.focus()
    for key, expected in (
        ("ArrowRight", [1, 2, 2]),
        ("ArrowDown", [1, 3, 2]),
        ("ArrowDown", [1, 3, 2]),
        ("Home", [1, 3, 0]),
        ("ArrowUp", [1, 2, 0]),
        ("End", [1, 2, 4]),
        ("Control+Home", [1, 0, 0]),
        ("Escape", []),
    ):
        page.window.keyboard.press(key)
        page.python_becomes("view.selected", str(expected))
    assert page.window.evaluate("jupyterapp.shell.currentWidget.content.activeCellIndex") == active

    # from Python
    page.python("view.selected = [1, 2, 1]")
    wait_for_text(page, ".readout", "0.80")
    assert height(view) == before
    outline = page.window.evaluate(
        "() => { const g = document.querySelector('.course-view .grid'); g.focus({focusVisible: true});"
        " return getComputedStyle(g).outlineWidth; }"
    )
    assert outline == "3px"
    times = page.window.evaluate(REPAINT, [".course-view .cell", "mouseover", 20])
    show(f"AttentionView: pointing → painted {statistics.median(times):.1f} ms")


@THEMES
def test_alignment_movie(lab, open_page, show, dark):
    cells = [
        START,
        """
frames = np.stack([(1 - k / 9) * np.full((4, 5), 0.2) + k / 9 * np.eye(4, 5) for k in range(10)])
english, french = "the red ball is here".split(), "le ballon rouge est".split()
movie = AlignmentMovie(frames, range(0, 100, 10), english, french,
                       links=[(0, 0), (1, 2), (2, 1), (3, 3)], error_rates=list(np.linspace(0.8, 0.2, 10)))
movie""",
    ]
    page = open_page(lab.write(f"movie_{dark}.ipynb", cells), dark)
    page.run_all()
    view = page.window.locator(".course-view")
    view.wait_for()
    before = height(view)
    assert view.locator(".gold").count() == 4
    assert "step 90 of 90" in view.locator(".step").inner_text()
    assert "error rate 0.20" in view.locator(".step").inner_text()

    slider = view.locator("input[type=range]")
    slider.focus()
    for key, step in (("Home", 0), ("ArrowRight", 10), ("ArrowRight", 20), ("End", 90), ("ArrowLeft", 80)):
        page.window.keyboard.press(key)
        assert f"step {step} of" in view.locator(".step").inner_text(), key
    page.python_becomes("movie.frame", "8")

    view.locator(".cell").nth(0).click()
    page.python_becomes("movie.selected", "[0, 0]")
    page.window.keyboard.press("ArrowDown")
    page.python_becomes("movie.selected", "[1, 0]")

    page.window.keyboard.press("Home")
    slider.focus()
    page.window.keyboard.press("Home")
    page.window.keyboard.press("Space")
    wait_for_text(page, ".step", "step 30")
    page.window.keyboard.press("Space")
    stopped = view.locator(".step").inner_text()
    page.window.wait_for_timeout(400)
    assert view.locator(".step").inner_text() == stopped
    view.locator("button").click()
    wait_for_text(page, ".step", "step 90")
    wait_for_text(page, "button", "Play")
    page.python_becomes("movie.frame", "9")
    assert height(view) == before
    times = page.window.evaluate(REPAINT, [".course-view .cell", "click", 20])
    show(f"AlignmentMovie: click → painted {statistics.median(times):.1f} ms")


@THEMES
def test_live_loss(lab, open_page, dark):
    cells = [
        START,
        """
import time
live = LiveLoss(60, title="loss of a small model", floor=0.4)
def train():
    try:
        for step in range(1, 61):
            time.sleep(0.05)
            live(step, 3 * 0.93 ** step + 0.4)
    except KeyboardInterrupt:
        pass
""",
        "train()",
    ]
    page = open_page(lab.write(f"loss_{dark}.ipynb", cells), dark)
    window = page.window
    window.evaluate("void jupyterapp.commands.execute('notebook:run-all-cells')")
    view = window.locator(".course-view")
    view.wait_for()
    status = "(document.querySelector('.course-view .readout')?.innerText ?? '')"
    window.wait_for_function(f"/step \\d+ of 60/.test({status})")
    before = height(view)
    window.wait_for_function(f"{status}.includes('done: 60 steps')")
    assert view.count() == 1
    assert height(view) == before
    assert window.locator(".course-view .floor").count() == 1
    page.idle()
    assert view.count() == 1
    [output] = page.cells()[-1]["outputs"]
    assert "goes from" in "".join(output["data"]["text/html"]).partition(" src=")[0]

    # in a narrow window the picture is narrower, and its words are as large as before
    words = view.locator("svg text").last
    large = words.bounding_box()["height"]
    window.set_viewport_size({"width": 700, "height": 900})
    window.wait_for_function("document.querySelector('.course-view svg').viewBox.baseVal.width < 500")
    assert abs(words.bounding_box()["height"] - large) < 1
    inside, outside = view.locator("svg").bounding_box(), view.bounding_box()
    assert inside["x"] >= outside["x"] and inside["width"] <= outside["width"]
    window.set_viewport_size({"width": 1280, "height": 1000})

    # interrupted: the view says so, and the saved picture too
    window.evaluate("void jupyterapp.commands.execute('notebook:run-all-cells')")
    window.wait_for_function(f"/step [1-3]\\d of 60/.test({status})")
    window.evaluate("jupyterapp.shell.currentWidget.sessionContext.session.kernel.interrupt()")
    window.wait_for_function(f"{status}.includes('stopped at step')")
    page.python_becomes("live.state", "stopped")
    page.idle()
    [output] = page.cells()[-1]["outputs"]
    assert "stopped at step" in "".join(output["data"]["text/html"]).partition(" src=")[0]


def test_live_loss_beside_baselines(lab, open_page):
    """Their names never overlap, whatever the window, and the axis reaches the highest."""
    code = """
live = LiveLoss(300, floor=1.0, baselines={"bigram": 1.9, "trigram": 1.85, "unigram": 3.1, "ln V": 4.6})
for step in range(1, 301):
    live(step, 1 + 2 * 0.98 ** step)"""
    page = open_page(lab.write("loss_baselines.ipynb", [START, code]))
    page.run_all()
    window, view = page.window, page.window.locator(".course-view")
    wait_for_text(page, ".readout", "done: 300 steps")
    window.evaluate("jupyterapp.shell.collapseLeft()")
    assert "bigram 1.9" in view.locator("svg").get_attribute("aria-label")
    for width in (1280, 700, 400):
        window.set_viewport_size({"width": width, "height": 900})
        window.wait_for_timeout(200)
        picture = view.locator("svg").bounding_box()
        names = view.locator(".baseline-name")
        assert names.all_text_contents() == ["ln V 4.6", "unigram 3.1", "bigram 1.9", "trigram 1.85"]
        boxes = [name.bounding_box() for name in names.all()]
        ends = {
            line.bounding_box()["x"] + line.bounding_box()["width"]
            for line in view.locator(".baseline").all()
        }
        assert max(ends) - min(ends) < 1 and boxes[0]["x"] > max(ends), width
        assert all(box["x"] + box["width"] <= picture["x"] + picture["width"] + 1 for box in boxes), width
        tops = [box["y"] for box in boxes]
        assert tops == sorted(tops) and tops[0] > picture["y"]
        assert all(tops[i] - tops[i - 1] >= 14 for i in (1, 2, 3)), width
        assert (
            view.locator(".curve").bounding_box()["y"] > view.locator(".baseline").first.bounding_box()["y"]
        )
    assert contrast_of(page, ".course-view .readout") > 4.5


@THEMES
def test_pronouncer(lab, open_page, show, dark):
    cells = [
        START,
        """
asked = []
def pronounce(word):
    asked.append(word)
    sounds = [letter.upper() for letter in word if letter != "e"]
    weights = np.zeros((len(sounds), len(word)))
    for sound, letter in enumerate(i for i, letter in enumerate(word) if letter != "e"):
        weights[sound, letter] = 1
    return list(word), sounds, weights
from course_lib.data.cmudict import clean
view = Pronouncer(pronounce, "attention", clean=clean)
view""",
    ]
    page = open_page(lab.write(f"pronouncer_{dark}.ipynb", cells), dark)
    page.run_all()
    view, window = page.window.locator(".course-view"), page.window
    view.wait_for()
    before = height(view)
    sounds, box = view.locator(".sounds"), view.locator("input[type=text]")
    assert sounds.inner_text() == "A T T N T I O N"

    box.fill("cafe")
    wait_for_text(page, ".sounds", "C A F")
    assert view.locator(".cell").count() == 12
    page.python_becomes("asked[-1], view.word", "cafe cafe")
    for wrong, sentence in (
        ("", "Type a word"),
        ("b2b", "“2” is not a letter"),
        ("🙂", "“🙂” is not a letter"),
        ("two words", "One word at a time"),
        ("a" * 45, "45 letters"),
        ("</script>", "“<” is not a letter"),
    ):
        box.fill(wrong)
        window.keyboard.press("Enter")
        wait_for_text(page, ".sounds", sentence)
        assert height(view) == before, wrong
    box.fill("strengthlessnesses")
    wait_for_text(page, ".sounds", "S T R N G T H L S S N S S S")
    assert height(view) == before
    view.locator(".cell").nth(0).hover()
    assert "weight 1.00" in view.locator(".readout").inner_text()

    took = []
    for word in ("one", "two", "three", "four", "five", "six"):
        took.append(
            window.evaluate(
                """async (word) => {
          const part = (selector) => document.querySelector('.course-view ' + selector);
          const start = performance.now(), passed = () => performance.now() - start;
          part('input').value = word;
          part('button').click();
          const wanted = [...word].filter((c) => c !== 'e').map((c) => c.toUpperCase()).join(' ');
          while (part('.sounds').innerText !== wanted && passed() < 5000) {
            await new Promise(requestAnimationFrame);
          }
          return passed();
        }""",
                word,
            )
        )
    show(f"Pronouncer: word → Python → painted {statistics.median(took):.0f} ms")


@THEMES
def test_question(lab, open_page, dark):
    cells = [
        START,
        """
def explain(option, confidence):
    return f"<b>option {option}, confidence {confidence}</b>: each head sums over its own <code>d_k</code>."
prompt = "Every entry has variance 1. What is the variance of a score with `d_k` = 64? <i>"
question = Question(prompt, ["1", "8", "64", "</script>"], explain)
question""",
    ]
    page = open_page(lab.write(f"question_{dark}.ipynb", cells), dark)
    page.run_all()
    view, window = page.window.locator(".course-view"), page.window
    view.wait_for()
    before = height(view)
    assert view.locator(".prompt").inner_text().endswith("<i>")
    assert view.locator(".options label").nth(3).inner_text().strip() == "</script>"
    button = view.locator("button")
    button.click()
    assert "Choose an option" in view.inner_text()
    view.locator(".options input").nth(0).focus()
    for key in ("Space", "ArrowDown", "ArrowDown"):
        window.keyboard.press(key)
    button.click()
    assert "how sure" in view.locator("button + span").inner_text()
    view.locator(".chips label").nth(3).click()
    button.focus()
    window.keyboard.press("Enter")
    wait_for_text(page, ".feedback", "option 2, confidence 3")
    page.python_becomes("question.answer", "[2, 3]")
    assert button.is_disabled() and view.locator(".options input").nth(0).is_disabled()
    assert abs(height(view) - before) < 60, "the height follows the text, here one short line"
    assert contrast_of(page, ".course-view .feedback") > 7
    [output] = page.cells()[-1]["outputs"]
    assert "&lt;i&gt;" in output["data"]["text/html"] and "<i>" not in output["data"]["text/html"]


def test_course_map_links_open_the_chapter(lab, open_page):
    lab.write("01_target.ipynb", ["1 + 1"])
    cells = [
        "from course_lib.viz.diagrams import transformer_map\ntransformer_map({'01': '01_target.ipynb'})"
    ]
    page = open_page(lab.write("map.ipynb", cells))
    page.run_all()
    link = page.window.locator(".course-map a")
    assert link.count() == 1
    picture = page.window.locator(".course-map img")
    assert "encoder on the left" in picture.get_attribute("alt")
    inside, outside = link.bounding_box(), picture.bounding_box()
    assert outside["x"] < inside["x"] and inside["x"] + inside["width"] < outside["x"] + outside["width"]
    link.click()
    page.window.wait_for_function("jupyterapp.shell.currentWidget.title.label === '01_target.ipynb'")
