"""BpeStepper in a real JupyterLab: Python's merges, ties, own text, keys, every window; its scripts alone."""

import json
import random

from test_browser_accessible import nothing_in_light_and_dark
from test_browser_attention import middle, nothing_is_cut, touch
from test_browser_views import contrast_of, height, wait_for_text

from course_lib.text.bpe import train_bpe
from course_lib.text.presplit import split
from course_lib.viz.tokens import token_cells
from course_lib.widgets import BpeStepper, ColouredTokens
from course_lib.widgets.front import BROWSER

TEXT = "aaabdaaabac, the cat, the hat, that cat"
STEPPER = f"""
import json
from course_lib.widgets import BpeStepper
view = BpeStepper({TEXT!r})
view"""
CORPUS = "a cat and a hat, the cat's hat, the 猫 and the 猫猫, été 12\n\n    the cat\n    a hat "
SIGNS = "aaabcd  'stre\n\t\r.,_12é猫👍🏽\u00a0\u2003\u0085\ufeff\u200d\u0301٣Ⅷ\x1c\u2028"
NUMBERS = "() => document.querySelector('.course-view').numbers()"
FOCUSED = "() => document.activeElement.getAttribute('aria-label') ?? document.activeElement.innerText"


def test_chromium_splits_encodes_and_draws_as_python(browser):
    """The scripts alone, on texts that no page would show; Node asks the same in the unit tests."""
    draw = random.Random(3)
    texts = ["".join(draw.choices(SIGNS, k=draw.randrange(40))) for _ in range(300)] + [CORPUS, "a" * 400]
    bpe = train_bpe(CORPUS * 3, 300)
    tokens = [*bpe.tokens, *("".join(draw.choices(SIGNS, k=5)).encode()[1:] for _ in range(200))]
    encoding = (BROWSER / "bpe" / "encoding.js").read_text("utf-8")
    window = browser.new_page()
    words, ids, cells = window.evaluate(
        f"""([texts, packed, tokens]) => {{ {encoding}
        const bpe = tokenizerOf(unpackedMerges(new DataView(Uint8Array.from(packed).buffer)));
        return [texts.map(splitWords), texts.map(bpe.encode), tokens.map(cellOf)]; }}""",
        [texts, list(ColouredTokens(bpe, "").packed[0]), [list(token) for token in tokens]],
    )
    window.close()
    assert words == [split(text) for text in texts]
    assert ids == [bpe.encode(text) for text in texts]
    for mine, cell in zip(cells, token_cells(range(len(tokens)), tokens), strict=True):
        assert {**mine, "id": cell.id} == cell._asdict()


def same_as_python(page) -> None:
    """Merges and words that the browser has made are Python's."""
    page.window.wait_for_timeout(100)
    mine = page.window.evaluate(NUMBERS)
    merges, words = json.loads(
        page.python(
            "found = view.states[view.step]\n"
            "print(json.dumps([view.merges(), [list(map(len, word)) for word in found.words]]))"
        )
    )
    assert mine["merges"] == merges and [len(word) for word in mine["words"]] == [len(word) for word in words]


def test_merges_ties_and_a_text_of_ones_own(lab, open_page):
    page = open_page(lab.write("bpe.ipynb", [STEPPER]), dark=True)
    page.run_all()
    window, view = page.window, page.window.locator(".course-view")
    merge, back = view.locator("button.main"), view.locator("button", has_text="Back")
    view.locator(".word .piece").first.wait_for()
    before = height(view)
    for place in (".piece.byte", ".facts th", ".facts td.roomy", ".tie", ".times", ".size", ".readout"):
        assert contrast_of(page, f".course-view {place}") > 4.5, place

    # forward: the words shrink, the pairs are counted anew, the view keeps its height
    python = BpeStepper(TEXT)
    sizes = []
    for step in range(6):
        state = python.states[step]
        rows = view.locator(".facts tbody tr:not(.blank)")
        assert rows.count() == min(8, len(state.pairs))
        assert rows.first.locator(".number").inner_text() == str(state.pairs[0].count)
        ties = view.locator(".tie", has_text="tie").count()
        assert ties == (min(8, state.ties) if state.ties > 1 else 0)
        wait_for_text(page, ".story", "pairs tie" if state.ties > 1 else "the most frequent pair")
        sizes.append(view.locator(".word .piece").count())
        assert view.locator(".facts tr.next").count() == 1 and view.locator(".piece.hit").count() >= 1
        assert height(view) == before, step
        merge.click()
        page.python_becomes("view.step", str(step + 1))
        same_as_python(page)
    assert sizes == sorted(sizes, reverse=True) and len(set(sizes)) == 6
    assert contrast_of(page, ".course-view .piece.merged") > 4.5
    assert view.locator(".learned-token").count() == 6
    back.click()
    page.python_becomes("view.step", "5")
    view.locator(".learned-token").nth(1).click()  # back to the second one
    page.python_becomes("view.step", "2")
    same_as_python(page)

    # the tie of the known example, decided by keys
    area = view.locator(".own-text textarea")
    area.fill("aaabdaaabac")
    page.python_becomes("view.text, view.step", "aaabdaaabac 0")
    assert "4 times, in 1 different word. Some overlap, as in “aaa”: a merge takes it only 2 times." in (
        view.locator(".readout").inner_text()
    )
    merge.click()
    wait_for_text(
        page, ".story", "Merge 2: 2 pairs tie, 2 times each. By the rule, “\u2068a\u2069” + “\u2068b\u2069”"
    )
    tied = view.locator(".facts tr.tied button")
    assert tied.count() == 2 and tied.first.get_attribute("aria-pressed") == "true"
    tied.first.focus()
    window.keyboard.press("Tab")
    window.keyboard.press("Enter")
    page.python_becomes("view.picks", "[0, 1]")
    wait_for_text(page, ".story", "You take “\u2068aa\u2069” + “\u2068a\u2069”; by the rule it would be")
    assert window.evaluate(FOCUSED).startswith("aa and a, 2 times, tied")
    window.keyboard.press("PageDown")
    page.python_becomes("view.step, view.merges()", "2 [(64, 64), (256, 64)]")
    same_as_python(page)
    assert view.locator(".word .piece").all_inner_texts() == ["aaa", "b", "d", "aaa", "b", "a", "c"]

    # code that says the same; undo, reset
    window.context.grant_permissions(["clipboard-read", "clipboard-write"])
    view.locator("button", has_text="Copy").click()
    wait_for_text(page, ".state", "Copied")
    said = page.python(window.evaluate("navigator.clipboard.readText()")).splitlines()
    assert said[0] == "[(64, 64), (256, 64)]" and said[1].startswith("['aaa', 'b', 'd', 'aaa',")
    view.locator("button", has_text="Undo").click()
    page.python_becomes("view.step, view.picks", "1 [0, 1]")
    view.locator("button", has_text="Undo").click()
    page.python_becomes("view.step, view.picks", "1 []")
    view.locator("button", has_text="Reset").click()
    page.python_becomes("view.text == view.start['text'], view.step", "True 0")
    assert area.input_value() == TEXT
    merge.click()
    view.locator("button", has_text="Copy").click()
    wait_for_text(page, ".state", "Copied")
    said = page.python(window.evaluate("navigator.clipboard.readText()")).splitlines()
    assert said[0] == page.python("print(view.merges())")

    # bytes: a letter of two is two tokens first; a text of the reader's keeps its own Ctrl+Z
    area.fill("é é")
    wait_for_text(page, ".words", "⟨c3⟩")
    assert view.locator(".word .piece").all_inner_texts() == ["⟨c3⟩", "⟨a9⟩", "·", "⟨c3⟩", "⟨a9⟩"]
    merge.click()
    wait_for_text(page, ".learned", "256")
    assert view.locator(".word .piece").all_inner_texts() == ["é", "·", "é"]
    area.focus()
    window.keyboard.press("End")
    window.keyboard.type("x")
    page.python_becomes("view.text, view.step", "é éx 0")
    window.keyboard.press("Control+z")  # the box's own, in which Chromium may take all letters back at once
    page.window.wait_for_timeout(300)
    assert page.python("print(view.step)") == "0", "the view's own would bring the merge back"
    area.fill("")
    wait_for_text(page, ".story", "Type a text with a word of two letters or more.")

    # playing goes to the end; without the kernel all goes on, and the view says so
    area.fill("the the he")
    view.locator("button", has_text="Play").click()
    wait_for_text(page, ".story", "No pair is left: each word is one token.")
    page.python_becomes("view.step, view.tokenizer().decode([257])", "4 the")
    page.restart()
    area.fill("abab abab")
    wait_for_text(
        page, ".story", "Merge 1 takes “\u2068a\u2069” + “\u2068b\u2069”: the most frequent pair, 4 times."
    )
    wait_for_text(page, ".corner-line", "run this cell again")


def test_the_stepper_in_every_window_and_by_finger(lab, open_page):
    page = open_page(lab.write("bpe_small.ipynb", [STEPPER]))
    page.finger()
    page.run_all()
    window, view = page.window, page.window.locator(".course-view")
    view.locator(".word .piece").first.wait_for()
    window.evaluate("jupyterapp.shell.collapseLeft()")
    for width in (1400, 1000, 700, 400):
        window.set_viewport_size({"width": width, "height": 1000})
        nothing_is_cut(page)
        words, table, box = (view.locator(name).bounding_box() for name in (".words", ".pairs", ".both"))
        assert (table["x"] > words["x"] + 50) == (width >= 1000), width
        assert table["x"] + table["width"] <= box["x"] + box["width"] + 1, width
        whole = "(names) => names.every((name) => name.scrollWidth <= name.clientWidth)"
        assert view.locator(".facts :is(th, .plain)").evaluate_all(whole), f"{width}: a pair is cut"
        before = height(view)
        for _ in range(3):
            view.locator("button.main").click()
        page.python_becomes("view.step", "3")
        assert height(view) == before, width
        view.locator("button", has_text="Reset").click()
        page.python_becomes("view.step", "0")
    page.python("view.step = 2")
    wait_for_text(page, ".story", "Merge 3: 2 pairs tie, 3 times each.")
    tied = view.locator(".facts tr.tied button").nth(1)
    tied.scroll_into_view_if_needed()
    touch(page, middle(tied))
    page.python_becomes("view.picks", "[0, 0, 1]")
    window.set_viewport_size({"width": 1000, "height": 1000})
    nothing_in_light_and_dark(page)
