"""BeamTree in a real JupyterLab: the tree by mouse, key and finger, the list that α ranks, every window."""

import json

from test_browser_accessible import nothing_in_light_and_dark
from test_browser_attention import middle, nothing_is_cut, touch
from test_browser_views import contrast_of, height, wait_for_text

# Greedy takes K (0.56), AH (0.45), T: 0.09 in the end. What begins with S (0.4) is the likelier text: 0.27.
START = """
import json, math
from course_lib.widgets import BeamTree
NAMES = ["[EOS]", "K", "S", "AE", "AH", "T"]
NEXT = {"": {1: .56, 2: .40, 0: .04}, "1": {4: .45, 3: .35, 5: .20}, "2": {3: .90, 4: .10},
        "23": {5: .95, 0: .05}, "14": {5: .60, 0: .40}, "13": {5: .80, 0: .20}, "24": {5: 1.0},
        "235": {0: .80, 2: .20}, "145": {0: .60, 1: .40}, "135": {0: .90, 2: .10}}
def search(size):
    beam, steps, count = [("", 0.0, None)], [], 0
    while beam:
        found = [(sum_ + math.log(p), text, token, id_) for text, sum_, id_ in beam
                 for token, p in NEXT.get(text, {0: 1.0}).items()]
        found, beam, nodes = sorted(found, key=lambda one: -one[0])[: 2 * size], [], []
        for place, (sum_, text, token, parent) in enumerate(found):
            status = "dropped" if place >= size else "running" if token else "finished"
            nodes.append({"id": count, "parent": parent, "token": token, "log_prob": sum_,
                          "length": len(steps) + 1, "status": status})
            if status == "running":
                beam.append((text + str(token), sum_, count))
            count += 1
        steps.append({"nodes": nodes})
    return steps
view = BeamTree({size: search(size) for size in (1, 2, 4)}, NAMES, truth="S AE T")
view"""
VISIBLE = (
    "[...document.querySelectorAll('.hypothesis')].filter((one) => one.style.visibility !== 'hidden').length"
)


def same_list_as_python(page) -> list[str]:
    """The finished texts, their raw sums and normalised scores: here, in Python, and as written."""
    page.idle()
    theirs = json.loads(page.python("print(json.dumps(view.finished()))"))
    ours = page.window.evaluate("document.querySelector('.course-view').numbers()")
    assert [one[0] for one in ours] == [one[0] for one in theirs]
    assert all(
        abs(a - b) < 1e-9
        for x, y in zip(ours, theirs, strict=True)
        for a, b in zip(x[1:], y[1:], strict=True)
    )
    written = page.window.locator(".ends .plain").all_inner_texts()
    assert written == [one[0] for one in theirs]
    return written


def test_tree_list_and_state(lab, open_page):
    page = open_page(lab.write("beam.ipynb", [START]), dark=True)
    page.run_all()
    window, view = page.window, page.window.locator(".course-view")
    readout, tree = view.locator(".readout"), view.locator("[role=tree]")
    view.locator(".hypothesis").first.wait_for()
    before = height(view)
    assert (
        contrast_of(page, ".hypothesis.dropped .name") > 4.5 and contrast_of(page, ".hypothesis .place") > 4.5
    )
    assert same_list_as_python(page)[0] == "S AE T [EOS]"
    story = view.locator(".story").inner_text()
    assert "at step 1: it takes “\u2068K\u2069” (0.56), not “\u2068S\u2069” (0.40)" in story
    assert "The truth is 1st in the list." in story
    assert view.locator(".hypothesis.truth").count() == 4 and view.locator("tr.truth").count() == 1
    assert view.locator(".hypothesis.greedy").count() == 4 == view.locator(".edge.greedy").count()

    # by keys: the best continuation, the row below, back; a dropped one says why
    tree.focus()
    for key in ("Home", "ArrowRight", "ArrowRight"):
        window.keyboard.press(key)
    page.python_becomes("view.tree.text(view.tree.nodes[view.selected])", "('K', 'AH', 'T')")
    window.keyboard.press("ArrowLeft")
    wait_for_text(page, ".readout", "K AH · ")
    assert "raw sum −1.38 · probability of the whole 0.252" in readout.inner_text()
    active = tree.get_attribute("aria-activedescendant")
    assert view.locator(f"[id={active}]").get_attribute("aria-selected") == "true"
    dropped = view.locator(".hypothesis.dropped").first
    dropped.hover()
    assert "Dropped: it is 5th by its raw sum at step 2, where 4 were kept" in readout.inner_text()
    view.locator(".ends .plain").first.click()
    wait_for_text(page, ".readout", "Finished: it is 1st by its raw sum at step 4, and 1st of")
    window.mouse.move(5, 5)

    # α ranks anew, at once and in Python
    penalty = view.locator("input[type=range]").nth(1)
    penalty.focus()
    window.keyboard.press("Home")
    page.python_becomes("view.length_penalty", "0.0")
    raw = same_list_as_python(page)
    window.keyboard.press("End")
    page.python_becomes("view.length_penalty", "2.0")
    assert same_list_as_python(page) != raw, "without a penalty the short texts stand higher"

    # the slider shows fewer steps; another beam has another tree; nothing jumps
    shown = window.evaluate(VISIBLE)
    view.locator("input[type=range]").first.focus()
    window.keyboard.press("Home")
    page.python_becomes("view.step", "1")
    assert 0 < window.evaluate(VISIBLE) < shown
    view.locator(".chips label").first.click()
    page.python_becomes("view.beam, view.selected", "1 -1")
    view.locator("button", has_text="Play").click()
    page.python_becomes("view.step >= view.tree.n_steps", "True", seconds=8)
    assert "Greedy writes the first text of the list." in view.locator(".story").inner_text()
    same_list_as_python(page)
    assert height(view) == before

    view.locator("button", has_text="Reset").click()
    page.python_becomes("view.beam, view.length_penalty, view.step >= 5", "4 0.6 True")
    view.locator("button", has_text="Undo").click()
    page.python_becomes("view.beam", "1")
    view.locator("button", has_text="Undo").click()
    window.context.grant_permissions(["clipboard-read", "clipboard-write"])
    view.locator("button", has_text="Reset").click()
    view.locator("button", has_text="Copy").click()
    wait_for_text(page, ".state", "Copied")
    code = window.evaluate("navigator.clipboard.readText()")
    said = page.python(code).splitlines()
    assert [line.split(maxsplit=3)[3] for line in said] == same_list_as_python(page)


def test_every_window_and_a_finger(lab, open_page):
    page = open_page(lab.write("beam_small.ipynb", [START]))
    page.finger()
    page.run_all()
    window, view = page.window, page.window.locator(".course-view")
    view.locator(".hypothesis").first.wait_for()
    window.evaluate("jupyterapp.shell.collapseLeft()")
    for width in (1400, 1000, 700, 400):
        window.set_viewport_size({"width": width, "height": 1000})
        nothing_is_cut(page)
        stage, ends = (view.locator(name).bounding_box() for name in (".stage", ".ends"))
        assert stage["width"] <= width and ends["x"] + ends["width"] <= width
        assert (ends["x"] > stage["x"] + stage["width"] - 5) == (width == 1400)
    tree, last = view.locator("[role=tree]"), view.locator(".hypothesis.finished").last
    first = view.locator(".hypothesis").first
    first.scroll_into_view_if_needed()
    touch(page, middle(first))
    wait_for_text(page, ".readout", "Kept: it is 1st by its raw sum at step 1.")
    tree.focus()
    window.keyboard.press("End")
    window.keyboard.press("ArrowDown")
    page.python(f"view.selected = {last.get_attribute('id').split('-')[-1]}")
    wait_for_text(page, ".readout", "Finished")
    window.set_viewport_size({"width": 1000, "height": 1000})
    nothing_in_light_and_dark(page)
