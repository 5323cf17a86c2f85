"""The five steps and the leak as stills: the numbers on them are the numbers they are about."""

import numpy as np
import pytest
import torch

from course_lib.viz.arithmetic import five_steps
from course_lib.viz.diagrams import pipeline
from course_lib.viz.masks import weights_and_leak
from course_lib.viz.sheet import number
from course_lib.viz.still import SMALL

RNG = np.random.default_rng(2)
WORDS = ["the", "cat", "</script><b>&\"'"]


def drawn(ax) -> list[str]:
    return [text.get_text() for text in ax.texts]


@pytest.mark.parametrize("scaled", [True, False])
def test_every_number_of_every_step_is_on_the_picture(scaled):
    q, k, v = RNG.normal(size=(2, 4)), RNG.normal(size=(3, 4)), RNG.normal(size=(3, 2))
    allowed = np.array([[True, False, True], [False] * 3])
    still = pipeline(torch.tensor(q), k, v, WORDS[:2], WORDS, allowed=allowed, scaled=scaled)
    steps = five_steps(q, k, v, allowed, scaled)
    panels = [ax for ax in still.axes if ax.images]
    assert [ax.get_title(loc="left").split()[-1] for ax in panels] == [
        "MatMul",
        "Scale",
        "Mask",
        "Softmax",
        "MatMul",
    ]
    for ax, matrix in zip(panels, vars(steps).values(), strict=True):
        assert drawn(ax) == [number(x) for x in matrix.ravel()]
        assert all(text.get_fontsize() >= SMALL for text in ax.texts)
    most = np.abs(steps.scores).max()
    assert all(ax.images[0].get_clim() == (-most, most) for ax in panels[:3])  # one scale, 0 in its middle
    assert drawn(panels[2]).count("−∞") == 4 and drawn(panels[3])[3:] == ["0"] * 3
    assert panels[1].get_xlabel() == ("divided by √4" if scaled else "left out")
    assert "cat may look at nothing" in still.alt and "4 of 6 cells masked" in still.alt
    assert still.png() == pipeline(q, k, v, WORDS[:2], WORDS, allowed=allowed, scaled=scaled).png()


def test_temperature_is_said_and_used():
    still = pipeline(np.eye(2), np.eye(2), np.eye(2), ["a", "b"], ["a", "b"], temperature=0.5)
    softmax = [ax for ax in still.axes if ax.images][3]
    assert softmax.get_xlabel() == "rows sum to 1, τ = 0.5"
    np.testing.assert_allclose(softmax.images[0].get_array()[0, 0], 1 / (1 + np.exp(-2 / 2**0.5)))


def test_the_last_columns_carry_what_a_value_stands_for():
    for names in ((), ("ball", "hat")):
        still = pipeline(np.eye(2), np.eye(2), np.eye(2), ["a", "b"], ["a", "b"], value_names=names)
        columns = [[tick.get_text() for tick in ax.get_xticklabels()] for ax in still.axes if ax.images]
        assert columns == [["a", "b"]] * 4 + [list(names) or ["1", "2"]]


@pytest.mark.parametrize("n", [1, 2, 4])
def test_few_and_many_tokens(n):
    still = pipeline(np.eye(n), np.eye(n), np.eye(n), ["a"] * n, ["你"] * n)
    assert len(still.png()) > 2000
    with pytest.raises(ValueError, match="too large for numbers in cells"):
        pipeline(np.eye(13), np.eye(13), np.eye(13), ["a"] * 13, ["b"] * 13)


def test_written_numbers():
    assert [number(x) for x in (-0.004, -1.5, 123.4, -np.inf)] == ["≈0", "−1.50", "123", "−∞"]
    assert [number(x) for x in (0.0, -0.0)] == ["0", "0"]
    assert [number(x) for x in (0.005, 0.0049, 1e-300, 0.996)] == ["0.01", "≈0", "≈0", "1.00"]
    assert [number(x, short=True) for x in (-0.0, -4.0, 4321, 0.5)] == ["0", "−4", "4321", "0.50"]


def test_leaks_are_outlined_and_said():
    allowed = np.tri(3, dtype=bool)
    weights = allowed / allowed.sum(1, keepdims=True)
    clean = weights_and_leak(weights, weights * 2, WORDS, WORDS, allowed=allowed, title="T")
    assert "Leak where forbidden: exactly 0" in clean.alt and "“the” sees the;" in clean.alt
    leak = weights * 2
    leak[0, 2] = 0.25
    wrong = weights_and_leak(weights, leak, WORDS, WORDS, allowed=allowed, title="T")
    assert "up to 0.25" in wrong.alt
    outlined = [patch for ax in wrong.axes for patch in ax.patches if not patch.get_fill()]
    assert len(outlined) == 1 and outlined[0].get_xy() == (1.55, -0.45)
    assert "0.25" in drawn(wrong.axes[1]) and "0.25" not in drawn(clean.axes[1])
    for wrong_leak in (-leak, leak[:2]):
        with pytest.raises(ValueError, match="leak has shape"):
            weights_and_leak(weights, wrong_leak, WORDS, WORDS, allowed=allowed, title="T")
