"""For the tests of the door: a copy of the house without its models, a bare Python, a small page."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

ROOT = Path(__file__).resolve().parents[2]


def house(folder: Path) -> Path:
    """A copy of the door (course_lib's own start and tools) in `folder`, which works alone."""
    library = folder / "course_lib"
    library.mkdir(parents=True)
    for name in ("__init__.py", "__main__.py", "files.py", "chapters.py"):
        shutil.copy(ROOT / "course_lib" / name, library)
    shutil.copytree(
        ROOT / "course_lib" / "tools", library / "tools", ignore=shutil.ignore_patterns("__pycache__")
    )
    for name in ("requirements.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    (folder / "notebooks").mkdir()
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
