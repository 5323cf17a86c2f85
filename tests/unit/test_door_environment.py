"""The environment: which versions are right, which Python runs a command, what pip's errors mean."""

import os
import socket
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from door_helpers import bare, house, mini_page, run

from course_lib.tools import Problem, environment


@pytest.mark.parametrize(
    ("conditions", "version", "right"),
    [
        ("==2.13.0", "2.13.0", True),
        ("==2.13.0", "2.13.0+cpu", True),
        ("==2.13.0", "2.13", True),
        ("==2.13.0", "2.13.1", False),
        (">=2.6,<3", "2.13.0+cu128", True),
        (">=2.6,<3", "2.5.9", False),
        (">=2.6,<3", "3.0.0", False),
        (">=2.6, <3, !=2.7", "2.7.0", False),
        (">=9", "10.1", True),  # numbers, not letters: "10" comes before "9" as text
        ("", "0.1", True),
    ],
)
def test_versions(conditions, version, right):
    assert environment.allows(conditions, version) is right


def test_an_unknown_condition_is_named():
    with pytest.raises(ValueError, match="~=1"):
        environment.allows("~=1", "1.0")


def test_requirement_lines():
    lines = [
        "# a comment",
        "",
        "torch==2.13.0  # why",
        "-r other.txt",
        "x-y[extra]>=1 ; python_version<'3.12'",
    ]
    assert environment.requirements(lines) == {"torch": "==2.13.0", "x-y": ">=1"}


def test_the_lock_lies_in_the_ranges_and_names_the_same_packages():
    import tomllib

    project = tomllib.loads((environment.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    both = environment.requirements(project["dependencies"] + project["optional-dependencies"]["test"])
    pins = environment.pins()
    assert set(both) == set(pins)
    assert all(pin.startswith("==") and environment.allows(both[name], pin[2:]) for name, pin in pins.items())


def test_what_is_missing_or_wrong_is_listed():
    assert environment.misfits({"pytest": ">=1"}) == []
    ((name, wanted, here),) = environment.misfits({"pytest": "<1"})
    assert (name, wanted) == ("pytest", "<1") and here
    assert environment.misfits({"no-such-package": "==1"}) == [("no-such-package", "==1", None)]


@pytest.mark.parametrize(
    ("said", "what", "next_step"),
    [
        ("OSError: [Errno 28] No space left on device", "disk is full", "free about 2 GB"),
        ("NewConnectionError: Failed to establish a new connection: [Errno 111]", "no network", "--wheels"),
        (
            "ConnectTimeoutError ... timed out\nERROR: No matching distribution found for torch",
            "no network",
            "pip download",
        ),
        ("getaddrinfo failed", "no network", "pip download"),
        ("SSLError(CERTIFICATE_VERIFY_FAILED)", "certificate", "PIP_CERT"),
        ("ERROR: No matching distribution found for torch==2.13.0", "no package torch==2.13.0", "64-bit"),
        ("ERROR: Could not install: [Errno 13] Permission denied", "may not write", "folder of your own"),
        ("something\nERROR: a new kind of failure\n", "a new kind of failure", "same command"),
        ("", "gave no reason", "same command"),
    ],
)
def test_what_pip_says_becomes_one_line_and_a_next_step(said, what, next_step):
    problem = environment.why_pip_failed(said)
    assert what in problem.what and next_step in problem.next_step and "\n" not in problem.what


def test_a_wheel_folder_without_the_right_wheel():
    problem = environment.why_pip_failed("ERROR: No matching distribution found for torch==2.13.0", "wheels")
    assert "wheels has no wheel of torch==2.13.0" in problem.what


def test_too_little_space_is_said_before_anything_is_made(monkeypatch, tmp_path):
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    monkeypatch.setattr(environment, "SPACE_NEEDED", 2**60)
    with pytest.raises(Problem, match="GB free"):
        environment.check_space()


@pytest.mark.parametrize(("number", "says"), [(30, "may not write to its own folder"), (28, "disk is full")])
def test_a_folder_that_cannot_be_written_to(number, says):
    def write():
        raise OSError(number, os.strerror(number))

    with pytest.raises(Problem, match=says):
        environment.writable(write)


def test_two_installations_at_once_are_refused():
    with environment.only_one(), pytest.raises(Problem, match="right now"), environment.only_one():
        pass
    with environment.only_one():
        pass


def tiny_wheel(folder: Path, version: str) -> None:
    """A package of one line, so that a whole installation takes a second and no network."""
    folder.mkdir(exist_ok=True)
    info = f"tinything-{version}.dist-info"
    with zipfile.ZipFile(folder / f"tinything-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr("tinything.py", "")
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: tinything\nVersion: {version}\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(
            f"{info}/RECORD", f"tinything.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n"
        )


def test_from_a_bare_python_to_the_pages_and_again(tmp_path):
    """The whole way with a tiny requirement: made, stamped, repaired, reused, updated, offline."""
    root = house(tmp_path / "a folder with spaces")
    mini_page(root / "notebooks" / "00_start_here.ipynb")
    (root / "requirements.txt").write_text("tinything==1.0\n")
    (root / "pyproject.toml").write_text('[project]\ndependencies = ["tinything>=1,<3"]\n')
    tiny_wheel(tmp_path / "wheels", "1.0")
    tiny_wheel(tmp_path / "wheels", "2.0")
    hub = {
        "JUPYTERHUB_SERVICE_PREFIX": "/user/me/",
        "PYTHONUSERBASE": str(tmp_path / "user"),
    }  # no server of our own
    command = [*bare(), str(root / "course_lib"), "lab", "--wheels", str(tmp_path / "wheels")]

    (root / ".venv").mkdir()  # what a killed installation leaves
    (root / ".venv" / "course-install-unfinished").touch()
    (root / ".venv" / "litter").touch()
    first = run(command, tmp_path, hub)
    assert first.returncode == 0, first.stderr
    assert "did not finish: making .venv afresh" in first.stdout
    assert [p.name for p in (root / ".venv").glob("[lc]*") if p.is_file()] == ["course-stamp.txt"]
    assert "Making the environment" in first.stdout and "takes 2 to 10 minutes" in first.stdout
    assert "Open in its file browser" in first.stdout
    assert (
        root / "my_course" / "00_start_here.ipynb"
    ).exists()  # beside README, not where the command was typed

    second = run(command, tmp_path, hub)
    assert second.returncode == 0 and "Installing" not in second.stdout and "Making" not in second.stdout

    python = next(p for p in (root / ".venv/bin/python", root / ".venv/Scripts/python.exe") if p.exists())
    asked = "import course_lib, tinything; print(course_lib.__file__)"
    found = subprocess.check_output([str(python), "-c", asked], cwd=tmp_path, text=True, env=no_path())
    assert Path(found.strip()).parent == root / "course_lib"  # from any folder, without PYTHONPATH

    (root / "requirements.txt").write_text("tinything==2.0\n")
    third = run(command, tmp_path, hub)
    assert (
        third.returncode == 0
        and "Installing" in third.stdout
        and "Making the environment" not in third.stdout
    )
    asked = "import importlib.metadata as m; print(m.version('tinything'))"
    assert subprocess.check_output([str(python), "-c", asked], text=True).strip() == "2.0"

    (root / "requirements.txt").write_text("tinything==3.0\n")
    with socket.socket() as closed:  # bound but not listening: every connection is refused
        closed.bind(("127.0.0.1", 0))
        index = f"http://127.0.0.1:{closed.getsockname()[1]}/simple"
        offline = {"PIP_INDEX_URL": index, "PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": ""}
        offline["PIP_EXTRA_INDEX_URL"] = ""
        fourth = run(command[: command.index("--wheels")], tmp_path, hub | offline)
    assert fourth.returncode == 1 and "Traceback" not in fourth.stderr
    *_, problem, next_step = fourth.stderr.strip().splitlines()
    assert (
        problem == "The packages could not be downloaded: no network, or the package index does not answer."
    )
    assert next_step.startswith("Next: ") and "pip download -r requirements.txt -d wheels" in next_step
    assert "lab --wheels wheels" in next_step


def no_path() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def test_an_interpreter_that_has_everything_is_used_as_it_is(tmp_path):
    root = house(tmp_path)
    (root / "requirements.txt").write_text("no-such-package==1\n")  # `lab` looks at the ranges only
    hub = {"COLAB_RELEASE_TAG": "1", "PYTHONUSERBASE": str(tmp_path / "user")}
    said = run([sys.executable, "-m", "course_lib", "lab"], root, hub)
    assert said.returncode == 0, said.stderr
    assert not (root / ".venv").exists()
    assert "You are in Colab" in said.stdout
