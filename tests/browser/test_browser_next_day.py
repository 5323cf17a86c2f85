"""A page that was saved and closed: on the next day each view, or its still, is there, without its kernel."""

import json
import shutil

import nbformat
import pytest
from lab import Lab, Page
from nbformat.sign import NotebookNotary

from course_lib import widgets
from course_lib.tools.stored_views import STATE, VIEW

PAGE = "all_views.ipynb"
LOST = "text=/Error displaying widget|Loading widget|model not found/"
START = """
import ipywidgets, numpy as np
from IPython.display import display
from course_lib import widgets
from course_lib.viz import bertviz
rng = np.random.default_rng(0)
words = ["the", "red", "ball"]
weights = rng.dirichlet(np.ones(3), size=(2, 3))
vectors = rng.normal(size=(3, 3, 4))
"""
CELLS = {  # one live view each, by the name of its class or function
    "AttentionView": "display(widgets.AttentionView(weights, words, words))",
    "AlignmentMovie": "display(widgets.AlignmentMovie(weights, [0, 50], words, words))",
    "LiveLoss": """
live = widgets.LiveLoss(total_steps=20)
for step in range(20):
    live(step + 1, 3 / (step + 1))""",
    "MaskLab": "display(widgets.MaskLab('the cat sat'))",
    "PipelineStepper": "display(widgets.PipelineStepper(*vectors, words, words))",
    "Pronouncer": "display(widgets.Pronouncer(lambda word: (list(word), list(word), np.eye(len(word)))))",
    "Question": "display(widgets.Question('Why?', ['this', 'that'], lambda option, confidence: 'because'))",
    "practice": "from course_lib.practice import predict, desk\npredict(next(iter(desk.predictions())))",
    "slider": "display(ipywidgets.VBox([ipywidgets.IntSlider(), ipywidgets.Label('here')]))",
    "interact": "ipywidgets.interact(lambda size=3: print(size * '*'));",
    "head_view": "display(bertviz.head_view([weights], words))",
    "model_view": "display(bertviz.model_view([weights], words))",
    "neuron_view": "display(bertviz.neuron_view(vectors[0][None], vectors[1][None], words))",
}
SHOWN = """() => jupyterapp.shell.currentWidget.content.widgets
  .filter((cell) => cell.model.type === 'code').slice(1)
  .map((cell) => ['.course-view', '.jp-OutputArea-output img', '.widget-slider', 'iframe',
    '.jp-RenderedHTML li', '.jp-RenderedText pre']
    .find((kind) => [...cell.node.querySelectorAll(kind)].some((node) => node.offsetHeight > 5)) ?? null)"""


def shown(page: Page) -> dict[str, str | None]:
    """What stands under each cell, once JupyterLab has looked for every view: which kind, or None."""
    page.window.wait_for_function("() => !document.body.innerText.includes('Loading widget')", timeout=30_000)
    page.window.wait_for_timeout(2500)  # JupyterLab looks for a lost view for two seconds
    assert page.window.locator(LOST).count() == 0, "a view was not found, and says so over its still"
    return dict(zip(CELLS, page.window.evaluate(SHOWN), strict=True))


def stored(lab: Lab) -> nbformat.NotebookNode:
    return nbformat.read(lab.folder / PAGE, as_version=4)


def states(notebook) -> dict:
    return notebook.metadata.get("widgets", {}).get(STATE, {}).get("state", {})


@pytest.fixture(scope="module")
def saved(tmp_path_factory, browser):
    """The folder of a learner who has run a page with every kind of view, saved it and shut all down."""
    assert set(widgets.__all__) <= set(CELLS), "a new kind of view belongs into this page"
    folder = tmp_path_factory.mktemp("evening")
    lab = Lab(folder)
    try:
        page = Page(lab, browser, lab.write(PAGE, [START, *CELLS.values()]))
        page.run_all(120)
        now = shown(page)
        assert None not in now.values(), now
        page.save()
        page.close()
        assert page.errors == []
    finally:
        lab.stop()
    return folder


@pytest.fixture
def next_day(saved, tmp_path, browser):
    """`next_day(change)`: the page in a new server's window, its file changed by `change` before."""
    opened = []

    def next_day(change=lambda notebook: None) -> tuple[Lab, Page]:
        folder = shutil.copytree(saved, tmp_path / "learner")
        file = folder / "pages" / PAGE
        notebook = json.loads(file.read_text(encoding="utf-8"))
        before = json.dumps(notebook)
        change(notebook)
        if json.dumps(notebook) != before:
            file.write_text(json.dumps(notebook), encoding="utf-8")
            NotebookNotary(data_dir=str(folder / "data")).sign(nbformat.read(file, as_version=4))
        opened.append(Lab(folder))
        opened.append(Page(opened[0], browser, PAGE))
        return tuple(opened)

    yield next_day
    for one in reversed(opened):
        one.close() if isinstance(one, Page) else one.stop()
    assert [one.errors for one in opened if isinstance(one, Page)] == [[]], "console errors"


def run_cell(page: Page, number: int) -> None:
    """Run one cell, counted from 0."""
    page.window.evaluate(f"jupyterapp.shell.currentWidget.content.activeCellIndex = {number}")
    page.window.evaluate("jupyterapp.commands.execute('notebook:run-cell').then(() => {})")
    page.idle()


def test_the_next_day_each_view_is_there(next_day, show):
    lab, page = next_day()
    now = shown(page)
    assert None not in now.values(), now
    live = [name for name in widgets.__all__ if now[name] == ".course-view"]
    assert live == widgets.__all__, "the views come back themselves, with their saved state"
    assert now["slider"] == ".widget-slider"
    show(f"a page with {len(CELLS)} live views: {(lab.folder / PAGE).stat().st_size / 2**10:.0f} KB")
    # one cell is run again and again: its former views do not pile up in the file, the others stay in it
    before = states(stored(lab))
    run_cell(page, 0)
    for _ in range(3):
        run_cell(page, 1 + list(CELLS).index("MaskLab"))
    page.save()
    after = states(stored(lab))
    assert len(after) == len(before) and len(after.keys() - before.keys()) == 2  # a view and its layout
    page.reload()
    assert shown(page) == now


def test_without_state_each_still_is_there(next_day):
    """Saved by a JupyterLab with its own settings (a hub), opened with ours: the state is not in the page."""
    lab, page = next_day(lambda notebook: notebook["metadata"].pop("widgets"))
    now = shown(page)
    assert None not in now.values(), now
    assert page.window.locator(".course-view").count() == 0
    # saved in the middle of a run: some views have state now, the others keep their stills
    for number in range(3):
        run_cell(page, number)
    page.save()
    page.save()  # no “the file has changed on disk”
    notebook = stored(lab)
    assert sum(VIEW in o.get("data", {}) for c in notebook.cells for o in c.get("outputs", ())) == 2
    assert {"AnyModel", "LayoutModel"} == {state["model_name"] for state in states(notebook).values()}
    # a reload while the kernel runs: its views are live
    page.reload()
    now = shown(page)
    assert now["AttentionView"] == now["AlignmentMovie"] == ".course-view"
    assert now["MaskLab"] != ".course-view" and None not in now.values()
