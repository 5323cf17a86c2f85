"""Which words are hidden for masked-language modelling, throw by throw: what the live view shows.

Three throws a place, as `course_lib.training.masked_words.corrupt` makes them: is it chosen, what is done to
it, which word would stand there. The dice are torch's: its CPU generator is a Mersenne Twister (MT19937),
which numpy has, too, and which `mlm_corruptor/dice.js` has in the browser; so the same seed does the same in
all three.

Axes: T places, W words.

Sources: Matsumoto and Nishimura 1998 (the generator); Devlin et al. 2019, section 3.1 "Task #1" (the rule).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

DONE = ("untouched", "masked", "replaced", "kept")
UNTOUCHED, IS_MASKED, IS_REPLACED, IS_KEPT = range(4)
MOST_SEED = 2**32 - 1
STEPS = 2**24  # a throw is one of so many numbers from 0 up to 1


class Throws(NamedTuple):
    """What was thrown for T places."""

    first: np.ndarray  # (T,) float32: chosen, where it is below the share that is chosen
    second: np.ndarray  # (T,) float32: what is done there
    drawn: np.ndarray  # (T,): the place in the list of words of the one that would stand there


def throw(seed: int, n_places: int, n_words: int) -> Throws:
    """Three throws for each of T places.

    Args:
        seed: 0 to 2³² − 1.
        n_places: T.
        n_words: W: how many words there are to draw from.

    Raises:
        ValueError: another seed, or no words.
    """
    if not 0 <= seed <= MOST_SEED:
        raise ValueError(f"seed is {seed}, expected 0 to {MOST_SEED}")
    if n_words < 1:
        raise ValueError(f"n_words is {n_words}, expected at least 1: a word to draw")
    raw = np.random.RandomState(seed).randint(0, 2**32, (3, n_places), dtype=np.uint32)
    first, second = (raw[:2] % STEPS / STEPS).astype(np.float32)
    return Throws(first, second, raw[2] % n_words)


def decide(
    throws: Throws, is_word: Sequence[bool], chosen: float, masked: float, replaced: float
) -> np.ndarray:
    """What is done at each place: its place in DONE, `(T,)`.

    Args:
        throws: T throws.
        is_word: T flags; only words are chosen, never a special token.
        chosen: share of the words that are chosen.
        masked, replaced: shares of the chosen ones; the rest is kept.

    Raises:
        ValueError: shares that are none.
    """
    check_shares(chosen, masked, replaced)
    is_chosen = np.asarray(is_word, bool) & (throws.first < np.float32(chosen))
    below = np.float32(masked), np.float32(masked + replaced)
    done = np.where(
        throws.second < below[0], IS_MASKED, np.where(throws.second < below[1], IS_REPLACED, IS_KEPT)
    )
    return np.where(is_chosen, done, UNTOUCHED)


def check_shares(chosen: float, masked: float, replaced: float) -> None:
    """Raises ValueError unless each is a share, and `masked` and `replaced` leave 0 or more for "kept"."""
    for name, value in (("chosen", chosen), ("masked", masked), ("replaced", replaced)):
        if not 0 <= value <= 1:
            raise ValueError(f"{name} is {value}, expected a share from 0 to 1")
    if masked + replaced > 1 + 1e-9:
        raise ValueError(
            f"masked + replaced is {masked + replaced:g}, expected at most 1: "
            "they are shares of the chosen words, and the rest is kept"
        )
