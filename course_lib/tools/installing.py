"""Filling `.venv` with pip: into that environment and nowhere else, from the index that fits the machine.

People set pip up for their own work: a company's index, a certificate, a proxy, but also `target` or `user`,
which send packages elsewhere. pip has no flag that takes a `target` of a settings file back, and an empty
variable does not count. So the settings are read first, handed over as variables without those few, and
pip is told to read no file itself.

Standard library only.
"""

import ast
import os
import platform
import re
import shutil
import ssl
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

from course_lib.tools import ROOT, Problem

CPU_INDEX = "https://download.pytorch.org/whl/cpu"  # PyTorch's own index, without GPU libraries
SECONDS = 3  # how long that index may take to answer
ELSEWHERE = {  # pip's options that install in another place, for another Python, something else, or nothing
    *("target", "prefix", "root", "user", "dry-run", "python", "require-virtualenv"),
    *("platform", "python-version", "implementation", "abi", "no-deps", "requirement", "editable"),
}
OFFLINE_RECIPE = (
    "connect to the internet and start again (it goes on where it can). For a room with no network: on a "
    "connected machine of the same kind type `python3 -m pip download -r requirements.txt -d wheels`, carry "
    "the folder `wheels` over, and type `python3 -m course_lib lab --wheels wheels`."
)


# -- pip's settings --------------------------------------------------------------------------------


def variable(option: str) -> str:
    return "PIP_" + option.upper().replace("-", "_")


def settings(listing: str) -> dict[str, str]:
    """What `pip config list` prints, as variables: {'PIP_INDEX_URL': …}, without what leads elsewhere.

    pip reads the section [global] first, then [install]; variables, which the process has already, go last.
    """
    found = {}
    for section in ("global.", "install."):
        for line in listing.splitlines():
            name, equals, value = line.partition("=")
            option = name.removeprefix(section).replace("_", "-").lower()
            if equals and name.startswith(section) and option not in ELSEWHERE:
                try:
                    found[variable(option)] = str(ast.literal_eval(value))
                except (SyntaxError, ValueError):
                    continue
    return found


def pip_variables(python: Path) -> dict[str, str]:
    """The environment of a pip that installs into its own environment, with the person's other settings."""
    listing = ask_pip(python)
    if listing.returncode and "No module named pip" in listing.stderr:  # Debian can make a venv without it
        subprocess.call([str(python), "-m", "ensurepip", "--upgrade"], stdout=subprocess.DEVNULL)
        listing = ask_pip(python)
    if listing.returncode:
        why = (listing.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise Problem(
            f"pip cannot read its settings: {why}",
            f"mend the file that it names; `{python} -m pip config debug` lists where settings may stand.",
        )
    own = settings(listing.stdout)
    own |= {name: value for name, value in clean(os.environ).items() if value or name not in own}
    return own | {"PIP_CONFIG_FILE": os.devnull, "PYTHONIOENCODING": "utf-8"}


def ask_pip(python: Path) -> subprocess.CompletedProcess:
    return subprocess.run(
        [str(python), "-m", "pip", "config", "list"],
        env=clean(os.environ),
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
    )


def clean(environ) -> dict[str, str]:
    """The variables without those that lead pip, or the Python it runs in, elsewhere."""
    away = {variable(option) for option in ELSEWHERE} | {"PYTHONPATH", "PYTHONHOME"}
    return {name: value for name, value in environ.items() if name.upper() not in away}


# -- which index -----------------------------------------------------------------------------------


def no_nvidia() -> bool:
    """Whether this is Linux without a driver for NVIDIA GPUs."""
    places = ("/proc/driver/nvidia/version", "/dev/nvidiactl", "/dev/nvidia0", "/usr/lib/wsl/lib/nvidia-smi")
    return (
        sys.platform == "linux"
        and platform.machine().lower() in ("x86_64", "amd64", "aarch64", "arm64")
        and not shutil.which("nvidia-smi")
        and not any(Path(place).exists() for place in places)
    )


def chose_an_index(variables: dict[str, str]) -> bool:
    """Whether the person said where packages come from, even by an empty PIP_EXTRA_INDEX_URL."""
    named = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_NO_INDEX", "PIP_PYPI_URL")
    return any(name in variables for name in named)


def answers(address: str, variables: dict[str, str]) -> bool:
    """Whether an index answers within `SECONDS`, asked the way pip would ask it (proxy, certificate)."""
    said = []

    def ask() -> None:
        try:
            proxy = variables.get("PIP_PROXY")
            handlers = [urllib.request.ProxyHandler({"http": proxy, "https": proxy})] if proxy else []
            if address.startswith("https:"):
                context = ssl.create_default_context(cafile=variables.get("PIP_CERT"))
                handlers.append(urllib.request.HTTPSHandler(context=context))
            opener = urllib.request.build_opener(*handlers)
            with opener.open(address.rstrip("/") + "/torch/", timeout=SECONDS) as page:
                said.append(page.status == 200 and b"torch" in page.read(100_000))
        except Exception:  # whatever it is, the usual index will do
            pass

    asking = threading.Thread(target=ask, daemon=True)  # looking up a name obeys no time limit of ours
    asking.start()
    asking.join(SECONDS)
    return said == [True]


# -- pip itself ------------------------------------------------------------------------------------


def check_wheels(folder: str | None) -> None:
    """Raise Problem where --wheels names no folder."""
    if folder is None or Path(folder).expanduser().is_dir():
        return
    if Path(folder).expanduser().exists():
        raise Problem(
            f"{folder} is not a folder.", "name the folder in which the wheels lie: --wheels wheels."
        )
    raise Problem(
        f"There is no folder {folder}.",
        "make it with `python3 -m pip download -r requirements.txt -d wheels`.",
    )


def install(python: Path, requirements: Path, wheels: str | None, lock: int) -> None:
    """Run pip on requirements.txt. Its output streams through; its errors are read to name the next step.

    Args:
        python: the interpreter of the environment to fill.
        requirements: a file of pins.
        wheels: a folder to install from instead of the network.
        lock: the number of the open lock file; pip inherits it.

    Raises:
        Problem: with pip's reason in one line.
    """
    print(
        "Installing the packages of the course (torch, JupyterLab and others).\n"
        "This takes 2 to 10 minutes the first time, depending on your network. The next start takes seconds.",
        flush=True,
    )
    variables = pip_variables(python)
    command = [str(python), "-m", "pip", "install", "--require-virtualenv"]  # never in the Python outside
    command += ["--disable-pip-version-check", "--retries", "2"]
    if wheels:
        command += ["--no-index", "--find-links", str(Path(wheels).expanduser().resolve())]
    command += ["-r", str(requirements)]
    if not wheels and no_nvidia() and not chose_an_index(variables) and answers(CPU_INDEX, variables):
        print(
            "No NVIDIA driver here: torch comes from PyTorch's own CPU index, several GB smaller. "
            "To choose otherwise, set PIP_EXTRA_INDEX_URL (empty: the usual torch).",
            flush=True,
        )
        code, said = run_pip(command, variables | {"PIP_EXTRA_INDEX_URL": CPU_INDEX}, lock)
        if not code or full_disk(said):
            return end(code, said, wheels)
        print("That did not work; now the usual way.", flush=True)
    end(*run_pip(command, variables, lock), wheels)


def end(code: int, said: str, wheels: str | None) -> None:
    if code:
        raise why_pip_failed(said, wheels)


def run_pip(command: list[str], variables: dict[str, str], lock: int) -> tuple[int, str]:
    """(exit code, what pip wrote to its error stream), which is shown as it comes."""
    pip = subprocess.Popen(
        command,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
        env=variables,
        # should we be killed while pip goes on, the lock is still held: by pip
        pass_fds=() if os.name == "nt" else (lock,),
    )
    said: list[str] = []

    def echo() -> None:
        for line in pip.stderr:
            said.append(line)
            sys.stderr.write(line)

    reader = threading.Thread(target=echo, daemon=True)
    reader.start()
    try:
        code = pip.wait()
    except KeyboardInterrupt:
        pip.terminate()
        pip.wait()
        raise Problem(
            "You stopped the installation.", "type the same command again: it starts the installation afresh."
        ) from None
    reader.join(timeout=5)
    pip.stderr.close()
    return code, "".join(said)


def full_disk(said: str) -> bool:
    return bool(re.search(r"No space left|Errno 28|ENOSPC|not enough space|[Dd]isk quota", said))


def why_pip_failed(said: str, wheels: str | None = None) -> Problem:
    """From what pip wrote to its error stream: one line that says what happened, and the next step."""
    if full_disk(said):
        return Problem(
            "The disk is full: the packages could not be installed.",
            "free about 2 GB (pip's own store can be emptied with `python3 -m pip cache purge`), then "
            "start again.",
        )
    if "an activated virtualenv" in said:
        return Problem(
            "The folder .venv is no whole environment, so nothing was installed.",
            "remove the folder .venv, then type the same command again.",
        )
    if re.search(r"CERTIFICATE_VERIFY_FAILED|SSLError", said):
        return Problem(
            "The packages could not be downloaded: the connection's certificate is not trusted.",
            "on a network with its own certificate, ask for its file and set PIP_CERT to its path; then "
            "start again.",
        )
    network = (
        r"NewConnectionError|Failed to establish|name resolution|getaddrinfo|unreachable|Connection refused|"
        r"ConnectTimeout|ReadTimeout|Read timed out|ProxyError|connection broken|Connection aborted|"
        r"[Nn]etwork is|Failed to connect|[Tt]imed out|ConnectionError|ConnectionReset"
    )
    if not wheels and re.search(network, said):
        return Problem(
            "The packages could not be downloaded: no network, or the package index does not answer.",
            OFFLINE_RECIPE,
        )
    missing = re.search(r"No matching distribution found for (\S+)", said)
    if missing and wheels:
        return Problem(
            f"The folder {wheels} has no wheel of {missing.group(1)} for this Python and machine.",
            "fill it again with `python3 -m pip download -r requirements.txt -d wheels`, with the same "
            "Python version on the same kind of machine.",
        )
    if missing:
        return Problem(
            f"There is no package {missing.group(1)} for this Python ({sys.version.split()[0]}) on this "
            "machine.",
            "use a 64-bit Python 3.11, 3.12 or 3.13, which are the tested ones.",
        )
    if re.search(r"Permission denied|Errno 13|Read-only file system", said):
        return Problem(
            f"pip may not write to {ROOT / '.venv'}.",
            "copy the course to a folder of your own, and start there.",
        )
    errors = [line.strip() for line in said.splitlines() if line.startswith("ERROR")] or said.split("\n")[
        -2:-1
    ]
    return Problem(
        "The packages could not be installed: " + (errors[-1] if errors else "pip gave no reason"),
        "read pip's lines above, mend what they name, and type the same command again.",
    )
