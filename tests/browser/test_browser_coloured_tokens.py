"""ColouredTokens in a real JupyterLab: Python's ids for own text, bytes, two tokenizers, every window."""

import json

from test_browser_accessible import nothing_in_light_and_dark
from test_browser_attention import middle, nothing_is_cut, touch
from test_browser_bpe import CORPUS, NUMBERS
from test_browser_views import contrast_of, height, wait_for_text

TOKENS = f"""
import json
from course_lib.text.bpe import train_bpe
from course_lib.widgets import ColouredTokens
tokenizers = {{"learned": train_bpe({CORPUS!r} * 3, 300), "bytes": train_bpe("", 256)}}
examples = {{"indented": "    the cat\\n    a hat", "other letters": "猫 été 👍🏽"}}
view = ColouredTokens(tokenizers, "the cat sat", examples=examples)
view"""


def readout(page) -> str:
    return (
        page.window.locator(".course-view .readout").inner_text().replace("\u2068", "").replace("\u2069", "")
    )


def test_tokens_of_ones_own_text(lab, open_page):
    page = open_page(lab.write("tokens.ipynb", [TOKENS]), dark=True)
    page.run_all()
    window, view = page.window, page.window.locator(".course-view")
    view.locator(".piece").first.wait_for()
    learned, raw = view.locator(".pieces").nth(0), view.locator(".pieces").nth(1)
    area = view.locator(".own-text textarea")
    before = height(view)
    for place in (".tone-0", ".tone-1", ".lab-title .soft", ".readout .soft", ".legend"):
        assert contrast_of(page, f".course-view {place}") > 4.5, place

    # whatever is typed: the ids are Python's, and every sign is drawn
    for text in ("the cat, the hat", "  a\n\n\tcat's 猫 ", "[EOS] été 👍🏽\u200d", "a" * 50):
        area.fill(text)
        page.python_becomes("json.dumps(view.text)", json.dumps(text))
        assert page.window.evaluate(NUMBERS) == json.loads(
            page.python("print(json.dumps(list(view.encoded().values())))")
        )
        shown = [view.locator(".pieces").nth(p).locator(".piece").all_inner_texts() for p in (0, 1)]
        assert shown == json.loads(
            page.python("print(json.dumps([[one.shown for one in row] for row in view.cells().values()]))")
        )
    view.locator(".chips label", has_text="indented").click()
    page.python_becomes("json.dumps(view.text)", '"    the cat\\n    a hat"')
    assert raw.locator("br").count() == 1 and raw.locator(".piece").first.inner_text() == "·"

    # by the mouse: id, bytes, what it was made of, and what the other tokenizer makes of its bytes
    area.fill("the cat")
    page.python_becomes("view.text", "the cat")
    ids, merges = json.loads(
        page.python("print(json.dumps([view.encoded()['learned'], tokenizers['learned'].merges]))")
    )
    token = learned.locator(".piece", has_text="·cat")
    token.hover()
    wait_for_text(page, ".readout", "20 63 61 74")
    said = readout(page)
    for words in (
        f"learned: token 2 of 2, “·cat” · id {ids[1]} · 4 bytes: 20 63 61 74",
        f"Learned as merge {ids[1] - 255}: ",
        "bytes: the same bytes are “·” (220) “c” (66) “a” (64) “t” (83)",
    ):
        assert words in said, said
    assert (
        all(0 <= part < ids[1] for part in merges[ids[1] - 256]) and raw.locator(".piece.same").count() == 4
    )
    window.mouse.move(5, 5)
    wait_for_text(page, ".readout", "Point at a token")
    assert view.locator(".piece:is(.on, .same)").count() == 0 and height(view) == before

    # by keys, through a letter of three bytes
    area.fill("a 猫")
    page.python_becomes("view.text", "a 猫")
    area.focus()
    window.keyboard.press("Tab")
    for _ in range(8):  # the examples, the switch, the first box, the second
        window.keyboard.press("Tab")
        if raw.evaluate("(node) => node === document.activeElement"):
            break
    window.keyboard.press("End")
    wait_for_text(page, ".readout", "token 5 of 5")
    said = readout(page)
    assert "“⟨ab⟩” · id 104 · 1 byte: ab" in said
    assert (
        "One of the 256 bytes: here nothing was merged. A part of a letter: byte 3 of the 3 of “猫”." in said
    )
    assert "learned: " in said and height(view) == before
    active = raw.get_attribute("aria-activedescendant")
    assert view.locator(f"[id={active}]").get_attribute("aria-selected") == "true"
    window.keyboard.press("ArrowLeft")
    wait_for_text(page, ".readout", "token 4 of 5")
    window.keyboard.press("Escape")
    wait_for_text(page, ".readout", "Point at a token")

    # ids in place of letters; undo, reset, code that says the same
    view.locator(".switch input").check()
    page.python_becomes("view.ids", "True")
    assert raw.locator(".piece").all_inner_texts() == [str(i) for i in window.evaluate(NUMBERS)[1]]
    window.context.grant_permissions(["clipboard-read", "clipboard-write"])
    view.locator("button", has_text="Copy").click()
    wait_for_text(page, ".state", "Copied")
    said = page.python(window.evaluate("navigator.clipboard.readText()")).splitlines()
    assert said[2] == "bytes: 5 tokens for 5 bytes" and said[3].startswith("[(64, b'a'), (220, b' '), (163,")
    view.locator("button", has_text="Undo").click()
    page.python_becomes("view.ids", "False")
    view.locator("button", has_text="Reset").click()
    page.python_becomes("view.text", "the cat sat")
    assert area.input_value() == "the cat sat"
    area.fill("")
    wait_for_text(page, ".cuts", "no token: type a text")

    # without the kernel the text is cut all the same
    page.restart()
    area.fill("the hat")
    window.wait_for_function("() => document.querySelector('.course-view').numbers()[1].length === 7")
    wait_for_text(page, ".corner-line", "run this cell again")


def test_tokens_in_every_window_and_by_finger(lab, open_page):
    page = open_page(lab.write("tokens_small.ipynb", [TOKENS]))
    page.finger()
    page.run_all()
    window, view = page.window, page.window.locator(".course-view")
    view.locator(".piece").first.wait_for()
    window.evaluate("jupyterapp.shell.collapseLeft()")
    page.python("view.text = 'Donaudampfschifffahrtsgesellschaft 猫猫 ' * 6")
    wait_for_text(page, ".readout", "Tap a token")
    for width in (1400, 1000, 700, 400):
        window.set_viewport_size({"width": width, "height": 1000})
        nothing_is_cut(page)
        first, second = (view.locator(".cut").nth(p).bounding_box() for p in (0, 1))
        assert (second["x"] > first["x"] + 50) == (width >= 1000), width
        wide = view.bounding_box()
        for piece in (view.locator(".piece").first, view.locator(".piece").last):
            box = piece.bounding_box()
            assert box["x"] >= wide["x"] and box["x"] + box["width"] <= wide["x"] + wide["width"], width
    page.python("view.text = 'the cat'")
    token = view.locator(".pieces").nth(1).locator(".piece").nth(4)
    window.wait_for_function("() => document.querySelector('.course-view').numbers()[1].length === 7")
    token.scroll_into_view_if_needed()
    before = height(view)
    touch(page, middle(token))
    wait_for_text(page, ".readout", "token 5 of 7")
    assert "these bytes lie in “·cat”" in readout(page) and height(view) == before
    window.set_viewport_size({"width": 1000, "height": 1000})
    nothing_in_light_and_dark(page)
