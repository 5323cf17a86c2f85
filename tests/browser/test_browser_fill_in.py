"""FillIn in a real JupyterLab: words hidden by mouse, key and finger; bars are the model's; all windows."""

import json

from test_browser_accessible import nothing_in_light_and_dark
from test_browser_attention import middle, nothing_is_cut, touch
from test_browser_views import contrast_of, height, wait_for_text

START = """
import json
from functools import partial
import torch
from course_lib.models.bert import BertConfig
from course_lib.tasks.fill_in import WORDS, fill
from course_lib.widgets import FillIn
torch.manual_seed(0)
model = BertConfig(len(WORDS), d_model=16, n_heads=2, n_layers=1, d_ff=16, max_len=128, init_std=0.5).build()
def beside(ids):
    p = torch.zeros(sum(i == 6 for i in ids[0]), len(WORDS))
    p[:, WORDS.ids["she"]] = 0.75
    return p
view = FillIn(partial(fill, model), "anna is at the farm .", "she sees tom .", beside=beside)
view"""
NUMBERS = "() => document.querySelector('.course-view').numbers()"
ANSWERED = "() => document.querySelector('.course-view').numbers().answered"
PANELS = """() => [...document.querySelectorAll('.next-words:not([hidden])')].map((panel) => [
  panel.querySelector('.of').innerText, [...panel.querySelectorAll('.bar')]
    .filter((row) => row.style.visibility !== 'hidden').map((row) => [row.querySelector('.word').innerText,
    row.querySelector('.number').innerText, row.classList.contains('truth')])])"""
LABEL = "() => document.activeElement.getAttribute('aria-label')"


def same_as_the_model(page, first: str, second: str | None) -> None:
    """The panels hold what `fill` says of these texts."""
    page.window.wait_for_function(ANSWERED)
    page.window.wait_for_timeout(100)
    code = f"""
found = fill(model, {first!r}, {second!r})
best = [row.argsort(descending=True, stable=True)[:6] for row in found.probabilities]
print(json.dumps([found.tokens, found.places, [[WORDS.tokens[i] for i in row] for row in best]]))"""
    tokens, places, best = json.loads(page.python(code))
    assert page.window.evaluate(NUMBERS)["reads"] == tokens
    panels = [panel for panel in page.window.evaluate(PANELS) if panel[1]]
    assert [name for name, _ in panels] == [f"place {i}: [MASK]" for i in places[: len(panels)]]
    for (_, bars), words in zip(panels, best, strict=False):
        shown = [word for word, _, _ in bars]
        assert len(bars) == 6 and shown[:5] == words[:5]
        assert shown[5] == words[5] or (bars[5][2] and shown[5][0].isdigit())


def test_words_are_hidden_and_filled_in(lab, open_page):
    page = open_page(lab.write("fill_in.ipynb", [START]), dark=True)
    page.run_all()
    window, view = page.window, page.window.locator(".course-view")
    tokens = view.locator(".tokens")
    tokens.locator("button").first.wait_for()
    before = height(view)
    wait_for_text(page, ".hint-line", "Press a word: it is hidden")
    assert tokens.locator("button").count() == 10 and tokens.locator(".special").count() == 3
    assert (
        view.locator(".next-words.empty:visible").count() == view.locator(".next-words:visible").count() > 2
    )

    # a word by the mouse, a second one by keys; again: it is shown
    tokens.locator("button", has_text="farm").click()
    page.python_becomes("view.hidden", "[5]")
    same_as_the_model(page, "anna is at the [MASK] .", "she sees tom .")
    wait_for_text(page, ".hint-line", "1 blank among 13 tokens")
    assert window.evaluate(LABEL) == "farm, hidden" and height(view) == before
    for _ in range(2):
        window.keyboard.press("ArrowRight")
    assert window.evaluate(LABEL) == "she"
    window.keyboard.press("Enter")
    page.python_becomes("view.hidden", "[5, 8]")
    same_as_the_model(page, "anna is at the [MASK] .", "[MASK] sees tom .")
    assert window.evaluate(LABEL) == "she, hidden", "the focus stays on the word"
    assert tokens.locator("[aria-pressed=true]").count() == 2 and height(view) == before
    she = view.locator(".next-words").nth(1)
    assert she.locator(".of").inner_text() == "place 8: [MASK]"
    assert she.locator(".soft").first.inner_text().startswith("was: she, ")
    assert she.locator(".bar.truth").count() == 1
    assert she.locator(".bar.truth .beside").evaluate("(node) => node.style.width") == "75%"
    for place in (
        ".token-of.blank .mask",
        ".token-of.special",
        ".next-words .soft",
        ".bar .number",
        ".legend",
    ):
        assert contrast_of(page, f".course-view {place}") > 4.5, place
    window.keyboard.press("Home")
    window.keyboard.press("Space")
    page.python_becomes("view.hidden", "[1, 5, 8]")
    same_as_the_model(page, "[MASK] is at the [MASK] .", "[MASK] sees tom .")
    window.keyboard.press("Space")
    page.python_becomes("view.hidden", "[5, 8]")
    window.keyboard.press("End")
    assert window.evaluate(LABEL) == "."

    # own text: what is hidden stays hidden where the words before or behind it are the same
    boxes = view.locator(".texts input")
    boxes.nth(0).fill("Anna is at the old farm.")
    page.python_becomes("view.hidden", "[6, 9]")
    same_as_the_model(page, "anna is at the old [MASK] .", "[MASK] sees tom .")
    boxes.nth(0).fill("anna is at the quince .")
    wait_for_text(
        page, ".hint-line", "Not among the Town’s words: “\u2068quince\u2069”. The model cannot read it"
    )
    page.python_becomes("view.message", "Tiny Town does not know quince")
    assert boxes.nth(0).input_value() == "anna is at the quince ." and view.locator(".refused").count() == 1
    assert height(view) == before
    boxes.nth(0).fill("[MASK] is old")
    boxes.nth(1).fill("")
    page.python_becomes("view.reads()", "['[CLS]', '[MASK]', 'is', 'old', '[SEP]']")
    same_as_the_model(page, "[MASK] is old", None)
    assert (
        view.locator(".next-words").first.locator(".soft").first.inner_text() == "nobody knows what was there"
    )
    assert view.locator(".bar.truth").count() == 0

    # code that says the same; undo, reset
    boxes.nth(0).fill("tom is old")
    page.python_becomes("view.first", "tom is old")
    tokens.locator("button", has_text="tom").click()
    page.python_becomes("view.hidden", "[1]")
    same_as_the_model(page, "[MASK] is old", None)
    window.context.grant_permissions(["clipboard-read", "clipboard-write"])
    view.locator("button", has_text="Copy").click()
    wait_for_text(page, ".state", "Copied")
    code = window.evaluate("navigator.clipboard.readText()")
    assert code.count("model = load()  # the shipped one, or yours\n") == 1
    said = page.python(code.replace("model = load()", "pass").replace(", load\n", "\n"))
    shown = window.evaluate(PANELS)[0][1]
    assert said.startswith(f"1 {shown[0][0]} {shown[0][1]}") and said.count(",") == 5
    view.locator("button", has_text="Undo").click()
    page.python_becomes("view.hidden", "[]")
    view.locator("button", has_text="Reset").click()
    page.python_becomes(
        "view.first == view.start['first'], view.second, view.hidden", "True she sees tom . []"
    )
    page.python("view.hidden = [8, 3]")
    same_as_the_model(page, "anna is [MASK] the farm .", "[MASK] sees tom .")

    # without the kernel the words are hidden, and the view says that nobody answers
    page.restart()
    tokens.locator("button", has_text="tom").click()
    wait_for_text(page, ".corner-line", "run this cell again")
    assert tokens.locator("[aria-pressed=true]").count() == 3 and view.locator(".bar.truth").count() == 2


def test_fill_in_in_every_window_and_by_finger(lab, open_page):
    page = open_page(lab.write("fill_in_small.ipynb", [START]))
    page.finger()
    page.run_all()
    window, view = page.window, page.window.locator(".course-view")
    view.locator(".tokens button").first.wait_for()
    window.evaluate("jupyterapp.shell.collapseLeft()")
    wait_for_text(page, ".hint-line", "Tap a word")
    for width, across in ((1400, 4), (1000, 3), (700, 2), (400, 1)):
        window.set_viewport_size({"width": width, "height": 1000})
        window.wait_for_timeout(200)
        nothing_is_cut(page)
        panels = view.locator(".next-words:visible")
        assert panels.count() == across, width
        box, places = view.bounding_box(), [panel.bounding_box() for panel in panels.all()]
        assert len({place["y"] for place in places}) == 1
        assert places[-1]["x"] + places[-1]["width"] <= box["x"] + box["width"], width
        before = height(view)
        for n, word in enumerate(("anna", "at", "farm", "she", "tom")):
            view.locator(".tokens button", has_text=word).first.click()
            page.python_becomes("len(view.said)", str(n + 1))
            window.wait_for_function(ANSWERED)
            window.wait_for_timeout(50)
            assert height(view) == before, (width, word)
        # the last one pressed is among those that are seen; the others are a button away
        assert view.locator(".next-words:visible").last.locator(".of").inner_text() == "place 10: [MASK]"
        for _ in range(5 - across):
            view.locator(".pager button").first.click()
        assert view.locator(".next-words").first.locator(".of").inner_text() == "place 1: [MASK]"
        assert view.locator(".pager button").first.get_attribute("aria-disabled") == "true"
        assert height(view) == before
        view.locator("button", has_text="Reset").click()
        page.python_becomes("view.hidden", "[]")
    word = view.locator(".tokens button", has_text="farm")
    word.scroll_into_view_if_needed()
    touch(page, middle(word))
    page.python_becomes("view.hidden", "[5]")
    window.set_viewport_size({"width": 1000, "height": 1000})
    page.python("view.second = 'the quince'")
    wait_for_text(page, ".hint-line", "quince")
    nothing_in_light_and_dark(page)
    page.python("view.second = 'she sees tom'")
    window.wait_for_function(ANSWERED)
    nothing_in_light_and_dark(page)
