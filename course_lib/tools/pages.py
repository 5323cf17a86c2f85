"""Pages for the learner: copies in my_course/, so that a new version of the course never touches their work.

For each page of notebooks/ a small list (my_course/.copied.json) keeps the hash of what was copied. With
it:

- no copy there (new page, or deleted by the learner): copy it;
- the copy is as we made it: bring it up to date without a word;
- the copy was changed, and the original is newer: leave it, put the new one beside it as NAME.new.ipynb,
  and say so.

Every file is written beside its place and moved there whole: a full disk or a killed process leaves no
half page.
"""

import errno
import hashlib
import json
import shutil
from pathlib import Path

from course_lib.files import write_whole
from course_lib.tools import ROOT, Problem

LIST = ".copied.json"


def originals(folder: Path | None = None) -> list[Path]:
    """The pages of the course, in order."""
    return sorted((folder or ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))


def hash_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def copy_pages(source: Path | None = None, target: Path | None = None) -> list[str]:
    """One page by the rules above. `known` is {page: {file: hash of what we put there}}, changed in place."""
    source, target = source or ROOT / "notebooks", target or ROOT / "my_course"
    page = target
    try:
        target.mkdir(exist_ok=True)
        known, told = read_list(target / LIST), []
        for part in target.glob(".*.part"):
            part.unlink()  # what a start that was killed left behind
        before = json.dumps(known)
        for page in originals(source):
            told += copy_page(page, target, known)
        if json.dumps(known) != before or not (target / LIST).exists():
            page = target / LIST
            write_whole(page, json.dumps(known, indent=1, sort_keys=True).encode() + b"\n")
        return told
    except OSError as error:
        if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)):
            raise Problem(
                f"The disk is full: {page.name} could not be copied to {target}.",
                f"free some space ({free_megabytes(target)} MB are free), then start again. Nothing "
                "half-written was "
                "left, and your own pages are as they were.",
            ) from None
        raise Problem(
            f"{page.name} could not be copied to {target} ({error.strerror or error}).",
            "copy the course to a folder of your own, or look at who may write to that folder, then start "
            "again.",
        ) from None


def copy_page(original: Path, target: Path, known: dict[str, dict[str, str]]) -> list[str]:
    """One page by the rules above; `known` is {page: {file name: hash of what we put there}}, changed in "
    "place."""
    content = original.read_bytes()
    new, copy = hash_of(content), target / original.name
    placed = known.setdefault(original.name, {})  # the copy itself, and any .new files beside it
    if not copy.exists():
        write_whole(copy, content)
        placed[copy.name] = new
        return []
    here = hash_of(copy.read_bytes())
    if here == new:
        placed[copy.name] = new
        return []
    if here == placed.get(copy.name):
        write_whole(copy, content)
        placed[copy.name] = new
        return []
    if new in placed.values():
        return []  # theirs is changed, ours is not newer than what they were given
    beside = free_name(copy, placed)
    write_whole(beside, content)
    placed[beside.name] = new
    return [
        f"{copy.name}: there is a newer original. You changed your page, so it stays as it is;\n"
        f"    the newer one is beside it: {target.name}/{beside.name}"
    ]


def free_name(copy: Path, placed: dict[str, str]) -> Path:
    """NAME.new.ipynb, or NAME.new-2.ipynb when the learner has worked in the first one."""
    number = 1
    while True:
        beside = copy.with_name(f"{copy.stem}.new{'' if number == 1 else f'-{number}'}.ipynb")
        if not beside.exists() or hash_of(beside.read_bytes()) == placed.get(beside.name):
            return beside
        number += 1


def read_list(path: Path) -> dict[str, dict[str, str]]:
    """What was copied so far. An unreadable list counts as empty: a differing page then counts as changed."""
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
        return known if isinstance(known, dict) and all(isinstance(v, dict) for v in known.values()) else {}
    except (OSError, ValueError):
        return {}


def free_megabytes(folder: Path) -> int:
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free // 2**20
