"""How good is an assistant? Exact match with the right answers, by kind; refusals; sums; what was forgotten.

Held out are stories that were never read and, of each kind, two forms of asking that were never trained.
"""

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from torch.nn import functional as F

from course_lib.data.town import questions
from course_lib.data.town.questions import Asked, Verdict, held_out_forms, judge
from course_lib.models import evaluating
from course_lib.models.gpt import GPT
from course_lib.tasks import town_gpt
from course_lib.tasks.assistant.chats import prompt_of
from course_lib.tasks.assistant.many import answer_many
from course_lib.tasks.assistant.tool_loop import TOOLS, Reply
from course_lib.tasks.assistant.words import WORDS
from course_lib.text.batching import batches_by_length, pad

HELD_OUT_SEED = 20  # stories and sums that no training reads
QUESTIONS, OTHER_FORMS, SUMS = 500, 250, 200


@cache
def held_out(n: int = QUESTIONS, n_other: int = OTHER_FORMS) -> tuple[Asked, ...]:
    """Questions about new stories: `n` in trained forms, `n_other` in forms that were never trained."""
    kinds = questions.STORY_KINDS
    told = questions.ask(n, HELD_OUT_SEED, kinds=kinds)
    return told + questions.ask(n_other, HELD_OUT_SEED + 1, kinds=kinds, forms="held out")


@cache
def held_out_sums(n: int = SUMS, digits: tuple[int, int] = (1, 2)) -> tuple[Asked, ...]:
    """New sums that have an answer; longer numbers than any trained on where `digits` says so."""
    return questions.ask_sums(n, HELD_OUT_SEED, digits=digits, with_answer=True)


@cache
def longer_sums(n: int = SUMS, digits: int = 7) -> tuple[Asked, ...]:
    """Two numbers longer than any that was trained, with + or −."""
    drawn = questions.ask_sums(4 * n, HELD_OUT_SEED, digits=(digits, digits), with_answer=True)
    return tuple(one for one in drawn if one.group in "+-")[:n]


def after_stories(sums: Sequence[Asked]) -> list[Asked]:
    """The same sums, each asked behind a new story."""
    told = questions.ask(len(sums), HELD_OUT_SEED + 2, kinds=questions.STORY_KINDS)
    return [one._replace(story=other.story) for one, other in zip(sums, told, strict=True)]


class Score(NamedTuple):
    """Shares, from 0 to 1."""

    right: float  # exact match, whatever the style
    kinds: dict[str, float]  # the same by kind of question
    other_forms: float  # the same among forms that were never trained
    refused: float  # of the questions that the story does not answer: said so
    falsely: float  # of the others: said that the story does not say
    whole: float  # answered, rightly or wrongly, with one whole sentence and no filler
    ended: float  # the answer has an end


def verdicts(asked: Sequence[Asked], replies: Sequence[Reply]) -> list[Verdict]:
    """Each answer judged; one without an end is wrong."""
    judged = (judge(one, tuple(WORDS.split(reply.text))) for one, reply in zip(asked, replies, strict=True))
    return [v._replace(right=v.right and r.ended == "answer") for v, r in zip(judged, replies, strict=True)]


def score(model: GPT, asked: Sequence[Asked] | None = None) -> Score:
    """Ask a model, each question with its story in a chat of its own; it takes the likeliest words.

    Args:
        model: with the assistant's vocabulary.
        asked: None: `held_out()`.
    """
    asked = held_out() if asked is None else asked
    replies = answer_many(model, [prompt_of(one) for one in asked])
    return summed(asked, replies)


def summed(asked: Sequence[Asked], replies: Sequence[Reply]) -> Score:
    """The score of answers that are there already."""
    found = verdicts(asked, replies)

    def share(chosen: Sequence[bool], hit: Sequence[bool]) -> float:
        return sum(a and b for a, b in zip(chosen, hit, strict=True)) / max(1, sum(chosen))

    everything, right = [True] * len(asked), [verdict.right for verdict in found]
    said_no = [verdict.refused for verdict in found]
    kinds = dict.fromkeys(one.kind for one in asked)
    kinds = {kind: share([one.kind == kind for one in asked], right) for kind in kinds}
    return Score(
        share(everything, right),
        kinds,
        share([one.form in held_out_forms(one.kind) for one in asked], right),
        share([not one.known for one in asked], said_no),
        share([one.known for one in asked], said_no),
        share(everything, [verdict.style == "whole" for verdict in found]),
        share(everything, [reply.ended == "answer" for reply in replies]),
    )


def sums_right(model: GPT, asked: Sequence[Asked], *, tools: bool = True) -> float:
    """Share of sums whose result is right.

    Args:
        model: with the assistant's vocabulary.
        asked: from `held_out_sums`.
        tools: its calls are run; False: it is stopped at a call, and has to know the result by heart.
    """
    chats = [prompt_of(one) for one in asked]
    replies = answer_many(model, chats, TOOLS, 2 if tools else 0)
    return sum(verdict.right for verdict in verdicts(asked, replies)) / len(asked)


def story_gap(model: GPT, n: int = 500) -> float:
    """What was forgotten: the loss on plain stories above the Town's own, nats a token."""
    return town_gpt.gap(model, n)


def story_kl(model: GPT, base: GPT, n: int = 200) -> float:
    """How far a stage has moved on plain stories: KL(base ‖ model), nats a token.

    Args:
        model, base: of one vocabulary.
        n: held-out stories.
    """
    ids = [WORDS.encode(story.english_tokens, bos=True) for story in town_gpt.stories(n)]
    nats = tokens = 0.0
    with evaluating(model), evaluating(base):
        for rows in batches_by_length([len(row) for row in ids], 64):
            text = pad([ids[i] for i in rows])  # (B, T)
            here, there = (F.log_softmax(one(text)[0], dim=-1) for one in (model, base))
            kl = F.kl_div(here, there, log_target=True, reduction="none").sum(-1)  # (B, T)
            told = text != 0
            nats += kl[told].sum().item()
            tokens += told.sum().item()
    return nats / tokens
