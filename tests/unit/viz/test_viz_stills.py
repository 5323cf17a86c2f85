"""Stills: the data they draw, their alt text, the same bytes twice, and how a notebook shows them."""

import html
import io
import re
from base64 import b64decode
from collections.abc import Callable

import matplotlib.text
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from PIL import Image

from course_lib.generation import trace_draw
from course_lib.viz import Still, attention, colours, curves, diagrams, rates
from course_lib.viz.diagrams import course_map as the_map
from course_lib.viz.diagrams.answer_group import Answered
from course_lib.viz.diagrams.filled_blanks import Blank
from course_lib.viz.diagrams.loss_strip import StripToken
from course_lib.viz.diagrams.told_story import Told
from course_lib.viz.groups import compare
from course_lib.viz.merging import PairCount
from course_lib.viz.pairs import pairs
from course_lib.viz.still import LONGEST, label, shown
from course_lib.viz.tokens import token_cells

STRANGE = "</script><b>&\"'"
WEIGHTS = np.array([[0.7, 0.2, 0.1], [0.05, 0.05, 0.9]])


def heatmap(**more):
    return attention.heatmap(
        WEIGHTS, ["le", STRANGE], ["the", "red", "ball"], title="Who looks at whom", **more
    )


def all_makers() -> dict[str, Callable[[], Still]]:
    """For each name what draws that still, from numbers that are the same each time."""
    rng = np.random.default_rng(0)
    tokens = ["le", "ballon", "rouge", "你好", "🙂", "$x^2$"]
    weights, many = rng.dirichlet(np.ones(6), 6), rng.dirichlet(np.ones(60), 60)
    waves = rng.uniform(-1, 1, (20, 8))
    ended = {"id": 0, "parent": None, "token": 0, "log_prob": -1.0, "length": 1, "status": "finished"}
    rows = [{"n": n, "seed": s, "kind": k, "y": s + n * k} for n in (1, 2, 3) for s in (0, 1) for k in (1, 2)]
    return {
        "heatmap": lambda: heatmap(links=[(0, 0)], allowed=np.array([[1, 1, 0], [1, 1, 1]], bool)),
        "long": lambda: attention.heatmap(many, ["word"] * 60, ["token"] * 60, title="Long"),
        "alignment": lambda: attention.alignment(weights, tokens, tokens, title="Alignment"),
        "compare": lambda: attention.compare({"a": weights, "b": weights}, tokens, tokens, title="Two"),
        "curves": lambda: curves.curves(
            {"a": [3, 2, 1], "b": [3, 2.9, 1]}, x_label="x", y_label="y", title="t", floor=0.5
        ),
        "seeds": lambda: curves.plot_seeds(rows, "n", "y", "kind", title="t"),
        "bars": lambda: curves.bars(
            {"a": 1.0, "b": [2.0, 3.0]}, x_label="x", title="t", reference={"paper": 2.5}
        ),
        "shares": lambda: curves.bars({"a": [1.0, 1.0], "b": [0.5, 0.6]}, x_label="x", title="t", share=True),
        "plane": lambda: diagrams.lookup_plane(
            [2, 1], [[1, 1], [1, -1]], [[0, 1], [2, 5]], ["a", "b"], title="t"
        ),
        "scatter": lambda: curves.scatter(
            {"a": ([1, 10], [2, 20])}, x_label="x", y_label="y", title="t", x_log=True
        ),
        "histogram": lambda: curves.histogram({"a": [1, 2, 2, 3]}, x_label="x", title="t"),
        "empty curve": lambda: curves.live_curve([], [], title="loss", total_steps=10),
        "schedules": lambda: rates.schedules(512, 4000, 100_000, 25_000, title="Rates"),
        "beam": lambda: diagrams.beam([{"nodes": [ended]}], ["$x^2$"], truth=[0], title="Search"),
        "merges": lambda: diagrams.merge_table(
            [["$x^2$", "b"] * 20, *["ab"] * 20],
            range(1, 22),
            [PairCount("$x^2$", "b", 9, (0,), True)] * 9,
            "cd" * 40,
        ),
        "tokens": lambda: diagrams.token_rows(
            {"a": token_cells([0, 1, 0] * 70, [b"$x^2$", b"\xe4\n"]), "b": []}
        ),
        "hidden words": lambda: diagrams.masked_row(
            ["$x^2$", "[UNK]"] * 30, ["[MASK]", "accordion"] * 30, [1, 2] * 30
        ),
        "blanks": lambda: diagrams.filled_blanks(
            ["$x^2$", "accordion"] * 30,
            [Blank(n, ["accordion"] * 6, [0.1] * 6, "$x^2$", 0.01, 133, (0.2,) * 7) for n in range(8)],
        ),
        "next token": lambda: diagrams.next_token(
            ["$x^2$", "a⏎"] * 60,
            [f"$x^2$ accordion {n}" for n in range(40)],
            trace_draw(torch.arange(40) / 9, 1.5, 30, 0.9, 0),
            n_drawn=3,
        ),
        "told story": lambda: diagrams.told_story(
            ["$x^2$", "accordion", "."] * 9,
            [1 / 27] * 27,
            [
                Told(3 * n, 3 * n + 3, True, n < 8, n < 7, "found '$x^2$', expected a place " * 5)
                for n in range(9)
            ],
            verdict={"valid": False, "consistent": False, "error": "20 sentences"},
        ),
        "loss strip": lambda: diagrams.loss_strip(
            [
                StripToken("[UNK]", 3, "$x^2$", n // 30, n // 10 % 3, "tool", False, n % 3 == 0)
                for n in range(60)
            ]
        ),
        "answer group": lambda: diagrams.answer_group(
            "where is $x^2$ ? " * 9,
            [Answered(["$x^2$", "accordion"] * (1 + 5 * n), [-1.0, -0.5] * (1 + 5 * n)) for n in range(4)],
            compare([0, 1, 1, -2.5]),
        ),
        "bottleneck": lambda: diagrams.bottleneck(),
        "look back": lambda: diagrams.look_back(),
        "crossings": lambda: diagrams.crossings(["a", "b"], ["x", "y"], [(0, 1), (1, 0)], title="t"),
        "tanh": lambda: diagrams.tanh_meets(),
        "new axis": lambda: diagrams.new_axis([[1, 2]], [[[3, 4], [5, 6]]]),
        "four steps": lambda: diagrams.four_steps([1, 2], [0.3, 0.7], [[1, 0], [0, 1]], [0.3, 0.7]),
        "clocks": lambda: diagrams.clocks([[0, 0], [1, 0.1], [2, 0.2]], title="t"),
        "waves": lambda: diagrams.waves(waves, title="t"),
        "turned": lambda: diagrams.turned_pairs([1, 0.3], [0.9, 0.8], 1.0, [(1, 3), (9, 11)], title="t"),
        "norms": lambda: diagrams.norm_places(),
        "pairs": lambda: pairs({"a": (1, 2), "b": (3, 3)}, ["one", "other"], x_label="x", title="t"),
        "map": lambda: diagrams.transformer_map({"01": "01_bahdanau_attention.ipynb"}).still,
    }


@pytest.fixture(scope="module")
def drawn() -> dict[str, Still]:
    return {name: make() for name, make in all_makers().items()}


def test_every_still_is_the_same_twice_small_sharp_and_has_alt_text(drawn):
    again = all_makers()
    for name, still in drawn.items():
        png = still.png()
        assert png == still.png(), name
        if name in ("heatmap", "compare", "seeds", "look back"):
            assert png == again[name]().png(), name
        assert len(png) < 130_000, f"{name}: {len(png)} bytes"
        assert len(still.alt) > 20, name
        picture = Image.open(io.BytesIO(png))
        assert not picture.info.keys() & {"Software", "Creation Time", "date"}, picture.info
        width, height = still.get_size_inches() * 100
        assert width <= 1100, f"{name} is wider than a page"
        assert abs(picture.width - 2 * width) <= 2 and abs(picture.height - 2 * height) <= 2


@pytest.mark.filterwarnings("ignore:Glyph .* missing")
def test_no_text_is_smaller_than_eleven_points_or_outside_the_picture(drawn):
    for name, still in drawn.items():
        still.png()
        renderer = FigureCanvasAgg(still).get_renderer()
        for text in still.findobj(matplotlib.text.Text):
            if text.get_visible() and text.get_text().strip():
                assert text.get_fontsize() >= 11, (name, text.get_text())
                box = text.get_window_extent(renderer)
                if box.width and text.axes is not None and text in text.axes.texts:
                    assert box.x0 > -2 and box.x1 < still.bbox.x1 + 2, (name, text.get_text())


def test_heatmap_draws_the_weights_and_hatches_what_is_not_allowed():
    allowed = torch.tensor([[True, True, False], [True, True, True]])
    still = heatmap(allowed=allowed, links=[(0, 1), (1, 2)])
    [image] = still.axes[0].images
    drawn = image.get_array()
    assert image.get_clim() == (0, 1)
    assert np.ma.is_masked(drawn[0, 2]) or np.isnan(drawn[0, 2])
    np.testing.assert_allclose(drawn[1], WEIGHTS[1])
    patches = still.axes[0].patches
    assert sum(patch.get_hatch() is not None for patch in patches) == 1
    gold = [patch for patch in patches if patch.get_edgecolor()[:3] == hex_colour(colours.GOLD)]
    assert sorted((round(p.get_y() + 0.45), round(p.get_x() + 0.45)) for p in gold) == [(0, 1), (1, 2)]
    assert [label.get_text() for label in still.axes[0].get_yticklabels()] == ["le", STRANGE]
    assert [text.get_text() for text in still.axes[0].texts] == ["0.70", "0.20", "0.05", "0.05", "0.90"]
    assert (still.axes[0].get_ylabel(), still.axes[0].get_xlabel()) == ("query (row)", "key (column)")
    assert "“le” looks most at “the” (0.70)" in still.alt
    assert "1 of 2 gold links" in still.alt
    assert "1 of 6 cells are not allowed" in still.alt


def hex_colour(text: str) -> tuple:
    return tuple(int(text[i : i + 2], 16) / 255 for i in (1, 3, 5))


@pytest.mark.parametrize(
    ("weights", "more", "message"),
    [
        (WEIGHTS.T, {}, "is it transposed"),
        (WEIGHTS[None], {}, "take one sentence out of the batch"),
        (WEIGHTS * 3, {}, "Are these scores"),
        (WEIGHTS * np.nan, {}, "NaN"),
        ([[1, 2], [3]], {}, "rows of equal length"),
        (WEIGHTS, {"allowed": np.ones((2, 3))}, "allowed must be boolean"),
        (WEIGHTS, {"allowed": np.ones((5, 3), bool)}, "allowed has shape"),
        (WEIGHTS, {"links": [(2, 0)]}, "other way round"),
    ],
)
def test_heatmap_says_what_is_wrong(weights, more, message):
    with pytest.raises(ValueError, match=message):
        attention.heatmap(weights, ["a", "b"], ["x", "y", "z"], title="t", **more)


def test_curves_draw_what_they_get_and_keep_names_apart():
    still = curves.curves(
        {"a": ([0, 10], [3, 1.0]), "b": ([0, 10], [3, 1.01])},
        x_label="step",
        y_label="loss",
        title="t",
        floor=0.5,
    )
    ax = still.axes[0]
    np.testing.assert_allclose(ax.lines[0].get_ydata(), [3, 1.0])
    assert ax.lines[2].get_ydata()[0] == 0.5
    still.png()
    canvas = FigureCanvasAgg(still)
    boxes = [t.get_window_extent(canvas.get_renderer()) for t in ax.texts if t.get_text() in "ab"]
    assert len(boxes) == 2 and not boxes[0].overlaps(boxes[1])
    assert "a goes from 3 at 0 to 1 at 10" in still.alt and "floor is at 0.5" in still.alt
    with pytest.raises(ValueError, match="2 x values and 1 y values"):
        curves.curves({"a": ([1, 2], [1])}, x_label="x", y_label="y", title="t")


def test_names_at_the_ends_keep_a_whole_line_apart_in_the_finished_picture():
    ends = {"first": 0.99, "second": 0.98, "third": 0.97, "fourth": 0.86}
    lines = {name: ([0, 1], [0.2, end]) for name, end in ends.items()}
    still = curves.curves(lines, x_label="x", y_label="y", title="t", y_range=(0, 1))
    still.png()
    canvas = FigureCanvasAgg(still)
    places = {t.get_text(): t.get_window_extent(canvas.get_renderer()) for t in still.axes[0].texts}
    middles = [(places[name].y0 + places[name].y1) / 2 for name in ends]
    gaps = -np.diff(middles) / still.dpi  # inches
    assert min(gaps) > 0.95 * curves.LABEL_GAP, gaps


def test_plot_seeds_draws_mean_and_range():
    rows = [{"n": n, "y": y, "kind": "k"} for n, y in ((1, 0.0), (1, 1.0), (2, 2.0), (2, 4.0))]
    still = curves.plot_seeds({"rows": rows}, "n", "y", "kind", title="t")
    ax = still.axes[0]
    np.testing.assert_allclose(ax.lines[0].get_ydata(), [0.5, 3.0])
    band = ax.collections[0].get_paths()[0].vertices
    assert (band[:, 1].min(), band[:, 1].max()) == (0, 4)
    assert "Mean of 2 seeds" in still.alt and "spans 2" in still.alt
    with pytest.raises(ValueError, match="no column 'z'"):
        curves.plot_seeds(rows, "n", "z", title="t")


def test_crossing_links_stand_out_and_links_outside_are_named():
    still = diagrams.crossings(["a", "b", "c"], ["x", "y", "z"], [(0, 1), (1, 0), (2, 2)], title="t")
    gold = [line for line in still.axes[0].lines if line.get_color() == colours.GOLD]
    assert len(still.axes[0].lines) == 3 and len(gold) == 2  # the third crosses nothing
    assert "a – y" in still.alt and "c – z" in still.alt
    with pytest.raises(ValueError, match=r"links has \(0, 3\), outside 3 source and 3 target words"):
        diagrams.crossings(["a", "b", "c"], ["x", "y", "z"], [(0, 3)], title="t")


def test_the_query_moves_both_keys_along_the_tanh():
    still = diagrams.tanh_meets(keys=(0, 2), queries=(-1, 1.5))
    left, right = still.axes
    dots = [[line.get_xdata()[0] for line in ax.lines if line.get_marker() == "o"] for ax in (left, right)]
    assert dots == [[-1, 1], [1.5, 3.5]]
    assert "1.52 apart" in still.alt and "0.09 apart" in still.alt
    with pytest.raises(ValueError, match="keys has 3 numbers, expected two"):
        diagrams.tanh_meets(keys=(0, 1, 2))


def test_the_new_axis_adds_each_query_to_its_own_keys():
    still = diagrams.new_axis([[1, 2], [10, 20]], np.arange(12).reshape(2, 3, 2))
    texts = [text.get_text() for text in still.axes[0].texts]
    assert texts.count("the same row") == 4 and "31" in texts and "16" in texts
    assert "sums (16, 27), (18, 29), (20, 31)" in still.alt
    with pytest.raises(ValueError, match=r"query has shape \(2, 2\), expected \(B, A\)"):
        diagrams.new_axis([[1, 2], [10, 20]], np.zeros((3, 3, 2)))


def test_several_bars_can_stand_out():
    still = curves.bars({"a": 1, "b": 2, "c": 3}, x_label="x", title="t", highlight=("a", "c"))
    accents = [patch.get_facecolor()[:3] == hex_colour(colours.SERIES[0]) for patch in still.axes[0].patches]
    assert accents == [True, False, True]
    with pytest.raises(ValueError, match="highlight is"):
        curves.bars({"a": 1}, x_label="x", title="t", highlight=("a", "z"))


def test_a_loss_is_read_against_zero():
    still = curves.live_curve([1, 2, 3], [4.0, 3.0, 2.5], title="loss", total_steps=3)
    assert still.axes[0].get_ylim()[0] == 0


def test_four_steps_shows_the_numbers():
    still = diagrams.four_steps([1, 2], [0.25, 0.75], [[1, 0], [0, 2]], [0.25, 1.5], tokens=["the", "red"])
    texts = [text.get_text() for text in still.axes[0].texts]
    for number in ("0.25", "0.75", "1.50", "2.00"):
        assert number in texts
    with pytest.raises(ValueError, match="context has 3 numbers"):
        diagrams.four_steps([1, 2], [0.5, 0.5], [[1, 0], [0, 2]], [0, 0, 0])


def test_map_links_only_to_chapters_that_exist():
    chapters = {"00": "00_start_here.ipynb", "01": '01"x.ipynb', "05": "05_transformer.ipynb"}
    course_map = diagrams.transformer_map(chapters)
    data, metadata = course_map._repr_mimebundle_()
    links = re.findall(r'<a href="([^"]*)"', data["text/html"])
    parts = [part for part in the_map.PARTS if part.chapter in chapters]
    assert sorted(map(html.unescape, links)) == sorted(chapters[part.chapter] for part in parts)
    assert {part.chapter for part in the_map.PARTS} == set(the_map.CHAPTERS) - {"00"}
    [alt] = re.findall(r'<img alt="([^"]*)"', data["text/html"])
    assert "decoder" in alt and not metadata and set(data) == {"text/html", "text/plain"}
    for one in the_map.PARTS:
        assert one.x >= 0 and one.x + one.width <= the_map.MAP_WIDTH, one.label
        for other in the_map.PARTS:
            apart = one is other or (
                one.x + one.width <= other.x or other.x + other.width <= one.x
                or one.y + one.height <= other.y or other.y + other.height <= one.y
            )  # fmt: skip
            assert apart, (one.label, other.label)
    with pytest.raises(ValueError, match="13"):
        diagrams.transformer_map({"13": "x.ipynb"})


def test_notebook_output_is_one_picture_even_under_the_inline_backend():
    """`%matplotlib inline` registers its own PNG maker for figures, which knows no alt text."""
    import subprocess
    import sys

    code = """
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
from course_lib.viz import attention
import matplotlib.pyplot, matplotlib_inline.backend_inline as inline
from matplotlib_inline.config import InlineBackend
inline.configure_inline_support(shell, 'module://matplotlib_inline.backend_inline')
from IPython.core.pylabtools import select_figure_formats
select_figure_formats(shell, {'png'})
data, metadata = shell.display_formatter.format(attention.heatmap([[1.0]], ['a'], ['b'], title='T'))
print(sorted(data), metadata, data['text/html'][:13])
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip().splitlines()[-1] == "['text/html', 'text/plain'] {} <img alt=\"T."


@pytest.mark.parametrize("template", ["lab", "classic", "reveal"])
def test_nbconvert_shows_the_picture_once_with_its_alt_text(template):
    """`lab` is the default; of a bare PNG it says “No description has been provided for this image”."""
    import nbformat
    from nbconvert import HTMLExporter

    still = heatmap()
    data, metadata = still.mimebundle()
    output = nbformat.v4.new_output("display_data", data=data, metadata=metadata)
    cell = nbformat.v4.new_code_cell("x", outputs=[output])
    body, _ = HTMLExporter(template_name=template).from_notebook_node(nbformat.v4.new_notebook(cells=[cell]))
    [(alt, png)] = re.findall(r'<img alt="([^"]*)"[^>]* src="data:image/png;base64,([^"]*)"', body)
    assert body.count("<img") == 1 and b64decode(png) == still.png()
    assert "“le” looks most at “the” (0.70)" in html.unescape(alt)
    assert "<b>" not in alt


def test_colours_of_a_pair_differ_for_colour_blind_readers():
    """Query, key, value and generated differ in lightness or hue under simulated deuteranopia."""
    deuteranopia = np.array([[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]])
    seen = [
        deuteranopia @ hex_colour(c) for c in (colours.QUERY, colours.KEY, colours.VALUE, colours.GENERATED)
    ]
    for i, one in enumerate(seen):
        for other in seen[:i]:
            assert np.linalg.norm(one - other) > 0.2
    signed = colours.RAMPS["signed"]  # from 0 in the middle to both sides
    sides = [{theme: signed[theme][start::step] for theme in signed} for start, step in ((3, 1), (3, -1))]
    for ramp in [*(colours.RAMPS[name] for name in ("weights", "flow")), *sides]:
        for theme, sign in (("light", -1), ("dark", 1)):  # in the dark, brighter
            steps = np.diff([colours._luminance(stop) for stop in ramp[theme]])
            assert (sign * steps > 0).all(), ramp
    grey = colours.WEIGHTS(np.linspace(0, 1, 11))[:, :3] @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(grey) < 0).all(), "darker must always mean more weight"
    assert colours.LIGHT.keys() == colours.DARK.keys()
    assert "--course-query: #0072B2;" in colours.css_variables()


# How people without the red, the green or the blue cones see (Machado et al. 2009, severity 1; linear RGB).
SEEN = {
    "all cones": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "no red": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    "no green": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
    "no blue": [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]],
}


def lab(colour: str, seen: str = "all cones") -> np.ndarray:
    """A colour in CIE L*a*b*, as it is seen."""
    c = np.array(hex_colour(colour))
    linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array([[0.4125, 0.3576, 0.1804], [0.2127, 0.7152, 0.0722], [0.0193, 0.1192, 0.9503]])
    xyz = to_xyz @ np.clip(SEEN[seen] @ linear, 0, 1) / [0.9505, 1, 1.0888]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def test_lines_have_colours_that_mean_nothing_else():
    means = ("QUERY", "KEY", "VALUE", "GENERATED", "MASKED", "GOLD", "LEAK", "POSITIVE", "NEGATIVE")
    for colour in colours.SERIES:
        assert colours.contrast(colour, colours.PAPER) >= 4.5, f"{colour} also writes the line's label"
        for name in means:
            assert np.linalg.norm(lab(colour) - lab(getattr(colours, name))) > 20, (colour, name)


@pytest.mark.parametrize("seen", SEEN)
def test_two_lines_differ_for_everybody(seen):
    for i, one in enumerate(colours.SERIES):
        for other in colours.SERIES[:i]:
            assert np.linalg.norm(lab(one, seen) - lab(other, seen)) > 20, (one, other)


FACES = {
    **{f"{name} {theme}": (LinearSegmentedColormap.from_list(name, stops[theme]), theme)
       for name, stops in colours.RAMPS.items() for theme in ("light", "dark")},
    "scores": (colours.SCORES, "light"),
    "outputs": (colours.OUTPUTS, "light"),
}  # fmt: skip


@pytest.mark.parametrize("name", FACES)
@given(share=st.floats(0, 1))
def test_ink_can_be_read_on_every_tone(name, share):
    """A contrast of at least 4.5 : 1, on every tone of every ramp, in a still and in both live themes."""
    ramp, theme = FACES[name]
    assert colours.contrast(colours.ink_on(ramp(share), theme), ramp(share)) >= colours.ENOUGH == 4.5


def test_the_ink_on_a_weight_is_the_ink_on_its_tone():
    for weight in np.linspace(0, 1, 101):
        assert colours.contrast(colours.text_on(weight), colours.WEIGHTS(weight)) >= 4.5
    assert colours.text_on(0) == colours.INK and colours.text_on(1) == colours.PAPER
    assert colours.contrast("#FFFFFF", "#000000") == pytest.approx(21)


def test_an_axis_of_shares_ends_at_1():
    still = curves.bars({"a": [1.0, 1.0], "b": [0.5, 0.6]}, x_label="x", title="t", share=True)
    assert max(still.axes[0].get_xticks()) == 1 and "a 1.00  (1.00–1.00)" in still.alt


def test_bars_with_signs_say_from_where_to_where():
    """A dash between two signed numbers reads as a third sign."""
    values = {"less": [-0.091, -0.075], "more": [0.085, 0.099]}
    still = curves.bars(values, x_label="x", title="t", number_format="{:+.3f}")
    assert "less −0.083  (−0.091 to −0.075); more +0.092  (+0.085 to +0.099)." in still.alt


def test_a_few_sizes_on_a_log_axis_are_all_named():
    still = curves.curves({"a": ([16, 64, 512], [3, 2, 1])}, x_label="x", y_label="y", title="t", x_log=True)
    still.png()
    named = [label.get_text() for label in still.axes[0].get_xticklabels()]
    assert named == ["16", "64", "512"]


def test_a_single_dot_has_its_name_beside_it_and_not_in_the_legend():
    dots = {"left": ([0.0], [0.0]), "right": ([0.9], [1.0])}
    still = curves.scatter(dots, x_label="x", y_label="y", title="t", line=([0, 1], [0, 1]))
    ax = still.axes[0]
    FigureCanvasAgg(still).draw()
    assert [(text.get_text(), text.get_ha()) for text in ax.texts] == [("left", "left"), ("right", "right")]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["theory"]
    assert curves.scatter(dots, x_label="x", y_label="y", title="t").axes[0].get_legend() is None
    many = {"a": ([1, 2], [1, 2]), "b": ([2, 3], [1, 2])}
    legend = curves.scatter(many, x_label="x", y_label="y", title="t").axes[0].get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["a", "b"]


def test_what_cannot_be_seen_gets_a_sign():
    for token, seen in {
        "": "∅",
        " ": "␣",
        " the": "␣the",
        "a b  ": "a b␣␣",
        "\n": "⏎",
        "a\tb": "a⇥b",
        "10\u00a0km": "10⍽km",
        "\u2003": "␣",
        "\u200b": "·",
        "\ufeffid": "·id",
        "\u200e": "·",
        "a\u202eb\u202c": "a·b·",
        "\u2067x\u2069": "·x·",
        "\u200d": "·",
        "\x00\ud800": "··",
        "\u3164": "·",
        "\u2028": "·",
        "\u0301": "◌\u0301",
        "\ufe0f": "·",
    }.items():
        assert shown(token) == seen, ascii(token)
    for whole in (
        "ball",
        "été",
        "e\u0301",
        "שלום",
        "سلام",
        "你好",
        "👩\u200d🚀",
        "❤\ufe0f",
        "می\u200cخواهم",
        "$x^2$",
    ):
        assert shown(whole) == whole, ascii(whole)


@given(token=st.text(max_size=30))
def test_a_shown_token_is_seen_and_turns_nothing_round(token):
    text = shown(token)
    assert text and text.strip() and shown(text) == text
    controls = "\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u061c\ufeff"
    assert not set(controls) & set(text) and "\n" not in text
    assert len(label(token)) <= LONGEST


def test_a_long_token_is_cut_in_every_picture_and_whole_in_its_alt_text():
    """Never between a letter and its accent; the picture is as wide as one with a token of that length."""
    assert label("ball") == "ball" and label("a" * 18) == "a" * 18
    assert label("Donaudampfschifffahrt") == "Donaudampfschifff…"
    assert label("e\u0301" * 20) == "e\u0301" * 8 + "…"
    assert not label("👩\u200d🚀" * 9).removesuffix("…").endswith("\u200d")
    long, widths = "x" * 300, {}
    for token in (long, "x" * 18):
        still = attention.heatmap([[0.3, 0.7]], [token], [token, "b"], title="T")
        names = [
            text.get_text() for ax in still.axes for text in (*ax.get_yticklabels(), *ax.get_xticklabels())
        ]
        widths[token] = still.get_size_inches().tolist()
        assert (token in names) == (len(token) == 18)
        assert token in still.alt
    assert widths[long] == widths["x" * 18]
