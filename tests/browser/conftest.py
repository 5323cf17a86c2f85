"""One JupyterLab and one Chromium for all browser tests, and one window in which each test opens its page."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from lab import CHROMIUM_OPTIONS, KERNELS, ROOT, Lab, Page, new_window

from course_lib.tools.chromium import find_chromium

CHROMIUM = find_chromium()
WITHOUT = "browser tests need Chromium or Chrome: install one, or set CHROMIUM_PATH to its program"


def pytest_collection_modifyitems(config, items):
    """Without a browser there is one clear line, not one for each test."""
    mine = [item for item in items if Path(__file__).parent in Path(item.fspath).parents]
    if CHROMIUM is None and mine:
        items[:] = [item for item in items if item not in mine[:-1]]
        mine[-1].add_marker(pytest.mark.skip(reason=WITHOUT))


@pytest.fixture(scope="session")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_OPTIONS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def kernels(tmp_path_factory):
    """The address of the process of which kernels are forked; None where that cannot be."""
    address = str(tmp_path_factory.mktemp("k") / "k")
    if sys.platform != "linux" or len(address) > 100:  # the system takes 107 letters
        yield None
        return
    command = [sys.executable, str(KERNELS), "serve", address]
    variables = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, env=variables, stdin=subprocess.PIPE):  # ends with us, whatever ends us
        yield address


@pytest.fixture(scope="session")
def lab(tmp_path_factory, kernels):
    lab = Lab(tmp_path_factory.mktemp("lab"), kernels)
    yield lab
    lab.stop()


PAGES_EACH = 8  # pages opened in one window: JupyterLab slows down with those that it has closed


@pytest.fixture(scope="session")
def windows():
    """The window that stays open, once for each page that was opened in it."""
    return []


@pytest.fixture
def open_page(lab, browser, windows, request):
    """`open_page(name, dark=False, own=False)`; afterwards: no request elsewhere, no console error.

    The page stands in the window in which the last test's page stood; `own`, and each further page of a test,
    in a new one. After a test that failed nobody goes on in its window.
    """
    pages, failed = [], request.session.testsfailed

    def open_page(name: str, dark: bool = False, own: bool = False) -> Page:
        own = own or bool(pages)
        if not own:
            windows.append(windows[0] if windows else new_window(browser))
        pages.append(Page(lab, browser, name, dark, None if own else windows[0]))
        return pages[-1]

    yield open_page
    try:
        for page in pages:
            page.close()
            assert page.outside == [], "requests to other machines"
            assert page.errors == [], "console errors"
        sound = request.session.testsfailed == failed and not (windows and windows[0].is_closed())
    except BaseException:
        sound = False
        raise
    finally:
        if windows and (len(windows) == PAGES_EACH or not sound):
            windows[0].context.close()
            windows.clear()


@pytest.fixture
def show(capsys):
    """Print a line that pytest does not swallow: measured times, which never fail a test."""

    def show(line: str) -> None:
        with capsys.disabled():  # the standard output of pytest-xdist's workers goes nowhere
            print(f"\n    {line}", end="", file=sys.stderr if "PYTEST_XDIST_WORKER" in os.environ else None)

    return show
