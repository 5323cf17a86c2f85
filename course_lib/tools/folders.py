"""Folders that Jupyter, IPython and matplotlib write to: in the home folder, or elsewhere when it cannot be.

A home folder may be read-only (a locked class room), full (a quota), or none at all (a service's user).
"""

import contextlib
import os
import tempfile
from pathlib import Path

from course_lib.tools import Problem


def can_write(folder: Path) -> bool:
    """Whether a file of one block can be written in `folder`, or where that folder would be made."""
    with contextlib.suppress(OSError):
        while not folder.exists():
            if folder.parent == folder:
                return False
            folder = folder.parent
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"\0" * 4096)
            file.flush()
            return True
    return False


def use_writable_folders(spare: Path) -> bool:
    """Let Jupyter, IPython and matplotlib write to `spare` where the home folder cannot be written to.

    Sets environment variables, for this process and the kernels; those that the person set stay when they
    can be written to. Returns whether anything had to be moved.
    """
    home = home_folder()
    usual = {
        "JUPYTERLAB_SETTINGS_DIR": jupyter_folder("jupyter_config_dir") / "lab" / "user-settings",
        "JUPYTER_DATA_DIR": jupyter_folder("jupyter_data_dir"),
        "JUPYTER_RUNTIME_DIR": jupyter_folder("jupyter_runtime_dir"),
        "IPYTHONDIR": home / ".ipython",
        "MPLCONFIGDIR": Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config") / "matplotlib",
    }
    moved = False
    for name, folder in usual.items():
        folder = Path(os.environ.get(name) or folder)
        if not can_write(folder):
            folder, moved = spare / name.lower(), True
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise Problem(
                    f"Jupyter has no folder to write to: neither the home folder {home} nor {spare} "
                    f"({error.strerror or error}).",
                    "free some space, or set HOME to a folder of your own, then type the same command again.",
                ) from None
            os.environ[name] = str(folder)
    return moved


def home_folder() -> Path:
    try:
        return Path.home()
    except RuntimeError:  # no HOME, and a user that the system does not know
        return Path(os.devnull)


def jupyter_folder(asked: str) -> Path:
    """One of jupyter_core's folders; where it finds no home at all, one that cannot be written to."""
    from jupyter_core import paths

    try:
        return Path(getattr(paths, asked)())
    except (RuntimeError, OSError):
        return home_folder() / ".jupyter"
