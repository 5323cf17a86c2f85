"""MlmCorruptor in a real JupyterLab: Python's throws for own text, shares, counts, every window."""

import json
import random

import numpy as np
from test_browser_accessible import nothing_in_light_and_dark
from test_browser_attention import middle, nothing_is_cut, touch
from test_browser_views import contrast_of, height, wait_for_text

from course_lib.viz.masking import decide, throw
from course_lib.widgets.front import BROWSER

CORRUPTOR = """
import json
from course_lib.widgets import MlmCorruptor
view = MlmCorruptor("anna is at the farm . the farm is near the station .", "she sees tom .", seed=3)
view"""
NUMBERS = "() => document.querySelector('.course-view').numbers()"
COLUMNS = """() => [...document.querySelectorAll('.course-view .place')].map((place) =>
  ['.typed bdi', '.reads bdi', '.says bdi'].map((part) => place.querySelector(part).innerText))"""
PYTHON = """
import torch
from course_lib.tasks.fill_in import WORDS
from course_lib.text.segments import MASK_ID
from course_lib.training.masked_words import corrupt
def trained():
    shares = {name: getattr(view, name) for name in ("chosen", "masked", "replaced")}
    generator = torch.Generator().manual_seed(view.seed)
    return corrupt(torch.tensor([view.row.ids]), MASK_ID, WORDS.words, generator, **shares)
def columns():
    found = trained()
    said = ["−100" if i < 0 else WORDS.tokens[i] for i in found.labels[0].tolist()]
    return [list(one) for one in zip(view.row.typed, [WORDS.tokens[i] for i in found.ids[0]], said)]
"""


def test_chromium_throws_as_python(browser):
    """The dice alone; Node asks the same in the unit tests."""
    draw, is_word = random.Random(4), [False, *[True] * 300, False]
    asked = [
        (seed, {"chosen": draw.random(), "masked": 0.8 * draw.random(), "replaced": 0.2 * draw.random()})
        for seed in (*range(60), 2**32 - 1)
    ]
    dice = (BROWSER / "mlm_corruptor" / "dice.js").read_text("utf-8")
    window = browser.new_page()
    found = window.evaluate(
        f"""([asked, isWord]) => {{ {dice}
        return asked.map(([seed, shares]) => {{
          const throws = throwFor(seed, isWord.length, 126);
          return [throws.first, throws.drawn, decide(throws, isWord, shares)];
        }}); }}""",
        [asked, is_word],
    )
    window.close()
    for (seed, shares), (first, drawn, done) in zip(asked, found, strict=True):
        throws = throw(seed, len(is_word), 126)
        assert np.float32(first).tolist() == throws.first.tolist() and drawn == throws.drawn.tolist()
        assert done == decide(throws, is_word, **shares).tolist(), seed


def same_as_training(page) -> list:
    """What is drawn is what `corrupt` does with this seed; the counts are Python's."""
    page.window.wait_for_timeout(150)
    shown = page.window.evaluate(COLUMNS)
    assert shown == json.loads(page.python("print(json.dumps(columns()))"))
    counts = page.window.evaluate(NUMBERS)["counts"]
    python = json.loads(page.python("print(json.dumps(view.counts()))"))
    assert counts == {kind: list(done.values()) for kind, done in python.items()}
    return shown


def test_throws_shares_and_a_text_of_ones_own(lab, open_page):
    page = open_page(lab.write("corruptor.ipynb", [CORRUPTOR]), dark=True)
    page.run_all()
    page.python(PYTHON)
    window, view = page.window, page.window.locator(".course-view")
    view.locator(".place").first.wait_for()
    again, hundred = view.locator("button.main"), view.locator("button", has_text="100 more")
    lines, sliders = view.locator("[role=listbox]"), view.locator(".sliders input")
    before = height(view)

    # one throw after another is what training does with this seed
    for n in range(4):
        same_as_training(page)
        assert height(view) == before
        again.click()
        page.python_becomes("view.seed, view.n_throws", f"{n + 4} {n + 2}")
    hundred.click()
    page.python_becomes("view.seed, view.n_throws", "107 105")
    shown = same_as_training(page)
    wait_for_text(page, ".counted", "Counted over 105 throws: 1,785 words, 315 special tokens")
    rows = view.locator(".facts tbody tr").all_inner_texts()
    assert rows[-1].split("\t")[1:4] == ["0", "0.0 %", "never"] and "15 % of the words" in rows[0]
    assert 0.12 < float(rows[0].split("\t")[2][:-2]) / 100 < 0.18

    # everything is chosen: each word must be said, special tokens never
    sliders.nth(0).focus()
    window.keyboard.press("End")
    page.python_becomes("view.chosen", "1.0")
    shown = same_as_training(page)
    assert [says for typed, _, says in shown] == [
        "−100" if typed in ("[CLS]", "[SEP]") else typed for typed, *_ in shown
    ]
    for place in (
        ".reads.masked bdi",
        ".typed bdi",
        ".says .soft",
        ".heads-of",
        ".throw .number",
        ".facts .soft",
    ):
        assert contrast_of(page, f".course-view {place}") > 4.5, place
    assert view.locator(".chosen").count() == 17 and height(view) == before

    # the three shares stay 100 together, whichever is moved
    for place, key, expected in (
        (2, "End", "0.0 1.0"),
        (3, "End", "0.0 0.0"),
        (1, "End", "1.0 0.0"),
        (3, "ArrowRight", "0.99 0.0"),
        (2, "ArrowRight", "0.99 0.01"),
        (2, "ArrowRight", "0.98 0.02"),
    ):
        sliders.nth(place).focus()
        window.keyboard.press(key)
        page.python_becomes("view.masked, view.replaced", expected)
        same_as_training(page)
        numbers = [int(text[:-2]) for text in view.locator(".sliders .number").all_inner_texts()[1:]]
        assert sum(numbers) == 100 and height(view) == before
    view.locator("button", has_text="Undo").click()
    page.python_becomes("view.masked, view.replaced", "0.99 0.01")

    # one token by keys and by the mouse: what was thrown, and what came of it
    lines.focus()
    window.keyboard.press("Home")
    wait_for_text(page, ".readout", "“\u2068[CLS]\u2069” is a special token: it is never chosen.")
    window.keyboard.press("ArrowRight")
    page.python_becomes("view.token", "1")
    wait_for_text(page, ".readout", "“\u2068anna\u2069”: first throw 0.")
    assert "and must say “\u2068anna\u2069”." in view.locator(".readout").inner_text()
    active = lines.get_attribute("aria-activedescendant")
    assert view.locator(f"[id={active}]").get_attribute("aria-selected") == "true"
    view.locator(".place").nth(5).hover()
    wait_for_text(page, ".readout", "“\u2068farm\u2069”: first throw 0.")
    window.mouse.move(5, 5)
    wait_for_text(page, ".readout", "“\u2068anna\u2069”")

    # own text: what the Town does not know is refused, and stays where it was typed
    boxes = view.locator(".texts input")
    boxes.nth(0).fill("Tom l'été quince is OLD. [MASK]")
    page.python_becomes("view.row.refused", "[\"l'\", 'été', 'quince', '[', 'mask', ']']")
    shown = same_as_training(page)
    assert shown[4] == ["quince", "[UNK]", "−100"] and boxes.nth(0).input_value().startswith("Tom l'été")
    wait_for_text(
        page,
        ".hint-line",
        "Not among the Town’s words: “\u2068l'\u2069”, “\u2068été\u2069”, “\u2068quince\u2069”",
    )
    assert view.locator(".refused").count() == 6
    view.locator(".place").nth(4).click()
    wait_for_text(
        page, ".readout", "“\u2068quince\u2069” is not among the Town’s words: it is read as [UNK]."
    )
    boxes.nth(1).fill("")
    page.python_becomes("view.row.tokens[-2:]", "['[UNK]', '[SEP]']")
    same_as_training(page)

    # code that says the same; reset
    window.context.grant_permissions(["clipboard-read", "clipboard-write"])
    view.locator("button", has_text="Copy").click()
    wait_for_text(page, ".state", "Copied")
    said = page.python(window.evaluate("navigator.clipboard.readText()")).splitlines()
    shown = page.window.evaluate(COLUMNS)
    assert [line.split()[2] for line in said] == [reads for _, reads, _ in shown]
    assert [line.split()[0] for line in said] == ["[UNK]" if r == "[UNK]" else t for t, r, _ in shown]
    view.locator("button", has_text="Reset").click()
    page.python_becomes("view.seed, view.n_throws, view.chosen, view.masked", "3 1 0.15 0.8")
    same_as_training(page)
    assert boxes.nth(1).input_value() == "she sees tom ."

    # without the kernel the dice roll all the same, and the view says so
    page.restart()
    hundred.click()
    wait_for_text(page, ".counted", "Counted over 101 throws")
    wait_for_text(page, ".corner-line", "run this cell again")


def test_the_corruptor_in_every_window_and_by_finger(lab, open_page):
    page = open_page(lab.write("corruptor_small.ipynb", [CORRUPTOR]))
    page.finger()
    page.run_all()
    window, view = page.window, page.window.locator(".course-view")
    view.locator(".place").first.wait_for()
    window.evaluate("jupyterapp.shell.collapseLeft()")
    page.python(
        "view.first, view.chosen = 'the accordion is near the fountain , because it is raining .', 0.6"
    )
    wait_for_text(page, ".lines", "accordion")
    per_line = []
    for width in (1400, 1000, 700, 400):
        window.set_viewport_size({"width": width, "height": 1000})
        nothing_is_cut(page)
        window.wait_for_timeout(200)
        box, tops = view.bounding_box(), [place.bounding_box() for place in view.locator(".place").all()]
        assert all(one["x"] + one["width"] <= box["x"] + box["width"] for one in tops), width
        per_line.append(sum(one["y"] == tops[0]["y"] for one in tops))
        before = height(view)
        for _ in range(3):
            view.locator("button.main").click()
            window.wait_for_timeout(100)
            assert height(view) == before, width
    assert per_line == sorted(per_line, reverse=True) and per_line[-1] >= 3 and per_line[0] >= 10
    token = view.locator(".place").nth(2)
    token.scroll_into_view_if_needed()
    before = height(view)
    touch(page, middle(token))
    page.python_becomes("view.token", "2")
    wait_for_text(page, ".readout", "“\u2068accordion\u2069”")
    assert height(view) == before
    window.set_viewport_size({"width": 1000, "height": 1000})
    page.python("view.second = 'quince'")
    wait_for_text(page, ".hint-line", "quince")
    nothing_in_light_and_dark(page)
