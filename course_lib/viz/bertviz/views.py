"""The three views: what each shows, live and as a still."""

import html
from collections.abc import Callable, Sequence
from functools import cached_property, partial
from pathlib import Path

import numpy as np

from course_lib.files import write_whole
from course_lib.viz.arithmetic import masked_softmax
from course_lib.viz.bertviz import inputs, stills
from course_lib.viz.bertviz.neuron import neuron_still
from course_lib.viz.bertviz.page import offline
from course_lib.viz.still import Still, as_allowed, shown

LIVE = {"live": True}  # marks the HTML of an output: `build` stores the still alone

HEAD_NOTE = (
    "Left: queries. Right: keys. Point at a token to see only its lines. Each coloured square is a head: "
    "click to switch it off or on, double-click to see it alone. A line is as strong as its weight, divided "
    "by the number of heads that are on."
)
MODEL_NOTE = (
    "One small picture for each layer (row) and head (column): queries on the left, keys on the right, a "
    "line as strong as its weight. Click a picture to enlarge it; then point at a query. Click the picture "
    "again to close it."
)
NEURON_NOTE = (
    "Left: queries. Right: keys, as dark as their weight. Point at a query and click its ⊕ to see how its "
    "weights come about; ⊖ closes. Violet is positive, olive negative; full colour is ±{most} or more. "
    "{column} is the score before the softmax.{mask}"
)


class BertvizView:
    """One of bertviz's views: live below the cell, a still everywhere else.

    `save_html(path)` writes the live view as a file of its own.
    """

    def __init__(self, draw: Callable[[], Still], view: str, params: dict, title: str, note: str):
        self.title = title
        self._draw, self._view, self._params, self._note = draw, view, params, note

    @cached_property
    def still(self) -> Still:
        """The picture that stands where nothing is live."""
        return self._draw()

    @property
    def alt(self) -> str:
        """The picture in words."""
        return self.still.alt

    def page(self) -> str:
        """The live view as one HTML document that asks nothing of any other machine.

        Raises ImportError when bertviz, mpld3 or XStatic-jQuery is missing or too different, with what to do.
        """
        return offline(self._view, self._params, title=self.title, note=self._note)

    def save_html(self, path: str | Path) -> None:
        """Write the live view to `path`; the file opens in any browser, with no network."""
        write_whole(Path(path), self.page().encode("utf-8"))

    def html(self) -> str:
        """The output of a cell: the still, then the live view in a frame whose script hides the still.

        A page that is not trusted drops the frame, and the still stays.
        """
        return (
            f"<style>{FRAME_STYLE}</style>\n"
            '<div class="course-bertviz">\n'
            f"{self.still.html()}"
            f'<iframe title="{html.escape(self.title)}" srcdoc="{html.escape(self.page())}" '
            'style="width:100%;height:0;border:0;visibility:hidden"></iframe>\n'
            "</div>"
        )

    def _repr_mimebundle_(self, include=None, exclude=None) -> tuple[dict, dict]:
        data, metadata = self.still.mimebundle()
        try:
            return {**data, "text/html": self.html()}, {**metadata, "text/html": LIVE}
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
    array, layers, heads = inputs.weights_of(weights, tokens, keys, layers, heads)
    first = inputs.one_of(layers, layer, "layer")
    pairs = 1 if sentence_b_start is None else 2
    inputs.refuse_too_much(
        "head_view", array.shape, lambda n, h, t, s: pairs * n * h * t * s, lambda n, h, t, s: h * t * s
    )
    which = title if len(layers) == 1 else f"{title} (layer {first + 1})"
    draw = partial(stills.head_still, array[layers.index(first)], tokens, keys, heads, which)
    params = {
        "attention": inputs.parts(array, tokens, keys, sentence_b_start),
        "default_filter": "0",
        "root_div_id": "course-bertviz",
        "layer": first + 1,
        "heads": None,
        "include_layers": [number + 1 for number in layers],
        "head_names": [number + 1 for number in heads],
    }
    return BertvizView(draw, "head_view", params, title, HEAD_NOTE)


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
    array, layers, heads = inputs.weights_of(weights, tokens, keys, layers, heads)
    pairs = 1 if sentence_b_start is None else 2
    inputs.refuse_too_much(
        "model_view", array.shape, lambda n, h, t, s: pairs * n * h * t * s, lambda n, h, t, s: n * h * t * s
    )
    draw = partial(stills.model_still, array, tokens, keys, layers, heads, title)
    params = {
        "attention": inputs.parts(array, tokens, keys, sentence_b_start),
        "default_filter": "0",
        "display_mode": "light",
        "root_div_id": "course-bertviz",
        "include_layers": [number + 1 for number in layers],
        "include_heads": [number + 1 for number in heads],
        "total_heads": len(heads),
    }
    return BertvizView(draw, "model_view", params, title, MODEL_NOTE)


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
        queries, keys: (H, T, K) and (H, S, K), or lists of such over layers; (1, H, T, K) too.
        tokens: T query tokens. key_tokens: S key tokens where they are others.
        weights: (H, T, S), or a list; made from queries and keys when None. Without `allowed`, a weight
            of exactly 0 counts as not allowed.
        allowed: booleans that broadcast to (H, T, S), True = may attend.
        scale: whether scores are divided by √d_k.
        layer, head: what is shown first, counted from 0.
        query: position of the query on the still; the last one when None.

    Raises:
        ValueError: sizes that do not fit, too much for a browser, or weights that are not the softmax of
            these queries and keys.
    """
    names = tokens if key_tokens is None else key_tokens
    queries, keys = inputs.vectors_of(queries, tokens, "queries"), inputs.vectors_of(keys, names, "keys")
    if queries.shape[:2] != keys.shape[:2] or queries.shape[-1] != keys.shape[-1]:
        raise ValueError(
            f"queries have shape {queries.shape} and keys {keys.shape} (layers, heads, tokens, d_k); "
            "layers, heads and d_k must be equal"
        )
    n_layers, n_heads, _, d_k = queries.shape
    inputs.one_of(list(range(n_layers)), layer, "layer")
    inputs.one_of(list(range(n_heads)), head, "head")
    scores = queries @ keys.swapaxes(-1, -2) / (np.sqrt(d_k) if scale else 1)  # (L, H, T, S)
    inputs.refuse_too_much(
        "neuron_view",
        scores.shape,
        lambda n, h, t, s: n * h * (t * s + (t + s) * d_k),
        lambda n, h, t, s: 7 * t * s + (t + 2 * s) * d_k,
    )
    mask = as_allowed(allowed, scores.shape)
    if weights is None:
        mask = np.ones(scores.shape, bool) if mask is None else mask
        weights = masked_softmax(scores, mask)
    else:
        weights = inputs.weights_of(weights, tokens, names, None, None)[0]
        mask = inputs.mask_of(weights, scores) if mask is None else mask
        inputs.refuse_other_weights(weights, scores, mask, scale, d_k)
    query = len(tokens) - 1 if query is None else inputs.one_of(list(range(len(tokens))), query, "query")
    most = float(max(np.abs(queries).max(), np.abs(keys).max(), np.abs(scores[mask]).max(initial=0), 1e-3))
    one = [array[layer, head] for array in (queries, keys)]
    one += [array[layer, head, query] for array in (scores, weights, mask)]
    draw = partial(neuron_still, *one, query, tokens, names, scale, most, title)
    left, right = ([shown(token) for token in those] for those in (tokens, names))
    params = {
        "attention": {
            "all": {
                "attn": inputs.short(weights, mask),
                "left_text": left,
                "right_text": right,
                "queries": inputs.short(queries),
                "keys": inputs.short(keys),
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
    return BertvizView(draw, "neuron_view", params, title, note)
