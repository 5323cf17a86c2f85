"""A conversation with the Town's assistant, in the terminal: what `python3 -m course_lib chat` starts."""

import shutil
import sys
import textwrap
from collections.abc import Callable, Iterator

from course_lib.data import town
from course_lib.tasks.assistant import (
    WORDS,
    Conversation,
    Said,
    Stopped,
    examples,
    markers,
    strange,
    why_unread,
)
from course_lib.tools import Problem
from course_lib.tools.screen import Screen, shortened
from course_lib.training.interrupts import Interrupts

HELP = """\
Type a question and press Enter. The story above belongs to the first one, so you need not tell it.
  /story          a new story, and a new chat
  /own            a story of your own, and a new chat (or: /own tom is in the park .)
  /stage NAME     another stage answers from now on: {stages}
  /again          the last question once more, after /stage for example
  /help           this
  /quit, Ctrl+D   leave
Ctrl+C while it writes ends that turn. Lines with [call] and [tool] are a tool that it uses.
Stories of one or two sentences are unusual for it; it answers longer ones better."""
LEAVE = "To leave: /quit or Ctrl+D."
NOT_THERE = "The weights of {} are missing or damaged."
OTHER_STORY = 'tell one in words of the Town (--story "tom is in the park ."), or leave --story out.'
RESTORE = "type git checkout -- assets/checkpoints (or unpack the ZIP file again)"


class Chatting:
    """What a person types, done one line after another.

    Args:
        chat: that answers.
        stages: names that may be typed after /stage.
        screen: where lines come from and go to.
        seed: of the Town's stories.
    """

    def __init__(self, chat: Conversation, stages: tuple[str, ...], screen: Screen, seed: int) -> None:
        self.chat, self.stages, self.screen = chat, stages, screen
        self._stories, self._seed = _told(seed), seed

    def run(self, story: str | None = None) -> int:
        """Tell a story, then read lines until the person leaves; the exit code.

        story: their own, which has to be told; None: the Town tells one.
        """
        if story is None:
            self.screen.note(f"The Town tells the same stories again with --seed {self._seed}.")
            self._story("")
        elif wrong := self._tell(story):
            print(Problem(wrong, OTHER_STORY), file=sys.stderr)
            return 2
        while True:
            try:
                if not self._line(self.screen.read("you> ").strip()):
                    return 0
            except EOFError:
                if self.screen.interactive:
                    self.screen.line("")
                return 0
            except KeyboardInterrupt:
                if not self.screen.interactive:
                    raise
                self.screen.line("")
                self.screen.note(LEAVE)

    def _line(self, typed: str) -> bool:
        """Do what is typed; False: leave."""
        name, _, rest = typed.partition(" ")
        commands: dict[str, Callable[[str], object]] = {
            "/story": self._story,
            "/own": self._own,
            "/stage": self._stage,
            "/again": self._again,
            "/help": lambda _: self.screen.line(HELP.format(stages=", ".join(self.stages))),
        }
        if name == "/quit":
            return False
        if name in commands:
            commands[name](rest.strip())
        elif name.startswith("/"):
            self.screen.note(f"There is no {shortened(name)} here: {', '.join(commands)}, /quit.")
        elif typed:
            self._ask(typed)
        return True

    # ------------------------------------------------------------ stories and stages

    def _story(self, _: str) -> None:
        for story in self._stories:
            try:
                self.chat.tell(story.english_tokens)
                break
            except ValueError:  # too long a story for the window: the next one
                continue
        self._show_story("A story of Tiny Town:")

    def _own(self, text: str) -> None:
        text = text or self.screen.read("story> ").strip()
        if not text:
            self.screen.note("No story was typed. The chat goes on as it was.")
        elif wrong := self._tell(text):
            self._mend(wrong, f"/own {text}")

    def _tell(self, text: str) -> str:
        """Tell a typed story; or say what is wrong with it: the chat goes on as it was."""
        if wrong := _unknown(text):
            return wrong
        tokens = WORDS.split(text)
        if not tokens:
            return "There is no word in this story."
        try:
            self.chat.tell(tokens)
        except ValueError as error:
            return f"This is too long: {error}."
        self._say_markers(text)
        self._show_story("Your story:")
        if why := why_unread(self.chat.story):
            self.screen.note(f"The Town cannot read it, and judges no answer about it: {why}.")
        return ""

    def _show_story(self, title: str) -> None:
        screen, story = self.screen, self.chat.story
        screen.line("")
        screen.line(title)
        width = min(shutil.get_terminal_size().columns, 100)
        screen.line(textwrap.fill(town.detokenise(story), width, initial_indent="  ", subsequent_indent="  "))
        asked = " or: ".join(" ".join(words) for words in examples(story))
        screen.note(f"{self.chat.stage} answers. " + (f"Ask: {asked}  " if asked else "") + "(/help)")

    def _stage(self, name: str) -> None:
        if name not in self.stages:
            said = f"There is no stage {shortened(name)!r}" if name else f"{self.chat.stage} answers"
            self.screen.note(f"{said}; the stages are {', '.join(self.stages)}.")
            return
        try:
            self.chat.switch(name)
        except (OSError, ValueError):
            self.screen.note(f"{NOT_THERE.format(name)} To mend it, leave and {RESTORE}.")
            return
        self.screen.note(f"{name} answers from now on, in the same chat.")

    # ------------------------------------------------------------ questions

    def _ask(self, typed: str) -> None:
        if wrong := _unknown(typed):
            self._mend(wrong, typed)
            return
        self._say_markers(typed)
        try:
            self._answer(lambda *how: self.chat.ask(typed, *how))
        except ValueError as error:
            self._mend(f"This is too long: {error}.", typed)

    def _again(self, _: str) -> None:
        if not self.chat.asked:
            self.screen.note("Nothing was asked yet.")
            return
        self.screen.note(shortened(self.chat.asked, 100))
        self._answer(self.chat.again)

    def _answer(self, ask: Callable[..., Said]) -> None:
        turn = self.screen.turn(self.chat.stage)
        try:
            with Interrupts() as stop:
                said = ask(turn.show, lambda: stop.wanted)
        except (Stopped, KeyboardInterrupt):
            turn.end()
            self.screen.note("Stopped. The chat goes on as if this had not been asked.")
            return
        turn.end()
        if said.reply.ended == "length":
            self.screen.note("It wrote no end of its turn, and was cut off.")
        if said.reply.ended == "calls":
            self.screen.note("It called its tool once too often, and was stopped.")
        if said.verdict:
            self.screen.verdict(f"the Town: {said.verdict.text}", said.verdict.right)
        if said.began_anew:
            self.screen.note(
                "The chat was too long for the model's window: this began a new one, with the same story."
            )

    # ------------------------------------------------------------ what is wrong with what was typed

    def _mend(self, what: str, typed: str) -> None:
        how = " Mend the line, or clear it with Ctrl+C." if self.screen.gives_back else ""
        self.screen.note(f"{what} Nothing was sent.{how}")
        self.screen.mend(typed)

    def _say_markers(self, text: str) -> None:
        if typed := markers(text):
            reads = WORDS.decode(WORDS.encode(typed[0]))
            self.screen.note(f"{', '.join(typed[:4])} is text here, and no marker: the model reads {reads}.")


def _unknown(text: str) -> str:
    """Which words of a text the Town does not know; '' when it knows them all."""
    words = strange(text)
    named = ", ".join(shortened(word, 20) for word in words[:8])
    more = f" and {len(words) - 8} more" if len(words) > 8 else ""
    return f"The Town does not know: {named}{more}." if words else ""


def _told(seed: int) -> Iterator[town.Story]:
    return town.stories(10**9, seed)
