"""Masks as pictures: sizes, words, colours and complaints."""

import numpy as np
import pytest
import torch

from course_lib import masks
from course_lib.viz import colours
from course_lib.viz import masks as drawn_masks

WORDS = ["the", "red", "ball", "is", "here"]
CAUSAL = masks.causal_mask(5)
EVERYONE = torch.ones(5, 5, dtype=torch.bool)


def texts(still):
    """Everything that is written on a still."""
    return [t.get_text() for ax in still.axes for t in ax.texts]


def outlined(ax):
    """Rectangles with the crimson outline of a leak."""
    return [p for p in ax.patches if tuple(np.round(p.get_edgecolor()[:3], 3)) == _rgb(colours.LEAK)]


def _rgb(colour):
    return tuple(round(int(colour[i : i + 2], 16) / 255, 3) for i in (1, 3, 5))


def test_the_gallery_shows_each_mask_with_its_name():
    still = drawn_masks.mask_gallery({"all": EVERYONE, "causal": CAUSAL}, WORDS, title="Two masks")
    assert [ax.get_title() or ax.get_title(loc="left") for ax in still.axes] == ["all", "causal"]
    drawn = still.axes[1].images[0].get_array()
    assert (np.ma.getmaskarray(np.ma.masked_invalid(drawn)) == ~CAUSAL.numpy()).all()
    assert "causal: “the” sees the; “red” sees the, red" in still.alt and "here" in still.alt
    assert still.png()[:4] == b"\x89PNG"


def test_the_alt_text_begins_with_the_title_and_one_mark():
    for title, begins in (
        ("Two masks", "Two masks. all:"),
        ("Which?", "Which? all:"),
        ("Done.", "Done. all:"),
    ):
        assert drawn_masks.mask_gallery({"all": EVERYONE}, WORDS, title=title).alt.startswith(begins)


def test_a_batch_axis_of_one_is_taken_off_and_nothing_open_is_said():
    still = drawn_masks.mask_gallery({"none": ~EVERYONE[None, None]}, WORDS, title="Nobody")
    assert "“the” sees nothing" in still.alt


def test_panels_are_put_into_rows():
    six = {str(i): CAUSAL for i in range(6)}
    tall = drawn_masks.mask_gallery(six, WORDS, title="Six", columns=2)
    flat = drawn_masks.mask_gallery(six, WORDS, title="Six", columns=3)
    assert tall.get_size_inches()[1] > flat.get_size_inches()[1]
    assert tall.get_size_inches()[0] < flat.get_size_inches()[0] < 11


def test_row_sums_stand_beside_the_rows_and_wrong_ones_are_crimson():
    scores = torch.zeros(5, 5)
    late = scores.softmax(-1) * CAUSAL
    still = drawn_masks.row_sums(
        {"before": masks.masked_softmax(scores, CAUSAL), "after": late}, WORDS, WORDS, allowed=CAUSAL,
        title="Sums",
    )  # fmt: skip
    assert "after: the rows sum to 0.20, 0.40, 0.60, 0.80, 1.00." in still.alt
    before, after = still.axes
    red = [t.get_text().strip() for t in after.texts if t.get_color() == colours.LEAK]
    assert red == ["0.20", "0.40", "0.60", "0.80"]
    assert not [t for t in before.texts if t.get_color() == colours.LEAK]


def test_a_leak_is_outlined_and_exact_zeros_are_said():
    clean = np.where(CAUSAL, 0.5, 0.0)
    leaking = clean.copy()
    leaking[0, 3] = 1e-9
    still = drawn_masks.leaks({"good": clean, "bad": leaking}, WORDS, allowed=CAUSAL, title="What arrives")
    assert "good: exactly 0 in all 10 forbidden cells" in still.alt
    assert "bad: something arrives in 1 of 10 forbidden cells" in still.alt
    good, bad = still.axes
    assert (len(outlined(good)), len(outlined(bad))) == (0, 1)
    assert "≈0" in [t.get_text() for t in bad.texts]  # it is not 0, and does not look like 0
    own = drawn_masks.leaks({"good": clean}, WORDS, allowed={"good": EVERYONE}, title="Open")
    assert "nothing is forbidden" in own.alt


def test_all_panels_share_one_scale_and_every_number_can_be_read():
    """The same number has the same tone in both panels; the ink has a contrast of 4.5 on every tone."""
    strong, weak = np.where(CAUSAL, 4.0, 0.0), np.where(CAUSAL, 1.0, 0.0)
    still = drawn_masks.leaks({"strong": strong, "weak": weak}, WORDS, allowed=CAUSAL, title="Scale")
    scales = [
        image.get_clim() for ax in still.axes for image in ax.images if image.cmap.name == "course_flow"
    ]
    assert scales == [(0, 4.0), (0, 4.0)]
    for ramp in (colours.FLOW, colours.WEIGHTS):
        for tone in map(ramp, np.linspace(0, 1, 101)):
            assert colours.contrast(colours.ink_on(tone), tone) >= 4.5
    assert colours.contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert colours.ink_on(colours.PAPER) == colours.INK and colours.ink_on(colours.VALUE) == colours.PAPER


def test_lines_are_drawn_where_looking_is_allowed():
    cross = torch.ones(2, 3, dtype=torch.bool), ["le", "mot"], WORDS[:3]
    still = drawn_masks.who_sees_whom({"cross": cross, "causal": (CAUSAL, WORDS, WORDS)}, title="Lines")
    assert len(still.axes[0].lines) == 2 * 3 + 15
    assert {"query", "key", "cross", "causal", "mot", "here"} <= set(texts(still))
    assert "cross: “le” sees the, red, ball; “mot” sees the, red, ball." in still.alt


@pytest.mark.parametrize(("window", "layers", "back"), [(4, 3, 9), (2, 1, 1), (1, 5, 0), (4, 9, 11)])
def test_reach_counts_positions_back(window, layers, back):
    tokens = [str(i) for i in range(12)]
    still = drawn_masks.reach(masks.sliding_window_mask(12, window), tokens, layers, title="Reach")
    assert f"depends on {back + 1} inputs, up to {back} positions back" in still.alt


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: drawn_masks.mask_gallery({}, WORDS, title=""), "masks must be a dict with at least one"),
        (lambda: drawn_masks.mask_gallery({"a": CAUSAL.float()}, WORDS, title=""), "allowed must be boolean"),
        (lambda: drawn_masks.mask_gallery({"a": CAUSAL[:, :4]}, WORDS, title=""), "does not fit"),
        (lambda: drawn_masks.mask_gallery({"a": None}, WORDS, title=""), "a is None"),
        (lambda: drawn_masks.mask_gallery({"a": CAUSAL}, WORDS, title="", columns=0), "columns is 0"),
        (
            lambda: drawn_masks.row_sums({"a": torch.ones(5, 5) * 3}, WORDS, WORDS, allowed=CAUSAL, title=""),
            "between 0 and 1",
        ),
        (lambda: drawn_masks.leaks({"a": -np.eye(5)}, WORDS, allowed=CAUSAL, title=""), "starts at -1"),
        (
            lambda: drawn_masks.leaks({"a": np.eye(5)}, WORDS, allowed={"b": CAUSAL}, title=""),
            r"expected one for each of \['a'\]",
        ),
        (lambda: drawn_masks.reach(CAUSAL, WORDS, 0, title=""), "n_layers is 0"),
        (lambda: drawn_masks.reach(CAUSAL, WORDS, 1, position=5, title=""), "position is 5"),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()
