"""`test --changed` runs what a change can have touched: changes planted in a small course under git."""

import json
import shutil
import subprocess
import sys

import pytest
from door_helpers import bare, house, run

from course_lib.tools import Problem, changed

pytestmark = pytest.mark.skipif(not shutil.which("git"), reason="git is not installed")

PAGE = '{{"cells": [{{"cell_type": "code", "source": ["from course_lib.{0} import x\\n"]}}]}}'
COURSE = {
    "course_lib/masks.py": "x = 1\n",
    "course_lib/attention.py": "from course_lib.masks import x\n",
    "course_lib/viz/__init__.py": "",
    "course_lib/viz/curves.py": "x = 1\n",
    "course_lib/widgets/__init__.py": "",
    "course_lib/widgets/lab.py": "def show():\n    from course_lib.viz import curves\n",
    "course_lib/widgets/browser/lab.js": "let x;\n",
    "course_lib/records.py": 'FOLDER = "assets/experiments"\n',
    "assets/experiments/planted_record.json": "{}\n",
    "assets/experiments/map.png": "x\n",
    "notebooks/01_first.ipynb": PAGE.format("attention"),
    "notebooks/02_second.ipynb": PAGE.format("widgets.lab"),
    "tests/conftest.py": "",
    "tests/unit/helpers.py": "import course_lib.records\n",
    "tests/unit/test_masks.py": "from course_lib.masks import x\n",
    "tests/unit/test_attention.py": "from course_lib import (\n    attention,\n)\n",
    "tests/unit/viz/test_curves.py": "from course_lib.viz.curves import x\n",
    "tests/unit/test_records.py": "from helpers import records\n",
    "tests/unit/test_house.py": "",
    "tests/unit/test_alone.py": "",
    "tests/unit/test_door.py": 'run(["-m", "course_lib"])\n',
    "tests/notebooks/test_pages.py": "from course_lib.tools import pages\n",
    "tests/browser/conftest.py": "",
    "tests/browser/test_browser_lab.py": 'CELL = "from course_lib.widgets import lab\\\\nlab.show()"\n',
    "tests/browser/test_browser_pages.py": 'PAGES = (ROOT / "notebooks").glob("*.ipynb")\n',
}
MASKS = {"unit/test_masks", "unit/test_attention", "unit/test_house", "01_first", "pages[01_first]"}
VIEWS = {"02_second", "pages[02_second]", "browser/test_browser_lab", "unit/test_house"}


def git(root, *arguments):
    who = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *who, *arguments], cwd=root, check=True, capture_output=True)


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    root = house(tmp_path_factory.mktemp("changed") / "course")
    for name, text in COURSE.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    git(root, "init", "-q", "-b", "main")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "all")
    return root


def touched(root, *options):
    """What the command would run, in short names; None: everything."""
    code = (
        "import json, sys; from course_lib.tools import changed as c;"
        "print(json.dumps(c.Course().touched(c.files(*sys.argv[1:]))))"
    )
    said = run([sys.executable, "-c", code, *options], root)
    assert said.returncode == 0, said.stderr
    found = json.loads(said.stdout)
    short = {
        "tests/": "",
        ".py": "",
        ".ipynb": "",
        "notebooks/0": "0",
        "browser/test_browser_pages::test_a_page_as_stored_and_run": "pages",
    }
    for long, name in short.items():
        found = found and {key.replace(long, name): why for key, why in found.items()}
    return found


@pytest.mark.parametrize(
    ("file", "runs"),
    [
        ("course_lib/masks.py", MASKS),
        ("course_lib/attention.py", MASKS - {"unit/test_masks"}),
        ("course_lib/viz/curves.py", VIEWS | {"unit/viz/test_curves"}),
        ("course_lib/widgets/browser/lab.js", VIEWS),
        ("course_lib/tools/pages.py", {"unit/test_door", "unit/test_house", "notebooks/test_pages"}),
        (  # the door lists the records
            "assets/experiments/planted_record.json",
            {"unit/test_records", "unit/test_house", "unit/test_door"},
        ),
        ("notebooks/02_second.ipynb", {"02_second", "pages[02_second]"}),
        ("tests/unit/test_alone.py", {"unit/test_alone", "unit/test_house"}),
        (
            "tests/browser/conftest.py",
            {"browser/test_browser_lab", "browser/test_browser_pages", "unit/test_house"},
        ),
        ("tests/conftest.py", None),
        ("pyproject.toml", None),
    ],
)
def test_a_planted_change_runs_what_it_touches(course, file, runs):
    path = course / file
    old = path.read_text()
    path.write_text(old + "\n")
    try:
        found = touched(course)
    finally:
        path.write_text(old)
    assert (found and set(found)) == runs
    assert not found or set(found.values()) == {file}


def test_new_deleted_and_committed_files_count(course):
    new = course / "tests" / "unit" / "test_new.py"
    new.write_text("")
    assert set(touched(course)) == {"unit/test_new", "unit/test_house"}
    git(course, "checkout", "-q", "-b", "work")
    git(course, "add", "-A")
    git(course, "commit", "-q", "-m", "a test")
    assert set(touched(course)) == {"unit/test_new", "unit/test_house"}  # since the branch left main
    assert touched(course, "HEAD") == {}
    (course / "course_lib" / "masks.py").unlink()
    assert touched(course) is None  # what imported it cannot be told any more
    git(course, "checkout", "-q", "-f", "main")


def test_the_command_runs_nothing_when_nothing_changed(course):
    said = run([sys.executable, "-m", "course_lib", "test", "--here", "--changed"], course)
    assert said.returncode == 0 and said.stdout == "Nothing has changed: no test to run.\n", said.stderr


def test_an_unknown_commit_is_named(course, tmp_path):
    with pytest.raises(Problem, match="no commit 'nowhere'"):
        changed.files("nowhere", course)
    git(tmp_path, "init", "-q")
    with pytest.raises(Problem, match="no branch to compare with") as problem:
        changed.files(None, tmp_path)
    assert "--since" in problem.value.next_step


@pytest.mark.parametrize("option", [["--changed"], ["--since", "HEAD"]])
def test_a_folder_without_git(tmp_path, option):
    """From the ZIP file, alone or inside of a clone of something else; before anything is installed."""
    root = house(tmp_path / "course")
    for _ in ("alone", "inside"):
        said = run([*bare(), "-m", "course_lib", "test", *option], root)
        assert said.returncode == 1 and said.stderr == (
            "This folder is not a git clone, so nothing tells what changed.\n"
            "Next: type python3 -m course_lib test.\n"
        )
        git(tmp_path, "init", "-q")


def test_a_machine_without_git(monkeypatch):
    monkeypatch.setattr(changed.shutil, "which", lambda name: None)
    with pytest.raises(Problem, match="git is not installed"):
        changed.files()


def test_the_choice_is_explained():
    assert changed.explained(["pyproject.toml"], None) == "1 file changed: every test (pyproject.toml)"
    lines = changed.explained(["a.py", "b.py"], {"tests/unit/test_a.py": "a.py"}).splitlines()
    assert lines[0].startswith("2 files changed: 1 test files") and lines[1].split() == [
        "tests/unit/test_a.py",
        "a.py",
    ]
