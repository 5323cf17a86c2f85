"""Starting in the middle of a page: a kind line for names that a cell above makes, else nothing."""

import json
import os
import sys
from pathlib import Path

import nbformat
import pytest

from course_lib import starting

ROOT = Path(__file__).resolve().parents[2]
CELLS = [
    "import numpy as np, os.path as places\nfrom math import pi",
    "%matplotlib inline\nmodel, (first, *rest) = 1, (2, 3)\nfor step in range(3):\n"
    "    with open(os.devnull) as file:\n        total = step",
    "def train(model):\n    inner = 1\n    return [hidden for hidden in ()]",
    "class Net: ...\nif (found := 3): late = 2",
    "model + 1",
    "later = model",
]
KIND = "is made by a cell above. Run all cells above (menu Run → Run All Above Selected Cell)"


def test_the_names_that_a_cell_leaves_behind():
    assert starting.names_made(CELLS[0]) == {"np", "places", "pi"}
    assert starting.names_made(CELLS[1]) == {"model", "first", "rest", "step", "file", "total"}
    assert starting.names_made(CELLS[2]) == {"train"}
    assert starting.names_made(CELLS[3]) == {"Net", "found", "late"}
    assert starting.names_made("x = (") == set() == starting.names_made("")


@pytest.fixture
def page(tmp_path, monkeypatch):
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    path = tmp_path / "page.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS]), path)
    return path


def test_only_what_stands_above_counts(page, monkeypatch):
    def above(name, source="model + 1\n"):
        return starting.made_above(name, source, page.parent)

    assert above("model") and above("pi") and above("train")
    assert not above("later"), "made below"
    assert not above("modle"), "a misspelt name"
    assert not above("model", "model + 7"), "a cell that no page here has, and nobody says which page it is"
    monkeypatch.setenv("JPY_SESSION_NAME", str(page))
    assert above("model", "model + 7"), "an edited cell of the page that the server names"
    (page.parent / "broken.ipynb").write_text("{", encoding="utf-8")
    monkeypatch.delenv("JPY_SESSION_NAME")
    assert above("model")


def test_only_a_name_that_the_readers_own_code_missed():
    def error_of(code, namespace):
        try:
            exec(code, namespace)
        except Exception as error:
            return error

    mine = {}
    assert starting.missing_name(error_of("model + 1", mine), mine) == "model"
    assert starting.missing_name(error_of("def f(): return model\nf()", mine), mine) == "model"
    assert starting.missing_name(error_of("1 / 0", mine), mine) is None
    assert starting.missing_name(error_of("def g():\n    x += 1\ng()", mine), mine) is None, "x is local"
    library = {}
    exec("def broken(): return nowhere", library)
    mine["broken"] = library["broken"]
    assert starting.missing_name(error_of("broken()", mine), mine) is None
    assert starting.missing_name(None, mine) is None


def test_in_a_kernel_the_line_stands_below_the_error(page):
    """As our kernel starts: the whole error, then one line; a misspelt name and other errors get none."""
    from jupyter_client import KernelManager

    described = json.loads((ROOT / "course_lib/tools/jupyter/kernels/python3/kernel.json").read_text())
    manager = KernelManager()
    manager.kernel_spec.argv = [sys.executable, *described["argv"][1:]]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "JPY_SESSION_NAME": str(page)}
    manager.start_kernel(cwd=str(page.parent), env=env)
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)

        def outputs(code):
            seen = []
            client.execute_interactive(code, output_hook=seen.append, timeout=60)
            return [(m["msg_type"], m["content"].get("text") or m["content"].get("evalue")) for m in seen
                    if m["msg_type"] in ("stream", "error")]  # fmt: skip

        (kind, error), (_, line) = outputs("model + 1")
        assert kind == "error" and error == "name 'model' is not defined"
        assert line == f"`model` {KIND}, then this one again.\n"
        assert outputs("modle + 1") == [("error", "name 'modle' is not defined")]
        assert outputs("1 / 0") == [("error", "division by zero")]
        assert outputs("model = 1\nmodel + 1") == []
        assert outputs("course_lib")[0] == ("error", "name 'course_lib' is not defined"), (
            "nothing is left over"
        )
        assert outputs("import course_lib.practice\nnp.zeros(1)")[1:] == [
            ("stream", f"`np` {KIND}, then this one again.\n")
        ], "watched once, however often it is asked for"
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
