"""What the three views are given: sizes, values and masks held against each other; how much is too much."""

from collections.abc import Callable

import numpy as np

from course_lib.viz.arithmetic import masked_softmax
from course_lib.viz.still import as_array, as_weights, shown

MOST_BYTES = 2_000_000  # of numbers in one view
BYTES_OF_A_NUMBER = 8  # "0.12345,"
MOST_LINES = 40_000  # drawn at once: more make the browser slow
UNDERFLOW = 80  # exp(−80) is about the smallest float32 number times 1000
SAME = 1e-3  # weights given and weights recomputed agree to this

Count = Callable[[int, int, int, int], float]


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


def weights_of(weights, tokens, keys, layers, heads) -> tuple[np.ndarray, list[int], list[int]]:
    """Weights (L, H, T, S) of the chosen layers and heads, checked, and the numbers of both."""
    for name, those in (("tokens", tokens), ("keys", keys)):
        _are_tokens(those, name)
    several = [as_weights(layer, tokens, keys, heads=True) for layer in _per_layer(weights, "weights")]
    array = np.stack(several)  # (L, H, T, S)
    layers = _chosen(layers, len(array), "layers")
    heads = _chosen(heads, array.shape[1], "heads")
    return array[np.ix_(layers, heads)], layers, heads


def vectors_of(values, tokens, name: str) -> np.ndarray:
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


def one_of(numbers: list[int], number: int | None, name: str) -> int:
    """`number`, checked to be one of `numbers`; the first of them when None."""
    if number is None:
        return numbers[0]
    if number not in numbers:
        raise ValueError(f"{name} is {number}; expected one of {numbers}")
    return int(number)


def refuse_too_much(view: str, shape: tuple[int, ...], numbers: Count, lines: Count) -> None:
    """Raise ValueError, with the sizes that fit, when a browser would choke on `shape`.

    numbers, lines: (L, H, T, S) -> how many numbers the view holds, and how many lines it draws at once.
    """

    def load(*sizes: int) -> float:
        return max(numbers(*sizes) * BYTES_OF_A_NUMBER / MOST_BYTES, lines(*sizes) / MOST_LINES)

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
    one_fits = n_layers * n_heads > 1 and load(1, 1, n_queries, n_keys) <= 1
    if one_fits and not (fits["layers"] and fits["heads"]):
        what.append("one head of one layer")
    how = "hand over fewer" if view == "neuron_view" else "choose with layers=[…] and heads=[…]"
    raise ValueError(
        f"{view} gets {n_layers} layers × {n_heads} heads × {n_queries} queries × {n_keys} keys, too much "
        f"for a browser. What fits: {' or '.join(what)}; {how}, or take a shorter text"
    )


def mask_of(weights: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """The mask that weights were made with: False where a weight is 0, unless 0 is only a tiny weight.

    A score far below its row's largest gives exactly 0 in float32 too; that pair is allowed when some other
    head or layer gives it a weight.
    """
    positive = weights > 0
    top = np.where(positive, scores, -np.inf).max(axis=-1, keepdims=True)
    return positive | (positive.any(axis=(0, 1)) & (scores < top - UNDERFLOW))


def refuse_other_weights(weights, scores, allowed, scale: bool, d_k: int) -> None:
    """Raise ValueError when `weights` are not the softmax of `scores`: the view would show what is not so."""
    if weights.shape != scores.shape:
        raise ValueError(
            f"weights are of {weights.shape[0]} layers and {weights.shape[1]} heads, queries and keys of "
            f"{scores.shape[0]} and {scores.shape[1]}"
        )
    off = np.abs(weights - masked_softmax(scores, allowed)).max()
    if off <= SAME:
        return
    other_scale = scores * (np.sqrt(d_k) if scale else 1 / np.sqrt(d_k))
    other = np.abs(weights - masked_softmax(other_scale, allowed)).max()
    sums = weights.sum(axis=-1)[allowed.any(axis=-1)]
    if other <= SAME:
        why = f"they are with scale={not scale}: pass that"
    elif np.abs(sums - 1).max(initial=0) > SAME:
        why = f"their rows sum to {sums.min():.2g} … {sums.max():.2g}: "
        why += "are they after dropout, or masked after the softmax?"
    else:
        why = "are they of another layer, or is `allowed` another mask?"
    raise ValueError(
        f"weights are not the softmax of these queries and keys: they differ by up to {off:.2g}; {why}"
    )


def parts(array: np.ndarray, tokens, keys, sentence_b_start: int | None) -> list[dict]:
    """What bertviz's menu "Attention" offers: everything, and the four pairs of two sentences."""
    tokens, keys = [shown(token) for token in tokens], [shown(token) for token in keys]
    if sentence_b_start is None:
        return [{"name": None, "attn": short(array, array > 0), "left_text": tokens, "right_text": keys}]
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
            "attn": short(array[:, :, left, right], array[:, :, left, right] > 0),
            "left_text": tokens[left],
            "right_text": tokens[right],
        }
        for name, (left, right) in pairs.items()
    ]


def short(array: np.ndarray, allowed: np.ndarray | None = None) -> list:
    """Numbers with five decimals; a weight that is allowed never becomes 0, which would read as forbidden."""
    rounded = array.round(5) + 0.0  # no -0.0
    if allowed is not None:
        rounded = np.where(allowed, rounded.clip(1e-5), 0)
    return rounded.tolist()
