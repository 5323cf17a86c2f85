"""A GPT of Python as the live view asks it: a beginning and what was drawn after it, in; logits, out."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from course_lib.models import evaluating
from course_lib.models.gpt import GPT
from course_lib.tasks.python_gpt.library import END, tokens


class Reading(NamedTuple):
    """What a GPT makes of a text of T tokens."""

    ids: list[int]  # T
    logits: Tensor | None  # (V,): of the next token; None: the module has ended
    names: Sequence[bytes]  # V tokens


def reader(model: GPT) -> Callable[..., Reading]:
    """A model as `widgets.NextToken(reader(model), …)` asks it.

    Args:
        model: a trained GPT of Python.

    Returns:
        a function `(text, drawn=())` to a `Reading`. text: a beginning; without one, a module begins. Spaces
        at its end are left to the model, as a space belongs to the token behind it. drawn: ids that come
        after it. Of a text longer than the window, the model reads the end.
    """
    tokenizer = tokens()
    names = [END.encode() if i == tokenizer.special[END] else name for i, name in enumerate(tokenizer.tokens)]

    def read(text: str, drawn: Sequence[int] = ()) -> Reading:
        ids = [*(tokenizer.encode(text.rstrip(" ")) or [tokenizer.special[END]]), *drawn]
        over = tokenizer.special[END] in drawn
        with evaluating(model):
            logits, _, _ = model.next_logits(torch.tensor([ids]))  # (1, V)
        return Reading(ids, None if over else logits[0], names)

    return read
