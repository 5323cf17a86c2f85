"""LossMaskStrip and AnswerGroup without a browser; their scripts give what training gives."""

import json
import math
import random
import shutil
import subprocess

import numpy as np
import pytest
import torch

from course_lib.tasks.assistant import WORDS
from course_lib.text.chat import Turn, chat_row
from course_lib.text.chat_rows import pack_chats
from course_lib.text.tokenizers import UNK_ID, WordTokenizer
from course_lib.training.rewards import CLIP, clipped_gain, group_advantages, grpo
from course_lib.viz import groups
from course_lib.viz.diagrams.loss_strip import counted
from course_lib.widgets import AnswerGroup, LossMaskStrip
from course_lib.widgets.front import BROWSER
from course_lib.widgets.loss_mask_strip import strip_of

ASKED = [("user", "anna is at the farm . where is anna ?"), ("assistant", "at the farm .")]
SUM = [
    Turn("user", ("what", "is", "1", "7", "+", "2", "5", "?")),
    Turn("call", ("calculate", "1", "7", "+", "2", "5")),
    Turn("tool", "42"),
    Turn("assistant", ("that", "is", "4", "2", ".")),
]


def browser_sends(widget, **state) -> None:
    """What arrives when the browser has changed these traits, in one message."""
    widget.set_state(state)


# ---------------------------------------------------------------- LossMaskStrip


@pytest.mark.parametrize("chats", [[ASKED], [SUM], [ASKED, SUM], [[("system", "the town"), *SUM, *ASKED]]])
def test_the_strip_is_the_row_that_is_trained(chats):
    view = LossMaskStrip(chats if len(chats) > 1 else chats[0], WORDS)
    row = pack_chats([chat_row(turns, WORDS) for turns in chats], 200)
    tokens = view.row()
    assert [token.id for token in tokens] == row.ids[0].tolist()
    assert view.trained() == row.answer[0].tolist()
    assert [token.chat for token in tokens] == row.chats[0].tolist()
    assert view.labels() == row.labels[0, 1:].tolist()
    assert tokens[view.place].role in ("assistant", "call") and tokens[view.place + 1].trained
    written = [turn for turns in chats for turn in turns if turn[0] in ("assistant", "call")]
    assert f"Ends trained: {len(written)}; turns that the assistant writes: {len(written)}." in counted(
        tokens
    )


def test_a_tools_result_is_given_in_its_own_kind():
    view = LossMaskStrip(SUM, WORDS)
    kinds = {(token.token, token.role): token.kind for token in view.row()}
    assert kinds["4", "tool"] == "tool" and kinds["4", "assistant"] == "trained"
    assert kinds["<|call|>", "call"] == "trained" and kinds["<|assistant|>", "call"] == "given"
    assert kinds["<|tool|>", "tool"] == "given" and kinds["<|end|>", "tool"] == "given"
    assert view.chats[0][0] == ["user", "what is 17 + 25 ?"], "tuples of tokens become text"
    alt = view.still().alt
    assert "<|tool|> 4 2 <|end|>" in alt and "[trained: that is 4 2 . <|end|>]" in alt


def test_the_loss_on_everything_trains_all_but_the_first_token_of_a_chat():
    view = LossMaskStrip([ASKED, SUM], WORDS, loss="everything")
    row = pack_chats([chat_row(turns, WORDS) for turns in (ASKED, SUM)], 200)
    first = [i for i, one in enumerate(row.ids[0].tolist()) if one == 1]
    assert [i for i, trained in enumerate(view.trained()) if not trained] == first
    assert view.labels()[first[1] - 1] == -100, "no chat says how the next one begins"
    assert "Ends trained: 6; turns that the assistant writes: 3." in view.still().alt


def test_own_text_and_markers_that_are_typed():
    view = LossMaskStrip(ASKED, WORDS)
    browser_sends(view, chats=[[["user", "Quince <|end|> tom"], ["assistant", "no ."]]], place=40)
    typed = [(token.typed, token.id) for token in view.row() if token.role == "user" and not token.marker]
    assert [word for word, _ in typed] == ["quince", "<", "|", "end", "|", ">", "tom"]
    assert all(i == UNK_ID for word, i in typed if word != "tom")
    assert view.place == len(view.row()) - 1 and view.answered == view.chats and view.message == ""
    browser_sends(view, chats=[[["user", ""]]])
    assert view.message.startswith("The chat has no turn of the assistant") and not any(view.trained())
    assert [token.token for token in view.row()] == ["[BOS]", "<|user|>", "<|end|>"]
    assert "0 of them trained" in view.still().alt
    browser_sends(view, **view.start)
    assert view.chats == [[list(turn) for turn in ASKED]] and view.place == view.start["place"]


@pytest.mark.parametrize(
    ("chats", "more", "message"),
    [
        ([], {}, "expected 1 to 4 of 1 to 12"),
        ([ASKED] * 5, {}, "chats has 5 chats"),
        (ASKED * 7, {}, "chats has 1 chats of 14 turns"),
        ([("robot", "hi")], {}, "role is 'robot', expected one of system, user, assistant, call, tool"),
        ([("user", "a" * 301)], {}, "a text has 301 characters, expected at most 300"),
        (ASKED, {"loss": "all"}, "loss is 'all', expected one of answers, everything"),
        (ASKED, {"place": 99}, "place is 99, expected a place in the row, from 0 to 18"),
    ],
)
def test_what_the_strip_refuses(chats, more, message):
    with pytest.raises(ValueError, match=message):
        LossMaskStrip(chats, WORDS, **more)


def test_it_needs_the_words_of_a_chat():
    with pytest.raises(ValueError, match="tokenizer is a WordTokenizer, expected ChatWords"):
        LossMaskStrip(ASKED, WordTokenizer(["a"]))


# ---------------------------------------------------------------- AnswerGroup


def draw(seed: int) -> list:
    rng = random.Random(seed)
    words = ["in", "the", "park", "farm", "well", "."]
    return [
        (answer := [rng.choice(words) for _ in range(rng.randrange(1, 9))], [-rng.random() for _ in answer])
        for _ in range(8)
    ]


REWARDS = {
    "right": lambda tokens: float("park" in tokens),
    "right and whole": lambda tokens: ("park" in tokens) + 0.5 * (tokens[-1] == "."),
    "flawed: the longer the better": len,
    "the same for all": lambda tokens: 1 / 3,
}


@pytest.mark.parametrize("name", REWARDS)
def test_rewards_are_compared_as_training_does_it(name):
    view = AnswerGroup(draw, REWARDS, "where is anna ?", seed=3, reward=name)
    rewards = torch.tensor([[float(REWARDS[name](tokens)) for tokens, _ in draw(3)]])
    group = view.groups[name]
    np.testing.assert_allclose(group.advantages, group_advantages(rewards)[0], atol=1e-6)
    assert group.mean == pytest.approx(rewards.mean().item())
    assert group.no_signal == (name == "the same for all")
    if group.no_signal:
        assert group.advantages == [0.0] * 8 and "no signal, all advantages are 0" in view.still().alt
    else:
        assert group.std == pytest.approx(rewards.std().item())
        assert "Mean " in view.still().alt and "are pushed up" in view.still().alt


def test_any_rewards_give_the_advantages_of_training():
    rng = random.Random(0)
    assert groups.EQUAL == 1e-6 and groups.CLIP == CLIP
    for _ in range(200):
        scale = 10 ** rng.uniform(-3, 3)
        rewards = [scale * rng.choice([0, 1, 1, -1, rng.random()]) for _ in range(rng.randrange(2, 9))]
        expected = group_advantages(torch.tensor([rewards], dtype=torch.float64))[0]
        np.testing.assert_allclose(groups.compare(rewards).advantages, expected, atol=1e-9)
    for wrong, message in (([1.0], "G at least 2"), ([0.0, math.nan], "expected finite numbers")):
        with pytest.raises(ValueError, match=message):
            groups.compare(wrong)


def stepped(answers, advantages) -> list:
    """Log-probabilities after one step: they go where the advantage pushes, some further than the clip."""
    return [
        [value + 0.15 * advantage * (1 + t % 3) for t, value in enumerate(log_probs)]
        for (_, log_probs), advantage in zip(answers, advantages, strict=True)
    ]


def test_the_second_step_has_the_ratios_and_the_objective_of_grpo():
    view = AnswerGroup(draw, REWARDS, seed=5, reward="right", second_step=stepped)
    assert view.ratios() == [[1.0] * len(tokens) for tokens, _ in draw(5)] and view.ratio == []
    browser_sends(view, step=2)
    answers, advantages = draw(5), view.groups["right"].advantages
    longest = max(len(tokens) for tokens, _ in answers)
    old, now = torch.zeros(2, 8, longest).double()
    answer = torch.zeros(8, longest, dtype=torch.bool)
    for g, ((_, was), new) in enumerate(zip(answers, stepped(answers, advantages), strict=True)):
        old[g, : len(was)], now[g, : len(was)] = torch.tensor([was, new], dtype=torch.float64)
        answer[g, : len(was)] = True
    done = grpo(
        now, old, None, torch.tensor(advantages, dtype=torch.float64), answer, clip=0.2, kl_weight=0.0
    )
    gains = [
        [groups.gain(ratio, advantage, 0.2) for ratio in row]
        for row, advantage in zip(view.ratio, advantages, strict=True)
    ]
    objective = np.mean([np.mean([value for value, _ in row]) for row in gains])
    assert objective == pytest.approx(-done.loss.item(), abs=1e-9)
    held = [is_held for row in gains for _, is_held in row]
    assert np.mean(held) == pytest.approx(done.clipped.item(), abs=1e-6) and 0 < sum(held) < len(held)


def test_a_gain_is_that_of_the_clip():
    for ratio in (0.5, 0.8, 1.0, 1.1, 1.2, 1.7):
        for advantage in (-1.3, 0.0, 0.7):
            for clip in (0.0, 0.1, 0.2, 1.0):
                value, held = groups.gain(ratio, advantage, clip)
                expected = clipped_gain(torch.tensor(ratio).double(), torch.tensor(advantage).double(), clip)
                assert value == pytest.approx(expected.item()) and held == (value < ratio * advantage)


def test_draw_again_and_another_reward():
    seeds = []

    def told(seed: int):
        seeds.append(seed)
        return draw(seed)

    view = AnswerGroup(told, REWARDS)
    browser_sends(view, reward="right and whole")
    browser_sends(view, step=2)
    assert seeds == [0] and view.ratio == view.ratios(), "without a second step all ratios stay 1"
    browser_sends(view, seed=1, step=1)
    assert seeds == [0, 1] and view.answered == {"seed": 1, "reward": "right and whole", "step": 1}
    assert [one["tokens"] for one in view.said] == [tokens for tokens, _ in draw(1)]
    np.testing.assert_allclose(view.said[0]["chances"], np.exp(draw(1)[0][1]))
    assert view.compared.keys() == REWARDS.keys()


@pytest.mark.parametrize(
    ("drawn", "message"),
    [
        ([], "draw gave 0 answers, expected 2 to 16"),
        ([(["a"], [-1.0])] * 17, "draw gave 17 answers"),
        ([(["a"], [-1.0]), ([], [])], "draw gave 0 tokens and 0 log-probabilities as answer 1"),
        ([(["a"], [-1.0]), (["a"], [-1.0, -2.0])], "1 tokens and 2 log-probabilities"),
        ([(["a"], [0.4])] * 2, "up to 0.4 as answer 0, expected at most 0: are these probabilities"),
        ([(["a"], [math.nan])] * 2, "draw gave log-probabilities up to nan"),
    ],
)
def test_what_draw_must_give(drawn, message):
    view = AnswerGroup(lambda seed: drawn, {"right": len})
    assert message in view.message and view.said == [] and message in view.still().alt


def test_broken_functions_become_a_sentence_and_wrong_settings_are_refused():
    view = AnswerGroup(draw, {"right": lambda tokens: 1 / 0})
    assert view.message == "A function of this view stopped with ZeroDivisionError: division by zero"
    assert "ZeroDivisionError" in view.still().alt and len(view.said) == 8 and view.compared == {}
    view = AnswerGroup(draw, {"right": len}, second_step=lambda answers, advantages: [[0.0]])
    browser_sends(view, step=2)
    assert view.message.startswith("second_step gave [1] log-probabilities, expected [")
    view.step = 1
    assert view.message == ""
    for wrong, message in (
        ({"rewards": {}}, "expected name → function, 1 to 6"),
        ({"rewards": len}, "expected name → function, 1 to 6"),
        ({"reward": "left"}, "reward is 'left', expected one of right"),
        ({"clip": 1.0}, "clip is 1.0, expected ε of at least 0 and below 1"),
        ({"seed": -1}, "seed is -1, expected 0 to"),
    ):
        with pytest.raises(ValueError, match=message):
            AnswerGroup(draw, **{"rewards": {"right": len}, **wrong})


# ---------------------------------------------------------------- the scripts

NODE = shutil.which("node")
ASK = """
const asked = JSON.parse(require("fs").readFileSync(0, "utf8"));
const inQuotes = (token) => token;
console.log(JSON.stringify({
  rows: asked.rows.map(([tokens, loss]) => ({
    counts: countRow(tokens, loss), said: sayCounts(tokens, loss),
    labels: tokens.slice(0, -1).map((_, i) => labelAt(tokens, i, loss))
      .map(({ next, trained }) => (trained ? next.id : -100)),
    places: tokens.map((_, i) => sayPlace(tokens, i, loss).join(" ")),
  })),
  groups: asked.groups.map(([ratios, advantages, clip]) => objectiveOf(ratios, advantages, clip)),
}));
"""


@pytest.fixture(scope="module")
def answers() -> dict:
    if NODE is None:
        pytest.skip("without Node the scripts run in the browser tests only")
    rng = random.Random(1)
    rows = [
        (chats, loss)
        for chats in ([ASKED], [SUM, ASKED], [[("user", "quince")]])
        for loss in ("answers", "everything")
    ]
    drawn = [
        ([[math.exp(rng.gauss(0, 0.3)) for _ in range(rng.randrange(1, 9))] for _ in range(4)],
         [rng.choice([-1.2, 0.0, 0.4, 1.5]) for _ in range(4)], rng.choice([0, 0.1, 0.2]))
        for _ in range(100)
    ]  # fmt: skip
    views = [LossMaskStrip(chats, WORDS, loss=loss) for chats, loss in rows]
    asked = {"rows": [[view.tokens, view.loss] for view in views], "groups": drawn}
    parts = ("loss_mask_strip/shifted", "answer_group/clip")
    source = "\n".join((BROWSER / f"{part}.js").read_text("utf-8") for part in parts) + ASK
    done = subprocess.run(
        [NODE, "-e", source], input=json.dumps(asked), capture_output=True, text=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr
    return {**json.loads(done.stdout), "views": views, "drawn": drawn}


def test_the_browser_counts_and_shifts_as_python(answers):
    for view, found in zip(answers["views"], answers["rows"], strict=True):
        row, counts = view.row(), found["counts"]
        assert found["labels"] == view.labels()
        assert counted(row) == (
            f"{counts['tokens']} tokens, {counts['trained']} of them trained. Ends trained: "
            f"{counts['ends']}; turns that the assistant writes: {counts['turns']}."
        )
        assert "nothing comes next" in found["places"][-1]
    packed = answers["rows"][2]["places"]
    [boundary] = [said for said in packed if "begins another chat" in said]
    assert "the label is −100" in boundary
    assert any("Typed was quince" in said for said in answers["rows"][4]["places"])


def test_the_browser_clips_as_python(answers):
    for (ratios, advantages, clip), found in zip(answers["drawn"], answers["groups"], strict=True):
        gains = [[groups.gain(r, a, clip) for r in row] for row, a in zip(ratios, advantages, strict=True)]
        assert found["objective"] == pytest.approx(np.mean([np.mean([v for v, _ in row]) for row in gains]))
        assert found["held"] == sum(held for row in gains for _, held in row)
        assert found["up"] + found["down"] + found["held"] <= found["all"] == sum(map(len, ratios))


def test_a_row_is_made_of_its_chats():
    row = strip_of([ASKED, SUM], WORDS)
    assert [token for token in row if token.chat == 1] == [
        token._replace(chat=1) for token in strip_of([SUM], WORDS)
    ]
