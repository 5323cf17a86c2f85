"""Every stored page keeps the promises of a page (course_lib/tools/guards.py). Nothing is run here."""

import pytest

from course_lib.tools import guards, pages

PAGES = pages.originals()


@pytest.mark.skipif(not PAGES, reason="there are no pages in notebooks/ yet")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_keeps_its_promises(page):
    faults = guards.faults(page)
    assert not faults, f"{page.name}:\n  " + "\n  ".join(faults)


def test_the_pages_are_numbered_without_a_gap():
    assert [page.name[:2] for page in PAGES] == [f"{n:02}" for n in range(len(PAGES))]
