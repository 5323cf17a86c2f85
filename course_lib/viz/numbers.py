"""The arithmetic of attention in numpy and double precision.

The live views compute the same in the browser; tests hold both against each other. Axes: T queries, S keys,
K features of queries and keys, V features of values, D features of the inputs. Rows are queries.
"""

from dataclasses import dataclass

import numpy as np

WHERE = ("before", "after", "none")  # where the mask acts: before the softmax, after it (wrong), nowhere


@dataclass(frozen=True)
class Attended:
    """What one attention gives, and how much of each input arrives in each output."""

    weights: np.ndarray  # (T, S)
    output: np.ndarray  # (T, V)
    leak: np.ndarray  # (T, S): ‖∂output_i / ∂input_j‖


def masked_softmax(scores: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    """Softmax over the allowed entries of the last axis.

    Args:
        scores: float64 `(..., S)`; −∞ counts as forbidden.
        allowed: booleans of the same shape, True = may attend.

    Returns:
        weights `(..., S)`; a row with nothing to share out is all 0.
    """
    scores = np.where(allowed, scores, -np.inf)
    top = scores.max(-1, keepdims=True)
    weights = np.exp(scores - np.where(np.isfinite(top), top, 0.0))
    total = weights.sum(-1, keepdims=True)
    return weights / np.where(total == 0, 1.0, total)


def attend(
    queries: np.ndarray,
    keys: np.ndarray,
    values: np.ndarray,
    w_k: np.ndarray,
    w_v: np.ndarray,
    allowed: np.ndarray,
    where: str = "before",
) -> Attended:
    """Attention, and how much each input that is looked at changes each output.

    The leak is measured, not read off the mask: it is the size (Frobenius norm) of the Jacobian block
    ∂o_i/∂x_j, where x_j is reached through its key `x_j W_k` and its value `x_j W_v`; the query stays as it is.
    With p the softmax, m the mask that is multiplied on *after* it (1 everywhere for a mask before it) and
    w = p·m:

        ∂o_i/∂x_j = w_ij W_vᵀ + p_ij (m_ij v_j − o_i) (W_k q_i)ᵀ / √K

    A mask before the softmax makes p_ij = 0, so the block is exactly 0. A mask after it leaves p_ij in the
    second term: the forbidden key still pushes the others' weights down.

    Args:
        queries: `(T, K)`; keys: `(S, K)`; values: `(S, V)`; w_k: `(D, K)`; w_v: `(D, V)`; float64.
        allowed: booleans `(T, S)`, True = may attend.
        where: "before" the softmax, "after" it (wrong), or "none" (no mask).

    Returns:
        weights `(T, S)`, output `(T, V)`, leak `(T, S)`.

    Raises:
        ValueError: another word for `where`.
    """
    if where not in WHERE:
        raise ValueError(f"where is {where!r}, expected one of {', '.join(map(repr, WHERE))}")
    root = np.sqrt(queries.shape[1])
    scores = queries @ keys.T / root  # (T, S)
    everything = np.ones_like(allowed)
    p = masked_softmax(scores, allowed if where == "before" else everything)
    m = (allowed if where == "after" else everything).astype(float)
    weights = p * m
    output = weights @ values  # (T, V)
    along_key = queries @ w_k.T / root  # (T, D): how the score of row i grows with x_j
    pull = p[:, :, None] * (m[:, :, None] * values[None] - output[:, None])  # (T, S, V): ∂o_i / ∂score_ij
    block = weights[:, :, None, None] * w_v.T + pull[:, :, :, None] * along_key[:, None, None]  # (T, S, V, D)
    return Attended(weights, output, np.sqrt((block**2).sum((2, 3))))
