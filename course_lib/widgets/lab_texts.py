"""What MaskLab reads: tokens of a text, and a random vector for each of them."""

import re
from collections.abc import Sequence

import numpy as np

BOS, PAD = "[BOS]", "[PAD]"
MOST_TOKENS = 16
PADS = 3  # how many pads are added when nobody says


def words(text: str, name: str) -> list[str]:
    """Tokens: what stands between spaces; every Chinese or Japanese character on its own."""
    east = "\u3040-\u30ff\u3400-\u9fff"
    words = re.findall(rf"[{east}]|[^\s{east}]+", text)
    if not words:
        raise ValueError(f"{name} is {text!r}, expected at least one word")
    return words


def vectors(tokens: Sequence[str], d_model: int, seed: int) -> np.ndarray:
    """(T, D): a random vector for each word, the same wherever it stands, plus a wave for its position."""
    position = np.arange(len(tokens))[:, None]
    feature = np.arange(d_model)[None]
    wave = np.sin(position / 10 ** (2 * (feature // 2) / d_model) + (feature % 2) * np.pi / 2)  # (T, D)
    drawn = [
        np.random.default_rng([seed, *token.encode("utf-8", "surrogatepass")]).normal(size=d_model)
        for token in tokens
    ]
    return np.stack(drawn) + 0.7 * wave
