"""The repository holds what it should and nothing else."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOP = {
    "README.md", "requirements.txt", "pyproject.toml", "LICENSE", "notebooks", "course_lib", "assets",
    "tests", ".ci", ".github", ".gitignore", ".gitattributes",
}  # fmt: skip
TEXT = {".py", ".md", ".txt", ".toml", ".cfg", ".yml", ".json", ".js", ".css", ".ipynb"}


def files() -> list[Path]:
    """What is, or would be, in version control."""
    if not shutil.which("git") or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout, so what is tracked is not known")
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.check_output(command, cwd=ROOT, text=True, encoding="utf-8")
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def test_nothing_else_at_the_top():
    extra = {path.relative_to(ROOT).parts[0] for path in files()} - TOP
    assert not extra, f"not planned at the top level: {sorted(extra)}"


def test_no_litter():
    litter = {"__pycache__", ".ipynb_checkpoints", "my_course", ".venv", "progress.json", ".DS_Store"}
    found = [str(p) for p in files() if litter & set(p.relative_to(ROOT).parts) or p.suffix == ".part"]
    assert not found


def test_no_large_file():
    large = [f"{path}: {size:.1f} MB" for path in files() if (size := path.stat().st_size / 2**20) > 12]
    assert not large


def test_text_files_are_utf8_and_end_with_a_newline():
    bad = []
    for path in files():
        if path.suffix in TEXT or path.name in TOP:
            content = path.read_bytes()
            content.decode("utf-8")
            if content and (not content.endswith(b"\n") or b"\r\n" in content):
                bad.append(str(path.relative_to(ROOT)))
    assert not bad, f"no newline at the end, or Windows line ends: {bad}"


def test_no_path_of_one_machine_in_the_code():
    words = [("/" + "work/"), ("/" + "root/"), ("/" + "opt/pypi")]
    bad = [
        f"{path.relative_to(ROOT)}: {word}"
        for path in files()
        if path.suffix in TEXT - {".ipynb"} and path.name not in ("guards.py", "test_guards.py")
        for word in words
        if word in path.read_text(encoding="utf-8")
    ]
    assert not bad
