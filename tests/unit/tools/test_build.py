"""`build`: pages run in a fresh kernel, and two builds give the same bytes."""

import json
import os
import signal
import subprocess
import sys
import time

import nbformat
import psutil
import pytest
from door_helpers import ROOT, mini_page
from nbformat.v4 import new_code_cell, new_notebook, new_output

from course_lib.tools import build

WIDGET = build.WIDGET_VIEW
PAGE = [
    "import os, sys\nprint('one'); print('two', flush=True); print('three')",
    "from IPython.display import display\n"
    f"view = {{'{WIDGET}': {{'model_id': os.urandom(4).hex()}}}}\n"
    "display({**view, 'image/png': 'aGk=', 'text/plain': 'View'}, raw=True)",
    "import course_lib\nprint(os.path.basename(os.getcwd()), 'COURSE_PROGRESS' in os.environ)",
    "for part in range(3):\n    print(part, end='\\r', flush=True)\nprint('done')",
    "{'b', 'a', 'c', 'd', 'e'}",
]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A small page built twice: path, first report, bytes after it, second report."""
    page = mini_page(tmp_path_factory.mktemp("course") / "notebooks" / "00_small.ipynb", *PAGE)
    first = build.build(page)
    content = page.read_bytes()
    page.touch()
    return page, first, content, build.build(page)


def test_two_builds_give_the_same_bytes(built):
    page, first, content, second = built
    assert first["changed"] and not second["changed"]
    assert page.read_bytes() == content and content.endswith(b"}\n")


def test_what_is_stored(built):
    page, *_ = built
    stored = json.loads(page.read_text(encoding="utf-8"))
    code = [cell for cell in stored["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == [1, 2, 3, 4, 5]
    assert [cell["id"] for cell in code] == [f"code-{n}" for n in range(5)]
    assert "widgets" not in stored["metadata"] and not any(cell["metadata"] for cell in code)
    assert len(code[0]["outputs"]) == 1 and "".join(code[0]["outputs"][0]["text"]) == "one\ntwo\nthree\n"
    assert set(code[1]["outputs"][0]["data"]) == {"image/png", "text/plain"}
    assert "".join(code[2]["outputs"][0]["text"]) == "notebooks True\n"
    assert "".join(code[3]["outputs"][0]["text"]) == "done\n"


def test_seconds_and_memory_are_measured(built):
    _, first, _, _ = built
    assert 0 < first["seconds"] < 60
    assert 20 < first["memory"] < 1000
    assert "peak memory" in first["line"]


def test_a_failing_cell_leaves_the_page_as_it_was(tmp_path):
    page = mini_page(tmp_path / "00_small.ipynb", "print('fine')", "x = 1\nx / 0")
    before = page.read_bytes()
    with pytest.raises(build.CellFailed) as caught:
        build.build(page)
    assert "00_small.ipynb, cell 3 failed with ZeroDivisionError: division by zero" in caught.value.what
    assert "x / 0" in caught.value.what
    assert page.read_bytes() == before and [p.name for p in tmp_path.iterdir()] == ["00_small.ipynb"]


BUILD = """
import signal, sys
from pathlib import Path
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background work ignores it
from course_lib.tools import build, commands, environment
environment.ensure = lambda *arguments: None
build.pages.originals = lambda: [Path(sys.argv[1])]
sys.exit(commands.main(["build", *sys.argv[2:]]))
"""


@pytest.mark.skipif(os.name == "nt", reason="sends a real SIGINT to a group of processes")
@pytest.mark.parametrize("options", [[], ["--check"]], ids=["save", "check"])
@pytest.mark.parametrize("moment", ["in a cell", "while the kernel starts"])
def test_an_interrupt_leaves_the_page_and_no_kernel(moment, options, tmp_path):
    """As in a terminal: everything in the command's group of processes gets the signal."""
    started = tmp_path / "started"
    cell = f"from pathlib import Path\nimport time\nPath({str(started)!r}).touch()\ntime.sleep(100)"
    page = mini_page(tmp_path / "00_small.ipynb", "1 + 1", cell)
    before = page.read_bytes()
    command = subprocess.Popen(
        [sys.executable, "-c", BUILD, str(page), *options],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + 100
        while not (kernels := psutil.Process(command.pid).children()) or (
            moment == "in a cell" and not started.exists()
        ):
            assert command.poll() is None and time.monotonic() < deadline
            time.sleep(0.05)
        os.killpg(command.pid, signal.SIGINT)
        out, err = command.communicate(timeout=60)
    finally:
        command.kill()
    assert (command.returncode, err.strip().splitlines()) == (
        130,
        [
            "Stopped. The stored page is as it was.",
            "Next: type the same command again, and the page is run from its first cell.",
        ],
    )
    assert out == "00_small.ipynb: running …\n"
    assert page.read_bytes() == before and not any(kernel.is_running() for kernel in kernels)


def test_check_saves_nothing(tmp_path):
    page = mini_page(tmp_path / "00_small.ipynb", "1 + 1")
    before = page.read_bytes()
    report = build.build(page, save=False)
    assert report["changed"] and page.read_bytes() == before and "not saved" in report["line"]


def test_a_widget_view_without_a_still_is_kept():
    """Dropping it would hide that the still is missing; the guards then name it."""
    output = new_output("display_data", data={WIDGET: {"model_id": "x"}, "text/plain": "View"})
    assert WIDGET in build.tidy_output(output)["data"]


def test_printed_text_keeps_its_place_around_pictures():
    outputs = [
        new_output("stream", name="stdout", text="a"),
        new_output("stream", name="stderr", text="!"),
        new_output("stream", name="stdout", text="b\n"),
        new_output("display_data", data={"image/png": "aGk="}),
        new_output("stream", name="stdout", text="c"),
    ]
    merged = build.merge_streams(outputs)
    assert [o.get("text", "picture") for o in merged] == ["ab\n", "!", "picture", "c"]


def test_ids_are_made_where_they_lack_and_stay_the_same():
    def ids():
        notebook = new_notebook(cells=[new_code_cell(letter) for letter in "abc"])
        notebook.cells[0]["id"] = notebook.cells[1]["id"] = "same"
        del notebook.cells[2]["id"]
        build.tidy(notebook)
        nbformat.validate(notebook)
        return [cell["id"] for cell in notebook.cells]

    assert ids() == ids() and ids()[0] == "same" and len(set(ids())) == 3


def test_an_unknown_chapter_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(
        build.pages, "originals", lambda: [tmp_path / "00_start_here.ipynb", tmp_path / "01_x.ipynb"]
    )
    with pytest.raises(build.Problem, match="no page number 7"):
        build.choose(["7"])
    assert [page.name for page in build.choose(["1"])] == ["01_x.ipynb"]
    assert len(build.choose([])) == 2


@pytest.mark.parametrize(
    ("typed", "chosen"),
    [
        (["10"], ["10a", "10b"]),
        (["9a", "10B"], ["09a", "10b"]),
        (["009"], ["09a", "09b"]),
        (["0"], ["00"]),
        (["10", "10a"], ["10a", "10b"]),
    ],
)
def test_chapters_of_two_pages_and_short_numbers(typed, chosen):
    assert [build.number_of(page.name) for page in build.choose(typed)] == chosen


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("11", "Chapter 11 is not written yet."),
        ("13", "There is no page number 13."),
        ("9c", "There is no page number 9c."),
        ("x", "There is no page number x."),
    ],
)
def test_a_chapter_that_is_not_there(typed, says):
    with pytest.raises(build.Problem) as told:
        build.choose(["00", typed])
    assert told.value.what == says and told.value.next_step.startswith("choose from 00, 01, ")
