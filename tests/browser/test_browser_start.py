"""From `lab` to the first live view, as a newcomer does it: the command, its address, Shift + Enter.

It starts the real command on a copy of the course, so that nobody's my_course/ is touched. The seconds are
printed. They fail the test only where they mean something: on a fast machine that has nothing else to do.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import psutil
import pytest
from lab import ROOT

WANTED = 10.0  # seconds from the command to the first live view, on a warm machine
PATIENCE = 120.0  # seconds after which it is not slow but broken
FAST = 1.6  # seconds that `import torch` may take on a machine that is held to WANTED
BUSY = 25  # per cent of the processors that other programs may use, for the same
PAGE = "00_start_here.ipynb"
OWN = re.compile(r"(https?|ws)://127\.0\.0\.1:|data:|blob:|about:")  # requests that stay on this machine
PARTS = ("course_lib", "notebooks", "assets/checkpoints", "requirements.txt", "pyproject.toml")
ERROR = '[data-mime-type="application/vnd.jupyter.error"], [data-mime-type="application/vnd.jupyter.stderr"]'


@pytest.fixture
def course(tmp_path) -> Path:
    """A copy of the course that a learner could have, compiled as after a first start."""
    root = tmp_path / "course"
    for part in PARTS:
        source, target = ROOT / part, root / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(
                source, target, ignore=shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints")
            )
        else:
            shutil.copy(source, target)
    subprocess.run([sys.executable, "-m", "compileall", "-q", str(root / "course_lib")], check=True)
    return root


def variables(root: Path) -> dict[str, str]:
    """The environment of a learner's terminal: no settings of this machine, no hub."""
    own = root.parent / "own"
    left_out = {
        "PYTHONPATH",
        "COURSE_PROGRESS",
        "COURSE_FAST",
        "JUPYTERHUB_SERVICE_PREFIX",
        "COLAB_RELEASE_TAG",
    }
    return {
        **{key: value for key, value in os.environ.items() if key not in left_out},
        "JUPYTER_CONFIG_DIR": str(own / "config"),
        "JUPYTER_RUNTIME_DIR": str(own / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(own / "settings"),
        "IPYTHONDIR": str(own / "ipython"),
    }


def start(root: Path) -> tuple[subprocess.Popen, str]:
    """Run the README's command; the process and the address that it prints."""
    log = root.parent / "lab.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "course_lib", "lab", "--no-browser"],
            cwd=root,
            env=variables(root),
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        said = log.read_text(encoding="utf-8", errors="replace")
        if found := re.search(r"http://127\.0\.0\.1:\d+/\S+token=\S+\n", said):
            return process, found.group().strip()
        time.sleep(0.02)
    stop(process)
    raise AssertionError(f"`lab` gave no address; it said:\n{log.read_text(errors='replace')}")


def stop(process: subprocess.Popen) -> None:
    """End the server; it takes its kernels with it."""
    process.terminate()
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def first_live_cell(page: Path) -> int:
    """The place, from 1, of the first cell tagged `live`."""
    cells = nbformat.read(page, as_version=4).cells
    return next(place for place, cell in enumerate(cells, 1) if "live" in cell.metadata.get("tags", []))


def first_live_view(root: Path, context) -> dict[str, float]:
    """Seconds from the command to its address, to the open page, to the first live view."""
    cells = first_live_cell(root / "notebooks" / PAGE)
    begin = time.monotonic()
    passed = {}
    process, address = start(root)
    passed["address"] = time.monotonic() - begin
    outside = []
    window = context.new_page()
    window.set_default_timeout(PATIENCE * 1000)
    window.on("request", lambda request: None if OWN.match(request.url) else outside.append(request.url))
    try:
        window.goto(address, wait_until="commit")
        assert f"/my_course/{PAGE}" in window.url
        window.get_by_text(re.compile(r"\| Idle$")).wait_for()  # status bar: the kernel is connected
        passed["page"] = time.monotonic() - begin
        window.locator(".jp-Notebook .jp-Cell").first.click()
        for _ in range(cells):
            window.keyboard.press("Shift+Enter")
        window.wait_for_selector(f".course-view .token-of, {ERROR}")
        passed["live view"] = time.monotonic() - begin
        wrong = window.locator(ERROR)
        assert wrong.count() == 0, f"chapter 00 stopped with: {wrong.first.inner_text()}"
        assert window.locator(".course-view").first.is_visible()
        assert outside == [], "requests to other machines"
        said = (root.parent / "lab.log").read_text(encoding="utf-8", errors="replace").rstrip()
        assert said.endswith("To stop: Ctrl-C here, twice."), "the address is the last that the terminal says"
    finally:
        window.close()
        stop(process)
    return passed


def pace() -> float:
    """Seconds that a new Python takes to import torch, once its files are in memory."""
    command = [sys.executable, "-c", "import torch"]
    for _ in range(2):
        begin = time.monotonic()
        subprocess.run(command, check=True)
    return time.monotonic() - begin


@pytest.mark.alone
@pytest.mark.skipif(not (ROOT / "notebooks" / PAGE).exists(), reason="chapter 00 is not written yet")
def test_first_live_view_comes_within_ten_seconds(course, browser, show):
    quick = pace() < FAST
    quiet = psutil.cpu_percent(interval=1) < BUSY
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    try:
        tries = [first_live_view(course, context)]
        if tries[0]["live view"] > WANTED and quick and quiet:
            tries.append(first_live_view(course, context))  # now every file is in memory
            quiet = psutil.cpu_percent(interval=1) < BUSY
    finally:
        context.close()
    best = min(tries, key=lambda passed: passed["live view"])
    show("from `lab` to " + ", ".join(f"the {name}: {seconds:.1f} s" for name, seconds in best.items()))
    if not (quick and quiet):
        show(f"(this machine is {'busy' if quick else 'slow'} now, so {WANTED:.0f} s are not demanded)")
    else:
        assert best["live view"] <= WANTED
