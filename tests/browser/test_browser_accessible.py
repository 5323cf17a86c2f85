"""axe-core finds nothing serious or critical in what our pages show: stills, cards, live views; light, dark.

It looks at the outputs only: JupyterLab's own frame is JupyterLab's.
"""

import importlib.metadata
import json
import shutil

import pytest
from test_browser_next_day import CELLS, START

from course_lib import widgets
from course_lib.tools import pages

FILES = importlib.metadata.files("axe-playwright-python")
AXE = next(file for file in FILES if file.name == "axe.min.js").read_text(encoding="utf-8")
RUN = """async () => {
  const found = await axe.run(
    { include: [['.jp-OutputArea-output']] },
    { resultTypes: ['violations', 'incomplete'] },
  );
  const looked = found.passes.some(({ id }) => id === 'color-contrast');
  if (!looked) return ['no contrast was looked at'];
  if (found.incomplete.some(({ id }) => id === 'frame-tested')) return ['a frame was not looked at'];
  const grave = found.violations.filter(({ impact }) => ['serious', 'critical'].includes(impact));
  return grave.map(({ id, impact, help, nodes }) => {
    const where = nodes.slice(0, 4).map(({ html, target, failureSummary }) => [
      `    ${target.flat().at(-1)}  ${html.slice(0, 160)}`, ...failureSummary.split('\\n').slice(1, 3),
    ]);
    return [`${impact}: ${id}: ${help} (${nodes.length} times)`, ...where.flat()].join('\\n');
  });
}"""
# axe-core passes over text that lies outside of a scrolled box: here nothing is cut off while it looks, and
# what then stands outside of the notebook's own box keeps the notebook's background
WHOLE = """() => {
  const boxes = 'body, .jp-LabShell, .jp-WindowedPanel-outer, .jp-OutputArea, .jp-OutputArea-child, ';
  for (const box of document.querySelectorAll(boxes + '.jp-OutputArea-output')) {
    Object.assign(box.style, { overflow: 'visible', contain: 'none' });
  }
  for (const cells of document.querySelectorAll('.jp-WindowedPanel-viewport')) {
    cells.style.background = 'var(--jp-layout-color0)';
  }
}"""
IDS = "[...document.querySelectorAll('.jp-OutputArea-output [id]')].map((node) => node.id)"
PAGES = pages.originals()


def violations(page) -> str:
    """What axe-core finds in the outputs, frames of bertviz included; "" for nothing."""
    page.window.evaluate(WHOLE)
    for frame in page.window.frames:
        frame.evaluate(f"() => {{ {AXE}\n }}")
    return "\n".join(page.window.evaluate(RUN))


def nothing_in_light_and_dark(page) -> None:
    found = {}
    for dark in (False, True):
        page.theme(dark)
        page.window.wait_for_timeout(300)
        found["dark" if dark else "light"] = violations(page)
    assert not any(found.values()), json.dumps(found, indent=1, ensure_ascii=False).replace("\\n", "\n")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_a_stored_page(lab, open_page, path):
    shutil.copy(path, lab.folder / path.name)
    page = open_page(path.name)
    page.window.locator(".jp-OutputArea-output img").first.wait_for()
    nothing_in_light_and_dark(page)


def test_every_live_view_even_twice(lab, open_page):
    """Twice on one page: nothing that one view names may be found in the other."""
    ours = [
        cell for name, cell in CELLS.items() if name not in ("slider", "interact")
    ]  # those are ipywidgets'
    page = open_page(lab.write("accessible.ipynb", [START, *ours, *ours]))
    page.run_all(180)
    page.window.locator(".course-view").nth(2 * (len(widgets.__all__) + 1) - 1).wait_for()
    for frame in page.window.frames[1:]:
        frame.wait_for_selector("#vis svg", state="attached")
    ids = page.window.evaluate(IDS)
    assert len(ids) == len(set(ids)) > 50, sorted({one for one in ids if ids.count(one) > 1})[:10]
    nothing_in_light_and_dark(page)
