"""Preferences as ids, and how often an assistant answers as people here like it.

The rule, one whole sentence and nothing before it, is not length: see `data.town.questions.preferences`.
"""

from collections.abc import Sequence

from course_lib.data.town import questions
from course_lib.models.gpt import GPT
from course_lib.tasks.assistant.chats import prompt_of
from course_lib.tasks.assistant.words import END_ID, WORDS
from course_lib.text.batching import stack_answers
from course_lib.text.chat import encode_chat
from course_lib.training.post_training import Preference
from course_lib.training.rollouts import reference_log_probs

PAIRS_SEED, HELD_OUT_SEED = 30, 31


def prompt_ids(asked: questions.Asked) -> list[int]:
    """A question with its story, up to the marker behind which the assistant answers."""
    return encode_chat(prompt_of(asked), WORDS, reply=True)


def said(answer: Sequence[str]) -> list[int]:
    """An answer as ids, with the token that ends it."""
    return [*WORDS.encode(list(answer)), END_ID]


def told_pairs(n: int, seed: int = PAIRS_SEED) -> tuple[questions.Preference, ...]:
    """`n` pairs of right answers to questions about stories, in words."""
    asked = questions.ask(2 * n, seed, kinds=questions.STORY_KINDS)
    return questions.preferences(asked, seed)[:n]


def pairs(n: int, seed: int = PAIRS_SEED) -> list[Preference]:
    """The same as ids, for `dpo_epoch`."""
    return [as_ids(one) for one in told_pairs(n, seed)]


def as_ids(one: questions.Preference) -> Preference:
    """A pair in words, as ids."""
    return Preference(prompt_ids(one.asked), said(one.chosen), said(one.rejected))


def preferred(model: GPT, n: int = 400, *, mean: bool = False) -> dict[str, float]:
    """In what share of held-out pairs the model finds the better answer likelier, by its length.

    Args:
        model: any stage.
        n: pairs.
        mean: compare the mean log-probability of a token, not that of the whole answer.

    Returns:
        "longer", "shorter", "equal" and "all" → share. Of a model that only looks at length one of the first
        two is near 1 and the other near 0.
    """
    chosen = told_pairs(n, HELD_OUT_SEED)
    made = [as_ids(one) for one in chosen]
    better = []
    for start in range(0, len(made), 50):
        prompts, good, bad = zip(*made[start : start + 50], strict=True)
        ids, answer = stack_answers([*prompts, *prompts], [*good, *bad])  # (2 B, S)
        log_probs = reference_log_probs(model, ids, answer).sum(1)  # (2 B,)
        log_probs = log_probs / answer.sum(1) if mean else log_probs
        first, second = log_probs.chunk(2)
        better += (first > second).tolist()
    found = {"all": sum(better) / len(better)}
    for length in ("longer", "equal", "shorter"):
        here = [won for won, one in zip(better, chosen, strict=True) if one.length == length]
        found[length] = sum(here) / len(here)
    return found
