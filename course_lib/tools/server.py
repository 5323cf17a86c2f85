"""The course's own JupyterLab server: none but ours is started, and none but ours is announced.

A learner may have settings for a Jupyter of their own: a password, a certificate, a base address, kernels
named python3, a JUPYTER_PATH. They are left alone and left out: our server reads its settings from a folder
of its own, finds its kernel and its live views in this Python first, and is announced when it answers to
its token. What stays theirs is how JupyterLab looks (theme, shortcuts).
"""

import contextlib
import http.client
import json
import os
import shutil
import sys
import threading
import time
from pathlib import Path

from course_lib.tools import ROOT, Problem, folders

HOST = "127.0.0.1"
OWN = ROOT / "course_lib" / "tools" / "jupyter"
FOREIGN = (
    "JUPYTERLAB_DIR",
    "JUPYTER_GATEWAY_URL",
    "JUPYTER_TOKEN",
    "JUPYTER_TOKEN_FILE",
    "JUPYTER_CONFIG_PATH",
)


# -- settings --------------------------------------------------------------------------------------


def use_own_settings() -> None:
    """Point Jupyter to our settings, kernel and live views; all of the learner's server settings stay out."""
    for name in FOREIGN:
        os.environ.pop(name, None)
    share = [str(OWN), str(Path(sys.prefix) / "share" / "jupyter")]
    others = [one for one in os.environ.get("JUPYTER_PATH", "").split(os.pathsep) if one and one not in share]
    os.environ["JUPYTER_PATH"] = os.pathsep.join(share + others)
    os.environ.setdefault(
        "JUPYTERLAB_SETTINGS_DIR", str(folders.jupyter_folder("jupyter_config_dir") / "lab" / "user-settings")
    )
    os.environ["JUPYTER_NO_CONFIG"] = "1"  # an empty folder that Jupyter makes, and removes at its end
    from jupyter_core.paths import jupyter_config_dir

    extensions = {"ServerApp": {"jpserver_extensions": extensions_here() | {"jupyterlab_jupytext": False}}}
    try:
        settings = Path(jupyter_config_dir())
        shutil.copytree(OWN, settings, ignore=shutil.ignore_patterns("kernels"), dirs_exist_ok=True)
        (settings / "jupyter_server_config.json").write_text(json.dumps(extensions), encoding="utf-8")
    except OSError as error:
        raise Problem(
            f"There is no temporary folder to write to ({error.strerror or error}).",
            "free some space, or set TMPDIR to a folder of your own, then type the same command again.",
        ) from None


def extensions_here() -> dict[str, bool]:
    """The server extensions that packages of this very Python enable."""
    found: dict[str, bool] = {}
    for path in sorted((Path(sys.prefix) / "etc/jupyter/jupyter_server_config.d").glob("*.json")):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            found |= json.loads(path.read_text(encoding="utf-8"))["ServerApp"]["jpserver_extensions"]
    return found


# -- the announcement ------------------------------------------------------------------------------


def status(port: int, token: str) -> int | None:
    """What a server on this machine's `port` answers to `token`: an HTTP status, or None.

    Asked directly, whatever proxy the environment names.
    """
    connection = http.client.HTTPConnection(HOST, port, timeout=2)
    try:
        connection.request("GET", "/api/status", headers={"Authorization": f"token {token}"})
        answer = connection.getresponse()
        answer.read()
        return answer.status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def is_ours(port: int, token: str) -> bool:
    """Whether the server on `port` opens to our token, and to no other."""
    return status(port, token) == 200 and status(port, token[::-1] + "x") in (401, 403)


def own_port() -> int | None:
    """The port that the JupyterLab in this process listens on; None while it does not."""
    module = sys.modules.get("jupyter_server.serverapp")  # imported by the main thread, which starts it
    app = getattr(module, "ServerApp", None)
    if app is None or not app.initialized() or not hasattr(app.instance(), "http_server"):
        return None
    return app.instance().port


def announce(path: str, token: str, started: float, folder: str, open_now: threading.Event) -> None:
    """Say where the course is, as soon as our own server answers.

    path: of the page that opens; started: `time.time()` when the command was typed; folder: of the pages;
    open_now: set when the server answers.
    """
    while True:
        time.sleep(0.05)
        port = own_port()
        if port is not None and is_ours(port, token):
            break
    open_now.set()
    print(
        f"The course is open at\n\n    http://{HOST}:{port}{path}?token={token}\n\n"
        f"(ready after {time.time() - started:.1f} s). Your pages are in {folder}/. "
        "To stop: Ctrl-C here, twice.",
        flush=True,
    )
