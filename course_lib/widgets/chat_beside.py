"""ChatBeside: several stages of an assistant answer the same question side by side, token by token."""

from typing import Any, Protocol

import traitlets

from course_lib.viz.diagrams.chats_beside import chats_beside
from course_lib.viz.still import Still, shown
from course_lib.widgets.front import LiveView, script, styles, with_still

MOST_CHARACTERS = 600
PARTS = ("bpe/encoding", "bpe/own_text", "town/boxes", "writing/asking", "columns", "words")


class Chats(Protocol):
    """What is asked: `course_lib.tasks.assistant.beside.Beside`."""

    stages: list[str]
    vocabulary: list[str]

    def story(self, number: int) -> str: ...
    def menu(self, story: str, number: int) -> list[list]: ...
    def unread(self, story: str) -> str: ...
    def unknown(self, text: str) -> list[str]: ...
    def begin(self, before: list[dict], story: str, question: str) -> tuple[dict, list]: ...
    def written(self, now: dict, pens: list, tally: list[dict]) -> tuple[dict, list[dict]]: ...
    def nothing_yet(self) -> list[dict]: ...


class ChatBeside(LiveView):
    """A story and a question of one's own or of the Town's, and what each stage answers.

    `text` (the story) and `question` follow the reader and can be set; so does `number` (of the Town's
    story). `rounds` holds the chat so far: of each question what was asked, and each stage's answer with the
    Town's verdict; `tally` counts them. Python writes one token of each stage for a message of the browser,
    so that the chat can be stopped at any time.
    """

    _esm = script("chat_beside", "history", *PARTS)
    _css = styles()

    title = traitlets.Unicode().tag(sync=True)
    most = traitlets.Int(MOST_CHARACTERS).tag(sync=True)  # characters of the story
    stages = traitlets.List(traitlets.Unicode()).tag(sync=True)  # S names
    vocabulary = traitlets.List(traitlets.Unicode()).tag(sync=True)
    text = traitlets.Unicode().tag(sync=True)
    question = traitlets.Unicode().tag(sync=True)
    number = traitlets.Int(0).tag(sync=True)
    rounds = traitlets.List().tag(sync=True)  # {story, about, question, answers: one a stage}
    tally = traitlets.List().tag(sync=True)  # of each stage, counts by JUDGED
    start = traitlets.Dict().tag(sync=True)  # what "Reset" brings back

    asks = traitlets.Int(0).tag(sync=True)  # how often was asked
    goes_on = traitlets.Bool(False).tag(sync=True)  # the last time: in the same chat
    steps = traitlets.Int(0).tag(sync=True)  # how often a token was asked for
    stops = traitlets.Int(0).tag(sync=True)

    answered = traitlets.Dict().tag(sync=True)  # what the rest answers
    menu = traitlets.List().tag(sync=True)  # [kind, questions] pairs
    writing = traitlets.Bool(False).tag(sync=True)  # some stage has more to say
    message = traitlets.Unicode().tag(sync=True)
    unread = traitlets.Unicode().tag(sync=True)  # why the Town gives no verdicts about this story

    def __init__(
        self,
        chats: Chats,
        text: str | None = None,
        question: str | None = None,
        *,
        number: int = 0,
        title: str = "",
    ):
        """chats: `course_lib.tasks.assistant.Beside(stages)`, stages: name → model.

        text: a story of at most 600 characters; None: the Town's story with this `number`.
        question: None: the first that is offered about the story.
        Raises ValueError for a text that is too long.
        """
        self._chats = chats
        self._pens: list[Any] = []
        super().__init__(
            title=title or "The same question to each stage",
            stages=chats.stages,
            vocabulary=chats.vocabulary,
            number=number,
            text=chats.story(number) if text is None else text,
            tally=chats.nothing_yet(),
        )
        self._offer()
        self.question = self.menu[0][1][0] if question is None else question
        names = ("text", "question", "number", "rounds", "tally")
        self.start = {name: getattr(self, name) for name in names}
        self._check()
        self._say()
        self.observe(self._another, names="number")
        self.observe(self._typed, names=["text", "question"])
        self.observe(self._ask, names="asks")
        self.observe(self._step, names="steps")
        self.observe(self._stop, names="stops")
        self.observe(self._put, names="rounds")

    @traitlets.validate("text", "question")
    def _short(self, proposal) -> str:
        name, value = proposal.trait.name, proposal.value
        if name not in self._property_lock and len(value) > MOST_CHARACTERS:
            raise ValueError(f"{name} has {len(value)} characters, expected at most {MOST_CHARACTERS}")
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise ValueError(f"{name} holds half of a character, expected whole ones")
        return value

    @traitlets.validate("number")
    def _a_seed(self, proposal) -> int:
        if proposal.value < 0:
            raise ValueError(f"number is {proposal.value}, expected 0 or more: which of the Town's stories")
        return proposal.value

    # ---------------------------------------------------------------- the story and the question

    def _another(self, _change) -> None:
        """The Town's story with the new number, and a question about it."""
        with self.hold_sync():
            story = self._chats.story(self.number)
            if self.text != story and "text" not in self._property_lock:  # Undo brings both back
                self.text = story
                self.question = self.menu[0][1][0]
            self._say()

    def _typed(self, change) -> None:
        with self.hold_sync():
            if change.name == "text":
                self._offer()
            self._check()
            self._say()

    def _offer(self) -> None:
        self.menu = self._chats.menu(self.text, self.number)
        self.unread = self._chats.unread(self.text)

    def _check(self) -> None:
        """Say which words nobody knows, before anything is asked."""
        unknown = self._chats.unknown(f"{self.text} {self.question}")
        named = ", ".join(f"“{shown(word)}”" for word in unknown)
        self.message = f"Tiny Town does not know {named}" if unknown else ""

    # ---------------------------------------------------------------- the chat

    def _ask(self, _change) -> None:
        """Begin to answer; whatever goes wrong becomes a sentence in the view."""
        with self.hold_sync():
            self._check()
            if not self.message:
                self._saying(self._begin)
            self._say()

    def _begin(self) -> None:
        if self.writing:
            self._stop(None)
        before = list(self.rounds) if self.goes_on else []
        now, pens = self._chats.begin(before, self.text, self.question)
        self.rounds = [*before, now]  # before the pens: who sets it drops them
        self._pens, self.writing = pens, True

    def _step(self, _change) -> None:
        """One token of each stage that has more to say."""
        with self.hold_sync():
            if self.writing:
                self._saying(self._write)
            self._say()

    def _write(self) -> None:
        for name, pen in zip(self.stages, self._pens, strict=True):
            try:
                pen.step()
            except Exception as error:  # a broken model must not leave the view silent, nor the others
                self.message = f"{name} stopped with {type(error).__name__}: {error}"
                pen.ended = "stopped"
        self._tell()

    def _stop(self, _change) -> None:
        with self.hold_sync():
            for pen in self._pens:
                pen.ended = pen.ended or "stopped"
            if self.writing:
                self._tell()
            self._say()

    def _tell(self) -> None:
        """Put what the pens have written into the last round; judge and count what has ended."""
        pens = self._pens
        now, self.tally = self._chats.written(self.rounds[-1], pens, self.tally)
        self.rounds = [*self.rounds[:-1], now]
        self._pens, self.writing = pens, not all(pen.ended for pen in pens)

    def _put(self, _change) -> None:
        """The chat was set from outside, by Undo or Reset: what was being written is dropped."""
        self._pens, self.writing = [], False

    def _saying(self, act) -> None:
        try:
            act()
        except ValueError as error:
            self.message = str(error)
        except Exception as error:  # a broken model must not leave the view silent
            self.message = f"The model stopped with {type(error).__name__}: {error}"

    def _say(self) -> None:
        self.answered = {name: getattr(self, name) for name in ("asks", "steps", "stops")}

    def still(self) -> Still:
        """The last question with all answers, and the tally, for places where nothing is live."""
        return chats_beside(
            self.stages,
            self.rounds,
            self.tally,
            story=self.text,
            question=self.question,
            message=self.message,
            title=self.title,
        )

    def _repr_mimebundle_(self, **kwargs) -> tuple[dict, dict]:
        return with_still(super()._repr_mimebundle_(**kwargs), self.still())
