"""Answering with tools: the model writes a call, the tool's result is told to it, and it goes on.

    user        what is 17 + 25 ?
    call        calculate 17 + 25            written by the model: the tool's name, then what the tool gets
    tool        42                           given
    assistant   that is 42 .                 written by the model

However a model writes, the loop ends: it may call so many times, and then it is stopped. Whatever a call
says, it gets a result; a bad one begins with "error:", and the model may read it and answer.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import torch

from course_lib import checks
from course_lib.generation import sample
from course_lib.generation.writers import Writer
from course_lib.tasks.assistant.calculator import calculate
from course_lib.tasks.assistant.words import END_ID, WORDS
from course_lib.text.chat import Turn, encode_chat, read_turns

TOOLS: Mapping[str, Callable[[str], str]] = {"calculate": calculate}
NO_SUCH_TOOL, FAILED = "error: no such tool", "error: the tool does not say"
MAX_RESULT = 40  # tokens of a result that the model gets to read
Write = Callable[[list[int]], list[int]]  # ids of a chat to the ids that come next, to `<|end|>` or shorter


class Reply(NamedTuple):
    """What was said and done since the conversation that was given."""

    turns: tuple[Turn, ...]  # calls, results, and the answer at the end
    ended: str  # "answer"; "calls": one call too many; "length": the last turn has no end

    @property
    def text(self) -> str:
        """The answer; empty where there is none."""
        return self.turns[-1].text if self.turns[-1].role == "assistant" else ""


def answer(
    write: Write,
    conversation: Sequence[tuple[str, str]],
    tools: Mapping[str, Callable[[str], str]] = TOOLS,
    max_calls: int = 2,
    *,
    max_tokens: int | None = None,
) -> Reply:
    """Let a model answer, and run the tools that it calls.

    Args:
        write: goes on from a chat (see `writer`).
        conversation: turns so far, the last one not the assistant's.
        tools: name → function from text to text.
        max_calls: so many are run; the model is not asked again after one more.
        max_tokens: the most tokens of the chat that `write` may get; None: no limit.

    Returns:
        a `Reply`. `write` was asked `max_calls + 1` times at most.

    Raises:
        ValueError: a negative `max_calls`, or a chat that is longer than `max_tokens` before anything is
            written.
    """
    if max_calls < 0:
        raise ValueError(f"max_calls is {max_calls}, expected 0 or more")
    turns: list[Turn] = []
    for calls_left in range(max_calls, -1, -1):
        prompt = encode_chat([*conversation, *turns], WORDS, reply=True)
        if max_tokens is not None and len(prompt) > max_tokens:
            if turns:
                return Reply(tuple(turns), "length")
            raise ValueError(
                f"conversation has {len(prompt)} tokens, expected at most {max_tokens}, the model's window: "
                "begin a new chat, or tell a shorter story"
            )
        turn, ended = read_written(write(prompt))
        turns.append(turn)
        if not ended or turn.role != "call":
            return Reply(tuple(turns), "answer" if ended else "length")
        if calls_left:
            turns.append(Turn("tool", run(turn.text, tools)))
    return Reply(tuple(turns), "calls")


def read_written(ids: Sequence[int]) -> tuple[Turn, bool]:
    """What a model wrote behind the assistant's marker: a turn, and whether it ended it.

    Nothing behind the first `<|end|>` counts. A marker of another role inside is no turn: it is spelled, and
    read again it is [UNK].
    """
    ids = list(ids)
    ended = END_ID in ids
    said = ids[: ids.index(END_ID)] if ended else ids
    call = bool(said) and said[0] == WORDS.special["<|call|>"]
    return Turn("call" if call else "assistant", WORDS.decode(said[call:])), ended


def run(call: str, tools: Mapping[str, Callable[[str], str]] = TOOLS) -> str:
    """The result of a call; whatever the call, or the tool, it is a text of at most MAX_RESULT tokens."""
    name, _, rest = call.strip().partition(" ")
    if name not in tools:
        return NO_SUCH_TOOL
    try:
        result = tools[name](rest.strip())
    except Exception:  # a tool is anybody's code; the chat goes on
        return FAILED
    if not isinstance(result, str):
        return FAILED
    ids = WORDS.encode(result)
    return result if len(ids) <= MAX_RESULT else WORDS.decode(ids[:MAX_RESULT])


def writer(model: Writer, max_new_tokens: int = 40, **settings) -> Write:
    """A model as `answer` asks it.

    Args:
        model: with the assistant's vocabulary.
        max_new_tokens: of one turn.
        settings: temperature, top_k, top_p, generator, as for `generation.sample`; the likeliest token each
            time where there are none.
    """
    checks.at_least_1(max_new_tokens=max_new_tokens)
    go_on = partial(sample, model, stop_ids=(END_ID,), **({"temperature": 0.0} | settings))

    def write(prompt: list[int]) -> list[int]:
        return go_on(torch.tensor([prompt]), max_new_tokens)[0, len(prompt) :].tolist()

    return write


def turns_seen(ids: Sequence[int]) -> list[Turn]:
    """The turns that a model sees in ids of the assistant's vocabulary."""
    return read_turns(ids, WORDS)
