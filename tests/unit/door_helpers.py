"""For the tests of the door: a copy of the house without its models, a bare Python, small pages, wheels."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

ROOT = Path(__file__).resolve().parents[2]


def house(folder: Path) -> Path:
    """A copy of the door (course_lib's own start and tools) in `folder`, which works alone; with one page."""
    library = folder / "course_lib"
    library.mkdir(parents=True)
    for name in ("__init__.py", "__main__.py", "files.py", "chapters.py"):
        shutil.copy(ROOT / "course_lib" / name, library)
    shutil.copytree(
        ROOT / "course_lib" / "tools", library / "tools", ignore=shutil.ignore_patterns("__pycache__")
    )
    for name in ("requirements.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    mini_page(folder / "notebooks" / "00_start_here.ipynb")
    return folder


def bare() -> list[str]:
    """A Python in which no package is installed: this one, told not to look (-S)."""
    return [sys.executable, "-S"]


def run(
    command: list[str], folder: Path, variables: dict[str, str] | None = None
) -> subprocess.CompletedProcess:
    """Run a command as a learner would type it: no PYTHONPATH, nothing on stdin."""
    environ = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "COURSE_STARTED")}
    environ |= {"PYTHONUTF8": "1", **(variables or {})}
    return subprocess.run(
        command,
        cwd=folder,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        timeout=240,
    )


def mini_page(path: Path, *sources: str) -> Path:
    """A page with these code cells (not executed)."""
    cells = [new_markdown_cell("# A small page", id="title")]
    cells += [new_code_cell(source, id=f"code-{n}") for n, source in enumerate(sources or ["1 + 1"])]
    path.parent.mkdir(exist_ok=True, parents=True)
    nbformat.write(new_notebook(cells=cells), path)
    return path


def tiny_wheel(folder: Path, name: str, version: str, modules: dict[str, str] | None = None) -> Path:
    """A package of a few lines, so that a whole installation takes a second and no network.

    modules: {path: source}; None: one empty module of the package's name.
    """
    modules = {f"{name}.py": ""} if modules is None else modules
    info, folder = f"{name}-{version}.dist-info", Path(folder)
    folder.mkdir(exist_ok=True, parents=True)
    files = modules | {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"])
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for inside, text in files.items():
            wheel.writestr(inside, text)
    return path


PATHS = """
import os
def jupyter_data_dir(): return os.environ.get("JUPYTER_DATA_DIR") or os.path.expanduser("~/.local/share")
def jupyter_config_dir(): return os.path.expanduser("~/.jupyter")
def jupyter_runtime_dir(): return os.path.join(jupyter_data_dir(), "runtime")
"""


def tiny_course(folder: Path, wheels: Path) -> Path:
    """A copy of the house that needs `tinything` and stand-ins for Jupyter, whose wheels go to `wheels`."""
    root = house(folder)
    tiny_wheel(wheels, "tinything", "1.0")
    tiny_wheel(wheels, "ipykernel", "1.0")
    tiny_wheel(
        wheels, "jupyter_core", "1.0", {"jupyter_core/__init__.py": "", "jupyter_core/paths.py": PATHS}
    )
    require(root, "1.0")
    (root / "pyproject.toml").write_text('[project]\ndependencies = ["tinything>=1,<3"]\n')
    return root


def require(root: Path, version: str) -> None:
    """Pin the tiny course's packages, `tinything` at this version."""
    pins = f"tinything=={version}\nipykernel==1.0\njupyter-core==1.0\n"
    (root / "requirements.txt").write_text(pins)


def venv_python(root: Path) -> Path:
    return next(p for p in (root / ".venv/bin/python", root / ".venv/Scripts/python.exe") if p.exists())


def quick_venv(root: Path) -> Path:
    """`.venv` in a second: pip is lent from this Python instead of installed. Returns its interpreter."""
    import pip

    lent, here = root / "lent", Path(pip.__file__).parent
    lent.mkdir()
    if os.name == "nt":
        shutil.copytree(here, lent / "pip")
    else:  # nothing is compiled again
        (lent / "pip").symlink_to(here)
    return lending_venv(root, lent)


def lending_venv(root: Path, *folders: Path | str) -> Path:
    """A `.venv` that finds the packages of these folders. Returns its interpreter."""
    venv.create(root / ".venv", symlinks=os.name != "nt", with_pip=False)
    packages = sysconfig.get_path("purelib", "venv", {"base": str(root / ".venv")})
    lines = [f"import sys; sys.path.append({str(folder)!r})\n" for folder in folders]
    Path(packages, "lent.pth").write_text("".join(lines))
    return venv_python(root)


def packages_here() -> str:
    """Where the packages of this Python lie."""
    return sysconfig.get_path("purelib")
