"""Live views in a saved page: each comes with what it needs to be drawn again, or only its still is kept.

An output with a live view holds the view's address in the kernel and, beside it, a still. On the next day
that kernel is gone. So the pages are saved with the views' state (`saveState` in labconfig), and JupyterLab
draws them from it. It saves the state of a running kernel's views only: what was saved of the others is kept
here. A view whose state is not in the page would say "model not found" in the place of its still; for such
a view the address is left out:

- when a page is saved (after a restart, say, of a kernel whose views were never saved);
- when a page is opened that another program has saved, unless its kernel still runs and has the view.

JupyterLab loads this module as an extension of its server (jupyter_server_config.d).
"""

import inspect
import json
import re
from collections.abc import Iterator
from functools import wraps
from pathlib import Path

VIEW = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"
REFERENCE = re.compile(r'IPY_MODEL_([^"\\]+)|"model_id": "([^"\\]+)"')  # how one widget names another
LINKS = ("LinkModel", "DirectionalLinkModel")  # they belong to two widgets, and neither names them


def settle(notebook: dict, earlier: dict | None = None) -> None:
    """Keep the views whose state is in `notebook` (nbformat 4, changed in place), and no other state.

    earlier: the page as it was saved last. JupyterLab writes only the state of widgets that have a running
        kernel; the state of all others is taken over from there.

    Running a cell again leaves the state of its former views behind: that goes, else a page would grow
    with each run.
    """
    states = stored_states(earlier or {}) | stored_states(notebook)
    drawn: set[str] = set()
    for output in outputs_with_a_view(notebook):
        needed = needs(output["data"][VIEW].get("model_id"), states)
        if needed is None:
            take_view_out(output)
        else:
            drawn |= needed
    for key, state in states.items():
        if state.get("model_name") in LINKS and references(state) <= drawn:
            drawn.add(key)
    kept = {key: state for key, state in states.items() if key in drawn}
    if kept:
        notebook["metadata"]["widgets"] = {STATE: {"version_major": 2, "version_minor": 0, "state": kept}}
    else:
        notebook.get("metadata", {}).pop("widgets", None)


def stored_states(notebook: dict) -> dict[str, dict]:
    """The saved state of each widget by its id; none when the page has none, or not in the known form."""
    try:
        states = notebook["metadata"]["widgets"][STATE]["state"]
        return {key: state for key, state in states.items() if isinstance(state, dict)}
    except (KeyError, TypeError, AttributeError):
        return {}


def outputs_with_a_view(notebook: dict) -> Iterator[dict]:
    for cell in notebook.get("cells", ()):
        for output in cell.get("outputs", ()):
            if isinstance(output.get("data", {}).get(VIEW), dict):
                yield output


def needs(key: str | None, states: dict[str, dict]) -> set[str] | None:
    """The ids of all widgets that the widget `key` is made of; None when one of them has no stored state."""
    found: set[str] = set()
    ahead = {key}
    while ahead:
        if not ahead <= states.keys():
            return None
        found |= ahead
        ahead = set().union(*(references(states[one]) for one in ahead)) - found
    return found


def references(state: dict) -> set[str]:
    """The ids of the widgets that are named in the state of one widget."""
    return {key or other for key, other in REFERENCE.findall(json.dumps(state.get("state")))}


def take_view_out(output: dict) -> None:
    """Leave the still; where there is none, a line that says what stood here."""
    del output["data"][VIEW]
    output.get("metadata", {}).pop(VIEW, None)
    if not output["data"]:
        output["data"]["text/plain"] = "(a live view: run this cell again)"


# -- the extension of the server -------------------------------------------------------------------


def before_saving(model: dict, path: str, contents_manager, **_) -> None:
    """For `register_pre_save_hook`: `model` is what is going to be written (its content is changed)."""
    if model.get("type") == "notebook" and isinstance(model.get("content"), dict):
        settle(model["content"], saved_last(contents_manager, path))


def saved_last(contents_manager, path: str) -> dict:
    """The page as it is on the disk; empty where there is none, or nothing that can be read."""
    try:
        file = Path(contents_manager.root_dir, *path.strip("/").split("/"))
        notebook = json.loads(file.read_text(encoding="utf-8"))
        return notebook if isinstance(notebook, dict) else {}
    except (OSError, ValueError, AttributeError, RecursionError):
        return {}


def when_opened(get, has_a_kernel):
    """`get` of a contents manager, but a notebook without a running kernel comes settled.

    has_a_kernel: async function path -> bool.
    """

    @wraps(get)
    async def settled(path, *arguments, **options):
        model = await get(path, *arguments, **options)
        notebook = model.get("content") if model.get("type") == "notebook" else None
        if notebook and not await has_a_kernel(path.strip("/")):
            settle(notebook)
        return model

    return settled


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": __name__}]


def _load_jupyter_server_extension(server) -> None:
    from tornado.ioloop import IOLoop

    IOLoop.current().add_callback(attach, server)  # later: other extensions put their own manager first


def attach(server) -> None:
    """Look after all notebooks that go through the contents manager of this server."""
    manager, sessions = server.contents_manager, server.session_manager
    manager.register_pre_save_hook(before_saving)
    if inspect.iscoroutinefunction(manager.get):  # JupyterLab's own manager; a reader may have another one

        async def has_a_kernel(path: str) -> bool:
            return await sessions.session_exists(path=path)

        manager.get = when_opened(manager.get, has_a_kernel)
