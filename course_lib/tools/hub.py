"""Where a JupyterLab runs already: a JupyterHub, Colab. Its pages must find a Python that has the packages.

On a hub the server's Python and its kernel are the administrator's; they may lack torch, stand in a virtual
environment, or read no folder of the user's. What every server reads is the user's list of kernels. So the
Python that `lab` found or made is registered there as a kernel of its own, is started once the way the
server will start it, and the copies of the pages name it. Colab has one kernel only, so there the path goes
to a folder that this kernel reads.
"""

import hashlib
import json
import os
import re
import shutil
import site
import subprocess
import sys
import sysconfig
import urllib.error
import urllib.request
from pathlib import Path

from course_lib.files import write_whole
from course_lib.tools import ROOT, Problem, environment, versions

OURS = "attention-course-"  # our kernels' names start so; the rest tells two copies of the course apart
TITLE = "From Attention to Assistants"
USUAL = ("python3", "Python 3 (ipykernel)")  # the kernel that the pages name as they are shipped
SECONDS = 300  # the first import of torch from a hub's network disk

CHECK = """
import json, sys
import course_lib
from course_lib.tools import versions
wanted = json.loads(sys.argv[1])
print(json.dumps([course_lib.__file__, [n for n, _, _ in versions.misfits(wanted)]
                  or versions.broken_imports([*wanted, *sys.argv[2:]])]))
"""


def hosted() -> str | None:
    """The hosted service this Python runs in, when it brings its own JupyterLab."""
    if "JUPYTERHUB_SERVICE_PREFIX" in os.environ:
        return "JupyterHub"
    return "Colab" if "COLAB_RELEASE_TAG" in os.environ else None


def kernel_name() -> str:
    return OURS + hashlib.sha256(str(ROOT).encode()).hexdigest()[:8]


def on_hub(folder: Path) -> int:
    """Register this Python as a kernel, let the pages of `folder` name it, and say what to open."""
    check([sys.executable], environment.kernel_variables(), folder, "ipykernel")
    name = register()
    ask_the_server(name)
    how = f"They run with {sys.executable}."
    if folder.name == "my_course":
        use_kernel(folder, name, TITLE)
    else:  # the originals stay as they are
        how = f"Choose the kernel «{TITLE}» in each page."
    print("You are in JupyterHub, whose JupyterLab runs already. The pages are ready.")
    print(f"Open in its file browser: {folder / '00_start_here.ipynb'}\n{how}")
    print(
        "Once, in JupyterLab's menu Settings: tick «Save Widget State Automatically»; then live views are "
        "still there on the next day."
    )
    return 0


def starting_argument() -> list[str]:
    """What our kernel does when it starts (course_lib/starting.py), as its own description says it."""
    ours = Path(__file__).parent / "jupyter" / "kernels" / "python3" / "kernel.json"
    return [a for a in json.loads(ours.read_text(encoding="utf-8"))["argv"] if ".exec_lines=" in a]


def register() -> str:
    """Write the kernel's description where the user's server looks for it. Returns its name.

    Raises:
        Problem: when that folder cannot be written to.
    """
    from jupyter_core.paths import jupyter_data_dir

    kernels, name = Path(jupyter_data_dir()) / "kernels", kernel_name()
    description = {
        "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}", *starting_argument()],
        "display_name": TITLE,
        "language": "python",
        "env": environment.kernel_variables(),
        "metadata": {"debugger": True},
    }
    try:
        for old in kernels.glob(OURS + "*"):  # of a course folder that is gone
            if not Path(kernel_python(old)).exists():
                shutil.rmtree(old, ignore_errors=True)
        write_whole(kernels / name / "kernel.json", json.dumps(description, indent=1).encode() + b"\n")
    except OSError as error:
        raise Problem(
            f"The course's kernel could not be registered in {kernels} ({error.strerror or error}).",
            "set JUPYTER_DATA_DIR to a folder that you may write to and that your hub's server reads, or ask "
            "the hub's administrator.",
        ) from None
    return name


def kernel_python(folder: Path) -> str:
    try:
        return json.loads((folder / "kernel.json").read_text(encoding="utf-8"))["argv"][0]
    except (OSError, ValueError, KeyError, IndexError):
        return ""


def check(python: list[str], variables: dict[str, str], folder: Path, *more: str) -> None:
    """Really start a kernel's Python, and import course_lib and the packages there.

    python: the command; variables: what the kernel adds to its environment; more: packages beside the
    course's own that must import.

    Raises:
        Problem: naming what does not import.
    """
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | variables
    wanted = {name: "" for name in versions.ranges() if not (hosted() == "Colab" and name == "jupyterlab")}
    command = [*python, "-c", CHECK, json.dumps(wanted), *more]
    try:
        said = subprocess.run(
            command, cwd=folder, env=environ, capture_output=True, text=True, timeout=SECONDS
        )
        library, bad = json.loads(said.stdout.strip().splitlines()[-1])
        wrong = "; ".join(bad)
        if Path(library).resolve().parent != (ROOT / "course_lib").resolve():
            wrong = f"another course_lib comes first: {library}"
    except subprocess.TimeoutExpired:
        wrong = f"it took more than {SECONDS} s"
    except (OSError, IndexError, ValueError):
        wrong = (said.stderr.strip().splitlines() or ["no reason given"])[-1]
    if wrong:
        raise Problem(
            f"The pages cannot run with {python[0]}: {wrong}",
            f"type `{python[0]} {ROOT / 'course_lib'} doctor`: it names what is missing and how to mend it.",
        )


def ask_the_server(name: str) -> None:
    """Ask the user's running server whether it sees the kernel; a server that cannot be asked is believed.

    Raises:
        Problem: when the server answers, and does not list it (an administrator can allow some kernels only).
    """
    address, token = os.environ.get("JUPYTERHUB_SERVICE_URL", ""), os.environ.get("JUPYTERHUB_API_TOKEN", "")
    if not address.startswith("http") or not token:
        return
    address = re.sub(r"^(https?://)(0\.0\.0\.0|\*|\[::\])?(?=:|/)", r"\g<1>127.0.0.1", address)
    asked = urllib.request.Request(
        address.rstrip("/") + "/api/kernelspecs", headers={"Authorization": f"token {token}"}
    )
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(asked, timeout=10) as answer:
            kernels = json.load(answer)["kernelspecs"]
    except (OSError, ValueError, KeyError):
        return
    if name not in kernels:
        raise Problem(
            f"The kernel {name} is registered, but this hub offers only {', '.join(sorted(kernels))}.",
            "ask the hub's administrator to allow it (KernelSpecManager.allowed_kernelspecs), or to let the "
            "server read the kernels in your home folder.",
        )


def use_kernel(folder: Path, name: str, title: str) -> None:
    """Let the pages of `folder` that name the usual kernel, or one of ours, name this one."""
    for path in sorted(folder.glob("*.ipynb")):
        try:
            page = json.loads(path.read_text(encoding="utf-8"))
            kernel = page["metadata"].setdefault("kernelspec", {"language": "python", "name": USUAL[0]})
            if kernel["name"] == name or not (kernel["name"] == USUAL[0] or kernel["name"].startswith(OURS)):
                continue  # the learner chose another one
            kernel |= {"name": name, "display_name": title}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue  # not a page
        write_whole(path, json.dumps(page, indent=1, ensure_ascii=False).encode() + b"\n")


def use_usual_kernel(folder: Path) -> None:
    """Pages that were used on a hub name a kernel that is not here: back to the usual one."""
    if any(OURS.encode() in path.read_bytes() for path in folder.glob("*.ipynb")):
        use_kernel(folder, *USUAL)


# -- Colab -----------------------------------------------------------------------------------------


def colab_lacks() -> None:
    """Colab's only kernel is this Python, so the packages have to be in it.

    Raises:
        Problem: with the line that installs what is missing.
    """
    wanted = {name: at for name, at in versions.ranges().items() if name != "jupyterlab"}
    missing = [f'"{name}{at}"' for name, at, _ in versions.misfits(wanted)]
    if missing:
        raise Problem(
            f"Colab's Python lacks {len(missing)} of the packages.",
            f"run a cell with `%pip install {' '.join(missing)}`, then this one again.",
        )


def on_colab(folder: Path) -> int:
    """Let Colab's kernel find course_lib, check it, and say which page to open."""
    places = [Path(sysconfig.get_path("purelib"))]
    if site.ENABLE_USER_SITE:  # read by this Python: not in a virtual environment, nor with PYTHONNOUSERSITE
        places.insert(0, Path(site.getusersitepackages()))
    for place in places:
        try:
            write_whole(place / "course_lib.pth", f"{ROOT}\n".encode())
            break
        except OSError as error:
            why = error.strerror or error
    else:
        raise Problem(
            f"The pages could not be told where course_lib is ({why}).",
            f"put this into the first cell of a page: `import sys; sys.path.insert(0, {str(ROOT)!r})`.",
        )
    check([sys.executable], {}, folder)
    print("You are in Colab, whose notebook runs already. The pages are ready.")
    print(f"Open: {folder / '00_start_here.ipynb'} (after Runtime → Restart session)")
    return 0
