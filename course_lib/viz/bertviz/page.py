"""One of bertviz's drawings as one HTML document with everything inside: nothing is asked of the network.

bertviz's scripts load jQuery and d3 from the network. Here both come from installed packages that ship them,
and stand in the document (the template `page.html`) with bertviz's own script, the numbers and the tokens.

bertviz's scripts are taken as they are, except for the replacements listed in `CHANGES`: they make room for
long tokens, name layers and heads from 1 like the rest of the course, take the course's colours, and keep
`neuron_view` true for any mask and any scale.
"""

import importlib.metadata
from functools import cache
from pathlib import Path

import jinja2
from markupsafe import Markup

from course_lib.viz import colours

# What a view needs: package, and the file in it.
JQUERY = ("XStatic-jQuery", "xstatic/pkg/jquery/data/jquery.min.js")
D3 = ("mpld3", "mpld3/js/d3.v5.min.js")  # version 5: bertviz's handlers take (d, i), which 6 changed
TESTED = "1.4.1"  # of bertviz
INSTEAD = "The still is shown instead. Next step:"

# Replacements in bertviz's scripts: (its text, ours). Each must be there, or the view is refused.
PARAMS = ("PYTHON_PARAMS", "window.bertviz_params")
HEAD = (
    PARAMS,
    ("const BOXWIDTH = 110;", "const BOXWIDTH = Math.max(110, course.room(15));"),
    (
        '.attr("height", CHECKBOX_SIZE);',
        f""".attr("height", CHECKBOX_SIZE)
            .style("cursor", "pointer");
        checkboxContainer.selectAll("text").data(params.head_names).enter().append("text")
            .text(d => d).attr("font-size", "12px").attr("font-weight", "bold")
            .attr("fill", "{colours.PAPER}").attr("pointer-events", "none").attr("text-anchor", "middle")
            .attr("x", (d, i) => (i + .5) * CHECKBOX_SIZE).attr("y", top + 14.5);""",
    ),
)
MODEL = (
    PARAMS,
    ("const DIV_WIDTH = 970;", "const DIV_WIDTH = Math.max(790, 160 + 2 * course.room(13));"),
    ("const DETAIL_WIDTH = 300;", "const DETAIL_WIDTH = 140 + 2 * course.room(13);"),
    ("const DETAIL_BOX_WIDTH = 80;", "const DETAIL_BOX_WIDTH = course.room(13);"),
    # with few heads, bertviz's pictures are as large as a page, and the enlarged one falls outside of it
    ("7 * (12 / config.totalHeads)", "Math.max(5, Math.min(14, 84 / config.totalHeads))"),
    (
        "(DIV_WIDTH - axisSize) / config.totalHeads",
        "Math.min(190, (DIV_WIDTH - axisSize) / config.totalHeads)",
    ),
    ("axisSize, config.detailHeight)", "axisSize, config.detailHeight + 6)"),
    ("const ATTN_PADDING = 0;", "const ATTN_PADDING = 6;"),
    (
        "LAYER_COLORS[config.layers[layer] % 10]",
        "LAYER_COLORS[(config.layers[layer] - 1) % LAYER_COLORS.length]",
    ),
    (
        "x = leftPos + THUMBNAIL_PADDING - DETAIL_WIDTH + 8;",
        "x = Math.max(0, leftPos + THUMBNAIL_PADDING - DETAIL_WIDTH + 8);",
    ),
)
NEURON = (
    ("const BOXWIDTH = TEXT_SIZE * 8;", "const BOXWIDTH = Math.max(100, course.room(15) + 30);"),
    ("const MATRIX_WIDTH = 200;", "const MATRIX_WIDTH = 130;"),
    ("const HEIGHT_PADDING = 100;", "const HEIGHT_PADDING = 50;"),
    (
        "= attentionFilter.right_text.length",
        "= Math.max(attentionFilter.left_text.length, attentionFilter.right_text.length)",
    ),
    (".val(i).text(i)", ".val(i).text(i + 1)"),
    # headings: the column that bertviz calls "q · k" holds the scaled product
    ("posQueries + 68", "posQueries + 42"),
    ("posKeys + 73", "posKeys + 44"),
    ("posProduct + 28", "posProduct + 46"),
    ("k (elementwise)'", "k'"),
    ("posDotProduct - 6", "posDotProduct - (params.scaled ? 22 : 6)"),
    ("' \\u2219 k'", "params.scaled ? '·k / √dₖ' : ' · k'"),
    ("/ Math.sqrt(config.vectorSize)", "/ (params.scaled ? Math.sqrt(config.vectorSize) : 1)"),
    # bertviz hides what a causal mask forbids (key after query); here: what any mask forbids
    ("i <= index", "config.attention[config.filter].attn[config.layer][config.head][index][i] > 0"),
    # the weight as a number beside its key
    (
        "var container = svg.select('#rightText');",
        """var container = svg.select('#rightText');
            container.selectAll(".token").each(function (d, i) {
                const text = d3.select(this).text(config.attention[config.filter].right_text[i]);
                if (attn[i] === 0) return;
                text.append("tspan").attr("class", "weight").attr("dx", 8).text(attn[i].toFixed(2));
            });""",
    ),
    (
        """svg.select('#rightText').selectAll("rect").style("opacity", 0);""",
        """svg.select('#rightText').selectAll("rect").style("opacity", 0);
            svg.select('#rightText').selectAll(".weight").remove();""",
    ),
    # its colours suit numbers around 4; ours suit the numbers that are there
    ("Math.tanh(Math.abs(d) / 4)", "Math.tanh(2 * Math.abs(d) / params.most)"),
    ("Math.tanh(Math.abs(d) / 2)", "Math.tanh(4 * Math.abs(d) / params.most)"),
    *((f"{quote}{old}{quote}", f"'{new}'") for old, quote, new in colours.INSTEAD_OF_BERTVIZ),
)
CHANGES = {"head_view": HEAD, "model_view": MODEL, "neuron_view": NEURON}


def offline(view: str, params: dict, *, title: str, note: str) -> str:
    """One of bertviz's views as an HTML document that needs no network.

    Args:
        view: "head_view", "model_view" or "neuron_view".
        params: the numbers and tokens, as bertviz's own Python hands them to its script.
        title, note: plain text above and below.

    Raises:
        ImportError: a package is missing, or bertviz's script is not the one that the course knows.
    """
    script = _file("bertviz", f"bertviz/{view}.js")
    for old, new in CHANGES[view]:
        if old not in script:
            raise ImportError(
                f"{view}.js of the installed bertviz is not the one that the course knows: no {old!r}. "
                f"{INSTEAD} python3 -m pip install bertviz=={TESTED}"
            )
        script = script.replace(old, new)
    several = params["attention"] if isinstance(params["attention"], list) else []
    return _template().render(
        title=title,
        note=note,
        params=params,
        layers=view != "model_view",
        heads=view == "neuron_view",
        parts=several if len(several) > 1 else [],
        colours=colours,
        # scripts stand as they are; everything else is escaped
        jquery=Markup(_file(*JQUERY)),
        d3=Markup(_file(*D3)),
        view=Markup(script),
    )


@cache
def _template() -> jinja2.Template:
    """The page. Numbers and tokens are written by `tojson`: a token "</script>" cannot end a script."""
    loader = jinja2.FileSystemLoader(Path(__file__).parent)
    rooms = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined)
    rooms.policies["json.dumps_kwargs"] = {"separators": (",", ":")}
    return rooms.get_template("page.html")


def _file(package: str, path: str) -> str:
    """A file of an installed package, without importing the package."""
    try:
        place = Path(importlib.metadata.distribution(package).locate_file(path))
        return place.read_text(encoding="utf-8")
    except (importlib.metadata.PackageNotFoundError, FileNotFoundError):
        raise ImportError(
            f"The live view needs the package {package} (its file {path}), which is not installed here. "
            f"{INSTEAD} python3 -m pip install {package}"
        ) from None
