"""FamilySwitcher in a real JupyterLab: mask, flow, row and bars together, by mouse, key and finger."""

import json

from test_browser_accessible import nothing_in_light_and_dark
from test_browser_attention import middle, nothing_is_cut, touch
from test_browser_views import contrast_of, height, wait_for_text

from course_lib.families import FAMILIES, reach

# Rows and bars as `course_lib.tasks.families.switches` gives them, made by hand: no model is needed here.
START = """
import json
from types import SimpleNamespace
from course_lib.families import FAMILIES
from course_lib.widgets import FamilySwitcher
def switch(job, given, written):
    given, written = given.split(), written.split()
    tokens = (*given, "[BOS]", *written, "[EOS]")
    reads, n = {name: (*tokens[:-1], None) for name in FAMILIES}, len(given)
    reads["encoder-only"] = tuple("[MASK]" if place == n + 2 else word for place, word in enumerate(tokens))
    counted = dict.fromkeys(FAMILIES, tuple(range(n + 1, len(tokens)))) | {"encoder-only": (n + 2,)}
    def expected(place, truth):
        words = (truth, *"abcde") if place % 2 else tuple("abcdef")
        rank = 1 if place % 2 else 31
        return SimpleNamespace(words=words, probabilities=(.5, .2, .1, .08, .06, .04), truth=truth,
                               probability=.5 if place % 2 else .002, rank=rank)
    said = tuple(expected(*one) for one in enumerate((*written, "[EOS]")))
    return SimpleNamespace(job=job, input=given, output=written, tokens=tokens, reads=reads, counted=counted,
                           expected=dict.fromkeys(FAMILIES, said))
view = FamilySwitcher([switch("translate", "[FR] tom is at the station .", "tom est à la gare ."),
                       switch("tell", "[TELL]", "tom sleeps .")], title="One sentence")
view"""
MASK = """() => [...document.querySelectorAll('.mask-cells .one')].map((cell) =>
  cell.classList.contains('absent') ? null : cell.classList.contains('open'))"""
BARS = """() => [...document.querySelectorAll('.next-words')].map((panel) =>
  [...panel.querySelectorAll('.bar')].map((row) => [row.querySelector('.word').innerText,
  row.querySelector('.number').innerText, row.classList.contains('truth')]))"""
N_INPUT, N = 7, 15


def sees(token: str, n: int) -> str:
    """The beginning of what the view says of a token; tokens stand in marks that keep their direction."""
    return f"“\u2068{token}\u2069” sees {n} of 14 tokens"


def same_mask_as_python(page, family: str) -> None:
    """The cells that are drawn are those that a family opens; only an encoder-only model reads [EOS]."""
    shown = page.window.evaluate(MASK)
    rows = [shown[i * N : (i + 1) * N] for i in range(N)]
    seen = reach(family, N_INPUT, N)
    read = N if family == "encoder-only" else N - 1
    expected = [[seen[i][j] if max(i, j) < read else None for j in range(N)] for i in range(N)]
    assert rows == expected, family


def test_everything_changes_together(lab, open_page):
    page = open_page(lab.write("switcher.ipynb", [START]), dark=True)
    page.run_all()
    window, view = page.window, page.window.locator(".course-view")
    readout, tokens, cards = (
        view.locator(".readout"),
        view.locator("[role=listbox]"),
        view.locator(".families input"),
    )
    view.locator(".mask-cells .one").first.wait_for()
    before = height(view)
    for place in (
        ".token-of.closed",
        ".token-of.query",
        ".name-of.unread",
        ".next-words .soft",
        ".card .known",
    ):
        assert contrast_of(page, f".course-view {place}") > 4.5, place

    # by keys: each family has its mask, its frames, its flow
    cards.first.focus()
    for family in FAMILIES:
        page.python_becomes("view.family", family)
        same_mask_as_python(page, family)
        names = [view.locator(f".mask-cells .{side}").all_inner_texts() for side in ("row-name", "column")]
        assert names[0] == names[1] and ("[MASK]" in names[0]) == (family == "encoder-only")
        frames = view.locator(".frame:visible").all_inner_texts()
        assert frames == (["encoder", "cross", "decoder"] if FAMILIES[family].cross else [""])
        stacks = view.locator(".flow .stack").count()
        assert stacks == 1 + FAMILIES[family].cross
        lines = view.locator(".flow .way").count()
        read = N if family == "encoder-only" else N - 1
        assert lines == sum(sum(row[:read]) for row in reach(family, N_INPUT, N)[:read])
        assert view.locator(".next-words.on .of").inner_text() == family
        assert height(view) == before
        window.keyboard.press("ArrowRight")
    page.python_becomes("view.family", "encoder-decoder")  # round again

    # the row by keys: [BOS] at first; then “gare”, which sees the input through cross-attention
    assert sees("[BOS]", 8) + ": the whole input, through cross-attention, and" in readout.inner_text()
    tokens.focus()
    for _ in range(5):
        window.keyboard.press("ArrowRight")
    page.python_becomes("view.token, len(view.sees())", "12 13")
    wait_for_text(page, ".readout", sees("gare", 13))
    assert "the model must say the next token, “\u2068.\u2069”" in readout.inner_text()
    active = tokens.get_attribute("aria-activedescendant")
    assert view.locator(f"[id={active}]").get_attribute("aria-selected") == "true"
    assert view.locator(".mask-cells .one.on.open").count() == 13 == view.locator(".flow .way.on").count()
    assert view.locator(".name-of.column.on").count() == 13 and view.locator(".token-of.seen").count() == 12
    window.keyboard.press("End")
    wait_for_text(page, ".readout", "“\u2068[EOS]\u2069” is not read: it is only said.")
    window.keyboard.press("Home")
    cards.nth(2).check(force=True)
    wait_for_text(page, ".readout", sees("[FR]", 1) + ": the input up to itself and nothing")
    cards.nth(1).check(force=True)
    wait_for_text(
        page, ".readout", "“\u2068[FR]\u2069” sees all 15 tokens: the whole input and the whole output."
    )

    # the bars: the truth among six, wherever it stands
    bars = window.evaluate(BARS)
    assert len(bars) == 4 and bars[0][:2] == [["a", "0.50", False], ["b", "0.20", False]]
    assert bars[0][5] == ["31. tom", "≈0", True]
    view.locator(".mask-cells .row-name", has_text="tom").nth(1).click()
    page.python_becomes("view.token", "8")
    wait_for_text(page, ".next-of", "The next word after [BOS] tom: the truth is est")
    assert window.evaluate(BARS)[3][0] == ["est", "0.50", True]

    # the mouse looks, and lets go
    view.locator(".mask-cells .one").nth(3 * N + 1).hover()
    wait_for_text(page, ".readout", "“\u2068at\u2069” sees all 15")
    window.mouse.move(5, 5)
    wait_for_text(page, ".readout", "“\u2068tom\u2069” sees all 15")
    assert height(view) == before

    # another example; undo, reset; code that says the same
    view.locator(".chips label", has_text="tell").click()
    page.python_becomes("view.example, view.token", "1 1")
    assert height(view) == before
    view.locator("button", has_text="Undo").click()
    page.python_becomes("view.example, view.token", "0 8")
    view.locator("button", has_text="Reset").click()
    page.python_becomes("view.family, view.example, view.token", "encoder-decoder 0 7")
    window.context.grant_permissions(["clipboard-read", "clipboard-write"])
    view.locator("button", has_text="Copy").click()
    wait_for_text(page, ".state", "Copied")
    code = window.evaluate("navigator.clipboard.readText()")
    said = page.python(code).splitlines()  # with the shipped model of this family
    assert said[0] == "8 of 14" and len(said) == 7
    chances = [float(line.split()[0]) for line in said[1:]]
    assert 0 < sum(chances) <= 1 and chances == sorted(chances, reverse=True)

    # Python sets it, and a kernel that is gone leaves the view as it was
    page.python("view.family, view.token = 'prefix-LM', 9")
    wait_for_text(
        page,
        ".readout",
        sees("est", 10) + ": the whole input and the output up to itself.",
    )
    page.restart()
    tokens.focus()
    window.keyboard.press("ArrowRight")
    wait_for_text(page, ".readout", sees("à", 11))
    wait_for_text(page, ".corner-line", "run this cell again")


MASK_FITS = """() => {
  const right = (name) => document.querySelector(`.course-view ${name}`).getBoundingClientRect().right;
  return right('.mask-cells') <= right('.both') + 1;
}"""
BESIDE = """(wide) => {
  const left = (name) => document.querySelector(`.course-view ${name}`).getBoundingClientRect().left;
  return (left('.side') > left('.mask-cells') + 50) === wide;
}"""


def test_every_window_and_a_finger(lab, open_page):
    page = open_page(lab.write("switcher_small.ipynb", [START]))
    page.finger()
    page.run_all()
    window, view = page.window, page.window.locator(".course-view")
    view.locator(".mask-cells .one").first.wait_for()
    window.evaluate("jupyterapp.shell.collapseLeft()")
    for width in (1400, 1000, 700, 400):
        window.set_viewport_size({"width": width, "height": 1000})
        nothing_is_cut(page)
        for laid, wide in ((MASK_FITS, None), (BESIDE, width == 1400)):  # a moment after the new width
            window.wait_for_function(laid, arg=wide)
        panels = [panel.bounding_box()["y"] for panel in view.locator(".next-words").all()]
        assert len(set(panels)) == {1400: 1, 1000: 2, 700: 2, 400: 4}[width]
    token = view.locator(".token-of", has_text="gare")
    token.scroll_into_view_if_needed()
    touch(page, middle(token))
    page.python_becomes("view.token", "12")
    row = view.locator(".mask-cells .one").nth(9 * N + 4)
    row.scroll_into_view_if_needed()
    touch(page, middle(row))
    page.python_becomes("view.token", "9")
    card = view.locator(".families label").nth(3)
    card.scroll_into_view_if_needed()
    touch(page, middle(card))
    page.python_becomes("view.family", "prefix-LM")
    window.set_viewport_size({"width": 1000, "height": 1000})
    nothing_in_light_and_dark(page)
    assert json.loads(page.python("print(json.dumps(view.start))"))["token"] == N_INPUT
