"""The guards of the pages: a good page passes, and each broken promise is found and named."""

import copy
import json

import pytest

from course_lib.chapters import CHAPTERS
from course_lib.practice import cards, desk, progress_file
from course_lib.tools import guards

MINUTES = CHAPTERS["03"].minutes
EXERCISES = sum(one.minutes for id, one in desk.exercises().items() if id.startswith("03"))
HEADER = f"""# 03 · Multi-head attention

**Why ask the same sentence several questions at once?**

| before | time |
|---|---|
| chapter 02 | {MINUTES} minutes to read and run, {EXERCISES} more for all exercises |"""
NEXT = "**Next.** [04 · Masking](04_masking.ipynb): *who may look at whom?*"

PROGRESS = cards.progress_card(desk.CHAPTERS, progress_file.empty())


def code(n: int) -> dict:
    output = {"output_type": "stream", "name": "stdout", "text": ["2\n"]}
    tags = {"tags": [guards.CHECK]} if n <= guards.CHECKED_CELLS else {}
    return {
        "cell_type": "code", "id": f"c{n}", "metadata": tags, "execution_count": n, "outputs": [output],
        "source": ["print(1 + 1)"],
    }  # fmt: skip


def text(n: int) -> dict:
    reading = "- word " * (MINUTES * 15)  # as many words as these minutes take, in a list
    said = {1: HEADER, 2: reading, 20: NEXT}.get(n, "Some words.")
    return {"cell_type": "markdown", "id": f"t{n}", "metadata": {}, "source": [said]}


GOOD = {
    "nbformat": 4,
    "nbformat_minor": 5,
    "metadata": {"kernelspec": {"name": "python3"}},
    "cells": [cell for n in range(1, 21) for cell in (text(n), code(n))],
}


def faults(tmp_path, page: dict) -> list[str]:
    path = tmp_path / "03_multi_head_attention.ipynb"
    path.write_text(json.dumps(page), encoding="utf-8")
    return guards.faults(path)


def picture(**metadata) -> dict:
    return {"output_type": "display_data", "data": {"image/png": "aGk="}, "metadata": metadata}


def shown(html: str, **data) -> dict:
    return {"output_type": "display_data", "data": {"text/html": [html], **data}, "metadata": {}}


def live(**data) -> dict:
    return {
        "output_type": "display_data",
        "data": {guards.WIDGET_VIEW: {"model_id": "x"}, **data},
        "metadata": {},
    }


def put(key, value, number=1):
    return lambda page: page["cells"][number].update({key: value})


def first_output(output):
    return put("outputs", [output])


BROKEN = {
    "not executed": put("execution_count", None),
    "run once, from top": put("execution_count", 7),
    "a stored error: KeyError": first_output(
        {"output_type": "error", "ename": "KeyError", "evalue": "", "traceback": []}
    ),
    "a % magic or a ! line": put("source", ["x = 1\n", "%matplotlib inline\n"]),
    "a ! line": put("source", ["!pip install x"]),
    "metadata.widgets": lambda page: page["metadata"].update(widgets={}),
    "image/png without alt text": first_output(picture()),
    "png without alt": first_output(picture(**{"image/png": {"alt": "in metadata that nobody shows"}})),
    "stored twice": first_output(shown('<img alt="A map">', **{"image/png": "aGk="})),
    "without alt text": first_output(shown('<img alt=" " src="data:image/png;base64,aGk=">')),
    "beside its still": first_output(live(**{"image/png": "aGk="})),
    "live view without a still": first_output(live()),
    "a live cell without a still": put("metadata", {"tags": ["live", "nbval-check-output"]}),
    "on stderr": first_output({"output_type": "stream", "name": "stderr", "text": ["UserWarning: x"]}),
    "path of one machine": first_output(
        {"output_type": "stream", "name": "stdout", "text": ["/home/me/x.py"]}
    ),
    "progress() is stored with '0 of 19 exercises solved": first_output(
        shown("<b>0 of 19</b>", **{"text/plain": ["0 of 19 exercises solved · 0 of 195 minutes\n"]})
    ),
    "or another list: build the page": first_output(
        shown("<b>…</b>", **{"text/plain": PROGRESS.text.replace("03.merge", "03.join")})
    ),
    "changes from run to run": put("metadata", {"execution": {"iopub.execute_input": "2026"}}),
    "21 lines, at most 20": put("source", ["x = 1\n"] * 21),
    "half of the code cells have 9 lines": lambda page: [
        put("source", ["x = 1\n"] * 9, n)(page) for n in range(1, 40, 2)
    ],
    "a picture without alt text": put("source", ["![](a.png)"], number=2),
    "picture without alt": put("source", ['<img src="a.png" width="3">'], number=2),
    "picture from the network": put("source", ["![a cat](https://example.com/a.png)"], number=2),
    "words of prose": put("source", ["word " * 130], number=2),
    " words, at most": put("source", ["- word " * 4000], number=2),
    "an empty code cell": put("source", [""]),
    "two have the same": put("id", "t1"),
    "the title": put("source", ["no title"], number=0),
    "format is not 4.5": lambda page: page.update(nbformat_minor=4),
    "20 cells, wanted 30": lambda page: page.update(cells=page["cells"][:20]),
    "72 cells, wanted 30": lambda page: page["cells"].extend(text(n) for n in range(50, 82)),
    "9 cells with printed output": put("metadata", {}),
    "the header has '# 3 · Heads' where": put(
        "source", [HEADER.replace("03 · Multi-head attention", "3 · Heads")], 0
    ),
    "has '**Why ask the same sentence": put("source", [HEADER.replace("several", "many")], 0),
    "the header has '7' where": put("source", [HEADER.replace(f"{MINUTES} min", "7 min")], 0),
    "its words take about": put("source", [""], 2),
    "the header says 3 minutes for the exercises": put(
        "source", [HEADER.replace(f"{EXERCISES} more", "3 more")], 0
    ),
    "exercise 03.merge stands solved above itself, in cell 2": lambda page: (
        put("source", ["def joined(x):\n", "    return x.permute(0, 2, 1, 3).flatten(2)"])(page),
        put("source", ['exercise("03.merge")'], 3)(page),
    ),
    "does not lead to '[04 · Masking](04_masking.ipynb)'": put("source", [NEXT.replace("04_", "05_")], 38),
    "the last 'Next' asks 'what?'": put("source", [NEXT.replace("who may look at whom", "what")], 38),
    "the file has": put("source", ["x" * 4 * 2**20], number=2),
}


def test_a_good_page_has_no_fault(tmp_path):
    assert faults(tmp_path, GOOD) == []
    ok = copy.deepcopy(GOOD)
    ok["cells"][3]["outputs"].append(shown('<img alt="A map of weights" src="data:image/png;base64,aGk=">'))
    ok["cells"][5]["outputs"].append(shown(PROGRESS.html, **{"text/plain": [PROGRESS.text]}))
    ok["cells"][4]["source"] = ['![a map](../assets/figures/a.png) <img src="b.png" alt="b">']
    ok["cells"][5]["source"] = ["a = 7 % 3\n", "text = 'wait!'\n", "b = a != 3"]
    assert faults(tmp_path, ok) == []


@pytest.mark.parametrize("says", BROKEN)
def test_each_broken_promise_is_named(tmp_path, says):
    page = copy.deepcopy(GOOD)
    BROKEN[says](page)
    found = faults(tmp_path, page)
    assert any(says in fault for fault in found), found


def test_a_tagged_cell_without_output_does_not_count_as_checked(tmp_path):
    page = copy.deepcopy(GOOD)
    page["cells"][1]["outputs"] = []
    assert any("9 cells with printed output" in fault for fault in faults(tmp_path, page))


def test_a_page_without_a_place_in_the_course_is_named(tmp_path):
    for name in ("03_heads.ipynb", "13_more.ipynb"):
        assert guards.chapter_faults(GOOD, name) == [
            "course_lib/chapters.py has no written chapter with this page"
        ]


def test_the_first_chapter_may_be_short(tmp_path):
    page = copy.deepcopy({**GOOD, "cells": [*GOOD["cells"][:20], GOOD["cells"][38]]})
    page["cells"][0]["source"] = [
        f"# 00 · Start here\n\n**What will I be able to build?**\n| x | {CHAPTERS['00'].minutes} minutes |"
    ]
    page["cells"][2]["source"] = ["- word " * (CHAPTERS["00"].minutes * 30)]
    page["cells"][-1]["source"] = [
        "**What comes next** · [01 · Bahdanau attention](01_bahdanau_attention.ipynb)"
    ]
    (tmp_path / "00_start_here.ipynb").write_text(json.dumps(page), encoding="utf-8")
    assert guards.faults(tmp_path / "00_start_here.ipynb") == []
