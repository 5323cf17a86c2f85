"""Live views without a browser: what they hold, what they refuse, their stills, what a saved page keeps."""

import json
import math
import os
import re
import time
from pathlib import Path
from types import SimpleNamespace

import nbformat
import numpy as np
import pytest
import torch

from course_lib.data.cmudict import clean
from course_lib.generation import trace_draw
from course_lib.tasks.assistant.beside import Beside
from course_lib.widgets import (
    AlignmentMovie,
    AttentionView,
    BeamTree,
    ChatBeside,
    LiveLoss,
    MaskLab,
    NextToken,
    PipelineStepper,
    PreferenceMargins,
    Pronouncer,
    Question,
    ScheduleExplorer,
    StoryWriter,
)
from course_lib.widgets.training_view import MOST_POINTS

STRANGE = "</script><b>&\"'"
EVEN = np.full((2, 3), 1 / 3)
ENDED = {"id": 0, "parent": None, "token": 0, "log_prob": -1.0, "length": 1, "status": "finished"}


def pronounce(word):
    return list(word), [letter.upper() for letter in word], np.eye(len(word))


def told(text, drawn):
    n = 2 + len(drawn)
    return [0, 1, *drawn], torch.zeros(2), [text, "."], torch.full((1, 1, n, n), 1 / n)


def views():
    return {
        "attention": AttentionView(EVEN, ["a", STRANGE], ["x", "y", "z"], title="T"),
        "movie": AlignmentMovie([EVEN, EVEN], [0, 10], ["x", "y", "z"], ["a", "b"], links=[(0, 0)]),
        "loss": LiveLoss(10),
        "pronouncer": Pronouncer(pronounce, "cat"),
        "lab": MaskLab(STRANGE),
        "stepper": PipelineStepper(EVEN, EVEN, EVEN, ["a", STRANGE], ["x", "y"]),
        "schedule": ScheduleExplorer(),
        "beam": BeamTree([{"nodes": [ENDED]}], [STRANGE]),
        "next token": NextToken(told, trace_draw, STRANGE),
        "story": StoryWriter(told, trace_draw, STRANGE),
        "chat": ChatBeside(Beside({STRANGE: lambda: None}), STRANGE, STRANGE),
        "margins": PreferenceMargins(10, 0.1, [(STRANGE, 0.5)]),
    }


def test_every_view_has_a_still_with_alt_text_beside_it():
    for name, view in views().items():
        data, _ = view._repr_mimebundle_()
        assert "application/vnd.jupyter.widget-view+json" in data, name
        [alt] = re.findall(r'<img alt="([^"]*)"', data["text/html"])
        assert len(alt) > 20 and "image/png" not in data, name
    data, _ = Question(f"Why {STRANGE}?", ["1", STRANGE], lambda o, c: "")._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data
    assert "</script>" not in data["text/html"] and "&lt;/script&gt;" in data["text/html"]


def test_scripts_fetch_nothing_and_write_no_text_as_html():
    for view in [*views().values(), Question("p", ["a", "b"], lambda o, c: "")]:
        script = view._esm
        addresses = [
            a for a in re.findall(r"https?://[^\"'` ]+", script) if a != "http://www.w3.org/2000/svg"
        ]
        imports = re.findall(r"^\s*import\b|\bimport\(", script, re.MULTILINE)  # code to copy may import
        assert addresses == imports == [] and "fetch(" not in script
        assert "url(" not in view._css and "@import" not in view._css
        if not isinstance(view, Question):
            assert "innerHTML" not in script


def test_python_answers_each_message_of_the_browser_with_its_number():
    """The browser says “Python is busy or was restarted” when this number does not come."""
    for name, view in views().items():
        if name in ("loss", "margins", "movie"):  # nothing in them needs Python to hear
            continue
        view.told = 7
        assert view.heard == 7, name
    question = Question("p", ["a", "b"], lambda option, confidence: "")
    question.set_trait("answer", [0, 0])
    assert question.feedback, "an answer is taken as given when its explanation is there"


def test_attention_view_holds_weights_and_mask():
    weights = torch.rand(2, 3, 4).softmax(-1)
    allowed = torch.tensor([[True, True, False, True]] * 3)
    view = AttentionView(weights, list("abc"), list("wxyz"), allowed=allowed)
    np.testing.assert_allclose(view.weights, weights.numpy())  # only looked at: the weights stay as they came
    assert view.allowed[1, 2].tolist() == [True, True, False, True]
    assert len(view.still().axes) >= 2
    with pytest.raises(ValueError, match="is it transposed"):
        AttentionView(weights, list("wxyz"), list("abc"))


def test_reset_knows_what_the_views_were_made_with():
    """What "Reset" brings back is what the view was made with, whatever has been set since."""
    causal = np.tri(2, dtype=bool)
    stepper = PipelineStepper(EVEN, EVEN, EVEN, list("ab"), list("xy"), allowed=causal, scale=False)
    view = AttentionView(np.full((2, 2), 0.5), list("ab"), list("xy"), allowed=causal, editable=True)
    for each in (stepper, view):
        each.allowed = ~causal
        each.temperature = 2
        assert np.array_equal(np.broadcast_to(each.start, (1, 2, 2))[0], causal)
    stepper.scale = True
    assert stepper.start_scale is False


def test_movie_refuses_what_does_not_fit_and_shows_first_and_last_frame():
    with pytest.raises(ValueError, match="steps has 1 entries; expected 2"):
        AlignmentMovie([EVEN, EVEN], [0], list("xyz"), list("ab"))
    with pytest.raises(ValueError, match="error_rates has 3 entries"):
        AlignmentMovie([EVEN, EVEN], [0, 1], list("xyz"), list("ab"), error_rates=[1, 2, 3])
    with pytest.raises(ValueError, match="other way round"):
        AlignmentMovie([EVEN], [0], list("xyz"), list("ab"), links=[(2, 0)])
    with pytest.raises(ValueError, match="frames"):
        AlignmentMovie([], [], list("xyz"), list("ab"))
    movie = AlignmentMovie(np.stack([EVEN] * 9), range(0, 90, 10), list("xyz"), list("ab"))
    assert "step 0." in movie.still().alt and "step 80." in movie.still().alt


@pytest.mark.parametrize("steps", [range(1, 3001), range(3000)], ids=["from 1", "from 0"])
def test_live_loss_keeps_few_points_that_mean_the_same(steps):
    live = LiveLoss(3000)
    losses = [3 * math.exp(-step / 900) for step in steps]
    for step, loss in zip(steps, losses, strict=True):
        live(step, torch.tensor(loss))
    live.finish()
    assert live.state == "done" and len(live.points) <= MOST_POINTS
    kept = np.array([[s, v, n] for s, v, n in live._kept])
    assert kept[:, 2].sum() == 3000
    assert np.average(kept[:, 1], weights=kept[:, 2]) == pytest.approx(np.mean(losses), rel=1e-6)
    assert (np.diff(kept[:, 0]) > 0).all()


def test_live_loss_is_cheap_and_sends_at_most_ten_times_a_second(monkeypatch):
    live, sent = LiveLoss(10**6), []
    monkeypatch.setattr(live, "send_state", lambda *a, **k: sent.append(1))
    start = time.process_time()
    for step in range(20_000):
        live(step, 1.0)
    assert (time.process_time() - start) / 20_000 < 200e-6
    now = [0.0]
    monkeypatch.setattr("course_lib.widgets.training_view.time.monotonic", lambda: now[0])
    live = LiveLoss(10**6)
    live.observe(lambda change: sent.append(change), "points")
    sent.clear()
    for step in range(1000):  # ten seconds, a hundred steps each
        now[0] = step / 100
        live(step, 1.0 + step)
    assert 90 <= len(sent) <= 101


def test_live_loss_says_when_it_was_stopped_or_lost_its_numbers():
    live = LiveLoss(10, floor=0.5)
    with pytest.raises(KeyboardInterrupt), live:
        live(1, 2.0)
        live(2, float("nan"))
        raise KeyboardInterrupt
    assert live.state == "stopped" and live.note == "loss is nan at step 2"
    assert "stopped at step 2 of 10" in live.still().alt and "nan" in live.still().alt
    with pytest.raises(ValueError, match="at least 1"):
        LiveLoss(0)


def test_live_loss_draws_what_the_loss_is_compared_with():
    lines = {"bigram": 1.9, "counted by hand": 1.89, "unigram": 1.88, "ln V": 4.6}
    live = LiveLoss(2000, floor=1.0, baselines=lines)
    plain = LiveLoss(2000, floor=1.0)
    for step in range(1, 2001):
        for each in (live, plain):
            each(step, 1 + 3.6 * math.exp(-step / 200))
    assert live.points[0] == [1, round(1 + 3.6 * math.exp(-1 / 200), 4)], "the first step as it was"
    assert plain.points[0][0] > 1 and plain.baselines == []
    kept = np.array(live._kept)
    assert kept[:, 2].sum() == 2000 and len(kept) <= MOST_POINTS and (np.diff(kept[:, 0]) > 0).all()
    assert live.baselines == [[name, loss] for name, loss in lines.items()]

    still = live.still()
    still.draw_without_rendering()
    [ax] = still.axes
    assert ax.get_ylim()[0] < 1 and ax.get_ylim()[1] > 4.6
    drawn = [line.get_ydata()[0] for line in ax.lines if list(line.get_xdata()) == [0, 1]]
    assert sorted(drawn) == [1.0, 1.88, 1.89, 1.9, 4.6]
    names = {text.get_text(): text.get_window_extent() for text in ax.texts}
    assert set(names) == {
        "the lowest possible: 1", "bigram 1.9", "counted by hand 1.89", "unigram 1.88", "ln V 4.6"
    }  # fmt: skip
    boxes = sorted(names.values(), key=lambda box: box.y0)
    assert all(not one.overlaps(other) for i, one in enumerate(boxes) for other in boxes[:i])
    assert all(box.x1 < still.bbox.width for box in boxes)
    assert "For comparison: bigram 1.9; counted by hand 1.89; unigram 1.88; ln V 4.6." in still.alt
    assert "For comparison: ln V 4.6." in LiveLoss(9, baselines={"ln V": 4.6}).still().alt
    with pytest.raises(ValueError, match=r"baselines\['bigram'\] is nan, expected a finite loss"):
        LiveLoss(9, baselines={"bigram": math.nan})


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("", "Type a word"),
        ("   ", "Type a word"),
        ("123", "“1” is not a letter"),
        ("🙂", "“🙂” is not a letter"),
        ("b2b", "“2” is not a letter"),
        ("naïve", "“ï” is not a letter"),
        ("two words", "One word at a time"),
        ("a" * 41, "41 letters"),
        (STRANGE, "“<” is not a letter"),
    ],
)
def test_pronouncer_answers_bad_words_with_a_sentence(word, message):
    view = Pronouncer(pronounce, "cat", clean=clean)
    view.word = word
    assert message in view.message and view.answered == word
    assert view.sounds == ["C", "A", "T"]  # the last good answer stands
    view.word = " Dog’s "
    assert (view.message, view.sounds, view.letters) == ("", ["D", "O", "G", "'", "S"], list("dog's"))


def test_pronouncer_survives_a_broken_model():
    def broken(word):
        raise RuntimeError("no weights")

    view = Pronouncer(broken)
    assert view.message == "The model stopped with RuntimeError: no weights"
    assert "no weights" in view.still().alt
    Pronouncer(lambda word: (list(word), [], [])).still()


def test_question_asks_python_and_shows_what_it_says():
    heard = []

    def explain(option, confidence):
        heard.append((option, confidence))
        if option == 0:
            raise KeyError("<b>")
        return "<b>yes</b>"

    question = Question("What is `d_k`? **Guess** <i>", ["1", STRANGE], explain)
    assert question.prompt == "What is <code>d_k</code>? <strong>Guess</strong> &lt;i&gt;"
    question.answer = [1, 3]
    assert heard == [(1, 3)] and question.feedback == "<b>yes</b>"
    question.answer = [0, 0]
    assert "could not be checked" in question.feedback and "<b>" not in question.feedback
    with pytest.raises(ValueError, match="at least 2"):
        Question("p", ["only one"], explain)


def test_saved_page_holds_the_finished_curve(tmp_path):
    """The output of the training cell is replaced when the cell ends, also when it was interrupted."""
    from nbclient import NotebookClient

    cells = [
        "from course_lib.widgets import LiveLoss\nwhole, half = LiveLoss(20), LiveLoss(20)\nwhole",
        "for step in range(1, 21): whole(step, 1 / step)",
        "try:\n    for step in range(1, 8): half(step, 1 / step)\n    raise KeyboardInterrupt\n"
        "except KeyboardInterrupt: pass",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    here = {"metadata": {"path": str(tmp_path)}}
    client = NotebookClient(
        notebook, timeout=60, kernel_name="python3", store_widget_state=False, resources=here
    )
    client.execute(env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])})
    outputs = [cell.outputs for cell in notebook.cells]
    assert [len(each) for each in outputs] == [1, 0, 1]
    assert "goes from 1 at 1 to 0.05 at 20" in outputs[0][0].data["text/html"].partition(" src=")[0]
    assert "stopped at step 7 of 20" in outputs[2][0].data["text/html"].partition(" src=")[0]
    assert "application/vnd.jupyter.widget-view+json" in outputs[0][0].data
    json.dumps(notebook)  # and it can be saved


def test_the_finished_curve_is_drawn_once():
    """Ended by its last step and again by the end of its cell; what has changed meanwhile is drawn."""
    stored = []
    live = LiveLoss(3)
    live._output = SimpleNamespace(update=lambda data, **how: stored.append(data["text/html"]))
    for step in (1, 2, 3):
        live(step, 1 / step)
    live.finish()
    assert len(stored) == 1
    live.title = "the loss"
    live.finish()
    assert len(stored) == 2 and "the loss" in stored[1]


def test_live_loss_for_two_trainings_draws_two_curves():
    """One after the other; nothing runs backwards, and the second curve holds nothing of the first."""
    live = LiveLoss(30)
    for step in range(1, 31):
        live(step, 5.0)
    live.finish()
    for step in range(1, 11):
        live(step, 1.0 if step > 1 else float("nan"))
    live.finish()
    assert [point[0] for point in live.points] == list(range(2, 11))
    assert {point[1] for point in live.points} == {1.0}
    assert live.state == "stopped" and live.note == "loss is nan at step 1"
    live(1, 2.0)
    assert live.note == "" and [kept[:2] for kept in live._kept] == [[1, 2.0]]
