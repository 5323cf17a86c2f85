"""A learner's random.py or torch.py is named, by every command, with the cure; harmless names are not."""

import os
import subprocess
import sys

import nbformat
import pytest
from door_helpers import house, mini_page, run
from nbclient import NotebookClient

from course_lib.tools import shadows

MINE = 'raise ImportError("this is the learner\'s own file")\n'


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A course folder without any file, in which a page is open."""
    root = tmp_path / "course"
    for folder in ("my_course", "notebooks", "course_lib"):
        (root / folder).mkdir(parents=True)
    (root / "course_lib" / "__init__.py").touch()
    monkeypatch.setattr(shadows, "ROOT", root)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    monkeypatch.chdir(root / "my_course")
    return root


def put(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(MINE)


@pytest.mark.parametrize(
    ("file", "module", "named"),
    [
        ("my_course/random.py", "random", "my_course/random.py"),
        ("my_course/torch.py", "torch", "my_course/torch.py"),
        ("my_course/numpy/__init__.py", "numpy", "my_course/numpy"),
        ("my_course/copy.pyc", "copy", "my_course/copy.pyc"),
        ("my_course/select" + ".abi3.so" * (os.name != "nt") + ".pyd" * (os.name == "nt"), "select", None),
        ("my_course/IPython.py", "IPython", "my_course/IPython.py"),  # needed by what the course needs
        ("my_course/course_lib/__init__.py", "course_lib", "my_course/course_lib"),
        ("notebooks/tokenize.py", "tokenize", "notebooks/tokenize.py"),
        ("random.py", "random", "random.py"),
        ("matplotlib/__init__.py", "matplotlib", "matplotlib"),
    ],
)
def test_a_file_that_is_taken_for_a_module_is_named(course, file, module, named):
    put(course / file)
    assert shadows.in_the_way() == [(course / (named or file), module)]
    (line,) = shadows.lines()
    assert f"rename {named or file}" in line and f"`{module}`" in line


@pytest.mark.parametrize(
    "file",
    [
        "my_course/helpers.py",  # nobody else has this name
        "my_course/test.py",  # Python has a module of this name that nobody needs
        "my_course/random.txt",
        "my_course/random.ipynb",
        "my_course/random/notes.txt",  # a folder without __init__.py counts after all modules
        "my_course/sub/random.py",
        "my_course/__pycache__/random.cpython-311.pyc",
        "my_course/_pytest.py",  # installed here, but for the tests only
    ],
)
def test_other_names_are_free(course, file):
    put(course / file)
    assert shadows.in_the_way() == [] and shadows.lines() == []


def test_the_current_folder_and_pythonpath_count_too(course, tmp_path, monkeypatch):
    here, there = tmp_path / "here", tmp_path / "there"
    put(here / "string.py")
    put(there / "json.py")
    monkeypatch.chdir(here)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(there), "", str(course)]))
    assert shadows.in_the_way() == [(here / "string.py", "string"), (there / "json.py", "json")]
    assert str(here / "string.py") in shadows.lines()[0]


def test_a_folder_that_is_gone_counts_as_empty(course, tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    (course / "my_course").rmdir()
    assert shadows.in_the_way() == []


# -- the commands ----------------------------------------------------------------------------------


@pytest.fixture
def crowded(tmp_path):
    """A course with files in the way: in its own folder and in my_course/."""
    root = house(tmp_path / "course")
    put(root / "random.py")
    put(root / "my_course" / "torch.py")
    return root


def test_doctor_names_the_file_and_not_the_environment(crowded):
    said = run([sys.executable, "-m", "course_lib", "doctor"], crowded)
    assert "rename my_course/torch.py, random.py" in said.stdout and said.returncode == 1, said.stderr
    assert ".venv, then" not in said.stdout and "Traceback" not in said.stderr
    (openmp,) = (line for line in said.stdout.splitlines() if "OpenMP" in line)
    assert openmp.startswith("·") and "not looked at" in openmp


def test_doctor_in_a_page_names_it_too(crowded):
    """The kernel has Python's own random by then, and the file still stops what the kernel starts."""
    (crowded / "random.py").rename(crowded / "my_course" / "random.py")
    page = mini_page(
        crowded / "my_course" / "00.ipynb", "from course_lib.tools import doctor\ndoctor.report()"
    )
    notebook = nbformat.read(page, as_version=4)
    client = NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(page.parent)}})
    client.execute(env={**os.environ, "PYTHONPATH": str(crowded)})
    said = "".join(output.text for output in notebook.cells[1].outputs)
    assert "rename my_course/random.py, my_course/torch.py" in said and ".venv, then" not in said


def test_lab_starts_and_names_it(crowded, tmp_path):
    environ = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "COURSE_STARTED")}
    environ |= {"JUPYTER_CONFIG_DIR": str(tmp_path / "jupyter"), "PYTHONUTF8": "1"}
    command = [sys.executable, "-m", "course_lib", "lab", "--no-browser"]
    lab = subprocess.Popen(
        command, cwd=crowded, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        said = []
        for line in lab.stdout:
            said.append(line)
            if "http://127.0.0.1" in line:
                break
    finally:
        lab.terminate()
        lab.stdout.close()
        lab.wait(timeout=30)
    text = "".join(said)
    assert "rename my_course/torch.py" in text and "rename random.py" in text
    assert "http://127.0.0.1" in text, text
