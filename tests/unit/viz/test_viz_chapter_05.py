"""Pictures of chapter 05: clocks, position vectors, turned arrows, places of norms, two systems in rows."""

import numpy as np
import pytest

from course_lib.viz.diagrams import clocks, norm_places, turned_pairs, waves
from course_lib.viz.pairs import pairs

TURNED = np.arange(4)[:, None] * np.array([1.0, 0.1])


def texts(still):
    return [text.get_text() for ax in still.axes for text in ax.texts]


def test_each_face_says_the_sine_and_cosine_of_its_hand():
    still = clocks(TURNED, names=["fast", "slow"], title="Two clocks")
    assert "0.84  0.54" in texts(still) and "0.30  0.96" in texts(still)
    assert "fast: position 0 (0, 1.00), position 1 (0.84, 0.54)" in still.alt
    with pytest.raises(ValueError, match="one for each of 2 clocks"):
        clocks(TURNED, names=["fast"], title="t")


def test_a_hand_points_where_its_angle_says():
    still = clocks([[0.0], [np.pi / 2]], title="A quarter")
    up, right = (arrow.get_path().get_extents() for arrow in still.axes[0].patches[1::2])
    assert up.height > 2 * up.width and right.width > 2 * right.height


def test_waves_draw_the_vectors_and_say_how_often_columns_turn():
    vectors = np.sin(np.arange(30)[:, None] * np.array([1.0, 0.1, 0.01]))
    still = waves(vectors, title="Positions")
    assert np.array_equal(still.axes[0].images[0].get_array(), vectors)
    assert "Down column 0 the sign changes 9 times" in still.alt and "last column 0 times" in still.alt


def test_pairs_at_the_same_distance_have_the_same_score():
    still = turned_pairs([1, 0.3], [0.9, 0.8], 1.0, [(1, 3), (4, 6), (3, 6)], title="Turned")
    scores = [ax.get_xlabel().split("score ")[1] for ax in still.axes]
    assert scores[0] == scores[1] != scores[2]
    assert still.axes[2].get_xlabel().startswith("i − j = −3")
    with pytest.raises(ValueError, match="and a pair"):
        turned_pairs([1, 0], [1, 0], 1.0, [], title="t")


def test_post_has_its_norms_on_the_road_and_pre_beside_it():
    still = norm_places()
    norms = [t.get_position()[0] for t in still.axes[0].texts if t.get_text() == "norm"]
    assert len(norms) == 5 and norms.count(1.0) == 2 and norms.count(5.4) == 1


def test_two_systems_stand_in_one_row_each_with_its_number():
    still = pairs({"all": (26.6, 22.0), "same": (3.0, 3.0)}, ["GRU", "Transformer"], x_label="%", title="t")
    assert {"26.6", "22.0", "3.0"} <= set(texts(still))
    assert "all 26.6 and 22.0" in still.alt
    with pytest.raises(ValueError, match="expected two"):
        pairs({"a": (1, 2)}, ["one"], x_label="x", title="t")
    with pytest.raises(ValueError, match="one for each of"):
        pairs({"a": (1, 2, 3)}, ["x", "y"], x_label="x", title="t")
