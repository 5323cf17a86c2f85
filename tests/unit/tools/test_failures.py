"""Each failure a learner can meet at the door, made for real: one clear line, a next step, exit code 1."""

import glob
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from door_helpers import ROOT, bare, house, run

OLD = sorted(glob.glob(os.path.expanduser("~/.pyenv/versions/*/bin/python")))
OLD += [
    path
    for name in ("python2", "python2.7", "python3.8", "python3.9", "python3.10")
    if (path := shutil.which(name))
]


def two_lines(said, what: str, next_step: str) -> None:
    """The error stream ends in the problem and its next step, and shows no traceback."""
    assert said.returncode == 1, said.stdout + said.stderr
    lines = said.stderr.strip().splitlines()
    at = next(n for n, line in enumerate(lines) if what in line)
    assert lines[at + 1].startswith("Next: ") and next_step in "\n".join(lines[at + 1 :])
    assert "Traceback" not in said.stderr


def is_old(python: str) -> bool:
    asked = "import sys; sys.stdout.write(str(int(sys.version_info < (3, 11))))"
    said = run([python, "-c", asked], ROOT)
    return said.returncode == 0 and said.stdout == "1"


def test_a_python_that_is_too_old(tmp_path):
    old = [python for python in OLD if is_old(python)]
    if not old:
        pytest.skip("no Python older than 3.11 on this machine")
    for python in old:
        said = run([python, "-B", "-m", "course_lib", "lab"], ROOT, {"PATH": ""})
        two_lines(said, "This course needs Python 3.11 or newer; this one is", "install Python 3.13")
    said = run([old[0], "-B", str(ROOT / "course_lib"), "test"], tmp_path, {"PATH": ""})  # by its path
    two_lines(said, "This course needs Python 3.11 or newer; this one is", "install Python 3.13")


def test_a_newer_python_on_the_machine_is_named(monkeypatch):
    from course_lib import __main__ as door

    asked = []

    def call(command, **_):
        asked.append(command[0])
        if command[0] == "python3.13":
            raise OSError("no such program")
        return 0 if command[0] == "python3.11" else 127  # 127: a shim without a Python behind it

    monkeypatch.setattr(door.subprocess, "call", call)
    assert door.newer_python() == "python3.11"
    assert asked == ["python3.13", "python3.12", "python3.11"]


def test_an_interrupt_while_a_command_is_loaded(tmp_path):
    root = house(tmp_path)
    (root / "course_lib" / "tools" / "commands.py").write_text("raise KeyboardInterrupt", encoding="utf-8")
    said = run([*bare(), str(root / "course_lib"), "lab"], tmp_path)
    assert (said.returncode, said.stdout, said.stderr) == (130, "", "\nStopped.\n")


@pytest.mark.skipif(os.name == "nt", reason="Windows knows no broken pipe")
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("asked", [["help"], ["doctor", "--help"], ["doctor"]], ids=" ".join)
def test_a_reader_that_goes_away(asked, unbuffered, tmp_path):
    """`doctor | head`: what is printed meets a pipe that nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    command = [*bare(), str(house(tmp_path) / "course_lib"), *asked]
    environ = os.environ | {"PYTHONUNBUFFERED": unbuffered, "PYTHONPATH": ""}
    try:
        said = subprocess.run(command, env=environ, stdout=writing, stderr=subprocess.PIPE, timeout=240)
    finally:
        os.close(writing)
    assert said.stderr == b"" and said.returncode in ([0, 141] if "--help" in asked else [141])  # argparse: 0


def test_another_pipe_that_breaks_is_told(monkeypatch):
    from course_lib.tools import commands

    def broken(arguments):
        raise BrokenPipeError("of a server")

    monkeypatch.setattr(commands, "run", broken)
    with pytest.raises(BrokenPipeError, match="of a server"):
        commands.main(["lab"])


@pytest.mark.parametrize("module", ["venv", "ensurepip"])
def test_no_venv_module(tmp_path, module):
    root = house(tmp_path)
    code = (
        f"import runpy, sys; sys.modules['{module}'] = None; sys.argv = ['course_lib', 'lab'];"
        f"sys.path[0:0] = [{str(root / 'course_lib')!r}]; runpy.run_path(sys.path[0], run_name='__main__')"
    )
    version = "{}.{}".format(*sys.version_info)
    two_lines(
        run([*bare(), "-c", code], tmp_path), f"has no module `{module}`", f"apt install python{version}-venv"
    )
    assert not (root / ".venv").exists()


def test_a_wheel_folder_that_is_not_there(tmp_path):
    root = house(tmp_path)
    said = run([*bare(), str(root / "course_lib"), "lab", "--wheels", "nowhere"], tmp_path)
    two_lines(said, "There is no folder nowhere", "pip download")


def test_a_port_that_is_taken():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = run([sys.executable, "-m", "course_lib", "lab", "--no-browser", "--port", str(port)], ROOT)
    two_lines(said, f"Port {port} is taken by another program", "leave --port out")


def test_a_server_that_stops_at_its_start(tmp_path):
    root = house(tmp_path / "course")
    (tmp_path / "stub" / "jupyterlab").mkdir(parents=True)
    (tmp_path / "stub" / "jupyterlab" / "__init__.py").touch()
    stub = "class LabApp:\n    def launch_instance(argv): raise SystemExit(1)"
    (tmp_path / "stub" / "jupyterlab" / "labapp.py").write_text(stub)
    command = [sys.executable, str(root / "course_lib"), "lab", "--no-browser"]
    said = run(command, tmp_path, {"PYTHONPATH": str(tmp_path / "stub")})
    two_lines(said, "JupyterLab stopped at its start", "same command again")


@pytest.mark.parametrize("port", ["0", "70000", "abc"])
def test_a_port_that_is_none(port):
    said = run([sys.executable, "-m", "course_lib", "lab", "--port", port], ROOT)
    assert said.returncode == 2 and "port (1 to 65535)" in said.stderr and "Traceback" not in said.stderr


def test_an_unknown_command_lists_the_commands():
    said = run([sys.executable, "-m", "course_lib", "lap"], ROOT)
    two_lines(said, "There is no command `lap`; did you mean `lab`?", "python3 -m course_lib doctor")


def test_no_command_lists_the_commands():
    said = run([sys.executable, "-m", "course_lib"], ROOT)
    assert said.returncode == 0 and all(name in said.stdout for name in ("lab", "test", "doctor", "build"))


def test_called_from_another_folder(tmp_path):
    (tmp_path / "course_lib").mkdir()  # a stranger of the same name must not be taken for ours
    (tmp_path / "course_lib" / "__init__.py").write_text("raise SystemExit('the wrong one')")
    said = run([sys.executable, str(ROOT / "course_lib"), "help"], tmp_path)
    assert said.returncode == 0 and "start the course" in said.stdout


@pytest.mark.parametrize("missing", ["requirements.txt", "pyproject.toml"])
@pytest.mark.parametrize("command", ["lab", "doctor"])
def test_a_copy_without_its_requirements(tmp_path, missing, command):
    root = house(tmp_path)
    (root / missing).unlink()
    said = run([sys.executable, str(root / "course_lib"), command], tmp_path)
    two_lines(said, f"not the course's own folder: {missing} is missing.", "git clone")


def test_a_file_in_the_place_of_my_course(tmp_path):
    root = house(tmp_path / "course")
    (root / "my_course").touch()
    said = run([sys.executable, str(root / "course_lib"), "lab", "--no-browser"], tmp_path)
    two_lines(
        said,
        "The folder my_course could not be made (File exists).",
        "Next: rename the file my_course, or copy the course to a folder of your own.",
    )


@pytest.mark.parametrize("command", ["lab", "test"])
@pytest.mark.parametrize(
    ("folder", "what"), [("README.md", "README.md is not a folder."), ("none", "There is no folder none.")]
)
def test_wheels_that_are_no_folder(command, folder, what):
    said = run([*bare(), "-m", "course_lib", command, "--wheels", folder], ROOT)
    two_lines(said, what, "wheels")


def test_a_copy_without_its_pages(tmp_path):
    root = house(tmp_path)
    (root / "notebooks" / "00_start_here.ipynb").unlink()
    two_lines(
        run([sys.executable, str(root / "course_lib"), "lab", "--wheels", "none"], tmp_path),
        "There are no pages in notebooks/.",
        "git checkout -- notebooks (or unpack the ZIP file again)",
    )


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="an administrator may write everywhere"
)
@pytest.mark.parametrize("python", [bare(), [sys.executable]], ids=["no environment", "environment there"])
def test_a_folder_that_is_read_only(tmp_path, python):
    root = house(tmp_path / "course")
    os.chmod(root, 0o555)
    try:
        said = run([*python, str(root / "course_lib"), "lab", "--no-browser"], tmp_path)
    finally:
        os.chmod(root, 0o755)
    two_lines(said, "", "folder of your own")


def test_an_unfinished_install_that_one_stands_inside(monkeypatch, tmp_path):
    from course_lib.tools import Problem, environment

    monkeypatch.setattr(environment, "ROOT", tmp_path)
    monkeypatch.setattr(sys, "prefix", str(tmp_path / ".venv"))
    (tmp_path / ".venv").mkdir()
    (tmp_path / "requirements.txt").write_text("x==1\n")
    (tmp_path / ".venv" / "course-install-unfinished").touch()
    monkeypatch.setattr(environment, "check_space", lambda: None)
    with pytest.raises(Problem, match="did not finish") as caught:
        environment.make()
    assert "deactivate" in caught.value.next_step
    assert Path(tmp_path / ".venv").exists()


@pytest.mark.skipif(os.name == "nt", reason="a file name on Windows holds no colon")
@pytest.mark.parametrize("command", ["lab", "doctor", "test"])
@pytest.mark.parametrize("python", [bare(), [sys.executable]], ids=["no environment", "environment there"])
def test_a_colon_in_the_name_of_the_folder(tmp_path, python, command):
    root = house(tmp_path / "12:30 lesson")
    said = run([*python, str(root / "course_lib"), command], tmp_path)
    two_lines(said, "has a ':' in its name", "rename that folder without the ':'")
    assert not (root / ".venv").exists()
