"""A still in JupyterLab: one picture in its right size, with its alt text, trusted or not."""

import nbformat
import numpy as np

from course_lib.viz import colours
from course_lib.viz.still import label
from course_lib.widgets.front import BROWSER

CELL = """
from course_lib.viz import attention
still = attention.heatmap([[0.7, 0.3], [0.1, 0.9]], ["le", 'say "x" <b>'], ["the", "red"], title="Looks")
still"""
PICTURE = ".jp-OutputArea-output img"


def check(page, alt: str) -> None:
    picture = page.window.locator(PICTURE)
    picture.first.wait_for()
    assert picture.count() == 1, "one picture, not the HTML and a bare PNG"
    assert picture.get_attribute("alt") == alt
    box = picture.bounding_box()
    whole = picture.evaluate("(image) => [image.naturalWidth, image.naturalHeight]")
    assert box["width"] > 100 and abs(box["width"] / box["height"] - whole[0] / whole[1]) < 0.02


def test_a_still_is_one_picture_with_its_alt_text(lab, open_page):
    page = open_page(lab.write("still.ipynb", [CELL]))
    page.run_all()
    alt = page.python("print(still.alt)")
    assert "“le” looks most at “the” (0.70)" in alt
    check(page, alt)
    page.window.set_viewport_size({"width": 500, "height": 900})
    check(page, alt)

    # the same outputs in a page that this machine has not made
    [output] = page.cells()[-1]["outputs"]
    name = lab.write("untrusted.ipynb", [CELL])
    notebook = nbformat.read(lab.folder / name, as_version=4)
    notebook.cells[0].outputs = [nbformat.from_dict(output)]
    nbformat.write(notebook, lab.folder / name)
    check(open_page(name), alt)


TONES = """
import numpy as np
from course_lib.widgets import AttentionView
weights = np.array([[0, .1, .2, .3, .4], [0, 0, 0, 0, 1], [.5, .5, 0, 0, 0]])
AttentionView(weights, list("abc"), list("vwxyz"))"""
CELLS = """() => {
  const canvas = document.querySelector('canvas.cells'), pen = canvas.getContext('2d');
  const cell = document.querySelector('.cell').getBoundingClientRect().width;
  const scale = canvas.width / (5 * (cell + 1));
  return [0, 1, 2].map((row) => [0, 1, 2, 3, 4].map((column) => [...pen.getImageData(
    (column * (cell + 1) + cell / 2) * scale, (row * (cell + 1) + 4) * scale, 1, 1).data].slice(0, 3)));
}"""


def test_a_live_weight_has_the_tone_of_the_still(lab, open_page):
    page = open_page(lab.write("tones.ipynb", [TONES]))
    page.run_all()
    page.window.locator(".course-view .cell").nth(14).wait_for()
    weights = np.array([[0, 0.1, 0.2, 0.3, 0.4], [0, 0, 0, 0, 1], [0.5, 0.5, 0, 0, 0]])
    expected = 255 * np.array([[colours.WEIGHTS(float(w))[:3] for w in row] for row in weights])
    np.testing.assert_allclose(np.array(page.window.evaluate(CELLS)), expected, atol=2.5)


TOKENS = [
    "ball",
    "a" * 18,
    "Donaudampfschifffahrt",
    "e\u0301" * 20,
    "👩\u200d🚀" * 9,
    "שלום" * 9,
    "$x^2$" * 7,
]


def test_the_browser_cuts_a_long_token_where_a_still_cuts_it(browser):
    """`labelOf` of controls.js, which the views use, and `label` of viz/still.py."""
    script = (BROWSER / "controls.js").read_text(encoding="utf-8")
    window = browser.new_page()
    cut = window.evaluate(f"(tokens) => {{ {script}\n return tokens.map(labelOf); }}", TOKENS)
    window.close()
    assert cut == [label(token) for token in TOKENS]
