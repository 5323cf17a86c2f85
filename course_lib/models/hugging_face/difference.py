"""Two models that should be the same, and are not: at which part does it begin?

    said = theirs(ids, output_hidden_states=True)                  # a GPT-2 of `transformers`
    first_difference(ours, said.hidden_states, ids, said.logits)   # None, or: layers.3, text 0, position 1: …

Each part of ours reads what the part before it left *in theirs*. So a fault shows at the part that has it; it
is not carried on, and no later part is blamed for it.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from course_lib import checks
from course_lib.masks import causal_mask
from course_lib.models import evaluating
from course_lib.models.gpt import GPT


class Difference(NamedTuple):
    """Where two models differ: the first token at which a part does, and there the feature that does most."""

    part: str  # as in our model: "embeddings", "layers.0", …, "final_norm", "lm_head"
    text: int  # row of the batch
    position: int
    feature: int  # of the vector, or the token that is scored
    ours: float
    theirs: float

    @property
    def size(self) -> float:
        """How far apart the two numbers are."""
        return abs(self.ours - self.theirs)

    def __str__(self) -> str:
        return (
            f"{self.part}, text {self.text}, position {self.position}: ours has {self.ours:.6g}, "
            f"theirs {self.theirs:.6g} (feature {self.feature})"
        )


def first_difference(
    ours: GPT,
    hidden_states: Sequence[Tensor],
    ids: Tensor,
    logits: Tensor | None = None,
    *,
    tolerance: float = 1e-4,
) -> Difference | None:
    """The first part of our GPT that computes something else than theirs.

    Some faults do not show at position 0: with one key, its weight is 1 whatever the query asks. And the bias
    of the keys shows nowhere: it adds the same number to all scores of a query.

    Args:
        ours: the model.
        hidden_states: of theirs, `(B, T, D)` each. N + 2 of them for N layers, as `states_of` gives them:
            embeddings, what each layer leaves, and what the final norm leaves. Or N + 1, as `transformers`
            gives them: there, what the last layer leaves is missing, so the last layer and the final norm are
            looked at as one part, "layers.11 + final_norm".
        ids: what theirs has read, `(B, T)`, without padding.
        logits: of theirs, `(B, T, V)`, if the scores count, too.
        tolerance: how far a number may be off, as a share of its token's root mean square. In float32 the
            same function, computed in another order, is off by about 1e-6.

    Returns:
        the first difference, or None.

    Raises:
        ValueError: ids or states that do not belong to such a model.
    """
    config = ours.config
    checks.token_ids("ids", ids, "(B, T)", config.vocab_size, config.max_len)
    _check_states(hidden_states, (*ids.shape, config.d_model), config.n_layers)
    with evaluating(ours):
        expected = [*hidden_states] if logits is None else [*hidden_states, logits]
        for (name, got), wanted in zip(_parts(ours, ids, hidden_states), expected, strict=False):
            if difference := _compare(name, got, wanted, tolerance):
                return difference
    return None


def _parts(ours: GPT, ids: Tensor, states: Sequence[Tensor]) -> Iterator[tuple[str, Tensor]]:
    """Name and output of each part of ours, after what the part before it left in theirs."""
    allowed, n_layers = causal_mask(ids.shape[1], device=ids.device), len(ours.layers)
    together = len(states) == n_layers + 1  # the last layer and the final norm
    yield "embeddings", ours.embed(ids)
    for i, layer in enumerate(ours.layers):
        left = layer(states[i], allowed)[0]  # (B, T, D)
        if together and i == n_layers - 1:
            yield f"layers.{i} + final_norm", ours.final_norm(left)
        else:
            yield f"layers.{i}", left
    if not together:
        yield "final_norm", ours.final_norm(states[n_layers])
    yield "lm_head", ours.lm_head(states[-1])  # (B, T, V)


def _compare(name: str, ours: Tensor, theirs: Tensor, tolerance: float) -> Difference | None:
    if ours.shape != theirs.shape:
        raise ValueError(f"theirs has {tuple(theirs.shape)} at {name}, expected {tuple(ours.shape)}")
    ours, theirs = ours.double(), theirs.double()
    apart = (ours - theirs).abs()  # (B, T, D)
    allowed = tolerance * theirs.square().mean(-1, keepdim=True).sqrt()  # (B, T, 1)
    wrong = ~(apart <= allowed).all(-1)  # (B, T); a NaN is wrong, too
    if not wrong.any():
        return None
    position, text = wrong.T.nonzero()[0].tolist()  # the earliest position of all texts
    feature = int(apart[text, position].argmax())
    place = (text, position, feature)
    return Difference(name, *place, ours[place].item(), theirs[place].item())


def _check_states(states: Sequence[Tensor], shape: tuple[int, ...], n_layers: int) -> None:
    if len(states) not in (n_layers + 1, n_layers + 2):
        raise ValueError(
            f"hidden_states holds {len(states)} tensors, expected {n_layers + 1} or {n_layers + 2}: "
            f"embeddings, {n_layers} layers, final norm"
        )
    for i, state in enumerate(states):
        if state.shape != shape:
            raise ValueError(
                f"hidden_states[{i}] has shape {tuple(state.shape)}, expected {shape}: "
                "has their model other sizes, or did it read other ids?"
            )


def states_of(theirs: nn.Module, ids: Tensor) -> tuple[list[Tensor], Tensor]:
    """What each part of a `transformers` GPT2LMHeadModel leaves, what its last layer leaves included.

    Args:
        theirs: the model.
        ids: `(B, T)`, without padding.

    Returns:
        N + 2 hidden states `(B, T, D)`, and logits `(B, T, V)`, for `first_difference`.
    """
    raw: list[Tensor] = []
    watch = theirs.transformer.ln_f.register_forward_pre_hook(lambda _, inputs: raw.append(inputs[0]))
    try:
        with evaluating(theirs), torch.no_grad():
            said = theirs(ids, output_hidden_states=True)
    finally:
        watch.remove()
    *states, last = said.hidden_states
    return [*states, raw[0], last], said.logits
