"""Saying a sentence of a story otherwise: he or she for a name, or the name for he or she.

    say it with she : anna goes to the park .             she goes to the park .
    say it with a name : she goes to the park .           anna goes to the park .

Which name a pronoun stands for only the story can say.
"""

from collections.abc import Iterator

from course_lib.data.town import lexicon
from course_lib.data.town.questions.facts import Fact, Words
from course_lib.data.town.story import Story

KIND = "rewrite"
GROUPS = {"pronoun": 0.5, "name": 0.5}  # what the sentence is said with
LONGEST = 14  # tokens of a sentence that is said otherwise
PRONOUNS = ("he", "she")


def rewritings(story: Story) -> Iterator[Fact]:
    """Every short sentence of a story that begins with one person, said with the other word for that person.

    Nobody else in it may have the same pronoun, and that person is named in it once.
    """
    meant = {(mention.sentence, mention.token): mention.entity for mention in story.coreference}
    for number, sentence in enumerate(story.sentences):
        words = sentence.english
        if len(words) > LONGEST or words[1] in (",", "and"):
            continue
        name = meant.get((number, 0), words[0])
        if name not in lexicon.NAMES:
            continue
        pronoun = PRONOUNS[name in lexicon.FEMALE]
        if words[0] in PRONOUNS:
            if words.count(pronoun) == 1 and name not in words:
                yield _fact("name", ("a", "name"), words, (name, *words[1:]))
        elif words.count(name) == 1 and not set(PRONOUNS) & set(words):
            yield _fact("pronoun", (pronoun,), words, (pronoun, *words[1:]))


def _fact(group: str, with_what: Words, sentence: Words, other: Words) -> Fact:
    question = ("say", "it", "with", *with_what, ":", *sentence)
    return Fact(KIND, group, question, question, other, other)
