"""A reply token by token is the reply that is written at once; questions that are offered can be judged."""

import pytest
import torch

from course_lib.models.gpt import GPTConfig
from course_lib.tasks.assistant import END_ID, WORDS, answer, writer
from course_lib.tasks.assistant.offered import offered, told_story
from course_lib.tasks.assistant.pen import Pen
from course_lib.tasks.assistant.verdicts import find
from course_lib.text.chat import Turn

CALL = WORDS.special["<|call|>"]
CHAT = [Turn("user", "what is 17 + 25 ?")]


class Says:
    """A model that writes given turns, one after another."""

    def __init__(self, *turns):
        self.turns = list(turns)

    def next_logits(self, tokens, state):
        rest = self.turns.pop(0) if state is None else state
        logits = torch.zeros(1, len(WORDS.tokens))
        logits[0, rest[0]] = 1
        return logits, None, rest[1:]


def call(text):
    return [CALL, *WORDS.encode(text), END_ID]


def written(pen):
    n = 0
    while not pen.ended:
        pen.step()
        n += 1
    return n


def test_a_call_is_run_between_two_turns():
    turns = call("calculate 17 + 25"), [*WORDS.encode("that is 42 ."), END_ID]
    pen = Pen(Says(*turns), CHAT)
    seen = []
    while not pen.ended:
        pen.step()
        seen.append(len(pen.turns))
    assert seen == [1] * 7 + [3] * 7 and pen.ended == "answer"  # digits are tokens of their own
    assert pen.turns == [
        Turn("call", "calculate 17 + 25"), Turn("tool", "42"), Turn("assistant", "that is 42 .")
    ]  # fmt: skip
    pen.step()
    assert len(pen.turns) == 3, "after the end nothing happens"


def test_it_ends_whatever_is_written():
    pen = Pen(Says(*[call("calculate 1 + 1")] * 9), CHAT)
    written(pen)
    assert pen.ended == "calls" and [turn.role for turn in pen.turns] == ["call", "tool"] * 2 + ["call"]
    pen = Pen(Says(WORDS.encode("the " * 90)), CHAT, max_new_tokens=5)
    assert (
        written(pen) == 5
        and pen.ended == "length"
        and pen.turns == [Turn("assistant", "the the the the the")]
    )
    pen = Pen(Says(call("calculate 1 + 1"), [END_ID]), CHAT, max_tokens=14)
    written(pen)
    assert pen.ended == "length" and pen.turns[-1].role == "tool", "no room to read the result"
    with pytest.raises(ValueError, match="conversation has 12 tokens, expected at most 11"):
        Pen(Says(), CHAT, max_tokens=11)


@pytest.mark.parametrize("seed", range(4))
def test_it_is_the_reply_that_is_written_at_once(seed):
    torch.manual_seed(seed)
    sizes = {"d_model": 16, "n_heads": 2, "n_layers": 2, "d_ff": 16, "max_len": 60, "init_std": 0.5}
    model = GPTConfig(len(WORDS.tokens), **sizes).build().train()
    with torch.no_grad():
        model.lm_head.weight[[CALL, END_ID]] *= 2  # calls and ends come, too
    chat = [Turn("user", f"{told_story(seed)[:120].rsplit(' ', 1)[0]} . where is anna ?")]
    pen = Pen(model, chat, max_new_tokens=12)
    written(pen)
    reply = answer(writer(model, 12), chat)
    assert (tuple(pen.turns), pen.ended) == reply and model.training


@pytest.mark.parametrize("number", [*range(12), 10**6])
def test_what_is_offered_is_known_and_can_be_judged(number):
    story = told_story(number)
    assert WORDS.unknown(story) == [] and story == told_story(number)
    questions = offered(WORDS.split(story), number)
    assert len(questions) >= 5 and questions == offered(WORDS.split(story), number)
    for kind, some in questions.items():
        assert some and len(set(some)) == len(some)
        for question in some:
            asked = find(WORDS.split(story), WORDS.split(question))
            assert asked is not None and asked.kind == kind, question


def test_of_a_story_that_the_town_cannot_read_only_sums_are_offered():
    assert list(offered(WORDS.split("quince"))) == list(offered(())) == ["sum"]
