"""bertviz's `head_view`, `model_view` and `neuron_view`, on any arrays, with no network.

bertviz draws with JavaScript. `bertviz_page` makes one HTML document of its script and the numbers; that
document shows itself in a frame below the cell, and can be saved as a file. Where nothing is live (GitHub,
e-mail, a notebook that is not trusted) a still of `bertviz_stills` stands in its place.

Source: Vig 2019, "A Multiscale Visualization of Attention in the Transformer Model".
"""

import html
from base64 import b64encode
from collections.abc import Callable, Sequence
from functools import cached_property, partial
from pathlib import Path

import numpy as np

from course_lib.files import write_whole
from course_lib.viz import bertviz_stills
from course_lib.viz.bertviz_page import offline
from course_lib.viz.still import Still, as_allowed, as_array, as_weights, shown

MOST_BYTES = 2_000_000  # of numbers in one view
BYTES_OF_A_NUMBER = 8  # "0.12345,"
MOST_LINES = 40_000  # drawn at once: more make the browser slow
UNDERFLOW = 80  # exp(−80) is about the smallest float32 number times 1000
SAME = 1e-3  # weights given and weights recomputed agree to this
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
    "weights come about; ⊖ closes. Blue is positive, orange negative; full colour is ±{most} or more. "
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
    _fits("head_view", array.shape, lambda n, h, t, s: max(_bytes(pairs * n * h * t * s), _lines(h * t * s)))
    draw = partial(
        bertviz_stills.head_still,
        array[layers.index(first)],
        tokens,
        keys,
        heads,
        _titled(title, first, layers),
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
    array, layers, heads = _weights(weights, tokens, keys, layers, heads)
    pairs = 1 if sentence_b_start is None else 2
    _fits(
        "model_view",
        array.shape,
        lambda n, h, t, s: max(_bytes(pairs * n * h * t * s), _lines(n * h * t * s)),
    )
    draw = partial(bertviz_stills.model_still, array, tokens, keys, layers, heads, title)
    params = {
        "attention": _parts(array, tokens, keys, sentence_b_start),
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
        lambda n, h, t, s: max(
            _bytes(n * h * (t * s + (t + s) * d_k)), _lines(7 * t * s + (t + 2 * s) * d_k)
        ),
    )
    mask = as_allowed(allowed, scores.shape)
    if weights is None:
        mask = np.ones(scores.shape, bool) if mask is None else mask
        weights = _softmax(scores, mask)
    else:
        weights = _weights(weights, tokens, names, None, None)[0]
        mask = _mask_of(weights, scores) if mask is None else mask
        _made_of(weights, scores, mask, scale, d_k)
    query = len(tokens) - 1 if query is None else _among(list(range(len(tokens))), query, "query")
    most = float(max(np.abs(queries).max(), np.abs(keys).max(), np.abs(scores[mask]).max(initial=0), 1e-3))
    draw = partial(
        bertviz_stills.neuron_still,
        queries[layer, head],
        keys[layer, head],
        scores[layer, head, query],
        weights[layer, head, query],
        mask[layer, head, query],
        query,
        tokens,
        names,
        scale,
        most,
        title,
    )
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
    return BertvizView(draw, "neuron_view", params, title, note)


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


def _are_tokens(tokens, name: str) -> None:
    if isinstance(tokens, str):
        raise ValueError(f"{name} is one string, {tokens!r:.40}; expected a list of tokens")


def _weights(weights, tokens, keys, layers, heads) -> tuple[np.ndarray, list[int], list[int]]:
    """Weights (L, H, T, S) of the chosen layers and heads, checked, and the numbers of both."""
    for name, those in (("tokens", tokens), ("keys", keys)):
        _are_tokens(those, name)
    several = [as_weights(layer, tokens, keys, heads=True) for layer in _per_layer(weights, "weights")]
    array = np.stack(several)  # (L, H, T, S)
    layers = _chosen(layers, len(array), "layers")
    heads = _chosen(heads, array.shape[1], "heads")
    return array[np.ix_(layers, heads)], layers, heads


def _vectors(values, tokens, name: str) -> np.ndarray:
    """Queries or keys of all layers, (L, H, T, K), checked against their tokens."""
    _are_tokens(tokens, "tokens")
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
        "tokens": largest(
            max(n_queries, n_keys), lambda n: load(n_layers, n_heads, min(n, n_queries), min(n, n_keys))
        ),
    }
    what = [f"{n} {name if n > 1 else name[:-1]}" for name, n in fits.items() if n]
    if (
        n_layers * n_heads > 1
        and not (fits["layers"] and fits["heads"])
        and load(1, 1, n_queries, n_keys) <= 1
    ):
        what.append("one head of one layer")
    how = "hand over fewer" if view == "neuron_view" else "choose with layers=[…] and heads=[…]"
    raise ValueError(
        f"{view} gets {n_layers} layers × {n_heads} heads × {n_queries} queries × {n_keys} keys, too much "
        f"for a browser. What fits: {' or '.join(what)}; {how}, or take a shorter text"
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


def _mask_of(weights: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """The mask that weights were made with: False where a weight is 0, unless 0 is only a tiny weight.

    A score far below its row's largest gives exactly 0 in float32 too; that pair is allowed when some other
    head or layer gives it a weight.
    """
    positive = weights > 0
    top = np.where(positive, scores, -np.inf).max(axis=-1, keepdims=True)
    return positive | (positive.any(axis=(0, 1)) & (scores < top - UNDERFLOW))


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
        why = (
            f"their rows sum to {sums.min():.2g} … {sums.max():.2g}: are they after dropout, or masked after "
        )
        why += "the softmax?"
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
