"""ChatBeside without a browser: answers, verdicts, the tally, a chat that goes on, stops, its still."""

from types import SimpleNamespace

import pytest
import torch

from course_lib.models.gpt import GPTConfig
from course_lib.tasks.assistant import END_ID, WORDS
from course_lib.tasks.assistant.beside import Beside
from course_lib.tasks.assistant.marks import WHOLE, mark
from course_lib.tasks.assistant.offered import told_story
from course_lib.tasks.assistant.rounds import chat_of
from course_lib.text.chat import Turn, encode_chat, read_turns
from course_lib.widgets import ChatBeside

STORY = "anna is at the farm . tom has a red ball ."


class Says:
    """A model that answers as a function of the turns that it reads, and keeps what it read."""

    def __init__(self, say):
        self.say, self.read = say, []

    def next_logits(self, tokens, state):
        if state is None:
            self.read.append(read_turns(tokens[0].tolist(), WORDS))
            text = self.say(self.read[-1])
            call = [WORDS.special["<|call|>"]] if text.startswith("calculate") else []
            state = [*call, *WORDS.encode(text), END_ID]
        logits = torch.zeros(1, len(WORDS.tokens))
        logits[0, state[0]] = 1
        return logits, None, state[1:]


def always(text):
    return Says(lambda turns: text)


def reckons():
    return Says(lambda turns: "that is 42 ." if turns[-2].role == "tool" else "calculate 17 + 25")


def ask(view, question=None, goes_on=False):
    """What the browser sends: a question, then message after message."""
    state = {"asks": view.asks + 1, "goes_on": goes_on}
    view.set_state(state if question is None else {"question": question, **state})
    n = 0
    while view.writing:
        view.set_state({"steps": view.steps + 1})
        n += 1
        assert n < 200
    assert view.answered == {"asks": view.asks, "steps": view.steps, "stops": view.stops}
    return n


def marks(view):
    return [(one["sign"], one["verdict"], one["style"]) for one in view.rounds[-1]["answers"]]


def test_each_stage_answers_a_token_at_a_time_and_is_judged():
    stages = {
        "short": always("at the farm ."),
        "whole": always("well , anna is at the farm ."),
        "wrong": always("in the park ."),
        "refuses": always("the story does not say ."),
        "endless": always("the " * 90),
    }
    view = ChatBeside(Beside(stages), STORY, "where is anna ?")
    assert view.stages == list(stages) and view.rounds == [] and not view.writing and view.message == ""
    view.asks = 1
    assert view.writing and [one["turns"] for one in view.rounds[0]["answers"]] == [[]] * 5
    for n in range(1, 5):
        view.steps = n
        assert view.rounds[0]["answers"][2]["turns"] == [
            ["assistant", " ".join(["in", "the", "park", "."][:n])]
        ]
    view.steps = 5
    assert view.rounds[0]["answers"][2]["ended"] == "answer" and view.writing
    for n in range(6, 41):
        view.steps = n
    assert not view.writing
    truth = "the answer is: anna is at the farm ."
    assert marks(view) == [
        ("✓", "right", "a short answer"),
        ("✓", "right", "a whole sentence, with a filler"),
        ("✗", f"wrong; {truth}", ""),
        ("✗", f"refused falsely; {truth}", ""),
        ("✗", f"wrong, it did not end; {truth}", ""),
    ]
    keys = ("asked", "right", "refused rightly", "refused falsely", WHOLE)
    assert [[one[key] for key in keys] for one in view.tally] == [
        [1, 1, 0, 0, 0], [1, 1, 0, 0, 1], [1, 0, 0, 0, 0], [1, 0, 0, 1, 0], [1, 0, 0, 0, 0]
    ]  # fmt: skip
    [read] = stages["short"].read
    assert read == [Turn("user", f"{STORY} where is anna ?"), Turn("assistant", "")]

    ask(view, "where is leo ?")
    assert len(view.rounds) == 1, "a new chat"
    assert marks(view)[3] == ("✓", "refused rightly", "a whole sentence")
    assert [view.tally[3][key] for key in keys] == [2, 1, 1, 1, 1]
    ask(view, "how is the tool ?")
    assert marks(view)[0] == ("–", "no question that the Town can judge", "") and view.tally[0]["asked"] == 2


def test_tools_are_seen_and_a_sum_is_asked_without_the_story():
    model = reckons()
    view = ChatBeside(Beside({"sft": model}), STORY, "what is 17 + 25 ?")
    ask(view)
    [answer] = view.rounds[0]["answers"]
    assert answer["turns"] == [
        ["call", "calculate 17 + 25"], ["tool", "42"], ["assistant", "that is 42 ."]
    ]  # fmt: skip
    assert marks(view) == [("✓", "right", "a whole sentence")] and view.rounds[0]["story"] == ""
    assert model.read[0][0] == Turn("user", "what is 17 + 25 ?")
    # the story is told with the first question about it
    model.say = lambda turns: "tom ."
    ask(view, "who has the red ball ?", goes_on=True)
    assert view.rounds[1]["story"] == STORY and marks(view)[0][0] == "✓"


def test_and_then_goes_on_in_the_same_chat():
    first, second = always("at the farm ."), always("in the park .")
    view = ChatBeside(Beside({"a": first, "b": second}), STORY, "where is anna ?")
    ask(view)
    ask(view, "who has the red ball ?", goes_on=True)
    assert [one["question"] for one in view.rounds] == ["where is anna ?", "who has the red ball ?"]
    assert second.read[-1][:3] == [
        Turn("user", f"{STORY} where is anna ?"),
        Turn("assistant", "in the park ."),
        Turn("user", "who has the red ball ?"),
    ]
    assert view.tally[0]["asked"] == 2 and len(encode_chat(chat_of(view.rounds, 0), WORDS)) > 25
    ask(view)
    assert len(view.rounds) == 1


def test_stop_leaves_what_is_written_and_counts_nothing():
    view = ChatBeside(Beside({"a": always("at the farm ."), "b": always(".")}), STORY, "where is anna ?")
    view.asks = 1
    for n in range(1, 3):
        view.steps = n
    view.stops = 1
    assert not view.writing and view.answered["stops"] == 1
    a, b = view.rounds[0]["answers"]
    assert a["turns"] == [["assistant", "at the"]] and a["verdict"] == "stopped: no verdict"
    assert b["sign"] == "✗" and [one["asked"] for one in view.tally] == [0, 1]
    view.steps = 3
    assert view.rounds[0]["answers"][0] == a, "a message that comes late writes nothing"
    assert ask(view, "where is leo ?") == 5
    # asked again before the end, and the chat set from outside, as Undo does it
    view.asks += 1
    view.asks += 1
    assert view.writing and len(view.rounds) == 1
    before = view.rounds
    view.set_state({"rounds": [], "tally": [dict.fromkeys(view.tally[0], 0)] * 2})
    assert not view.writing and before and view.rounds == []
    view.steps += 1
    assert view.rounds == [] and view.message == ""


def test_what_cannot_be_asked_is_said_and_stays():
    model = always("the " * 30)
    model.config = SimpleNamespace(max_len=40, vocab_size=len(WORDS.tokens))
    view = ChatBeside(Beside({"gpt": model}), STORY, "where is anna ?")
    view.set_state({"text": "anna is at the quince . Zebra", "question": "where is bob ?"})
    assert view.message == "Tiny Town does not know “quince”, “zebra”, “bob”"
    assert view.unread
    ask(view)
    assert view.rounds == [] and view.text.endswith("Zebra") and "quince" in view.still().alt
    view.set_state({"text": STORY, "question": "  "})
    assert view.message == "" and view.unread == ""
    ask(view)
    assert view.message == "Write a question, or choose one of the Town's"
    view.set_state({"text": f"{STORY} " * 3, "question": "where is anna ?"})
    ask(view)
    assert view.message == "The chat has 44 tokens, and the model reads at most 40: tell a shorter story"
    view.set_state({"text": STORY})
    ask(view)
    assert view.message == "" and len(view.rounds) == 1
    ask(view, goes_on=True)
    assert view.message.startswith("The chat of gpt has ") and "begin a new one with “Ask”" in view.message
    assert len(view.rounds) == 1 and not view.writing


def test_a_broken_stage_stops_alone():
    def breaks(turns):
        raise RuntimeError("no weights")

    view = ChatBeside(
        Beside({"good": always("at the farm ."), "bad": Says(breaks)}), STORY, "where is anna ?"
    )
    ask(view)
    assert view.message == "bad stopped with RuntimeError: no weights"
    assert [sign for sign, *_ in marks(view)] == ["✓", "–"]
    ask(view)
    assert view.tally[0]["right"] == 2


def test_another_story_brings_its_questions():
    view = ChatBeside(Beside({"a": always(".")}), number=4)
    assert view.text == told_story(4) and view.question == view.menu[0][1][0]
    view.set_state({"number": 5})
    assert view.text == told_story(5) and view.question == view.menu[0][1][0]
    questions = [question for _, some in view.menu for question in some]
    view.set_state({"text": "tom is in the park ."})
    assert [question for _, some in view.menu for question in some] != questions
    view.set_state({"text": "anna is at the farm .", "number": 4, "question": "where is tom ?"})
    assert (view.text, view.question) == ("anna is at the farm .", "where is tom ?"), "as Undo brings it back"
    view.set_state(view.start)
    assert (view.text, view.number) == (told_story(4), 4) and view.question == view.start["question"]
    for name, value, says in (
        ("text", "a" * 601, "text has 601 characters, expected at most 600"),
        ("question", "\ud800", "question holds half of a character"),
        ("number", -1, "number is -1, expected 0 or more"),
    ):
        with pytest.raises(ValueError, match=says):
            setattr(view, name, value)


def test_its_still_says_all():
    view = ChatBeside(Beside({"sft": reckons(), "<b>": always("in the park .")}), STORY, "what is 17 + 25 ?")
    still = view.still()
    assert "Nothing was asked yet." in still.alt and STORY in still.alt and "sft, <b>" in still.alt
    ask(view)
    still = view.still()
    assert "sft: calls: calculate 17 + 25 | result: 42 | that is 42 . (✓ right)" in still.alt
    assert "Right: sft 1 of 1, <b> 0 of 1." in still.alt
    assert still.png() and "&lt;b&gt;" in view._repr_mimebundle_()[0]["text/html"]


def test_stages_that_are_none_are_refused():
    other = GPTConfig(50, d_model=8, n_heads=1, n_layers=1, d_ff=8, max_len=8).build()
    with pytest.raises(ValueError, match=r"stages\['base'\] knows 50 tokens, expected the assistant's"):
        ChatBeside(Beside({"base": other}))
    for stages, says in (
        ({}, "stages is 0"),
        ([other], "stages is list"),
        ({str(i): other for i in range(7)}, "7"),
    ):
        with pytest.raises(ValueError, match=says):
            ChatBeside(Beside(stages))


def test_marks_of_what_the_tool_does_not_say():
    right = mark("", "what is 7 ÷ 2 ?", Turn("assistant", "the tool does not say ."), "answer")
    assert right.verdict == "refused rightly" and "right" in right.counts
    calls = mark("", "what is 1 + 1 ?", Turn("call", "calculate 1 + 1"), "calls")
    assert calls.verdict.startswith("wrong, one call too many; ") and calls.counts == ("asked",)
