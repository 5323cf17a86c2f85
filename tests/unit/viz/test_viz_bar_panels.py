"""Small multiples of bars."""

from itertools import pairwise

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from course_lib.viz.bar_panels import bar_panels

TWO = {"right": {"base": 0.0, "sft": 0.9}, "gap": {"base": 0.03, "sft": 0.04}}


def test_each_number_is_in_the_picture_and_its_alt_text():
    still = bar_panels(TWO, title="What changed")
    assert "right: base 0.00, sft 0.90; gap: base 0.03, sft 0.04." in still.alt
    shown, small = still.axes
    assert [bar.get_height() for bar in shown.patches] == [0.0, 0.9]
    assert shown.get_ylim()[1] == pytest.approx(1.2) and small.get_ylim()[1] == pytest.approx(0.048)


def test_names_that_would_touch_are_broken_into_lines():
    for systems, lines in ((("no model", "this page", "shipped"), 2), (("sft", "dpo", "grpo"), 1)):
        still = bar_panels({name: dict.fromkeys(systems, 0.5) for name in "abcd"}, title="t")
        canvas = FigureCanvasAgg(still)
        canvas.draw()
        names = still.axes[0].get_xticklabels()
        assert max(name.get_text().count("\n") + 1 for name in names) == lines
        boxes = [name.get_window_extent(canvas.get_renderer()) for name in names]
        assert all(left.x1 < right.x0 for left, right in pairwise(boxes)), systems


def test_panels_with_nothing_in_them_are_drawn():
    assert bar_panels({"right": {"base": 0.0}}, title="none").axes[0].get_ylim()[1] > 0


@pytest.mark.parametrize(
    ("panels", "said"),
    [
        ({}, "panels"),
        ({"a": {"x": 1.0}, "b": {"y": 1.0}}, "expected \\['x'\\]"),
        ({"a": {"x": float("nan")}}, "finite"),
        ({"a": {"x": -1.0}}, "0 or more"),
    ],
)
def test_what_is_refused(panels, said):
    with pytest.raises(ValueError, match=said):
        bar_panels(panels, title="no")
