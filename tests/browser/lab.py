"""A real JupyterLab and a real Chromium for the tests: start, open a page, run it, read it back.

`Lab` is one server in a temporary folder, with the settings that `lab` gives it; `Page` one notebook open in
one browser window. Every request that does not go to this machine is stopped and remembered; every console
error is remembered.
"""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parents[2]
KERNELS = Path(__file__).parent / "kernels.py"
TOKEN = "course-tests"

CHROMIUM_OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # no other machine can be reached
]

# Errors that are JupyterLab's own and harmless. Each has its reason; there is no other way in.
HARMLESS = (
    # a window that is loaded again gives up what its debugger has asked of the kernel
    "Could not restore the debugger state: Canceled future for debug_request message",
    # a kernel that restarts while a view opens: JupyterLab gives up the subshell in which it would be heard
    "Canceled future for create_subshell_request message",
)

LAB_SETTINGS = {
    "@jupyterlab/apputils-extension/notification.jupyterlab-settings": {
        "fetchNews": "false",
        "checkForUpdates": False,
    },
    # every cell stands in the page, so that a test finds a view without scrolling to it
    "@jupyterlab/notebook-extension/tracker.jupyterlab-settings": {"windowingMode": "none"},
}


class Lab:
    """A JupyterLab server on 127.0.0.1 whose kernels find the course; `stop` ends it and its kernels.

    A second one in the same folder is the same learner's, on the next day.
    `kernels`: the address of a process that makes the kernels, or None: each is a new Python.
    """

    def __init__(self, folder: Path, kernels: str | None = None):
        self.folder = folder / "pages"
        self.folder.mkdir(exist_ok=True)
        for name, settings in LAB_SETTINGS.items():
            file = folder / "settings" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(settings), encoding="utf-8")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "COURSE_PROGRESS": str(folder / "progress.json"),
            "COURSE_FAST": "1",
            "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
            "JUPYTER_CONFIG_DIR": str(folder / "config"),
            "JUPYTER_CONFIG_PATH": str(ROOT / "course_lib" / "tools" / "jupyter"),
            "JUPYTER_DATA_DIR": str(folder / "data"),
            "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
            "IPYTHONDIR": str(folder / "ipython"),
        }
        environment.pop("MPLBACKEND", None)
        if kernels:
            environment["JUPYTER_PATH"] = str(folder / "share")
            spec = {"display_name": "Python 3", "language": "python", "metadata": {"debugger": True}}
            spec["argv"] = [sys.executable, "-S", str(KERNELS), kernels, "-f", "{connection_file}"]
            file = folder / "share" / "kernels" / "python3" / "kernel.json"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(spec), encoding="utf-8")
        self._log = (folder / "server.log").open("wb")
        self._server = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "jupyterlab",
                "--no-browser",
                "--allow-root",
                "--ip=127.0.0.1",
                f"--port={self.port}",
                "--ServerApp.port_retries=0",
                f"--IdentityProvider.token={TOKEN}",
                f"--ServerApp.root_dir={self.folder}",
                "--expose-app-in-browser",
            ],
            cwd=self.folder,
            env=environment,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        self._wait(folder / "server.log")

    def _wait(self, log: Path, seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end and self._server.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.address}/api?token={TOKEN}", timeout=2):
                    return
            except OSError:
                time.sleep(0.1)
        self.stop()
        raise RuntimeError(f"JupyterLab did not start:\n{log.read_text(errors='replace')[-2000:]}")

    def stop(self) -> None:
        """End the server; it takes its kernels with it."""
        if self._server.poll() is None:
            self._server.terminate()
            try:
                self._server.wait(20)
            except subprocess.TimeoutExpired:
                self._server.kill()
                self._server.wait()
        self._log.close()

    def write(self, name: str, cells: list[str]) -> str:
        """A new notebook with these code cells; its file name."""
        import nbformat

        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(notebook, self.folder / name)
        return name


def new_window(browser):
    """An empty window with a browser context of its own."""
    window = browser.new_context(viewport=SIZE).new_page()
    window.set_default_timeout(20_000)
    return window


class Page:
    """A notebook open in JupyterLab.

    Args:
        lab, browser: the running server and Chromium.
        name: the notebook's file name.
        dark: whether it is opened in the dark theme.
        window: a window that stays open for further pages, and in which none is open now: to load JupyterLab
            costs five times as much as to open a page in it. None: a window of its own.
    """

    def __init__(self, lab: Lab, browser, name: str, dark: bool = False, window=None):
        self.outside, self.errors = [], []
        self.window, self._stays = window or new_window(browser), window is not None
        self._fingers, self._heard = (
            [],
            {
                "console": self._console,
                "pageerror": lambda error: self._remember_error(f"uncaught: {error}"),
                "request": lambda request: self._remember(request.url),
                "websocket": lambda socket: self._remember(socket.url),
            },
        )
        for event, hear in self._heard.items():
            self.window.on(event, hear)
        if self.window.url == "about:blank":
            self.window.goto(f"{lab.address}/lab/tree/{name}?token={TOKEN}&reset", wait_until="commit")
        else:
            self.window.evaluate(OPEN, name)
        self.window.wait_for_function(f"{IS_OPEN}({json.dumps(name)})", timeout=60_000, polling=POLLING)
        self.theme(dark)

    def finger(self):
        """Make the screen one that can be touched; the DevTools session that touches it."""
        self._fingers.append(self.window.context.new_cdp_session(self.window))
        self._fingers[-1].send("Emulation.setTouchEmulationEnabled", {"enabled": True})
        return self._fingers[-1]

    def theme(self, dark: bool) -> None:
        """Change to the dark or the light theme."""
        theme = "JupyterLab Dark" if dark else "JupyterLab Light"
        change = "(theme) => jupyterapp.commands.execute('apputils:change-theme', { theme })"
        self.window.evaluate(change, theme)
        self.window.wait_for_selector(f'body[data-jp-theme-name="{theme}"]', state="attached")

    def _remember(self, address: str) -> None:
        """Keep an address outside of this machine for the test."""
        inside = ("http://127.0.0.1:", "ws://127.0.0.1:", "chrome", "data:", "blob:", "about:")
        if not address.startswith(inside):
            self.outside.append(address)

    def _console(self, message) -> None:
        if message.type == "error":
            self._remember_error(f"{message.text} ({message.location.get('url', '')})")

    def _remember_error(self, text: str) -> None:
        """Keep an error for the test, unless it is known to be harmless."""
        if not any(known in text for known in HARMLESS):
            self.errors.append(text)

    def run_all(self, seconds: float = 60) -> None:
        """Run every cell; an error output fails, and so does a last cell that never ran."""
        # not awaited in one call, so that the time limit is ours
        self.window.evaluate(
            "void (window.ran = false, jupyterapp.commands.execute('notebook:run-all-cells')"
            ".then(() => { window.ran = true; }))"
        )
        self.window.wait_for_function("window.ran", timeout=seconds * 1000, polling=POLLING)
        cells = self.cells()
        wrong = [
            f"{output['ename']}: {output['evalue']}\nin cell: {cell['source'][:300]}"
            for cell in cells
            for output in cell["outputs"]
            if output["output_type"] == "error" and "raises-exception" not in cell["tags"]
        ]
        assert not wrong, wrong[0]
        never = [cell["source"][:80] for cell in cells if cell["source"].strip() and cell["count"] is None]
        assert not never, f"never ran: {never}"

    def cells(self) -> list[dict]:
        """Source, tags, execution count and outputs of every code cell."""
        return self.window.evaluate(CELLS)

    def python(self, code: str) -> str:
        """What `code` prints in the page's kernel."""
        return self.window.evaluate(PYTHON, code).strip()

    def python_becomes(self, expression: str, text: str, seconds: float = 5) -> None:
        """Wait until `expression` in the kernel prints as `text`: the browser sends one change at a time."""
        end = time.monotonic() + seconds
        while (now := self.python(f"print({expression})")) != text:
            assert time.monotonic() < end, f"{expression} is {now}; expected {text}"

    def idle(self) -> None:
        """Wait until the kernel has nothing to do and its last output has arrived."""
        self.python("")
        self.window.wait_for_function(READY)

    def restart(self) -> None:
        """Restart the kernel; what it knew is gone, the outputs stay."""
        self.window.evaluate(
            "jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart().then(() => {})"
        )
        self.window.wait_for_function(READY, timeout=60_000, polling=POLLING)

    def busy(self, seconds: float) -> None:
        """Keep the whole kernel busy from now on: a call that keeps the interpreter's lock.

        Beside a cell that only sleeps or waits, JupyterLab's messages of views are heard in another thread.
        """
        code = f"import ctypes; ctypes.PyDLL(None).usleep({int(seconds * 1e6)})"
        kernel = "jupyterapp.shell.currentWidget.sessionContext.session.kernel"
        self.window.evaluate(f"(code) => void {kernel}.requestExecute({{ code }})", code)

    def dark(self) -> bool:
        return self.window.evaluate("document.body.dataset.jpThemeLight") == "false"

    def save(self) -> None:
        """Save the page, as Ctrl-S does."""
        self.window.evaluate("jupyterapp.commands.execute('docmanager:save').then(() => {})")

    def reload(self) -> None:
        """Load the window again; the kernel runs on."""
        self.window.reload(wait_until="commit")
        self.window.wait_for_function(READY, timeout=60_000, polling=POLLING)

    def close(self) -> None:
        """Shut the kernel down and the window; one that stays is left as a new one would be.

        It does not stay when the test has opened another page from this one.
        """
        self.window.evaluate("jupyterapp.shell.currentWidget.sessionContext.shutdown()")
        if not self._stays or self.window.evaluate(PAGES) > 1:
            self.window.context.close()
            return
        for event, hear in self._heard.items():
            self.window.remove_listener(event, hear)
        for finger in self._fingers:
            finger.send("Emulation.setTouchEmulationEnabled", {"enabled": False})
            finger.detach()
        self.window.evaluate(CLOSE)
        self.window.context.clear_permissions()
        self.window.emulate_media(reduced_motion="null")
        self.window.set_viewport_size(SIZE)
        self.window.mouse.move(1, 1)


SIZE = {"width": 1280, "height": 1000}
POLLING = 100  # ms between two looks in a long wait: a look in every frame keeps Chromium busy with painting

READY = """() => {
  const page = window.jupyterapp?.shell?.currentWidget;
  const session = page?.sessionContext;
  return page?.context?.isReady && session?.isReady && session.session?.kernel?.status === 'idle';
}"""

OPEN = "(name) => jupyterapp.commands.execute('docmanager:open', { path: name }).then(() => {})"
# commands act on what JupyterLab's list of notebooks calls the current one: they are enabled once that is the
# page that is shown
IS_OPEN = f"""((name) => window.jupyterapp?.shell?.currentWidget?.context?.path === name && ({READY})()
  && jupyterapp.commands.isEnabled('notebook:run-all-cells'))"""

PAGES = "[...jupyterapp.shell.widgets('main')].filter((page) => page.context).length"

CLOSE = """() => {
  jupyterapp.shell.currentWidget.dispose(); // no question whether to save it
  jupyterapp.shell.expandLeft();
}"""

CELLS = """() => jupyterapp.shell.currentWidget.content.widgets
  .filter((cell) => cell.model.type === 'code')
  .map((cell) => ({
    source: cell.model.sharedModel.getSource(), count: cell.model.executionCount,
    tags: cell.model.getMetadata('tags') ?? [], outputs: cell.model.outputs.toJSON(),
  }))"""

PYTHON = """async (code) => {
  let text = '';
  const future = jupyterapp.shell.currentWidget.sessionContext.session.kernel.requestExecute({ code });
  future.onIOPub = ({ header, content }) => {
    if (header.msg_type === 'stream') text += content.text;
    if (header.msg_type === 'error') text += `${content.ename}: ${content.evalue}`;
  };
  await future.done;
  return text;
}"""
