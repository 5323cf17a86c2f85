"""The environment: which versions are right, which Python runs a command, what pip's errors mean."""

import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import threading
import time
import zipfile
from pathlib import Path

import pytest
from door_helpers import (
    bare,
    house,
    lending_venv,
    packages_here,
    quick_venv,
    require,
    run,
    tiny_course,
    tiny_wheel,
    venv_python,
)

from course_lib.tools import Problem, environment, installing, versions


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
    assert versions.allows(conditions, version) is right


def test_an_unknown_condition_is_named():
    with pytest.raises(ValueError, match="~=1"):
        versions.allows("~=1", "1.0")


def test_requirement_lines():
    lines = [
        "# a comment",
        "",
        "torch==2.13.0  # why",
        "-r other.txt",
        "x-y[extra]>=1 ; python_version<'3.12'",
    ]
    assert versions.requirements(lines) == {"torch": "==2.13.0", "x-y": ">=1"}


def test_the_lock_lies_in_the_ranges_and_names_the_same_packages():
    import tomllib

    project = tomllib.loads((environment.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    both = versions.requirements(project["dependencies"] + project["optional-dependencies"]["test"])
    pins = versions.pins()
    assert set(both) == set(pins)
    assert all(pin.startswith("==") and versions.allows(both[name], pin[2:]) for name, pin in pins.items())


def test_what_is_missing_or_wrong_is_listed():
    assert versions.misfits({"pytest": ">=1"}) == []
    ((name, wanted, here),) = versions.misfits({"pytest": "<1"})
    assert (name, wanted) == ("pytest", "<1") and here
    assert versions.misfits({"no-such-package": "==1"}) == [("no-such-package", "==1", None)]


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
        ("ERROR: Could not find an activated virtualenv (required).", "no whole environment", "remove"),
        ("ERROR: Could not install: [Errno 13] Permission denied", "may not write", "folder of your own"),
        ("something\nERROR: a new kind of failure\n", "a new kind of failure", "same command"),
        ("", "gave no reason", "same command"),
    ],
)
def test_what_pip_says_becomes_one_line_and_a_next_step(said, what, next_step):
    problem = installing.why_pip_failed(said)
    assert what in problem.what and next_step in problem.next_step and "\n" not in problem.what


def test_a_wheel_folder_without_the_right_wheel():
    problem = installing.why_pip_failed("ERROR: No matching distribution found for torch==2.13.0", "wheels")
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


def test_a_second_start_waits_for_its_turn_to_copy_the_pages():
    order = []

    def second():
        with environment.only_one("copy", wait=True):
            order.append("second")

    with environment.only_one("copy"):
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.2)
        order.append("first")
    thread.join(20)
    assert order == ["first", "second"]


def test_from_a_bare_python_to_the_pages_and_again(tmp_path):
    """The whole way with a tiny requirement: made, stamped, repaired, reused, updated, offline."""
    root = tiny_course(tmp_path / "a folder with spaces", tmp_path / "wheels")
    tiny_wheel(tmp_path / "wheels", "tinything", "2.0")
    # no server of our own
    hub = {"JUPYTERHUB_SERVICE_PREFIX": "/user/me/", "JUPYTER_DATA_DIR": str(tmp_path / "jupyter")}
    command = [*bare(), str(root / "course_lib"), "lab", "--wheels", str(tmp_path / "wheels")]

    (root / ".venv").mkdir()  # what a killed installation leaves
    (root / ".venv" / "course-install-unfinished").touch()
    (root / ".venv" / "litter").touch()
    first = run(command, tmp_path, hub)
    assert first.returncode == 0, first.stderr
    assert "Making .venv afresh: the last installation did not finish" in first.stdout
    assert [p.name for p in (root / ".venv").glob("[lc]*") if p.is_file()] == ["course-stamp.txt"]
    assert "Making the environment" in first.stdout and "takes 2 to 10 minutes" in first.stdout
    assert "Open in its file browser" in first.stdout
    assert (
        root / "my_course" / "00_start_here.ipynb"
    ).exists()  # beside README, not where the command was typed

    second = run(command, tmp_path, hub)
    assert second.returncode == 0 and "Installing" not in second.stdout and "Making" not in second.stdout

    python = venv_python(root)
    asked = "import course_lib, tinything; print(course_lib.__file__)"
    found = subprocess.check_output([str(python), "-c", asked], cwd=tmp_path, text=True, env=no_path())
    assert Path(found.strip()).parent == root / "course_lib"  # from any folder, without PYTHONPATH

    require(root, "2.0")
    third = run(command, tmp_path, hub)
    assert (
        third.returncode == 0
        and "Installing" in third.stdout
        and "Making the environment" not in third.stdout
    )
    asked = "import importlib.metadata as m; print(m.version('tinything'))"
    assert subprocess.check_output([str(python), "-c", asked], text=True).strip() == "2.0"

    require(root, "3.0")
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
    root = house(tmp_path / "course")
    (root / "requirements.txt").write_text("no-such-package==1\n")  # `lab` looks at the ranges only
    (root / "pyproject.toml").write_text('[project]\ndependencies = ["jupyterlab>=4", "safetensors>=0.4"]\n')
    python = lending_venv(tmp_path / "colab", packages_here())
    said = run([str(python), "-m", "course_lib", "lab"], root, {"COLAB_RELEASE_TAG": "1"})
    assert said.returncode == 0, said.stderr
    assert not (root / ".venv").exists()
    assert "You are in Colab" in said.stdout
    # the notebook's Python finds the course, though it reads no folder of the user's
    subprocess.run([str(python), "-c", "import course_lib"], cwd=tmp_path, env=no_path(), check=True)


# -- an environment that was complete once ---------------------------------------------------------


QUICK = """

def create(base):  # with the lent pip: installing one takes ten times as long
    import venv
    venv.create(venv_folder(), symlinks=os.name != "nt", with_pip=False)
    packages = sysconfig.get_path("purelib", "venv", {{"base": str(venv_folder())}})
    Path(packages, "lent.pth").write_text("import sys; sys.path.append('{lent}')")
"""


@pytest.fixture(scope="module")
def complete(tmp_path_factory):
    """A tiny course whose `.venv` is filled and stamped; and its wheels."""
    folder = tmp_path_factory.mktemp("complete")
    root = tiny_course(folder / "course", folder / "wheels")
    quick_venv(root)
    with open(root / "course_lib/tools/environment.py", "a") as file:
        file.write(QUICK.format(lent=(root / "lent").as_posix()))
    said = start(root, folder)
    assert said.returncode == 0, said.stderr
    return folder


@pytest.fixture
def again(complete, tmp_path):
    """A copy of it, as if the whole course had been moved: nothing has to be made anew."""
    shutil.copytree(complete, tmp_path / "all", symlinks=True)
    return tmp_path / "all"


def start(root, folder):
    hub = {"JUPYTERHUB_SERVICE_PREFIX": "/user/me/", "JUPYTER_DATA_DIR": str(folder / "jupyter")}
    command = [*bare(), str(root / "course_lib"), "lab", "--wheels", str(folder / "wheels")]
    return run(command, folder, hub)


def packages_of(root):
    return Path(sysconfig.get_path("purelib", "venv", {"base": str(root / ".venv")}))


def made_afresh(said, root, why: str) -> None:
    assert said.returncode == 0, said.stdout + said.stderr
    assert "Traceback" not in said.stderr and f"Making .venv afresh: {why}" in said.stdout
    assert "Open in its file browser" in said.stdout  # which is said after the packages were imported


@pytest.mark.skipif(os.name == "nt", reason="a copy of a Windows environment starts from another place")
def test_a_moved_course_is_not_installed_again(again):
    said = start(again / "course", again)
    assert said.returncode == 0 and "Installing" not in said.stdout and "Making" not in said.stdout


@pytest.mark.skipif(os.name == "nt", reason="on Windows a new version has another folder")
def test_a_python_that_was_upgraded_under_the_environment(again):
    """`.venv/bin/python` leads to the system's python3, which is another version after an upgrade."""
    root = again / "course"
    here, before = "{}.{}".format(*sys.version_info), "3.10"
    (root / f".venv/lib/python{here}").rename(root / f".venv/lib/python{before}")
    settings = root / ".venv/pyvenv.cfg"
    settings.write_text(settings.read_text().replace(f"version = {here}", f"version = {before}"))
    stamp = root / ".venv/course-stamp.txt"
    stamp.write_text(stamp.read_text().replace(environment.build(), "cpython-310-x86_64-linux-gnu"))
    made_afresh(start(root, again), root, f"it was made by Python {before}, and now it has Python {here}")


@pytest.fixture
def there(monkeypatch, tmp_path):
    """A course whose `.venv` is stamped; its root."""
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    (tmp_path / "requirements.txt").write_text("x==1\n")
    python = environment.venv_python()
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    (tmp_path / ".venv" / "pyvenv.cfg").write_text("version = {}.{}\n".format(*sys.version_info))
    environment.stamp_file().write_text(environment.wanted_stamp(environment.build()))
    return tmp_path


def test_the_stamp_counts_for_its_python_only(there, monkeypatch, tmp_path):
    python = environment.venv_python()
    assert environment.stamped()
    other = tmp_path / "other-python"
    other.touch()
    python.unlink()
    python.symlink_to(other)
    assert not environment.stamped()  # another program stands behind it
    python.unlink()
    python.symlink_to(sys.executable)
    assert environment.stamped()
    monkeypatch.setattr(environment, "build", lambda: "cpython-399")
    assert not environment.stamped()  # the same program, with other insides


FOUND = {"python": list(sys.version_info[:2]), "damaged": [], "lacks": [], "broken": []}


def test_half_of_an_environment_is_made_afresh(there):
    """Without pyvenv.cfg its python is the one outside: packages would go there."""
    assert environment.stamped() and environment.afresh(FOUND) == ""
    (there / ".venv" / "pyvenv.cfg").unlink()
    assert not environment.stamped() and environment.afresh(FOUND) == "it is half removed"


def test_who_stops_the_removal_leaves_no_half_environment(there, monkeypatch):
    environment.marker_file().touch()

    def stopped(folder, **_):
        (Path(folder) / "pyvenv.cfg").unlink()
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", stopped)
        with pytest.raises(KeyboardInterrupt):
            environment.make()
    assert not (there / ".venv").exists()
    (old,) = there.glob(".venv-old-*")
    assert not (old / "pyvenv.cfg").exists()
    monkeypatch.setattr(environment, "create", lambda base: None)
    monkeypatch.setattr(installing, "install", lambda *how: None)
    with pytest.raises(Problem, match="does not start"):  # nothing was made, here
        environment.make()
    assert not old.exists()


def test_an_environment_that_cannot_be_set_aside(there, monkeypatch):
    environment.marker_file().touch()

    def used(*_):
        raise PermissionError

    monkeypatch.setattr(Path, "rename", used)
    with pytest.raises(Problem, match="cannot be removed"):
        environment.make()


@pytest.mark.skipif(os.name == "nt", reason="a copy of a Windows environment starts from another place")
def test_a_half_removed_environment_at_the_next_start(again):
    (again / "course" / ".venv" / "pyvenv.cfg").unlink()
    made_afresh(start(again / "course", again), again / "course", "it is half removed")


def test_metadata_without_its_package_is_repaired(again):
    (packages_of(again / "course") / "tinything.py").unlink()
    said = start(again / "course", again)
    made_afresh(said, again / "course", "tinything is 1.0, whose files are gone")


def test_a_package_that_does_not_import_is_not_stamped(tmp_path):
    root = tiny_course(tmp_path / "course", tmp_path / "wheels")
    quick_venv(root)
    tiny_wheel(tmp_path / "wheels", "tinything", "1.0", {"tinything.py": "raise OSError('no such library')"})
    said = start(root, tmp_path)
    assert said.returncode == 1 and "Traceback" not in said.stderr
    assert "cannot use them: tinything: OSError: no such library\nNext: " in said.stderr
    assert not (root / ".venv" / "course-stamp.txt").exists()


def test_what_is_damaged_is_told_from_what_is_missing(tmp_path, monkeypatch):
    tiny_wheel(tmp_path, "tinything", "1.0")
    with zipfile.ZipFile(tmp_path / "tinything-1.0-py3-none-any.whl") as wheel:
        wheel.extractall(tmp_path / "site")
    monkeypatch.syspath_prepend(tmp_path / "site")
    assert versions.found("tinything") == ("1.0", True) and versions.misfits({"tinything": ""}) == []
    (tmp_path / "site" / "tinything.py").unlink()
    assert versions.damaged(["tinything", "pytest", "no-such"]) == ["tinything is 1.0, whose files are gone"]
    (tmp_path / "site" / "tinything.py").touch()
    shutil.copytree(tmp_path / "site/tinything-1.0.dist-info", tmp_path / "site/tinything-0.9.dist-info")
    older = tmp_path / "site/tinything-0.9.dist-info/METADATA"
    older.write_text(older.read_text().replace("1.0", "0.9"))
    assert versions.damaged(["tinything"]) == ["tinything is 0.9 and 1.0 at once"]
    shutil.rmtree(older.parent)
    (tmp_path / "site" / "tinything-1.0.dist-info" / "METADATA").write_text("")
    assert versions.misfits({"tinything": ">=1"}) == [("tinything", ">=1", "without a version")]
