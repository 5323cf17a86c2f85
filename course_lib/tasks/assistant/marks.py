"""What ChatBeside says of an answer, and what it counts."""

from typing import NamedTuple

from course_lib.data.town.questions import style_of
from course_lib.tasks.assistant.verdicts import verdict
from course_lib.tasks.assistant.words import WORDS
from course_lib.text.chat import Turn

WHOLE = "right, a whole sentence"
JUDGED = ("asked", "right", "refused rightly", "refused falsely", WHOLE)  # what is counted


class Marked(NamedTuple):
    """An answer's mark."""

    sign: str = ""  # ✓, ✗ or –
    verdict: str = ""  # in words
    style: str = ""  # of a right answer
    counts: tuple[str, ...] = ()  # of JUDGED


def mark(story: str, question: str, last: Turn, ended: str) -> Marked:
    """Mark an answer.

    Args:
        story, question: what was asked.
        last: the last turn of the reply.
        ended: as `Pen.ended`, or "stopped".
    """
    if ended == "stopped":
        return Marked("–", "stopped: no verdict")
    answer = tuple(WORDS.split(last.text)) if ended == "answer" else ()
    judged = verdict(WORDS.split(story), WORDS.split(question), answer)
    unended = {"length": "it did not end", "calls": "one call too many"}.get(ended, "")
    if judged is None:
        return Marked("–", unended or "no question that the Town can judge")
    if judged.right:
        counts = ["asked", "right"]
        counts += ["refused rightly"] * judged.refused + [WHOLE] * style_of(answer).startswith("whole")
        return Marked("✓", "refused rightly" if judged.refused else "right", _style(answer), tuple(counts))
    truth = f"the answer is: {judged.truth_text}"
    if judged.refused and judged.known:
        return Marked("✗", f"refused falsely; {truth}", "", ("asked", "refused falsely"))
    return Marked("✗", f"wrong{', ' * bool(unended)}{unended}; {truth}", "", ("asked",))


def _style(answer: tuple[str, ...]) -> str:
    kind, _, filled = style_of(answer).partition(", ")
    name = "a whole sentence" if kind == "whole" else "a short answer"
    return f"{name}, with a filler" if filled else name
