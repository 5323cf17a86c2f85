"""A chat with the assistant, turn by turn, without any input or output: who shows it, shows it as she likes.

    chat = Conversation(stages.load, "sft", WORDS.split("tom is in the park ."))
    said = chat.ask("where is tom ?", show=print)
    said.reply.text, said.verdict.text                  in the park .   right

The story stands before the first question. What is typed can be wrong in ways that are said before anything
is sent: `strange` names words that no model here has ever read. A marker that is typed is sent, as text.
"""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from course_lib import checks
from course_lib.models.gpt import GPT
from course_lib.tasks.assistant.pen import Pen
from course_lib.tasks.assistant.tool_loop import Reply
from course_lib.tasks.assistant.verdicts import TownVerdict, verdict
from course_lib.tasks.assistant.words import WORDS
from course_lib.text.chat import Turn, encode_chat

Show = Callable[[str, str], None]  # role of the turn that is being written, the next piece of its text
SIGNS = (".", "?")
SHORTEST = 16  # tokens of a chat with a plain question, its story not counted
_MARKER = re.compile(r"<\|\w*\|>")


class Stopped(Exception):
    """Who reads has stopped the turn."""


class Said(NamedTuple):
    """What came of a question."""

    reply: Reply
    verdict: TownVerdict | None  # None: the Town cannot say
    began_anew: bool  # the chat was too long, and this is its first question again


class Conversation:
    """A story, the turns since it was told, and a model that answers; the model can change in the middle.

    Args:
        load: name of a stage to its model, in the assistant's vocabulary; called once a stage.
        stage: that answers at first.
        story: tokens; () for none.
        max_new_tokens: of one turn of the model.
        settings: temperature, top_k, top_p, generator, as for `writer`.

    Raises:
        ValueError: a story that leaves no room for a question; and whatever `load` raises.
    """

    def __init__(
        self,
        load: Callable[[str], GPT],
        stage: str,
        story: Sequence[str] = (),
        *,
        max_new_tokens: int = 40,
        **settings,
    ) -> None:
        checks.at_least_1(max_new_tokens=max_new_tokens)
        self._load, self._models = load, {}
        self._max_new_tokens, self._settings = max_new_tokens, settings
        self.turns: list[Turn] = []
        self.asked = ""  # the last question that was answered
        self._before_it = 0  # turns before that question
        self.switch(stage)
        self.tell(story)

    def switch(self, stage: str) -> None:
        """Let another stage answer from now on; the turns stay. Where `load` raises, so does the stage."""
        if stage not in self._models:
            self._models[stage] = self._load(stage)
        self.stage = stage

    def tell(self, story: Sequence[str]) -> None:
        """Begin a new chat about a story; one whose last sentence has no full stop gets one.

        Raises:
            ValueError: a story that leaves no room for a question. The chat goes on as it was.
        """
        story = tuple(story)
        story = (*story, ".") if story and story[-1] not in SIGNS else story
        most = self.room - SHORTEST
        if len(story) > most:
            raise ValueError(f"story has {len(story)} tokens, expected at most {most}: tell a shorter one")
        self.story = story
        self.turns, self.asked, self._before_it = [], "", 0

    @property
    def room(self) -> int:
        """The most tokens of a chat that leave room for a turn of the model."""
        return self._models[self.stage].config.max_len - self._max_new_tokens

    def tokens_of(self, question: str) -> int:
        """Tokens of a new chat that begins with this question."""
        return len(encode_chat([self._first(question)], WORDS, reply=True))

    def ask(self, question: str, show: Show, stopped: Callable[[], bool] = lambda: False) -> Said:
        """Ask, and let the model answer and call its tool.

        Args:
            question: any text.
            show: gets each piece as it is written: role ("assistant", "call" or "tool"), text. What a tool
                says comes as one piece; a piece that begins a turn has no space before it.
            stopped: asked before each token.

        Returns:
            what came of it. The turns grow by the question and the reply.

        Raises:
            ValueError: question and story alone are longer than `room`.
            Stopped: `stopped` said so. The turns are as before the question.
        """
        if self.tokens_of(question) > self.room:
            raise ValueError(
                f"question and story have {self.tokens_of(question)} tokens, expected at most {self.room}: "
                "ask a shorter question, or tell a shorter story"
            )
        asked = Turn("user", tuple(WORDS.split(question))) if self.turns else self._first(question)
        began_anew = len(encode_chat([*self.turns, asked], WORDS, reply=True)) > self.room
        if began_anew:
            asked = self._first(question)
        before = [] if began_anew else list(self.turns)
        sizes = {"max_new_tokens": self._max_new_tokens, "max_tokens": self.room}
        pen = Pen(self._models[self.stage], [*before, asked], **sizes, **self._settings)
        reply = _watched(pen, show, stopped)
        self.turns = [*before, asked, *reply.turns]
        self.asked, self._before_it = question, len(before)
        said = WORDS.split(reply.text)
        return Said(reply, verdict(self.story, WORDS.split(question), said), began_anew)

    def again(self, show: Show, stopped: Callable[[], bool] = lambda: False) -> Said:
        """The last question once more, perhaps of another stage, as if it had not been answered.

        Raises:
            ValueError: nothing was asked since the story was told.
        """
        if not self.asked:
            raise ValueError(
                "turns has no question yet, expected at least one: there is nothing to ask again"
            )
        kept, self.turns = self.turns, self.turns[: self._before_it]
        try:
            return self.ask(self.asked, show, stopped)
        except BaseException:
            self.turns = kept
            raise

    def _first(self, question: str) -> Turn:
        return Turn("user", (*self.story, *WORDS.split(question)))


def strange(text: str) -> list[str]:
    """Words of a text that the Town does not know, each once; what belongs to a marker is none."""
    return WORDS.unknown(_MARKER.sub(" ", text))


def markers(text: str) -> list[str]:
    """Markers that somebody typed, such as `<|end|>`, each once."""
    return list(dict.fromkeys(_MARKER.findall(text)))


def _watched(pen: Pen, show: Show, stopped: Callable[[], bool]) -> Reply:
    """Let a pen write to its end, and show each piece when it is there."""
    whole, length = 0, -1  # turns that are shown to their ends; signs of the next one
    while not pen.ended:
        if stopped():
            raise Stopped
        pen.step()
        for turn in pen.turns[whole:]:
            not_begun = turn == ("assistant", "") and not pen.ended
            if len(turn.text) > length and not not_begun:
                show(turn.role, turn.text[max(length, 0) :])
                length = len(turn.text)
            if turn is not pen.turns[-1]:
                whole, length = whole + 1, -1
    return Reply(tuple(pen.turns), pen.ended)
