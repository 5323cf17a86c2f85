"""Tiny Town: a small bilingual world of which everything is known.

    for story in stories(3, seed=0):
        print(story.english, story.french, story.log_prob, story.state)

Read the files in this order: `lexicon` (words and phrases in two languages), `world` (what can happen, and
the one program that decides it), `render` (decisions to words), `parse` (words to decisions), `story`
(telling, scoring, asking), `sentences` (scoring one after another) and `pairs` (sentences for translation).
"""

from .pairs import sentence_pairs, split_of
from .sentences import SentenceVerdict, by_sentence
from .story import (
    Mention,
    Question,
    Score,
    Sentence,
    Story,
    detokenise,
    entropy_floor,
    enumerate_stories,
    read,
    score,
    stories,
    tokenise,
    vocabulary,
)
from .world import TOWN, Grammar

__all__ = [
    "TOWN",
    "Grammar",
    "Mention",
    "Question",
    "Score",
    "Sentence",
    "SentenceVerdict",
    "Story",
    "by_sentence",
    "detokenise",
    "entropy_floor",
    "enumerate_stories",
    "read",
    "score",
    "sentence_pairs",
    "split_of",
    "stories",
    "tokenise",
    "vocabulary",
]
