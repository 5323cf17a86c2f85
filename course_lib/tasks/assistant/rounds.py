"""The rounds of ChatBeside: a question as it is put, the pens that answer it, and what has come of them."""

import math
from collections.abc import Mapping, Sequence

from course_lib.generation.writers import Writer
from course_lib.tasks.assistant.marks import JUDGED, Marked, mark
from course_lib.tasks.assistant.pen import Pen
from course_lib.tasks.assistant.verdicts import find
from course_lib.tasks.assistant.words import WORDS
from course_lib.text.chat import Turn, encode_chat

MOST_STAGES = 6


def begin(
    models: Mapping[str, Writer], before: Sequence[dict], story: str, question: str
) -> tuple[dict, list[Pen]]:
    """A new round, and a pen for each stage.

    Args:
        models: stage → model.
        before: rounds of the same chat; () begins one.
        story: told where the chat has no story yet, and the question is about one.
        question: one.

    Raises:
        ValueError: no question, or a chat that is longer than a model reads.
    """
    question = question.strip()
    if not question:
        raise ValueError("Write a question, or choose one of the Town's")
    asked = find(WORDS.split(story), WORDS.split(question))
    is_sum = asked is not None and asked.kind == "sum"
    told = any(one["story"] for one in before)
    now = {
        "story": "" if is_sum or told else story.strip(),
        "about": story,
        "question": question,
        "answers": [{"turns": [], "ended": "", **Marked()._asdict()} for _ in models],
    }
    pens = []
    for place, (name, model) in enumerate(models.items()):
        chat = chat_of([*before, now], place)
        n, window = len(encode_chat(chat, WORDS, reply=True)), _window(model)
        if n > window:
            whose = f"The chat of {name}" if before else "The chat"
            raise ValueError(
                f"{whose} has {n} tokens, and the model reads at most {window:g}: "
                f"{'begin a new one with “Ask”' if before else 'tell a shorter story'}"
            )
        pens.append(Pen(model, chat, max_tokens=window))
    return now, pens


def chat_of(rounds: Sequence[dict], place: int) -> list[Turn]:
    """The chat of one stage as it reads it."""
    turns = []
    for one in rounds:
        turns.append(Turn("user", f"{one['story']} {one['question']}".strip()))
        turns += [Turn(role, text) for role, text in one["answers"][place]["turns"]]
    return turns


def written(now: dict, pens: Sequence[Pen], tally: Sequence[dict]) -> tuple[dict, list[dict]]:
    """The round with what the pens have written, and the tally; what has ended is marked and counted once."""
    answers, tally = [], [dict(counts) for counts in tally]
    for place, (pen, was) in enumerate(zip(pens, now["answers"], strict=True)):
        marked = Marked(was["sign"], was["verdict"], was["style"], was["counts"])
        if pen.ended and not was["ended"]:
            marked = mark(now["about"], now["question"], pen.turns[-1], pen.ended)
            for key in marked.counts:
                tally[place][key] += 1
        turns = [[turn.role, turn.text] for turn in pen.turns]
        answers.append({"turns": turns, "ended": pen.ended, **marked._asdict()})
    return {**now, "answers": answers}, tally


def nothing_yet(n_stages: int) -> list[dict]:
    """The tally before anything was asked."""
    return [dict.fromkeys(JUDGED, 0) for _ in range(n_stages)]


def _window(model: Writer) -> float:
    """The most tokens that a model reads."""
    return getattr(getattr(model, "config", None), "max_len", math.inf)


def checked(stages: Mapping[str, Writer]) -> dict[str, Writer]:
    if not isinstance(stages, Mapping) or not 1 <= len(stages) <= MOST_STAGES:
        n = len(stages) if isinstance(stages, Mapping) else type(stages).__name__
        raise ValueError(f"stages is {n}, expected a dict with 1 to {MOST_STAGES} entries: name → model")
    for name, model in stages.items():
        size = getattr(getattr(model, "config", None), "vocab_size", len(WORDS.tokens))
        if size != len(WORDS.tokens):
            raise ValueError(
                f"stages[{name!r}] knows {size} tokens, expected the assistant's {len(WORDS.tokens)}: "
                "was its vocabulary extended?"
            )
    return dict(stages)
