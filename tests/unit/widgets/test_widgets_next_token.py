"""NextToken without a browser; its script gives what `trace_draw` gives, where Node can run it."""

import json
import random
import shutil
import subprocess

import numpy as np
import pytest
import torch

from course_lib.generation import trace_draw
from course_lib.models.gpt import GPTConfig
from course_lib.tasks import town_gpt
from course_lib.text.tokenizers import EOS_ID
from course_lib.widgets import NextToken
from course_lib.widgets.front import BROWSER
from course_lib.widgets.writing import MOST_CHARACTERS, drawable

WORDS = town_gpt.WORDS


def browser_sends(widget, **state) -> None:
    """What arrives when the browser has changed these traits, in one message."""
    widget.set_state(state)


@pytest.fixture(scope="module")
def read():
    torch.manual_seed(0)
    sizes = {"d_model": 16, "n_heads": 2, "n_layers": 2, "d_ff": 16, "max_len": 24, "init_std": 0.5}
    return town_gpt.reader(GPTConfig(len(WORDS), **sizes).build())


def test_a_draw_is_what_trace_draw_draws(read):
    view = NextToken(read, trace_draw, "Anna is at", temperature=0.8, top_k=9, top_p=0.95, seed=3)
    assert view.ids == [1, *WORDS.encode("anna is at")] and view.names == list(WORDS.tokens)
    logits = read("anna is at").logits
    np.testing.assert_array_equal(np.frombuffer(view.logits, "<f4"), logits.numpy())
    expected = trace_draw(logits, 0.8, 9, 0.95, torch.Generator().manual_seed(3))
    assert view.trace() == expected
    browser_sends(view, draws=1)
    chance = expected.stages[-1].probabilities[expected.drawn]
    rank = 1 + expected.kept().index(expected.drawn)
    assert view.last == {"id": expected.drawn, "chance": chance, "rank": rank, "seed": 3}
    assert (view.drawn, view.seed, view.n_drawn) == ([expected.drawn], 4, 1)
    assert view.answered == {"text": "Anna is at", "drawn": view.drawn, "draws": 1}
    assert view.trace() == trace_draw(read("anna is at", view.drawn).logits, 0.8, 9, 0.95, 4)

    # taken back, the same seed draws the same; several draws are as many single ones
    browser_sends(view, drawn=[], seed=3)
    browser_sends(view, draws=2, how_many=4)
    ids = []
    for seed in range(3, 7):
        ids.append(trace_draw(read("anna is at", ids).logits, 0.8, 9, 0.95, seed).drawn)
    assert view.drawn == ids and view.seed == 7
    assert view.start["drawn"] == [] and view.start["top_p"] == 0.95


def test_the_text_ends_and_what_cannot_be_read_is_said(read):
    view = NextToken(read, trace_draw, "anna", drawn=[EOS_ID])
    assert view.over and view.trace() is None and view.message == ""
    assert "The text is over" in view.still().alt
    view.draws = 1
    assert view.drawn == [EOS_ID]
    view.drawn = []
    assert not view.over and view.trace() is not None
    browser_sends(view, text="anna sees quince", drawn=[])
    assert view.message == "Tiny Town does not know “quince”" and view.trace() is None
    assert view.answered["text"] == "anna sees quince" and "quince" in view.still().alt
    view.draws = 2
    assert view.drawn == [] and view.message
    browser_sends(view, text="", drawn=[])
    assert view.ids == [1] and view.message == ""
    view.how_many = 40  # the window ends
    view.draws = 3
    assert len(view.ids) <= 24 and (view.over or "window" in view.message)


def test_a_broken_model_becomes_a_sentence(read):
    view = NextToken(lambda text, drawn: 1 / 0, trace_draw, "a")
    assert view.message == "The model stopped with ZeroDivisionError: division by zero"
    for logits, message in (
        (torch.zeros(3), r"logits of shape (3,), expected (2,)"),
        (torch.tensor([0.0, torch.nan]), "the logits hold NaN"),
        (torch.full((2,), -torch.inf), "nothing but −∞"),
    ):
        view = NextToken(lambda text, drawn, logits=logits: ([0], logits, ["a", "b"]), trace_draw, "a")
        assert message in view.message and view.trace() is None
        assert message in view.still().alt
    one = NextToken(lambda text, drawn: ([0], torch.tensor([0.0, -torch.inf]), ["a", "b"]), trace_draw)
    assert one.trace().kept() == (0,) and "“a” 1.00" in one.still().alt


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"temperature": -1}, "temperature is -1.0, expected 0 or more"),
        ({"top_k": 0}, "top_k is 0, expected at least 1; None keeps all"),
        ({"top_p": 0.0}, "top_p is 0.0, expected above 0 and at most 1"),
        ({"top_p": 2.0}, "top_p is 2.0, expected above 0 and at most 1"),
        ({"seed": -1}, "seed is -1, expected 0 to"),
        ({"text": "a" * (MOST_CHARACTERS + 1)}, "text has 601 characters, expected at most 600"),
        ({"text": "a\ud83d"}, "text holds half of a character"),
    ],
)
def test_what_it_refuses(read, wrong, message):
    with pytest.raises(ValueError, match=message):
        NextToken(read, trace_draw, **{"text": "anna", **wrong})


def test_names_are_drawn_so_that_they_can_be_seen():
    assert drawable([b"    ", b"\n", b" def", "é".encode(), b"\xc3"]) == ["····", "⏎", "·def", "é", "⟨c3⟩"]
    assert drawable(["", " a", "b"]) == ["∅", "␣a", "b"]


def test_the_still_says_what_each_stage_removes(read):
    view = NextToken(read, trace_draw, "anna is", temperature=0.5, top_k=4, top_p=0.7)
    trace, alt = view.trace(), view.still().alt
    best = trace.kept()[0]
    assert f"Likeliest: “{view.names[best]}” {trace.stages[-1].probabilities[best]:.2f}" in alt
    assert f"temperature 0.5: Nothing is removed. top-k 4: Removed: {len(WORDS) - 4} tokens with " in alt
    gone = trace.stages[3].removed
    assert f"top-p 0.7: Removed: {len(gone)} token" in alt and f"“{view.names[gone[0]]}” " in alt
    assert "top-k: off" in NextToken(read, trace_draw, "anna", temperature=0).still().alt


# The script itself. The browser test asks the same of Chromium.

NODE = shutil.which("node")
ASK = """
const asked = JSON.parse(require("fs").readFileSync(0, "utf8"));
const numbers = (row) => Float32Array.from(row, (x) => (x === null ? -Infinity : x));
console.log(JSON.stringify(asked.map(({ logits, settings }) => stagesOf(numbers(logits), settings)
  .map(({ name, chances, removed }) => ({ name, chances: [...chances], removed })))));
"""


def cases() -> list[dict]:
    draw = random.Random(0)
    found = []
    for n in range(300):
        size = draw.choice([1, 2, 5, 40, 2048])
        spread = draw.choice([0.0, 0.3, 3.0, 12.0])
        logits = torch.randn(size, generator=torch.Generator().manual_seed(n)) * spread
        if n % 3 == 0:
            logits = logits.round()  # many that are equal
        if n % 7 == 0 and size > 2:
            logits[1] = -torch.inf
        settings = {
            "temperature": draw.choice([0, 1e-6, 0.1, 0.7, 1, 1.7, 10]),
            "top_k": draw.choice([None, 1, 3, 50, 5000]),
            "top_p": draw.choice([None, 0.01, 0.25, 0.5, 0.9, 0.99, 1]),
        }
        found.append({"logits": logits.tolist(), "settings": settings})
    even = {"temperature": 1, "top_k": None, "top_p": 0.9}  # nine tenths, exactly: nine stay
    return [*found, {"logits": [0.0] * 10, "settings": even}]


@pytest.mark.skipif(NODE is None, reason="without Node the script runs in the browser tests only")
def test_the_browser_computes_as_python():
    source = "\n".join(
        (BROWSER / f"{part}.js").read_text("utf-8") for part in ("painting", "next_token/filters")
    )
    asked = cases()
    sent = json.dumps(asked).replace("-Infinity", "null")
    done = subprocess.run(
        [NODE, "-e", source + ASK], input=sent, capture_output=True, text=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr
    seen = set()
    for case, stages in zip(asked, json.loads(done.stdout), strict=True):
        trace = trace_draw(torch.tensor(case["logits"]), **case["settings"])
        assert [stage["name"] for stage in stages] == [stage.name for stage in trace.stages]
        for mine, stage in zip(stages, trace.stages, strict=True):
            assert mine["removed"] == list(stage.removed), (case["settings"], stage.name)
            np.testing.assert_allclose(mine["chances"], stage.probabilities, atol=5e-6)  # 32 bits there
            seen.add((stage.name, bool(stage.removed)))
    assert len(seen) == 7  # "model" removes nothing
