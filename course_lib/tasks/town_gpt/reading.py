"""A GPT of the Town as the live views ask it: a beginning and what was drawn after it, in; logits, out."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from course_lib.data import town
from course_lib.models import evaluating
from course_lib.models.gpt import GPT
from course_lib.tasks.town_gpt.stories import WORDS
from course_lib.text.tokenizers import BOS_ID, EOS_ID


class Reading(NamedTuple):
    """What a GPT makes of a text of T tokens."""

    ids: list[int]  # T, `[BOS]` first
    logits: Tensor | None  # (V,): of the next token; None: the text has ended
    names: Sequence[str]  # V tokens
    weights: Tensor  # (L, H, T, T): layers, heads, query, key


def reader(model: GPT) -> Callable[..., Reading]:
    """A model as `widgets.NextToken(reader(model), …)` and `widgets.StoryWriter(reader(model), …)` ask it.

    Args:
        model: a trained GPT of the Town.

    Returns:
        a function `(text, drawn=())` to a `Reading`. text: a beginning; drawn: ids that come after it. It
        raises ValueError for a word that the Town does not know, and for more tokens than the model's window.
    """

    def read(text: str, drawn: Sequence[int] = ()) -> Reading:
        typed = town.tokenise(text)
        unknown = [token for token in typed if token not in WORDS.ids]
        if unknown:
            listed = ", ".join(f"“{token}”" for token in dict.fromkeys(unknown))
            raise ValueError(f"Tiny Town does not know {listed}")
        ids = [BOS_ID, *WORDS.encode(typed), *drawn]
        window = model.config.max_len
        if len(ids) > window:
            raise ValueError(
                f"the story has {len(ids)} tokens, expected at most {window}: the model's window"
            )
        with evaluating(model):
            logits, weights = model(torch.tensor([ids]), need_weights=True)  # (1, T, V), L × (1, H, T, T)
        return Reading(ids, None if EOS_ID in ids else logits[0, -1], WORDS.tokens, torch.cat(weights))

    return read
