"""A saved page keeps the views that can be drawn again from it, and the stills of all others."""

import asyncio
import copy
import json
import os
import re
import subprocess
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest
from door_helpers import house

from course_lib.tools import stored_views
from course_lib.tools.stored_views import STATE, VIEW

PNG = {"image/png": "iVBORw0", "text/plain": "a view"}


def page(views: dict[str, dict], states: dict[str, dict] | None = None) -> dict:
    """A page with one output for each view: {model id: what stands beside it}."""
    outputs = [
        {
            "output_type": "display_data",
            "data": {**beside, VIEW: {"model_id": key, "version_major": 2}},
            "metadata": {VIEW: {}, "image/png": {"alt": "words"}},
        }
        for key, beside in views.items()
    ]
    metadata = {"kernelspec": {"name": "python3"}}
    if states is not None:
        metadata["widgets"] = {STATE: {"version_major": 2, "version_minor": 0, "state": states}}
    text = {"output_type": "stream", "name": "stdout", "text": "printed"}
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": "# A page"},
        {
            "cell_type": "code",
            "execution_count": 1,
            "metadata": {},
            "source": "",
            "outputs": [text, *outputs],
        },
    ]
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def state(*named: str, model: str = "AnyModel") -> dict:
    """The state of a widget that names others."""
    return {"model_name": model, "state": {"children": [f"IPY_MODEL_{key}" for key in named], "size": 3}}


def views_in(notebook: dict) -> list[str]:
    return [output["data"][VIEW]["model_id"] for output in stored_views.outputs_with_a_view(notebook)]


def test_a_view_whose_state_is_there_stays():
    notebook = page({"a": PNG}, {"a": state("layout"), "layout": state()})
    before = copy.deepcopy(notebook)
    stored_views.settle(notebook)
    assert notebook == before


@pytest.mark.parametrize(
    "states",
    [None, {}, {"b": state()}, {"a": state("gone")}, {"a": "not a state"}, "not states"],
    ids=["no state", "empty", "another's", "a part is missing", "no dictionary", "another form"],
)
def test_a_view_without_its_state_leaves_its_still(states):
    notebook = page({"a": PNG}, states)
    stored_views.settle(notebook)
    output = notebook["cells"][1]["outputs"][1]
    assert output["data"] == PNG and output["metadata"] == {"image/png": {"alt": "words"}}
    assert "widgets" not in notebook["metadata"] and notebook["metadata"]["kernelspec"]
    assert notebook["cells"][1]["outputs"][0]["text"] == "printed"


def test_where_no_still_stands_a_line_says_what_was_here():
    notebook = page({"a": {}})
    stored_views.settle(notebook)
    assert notebook["cells"][1]["outputs"][1]["data"] == {"text/plain": "(a live view: run this cell again)"}


def test_states_that_no_output_needs_go_and_links_between_two_that_stay_stay():
    link = {"model_name": "DirectionalLinkModel", "state": {"source": ["IPY_MODEL_a", "value"]}}
    lost = {"model_name": "LinkModel", "state": {"source": ["IPY_MODEL_old", "value"]}}
    inside = {"model_name": "OutputModel", "state": {"outputs": [{"data": {VIEW: {"model_id": "deep"}}}]}}
    states = {"a": state("inside"), "inside": inside, "deep": state(), "link": link}
    notebook = page({"a": PNG}, {**states, "old": state(), "lost": lost})
    stored_views.settle(notebook)
    assert notebook["metadata"]["widgets"][STATE]["state"] == states
    assert notebook["metadata"]["widgets"][STATE]["version_major"] == 2


def test_what_was_saved_before_is_taken_over_for_the_views_that_are_still_there():
    """After a restart JupyterLab writes the state of the new views only."""
    yesterday = page({"a": PNG, "b": PNG}, {"a": state("x"), "x": state(), "b": state()})
    today = page({"a": PNG, "c": PNG}, {"c": state()})
    stored_views.settle(today, yesterday)
    assert views_in(today) == ["a", "c"]
    assert today["metadata"]["widgets"][STATE]["state"].keys() == {"a", "x", "c"}


def test_a_page_of_another_form_is_left_as_it_is():
    for notebook in ({}, {"cells": []}, {"worksheets": [], "metadata": {}}):
        before = copy.deepcopy(notebook)
        stored_views.settle(notebook)
        assert notebook == before


# -- in JupyterLab's server ------------------------------------------------------------------------


class Manager:
    """As much of a contents manager as the extension uses."""

    def __init__(self, folder):
        self.root_dir, self.hooks = str(folder), []

    def register_pre_save_hook(self, hook):
        self.hooks.append(hook)

    async def get(self, path, content=True, type=None):
        file = Path(self.root_dir, path.strip("/"))
        return {"type": "notebook", "content": json.loads(file.read_text()) if content else None}


def wait(coroutine):
    """Run it in a thread of its own: a browser test before this one may have left a loop in ours."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()


def attached(folder, running: set[str] = frozenset()):
    async def session_exists(path):
        return path in running

    sessions = SimpleNamespace(session_exists=session_exists)
    manager = Manager(folder)
    stored_views.attach(SimpleNamespace(contents_manager=manager, session_manager=sessions))
    return manager


def test_saving_settles_with_what_is_on_the_disk(tmp_path):
    manager = attached(tmp_path)
    (tmp_path / "my_course").mkdir()
    file = tmp_path / "my_course" / "a.ipynb"

    def views_after_saving():
        model = {"type": "notebook", "content": page({"a": PNG, "b": PNG}, {"b": state()})}
        for hook in manager.hooks:
            hook(model=model, path="/my_course/a.ipynb", contents_manager=manager)
        return views_in(model["content"])

    assert views_after_saving() == ["b"]  # the file is new
    for foreign in ("", "[]", "{", "[" * 100_000):
        file.write_text(foreign)
        assert views_after_saving() == ["b"]
    file.write_text(json.dumps(page({"a": PNG}, {"a": state()})))
    assert views_after_saving() == ["a", "b"]
    for model in ({"type": "file", "content": "text"}, {"type": "directory"}):
        before = dict(model)
        manager.hooks[0](model=model, path="a", contents_manager=manager)
        assert model == before


def test_opening_settles_unless_the_pages_kernel_runs(tmp_path):
    (tmp_path / "a.ipynb").write_text(json.dumps(page({"a": PNG})))
    manager = attached(tmp_path)
    assert views_in(wait(manager.get("/a.ipynb"))["content"]) == []
    assert wait(manager.get("a.ipynb", content=False))["content"] is None
    manager = attached(tmp_path, running={"a.ipynb"})
    assert views_in(wait(manager.get("/a.ipynb", type="notebook"))["content"]) == ["a"]


def test_a_manager_that_is_not_asynchronous_is_not_changed(tmp_path):
    class Plain(Manager):
        def get(self, path):
            return {}

    plain = Plain(tmp_path)
    stored_views.attach(SimpleNamespace(contents_manager=plain, session_manager=None))
    assert plain.get("a") == {} and plain.hooks == [stored_views.before_saving]


def test_the_server_that_lab_starts_does_it(tmp_path):
    """With the settings of the real command: state is saved, and what lacks it is settled on the disk."""
    root = house(tmp_path / "course")
    environ = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "COURSE_STARTED")}
    environ |= {"JUPYTER_DATA_DIR": str(tmp_path / "data"), "PYTHONUTF8": "1"}
    command = [sys.executable, str(root / "course_lib"), "lab", "--no-browser"]
    lab = subprocess.Popen(command, cwd=tmp_path, env=environ, stdout=subprocess.PIPE, text=True)
    try:
        address = next(found.group() for line in lab.stdout if (found := re.search(r"http://\S+", line)))
        server, token = address.split("/lab")[0], address.split("token=")[1]

        def ask(path, body=None):
            headers = {"Authorization": f"token {token}", "Content-Type": "application/json"}
            data = None if body is None else json.dumps(body).encode()
            request = urllib.request.Request(
                f"{server}{path}", data, headers, method="GET" if body is None else "PUT"
            )
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)

        settings = ask("/lab/api/settings/@jupyter-widgets/jupyterlab-manager:plugin")
        assert settings["schema"]["properties"]["saveState"]["default"] is True
        body = {"type": "notebook", "content": page({"a": PNG, "b": PNG}, {"b": state()})}
        ask("/api/contents/my_course/saved.ipynb", body)
        (root / "my_course" / "from_a_hub.ipynb").write_text(json.dumps(page({"a": PNG})))
        opened = ask("/api/contents/my_course/from_a_hub.ipynb")
    finally:
        lab.terminate()
        lab.wait(timeout=30)
        lab.stdout.close()
    assert views_in(json.loads((root / "my_course" / "saved.ipynb").read_text())) == ["b"]
    assert views_in(opened["content"]) == []
