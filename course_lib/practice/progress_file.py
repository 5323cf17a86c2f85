"""The learner's progress: one small JSON file, written so that nothing in it can get lost.

Every change is an *event* (a small dictionary). Writing means: take the lock, read the file, apply the
event, write a temporary file beside it, flush it to the disk, and put it in the old file's place in one
step. So a process killed at any moment leaves the old file or the new one, and two notebooks open at once
keep each other's entries.

Which file it is, is settled once a kernel: `%cd` in a page starts no second one. A file that is not ours is
moved aside and never overwritten. If the folder cannot be written, or is gone, events stay in memory and
are saved with the next one that can be.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock

from course_lib.files import sweep, write_whole

VERSION = 1

_waiting: dict[str, list[dict[str, Any]]] = {}  # events that could not be written yet, by file
_seen: dict[str, dict[str, Any]] = {}  # what each file held when it was last read or written
_one_at_a_time = threading.RLock()  # threads of one kernel share the list above
_told: set[tuple[str, str]] = set()  # (file, kind of trouble) that the learner has been told of


class _NewerVersion(Exception):
    """The file was written by a later edition of the course."""


def _first_folder() -> str:
    """Where this kernel (or process) was started, whatever `%cd` has been typed since."""
    notebook = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    try:
        start = notebook.user_ns["_dh"][0]  # IPython's list of folders begins with it
    except (AttributeError, KeyError, IndexError, TypeError):
        start = ""
    try:
        return os.path.realpath(start or os.getcwd())
    except OSError:  # the folder was deleted before the first import: the shell may know its name
        return os.environ.get("PWD") or os.sep


_folder = _first_folder()


def path() -> Path:
    """The progress file: the environment's COURSE_PROGRESS, or progress.json in the kernel's first folder."""
    return Path(os.path.realpath(os.path.join(_folder, os.environ.get("COURSE_PROGRESS") or "progress.json")))


def empty() -> dict[str, Any]:
    return {"version": VERSION, "exercises": {}, "predictions": {}}


def read() -> tuple[dict[str, Any], str | None]:
    """Return (progress, notice). The notice is one line for the learner, or None. Raises nothing."""
    file = path()
    notice = None
    try:
        with _one_at_a_time:
            _find_folder(file)
            with _lock(file):
                data, notice = _load(file)
            _seen[str(file)] = data
    except (OSError, _NewerVersion) as trouble:
        data, notice = _seen.get(str(file), empty()), _told_once(file, trouble)
    for event in tuple(_waiting.get(str(file), ())):
        data = apply(data, event)
    return data, notice


def record(event: dict[str, Any]) -> str | None:
    """Add one event to the file. Return one line for the learner if there was trouble. Raises nothing.

    Args:
        event: ``{"what": "attempt", "id": ..., "solved": bool}``, ``{"what": "hint", "id": ..., "level":
            int}``, ``{"what": "solution", "id": ...}`` or ``{"what": "prediction", "id": ..., "choice":
            int, "right": bool, "confidence": int | None}``.
    """
    file = path()
    event = {"at": datetime.now(UTC).isoformat(timespec="seconds"), **event}
    try:
        with _one_at_a_time:
            waiting = _waiting.setdefault(str(file), [])
            waiting.append(event)
            return _save(file, waiting)
    except (OSError, _NewerVersion) as trouble:
        return _told_once(file, trouble)


def _save(file: Path, waiting: list[dict[str, Any]]) -> str | None:
    """Write all waiting events into the file. Return a notice or None. Raises OSError, _NewerVersion."""
    _find_folder(file)
    with _lock(file) as locked:
        data, notice = _load(file)
        for one in waiting:
            data = apply(data, one)
        _write(file, data)
        _seen[str(file)] = data
        waiting.clear()
        if locked:
            sweep(file)
    return notice


def _find_folder(file: Path) -> None:
    """Make the folder that COURSE_PROGRESS names. The kernel's own is not made again where it was deleted."""
    if os.environ.get("COURSE_PROGRESS"):
        file.parent.mkdir(parents=True, exist_ok=True)
    elif not file.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "its folder is gone")


def apply(data: dict[str, Any], event: dict[str, Any]) -> dict[str, Any]:
    """Return ``data`` with ``event`` added. A pure function; unknown keys in ``data`` are kept.

    What is solved stays solved. The first answer to a prediction stands: it was the honest guess.
    """
    kind = "predictions" if event["what"] == "prediction" else "exercises"
    old = data[kind].get(event["id"], {})
    if event["what"] == "attempt":
        new = {
            **old,
            "attempts": old.get("attempts", 0) + 1,
            "solved": old.get("solved", False) or event["solved"],
        }
        new.setdefault("first_attempt", event.get("at"))
        if event["solved"]:
            new.setdefault("solved_at", event.get("at"))
    elif event["what"] == "hint":
        new = {**old, "hints": max(old.get("hints", 0), event["level"])}
    elif event["what"] == "solution":
        new = {**old, "solution_seen": True}
    elif event["what"] == "prediction":
        answer = {key: event.get(key) for key in ("choice", "right", "confidence", "at")}
        new = old or answer
    else:
        raise ValueError(
            f"event['what'] is {event['what']!r}; expected attempt, hint, solution or prediction"
        )
    return {**data, kind: {**data[kind], event["id"]: new}}


def attempts(data: dict[str, Any], exercise_id: str) -> int:
    return data["exercises"].get(exercise_id, {}).get("attempts", 0)


# --- reading ----------------------------------------------------------------------------------------------


def _load(file: Path) -> tuple[dict[str, Any], str | None]:
    """Read the file; set it aside if it is not a progress file. Raises OSError, _NewerVersion."""
    try:
        raw = file.read_bytes()
    except FileNotFoundError:
        return empty(), None
    try:
        data = json.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError):
        data = None
    if isinstance(data, dict) and type(data.get("version")) is int and data["version"] > VERSION:
        raise _NewerVersion
    if _is_progress(data):
        return data, None
    aside = _set_aside(file)
    return empty(), (
        f"{file.name} could not be read as a progress file. It was kept as {aside.name}, and a new one "
        "was started."
    )


def _is_progress(data: Any) -> bool:
    """True if ``data`` has the form that this module writes, so that nothing below can stumble over it."""
    if not isinstance(data, dict) or data.get("version") != VERSION:
        return False
    types = {
        "attempts": int,
        "solved": bool,
        "hints": int,
        "solution_seen": bool,
        "right": bool,
        "choice": int,
    }
    for kind in ("exercises", "predictions"):
        entries = data.get(kind)
        if not isinstance(entries, dict):
            return False
        for entry in entries.values():
            if not isinstance(entry, dict):
                return False
            if any(key in entry and type(entry[key]) is not kind_ for key, kind_ in types.items()):
                return False
    return True


def _set_aside(file: Path) -> Path:
    """Move the file to progress.broken-N.json, N the first free number."""
    number = 1
    while (aside := file.with_name(f"{file.stem}.broken-{number}{file.suffix}")).exists():
        number += 1
    os.rename(file, aside)
    return aside


# --- writing ----------------------------------------------------------------------------------------------


def _write(file: Path, data: dict[str, Any]) -> None:
    """Replace the file in one step. At every moment the old or the new content is there, whole."""
    text = json.dumps(data, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    write_whole(file, text.encode("utf-8"))


@contextlib.contextmanager
def _lock(file: Path, patience: float = 3.0) -> Iterator[bool]:
    """Hold the lock beside ``file``; the system frees it when a process dies. Yields True if it is held.

    Where locks do not work (some network folders), or nobody gives it up for ``patience`` seconds, go on
    without: writing stays atomic, and a lesson must not hang.
    """
    lock = FileLock(file.with_name(f".{file.name}.lock"), timeout=patience)
    try:
        lock.acquire(poll_interval=0.01)
    except (OSError, NotImplementedError):  # filelock's Timeout is an OSError, too
        held = False
    else:
        held = True
    try:
        yield held
    finally:
        with contextlib.suppress(OSError):  # the end of the process frees it too
            lock.release()


# --- telling ----------------------------------------------------------------------------------------------


def _told_once(file: Path, trouble: Exception) -> str | None:
    kind = type(trouble).__name__
    if (str(file), kind) in _told:
        return None
    _told.add((str(file), kind))
    if isinstance(trouble, _NewerVersion):
        return f"{file.name} was written by a newer edition of the course and is left alone. Go on working."
    reason = getattr(trouble, "strerror", None) or str(trouble)
    return f"Progress cannot be saved in {file} ({reason}). Go on working: this kernel remembers it."
