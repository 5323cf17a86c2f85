"""Pictures of heads: what is drawn, what is marked, alt text, the same bytes twice."""

from itertools import pairwise

import matplotlib.text
import pytest
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Rectangle

from course_lib.viz import colours, panels
from course_lib.viz.diagrams import directions, heads, quarter_turn, seating
from course_lib.viz.still import in_style

LABELS = 100 * torch.arange(4)[:, None] + torch.arange(6)  # (T=4, D=6)
RIGHT = LABELS.view(4, 2, 3).transpose(0, 1)  # (H, T, K)
WRONG = LABELS.view(2, 4, 3)
GUESTS = ["anna", "bo", "chen", "dina", "emma", "ivan"]
COMPASS = torch.tensor([[0.0, 1.0], [1.0, 0.0], [0.0, -1.0], [-1.0, 0.0]])
LEFT = torch.tensor([[0.0, 1.0], [-1.0, 0.0]])
TURNS = {"to the left": LEFT, "to the right": -LEFT}
RUNS = [
    {"seed": s, "step": t, "heads": h, "right": h / 4 + 0.1 * s}
    for s in (0, 1)
    for t in (1, 2)
    for h in (1, 2)
]


def split(tensor, **more):
    return heads.labelled({"cut": tensor}, title="Split", **more)


def all_makers():
    """For each name what draws that still, from numbers that are the same each time."""
    g = torch.Generator().manual_seed(0)
    q, k = torch.randn(2, 5, 2, generator=g)
    return {
        "labelled": lambda: split(WRONG, expected=RIGHT),
        "layer": lambda: heads.layer(3),
        "W_O": lambda: heads.concat_times_w_o(torch.ones(2, 3, 2), torch.eye(4), title="W_O"),
        "report": lambda: heads.report(
            {"a": [[0.1, 0.9]], "b": [[1.0, 0.0]]}, ["left", "right"], title="Report"
        ),
        "directions": lambda: directions({"two": (q, k), "one": (q[:, :1], k[:, :1])}, title="Directions"),
        "seating": lambda: seating(GUESTS, title="Two neighbours of one guest"),
        "quarter turn": lambda: quarter_turn(COMPASS, TURNS, GUESTS[:4], title="Turn"),
        "panels": lambda: panels.seed_panels(RUNS, x="step", y="right", group="heads", title="Seeds"),
    }


def words(still):
    return [text.get_text() for text in still.findobj(matplotlib.text.Text) if text.get_text()]


@pytest.fixture(scope="module")
def drawn():
    return {name: make() for name, make in all_makers().items()}


def test_a_still_is_the_same_twice_and_each_has_alt_text(drawn):
    again = all_makers()
    for name, still in drawn.items():
        if name in ("labelled", "directions"):  # one drawn on a sheet, one on axes
            assert still.png() == again[name]().png(), name
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
    def marks(still):
        rectangles = still.findobj(Rectangle)
        return sum(
            not r.get_fill() and to_hex(r.get_edgecolor()).upper() == heads.WRONG.upper() for r in rectangles
        )

    assert marks(split(RIGHT, expected=RIGHT)) == 0
    wrong = split(WRONG, expected=RIGHT)
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


def test_even_weights_are_one_more_row_of_the_report():
    still = heads.report({"a": [[0.1, 0.9]]}, ["x", "y"], even=[0.5, 0.25], title="t")
    assert "head 1: x 0.10, y 0.90" in still.alt.replace("head 1 x", "head 1: x")
    assert "even x 0.50, y 0.25" in still.alt and {"even", "0.25"} <= set(words(still))


def test_a_query_of_one_feature_points_left_or_right():
    q, k = torch.tensor([[-2.0], [0.5], [3.0]]), torch.tensor([[0.0], [1.0], [-1.0]])
    still = directions({"one": (q, k)}, title="t")
    turns = [a._posA_posB[1][0] - a._posA_posB[0][0] for a in still.findobj(FancyArrowPatch)]
    assert [turn > 0 for turn in turns] == [False, True, True]
    assert "query 0 points most at key 2; query 1 points most at key 1" in still.alt


def test_the_names_of_keys_that_lie_close_stand_apart_and_at_one_height():
    q, k = torch.ones(5, 1), torch.tensor([[0.5], [0.51], [0.52], [-1.0], [0.53]])
    texts = [t for t in directions({"one": (q, k)}, title="t").axes[0].texts if t.get_fontweight() == "bold"]
    assert len({round(t.get_position()[1], 6) for t in texts}) == 1
    places = {t.get_text(): t.get_position()[0] for t in texts}
    row = [places[name] for name in ("3", "0", "1", "2", "4")]  # in the order of the keys
    assert min(b - a for a, b in pairwise(row)) > 0.19


def test_the_seating_marks_who_is_asked_and_the_true_neighbours():
    still = seating(GUESTS, asked=0, title="t")
    edges = {}
    for name in GUESTS:
        (text,) = (t for t in still.findobj(matplotlib.text.Text) if t.get_text() == name)
        x, y = text.get_position()
        for box in still.findobj(FancyBboxPatch):
            if box.get_x() < x < box.get_x() + box.get_width() and abs(box.get_y() + 0.22 - y) < 0.02:
                edges[name] = to_hex(box.get_edgecolor()).upper()
    assert edges["anna"] == colours.QUERY and edges["bo"] == edges["ivan"] == colours.GOLD
    assert edges["chen"] == edges["dina"] == edges["emma"] == colours.LINE
    assert "on the left sits ivan, on the right bo" in still.alt


def test_the_quarter_turn_is_computed():
    still = quarter_turn(COMPASS, TURNS, GUESTS[:4], asked=2, title="t")
    assert "to the left: chen’s direction (0, −1) becomes the query (1, 0), bo’s key" in still.alt
    assert "to the right: chen’s direction (0, −1) becomes the query (−1, 0), dina’s key" in still.alt


def test_each_group_of_seeds_has_a_panel_with_its_own_band():
    still = panels.seed_panels(RUNS, x="step", y="right", group="heads", title="t")
    assert [ax.get_title(loc="left") for ax in still.axes] == ["1 head", "2 heads"]
    for ax, h in zip(still.axes, (1, 2), strict=True):
        assert len(ax.lines) == 3 and len(ax.collections) == 1  # both groups in grey, its own mean; its band
        assert ax.lines[-1].get_ydata() == pytest.approx([h / 4 + 0.05] * 2)
    assert "1 head goes from 0.3 at 1 to 0.3 at 2 (lowest seed 0.25, highest 0.35)" in still.alt


@pytest.mark.parametrize(
    ("draw", "says"),
    [
        (lambda: heads.labelled({"x": LABELS}, n_heads=4, d_model=6, title="t"), "divisible"),
        (lambda: heads.labelled({"x": LABELS}, n_heads=2, d_model=4, title="t"), "features 0 to 3"),
        (lambda: heads.labelled({}, n_heads=2, d_model=6, title="t"), "at least one"),
        (lambda: split(RIGHT, expected=RIGHT[:1]), "expected has shape"),
        (lambda: heads.layer(0), "1 to 4"),
        (lambda: heads.concat_times_w_o(torch.ones(2, 3, 2), torch.eye(3), title="t"), "2 heads of 2"),
        (lambda: heads.report({"a": [[1.5, 0]]}, ["x", "y"], title="t"), "shares from 0 to 1"),
        (lambda: heads.report({"a": [[0.5, 0]]}, ["x"], title="t"), "shape"),
        (lambda: heads.report({}, ["x"], title="t"), "at least one"),
        (lambda: directions({"a": (torch.ones(3, 3), torch.ones(3, 3))}, title="t"), "expected both"),
        (lambda: directions({}, title="t"), "panels must be"),
        (lambda: seating(["anna", "bo"], title="t"), "at least 3 guests"),
        (lambda: seating(GUESTS, asked=6, title="t"), "asked is 6"),
        (lambda: quarter_turn(COMPASS, TURNS, GUESTS, title="t"), "a direction for each name"),
        (lambda: quarter_turn(COMPASS, {"a": torch.eye(3)}, GUESTS[:4], title="t"), r"expected \(2, 2\)"),
        (lambda: panels.seed_panels([], x="a", y="b", group="c", title="t"), "rows is empty"),
        (lambda: panels.seed_panels(RUNS, x="step", y="left", group="heads", title="t"), "no column 'left'"),
    ],
)
def test_what_cannot_be_drawn_is_refused(draw, says):
    with pytest.raises(ValueError, match=says):
        draw()


def test_a_matrix_that_is_no_quarter_turn_is_refused():
    seats = [[1, 0], [0, 1], [-1, 0], [0, -1]]
    with pytest.raises(
        ValueError, match=r"turns\['stays'\] is \[\[1.0, 0.0\], \[0.0, 1.0\]\]; expected a quarter turn"
    ):
        quarter_turn(seats, {"stays": [[1, 0], [0, 1]]}, list("abcd"), title="No turn")
