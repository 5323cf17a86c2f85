"""One Python environment for every command, made when it is missing.

Which Python runs a command:

1. the one you typed, when it already has the right packages (a hub, conda, Colab, your own environment);
2. else `.venv` beside README.md, made and filled from requirements.txt the first time.

"The right packages" means for `lab` and `doctor` the ranges in pyproject.toml: a learner's torch may be
newer than ours. For `test`, `build`, `train` and `experiment` it means the exact pins of requirements.txt,
because pages and recorded results are made with those. `test --here` tries whatever Python it was typed
with.

A stamp in `.venv` (the hash of requirements.txt) makes the second start cost nothing. A marker stands
there while an install runs: whoever finds it later knows that the install was interrupted, and starts it
afresh.
"""

import hashlib
import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Iterable
from contextlib import contextmanager
from pathlib import Path

from course_lib.files import write_whole
from course_lib.tools import ROOT, Problem

GIGABYTE = 2**30
SPACE_NEEDED = 2 * GIGABYTE  # torch and JupyterLab take 1.7 GB once unpacked
OFFLINE_RECIPE = (
    "connect to the internet and start again (it goes on where it can). For a room with no network: on a "
    "connected "
    "machine of the same kind type `python3 -m pip download -r requirements.txt -d wheels`, carry the folder "
    "`wheels` over, and type `python3 -m course_lib lab --wheels wheels`."
)


# -- which versions are right ----------------------------------------------------------------------


def release(version: str) -> tuple[int, ...]:
    """The numbers of a version without trailing zeros: '2.13.0+cpu' -> (2, 13)."""
    match = re.match(r"\s*v?(\d+(?:\.\d+)*)", version)
    numbers = [int(part) for part in match.group(1).split(".")] if match else []
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def allows(specifier: str, version: str) -> bool:
    """Whether `version` meets conditions like '>=2.6,<3'. A local part (+cpu) does not count."""
    compare = {
        "==": lambda have, want: have == want,
        "!=": lambda have, want: have != want,
        ">=": lambda have, want: have >= want,
        "<=": lambda have, want: have <= want,
        ">": lambda have, want: have > want,
        "<": lambda have, want: have < want,
    }
    for condition in filter(None, (part.strip() for part in specifier.split(","))):
        match = re.fullmatch(r"(==|!=|>=|<=|>|<)\s*([^\s]+)", condition)
        if not match:
            raise ValueError(
                f"specifier has the condition {condition!r}; expected one like '>=2.6' or '==1.0'"
            )
        if not compare[match.group(1)](release(version), release(match.group(2))):
            return False
    return True


def requirements(lines: Iterable[str]) -> dict[str, str]:
    """Requirement lines as {name: conditions}; comments, options and empty lines are left out."""
    found = {}
    for line in lines:
        line = line.split("#")[0].split(";")[0].strip()
        match = re.match(r"([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^]]*\])?\s*(.*)", line)
        if match and not line.startswith("-"):
            found[match.group(1)] = match.group(2)
    return found


def pins() -> dict[str, str]:
    """The tested versions: requirements.txt."""
    return requirements((ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines())


def ranges() -> dict[str, str]:
    """The versions that should work: the dependencies in pyproject.toml."""
    import tomllib

    return requirements(
        tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    )


def misfits(wanted: dict[str, str]) -> list[tuple[str, str, str | None]]:
    """What this Python lacks: (name, conditions, version here or None), in the order of `wanted`."""
    bad = []
    for name, conditions in wanted.items():
        try:
            here = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            here = None
        if here is None or not allows(conditions, here):
            bad.append((name, conditions, here))
    return bad


# -- the course's own environment ------------------------------------------------------------------


def venv_folder() -> Path:
    return ROOT / ".venv"


def venv_python() -> Path:
    return venv_folder() / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def stamp_file() -> Path:
    return venv_folder() / "course-stamp.txt"


def marker_file() -> Path:
    return venv_folder() / "course-install-unfinished"


def wanted_stamp() -> str:
    return hashlib.sha256((ROOT / "requirements.txt").read_bytes()).hexdigest()


def stamped() -> bool:
    """Whether `.venv` was filled from the requirements.txt of today, to the end."""
    try:
        return (
            stamp_file().read_text() == wanted_stamp()
            and venv_python().exists()
            and not marker_file().exists()
        )
    except OSError:
        return False


def inside_own_venv() -> bool:
    return Path(sys.prefix).resolve() == venv_folder().resolve()


def kernel_variables() -> dict[str, str]:
    """Environment variables of every process we start: course_lib is found from any folder, text is UTF-8."""
    path = [str(ROOT)] + [
        p for p in os.environ.get("PYTHONPATH", "").split(os.pathsep) if p and p != str(ROOT)
    ]
    return {"PYTHONPATH": os.pathsep.join(path), "PYTHONUTF8": "1", "JUPYTER_PREFER_ENV_PATH": "1"}


def ensure(wanted: dict[str, str], arguments: list[str], wheels: str | None = None) -> None:
    """Return when this Python is the right one; else run the same command in the right one, and never return.

    wanted: {package: conditions} that lets the present Python be used as it is.
    arguments: the command line after `python3 -m course_lib`, for the second run.
    wheels: a folder to install from instead of the network.
    """
    os.environ.update(kernel_variables())
    if (inside_own_venv() and stamped()) or not misfits(wanted):
        return
    if not stamped():
        make(wheels)
    if inside_own_venv():
        return
    hand_over([str(venv_python()), str(ROOT / "course_lib"), *arguments])


def hand_over(command: list[str]) -> None:
    """Become another program. On Windows: run it, and end with its code."""
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name != "nt":
        os.execv(command[0], command)
    try:
        sys.exit(subprocess.call(command))
    except KeyboardInterrupt:
        sys.exit(130)


def make(wheels: str | None = None) -> None:
    """Make `.venv` and fill it from requirements.txt, pip's progress in sight. Repairs a half-made one."""
    with only_one() as lock:
        if stamped():
            return  # another start made it while we waited for its lock
        base = getattr(sys, "_base_executable", None) or sys.executable
        unfinished, usable = marker_file().exists(), runs(venv_python())
        if usable and not unfinished and venv_satisfies():
            finish()
            return
        check_space()
        if venv_folder().exists() and (unfinished or not usable):
            if inside_own_venv():
                raise Problem(
                    "The environment .venv was left half-made, and this Python stands inside it.",
                    "type `deactivate`, then the same command again.",
                )
            print("The last installation did not finish: making .venv afresh.", flush=True)
            shutil.rmtree(venv_folder(), ignore_errors=True)
        writable(lambda: (venv_folder().mkdir(exist_ok=True), marker_file().touch()))
        if not runs(venv_python()):
            create(base)
        install(wheels, lock)
        finish()


def create(base: str) -> None:
    missing = [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name) is None]
    if missing:
        shutil.rmtree(venv_folder(), ignore_errors=True)
        version = "{}.{}".format(*sys.version_info)
        raise Problem(
            f"This Python ({sys.executable}) has no module `{missing[0]}`, so it cannot make an environment.",
            f"on Debian or Ubuntu type `sudo apt install python{version}-venv`, then the same command "
            "again; elsewhere "
            "install Python from https://www.python.org/downloads/.",
        )
    print("Making the environment .venv …", flush=True)
    result = subprocess.run([base, "-m", "venv", str(venv_folder())], capture_output=True, text=True)
    if result.returncode:
        said = (result.stdout + result.stderr).strip()
        if full_disk(said):
            raise Problem(
                "The disk is full while making .venv.", "free about 2 GB, then type the same command again."
            )
        raise Problem(
            "Python's venv module could not make .venv: " + (said.splitlines() or ["no reason given"])[-1],
            f"look at the whole message with `{base} -m venv .venv`; on Debian the package is python3-venv.",
        )


def install(wheels: str | None, lock: int) -> None:
    """Run pip on requirements.txt. Its output streams through; its errors are read to name the next step."""
    print(
        "Installing the packages of the course (torch, JupyterLab and others).\n"
        "This takes 2 to 10 minutes the first time, depending on your network. The next start takes seconds.",
        flush=True,
    )
    command = [str(venv_python()), "-m", "pip", "install", "--disable-pip-version-check", "--retries", "2"]
    if wheels:
        command += ["--no-index", "--find-links", str(Path(wheels).expanduser().resolve())]
    elif (
        sys.platform == "linux"
        and not shutil.which("nvidia-smi")
        and not os.environ.get("PIP_EXTRA_INDEX_URL")
    ):
        print(
            "Tip for Linux without a GPU: PyTorch's own index has a much smaller torch. To use it, stop "
            "with Ctrl-C and "
            "start with PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu",
            flush=True,
        )
    command += ["-r", str(ROOT / "requirements.txt")]
    if subprocess.call(
        [str(venv_python()), "-m", "pip", "--version"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ):
        subprocess.call([str(venv_python()), "-m", "ensurepip", "--upgrade"], stdout=subprocess.DEVNULL)
    environment = {**os.environ, "PIP_REQUIRE_VIRTUALENV": "0", "PYTHONIOENCODING": "utf-8"}
    environment.pop("PIP_USER", None)
    pip = subprocess.Popen(
        command,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
        env=environment,
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
    if code:
        raise why_pip_failed("".join(said), wheels)


def why_pip_failed(said: str, wheels: str | None = None) -> Problem:
    """From what pip wrote to its error stream: one line that says what happened, and the next step."""
    if full_disk(said):
        return Problem(
            "The disk is full: the packages could not be installed.",
            "free about 2 GB (pip's own store can be emptied with `python3 -m pip cache purge`), then "
            "start again.",
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
            "Python version "
            "on the same kind of machine.",
        )
    if missing:
        return Problem(
            f"There is no package {missing.group(1)} for this Python ({sys.version.split()[0]}) on this "
            "machine.",
            "use a 64-bit Python 3.11, 3.12 or 3.13, which are the tested ones.",
        )
    if re.search(r"Permission denied|Errno 13|Read-only file system", said):
        return Problem(
            f"pip may not write to {venv_folder()}.",
            "copy the course to a folder of your own, and start there.",
        )
    errors = [line.strip() for line in said.splitlines() if line.startswith("ERROR")] or said.split("\n")[
        -2:-1
    ]
    return Problem(
        "The packages could not be installed: " + (errors[-1] if errors else "pip gave no reason"),
        "read pip's lines above, mend what they name, and type the same command again.",
    )


def finish() -> None:
    """Let the environment find course_lib from any folder, and stamp it as complete."""
    asked = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = Path(subprocess.check_output([str(venv_python()), "-c", asked], text=True).strip())
    # relative to its own folder, so that the whole course can be moved
    (packages / "course_lib.pth").write_text(os.path.relpath(ROOT, packages) + "\n", encoding="utf-8")
    write_whole(stamp_file(), wanted_stamp().encode())
    marker_file().unlink(missing_ok=True)


# -- small questions -------------------------------------------------------------------------------


def runs(python: Path) -> bool:
    """Whether this interpreter starts and has pip or can get it."""
    try:
        return (
            subprocess.run([str(python), "-c", "import sys"], capture_output=True, timeout=60).returncode == 0
        )
    except (OSError, subprocess.TimeoutExpired):
        return False


def venv_satisfies() -> bool:
    """Whether a `.venv` that somebody else made already has the exact pins."""
    code = "import sys; from course_lib.tools import environment as e; sys.exit(bool(e.misfits(e.pins())))"
    variables = {**os.environ, **kernel_variables()}
    return (
        subprocess.run([str(venv_python()), "-c", code], env=variables, capture_output=True).returncode == 0
    )


def full_disk(said: str) -> bool:
    return bool(re.search(r"No space left|Errno 28|ENOSPC|not enough space|[Dd]isk quota", said))


def check_space() -> None:
    free = shutil.disk_usage(ROOT).free
    if free < SPACE_NEEDED and not runs(venv_python()):
        raise Problem(
            f"The disk has {free / GIGABYTE:.1f} GB free; the packages need about "
            f"{SPACE_NEEDED / GIGABYTE:.0f} GB.",
            "free some space, then type the same command again.",
        )


def writable(write) -> None:
    """Call `write`; a folder that cannot be written to becomes a Problem with its next step."""
    try:
        write()
    except OSError as error:
        if full_disk(str(error)):
            raise Problem(
                f"The disk is full ({ROOT}).", "free about 2 GB, then type the same command again."
            ) from None
        raise Problem(
            f"The course may not write to its own folder {ROOT} ({error.strerror or error}).",
            "copy the course to a folder of your own (your home folder, for example), and start it there.",
        ) from None


@contextmanager
def only_one():
    """Hold a lock while installing: two starts at once must not build one environment. Yields its number.

    The lock lives in the system's temporary folder and ends with its process, whatever ends that.
    """
    import tempfile

    name = "course-install-" + hashlib.sha256(str(ROOT).encode()).hexdigest()[:12] + ".lock"
    with open(Path(tempfile.gettempdir()) / name, "a+") as file:
        try:
            if os.name == "nt":
                import msvcrt

                file.seek(0)
                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            else:
                import fcntl

                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Problem(
                "Another start of the course is installing the packages right now.",
                "wait until it has finished (look at its window), then type the same command again.",
            ) from None
        yield file.fileno()


def user_site() -> Path:
    return Path(sysconfig.get_path("purelib", f"{os.name}_user"))
