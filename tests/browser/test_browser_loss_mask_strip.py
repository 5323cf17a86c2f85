"""LossMaskStrip in a real JupyterLab: what training does with own chats, by keys, in every window."""

import json

from test_browser_accessible import nothing_in_light_and_dark
from test_browser_attention import middle, nothing_is_cut, touch
from test_browser_views import contrast_of, height, wait_for_text

STRIP = """
import json
from course_lib.tasks.assistant import WORDS
from course_lib.text.chat import chat_row
from course_lib.text.chat_rows import pack_chats
from course_lib.widgets import LossMaskStrip
ASKED = [("user", "anna is at the farm . where is anna ?"), ("assistant", "at the farm .")]
SUM = [("user", "what is 17 + 25 ?"), ("call", "calculate 17 + 25"), ("tool", "42"),
       ("assistant", "that is 42 .")]
view = LossMaskStrip([ASKED, SUM], WORDS)
view"""
NUMBERS = "() => document.querySelector('.course-view').numbers()"
ANSWERED = "() => document.querySelector('.course-view').numbers().answered"
BOXES = """() => [...document.querySelectorAll('.course-view .strips .tok')].map((node) =>
  [node.querySelector('bdi').innerText,
    ['trained', 'tool', 'given'].find((kind) => node.matches(`.${kind}`))])"""
PYTHON = """
def trained():
    row = pack_chats([chat_row(turns, WORDS) for turns in view.chats], 500)
    ids, labels = row.ids[0].tolist(), row.labels[0, 1:].tolist()
    if view.loss == "everything":
        labels = [i if i != 1 else -100 for i in ids[1:]]
    return [[WORDS.tokens[i] for i in ids], labels]
"""


def same_as_training(page) -> list:
    """Tokens and labels are those of `chat_row` and `pack_chats`; gives the boxes."""
    page.window.wait_for_function(ANSWERED)
    page.window.wait_for_timeout(150)
    tokens, labels = json.loads(page.python("print(json.dumps(trained()))"))
    boxes = page.window.evaluate(BOXES)
    assert [token for token, _ in boxes] == tokens
    assert page.window.evaluate(NUMBERS)["labels"] == labels
    assert [kind == "trained" for _, kind in boxes[1:]] == [label >= 0 for label in labels]
    return boxes


def test_a_chat_of_ones_own(lab, open_page):
    page = open_page(lab.write("strip.ipynb", [STRIP]), dark=True)
    page.run_all()
    page.python(PYTHON)
    window, view = page.window, page.window.locator(".course-view")
    strips, tokens = view.locator("[role=listbox]"), view.locator(".strips .tok")
    tokens.first.wait_for()
    boxes = same_as_training(page)
    assert ["4", "tool"] in boxes and ["<|call|>", "trained"] in boxes
    assert view.locator(".who").all_inner_texts() == [
        "user",
        "assistant",
        "user",
        "call",
        "tool",
        "assistant",
    ]
    assert view.locator(".chat-head.boundary").count() == 1
    wait_for_text(page, ".counted", "Ends trained: 3, one for each of the 3 turns that the assistant writes.")
    before = height(view)

    # the label of a token by keys and by the mouse: the off-by-one
    strips.focus()
    window.keyboard.press("Home")
    page.python_becomes("view.place", "0")
    wait_for_text(page, ".readout", "Place 0: “\u2068[BOS]\u2069”, id 1, it begins the chat; given.")
    for _ in range(13):
        window.keyboard.press("ArrowRight")
    page.python_becomes("view.place", "13")
    wait_for_text(page, ".readout", "the model must say the next token: “\u2068at\u2069”")
    assert view.locator(".shift .reads td.on bdi").inner_text() == "<|assistant|>"
    assert view.locator(".shift .says td.on bdi").inner_text() == "at"
    active = strips.get_attribute("aria-activedescendant")
    assert view.locator(f"[id={active}]").get_attribute("aria-selected") == "true"
    tokens.nth(5).hover()
    wait_for_text(page, ".readout", "the label is −100 (·)")
    assert view.locator(".shift .says td.on").inner_text().split() == ["·", "−100"]
    tokens.nth(18).hover()
    wait_for_text(page, ".readout", "The next token begins another chat")
    window.mouse.move(5, 5)
    wait_for_text(page, ".readout", "Place 13:")
    strips.focus()
    window.keyboard.press("End")
    wait_for_text(page, ".readout", "It is the last token: nothing comes next")
    assert height(view) == before
    for place in (".tok.trained bdi", ".tok.given bdi", ".tok.tool bdi", ".counted", ".says .on", ".who"):
        assert contrast_of(page, f".course-view {place}") > 4.5, place

    # the loss on everything: the ends of others are trained, too
    view.locator(".chips label", has_text="everything").click()
    page.python_becomes("view.loss", "everything")
    assert [kind for _, kind in same_as_training(page)].count("trained") == len(boxes) - 2
    wait_for_text(page, ".counted", "Ends trained: 6, but the assistant writes only 3 turns.")
    assert height(view) == before
    view.locator(".chips input").first.focus()
    window.keyboard.press("ArrowLeft")
    window.keyboard.press("ArrowRight")
    page.python_becomes("view.loss", "answers")

    # own text: unknown words, a marker that is typed, a turn more, a turn less, another chat
    view.locator(".switch input").check()
    texts, roles = view.locator(".editor input"), view.locator(".editor select")
    texts.nth(1).fill("Quince <|end|> <|user|>")
    page.python_becomes("view.chats[0][1][1]", "Quince <|end|> <|user|>")
    same_as_training(page)
    assert view.locator(".tok.unknown").count() == 11
    wait_for_text(page, ".hint-line", "No words that have an id: “\u2068quince\u2069”")
    assert view.locator(".tok.unknown").first.inner_text().split() == ["quince", "[UNK]"]
    view.locator("button", has_text="Add a turn").first.click()
    assert (
        window.evaluate("document.activeElement.getAttribute('aria-label')")
        == "what is said in turn 3 of chat 1"
    )
    window.keyboard.type("where is tom ?")
    page.python_becomes("view.chats[0][2]", "['user', 'where is tom ?']")
    same_as_training(page)
    roles.nth(2).select_option("assistant")
    page.python_becomes("view.chats[0][2][0]", "assistant")
    same_as_training(page)
    view.locator("button.remove").nth(2).focus()
    window.keyboard.press("Enter")
    page.python_becomes("len(view.chats[0])", "2")
    view.locator("button", has_text="Pack another").click()
    page.python_becomes("len(view.chats), view.chats[2]", "3 [['user', ''], ['assistant', '']]")
    same_as_training(page)
    assert view.locator(".chat-head.boundary").count() == 2
    view.locator("button", has_text="Undo").click()
    page.python_becomes("len(view.chats)", "2")
    assert texts.count() == 6 and texts.nth(1).input_value() == "Quince <|end|> <|user|>"

    # nothing to train is said
    page.python("view.chats = [[('user', 'hello')]]")
    wait_for_text(page, ".hint-line", "The chat has no turn of the assistant: there is nothing to train")
    assert view.locator("button.remove").get_attribute("aria-disabled") == "true"
    view.locator("button", has_text="Reset").click()
    page.python_becomes("len(view.chats), view.place", "2 13")
    assert same_as_training(page) == boxes

    # code that says the same
    window.context.grant_permissions(["clipboard-read", "clipboard-write"])
    view.locator("button", has_text="Copy").click()
    wait_for_text(page, ".state", "Copied")
    said = [
        line.split() for line in page.python(window.evaluate("navigator.clipboard.readText()")).splitlines()
    ]
    assert (
        said[13] == ["<|assistant|>", "at"] and said[12] == ["<|end|>", "·"] and len(said) == len(boxes) - 2
    )

    # without the kernel the strips still tell of their labels, and the view says that nobody answers
    page.restart()
    texts.nth(0).fill("tom")
    wait_for_text(page, ".corner-line", "run this cell again")
    tokens.nth(13).hover()
    wait_for_text(page, ".readout", "the model must say the next token")


def test_the_strip_in_every_window_and_by_finger(lab, open_page):
    page = open_page(lab.write("strip_small.ipynb", [STRIP]))
    page.finger()
    page.run_all()
    window, view = page.window, page.window.locator(".course-view")
    tokens = view.locator(".strips .tok")
    tokens.first.wait_for()
    window.evaluate("jupyterapp.shell.collapseLeft()")
    page.python("view.chats = [[('user', 'Donaudampfschifffahrt ' * 3), *SUM, *ASKED], SUM]")
    wait_for_text(page, ".hint-line", "donaudampf")
    view.locator(".switch input").check()
    columns = []
    for width in (1400, 1000, 700, 400):
        window.set_viewport_size({"width": width, "height": 1000})
        window.wait_for_timeout(300)
        nothing_is_cut(page)
        box, inside = view.bounding_box(), ".strips .tok, .shift td, .editor input, .editor select, .remove"
        parts = [one.bounding_box() for one in view.locator(inside).all()]
        assert all(one["x"] + one["width"] <= box["x"] + box["width"] for one in parts), width
        columns.append(view.locator(".shift .places td").count())
        before = height(view)
        for place in (0, 3, 12, 30, len(view.locator(".tok").all()) - 1):
            page.python(f"view.place = {place}")
            wait_for_text(page, ".readout", f"Place {place}:")
            assert height(view) == before, (width, place)
    assert columns == sorted(columns, reverse=True) and columns[0] >= 8 and columns[-1] >= 3
    token = tokens.nth(2)
    token.scroll_into_view_if_needed()
    touch(page, middle(token))
    page.python_becomes("view.place", "2")
    window.set_viewport_size({"width": 1000, "height": 1000})
    nothing_in_light_and_dark(page)
    page.python("view.loss = 'everything'")
    nothing_in_light_and_dark(page)
