"""The browser that the browser tests drive."""

import glob
import os
import shutil
from pathlib import Path


def find_chromium() -> str | None:
    """A Chromium, Chrome or Edge on this machine: CHROMIUM_PATH, the PATH, the usual places."""
    named = os.environ.get("CHROMIUM_PATH")
    if named:
        return named if Path(named).exists() else None
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge"):
        if found := shutil.which(name):
            return found
    cache = Path.home() / ".cache/ms-playwright"  # where Playwright keeps a browser of its own
    usual = [
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
        "/Applications/Chromium.app/Contents/MacOS/Chromium",
        *(
            str(Path(os.environ[base]) / program)
            for base in ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA")
            if base in os.environ
            for program in ("Google/Chrome/Application/chrome.exe", "Microsoft/Edge/Application/msedge.exe")
        ),
        *sorted(glob.glob(str(cache / "chromium-*/chrome-linux*/chrome")), reverse=True),
    ]
    return next((path for path in usual if Path(path).exists()), None)
