"""Every page in JupyterLab, with the network cut off: axe-core looks at it as stored, then it runs."""

import shutil

import nbformat
import pytest
from lab import ROOT
from test_browser_accessible import in_light_and_dark

VIEW = ".course-view, .course-bertviz iframe"
LIVE_CELLS_WITHOUT_A_VIEW = f"""() => jupyterapp.shell.currentWidget.content.widgets
  .filter((cell) => (cell.model.getMetadata('tags') ?? []).includes('live'))
  .filter((cell) => cell.model.type === 'code' && !cell.node.querySelector('{VIEW}'))
  .map((cell) => cell.model.sharedModel.getSource().slice(0, 80))"""

PAGES = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("source", PAGES, ids=lambda source: source.stem)
def test_a_page_as_stored_and_run(lab, open_page, source, show):
    shutil.copy(source, lab.folder / source.name)
    cells = nbformat.read(source, as_version=4).cells
    live = [cell for cell in cells if "live" in cell.metadata.get("tags", [])]
    page = open_page(source.name)  # once, for both: to open so long a page costs seconds
    page.window.locator(".jp-OutputArea-output img").first.wait_for()
    found = in_light_and_dark(page)
    page.theme(dark=False)
    page.run_all(seconds=200)
    lost = page.window.locator("text=/Error displaying widget|Loading widget|model not found/").count()
    assert lost == 0, f"{lost} views did not come up"
    still_only = page.window.evaluate(LIVE_CELLS_WITHOUT_A_VIEW)
    assert not still_only, f"cells tagged `live` without a live view: {still_only}"
    views = page.window.locator(f":is({VIEW})").count()
    assert not found, found
    show(
        f"{source.name}: {len(page.cells())} code cells, {len(live)} live, {views} live views with questions"
    )
