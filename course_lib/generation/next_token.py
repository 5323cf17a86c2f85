"""One step of sampling, in plain numbers, to be looked at."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from .filters import ORDER, draw, staged


class Stage(NamedTuple):
    """What one stage leaves of the chances."""

    name: str  # "model": before any of it; then those of `filters.ORDER`
    probabilities: tuple[float, ...]  # of every token, V of them; they sum to 1
    removed: tuple[int, ...]  # ids that this stage takes out, the likeliest first


@dataclass(frozen=True)
class NextTokenTrace:
    """How one token was drawn: the model's logits, what each stage made of them, and the draw.

    Args:
        logits: of every token, V of them.
        temperature, top_k, top_p: the settings, as for `draw`.
        stages: four: "model", "temperature", "top-k", "top-p"; a filter that is None removes nothing.
        drawn: id of the token.
    """

    logits: tuple[float, ...]
    temperature: float
    top_k: int | None
    top_p: float | None
    stages: tuple[Stage, ...]
    drawn: int

    def kept(self) -> tuple[int, ...]:
        """Ids of the tokens that could be drawn, the likeliest first."""
        removed = {token for stage in self.stages for token in stage.removed}
        possible = [i for i, logit in enumerate(self.logits) if logit > -torch.inf and i not in removed]
        return tuple(sorted(possible, key=lambda i: -self.logits[i]))  # stable: of equals the lower id first


def trace_draw(
    logits: Tensor,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    generator: torch.Generator | int | None = None,
) -> NextTokenTrace:
    """Draw one token as `draw` does, and note every stage.

    Args:
        logits: scores of the next token of one text, `(V,)`.
        temperature, top_k, top_p, generator: as for `draw`; the same generator gives the same token. A whole
            number is the seed of a generator of its own.

    Raises:
        ValueError: as `draw`, and logits that are not `(V,)`.
    """
    if logits.dim() != 1:
        raise ValueError(
            f"logits has shape {tuple(logits.shape)}, expected (V,): one text; write logits[0] for the first"
        )
    if isinstance(generator, int):
        generator = torch.Generator().manual_seed(generator)
    drawn = draw(logits[None], temperature, top_k, top_p, generator)
    before, stages = logits[None], [Stage("model", _plain(logits.softmax(-1)), ())]
    for name, after in zip(ORDER, staged(logits[None], temperature, top_k, top_p), strict=True):
        gone = after.isneginf() & ~before.isneginf()  # (1, V)
        order = logits.sort(descending=True, stable=True).indices  # (V,)
        stages.append(Stage(name, _plain(after[0].softmax(-1)), _plain(order[gone[0, order]])))
        before = after
    return NextTokenTrace(_plain(logits), temperature, top_k, top_p, tuple(stages), int(drawn))


def _plain(values: Tensor) -> tuple:
    return tuple(values.tolist())
