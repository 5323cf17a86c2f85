"""`python3 -m course_lib lab`: environment, pages, JupyterLab at chapter 00.

JupyterLab runs in this very process, so the second start costs one Python start and JupyterLab's own
imports. It listens on this machine only. The learner's own JupyterLab settings are read and never written;
the news pop-up is off through a default that we add (tools/jupyter/labconfig).
"""

import os
import secrets
import socket
import sys
import threading
import time
from pathlib import Path

from course_lib.tools import ROOT, Problem, environment, pages, parser

HOST = "127.0.0.1"
FIRST_PORT = 8888


def main(arguments: list[str]) -> int:
    asked = parser("lab")
    asked.add_argument("--no-browser", action="store_true", help="print the address, open no browser")
    asked.add_argument(
        "--port", type=port_number, help=f"the port to use (else the first free one from {FIRST_PORT} on)"
    )
    asked.add_argument("--originals", action="store_true", help="open notebooks/ itself (for maintainers)")
    asked.add_argument("--wheels", metavar="FOLDER", help="install from a folder of wheels, with no network")
    options = asked.parse_args(arguments)

    os.environ.setdefault("COURSE_STARTED", repr(time.time()))
    port = free_port(options.port)  # before the long installation: better to hear it now
    if options.wheels and not Path(options.wheels).is_dir():
        raise Problem(
            f"There is no folder {options.wheels}.",
            "make it with `python3 -m pip download -r requirements.txt -d wheels`.",
        )
    environment.ensure(environment.ranges(), ["lab", *arguments], options.wheels)

    folder = ROOT / "notebooks"
    if not options.originals:
        folder = ROOT / "my_course"
        for line in pages.copy_pages():
            print(line)
    where = hosted()
    if where:
        return explain_host(where, folder)
    return serve(folder, port, browser=not options.no_browser)


def port_number(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 65535:
        raise ValueError(text)
    return number


port_number.__name__ = "port (1 to 65535)"  # argparse names the type in its message


def free_port(asked: int | None) -> int:
    """The port that was asked for, or the first free one from 8888 on. Raises Problem when there is none."""
    for port in [asked] if asked else range(FIRST_PORT, FIRST_PORT + 50):
        with socket.socket() as probe:
            if os.name != "nt":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server does it
            try:
                probe.bind((HOST, port))
                return port
            except PermissionError:
                why = "may only be used by the system's administrator"
            except OSError:
                why = "is taken by another program (perhaps an earlier start of this course)"
    if asked:
        raise Problem(
            f"Port {asked} {why}.",
            "leave --port out and a free port is found, or name another one, for example "
            f"`python3 -m course_lib lab --port {asked + 1 if 1024 <= asked < 65535 else FIRST_PORT}`.",
        )
    raise Problem(
        f"Ports {FIRST_PORT} to {FIRST_PORT + 49} are all taken.",
        "stop other JupyterLabs, or name a port with --port.",
    )


def hosted() -> str | None:
    """The hosted service this Python runs in, when it brings its own JupyterLab."""
    if "JUPYTERHUB_SERVICE_PREFIX" in os.environ:
        return "JupyterHub"
    return "Colab" if "COLAB_RELEASE_TAG" in os.environ else None


def explain_host(where: str, folder: Path) -> int:
    """On a hub JupyterLab runs already: let its kernels find course_lib, and say which file to open."""
    site = environment.user_site()
    try:
        site.mkdir(parents=True, exist_ok=True)
        (site / "course_lib.pth").write_text(f"{ROOT}\n", encoding="utf-8")
    except OSError as error:
        raise Problem(
            f"The pages could not be told where course_lib is ({error}).",
            f"type `{sys.executable} -m pip install --no-deps -e {ROOT}`, then open {folder}.",
        ) from None
    print(f"You are in {where}, whose JupyterLab runs already. The pages are ready.")
    print(f"Open in its file browser: {folder / '00_start_here.ipynb'}")
    return 0


def server_arguments(folder: Path, port: int, token: str, browser: bool) -> list[str]:
    """JupyterLab's command line. The root is the whole course: a page finds ../assets from both folders."""
    first = next(iter(pages.originals(folder)), None)
    arguments = [
        f"--ServerApp.ip={HOST}",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        f"--ServerApp.root_dir={ROOT}",
        f"--ServerApp.open_browser={browser}",
        "--ServerApp.base_url=/",
        "--ServerApp.allow_remote_access=False",
        f"--IdentityProvider.token={token}",
        f"--LabApp.default_url=/lab/tree/{folder.name}{'/' + first.name if first else ''}",
        f"--LabApp.workspaces_dir={ROOT / 'my_course' / '.workspaces'}",
        "--ServerApp.jpserver_extensions=jupyterlab_jupytext=False",
        "--ServerApp.log_level=ERROR",
        "--LabApp.log_level=ERROR",
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        arguments.append("--ServerApp.allow_root=True")
    return arguments


def serve(folder: Path, port: int, browser: bool) -> int:
    """Start JupyterLab here; returns when it is stopped (Ctrl-C)."""
    os.chdir(ROOT)
    own = str(ROOT / "course_lib" / "tools" / "jupyter")
    os.environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join(
        filter(None, [own, os.environ.get("JUPYTER_CONFIG_PATH")])
    )
    # jsonschema reads a whole grammar on import, to check international addresses, which nobody does here:
    # that is half of JupyterLab's start. Without the package behind it, it leaves the check out.
    sys.modules.setdefault("rfc3987_syntax", None)
    token = secrets.token_urlsafe(24)
    command = server_arguments(folder, port, token, browser)
    address = f"http://{HOST}:{port}" + next(a for a in command if "default_url" in a).split("=", 1)[1]
    started = float(os.environ.pop("COURSE_STARTED", time.time()))
    threading.Thread(
        target=announce, args=(port, f"{address}?token={token}", started, folder.name), daemon=True
    ).start()
    from jupyterlab.labapp import main as jupyterlab

    jupyterlab(argv=command)
    return 0


def announce(port: int, address: str, started: float, folder: str) -> None:
    """Say where the course is, as soon as the server listens."""
    while True:
        time.sleep(0.05)
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex((HOST, port)) == 0:
                break
    print(
        f"The course is open at\n\n    {address}\n\n"
        f"(ready after {time.time() - started:.1f} s). Your pages are in {folder}/. "
        "To stop: Ctrl-C here, twice.",
        flush=True,
    )
