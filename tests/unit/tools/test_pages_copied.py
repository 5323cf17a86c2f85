"""my_course/: what the learner changed is never touched, and what they did not change stays up to date."""

import errno
import hashlib
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


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"x": 1}', '{"x": {"y": 1}}', None])
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


def test_a_folder_that_cannot_be_made(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(pages.Path, "mkdir", refuse)
    with pytest.raises(Problem) as caught:
        pages.copy_pages(tmp_path, tmp_path / "my_course")
    assert str(caught.value) == (
        f"The folder my_course could not be made ({os.strerror(errno.EROFS)}).\n"
        "Next: copy the course to a folder of your own."
    )


def test_what_a_killed_start_left_is_cleared(course):
    source, target = course
    (target / f".{NAME}.123.part").write_text("half a pa")
    pages.copy_pages(source, target)
    assert listing(target) == [pages.LIST, "00_start_here.ipynb", NAME]


def test_no_pages_yet(tmp_path):
    (tmp_path / "notebooks").mkdir()
    assert pages.copy_pages(tmp_path / "notebooks", tmp_path / "my_course") == []


# -- what counts as changed ------------------------------------------------------------------------


def notebook(*cells: str, **more) -> str:
    """A page with these cells; one that begins with # is text."""
    made = [
        {"cell_type": "markdown", "source": text, "metadata": {}}
        if text.startswith("#")
        else {"cell_type": "code", "source": text, "metadata": {}, "outputs": [], "execution_count": 1}
        for text in cells
    ]
    return json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5, **more}, indent=1)


def run_and_saved(content: str) -> str:
    """The page after a reader has opened it, run it, and JupyterLab has saved it by itself."""
    page = json.loads(content)
    for number, cell in enumerate(page["cells"]):
        cell["id"] = f"cell-{number}"
        cell["source"] = cell["source"].splitlines(keepends=True)  # as JupyterLab's server writes it
        if cell["cell_type"] == "code":
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": ["mine\n"]}]
            cell["execution_count"] = 7
            cell["metadata"] = {"trusted": True, "execution": {"iopub.status.busy": "2026-01-01"}}
    page["cells"].append(json.loads(notebook(""))["cells"][0])  # what Shift + Enter adds at the end
    page["metadata"] = {"kernelspec": {"name": "python3"}, "widgets": {"state": {}}}
    return json.dumps(page, indent=4) + "\n\n"


@pytest.fixture
def opened(course):
    """A page that was copied, opened, run and saved."""
    source, target = course
    first = notebook("# Title", "x = 1\nprint(x)", "y = 2")
    (source / NAME).write_text(first)
    pages.copy_pages(source, target)
    (target / NAME).write_text(run_and_saved(first))
    return source, target


def test_to_open_and_run_a_page_does_not_change_it(opened):
    source, target = opened
    mine = (target / NAME).read_bytes()
    assert pages.copy_pages(source, target) == [] and (target / NAME).read_bytes() == mine  # outputs stay
    for second in (notebook("# Title", "x = 3"), notebook("# A newer title", "x = 3")):
        (source / NAME).write_text(second)
        assert pages.copy_pages(source, target) == []
        assert (target / NAME).read_text() == second and not (target / NEW).exists()
        (target / NAME).write_text(run_and_saved(second))


def test_an_original_with_other_outputs_only_leaves_the_readers_outputs(opened):
    source, target = opened
    mine = (target / NAME).read_bytes()
    (source / NAME).write_text(notebook("# Title", "x = 1\nprint(x)", "y = 2", metadata={"built": "again"}))
    assert pages.copy_pages(source, target) == [] and (target / NAME).read_bytes() == mine
    (source / NAME).write_text(notebook("# Title", "x = 5"))
    assert pages.copy_pages(source, target) == [] and "x = 5" in (target / NAME).read_text()


def test_a_page_that_nobody_opened_gets_new_outputs(course):
    source, target = course
    for number in range(2):
        content = notebook("# Title", "x = 1", metadata={"built": number})
        (source / NAME).write_text(content)
        assert pages.copy_pages(source, target) == [] and (target / NAME).read_text() == content


@pytest.mark.parametrize(
    "mine",
    [
        notebook("# Title", "x = 1\nprint(x)", "y = 3"),
        notebook("# My title", "x = 1\nprint(x)", "y = 2"),
        notebook("# Title", "x = 1\nprint(x)", "y = 2", "# a note of mine"),
        notebook("# Title", "y = 2", "x = 1\nprint(x)"),
        notebook("# Title", "y = 2"),
        notebook("# Title", "x = 1\n  print(x)", "y = 2"),
        notebook("# Title", "x = 1\nprint(x)", "y = 2").replace("markdown", "raw"),
        "{ cut",
    ],
    ids=["code", "text", "a note", "order", "a cell less", "white space", "kind of cell", "no notebook"],
)
def test_whatever_was_changed_in_a_cell_stays(opened, mine):
    source, target = opened
    (target / NAME).write_text(mine)
    (source / NAME).write_text(notebook("# Title", "z = 1"))
    assert len(pages.copy_pages(source, target)) == 1
    assert (target / NAME).read_text() == mine and "z = 1" in (target / NEW).read_text()
    # a newer one with other outputs only is nothing new
    (source / NAME).write_text(notebook("# Title", "z = 1", metadata={"built": "again"}))
    (target / NEW).write_text(run_and_saved((target / NEW).read_text()))
    assert pages.copy_pages(source, target) == []
    (source / NAME).write_text(notebook("# Title", "z = 2"))
    assert len(pages.copy_pages(source, target)) == 1
    assert "z = 2" in (target / NEW).read_text()  # the one beside was run, but not changed: it is replaced


def test_a_list_of_a_former_edition_is_understood(opened):
    """It held one hash, of the whole file."""
    source, target = opened
    for page in (NAME, "00_start_here.ipynb"):
        known = json.loads((target / pages.LIST).read_text())
        known[page][page] = hashlib.sha256((source / page).read_bytes()).hexdigest()
        (target / pages.LIST).write_text(json.dumps(known))
    (source / "00_start_here.ipynb").write_text("a newer start")
    assert pages.copy_pages(source, target) == []
    assert (target / "00_start_here.ipynb").read_text() == "a newer start"
    (source / NAME).write_text(notebook("# Title", "z = 1"))
    assert pages.copy_pages(source, target) == [] and "z = 1" in (target / NAME).read_text()
