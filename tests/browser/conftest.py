"""One JupyterLab and one Chromium for all browser tests; each test opens its own window."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from lab import CHROMIUM_OPTIONS, Lab, Page

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
def lab(tmp_path_factory):
    lab = Lab(tmp_path_factory.mktemp("lab"))
    yield lab
    lab.stop()


@pytest.fixture
def open_page(lab, browser):
    """`open_page(name, dark=False)`; afterwards: no request to another machine, no console error."""
    pages = []

    def open_page(name: str, dark: bool = False) -> Page:
        pages.append(Page(lab, browser, name, dark))
        return pages[-1]

    yield open_page
    for page in pages:
        page.close()
        assert page.outside == [], "requests to other machines"
        assert page.errors == [], "console errors"


@pytest.fixture
def show(capsys):
    """Print a line that pytest does not swallow: measured times, which never fail a test."""

    def show(line: str) -> None:
        with capsys.disabled():  # the standard output of pytest-xdist's workers goes nowhere
            print(f"\n    {line}", end="", file=sys.stderr if "PYTEST_XDIST_WORKER" in os.environ else None)

    return show
