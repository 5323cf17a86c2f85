"""What README says about the chapters, and its map: made again from the one table, course_lib/chapters.py."""

import re

from course_lib.chapters import CHAPTERS
from course_lib.files import write_whole
from course_lib.tools import ROOT, Problem

README = ROOT / "README.md"
MAP = ROOT / "assets" / "figures" / "map.png"
HEAD = "| chapter | question | minutes to read and run | |\n|---|---|---:|---|\n"


def table() -> str:
    """The table of chapters in Markdown; a chapter that is written has a link to its page."""
    rows = []
    for one in CHAPTERS.values():
        name = f"{one.number} {one.title}"
        place, state = (f"[{name}](notebooks/{one.page})", "**written**") if one.written else (name, "coming")
        rows.append(f"| {place} | {one.question} | {one.minutes} | {state} |\n")
    return HEAD + "".join(rows)


def refreshed(text: str) -> str:
    """README's `text` with the table, and the number of the last written chapter, as they should be.

    Raises Problem where the text has no such table or sentence.
    """
    last = max(one.number for one in CHAPTERS.values() if one.written)
    for pattern, new in (
        (re.escape(HEAD) + r"(\|.*\n)*", table()),
        (r"Chapters 00 to \w+ are written", f"Chapters 00 to {last} are written"),
        (r"Solid: chapters 01 to \w+", f"Solid: chapters 01 to {last}"),
    ):
        text, found = re.subn(pattern, lambda _, new=new: new, text)
        if found != 1:
            raise Problem(
                f"README.md has {found} places like `{new.splitlines()[0]}`, expected one.",
                "write it there once; the rest is filled in.",
            )
    return text


def map_picture() -> bytes:
    """The map as a PNG: solid what is written, dashed what is coming."""
    from course_lib.viz.diagrams import transformer_map

    return transformer_map({one.number: "" for one in CHAPTERS.values() if one.written}).still.png()


def refresh() -> list[str]:
    """Write README.md and the map again where they differ. Returns the names of the files that changed."""
    wanted = {README: refreshed(README.read_text(encoding="utf-8")).encode("utf-8"), MAP: map_picture()}
    changed = [path for path, content in wanted.items() if path.read_bytes() != content]
    for path in changed:
        write_whole(path, wanted[path])
    return [path.name for path in changed]
