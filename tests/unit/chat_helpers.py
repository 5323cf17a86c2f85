"""For tests of a chat: a model that writes what it is told to, in place of one that was trained."""

import time
from types import SimpleNamespace

import torch

from course_lib.tasks.assistant import END_ID, WORDS

CALL = WORDS.special["<|call|>"]
STAGES = ("base", "sft")
STORY = "tom is in the park . he has a red ball . anna is at the beach ."


class Scripted:
    """Writes these turns, one after another, and then the last one again; "call: …" is a call.

    Args:
        texts: of the turns; one that ends in "…" goes on for ever, with its last word.
        max_len: the window.
        wait: seconds a token.
    """

    def __init__(self, *texts: str, max_len: int = 128, wait: float = 0.0) -> None:
        self.config = SimpleNamespace(max_len=max_len)
        self.left, self.wait, self.prompts = list(texts), wait, []

    def next_logits(self, tokens, state):
        if state is None:
            self.prompts.append(tokens[0].tolist())
            text = self.left.pop(0) if len(self.left) > 1 else self.left[0]
            state = self._ids(text)
        time.sleep(self.wait)
        following = state[0]
        logits = torch.zeros(1, len(WORDS))
        logits[0, following] = 1.0
        return logits, None, state[1:] or [following]

    @staticmethod
    def _ids(text):
        called, text = text.startswith("call: "), text.removeprefix("call: ")
        return [CALL] * called + WORDS.encode(text.removesuffix("…")) + [END_ID] * (not text.endswith("…"))
