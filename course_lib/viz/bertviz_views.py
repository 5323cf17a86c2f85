"""bertviz's three views of attention, on any arrays, with no network: `head_view`, `model_view`, `neuron_view`.

bertviz (Vig 2019, "A Multiscale Visualization of Attention in the Transformer Model") draws with JavaScript.
As it ships, it asks the network for its helpers at every view. Here they come from installed packages and go
into one page, together with bertviz's own script and the numbers. That page shows itself in a frame below
the cell, and can be saved as a file.

Where nothing is live (GitHub, e-mail, a notebook that is not trusted) a still stands in its place.

bertviz's scripts are taken as they are, except for the replacements listed in `HEAD`, `MODEL` and `NEURON`:
they make room for long tokens, name layers and heads from 1 like the rest of the course, take the course's
colours, and keep `neuron_view` true for any mask and any scale.
"""

import html
import importlib.metadata
import json
from base64 import b64encode
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from course_lib.files import write_whole
from course_lib.viz import bertviz_stills, colours
from course_lib.viz.still import Still, as_allowed, as_array, as_weights, shown

MOST_BYTES = 2_000_000  # of numbers in one view
BYTES_OF_A_NUMBER = 8  # "0.12345,"
MOST_LINES = 40_000  # drawn at once: more make the browser slow
SAME = 1e-3  # weights given and weights recomputed agree to this
LIVE = {"live": True}  # marks the HTML of an output: `build` stores the still alone

# What a view needs: package, and the file in it.
JQUERY = ("XStatic-jQuery", "xstatic/pkg/jquery/data/jquery.min.js")
D3 = ("mpld3", "mpld3/js/d3.v5.min.js")  # version 5: bertviz's handlers take (d, i), which 6 changed
TESTED = "1.4.1"  # of bertviz

HEAD_NOTE = (
    "Left: queries. Right: keys. Point at a token to see only its lines. Each coloured square is a head: click "
    "to switch it off or on, double-click to see it alone. A line is as strong as its weight, divided by the "
    "number of heads that are on."
)
MODEL_NOTE = (
    "One small picture for each layer (row) and head (column): queries on the left, keys on the right, a line "
    "as strong as its weight. Click a picture to enlarge it; then point at a query. Click again to close it."
)
NEURON_NOTE = (
    "Left: queries. Right: keys, as dark as their weight. Point at a query and click its ⊕ to see how its "
    "weights come about; ⊖ closes. Blue is positive, orange negative; full colour is ±{most} or more. "
    "{column} is the score before the softmax.{mask}"
)

# Replacements in bertviz's scripts: (its text, ours). Each must be there, or the view is refused.
PARAMS = ("PYTHON_PARAMS", "window.bertviz_params")
HEAD = (
    PARAMS,
    ("const BOXWIDTH = 110;", "const BOXWIDTH = Math.max(110, course.room(15));"),
    (
        '.attr("height", CHECKBOX_SIZE);',
        """.attr("height", CHECKBOX_SIZE)
            .style("cursor", "pointer");
        checkboxContainer.selectAll("text").data(params.head_names).enter().append("text")
            .text(d => d).attr("font-size", "12px").attr("font-weight", "bold").attr("fill", "white")
            .attr("pointer-events", "none").attr("text-anchor", "middle")
            .attr("x", (d, i) => (i + .5) * CHECKBOX_SIZE).attr("y", top + 14.5);""",
    ),
)
MODEL = (
    PARAMS,
    ("const DIV_WIDTH = 970;", "const DIV_WIDTH = 790;"),
    ("const DETAIL_WIDTH = 300;", "const DETAIL_WIDTH = 140 + 2 * course.room(13);"),
    ("const DETAIL_BOX_WIDTH = 80;", "const DETAIL_BOX_WIDTH = course.room(13);"),
    # with few heads, bertviz's pictures are as large as a page, and the enlarged one falls outside of it
    ("7 * (12 / config.totalHeads)", "Math.max(5, Math.min(14, 84 / config.totalHeads))"),
    (
        "(DIV_WIDTH - axisSize) / config.totalHeads",
        "Math.min(190, (DIV_WIDTH - axisSize) / config.totalHeads)",
    ),
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
                if (attn[i] > 0) text.append("tspan").attr("class", "weight").attr("dx", 8).text(attn[i].toFixed(2));
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
    ("'#0c36d8'", f"'{colours.QUERY}'"),
    ("'#ff6318'", f"'{colours.KEY}'"),
    ("'blue'", f"'{colours.QUERY}'"),
    ('"blue"', f"'{colours.QUERY}'"),
    ('"#478be8"', '"#8FC1E3"'),
)


class BertvizView:
    """One of bertviz's views: live below the cell, a still everywhere else.

    `still` and `alt` are the picture and its words; `page()` is the view as one HTML document.
    """

    def __init__(self, still: Still, view: str, params: dict, changes: Iterable, title: str, note: str):
        self.still, self.alt, self.title = still, still.alt, title
        self._view, self._params, self._changes, self._note = view, params, changes, note

    def page(self) -> str:
        """The live view as one HTML document that asks nothing of any other machine.

        Raises ImportError when bertviz, mpld3 or XStatic-jQuery is missing or too different; it says what to do.
        """
        return offline(self._view, self._params, self._changes, title=self.title, note=self._note)

    def save_html(self, path: str | Path) -> None:
        """Write the live view to `path`; the file opens in any browser, with no network."""
        write_whole(Path(path), self.page().encode("utf-8"))

    def html(self) -> str:
        """The output of a cell: the still, then the live view in a frame whose script hides the still.

        A page that is not trusted drops the frame, and the still stays.
        """
        width, height = (round(inches * 100) for inches in self.still.get_size_inches())
        png = b64encode(self.still.png()).decode("ascii")
        return (
            f"<style>{FRAME_STYLE}</style>\n"
            '<div class="course-bertviz">\n'
            f'<img alt="{html.escape(self.alt)}" width="{width}" height="{height}" '
            f'style="max-width:100%;height:auto" src="data:image/png;base64,{png}">'
            f'<iframe title="{html.escape(self.title)}" srcdoc="{html.escape(self.page())}" '
            'style="width:100%;height:0;border:0;visibility:hidden"></iframe>\n'
            "</div>"
        )

    def _repr_mimebundle_(self, include=None, exclude=None) -> tuple[dict, dict]:
        data, metadata = self.still.mimebundle()
        try:
            return {"text/html": self.html(), **data}, {"text/html": LIVE, **metadata}
        except ImportError as problem:
            print(problem)
            return data, metadata


# in JupyterLab's dark theme the frame is the same card, dark: lightness turned round, hues kept
FRAME_STYLE = (
    ".course-bertviz iframe{border-radius:6px;color-scheme:light}"
    'body[data-jp-theme-light="false"] .course-bertviz iframe{filter:invert(.91) hue-rotate(180deg)}'
)


def head_view(
    weights,
    tokens: Sequence[str],
    *,
    keys: Sequence[str] | None = None,
    layers: Sequence[int] | None = None,
    heads: Sequence[int] | None = None,
    layer: int | None = None,
    sentence_b_start: int | None = None,
    title: str = "Which token looks at which, head by head",
) -> BertvizView:
    """All heads of one layer as coloured lines from each query (left) to each key (right).

    Args:
        weights: (H, T, S), or a list of such over layers; (1, H, T, S) counts as (H, T, S).
        tokens: T query tokens.
        keys: S key tokens where they are others (cross-attention).
        layers, heads: which ones to show, counted from 0; all when None.
        layer: the one shown first, counted from 0; the first of `layers` when None.
        sentence_b_start: position where a second sentence starts; adds a menu for A → B and so on.

    Raises:
        ValueError: sizes that do not fit, values that are no weights, too much for a browser.
    """
    keys = tokens if keys is None else keys
    array, layers, heads = _weights(weights, tokens, keys, layers, heads)
    first = _among(layers, layer, "layer")
    pairs = 1 if sentence_b_start is None else 2
    _fits("head_view", array.shape, lambda l, h, t, s: max(_bytes(pairs * l * h * t * s), _lines(h * t * s)))
    still = bertviz_stills.head_still(
        array[layers.index(first)], tokens, keys, heads, _titled(title, first, layers)
    )
    params = {
        "attention": _parts(array, tokens, keys, sentence_b_start),
        "default_filter": "0",
        "root_div_id": "course-bertviz",
        "layer": first + 1,
        "heads": None,
        "include_layers": [number + 1 for number in layers],
        "head_names": [number + 1 for number in heads],
    }
    return BertvizView(still, "head_view.js", params, HEAD, title, HEAD_NOTE)


def model_view(
    weights,
    tokens: Sequence[str],
    *,
    keys: Sequence[str] | None = None,
    layers: Sequence[int] | None = None,
    heads: Sequence[int] | None = None,
    sentence_b_start: int | None = None,
    title: str = "Every head of every layer",
) -> BertvizView:
    """All layers and heads at once, one small picture each; a click enlarges it.

    Arguments and errors as in `head_view`.
    """
    keys = tokens if keys is None else keys
    array, layers, heads = _weights(weights, tokens, keys, layers, heads)
    pairs = 1 if sentence_b_start is None else 2
    _fits(
        "model_view",
        array.shape,
        lambda l, h, t, s: max(_bytes(pairs * l * h * t * s), _lines(l * h * t * s)),
    )
    still = bertviz_stills.model_still(array, tokens, keys, layers, heads, title)
    params = {
        "attention": _parts(array, tokens, keys, sentence_b_start),
        "default_filter": "0",
        "display_mode": "light",
        "root_div_id": "course-bertviz",
        "include_layers": [number + 1 for number in layers],
        "include_heads": [number + 1 for number in heads],
        "total_heads": len(heads),
    }
    return BertvizView(still, "model_view.js", params, MODEL, title, MODEL_NOTE)


def neuron_view(
    queries,
    keys,
    tokens: Sequence[str],
    *,
    key_tokens: Sequence[str] | None = None,
    weights=None,
    allowed=None,
    scale: bool = True,
    layer: int = 0,
    head: int = 0,
    query: int | None = None,
    title: str = "How a weight comes about: query times key, number by number",
) -> BertvizView:
    """How one query's weights come about: q, k, their product feature by feature, the score, the softmax.

    Args:
        queries, keys: (H, T, K) and (H, S, K), or lists of such over layers; (1, H, T, K) counts as (H, T, K).
        tokens: T query tokens. key_tokens: S key tokens where they are others.
        weights: (H, T, S), or a list; made from queries and keys when None. A weight of exactly 0 counts as
            not allowed unless `allowed` says otherwise.
        allowed: booleans that broadcast to (H, T, S), True = may attend.
        scale: whether scores are divided by √d_k.
        layer, head: what is shown first, counted from 0.
        query: position of the query on the still; the last one when None.

    Raises:
        ValueError: sizes that do not fit, too much for a browser, or weights that are not the softmax of
            these queries and keys.
    """
    names = tokens if key_tokens is None else key_tokens
    queries, keys = _vectors(queries, tokens, "queries"), _vectors(keys, names, "keys")
    if queries.shape[:2] != keys.shape[:2] or queries.shape[-1] != keys.shape[-1]:
        raise ValueError(
            f"queries have shape {queries.shape} and keys {keys.shape} (layers, heads, tokens, d_k); "
            "layers, heads and d_k must be equal"
        )
    n_layers, n_heads, _, d_k = queries.shape
    _among(list(range(n_layers)), layer, "layer")
    _among(list(range(n_heads)), head, "head")
    scores = queries @ keys.swapaxes(-1, -2) / (np.sqrt(d_k) if scale else 1)  # (L, H, T, S)
    _fits(
        "neuron_view",
        scores.shape,
        lambda l, h, t, s: max(
            _bytes(l * h * (t * s + (t + s) * d_k)), _lines(7 * t * s + (t + 2 * s) * d_k)
        ),
    )
    mask = as_allowed(allowed, scores.shape)
    if weights is None:
        mask = np.ones(scores.shape, bool) if mask is None else mask
        weights = _softmax(scores, mask)
    else:
        weights = _weights(weights, tokens, names, None, None)[0]
        mask = weights > 0 if mask is None else mask
        _made_of(weights, scores, mask, scale, d_k)
    query = len(tokens) - 1 if query is None else _among(list(range(len(tokens))), query, "query")
    still = bertviz_stills.neuron_still(
        queries[layer, head], keys[layer, head], scores[layer, head, query], weights[layer, head, query],
        mask[layer, head, query], query, tokens, names, scale, title,
    )  # fmt: skip
    most = float(max(np.abs(queries).max(), np.abs(keys).max(), np.abs(scores[mask]).max(initial=0), 1e-3))
    left, right = ([shown(token) for token in those] for those in (tokens, names))
    params = {
        "attention": {
            "all": {
                "attn": _short(weights, mask),
                "left_text": left,
                "right_text": right,
                "queries": _short(queries),
                "keys": _short(keys),
            }
        },
        "default_filter": "all",
        "root_div_id": "course-bertviz",
        "bidirectional": bool(mask.all()),
        "display_mode": "light",
        "layer": layer,
        "head": head,
        "scaled": scale,
        "most": most,
    }
    note = NEURON_NOTE.format(
        most=f"{most:.2g}",
        column="q·k / √dₖ" if scale else "q · k",
        mask="" if mask.all() else " What the mask forbids is left out: its weight is 0.",
    )
    return BertvizView(still, "neuron_view.js", params, NEURON, title, note)


# -- one page that needs no network ----------------------------------------------------------------


def offline(
    view: str, params: dict, changes: Iterable[tuple[str, str]] = (), *, title: str, note: str
) -> str:
    """One of bertviz's views as an HTML document with everything inside.

    Args:
        view: bertviz's script: "head_view.js", "model_view.js" or "neuron_view.js".
        params: the numbers and tokens, as bertviz's own Python gives them to that script.
        changes: replacements in the script, (old, new).
        title, note: text above and below, plain.

    Raises:
        ImportError: a package is missing, or bertviz's script is not the one the course knows.
    """
    script = _file("bertviz", f"bertviz/{view}")
    for old, new in changes:
        if old not in script:
            raise ImportError(
                f"{view} of the installed bertviz is not the one that the course knows: it has no {old!r}. "
                f"The still is shown instead. Next step: python3 -m pip install bertviz=={TESTED}"
            )
        script = script.replace(old, new)
    parts = {
        "title": html.escape(title),
        "note": html.escape(note),
        "selectors": _selectors(view, params),
        "params": _in_a_script(json.dumps(params, separators=(",", ":"))),
        "colours": json.dumps(colours.SERIES),
        "jquery": _file(*JQUERY),
        "d3": _file(*D3),
        "view": script,
        "paper": colours.PAPER,
        "ink": colours.INK,
        "soft-ink": colours.SOFT_INK,
        "line": colours.LINE,
    }
    pieces = (Path(__file__).parent / "bertviz_page.html").read_text(encoding="utf-8").split("{{")
    filled = [pieces[0]]
    for piece in pieces[1:]:
        name, rest = piece.split("}}", 1)
        filled += [parts[name], rest]
    return "".join(filled)


def _file(package: str, path: str) -> str:
    """A file of an installed package, without importing the package."""
    try:
        place = Path(importlib.metadata.distribution(package).locate_file(path))
        return place.read_text(encoding="utf-8")
    except (importlib.metadata.PackageNotFoundError, FileNotFoundError):
        raise ImportError(
            f"The live view needs the package {package} (its file {path}), which is not installed here. The "
            f"still is shown instead. Next step: python3 -m pip install {package}"
        ) from None


def _in_a_script(text: str) -> str:
    """JSON that cannot end the script it stands in: a token may be "</script>"."""
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _selectors(view: str, params: dict) -> str:
    """The menus that bertviz's script fills."""
    menus = {
        "head_view.js": 'Layer: <select id="layer"></select> ',
        "neuron_view.js": 'Layer: <select id="layer"></select> Head: <select id="att_head"></select>',
    }
    text = menus.get(view, "")
    if isinstance(params["attention"], list) and len(params["attention"]) > 1:
        options = "".join(
            f'<option value="{i}">{html.escape(part["name"])}</option>'
            for i, part in enumerate(params["attention"])
        )
        text += f'Attention: <select id="filter">{options}</select>'
    return text


# -- what comes in ---------------------------------------------------------------------------------


def _per_layer(values, name: str) -> list:
    """One array for each layer; a leading axis of size 1 (a batch of one sentence) is taken off."""
    several = list(values) if isinstance(values, list | tuple) else [values]
    if not several:
        raise ValueError(f"{name} is empty; expected one array (H, T, …), or a list of them over layers")
    arrays = []
    for number, layer in enumerate(several):
        place = name if len(several) == 1 else f"{name}[{number}]"
        array = as_array(layer, place, (3, 4))
        if array.ndim == 4:
            if len(array) != 1:
                raise ValueError(
                    f"{place} has shape {array.shape}: a batch of {len(array)} sentences? Take one out, for "
                    "example weights[0]; give several layers as a list"
                )
            array = array[0]  # (1, H, T, S) -> (H, T, S)
        arrays.append(array)
    shapes = {array.shape for array in arrays}
    if len(shapes) > 1:
        raise ValueError(f"{name}: every layer must have the same shape; got {sorted(shapes)}")
    return arrays


def _weights(weights, tokens, keys, layers, heads) -> tuple[np.ndarray, list[int], list[int]]:
    """Weights (L, H, T, S) of the chosen layers and heads, checked, and the numbers of both."""
    for name, those in (("tokens", tokens), ("keys", keys)):
        if isinstance(those, str):
            raise ValueError(f"{name} is one string, {those!r:.40}; expected a list of tokens")
    several = [as_weights(layer, tokens, keys, heads=True) for layer in _per_layer(weights, "weights")]
    array = np.stack(several)  # (L, H, T, S)
    layers = _chosen(layers, len(array), "layers")
    heads = _chosen(heads, array.shape[1], "heads")
    return array[np.ix_(layers, heads)], layers, heads


def _vectors(values, tokens, name: str) -> np.ndarray:
    """Queries or keys of all layers, (L, H, T, K), checked against their tokens."""
    array = np.stack(_per_layer(values, name))
    if array.shape[2] != len(tokens):
        raise ValueError(
            f"{name} have shape {array.shape[1:]} (heads, tokens, d_k), but there are {len(tokens)} tokens"
        )
    return array


def _chosen(numbers, n: int, name: str) -> list[int]:
    if numbers is None:
        return list(range(n))
    chosen = [int(number) for number in numbers]
    if not chosen or len(set(chosen)) < len(chosen) or not all(0 <= number < n for number in chosen):
        raise ValueError(f"{name} is {list(numbers)}; expected different numbers from 0 to {n - 1}")
    return chosen


def _among(numbers: list[int], number: int | None, name: str) -> int:
    """`number`, checked to be one of `numbers`; the first of them when None."""
    if number is None:
        return numbers[0]
    if number not in numbers:
        raise ValueError(f"{name} is {number}; expected one of {numbers}")
    return int(number)


def _fits(view: str, shape: tuple[int, ...], load: Callable[..., float]) -> None:
    """Raise ValueError, with the sizes that fit, when a browser would choke: `load(L, H, T, S)` above 1."""
    if load(*shape) <= 1:
        return
    n_layers, n_heads, n_queries, n_keys = shape

    def largest(most: int, load_of: Callable[[int], float]) -> int:
        return next((n for n in range(most, 0, -1) if load_of(n) <= 1), 0)

    fits = {
        "layers": largest(n_layers - 1, lambda n: load(n, n_heads, n_queries, n_keys)),
        "heads": largest(n_heads - 1, lambda n: load(n_layers, n, n_queries, n_keys)),
        "layer with 1 head": int(load(1, 1, n_queries, n_keys) <= 1),
        "tokens": largest(
            max(n_queries, n_keys), lambda n: load(*shape[:2], min(n, n_queries), min(n, n_keys))
        ),
    }
    what = " or ".join(
        f"{n} {name}"
        for name, n in fits.items()
        if n and not (name[:6] == "layer " and n_layers * n_heads == 1)
    )
    how = "hand over fewer" if view == "neuron_view" else "choose with layers=[…] and heads=[…]"
    raise ValueError(
        f"{view} would be slow or stuck with {n_layers} layers × {n_heads} heads × {n_queries} queries × "
        f"{n_keys} keys. What fits: {what}; {how}, or take a shorter text"
    )


def _bytes(numbers: int) -> float:
    return numbers * BYTES_OF_A_NUMBER / MOST_BYTES


def _lines(lines: int) -> float:
    return lines / MOST_LINES


def _softmax(scores: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    """Softmax over the allowed keys of each row; a row with none gives zeros. Shapes (…, T, S)."""
    scores = np.where(allowed, scores, -np.inf)
    top = scores.max(axis=-1, keepdims=True)
    powers = np.exp(scores - np.where(np.isfinite(top), top, 0))
    return powers / np.maximum(powers.sum(axis=-1, keepdims=True), 1e-300)


def _made_of(weights: np.ndarray, scores: np.ndarray, allowed: np.ndarray, scale: bool, d_k: int) -> None:
    """Raise ValueError when `weights` are not the softmax of `scores`: the view would show what is not so."""
    if weights.shape != scores.shape:
        raise ValueError(
            f"weights are of {weights.shape[0]} layers and {weights.shape[1]} heads, queries and keys of "
            f"{scores.shape[0]} and {scores.shape[1]}"
        )
    off = np.abs(weights - _softmax(scores, allowed)).max()
    if off <= SAME:
        return
    other = np.abs(weights - _softmax(scores * (np.sqrt(d_k) if scale else 1 / np.sqrt(d_k)), allowed)).max()
    sums = weights.sum(axis=-1)[allowed.any(axis=-1)]
    if other <= SAME:
        why = f"they are with scale={not scale}: pass that"
    elif np.abs(sums - 1).max(initial=0) > SAME:
        why = f"their rows sum to {sums.min():.2g} to {sums.max():.2g}: are they after dropout, or masked after the softmax?"
    else:
        why = "are they of another layer, or is `allowed` another mask?"
    raise ValueError(
        f"weights are not the softmax of these queries and keys: they differ by up to {off:.2g}; {why}"
    )


def _parts(array: np.ndarray, tokens, keys, sentence_b_start: int | None) -> list[dict]:
    """What bertviz's menu "Attention" offers: everything, and the four pairs of two sentences."""
    tokens, keys = [shown(token) for token in tokens], [shown(token) for token in keys]
    if sentence_b_start is None:
        return [{"name": None, "attn": _short(array, array > 0), "left_text": tokens, "right_text": keys}]
    if tokens != keys or not 0 < sentence_b_start < len(tokens):
        raise ValueError(
            f"sentence_b_start is {sentence_b_start}; expected a position from 1 to {len(tokens) - 1} of one "
            "row of tokens (and no keys=…)"
        )
    a, b, all_of_it = slice(0, sentence_b_start), slice(sentence_b_start, len(tokens)), slice(None)
    pairs = {
        "All": (all_of_it, all_of_it),
        "Sentence A -> Sentence A": (a, a),
        "Sentence B -> Sentence B": (b, b),
        "Sentence A -> Sentence B": (a, b),
        "Sentence B -> Sentence A": (b, a),
    }
    return [
        {
            "name": name,
            "attn": _short(array[:, :, left, right], array[:, :, left, right] > 0),
            "left_text": tokens[left],
            "right_text": tokens[right],
        }
        for name, (left, right) in pairs.items()
    ]


def _short(array: np.ndarray, allowed: np.ndarray | None = None) -> list:
    """Numbers with five decimals; a weight that is allowed never becomes 0, which would read as forbidden."""
    rounded = array.round(5) + 0.0  # no -0.0
    if allowed is not None:
        rounded = np.where(allowed, rounded.clip(1e-5), 0)
    return rounded.tolist()


def _titled(title: str, layer: int, layers: Sequence[int]) -> str:
    return title if len(layers) == 1 else f"{title} (layer {layer + 1})"
