"""A hub: pages get a kernel that has the packages, looked at before "ready" is said; and a real JupyterHub.

The real one needs `jupyterhub` and `configurable-http-proxy` in build/jupyterhub (or the folder that
COURSE_JUPYTERHUB names); without them that test is skipped:

    python3 -m pip install --target build/jupyterhub/site jupyterhub
    npm install --prefix build/jupyterhub configurable-http-proxy
"""

import http.server
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import pytest
from door_helpers import ROOT, bare, house, lending_venv, mini_page, packages_here, run, tiny_course

from course_lib.tools import Problem, hub, versions

HUB = Path(os.environ.get("COURSE_JUPYTERHUB") or ROOT / "build" / "jupyterhub")
PROXY = HUB / "node_modules/.bin/configurable-http-proxy"


def page_kernel(path: Path) -> str:
    """The kernel that a page names; one that names none gets the server's own."""
    page = json.loads(path.read_text(encoding="utf-8"))
    return page["metadata"].get("kernelspec", {"name": "python3"})["name"]


def test_pages_change_their_kernel_and_nothing_else(tmp_path):
    path = mini_page(tmp_path / "01_a.ipynb", "x = 1")
    before = json.loads(path.read_text(encoding="utf-8"))
    hub.use_kernel(tmp_path, hub.kernel_name(), hub.TITLE)
    assert page_kernel(path) == hub.kernel_name()
    assert json.loads(path.read_text(encoding="utf-8"))["cells"] == before["cells"]
    hub.use_usual_kernel(tmp_path)  # the folder comes home from the hub
    assert page_kernel(path) == "python3"


def test_a_kernel_that_the_learner_chose_stays(tmp_path):
    path = mini_page(tmp_path / "01_a.ipynb", "x = 1")
    path.write_text(
        path.read_text().replace('"metadata": {}', '"metadata": {"kernelspec": {"name": "mine"}}')
    )
    (tmp_path / "02_b.ipynb").write_text("no page")
    chosen = path.read_text()
    hub.use_kernel(tmp_path, hub.kernel_name(), hub.TITLE)
    assert path.read_text() == chosen and (tmp_path / "02_b.ipynb").read_text() == "no page"


def test_the_kernel_is_registered_for_the_user_and_old_ones_go(tmp_path, monkeypatch):
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path))
    gone = tmp_path / "kernels" / f"{hub.OURS}00000000"
    gone.mkdir(parents=True)
    (gone / "kernel.json").write_text('{"argv": ["/nowhere/python"]}')
    name = hub.register()
    kernel = json.loads((tmp_path / "kernels" / name / "kernel.json").read_text(encoding="utf-8"))
    assert kernel["argv"][0] == sys.executable and kernel["env"]["PYTHONPATH"].startswith(str(ROOT))
    assert not gone.exists()
    (tmp_path / "file").touch()
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "file" / "data"))
    with pytest.raises(Problem, match="could not be registered"):
        hub.register()


def test_ready_is_not_said_before_the_packages_import(tmp_path):
    """The old fault: everything seems installed, and the kernel has no torch."""
    root = tiny_course(tmp_path / "course", tmp_path / "wheels")
    site = tmp_path / "site"
    for wheel in (tmp_path / "wheels").iterdir():
        shutil.unpack_archive(wheel, site, "zip")
    (site / "tinything.py").write_text("raise ImportError('libtorch.so is missing')")
    environ = {
        "JUPYTERHUB_SERVICE_PREFIX": "/user/me/",
        "JUPYTER_DATA_DIR": str(tmp_path / "data"),
        "PYTHONPATH": str(site),
    }
    said = run([*bare(), str(root / "course_lib"), "lab"], tmp_path, environ)
    assert said.returncode == 1 and "ready" not in said.stdout and "Traceback" not in said.stderr
    assert "tinything: ImportError: libtorch.so is missing\nNext: " in said.stderr
    assert not (tmp_path / "data").exists()


def test_a_server_that_hides_the_kernel_is_noticed(monkeypatch):
    class Server(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            right = self.path == "/user/me/api/kernelspecs" and self.headers["Authorization"] == "token t"
            self.send_response(200 if right else 403)
            self.end_headers()
            self.wfile.write(json.dumps({"kernelspecs": {"python3": {}, "ours": {}}}).encode())

        def log_message(self, *_):
            pass

    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "t")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("JUPYTERHUB_SERVICE_URL", f"http://0.0.0.0:{server.server_port}/user/me/")
        hub.ask_the_server("ours")
        with pytest.raises(Problem, match="offers only ours, python3"):
            hub.ask_the_server("hidden")
        monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "another")
        hub.ask_the_server("hidden")  # it does not answer, so it cannot be asked
        server.shutdown()


def test_colab_says_what_to_install(monkeypatch):
    monkeypatch.setattr(
        versions, "ranges", lambda: {"pytest": ">=1", "no-such": ">=2,<3", "jupyterlab": ">9"}
    )
    with pytest.raises(Problem, match="lacks 1 of") as caught:
        hub.colab_lacks()
    assert '%pip install "no-such>=2,<3"`' in caught.value.next_step


# -- a real JupyterHub -----------------------------------------------------------------------------

CONFIG = """
c = get_config()
c.JupyterHub.authenticator_class = "dummy"
c.JupyterHub.spawner_class = "simple"
c.JupyterHub.bind_url = "http://127.0.0.1:{port}"
c.JupyterHub.hub_port = {hub_port}
c.JupyterHub.db_url = "sqlite:///{folder}/hub.sqlite"
c.JupyterHub.cookie_secret_file = "{folder}/cookie"
c.JupyterHub.services = [{{"name": "tests", "api_token": "{token}"}}]
c.JupyterHub.load_roles = [{{"name": "tests", "services": ["tests"],
    "scopes": ["admin:users", "admin:servers", "access:servers"]}}]
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{proxy_port}"
c.ConfigurableHTTPProxy.command = ["{proxy}"]
c.ConfigurableHTTPProxy.pid_file = "{folder}/proxy.pid"
c.Authenticator.allow_all = True
c.SimpleLocalProcessSpawner.home_dir_template = "{folder}/home/{{username}}"
c.Spawner.cmd = ["{python}", "-m", "jupyterhub.singleuser"]
c.Spawner.args = ["--allow-root"]
c.Spawner.start_timeout = c.Spawner.http_timeout = 180
c.Spawner.environment = {{"JUPYTERHUB_SINGLEUSER_APP": "jupyter_server.serverapp.ServerApp",
    "PYTHONNOUSERSITE": "1"}}
"""


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


class RealHub:
    """A JupyterHub on 127.0.0.1 whose Python is a virtual environment without torch."""

    def __init__(self, folder: Path):
        self.folder, self.token = folder, secrets.token_hex(16)
        # the hub's Python: a JupyterLab's server and kernel, none of the packages of the course
        lent = folder / "lent"
        lent.mkdir()
        hidden = {name.lower().replace("-", "_") for name in versions.ranges()} - {"jupyterlab"}
        for entry in Path(packages_here()).iterdir():
            if entry.name.split("-")[0].lower() not in hidden and not entry.name.endswith(".pth"):
                (lent / entry.name).symlink_to(entry)
        self.python = lending_venv(folder / "hub", HUB / "site", lent)
        port, hub_port, proxy_port = free_ports(3)
        self.address = f"http://127.0.0.1:{port}"
        (folder / "home").mkdir()
        config = CONFIG.format(
            folder=folder,
            port=port,
            hub_port=hub_port,
            proxy_port=proxy_port,
            token=self.token,
            proxy=PROXY,
            python=self.python,
        )
        (folder / "config.py").write_text(config)
        environ = {k: v for k, v in os.environ.items() if k != "PYTHONPATH" and not k.startswith("JUPYTER")}
        self.log = open(folder / "log", "w+")  # noqa: SIM115
        command = [str(self.python), "-m", "jupyterhub", "-f", str(folder / "config.py")]
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env=environ,
            stdout=self.log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.until(lambda: self.ask("/hub/api/")["version"])

    def until(self, answered, seconds: float = 180):
        end = time.monotonic() + seconds
        while self.process.poll() is None and time.monotonic() < end:
            try:
                if result := answered():
                    return result
            except (OSError, ValueError, KeyError):
                pass
            time.sleep(0.5)
        raise AssertionError((self.folder / "log").read_text()[-3000:])

    def ask(self, path: str, data: dict | None = None):
        body = None if data is None else json.dumps(data).encode()
        asked = urllib.request.Request(self.address + path, body, {"Authorization": f"token {self.token}"})
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(asked, timeout=60) as answer:
            return json.loads(answer.read() or b"null")

    def server(self, user: str) -> str:
        """Start the user's server; the path of its API."""
        self.ask(f"/hub/api/users/{user}", {})
        self.ask(f"/hub/api/users/{user}/server", {})
        self.until(lambda: self.ask(f"/hub/api/users/{user}")["servers"][""]["ready"])
        return f"/user/{user}/api"

    def execute(self, api: str, kernel: str, code: str) -> str:
        """What `code` prints in a new kernel of this name; a failure is raised."""
        import websocket

        number = self.ask(f"{api}/kernels", {"name": kernel})["id"]
        address = self.address.replace("http", "ws") + f"{api}/kernels/{number}/channels"
        channel = websocket.create_connection(
            address, header=[f"Authorization: token {self.token}"], timeout=90
        )
        header = {
            "msg_id": "1",
            "msg_type": "execute_request",
            "session": "s",
            "username": "u",
            "version": "5.3",
        }
        content = {"code": code, "silent": False}
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": content}
        channel.send(json.dumps(message | {"channel": "shell"}))
        said = ""
        while True:
            got = json.loads(channel.recv())
            if got.get("parent_header", {}).get("msg_id") != "1":
                continue
            said += got["content"].get("text", "") if got["msg_type"] == "stream" else ""
            assert got["msg_type"] != "error", got["content"]
            if got["msg_type"] == "execute_reply":
                channel.close()
                return said

    def stop(self) -> None:
        self.process.terminate()  # it stops its proxy and the users' servers
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, 9)
            self.process.wait()
        self.log.close()


def course_of(user: str, folder: Path) -> Path:
    """A user's copy of the course, whose `.venv` has the packages already."""
    root = house(folder / user / "course")
    mini_page(root / "notebooks" / "00_start_here.ipynb", "import torch")
    # the heaviest of the packages stand for all: each of them would be imported at every look
    (root / "pyproject.toml").write_text('[project]\ndependencies = ["torch>=2", "jupyterlab>=4"]\n')
    (root / "requirements.txt").write_text("torch\njupyterlab\n")
    lending_venv(root, packages_here())
    return root


@pytest.mark.skipif(
    not (HUB / "site" / "jupyterhub").is_dir() or not PROXY.exists() or not shutil.which("node"),
    reason="no JupyterHub in build/jupyterhub (tests/unit/tools/test_hub.py says how to put one there)",
)
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_two_users_of_a_real_jupyterhub(tmp_path):
    """Each types `lab` in a terminal of the hub; their pages then run with torch, on their own course."""
    real = RealHub(tmp_path)
    try:
        for user in ("ada", "ben"):
            root = course_of(user, tmp_path / "home")
            api = real.server(user)
            assert "python3" in real.ask(f"{api}/kernelspecs")["kernelspecs"]
            typed = f"""
import importlib.util, subprocess, sys
assert importlib.util.find_spec("torch") is None, "the hub's own kernel has no torch"
command = [sys.executable, {str(root / "course_lib")!r}, "lab"]
said = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
print(said.returncode, said.stdout, said.stderr)"""
            said = real.execute(api, "python3", typed)
            assert said.startswith("0 ") and "The pages are ready." in said, said
            kernel = page_kernel(root / "my_course" / "00_start_here.ipynb")
            assert kernel in real.ask(f"{api}/kernelspecs")["kernelspecs"]
            asked = "import course_lib, sys, torch; print(course_lib.__file__, sys.prefix)"
            library, prefix = real.execute(api, kernel, asked).split()
            assert Path(library).parent == root / "course_lib" and Path(prefix) == root / ".venv"
    finally:
        real.stop()
