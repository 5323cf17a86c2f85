"""Who may attend to whom.

One convention in the whole course: a boolean tensor named `allowed`, True = may attend,
broadcastable to `(B, H, T, S)`: batch, heads, query positions, key positions.

A forbidden score becomes −∞ *before* the softmax, so its weight is exactly 0 and the weights that
remain still sum to 1. A query with no allowed key gets weights of exactly 0, and no NaN. What stands at a
forbidden position does not count, not even a NaN.

PyTorch has two conventions of its own, and they are opposite; the conversions stand here and nowhere else.
"""

import math
import weakref
from collections.abc import Callable
from functools import reduce, wraps

import torch
from torch import Tensor

from course_lib import checks

SMALL = 2**16  # cells of a mask whose numbers are kept


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
    allowed = torch.arange(n_keys, device=device)[None, :] <= position  # (T, S)
    return _all_alive(allowed, is_causal=n_queries == n_keys)


def prefix_mask(n_positions: int, n_prefix: int | Tensor, *, device: torch.device | None = None) -> Tensor:
    """Let everyone see the whole prefix; after it, forbid the future.

    The mask of a prefix language model: an input that is read in both directions, then text that is
    written from left to right.

    Args:
        n_positions: T, the prefix and what follows it.
        n_prefix: how many positions the prefix has; whole numbers `(B,)` for one length a sentence.
        device: where the mask is made.

    Returns:
        `allowed`, boolean `(T, T)`; `(B, 1, T, T)` when `n_prefix` has a batch axis.

    Raises:
        ValueError: a prefix shorter than 0 or longer than the text; lengths that are no whole numbers.

    Source: Raffel et al. 2020 (T5), section 3.2.1; Dong et al. 2019 (UniLM), section 2.
    """
    lengths = torch.as_tensor(n_prefix, device=device)
    if lengths.dtype == torch.bool or lengths.is_floating_point() or lengths.dim() > 1:
        raise ValueError(
            f"n_prefix has dtype {lengths.dtype} and shape {tuple(lengths.shape)}, expected one whole number "
            "or whole numbers (B,): a length for each sentence, not a mask"
        )
    if bool((lengths < 0).any()) or bool((lengths > n_positions).any()):
        raise ValueError(
            f"n_prefix is {n_prefix}, expected 0 ≤ n_prefix ≤ n_positions ({n_positions}): "
            "the prefix is a part of the text"
        )
    in_prefix = torch.arange(n_positions, device=lengths.device) < lengths[..., None]  # (T,) or (B, T)
    in_prefix = in_prefix[None] if lengths.dim() == 0 else in_prefix[:, None, None]  # (1, T) or (B, 1, 1, T)
    allowed = causal_mask(n_positions, device=lengths.device) | in_prefix  # (T, T) or (B, 1, T, T)
    return _all_alive(allowed)


def sliding_window_mask(n_positions: int, window: int, *, device: torch.device | None = None) -> Tensor:
    """Forbid the future, and the past beyond a window: each query sees itself and the `window − 1` before.

    Args:
        n_positions: T, query and key positions.
        window: how many keys a query may see, its own position included.
        device: where the mask is made.

    Returns:
        `allowed`, boolean `(T, T)`: a band along the diagonal.

    Raises:
        ValueError: a window of less than 1.

    Source: Beltagy, Peters and Cohan 2020 (Longformer), section 3.1; causal as in Child et al. 2019.
    """
    if window < 1:
        raise ValueError(f"window is {window}, expected at least 1: a window of 1 sees its own position only")
    position = torch.arange(n_positions, device=device)
    near = position[None, :] > position[:, None] - window  # (T, T)
    return _all_alive(causal_mask(n_positions, device=device) & near)


def document_mask(documents: Tensor) -> Tensor:
    """Documents packed into one row: each position sees itself and what stands before it in its own document.

    Args:
        documents: which document each position belongs to, whole numbers `(B, T)`.

    Returns:
        `(B, 1, T, T)`.

    Raises:
        ValueError: not two axes of whole numbers.
    """
    if documents.dim() != 2 or documents.is_floating_point() or documents.dtype == torch.bool:
        raise ValueError(
            f"documents has shape {tuple(documents.shape)} and dtype {documents.dtype}, expected whole "
            "numbers (B, T): the number of the document to which each position belongs"
        )
    same = documents[:, None, :, None] == documents[:, None, None, :]  # (B, 1, T, T)
    return _all_alive(same & causal_mask(documents.shape[1], device=documents.device))


def combine(*masks: Tensor | None) -> Tensor | None:
    """A key may be seen if *every* mask allows it.

    Args:
        masks: boolean tensors that broadcast together, such as `(T, S)` and `(B, 1, 1, S)`; None forbids
            nothing.

    Returns:
        `allowed` in the broadcast shape, or None if every mask was None.

    Raises:
        ValueError: a mask that is not boolean, or shapes that do not broadcast.
    """
    given = [mask for mask in masks if mask is not None]
    for mask in given:
        checks.boolean(mask)
    try:
        torch.broadcast_shapes(*(mask.shape for mask in given))
    except RuntimeError as error:
        shapes = " and ".join(str(tuple(mask.shape)) for mask in given)
        raise ValueError(
            f"the masks have shapes {shapes}, which do not broadcast together: "
            "give a padding mask its axes for heads and queries, (B, 1, 1, S)"
        ) from error
    return reduce(torch.logical_and, given) if given else None


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
    checks.mask(allowed, scores.shape)
    scores = scores.masked_fill(~allowed, -torch.inf)
    if dim == -1 and about(allowed).dead is None:
        return scores.softmax(-1).masked_fill(~allowed, 0.0)
    # A row of only −∞ is 0/0 in the softmax. Such a row gets scores of 0 here and loses its weights below, so
    # that neither the values nor the gradients ever pass through a NaN.
    allowed = allowed.expand(scores.shape)
    alive = allowed.any(dim, keepdim=True)
    return scores.masked_fill(~alive, 0.0).softmax(dim).masked_fill(~allowed, 0.0)


class About:
    """What is known of one mask: looked up once, not in each layer and at each step.

    Attributes:
        dead: True where a query may attend to nothing, `(..., T, 1)`; None where there is no such query.
        is_causal: `causal_mask(n)` made it. (A mask that only looks like it is not known to be causal.)
    """

    def __init__(self, allowed: Tensor, dead: Tensor | None, is_causal: bool) -> None:
        self.dead, self.is_causal = dead, is_causal
        self._kernel_mask: Tensor | None = None
        if torch.compiler.is_compiling() or allowed.is_inference():  # torch does not count writes into these
            return
        self.version = allowed._version
        key = id(allowed)
        # (`known`: while Python ends, the name _KNOWN may be gone before a mask is)
        self.mask = weakref.ref(allowed, lambda _, known=_KNOWN: known.pop(key, None))
        _KNOWN[key] = self

    def kernel_mask(self, allowed: Tensor, dtype: torch.dtype) -> Tensor:
        """The mask for a fused kernel: dead rows are open, since kernels do not agree what such a row gives.

        Its output must be set to 0 there. A small mask is kept as numbers, 0 and −∞, into which the kernel
        would turn it anew at each call.
        """
        mask = self._kernel_mask
        if mask is None or (mask.dtype is not dtype and mask.dtype is not torch.bool):
            with torch.inference_mode(False):  # kept, and used in training too
                mask = torch.atleast_2d(allowed if self.dead is None else allowed | self.dead)
                mask = to_torch_sdpa(mask, dtype) if mask.numel() <= SMALL else mask
            self._kernel_mask = mask
        return mask


_KNOWN: dict[int, About] = {}  # by the mask's id, as long as the mask lives


def about(allowed: Tensor) -> About:
    """What is known of a mask; it counts until somebody writes into the mask.

    (Through torch, that is: what NumPy writes into the same memory stays unseen.)
    """
    if torch.compiler.is_compiling():
        return About(allowed, ~allowed.any(-1, keepdim=True), is_causal=False)
    known = _KNOWN.get(id(allowed))
    if known is not None and known.mask() is allowed and known.version == allowed._version:
        return known
    with torch.inference_mode(False):  # kept, and used in training too
        dead = ~allowed.any(-1, keepdim=True)  # (..., T, 1)
    try:
        some = bool(dead.any())
    except RuntimeError:  # a mask without values of its own, as inside torch.func.vmap
        some = True
    return About(allowed, dead if some else None, is_causal=False)


def _all_alive(allowed: Tensor, is_causal: bool = False) -> Tensor:
    """The same mask, made such that every query sees itself: known without looking."""
    About(allowed, None, is_causal)
    return allowed


def no_leak(attend: Callable) -> Callable:
    """Make an attention such that a NaN or ∞ reaches those who may see it, and nobody else.

    A weight of 0 does not keep out what stands behind it: 0 · NaN is NaN, and so is −∞ + NaN inside a kernel.
    Where something is not finite, it is taken out first, and those who may attend to it get NaN afterwards.

    Args:
        attend: `attend(q, k, v, allowed, …)` to output `(..., T, D)`, or to output and weights.

    Returns:
        the same function, safe under a mask.
    """

    @wraps(attend)
    def safe(
        q: Tensor, k: Tensor, v: Tensor, allowed: Tensor | None = None, **options
    ) -> Tensor | tuple[Tensor, Tensor]:
        found = attend(q, k, v, allowed, **options)
        if allowed is None or not q.is_cpu:  # an accelerator would have to wait for the answer
            return found
        # What came through a weight of 0 is NaN, and a sum shows it. Gradients go another way back, and the
        # weights do not show a forbidden value: there the numbers that went in are looked at.
        if isinstance(found, Tensor) and not found.requires_grad:
            finite = _is_finite(found.sum)
        else:
            finite = _is_finite(q.sum) and _is_finite(k.sum) and _is_finite(v.sum)
        if finite:
            return found
        odd_q, odd_k, odd_v = ~q.isfinite(), ~k.isfinite(), ~v.isfinite()
        clean = q.masked_fill(odd_q, 0.0), k.masked_fill(odd_k, 0.0), v.masked_fill(odd_v, 0.0)
        found = attend(*clean, allowed, **options)
        odd_scores = odd_q.any(-1, keepdim=True) | odd_k.any(-1)[..., None, :]  # (..., T, S)
        allowed = allowed.expand(odd_scores.shape)
        met = (odd_scores & allowed).any(-1, keepdim=True)  # (..., T, 1)
        fetched = allowed.float() @ odd_v.float() > 0  # feature by feature, (..., T, D)
        if isinstance(found, Tensor):
            return found.masked_fill(met | fetched, torch.nan)
        output, weights = found
        return output.masked_fill(met | fetched, torch.nan), weights.masked_fill(met & allowed, torch.nan)

    return safe


def _is_finite(total: Callable[[], Tensor]) -> bool:
    """Did a sum meet no NaN and no ∞? (Too large a sum says no, too, which costs only time.)"""
    if torch.compiler.is_compiling():
        return True  # it cannot look
    try:
        return math.isfinite(total().item())
    except RuntimeError:  # no value of its own, as inside torch.func.vmap
        return True


def to_torch_mha(allowed: Tensor, n_heads: int) -> dict[str, Tensor]:
    """Our mask as the keyword arguments of `torch.nn.MultiheadAttention`, where True = **blocked**.

    Args:
        allowed: boolean, True = may attend: `(T, S)`, `(B, 1, 1, S)` for padding, or `(B, H or 1, T, S)`.
        n_heads: H of the layer that gets them; torch lays batch and heads on one axis.

    Returns:
        `{"key_padding_mask": (B, S)}` for padding, else `{"attn_mask": (T, S) or (B·H, T, S)}`.
        Write `layer(x, x, x, **to_torch_mha(allowed, layer.num_heads))`.

    Raises:
        ValueError: `allowed` is not boolean, or has none of these shapes.

    Source: documentation of `torch.nn.MultiheadAttention`.
    """
    checks.boolean(allowed)
    if allowed.dim() == 2:
        return {"attn_mask": ~allowed}  # (T, S)
    if allowed.dim() != 4 or allowed.shape[1] not in (1, n_heads):
        raise ValueError(
            f"allowed has shape {tuple(allowed.shape)}, expected (T, S), (B, 1, 1, S) or (B, H, T, S) "
            f"with H = 1 or n_heads ({n_heads})"
        )
    if allowed.shape[1:3] == (1, 1):
        return {"key_padding_mask": ~allowed[:, 0, 0]}  # (B, S)
    return {"attn_mask": ~allowed.expand(-1, n_heads, -1, -1).flatten(0, 1)}  # (B·H, T, S)


def to_torch_sdpa(allowed: Tensor, dtype: torch.dtype | None = None) -> Tensor:
    """Our mask for `torch.nn.functional.scaled_dot_product_attention`.

    Its boolean masks mean what ours mean: True = may attend. Its other kind is a mask of numbers that are
    added to the scores.

    Args:
        allowed: boolean, True = may attend.
        dtype: of the added kind, the dtype of the queries; None for the boolean kind.

    Returns:
        `allowed` itself, or 0 where allowed and −∞ where not, in the same shape.

    Raises:
        ValueError: `allowed` is not boolean.

    Source: documentation of `torch.nn.functional.scaled_dot_product_attention`.
    """
    checks.boolean(allowed)
    if dtype is None:
        return allowed
    return torch.zeros(allowed.shape, dtype=dtype, device=allowed.device).masked_fill(~allowed, -torch.inf)
