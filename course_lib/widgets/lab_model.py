"""A trained language model behind MaskLab: asked with a text and a mask, it answers with next words."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np

from course_lib.viz import attention
from course_lib.viz.sheet import number
from course_lib.viz.still import Still, as_array, shown
from course_lib.widgets.lab_texts import PAD

MOST_WORDS = 3  # in the words that stand for a picture


class Answer(NamedTuple):
    """What a model makes of T tokens under a mask."""

    vocabulary: list[str]  # V
    probabilities: np.ndarray  # (T, V): of the word after each position
    weights: np.ndarray  # (N, T, T): every head of every layer
    heads: list[str]  # N names


def ask(model: Callable, tokens: Sequence[str], allowed: np.ndarray, where: str) -> Answer:
    """One question to `model(tokens, allowed, where)`, its answer checked.

    model: returns words (V), probabilities (T, V) and weights (L, H, T, T), as those of
    `tasks.town_lm.under_masks` do; a ValueError of the model says what it cannot read.
    Raises ValueError when the sizes of an answer do not fit.
    """
    words, probabilities, weights = model(list(tokens), allowed, where)
    n, probabilities = len(tokens), as_array(probabilities, "probabilities", 2)
    weights = as_array(weights, "weights", 4)  # (L, H, T, T)
    if probabilities.shape != (n, len(words)) or weights.shape[2:] != (n, n):
        raise ValueError(
            f"model answered with probabilities {probabilities.shape} and weights {weights.shape}, "
            f"expected ({n}, {len(words)}) and (layers, heads, {n}, {n}): {n} tokens, {len(words)} words"
        )
    layers, heads = weights.shape[:2]
    names = [f"{layer + 1}.{head + 1}" for layer in range(layers) for head in range(heads)]
    return Answer(_shown(tuple(words)), probabilities, weights.reshape(-1, n, n), names)


@cache
def _shown(words: tuple[str, ...]) -> list[str]:
    """A vocabulary as it can be drawn: it is the same at every question."""
    return [shown(word) for word in words]


def answer_still(answer: Answer, weights, tokens: Sequence[str], allowed: np.ndarray, title: str) -> Still:
    """The weights, and in the picture's words what the model expects after the last word."""
    still = attention.heatmap(weights, tokens, tokens, title=title, allowed=allowed)
    last = max(t for t, token in enumerate(tokens) if token != PAD)
    best = np.argsort(-answer.probabilities[last])[:MOST_WORDS]
    guesses = ", ".join(f"“{answer.vocabulary[i]}” {number(answer.probabilities[last, i])}" for i in best)
    still.alt += f" After “{tokens[last]}” the model expects {guesses}."
    return still
