"""ScheduleExplorer and BeamTree without a browser: what they hold, compute, refuse, and show as a still."""

import pytest

from course_lib.widgets import BeamTree, ScheduleExplorer

NAMES = ["[EOS]", "a", "b"]


def search(*steps):
    """Steps of (parent, token, raw sum, status); ids are counted."""
    found, count = [], 0
    for length, nodes in enumerate(steps, start=1):
        found.append({"nodes": []})
        for parent, token, log_prob, status in nodes:
            found[-1]["nodes"].append(
                {"id": count, "parent": parent, "token": token, "log_prob": log_prob, "length": length,
                 "status": status}
            )  # fmt: skip
            count += 1
    return found


ONE = search([(None, 1, -0.5, "running"), (None, 2, -0.9, "dropped")], [(0, 0, -1.4, "finished")])
TWO = search(
    [(None, 1, -0.5, "running"), (None, 0, -1.0, "finished")],
    [(0, 2, -0.8, "running")],
    [(2, 0, -1.2, "finished")],
)


def test_the_explorer_computes_what_python_asks():
    view = ScheduleExplorer()
    assert (view.d_model, view.warmup, view.steps, view.step) == (512, 4000, 100_000, 4000)
    assert view.peak == pytest.approx(6.987712e-4) and view.rates(4000) == (view.peak, view.peak)
    view.d_model = 2048
    assert view.peak == pytest.approx(6.987712e-4 / 2)
    assert view.start == {"d_model": 512, "warmup": 4000, "steps": 100_000, "log": False}
    view.log = True
    assert "For d_model 2,048" in view.still().alt
    for name in ("d_model", "warmup", "steps", "batch_tokens"):
        with pytest.raises(ValueError, match=f"{name} is 0, expected at least 1"):
            ScheduleExplorer(**{name: 0})


def test_the_tree_ranks_anew_when_the_penalty_changes():
    view = BeamTree(TWO, NAMES, length_penalty=0)
    assert view.finished() == [("[EOS]", -1.0, -1.0), ("a b [EOS]", -1.2, -1.2)]
    view.length_penalty = 1.0
    assert [text for text, *_ in view.finished()] == ["a b [EOS]", "[EOS]"]
    assert "α 1: “a b [EOS]”" in view.still().alt
    with pytest.raises(ValueError, match="0 leaves raw sums"):
        view.length_penalty = -0.1


def test_several_beams_and_the_greedy_path_of_a_beam_of_1():
    view = BeamTree({1: ONE, 2: TWO}, NAMES, truth="a b")
    assert view.beams == ["1", "2"] and view.beam == "2" and view.step == 3
    assert view.greedy == ["a", "[EOS]"] and view.has_truth
    assert [node["greedy"] for node in view.trees[1]] == [True, False, False, False]
    assert [node["truth"] for node in view.trees[1]] == [True, False, True, True]
    view.beam = "1"
    assert view.finished()[0][0] == "a [EOS]"
    with pytest.raises(ValueError, match="expected one of"):
        view.beam = "3"
    with pytest.raises(ValueError, match="empty dict"):
        BeamTree({}, NAMES)
    assert BeamTree({"steps": TWO}, NAMES).beams == [""]
