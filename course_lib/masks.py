"""Who may attend to whom.

One convention in the whole course: a boolean tensor named `allowed`, True = may attend,
broadcastable to `(B, H, T, S)`: batch, heads, query positions, key positions.

A forbidden score becomes −∞ *before* the softmax, so its weight is exactly 0 and the weights that
remain still sum to 1. A query with no allowed key gets weights of exactly 0, and no NaN.
"""

import torch
from torch import Tensor


def padding_mask(ids: Tensor, pad_id: int) -> Tensor:
    """Forbid padding as a key: nobody may attend to a position that holds no token.

    Args:
        ids: token ids, `(B, S)`.
        pad_id: the id of the padding token.

    Returns:
        `allowed`, boolean `(B, 1, 1, S)`: the same keys for every head and every query.

    Raises:
        ValueError: `ids` is not two-dimensional, or holds no whole numbers.
    """
    if ids.dim() != 2:
        raise ValueError(
            f"ids has shape {tuple(ids.shape)}, expected (B, S): "
            "for one sentence on its own, add a batch axis with ids[None]"
        )
    if ids.is_floating_point():
        raise ValueError(f"ids has dtype {ids.dtype}, expected whole numbers: are these embeddings?")
    return (ids != pad_id)[:, None, None, :]  # (B, 1, 1, S)


def causal_mask(n_queries: int, n_keys: int | None = None, *, device: torch.device | None = None) -> Tensor:
    """Forbid the future: a query may attend to its own position and to what stands before it.

    With fewer queries than keys, the queries are the *last* positions (as when a cache holds the keys
    of earlier tokens): query `t` stands at position `t + n_keys − n_queries`.

    Args:
        n_queries: T, the number of query positions.
        n_keys: S, the number of key positions; T when not given.
        device: where the mask is made.

    Returns:
        `allowed`, boolean `(T, S)`, True on and below the diagonal that ends in the last corner.

    Raises:
        ValueError: a negative size, or more queries than keys.

    Source: Vaswani et al. 2017, section 3.2.3.
    """
    n_keys = n_queries if n_keys is None else n_keys
    if n_queries < 0 or n_keys < n_queries:
        raise ValueError(
            f"n_queries = {n_queries}, n_keys = {n_keys}, expected 0 ≤ n_queries ≤ n_keys: "
            "the queries are the last of the positions that have keys"
        )
    position = torch.arange(n_keys - n_queries, n_keys, device=device)[:, None]  # (T, 1)
    return torch.arange(n_keys, device=device)[None, :] <= position  # (T, S)


def masked_softmax(scores: Tensor, allowed: Tensor | None = None, dim: int = -1) -> Tensor:
    """Softmax over the allowed entries only.

    Args:
        scores: any real numbers, usually `(B, H, T, S)` or `(B, T, S)`.
        allowed: boolean, broadcastable to `scores`; None allows everything.
        dim: the axis that sums to 1: the keys.

    Returns:
        weights in the shape of `scores`: 0 where forbidden; rows sum to 1, or to 0 where nothing is allowed.

    Raises:
        ValueError: `scores` are whole numbers; `allowed` is not boolean, or does not broadcast to the shape
            of `scores`.
    """
    if not scores.is_floating_point():
        raise ValueError(f"scores has dtype {scores.dtype}, expected real numbers: write scores.float()")
    if allowed is None:
        return scores.softmax(dim)
    check_allowed(allowed, scores.shape)
    allowed = allowed.expand(scores.shape)
    # A row of only −∞ is 0/0 in the softmax. Such rows keep their scores here and lose their weights below,
    # so that neither the values nor the gradients ever pass through a NaN.
    alive = allowed.any(dim, keepdim=True)
    scores = scores.masked_fill(~allowed & alive, -torch.inf)
    return scores.softmax(dim).masked_fill(~allowed, 0.0)


def check_allowed(allowed: Tensor, shape: torch.Size) -> None:
    """Refuse a mask that would be misread; `shape` is the shape of the scores it will meet."""
    if not isinstance(allowed, Tensor):
        raise ValueError(
            f"allowed is a {type(allowed).__name__}, expected a tensor: write torch.tensor(allowed)"
        )
    if allowed.dtype != torch.bool:
        raise ValueError(
            f"allowed has dtype {allowed.dtype}, expected torch.bool (True = may attend): "
            "for a 0/1 tensor write allowed.bool(); an additive mask of 0 and −∞ is another convention"
        )
    try:
        fits = torch.broadcast_shapes(allowed.shape, shape) == shape
    except RuntimeError:
        fits = False
    if not fits:
        raise ValueError(
            f"allowed has shape {tuple(allowed.shape)}, which does not broadcast to the scores "
            f"{tuple(shape)}: the last two axes are query positions, then key positions"
        )
