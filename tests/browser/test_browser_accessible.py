"""axe-core finds nothing serious or critical in our live views, light and dark.

The stored pages, with their stills and cards, are looked at in test_browser_pages.py.

It looks at the outputs only: JupyterLab's own frame is JupyterLab's.
"""

import importlib.metadata
import json

from test_browser_next_day import CELLS, START

from course_lib import widgets

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


def violations(page) -> str:
    """What axe-core finds in the outputs, frames of bertviz included; "" for nothing."""
    page.window.evaluate(WHOLE)
    for frame in page.window.frames:
        frame.evaluate(f"() => {{ {AXE}\n }}")
    return "\n".join(page.window.evaluate(RUN))


def in_light_and_dark(page) -> str:
    """What axe-core finds in either theme; "" for nothing. The page is dark afterwards."""
    found = {}
    for dark in (False, True):
        page.theme(dark)
        page.window.wait_for_timeout(300)
        found["dark" if dark else "light"] = violations(page)
    if not any(found.values()):
        return ""
    return json.dumps(found, indent=1, ensure_ascii=False).replace("\\n", "\n")


def nothing_in_light_and_dark(page) -> None:
    found = in_light_and_dark(page)
    assert not found, found


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
