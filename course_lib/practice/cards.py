"""How practice looks: small cards, as HTML for notebooks and as plain text for terminals and tests.

Colours never stand alone: each card says its state in words, and a line at its edge has the colour. Text
takes the page's own colour, so that cards are readable on a light and on a dark page. The same data gives
the same bytes.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from html import escape
from typing import Any

from course_lib.chapters import find
from course_lib.practice.checking import FAILED, NOT_ATTEMPTED, PASSED, Result
from course_lib.practice.kinds import CONFIDENCE, FORMS, Exercise, Output, Prediction, Recall, axis_names

GREEN, ORANGE, GREY, BLUE = "#009E73", "#D55E00", "#888888", "#0072B2"  # safe for colour-blind readers
LETTERS = "abcdefghij"

_MARKS = {
    PASSED: ("✓", "solved", GREEN),
    FAILED: ("✗", "not yet", ORANGE),
    NOT_ATTEMPTED: ("○", "not attempted yet", GREY),
}


@dataclass(frozen=True)
class Card:
    """Something to show: ``html`` for a notebook, ``text`` for everything else."""

    html: str
    text: str

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/html": self.html, "text/plain": self.text}


def show(card: Card, notice: str | None = None) -> None:
    """Display the card in a notebook; print its text elsewhere. ``notice`` is one line put below it."""
    if notice:
        card = Card(card.html + rich("Note: " + notice), card.text + "\n  note: " + notice)
    if in_notebook():
        from IPython.display import display

        display(card)
    else:
        print(card.text)


def in_notebook() -> bool:
    """True if IPython runs this code, as in a notebook."""
    ipython = sys.modules.get("IPython")
    return ipython is not None and ipython.get_ipython() is not None


def rich(text: str) -> str:
    """HTML of plain text: blank lines part paragraphs; `code` and *stress* as in Markdown."""
    paragraphs = [inline(p.strip()).replace("\n", "<br>") for p in text.strip().split("\n\n")]
    return "".join(f'<p style="margin:.3em 0">{p}</p>' for p in paragraphs)


def inline(text: str) -> str:
    """HTML of a line: words between backticks are code, words between asterisks are stressed."""
    parts = re.split(r"`([^`]+)`", escape(text))  # text, code, text, …
    stressed = [re.sub(r"(?<![\w*])\*(\w[^*\n]*?)\*(?![\w*])", r"<em>\1</em>", part) for part in parts[::2]]
    coded = [f"<code>{part}</code>" for part in parts[1::2]] + [""]
    return "".join(piece for pair in zip(stressed, coded, strict=True) for piece in pair)


def frame(colour: str, html: str) -> str:
    style = f"border-left:4px solid {colour};padding:.3em .9em;margin:.2em 0;max-width:46em;line-height:1.45"
    return f'<div style="{style}">{html}</div>'


def code_block(code: str) -> str:
    return f'<pre style="margin:.4em 0;white-space:pre-wrap">{escape(code)}</pre>'


def result_card(result: Result) -> Card:
    """The outcome of a check."""
    mark, words, colour = _MARKS[result.status]
    text = f"{mark} {result.exercise}: {words}. {result.message}"
    html = f"<b>{mark} {words}</b> · {escape(result.exercise)}" + rich(result.message)
    if result.line:
        number, source = result.line
        text += f"\n  line {number}: {source}"
        html += code_block(f"line {number}: {source}")
    for note in result.notes:
        text += f"\n  note: {note}"
        html += rich("Note: " + note)
    if result.printed.strip():
        lines = result.printed.strip().split("\n")
        shown = [line[:120] for line in lines[:8]] + (["…"] if len(lines) > 8 else [])
        text += "\n  printed: " + "\n           ".join(shown)
        html += rich("Your function printed:") + code_block("\n".join(shown))
    return Card(frame(colour, html), text)


def exercise_card(exercise: Exercise, number: str) -> Card:
    """Statement, signature, shapes, minutes and difficulty. ``number`` is as in "Exercise 1.2"."""
    head = f"Exercise {number} · {exercise.title} · {exercise.minutes} min · {exercise.dots}"
    takes = "\n".join(f"  {name}: {_axes(what)}" for name, what in exercise.inputs.items())
    gives = ", ".join(o.name + _what_it_is(o) for o in exercise.outputs)
    facts = "\n".join(filter(None, (exercise.signature, takes, f"  returns {gives}")))
    html = f"<b>{escape(head)}</b>" + rich(exercise.statement) + code_block(facts)
    return Card(frame(BLUE, html), f"{head}\n{exercise.statement}\n{facts}")


def _what_it_is(output: Output) -> str:
    """`` (B, T)``, or ``: a list of whole numbers``."""
    if output.form:
        return f": {FORMS[output.form]}"
    return f" {_axes(', '.join(output.axes))}" if output.axes else ""


def _axes(what: str) -> str:
    """``B, S`` becomes ``(B, S)``; a description in words stays as it is."""
    names = axis_names(what)
    return f"({what}{',' if len(names) == 1 else ''})" if names else what


def hint_card(exercise: Exercise, level: int, solution: str | None) -> Card:
    """All hints up to ``level`` (1, 2 or 3); level 3 shows the solution, or says how to get it."""
    names = ("nudge", "pseudocode")
    text = f"Hints for {exercise.id}"
    html = f"<b>Hints for {escape(exercise.id)}</b>"
    for name, hint in list(zip(names, exercise.hints, strict=True))[:level]:
        text += f"\n{name}: {hint}"
        block = name == "pseudocode"
        html += f"<p style='margin:.3em 0'><i>{name}</i></p>" + (code_block(hint) if block else rich(hint))
    if level >= 3:
        if solution is None:
            more = (
                "The next step is the solution. It opens after one try: write what you can and run "
                f'check. To see it now: `solution("{exercise.id}", anyway=True)`.'
            )
            text += "\n" + more
            html += rich(more)
        else:
            text += "\nsolution:\n" + solution
            html += "<p style='margin:.3em 0'><i>solution</i></p>" + code_block(solution)
    else:
        more = f'Next step: the same call again, `hint("{exercise.id}")`.'
        text += "\n" + more
        html += rich(more)
    return Card(frame(BLUE, html), text)


def solution_card(exercise: Exercise, allowed: bool) -> Card:
    if not allowed:
        more = (
            "The solution opens after one try: write what you can and run check. A wrong try counts.\n"
            f'`hint("{exercise.id}")` helps in steps. '
            f'To see the solution now: `solution("{exercise.id}", anyway=True)`.'
        )
        return Card(frame(GREY, rich(more)), more)
    html = (
        f"<b>One solution of {escape(exercise.id)}</b>"
        + code_block(exercise.solution)
        + rich(exercise.insight)
    )
    return Card(frame(BLUE, html), f"One solution of {exercise.id}:\n{exercise.solution}\n{exercise.insight}")


def prediction_card(prediction: Prediction, first: dict[str, Any] | None = None) -> Card:
    """The question and its options, without the answer: for places where the live question cannot run.

    first: the answer that the progress file kept when she was asked before.
    """
    lines = [f"({LETTERS[i]}) {option.text}" for i, option in enumerate(prediction.options)]
    how = f'Answer with `predict("{prediction.id}", "a")`, `"b"`, …'
    if first:
        lines.append(first_answer(prediction, first))
    html = "<b>Predict first</b>" + rich(prediction.prompt) + rich("\n".join(lines)) + rich(how)
    text = "\n".join(["Predict first: " + prediction.prompt, *lines, how])
    return Card(frame(BLUE, html), text)


# What the mark says more, by how sure she was: being certain and wrong is another thing than a guess.
_RIGHT = {
    0: ", by a guess. Read why, so that next time you know it.",
    3: ", and you were certain: you can trust this one.",
}
_WRONG = {
    0: ". You were guessing, so nothing that you believed breaks: here is how it is.",
    3: ", and you were certain. Such a mistake teaches the most: before you read on, ask yourself which step "
    "led you here.",
}


def answer_card(
    prediction: Prediction, index: int, confidence: int | None = None, first: dict[str, Any] | None = None
) -> Card:
    """What a learner reads after answering: right or not, and why; a guess has other words.

    Args:
        confidence: 0 to 3, as in ``CONFIDENCE``; None when it was not asked.
        first: the answer that the progress file kept when she was asked before.
    """
    chosen = prediction.options[index]
    if index == prediction.right:
        mark, colour, rest = "✓ right" + _RIGHT.get(confidence, ""), GREEN, ""
    else:
        right = prediction.options[prediction.right]
        mark, colour = "✗ not this one" + _WRONG.get(confidence, ""), ORANGE
        rest = f"\n\nThe right answer: {right.text}\n{right.explanation}"
    if first and (line := first_answer(prediction, first)):
        rest += f"\n\n{line} It stands in your progress."
    html = f"<b>{escape(mark)}</b>" + rich(chosen.explanation + rest)
    text = mark if mark.endswith((".", ":")) else f"{mark}:"
    return Card(frame(colour, html), f"{text} {chosen.explanation}{rest}")


def first_answer(prediction: Prediction, entry: dict[str, Any]) -> str:
    """One line about the answer that stands in the progress file; "" where the question has changed since."""
    choice, confidence = entry.get("choice", -1), entry.get("confidence")
    if not 0 <= choice < len(prediction.options):
        return ""
    sure = f", {CONFIDENCE[confidence]}" if confidence in range(len(CONFIDENCE)) else ""
    right = "right" if choice == prediction.right else "not right"
    words = prediction.options[choice].text.rstrip(".")
    return f"Your first answer: ({LETTERS[choice]}) “{words}”{sure}: {right}."


def recall_card(questions: tuple[Recall, ...]) -> Card:
    """Questions with answers that open on a click. The plain text holds the questions only."""
    html = "<b>Before you begin: what do you remember?</b>"
    for number, one in enumerate(questions, start=1):
        html += (
            f'<details style="margin:.3em 0"><summary>{number}. {inline(one.question)}</summary>'
            f"{rich(one.answer)}</details>"
        )
    lines = [f"{number}. {one.question}" for number, one in enumerate(questions, start=1)]
    return Card(frame(BLUE, html), "\n".join(["Before you begin: what do you remember?", *lines]))


def progress_card(chapters: dict[str, Any], data: dict[str, Any]) -> Card:
    """The table of all exercises: chapter by chapter, in the order of the pages.

    Args:
        chapters: number → chapter module with EXERCISES and PREDICTIONS.
        data: what ``progress_file.read`` returns.
    """
    rows, text, whole = "", [], ";white-space:nowrap"  # "12 min" and "○ not yet" stay on one line
    solved_all = count_all = minutes_solved = minutes_all = 0
    for number, chapter in chapters.items():
        right, answered = _predictions(chapter.PREDICTIONS, data)
        guesses = f"predictions: {right} right of {answered} answered, {len(chapter.PREDICTIONS)} in all"
        head = f"{number} {find(number).title} · {guesses}"
        rows += (
            f'<tr><td colspan="4" style="text-align:left;padding-top:.6em"><b>{escape(head)}</b></td></tr>'
        )
        text.append(head)
        for exercise in chapter.EXERCISES:
            entry = data["exercises"].get(exercise.id, {})
            solved, tries = entry.get("solved", False), entry.get("attempts", 0)
            mark, colour = (
                ("✓ solved", GREEN) if solved else ("✗ tried", ORANGE) if tries else ("○ not yet", GREY)
            )
            solved_all, count_all = solved_all + solved, count_all + 1
            minutes_solved, minutes_all = (
                minutes_solved + solved * exercise.minutes,
                minutes_all + exercise.minutes,
            )
            tried = f"{tries} {'try' if tries == 1 else 'tries'}" if tries else ""
            cells = ((exercise.id, ""), (exercise.title, ""), (f"{exercise.minutes} min", whole))
            columns = "".join(
                f'<td style="text-align:left{style}">{escape(cell)}</td>' for cell, style in cells
            )
            edge = f"border-left:4px solid {colour};padding-left:.6em"
            state = f'<td style="text-align:left;{edge}{whole}">{mark} {tried}</td>'
            rows += f"<tr>{columns}{state}</tr>"
            text.append(f"  {exercise.id:<20} {exercise.minutes:>3} min  {mark:<10} {tried}".rstrip())
    total = f"{solved_all} of {count_all} exercises solved · {minutes_solved} of {minutes_all} minutes"
    sure = "\n".join(calibration(data))
    html = f'<b>{total}</b><table style="color:inherit;font-size:inherit">{rows}</table>'
    html += rich(sure) if sure else ""
    return Card(frame(BLUE, html), "\n".join([total, *text, *([sure] if sure else [])]))


ENOUGH_ANSWERS = 4  # before a share says anything


def calibration(data: dict[str, Any]) -> list[str]:
    """Lines: how often she was right at each level of confidence, from how many answers; [] without any."""
    levels: dict[int, list[bool]] = {}
    for entry in data["predictions"].values():
        if entry.get("confidence") in range(len(CONFIDENCE)):
            levels.setdefault(entry["confidence"], []).append(bool(entry.get("right")))
    if not levels:
        return []
    parts = [f"{CONFIDENCE[k]}: right {sum(levels[k])} of {len(levels[k])}" for k in sorted(levels)]
    lines = ["How sure you were, and how often you were right. " + " · ".join(parts)]
    certain, guessing = levels.get(3, []), levels.get(0, [])
    if len(certain) >= ENOUGH_ANSWERS and sum(certain) < 0.8 * len(certain):
        lines.append("You are certain more often than right: where you feel sure, look for the reason first.")
    if len(guessing) >= ENOUGH_ANSWERS and sum(guessing) > 0.6 * len(guessing):
        lines.append("What you call a guess is mostly right: you know more than you think.")
    return lines


def _predictions(predictions: tuple[Prediction, ...], data: dict[str, Any]) -> tuple[int, int]:
    entries = [data["predictions"][p.id] for p in predictions if p.id in data["predictions"]]
    return sum(e.get("right", False) for e in entries), len(entries)
