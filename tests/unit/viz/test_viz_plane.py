"""One look-up in the plane: what `lookup_plane` draws and says."""

import numpy as np
import pytest
import torch

from course_lib.viz import colours
from course_lib.viz.diagrams import lookup_plane

KEYS = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0]])
VALUES = torch.tensor([[2.0, 8.0], [4.0, 12.0], [9.0, 5.0]])
NAMES = ["apple", "pear", "ball"]


def plane(query=(2.0, 0.0), **more):
    return lookup_plane(query, KEYS, VALUES, NAMES, title="A look-up", asks="quince", **more)


def test_angles_and_scores_stand_beside_the_keys():
    still = plane()
    words = {text.get_text() for text in still.axes[0].texts}
    assert {"apple\n45°, score 2", "pear\n45°, score 2", "ball\n135°, score −2", "quince"} <= words
    arrows = [patch.get_edgecolor() for patch in still.axes[0].patches]
    assert len(arrows) == 4  # three keys and the query
    assert "“ball” at 135°, score −2" in still.alt


def test_the_sum_goes_from_the_best_value_to_the_mean():
    still = plane(query=(4.0, 1.0), temperatures=(0.01, 1.0, 1e6))
    cold, warm, hot = (dots.get_offsets()[0] for dots in still.axes[1].collections[-3:])
    scores = KEYS @ torch.tensor([4.0, 1.0])
    assert np.allclose(cold, VALUES[0], atol=1e-3)
    assert np.allclose(warm, scores.softmax(0) @ VALUES, atol=1e-4)
    assert np.allclose(hot, VALUES.mean(0), atol=1e-3)
    (path,) = still.axes[1].lines
    assert path.get_color() == colours.VALUE and len(path.get_xydata()) > 100
    assert "(2, 8) at τ = 0.01" in still.alt and "the mean of all values is (5, 8.33)" in still.alt


def test_what_is_no_plane_is_refused():
    with pytest.raises(ValueError, match=r"query \(3,\).*expected \(2,\) and twice \(3, 2\)"):
        plane(query=(1.0, 2.0, 3.0))
    with pytest.raises(ValueError, match="length 0"):
        plane(query=(0.0, 0.0))
    with pytest.raises(ValueError, match="length 0"):
        lookup_plane((1.0, 0.0), 0 * KEYS, VALUES, NAMES, title="")
