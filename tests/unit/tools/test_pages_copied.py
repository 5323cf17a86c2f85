"""my_course/: what the learner changed is never touched, and what they did not change stays up to date."""

import errno
import json
import os

import pytest

from course_lib.tools import Problem, pages

NAME = "01_bahdanau_attention.ipynb"
NEW = "01_bahdanau_attention.new.ipynb"


@pytest.fixture
def course(tmp_path):
    source, target = tmp_path / "notebooks", tmp_path / "my_course"
    source.mkdir()
    (source / NAME).write_text("first")
    (source / "00_start_here.ipynb").write_text("start")
    (source / "scratch.ipynb").write_text("not a page: no number")
    assert pages.copy_pages(source, target) == []
    return source, target


def listing(target):
    return sorted(p.name for p in target.iterdir())


def test_every_page_is_copied_and_nothing_else(course):
    _, target = course
    assert listing(target) == [pages.LIST, "00_start_here.ipynb", NAME]
    assert (target / NAME).read_text() == "first"


def test_an_unchanged_copy_is_brought_up_to_date_without_a_word(course):
    source, target = course
    (source / NAME).write_text("second")
    assert pages.copy_pages(source, target) == []
    assert (target / NAME).read_text() == "second" and not (target / NEW).exists()


def test_a_changed_page_stays_and_the_new_original_is_put_beside_it_once(course):
    source, target = course
    (target / NAME).write_text("mine")
    assert pages.copy_pages(source, target) == []  # changed, but there is nothing newer
    (source / NAME).write_text("second")
    (told,) = pages.copy_pages(source, target)
    assert NAME in told and f"my_course/{NEW}" in told and "stays" in told
    assert (target / NAME).read_text() == "mine" and (target / NEW).read_text() == "second"
    assert pages.copy_pages(source, target) == []  # told once
    (target / NEW).unlink()
    assert pages.copy_pages(source, target) == [] and not (target / NEW).exists()  # and not brought back


def test_an_untouched_new_page_is_replaced_and_a_touched_one_stays(course):
    source, target = course
    (target / NAME).write_text("mine")
    (source / NAME).write_text("second")
    pages.copy_pages(source, target)
    (source / NAME).write_text("third")
    assert len(pages.copy_pages(source, target)) == 1
    assert (target / NEW).read_text() == "third"
    (target / NEW).write_text("mine too")
    (source / NAME).write_text("fourth")
    (told,) = pages.copy_pages(source, target)
    assert "01_bahdanau_attention.new-2.ipynb" in told
    assert (target / NEW).read_text() == "mine too" and (target / NAME).read_text() == "mine"


def test_a_deleted_page_comes_back(course):
    source, target = course
    (target / NAME).unlink()
    assert pages.copy_pages(source, target) == []
    assert (target / NAME).read_text() == "first"


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"x": 1}', None])
def test_without_its_list_a_differing_page_counts_as_changed(course, damage):
    source, target = course
    (target / NAME).write_text("mine")
    (source / NAME).write_text("second")
    if damage is None:
        (target / pages.LIST).unlink()
    else:
        (target / pages.LIST).write_text(damage)
    assert len(pages.copy_pages(source, target)) == 1
    assert (target / NAME).read_text() == "mine" and (target / NEW).read_text() == "second"
    assert json.loads((target / pages.LIST).read_text())


@pytest.mark.parametrize("where", ["write", "move"])
def test_a_full_disk_leaves_everything_as_it_was(course, monkeypatch, where):
    source, target = course
    (source / NAME).write_text("second")
    before = {p.name: p.read_bytes() for p in target.iterdir()}

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync" if where == "write" else "replace", full)
    with pytest.raises(Problem, match="The disk is full") as caught:
        pages.copy_pages(source, target)
    assert NAME in str(caught.value) and "free some space" in caught.value.next_step
    assert {p.name: p.read_bytes() for p in target.iterdir()} == before  # no half page, no .part file


def test_a_folder_that_cannot_be_written_to(course, monkeypatch):
    source, target = course
    (target / NAME).unlink()

    def refuse(*_):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(Problem, match="could not be copied") as caught:
        pages.copy_pages(source, target)
    assert "folder of your own" in caught.value.next_step


def test_what_a_killed_start_left_is_cleared(course):
    source, target = course
    (target / f".{NAME}.123.part").write_text("half a pa")
    pages.copy_pages(source, target)
    assert listing(target) == [pages.LIST, "00_start_here.ipynb", NAME]


def test_no_pages_yet(tmp_path):
    (tmp_path / "notebooks").mkdir()
    assert pages.copy_pages(tmp_path / "notebooks", tmp_path / "my_course") == []
