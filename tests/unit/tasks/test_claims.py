"""Claims about the end of a story: their words, and answers that are the Town's own."""

from collections import Counter

import pytest

from course_lib.tasks import fill_in
from course_lib.tasks.claims import ANSWERS, KINDS, Claim, answer_to, claims_about, true_claims

STATE = {
    "people": {"anna": "park", "tom": None},
    "things": {"red ball": ("held", "anna"), "old blue key": ("near", "bench")},
    "weather": None,
}


@pytest.mark.parametrize(
    ("claim", "words", "answer"),
    [
        (Claim("anna", ("park",)), "anna is in the park .", "true"),
        (Claim("anna", ("farm",)), "anna is at the farm .", "false"),
        (Claim("tom", ("park",)), "tom is in the park .", "unknown"),
        (Claim("emma", ("park",)), "emma is in the park .", "unknown"),
        (Claim("anna", ("red", "ball")), "anna has the red ball .", "true"),
        (Claim("tom", ("red", "ball")), "tom has the red ball .", "false"),
        (Claim("anna", ("blue", "key")), "anna has the blue key .", "false"),
        (Claim("anna", ("blue", "ball")), "anna has the blue ball .", "unknown"),
    ],
)
def test_answers(claim, words, answer):
    assert " ".join(claim.words) == words
    assert answer_to(claim, STATE) == answer
    assert claim.kind == ("thing" if "has" in claim.words else "place")


def test_answers_agree_with_the_towns_own_questions():
    """Where the Town asks "is anna at the park ?" or "does anna have the red ball ?", it says the same."""
    checked = Counter()
    for story in fill_in.stories(300):
        said = {" ".join(q.question): " ".join(q.answer) for q in story.questions}
        for claim in claims_about(story):
            plain = " ".join(claim.words).removesuffix(" .")
            asked = {"place": plain.replace(f"{claim.name} is", f"is {claim.name}")}
            asked["thing"] = f"does {claim.name} have the {' '.join(claim.what)}"
            if answer := said.get(asked[claim.kind] + " ?"):
                assert answer_to(claim, story.state) == {"yes": "true", "no": "false"}[answer]
                checked[claim.kind, answer] += 1
    assert len(checked) == 4 and min(checked.values()) > 20


def test_claims_are_all_that_the_words_of_a_story_can_say():
    """By brute force: every name with every place, and every colour with every thing, where all are told."""
    kinds = Counter()
    for story in fill_in.stories(100):
        told, made = set(story.english_tokens), list(claims_about(story))
        grammar = fill_in.GRAMMAR
        whats = [(place,) for place in grammar.places if place in told]
        whats += [(c, n) for c in grammar.colours for n in grammar.nouns if {c, n} <= told]
        assert set(made) == {Claim(name, what) for name in grammar.names if name in told for what in whats}
        assert len(set(made)) == len(made)
        kinds.update((claim.kind, answer_to(claim, story.state)) for claim in made)
    assert set(kinds) == {(kind, answer) for kind in KINDS for answer in ANSWERS}


def test_true_claims_are_the_true_ones_and_no_others():
    found = 0
    for story in fill_in.stories(200):
        places = {(name, (place,)) for name, place in story.state["people"].items() if place}
        held = [(where[1], thing) for thing, where in story.state["things"].items() if where[0] == "held"]
        things = {(name, tuple(thing.split()[-2:])) for name, thing in held}
        assert set(true_claims(story)) == places | things  # a claim is a tuple of a name and what is said
        found += len(places | things)
    assert found > 200
