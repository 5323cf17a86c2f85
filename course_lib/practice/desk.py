"""What a learner calls from a page: exercise, check, hint, solution, predict, recall, progress, attempts.

Each function shows one card and returns nothing (``attempts`` returns a number). ``CHAPTERS`` is the list
of all chapters that have practice, once their page is there: a new chapter is one folder and one line here.
"""

from __future__ import annotations

import difflib
from typing import Any

from course_lib.chapters import CHAPTERS as COURSE
from course_lib.practice import (
    cards,
    chapter_00,
    chapter_01,
    chapter_02,
    chapter_03,
    chapter_04,
    chapter_05,
    chapter_06,
    chapter_07,
    chapter_08,
    chapter_09a,
    chapter_09b,
    chapter_10a,
    chapter_10b,
    checking,
    progress_file,
)
from course_lib.practice.cards import LETTERS
from course_lib.practice.kinds import Exercise, Prediction, Recall

_ALL = {
    "00": chapter_00,
    "01": chapter_01,
    "02": chapter_02,
    "03": chapter_03,
    "04": chapter_04,
    "05": chapter_05,
    "06": chapter_06,
    "07": chapter_07,
    "08": chapter_08,
    "09a": chapter_09a,
    "09b": chapter_09b,
    "10a": chapter_10a,
    "10b": chapter_10b,
}
CHAPTERS = {number: chapter for number, chapter in _ALL.items() if COURSE[number].written}

_hints_shown: dict[str, int] = {}  # in this kernel: running a whole page again starts at the first hint


def exercises() -> dict[str, Exercise]:
    """All exercises by id, in the order of the pages."""
    return {e.id: e for chapter in CHAPTERS.values() for e in chapter.EXERCISES}


def predictions() -> dict[str, Prediction]:
    """All predictions by id, in the order of the pages."""
    return {p.id: p for chapter in CHAPTERS.values() for p in chapter.PREDICTIONS}


def exercise(id: str) -> None:
    """Show an exercise: what to write, the shapes, the minutes. Raises ValueError for an unknown id."""
    one = _find(id, exercises(), "exercise")
    chapter = id.split(".")[0]
    number = f"{chapter.lstrip('0') or 0}.{CHAPTERS[chapter].EXERCISES.index(one) + 1}"
    cards.show(cards.exercise_card(one, number))


def run_check(id: str, function: Any, seconds: float = checking.TIME_LIMIT) -> checking.Result:
    """Check ``function`` and return the Result; show nothing and write nothing. For tests and teachers."""
    return checking.run_check(_find(id, exercises(), "exercise"), function, seconds)


def check(id: str, function: Any, seconds: float = checking.TIME_LIMIT) -> None:
    """Check a function that you wrote, and show what is right or what to look at.

    Args:
        id: the exercise, for example ``"01.scores"``.
        function: your function, without brackets after its name.
        seconds: time limit for one input.

    Raises ValueError for an unknown id.
    """
    result = run_check(id, function, seconds)
    notice = None
    if result.status != checking.NOT_ATTEMPTED:
        notice = progress_file.record({"what": "attempt", "id": id, "solved": result.passed})
    cards.show(cards.result_card(result), notice)


def hint(id: str) -> None:
    """Show the next hint: first a nudge, then pseudocode, then (after a try of your own) the solution."""
    one = _find(id, exercises(), "exercise")
    level = min(_hints_shown.get(id, 0) + 1, 3)
    _hints_shown[id] = level
    data, unread = progress_file.read()
    tried = progress_file.attempts(data, id) > 0
    unsaved = progress_file.record({"what": "hint", "id": id, "level": level})
    cards.show(cards.hint_card(one, level, one.solution if tried else None), unread or unsaved)


def solution(id: str, anyway: bool = False) -> None:
    """Show a solution, after at least one try; ``anyway=True`` shows it at once."""
    one = _find(id, exercises(), "exercise")
    data, notice = progress_file.read()
    allowed = anyway or progress_file.attempts(data, id) > 0
    if allowed:
        notice = notice or progress_file.record({"what": "solution", "id": id})
    cards.show(cards.solution_card(one, allowed), notice)


def attempts(id: str) -> int:
    """How many times you have tried this exercise. An empty stub does not count."""
    _find(id, exercises(), "exercise")
    data, notice = progress_file.read()
    if notice:
        print(notice)
    return progress_file.attempts(data, id)


def predict(id: str, answer: int | str | None = None, confidence: int | None = None) -> None:
    """Ask a question before the run. Your first answer is kept, and shown the next time.

    Args:
        id: the prediction, for example ``"01.lag"``.
        answer: leave it out to get the live question; or give a letter (``"b"``) or an index (from 0).
        confidence: how sure you are, from 0 (guessing) to 3 (certain); only with ``answer``.

    Raises ValueError for an unknown id or answer.
    """
    one = _find(id, predictions(), "prediction")
    if answer is not None:
        cards.show(*answer_prediction(one, _option_index(one, answer), confidence))
        return
    first = _first_answer(one)
    question = _live_question(one, first)
    if question is None:
        cards.show(cards.prediction_card(one, first))
    else:
        from IPython.display import display

        display(question)


def answer_prediction(one: Prediction, index: int, confidence: int | None) -> tuple[cards.Card, str | None]:
    """Record an answer; return the card that explains it, and a notice if it could not be saved."""
    first = _first_answer(one)
    notice = progress_file.record(
        {
            "what": "prediction",
            "id": one.id,
            "choice": index,
            "right": index == one.right,
            "confidence": confidence,
        }
    )
    same = first is not None and (first.get("choice"), first.get("confidence")) == (index, confidence)
    return cards.answer_card(one, index, confidence, None if same else first), notice


def _first_answer(one: Prediction) -> dict[str, Any] | None:
    """What the progress file holds of an earlier answer to this question."""
    data, _ = progress_file.read()
    return data["predictions"].get(one.id)


def recall(chapter: str) -> None:
    """Show three questions from chapters before ``chapter``, the page you are on. Answers open on a click."""
    questions = recall_questions(chapter)
    cards.show(cards.recall_card(questions))


def recall_questions(chapter: str, count: int = 3) -> tuple[Recall, ...]:
    """Questions from the newest chapter before ``chapter``; the last one from the chapter before that.

    Chapter 00 holds what the course takes for granted; only chapter 01 asks it.

    Raises ValueError if ``chapter`` is not the number of a chapter of the course, above "00".
    """
    if not (isinstance(chapter, str) and chapter in COURSE and chapter > "00"):
        last = max(COURSE)
        raise ValueError(
            f'chapter is {chapter!r}; expected two digits from "01" to "{last}", as in recall("02")'
        )
    earlier = sorted((number for number in CHAPTERS if "00" < number < chapter), reverse=True) or ["00"]
    newest = CHAPTERS[earlier[0]].RECALL
    pages = list(COURSE)
    start = (pages.index(chapter) - pages.index(earlier[0]) - 1) * count  # a page further on asks the next
    picked = [newest[(start + i) % len(newest)] for i in range(min(count, len(newest)))]
    if len(earlier) > 1:
        picked[-1] = CHAPTERS[earlier[1]].RECALL[-1]
    return tuple(picked)


def progress() -> None:
    """Show what you have solved, tried and predicted so far."""
    data, notice = progress_file.read()
    cards.show(cards.progress_card(CHAPTERS, data), notice)


def _find(id: Any, known: dict[str, Any], kind: str) -> Any:
    """The entry with this id. Raises ValueError that names the nearest ids."""
    if isinstance(id, str) and id in known:
        return known[id]
    if not isinstance(id, str):
        raise ValueError(
            f'id is {type(id).__name__}; expected a text such as "{next(iter(known))}", in first place'
        )
    near = difflib.get_close_matches(id, known, n=3, cutoff=0.3)
    near += [other for other in known if id and id in other and other not in near]
    raise ValueError(f"there is no {kind} {id!r}; did you mean {' or '.join(near or list(known))}?")


def _option_index(one: Prediction, answer: int | str) -> int:
    count = len(one.options)
    if isinstance(answer, str) and len(answer) == 1 and answer.lower() in LETTERS[:count]:
        return LETTERS.index(answer.lower())
    if isinstance(answer, int) and not isinstance(answer, bool) and 0 <= answer < count:
        return answer
    raise ValueError(
        f"answer is {answer!r}; expected a letter from a to {LETTERS[count - 1]}, or 0 to {count - 1}"
    )


def _live_question(one: Prediction, first: dict[str, Any] | None = None) -> Any:
    """The widget that asks, or None where widgets are not available (a terminal, a missing package)."""
    if not cards.in_notebook():
        return None
    try:
        from course_lib.widgets import Question
    except ImportError:
        return None

    def on_answer(index: int, confidence: int) -> str:
        card, notice = answer_prediction(one, index, confidence)
        return card.html + (cards.rich("Note: " + notice) if notice else "")

    before = cards.first_answer(one, first) if first else ""
    return Question(one.prompt, [option.text for option in one.options], on_answer, before=before)
