"""The pictures of chapter 02: `fetch` and `score_tables`."""

import numpy as np
import pytest

from course_lib.viz.diagrams import fetch, score_tables

WEIGHTS = [[0.9, 0.1], [0.001, 0.999]]


def drawn(still):
    return [text.get_text() for ax in still.axes for text in ax.texts]


def test_fetch_says_who_finds_what():
    still = fetch(WEIGHTS, ["q1", "q2"], ["k1", "k2"], ["v1", "v2"], ["mostly v1", "v2!"], title="Who")
    assert {"q1", "k2", "v1", "mostly v1", "v2!"} <= set(drawn(still))
    assert "query “q1” gives key “k1” 0.90, key “k2” 0.10; output: “mostly v1”" in still.alt
    assert "query “q2” gives key “k2” 1.00" in still.alt  # the weight of 0.001 is not drawn
    assert len(still.axes[0].lines) == 2 * 3  # to the keys, and from the values
    widths = sorted(line.get_linewidth() for line in still.axes[0].lines)
    assert widths[0] < widths[-1]


def test_fetch_writes_the_weights_of_a_single_query():
    still = fetch([[0.25, 0.75]], ["q"], ["a", "b"], ["1", "2"], ["1.75"], title="One")
    assert {"0.25", "0.75"} <= set(drawn(still))


def test_fetch_writes_the_large_weights_of_several_queries():
    still = fetch([[0.95, 0.05], [0.2, 0.8]], ["q1", "q2"], ["a", "b"], ["1", "2"], ["x", "y"], title="Two")
    assert {"0.95", "0.20", "0.80"} <= set(drawn(still)) and "0.05" not in drawn(still)
    (place,) = (text.get_position() for text in still.axes[0].texts if text.get_text() == "0.20")
    ends = [line.get_xydata() for line in still.axes[0].lines]
    apart = [
        abs(np.interp(place[0], *points.T) - place[1])
        for points in ends
        if points[0, 0] < place[0] < points[1, 0]
    ]
    assert min(apart) < 1e-6 < sorted(apart)[1]  # the number stands on its own line
    left, right = min(line.get_xdata()[0] for line in still.axes[0].lines), place[0]
    assert 0 < right - left < 0.6  # near its query


def test_fetch_refuses_what_does_not_fit():
    with pytest.raises(ValueError, match="values has 1 texts, expected 2"):
        fetch(WEIGHTS, ["q1", "q2"], ["k1", "k2"], ["v1"], ["a", "b"], title="")
    with pytest.raises(ValueError, match="results has 3"):
        fetch(WEIGHTS, ["q1", "q2"], ["k1", "k2"], ["v1", "v2"], ["a", "b", "c"], title="")
    with pytest.raises(ValueError, match="scores"):
        fetch([[4.0, 2.0]], ["q"], ["a", "b"], ["1", "2"], ["x"], title="")


def test_score_tables_show_numbers_and_say_what_is_symmetric():
    tables = {"one": [[1.0, 2.0], [2.0, -0.04]], "two": [[1.0, 5.0], [-3.0, 0.0]]}
    still = score_tables(tables, ["a", "b"], ["a", "b"], links=[(0, 1), (1, 0)], title="Tables")
    assert {"2.0", "5.0", "−3.0", "0.0", "≈0"} <= set(drawn(still)) and "−0.0" not in drawn(still)
    assert "one (symmetric): “a” scores highest with “b”" in still.alt and "two (not symmetric)" in still.alt
    assert "2 in “one”, 1 in “two”" in still.alt


def test_score_tables_join_a_cell_with_its_mirror_image():
    tables = {"one": [[1.0, 2.0], [2.0, 3.0]], "two": [[1.0, 5.0], [-3.0, 0.0]]}
    still = score_tables(tables, ["a", "b"], ["a", "b"], mirror=(0, 1), title="Tables")
    assert [sign for sign in drawn(still) if sign in "=≠"] == ["=", "≠"]
    assert all(len(ax.lines) == 1 for ax in still.axes)
    assert "2.00 and 2.00 in “one”; 5.00 and −3.00 in “two”" in still.alt
    with pytest.raises(ValueError, match="mirror has the pair"):
        score_tables(tables, ["a", "b"], ["a", "b"], mirror=(0, 2), title="")


def test_score_tables_leave_forbidden_cells_empty():
    allowed = ~np.eye(2, dtype=bool)
    still = score_tables({"t": [[9.0, 1.0], [2.0, 9.0]]}, ["a", "b"], ["a", "b"], allowed=allowed, title="T")
    assert "9.0" not in drawn(still) and "“a” scores highest with “b”" in still.alt


def test_score_tables_refuse_what_does_not_fit():
    with pytest.raises(ValueError, match="shape"):
        score_tables({"t": [[1.0, 2.0]]}, ["a", "b"], ["a", "b"], title="")
    with pytest.raises(ValueError, match="at least one"):
        score_tables({}, ["a"], ["a"], title="")
