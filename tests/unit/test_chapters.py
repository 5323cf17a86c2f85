"""The table of chapters, and that nothing in the course says otherwise."""

import json
import re

import pytest

from course_lib.chapters import CHAPTERS, WRITTEN, find, following
from course_lib.practice import cards, desk, progress_file
from course_lib.tools import pages


def test_thirteen_chapters_in_order():
    """Chapters 09 and 10 have two pages each."""
    assert list(CHAPTERS) == [*(f"{n:02}" for n in range(9)), "09a", "09b", "10a", "10b", "11", "12"]
    for number, one in CHAPTERS.items():
        assert one.number == number and re.fullmatch(rf"{number}_[a-z_]+\.ipynb", one.page)
        assert one.title and one.question.endswith("?") and 10 <= one.minutes <= 120
    for what in ("title", "question", "page"):
        assert len({getattr(one, what) for one in CHAPTERS.values()}) == 15


def test_the_written_chapters_are_those_with_a_page():
    assert [page.name for page in pages.originals()] == [one.page for one in CHAPTERS.values() if one.written]
    assert len(pages.originals()) == WRITTEN


def test_one_chapter_leads_to_the_next():
    assert following("00") == find("01") and following("12") is None
    assert following("08") == find("09a") and following("09a") == find("09b")
    with pytest.raises(ValueError, match="two digits"):
        find("1")
    with pytest.raises(ValueError, match='"12"'):
        following("13")


def test_the_first_page_says_which_chapters_are_here():
    """In its table of what you will have, and below its three routes."""
    page = json.loads((pages.ROOT / "notebooks" / CHAPTERS["00"].page).read_text(encoding="utf-8"))
    text = "\n".join("".join(cell["source"]) for cell in page["cells"] if cell["cell_type"] == "markdown")
    rows = re.findall(r"^\| (\d\d[ab]?)(?: – (\d\d[ab]?))? \| .* \| (here|\*coming\*) \|$", text, re.M)
    numbers, said = list(CHAPTERS), {}
    for first, last, state in rows:
        for number in numbers[numbers.index(first) : numbers.index(last or first) + 1]:
            said[number] = state == "here"
    assert said == {number: one.written for number, one in CHAPTERS.items() if number != "00"}
    here = [number for number, one in CHAPTERS.items() if one.written]
    assert f"Chapters **00 to {here[-1]} are here**" in text
    assert f"; {numbers[len(here)]} to {numbers[-1]} are *coming*." in text


def test_every_written_chapter_has_practice_and_progress_names_it():
    assert list(desk.CHAPTERS) == [one.number for one in CHAPTERS.values() if one.written]
    data, _ = progress_file.read()
    lines = cards.progress_card(desk.CHAPTERS, data).text.splitlines()
    heads = [line.partition(" · ")[0] for line in lines if re.match(r"\d\d[ab]? ", line)]
    assert heads == [f"{one.number} {one.title}" for one in CHAPTERS.values() if one.written]
