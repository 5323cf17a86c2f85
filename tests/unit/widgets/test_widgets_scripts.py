"""The browser files: each view has the parts that it uses, and no file has a colour of its own."""

import re
from pathlib import Path

import pytest

import course_lib
from course_lib import widgets
from course_lib.widgets.front import BROWSER, PARTS

LIBRARY = Path(course_lib.__file__).parent
TOP_LEVEL = re.compile(r"^(?:function|const|let) (\w+)", re.MULTILINE)
DEFINED = {part: set(TOP_LEVEL.findall((BROWSER / f"{part}.js").read_text("utf-8"))) for part in PARTS}
VIEWS = sorted({path.stem for path in BROWSER.glob("*.js")} - set(PARTS))
CLASSES = {view: getattr(widgets, "".join(word.title() for word in view.split("_"))) for view in VIEWS}


def words_of(source: str) -> set[str]:
    """Names in a script that are neither a property nor in a comment."""
    return set(re.findall(r"(?<![\w.])\w+(?!\s*:)", re.sub(r"//.*", "", source)))


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_is_sent_with_the_parts_that_it_uses(view):
    own = (BROWSER / f"{view}.js").read_text("utf-8")
    script = CLASSES[view]._esm
    assert script.endswith(own) and script.count("export default viewOf(render);") == 1
    sent = [part for part in PARTS if (BROWSER / f"{part}.js").read_text("utf-8") in script]
    assert sent == list(PARTS[: len(sent)])
    for part in PARTS[len(sent) :]:
        used = words_of(own) & DEFINED[part]
        assert not used, f"{view}.js uses {used} of {part}.js"
    assert words_of(own) & DEFINED[sent[-1]], f"{view}.js needs no {sent[-1]}.js"


@pytest.mark.parametrize("number", range(1, len(PARTS)))
def test_a_part_uses_only_those_before_it(number):
    for part in PARTS[:number]:
        used = words_of((BROWSER / f"{part}.js").read_text("utf-8")) & DEFINED[PARTS[number]]
        assert not used, f"{part}.js uses {used} of {PARTS[number]}.js"


def test_no_name_is_defined_twice():
    for view in VIEWS:
        names = TOP_LEVEL.findall(CLASSES[view]._esm)
        assert len(names) == len(set(names)), view


def test_each_part_of_the_style_sheet_stands_alone():
    """A brace that is missing puts all that follows into one rule, and a browser says nothing."""
    depth = 0
    for number, line in enumerate((BROWSER / "views.css").read_text("utf-8").splitlines(), 1):
        assert depth == 0 or not line.startswith("/*"), f"line {number} stands in an open rule: {line}"
        depth += line.count("{") - line.count("}")
        assert depth >= 0, f"line {number} closes what is not open"
    assert depth == 0


NAMED = "white|black|gr[ae]y|red|green|blue|orange|yellow|purple|crimson|silver|navy"
COLOUR = re.compile(
    r"#(?:[0-9a-fA-F]{3,4}){1,2}\b"  # "#1F2933"
    r"|\b(?:rgb|hsl|oklab|oklch)a?\(\s*[\d.]"  # rgb(1 2 3)
    rf"|(?:[=:]|fill[\"'],|stroke[\"'],)\s*[\"'](?:{NAMED})[\"']"  # color="white", .attr("fill", "white")
    rf"|:\s*(?:{NAMED})\s*[;}}]"  # color: red;
)
COLOURS = (
    "'#fff'",
    '"#1F2933"',
    "rgb(0, 0, 0)",
    'color="white"',
    "color: red;",
    "hsl(3 4 5)",
    '"fill", "red"',
)


@pytest.mark.parametrize("text", COLOURS)
def test_a_colour_is_recognised(text):
    assert COLOUR.search(text)


def test_every_colour_stands_in_colours():
    places = [path for folder in ("viz", "widgets") for path in (LIBRARY / folder).rglob("*")]
    files = [path for path in places if path.suffix in (".py", ".js", ".css", ".html")]
    assert len(files) > 30
    found = {
        path.name: COLOUR.findall(path.read_text("utf-8")) for path in files if path.name != "colours.py"
    }
    assert {name: colours for name, colours in found.items() if colours} == {}
