"""Many conversations at once: those of equal length are answered together, calls and all."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

import torch

from course_lib import checks
from course_lib.generation import sample
from course_lib.models.gpt import GPT
from course_lib.tasks.assistant.tool_loop import TOOLS, Reply, read_written, run
from course_lib.tasks.assistant.words import END_ID, WORDS
from course_lib.text.chat import Turn, encode_chat

MOST = 250  # rows written together


def answer_many(
    model: GPT,
    conversations: Sequence[Sequence[tuple[str, str]]],
    tools: Mapping[str, Callable[[str], str]] = TOOLS,
    max_calls: int = 2,
    *,
    max_new_tokens: int = 32,
    temperature: float = 0.0,
    generator: torch.Generator | None = None,
    encode: Callable[..., list[int]] = encode_chat,
) -> list[Reply]:
    """What `answer(writer(model), …)` says to each of many conversations, in a fraction of the time.

    Args:
        model: with the assistant's vocabulary.
        conversations, tools, max_calls: as for `tool_loop.answer`.
        max_new_tokens: of one turn.
        temperature, generator: as for `generation.sample`.
        encode: `(turns, tokenizer, reply=True)` to ids.

    Returns:
        a `Reply` each, in order.

    Raises:
        ValueError: a conversation that does not fit into the model's window.
    """
    checks.at_least_1(max_new_tokens=max_new_tokens)
    turns: list[list[Turn]] = [[] for _ in conversations]
    ended: list[str] = [""] * len(conversations)
    window = model.config.max_len
    waiting = list(range(len(conversations)))
    for calls_left in range(max_calls, -1, -1):
        prompts = {i: encode([*conversations[i], *turns[i]], WORDS, reply=True) for i in waiting}
        if not all(turns[i] or len(prompts[i]) <= window for i in waiting):
            longest = max(map(len, prompts.values()))
            raise ValueError(f"a conversation has {longest} tokens, expected at most {window}, the window")
        still = []
        for i in [i for i in waiting if len(prompts[i]) > window]:
            ended[i] = "length"
        fit = {i: prompts[i] for i in waiting if len(prompts[i]) <= window}
        for i, ids in _written(model, fit, max_new_tokens, temperature, generator):
            turn, complete = read_written(ids)
            turns[i].append(turn)
            if not complete or turn.role != "call":
                ended[i] = "answer" if complete else "length"
            elif calls_left:
                turns[i].append(Turn("tool", run(turn.text, tools)))
                still.append(i)
            else:
                ended[i] = "calls"
        waiting = still
    return [Reply(tuple(said), how) for said, how in zip(turns, ended, strict=True)]


def _written(model, prompts: dict[int, list[int]], max_new_tokens, temperature, generator):
    """(place, ids written) of every prompt, those of equal length together."""
    groups = defaultdict(list)
    for i, prompt in prompts.items():
        groups[len(prompt)].append(i)
    for length, here in sorted(groups.items()):
        for start in range(0, len(here), MOST):
            some = here[start : start + MOST]
            ids = torch.tensor([prompts[i] for i in some])  # (B, T)
            settings = {"temperature": temperature, "generator": generator, "stop_ids": (END_ID,)}
            out = sample(model, ids, max_new_tokens, **settings)[:, length:].tolist()
            yield from zip(some, out, strict=True)
