"""Several stages as `widgets.ChatBeside(Beside(stages))` asks them: the Town's questions, pens, verdicts."""

from collections.abc import Mapping, Sequence

from course_lib.generation.writers import Writer
from course_lib.tasks.assistant import rounds
from course_lib.tasks.assistant.offered import offered, told_story
from course_lib.tasks.assistant.pen import Pen
from course_lib.tasks.assistant.verdicts import why_unread
from course_lib.tasks.assistant.words import WORDS


class Beside:
    """What the view shows comes from here; it keeps the chat, this keeps nothing but the models.

    Args:
        stages: name → model with the assistant's vocabulary, one to six of them, in the order of the columns,
            as `course_lib.tasks.assistant.stages.load` gives them.

    Raises:
        ValueError: no stage or too many, or a model with another vocabulary.
    """

    def __init__(self, stages: Mapping[str, Writer]) -> None:
        self.models = rounds.checked(stages)
        self.stages = list(self.models)
        self.vocabulary = sorted(word for word in WORDS.ids if word.isalpha())

    def story(self, number: int) -> str:
        """A story of the Town as a text: the same one for the same number."""
        return told_story(number)

    def menu(self, story: str, number: int) -> list[list]:
        """`[kind, questions]` pairs about a story."""
        return [[kind, questions] for kind, questions in offered(WORDS.split(story), number).items()]

    def unread(self, story: str) -> str:
        """Why the Town gives no verdicts about a story; "" where it does."""
        words = WORDS.split(story)
        return (why_unread(words) or "") if words else ""

    def unknown(self, text: str) -> list[str]:
        """The words of a text that no stage knows."""
        return WORDS.unknown(text)

    def begin(self, before: Sequence[dict], story: str, question: str) -> tuple[dict, list[Pen]]:
        """As `rounds.begin`."""
        return rounds.begin(self.models, before, story, question)

    def written(self, now: dict, pens: Sequence[Pen], tally: Sequence[dict]) -> tuple[dict, list[dict]]:
        """As `rounds.written`."""
        return rounds.written(now, pens, tally)

    def nothing_yet(self) -> list[dict]:
        """The tally before anything was asked."""
        return rounds.nothing_yet(len(self.models))
