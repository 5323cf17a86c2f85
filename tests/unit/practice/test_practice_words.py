"""Blocks of words: heads at the margin, what belongs to them indented; and how long a file may be."""

from pathlib import Path

import pytest

from course_lib.practice import words

CHAPTERS = sorted((Path(__file__).parents[3] / "course_lib" / "practice").glob("chapter_*/*.py"))


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_one_exercise_a_file_and_no_file_is_long(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 250
    exercises = text.count(" = Exercise(\n")
    endings = ("_words", "_ways", "_slips")
    beside = path.stem in ("__init__", "questions", "repairs") or path.stem.endswith(endings)
    assert exercises == (not beside)
    if exercises:
        assert f'id="{path.parent.name.removeprefix("chapter_")}.{path.stem.replace("_", "-")}"' in text


def test_prose_joins_lines_and_keeps_paragraphs():
    assert words.prose("\n    one\n    two\n\n    three  four\n") == "one two\n\nthree four"
    assert words.lines("\n    for each:\n        step\n    done\n    ") == "for each:\n    step\ndone"


def test_entries():
    told = words.entries(
        "first\n    Some words\n    and more.\n\n    Another part.\nsecond\nhead\n    Text.\n"
    )
    assert told == {"first": "Some words and more.\n\nAnother part.", "second head": "Text."}
    with pytest.raises(ValueError, match="'a' stands twice"):
        words.entries("a\n    1\nb\n    2\na\n    3\n")
    with pytest.raises(ValueError, match="'b' has no text"):
        words.entries("a\n    1\nb\n")


def test_misconceptions_join_words_code_and_measures():
    told = "plain\n    You add.\nmeasured\n    It is {n:.1f} times the {what}.\n"
    ways = {"plain": lambda x: x + 1, "measured": (lambda x: x * 2, lambda x: x + x)}
    measures = {"measured": lambda expected, got, args: {"n": got / expected}}
    plain, measured = words.misconceptions(told, ways, measures, what="value")
    assert (plain.name, plain.sentence, len(plain.ways)) == ("plain", "You add.", 1)
    assert measured.sentence(2.0, 5.0, ()) == "It is 2.5 times the value." and len(measured.ways) == 2
    with pytest.raises(ValueError, match=r"\['measured'\] stand on one side only"):
        words.misconceptions(told, {"plain": ways["plain"]})


QUESTION = """
09.lag
    What comes
    first?
    - The end: no.
        It is last.
    + The beginning.
        So it
        is.
"""


def test_predictions_and_recall():
    [lag] = words.predictions(QUESTION)
    assert (lag.id, lag.prompt, lag.right) == ("09.lag", "What comes first?", 1)
    assert [(o.text, o.explanation) for o in lag.options] == [
        ("The end: no.", "It is last."),
        ("The beginning.", "So it is."),
    ]
    with pytest.raises(ValueError, match=r"'09\.lag' has 2 right options"):
        words.predictions(QUESTION.replace("- The end", "+ The end"))
    [one] = words.recall("What is it?\n    A\n    thing.\n")
    assert (one.question, one.answer) == ("What is it?", "A thing.")
