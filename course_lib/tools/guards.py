"""What a stored page must be: the promises of a page that can be read off its file, without running it.

`faults(page)` gives one sentence for each broken promise, naming the cell. tests/notebooks/ holds every
page to it.
"""

import json
import re
from pathlib import Path
from statistics import median

from course_lib.chapters import CHAPTERS, following, number_of
from course_lib.practice import cards, desk, progress_file
from course_lib.tools.solved import solved_above

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
IMAGES = ("image/png", "image/svg+xml", "image/jpeg", "image/gif")
CELLS, CELLS_OF_START = (30, 70), (8, 70)  # chapter 00 is short
WORDS, WORDS_OF_A_CELL = 2900, 120  # "about 2,800" and "20 to 90", with a little room
LINES_OF_CODE, MEDIAN_LINES = 20, 8  # of a code cell
# Read, thought about and run by somebody to whom page and language are new; the first page has few formulas.
WORDS_A_MINUTE, WORDS_A_MINUTE_AT_THE_START = 30, 60
MEGABYTES = 3
CHECKED_CELLS = 10  # with the tag nbval-check-output
CHECK = "nbval-check-output"
NO_ALT = re.compile(r"<img(?![^>]*\balt=[\"']\s*[^\s\"'])[^>]*>")


def faults(path: Path) -> list[str]:
    """Every broken promise of the page at `path`, one sentence each; [] when it keeps them all."""
    size = path.stat().st_size / 2**20
    page = json.loads(path.read_text(encoding="utf-8"))
    found = [f"the file has {size:.1f} MB, at most {MEGABYTES}"] if size > MEGABYTES else []
    return (
        found
        + page_faults(page, path.name)
        + chapter_faults(page, path.name)
        + minutes_faults(page, number_of(path.name))
        + solved_above(page)
        + [fault for cell in numbered(page) for fault in cell_faults(*cell)]
    )


def page_faults(page: dict, name: str) -> list[str]:
    """What is wrong with the page as a whole."""
    found, cells = [], page["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    if (page["nbformat"], page["nbformat_minor"]) != (4, 5):
        found.append("the format is not 4.5: build the page")
    if "widgets" in page["metadata"]:
        found.append("metadata.widgets is stored: build the page")
    ids = [cell.get("id") for cell in cells]
    if None in ids or len(set(ids)) < len(ids):
        found.append("a cell has no id, or two have the same: build the page")
    least, most = CELLS_OF_START if name.startswith("00") else CELLS
    if not least <= len(cells) <= most:
        found.append(f"{len(cells)} cells, wanted {least} to {most}")
    words = words_of(page)
    if words > WORDS:
        found.append(f"{words} words, at most {WORDS}")
    lines = [len(text_of(cell).splitlines()) for cell in code]
    if lines and median(lines) > MEDIAN_LINES:
        found.append(f"half of the code cells have {median(lines):g} lines or more, wanted {MEDIAN_LINES}")
    if not cells or cells[0]["cell_type"] != "markdown" or not text_of(cells[0]).startswith("# "):
        found.append("the first cell is not a text cell with the title (# ...)")
    counts = [cell.get("execution_count") for cell in code if text_of(cell).strip()]
    if None not in counts and counts != list(range(1, len(counts) + 1)):
        found.append("the cells were not run once, from top to bottom: build the page")
    checked = sum(CHECK in cell["metadata"].get("tags", []) and has_text(cell) for cell in code)
    if checked < CHECKED_CELLS:
        found.append(f"{checked} cells with printed output have the tag {CHECK}, wanted {CHECKED_CELLS}")
    return found


def chapter_faults(page: dict, name: str) -> list[str]:
    """Where the page's header or its way out differs from the table of chapters."""
    chapter = CHAPTERS.get(number_of(name))
    if chapter is None or not chapter.written or chapter.page != name:
        return ["course_lib/chapters.py has no written chapter with this page"]
    texts = [text_of(cell) for cell in page["cells"] if cell["cell_type"] == "markdown"]
    head, found = texts[0] if texts else "", []
    minutes = re.search(r"\| (\d+)(?: to \d+)? minutes", head)
    for said, wanted in (
        (head.split("\n")[0], f"# {chapter.number} · {chapter.title}"),
        (f"**{chapter.question}**" if f"**{chapter.question}**" in head else "", f"**{chapter.question}**"),
        (minutes.group(1) if minutes else "", str(chapter.minutes)),
    ):
        if said != wanted:
            found.append(f"the header has {said!r} where course_lib/chapters.py has {wanted!r}")
    after = following(chapter.number)
    ways = [text for text in texts if re.search(r"\*\*(Next\.|What comes next)\*\*", text)]
    if after is None:
        return found
    link = f"[{after.number} · {after.title}]({after.page})" if after.written else f"hapter {after.number}"
    if not ways or link not in ways[-1]:
        found.append(f"the last 'Next' does not lead to {link!r}")
    else:
        quoted = re.findall(r"(?<!\*)\*([^*]+\?)\*(?!\*)", ways[-1].partition(link)[2])
        if quoted and quoted[0].lower() != after.question.lower():
            found.append(f"the last 'Next' asks {quoted[0]!r} where the next page asks {after.question!r}")
    return found


def minutes_faults(page: dict, number: str) -> list[str]:
    """Where the header promises other minutes than the page and its exercises need."""
    chapter, found = CHAPTERS.get(number), []
    needed = words_of(page) / (WORDS_A_MINUTE_AT_THE_START if number == "00" else WORDS_A_MINUTE)
    if chapter and abs(chapter.minutes - needed) > max(5, needed / 10):
        found.append(f"the header says {chapter.minutes} minutes, its words take about {needed:.0f}")
    wanted = sum(one.minutes for id, one in desk.exercises().items() if id.startswith(f"{number}."))
    more = re.search(r"(\d+) more for", text_of(page["cells"][0])) if page["cells"] else None
    if more and abs(int(more[1]) - wanted) > 5:
        found.append(f"the header says {more[1]} minutes for the exercises, they say {wanted}")
    return found


def words_of(page: dict) -> int:
    """How many words its text cells have, tables and formulas included."""
    return sum(len(text_of(cell).split()) for cell in page["cells"] if cell["cell_type"] == "markdown")


def cell_faults(where: str, cell: dict) -> list[str]:
    """What is wrong with one cell; `where` names it for the reader."""
    if cell["cell_type"] == "markdown":
        found = text_faults(cell)
    else:
        found = code_faults(cell) if cell["cell_type"] == "code" else []
    timing = {"execution", "ExecuteTime", "collapsed", "scrolled"} & set(cell["metadata"])
    if timing:
        found.append(f"metadata that changes from run to run: {', '.join(sorted(timing))}")
    return [f"{where}: {fault}" for fault in found]


def text_faults(cell: dict) -> list[str]:
    found, text = [], text_of(cell)
    if re.search(r"!\[\s*\]\(", text) or NO_ALT.search(text):
        found.append("a picture without alt text")
    if re.search(r"(!\[[^]]*\]\(|<img[^>]*src=[\"'])https?:", text):
        found.append("a picture from the network")
    prose = [line for line in text.splitlines() if not re.match(r"\s*(\||#|[-*+] |\d+\. )", line)]
    words = len(" ".join(prose).split())
    if words > WORDS_OF_A_CELL:
        found.append(f"{words} words of prose in one cell, at most {WORDS_OF_A_CELL}")
    return found


def code_faults(cell: dict) -> list[str]:
    found, text = [], text_of(cell)
    if not text.strip():
        return ["an empty code cell"]
    if cell.get("execution_count") is None:
        found.append("not executed")
    if re.search(r"^\s*[%!]", text, re.MULTILINE):
        found.append("a % magic or a ! line")
    if len(text.splitlines()) > LINES_OF_CODE:
        found.append(f"{len(text.splitlines())} lines, at most {LINES_OF_CODE}")
    for output in cell["outputs"]:
        found += output_faults(output)
    if "live" in cell["metadata"].get("tags", []) and not any(is_still(output) for output in cell["outputs"]):
        found.append("a live cell without a still: build the page")
    return found


def is_still(output: dict) -> bool:
    """Whether an output shows something where nothing is live."""
    return any(kind in output.get("data", {}) for kind in (*IMAGES, "text/html"))


def output_faults(output: dict) -> list[str]:
    if output["output_type"] == "error":
        return [f"a stored error: {output.get('ename')}"]
    if output["output_type"] == "stream":
        found = ["text on stderr (a warning?)"] if output["name"] == "stderr" else []
        return found + machine_faults("".join(output["text"]))
    found, data = [], output["data"]
    shown = "".join(data.get("text/html", ""))
    for kind in IMAGES:
        if kind in data and shown:
            found.append(f"{kind} beside HTML: the picture is stored twice")
        elif kind in data:
            found.append(f"{kind} without alt text that a reader meets: show a Still, or an <img alt>")
    if NO_ALT.search(shown):
        found.append("a picture without alt text")
    if WIDGET_VIEW in data:
        found.append(
            "a widget-view key beside its still: build the page"
            if is_still(output)
            else "a live view without a still"
        )
    if output["metadata"].get("text/html", {}).get("live"):
        found.append("the scripts of a live view are stored: build the page")
    words = "".join(data.get("text/plain", ""))
    return found + machine_faults(words) + progress_faults(words)


def progress_faults(text: str) -> list[str]:
    """A stored `progress()` lists the exercises and the minutes of today."""
    said = text.partition("\n")[0]
    if "exercises solved" not in said:
        return []
    wanted = cards.progress_card(desk.CHAPTERS, progress_file.empty()).text
    if text == wanted:
        return []
    today = wanted.partition("\n")[0]
    return [f"progress() is stored with {said!r}, today it says {today!r}, or another list: build the page"]


def machine_faults(text: str) -> list[str]:
    """Paths of the machine that made the page have no place in what is printed."""
    here = re.search(r"(?<![\w.])(/home/|/root/|/tmp/|/Users/|/var/folders/|[A-Z]:\\Users)\S*", text)
    return [f"a path of one machine is printed: {here.group(0)[:40]}"] if here else []


def numbered(page: dict) -> list[tuple[str, dict]]:
    return [(f"cell {number} ({first_line(cell)!r})", cell) for number, cell in enumerate(page["cells"], 1)]


def first_line(cell: dict) -> str:
    return (text_of(cell).strip().splitlines() or [""])[0][:40]


def text_of(cell: dict) -> str:
    return "".join(cell["source"])


def has_text(cell: dict) -> bool:
    """Whether nbval has something to compare: printed text, or a value shown as text."""
    return any(
        "".join(o["text"]).strip() if o["output_type"] == "stream" else "text/plain" in o.get("data", {})
        for o in cell["outputs"]
    )
