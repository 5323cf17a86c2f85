"""pip fills the environment and nothing else, from the index that fits, whatever a person's settings say."""

import http.server
import os
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from functools import partial

import pytest
from door_helpers import bare, quick_venv, run, tiny_course, tiny_wheel

from course_lib.tools import Problem, installing

HUB = {"JUPYTERHUB_SERVICE_PREFIX": "/user/me/"}  # no server of our own


@pytest.mark.parametrize("way", ["variables", "file"])
def test_packages_go_into_the_environment(tmp_path, way):
    wheels = tmp_path / "wheels"
    root = tiny_course(tmp_path / "course", wheels)
    python = quick_venv(root)
    # each of these alone leads pip away; target does not go together with the others
    chosen = {name: str(tmp_path / name) for name in (["target"] if way == "file" else ["prefix", "root"])}
    chosen |= {"dry-run": "true", "no-deps": "true"}
    (tmp_path / "pip.conf").write_text(
        f"[global]\nno-index = true\nfind-links = {wheels}\n[install]\n"  # must stay: where packages are
        + ("".join(f"{name} = {value}\n" for name, value in chosen.items()) if way == "file" else "")
    )
    variables = {"PIP_CONFIG_FILE": str(tmp_path / "pip.conf"), "PIP_FIND_LINKS": ""}
    if way == "variables":
        variables |= {installing.variable(name): value for name, value in chosen.items()}
    variables |= {"JUPYTER_DATA_DIR": str(tmp_path / "jupyter")}
    said = run([*bare(), str(root / "course_lib"), "lab"], tmp_path, HUB | variables)
    assert said.returncode == 0, said.stdout + said.stderr
    assert (root / ".venv" / "course-stamp.txt").exists()
    subprocess.run([str(python), "-I", "-c", "import tinything"], check=True)
    assert not any((tmp_path / name).exists() for name in ("target", "prefix", "root"))


def test_pip_installs_in_an_environment_only(tmp_path, monkeypatch):
    """In the Python outside, pip itself refuses."""
    commands = []
    monkeypatch.setattr(installing, "run_pip", lambda command, *_: commands.append(command) or (0, ""))
    python = quick_venv(tmp_path)
    installing.install(python, tmp_path / "requirements.txt", "wheels", 0)
    assert commands and all("--require-virtualenv" in command for command in commands)
    outside = [sys._base_executable, *commands[0][1:]]
    refused = subprocess.run([*outside, "--dry-run"], capture_output=True, text=True)
    assert refused.returncode
    if "No module named pip" not in refused.stderr:
        assert "no whole environment" in installing.why_pip_failed(refused.stderr).what


def test_settings_are_kept_but_those_that_lead_elsewhere():
    listing = "\n".join(
        [
            ":env:.proxy='http://env'",
            "global.index-url='https://index.example/simple'",
            r"global.extra-index-url='\nfile:///a\nfile:///b'",
            "install.index_url='https://other.example/simple'",
            "download.timeout='9'",
            *(f"install.{name}='x'" for name in ("target", "prefix", "root", "user", "dry_run", "python")),
        ]
    )
    assert installing.settings(listing) == {
        "PIP_INDEX_URL": "https://other.example/simple",  # [install] comes after [global]
        "PIP_EXTRA_INDEX_URL": "\nfile:///a\nfile:///b",
    }


def test_an_unreadable_settings_file_is_named(tmp_path, monkeypatch):
    (tmp_path / "pip.conf").write_text("this is no settings file\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    with pytest.raises(Problem, match="pip cannot read its settings"):
        installing.pip_variables(installing.sys.executable)


# -- the index without GPU libraries ---------------------------------------------------------------


@contextmanager
def served(folder, delay: float = 0):
    """A folder as a package index on 127.0.0.1; its address."""

    class Slow(http.server.SimpleHTTPRequestHandler):
        def do_GET(self):
            time.sleep(delay)
            with suppress(BrokenPipeError):  # whoever asked did not wait
                super().do_GET()

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Slow, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def indexes(tmp_path, monkeypatch):
    """Two local indexes, /usual and /cpu, on a machine without a driver; both have tinything 1.0."""
    tiny_wheel(tmp_path / "served/usual/tinything", "tinything", "1.0")
    tiny_wheel(tmp_path / "served/cpu/tinything", "tinything", "1.0+cpu")
    tiny_wheel(tmp_path / "served/cpu/torch", "torch", "1.0+cpu")
    (tmp_path / "requirements.txt").write_text("tinything==1.0\n")
    monkeypatch.setattr(installing, "no_nvidia", lambda: True)
    for name in ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_INDEX_URL", "PIP_NO_INDEX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    with served(tmp_path / "served") as address:
        monkeypatch.setattr(installing, "CPU_INDEX", f"{address}/cpu")
        yield address


def installed(tmp_path, monkeypatch, address) -> str:
    """The version that an installation without the person's choice of an index gives."""
    python = quick_venv(tmp_path)
    monkeypatch.setenv("PIP_INDEX_URL", f"{address}/usual")  # stands for the usual index ...
    monkeypatch.setattr(installing, "chose_an_index", lambda variables: False)  # ... that nobody chose
    with open(tmp_path / "lock", "w") as lock:
        installing.install(python, tmp_path / "requirements.txt", None, lock.fileno())
    asked = "import importlib.metadata as m; print(m.version('tinything'))"
    return subprocess.check_output([str(python), "-I", "-c", asked], text=True).strip()


def test_without_a_gpu_torch_comes_from_the_cpu_index(indexes, tmp_path, monkeypatch, capsys):
    assert installed(tmp_path, monkeypatch, indexes) == "1.0+cpu"  # pip holds it to be the higher one
    said = [line for line in capsys.readouterr().out.splitlines() if "NVIDIA" in line]
    assert len(said) == 1 and "CPU index" in said[0] and "PIP_EXTRA_INDEX_URL" in said[0]


def test_a_cpu_index_that_fails_later_is_left_alone(indexes, tmp_path, monkeypatch, capsys):
    wheel = next((tmp_path / "served/cpu/tinything").iterdir())
    wheel.write_bytes(b"half a wheel")
    assert installed(tmp_path, monkeypatch, indexes) == "1.0"
    assert "now the usual way" in capsys.readouterr().out


def test_a_slow_or_silent_index_costs_three_seconds_at_most(indexes, tmp_path, monkeypatch):
    assert installing.SECONDS == 3
    assert installing.answers(installing.CPU_INDEX, {})
    assert not installing.answers(f"{indexes}/nothing", {})
    assert not installing.answers("http://127.0.0.1:9", {})
    assert not installing.answers("https://127.0.0.1:9", {"PIP_CERT": str(tmp_path / "none.pem")})
    monkeypatch.setattr(installing, "SECONDS", 0.5)  # to see the limit, any number will do
    with served(tmp_path, delay=3) as slow:
        start = time.monotonic()
        assert not installing.answers(slow, {})
        assert 0.5 <= time.monotonic() - start < 2.5


@pytest.mark.parametrize(
    ("variables", "chosen"),
    [
        ({}, False),
        ({"PIP_EXTRA_INDEX_URL": ""}, True),
        ({"PIP_EXTRA_INDEX_URL": "x"}, True),
        ({"PIP_INDEX_URL": "x"}, True),
    ],
)
def test_a_choice_is_respected(variables, chosen):
    assert installing.chose_an_index(variables) is chosen


def test_a_driver_is_seen(monkeypatch):
    monkeypatch.setattr(installing.sys, "platform", "linux")
    monkeypatch.setattr(installing.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(installing.Path, "exists", lambda self: False)
    monkeypatch.setattr(installing.shutil, "which", lambda name: None)
    assert installing.no_nvidia()
    monkeypatch.setattr(installing.Path, "exists", lambda self: "nvidia" in str(self))
    assert not installing.no_nvidia()
    monkeypatch.setattr(installing.Path, "exists", lambda self: False)
    monkeypatch.setattr(installing.shutil, "which", lambda name: f"/usr/bin/{name}")
    assert not installing.no_nvidia()
    monkeypatch.setattr(installing.shutil, "which", lambda name: None)
    monkeypatch.setattr(installing.sys, "platform", "darwin")
    assert not installing.no_nvidia()
