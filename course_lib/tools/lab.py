"""`python3 -m course_lib lab`: environment, pages, JupyterLab at chapter 00.

JupyterLab runs in this very process, so the second start costs one Python start and JupyterLab's own
imports. It listens on this machine only. tools/server.py keeps it apart from the learner's own Jupyter, and
tools/hub.py serves those whose JupyterLab runs already.
"""

import os
import secrets
import socket
import sys
import threading
import time
from pathlib import Path

from course_lib.tools import (
    ROOT,
    Problem,
    environment,
    hub,
    installing,
    pages,
    parser,
    server,
    shadows,
    versions,
)

FIRST_PORT = 8888


def main(arguments: list[str]) -> int:
    asked = parser("lab")
    asked.description += (
        ".\nYou work in copies of the pages, in the folder my_course/. "
        "A new version of the course leaves them alone."
    )
    asked.add_argument("--no-browser", action="store_true", help="print the address, open no browser")
    asked.add_argument(
        "--port",
        type=port_number,
        help=f"the port to use, 1 to 65535 (else the first free one from {FIRST_PORT} on)",
    )
    asked.add_argument("--originals", action="store_true", help="open notebooks/ itself (for maintainers)")
    asked.add_argument("--wheels", metavar="FOLDER", help="install from a folder of wheels, with no network")
    options = asked.parse_args(arguments)

    os.environ.setdefault("COURSE_STARTED", repr(time.time()))
    where = hub.hosted()
    if not where:
        free_port(options.port)  # before the long installation: better to hear it now
    if not pages.originals():
        raise Problem(
            "There are no pages in notebooks/.",
            "type git checkout -- notebooks (or unpack the ZIP file again), then the same command again.",
        )
    installing.check_wheels(options.wheels)
    if where == "Colab":
        hub.colab_lacks()
    else:
        environment.ensure(versions.ranges(), ["lab", *arguments], options.wheels)

    folder = ROOT / "notebooks"
    if not options.originals:
        folder = ROOT / "my_course"
        with environment.only_one("copy", wait=True):  # another start may be copying the same pages
            for line in pages.copy_pages():
                print(line)
    for line in shadows.lines():
        print(line)
    if where == "JupyterHub":
        return hub.on_hub(folder)
    if where == "Colab":
        return hub.on_colab(folder)
    hub.use_usual_kernel(folder)
    port = free_port(options.port)  # again: the installation may have taken minutes
    return serve(folder, port, asked=bool(options.port), browser=not options.no_browser)


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
                probe.bind((server.HOST, port))
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


def server_arguments(folder: Path, port: int, token: str, browser: bool, retries: int = 0) -> list[str]:
    """JupyterLab's command line. The root is the whole course: a page finds ../assets from both folders."""
    first = next(iter(pages.originals(folder)), None)
    arguments = [
        f"--ServerApp.ip={server.HOST}",
        f"--ServerApp.port={port}",
        f"--ServerApp.port_retries={retries}",
        f"--ServerApp.root_dir={ROOT}",
        f"--ServerApp.open_browser={browser}",
        "--ServerApp.base_url=/",
        "--ServerApp.allow_remote_access=False",
        f"--IdentityProvider.token={token}",
        f"--LabApp.default_url=/lab/tree/{folder.name}{'/' + first.name if first else ''}",
        f"--LabApp.workspaces_dir={ROOT / 'my_course' / '.workspaces'}",
        "--ServerApp.log_level=ERROR",
        "--LabApp.log_level=ERROR",
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        arguments.append("--ServerApp.allow_root=True")
    return arguments


def serve(folder: Path, port: int, asked: bool, browser: bool) -> int:
    """Start JupyterLab here; returns when it is stopped (Ctrl-C).

    asked: whether this very port was asked for; else the next free one will do.
    """
    os.chdir(ROOT)
    server.use_own_settings()
    # jsonschema reads a whole grammar on import, to check international addresses, which nobody does here:
    # that is half of JupyterLab's start. Without the package behind it, it leaves the check out.
    sys.modules.setdefault("rfc3987_syntax", None)
    token = secrets.token_urlsafe(24)
    command = server_arguments(folder, port, token, browser, retries=0 if asked else 50)
    path = next(a for a in command if "default_url" in a).split("=", 1)[1]
    started = float(os.environ.pop("COURSE_STARTED", time.time()))
    open_now = threading.Event()
    told = (path, token, started, folder.name, open_now)
    threading.Thread(target=server.announce, args=told, daemon=True).start()
    from jupyterlab.labapp import LabApp

    from course_lib.tools.held_port import HeldPortServer

    LabApp.serverapp_class = HeldPortServer
    try:
        LabApp.launch_instance(command)
    except SystemExit as end:
        if end.code not in (None, 0):
            if not open_now.is_set():
                raise stopped(port) from None
            raise
    print(f"\nStopped. Your pages are in {folder.name}/.", flush=True)
    return 0


def stopped(port: int) -> Problem:
    return Problem(
        "JupyterLab stopped at its start (its reason stands above; often another program took "
        f"port {port} at the same moment).",
        "type the same command again; if it stops again, type `python3 -m course_lib doctor`.",
    )
