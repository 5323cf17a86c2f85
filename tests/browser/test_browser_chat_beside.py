"""ChatBeside in a real JupyterLab: ask, go on, stop, refuse; verdicts and tally; keyboard; all windows."""

import json

from test_browser_accessible import nothing_in_light_and_dark
from test_browser_attention import middle, nothing_is_cut, touch
from test_browser_views import contrast_of, height, wait_for_text

START = """
import json, time, torch
from course_lib.tasks.assistant import WORDS
from course_lib.tasks.assistant.verdicts import find
from course_lib.text.chat import read_turns
from course_lib.tasks.assistant.beside import Beside
from course_lib.widgets import ChatBeside
SLOW = 0
class Says:  # what `say` gives for the turns so far
    def __init__(self, say): self.say = say
    def next_logits(self, tokens, state):
        time.sleep(SLOW)
        if state is None:
            text = self.say(read_turns(tokens[0].tolist(), WORDS))
            call = [WORDS.special["<|call|>"]] * text.startswith("calculate")
            state = [*call, *WORDS.encode(text), WORDS.special["<|end|>"]]
        logits = torch.zeros(1, len(WORDS.tokens))
        logits[0, state[0]] = 1
        return logits, None, state[1:]
def true(style):
    def say(turns):
        asked = find(WORDS.split(view.text), WORDS.split(view.question))
        if asked.kind == "sum" and turns[-2].role != "tool": return "calculate " + asked.expression
        return " ".join(getattr(asked, style))
    return say
stages = {"base": Says(lambda turns: "she goes to the park . " * 30), "sft": Says(true("short")),
          "dpo": Says(true("whole")), "grpo": Says(lambda turns: "the story does not say .")}
view = ChatBeside(Beside(stages), number=3, question="where is anna ?")
view"""
NUMBERS = "() => document.querySelector('.course-view').numbers()"
ENDED = "() => { const { playing, writing, answered } = document.querySelector('.course-view').numbers();\
 return !playing && !writing && answered; }"
AT_END = """() => [...document.querySelectorAll('.log')]
  .every((log) => log.scrollHeight - log.clientHeight - log.scrollTop < 2)"""
SIDES = """() => [...document.querySelectorAll('.course-view :is(select, .log, .tally, textarea)')]
  .map((node) => [node, node.closest('.jp-OutputArea-output')].map((one) => one.getBoundingClientRect()))
  .filter(([box, page]) => box.right > page.right + 1).length"""
OFF = "aria-disabled"


def same_as_python(page) -> None:
    """Each line of each column, and the table, are what Python holds."""
    page.window.wait_for_function(ENDED)
    page.window.wait_for_timeout(100)
    rounds, tally = json.loads(page.python("print(json.dumps([view.rounds, view.tally]))"))
    numbers = page.window.evaluate(NUMBERS)
    assert numbers["rounds"] == rounds and numbers["tally"] == tally
    who = {"call": "calls", "tool": "result", "assistant": ""}
    for place, log in enumerate(page.window.locator(".course-view .log").all()):
        expected = []
        for one in rounds:
            expected.append(f"{'story, then' if one['story'] else 'asked'}{one['question']}")
            expected += [who[role] + text for role, text in one["answers"][place]["turns"]]
        assert log.locator(".turn").all_text_contents() == expected
        signs = [one["answers"][place]["sign"] for one in rounds if one["answers"][place]["sign"]]
        assert log.locator(".sign-of").all_inner_texts() == signs
    for counts, row in zip(tally, page.window.locator(".tally tbody tr").all(), strict=True):
        seen = row.locator("td").all_inner_texts()
        names = ("right", "refused rightly", "refused falsely", "right, a whole sentence")
        if counts["asked"]:
            assert seen == [
                f"{counts[name]}{' of ' + str(counts['asked']) if name == 'right' else ''}" for name in names
            ]
        else:
            assert seen == ["–"] * 4


def test_a_chat_by_mouse_and_keys(lab, open_page):
    page = open_page(lab.write("chat_beside.ipynb", [START]))
    page.run_all()
    window, view = page.window, page.window.locator(".course-view")
    view.locator(".log").nth(3).wait_for()
    before = height(view)
    names = ("Another story", "And then?", "Stop", "Undo", "Reset")
    another, then, stop, undo, reset = (view.locator("button", has_text=name) for name in names)
    ask, box, hint = view.locator("button.main"), view.locator("input[type=text]"), view.locator(".hint-line")
    assert then.get_attribute(OFF) == stop.get_attribute(OFF) == "true"
    assert box.input_value() == "where is anna ?" and view.locator(".log .turn").count() == 0

    # ask: the answers grow, then the Town judges them
    ask.click()
    same_as_python(page)
    assert page.python("print([a['sign'] for a in view.rounds[0]['answers']])") == "['✗', '✓', '✓', '✗']"
    assert hint.inner_text().startswith("Right: sft and dpo · not right: base and grpo.")
    assert "refused falsely; the answer is:" in view.locator(".log").nth(3).inner_text()
    assert "it did not end" in view.locator(".log").nth(0).inner_text()
    assert height(view) == before and window.evaluate(AT_END)

    # and then: a sum from the menu, by keys; its call and the tool's result are lines of their own
    view.locator("select").focus()
    window.keyboard.press("End")
    page.python_becomes("view.question == view.menu[-1][1][-1]", "True")
    assert box.input_value().startswith("what is ")
    box.focus()
    window.keyboard.press("Enter")
    page.python_becomes("len(view.rounds), view.writing", "2 False", 20)
    same_as_python(page)
    kinds = [
        line.get_attribute("class").split()[1] for line in view.locator(".log").nth(2).locator(".turn").all()
    ]
    assert kinds == ["user", "assistant", "user", "call", "tool", "assistant"]
    assert height(view) == before and window.evaluate(AT_END)
    for place in (".turn.call .said", ".turn.tool .said", ".verdict-of", ".who", ".tally thead th"):
        assert contrast_of(page, f".course-view {place}") > 4.5, place

    # stop, by the mouse and by Escape, while Python is slow: what is written stays, and nothing is counted
    page.python("SLOW = 0.05")
    asked = page.python("print([one['asked'] for one in view.tally])")
    for how in ("mouse", "Escape"):
        ask.click()
        window.wait_for_function(
            "() => document.querySelector('.course-view').numbers().rounds.at(-1)?.answers[0].turns.length"
        )
        if how == "mouse":
            stop.click()
        else:
            window.keyboard.press("Escape")
        window.wait_for_function(ENDED)
        n = page.python("print(len(view.rounds[0]['answers'][0]['turns'][0][1].split()))")
        assert 0 < int(n) < 30
        window.wait_for_timeout(300)
        assert page.python("print(len(view.rounds[0]['answers'][0]['turns'][0][1].split()))") == n
        same_as_python(page)
    assert page.python("print([one['asked'] for one in view.tally][0])") == str(json.loads(asked)[0])
    page.python("SLOW = 0")

    # undo takes an answer back with its count; another story brings other questions
    undo.click()
    page.python_becomes("view.rounds[0]['answers'][0]['verdict']", "stopped: no verdict")
    undo.click()
    page.python_becomes("len(view.rounds)", "2")
    same_as_python(page)
    another.click()
    page.python_becomes("view.number", "4")
    page.python_becomes("view.question == view.menu[0][1][0]", "True")
    wait_for_text(page, ".hint-line", "“Ask” begins a new chat")
    assert then.get_attribute(OFF) == "true" and box.input_value() == page.python("print(view.question)")

    # a story and a question of one's own; what nobody knows is named, and nothing typed is lost
    view.locator("textarea").first.fill("Max is in the park. Nina has a green hat.")
    box.fill("who has the green hat?")
    page.python_becomes("view.text, view.message == ''", "Max is in the park. Nina has a green hat. True")
    ask.click()
    page.python_becomes("len(view.rounds), view.writing", "1 False", 20)
    same_as_python(page)
    assert "nina ." in view.locator(".log").nth(1).inner_text()
    box.fill("who has the quince ?")
    wait_for_text(page, ".hint-line", "Tiny Town does not know “quince”")
    ask.click()
    window.wait_for_function(ENDED)
    assert page.python("print(len(view.rounds))") == "1" and box.input_value() == "who has the quince ?"
    view.locator("textarea").first.fill("max has the red hat .")
    wait_for_text(page, ".unread", "The Town gives no verdicts about this story: ")
    assert height(view) == before
    reset.click()
    page.python_becomes("view.rounds, view.number, view.question", "[] 3 where is anna ?")
    assert view.locator(".log .turn").count() == 0 and reset.get_attribute(OFF) == "true"

    # code that says the same
    ask.click()
    page.python_becomes("len(view.rounds), view.writing", "1 False", 20)
    window.context.grant_permissions(["clipboard-read", "clipboard-write"])
    view.locator("button", has_text="Copy").click()
    wait_for_text(page, ".state", "Copied")
    said = page.python(window.evaluate("navigator.clipboard.readText()")).splitlines()
    assert len(said) == 4 and said[3] == "grpo | the story does not say ."

    # without the kernel the view says that nobody answers; the chat stays
    page.restart()
    ask.click()
    wait_for_text(page, ".corner-line", "run this cell again")
    stop.click()
    assert view.locator(".log .turn").count() >= 8


def test_a_chat_in_every_window_and_by_finger(lab, open_page):
    page = open_page(lab.write("chat_small.ipynb", [START]), dark=True)
    page.finger()
    page.run_all()
    window, view = page.window, page.window.locator(".course-view")
    view.locator(".log").nth(3).wait_for()
    window.evaluate("jupyterapp.shell.collapseLeft()")
    for width, across in ((1400, 4), (1000, 2), (700, 2), (400, 1)):
        window.set_viewport_size({"width": width, "height": 1000})
        window.wait_for_timeout(200)
        before = height(view)
        ask = view.locator("button.main")
        ask.scroll_into_view_if_needed()
        touch(page, middle(ask))
        page.python_becomes("len(view.rounds), view.writing", "1 False", 20)
        window.wait_for_function(ENDED)
        nothing_is_cut(page)
        assert window.evaluate(SIDES) == 0 and height(view) == before, width
        lefts = {round(log.bounding_box()["x"]) for log in view.locator(".log").all()}
        assert len(lefts) == across, width
        page.python("view.question = 'who is quince , zebra and tom , and where are they now ?'")
        wait_for_text(page, ".hint-line", "quince")
        assert height(view) == before, width
        nothing_is_cut(page)
        page.python("view.question = 'where is anna ?'")
    window.set_viewport_size({"width": 1000, "height": 1000})
    nothing_in_light_and_dark(page)
