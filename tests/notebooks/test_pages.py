"""Every stored page keeps the promises of a page (course_lib/tools/guards.py). Nothing is run here."""

import re

import nbformat
import pytest

from course_lib.tools import guards, pages

PAGES = pages.originals()


@pytest.mark.skipif(not PAGES, reason="there are no pages in notebooks/ yet")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_keeps_its_promises(page):
    faults = guards.faults(page)
    assert not faults, f"{page.name}:\n  " + "\n  ".join(faults)


@pytest.mark.skipif(not PAGES, reason="there are no pages in notebooks/ yet")
@pytest.mark.parametrize("template", ["lab", "classic"])  # `lab` is nbconvert's default
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_rendered_without_anything_live_each_picture_has_its_alt_text(page, template):
    """As GitHub or an e-mail would show it: no scripts, only the stored stills, each with its own words."""
    from nbconvert import HTMLExporter

    html, _ = HTMLExporter(template_name=template).from_filename(str(page))
    pictures = [tag for tag in re.findall(r"<img[^>]*>", html) if "data:image/png" in tag]
    stored = [
        output
        for cell in nbformat.read(page, as_version=4).cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if "data:image/png" in output.get("data", {}).get("text/html", "")
    ]
    assert len(pictures) == len(stored) > 0
    for tag in pictures:
        alt = re.search(r'alt="([^"]*)"', tag)
        assert alt and len(alt.group(1).split()) >= 5, f"no useful alt text: {tag[-200:]}"
    assert "application/vnd.jupyter.widget-view" not in html
