"""How far does the question alone lead? Answers of one who has never seen a story.

Of the answers to this very question, counted in training, the most frequent one; to a question that never
came, that of its kind.
"""

from collections import Counter
from collections.abc import Sequence

from course_lib.data.town.questions.asking import Asked
from course_lib.data.town.questions.facts import Words


def by_question(learnt: Sequence[Asked], chosen: Sequence[Asked]) -> list[Words]:
    """The short answer that was most frequent for each question; of equally frequent ones the first counted.

    Args:
        learnt: questions with their answers.
        chosen: questions to answer; of each only the kind and the words are looked at, not how it is put.

    Raises:
        ValueError: a question of a kind that was never counted.
    """
    counts: dict[tuple, Counter[Words]] = {}
    for one in learnt:
        for key in ((one.kind,), (one.kind, *one.plain)):
            counts.setdefault(key, Counter())[one.short] += 1
    said = []
    for one in chosen:
        if (one.kind,) not in counts:
            raise ValueError(f"learnt holds no question of the kind {one.kind!r}, expected some of each")
        found = counts.get((one.kind, *one.plain)) or counts[one.kind,]
        said.append(found.most_common(1)[0][0])
    return said
