"""Single sentences for translation, in three splits that share no English sentence."""

from __future__ import annotations

import random
import zlib
from dataclasses import replace

from .lexicon import SPOTS_AT
from .render import phrases, write
from .story import Sentence
from .world import TOWN, Draw, Grammar, Thing, World, tell_sentence

SPLITS = ("train", "validation", "test")
LONGEST = 30  # English tokens

# As the Town, but with more people, longer lists and more adjectives, since here each sentence stands alone.
PAIRS = replace(
    TOWN,
    max_people=6,
    max_things=10,
    subject_weights=(5, 3, 2),
    list_weights=(4, 3, 3),
    drawn_to=5.0,
    dealings=1.0,
    say_colour=0.75,
    say_trait=0.65,
    kind_weights=(12, 2, 1, 0.05),
    reason_weights=(3, 1, 1.2, 1.2),
)


def split_of(english: tuple[str, ...]) -> str:
    """The split of a sentence, by a checksum of its text: 80 % train, 10 % validation, 10 % test."""
    bucket = zlib.crc32(" ".join(english).encode()) % 10
    return "validation" if bucket == 8 else "test" if bucket == 9 else "train"


def sentence_pairs(n: int, seed: int, split: str = "train") -> list[Sentence]:
    """Draw n sentences of 4 to 30 English tokens with translations and alignments.

    Each is told about a fresh world of five people in two places and up to eight things. Sentences may repeat
    (short ones do), but never across splits.

    Args:
        n: how many.
        seed: the same seed draws the same sentences.
        split: "train", "validation" or "test".
    Raises:
        ValueError: for an unknown split.
    """
    if split not in SPLITS:
        raise ValueError(f"split is {split!r}, expected one of {', '.join(SPLITS)}")
    rng = random.Random(f"tiny town pairs {seed}")
    choose = Draw(rng)
    found: list[Sentence] = []
    while len(found) < n:
        parts = phrases(tell_sentence(_peopled_world(rng, PAIRS), choose, PAIRS, {}))[0]
        english = tuple(word for part in parts for word in part.english)
        if len(english) <= LONGEST and split_of(english) == split:
            found.append(Sentence(*write(parts)))
    return found


def _peopled_world(rng: random.Random, grammar: Grammar) -> World:
    """A world in the middle of a story: five people in two places, and things around them."""
    pick = rng.random

    def one_of(options):
        return options[int(pick() * len(options))]

    world = World(told=int(pick() * 2))
    places = rng.sample(grammar.places, 2)
    names = rng.sample(grammar.names, 5)
    world.place = {name: places[i > 2] for i, name in enumerate(names)}
    used = set()
    for i in range(8):
        thing = Thing(one_of(grammar.nouns), one_of(grammar.traits), one_of(grammar.colours))
        if (thing.noun, thing.colour) not in used:
            used.add((thing.noun, thing.colour))
            world.where[thing] = ("held", one_of(names)) if i % 2 else one_of(SPOTS_AT[one_of(places)])
    return world
