"""The progress file: nothing that was saved gets lost, whatever happens to the process or to the file."""

import importlib.util
import json
import os
import random
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from filelock import Timeout

from course_lib.practice import desk, progress_file

ROOT = Path(progress_file.__file__).parents[2]
ATTEMPT = {"what": "attempt", "id": "01.scores", "solved": False}
SOLVED = {"what": "attempt", "id": "01.scores", "solved": True}


@pytest.fixture
def file(tmp_path, monkeypatch):
    path = tmp_path / "progress.json"
    monkeypatch.setenv("COURSE_PROGRESS", str(path))
    monkeypatch.setattr(progress_file, "_waiting", {})
    monkeypatch.setattr(progress_file, "_told", set())
    return path


def load(file):
    return json.loads(file.read_text(encoding="utf-8"))


def test_events_add_up(file):
    for event in (ATTEMPT, ATTEMPT, SOLVED, {"what": "hint", "id": "01.scores", "level": 2}):
        assert progress_file.record(event) is None
    data = load(file)
    assert data["version"] == 1
    entry = data["exercises"]["01.scores"]
    assert (entry["attempts"], entry["solved"], entry["hints"]) == (3, True, 2)
    assert entry["first_attempt"] <= entry["solved_at"]
    assert progress_file.read() == (data, None)


def test_solved_stays_solved(file):
    progress_file.record(SOLVED)
    progress_file.record(ATTEMPT)
    entry = load(file)["exercises"]["01.scores"]
    assert entry["solved"] and entry["attempts"] == 2


def test_a_fewer_hint_does_not_lower_the_count(file):
    progress_file.record({"what": "hint", "id": "01.scores", "level": 2})
    progress_file.record({"what": "hint", "id": "01.scores", "level": 1})
    assert load(file)["exercises"]["01.scores"]["hints"] == 2


def test_the_first_answer_stands(file):
    guess = {"what": "prediction", "id": "01.lag", "choice": 0, "right": False, "confidence": 2}
    progress_file.record(guess)
    progress_file.record({**guess, "choice": 3, "right": True})
    entry = load(file)["predictions"]["01.lag"]
    assert (entry["choice"], entry["right"], entry["confidence"]) == (0, False, 2)


def test_apply_is_pure_and_keeps_unknown_keys():
    data = {**progress_file.empty(), "teacher": "note"}
    before = json.dumps(data)
    after = progress_file.apply(data, ATTEMPT)
    assert json.dumps(data) == before
    assert after["teacher"] == "note"
    with pytest.raises(ValueError, match="expected attempt, hint, solution or prediction"):
        progress_file.apply(data, {"what": "other", "id": "x"})


def fresh():
    """The module as a new kernel imports it."""
    spec = importlib.util.spec_from_file_location("progress_file_of_a_new_kernel", progress_file.__file__)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """Two folders; a kernel is started in the first one, and the variable is not set."""
    monkeypatch.delenv("COURSE_PROGRESS", raising=False)
    folders = Path(os.path.realpath(tmp_path)) / "first", Path(os.path.realpath(tmp_path)) / "second"
    for folder in folders:
        folder.mkdir()
    monkeypatch.chdir(folders[0])
    return folders


def test_without_the_variable_it_is_the_kernels_folder_whatever_cd_says_later(folders, monkeypatch):
    first, second = folders
    kernel = fresh()
    assert kernel.path() == first / "progress.json"
    assert kernel.record(ATTEMPT) is None
    monkeypatch.chdir(second)
    assert kernel.attempts(kernel.read()[0], "01.scores") == 1
    assert kernel.record(ATTEMPT) is None
    assert load(first / "progress.json")["exercises"]["01.scores"]["attempts"] == 2
    assert list(second.iterdir()) == []
    assert fresh().path() == second / "progress.json"  # another kernel, which was started there


def test_the_variable_counts_too_after_cd(folders, monkeypatch):
    first, second = folders
    kernel = fresh()
    monkeypatch.chdir(second)
    monkeypatch.setenv("COURSE_PROGRESS", "mine/p.json")
    assert kernel.record(ATTEMPT) is None and load(first / "mine" / "p.json")
    monkeypatch.setenv("COURSE_PROGRESS", str(second / "p.json"))
    assert kernel.record(ATTEMPT) is None and load(second / "p.json")
    assert not (first / "progress.json").exists()


def test_cd_before_the_first_import_does_not_count_either(folders):
    first, second = folders
    code = f"""
import importlib.util
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance(history_length=0)
shell.history_manager.enabled = False
shell.run_line_magic("cd", "-q {second}")
spec = importlib.util.spec_from_file_location("progress_file", {progress_file.__file__!r})
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
print(module.path())
"""
    said = subprocess.run(
        [sys.executable, "-c", code],
        cwd=first,
        env={**os.environ, "IPYTHONDIR": str(second / "ipython"), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert said.stdout.splitlines()[-1:] == [str(first / "progress.json")], said.stderr


def test_a_folder_deleted_under_the_kernel_loses_no_count_and_is_not_made_again(folders, monkeypatch):
    first, _ = folders
    kernel = fresh()
    kernel.record(ATTEMPT)
    shutil.rmtree(first)
    data, notice = kernel.read()
    assert kernel.attempts(data, "01.scores") == 1 and "its folder is gone" in notice
    assert kernel.record(ATTEMPT) is None, "told once"
    assert kernel.attempts(kernel.read()[0], "01.scores") == 2
    assert not first.exists()
    first.mkdir()
    assert kernel.record(SOLVED) is None
    assert load(first / "progress.json")["exercises"]["01.scores"]["solved"]


def test_a_folder_deleted_before_the_first_import(folders, monkeypatch):
    first, _ = folders
    shutil.rmtree(first)
    monkeypatch.setenv("PWD", str(first))
    kernel = fresh()
    assert kernel.path() == first / "progress.json"
    assert "its folder is gone" in kernel.record(ATTEMPT)
    assert kernel.attempts(kernel.read()[0], "01.scores") == 1


def test_a_missing_folder_is_made(tmp_path, monkeypatch, file):
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "a" / "b" / "progress.json"))
    assert progress_file.record(ATTEMPT) is None
    assert load(tmp_path / "a" / "b" / "progress.json")["exercises"]


# --- files that are not ours ----------------------------------------------------------------------

FOREIGN = {
    "cut short": b'{"version": 1, "exerc',
    "empty": b"",
    "not text": b"\xff\xfe\x00\x80",
    "a list": b"[1, 2, 3]",
    "somebody else's": b'{"name": "my notes"}',
    "other types": b'{"version": 1, "exercises": [], "predictions": {}}',
    "wrong entry": b'{"version": 1, "exercises": {"01.scores": {"attempts": "many"}}, "predictions": {}}',
    "very deep": b"[" * 100_000,
}


@pytest.mark.parametrize("content", FOREIGN.values(), ids=FOREIGN.keys())
def test_a_broken_or_foreign_file_is_set_aside(file, content):
    file.write_bytes(content)
    notice = progress_file.record(ATTEMPT)
    assert "It was kept as progress.broken-1.json" in notice
    assert file.with_name("progress.broken-1.json").read_bytes() == content
    assert load(file)["exercises"]["01.scores"]["attempts"] == 1
    file.write_bytes(b"again")
    assert "progress.broken-2.json" in progress_file.read()[1]
    assert file.with_name("progress.broken-1.json").read_bytes() == content
    assert file.with_name("progress.broken-2.json").read_bytes() == b"again"


def test_a_newer_version_is_left_alone(file):
    content = '{"version": 2, "exercises": "another form"}'
    file.write_text(content)
    assert "newer edition" in progress_file.record(ATTEMPT)
    assert progress_file.record(ATTEMPT) is None, "told once"
    assert file.read_text() == content
    assert progress_file.attempts(progress_file.read()[0], "01.scores") == 2, "remembered in this kernel"


# --- folders that cannot be written ---------------------------------------------------------------


def test_no_room_to_write_is_told_once_and_made_up_later(file, monkeypatch, capsys):
    progress_file.record(ATTEMPT)

    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(progress_file, "write_whole", refuse)
        desk.check("01.scores", lambda s, h, W_a, U_a, v_a: s)
        desk.check("01.scores", lambda s, h, W_a, U_a, v_a: s)
        shown = capsys.readouterr().out
        assert shown.count("Progress cannot be saved in") == 1
        assert "(Permission denied). Go on working" in shown
        assert desk.attempts("01.scores") == 3
        assert load(file)["exercises"]["01.scores"]["attempts"] == 1
    progress_file.record(ATTEMPT)
    assert load(file)["exercises"]["01.scores"]["attempts"] == 4


def test_a_path_that_cannot_be_a_file(file, tmp_path, monkeypatch):
    (tmp_path / "wall").write_text("a file where a folder should be")
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "wall" / "progress.json"))
    assert "Progress cannot be saved" in progress_file.record(ATTEMPT)
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path))
    assert "Progress cannot be saved" in progress_file.record(ATTEMPT)
    data, notice = progress_file.read()
    assert notice is None and progress_file.attempts(data, "01.scores") == 1


def test_a_full_disk_keeps_the_old_file(file, monkeypatch):
    progress_file.record(ATTEMPT)
    before = file.read_bytes()

    def full(_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(progress_file.os, "fsync", full)
        assert "No space left on device" in progress_file.record(ATTEMPT)
    assert file.read_bytes() == before
    assert not list(file.parent.glob(".*.part")), "no half file is left behind"


@pytest.mark.parametrize(
    "trouble", [OSError(95, "Operation not supported"), NotImplementedError("no flock here"), None]
)
def test_without_locks_it_still_writes(file, monkeypatch, trouble):
    def no_locks(*args, **kwargs):
        raise trouble or Timeout("the lock")

    monkeypatch.setattr(progress_file.FileLock, "acquire", no_locks)
    assert progress_file.record(ATTEMPT) is None
    assert load(file)["exercises"]["01.scores"]["attempts"] == 1


def test_a_lock_that_is_never_given_up_does_not_hang_the_page(file):
    with progress_file._lock(file) as first:
        assert first
        started = time.monotonic()
        with progress_file._lock(file, patience=0.1) as second:
            assert not second
        assert time.monotonic() - started < 1
    with progress_file._lock(file, patience=0.1) as third:
        assert third


# --- kill -9, and two notebooks at once -----------------------------------------------------------

WRITER = """
import importlib.util
import sys
spec = importlib.util.spec_from_file_location("progress_file", sys.argv[1])
progress_file = importlib.util.module_from_spec(spec)
spec.loader.exec_module(progress_file)
for number in range(int(sys.argv[2])):
    notice = progress_file.record({"what": "attempt", "id": sys.argv[3], "solved": number == 5})
    assert notice is None, notice
    sys.stdout.write(".")
    sys.stdout.flush()
"""


def start_writer(file, count, id="01.scores"):
    """A process that writes ``count`` events and says one dot for each that is saved. It imports no torch."""
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, progress_file.__file__, str(count), id],
        stdout=subprocess.PIPE,
        env={**os.environ, "COURSE_PROGRESS": str(file)},
    )


def test_a_kill_at_any_moment_loses_nothing(file):
    chance = random.Random(0)
    saved = 0
    for _ in range(12):
        process = start_writer(file, 1_000_000)
        first = process.stdout.read(1)
        time.sleep(chance.uniform(0, 0.05))
        process.kill()
        acknowledged = len(first + process.stdout.read())
        process.stdout.close()
        process.wait()
        saved += acknowledged
        attempts = load(file)["exercises"]["01.scores"]["attempts"]
        assert saved <= attempts <= saved + 1, "everything acknowledged is there, and the file is whole"
        saved = attempts
    assert progress_file.record(ATTEMPT) is None
    assert not list(file.parent.glob(".*.part")), "what killed processes left is swept up"
    assert not list(file.parent.glob("*broken*"))


def test_two_notebooks_keep_each_others_entries(file):
    processes = [start_writer(file, 40, id) for id in ("01.scores", "01.context", "01.scores")]
    for process in processes:
        process.stdout.read()
        process.stdout.close()
        assert process.wait() == 0
    entries = load(file)["exercises"]
    assert entries["01.scores"]["attempts"] == 80
    assert entries["01.context"]["attempts"] == 40
    assert entries["01.context"]["solved"]


def test_threads_keep_each_others_entries(file):
    threads = [
        threading.Thread(target=lambda: [progress_file.record(ATTEMPT) for _ in range(10)]) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert load(file)["exercises"]["01.scores"]["attempts"] == 40
