"""StoryWriter in a real JupyterLab: step, play, take back, choose; verdicts; attention; all windows."""

import json

from test_browser_accessible import nothing_in_light_and_dark
from test_browser_attention import middle, nothing_is_cut, touch
from test_browser_views import contrast_of, height, wait_for_text

START = """
import json, torch
from course_lib.data import town
from course_lib.generation import trace_draw
from course_lib.models.gpt import GPTConfig
from course_lib.tasks import town_gpt
from course_lib.widgets import StoryWriter
torch.manual_seed(0)
WORDS = town_gpt.WORDS
sizes = dict(d_model=16, n_heads=2, n_layers=2, d_ff=16, max_len=120, init_std=0.5)
model = town_gpt.reader(GPTConfig(len(WORDS), **sizes).build())
told = [*WORDS.encode(next(iter(town.stories(1, seed=2))).english_tokens), 2]
def read(text, drawn=()):  # the next token is a story's, most of the time
    found = model(text, drawn)
    if found.logits is None: return found
    logits = torch.zeros(len(WORDS))
    logits[:4] = -20
    logits[told[min(len(found.ids), len(told)) - 1]] = 12
    return found._replace(logits=logits)
view = StoryWriter(read, trace_draw, seed=3)
view"""
NUMBERS = "() => document.querySelector('.course-view').numbers()"
ANSWERED = "() => document.querySelector('.course-view').numbers().answered"
SHADES = """() => [...document.querySelectorAll('.token-of')]
  .map((node) => getComputedStyle(node).backgroundColor)"""
LABEL = "() => document.activeElement.getAttribute('aria-label')"


def same_as_python(page, place: int = -1) -> None:
    """Tokens and shading are the model's; the sentences' signs are the Town's."""
    page.window.wait_for_function(ANSWERED)
    page.window.wait_for_timeout(100)
    code = f"""
found = read(view.text, view.drawn)
layer = found.weights[(view.layer or view.n_layers) - 1]
row = (layer.mean(0) if view.head == 0 else layer[view.head - 1])[{place}].tolist()
print(json.dumps([[WORDS.tokens[i] for i in found.ids], row,
                  [[v.finished, v.valid, v.consistent] for v in town.by_sentence(view.story())]]))"""
    tokens, row, verdicts = json.loads(page.python(code))
    numbers = page.window.evaluate(NUMBERS)
    assert numbers["tokens"] == tokens
    assert numbers["shown"] == (place if place >= 0 else len(tokens) - 1)
    assert max(abs(a - b) for a, b in zip(numbers["row"], row, strict=False)) < 2e-5
    signs = {"...": "…"} | {"right": "✓", "wrong": "✗", "unknown": "?"}
    expected = [
        signs["..."] if not done
        else signs["wrong"] if not valid or right is False
        else signs["right"] if right
        else signs["unknown"]
        for done, valid, right in verdicts
    ]  # fmt: skip
    assert page.window.locator(".course-view .sign-of").all_inner_texts() == expected


def test_a_story_by_mouse_and_keys(lab, open_page):
    page = open_page(lab.write("story.ipynb", [START]), dark=True)
    page.run_all()
    window, view = page.window, page.window.locator(".course-view")
    view.locator(".token-of").first.wait_for()
    before = height(view)
    assert view.locator(".token-of").all_inner_texts() == ["[BOS]"]
    buttons = {
        name: view.locator("button", has_text=name)
        for name in ("Play", "To the end", "back", "Undo", "Reset")
    }
    step = view.locator("button.main")
    assert buttons["back"].get_attribute("aria-disabled") == "true"

    # step by step, by the mouse and by keys
    step.click()
    page.python_becomes("len(view.drawn), view.seed", "1 4")
    same_as_python(page)
    wait_for_text(page, ".hint-line", "Drawn: “")
    step.focus()
    for n in range(2, 5):
        window.keyboard.press("Enter")
        page.python_becomes("len(view.drawn), view.seed", f"{n} {3 + n}")
        window.wait_for_function(ANSWERED)
    same_as_python(page)
    assert height(view) == before

    # a token back, and another one chosen from the likeliest; the seed goes on, so a draw is a new one
    buttons["back"].click()
    page.python_becomes("len(view.drawn), view.seed", "3 7")
    same_as_python(page)
    other = view.locator(".candidate").nth(2)
    word = other.locator(".word").inner_text()
    other.focus()
    window.keyboard.press("Enter")
    page.python_becomes("WORDS.tokens[view.drawn[-1]]", word)
    same_as_python(page)
    assert view.locator(".token-of").last.inner_text() == word and height(view) == before
    buttons["Undo"].click()
    page.python_becomes("len(view.drawn)", "3")
    buttons["Undo"].click()
    page.python_becomes("len(view.drawn)", "4")

    # play and pause, then to the end: one step of Undo each
    buttons["Reset"].click()
    page.python_becomes("view.drawn, view.seed", "[] 3")
    buttons["Play"].click()
    page.python_becomes("len(view.drawn) >= 3", "True")
    view.locator("button", has_text="Pause").click()
    window.wait_for_function(ANSWERED)
    window.wait_for_timeout(500)
    n = int(page.python("print(len(view.drawn))"))
    window.wait_for_timeout(700)
    page.python_becomes("len(view.drawn)", str(n))
    assert not window.evaluate(NUMBERS)["playing"]
    buttons["Undo"].click()
    page.python_becomes("view.drawn, view.seed", "[] 3")
    buttons["To the end"].focus()
    window.keyboard.press("Enter")
    page.python_becomes("view.over", "True", 60)
    window.wait_for_function("() => !document.querySelector('.course-view').numbers().playing")
    same_as_python(page)
    whole = view.locator(".whole").inner_text()
    assert whole.startswith(
        "✓" if page.python("print(view.verdict['consistent'])") == "True" else "✗ The story is "
    )
    assert step.get_attribute("aria-disabled") == "true" and view.locator(".candidate:visible").count() == 0
    assert buttons["back"].get_attribute("aria-disabled") == "false" and height(view) == before

    # where a token looks: by the mouse, by keys, of another layer and head
    third = view.locator(".token-of").nth(3)
    third.scroll_into_view_if_needed()
    third.hover()
    wait_for_text(page, ".readout", "(token 4) looks most at")
    same_as_python(page, 3)
    window.mouse.move(5, 5)
    third.click()
    window.keyboard.press("ArrowRight")
    assert window.evaluate(LABEL).endswith("token 5")
    window.mouse.move(5, 5)
    same_as_python(page, 4)
    window.keyboard.press("Home")
    same_as_python(page, 0)
    window.keyboard.press("ArrowRight")
    window.keyboard.press("ArrowRight")
    layers, heads = (view.locator(f"[aria-label={name}] label") for name in ("layer", "head"))
    layers.nth(0).click()
    heads.nth(2).click()
    page.python_becomes("view.layer, view.head", "1 2")
    wait_for_text(page, ".readout", "head 2 of layer 1")
    view.locator(".token-of").nth(5).click()
    window.mouse.move(5, 5)
    same_as_python(page, 5)
    shades = window.evaluate(SHADES)
    assert len(set(shades[:5])) > 1 and len(set(shades[6:])) == 1, "what comes later is not looked at"
    for place in (".token-of.query", ".verdict-of", ".whole", ".readout", ".token-of"):
        assert contrast_of(page, f".course-view {place}") > 4.5, place

    # own beginning: what is wrong is said where it is wrong, and what the Town does not know is refused
    box = view.locator("textarea").first
    box.fill("Anna is at the farm. She takes the ball. Tom is")
    page.python_becomes("view.drawn, len(view.verdicts)", "[] 3")
    assert view.locator(".verdict-of").all_inner_texts() == [
        "✓\nvalid and consistent",
        "✗\nvalid, not consistent: the story knows no ball",
        "…\nis being told",
    ]
    box.fill("quince")
    wait_for_text(page, ".hint-line", "Tiny Town does not know “quince”")
    assert step.get_attribute("aria-disabled") == "true" and height(view) == before
    box.fill("anna is at")
    page.python_becomes("view.story()", "('anna', 'is', 'at')")

    # code that says the same
    window.context.grant_permissions(["clipboard-read", "clipboard-write"])
    window.wait_for_function(ANSWERED)
    view.locator("button", has_text="Copy").click()
    wait_for_text(page, ".state", "Copied")
    said = page.python(window.evaluate("navigator.clipboard.readText()")).splitlines()
    assert said[:2] == ["Anna is at", "anna is at | valid: None | consistent: None"] and len(said) == 6

    # without the kernel the view says that nobody answers, and shows where tokens look
    page.restart()
    step.click()
    wait_for_text(page, ".corner-line", "run this cell again")
    view.locator(".token-of").nth(1).hover()
    wait_for_text(page, ".readout", "(token 2) looks most at")


def test_a_story_in_every_window_and_by_finger(lab, open_page):
    page = open_page(lab.write("story_small.ipynb", [START]))
    page.finger()
    page.run_all()
    window, view = page.window, page.window.locator(".course-view")
    view.locator(".token-of").first.wait_for()
    window.evaluate("jupyterapp.shell.collapseLeft()")
    for width in (1400, 1000, 700, 400):
        window.set_viewport_size({"width": width, "height": 1000})
        window.wait_for_timeout(200)
        nothing_is_cut(page)
        before = height(view)
        for drawn in ("told[:30]", "told", "told[:9] + told[:9] + told", "[]"):
            page.python(f"view.drawn = {drawn}")
            window.wait_for_function(ANSWERED)
            window.wait_for_timeout(100)
            assert height(view) == before, (width, drawn)
            nothing_is_cut(page)
    page.python("view.drawn = told[:30]")
    window.wait_for_function(ANSWERED)
    token = view.locator(".token-of").nth(6)
    token.scroll_into_view_if_needed()
    touch(page, middle(token))
    wait_for_text(page, ".readout", "(token 7) looks most at")
    choice = view.locator(".candidate").first
    choice.scroll_into_view_if_needed()
    touch(page, middle(choice))
    page.python_becomes("len(view.drawn)", "31")
    window.set_viewport_size({"width": 1000, "height": 1000})
    nothing_in_light_and_dark(page)
    page.python("view.text = 'quince'")
    wait_for_text(page, ".hint-line", "quince")
    nothing_in_light_and_dark(page)
