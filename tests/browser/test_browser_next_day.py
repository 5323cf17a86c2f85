"""A page that was saved and closed: on the next day each view, or its still, is there, without its kernel."""

import nbformat
import pytest
from lab import POLLING, Lab, Page
from nbformat.sign import NotebookNotary

from course_lib import widgets
from course_lib.tools.stored_views import STATE, VIEW

PAGE, FROM_A_HUB = "all_views.ipynb", "from_a_hub.ipynb"
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
    "ArchitectureView": "display(widgets.ArchitectureView())",
    "MaskLab": "display(widgets.MaskLab('the cat sat'))",
    "PipelineStepper": "display(widgets.PipelineStepper(*vectors, words, words))",
    "Pronouncer": "display(widgets.Pronouncer(lambda word: (list(word), list(word), np.eye(len(word)))))",
    "Question": "display(widgets.Question('Why?', ['this', 'that'], lambda option, confidence: 'because'))",
    "ScheduleExplorer": "display(widgets.ScheduleExplorer())",
    "BeamTree": """
ended = {"id": 0, "parent": None, "token": 0, "log_prob": -1.0, "length": 1, "status": "finished"}
display(widgets.BeamTree([{"nodes": [ended]}], ["[EOS]"]))""",
    "FamilySwitcher": """
from types import SimpleNamespace
from course_lib.families import FAMILIES
row = ('a', '[BOS]', 'b', '[EOS]')
said = SimpleNamespace(words=('b',), probabilities=(0.9,), truth='b', probability=0.9, rank=1)
of_all = [dict.fromkeys(FAMILIES, one) for one in (row, (2, 3), (said, None))]
names = ('job', 'input', 'output', 'tokens', 'reads', 'counted', 'expected')
one = SimpleNamespace(**dict(zip(names, ('tell', ['a'], ['b'], row, *of_all))))
display(widgets.FamilySwitcher([one]))""",
    "BpeStepper": "display(widgets.BpeStepper('aaabdaaabac', step=1))",
    "ColouredTokens": """
from course_lib.text.bpe import train_bpe
two = {'learned': train_bpe('a cat, a hat', 260), 'bytes': train_bpe('', 256)}
display(widgets.ColouredTokens(two, 'a cat'))""",
    "MlmCorruptor": "display(widgets.MlmCorruptor('tom is old , quince', seed=1))",
    "FillIn": """
from course_lib.widgets.town_rows import WORDS
def fill(first, second):
    tokens = ['[CLS]', *first.split(), '[SEP]']
    places = [place for place, token in enumerate(tokens) if token == '[MASK]']
    return tokens, places, np.full((len(places), len(WORDS)), 1 / len(WORDS))
display(widgets.FillIn(fill, 'tom is old', '', hidden=[1]))""",
    "NextToken": """
from course_lib.generation import trace_draw
import torch
def read(text, drawn):
    return [0, *drawn], torch.linspace(0, 1, 3), ["[BOS]", "tom", "sees"]
display(widgets.NextToken(read, trace_draw, ''))""",
    "StoryWriter": """
def tell(text, drawn):
    n = 1 + len(drawn)
    names = ["[BOS]", "[EOS]", "[PAD]", "[UNK]", "tom", "."]
    return [0, *drawn], torch.zeros(6), names, torch.full((1, 2, n, n), 1 / n)
display(widgets.StoryWriter(tell, trace_draw, drawn=[4]))""",
    "LossMaskStrip": """
from course_lib.text.chat import ChatWords
turns = [('user', 'tom ?'), ('call', 'ask'), ('tool', 'yes'), ('assistant', 'yes <b>')]
display(widgets.LossMaskStrip([turns, turns[::3]], ChatWords(['tom', '?', 'ask', 'yes'])))""",
    "AnswerGroup": """
drawn = [(['yes', '.'], [-0.1, -0.2]), (['no'], [-1.5])]
display(widgets.AnswerGroup(lambda seed: drawn, {'right': len, 'same': lambda said: 1}, 'tom ?',
                            second_step=lambda answers, advantages: [[-0.1, -0.1], [-3]]))""",
    "ChatBeside": """
import torch
class Says:
    def next_logits(self, tokens, state):
        return torch.zeros(1, 206), None, 0
from course_lib.tasks.assistant.beside import Beside
display(widgets.ChatBeside(Beside({'base': Says(), 'sft': Says()})))""",
    "PreferenceMargins": """
from course_lib.training.post_training import DPOStep
watch = widgets.PreferenceMargins(20, 0.1, [('one', 0.2), ('two', -0.1)])
for step in range(1, 21):
    watch(step, DPOStep(0.69 / step, step / 10, -step / 20, -step / 7, 1.0))""",
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
    """Which kind of thing stands under each cell, once JupyterLab has looked for every view."""
    settled = f"() => !document.body.innerText.includes('Loading widget') && !({SHOWN})().includes(null)"
    page.window.wait_for_function(settled, timeout=60_000, polling=POLLING)
    assert page.window.locator(LOST).count() == 0, "a view was not found, and says so over its still"
    return dict(zip(CELLS, page.window.evaluate(SHOWN), strict=True))


def stored(lab: Lab, name: str) -> nbformat.NotebookNode:
    return nbformat.read(lab.folder / name, as_version=4)


def states(notebook) -> dict:
    return notebook.metadata.get("widgets", {}).get(STATE, {}).get("state", {})


@pytest.fixture(scope="module")
def next_day(tmp_path_factory, browser, kernels):
    """A page with every kind of view was run, saved, and all was shut down. This is a new server.

    Beside the page stands the same one as a JupyterLab with other settings saves it (a hub): without state.
    """
    assert set(widgets.__all__) <= set(CELLS), "a new kind of view belongs into this page"
    folder = tmp_path_factory.mktemp("learner")
    lab = Lab(folder, kernels)
    try:
        page = Page(lab, browser, lab.write(PAGE, [START, *CELLS.values()]))
        page.run_all(120)
        shown(page)
        page.save()
        page.close()
        assert page.errors == []
    finally:
        lab.stop()
    notebook = stored(lab, PAGE)
    assert notebook.metadata.pop("widgets")
    nbformat.write(notebook, lab.folder / FROM_A_HUB)
    NotebookNotary(data_dir=str(folder / "data")).sign(notebook)
    lab = Lab(folder, kernels)
    yield lab
    lab.stop()


def run_cell(page: Page, number: int) -> None:
    """Run one cell, counted from 0."""
    page.window.evaluate(f"jupyterapp.shell.currentWidget.content.activeCellIndex = {number}")
    page.window.evaluate("jupyterapp.commands.execute('notebook:run-cell').then(() => {})")
    page.idle()


def test_the_next_day_each_view_is_there(next_day, browser, show):
    page = Page(next_day, browser, PAGE)
    now = shown(page)
    live = [name for name in widgets.__all__ if now[name] == ".course-view"]
    assert live == widgets.__all__, "the views come back themselves, with their saved state"
    assert now["slider"] == ".widget-slider"
    # nobody answers there: the question stays open, and says what helps
    question = page.window.locator(".course-view:has(.options)").first
    question.locator(".options input").first.check()
    question.locator(".chips label").first.click()
    question.locator("button").click()
    said = question.locator("button + span")
    page.window.wait_for_function(
        "(line) => line.innerText === 'Python is busy or was restarted: run this cell again.'",
        arg=said.element_handle(),
    )
    assert question.locator("button").is_enabled() and question.locator(".feedback.given").count() == 0
    show(f"a page with {len(CELLS)} live views: {(next_day.folder / PAGE).stat().st_size / 2**10:.0f} KB")
    # one cell is run again and again: its former views do not pile up in the file, the others stay in it
    before = states(stored(next_day, PAGE))
    run_cell(page, 0)
    for _ in range(3):
        run_cell(page, 1 + list(CELLS).index("MaskLab"))
    page.save()
    after = states(stored(next_day, PAGE))
    assert len(after) == len(before) and len(after.keys() - before.keys()) == 2  # a view and its layout
    page.reload()
    assert shown(page) == now
    page.close()
    assert page.errors == []


def test_without_state_each_still_is_there(next_day, browser):
    page = Page(next_day, browser, FROM_A_HUB)
    shown(page)
    assert page.window.locator(".course-view").count() == 0
    # saved in the middle of a run: some views have state now, the others keep their stills
    for number in range(3):
        run_cell(page, number)
    page.save()
    page.save()  # no “the file has changed on disk”
    notebook = stored(next_day, FROM_A_HUB)
    assert sum(VIEW in o.get("data", {}) for c in notebook.cells for o in c.get("outputs", ())) == 2
    assert {"AnyModel", "LayoutModel"} == {state["model_name"] for state in states(notebook).values()}
    # a reload while the kernel runs: its views are live
    page.reload()
    now = shown(page)
    assert now["AttentionView"] == now["AlignmentMovie"] == ".course-view"
    assert now["MaskLab"] != ".course-view"
    page.close()
    assert page.errors == []
