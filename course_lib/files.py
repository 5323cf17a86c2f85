"""Writing files that are whole or not there at all.

Standard library only: it serves before anything is installed.
"""

import contextlib
import os
import time
from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """Put `content` at `path` in one step: a crash leaves the old file or the new one.

    The bytes go to a temporary file beside it (`.NAME.PID.part`), are pushed to the disk, and take the
    name in one move.

    Args:
        path: the file to make or replace; its folder is made when missing.
        content: all of the new file.

    Raises:
        OSError: disk full, no permission; the old file is untouched and nothing half-written stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with open(part, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        _replace(part, path)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise
    if hasattr(os, "O_DIRECTORY"):  # the new name reaches the disk too
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            with contextlib.suppress(OSError):
                os.fsync(folder)
        finally:
            os.close(folder)


def _replace(part: Path, path: Path) -> None:
    for _ in range(20):
        try:
            return os.replace(part, path)
        except PermissionError:  # Windows: somebody has the file open for a moment
            if os.name != "nt":
                raise
            time.sleep(0.05)
    return os.replace(part, path)


def sweep(path: Path) -> None:
    """Remove what killed writers of `path` left behind: only when nobody else can be writing."""
    for left in path.parent.glob(f".{path.name}.*.part"):
        with contextlib.suppress(OSError):
            left.unlink()
