"""README's table and map are those of course_lib/chapters.py."""

import io
import re

import numpy as np
import pytest

from course_lib.tools import Problem, readme


def test_readme_is_as_the_table_says():
    text = readme.README.read_text(encoding="utf-8")
    assert readme.refreshed(text) == text, "type `python3 -m course_lib build 00`"


def test_the_map_shows_the_written_chapters():
    import matplotlib.image

    stored, fresh = (
        matplotlib.image.imread(io.BytesIO(png)) for png in (readme.MAP.read_bytes(), readme.map_picture())
    )
    assert stored.shape == fresh.shape
    assert np.abs(stored - fresh).mean() < 1e-3, "type `python3 -m course_lib build 00`"


def test_a_changed_table_is_put_in_its_place():
    text = readme.README.read_text(encoding="utf-8")
    old = text.replace("| 60 | **written** |", "| 61 | coming |").replace(
        "Chapters 00 to 0", "Chapters 00 to 1"
    )
    old = re.sub(r"Solid: chapters 01 to \d\d", "Solid: chapters 01 to 02", old)
    assert old != text and readme.refreshed(old) == text


@pytest.mark.parametrize("gone", ["| chapter | question |", "are written", "Solid: chapters"])
def test_a_readme_without_a_place_for_it_is_named(gone):
    text = readme.README.read_text(encoding="utf-8").replace(gone, "")
    with pytest.raises(Problem, match="has 0 places"):
        readme.refreshed(text)
