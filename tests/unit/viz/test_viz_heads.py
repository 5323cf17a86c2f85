"""Pictures of heads: what is drawn, what is marked, alt text, the same bytes twice."""

import matplotlib.text
import pytest
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.patches import FancyArrowPatch, Rectangle

from course_lib.viz.diagrams import directions, heads
from course_lib.viz.still import in_style

LABELS = 100 * torch.arange(4)[:, None] + torch.arange(6)  # (T=4, D=6)
RIGHT = LABELS.view(4, 2, 3).transpose(0, 1)  # (H, T, K)
WRONG = LABELS.view(2, 4, 3)


def split(tensor, **more):
    panels = {f"head {h + 1}": tensor[h] for h in range(2)}
    return heads.labelled(panels, n_heads=2, d_model=6, title="Split", **more)


def all_stills():
    g = torch.Generator().manual_seed(0)
    q, k = torch.randn(2, 5, 2, generator=g)
    return {
        "labelled": split(WRONG, expected={f"head {h + 1}": RIGHT[h] for h in range(2)}),
        "layer": heads.layer(3),
        "W_O": heads.concat_times_w_o(torch.ones(2, 3, 2), torch.eye(4), title="W_O"),
        "report": heads.report({"a": [[0.1, 0.9]], "b": [[1.0, 0.0]]}, ["left", "right"], title="Report"),
        "directions": directions({"two": (q, k), "one": (q[:, :1], k[:, :1])}, title="Directions"),
    }


def words(still):
    return [text.get_text() for text in still.findobj(matplotlib.text.Text) if text.get_text()]


@pytest.fixture(scope="module")
def drawn():
    return all_stills()


def test_a_still_is_the_same_twice_and_each_has_alt_text(drawn):
    second = all_stills()
    for name, still in drawn.items():
        if name in ("labelled", "directions"):  # one drawn on a sheet, one on axes
            assert still.png() == second[name].png(), name
        assert len(still.alt) > 30 and len(still.png()) < 100_000, name


@in_style
def test_no_text_is_cut_off_or_too_small(drawn):
    for name, still in drawn.items():
        canvas = FigureCanvasAgg(still)
        canvas.draw()
        for text in still.findobj(matplotlib.text.Text):
            if text.get_text().strip() and text.get_visible():
                box = text.get_window_extent(canvas.get_renderer())
                assert text.get_fontsize() >= 11, (name, text.get_text())
                inside = (
                    min(box.x0, box.y0) > -2 and box.x1 < still.bbox.x1 + 2 and box.y1 < still.bbox.y1 + 2
                )
                assert inside, (name, text.get_text(), box)


def test_wrong_numbers_are_marked_and_right_ones_are_not():
    expected = {f"head {h + 1}": RIGHT[h] for h in range(2)}

    def marks(still):
        rectangles = still.findobj(Rectangle)
        return sum(
            not r.get_fill() and to_hex(r.get_edgecolor()).upper() == heads.WRONG.upper() for r in rectangles
        )

    assert marks(split(RIGHT, expected=expected)) == 0
    wrong = split(WRONG, expected=expected)
    assert marks(wrong) == int((WRONG != RIGHT).sum()) == 18
    assert "9 of 12 not where they belong" in wrong.alt
    assert {str(int(label)) for label in LABELS.flatten()} <= set(words(wrong))


def test_cells_have_the_colour_of_the_head_that_owns_the_feature():
    still = heads.labelled({"x": LABELS}, n_heads=2, d_model=6, title="x")
    faces = [to_hex(r.get_facecolor()) for r in still.findobj(Rectangle) if r.get_width() == heads.CELL]
    assert len(faces) == 24 and len(set(faces)) == 2
    rows = [faces[i : i + 6] for i in range(0, 24, 6)]
    assert all(row == [row[0]] * 3 + [row[5]] * 3 for row in rows)


def test_the_product_with_w_o_is_computed():
    parts = torch.tensor([[[1.0, 2.0]], [[3.0, 4.0]]])  # (H=2, T=1, K=2)
    w_o = torch.tensor([[1.0], [10.0], [100.0], [1000.0]])  # (H·K, D=1)
    still = heads.concat_times_w_o(parts, w_o, title="t")
    assert "4321" in words(still) and "4321" in still.alt


def test_a_query_of_one_feature_points_left_or_right():
    q, k = torch.tensor([[-2.0], [0.5], [3.0]]), torch.tensor([[0.0], [1.0], [-1.0]])
    still = directions({"one": (q, k)}, title="t")
    turns = [a._posA_posB[1][0] - a._posA_posB[0][0] for a in still.findobj(FancyArrowPatch)]
    assert [turn > 0 for turn in turns] == [False, True, True]
    assert "query 0 points most at key 2; query 1 points most at key 1" in still.alt


@pytest.mark.parametrize(
    ("draw", "says"),
    [
        (lambda: heads.labelled({"x": LABELS}, n_heads=4, d_model=6, title="t"), "divisible"),
        (lambda: heads.labelled({"x": LABELS}, n_heads=2, d_model=4, title="t"), "features 0 to 3"),
        (lambda: heads.labelled({}, n_heads=2, d_model=6, title="t"), "at least one"),
        (lambda: split(RIGHT, expected={"head 3": RIGHT[0]}), "no such grid"),
        (lambda: heads.layer(0), "1 to 4"),
        (lambda: heads.concat_times_w_o(torch.ones(2, 3, 2), torch.eye(3), title="t"), "2 heads of 2"),
        (lambda: heads.report({"a": [[1.5, 0]]}, ["x", "y"], title="t"), "shares from 0 to 1"),
        (lambda: heads.report({"a": [[0.5, 0]]}, ["x"], title="t"), "shape"),
        (lambda: heads.report({}, ["x"], title="t"), "at least one"),
        (lambda: directions({"a": (torch.ones(3, 3), torch.ones(3, 3))}, title="t"), "expected both"),
        (lambda: directions({}, title="t"), "panels must be"),
    ],
)
def test_what_cannot_be_drawn_is_refused(draw, says):
    with pytest.raises(ValueError, match=says):
        draw()
