"""Questions about stories of Tiny Town, and small sums, each with its true answer.

    for one in ask(3, seed=0):
        print(*one.story, *one.question, "→", *one.whole)

Read the files in this order: `facts` (what can be asked about a story, and what is true), `rewriting` (a
sentence with a pronoun for a name, or a name for a pronoun), `sums`, `forms` (wordings, some of them never
trained), `asking` (a balanced choice), `styles` (ways to say an answer; which answers are right),
`preferences` (which of two right answers is better), `baseline` (answers of one who sees only the question).
"""

from .asking import KINDS, Asked, ask, ask_sums
from .baseline import by_question
from .facts import REFUSAL, STORY_KINDS, Fact
from .forms import FORMS, held_out_forms, trained_forms
from .preferences import Preference, follows_rule, preferences
from .styles import STYLES, Verdict, judge, say, style_of
from .sums import SIGNS, Sum
from .vocabulary import new_words

__all__ = [
    "FORMS",
    "KINDS",
    "REFUSAL",
    "SIGNS",
    "STORY_KINDS",
    "STYLES",
    "Asked",
    "Fact",
    "Preference",
    "Sum",
    "Verdict",
    "ask",
    "ask_sums",
    "by_question",
    "follows_rule",
    "held_out_forms",
    "judge",
    "new_words",
    "preferences",
    "say",
    "style_of",
    "trained_forms",
]
