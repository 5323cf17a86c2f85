"""NextToken in a real JupyterLab: sliders, draws, own text; the bars are Python's; all windows."""

import json
import statistics

from test_browser_accessible import nothing_in_light_and_dark
from test_browser_attention import middle, nothing_is_cut, touch
from test_browser_views import contrast_of, height, wait_for_text

START = """
import json, torch
from course_lib.generation import trace_draw
from course_lib.models.gpt import GPTConfig
from course_lib.tasks import town_gpt
from course_lib.widgets import NextToken
torch.manual_seed(0)
sizes = dict(d_model=16, n_heads=2, n_layers=1, d_ff=16, max_len=60, init_std=0.5)
model = town_gpt.reader(GPTConfig(len(town_gpt.WORDS), **sizes).build())
def read(text, drawn=()):  # words only: no text ends
    found = model(text, drawn)
    if found.logits is None: return found
    return found._replace(logits=torch.cat([torch.full((4,), -20.0), found.logits[4:]]))
view = NextToken(read, trace_draw, "anna is at the", temperature=0.7, top_k=8, top_p=0.9, seed=3)
view"""
NUMBERS = "() => document.querySelector('.course-view').numbers()"
ANSWERED = "() => document.querySelector('.course-view').numbers().answered"
BARS = """() => [...document.querySelectorAll('.next-words .bar')].map((row) => [
  row.querySelector('.word').innerText, row.querySelector('.number').innerText,
  row.classList.contains('removed')])"""
# a slider moved by one: until everything is computed, written and laid out
REPAINT = """async ([place, n]) => {
  const input = document.querySelectorAll('.course-view input[type=range]')[place], times = [];
  for (let i = 0; i < n; i++) {
    const start = performance.now();
    input.value = Number(input.value) + (i % 2 ? 1 : -1);
    input.dispatchEvent(new Event('input', { bubbles: true }));
    await null; // the view paints once for all that has changed, in a microtask
    document.querySelector('.course-view .next-words').getBoundingClientRect(); // and lays it out
    times.push(performance.now() - start);
    await new Promise((done) => requestAnimationFrame(done));
  }
  return times;
}"""


def same_as_python(page) -> list:
    """Tokens, stages and bars are those of `trace_draw`; gives the bars."""
    page.window.wait_for_function(ANSWERED)
    page.window.wait_for_timeout(100)
    code = """
trace = trace_draw(read(view.text, view.drawn).logits, view.temperature, view.top_k, view.top_p, view.seed)
ids = read(view.text, view.drawn).ids
best = sorted(range(len(view.names)), key=lambda i: -trace.logits[i])[:12]
stages = [[stage.name, stage.removed, stage.probabilities] for stage in trace.stages]
print(json.dumps([[view.names[i] for i in ids], stages, [view.names[i] for i in best]]))"""
    tokens, stages, best = json.loads(page.python(code))
    numbers = page.window.evaluate(NUMBERS)
    assert numbers["tokens"] == tokens
    for mine, (name, removed, chances) in zip(numbers["stages"], stages, strict=True):
        assert [mine["name"], mine["removed"]] == [name, removed]
        assert max(abs(a - b) for a, b in zip(mine["chances"], chances, strict=True)) < 5e-6
    bars = page.window.evaluate(BARS)
    assert [word for word, *_ in bars] == [*best, "all others"]
    out = {numbers_of for _, removed, _ in stages for numbers_of in removed}
    assert sum(gone for *_, gone in bars[:12]) == sum(i in out for i in top_ids(numbers))
    return bars


def top_ids(numbers) -> list[int]:
    chances = numbers["stages"][0]["chances"]
    return sorted(range(len(chances)), key=lambda i: -chances[i])[:12]


def test_the_next_token_by_mouse_and_keys(lab, open_page, show):
    page = open_page(lab.write("next_token.ipynb", [START]), dark=True)
    page.run_all()
    window, view = page.window, page.window.locator(".course-view")
    view.locator(".next-words .bar").first.wait_for()
    before = height(view)
    same_as_python(page)
    assert view.locator(".stages .of").all_inner_texts() == [
        "temperature 0.7",
        "top-k 8",
        "top-p 0.9",
        "draw",
    ]
    removed = view.locator(".stages .soft").nth(1).inner_text()
    assert (
        removed.startswith("The 8 likeliest tokens stay. Removed: 122 tokens with 0.")
        and "and 119 more" in removed
    )

    # sliders by keys: computed here, and Python hears of it
    sliders = view.locator("input[type=range]")
    for place, key, expected in (
        (0, "Home", "0.0 8 0.9"),
        (0, "End", "2.0 8 0.9"),
        (1, "Home", "2.0 1 0.9"),
        (1, "End", "2.0 None 0.9"),
        (2, "End", "2.0 None None"),
        (2, "Home", "2.0 None 0.01"),
    ):
        sliders.nth(place).focus()
        window.keyboard.press(key)
        page.python_becomes("view.temperature, view.top_k, view.top_p", expected)
        same_as_python(page)
        assert height(view) == before, (place, key)
    assert view.locator(".stages .of").nth(1).inner_text() == "top-k: off"
    assert sliders.nth(1).get_attribute("aria-valuetext") == "off"
    for place in range(3):
        times = window.evaluate(REPAINT, [place, 20])
        show(f"NextToken: slider {place} → computed, written, laid out {statistics.median(times):.1f} ms")
    view.locator("button", has_text="Reset").click()
    page.python_becomes("view.temperature, view.top_k, view.top_p", "0.7 8 0.9")

    # a draw by the mouse, and ten by the keyboard; the newest is named, with its chance
    drawn = page.python("print(view.names[view.trace().drawn])")
    view.locator("button.main").click()
    page.python_becomes("len(view.drawn), view.seed", "1 4")
    same_as_python(page)
    wait_for_text(page, ".hint-line", f"Drawn: “\u2068{drawn}\u2069”, chance 0.")
    assert view.locator(".piece.newest").inner_text() == drawn and view.locator(".piece.drawn").count() == 1
    view.locator("button", has_text="Draw 10").focus()
    window.keyboard.press("Enter")
    page.python_becomes("len(view.drawn) > 1, view.seed == 3 + len(view.drawn)", "True True")
    assert height(view) == before
    for place in (".piece.newest", ".bar.removed .number", ".bar .number", ".stages .soft", ".legend"):
        assert contrast_of(page, f".course-view {place}") > 4.5, place
    # taken back step by step, by the button and by the key: the same seed draws the same
    view.locator("button", has_text="Undo").click()
    page.python_becomes("len(view.drawn), view.seed", "1 4")
    view.locator("button.main").focus()
    window.keyboard.press("Control+z")
    page.python_becomes("view.drawn, view.seed", "[] 3")
    same_as_python(page)
    assert page.python("print(view.names[view.trace().drawn])") == drawn

    # own text: what the Town does not know is refused; the draw waits
    box = view.locator("textarea").first
    box.fill("Tom sees the quince")
    wait_for_text(page, ".hint-line", "Tiny Town does not know “quince”")
    assert view.locator("button.main").get_attribute("aria-disabled") == "true" and height(view) == before
    view.locator("button.main").click(force=True)
    box.fill("Tom sees the")
    page.python_becomes("view.text, view.drawn, view.draws", "Tom sees the [] 2")
    same_as_python(page)
    box.fill("")
    page.python_becomes("view.ids", "[1]")
    same_as_python(page)
    page.python("view.drawn = [2]")
    wait_for_text(page, ".hint-line", "The text is over.")
    assert view.locator("button.main").get_attribute("aria-disabled") == "true" and height(view) == before

    # code that says the same
    page.python("view.text, view.drawn = 'tom is', [5]")
    bars = same_as_python(page)
    window.context.grant_permissions(["clipboard-read", "clipboard-write"])
    view.locator("button", has_text="Copy").click()
    wait_for_text(page, ".state", "Copied")
    said = page.python(window.evaluate("navigator.clipboard.readText()")).splitlines()
    assert said[0] == "model        removes 0" and said[2] == "top-k        removes 122"
    assert said[4].split()[0] == bars[0][0] and said[-1].startswith("drawn: ")

    # without the kernel the sliders work, and the draw says that nobody answers
    page.restart()
    sliders.nth(1).focus()
    window.keyboard.press("Home")
    wait_for_text(page, ".stages", "top-k 1")
    assert sum(gone for *_, gone in window.evaluate(BARS)) == 12
    wait_for_text(page, ".corner-line", "run this cell again")


def test_the_next_token_in_every_window_and_by_finger(lab, open_page):
    page = open_page(lab.write("next_token_small.ipynb", [START]))
    page.finger()
    page.run_all()
    window, view = page.window, page.window.locator(".course-view")
    view.locator(".next-words .bar").first.wait_for()
    window.evaluate("jupyterapp.shell.collapseLeft()")
    for width in (1400, 1000, 700, 400):
        window.set_viewport_size({"width": width, "height": 1000})
        window.wait_for_timeout(200)
        nothing_is_cut(page)
        before, n = height(view), int(page.python("print(len(view.drawn))"))
        view.locator("button", has_text="Draw 10").click()
        page.python_becomes(f"len(view.drawn) > {n}", "True")
        window.wait_for_function(ANSWERED)
        window.wait_for_timeout(50)
        assert height(view) == before, width
        for settings in ("1.0, 1, None", "0.0, None, None", "0.7, 8, 0.9", "1.7, 100, 0.99"):
            page.python(f"view.temperature, view.top_k, view.top_p = {settings}")
            window.wait_for_timeout(100)
            assert height(view) == before, (width, settings)
        page.python("view.drawn = []")
        nothing_is_cut(page)
    main = view.locator("button.main")
    main.scroll_into_view_if_needed()
    page.python_becomes("len(view.drawn)", "0")
    window.wait_for_function(ANSWERED)
    touch(page, middle(main))
    page.python_becomes("len(view.drawn)", "1")
    window.set_viewport_size({"width": 1000, "height": 1000})
    nothing_in_light_and_dark(page)
    page.python("view.text = 'quince'")
    wait_for_text(page, ".hint-line", "quince")
    nothing_in_light_and_dark(page)
