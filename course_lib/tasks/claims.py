"""What can be said about the end of a story of Tiny Town: where somebody is, who has a thing. Is it true?

Nothing is known that the story has not told: somebody of whom no place is told may be anywhere, and a thing
of which nothing is told may be anybody's.
"""

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

from course_lib.data import town
from course_lib.data.town import lexicon

ANSWERS = ("true", "false", "unknown")  # by name; their places are the columns of a classifier's scores
KINDS = ("place", "thing")


class Claim(NamedTuple):
    """Somebody is at a place, or somebody has a thing."""

    name: str
    what: tuple[str, ...]  # ("park",), or a thing: ("red", "ball")

    @property
    def kind(self) -> str:
        """ "place" or "thing"."""
        return KINDS[len(self.what) - 1]

    @property
    def words(self) -> tuple[str, ...]:
        """The claim as a sentence."""
        if self.kind == "place":
            return (self.name, "is", *lexicon.located(("at", *self.what)).english, ".")
        return (self.name, "has", "the", *self.what, ".")


def answer_to(claim: Claim, state: dict) -> str:
    """Whether a claim is true, false or unknown.

    Args:
        claim: about people and things.
        state: of a story, `town.Story.state`.
    """
    if claim.kind == "place":
        place = state["people"].get(claim.name)
        return "unknown" if place is None else ANSWERS[place != claim.what[0]]
    where = {tuple(thing.split()[-2:]): where for thing, where in state["things"].items()}.get(claim.what)
    return "unknown" if where is None else ANSWERS[where != ("held", claim.name)]


def claims_about(story: town.Story) -> Iterator[Claim]:
    """Every claim whose names, places, colours and things all stand in a story."""
    told = set(story.english_tokens)
    places = [(place,) for place in lexicon.PLACES if place in told]
    colours = [colour for colour in lexicon.COLOURS if colour in told]
    things = list(product(colours, [noun for noun in lexicon.THINGS if noun in told]))
    for name, what in product(story.state["people"], [*places, *things]):
        if name in told:
            yield Claim(name, what)


def true_claims(story: town.Story) -> list[Claim]:
    """Those that are true at its end."""
    return [claim for claim in claims_about(story) if answer_to(claim, story.state) == "true"]
