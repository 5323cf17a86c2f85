"""Looking into a trained model: what its heads look at, and what is lost without them.

Axes: B batch, H heads, T query positions, S key positions, Q questions that are asked at each position.
"""

import copy
from collections.abc import Sequence

import torch
from torch import Tensor

from course_lib.attention import MultiHeadAttention
from course_lib.models import evaluating
from course_lib.models.attention_only import AttentionOnly


def head_weights(model: AttentionOnly, ids: Tensor, allowed: Tensor | None = None) -> list[Tensor]:
    """The attention weights of every layer, `(B, H, T, S)` each, from ids `(B, T)`."""
    with evaluating(model):
        return model(ids, allowed, need_weights=True)[1]


def weight_on(weights: Tensor, places: Tensor) -> Tensor:
    """Does a head look where an answer stands?

    Args:
        weights: of one layer, `(B, H, T, S)`.
        places: where the answers stand, boolean `(Q, T, S)`: usually one place a question and query. A query
            without any does not count.

    Returns:
        `(H, Q)`: the mean weight that head h puts on the places of question q. 1 is a perfect look-up; with
        one place a query, 1/S is what a head gives that looks everywhere alike. nan: no query has a place.
    """
    asked = len(weights) * places.any(-1).sum(-1)  # (Q,): B · queries that have a place
    return torch.einsum("bhts,qts->hq", weights, places.to(weights)) / asked


def share_on(weights: Tensor, places: Tensor, allowed: Tensor) -> tuple[Tensor, float]:
    """How much of its weight does each head put on places of one kind, and what would even weights put there?

    Only queries count for which there is such a place.

    Args:
        weights: of one layer, `(B, H, T, S)`.
        places: where places of this kind are, boolean `(B, T, S)`; forbidden ones do not count.
        allowed: which keys each query may see, boolean, broadcastable to `(B, T, S)`.

    Returns:
        the mean share of each head, `(H,)`, and that of a head that looks at all it may see alike.

    Raises:
        ValueError: no query has such a place.
    """
    allowed = allowed.expand_as(places)
    places = places & allowed
    asked = places.any(-1)  # (B, T)
    if not asked.any():
        raise ValueError("places has no allowed place, expected at least one query that has one")
    shares = torch.einsum("bhts,bts->bth", weights, places.to(weights))[asked]  # (queries, H)
    even = places.sum(-1) / allowed.sum(-1)  # (B, T)
    return shares.mean(0), even[asked].mean().item()


def without_heads(model: AttentionOnly, heads: Sequence[tuple[int, int]]) -> AttentionOnly:
    """A copy of a model in which some heads say nothing.

    The columns h·K to (h + 1)·K − 1 of W_o are all that ever reads head h: with zeros there, its slice of the
    merged output counts for nothing. (In the paper's order, x W_o, they are rows.)

    Args:
        model: stays as it is.
        heads: (layer, head) pairs; layers in the order in which the model has them.

    Returns:
        the copy.

    Raises:
        ValueError: a layer or a head that the model does not have.
    """
    model = copy.deepcopy(model)
    layers = [layer for layer in model.modules() if isinstance(layer, MultiHeadAttention)]
    for number, head in heads:
        if not 0 <= number < len(layers) or not 0 <= head < layers[number].n_heads:
            raise ValueError(
                f"heads has ({number}, {head}), expected layers 0 to {len(layers) - 1} and heads 0 to "
                f"{layers[0].n_heads - 1}: pairs are (layer, head)"
            )
        layer = layers[number]
        with torch.no_grad():
            layer.W_o.weight[:, head * layer.d_k : (head + 1) * layer.d_k] = 0.0
    return model
