"""Questions to choose from about a story, and sums: what a view offers beside one's own question."""

import random
from collections.abc import Sequence

from course_lib.data import town
from course_lib.data.town.questions import STORY_KINDS, Fact, ask_sums, rewriting
from course_lib.data.town.questions.facts import facts, unsaid
from course_lib.data.town.questions.forms import PLAIN, word
from course_lib.tasks.assistant.verdicts import ANY_STORY
from course_lib.tasks.assistant.words import written

OF_A_KIND, SUMS = 2, 2


def told_story(number: int) -> str:
    """A story of the Town as a text: the same one for the same number."""
    (story,) = town.stories(1, number)
    return written(story.english_tokens)


def offered(story: Sequence[str], seed: int = 0) -> dict[str, list[str]]:
    """Some questions of each kind, in their plain form; one of a kind is about what the story does not say.

    Args:
        story: tokens of a story that was told or typed.
        seed: of the choice.

    Returns:
        kind → questions as texts, those of one kind in no telling order. Sums only where the Town cannot
        read the story.
    """
    rng = random.Random(f"offered {seed}")
    found: dict[str, list[Fact]] = {}
    try:
        read = town.read(tuple(story), grammar=ANY_STORY)
    except ValueError:
        read = None
    if read is not None:
        for fact in (*facts(read), *rewriting.rewritings(read)):
            found.setdefault(fact.kind, []).append(fact)
    questions = {}
    for kind in (*STORY_KINDS, rewriting.KIND) if read is not None else ():
        some = rng.sample(found.get(kind, []), min(OF_A_KIND, len(found.get(kind, []))))
        some += [unsaid(kind, read, rng)] if kind in STORY_KINDS else []
        rng.shuffle(some)
        if some:
            questions[kind] = list(dict.fromkeys(written(word(fact, PLAIN)) for fact in some))
    questions["sum"] = [written(one.plain) + " ?" for one in ask_sums(SUMS, seed, digits=(2, 2))]
    return questions
