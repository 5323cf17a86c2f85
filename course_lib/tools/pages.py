"""Pages for the learner: copies in my_course/, so that a new version of the course never touches their work.

For each page of notebooks/ a small list (my_course/.copied.json) keeps hashes of what was copied. With it:

- no copy there (new page, or deleted by the learner): copy it;
- the copy is as we made it: bring it up to date without a word;
- the copy was changed, and the original is newer: leave it, put the new one beside it as NAME.new.ipynb,
  and say so.

Changed means: what stands in its cells was changed. To open and run a page writes outputs, ids and metadata
into the file, and an empty cell at its end; a learner has then changed nothing. (Outputs of theirs stay
until a newer original comes, which brings its own.)

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
FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))  # what a full disk, or a full share of it, says


def originals(folder: Path | None = None) -> list[Path]:
    """The pages of the course, in order."""
    return sorted((folder or ROOT / "notebooks").glob("[0-9][0-9]*_*.ipynb"))


def digest(content: bytes) -> str:
    """Two hashes with a space between them: of the whole file, and of what stands in its cells."""
    return " ".join(hashlib.sha256(part).hexdigest() for part in (content, sources(content)))


def sources(content: bytes) -> bytes:
    """Types and sources of a notebook's cells, empty cells left out; of any other file, the file itself."""
    try:
        cells = [
            (cell["cell_type"], "".join(cell["source"]).rstrip()) for cell in json.loads(content)["cells"]
        ]
    except (ValueError, KeyError, TypeError, RecursionError):
        return content
    return json.dumps([cell for cell in cells if cell[1]]).encode()


def same_sources(one: str, other: str) -> bool:
    """Whether two digests belong to pages with the same cells. (Former lists hold hashes of files only.)"""
    return not set(one.split()).isdisjoint(other.split())


def same_file(one: str, other: str) -> bool:
    return one.split()[:1] == other.split()[:1]


def copy_pages(source: Path | None = None, target: Path | None = None) -> list[str]:
    """Copy every page by the rules above. Returns the lines to tell the learner.

    source, target: folders; notebooks/ and my_course/ when None. Raises Problem where nothing can be written.
    """
    source, target = source or ROOT / "notebooks", target or ROOT / "my_course"
    page = target / LIST
    try:
        make_folder(target)
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
        if error.errno in FULL:
            raise Problem(
                f"The disk is full: {page.name} could not be copied to {target}.",
                f"free some space ({free_megabytes(target)} MB are free), then start again. Nothing half-"
                "written was left, and your own pages are as they were.",
            ) from None
        raise Problem(
            f"{page.name} could not be copied to {target} ({error.strerror or error}).",
            "copy the course to a folder of your own, or look at who may write to that folder, then start "
            "again.",
        ) from None


def make_folder(target: Path) -> None:
    """Make the folder of the copies where there is none; raises Problem where that cannot be."""
    try:
        target.mkdir(exist_ok=True)
    except OSError as error:
        if error.errno in FULL:
            raise
        rename = f"rename the file {target.name}, or " if target.exists() else ""
        raise Problem(
            f"The folder {target.name} could not be made ({error.strerror or error}).",
            f"{rename}copy the course to a folder of your own.",
        ) from None


def copy_page(original: Path, target: Path, known: dict[str, dict[str, str]]) -> list[str]:
    """One page by the rules above; `known` is {page: {file: digest of what we put there}}, and is changed."""
    content = original.read_bytes()
    new, copy = digest(content), target / original.name
    placed = known.setdefault(original.name, {})  # the copy itself, and any .new files beside it
    was = placed.get(copy.name, "")
    here = digest(copy.read_bytes()) if copy.exists() else ""
    if not here or same_file(here, was) or (same_sources(here, was) and not same_sources(here, new)):
        if not same_file(here, new):
            write_whole(copy, content)
        placed[copy.name] = new
        return []
    if same_sources(here, new):
        placed[copy.name] = new  # with the learner's outputs
        return []
    if any(same_sources(new, one) for one in placed.values()):
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
        if not beside.exists() or same_sources(digest(beside.read_bytes()), placed.get(beside.name, "")):
            return beside
        number += 1


def read_list(path: Path) -> dict[str, dict[str, str]]:
    """What was copied so far. An unreadable list counts as empty: a differing page then counts as changed."""
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
        return known if isinstance(known, dict) and all(map(is_entry, known.values())) else {}
    except (OSError, ValueError):
        return {}


def is_entry(files) -> bool:
    return isinstance(files, dict) and all(isinstance(one, str) for one in files.values())


def free_megabytes(folder: Path) -> int:
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free // 2**20
