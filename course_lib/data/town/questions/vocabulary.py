"""The words that questions, answers, sums and what a tool says have beside those of stories."""

from course_lib.data.town.questions import facts, forms, styles, sums
from course_lib.data.town.story import QUESTION_WORDS, vocabulary

SIGNS = (":", "(", ")", *sums.SIGNS)
TOOL_WORDS = (
    "calculate", "error", "a", "sum", "not", "exact", "too", "long", "deep", "large", "division", "by", "no",
    "such", "tool", "many", "calls",
)  # fmt: skip


def new_words() -> list[str]:
    """All of them, sorted; none is a word of a story."""
    words = {*QUESTION_WORDS, *facts.REFUSAL, *facts.SHORT_REFUSAL, *sums.NO_ANSWER, "if", "name"}
    words |= {word for before, _, _ in forms.FORMS.values() for word in before}
    words |= {word for before in forms.REWRITE_FORMS.values() for word in before}
    words |= styles.FILLER_WORDS | set(SIGNS) | set(TOOL_WORDS) | set("0123456789")
    return sorted(words - set(vocabulary("english")))
