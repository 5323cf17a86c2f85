"""A reply that is written one token at a time, so that it can be watched and stopped.

    pen = Pen(model, [Turn("user", "what is 17 + 25 ?")])
    while not pen.ended:
        pen.step()
        print(pen.turns)

At its end it holds what `answer(writer(model), conversation)` gives at once: see `tool_loop`.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext

import torch
from torch import nn

from course_lib import checks
from course_lib.generation.filters import draw
from course_lib.generation.writers import Writer
from course_lib.models import evaluating
from course_lib.tasks.assistant.tool_loop import TOOLS, read_written, run
from course_lib.tasks.assistant.words import WORDS
from course_lib.text.chat import Turn, encode_chat

MAX_NEW_TOKENS = 40  # of one turn, as for `tool_loop.writer`


class Pen:
    """A model that is answering.

    `turns` are those since the conversation that was given, the last one as far as it is written; `ended` is
    "" while there is more to come, then "answer", "calls" or "length", as in `tool_loop.Reply`.
    """

    def __init__(
        self,
        model: Writer,
        conversation: Sequence[tuple[str, str]],
        tools: Mapping[str, Callable[[str], str]] = TOOLS,
        max_calls: int = 2,
        *,
        max_new_tokens: int = MAX_NEW_TOKENS,
        max_tokens: int | None = None,
        **settings,
    ) -> None:
        """
        Args:
            model: with the assistant's vocabulary.
            conversation, tools, max_calls: as for `tool_loop.answer`.
            max_new_tokens: of one turn.
            max_tokens: the most tokens of the chat that the model may get; None: no limit.
            settings: temperature, top_k, top_p, generator, as for `tool_loop.writer`.

        Raises:
            ValueError: no new token, or a chat that is longer than `max_tokens` before anything is written.
        """
        checks.at_least_1(max_new_tokens=max_new_tokens)
        self.model, self.tools, self.calls_left = model, tools, max_calls
        self.max_new_tokens, self.max_tokens = max_new_tokens, max_tokens
        self._settings = {"temperature": 0.0} | settings
        self.turns: list[Turn] = []
        self.ended = ""
        self._conversation = list(conversation)
        self._begin()
        if self.ended:
            raise ValueError(
                f"conversation has {len(self._new)} tokens, expected at most {max_tokens}, the model's "
                "window: begin a new chat, or tell a shorter story"
            )

    def step(self) -> None:
        """Write one token; where it ends a call, run the tool. After the end nothing happens."""
        if self.ended:
            return
        reads = evaluating(self.model) if isinstance(self.model, nn.Module) else nullcontext()
        with torch.no_grad(), reads:  # not `writing()`: what it prepares pays off after many tokens
            logits, _, self._state = self.model.next_logits(torch.tensor([self._new]), self._state)
        self._new = [int(draw(logits, **self._settings))]
        self._written += self._new
        turn, ended = read_written(self._written)
        self.turns[-1] = turn
        if not ended:
            self.ended = "length" if len(self._written) >= self.max_new_tokens else ""
        elif turn.role != "call":
            self.ended = "answer"
        elif not self.calls_left:
            self.ended = "calls"
        else:
            self.calls_left -= 1
            self.turns.append(Turn("tool", run(turn.text, self.tools)))
            self._begin()

    def _begin(self) -> None:
        """The next turn: the model reads the chat anew."""
        self._new = encode_chat([*self._conversation, *self.turns], WORDS, reply=True)
        self._written: list[int] = []
        self._state = None
        if self.max_tokens is not None and len(self._new) > self.max_tokens:
            self.ended = "length"
        else:
            self.turns.append(Turn("assistant", ""))
