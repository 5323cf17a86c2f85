"""Views and Python: what is said when Python does not answer, what an answer shows, which keys go through."""

UNHEARD = "Python is busy or was restarted: run this cell again."
START = """
import numpy as np, torch
from IPython.display import display
from course_lib.generation import trace_draw
from course_lib.practice import desk
from course_lib.tasks.assistant.beside import Beside
from course_lib.widgets import *
"""
START += """
from course_lib.tasks.assistant import END_ID
class SAYS:
    next_logits = lambda tokens, state: (torch.eye(206)[END_ID, None], None, 0)  # it says nothing
"""
START += "ENDED = dict(id=0, parent=None, token=0, log_prob=-1.0, length=1, status='finished')"
QUESTION = """
from course_lib.practice import progress_file
asked = []
def explain(option, confidence):
    asked.append((option, confidence))
    return "because"
display(Question("Why?", ["this", "that"], explain))"""
EVEN, EYE = "np.full((3, 3), 1 / 3)", "np.eye(3)"
VIEWS = {  # a view, what the reader does in it, and where it says that Python did not hear
    "MaskLab": ("MaskLab('the cat sat')", ".cell", ".corner-line"),
    "AttentionView": (f"AttentionView({EVEN}, [*'abc'], [*'abc'], editable=True)", ".cell", ".corner-line"),
    "PipelineStepper": (
        f"PipelineStepper({EYE}, {EYE}, {EYE}, [*'abc'], [*'abc'])",
        "button:not(:disabled)",
        ".corner-line",
    ),
    "ArchitectureView": ("ArchitectureView()", ".steer button:last-child", ".corner-line"),
    "ScheduleExplorer": ("ScheduleExplorer()", ".chart", ".corner-line"),
    "BeamTree": ("BeamTree([{'nodes': [ENDED]}], ['[EOS]'])", ".hypothesis", ".corner-line"),
    "NextToken": (
        "NextToken(lambda text, drawn: ([0, *drawn], torch.zeros(2), ['a', 'b']), trace_draw)",
        "button.main",
        ".corner-line",
    ),
    "StoryWriter": (
        "StoryWriter(lambda text, drawn: ([0, *drawn], torch.zeros(2), ['tom', '.'],"
        " torch.ones(1, 1, 1 + len(drawn), 1 + len(drawn))), trace_draw)",
        "button.main",
        ".corner-line",
    ),
    "ChatBeside": ("ChatBeside(Beside({'a': SAYS}))", "button.main", ".corner-line"),
    "Pronouncer": ("Pronouncer(lambda w: (list(w), list(w), np.eye(len(w))), 'cat')", "input", ".sounds"),
}


def answer(view, option: int = 0) -> None:
    view.locator(".options input").nth(option).check()
    view.locator(".chips label").nth(3).click()
    view.locator("button").click()


def becomes(page, selector: str, text: str, seconds: float = 10) -> None:
    page.window.wait_for_function(
        "([selector, text]) => document.querySelector(selector)?.innerText.includes(text)",
        arg=[selector, text],
        timeout=seconds * 1000,
    )


def run_cell(page, number: int) -> None:
    page.window.evaluate(f"jupyterapp.shell.currentWidget.content.activeCellIndex = {number}")
    page.window.evaluate("jupyterapp.commands.execute('notebook:run-cell').then(() => {})")
    page.idle()


def test_a_question_without_python_stays_open_and_says_why(lab, open_page):
    page = open_page(lab.write("restarted.ipynb", [START, QUESTION]))
    page.run_all()
    view, hint = page.window.locator(".course-view"), ".course-view button + span"
    page.restart()
    answer(view)
    assert page.window.locator(hint).inner_text() == "sent…"
    becomes(page, hint, UNHEARD)
    assert view.locator("button").inner_text() == "Answer" and view.locator("button").is_enabled()
    assert view.locator(".options input").nth(0).is_checked(), "what she chose is still chosen"
    assert view.locator(".options input").nth(1).is_enabled() and view.locator(".feedback.given").count() == 0

    # what the line says helps
    run_cell(page, 0)
    run_cell(page, 1)
    answer(view, 1)
    becomes(page, ".feedback", "because")
    assert page.python("print(asked)") == "[(1, 3)]"
    assert view.locator("button").inner_text() == "Answered" and view.locator("button").is_disabled()


def test_a_kernel_restarted_while_a_view_opens_does_no_harm(lab, open_page):
    opening = """
async def unanswered(*_): pass
get_ipython().kernel.control_handlers["create_subshell_request"] = unanswered  # so a view goes on opening
"""
    page = open_page(lab.write("opening.ipynb", [START, QUESTION, opening]))
    run_cell(page, 2)
    run_cell(page, 0)
    run_cell(page, 1)
    view = page.window.locator(".course-view")
    page.restart()
    answer(view)
    becomes(page, ".course-view button + span", UNHEARD)

    run_cell(page, 0)
    run_cell(page, 1)
    answer(view, 1)
    becomes(page, ".feedback", "because")
    assert page.python("print(asked)") == "[(1, 3)]"


def test_a_question_beside_a_busy_kernel_is_answered_when_it_is_free(lab, open_page):
    page = open_page(lab.write("busy_question.ipynb", [START, QUESTION]))
    page.run_all()
    view, hint = page.window.locator(".course-view"), ".course-view button + span"
    page.busy(3)
    answer(view)
    becomes(page, hint, UNHEARD)
    becomes(page, ".feedback", "because")
    assert page.window.locator(hint).inner_text() == "" and view.locator("button").is_disabled()
    assert page.python("print(asked)") == "[(0, 3)]"
    focused = page.window.evaluate("document.activeElement.className")
    assert focused == "feedback given", "after the answer the focus is at its explanation"


def test_every_view_says_when_python_does_not_hear(lab, open_page):
    cells = [START, *(code for code, _, _ in VIEWS.values())]
    page = open_page(lab.write("unheard.ipynb", cells))
    page.run_all()
    views = page.window.locator(".course-view")
    views.nth(len(VIEWS) - 1).wait_for()

    def act(place: int, control: str) -> None:
        node = views.nth(place).locator(control).first
        if control == "input":
            node.fill("word" if node.input_value() != "word" else "other")
        else:
            node.click()

    for place, (_, control, _line) in enumerate(VIEWS.values()):  # a kernel that listens: not a word
        act(place, control)
    page.window.wait_for_timeout(1300)
    assert UNHEARD not in page.window.locator("body").inner_text()
    before = [views.nth(place).bounding_box()["height"] for place in range(len(VIEWS))]

    page.busy(4)
    act(0, VIEWS["MaskLab"][1])
    becomes(page, f".course-view {VIEWS['MaskLab'][2]}", UNHEARD)
    page.idle()
    page.window.wait_for_function("() => !document.querySelector('.course-view .corner-line').innerText")

    page.restart()
    for place, (_, control, _line) in enumerate(VIEWS.values()):
        act(place, control)
    for place, (name, (_, _control, line)) in enumerate(VIEWS.items()):
        said = views.nth(place).locator(line)
        page.window.wait_for_function(
            "([place, line, text]) => document.querySelectorAll('.course-view')[place].querySelector(line)"
            ".innerText === text",
            arg=[place, line, UNHEARD],
        )
        assert said.bounding_box()["width"] > 50, name
    assert [views.nth(place).bounding_box()["height"] for place in range(len(VIEWS))] == before


def test_explanations_are_read_whole_at_every_width(lab, open_page):
    """The longest one of the course and the shortest: no inner scrollbar, nothing cut off."""
    cells = [
        START,
        """
every = {(p.id, i): len(o.explanation) + (i != p.right) * len(p.options[p.right].explanation)
         for p in desk.predictions().values() for i, o in enumerate(p.options)}
for pick in (max, min):
    name, option = pick(every, key=every.get)
    question = desk._live_question(desk.predictions()[name])
    display(question)
    question.answer = [option, 3]""",
    ]
    page = open_page(lab.write("explained.ipynb", cells))
    page.run_all()
    explained = page.window.locator(".feedback.given")
    explained.nth(1).wait_for()
    for width in (1400, 700, 400):
        if width == 400:  # nobody reads beside an open file list there
            page.window.evaluate("jupyterapp.commands.execute('application:toggle-left-area').then(() => {})")
        page.window.set_viewport_size({"width": width, "height": 900})
        page.window.wait_for_timeout(300)
        for place in range(2):
            cut = explained.nth(place).evaluate(CUT)
            assert cut == [], f"at {width} px: {cut}"


# Which boxes around (and including) a node hide some of it, up to the notebook itself.
CUT = """(node) => {
  const cut = [], end = node.closest('.jp-Notebook');
  const text = document.createRange();
  text.selectNodeContents(node);
  const inner = text.getBoundingClientRect();
  for (let box = node; box && box !== end; box = box.parentElement) {
    if (box.matches('.jp-WindowedPanel-viewport')) break;
    const { overflowX, overflowY } = getComputedStyle(box), outer = box.getBoundingClientRect();
    const hides = [overflowX, overflowY].some((way) => way !== 'visible') || box.matches('.course-view');
    const aside = inner.right > outer.right + 1 || inner.left < outer.left - 1;
    const beyond = inner.bottom > outer.bottom + 1 || aside;
    if (hides && beyond) cut.push(`${box.className}: ${inner.bottom} > ${outer.bottom}`);
  }
  return cut;
}"""


INSIDE = {  # what has the focus when the keys are pressed
    "Question": ".options input",
    "MaskLab": "input[type=text]",
    "AttentionView": "[role=grid]",
    "PipelineStepper": "button:not(:disabled)",
    "ArchitectureView": ".box.on",
    "ScheduleExplorer": ".chart",
    "BeamTree": "[role=tree]",
    "NextToken": "button.main",
    "StoryWriter": "button.main",
    "ChatBeside": "button.main",
    "Pronouncer": "input[type=text]",
}


def test_keys_that_run_and_save_pass_through_a_view_and_others_do_not(lab, open_page):
    cells = [START, QUESTION, *(code for code, _, _ in VIEWS.values()), "after = 1"]
    page = open_page(lab.write("keys.ipynb", cells))
    page.run_all()
    window, notebook = page.window, "jupyterapp.shell.currentWidget.content"
    views = window.locator(".course-view")
    views.nth(len(VIEWS)).wait_for()

    def press(place: int, *keys: str) -> None:
        views.nth(place).locator(list(INSIDE.values())[place]).first.focus()
        for key in keys:
            window.keyboard.press(key)

    assert list(INSIDE) == ["Question", *VIEWS]
    for place, name in enumerate(INSIDE):
        ran = [cell["count"] for cell in page.cells()]
        press(place, "b", "d", "d", "x", "m", "0")  # JupyterLab's shortcuts for cells
        assert [cell["count"] for cell in page.cells()] == ran, f"{name} let a key for cells through"

        press(place, "Shift+Enter")
        window.wait_for_function(
            f"([cell, ran]) => {notebook}.widgets[cell].model.executionCount > ran", arg=[1 + place, max(ran)]
        )
        page.idle()
        views.nth(len(VIEWS)).wait_for()
        again = [cell["count"] for cell in page.cells()]
        assert [*again[: 1 + place], *again[2 + place :]] == [*ran[: 1 + place], *ran[2 + place :]], name

        window.evaluate(f"{notebook}.model.dirty = true")
        press(place, "Control+s")
        window.wait_for_function(f"() => !{notebook}.model.dirty")
