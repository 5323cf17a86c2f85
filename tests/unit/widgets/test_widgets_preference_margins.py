"""PreferenceMargins without a browser: curves of a training, throttled; named pairs; its still."""

import itertools
import json
import math
import os
from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch

from course_lib.models.gpt import GPTConfig
from course_lib.training.post_training import DPOStep, Preference, dpo_epoch, dpo_margins
from course_lib.training.rollouts import frozen_copy
from course_lib.widgets import PreferenceMargins, preference_margins
from course_lib.widgets.training_view import MOST_POINTS


def step_of(step, n=100):
    chosen, rejected = -step / n, -3 * step / n
    margin = chosen - rejected
    return DPOStep(math.log1p(math.exp(-margin)), margin, chosen, rejected, 1.0)


def test_it_watches_an_epoch_of_dpo(monkeypatch):
    monkeypatch.setattr(preference_margins, "SECONDS_BETWEEN_PAIRS", 600)
    torch.manual_seed(0)
    sizes = {"d_model": 8, "n_heads": 1, "n_layers": 1, "d_ff": 8, "max_len": 12}
    policy = GPTConfig(20, **sizes).build()
    reference = frozen_copy(policy)
    pairs = [Preference([1, 5 + i % 3], [10, 2], [11 + i % 2, 12, 2]) for i in range(40)]
    optimizer = torch.optim.AdamW(policy.parameters(), lr=3e-3)
    asked = []

    def some():
        asked.append(dpo_margins(policy, reference, pairs[:2], beta=0.5))
        return zip(["a", "b"], asked[-1], strict=True)

    watch = PreferenceMargins(10, 0.5, pairs=some)
    assert watch.pairs == [] and "Nothing trained yet: 0 of 10 steps." in watch.still().alt
    steps = dpo_epoch(policy, reference, pairs, optimizer, batch_size=4, beta=0.5, on_step=watch)
    assert watch.state == "done" and len(watch.points) == len(steps) == 10
    for n, (point, step) in enumerate(zip(watch.points, steps, strict=True), 1):
        assert point == pytest.approx([n, step.chosen, step.rejected, step.margin, step.loss], abs=1e-4)
    assert watch.points[0][4] == pytest.approx(math.log(2), abs=1e-4)
    assert len(asked) == 2, "at the first step and at the end; it is too soon between them"
    now = dpo_margins(policy, reference, pairs[:2], beta=0.5)
    assert [[label, *rest] for label, *rest in watch.pairs] == [
        ["a", asked[0][0], pytest.approx(now[0])], ["b", asked[0][1], pytest.approx(now[1])]
    ]  # fmt: skip
    watch.finish()
    assert len(asked) == 2
    alt = watch.still().alt
    assert (
        "loss goes from 0.693 to " in alt
        and "from 0 to 9 steps done" in alt
        and "Margins of pairs: “a” from" in alt
    )


def test_it_is_throttled_and_keeps_few_points(monkeypatch):
    now, sent, asked = [0.0], [], []
    monkeypatch.setattr("course_lib.widgets.training_view.time.monotonic", lambda: now[0])
    watch = PreferenceMargins(1000, 0.1, pairs=lambda: asked.append(1) or [("a", len(asked))])
    watch.observe(lambda change: sent.append(change), "points")
    for step in range(1, 1001):  # ten seconds
        now[0] = step / 100
        watch(step, step_of(step, 1000))
    assert 90 <= len(sent) <= 103 and 18 <= len(asked) <= 22
    assert len(watch.points) <= MOST_POINTS and watch.state == "done"
    assert watch.points[0][:2] == [1, -0.001], "the first step as it was"
    kept = np.array(watch._kept)
    assert kept[:, -1].sum() == 1000
    assert np.average(kept[:, 3], weights=kept[:, -1]) == pytest.approx(2 * 500.5 / 1000)
    assert watch.pairs == [["a", 1.0, float(len(asked))]]


def test_pairs_are_moved_by_hand_and_a_second_training_is_a_new_picture():
    watch = PreferenceMargins(10, 0.1, [("a", -0.5), ("b", 0)])
    watch.move([("a", 1), ("c", 0.25)])
    assert watch.pairs == [["a", -0.5, 1.0], ["c", 0.25, 0.25]]
    watch(1, step_of(1))
    assert watch.pairs, "what was given by hand stays for the first training"
    watch(2, step_of(2)._replace(margin=math.nan))
    watch.finish()
    assert watch.state == "stopped" and watch.note == "margin is nan at step 2"
    assert "“a” from −0.50 to +1.00" in watch.still().alt and "stopped at step 2 of 10" in watch.still().alt
    watch(1, step_of(1))
    watch(2, step_of(2))
    watch.finish()
    assert watch.note == "" and [point[0] for point in watch.points] == [1, 2]
    with pytest.raises(KeyboardInterrupt), watch:
        watch(3, step_of(3))
        raise KeyboardInterrupt
    assert watch.state == "stopped" and len(watch.points) == 3


def test_names_at_the_ends_do_not_overlap():
    watch = PreferenceMargins(5, 0.1)
    for step in range(1, 6):
        watch(step, DPOStep(0.69, 0.001 * step, 0.0015 * step, 0.0005 * step, 0.5))
    still = watch.still()
    still.draw_without_rendering()
    boxes = sorted((t.get_window_extent() for t in still.subfigs[0].axes[0].texts), key=lambda box: box.y0)
    assert len(boxes) == 3 and not any(a.overlaps(b) for a, b in itertools.pairwise(boxes))
    assert all(box.x1 < still.bbox.width for box in boxes)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((0, 0.1), "total_steps is 0; expected at least 1"),
        ((5, 0), "beta is 0, expected a finite number above 0"),
        ((5, math.nan), "beta is nan"),
        ((5, 0.1, [("a", math.inf)]), "pairs has inf for 'a', expected a finite margin"),
        ((5, 0.1, [(str(i), 0) for i in range(13)]), "pairs has 13 entries, expected at most 12"),
    ],
)
def test_what_is_wrong_is_said(arguments, says):
    with pytest.raises(ValueError, match=says):
        PreferenceMargins(*arguments)


def test_saved_page_holds_the_finished_picture(tmp_path):
    from nbclient import NotebookClient

    cells = [
        "from course_lib.training.post_training import DPOStep\n"
        "from course_lib.widgets import PreferenceMargins\n"
        "watch = PreferenceMargins(20, 0.1, [('a', 0)])\nwatch",
        "try:\n    for step in range(1, 8): watch(step, DPOStep(0.69 / step, step / 9, 0.1, 0.2, 1.0))\n"
        "    watch.move([('a', 1.5)])\n    raise KeyboardInterrupt\nexcept KeyboardInterrupt: pass",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    here = {"metadata": {"path": str(tmp_path)}}
    client = NotebookClient(
        notebook, timeout=60, kernel_name="python3", store_widget_state=False, resources=here
    )
    client.execute(env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])})
    outputs = [cell.outputs for cell in notebook.cells]
    assert [len(each) for each in outputs] == [1, 0]
    html = outputs[0][0].data["text/html"].partition(" src=")[0]
    assert "stopped at step 7 of 20" in html and "“a” from +0.00 to +1.50" in html
    assert "application/vnd.jupyter.widget-view+json" in outputs[0][0].data
    json.dumps(notebook)
