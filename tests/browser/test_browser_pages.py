"""Every page of the course, opened and run in JupyterLab with the network cut off."""

import shutil

import nbformat
import pytest
from lab import ROOT

PAGES = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("source", PAGES, ids=lambda source: source.stem)
def test_page_runs(lab, open_page, source, show):
    shutil.copy(source, lab.folder / source.name)
    cells = nbformat.read(source, as_version=4).cells
    live = [cell for cell in cells if "live" in cell.metadata.get("tags", [])]
    page = open_page(source.name)
    page.run_all(seconds=200)
    lost = page.window.locator("text=/Error displaying widget|Loading widget|model not found/").count()
    assert lost == 0, f"{lost} views did not come up"
    views = page.window.locator(".course-view").count()
    assert views >= len(live), f"{views} live views for {len(live)} cells tagged `live`"
    show(f"{source.name}: {len(page.cells())} code cells, {views} live views")
