"""One Python environment for every command, made when it is missing.

Which Python runs a command:

1. the one you typed, when it already has the right packages (a hub, conda, Colab, your own environment);
2. else `.venv` beside README.md, made and filled from requirements.txt the first time.

"The right packages" means for `lab` and `doctor` the ranges in pyproject.toml: a learner's torch may be
newer than ours. For `test`, `build`, `train` and `experiment` it means the exact pins of requirements.txt,
because pages and recorded results are made with those. `test --here` tries whatever Python it was typed
with.

A stamp in `.venv` makes the second start cost nothing. It names requirements.txt (its hash) and the Python
that was there, and is written only after that Python has imported the packages. A marker stands there while
an install runs: whoever finds it later knows that the install was interrupted, and starts it afresh. And
`.venv` without its pyvenv.cfg is no environment: its python is the Python that it was made from, and what is
installed there lands in the person's own packages. So an old `.venv` gets another name before it is removed:
who stops that, leaves no half of one.
"""

import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from contextlib import contextmanager
from pathlib import Path

from course_lib.files import write_whole
from course_lib.tools import ROOT, Problem, folders, installing
from course_lib.tools.versions import misfits

GIGABYTE = 2**30
SPACE_NEEDED = 2 * GIGABYTE  # torch and JupyterLab take 1.7 GB once unpacked
OLD = ".venv-old-"  # and a number: an environment that was set aside, to be removed
OUTSIDE = "COURSE_OUTSIDE"  # set while the Python outside of .venv works on it: one way, no circle


# -- the course's own environment ------------------------------------------------------------------


def venv_folder() -> Path:
    return ROOT / ".venv"


def venv_python() -> Path:
    return venv_folder() / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def stamp_file() -> Path:
    return venv_folder() / "course-stamp.txt"


def marker_file() -> Path:
    return venv_folder() / "course-install-unfinished"


def settings_file() -> Path:
    """What makes a folder an environment: without it the python in there is the one outside."""
    return venv_folder() / "pyvenv.cfg"


def build() -> str:
    """This Python's version and kind, as compiled packages know it: 'cpython-313-x86_64-linux-gnu'."""
    return sysconfig.get_config_var("SOABI") or f"{sys.implementation.cache_tag}-{sys.platform}"


def behind(python: Path) -> str:
    """The program behind `.venv`'s python; '' when there is none, or a copy of it (Windows)."""
    real = Path(os.path.realpath(python))
    return str(real) if real.exists() and venv_folder().resolve() not in real.parents else ""


def wanted_stamp(build_there: str) -> str:
    """requirements.txt, the Python's build and the program behind it, a line each."""
    pinned = hashlib.sha256((ROOT / "requirements.txt").read_bytes()).hexdigest()
    return f"{pinned}\n{build_there}\n{behind(venv_python())}\n"


def stamped() -> bool:
    """Whether `.venv` was filled from the requirements.txt of today, to the end, for the Python it has now.

    Costs no start of a Python. From outside, a change of version shows in the program behind `.venv`;
    from inside, this very Python is compared.
    """
    try:
        text = stamp_file().read_text(encoding="utf-8")
        there = text.splitlines()[1] if text.count("\n") == 3 else ""
        mine = inside_own_venv() or behind(venv_python()) == os.path.realpath(sys.executable)
        return (
            text == wanted_stamp(build() if mine else there)
            and venv_python().exists()
            and settings_file().exists()
            and not marker_file().exists()
        )
    except OSError:
        return False


def inside_own_venv() -> bool:
    return Path(sys.prefix).resolve() == venv_folder().resolve()


def kernel_variables() -> dict[str, str]:
    """Environment variables of every process we start.

    course_lib is found from any folder, text is UTF-8, and torch begins with one thread: models as small as
    the course's gain little from more, and beside a busy process several threads spend their time waiting
    awake for one another (`bench busy`). Who asks for more (`torch.set_num_threads`) gets threads that give
    their core back soon. libgomp reads all this when it is loaded, so it must be here; who has set a variable
    keeps it.
    """
    path = [str(ROOT)] + [
        p for p in os.environ.get("PYTHONPATH", "").split(os.pathsep) if p and p != str(ROOT)
    ]
    variables = {"PYTHONPATH": os.pathsep.join(path), "PYTHONUTF8": "1", "JUPYTER_PREFER_ENV_PATH": "1"}
    if "OMP_WAIT_POLICY" not in os.environ:
        variables["OMP_NUM_THREADS"] = os.environ.get("OMP_NUM_THREADS", "1")
        variables["GOMP_SPINCOUNT"] = os.environ.get("GOMP_SPINCOUNT", "1000")
    return variables


def ensure(wanted: dict[str, str], arguments: list[str], wheels: str | None = None) -> None:
    """Return when this Python is the right one; else run the same command in the right one, and never return.

    wanted: {package: conditions} that lets the present Python be used as it is.
    arguments: the command line after `python3 -m course_lib`, for the second run.
    wheels: a folder to install from instead of the network.
    """
    refuse_a_separator()
    os.environ.update(kernel_variables())
    outside = os.environ.pop(OUTSIDE, None)
    bad = misfits(wanted)
    if not bad and not (inside_own_venv() and marker_file().exists()):
        if "JUPYTERHUB_SERVICE_PREFIX" not in os.environ:  # a hub's server looks in the usual folders only
            folders.use_writable_folders(ROOT / "my_course" / ".jupyter")
        return
    command = [str(ROOT / "course_lib"), *arguments]
    if inside_own_venv():
        if outside:
            raise unhelpful(bad)
        # whoever stands inside cannot make it afresh
        stamp_file().unlink(missing_ok=True)
        os.environ[OUTSIDE] = "1"
        hand_over([base_python(), *command])
    if not stamped():
        make(wheels)
        os.environ[OUTSIDE] = "1"
    elif outside:
        os.environ[OUTSIDE] = outside
    hand_over([str(venv_python()), *command])


def unhelpful(bad: list[tuple[str, str, str | None]]) -> Problem:
    said = ", ".join(f"{name} ({here or 'missing'})" for name, _, here in bad) or "an unfinished installation"
    return Problem(
        f"The environment .venv was filled, and still does not have what is wanted: {said}.",
        "remove the folder .venv, then type the same command again.",
    )


def refuse_a_separator() -> None:
    """A folder with ':' (';' on Windows) in its name cannot stand in a list of folders: it is split there."""
    if os.pathsep in str(ROOT):
        raise Problem(
            f"The course's folder has a {os.pathsep!r} in its name, where Python splits lists: {ROOT}",
            f"rename that folder without the {os.pathsep!r} (remove .venv in it, if there is one), and start "
            "there.",
        )


def base_python() -> str:
    """The Python that `.venv` was made from, or this one."""
    return getattr(sys, "_base_executable", None) or sys.executable


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
        remove_old()
        if stamped():
            return  # another start made it while we waited for its lock
        there = look() if venv_folder().exists() else {}
        why = afresh(there)
        if there and not why and not there["lacks"] and not there["broken"]:
            return finish(there)
        check_space()
        if why:
            if inside_own_venv():
                raise Problem(
                    f"The environment .venv has to be made afresh ({why}), and this Python stands inside it.",
                    "type `deactivate`, then the same command again.",
                )
            print(f"Making .venv afresh: {why}.", flush=True)
            set_aside()
            remove_old()
        writable(lambda: (venv_folder().mkdir(exist_ok=True), marker_file().touch()))
        if not runs(venv_python()):
            create(base_python())
        installing.install(venv_python(), ROOT / "requirements.txt", wheels, lock)
        finish(look())


def set_aside() -> None:
    """Give `.venv` another name, at once and as a whole."""
    try:
        venv_folder().rename(ROOT / f"{OLD}{os.getpid()}")
    except OSError:
        raise Problem(
            "The old environment .venv cannot be removed: a program is using it, or it is not yours.",
            "close the course's windows (JupyterLab, terminals), remove the folder .venv, and type "
            "the same command again.",
        ) from None


def remove_old() -> None:
    """Remove what was set aside, also by an earlier start that was stopped on the way."""
    for old in ROOT.glob(f"{OLD}*"):
        if old.is_symlink():
            old.unlink()
        else:
            shutil.rmtree(old, ignore_errors=True)


# -- what is in .venv ------------------------------------------------------------------------------

LOOK = """
import json, sys, sysconfig
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from course_lib.tools import environment, versions
root = Path(sys.argv[1])
pins, ranges = versions.pins(root), versions.ranges(root)
lacks = versions.misfits(pins)
print(json.dumps({
    "python": list(sys.version_info[:2]), "build": environment.build(),
    "packages": sysconfig.get_path("purelib"),
    "damaged": versions.damaged(pins), "lacks": lacks,
    "broken": [] if lacks else versions.broken_imports(ranges),
}))
"""


def look() -> dict | None:
    """What `.venv`'s own Python finds there, with no PYTHONPATH and no user site; None: it does not start.

    python: its version; build; packages: the folder where they lie; damaged: those whose metadata and files
    disagree; lacks: misfits of the pins; broken: when none is lacking, those that do not import.
    """
    try:
        said = subprocess.run(
            [str(venv_python()), "-I", "-W", "ignore", "-c", LOOK, str(ROOT)],
            capture_output=True,
            text=True,
            timeout=600,
        )
        return json.loads(said.stdout.strip().splitlines()[-1])
    except (OSError, subprocess.TimeoutExpired, IndexError, ValueError):
        return None


def afresh(there: dict | None) -> str:
    """Why `.venv` cannot be used as it stands; '' when it can, or when there is none."""
    if not venv_folder().is_dir():
        return ""
    if marker_file().exists():
        return "the last installation did not finish"
    if not settings_file().exists():
        return "it is half removed"
    if there is None:
        return "its Python no longer starts"
    made = re.search(r"^version\w*\s*=\s*(\d+)\.(\d+)", read(settings_file()), re.MULTILINE)
    now = there["python"]
    if made and [int(number) for number in made.groups()] != now:
        return "it was made by Python {}.{}, and now it has Python {}.{}".format(*made.groups(), *now)
    return "; ".join(there["damaged"])


def read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def finish(there: dict | None) -> None:
    """Let the environment find course_lib from any folder, and stamp it as complete: when it is.

    there: what `look` found.
    """
    if there is None or there["lacks"] or there["broken"]:
        lacks = [f"{name} is {here or 'missing'}" for name, _, here in (there or {}).get("lacks", [])]
        said = "; ".join(lacks or (there or {}).get("broken") or ["its Python does not start"])
        raise Problem(
            f"The packages were installed, but the environment cannot use them: {said}",
            "type the same command again, which installs afresh; if it says the same, look for settings that "
            f"send packages elsewhere: `{venv_python()} -m pip config debug`.",
        )
    packages = Path(there["packages"])
    # relative to its own folder, so that the whole course can be moved
    (packages / "course_lib.pth").write_text(os.path.relpath(ROOT, packages) + "\n", encoding="utf-8")
    write_whole(stamp_file(), wanted_stamp(there["build"]).encode())
    marker_file().unlink(missing_ok=True)


def create(base: str) -> None:
    missing = [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name) is None]
    if missing:
        shutil.rmtree(venv_folder(), ignore_errors=True)
        version = "{}.{}".format(*sys.version_info)
        raise Problem(
            f"This Python ({sys.executable}) has no module `{missing[0]}`, so it cannot make an environment.",
            f"on Debian or Ubuntu type `sudo apt install python{version}-venv`, then the same command "
            "again; elsewhere install Python from https://www.python.org/downloads/.",
        )
    print("Making the environment .venv …", flush=True)
    result = subprocess.run([base, "-m", "venv", str(venv_folder())], capture_output=True, text=True)
    if result.returncode:
        said = (result.stdout + result.stderr).strip()
        if installing.full_disk(said):
            raise Problem(
                "The disk is full while making .venv.", "free about 2 GB, then type the same command again."
            )
        raise Problem(
            "Python's venv module could not make .venv: " + (said.splitlines() or ["no reason given"])[-1],
            f"look at the whole message with `{base} -m venv .venv`; on Debian the package is python3-venv.",
        )


# -- small questions -------------------------------------------------------------------------------


def runs(python: Path) -> bool:
    """Whether this interpreter starts."""
    try:
        return (
            subprocess.run([str(python), "-c", "import sys"], capture_output=True, timeout=60).returncode == 0
        )
    except (OSError, subprocess.TimeoutExpired):
        return False


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
        if installing.full_disk(str(error)):
            raise Problem(
                f"The disk is full ({ROOT}).", "free about 2 GB, then type the same command again."
            ) from None
        raise Problem(
            f"The course may not write to its own folder {ROOT} ({error.strerror or error}).",
            "copy the course to a folder of your own (your home folder, for example), and start it there.",
        ) from None


@contextmanager
def only_one(doing: str = "install", wait: bool = False):
    """Hold a lock: two starts at once must not build one environment. Yields its number.

    doing: the name of the lock; wait: until the other start has finished, instead of a Problem.

    The lock lives in the system's temporary folder and ends with its process, whatever ends that. Its name
    holds the person's number: another person's lock file could not be opened.
    """
    owner = os.getuid() if hasattr(os, "getuid") else ""
    name = f"course-{doing}-{owner}-{hashlib.sha256(str(ROOT).encode()).hexdigest()[:12]}.lock"
    try:
        file = open(Path(tempfile.gettempdir()) / name, "a+")  # noqa: SIM115
    except OSError as error:
        raise Problem(
            f"There is no temporary folder to write to ({error.strerror or error}).",
            "free some space, or set TMPDIR to a folder of your own, then type the same command again.",
        ) from None
    with file:
        try:
            if os.name == "nt":
                import msvcrt

                file.seek(0)
                msvcrt.locking(file.fileno(), msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
            else:
                import fcntl

                fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except OSError:
            raise Problem(
                "Another start of the course is installing the packages right now.",
                "wait until it has finished (look at its window), then type the same command again.",
            ) from None
        yield file.fileno()
